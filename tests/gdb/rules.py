#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""rules: the comparison lets nothing pass that the list does not explain."""

import os
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "victims")]

import against  # noqa: E402
import build    # noqa: E402
import compare  # noqa: E402
import kit      # noqa: E402

ADDS = (("difference", "names"), ("commands", "info threads | bt*"),
        ("reason", "more"), ("ours-adds", r'(Thread \d+) "\w+" => \1'))
LINES = (("difference", "zmm"), ("reason", "more"),
         ("core-line", "<unavailable>"), ("ours-line", r"^zmm\d+ \d+$"))
SAYS = (("difference", "cwd"), ("reason", "more"), ("victims", "a | b"),
        ("core-says", "unable"), ("ours-says", "^cwd = '"),
        ("ours-says", "^exe = '"))

# Rules, victim, command, the core's words, ours, whether that passes.
CASES = (
    ("equal words pass",
     (), "a", "bt", "#0 main\n", "#0 main\n", True),
    ("a thread's id may be written in three ways",
     (), "a", "thread", "Thread 0x7f00 (LWP 12)", "Thread 11.12", True),
    ("another thread's id does not pass",
     (), "a", "thread", "Thread 0x7f00 (LWP 12)", "Thread 11.13", False),
    ("another value does not pass",
     (), "a", "p x", "$1 = 5\n", "$1 = 6\n", False),
    ("the number of a value does not count",
     (), "a", "p x", "$1 = 5\n", "$2 = 5\n", True),
    ("a listed addition is taken out",
     (ADDS,), "a", "info threads", "LWP 1 f", 'Thread 5.1 "w" f', True),
    ("a listed addition hides no other difference",
     (ADDS,), "a", "info threads", "LWP 1 f", 'Thread 5.1 "w" g', False),
    ("what ours adds does not pass where it is not listed",
     (ADDS,), "a", "p x", "LWP 1 f", 'Thread 5.1 "w" f', False),
    ("a listed line passes",
     (LINES,), "a", "x", "rip 1\nzmm0 <unavailable>", "rip 1\nzmm0 7", True),
    ("a listed line passes no line beside it",
     (LINES,), "a", "x", "rip 1\nzmm0 <unavailable>", "rip 2\nzmm0 7", False),
    ("a listed line must match on our side",
     (LINES,), "a", "x", "zmm0 <unavailable>", "zmm0 <error>", False),
    ("a missing line does not pass",
     (LINES,), "a", "x", "rip 1\nzmm0 <unavailable>", "zmm0 7", False),
    ("a listed answer passes",
     (SAYS,), "b", "info proc", "unable", "cwd = '/'\nexe = '/x'", True),
    ("a listed answer must be whole",
     (SAYS,), "b", "info proc", "unable", "cwd = '/'", False),
    ("a listed answer is not for other victims",
     (SAYS,), "c", "info proc", "unable", "cwd = '/'\nexe = '/x'", False),
    ("a command without output does not pass",
     (), "a", "bt", "#0 main", None, False),
)


def main():
    tap = kit.Tap()
    for name, rules, victim, command, core, ours, passes in CASES:
        judge = compare.Judge([compare.Difference(r) for r in rules])
        said = judge.unexplained(victim, "m", command, core, ours)
        tap.ok((said == "") == passes, name, said)
    judge = compare.Judge([compare.Difference(ADDS)])
    tap.ok(judge.stale([("a", "m")]) == ["names"], "an unused rule is told")
    judge.unexplained("a", "m", "bt", "Thread 1", 'Thread 1.1 "w"')
    tap.ok(judge.stale([("a", "m")]) == [], "a used rule is not")
    listed = compare.read_list(os.path.join(HERE, "differences"))
    tap.ok(len(listed) > 5, "the list is read", len(listed))
    if kit.shutil.which("gdb"):
        against.identity(tap, build.ensure("threads"))
    tap.leave()


if __name__ == "__main__":
    main()
