#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
values: what gdb on the core cannot vouch for, held against the program.

The registers of victims/registers.c against the pattern that it loads (gdb 13
shows half of them on a core); the session's writes; a core that gdb makes of
the stub, whose stacks must be those of the first core; a core that was cut,
whose stacks must be those of the whole one; a core without memory, of which
nothing may be invented.
"""

import os
import re
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "victims")]

import build    # noqa: E402
import compare  # noqa: E402
import kit      # noqa: E402
import session  # noqa: E402

# victims/registers.c: which rows of its pattern are in which registers.
ROWS = {"die_plain": ("xmm", 16, {0: 0, 7: 1, 15: 2}),
        "die_avx": ("ymm", 32, {0: 0, 7: 1, 15: 2}),
        "die_avx512": ("zmm", 64, {0: 0, 1: 1, 7: 7, 15: 15, 16: 16, 31: 31})}
MASKS = ("k1", "k7")
MASK = 0x123456789abcdef0


def row(number, size):
    return [number * 7 + i & 0xff for i in range(size)]


def numbers(text):
    """The elements of `$1 = {0x0, 0x1 <repeats 3 times>}`."""
    found = []
    for value, times in re.findall(
            r"(0x[0-9a-f]+)(?: <repeats (\d+) times>)?", text or ""):
        found += [int(value, 16)] * int(times or 1)
    return found


def ask(inquest, made, commands):
    run = session.on_stub(inquest, made.core, made.core,
                          ["set print elements 0"] + commands)
    return dict(run.outputs), run


def registers(tap, inquest):
    made = build.ensure("registers")
    said, run = ask(inquest, made, ["bt 1"])
    which = next((name for name in ROWS if name + " (" in said["bt 1"]), None)
    if not tap.ok(which, "registers: the stack shows how it died", run.result):
        return
    name, size, rows = ROWS[which]
    commands = ["p/x $%s%d.v%d_int8" % (name, n, size) for n in rows]
    commands += ["p/x $" + mask for mask in MASKS]
    commands += ["p $st0", "p/x $r15", "info float"]
    said, run = ask(inquest, made, commands)
    for command, number in zip(commands, rows.values()):
        tap.ok(numbers(said[command]) == row(number, size),
               "registers: %s is what the program loaded" % command,
               said[command])
    if which == "die_avx512":
        for mask in MASKS:
            tap.ok(numbers(said["p/x $" + mask]) == [MASK],
                   "registers: $%s is what the program loaded" % mask,
                   said["p/x $" + mask])
    tap.ok("= 3.25" in said["p $st0"] or "= -10000000000" in said["p $st0"],
           "registers: $st0 is what the program loaded", said["p $st0"])
    tap.ok("0x3333333333333333" in said["p/x $r15"],
           "registers: $r15 is what the program loaded", said["p/x $r15"])


# What is written in a session, and what reading it back then says.
WRITES = (
    ("set var victim_numbers[3] = 4242", "p victim_numbers[3]", "4242"),
    ("p victim_real = 0.5", "p victim_real", "0.5"),
    ("p victim_tls = 99", "p victim_tls", "99"),
    ("set {long}$sp = 0x1234", "x/xg $sp", "0x0000000000001234"),
    ("set var victim_text[0] = 'T'", "p victim_text", '"The quick'),
    # Far into a page that was all zeros, and over the edge of two pages.
    ("set {char[9]}(victim_unset + 2) = \"overlay!\"",
     "x/s victim_unset + 2", "overlay!"),
)


def writes(tap, inquest):
    made = build.ensure("threads")
    commands = [c for row in WRITES for c in row[:2]]
    said, run = ask(inquest, made, commands + ["bt"])
    for write, read, value in WRITES:
        tap.ok(value in (said[read] or ""), "writes: '%s' is kept" % write,
               "%s%s" % (said[write], said[read]))
    again, run = ask(inquest, made, ["p victim_numbers[3]", "p victim_tls"])
    tap.ok("= 7\n" in again["p victim_numbers[3]"] and
           "= 107\n" in again["p victim_tls"],
           "writes: the next session sees nothing of it", run.result)


def new_core(tap, inquest):
    made = build.ensure("containers")
    path = os.path.join(kit.work_dir("gdb"), "new.core")
    if os.path.exists(path):
        os.unlink(path)
    said, run = ask(inquest, made, ["generate-core-file " + path])
    tap.ok(os.path.exists(path), "generate-core-file makes a core",
           run.result)
    if not os.path.exists(path):
        return
    question = ["thread apply all bt", "info sharedlibrary"]
    old = session.on_core(made.program, made.core, question)
    new = session.on_core(made.program, path, question)
    for (command, one), (_, other) in zip(old.outputs, new.outputs):
        one, other = stacks(one), stacks(other)
        tap.ok(one == other, "generate-core-file: %s is the same" % command,
               compare.unified(one, other, command))


def stacks(text):
    """Without the threads' numbers: gdb puts them in an order of its own."""
    blocks = re.sub(r"(?m)^warning: .*\n|^Thread \d+(?= )", "",
                    compare.normal(text or ""))
    return "\n\n".join(sorted(blocks.split("\n\n")))


def cut_core(tap, inquest):
    """gdb loses all names with the link map; ours has what is still there."""
    made = build.ensure("cut")
    whole = session.on_core(made.program, os.path.join(made.directory,
                                                       "whole"), ["bt"])
    said, run = ask(inquest, made, ["bt", "thread 2", "x/4xg $sp"])
    # The names that libraries were opened by are in what was cut.
    one, other = (re.sub(r" from /.*", "", compare.normal(
        dict(r.outputs)["bt"] or "")) for r in (whole, run))
    tap.ok(one == other, "cut core: the stack that is there is as in the whole",
           compare.unified(one, other, "bt"))
    tap.ok("Cannot access memory" in said["x/4xg $sp"],
           "cut core: what is missing is not shown as zero", run.result)


# Of a core without memory: what is data, and what the program's file tells.
GONE = ("p victim_numbers[0]", "p victim_text", "p victim_tls", "x/xg $sp",
        "find &victim_numbers, +64, 2")


def filtered_core(tap, inquest):
    """gdb on such a core shows the values that the program began with."""
    made = build.ensure("filtered")
    if made.by != "kernel":
        tap.skip("filtered core: nothing is invented", "core by " + made.by)
        return
    said, run = ask(inquest, made, [*GONE, "bt", "x/i $pc"])
    for command in GONE:
        tap.ok("Cannot access memory" in said[command] or
               "Cannot find thread-local" in said[command] or
               "Pattern not found" in said[command],
               "filtered core: '%s' invents nothing" % command,
               said[command])
    tap.ok("idiv" in said["x/i $pc"] and "in divide (" in said["bt"],
           "filtered core: code and names come from the program's file",
           run.result)


def main():
    inquest = kit.need_inquest()
    kit.need_tool("gdb")
    kit.need_tool("gcc")
    tap = kit.Tap()
    registers(tap, inquest)
    writes(tap, inquest)
    new_core(tap, inquest)
    cut_core(tap, inquest)
    filtered_core(tap, inquest)
    tap.leave()


if __name__ == "__main__":
    main()
