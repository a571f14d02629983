# SPDX-License-Identifier: Apache-2.0
"""
rows: a debugger's session as rows of a command and a pattern that its output
must match, on the process of moments.c.
"""

import os
import re
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [os.path.join(os.path.dirname(HERE), "victims")]

import kit   # noqa: E402

MARK = "--- %d ---"


class Rows:
    """A directory with the program, and what is done in it."""

    def __init__(self, tap, inquest):
        self.tap, self.inquest = tap, inquest
        self.directory = kit.own_dir()
        self.env = {**os.environ, "INQUEST_STORE":
                    os.path.join(self.directory, "store")}
        self.program = os.path.join(self.directory, "moments")
        kit.run(["gcc", "-g", "-O0", "-pthread", "-o", self.program,
                 os.path.join(HERE, "moments.c"), "-ldl"])

    def run(self, *words, timeout=300):
        return kit.run(list(words), cwd=self.directory, env=self.env,
                       timeout=timeout, merge=True)

    def rows(self, kind, argv, rows, how=re.M):
        for number, (command, _) in enumerate(rows):
            argv += ["-ex", "echo %s\\n" % (MARK % number), "-ex", command]
        result = self.run(*argv)
        text = result.out.decode("utf-8", "replace")
        for number, (command, pattern) in enumerate(rows):
            part = text.split(MARK % number + "\n", 1)[1:]
            said = part[0].split(MARK % (number + 1))[0] if part else ""
            said = "\n".join(line for line in said.split("\n")
                             if not line.startswith("Reading "))
            self.tap.ok(re.search(pattern, said.strip("\n") + "\n", how),
                        "%s: %s" % (kind, command), said or result)
        self.tap.ok(not result.timed_out, "%s: gdb ends by itself" % kind,
                    result)


def main_of(make, parts):
    """A test program: of @make(tap, inquest), these parts one by one."""
    inquest = kit.need_inquest()
    kit.need_tool("gdb")
    kit.need_tool("gcc")
    tap = kit.Tap()
    one = make(tap, inquest)
    for part in parts:
        getattr(one, part)()
    tap.leave()
