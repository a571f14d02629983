#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
disasm: machine code of snapshots, beside what stock gdb shows of the same one
through our stub: the same instructions at the same addresses, in both
directions, under the same names; and what the failed instruction did.
"""

import json
import os
import re
import subprocess
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "victims"))

import build    # noqa: E402
import kit      # noqa: E402

COUNT, BEFORE, FRAMES = 20, 12, 6
GDB_LINE = re.compile(
    r"^(?:=> |   )0x([0-9a-f]+)(?: <(.*?)(?:\+(\d+))?>)?:\t(.*)$", re.M)
# Data between functions of an assembler; bare has a symbol and no table.
ASSEMBLER = """
	.text
	.globl _start
	.type first, @function
first:	.cfi_startproc
	nop
	ret
	.cfi_endproc
	.size first, .-first
	.byte 0xe8
	.type bare, @function
bare:	xor %eax, %eax
	mov (%rax), %rcx
	ret
	.size bare, .-bare
	.type _start, @function
_start:	.cfi_startproc
	.cfi_undefined rip
	call bare
	hlt
	.cfi_endproc
	.size _start, .-_start
"""
NONE = type(None)
PLACE = {"address": (str, NONE), "symbol": (str, NONE),
         "offset": (int, NONE)}
ENTRY = {"address": str, "length": int, "kind": str, "why": (str, NONE),
         "bytes": (str, NONE), "text": (str, NONE), "symbol": (str, NONE),
         "offset": (int, NONE), "file": (str, NONE), "line": (int, NONE),
         "current": bool, "flow": (str, NONE),
         "target": (dict, NONE), "memory": list, "registers": dict}
MEMORY = {**PLACE, "size": (int, NONE), "reads": bool, "writes": bool,
          "registers": dict, "answer": (str, NONE), "value": (str, NONE)}
TOP = {"inquest": dict, "snapshot": dict, "architecture": str, "syntax": str,
       "thread": (int, NONE), "frame": (int, NONE), "pc": (str, NONE),
       "instructions": list}

# Victim, what its failed instruction did, whether there is line information
# (without it gdb does not go back).
VICTIMS = (
    ("heaplist", r"It reads \d bytes at 0x[0-9a-f]+, where nothing is "
                 r"mapped: r\w+ = 0x[0-9a-f]+\n", True),
    ("overflow", r"It writes \d bytes? at 0x[0-9a-f]+.*: rsp = 0x", True),
    ("static", r"It writes \d bytes? at 0x[0-9a-f]+", True),
    ("threads", r"where it died", True),
    ("stripped", r"where it died", False),
)


def shape(value, wanted):
    return ["%s is %r" % (k, value.get(k)) for k, kind in wanted.items()
            if k not in value or not isinstance(value[k], kind)] + [
                "%s is not documented" % k for k in value if k not in wanted]


class Disasm:
    debugger = "gdb"

    def __init__(self, tap, inquest, directory):
        self.tap = tap
        self.inquest = inquest
        self.directory = directory

    def run(self, *words):
        return kit.run([self.inquest, *words])

    def json(self, *words):
        result = self.run("disasm", "--json", *words)
        try:
            return json.loads(result.out)
        except ValueError:
            self.tap.ok(False, "disasm %s is JSON" % " ".join(words), result)
            return {"instructions": []}

    def entries(self, *words):
        return self.json(*words)["instructions"]

    def snap_of(self, name):
        path = os.path.join(self.directory, name + ".snap")
        self.run("import", "-o", path, build.ensure(name).core)
        return path

    # ---- beside gdb

    def gdb(self, snap, addresses):
        """gdb's lines from each address on, and before each."""
        words = [self.debugger, "-nx", "-q", "-batch",
                 "-ex", "set width 0",
                 "-ex", "set debuginfod enabled off", "-ex",
                 "target remote | %s rsp %s" % (self.inquest, snap)]
        for a in addresses:
            words += ["-ex", "echo \\n@on\\n", "-ex", "x/%di %s" % (COUNT, a),
                      "-ex", "echo \\n@back\\n", "-ex",
                      "x/-%di %s" % (BEFORE, a)]
        said = subprocess.run(words, stdout=subprocess.PIPE, text=True,
                              stdin=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, timeout=300,
                              check=False).stdout
        parts = re.split(r"^@\w+$", said, flags=re.M)[1:]
        return [GDB_LINE.findall(part) for part in parts]

    @staticmethod
    def differences(gdb, ours):
        """Lines of gdb that ours are not; names but for aliases."""
        wrong = []
        for (address, name, offset, text), e in zip(gdb, ours):
            same = int(address, 16) == int(e["address"], 16)
            # To gdb what is in no function is in the one before.
            if name and e["symbol"]:
                same &= int(offset or 0) == e["offset"]
            if text.startswith("(bad)"):
                same &= e["kind"] == "bad"
            elif not text.startswith("Cannot access"):
                same &= e["kind"] == "code"
            if not same:
                wrong.append("%s <%s+%s> %s: %s" % (address, name, offset,
                                                    text, e))
        return wrong

    def same_names(self, gdb, ours):
        """How many of gdb's function names are ours."""
        pairs = [(name, e["symbol"]) for (_, name, _, _), e in zip(gdb, ours)
                 if name]
        return len(pairs), sum(a.split("(")[0] == (b or "").split("(")[0]
                               for a, b in pairs)

    def beside(self, name, snap, lines):
        report = json.loads(self.run("report", "--json", snap).out)
        pcs = [f["pc"] for f in report["threads"][0]["frames"][:FRAMES]
               if f["function"]]
        said = self.gdb(snap, pcs)
        wrong, compared, back, named, same = [], 0, 0, 0, 0
        for k, pc in enumerate(pcs):
            ours = self.entries(snap, pc, "-n", str(COUNT), "-b", str(BEFORE))
            forward, before = said[2 * k], said[2 * k + 1]
            wrong += self.differences(forward, ours[BEFORE:])
            # gdb gives up where line information ends.
            before = before if lines and len(before) == BEFORE else []
            wrong += self.differences(before, ours[:BEFORE])
            compared, back = compared + len(forward), back + len(before)
            some, equal = self.same_names(forward, ours[BEFORE:])
            named, same = named + some, same + equal
        self.tap.ok(not wrong and compared >= COUNT
                    and (back >= BEFORE or not lines),
                    "%s: %d lines on and %d back are gdb's"
                    % (name, compared, back), "\n".join(wrong))
        self.tap.ok(same * 2 > named, "%s: %d of %d names are gdb's (others "
                    "are aliases)" % (name, same, named))

    def fault(self, name, words):
        snap = os.path.join(self.directory, name + ".snap")
        result = self.run("disasm", snap)
        text = result.out.decode()
        self.tap.ok(result.status == 0 and re.search(words, text)
                    and len(re.findall(r"^=> ", text, re.M)) == 1
                    and re.search(r"\nNext\n  inquest disasm -f \d ", text),
                    "%s: the failed instruction is explained" % name, text)

    # ---- by itself

    def shapes(self):
        value = self.json(os.path.join(self.directory, "heaplist.snap"))
        wrong = shape(value, TOP)
        for e in value["instructions"]:
            wrong += shape(e, ENTRY)
            wrong += shape(e["target"], {**PLACE, "indirect": bool}) \
                if e["target"] else []
            for m in e["memory"]:
                wrong += shape(m, MEMORY)
        self.tap.ok(not wrong, "JSON has the documented shape",
                    "\n".join(wrong))
        current = [e for e in value["instructions"] if e["current"]]
        self.tap.ok(len(current) == 1 and current[0]["address"] == value["pc"]
                    and len(value["instructions"]) == 16,
                    "eight before the current one and eight from it on",
                    value)

    def counts(self):
        snap = os.path.join(self.directory, "heaplist.snap")
        wrong = []
        for place in ("0x0", "0x1", "main", "main+0x1", "0xffffffffffffffff",
                      "0x7fffffffe000", "_start"):
            for n, before in ((0, 5), (1, 0), (33, 40), (4096, 0), (0, 4096)):
                got = len(self.entries(snap, place, "-n", str(n), "-b",
                                       str(before)))
                if got != n + before:
                    wrong.append((place, n, before, got))
        self.tap.ok(not wrong, "there are as many as asked for", wrong)

    def between(self, name, flags, wanted):
        """What is before the failed instruction, with data in the way."""
        source = os.path.join(self.directory, name + ".s")
        with open(source, "w", encoding="ascii") as f:
            f.write(ASSEMBLER)
        program, snap = source[:-2], source[:-2] + ".snap"
        build.call(["gcc", "-nostdlib", "-static", *flags, "-o", program,
                    source], self.directory)
        self.run("capture", "-o", snap, "--", program)
        text = [(e["text"] or e["kind"])
                for e in self.entries(snap, "-b", "5", "-n", "2")]
        self.tap.ok(text == wanted, name + ": nothing is guessed", text)

    def names(self):
        snap = self.snap_of("containers")
        wrong = []
        for typed, shown in (
                ("zoo::bird::name", "zoo::bird::name"), ("main+0x4", "main"),
                ("zoo::cage<zoo::animal>::open", "zoo::cage<"),
                ("std::terminate()", "std::terminate()")):
            e = self.entries(snap, typed, "-n", "1")
            if not e or not (e[0]["symbol"] or "").startswith(shown):
                wrong.append((typed, e))
        self.tap.ok(not wrong, "functions of C++ are found by their names",
                    wrong)

    def threads(self):
        snap = os.path.join(self.directory, "threads.snap")
        report = json.loads(self.run("report", "--json", snap).out)
        wrong = []
        for thread in report["threads"]:
            for depth, frame in enumerate(thread["frames"][:3]):
                value = self.json(snap, "-t", str(thread["tid"]), "-f",
                                  str(depth), "-n", "1", "-b", "0")
                entry = value["instructions"][0]
                if (value["thread"], value["frame"]) != (thread["tid"], depth) \
                        or entry["address"] != frame["pc"] \
                        or not entry["current"]:
                    wrong.append((thread["tid"], depth, value))
        self.tap.ok(not wrong, "each frame of each thread stands where report "
                    "has it", wrong)

    def refusals(self):
        snap = os.path.join(self.directory, "heaplist.snap")
        for name, status, words in (
                ("a symbol that is none", 3, [snap, "no_such_symbol"]),
                ("a thread that is none", 3, [snap, "-t", "1"]),
                ("a frame that is none", 3, [snap, "-f", "4000"]),
                ("too many instructions", 6, [snap, "-n", "5000"]),
                ("three operands", 2, [snap, "a", "b"]),
                ("a file that is none", 3, [snap + ".none"])):
            result = self.run("disasm", *words)
            self.tap.ok(result.status == status and not result.out,
                        name + " is refused", result)

    def syntax(self):
        snap = os.path.join(self.directory, "heaplist.snap")
        result = self.run("disasm", "--intel", snap).out.decode()
        self.tap.ok("%" not in result and re.search(r"\[r\w+", result),
                    "Intel's syntax is there", result)

    def jump(self):
        result = self.run("disasm", build.ensure("jump").core)
        text = result.out.decode()
        self.tap.ok(result.status == 0
                    and "=> 0x0000000000000000         (not mapped: " in text,
                    "a jump to nowhere is told", text)

    def report(self):
        text = self.run("report", os.path.join(
            self.directory, "heaplist.snap")).out.decode()
        self.tap.ok(re.search(r"^At +\S+ .*, which reads \d bytes at 0x", text,
                              re.M),
                    "a report has the failed instruction", text)


def main():
    inquest = kit.need_inquest()
    kit.need_tool("gdb")
    tap = kit.Tap()
    tests = Disasm(tap, inquest, kit.work_dir("disasm"))
    for name, words, lines in VICTIMS:
        tests.beside(name, tests.snap_of(name), lines)
        tests.fault(name, words)
    tests.shapes()
    tests.counts()
    tests.between("data-between", (), [
        "unknown", "nop", "ret", "unknown", "xor %eax, %eax",
        "mov (%rax), %rcx", "ret"])
    # Without its symbol the failed function begins nobody knows where.
    tests.between("data-stripped", ("-s",), [
        "unknown", "unknown", "nop", "ret", "unknown",
        "mov (%rax), %rcx", "ret"])
    tests.names()
    tests.threads()
    tests.refusals()
    tests.syntax()
    tests.jump()
    tests.report()
    tap.leave()


if __name__ == "__main__":
    main()
