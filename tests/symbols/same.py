#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
same: what stands at addresses, as llvm-symbolizer and gdb have it.

same.py [--addresses N] [FILE[,DEBUG]...]: of files with DWARF; without any,
the program that was just built. Names and places of all functions that were
inlined are held against llvm-symbolizer; the line of the innermost against
gdb, because rows that are no statement are told otherwise. Prints TAP.
"""

import argparse
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile

BUILD = os.environ.get("BUILDDIR", ".")
SYMIDX = os.path.join(BUILD, "tests/symbols/symidx")
BY_GDB = 60


def output(command, text=None):
    return subprocess.run(command, input=text, capture_output=True, text=True,
                          check=False).stdout


def code(path):
    """Addresses of executable segments, as (start, size)."""
    found = []
    for line in output(["readelf", "-lW", path]).splitlines():
        words = line.split()
        if words[:1] == ["LOAD"] and "E" in words[6:-1]:
            found.append((int(words[2], 16), int(words[5], 16)))
    return found


def place(text):
    """(base name, line) of "/a/b.c:3:4"."""
    match = re.match(r"(.*?):(\d+|\?)(?::\d+)?$", text)
    return (os.path.basename(match[1]), match[2]) if match else (text, "0")


def ours(index, addresses):
    """[[(function, place)…]…]"""
    found = []
    shown = output([SYMIDX, "frames", index, "-"], "".join(f"{a:#x}\n" for a in addresses))
    for line in shown.splitlines():
        if re.fullmatch(r"0x[0-9a-f]+", line):
            found.append([])
        else:
            found[-1].append(line)
    return [list(zip(f[0::2], map(place, f[1::2]))) for f in found]


def llvm(path, addresses):
    shown = output(["llvm-symbolizer", "--no-demangle", "--obj=" + path],
                   "".join(f"{a:#x}\n" for a in addresses))
    found = []
    for block in shown.split("\n\n"):
        lines = block.strip("\n").split("\n")
        if len(lines) > 1:
            found.append(list(zip(lines[0::2], map(place, lines[1::2]))))
    return found


def gdb_lines(path, addresses):
    """[(base name, line) or None…]"""
    words = ["gdb", "-nx", "-batch", path]
    for a in addresses:
        words += ["-ex", f"info line *{a:#x}"]
    found = []
    for line in output(words).splitlines():
        match = re.match(r'Line (\d+) of "(.*?)"', line)
        if match:
            found.append((os.path.basename(match[2]), match[1]))
        elif line.startswith(("No line", "Address")):
            found.append(None)
    return found


class Tap:
    def __init__(self):
        self.n = self.failed = 0

    def tell(self, fine, what, why=""):
        self.n += 1
        self.failed += not fine
        print("ok" if fine else "not ok", self.n, "-", what)
        if not fine:
            print("# " + "\n# ".join(str(why).splitlines()))


def differ(a, mine, theirs):
    """Why they are not the same, or None. No function: no more is known. The
    outermost name llvm-symbolizer has from the symbol table, others too."""
    if not mine or mine[0][0] == "??" or theirs[0][0] == "??":
        return None
    if len(mine) != len(theirs) \
            or [f for f, _ in mine[:-1]] != [f for f, _ in theirs[:-1]] \
            or [p for _, p in mine[1:]] != [p for _, p in theirs[1:]]:
        return f"{a:#x}: {mine}\n   not {theirs}"
    return None


def check_llvm(tap, name, path, index, addresses):
    mine, theirs = ours(index, addresses), llvm(path, addresses)
    if len(mine) != len(theirs):
        tap.tell(False, f"{name}: both answer", f"{len(mine)}, {len(theirs)}")
        return
    bad = list(filter(None, map(differ, addresses, mine, theirs)))
    known = sum(1 for m in mine if m and m[0][0] != "??")
    deep = sum(len(m) > 1 for m in mine)
    tap.tell(len(bad) * 500 <= known and known,
             f"{name}: {known} addresses, {deep} in inlined code, are as llvm-symbolizer says"
             + (f", but for {len(bad)}" if bad else ""), "\n".join(bad[:5]))


def check_gdb(tap, name, path, index, addresses):
    mine, theirs = ours(index, addresses), gdb_lines(path, addresses)
    if len(mine) != len(theirs):
        tap.tell(False, f"{name}: gdb answers", f"{len(mine)}, {len(theirs)}")
        return
    bad = [f"{a:#x}: {m} not {t}" for a, m, t in zip(addresses, mine, theirs)
           if t and (not m or m[0][1] != t)]
    tap.tell(len(bad) * 30 <= len(theirs), f"{name}: lines are gdb's", "\n".join(bad[:5]))


def check_functions(tap, name, path, index):
    """As many have code as readelf shows of subprograms that do."""
    shown = output(["readelf", "--debug-dump=info", "-wN", path])
    count = inside = 0
    for line in shown.splitlines():
        if "DW_TAG_" in line:
            inside = "DW_TAG_subprogram" in line
        elif inside and ("DW_AT_high_pc" in line or "DW_AT_ranges" in line):
            count += 1
    about = output([SYMIDX, "about", index])
    found = int(re.search(r"^functions (\d+)", about, re.M)[1])
    tap.tell(found == count, f"{name}: {count} functions have code", f"not {found}")


def check(tap, item, count):
    path, _, debug = item.partition(",")
    name = os.path.basename(path)
    with tempfile.TemporaryDirectory() as where:
        index = os.path.join(where, "index")
        output([SYMIDX, "make", path, index] + ([debug] if debug else []))
        spots = code(path)
        rng = random.Random(7)
        addresses = []
        for _ in range(count):
            start, size = rng.choice(spots)
            addresses.append(start + rng.randrange(size))
        check_llvm(tap, name, debug or path, index, addresses)
        check_functions(tap, name, debug or path, index)
        if shutil.which("gdb"):
            check_gdb(tap, name, debug or path, index, addresses[:BY_GDB])


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--addresses", type=int, default=2000)
    ap.add_argument("files", nargs="*")
    args = ap.parse_args()
    tap = Tap()
    if not shutil.which("llvm-symbolizer"):
        print("1..0 # SKIP llvm-symbolizer is not here")
        return 0
    for item in args.files or [os.path.join(BUILD, "inquest")]:
        check(tap, item, args.addresses)
    print(f"1..{tap.n}")
    return tap.failed != 0


if __name__ == "__main__":
    sys.exit(main())
