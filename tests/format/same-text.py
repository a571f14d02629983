#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
same-text.py: what the C writer wrote, snapread.py reads after FORMAT.md alone.
Both print the canonical text of the same files; they must agree. Prints TAP.
"""

import difflib
import os
import subprocess
import sys
import tempfile

SOURCE = os.environ.get("SRCDIR", ".")
BUILD = os.environ.get("BUILDDIR", ".")
MAKE_SAMPLE = os.path.join(BUILD, "tests", "format", "make-sample")
SNAPREAD = os.path.join(SOURCE, "tests", "format", "snapread.py")
TIMEOUT = 60


def run(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, check=False,
                          stderr=subprocess.STDOUT, timeout=TIMEOUT)


def snapread(path):
    return run(sys.executable, "-B", SNAPREAD, path)


def report(number, fact, name, lines=()):
    print("%sok %d - %s" % ("" if fact else "not ", number, name))
    if not fact:
        for line in lines:
            print("#", line[:200])


def compare(number, size, path):
    written = run(MAKE_SAMPLE, size, path)
    read = snapread(path)
    texts = [r.stdout.decode("utf-8", "replace").splitlines()
             for r in (written, read)]
    report(number,
           written.returncode == read.returncode == 0 and
           len(texts[0]) > 1 and texts[0] == texts[1],
           "both readers print the same of the %s sample" % size,
           difflib.unified_diff(*texts, "inquest", "snapread", lineterm=""))


def damage(number, path):
    with open(path, "r+b") as file:
        file.seek(200)
        byte = file.read(1)
        file.seek(200)
        file.write(bytes([byte[0] ^ 1]))
    read = snapread(path)
    report(number, read.returncode == 1 and b"checksum" in read.stdout,
           "snapread sees a flipped bit",
           read.stdout.decode("utf-8", "replace").splitlines())


def main():
    print("1..4")
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "sample")
        compare(1, "small", path)
        compare(2, "large", path)
        damage(3, path)
        compare(4, "moved", path)


if __name__ == "__main__":
    main()
