#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
stacks: the report has the stacks that gdb finds on the core.

For each victim and each real program, thread by thread: the same addresses in
the same order as gdb's frames (those that are inlined or were left by a tail
call left out), and a name wherever gdb has one. Reports are made of the core and of the snapshot of it.
"""

import collections
import os
import re
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "victims")]

import build    # noqa: E402
import kit      # noqa: E402
import real     # noqa: E402
import report   # noqa: E402
import session  # noqa: E402
import table    # noqa: E402

FRAME = re.compile(r"^(\d+) (0x[0-9a-f]+) (.*)$", re.M)
# One function's names: libc has several for most of its own, and C++ spells
# types in one way in DWARF and in another in a mangled name.
ALIAS = re.compile(r"^(__GI_|__libc_|__new_|___?)+|(_impl|\.\w+|64)+$")
BRACKETS = re.compile(r"<[^<>]*>|\([^()]*\)|\{[^{}]*\}")


COMMANDS = ["set backtrace past-main on", "inq-frames"]


def of_gdb(run):
    """Stacks by thread, of a session that was asked COMMANDS."""
    stacks = collections.defaultdict(list)
    for tid, pc, name in FRAME.findall(dict(run.outputs)["inq-frames"] or ""):
        stacks[int(tid)].append((int(pc, 16), "" if name == "None" else name))
    return stacks


def of_report(result):
    return {t.id: list(zip(t.addresses, t.names))
            for t in report.threads(result.out)}


def hold(tap, theirs, result, what):
    """A report of `what` against gdb's stacks; yields the report's."""
    if not tap.ok(result.status == 0, "a report of " + what, result):
        return {}
    ours = of_report(result)
    tap.ok(theirs and set(ours) == set(theirs),
           "the report of %s has all %d threads" % (what, len(theirs)),
           sorted(ours))
    wrong = ["thread %d %s" % (tid, line) for tid in theirs
             for line in same(theirs[tid], ours.get(tid, []))]
    tap.ok(not wrong, "the report of %s has gdb's %d frames"
           % (what, sum(map(len, theirs.values()))), "\n".join(wrong[:50]))
    return ours


def same(theirs, ours):
    """What differs: gdb may stop earlier than we do, never later."""
    wrong = []
    for number, (pc, name) in enumerate(theirs):
        mine = ours[number] if number < len(ours) else (0, "no frame")
        if mine[0] != pc or bool(name) > bool(mine[1]):
            wrong.append("#%d gdb %#x %s, report %#x %s"
                         % (number, pc, name, *mine))
    return wrong


def alias(name):
    """The last word of a name, without its types and prefixes."""
    bare = None
    while bare != name:
        bare, name = name, BRACKETS.sub("", name)
    words = re.split(r"::| ", name.replace(" const", ""))
    # One piece of code is both in libc: memcpy() is a memmove() there.
    return ALIAS.sub("", words[-1]).replace("memmove", "memcpy")


def check(tap, inquest, made):
    theirs = of_gdb(session.on_core(made.program, made.core, COMMANDS))
    snapshot = os.path.join(kit.work_dir("stacks"), made.name + ".snap")
    if os.path.exists(snapshot):
        os.unlink(snapshot)
    result = kit.run([inquest, "import", made.core, "-o", snapshot])
    tap.ok(result.status == 0, "%s: import" % made.name, result)
    for path, what in ((made.core, "the core of " + made.name),
                       (snapshot, "the snapshot of " + made.name)):
        result = kit.run([inquest, "report", "--json", path], cwd="/")
        named(tap, what, theirs, hold(tap, theirs, result, what))


def named(tap, what, theirs, ours):
    other = {(name, mine[1]) for tid in theirs for (_, name), mine in
             zip(theirs[tid], ours.get(tid, []))
             if name and alias(name) != alias(mine[1])}
    tap.ok(not other, "the report of %s has gdb's names" % what,
           "\n".join("gdb %s, report %s" % pair for pair in sorted(other)))


def main():
    inquest = kit.need_inquest()
    kit.need_tool("gdb")
    kit.need_tool("gcc")
    tap = kit.Tap()
    for name in sys.argv[1:] or [*table.COMPARED, *real.PROGRAMS]:
        try:
            made = (real if name in real.PROGRAMS else build).ensure(name)
        except real.Missing as missing:
            tap.skip("%s: stacks" % name, missing)
        except build.Failure as failure:
            tap.ok(False, "%s is made" % name, failure)
        else:
            check(tap, inquest, made)
    tap.leave()


if __name__ == "__main__":
    main()
