#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
same-as-core: stock gdb says on our stub what it says on the kernel's core.

One script of commands (script.py) runs on the core of each victim and of each
real program, and on the stub: with the program's file and without, over the
core and over the snapshot made of it, and as `inquest gdb`. What differs must
stand in `differences`.

  same-as-core.py [-v] [NAME...]   those victims or programs; -v: all outputs
"""

import os
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "victims")]

import against  # noqa: E402
import build    # noqa: E402
import kit      # noqa: E402
import real     # noqa: E402
import table    # noqa: E402


def compare_one(tap, comparison, name):
    try:
        made = (real if name in real.PROGRAMS else build).ensure(name)
    except real.Missing as missing:
        tap.skip("%s: gdb says what it says on the core" % name, missing)
    except build.Failure as failure:
        tap.ok(False, "%s is made" % name, failure)
    else:
        comparison.victim(made)


def main():
    names = [a for a in sys.argv[1:] if a != "-v"]
    inquest = kit.need_inquest()
    kit.need_tool("gdb")
    kit.need_tool("gcc")
    tap = kit.Tap()
    if not names:
        against.identity(tap, build.ensure("threads"))
    comparison = against.Comparison(tap, inquest, "-v" in sys.argv)
    for name in names or [*table.COMPARED, *real.PROGRAMS]:
        compare_one(tap, comparison, name)
    if not names:
        comparison.stale()
    tap.leave()


if __name__ == "__main__":
    main()
