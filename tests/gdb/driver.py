# SPDX-License-Identifier: Apache-2.0
"""
driver: runs inside gdb; carries out a list of commands, a mark before each.

The environment names two files: INQ_SCRIPT, a JSON list of commands, and
INQ_SEGMENTS, a JSON list of [start, end) addresses for inq-memory. A mark is
a line of its own: RS, the command's number, seconds since the start.
"""

import hashlib
import json
import os
import time

import gdb

EDGE = 64 << 10
# Frames that are not on the stack: gdb adds them out of DWARF.
SEEN_ONLY_BY_GDB = (gdb.INLINE_FRAME, gdb.TAILCALL_FRAME)


class Threads(gdb.Command):
    """inq-threads: number, thread id and pthread_t of each thread."""

    def __init__(self):
        super().__init__("inq-threads", gdb.COMMAND_STATUS)

    def invoke(self, argument, from_tty):
        for thread in by_number():
            gdb.write("%d %d %s\n" % (thread.num, thread.ptid[1],
                                      handle(thread)))


def by_number():
    return sorted(gdb.selected_inferior().threads(), key=lambda t: t.num)


def handle(thread):
    try:
        return thread.handle()[::-1].hex()
    except gdb.error:
        return "-"


class Frames(gdb.Command):
    """inq-frames: thread, pc and function of all frames on the stack."""

    def __init__(self):
        super().__init__("inq-frames", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        for thread in by_number():
            thread.switch()
            frame = gdb.newest_frame()
            while frame is not None:
                if frame.type() not in SEEN_ONLY_BY_GDB:
                    gdb.write("%d %#x %s\n" % (thread.ptid[1], frame.pc(),
                                               frame.name()))
                frame = frame.older()


class Memory(gdb.Command):
    """inq-memory: a hash of each segment that the core file holds."""

    def __init__(self):
        super().__init__("inq-memory", gdb.COMMAND_DATA)

    def invoke(self, argument, from_tty):
        with open(os.environ["INQ_SEGMENTS"], encoding="utf-8") as f:
            for start, end in json.load(f):
                gdb.write("%#x-%#x %s\n" % (start, end, digest(start, end)))


def digest(start, end):
    """Of all bytes, or of both ends where that would take seconds."""
    edge = end - start if end - start <= 4 * EDGE else EDGE
    inferior = gdb.selected_inferior()
    try:
        data = bytes(inferior.read_memory(start, edge)) + \
            bytes(inferior.read_memory(end - edge, edge))
    except gdb.error as error:
        return str(error)
    return hashlib.sha256(data).hexdigest()[:16]


def carry_out(command):
    try:
        gdb.execute(command, True)
    except gdb.error as error:
        gdb.flush()
        gdb.write("%s\n" % error)


def main():
    for setting in ("pagination off", "confirm off", "width 0", "height 0",
                    "style enabled off", "print thread-events off"):
        gdb.execute("set " + setting)
    for command in (Threads, Frames, Memory):
        command()
    with open(os.environ["INQ_SCRIPT"], encoding="utf-8") as f:
        script = json.load(f)
    began = time.monotonic()
    for number, command in enumerate(script + [None]):
        for stream in (gdb.STDOUT, gdb.STDERR):
            gdb.flush(stream)
        gdb.write("\n\x1e%d %.3f\n" % (number, time.monotonic() - began))
        gdb.flush()
        if command is not None:
            carry_out(command)


main()
