#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
steps: at each instruction of a program the stack is the one that gdb sees.

gdb goes through the program, that of AArch64 in an emulator, and has its unwind
tables. A core is made of each step. With tables our stack must be gdb's;
without them it must be so too, or end early, or be marked suspect from the
first frame on that is not.
"""

import collections
import contextlib
import json
import os
import struct
import subprocess
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
TESTS = os.path.dirname(HERE)
sys.path[:0] = [os.path.join(TESTS, "aarch64"), os.path.join(TESTS, "victims")]

import build  # noqa: E402
import guest  # noqa: E402
import kit    # noqa: E402
import real   # noqa: E402

FLAGS = ("-static", "-no-pie", "-g", "-O2")
AT_PHDR, AT_PHENT, AT_PHNUM, AT_ENTRY = 3, 4, 5, 9
BAD_SHOWN = 5

Program = collections.namedtuple("Program", "path segments auxv")
# Its ELF number, its tools, the registers of its NT_PRSTATUS in their order,
# how long that is, and how many of ten stacks are complete without tables.
Machine = collections.namedtuple("Machine", "name number compiler objcopy "
                                 "debugger registers status complete")
MACHINES = (
    Machine("x86_64", 62, "gcc", "objcopy", "gdb",
            "r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi "
            "orig_rax rip cs eflags rsp ss fs_base gs_base ds es fs gs",
            336, 0),
    Machine("aarch64", 183, guest.COMPILER, "aarch64-linux-gnu-objcopy",
            guest.DEBUGGER, " ".join("x%d" % n for n in range(31)) +
            " sp pc cpsr", 392, 9),
)


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


def write_core(path, step, made, machine):
    status = bytearray(machine.status)
    struct.pack_into("<H", status, 12, 11)
    struct.pack_into("<I", status, 32, 100)
    struct.pack_into("<%dQ" % len(step["regs"]), status, 112, *step["regs"])
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
    head = struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\2\1\1", 4, machine.number,
                       1, 0, 64, 0, 0, 64, 56, 1 + len(loads), 0, 0, 0)
    with open(path, "wb") as f:
        f.write(head + heads + body)


@contextlib.contextmanager
def emulated(path, socket):
    """The program waits in an emulator for a debugger."""
    with subprocess.Popen([guest.EMULATOR, "-g", socket, path],
                          stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL) as emulator:
        try:
            real.wait_for("the emulator listens",
                          lambda: os.path.exists(socket))
            yield
        finally:
            emulator.kill()


def record(path, directory, machine):
    """All steps of the program, as gdb saw them."""
    env = dict(build.environment(), STEPS_REGISTERS=machine.registers,
               STEPS_OUT=os.path.join(directory, "steps.json"))
    words = [machine.debugger, "-nx", "-batch", path, "-x",
             os.path.join(HERE, "stepper.py")]
    if machine.name == "aarch64":
        env["STEPS_SOCKET"] = os.path.join(kit.socket_dir(), "s")
        with emulated(path, env["STEPS_SOCKET"]):
            result = kit.run(words, env=env, timeout=300, merge=True)
    else:
        result = kit.run(words, env=env, timeout=300, merge=True)
    try:
        with open(env["STEPS_OUT"], encoding="utf-8") as f:
            return json.load(f)
    except OSError as error:
        raise build.Failure("gdb went no steps\n%s" % result) from error


def judge(text, want, with_tables):
    """"" if the stack of the report is gdb's, or not wrong."""
    thread = json.loads(text)["threads"][0]
    frames = [f for f in thread["frames"]
              if f["how"] not in ("inlined", "tail-call")]
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


def compare(tap, inquest, steps, made, machine, with_tables):
    core = os.path.join(os.path.dirname(made.path), "core")
    what = "%s, %s unwind tables" % (machine.name,
                                     "with" if with_tables else "without")
    wrong, complete = [], 0
    for number, step in enumerate(steps):
        write_core(core, step, made, machine)
        result = kit.run([inquest, "report", "--json", "--exe", made.path,
                          core])
        why = "%s" % result if result.status else judge(
            result.out, step["frames"], with_tables)
        if why:
            wrong.append("step %d, %s: %s" % (number, step["function"], why))
        else:
            complete += not judge(result.out, step["frames"], True)
    tap.ok(not wrong, "%s, %d steps: no stack is wrong" % (what, len(steps)),
           "%d are\n%s" % (len(wrong), "\n".join(wrong[:BAD_SHOWN])))
    least = len(steps) * (10 if with_tables else machine.complete) // 10
    tap.ok(complete >= least, "%s, %d at least are complete" % (what, least),
           complete)


def one(tap, inquest, machine):
    directory = kit.work_dir("steps", machine.name)
    path = os.path.join(directory, "program")
    bare = os.path.join(directory, "bare")
    for name in os.listdir(directory):
        os.unlink(os.path.join(directory, name))
    build.call([machine.compiler, *FLAGS, "-o", path,
                os.path.join(HERE, "steps.c")], directory)
    build.call([machine.objcopy, "--rename-section", ".eh_frame=.no_frame",
                "--remove-section", ".debug_frame", path, bare], directory)
    steps = record(path, directory, machine)
    tap.ok(len(steps) > 200, "%s: the program is gone through" % machine.name,
           len(steps))
    compare(tap, inquest, steps, program(path), machine, True)
    compare(tap, inquest, steps, program(bare), machine, False)


def missing(machine):
    tools = [machine.compiler, machine.objcopy, machine.debugger]
    if machine.name == "aarch64":
        tools.append(guest.EMULATOR)
    return [tool for tool in tools if not kit.shutil.which(tool)]


def main():
    inquest = kit.need_inquest()
    tap = kit.Tap()
    for machine in MACHINES:
        if missing(machine):
            tap.skip(machine.name, "not installed: %s" % missing(machine))
            continue
        try:
            one(tap, inquest, machine)
        except build.Failure as failure:
            tap.ok(False, "%s: the program is gone through" % machine.name,
                   failure)
    tap.leave()


if __name__ == "__main__":
    main()
