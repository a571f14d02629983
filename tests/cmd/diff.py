#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
diff: threads, variables, modules, attributes and pages in which snapshots of
one process differ, held against what the program is known to have done.
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

PROGRAM = """
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>
static void *
idle(void *arg)
{
	pause();
	return arg;
}
int
main(void)
{
	struct { int count; const char *word; } state = { 1, "first" };
	int same = 42;
	pthread_t t;

	for (;;) {
		puts("ready");
		fflush(stdout);
		if (getchar() == EOF)
			return same;
		state.count++;
		state.word = "then";
		pthread_create(&t, NULL, idle, NULL);
	}
}
"""


class Diffs:
    def __init__(self, tap, inquest, directory):
        self.tap, self.inquest, self.directory = tap, inquest, directory
        self.program = os.path.join(directory, "moves")
        self.snaps = [os.path.join(directory, n) for n in ("a.snap",
                                                           "b.snap")]

    def run(self, *words):
        cache = os.path.join(self.directory, "cache")
        return kit.run([self.inquest, *words], cwd=self.directory,
                       env={**os.environ, "INQUEST_CACHE": cache})

    def capture(self):
        source = self.program + ".c"
        with open(source, "w") as f:
            f.write(PROGRAM)
        subprocess.run(["gcc", "-g", "-pthread", "-o", self.program, source],
                       check=True)
        with subprocess.Popen([self.program], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE) as p:
            for snap in self.snaps:
                p.stdout.readline()
                kit.rests(p.pid)
                result = self.run("capture", *kit.UNHURRIED, "-o", snap,
                                  str(p.pid))
                if result.status:
                    print("Bail out!", result)
                    sys.exit(1)
                p.stdin.write(b"\n")
                p.stdin.flush()
            p.stdin.close()
            p.wait()

    def json(self):
        result = self.run("diff", "--json", *self.snaps)
        value = json.loads(result.out)
        rows = {(v["function"], v["name"]): (v["before"], v["after"])
                for v in value["variables"]}
        state = rows.get(("main", "state"), ("", ""))
        self.tap.ok("count = 1" in state[0] and '"first"' in state[0]
                    and "count = 2" in state[1] and '"then"' in state[1]
                    and ("main", "same") not in rows,
                    "a variable that changed is told, one that did not is not",
                    value["variables"])
        threads = value["threads"]
        self.tap.ok(threads["n"] == [1, 2]
                    and threads["rows"][0]["mark"] == "new"
                    and "pause" in threads["rows"][0]["after"],
                    "a thread is new", threads)
        self.tap.ok(value["memory"]["pages"] > 0
                    and value["memory"]["equal"] > 0
                    and any(r["what"] == "process.thread.count"
                            and (r["before"], r["after"]) == ("1", "2")
                            for r in value["attributes"]["rows"]),
                    "pages and attributes differ", value["attributes"])

    def text(self):
        result = self.run("diff", *self.snaps)
        self.tap.ok(result.status == 0
                    and b"threads: 1 and 2" in result.out
                    and b"main: state: {count = 1" in result.out
                    and b"Next" in result.out,
                    "a person is told the same", result)
        same = self.run("diff", self.snaps[0], self.snaps[0])
        self.tap.ok(same.status == 0 and b"memory: 0 pages" in same.out
                    and same.out.count(b"no difference") == 4,
                    "a snapshot does not differ from itself", same)

    def projects(self):
        """Each side has the symbol files of its own project."""
        os.environ["INQUEST_STORE"] = os.path.join(self.directory, "store")
        shutil.rmtree(os.environ["INQUEST_STORE"], ignore_errors=True)
        debug = self.program + ".debug"
        subprocess.run(["objcopy", "--only-keep-debug", self.program, debug],
                       check=True)
        self.run("put", "--project", "one", self.snaps[0])
        self.run("put", "--project", "two", self.snaps[1], debug)
        os.rename(self.program, self.program + ".away")
        sides = [json.loads(self.run("diff", "--json", *pair).out)
                 for pair in (("one/1", "two/1"), ("two/1", "one/1"))]
        os.rename(self.program + ".away", self.program)
        self.run("put", "--project", "one", debug)
        os.rename(self.program, self.program + ".away")
        value = json.loads(self.run("diff", "--json", "one/1", "two/1").out)
        os.rename(self.program + ".away", self.program)
        names = {(v["function"], v["name"]) for v in value["variables"]}
        self.tap.ok(("main", "state") in names
                    and not any(s["variables"] for s in sides),
                    "each has the symbol files of its own project",
                    (value["variables"], [s["variables"] for s in sides]))

    def refusals(self):
        for words, status in ((self.snaps[:1], 2),
                              ([self.snaps[0], "nothing.snap"], 3),
                              (["nothing.snap", self.snaps[0]], 3),
                              ([self.snaps[0], self.program], 1)):
            result = self.run("diff", *words)
            self.tap.ok(result.status == status and not result.out
                        and result.err,
                        "diff %s ends with %d" % (" ".join(
                            map(os.path.basename, words)), status), result)


def main():
    kit.need_tool("gcc")
    tap = kit.Tap()
    t = Diffs(tap, kit.need_inquest(), kit.work_dir("diff"))
    t.capture()
    t.json()
    t.text()
    t.projects()
    t.refusals()
    tap.leave()


if __name__ == "__main__":
    main()
