#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
print: expressions in a frame are what gdb prints on the same snapshot.
"""

import json
import os
import re
import subprocess
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [os.path.join(os.path.dirname(HERE), "victims")]

import kit    # noqa: E402

PROGRAM = """
#include <stdlib.h>
extern int odd_one(void);
enum colour { RED = 1, GREEN = 2 };
struct node { int id; struct node *next; char name[12]; double w; };
int table[40] = { 3, 1, 4, 1, 5 };
static unsigned long mask = 0xf0f0;
__attribute__((noinline)) int
fail(struct node *n, enum colour paint)
{
	const char *why = "because";
	int (*f)(struct node *, enum colour) = fail;

	if (why && f && odd_one())
		abort();
	return n->id + paint;
}
int
main(void)
{
	struct node a = { 1, 0, "first", 1.5 }, b = { -2, &a, "second", 2.25 };

	return fail(&b, GREEN);
}
"""
EXPRESSIONS = ("*n", "n->next->name", "/x *n", "paint", "/d paint", "why",
               "*why", "why[2]", "&n->w", "n->w * 2", "-n->id % 3", "table",
               "table[4]", "&table[1]", "*table@3", "/x mask", "mask >> 4",
               "sizeof(struct node)", "f", "*f", "(char)65", "n == 0",
               "n->next && n->id < 0", "n->id ? 7 : 8", "(long)n->id",
               "$sp == 0", "/t n->next->id",
               "/c table[0]", "(struct node *)0", "~1", "1.5 + 1")


class Prints:
    def __init__(self, tap, inquest, directory):
        self.tap, self.inquest, self.directory = tap, inquest, directory
        self.snap = os.path.join(directory, "x.snap")

    def run(self, *words):
        cache = os.path.join(self.directory, "cache")
        return kit.run([self.inquest, *words], cwd=self.directory,
                       env={**os.environ, "INQUEST_CACHE": cache})

    def capture(self):
        source = os.path.join(self.directory, "x.c")
        with open(source, "w") as f:
            f.write(PROGRAM)
        program = source[:-2]
        subprocess.run(["gcc", "-g", "-o", program, source, self.library()],
                       check=True)
        self.run("capture", "-o", self.snap, "--", program)

    def library(self):
        path = os.path.join(self.directory, "libodd.so")
        for end, text in ((".c", '__asm__(".symver odd,odd_one@@ODD_1");\n'
                           "int odd(void) { return 1; }\n"),
                          (".map", "ODD_1 { global: odd_one; };\n")):
            with open(path + end, "w") as f:
                f.write(text)
        subprocess.run(["gcc", "-shared", "-fPIC", "-Wl,--version-script="
                        + path + ".map", "-o", path, path + ".c"],
                       check=True)
        return path

    def frame(self, name):
        report = json.loads(self.run("report", "--json", self.snap).out)
        for frame in report["threads"][0]["frames"]:
            if frame["function"] == name:
                return str(frame["depth"])
        return "0"

    def beside(self):
        """What gdb prints, in order."""
        where = self.frame("fail")
        words = []
        for e in EXPRESSIONS:
            fmt, expr = (e[:2], e[3:]) if e[0] == "/" else ("", e)
            words += ["-ex", "print%s %s" % (fmt, expr)]
        gdb = self.run("gdb", self.snap, "-batch", "-ex", "frame function fail",
                       *words).out.decode()
        theirs = re.findall(r"^\$\d+ = (.*)$", gdb, re.M)
        result = self.run("print", "-f", where, self.snap, "--",
                          *EXPRESSIONS)
        ours = [line[len(e) + 3:] for e, line in
                zip(EXPRESSIONS, result.out.decode().split("\n"))]
        self.tap.ok(len(theirs) == len(EXPRESSIONS) and result.status == 0,
                    "%d expressions are printed" % len(EXPRESSIONS),
                    [gdb, result])
        wrong = [(e, a, b) for e, a, b in zip(EXPRESSIONS, theirs, ours)
                 if a != b]
        self.tap.ok(not wrong, "as gdb prints them", wrong)
        locals_ = self.run("print", "-f", where, self.snap).out
        self.tap.ok(b'why = 0x' in locals_ and b'"because"' in locals_
                    and b"paint = GREEN" in locals_,
                    "without an expression arguments and locals", locals_)

    def beyond(self):
        """A symbol of a version, of a library without debug information."""
        result = self.run("print", self.snap, "&odd_one")
        self.tap.ok(b"has unknown type; only a symbol at 0x" in result.err,
                    "an address is known where a type is not", result)

    def static_members(self):
        """One that a library without debug information has."""
        source = os.path.join(self.directory, "shared")
        texts = {".h": "struct point { int x, y; };\n"
                       "struct shape { int n; static point origin; };\n",
                 "-lib.cc": '#include "shared.h"\n'
                            "point shape::origin = { 3, -4 };\n",
                 ".cc": '#include "shared.h"\n#include <stdlib.h>\n'
                        "int main() { shape s = { 7 };\n"
                        "  if (s.n == 7 && s.origin.x) abort(); }\n"}
        for end, text in texts.items():
            with open(source + end, "w") as f:
                f.write(text)
        library, snap = source + ".so", source + ".snap"
        for words in (["-shared", "-o", library, source + "-lib.cc"],
                      ["-g", "-o", source, source + ".cc", library]):
            subprocess.run(["g++", "-fPIC", *words], check=True)
        self.run("capture", "-o", snap, "--", source)
        gdb = self.run("gdb", snap, "-batch", "-ex", "frame function main",
                       "-ex", "print s").out.decode()
        page = self.run("report", snap).out.decode()
        theirs = re.findall(r"^\$\d+ = (.*)$", gdb, re.M)
        self.tap.ok(theirs and "origin = {x = 3, y = -4}" in theirs[0]
                    and " s = " + theirs[0] in page,
                    "a static member is where its symbol is", (theirs, page))

    def refusals(self):
        for words, status in (((self.snap, "nothing"), 1),
                              ((self.snap, "1 +"), 1),
                              ((self.snap, "main()"), 1),
                              ((self.snap, "-f", "77", "1"), 3),
                              ((self.snap, "-t", "1", "1"), 3),
                              (("no.snap", "1"), 3)):
            result = self.run("print", *words)
            self.tap.ok(result.status == status and not result.out
                        and result.err.count(b"\n") == 1,
                        "print %s ends with %d" % (words[1:], status), result)


def main():
    kit.need_tool("gcc")
    kit.need_tool("g++")
    kit.need_tool("gdb")
    tap = kit.Tap()
    t = Prints(tap, kit.need_inquest(), kit.work_dir("print"))
    t.capture()
    t.beside()
    t.beyond()
    t.static_members()
    t.refusals()
    tap.leave()


if __name__ == "__main__":
    main()
