#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
tail: functions that called on by a jump are frames of a report, and tell what
they passed, where one way only leads to them; where several do, what all of
these have in common; where nobody knows, nothing.
"""

import json
import os
import subprocess
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [os.path.join(os.path.dirname(HERE), "victims")]

import kit    # noqa: E402

PROGRAM = """
#include <stdlib.h>
#define OWN __attribute__((noipa))
volatile int sink;
static int (*volatile where)(int);
OWN int leaf(int n, int m) { sink = n; if (m) __builtin_trap(); return n; }
OWN int mid(int n) { sink = n; return leaf(n * 2, 14); }
OWN int top(int n) { sink = 1; return mid(n + 1); }
OWN int left(int n) { sink = 2; return mid(n + 2); }
OWN int either(int n) { return n > 3 ? top(n) : left(n); }
OWN int again(int n)
{
	if (n > 3)
		return again(n - 1);
	return n == 2 ? n : leaf(n, n);
}
OWN int pointed(int n) { return n == 2 ? where(n) : mid(n); }
int main(int argc, char **argv)
{
	where = mid;
	switch (argc > 1 ? atoi(argv[1]) : 0) {
	case 0: return top(6) + 1;
	case 1: return either(6) + 1;
	case 2: return again(5) + 1;
	case 3: return pointed(5) + 1;
	default: return where(9) + 1;
	}
}
"""
LEAF, MID, MAIN = ("leaf", "registers"), ("mid", "tail-call"), ("main", "cfi")
# what is told of the caller of the caller, and of what leaf was passed
CASES = {
    "one way": ("0", [LEAF, MID, ("top", "tail-call"), MAIN], "14"),
    "several ways": ("1", [LEAF, MID, MAIN], "14"),
    "itself": ("2", [LEAF, ("again", "tail-call"), MAIN], None),
    "nobody knows": ("3", [LEAF, MAIN], None),
    "by a pointer": ("4", [LEAF, MAIN], None),
}


def build(directory):
    source = os.path.join(directory, "x.c")
    with open(source, "w", encoding="utf-8") as f:
        f.write(PROGRAM)
    subprocess.run(["gcc", "-g", "-O2", "-o", "x", "x.c"], cwd=directory,
                   check=True)


def frames_of(inquest, directory, argument):
    env = {**os.environ, "INQUEST_CACHE": os.path.join(directory, "cache")}
    snap = os.path.join(directory, "x%s.snap" % argument)
    kit.run([inquest, "capture", "-o", snap, "--", "./x", argument],
            cwd=directory, env=env)
    done = kit.run([inquest, "report", snap, "--json"], env=env)
    frames = json.loads(done.out)["threads"][0]["frames"]
    names = [f["function"] for f in frames]
    return frames[:names.index("main") + 1]


def passed(frame, name):
    for each in frame["arguments"]:
        if each["name"] == name:
            return each["value"]
    return None


def main():
    inquest = kit.need_inquest()
    kit.need_tool("gcc")
    tap = kit.Tap()
    directory = kit.work_dir("tail")
    build(directory)
    for name, (argument, wanted, m_entry) in CASES.items():
        frames = frames_of(inquest, directory, argument)
        found = [(f["function"], f["how"]) for f in frames]
        tap.ok(found == wanted, "%s: the frames" % name, str(found))
        said = passed(frames[0], "m@entry")
        tap.ok(said == m_entry, "%s: what was passed" % name, str(said))
        if argument == "0":
            lines = [f["line"] for f in frames[:3]]
            tap.ok(lines == [6, 7, 8], "their lines", str(lines))
    tap.leave()


if __name__ == "__main__":
    main()
