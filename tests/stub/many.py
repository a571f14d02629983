#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
many: stock gdb on a session that is not bound to one snapshot: the token, the
list, opening, several inferiors at once, two of one process, going away.

Each row is a command and a pattern that its output must match. hosted.c is the
other end of gdb's pipe.
"""

import os
import re
import shutil
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [os.path.join(os.path.dirname(HERE), "victims")]

import build  # noqa: E402
import kit    # noqa: E402

TOKEN = "open-sesame"
MARK = "--- %d ---"

# Before the token nothing is told; each refusal says how to come in.
LOCKED = (
    ("info os snapshots", r"Can not fetch data now"),
    ("monitor info", r"say monitor auth TOKEN"),
    ("monitor open threads", r"say monitor auth TOKEN"),
    ("monitor help", r"monitor auth +TOKEN"),
    ("attach 101", r"[Ff]ailed|[Ee]rror"),
    ("info threads", r"No threads"),
    ("info inferiors", r"\* 1 +<null>"),
    ("monitor auth nonsense", r"failure 1 of 3: this is not the token"),
    ("monitor auth " + TOKEN, r"welcome; next: info os snapshots"),
    ("monitor auth again", r"welcome"),
    ("info os snapshots", r"101 +threads +.*\n102 +handler +.*\n103 +again "),
)
# Two snapshots of unrelated programs, then two of one process.
MANY = (
    ("monitor auth " + TOKEN, r"welcome"),
    ("monitor info", r"nothing is open"),
    ("monitor memory 0", r"nothing is open"),
    ("monitor open nonsense", r"there is no snapshot nonsense"),
    ("monitor open", r"takes an id"),
    ("monitor open threads",
     r"/threads: threads, SIGSEGV, 9 threads; next: attach 101\n"),
    ("info os snapshots", r"101 +threads +\S* +open *\n"),
    ("attach 101", r"SIGSEGV"),
    ("info os snapshots", r"101 +threads +\S* +attached *\n"),
    ("backtrace 1", r"#0 +dereference "),
    ("print victim_tls", r"= 107"),
    ("add-inferior", r"Added inferior 2"),
    ("inferior 2", r"Switching to inferior 2"),
    ("attach 104", r"[Ff]ailed"),
    ("attach 101", r"[Ff]ailed"),
    ("attach 102", r"SIG"),
    ("backtrace", r"main"),
    ("info inferiors", r"1 +process 101 .*\n\* 2 +process 102 "),
    ("add-inferior", r"Added inferior 3"),
    ("inferior 3", r"Switching to inferior 3"),
    ("attach 103", r"SIGSEGV"),
    ("print victim_numbers[3] = 4242", r"= 4242"),
    ("inferior 1", r"Switching to inferior 1"),
    ("print victim_numbers[3] == 4242", r"= 0"),
    ("thread apply all backtrace 1",
     r"(?s)Thread 3\.9 .*Thread 3\.1 .*#0 +dereference .*Thread 2\.1 "
     r".*Thread 1\.9 .*Thread 1\.1 .*#0 +dereference "),
    ("info os threads", r"(?s)101 .*102 .*103 "),
    ("info os processes", r"(?s)101 .*102 .*103 "),
    # The kernel keeps 79 bytes of the command line, whatever the directory.
    ("info proc", r"process 101\ncmdline = '/\S{20}"),
    ("info proc mappings", r"threads/libvictim\.so"),
    ("continue", r"No more reverse-execution history"),
    ("detach", r"Inferior 1 \(process 101\) detached"),
    ("inferior 2", r"Switching to inferior 2"),
    ("backtrace", r"main"),
    ("info os snapshots", r"101 +threads +open *\n102 +\S+ +attached"),
    ("kill", r"Inferior 2 \(process 102\) killed"),
    ("inferior 3", r"Switching to inferior 3"),
    ("backtrace 1", r"#0 +dereference "),
    ("detach", r"Inferior 3 \(process 103\) detached"),
    ("info threads", r"No threads"),
    ("maint packet ?", r'received: "W00"'),
    ("monitor info", r"snapshot +\S+/again\n"),
    ("inferior 1", r"Switching to inferior 1"),
    ("attach 101", r"SIGSEGV"),
    ("backtrace 1", r"#0 +dereference "),
    ("info proc stat", r"process: \d+\n"),
)
ENDED = (
    ("monitor auth 1", r"failure 1 of 3"),
    ("monitor auth 2", r"failure 2 of 3"),
    ("monitor auth 3", r"failure 3 of 3"),
    ("monitor auth " + TOKEN, r"closed|not connected|Broken pipe|reset"),
)
PLAIN = (
    ("info threads", r"No threads"),
)


def gdb(opening, commands):
    argv = ["gdb", "-nx", "-q", "-batch", "-ex", "set width 0",
            "-ex", "set confirm off", "-ex", opening]
    for number, command in enumerate(commands):
        argv += ["-ex", "echo %s\\n" % (MARK % number), "-ex", command]
    return kit.run(argv, merge=True, timeout=300)


def said(text, number):
    part = text.split(MARK % number + "\n", 1)
    return part[1].split("--- %d ---" % (number + 1))[0] if part[1:] else ""


def check(tap, kind, opening, rows):
    """What gdb said before the first command."""
    result = gdb(opening, [c for c, _ in rows])
    text = result.out.decode("utf-8", "replace")
    for number, (command, pattern) in enumerate(rows):
        answer = said(text, number)
        tap.ok(re.search(pattern, answer), "%s: %s" % (kind, command),
               answer or result)
    tap.ok(not result.timed_out, "%s: gdb ends by itself" % kind, result)
    return text.split(MARK % 0)[0]


def files():
    """Three files: two victims, and the first one again."""
    directory = kit.work_dir("many")
    cores = [build.ensure(name).core for name in ("threads", "handler")]
    paths = []
    for name, core in zip(("threads", "handler", "again"), cores + cores[:1]):
        paths.append(os.path.join(directory, name))
        shutil.copyfile(core, paths[-1])
    return paths


def main():
    kit.need_inquest()
    kit.need_tool("gdb")
    kit.need_tool("gcc")
    tap = kit.Tap()
    hosted = os.path.join(kit.build_dir(), "tests", "stub", "hosted")
    pipe = " | ".join(["target %s", " ".join([hosted, "%s", *files()])])
    extended = pipe % ("extended-remote", TOKEN)
    check(tap, "locked", extended, LOCKED)
    check(tap, "many", extended, MANY)
    check(tap, "no token", pipe % ("extended-remote", "-"), MANY[1:10])
    check(tap, "wrong tokens", extended, ENDED)
    for token in ("-", TOKEN):
        text = check(tap, "plain", pipe % ("remote", token), PLAIN)
        tap.ok("try extended-remote" in text,
               "plain: a person is told of extended-remote", text)
    tap.leave()


if __name__ == "__main__":
    main()
