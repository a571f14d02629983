#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
values: arguments and locals of programs of AArch64 are what gdb-multiarch
shows of them, with optimisation and without.

Programs of the corpus of tests/values are compiled for the other machine, an
emulator runs them, and its core is asked as those of this machine are there.

  values.py [--all] [-v] [PROGRAM...]     --all: all programs in C
"""

import fnmatch
import os
import subprocess
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
TESTS = os.path.dirname(HERE)
sys.path[:0] = [HERE, os.path.join(TESTS, "values"),
                os.path.join(TESTS, "victims")]

import build     # noqa: E402
import corpus    # noqa: E402
import gdbmi     # noqa: E402
import gdbside   # noqa: E402
import guest     # noqa: E402
import kit       # noqa: E402
import ours      # noqa: E402
import verdict   # noqa: E402

LEVELS = ("-O0", "-O2")
# Program: where it stops.
SHORT = {"bases": 1, "arrays": 2, "pointers": 1, "methods": 1, "inlined": 2,
         "optimized": 2}
# Without floats.c and wides.c: decimal numbers and SSE are not of that machine.
PLACES = {
    "arrays": 3, "bases": 1, "bitfields": 1, "enums": 1, "inlined": 4,
    "methods": 1, "optimized": 7, "pointers": 1, "recursion": 3,
    "shadowed": 2, "strings": 1, "unions": 1,
}
# In C++ without its library: by a compiler that is for all machines.
CXX = ("clang++", "--target=aarch64-linux-gnu", "-fno-rtti",
       "-fno-exceptions", "-w", "-g")
SHOWN = 12


def source_of(program, level, directory):
    """A source in C, or an object made of one in C++."""
    path = os.path.join(corpus.SOURCES, program)
    if os.path.exists(path + ".c"):
        return path + ".c"
    made = os.path.join(directory, program + ".o")
    build.call([corpus.tool(CXX[0]), *CXX[1:], level, "-c", "-o", made,
                path + ".cc"], directory)
    return made


def compiled(program, level):
    directory = kit.work_dir("aarch64", "values", program + level)
    path = os.path.join(directory, program)
    sources = [source_of(program, level, directory),
               os.path.join(corpus.SOURCES, "stop.c")]
    build.call([guest.COMPILER, "-static", "-g", level, "-std=gnu17",
                "-pthread", "-w", "-o", path, *sources, "-lm"], directory)
    return path


def died(path, place):
    """The emulator's core, or None."""
    made = guest.Guest(os.path.basename(path), os.path.dirname(path))
    subprocess.run([guest.EMULATOR, "-cpu", "cortex-a57", path, str(place)],
                   cwd=os.path.dirname(path), stdin=subprocess.DEVNULL,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                   timeout=60, check=False, env=build.environment(),
                   preexec_fn=build.unlimit)
    return guest.own_core(made)


def judged(inquest, path, core):
    theirs = gdbside.ask(path, core)
    snap = core + ".snap"
    ours.call([inquest, "import", "--exe", path, core, "-o", snap])
    said, seconds = ours.ask(inquest, core, snap)
    return verdict.compare(theirs, said, seconds)


def one(tap, inquest, listed, label, path, place, verbose):
    core = died(path, place)
    if not core:
        tap.skip(label, "the emulator writes no core here")
        return None
    try:
        found = judged(inquest, path, core)
    except (gdbmi.Malformed, gdbmi.Gone, ours.Failure) as failure:
        tap.ok(False, label, failure)
        return None
    differ = [d for d in found.differences
              if not verdict.explain(listed, label, d)]
    tap.ok(not differ and found.values, "%s: %s" % (label, found),
           "\n".join(map(str, differ if verbose else differ[:SHOWN])))
    return found


def main():
    inquest = kit.need_inquest()
    guest.need()
    gdbmi.GDB = guest.DEBUGGER
    words = sys.argv[1:]
    wanted = [w for w in words if not w.startswith("-")]
    programs = PLACES if wanted or "--all" in words else SHORT
    listed = verdict.read_exceptions(os.path.join(TESTS, "values",
                                                  "exceptions"))
    tap = kit.Tap()
    verdicts = []
    for program, last in programs.items():
        if wanted and not any(fnmatch.fnmatch(program, w) for w in wanted):
            continue
        for level in LEVELS:
            try:
                path = compiled(program, level)
            except corpus.Missing as missing:
                tap.skip("%s/%s" % (program, level[1:]), missing)
                continue
            first = 1 if programs is PLACES else last
            for place in range(first, last + 1):
                verdicts.append(one(
                    tap, inquest, listed, "%s/%s/%d" % (program, level[1:],
                                                       place),
                    path, place, "-v" in words))
    tap.note("together: %s" % verdict.total(filter(None, verdicts)))
    tap.leave()


if __name__ == "__main__":
    main()
