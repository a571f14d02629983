#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
relative: sources whose names in the debug information are relative, to a
directory that is written or is ".", are fetched as others are; also by `list`
of a function that is in no stack.
"""

import os
import re
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "victims")]

import build    # noqa: E402
import kit      # noqa: E402
import symbols  # noqa: E402

WRITTEN = "/home/nobody/top"
FILES = {
    "src/app.c": """\
extern int lib_sum(int *p);
int app_other(int n) { return n; }	/* in app.c */
int
main(int argc, char **argv)
{
	return lib_sum((int *)(long)(argc - 1));	/* the call */
}
""",
    "lib/sum.c": """\
#include "../inc/deep.h"
int lib_other(int n) { return n; }	/* in sum.c */
int
lib_sum(int *p)
{
	return deep(p) + 1;	/* the inner call */
}
""",
    "inc/deep.h": """\
static __attribute__((noinline)) int
deep(int *p)
{
	return *p + 2;	/* the crash */
}
"""}
LOOKS = ["list", "up", "list", "up", "list"]
SHOWN = [r"\n4\t\treturn \*p \+ 2;\t/\* the crash \*/\n",
         r"\n6\t\treturn deep\(p\) \+ 1;\t/\* the inner call \*/\n"]
CALL = r"\n6\t\treturn lib_sum\(.*\t/\* the call \*/\n"


class Program:
    """Its tree, of which nothing is left but the program."""

    def __init__(self, inquest):
        self.directory = kit.work_dir("gdb-relative")
        shutil.rmtree(self.directory)
        self.home = self.path("home/build")
        self.web = self.path("web")
        os.makedirs(self.home)
        for name, text in FILES.items():
            os.makedirs(os.path.dirname(self.path("home/" + name)))
            with open(self.path("home/" + name), "w", encoding="ascii") as f:
                f.write(text)
        self.build()
        self.alone = self.capture(inquest, "alone.snap")
        self.attached = self.capture(
            inquest, "attached.snap", "--attach", "../src/app.c", "--attach",
            "../lib", "--attach", "../inc")
        for name in FILES:
            os.unlink(self.path("home/" + name))

    def path(self, name):
        return os.path.join(self.directory, name)

    def build(self):
        for source, prefix, name in (
                ("../src/app.c", self.path("home"), WRITTEN),
                ("../lib/sum.c", self.home, ".")):
            build.call(["gcc", "-g", "-O0", "-c", source,
                        "-ffile-prefix-map=%s=%s" % (prefix, name)], self.home)
        build.call(["gcc", "-Wl,--build-id", "-o", "app", "app.o", "sum.o"],
                   self.home)
        notes = subprocess.check_output(
            ["readelf", "-n", self.home + "/app"], text=True)
        sources = "%s/buildid/%s/source%s/src" % (
            self.web, re.search(r"Build ID: ([0-9a-f]+)", notes)[1], WRITTEN)
        os.makedirs(sources)
        shutil.copy(self.path("home/src/app.c"), sources)

    def capture(self, inquest, name, *options):
        path = self.path(name)
        result = kit.run([inquest, "capture", "-o", path, *options, "--",
                          "./app"], cwd=self.home)
        assert os.path.exists(path), result
        return path


def at_a_prompt(program, address):
    """What a person types, one line after the other."""
    words = ["gdb", "-nx", "-q", "-iex", "set debuginfod enabled off",
             "-ex", "target remote " + address, "-ex", symbols.INIT]
    lines = ["list app_other", "list app_other", "list lib_other",
             "list lib_other"]
    return kit.run(words, merge=True, timeout=60, cwd="/",
                   given=("\n".join(lines) + "\n").encode(),
                   env=dict(symbols.environment(program, None), LC_ALL="C"))


def main():
    inquest = kit.need_inquest()
    for tool in ("gdb", "gcc", "unshare", "readelf"):
        kit.need_tool(tool)
    if not symbols.can_be_apart():
        kit.Tap.skip_all("no mount namespaces here")
    tap = kit.Tap()
    program = Program(inquest)
    with symbols.serving(program, inquest, program.attached) as address:
        symbols.hold(tap, "sources in the snapshot, by relative names",
                     symbols.gdb(program, address, looks=LOOKS),
                     SHOWN + [CALL])
        symbols.hold(tap, "of a function in no stack, at the second time",
                     at_a_prompt(program, address),
                     [r"\n2\tint app_other", r"\n2\tint lib_other"])
    with symbols.debuginfod(program) as (url, _), \
            symbols.serving(program, inquest, program.alone, url) as address:
        symbols.hold(tap, "sources of debuginfod, below a written directory",
                     symbols.gdb(program, address, looks=LOOKS), [CALL],
                     SHOWN)
    tap.leave()


if __name__ == "__main__":
    main()
