#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
steps: at each instruction of a program the stack is the one that gdb sees.

gdb goes through the program in an emulator and has its unwind tables. A core
is made of each step. With tables our stack must be gdb's; without them it must
be so too, or end early, or be marked suspect from the first frame on that is
not.
"""

import collections
import json
import os
import struct
import subprocess
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "victims")]

import build  # noqa: E402
import guest  # noqa: E402
import kit    # noqa: E402
import real   # noqa: E402

EM_AARCH64 = 183
FLAGS = ("-static", "-g", "-O2")
AT_PHDR, AT_PHENT, AT_PHNUM, AT_ENTRY = 3, 4, 5, 9
BAD_SHOWN = 5

Program = collections.namedtuple("Program", "path segments auxv")


def program(path):
    """What a core has to tell of a static program."""
    with open(path, "rb") as f:
        data = f.read()
    entry, phdrs = struct.unpack_from("<QQ", data, 24)
    size, count = struct.unpack_from("<HH", data, 54)
    loads = []
    for n in range(count):
        kind, flags, _, addr, _, _, length, _ = struct.unpack_from(
            "<IIQQQQQQ", data, phdrs + n * size)
        if kind == 1:
            start = addr & -4096
            loads.append((start, -(-(addr + length) // 4096) * 4096 - start,
                          flags, b""))
    auxv = struct.pack("<10Q", AT_PHDR, loads[0][0] + phdrs, AT_PHNUM, count,
                       AT_PHENT, size, AT_ENTRY, entry, 0, 0)
    return Program(path, loads, auxv)


def note(kind, content):
    return struct.pack("<III", 5, len(content), kind) + b"CORE\0\0\0\0" + content


def write_core(path, step, made):
    status = bytearray(392)
    struct.pack_into("<H", status, 12, 11)
    struct.pack_into("<I", status, 32, 100)
    struct.pack_into("<34Q", status, 112, *step["regs"])
    notes = note(1, bytes(status)) + note(6, made.auxv)
    stack = bytes.fromhex(step["stack"])
    loads = made.segments + [(step["base"], len(stack), 6, stack)]
    at = 64 + 56 * (1 + len(loads))
    heads = struct.pack("<IIQQQQQQ", 4, 0, at, 0, 0, len(notes), 0, 4)
    body = notes
    for addr, size, flags, content in loads:
        heads += struct.pack("<IIQQQQQQ", 1, flags, at + len(body), addr, 0,
                             len(content), size, 1)
        body += content
    head = struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\2\1\1", 4, EM_AARCH64, 1,
                       0, 64, 0, 0, 64, 56, 1 + len(loads), 0, 0, 0)
    with open(path, "wb") as f:
        f.write(head + heads + body)


def record(path, directory):
    """All steps of the program, as gdb saw them."""
    env = dict(build.environment(), STEPS_SOCKET=os.path.join(directory, "s"),
               STEPS_OUT=os.path.join(directory, "steps.json"))
    with subprocess.Popen([guest.EMULATOR, "-g", env["STEPS_SOCKET"], path],
                          stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL) as emulator:
        try:
            real.wait_for("the emulator listens", lambda: os.path.exists(
                env["STEPS_SOCKET"]))
            result = kit.run([guest.DEBUGGER, "-nx", "-batch", path, "-x",
                              os.path.join(HERE, "stepper.py")], env=env,
                             timeout=120, merge=True)
        finally:
            emulator.kill()
    try:
        with open(env["STEPS_OUT"], encoding="utf-8") as f:
            return json.load(f)
    except OSError as error:
        raise build.Failure("gdb went no steps\n%s" % result) from error


def judge(text, want, with_tables):
    """"" if the stack of the report is gdb's, or not wrong."""
    thread = json.loads(text)["threads"][0]
    frames = [f for f in thread["frames"] if f["how"] != "inlined"]
    mine = [int(f["pc"], 16) for f in frames]
    same = 0
    while same < min(len(mine), len(want)) and mine[same] == want[same]:
        same += 1
    honest = same == len(mine) or any(f.get("suspect") for f in
                                      frames[:same + 1])
    if same == len(want) or (honest and not with_tables):
        return ""
    return "ours %s\ngdb  %s" % (" ".join(map(hex, mine)),
                                 " ".join(map(hex, want)))


def compare(tap, inquest, steps, made, with_tables):
    core = os.path.join(os.path.dirname(made.path), "core")
    wrong, complete = [], 0
    for number, step in enumerate(steps):
        write_core(core, step, made)
        result = kit.run([inquest, "report", "--json", "--exe", made.path,
                          core])
        why = "%s" % result if result.status else judge(
            result.out, step["frames"], with_tables)
        if why:
            wrong.append("step %d, %s+: %s" % (number, step["function"], why))
        else:
            complete += not judge(result.out, step["frames"], True)
    tap.ok(not wrong, "%s unwind tables, %d steps: no stack is wrong"
           % ("with" if with_tables else "without", len(steps)),
           "%d are\n%s" % (len(wrong), "\n".join(wrong[:BAD_SHOWN])))
    tap.ok(complete * 10 >= len(steps) * 9, "%s, nine of ten are complete"
           % ("with" if with_tables else "without"),
           "%d of %d" % (complete, len(steps)))


def main():
    inquest = kit.need_inquest()
    guest.need()
    kit.need_tool("aarch64-linux-gnu-objcopy")
    tap = kit.Tap()
    directory = kit.work_dir("aarch64", "steps")
    path = os.path.join(directory, "program")
    bare = os.path.join(directory, "bare")
    for name in os.listdir(directory):
        os.unlink(os.path.join(directory, name))
    try:
        build.call([guest.COMPILER, *FLAGS, "-o", path,
                    os.path.join(HERE, "steps.c")], directory)
        build.call(["aarch64-linux-gnu-objcopy", "--rename-section",
                    ".eh_frame=.no_frame", "--remove-section",
                    ".debug_frame", path, bare], directory)
        steps = record(path, directory)
    except build.Failure as failure:
        tap.ok(False, "the program is gone through", failure)
        tap.leave()
    tap.ok(len(steps) > 200, "the program is gone through", len(steps))
    compare(tap, inquest, steps, program(path), True)
    compare(tap, inquest, steps, program(bare), False)
    tap.leave()


if __name__ == "__main__":
    main()
