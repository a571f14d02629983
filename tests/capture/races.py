#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
races: a process begins another program, or ends and another gets its number,
while it is captured: a snapshot is of one of them, or is refused with a
sentence.  Many more of the same: tests/stress/capture.py.
"""

import os
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "victims")]

import kit     # noqa: E402
import racing  # noqa: E402

EXECS, REUSES, SUIDS, SPAWNING, KILLED = 15, 30, 15, 20, 20


def tell(tap, name, race, reason):
    if race is None:
        tap.skip(name, reason)
    else:
        tap.ok(not race.wrong and race.taken, name, race)
        tap.note("%s: %d captured, %d refused" % (name, race.taken,
                                                  race.refused))


def reuse(inquest, directory):
    """In a space of process numbers of our own: prints TAP."""
    tap = kit.Tap()
    tell(tap, "a number is used again", racing.reuse_race(
        inquest, directory, REUSES, 40000),
         "the kernel does not let the next number be set")
    tap.leave()


def main():
    inquest = kit.need_inquest()
    kit.need_tool("gcc")
    with tempfile.TemporaryDirectory(prefix="inquest-races-") as directory:
        os.chmod(directory, 0o755)
        if sys.argv[1:] == ["--reuse"]:
            reuse(inquest, directory)
        tap = kit.Tap()
        tell(tap, "a process that begins itself anew", racing.exec_race(
            inquest, directory, EXECS, 60000), "")
        tell(tap, "the same at the same addresses", racing.exec_race(
            inquest, directory, EXECS, 60000, wrap=["setarch", "-R"]), "")
        race = racing.killed(inquest, directory, KILLED)
        tap.ok(not race.wrong, "a process that is killed meanwhile has ended",
               race)
        tell(tap, "512 threads that come and go", racing.spawning(
            inquest, directory, SPAWNING, 512), "")
        if os.geteuid():
            for name in ("a set-user-ID program", "a number is used again"):
                tap.skip(name, "this is not root")
            tap.leave()
        tell(tap, "a set-user-ID program is begun", racing.suid_race(
            inquest, directory, SUIDS, 60000),
             "files of %s cannot be set-user-ID, or not be run by others"
             % directory)
        result = racing.inside(os.path.realpath(__file__), "--reuse")
        if result.status and b"ok" not in result.out:
            tap.skip("a number is used again", "no space of process numbers "
                     "can be made: " + result.err.decode(errors="replace"))
        else:
            tap.ok(result.status == 0, "a number is used again", result)
            tap.note(result.out.decode(errors="replace"))
    tap.leave()


if __name__ == "__main__":
    main()
