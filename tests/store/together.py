#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
together: several processes at one store.

Two put while one puts, removes and collects and one lists and verifies: each
of them succeeds, and all that was put is there. together.py [--count N]: 40
objects each unless asked.
"""

import os
import re
import subprocess
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "victims")]

import kit      # noqa: E402
import stores   # noqa: E402

# What would cost durability, or the fixes that the oldest LMDB lacks.
BANNED = r"MDB_(?:DUPSORT|NOSYNC|NOMETASYNC|MAPASYNC|WRITEMAP|NOLOCK)"


def start(store, *words):
    return subprocess.Popen(store.words(*words), stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True)


def finish(process):
    out, err = process.communicate(timeout=300)
    return process.returncode, out, err


def work(store, count):
    """Everybody at once; yields what is wrong."""
    writers = [start(store, "fill", stores.PROJECT, first, count, store.size)
               for first in (1000, 200000)]
    others = [start(store, "churn", stores.PROJECT, count, store.size)]
    wrong = ""
    while any(w.poll() is None for w in writers) and not wrong:
        wrong = store.faults()
        listed = store.run("list")
        if listed.returncode:
            wrong = wrong or listed.stderr
    for process in writers + others:
        status, out, err = finish(process)
        if process in writers:
            store.take(out)
        if status:
            wrong = wrong or "status %d: %s" % (status, err)
    return wrong


def check_flags(tap):
    path = os.path.join(kit.source_dir(), "store", "backend_lmdb.c")
    with open(path, encoding="utf-8") as f:
        found = re.findall(BANNED, f.read())
    tap.ok(not found, "LMDB syncs, locks, and keeps no duplicates",
           ", ".join(found))


def main():
    count = stores.count_asked(40, __doc__.splitlines()[1])
    tap = kit.Tap()
    check_flags(tap)
    with stores.temporary() as directory:
        store = stores.Store(os.path.join(directory, "s"), 50000)
        # A map that ends soon: they all see it grow.
        store.settings.append("map=65536")
        wrong = work(store, count)
        tap.ok(not wrong, "two put, one collects, one verifies", wrong)
        tap.ok(len(store.acks) == 2 * count, "each put was acknowledged",
               "%d of %d" % (len(store.acks), 2 * count))
        wrong = store.wrong() or store.faults()
        tap.ok(not wrong, "all of it is there", wrong)
    tap.leave()


if __name__ == "__main__":
    main()
