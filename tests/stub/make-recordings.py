#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
make-recordings: writes tests/stub/recorded/*.rsp anew: sessions of a real gdb
and a real lldb over processes that are the same everywhere (made.c). What is
played again in t-stub-recorded, and what fuzzing begins with.

  make-recordings.py [NAME...]
"""

import os
import re
import subprocess
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [os.path.join(os.path.dirname(HERE), "victims")]

import kit    # noqa: E402

LOOKING = (
    "info threads", "thread apply all backtrace 3", "info registers",
    "info all-registers", "info sharedlibrary", "info auxv",
    "info proc", "info proc mappings", "info proc stat", "info proc status",
    "info proc cmdline", "info os", "info os threads", "info os processes",
    "x/64xb 0x1000", "x/8xg 0x2ff0", "x/4xb 0x3000", "x/4xb 0x5000",
    "x/4xb 0", "find 0x1000, +0x800, 0x77", "print $_siginfo",
    "set var *(int *)0x2000 = 7", "x/1xw 0x2000", "set var $rax = 5",
    "print $rax", "tbreak *0x1010", "continue", "stepi", "reverse-stepi",
    "reverse-continue", "watch *(int *)0x2000", "monitor help",
    "monitor info", "monitor missing", "monitor memory 0x3000",
    "monitor notes", "monitor attributes", "monitor threads",
    "monitor modules", "monitor overlay",
    "remote get /proc/4242/maps /dev/null",
    "thread 2", "info registers rip", "x/2i $pc", "thread 3", "up",
    "maint packet m-1,-1", "maint packet qC", "detach")
SEVERAL = (
    "info os snapshots", "monitor info", "monitor open aaaa1111",
    "attach 101", "info threads", "backtrace 2", "x/8xb 0x1000",
    "add-inferior", "inferior 2", "attach 102", "info inferiors",
    "set var *(int *)0x2000 = 9", "inferior 1", "x/1xw 0x2000",
    "info os threads", "info os snapshots", "attach 103", "detach",
    "inferior 2", "kill", "info threads")
LLDB = (
    "thread list", "thread backtrace all", "register read --all",
    "image list", "memory region --all", "memory read 0x1000 0x1100",
    "memory read 0x3000 0x3010", "memory write 0x2000 7 8 9",
    "memory read 0x2000 0x2010", "memory find -s abc 0x1000 0x3000",
    "register write rax 5", "register read rax", "thread select 2",
    "register read rip", "breakpoint set -a 0x1010", "continue",
    "thread step-inst", "process status", "process plugin packet send qC",
    "process plugin packet send jThreadsInfo",
    "process plugin packet monitor info", "platform shell true",
    "disassemble -s 0x1000 -c 4", "process detach")


def gdb(port, commands, kind):
    words = [w for c in commands for w in ("-ex", c)]
    return ["gdb", "-nx", "-q", "-batch", "-ex", "set confirm off", "-ex",
            "set width 0", "-ex", "target %s 127.0.0.1:%s" % (kind, port),
            *words]


def lldb(port):
    return ["lldb", "-x", "-X", "-b", "-o", "gdb-remote 127.0.0.1:" + port,
            *[w for c in LLDB for w in ("-o", c)]]


RECORDINGS = {
    "gdb": ("served", lambda port: gdb(port, LOOKING, "remote")),
    "gdb-page": ("served", lambda port: [
        "gdb", "-iex", "set dcache line-size 4096",
        *gdb(port, LOOKING[:24], "remote")[1:]]),
    "gdb-several": ("hosted", lambda port: gdb(port, SEVERAL,
                                               "extended-remote")),
    "lldb": ("served", lldb),
}


def without_times(path):
    """So that only what differs is seen to differ the next time."""
    with open(path, "rb") as f:
        text = f.read()
    with open(path, "wb") as f:
        f.write(re.sub(rb"^([<>] \d+) \d+ ", rb"\1 0 ", text, flags=re.M))


def record(name):
    what, client = RECORDINGS[name]
    made = os.path.join(kit.build_dir(), "tests", "stub", "made")
    path = os.path.join(HERE, "recorded", name + ".rsp")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    process = subprocess.Popen([made, what, path], text=True,
                               stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE)
    port = process.stdout.readline().strip()
    result = kit.run(client(port), merge=True, timeout=300,
                     env={k: v for k, v in os.environ.items()
                          if k != "DEBUGINFOD_URLS"})
    process.terminate()
    process.wait(20)
    os.chmod(path, 0o644)
    without_times(path)
    sys.stderr.write(result.out.decode("utf-8", "replace")
                     if "-v" in sys.argv else "")
    print("%-12s %7d bytes" % (name, os.path.getsize(path)))


def main():
    kit.need_tool("gdb")
    kit.need_tool("lldb")
    for name in [n for n in sys.argv[1:] if n in RECORDINGS] or RECORDINGS:
        record(name)


if __name__ == "__main__":
    main()
