#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
packets: what lldb asks to open a process of 101 threads and unwind them all.

Prints a table: packets by kind, their sum, bytes to lldb, seconds; fails above
330 packets.
"""

import collections
import os
import re
import sys
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "victims")]

import build    # noqa: E402
import kit      # noqa: E402
import lldbkit  # noqa: E402

LIMIT = 330


def main():
    inquest = kit.need_inquest()
    for tool in ("lldb", "gcc"):
        kit.need_tool(tool)
    made = build.ensure("hundred")
    record = os.path.join(kit.work_dir("lldb"), "packets")
    with lldbkit.listening(inquest, made.core, record) as where:
        began = time.monotonic()
        result = lldbkit.run(["gdb-remote " + where, "thread backtrace all"],
                             kit.own_dir("home"))
        seconds = time.monotonic() - began
    kinds = collections.Counter(
        re.match(r"[A-Za-z?]*[0-9]?", p.decode("latin-1"))[0].rstrip(
            "0123456789") or "?" for p in lldbkit.packets(record))
    total = sum(kinds.values())
    for kind, n in kinds.most_common():
        print("%-28s %6d" % (kind, n))
    print("%-28s %6d   of %d" % ("packets", total, LIMIT))
    print("%-28s %6d" % ("stacks", result.out.count(b"frame #0")))
    print("%-28s %6.1f" % ("seconds", seconds))
    sys.exit(0 if 0 < total <= LIMIT else 1)


if __name__ == "__main__":
    main()
