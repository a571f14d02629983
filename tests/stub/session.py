#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
session: what stock gdb can do with the stub that it cannot do with a core.

Each row of SAYS is a command and a pattern that its output must match, on a
plain or an extended session over one victim; then what a session costs: the
packets and bytes of opening it, by the recording that `inquest rsp` writes.
"""

import os
import re
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [os.path.join(os.path.dirname(HERE), "victims")]

import build  # noqa: E402
import kit    # noqa: E402

PLAIN = (
    ("info os", r"snapshots +Snapshots served here"),
    ("info os snapshots", r"threads +SIGSEGV +9 "),
    ("info os threads", r"faulting: SIGSEGV at 0x0"),
    ("info threads", r"\(faulting: SIGSEGV at 0x0\)"),
    ("monitor info", r"signal +SIGSEGV at 0x0 in thread \d+\n"),
    ("monitor help", r"monitor missing"),
    ("monitor memory 0", r"0x0: not mapped"),
    ("monitor modules", r"file with this id: \S+/libplugin\.so\n"),
    ("python print(gdb.execute('monitor threads', to_string=True))",
     r"\d+  faulting: SIGSEGV at 0x0\n"),
    ("print victim_add(20, 22)", r"no function of it can be called"),
    ("backtrace 1", r"#0 +dereference "),
    ("reverse-step", r"a snapshot does not run"),
    ("tbreak main", r"Temporary breakpoint 1"),
    ("continue", r"(?s)does not run.*No more reverse-execution history"),
    ("backtrace 1", r"#0 +dereference "),
    ("set var $rip = &abort", r"^$"),
    ("backtrace 1", r"#0 +(0x\S+ in )?\S*abort"),
    ("remote get /etc/passwd got", r"No such file or directory"),
    ("remote get ../../../../../etc/passwd got",
     r"No such file or directory"),
    ("remote put /etc/passwd /tmp/x", r"Read-only file system"),
    ("remote delete /etc/passwd", r"Read-only file system"),
    ("maint packet m-1,-1", r'received: "E01"'),
    ("maint packet vRun;2f62696e2f7368", r"nothing can be run"),
    ("print victim_text", r'"the quick'),
)
EXTENDED = (
    ("backtrace 1", r"#0 +dereference "),
    ("detach", r"detached"),
    ("info threads", r"No threads\."),
    ("info os snapshots", r"threads +SIGSEGV +9 "),
    ("attach %d", r"SIGSEGV"),
    ("backtrace 1", r"#0 +dereference "),
    ("kill", r"killed"),
    ("attach 1", r"Attaching to \S+ \S+ failed|failed"),
    ("attach %d", r"SIGSEGV"),
    ("print victim_tls", r"= 107"),
)
# The packets that gdb 13 needs for nine threads, with room for another one's
# habits; branch tracing and tracepoints alone would be 27 more.
OPEN_PACKETS = 460
OPEN_BYTES = 600000
MARK = "--- %d ---"


def gdb(made, opening, commands):
    argv = ["gdb", "-nx", "-q", "-batch", "-ex", "set width 0",
            "-ex", opening]
    for number, command in enumerate(commands):
        argv += ["-ex", "echo %s\\n" % (MARK % number), "-ex", command]
    return kit.run(argv, cwd=made.directory, merge=True, timeout=300)


def said(result, number):
    text = result.out.decode("utf-8", "replace")
    part = text.split(MARK % number + "\n", 1)
    return part[1].split("--- %d ---" % (number + 1))[0] if part[1:] else ""


def check(tap, made, kind, opening, rows):
    pid = made_pid(made, opening)
    rows = [(c % pid if "%d" in c else c, p) for c, p in rows]
    result = gdb(made, opening, [c for c, _ in rows])
    for number, (command, pattern) in enumerate(rows):
        text = said(result, number)
        tap.ok(re.search(pattern, text), "%s: %s" % (kind, command),
               text or result)


def made_pid(made, opening):
    result = gdb(made, opening.replace("extended-remote", "remote"),
                 ["python print('pid', gdb.selected_inferior().pid)"])
    found = re.search(rb"^pid (\d+)", result.out, re.M)
    return int(found[1]) if found else 0


def unescape(line):
    return re.sub(rb"\\(x[0-9a-f]{2}|\\)", b".", line)


def cost(tap, made, inquest):
    record = os.path.join(kit.work_dir("stub"), "record")
    if os.path.exists(record):
        os.unlink(record)
    gdb(made, "target remote | %s rsp --record %s %s"
        % (inquest, record, made.core), ["thread apply all backtrace"])
    with open(record, "rb") as f:
        lines = f.read().splitlines()
    packets = sum(len(re.findall(rb"\$[^#]*#", line)) for line in lines
                  if line.startswith(b"> "))
    size = sum(len(unescape(line)) for line in lines
               if line.startswith(b"< "))
    tap.ok(0 < packets <= OPEN_PACKETS, "cost: opening takes %d packets of %d"
           % (packets, OPEN_PACKETS))
    tap.ok(0 < size <= OPEN_BYTES, "cost: opening takes %d bytes of %d"
           % (size, OPEN_BYTES))


def main():
    inquest = kit.need_inquest()
    kit.need_tool("gdb")
    kit.need_tool("gcc")
    tap = kit.Tap()
    made = build.ensure("threads")
    target = "target %s | " + "%s rsp %s" % (inquest, made.core)
    check(tap, made, "plain", target % "remote", PLAIN)
    check(tap, made, "extended", target % "extended-remote", EXTENDED)
    cost(tap, made, inquest)
    tap.leave()


if __name__ == "__main__":
    main()
