#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
sources: --source-map says where sources are that were recorded elsewhere, for
a report, gdb and lldb; names stay as they were recorded.
"""

import json
import os
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [os.path.join(os.path.dirname(HERE), "victims")]

import kit    # noqa: E402

PROGRAM = """int
main(void)
{
	return *(volatile int *)0;      /* dies here */
}
"""


class Sources:
    def __init__(self, tap, inquest, directory):
        self.tap, self.inquest, self.directory = tap, inquest, directory
        shutil.rmtree(directory)
        os.makedirs(self.at("here/sub"))
        with open(self.at("here/sub/s.c"), "w", encoding="ascii") as f:
            f.write(PROGRAM)
        self.env = {**os.environ, "INQUEST_CACHE": self.at("cache"),
                    "DEBUGINFOD_URLS": ""}

    def at(self, name):
        return os.path.join(self.directory, name)

    def run(self, *words):
        return kit.run([self.inquest, *words], cwd=self.directory,
                       env=self.env)

    def snapshot(self, name, recorded):
        """Of a program whose sources were in @recorded."""
        subprocess.run(["gcc", "-g", "-O0", "-o", self.at(name), "sub/s.c",
                        "-ffile-prefix-map=%s=%s" % (self.at("here"),
                                                     recorded)],
                       cwd=self.at("here"), check=True)
        self.run("capture", "--no-cache", "-o", name + ".snap", "--",
                 self.at(name))
        return name + ".snap"

    def shows(self, name, *words):
        page = self.run("report", *words, name)
        return b"/* dies here */" in page.out, page

    def absolute(self):
        snap = self.snapshot("a", "/nowhere/built")
        without = self.shows(snap)
        mapped = self.shows(snap, "--source-map", "/nowhere/built=here")
        self.tap.ok(not without[0] and mapped[0], "sources are looked for "
                    "where a map leads", (without, mapped))
        report = json.loads(self.run(
            "report", "--json", "--source-map", "/nowhere/built=here",
            snap).out)
        frame = report["threads"][0]["frames"][0]
        self.tap.ok(frame["file"] == "/nowhere/built/sub/s.c",
                    "names stay as they were recorded", frame)
        longest = self.shows(snap, "--source-map", "/nowhere=cache",
                             "--source-map", "/nowhere/built/sub=here/sub")
        self.tap.ok(longest[0], "the longest is taken", longest)
        out = self.shows(snap, "--source-map", "/nowhere/bui=here")
        self.tap.ok(not out[0], "a directory's name is whole", out)

    def relative(self):
        snap = self.snapshot("r", ".")
        without = self.shows(snap)
        mapped = self.shows(snap, "--source-map", ".=here")
        self.tap.ok(not without[0] and mapped[0]
                    and b"--source-map .=" in without[1].out,
                    "a relative name is told as such, and may be mapped",
                    (without, mapped))

    def gdb(self):
        if not shutil.which("gdb"):
            self.tap.skip("gdb has them", "gdb is not installed")
            return
        result = self.run("gdb", "--source-map", "/nowhere/built=here",
                          "a.snap", "-batch", "-ex", "list 4,4")
        self.tap.ok(b"dies here" in result.out, "gdb has them", result)

    def attached(self):
        """The file carries what a machine without sources shows."""
        there = self.at("here")
        self.snapshot("t", there)
        self.run("capture", "--wait-symbols", "--attach-sources", "-o",
                 "t.snap", "--", self.at("t"))
        os.rename(there, there + ".away")
        shown = self.shows("t.snap")
        os.rename(there + ".away", there)
        self.tap.ok(shown[0] and b"here/sub/s.c" in shown[1].out,
                    "sources are in a snapshot that was to have them",
                    str(shown[1]))

    def lldb(self):
        if not shutil.which("lldb"):
            self.tap.skip("lldb has them", "lldb is not installed")
            return
        result = self.run("lldb", "--source-map", "/nowhere/built=here",
                          "a.snap", "-b", "-o", "source list -l 4 -c 1")
        self.tap.ok(b"dies here" in result.out, "lldb has them", result)

    def refused(self):
        for word in ("here", "=here", "a=", "a=gone"):
            result = self.run("report", "--source-map", word, "a.snap")
            self.tap.ok(result.status != 0 and not result.out
                        and b"--source-map" in result.err,
                        "%s is refused" % word, result)


def main():
    inquest = kit.need_inquest()
    kit.need_tool("gcc")
    tap = kit.Tap()
    t = Sources(tap, inquest, kit.work_dir("sources"))
    t.absolute()
    t.relative()
    t.gdb()
    t.lldb()
    t.attached()
    t.refused()
    tap.leave()


if __name__ == "__main__":
    main()
