#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
report: what stands in a report, as text and as JSON; that names from a core
reach no terminal as they are; colour.
"""

import json
import os
import pty
import re
import shutil
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "victims"))

import build    # noqa: E402
import elf      # noqa: E402
import kit      # noqa: E402

NT_PRPSINFO, NT_FILE = 3, 0x46494c45
FNAME, PSARGS = 40, 56          # in struct elf_prpsinfo
HOSTILE = b"\x1b]0;owned\x07\x9b\xff\n\\"       # title, CSI in C1, no UTF-8

FRAME = {"depth": int, "pc": str, "function": (str, type(None)),
         "offset": (int, type(None)), "file": (str, type(None)),
         "line": (int, type(None)), "module": (str, type(None)), "how": str,
         "inlined": bool, "signal_frame": bool, "suspect": bool}
VARIABLE = {"name": str, "type": (str, type(None)), "value": str,
            "state": str}
MAYBE = {"why": str, "address": str, "line": int}   # of a variable
STATES = {"ok", "optimized-out", "not-captured", "not-mapped", "error"}
THREAD = {"tid": int, "name": (str, type(None)), "state": str,
          "faulting": bool, "group": int, "n_frames": int, "frames": list,
          "end": str, "why": (str, type(None)), "stored": bool}
TOP = {"inquest": dict, "snapshot": dict, "reason": dict,
       "instruction": (dict, type(None)), "process": dict,
       "threads": list, "groups": list, "modules": list, "missing": dict,
       "attributes": dict, "notes": list, "globals": list, "files": list}
REASON = {"text": str, "signal": (str, type(None)), "number": int,
          "code": (str, type(None)), "code_number": int,
          "address": (str, type(None)), "sender": (int, type(None)),
          "expression": (str, type(None)), "pointer": (str, type(None))}


def shape(value, wanted):
    """What of `value` is not as the manual page says."""
    wrong = ["%s is %r" % (k, value.get(k)) for k, kind in wanted.items()
             if k not in value or not isinstance(value[k], kind)]
    return wrong + ["%s is not documented" % k for k in value
                    if k not in wanted]


def variables(frame):
    """What is wrong with those of a frame."""
    wrong = []
    for v in [*frame.get("arguments", []), *frame.get("locals", [])]:
        there = {k: kind for k, kind in MAYBE.items() if k in v}
        wrong += shape(v, {**VARIABLE, **there})
        if v.get("state") not in STATES:
            wrong.append("%s is %r" % (v.get("name"), v.get("state")))
    return wrong


def is_clean(data):
    """Whether a terminal shows the bytes and does nothing else."""
    text = data.decode("utf-8", "surrogateescape")
    return not any(c != "\n" and (ord(c) < 0x20 or 0x7f <= ord(c) < 0xa0
                                  or 0xdc80 <= ord(c) < 0xdd00)
                   for c in text)


def with_names(core, path):
    """A core whose names want to do things to a terminal."""
    data = bytearray(core)
    for note in elf.notes(core):
        if note.type == NT_PRPSINFO:
            at = note.offset
            data[at + FNAME:at + FNAME + 16] = HOSTILE[:15].ljust(16, b"\0")
            data[at + PSARGS:at + PSARGS + 80] = HOSTILE.ljust(80, b"\0")
        if note.type == NT_FILE:
            end = note.offset + len(note.data)
            for name in (b"/jump", b"libc.so.6"):
                at = note.offset
                while 0 <= (at := data.find(name, at)) < end:
                    data[at + 1:at + 5] = b"\x1b[31"[:4]
                    at += 1
    with open(path, "wb") as f:
        f.write(data)
    return path


def on_terminal(argv, env):
    """What a program prints when its output is a terminal."""
    lines = []

    def read(fd):
        data = os.read(fd, 1 << 16)
        lines.append(data)
        return b""

    saved = dict(os.environ)
    os.environ.update(env)
    for name in [k for k, v in env.items() if v is None]:
        os.environ.pop(name)
    try:
        pty.spawn(argv, read, lambda fd: b"")
    finally:
        os.environ.clear()
        os.environ.update(saved)
    return b"".join(lines)


class Reports:
    def __init__(self, tap, inquest, directory):
        self.tap = tap
        self.inquest = inquest
        self.directory = directory

    def run(self, *words, **how):
        return kit.run([self.inquest, *words], **how)

    def json(self, name, *words):
        result = self.run("report", "--json", *words)
        try:
            value = json.loads(result.out)
        except ValueError as e:
            self.tap.ok(False, name + " is JSON", "%s\n%s" % (e, result))
            return None
        self.tap.ok(result.status == 0 and not result.err, name + " is JSON",
                    result)
        return value

    # ---- text

    def text(self):
        core = build.ensure("jump").core
        result = self.run("report", core)
        text = result.out.decode()
        lines = text.splitlines()
        self.tap.ok(result.status == 0 and not result.err,
                    "a report goes to stdout alone", result)
        self.tap.ok(lines[0].startswith("SIGSEGV (SEGV_MAPERR): jump to 0x0"),
                    "its first line is the cause", text)
        self.tap.ok(re.search(r"#1 .*call\+0x[0-9a-f]+ at \S+jump\.c:\d+ in "
                              r"jump", text),
                    "a frame has function, line and module", text)
        self.tap.ok("Missing\n" in text and "left out by whoever took it"
                    in text, "it says what is missing and why", text)
        self.tap.ok("inquest gdb " + core in text
                    and "inquest import " + core in text,
                    "it ends with the next commands", text)

    def handler(self):
        text = self.run("report", build.ensure("handler").core).out.decode()
        self.tap.ok("<signal handler called>" in text
                    and "as abort() does" in text,
                    "a handler's frame and an abort are told", text)

    def overflow(self):
        result = self.run("report", build.ensure("overflow").core)
        text = result.out.decode()
        self.tap.ok(re.search(r": \d+ bytes below the stack's mapping: the "
                              r"stack has probably overflowed", text),
                    "a stack overflow is told by its address, as a guess",
                    text)
        self.tap.ok(re.search(r"#\d+ to #\d+: the same ", text)
                    and len(text.splitlines()) < 120,
                    "recursion is folded", text)
        self.tap.ok(re.search(r"main\+0x", text),
                    "and followed to its beginning", text)

    def groups(self):
        core = build.ensure("hundred").core
        result = self.run("report", core)
        text = result.out.decode()
        self.tap.ok(re.search(r"99 other threads, \d different stacks", text)
                    and re.search(r"\d+ threads: .* and \d+ more", text),
                    "threads are grouped by stack", text)
        every = self.run("report", "-a", core).out.decode()
        self.tap.ok(every.count("start_thread") < 20
                    and len(re.findall(r"^  #0 ", every, re.M)) > 5,
                    "--all-threads shows each stack once", every)
        value = self.json("a report on 100 threads", core)
        counted = sum(g["n_threads"] for g in value["groups"])
        self.tap.ok(counted == len(value["threads"]) == 100
                    and all(len(g["threads"]) == g["n_threads"]
                            for g in value["groups"]),
                    "each thread is in one group", value["groups"])

    # ---- JSON

    def shapes(self):
        core = build.ensure("jump").core
        snap = os.path.join(self.directory, "jump.snap")
        self.run("import", "-o", snap, "--kv", "colour=blue", core)
        for kind, path in (("elf-core", core), ("snapshot", snap)):
            value = self.json("a report on a " + kind, path)
            wrong = shape(value, TOP) + shape(value["reason"], REASON)
            for thread in value["threads"]:
                wrong += shape(thread, THREAD)
                for frame in thread["frames"]:
                    wrong += variables(frame)
                    wrong += shape({k: v for k, v in frame.items()
                                    if k not in ("arguments", "locals")},
                                   FRAME)
            self.tap.ok(not wrong, "it has the documented shape", wrong)
            self.tap.ok(value["inquest"] == {"version": 1, "verb": "report"}
                        and value["snapshot"] == {"path": path,
                                                  "kind": kind},
                        "it says what it is and of what", value["snapshot"])
            self.tap.ok(value["reason"]["signal"] == "SIGSEGV"
                        and value["reason"]["address"] == "0x0",
                        "the reason is in it", value["reason"])
        self.tap.ok(value["attributes"].get("colour") == "blue",
                    "attributes are in it", value["attributes"])
        same = self.run("report", "--format", "json", snap).out
        self.tap.ok(json.loads(same) == value, "--format json is --json",
                    same)

    # ---- names

    def hostile_names(self):
        made = build.ensure("jump")
        with open(made.core, "rb") as f:
            core = with_names(f.read(), os.path.join(self.directory,
                                                     "\x1b[2Jcore"))
        snap = os.path.join(self.directory, "hostile.snap")
        for words in (["report", core], ["report", "-a", core],
                      ["report", "--json", core], ["check", core],
                      ["dump", core], ["import", "-o", snap, core],
                      ["report", snap], ["dump", snap],
                      ["report", core + "x"]):
            result = self.run(*words)
            self.tap.ok(is_clean(result.out) and is_clean(result.err),
                        "%s shows hostile names escaped"
                        % " ".join(os.path.basename(w) for w in words)
                        .replace("\x1b", "ESC"), result)
        text = self.run("report", core).out
        self.tap.ok(rb"\x1b]0;owned\x07" in text, "and does show them", text)
        result = self.run("import", core, cwd=self.directory)
        name = result.out.decode().strip()
        self.tap.ok(re.fullmatch(r"[\w.-]+\.snap", name)
                    and not name.startswith("."),
                    "a hostile name makes a harmless file name", result)

    # ---- colour

    def colour(self):
        core = build.ensure("jump").core
        argv = [self.inquest, "report", core]
        self.tap.ok(b"\x1b" not in self.run("report", core).out,
                    "a pipe gets no colour")
        clean = {"TERM": "xterm", "NO_COLOR": ""}
        self.tap.ok(b"\x1b[1;31m" in on_terminal(argv, clean),
                    "a terminal gets colour")
        for name, env in (("NO_COLOR", {**clean, "NO_COLOR": "1"}),
                          ("a dumb terminal", {**clean, "TERM": "dumb"})):
            out = on_terminal(argv, env)
            self.tap.ok(b"\x1b" not in out and b"SIGSEGV" in out,
                        "%s has none" % name, out)

    def reader_goes_away(self):
        core = build.ensure("jump").core
        for verb in ("report", "dump"):
            result = kit.run(["bash", "-c", "set -o pipefail; "
                              "\"$0\" \"$1\" \"$2\" | head -c 1 >/dev/null",
                              self.inquest, verb, core])
            self.tap.ok(result.status == 0 and not result.err,
                        verb + " ends quietly when its reader does", result)


def main():
    inquest = kit.need_inquest()
    kit.need_tool("gcc")
    tap = kit.Tap()
    directory = kit.work_dir("report")
    shutil.rmtree(directory)
    os.mkdir(directory)
    reports = Reports(tap, inquest, directory)
    reports.text()
    reports.handler()
    reports.overflow()
    reports.groups()
    reports.shapes()
    reports.hostile_names()
    reports.colour()
    reports.reader_goes_away()
    tap.leave()


if __name__ == "__main__":
    main()
