#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
capture: many more of the races of tests/capture/races.py.

  capture.py [--execs N] [--fixed N] [--suids N] [--reuses N] [--spawning N]
             [--killed N] [--threads N] [--us N]

How many captures of each: a process that begins itself anew all the time; the
same at the same addresses; one that is a set-user-ID program now and then,
looked at by its user; processes of which one gets the other's number; a
process of so many threads that come and go; processes that are killed. 0 leaves one out. A process lives
for at most --us microseconds.
"""

import argparse
import os
import sys
import tempfile
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [os.path.join(os.path.dirname(HERE), name)
                for name in ("capture", "victims")]

import kit     # noqa: E402
import racing  # noqa: E402

NAMES = ("execs", "fixed", "suids", "reuses", "spawning", "killed")


def run(name, options, inquest, directory):
    """The race, or None: not possible here."""
    number, us = getattr(options, name), options.us
    if name == "execs":
        return racing.exec_race(inquest, directory, number, us)
    if name == "fixed":
        return racing.exec_race(inquest, directory, number, us,
                                wrap=["setarch", "-R"])
    if name == "suids":
        return None if os.geteuid() else racing.suid_race(
            inquest, directory, number, us)
    if name == "killed":
        return racing.killed(inquest, directory, number)
    if name == "spawning":
        return racing.spawning(inquest, directory, number, options.threads)
    return racing.reuse_race(inquest, directory, number, us)


def told(name, options, inquest):
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="inquest-race-") as directory:
        os.chmod(directory, 0o755)
        race = run(name, options, inquest, directory)
    if race is None:
        print("%-8s cannot be tried here" % name)
        return True
    print("%-8s %s, %.0f s" % (name, race, time.monotonic() - began),
          flush=True)
    return not race.wrong and race.taken + race.refused


def apart(options):
    """Numbers of processes are set in a space of their own."""
    result = racing.inside(os.path.realpath(__file__), "--only-reuses",
                           "--reuses", str(options.reuses),
                           "--us", str(options.us))
    print(result.out.decode(errors="replace"), end="")
    if result.status:
        print(result.err.decode(errors="replace"), end="")
    return result.status == 0


def main():
    inquest = os.environ.get("INQUEST")
    if not inquest:
        sys.exit("INQUEST does not name the program to test")
    inquest = os.path.realpath(inquest)
    parser = argparse.ArgumentParser(allow_abbrev=False)
    for name, number in zip(NAMES, (2500, 2500, 2500, 2500, 1000, 500)):
        parser.add_argument("--" + name, type=int, default=number)
    parser.add_argument("--threads", type=int, default=512)
    parser.add_argument("--us", type=int, default=8000)
    parser.add_argument("--only-reuses", action="store_true")
    options = parser.parse_args()
    kit.need_tool("gcc")
    if options.only_reuses:
        sys.exit(not told("reuses", options, inquest))
    well = True
    for name in NAMES:
        if not getattr(options, name):
            continue
        passed = (apart(options) if name == "reuses"
                  else told(name, options, inquest))
        well = bool(passed) and well
    sys.exit(not well)


if __name__ == "__main__":
    main()
