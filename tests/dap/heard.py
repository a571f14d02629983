# SPDX-License-Identifier: Apache-2.0
"""heard: recordings of `inquest dap --record`, message by message."""

import os
import re
import subprocess
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE, *(os.path.join(os.path.dirname(HERE), folder)
                        for folder in ("stub", "victims"))]

import kit       # noqa: E402
import recorded  # noqa: E402
import schema    # noqa: E402

HEADER = re.compile(rb"Content-Length: (\d+)\r\n\r\n")


def messages_of(data):
    found = []
    while data:
        head = HEADER.match(data)
        if not head:
            raise ValueError("no header: %r" % data[:80])
        end = head.end() + int(head[1])
        found.append(data[head.end():end])
        data = data[end:]
    return found


def read(path):
    """(said, answered): texts of messages, of the first connection."""
    said, answered = [], []
    with open(path, "rb") as f:
        if f.readline().strip() != b"inquest-dap 2":
            raise ValueError("%s is no recording" % path)
        for line in f:
            found = recorded.LINE.fullmatch(line.rstrip(b"\n"))
            if found and found[2] == b"1":
                (said if found[1] == b">" else answered).append(
                    recorded.bytes_of(found[4]))
    return messages_of(b"".join(said)), messages_of(b"".join(answered))


def faults(path):
    """What is wrong with a recording; and how many messages it has."""
    judge, found, last = schema.Judge(), [], 0
    said, answered = read(path)
    for text in answered:
        message = schema.read(text)
        found += judge.faults(message)
        if message["seq"] != last + 1:
            found.append("seq %s comes after %d" % (message["seq"], last))
        last = message["seq"]
    return found, len(said) + len(answered)


def on_a_port(tap, inquest, path, talk):
    """An adapter that listens, and what an editor and it said to each other."""
    recording = os.path.join(kit.own_dir(), "heard.record")
    if os.path.exists(recording):
        os.unlink(recording)
    with subprocess.Popen(
            [inquest, "dap", "--listen", "127.0.0.1:0", "--record",
             recording, path], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            text=True) as process:
        try:
            talk(process.stdout.readline().strip().rpartition(":")[2])
            wrong, count = faults(recording)
            tap.ok(not wrong and count > 15, "all messages are valid",
                   "\n".join(wrong))
        finally:
            process.terminate()
