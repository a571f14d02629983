#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
open: what our stub costs beside gdb on the core itself. Prints figures only.

Opening and `thread apply all bt` of 100 threads: gdb on the core, gdb on the
stub over the core and over the snapshot; runs alternate, BENCH_RUNS of each
(9). Then the time and size of imports, against the core and `zstd -1` of it.
"""

import os
import shutil
import statistics
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [os.path.join(os.path.dirname(HERE), "victims"),
                os.path.join(os.path.dirname(HERE), "gdb")]

import build    # noqa: E402
import kit      # noqa: E402
import session  # noqa: E402

RUNS = max(7, int(os.environ.get("BENCH_RUNS", "9")))
STACKS = ["-ex", "thread apply all bt"]
IMPORTED = ("hundred", "threads", "overflow", "thousand")


def gdb(made, *more):
    return ["gdb", "-nx", "-q", "-batch", "-ex", "set width 0", *more]


class Contest:
    """Commands that take turns, and how long each took."""

    def __init__(self, commands, cwd):
        self.commands = commands
        self.cwd = cwd
        self.seconds = {name: [] for name in commands}
        self.frames = {}

    def run(self):
        for name in self.commands:      # one unmeasured round
            self.once(name)
        for _ in range(RUNS):
            for name in self.commands:
                self.seconds[name].append(self.once(name).seconds)

    def once(self, name):
        result = kit.run(self.commands[name], cwd=self.cwd,
                         env=session.environment())
        self.frames[name] = result.out.count(b"\n#")
        return result

    def tell(self, reference):
        base = statistics.median(self.seconds[reference])
        print("%-22s %7s %7s %7s %7s %7s" % ("", "median", "min", "max",
                                             "ratio", "frames"))
        for name, seconds in self.seconds.items():
            middle = statistics.median(seconds)
            print("%-22s %6.3fs %6.3fs %6.3fs %7.2f %7d" % (
                name, middle, min(seconds), max(seconds), middle / base,
                self.frames[name]))


def open_and_bt(inquest, made, snapshot):
    verb = [inquest, "gdb", snapshot, "-nx", "-q", "-batch",
            "-ex", "set width 0", *STACKS]
    contest = Contest({
        "gdb on the core": gdb(made, *STACKS, made.program, made.core),
        "stub over the core": gdb(
            made, "-ex", session.remote(inquest, made.core), *STACKS),
        "stub over the snapshot": gdb(
            made, "-ex", session.remote(inquest, snapshot), *STACKS),
        "stub, program given": gdb(
            made, made.program, "-ex", session.remote(inquest, snapshot),
            *STACKS),
        "inquest gdb": verb,
    }, made.directory)
    contest.run()
    print("open + thread apply all bt, %s, %d runs each, alternating"
          % (made.victim.about, RUNS))
    contest.tell("gdb on the core")


def timed(argv):
    results = [kit.run(argv, timeout=600) for _ in range(RUNS)]
    bad = next((r for r in results if r.status), None)
    if bad:
        sys.exit("%s: %s" % (argv, bad))
    return statistics.median(r.seconds for r in results)


def used(path):
    return os.stat(path).st_blocks * 512


def imports(inquest, directory):
    print("\nimport, median of %d, and `zstd -1` of the same core" % RUNS)
    print("%-12s %9s %9s %9s %9s %9s %9s" % (
        "core of", "MiB", "on disk", "import", "MiB", "zstd -1", "MiB"))
    snapshot = os.path.join(directory, "bench.snap")
    packed = os.path.join(directory, "bench.zst")
    for name in IMPORTED:
        core = build.ensure(name).core
        ours = timed([inquest, "import", core, "-o", snapshot])
        zstd = timed(["zstd", "-1", "-q", "-f", core, "-o", packed]) \
            if shutil.which("zstd") else 0
        print("%-12s %9.1f %9.1f %8.3fs %9.2f %8.3fs %9.2f" % (
            name, os.stat(core).st_size / 2**20, used(core) / 2**20, ours,
            os.stat(snapshot).st_size / 2**20, zstd,
            os.stat(packed).st_size / 2**20 if zstd else 0))


def main():
    inquest = os.environ.get("INQUEST")
    if not inquest or not shutil.which("gdb"):
        sys.exit("INQUEST does not name the program, or gdb is not there")
    inquest = os.path.realpath(inquest)
    directory = kit.work_dir("bench")
    made = build.ensure("hundred")
    snapshot = os.path.join(directory, "hundred.snap")
    if os.path.exists(snapshot):
        os.unlink(snapshot)
    result = kit.run([inquest, "import", made.core, "-o", snapshot])
    if result.status:
        sys.exit("import: %s" % result)
    open_and_bt(inquest, made, snapshot)
    imports(inquest, directory)


if __name__ == "__main__":
    main()
