#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
errors: system calls that fail, one at a time, wherever it may hit.

The put that meets it says so, the process goes on and the next puts work, all
that was acknowledged before and after is there, a verification finds nothing.
errors.py [--count N]: the Nth calls 1…8 of each kind unless asked.
"""

import os
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "victims")]

import kit      # noqa: E402
import stores   # noqa: E402

# Call, error, what is said.
CASES = (
    ("fdatasync", "EIO", "Input/output error"),
    ("pwrite64", "ENOSPC", "the file system is full"),
    ("pwrite64", "EIO", "Input/output error"),
    ("writev", "ENOSPC", "the file system is full"),
    ("writev", "EIO", "Input/output error"),
    ("fsync", "EIO", "Input/output error"),
    ("ftruncate", "EIO", "Input/output error"),
)


class Errors:
    def __init__(self, strace, directory):
        self.strace = strace
        self.directory = directory
        self.hits = 0

    def inject(self, call, error, number):
        """The @number-th @call of a process fails; what is wrong then?"""
        store = stores.Store(os.path.join(
            self.directory, "%s-%s-%d" % (call, error, number)), 30000)
        store.fill(2)
        return self.puts(store, call, error, number)

    def puts(self, store, call, error, number):
        rule = "%s:error=%s:when=%d" % (call, error, number)
        done = store.run("again", stores.PROJECT, store.next,
                         number // 2 + 4, store.size,
                         wrap=[self.strace, "-f", "-qq", "-o", "/dev/null",
                               "-e", "trace=" + call, "-e", "inject=" + rule])
        store.take(done.stdout)
        said = [line for line in done.stdout.split("\n")
                if line.startswith("!")]
        self.hits += len(said)
        if done.returncode and not said:
            # It was hit while the store was opened.
            said = [done.stderr]
            self.hits += 1
        wrong = store.wrong() or store.faults()
        if len(said) > 1:
            wrong = wrong or "one error, %d puts failed" % len(said)
        return wrong, said


def check_case(tap, errors, case, count):
    call, error, words = case
    name = "%s that fails with %s" % (call, error)
    wrong, told = "", set()
    for number in range(1, count + 1):
        wrong, said = errors.inject(call, error, number)
        told.update(said)
        bad = [line for line in said if words not in line]
        if bad and not wrong:
            wrong = "not told as \"%s\": %s" % (words, bad)
        if wrong:
            wrong = "%s, call %d\n%s" % (name, number, wrong)
            break
    tap.ok(not wrong, name + " loses nothing", wrong)


def check_new(tap, errors, count):
    """The same while store and project are made."""
    wrong = ""
    for call in ("fsync", "fdatasync", "pwrite64", "rename", "openat"):
        for number in range(1, count + 1):
            store = stores.Store(os.path.join(
                errors.directory, "new-%s-%d" % (call, number)), 30000)
            wrong, _ = errors.puts(store, call, "EIO", number)
            left = store.fill(1)
            if not wrong and left.returncode:
                wrong = left.stderr
            if wrong:
                wrong = "%s, call %d\n%s" % (call, number, wrong)
                break
    tap.ok(not wrong, "errors while a store is made leave one that works",
           wrong)


def main():
    count = stores.count_asked(8, __doc__.splitlines()[1])
    tap = kit.Tap()
    strace = stores.need_strace(tap, "injected errors")
    if strace:
        with stores.temporary() as directory:
            errors = Errors(strace, directory)
            for case in CASES:
                check_case(tap, errors, case, count)
            check_new(tap, errors, min(count, 8))
            tap.ok(errors.hits > count, "errors did hit",
                   "%d" % errors.hits)
            tap.note("%d puts met an error" % errors.hits)
    tap.leave()


if __name__ == "__main__":
    main()
