#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
kept: an index that was made of a project's symbol files is kept in that
project, is given to it alone, and goes with them; inquest serve has those made
that are missing.
"""

import json
import os
import re
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [os.path.join(os.path.dirname(HERE), "victims"),
                os.path.join(os.path.dirname(HERE), "serve")]

import kit      # noqa: E402
import served   # noqa: E402

PROGRAM = """
__attribute__((noinline)) int
walk(int *p, int k)
{
	int twice = k * 2;

	return *p + twice;
}
int
main(int argc, char **argv)
{
	(void)argv;
	return walk((int *)0, argc + 40);
}
"""

SHARED = """
struct first { int number_of_the_first; struct first *next_of_the_first; };
struct second { struct first first_of_the_second; long length_of_the_second;
		enum kind { KIND_OF_NONE, KIND_OF_ONE } kind_of_the_second; };
#ifdef OTHER
long other;
#endif
int
main(void)
{
	struct second here = { { 7, 0 }, 8, KIND_OF_ONE };
	struct first *volatile nowhere = 0;

	return nowhere->number_of_the_first + here.kind_of_the_second;
}
"""


def unhex(text):
    """Bytes of a packet, in which runs may be told by their lengths."""
    return bytes.fromhex(re.sub(r"(.)\*(.)",
                                lambda m: m[1] * (ord(m[2]) - 28), text))


class Kept:
    def __init__(self, tap, inquest, directory):
        self.tap, self.inquest, self.directory = tap, inquest, directory
        shutil.rmtree(directory)
        os.mkdir(directory)
        self.dir = os.path.join(directory, "store")
        self.cache = os.path.join(directory, "cache")
        self.nothing = os.path.join(directory, "nothing")
        self.env = {**os.environ, "INQUEST_CACHE": self.cache,
                    "INQUEST_STORE": self.dir, "DEBUGINFOD_URLS": ""}
        self.ids = {}

    def run(self, *words, **env):
        return kit.run([self.inquest, *words], cwd=self.directory,
                       env={**self.env, **env})

    def build(self):
        """The program is gone; its debug file and a snapshot are left."""
        with open(os.path.join(self.directory, "x.c"), "w",
                  encoding="ascii") as f:
            f.write(PROGRAM)
        for words in (["gcc", "-g", "-O0", "-o", "x", "x.c"],
                      ["objcopy", "--only-keep-debug", "x", "x.debug"],
                      ["strip", "-g", "x"]):
            subprocess.run(words, cwd=self.directory, check=True)
        self.run("capture", "--no-cache", "-o", "x.snap", "--", "./x")
        os.rename(os.path.join(self.directory, "x"),
                  os.path.join(self.directory, "away"))

    def put(self, project, *files):
        said = json.loads(self.run("put", "--json", "-p", project,
                                   *files).out)["objects"]
        return [o["id"] for o in said]

    def twice(self, project, *words, **env):
        """What a report has for that variable; None."""
        result = self.run("report", "--json", *words, project + "/1", **env)
        for f in json.loads(result.out)["threads"][0]["frames"]:
            for v in f.get("locals", []):
                if v["name"] == "twice":
                    return v["value"]
        return None

    def forget(self):
        shutil.rmtree(os.path.join(self.cache, "index"), ignore_errors=True)

    def in_the_project(self):
        self.put("a", "x.snap", "x.debug")
        self.put("b", "x.snap")
        nothing = self.twice("a", "--no-index")
        made = self.twice("a")
        self.forget()
        kept = self.twice("a", "--no-index")
        self.tap.ok(nothing is None and made == kept == "82",
                    "an index of a project's debug file is kept there",
                    (nothing, made, kept))
        self.tap.ok(self.twice("b", "--no-index") is None
                    and self.twice("b") is None,
                    "and is not given to another project")
        whole = self.run("store", "verify")
        self.tap.ok(whole.status == 0, "the store is whole", whole)

    def with_its_file(self):
        self.run("rm", "a/2")
        self.forget()
        gone = self.run("report", "--no-index", "a/1")
        self.tap.ok(self.twice("a", "--no-index") is None,
                    "it goes when the file goes", gone)
        whole = self.run("store", "verify")
        self.tap.ok(whole.status == 0, "and the store is whole", whole)

    def shared(self):
        """What several debug files share is in another one (dwz -m)."""
        if not shutil.which("dwz"):
            self.tap.skip("an index has nothing of another project",
                          "dwz is not here")
            return
        with open(os.path.join(self.directory, "y.c"), "w",
                  encoding="ascii") as f:
            f.write(SHARED)
        for words in (["gcc", "-g", "-O0", "-o", "y", "y.c"],
                      ["gcc", "-g", "-O0", "-DOTHER", "-o", "z", "y.c"],
                      ["dwz", "-m", "yz.alt", "y", "z"]):
            subprocess.run(words, cwd=self.directory, check=True)
        self.run("capture", "--no-cache", "-o", "y.snap", "--", "./y")
        os.rename(os.path.join(self.directory, "yz.alt"),
                  os.path.join(self.directory, "yz.away"))
        self.put("d", "y.snap", "yz.away")
        self.put("e", "y.snap")
        before = self.run("report", "e/1").out
        self.forget()
        self.run("report", "d/1")
        after = self.run("report", "e/1").out
        self.tap.ok(before == after, "an index has nothing of another project",
                    (before, after))

    def served(self):
        self.forget()
        snap, = self.put("c", "x.snap", "x.debug")[:1]
        shop = type("Shop", (), {"inquest": self.inquest, "dir": self.dir,
                                 "ids": {"c": snap}})
        server = served.Server(shop, env=self.env)
        index = os.path.join(self.cache, "index")

        def entries():
            try:
                return [e for e in os.listdir(index) if e[0] != "."]
            except OSError:
                return []

        rsp = served.open_rsp(server, "c")
        rsp.ask("?")
        pc = int.from_bytes(unhex(rsp.ask("p10")), "little")
        wrote = rsp.ask("M%x,1:90" % pc)
        said = unhex(rsp.monitor("overlay list")).decode()
        self.tap.ok(wrote == "OK" and "walk" in said,
                    "a session names a function without an index",
                    (wrote, said))
        self.tap.ok(served.until(entries), "which the server then has made",
                    entries())
        # Into the cache it comes first.
        self.tap.ok(served.until(lambda: self.twice("c", "--no-index")
                                 == "82"), "for the report, too")
        self.tap.ok(served.until(lambda: self.twice(
            "c", "--no-index", INQUEST_CACHE=self.nothing) == "82"),
                    "and it is kept in the project")
        rsp.ask("D")
        server.end()


def main():
    inquest = kit.need_inquest()
    for tool in ("gcc", "objcopy", "strip"):
        kit.need_tool(tool)
    tap = kit.Tap()
    kept = Kept(tap, inquest, kit.work_dir("kept"))
    kept.build()
    kept.in_the_project()
    kept.with_its_file()
    kept.shared()
    kept.served()
    tap.leave()


if __name__ == "__main__":
    main()
