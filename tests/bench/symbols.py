#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
symbols: what an index of symbols costs, and what it gives, beside gdb,
llvm-symbolizer and addr2line.

  symbols.py [--runs N] [--addresses N] [--json FILE] [FILE DEBUG]

Without a file: ceph-mon, if its debug information (ceph-mon-dbg) is here, or
the program that was just built. Who answers takes turns; figures are medians.
Fails where a goal is missed that does not depend on the machine: the size of
the index, the memory that making it takes, addresses that differ.
"""

import argparse
import json
import os
import random
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

BUILD = os.environ.get("BUILDDIR", ".")
SYMIDX = os.path.join(BUILD, "tests/symbols/symidx")
PROGRAM = "/usr/bin/ceph-mon"
SIZE_MAX = 20.0         # % of the DWARF, inflated
MEMORY_MAX = 1024       # MiB
ENV = {k: v for k, v in os.environ.items() if k != "DEBUGINFOD_URLS"}


def run(command, text=None):
    """(output, wall, processor) of a command."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.monotonic()
    done = subprocess.run(command, input=text, capture_output=True, text=True, env=ENV,
                          check=False, timeout=600)
    wall = time.monotonic() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return done.stdout, wall, cpu


def debug_file(path):
    """The separate debug file of a program, or the program itself."""
    notes = subprocess.run(["readelf", "-n", path], capture_output=True, text=True).stdout
    build_id = re.search(r"Build ID: (\w+)", notes)
    if build_id:
        found = f"/usr/lib/debug/.build-id/{build_id[1][:2]}/{build_id[1][2:]}.debug"
        if os.path.exists(found):
            return found
    return path


def text_addresses(path, count):
    shown = subprocess.run(["readelf", "-lW", path], capture_output=True, text=True).stdout
    spots = [(int(w[2], 16), int(w[5], 16)) for w in map(str.split, shown.splitlines())
             if w[:1] == ["LOAD"] and "E" in w[6:-1]]
    rng = random.Random(5)
    picked = [rng.choice(spots) for _ in range(count)]
    return [start + rng.randrange(size) for start, size in picked]


class Bench:
    def __init__(self, args, where):
        self.args = args
        self.program, self.debug = args.files
        self.index = os.path.join(where, "index")
        self.where = where
        self.rows = {}
        self.missed = []

    def keep(self, name, *values):
        self.rows.setdefault(name, []).append(values)

    def make(self):
        command = [SYMIDX, "make", self.program, self.index]
        if self.debug != self.program:
            command.append(self.debug)
        shown, wall, cpu = run(command)
        match = re.search(r"(\d+) MiB, (\d+) bytes(?: \(([\d.]+) %)?", shown)
        memory, percent = int(match[1]), float(match[3] or 0)
        self.keep("index: make", wall, cpu)
        self.keep("index: MiB of memory, % of the DWARF", memory, percent)
        if percent > SIZE_MAX and os.path.getsize(self.index) > 1 << 20:
            self.missed.append(f"the index has {percent} % of the DWARF's size")
        if memory > MEMORY_MAX:
            self.missed.append(f"{memory} MiB to make it")

    def add_index(self):
        """gdb's own index, which has names of units' symbols and no lines."""
        out = os.path.join(self.where, "gdb")
        os.makedirs(out, exist_ok=True)
        _, wall, cpu = run(["gdb", "-nx", "-batch", "-ex", f"save gdb-index {out}", self.debug])
        self.keep("gdb: save gdb-index", wall, cpu)

    def one_address(self):
        text = f"{self.addresses[0]:#x}\n"
        for name, command in self.symbolizers():
            _, wall, cpu = run(command, text)
            self.keep(f"{name}: one address", wall, cpu)
        _, wall, cpu = run(["gdb", "-nx", "-batch", "-ex", f"info line *{text.strip()}",
                            self.debug])
        self.keep("gdb: one address", wall, cpu)

    def symbolizers(self):
        yield "index", [SYMIDX, "frames", self.index, "-"]
        if shutil.which("llvm-symbolizer"):
            yield "llvm-symbolizer", ["llvm-symbolizer", "--obj=" + self.debug]
        if shutil.which("eu-addr2line"):
            yield "eu-addr2line", ["eu-addr2line", "-i", "-f", "-e", self.debug]

    def many(self):
        text = "".join(f"{a:#x}\n" for a in self.addresses)
        for name, command in self.symbolizers():
            _, wall, cpu = run(command, text)
            self.keep(f"{name}: {len(self.addresses)} addresses", wall, cpu)

    def speed(self):
        shown, _, _ = run([SYMIDX, "speed", self.index])
        match = re.search(r"first ([\d.]+) s\ncold (\d+).*\nwarm (\d+)", shown)
        if match:
            self.keep("index: addresses a second, cold and warm", float(match[2]),
                      float(match[3]))

    def all(self):
        self.addresses = text_addresses(self.program, self.args.addresses)
        for _ in range(self.args.runs):
            self.make()
            self.one_address()
            self.many()
            self.speed()
        if shutil.which("gdb"):
            self.add_index()


def report(bench, path):
    medians = {name: [statistics.median(v) for v in zip(*rows)]
               for name, rows in bench.rows.items()}
    print(f"{bench.program}: wall and processor seconds, medians of {bench.args.runs}")
    for name, values in sorted(medians.items()):
        print(f"  {name:44}" + "".join(f"{v:14.3f}" for v in values))
    for text in bench.missed:
        print("MISSED:", text)
    if path:
        with open(path, "w", encoding="ascii") as f:
            json.dump(medians, f, indent=2)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--runs", type=int, default=3)
    ap.add_argument("--addresses", type=int, default=1000)
    ap.add_argument("--json")
    ap.add_argument("files", nargs="*")
    args = ap.parse_args()
    if not args.files:
        program = PROGRAM
        if not os.path.exists(program) or debug_file(program) == program:
            program = os.path.join(BUILD, "inquest")
        args.files = [program]
    args.files = [args.files[0], args.files[1] if len(args.files) > 1
                  else debug_file(args.files[0])]
    with tempfile.TemporaryDirectory() as where:
        bench = Bench(args, where)
        bench.all()
        report(bench, args.json)
    return len(bench.missed) != 0


if __name__ == "__main__":
    sys.exit(main())
