#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
unwind: frames a second, ours beside libdw's and libunwind's over the same
copied memory of a live process. Prints figures only, in processor time.

Runs alternate over the targets, BENCH_RUNS of each (5); medians. "first" is a
pass with no table read yet, "warm" one of many that follow. "same" counts the
frames that are among ours. unwind.py [LABEL...] takes only those (S100 CB CM).
"""

import collections
import contextlib
import os
import statistics
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "victims")]

import kit      # noqa: E402
import real     # noqa: E402
import targets  # noqa: E402

RUNS = max(3, int(os.environ.get("BENCH_RUNS", "5")))
LABELS = ("S100", "CB", "CM")

Row = collections.namedtuple("Row", "threads frames same first warm")


def measured(pid):
    """{tool: Row} of one picture."""
    helper = os.path.join(kit.build_dir(), "tests", "bench", "unwind")
    out = subprocess.check_output([helper, str(pid)], text=True, timeout=60)
    return {name: Row(*map(int, figures)) for name, *figures in
            (line.split() for line in out.splitlines())}


def print_rows(label, runs):
    for tool in runs[0]:
        rows = [run[tool] for run in runs]
        middle = Row(*(statistics.median(column) for column in zip(*rows)))
        print("%-5s %-15s %7d %7d %7d %9.2f %9.2f" % (
            label, tool, middle.threads, middle.frames, middle.same,
            middle.first / 1e6, middle.warm / 1e6), flush=True)


def main():
    labels = sys.argv[1:] or LABELS
    print("%-5s %-15s %7s %7s %7s %9s %9s" % (
        "", "M frames/s", "threads", "frames", "same", "first", "warm"))
    with tempfile.TemporaryDirectory(prefix="inquest-") as directory, \
            contextlib.ExitStack() as stack:
        found = []
        for label in labels:
            try:
                found.append(stack.enter_context(
                    targets.WORKLOADS[label][1](directory)))
            except real.Missing as missing:
                print("%-5s skipped: %s" % (label, missing))
        runs = [[measured(t.pid) for t in found] for _ in range(RUNS)]
        for number, target in enumerate(found):
            print_rows(target.label, [run[number] for run in runs])


if __name__ == "__main__":
    main()
