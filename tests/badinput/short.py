#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
short: files that are no cores, no snapshots, or broken ones, are refused well.

Truncated, bit-flipped, empty, foreign, no core at all, 65,536 segments, the
wrong executable: one sentence, the documented exit status, no signal, at most
10 seconds and 1 GiB, and no stack that was never there. The long campaign of
random damage is tests/stress/mutants.py.
"""

import os
import random
import shutil
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "victims")]

import build    # noqa: E402
import elf      # noqa: E402
import kit      # noqa: E402
import mutate   # noqa: E402
import probe    # noqa: E402
import report   # noqa: E402
from probe import DAMAGED, FAILED, NOTFOUND  # noqa: E402

CORE = "jump"
FLIPS = 60


class Cases:
    def __init__(self, tap, inquest, directory):
        self.tap = tap
        self.probe = probe.Probe(inquest)
        self.directory = directory
        self.made = build.ensure(CORE)
        with open(self.made.core, "rb") as f:
            self.core = f.read()

    def path(self, name):
        return os.path.join(self.directory, name)

    def file(self, name, data):
        with open(self.path(name), "wb") as f:
            f.write(data)
        return self.path(name)

    def ends(self, name, allowed, *words):
        """Run a verb; TAP whether it ended as it must. Yields the result."""
        result = self.probe.run(*words)
        wrong = self.probe.wrong(result, allowed)
        self.tap.ok(not wrong, "%s: %s" % (name, words[0]),
                    "%s\n%s\n%s" % (wrong, " ".join(words), result))
        return result

    def refused(self, name, path, allowed=frozenset([FAILED])):
        for words in (["import", path, "-o", self.path("out.snap")],
                      ["report", "--json", path], ["rsp", path],
                      ["disasm", path], ["check", path], ["dump", path]):
            self.ends(name, allowed, *words)
        self.tap.ok(not os.path.exists(self.path("out.snap")),
                    "%s: no snapshot is left behind" % name)

    # ---- no cores at all ----
    def foreign_files(self):
        self.refused("a file that is not there", self.path("absent"),
                     {NOTFOUND})
        self.refused("an empty file", self.file("empty", b""),
                     {FAILED, DAMAGED})
        self.refused("a text", self.file("text", b"not a core\n" * 1000))
        self.refused("random bytes", self.file(
            "random", random.Random(1).randbytes(100000)))
        self.refused("a program", self.made.program)
        self.refused("a shell script", self.file("script", b"#!/bin/sh\n:\n"))
        self.refused("a directory", self.directory)
        self.refused("/dev/zero", "/dev/zero")
        self.refused("/dev/null", "/dev/null", {FAILED, DAMAGED})
        os.mkfifo(self.path("fifo"))
        self.refused("a FIFO without a writer", self.path("fifo"))

    # ---- cores of other machines ----
    def other_machines(self):
        for name, offset, value in (
                ("a core of AArch64", 18, b"\xb7\0"),
                ("a core of an unknown machine", 18, b"\x34\x12"),
                ("a core of 32 bits", 4, b"\1"),
                ("a big-endian core", 5, b"\2"),
                ("an ELF version of the future", 6, b"\7")):
            data = bytearray(self.core)
            data[offset:offset + len(value)] = value
            path = self.file("machine", data)
            self.ends(name, {0, FAILED, DAMAGED}, "report", "--json", path)
            self.ends(name, {0, FAILED, DAMAGED}, "rsp", path)

    # ---- truncated ----
    def truncated(self):
        heads = [s for s in elf.segments(self.core)]
        notes = heads[0]
        table = 64 + 56 * len(heads)
        for size in (1, 4, 15, 16, 20, 63):
            self.cut(size, {FAILED, DAMAGED})
        for size in (64, 65, 64 + 56, table - 1, table, notes.offset + 8,
                     notes.offset + notes.filesz // 2,
                     notes.offset + notes.filesz - 1):
            self.cut(size, {DAMAGED})
        whole = len(self.core)
        for size in (notes.offset + notes.filesz, whole // 3, whole // 2,
                     whole - 4096, whole - 1):
            self.cut_memory(size)

    def cut(self, size, allowed):
        path = self.file("cut", self.core[:size])
        name = "a core cut at byte %d" % size
        self.ends(name, allowed, "report", "--json", path)
        self.ends(name, allowed | {0}, "rsp", path)

    def cut_memory(self, size):
        """The notes are whole: it opens, and what is missing is said."""
        name = "a core cut at byte %d, in its memory" % size
        path = self.file("cut", self.core[:size])
        result = self.ends(name, {DAMAGED}, "report", path)
        self.tap.ok(b"truncated" in result.out and b"#0" in result.out and
                    probe.sentences(result),
                    "%s: the report says so, with what is there" % name,
                    result)
        self.ends(name, {0, DAMAGED}, "rsp", path)

    # ---- flipped ----
    def flipped(self):
        for number in range(FLIPS):
            path = self.file("flip", mutate.numbered(self.core, 1, number))
            verb = (["report", "--json", path], ["rsp", path],
                    ["import", path, "-o", self.path("out.snap")],
                    ["disasm", "--json", path])[number % 4]
            # Damage may leave no thread to show the code of.
            allowed = {NOTFOUND} if verb[0] == "disasm" else set()
            self.ends("damage number %d" % number,
                      {0, FAILED, DAMAGED} | allowed, *verb)

    # ---- many segments ----
    def many_segments(self):
        path = self.path("segments")
        for count in (65534, 65536, 200000):
            elf.many_segments(path, count, self.core)
            name = "a core of %d segments" % count
            self.ends(name, {0, DAMAGED}, "report", "--json", path)
            self.ends(name, {0, DAMAGED}, "rsp", path)
            self.ends(name, {0, DAMAGED}, "import", path, "-o",
                      self.path("out.snap"))
        with open(path, "r+b") as f:
            f.seek(elf.HEADER.size + 44)
            f.write(b"\xff\xff\xff\xff")
        self.ends("a core that claims 2^32 segments", {DAMAGED}, "report",
                  "--json", path)

    # ---- the wrong executable ----
    def wrong_executable(self):
        true_names = self.stack(["report", "--json", self.made.core])
        out = self.path("wrong.snap")
        for name, exe, allowed in (
                ("a core beside the wrong executable",
                 build.ensure("heaplist").program, {0, FAILED}),
                ("a core beside a text as its executable",
                 self.file("text", b"text"), {0, FAILED}),
                ("a core beside a damaged executable",
                 self.damaged_program(), {0, FAILED, DAMAGED}),
                ("a core beside an executable that is not there",
                 self.path("absent"), {NOTFOUND})):
            result = self.ends(name, allowed, "import", self.made.core,
                               "--exe", exe, "-o", out)
            self.tap.ok(result.err.strip(), "%s: it is said" % name, result)
            if result.status == 0:
                names = self.stack(["report", "--json", out])
                self.tap.ok(not invented(names, true_names),
                            "%s: no invented names" % name,
                            "%s, not %s" % (names, true_names))

    def damaged_program(self):
        with open(self.made.program, "rb") as f:
            return self.file("exe", mutate.numbered(f.read(), 2, 5))

    def stack(self, words):
        result = self.probe.run(*words)
        if result.status:
            self.tap.ok(False, "a report is made", result)
            return []
        return report.threads(result.out)[0].names

    def replaced_executable(self):
        """A program rebuilt after its crash: its path lies."""
        directory = self.path("moved")
        victim = self.made.victim
        build.make(victim, directory, "")
        true_names = self.stack(["report", "--json", directory + "/core"])
        shutil.copyfile(build.ensure("heaplist").program,
                        os.path.join(directory, victim.name))
        names = self.stack(["report", "--json", directory + "/core"])
        self.tap.ok(not invented(names, true_names),
                    "a core whose program was replaced: no invented names",
                    "%s, not %s" % (names, true_names))

    # ---- snapshots ----
    def snapshots(self):
        path = self.path("good.snap")
        self.ends("a whole core", {0}, "import", self.made.core, "-o", path)
        result = self.ends("a whole snapshot", {0}, "check", path)
        if result.status:
            return
        with open(path, "rb") as f:
            whole = f.read()
        rng = random.Random(7)
        for at in sorted({0, 8, 16, len(whole) // 2, len(whole) - 1} |
                         {rng.randrange(len(whole)) for _ in range(40)}):
            data = bytearray(whole)
            data[at] ^= 1 << rng.randrange(8)
            self.damaged("a snapshot with a bit of byte %d flipped" % at,
                         self.file("bad.snap", data), at < 16)
        for size in (1, 7, 8, 40, 64, len(whole) // 2, len(whole) - 1):
            self.damaged("a snapshot cut at byte %d" % size,
                         self.file("bad.snap", whole[:size]), size < 16)

    def damaged(self, name, path, maybe_foreign):
        """`check` names the section and the offset; nothing else falls."""
        allowed = {DAMAGED} | ({FAILED} if maybe_foreign else set())
        result = self.ends(name, allowed, "check", path)
        text = (result.out + result.err).decode("utf-8", "replace")
        if result.status == DAMAGED:
            self.tap.ok(("section" in text or "header" in text or
                         "directory" in text or "trailer" in text) and
                        ("offset" in text or " at " in text),
                        "%s: check names section and offset" % name, text)
        some = {0, DAMAGED, FAILED}
        self.ends(name, some, "report", "--json", path)
        self.ends(name, some, "rsp", path)
        self.ends(name, some, "dump", path)


def invented(names, true_names):
    """Names of functions that the true stack does not have."""
    return [name for name in names if name and name not in true_names]


def main():
    inquest = kit.need_inquest()
    kit.need_tool("gcc")
    tap = kit.Tap()
    directory = os.path.join(kit.work_dir("badinput"), "short")
    shutil.rmtree(directory, ignore_errors=True)
    os.makedirs(directory)
    cases = Cases(tap, inquest, directory)
    for group in (cases.foreign_files, cases.other_machines, cases.truncated,
                  cases.flipped, cases.many_segments, cases.wrong_executable,
                  cases.replaced_executable, cases.snapshots):
        group()
    tap.leave()


if __name__ == "__main__":
    main()
