# SPDX-License-Identifier: Apache-2.0
"""
gdbmi: gdb's machine interface - one session, and its records as Python data.

Texts are kept as bytes are: each character of a str is one byte of what gdb
wrote (latin-1), so that nothing a program holds can fail to be decoded.
"""

import contextlib
import os
import re
import subprocess

ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v",
           "a": "\a", "e": "\033"}
RECORD = re.compile(r"(\d*)\^(\w+),?")
WORD = re.compile(r"[A-Za-z_][\w-]*")
ESCAPED = re.compile(r"\\([0-7]{1,3}|x[0-9a-f]{2}|.)", re.S)
QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.S)


class Malformed(Exception):
    """What gdb wrote is not of its own grammar; the text says where."""


def unescape(text):
    def plain(found):
        what = found.group(1)
        if what[0] in "01234567":
            return chr(int(what, 8) & 0xff)
        if what[0] == "x" and len(what) == 3:
            return chr(int(what[1:], 16))
        return ESCAPES.get(what, what)
    return ESCAPED.sub(plain, text)


class Gone(Malformed):
    """gdb has ended, of a fault of its own."""


class Reader:
    """Results of one record: words, strings, {tuples} and [lists]."""

    def __init__(self, text):
        self.text, self.at = text, 0

    def fail(self, what):
        raise Malformed("%s at %d: %r" % (
            what, self.at, self.text[max(0, self.at - 30):self.at + 30]))

    def peek(self):
        return self.text[self.at:self.at + 1]

    def string(self):
        found = QUOTED.match(self.text, self.at)
        if not found:
            self.fail("no string")
        self.at = found.end()
        return unescape(found.group(1))

    def word(self):
        found = WORD.match(self.text, self.at)
        if not found:
            self.fail("no name")
        self.at = found.end()
        return found.group()

    def value(self):
        if self.peek() == '"':
            return self.string()
        if self.peek() == "{":
            return self.group("}", self.results)
        if self.peek() == "[":
            return self.group("]", self.elements)
        return self.fail("no value")

    def group(self, end, inside):
        self.at += 1
        found = inside(end)
        self.at += 1
        return found

    def results(self, end):
        """name=value,... up to `end` ("" is the end of the text)."""
        found = {}
        while self.peek() != end:
            name = self.word()
            if self.peek() != "=":
                self.fail("no '='")
            self.at += 1
            found[name] = self.value()
            if self.peek() == ",":
                self.at += 1
        return found

    def elements(self, end):
        """Values; of name=value pairs only the values."""
        found = []
        while self.peek() != end:
            if WORD.match(self.text, self.at):
                self.word()
                self.at += 1
            found.append(self.value())
            if self.peek() == ",":
                self.at += 1
            elif self.peek() != end:
                self.fail("no ',' and no '%s'" % end)
        return found


def record(line):
    """(class, results) of a result record, or None of another line."""
    found = RECORD.match(line)
    if not found:
        return None
    reader = Reader(line[found.end():])
    return found.group(2), reader.results("")


GDB = "gdb"     # or one that knows other machines


class Session:
    """gdb with one program and one core; to be used in `with`."""

    def __init__(self, argv, log=None):
        self.argv, self.log = argv, log
        # The console's lines since the last command, and gdb's complaints.
        self.said, self.complained = [], []

    def __enter__(self):
        environment = {**os.environ, "LC_ALL": "C.UTF-8", "TERM": "dumb",
                       "DEBUGINFOD_URLS": ""}
        with open(self.log or os.devnull, "wb") as log:
            self.process = subprocess.Popen(
                [GDB, "-nx", "-q", "-i=mi", *self.argv],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
                env=environment)
        self.lines(lambda line: line.startswith("(gdb)"))
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            with contextlib.suppress(BrokenPipeError):
                pipe.close()

    def lines(self, last):
        while True:
            line = self.process.stdout.readline().decode("latin-1")
            if not line:
                raise Gone("gdb has gone")
            if last(line):
                return line.rstrip("\n")
            if line.startswith("~"):
                self.said.append(unescape(line[2:-2]))
            elif line.startswith("&"):
                self.complained.append(unescape(line[2:-2]))

    def ask(self, command):
        """The results of a command; Malformed is raised for an error."""
        self.said, self.complained = [], []
        try:
            self.process.stdin.write(command.encode("latin-1") + b"\n")
            self.process.stdin.flush()
        except BrokenPipeError as error:
            raise Gone("gdb has gone") from error
        kind, results = record(self.lines(RECORD.match))
        if kind == "error":
            raise Malformed("%s: %s %s" % (command, results.get("msg"),
                                           "".join(self.complained)))
        return results

    def try_ask(self, command):
        try:
            return self.ask(command)
        except Gone:
            raise
        except Malformed:
            return None

    def console(self, command):
        """What a command of the console printed."""
        self.ask('-interpreter-exec console "%s"'
                 % command.replace("\\", "\\\\").replace('"', '\\"'))
        return "".join(self.said)
