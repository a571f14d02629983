#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
globals: variables that were asked for by name stand in a snapshot with type
and value, and in a report: as an index has them, else as they were written.
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
#include <string.h>
struct pair { int a; const char *b; };
struct pair asked_pair = { 7, "se\\033ven" };
static int asked_number = 42;
static __thread int asked_own;
int other = 3;
static pthread_barrier_t both;

static void *
wait(void *arg)
{
	asked_own = *(int *)arg;
	pthread_barrier_wait(&both);
	for (;;)
		continue;
	return arg;
}
int
main(void)
{
	int one = 11;
	pthread_t t;

	asked_own = 5;
	pthread_barrier_init(&both, NULL, 2);
	pthread_create(&t, NULL, wait, &one);
	pthread_barrier_wait(&both);
	asked_number += other;
	return *(volatile int *)0;
}
"""


class Globals:
    def __init__(self, tap, inquest, directory):
        self.tap, self.inquest, self.directory = tap, inquest, directory
        self.cache = os.path.join(directory, "cache")
        self.program = os.path.join(directory, "x")

    def run(self, *words):
        return kit.run([self.inquest, *words], cwd=self.directory,
                       env={**os.environ, "INQUEST_CACHE": self.cache})

    def forget(self):
        kit.background_ends()
        shutil.rmtree(self.cache, ignore_errors=True)

    def globals(self, *words):
        return json.loads(self.run("report", "--json", *words).out)["globals"]

    def build(self):
        with open(self.program + ".c", "w", encoding="ascii") as f:
            f.write(PROGRAM)
        subprocess.run(["gcc", "-g", "-O0", "-pthread", "-o", self.program,
                        self.program + ".c"], check=True)

    def capture(self, out, *words):
        self.forget()
        result = self.run("capture", "-o", out, "--global", "asked_*", *words,
                          "--", self.program)
        self.forget()
        return result

    def written(self):
        self.capture("x.snap", "--wait-symbols")
        os.rename(self.program, self.program + ".away")
        there = self.globals("--no-index", "x.snap")
        text = self.run("report", "--no-index", "x.snap").out
        os.rename(self.program + ".away", self.program)
        plain = {g["name"]: (g["type"], g["value"]) for g in there
                 if "tid" not in g}
        self.tap.ok(plain.get("asked_number") == ("int", "45")
                    and plain["asked_pair"][0] == "struct pair"
                    and "a = 7" in plain["asked_pair"][1]
                    and "033ven" in plain["asked_pair"][1]
                    and "other" not in plain,
                    "type and value stand in the file", there)
        own = sorted(g["value"] for g in there if g["name"] == "asked_own")
        self.tap.ok(own == ["11", "5"], "one of each thread", there)
        self.tap.ok(b"\nGlobals\n" in text and b"asked_number = 45" in text
                    and b"\033" not in text, "and on a page", text)

    def fresh(self):
        self.capture("y.snap", "--no-cache")
        before = self.run("report", "--no-index", "y.snap").out
        there = self.globals("y.snap")
        self.tap.ok(b"asked_number: 4 bytes at 0x" in before,
                    "without an index the place of each is told", before)
        self.tap.ok({g["name"]: g["value"] for g in there}.get("asked_number")
                    == "45" and sum(g["name"] == "asked_own" for g in there)
                    == 2, "they are known when an index is there", there)

    def redacted(self):
        self.capture("z.snap", "--wait-symbols", "--redact", "env:NOTHING")
        dump = self.run("dump", "z.snap").out
        self.tap.ok(b"asked_number" in dump and b"\nvariable" not in dump,
                    "none is written where something is left out", dump)


def main():
    inquest = kit.need_inquest()
    kit.need_tool("gcc")
    tap = kit.Tap()
    kit.adopt()
    t = Globals(tap, inquest, kit.work_dir("globals"))
    t.build()
    t.written()
    t.fresh()
    t.redacted()
    tap.leave()


if __name__ == "__main__":
    main()
