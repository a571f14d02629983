# SPDX-License-Identifier: Apache-2.0
"""wide: 1,000 children of values over the core of wide.c, and gdb's of them."""

import glob
import os
import re
import shutil
import subprocess
import time

import rounds

import build
import real

# What is asked in the frame of `stop`; how it is called.
VALUES = (
    ("points", "1,000 structures"), ("chain", "1,000 pointers to structures"),
    ("*big", "the first of 10^9 characters"),
)
OURS = "inquest"
LIMITS = {
    OURS + ", " + VALUES[0][1]: ("1,000 children: structures", 1),
    OURS + ", " + VALUES[1][1]: ("1,000 children: pointers", 1),
    OURS + ", " + VALUES[2][1]: ("an array of 10^9 opens", 50),
}
FRAME = b"stop"


def died(directory):
    """(program, core)"""
    pattern = build.core_pattern()
    if pattern.startswith("|") or "/" in pattern:
        raise real.Missing("cores go elsewhere: kernel.core_pattern is "
                           + pattern)
    place = os.path.join(directory, "wide")
    shutil.rmtree(place, ignore_errors=True)
    os.makedirs(place)
    program = os.path.join(place, "wide")
    subprocess.run(["gcc", "-O0", "-g", "-o", program, os.path.join(
        os.path.dirname(os.path.realpath(__file__)), "wide.c")], check=True)
    subprocess.run([program], cwd=place, check=False,
                   preexec_fn=build.unlimit, stderr=subprocess.DEVNULL)
    cores = glob.glob(os.path.join(place, "core*"))
    if not cores:
        raise real.Missing("no core was written; see ulimit -c")
    return program, cores[0]


def frame_number(argv):
    """Of `stop`, by who counts them: gdb has frames of tail calls too."""
    said = rounds.once(argv)["out"]
    return int(re.search(rb"^#(\d+) .*\b%s " % FRAME, said, re.M)[1])


def ours(bench, core, frame, expression):
    """Milliseconds within the process: to find the value, to have 1,000
    children of it and their texts."""
    def take():
        record = rounds.once([bench.look, "-T", "-f", str(frame), core,
                              expression])
        opened, children, texts = map(float, re.search(
            rb"opened in ([\d.]+) ms, \d+ of \d+ children in ([\d.]+) ms, "
            rb"their texts in ([\d.]+) ms", record.pop("out")).groups())
        return {**record, "ms": opened + children + texts, "opened": opened,
                "children": children, "texts": texts}
    return take


class Gdb:
    """One gdb that has the core open, and what its answers take."""

    def __init__(self, program, core):
        self.process = subprocess.Popen(
            ["gdb", "-nx", "-q", "--interpreter=mi2", program, core],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, preexec_fn=rounds.limited)
        self.ask("-gdb-set confirm off")

    def ask(self, command):
        self.process.stdin.write(command.encode() + b"\n")
        self.process.stdin.flush()
        for line in self.process.stdout:
            if line.startswith((b"^done", b"^exit")):
                return line
            if line.startswith(b"^error"):
                raise rounds.Failed(line.decode("utf-8", "replace")[:100])
        raise rounds.Failed("gdb ended; it had %d GiB" % rounds.GIB)

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


def theirs(program, core, frame, expression):
    def take():
        began = time.monotonic()
        gdb = Gdb(program, core)
        try:
            gdb.ask("-stack-select-frame %d" % frame)
            before = time.monotonic()
            gdb.ask("-var-create v * %s" % expression)
            gdb.ask("-var-list-children --all-values v 0 1000")
            after = time.monotonic()
        finally:
            gdb.close()
        return {"ms": 1e3 * (after - before),
                "wall": time.monotonic() - began}
    return take


def rows(bench, runs):
    try:
        program, core = died(bench.directory)
    except real.Missing as why:
        return {"skipped": str(why)}
    mine = frame_number([bench.look, core])
    its = frame_number(["gdb", "-nx", "-batch", program, core, "-ex", "bt"])
    rivals = {}
    for expression, about in VALUES:
        rivals[OURS + ", " + about] = ours(bench, core, mine, expression)
        rivals["gdb, " + about] = theirs(program, core, its, expression)
    return rounds.alternate(rivals, runs, "values")
