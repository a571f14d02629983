#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
store: the tests of tests/store at length.

200 kills, 100 injected errors of each kind, 200 changed bytes and cuts, 400
objects of each of several processes, full file systems. STRESS_STORE chooses
a factor (1).
"""

import os
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.realpath(__file__))
SCRIPTS = os.path.join(os.path.dirname(HERE), "store")

RUNS = (("kill.py", 200), ("errors.py", 100), ("rot.py", 200),
        ("together.py", 400), ("full.py", None))


def words_of(name, count):
    words = [sys.executable, os.path.join(SCRIPTS, name)]
    if count:
        factor = float(os.environ.get("STRESS_STORE", "1"))
        words += ["--count", str(max(1, int(count * factor)))]
    return words


def main():
    bad = 0
    for name, count in RUNS:
        words = words_of(name, count)
        began = time.monotonic()
        print("-- store/" + " ".join([name, *words[2:]]), flush=True)
        bad += subprocess.run(words, check=False).returncode != 0
        print("-- %.0f s" % (time.monotonic() - began), flush=True)
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
