#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
world: what the seeds of fuzz-dap are answered is valid, too: names and memory
with control bytes and broken UTF-8, indexes of four languages, nonsense.

  world.py [DIRECTORY]    of other inputs, such as `make fuzz` collects
"""

import os
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "victims")]

import client  # noqa: E402
import kit     # noqa: E402
import seeds   # noqa: E402

SEEDS = os.path.join(os.path.dirname(HERE), "fuzz", "seeds", "dap")
INDEX = 3               # bits of byte 0, see fuzz-dap.c
ATTACH = b'{"seq":2,"type":"request","command":"attach","arguments":' \
    b'{"snapshot":"aaaa"}}'
END = b'{"seq":900719,"type":"request","command":"disconnect"}'


def play(speak, how, lines):
    """(faults, messages)"""
    c = client.Client(client.Stdio([speak, "world", str(how & INDEX)]))
    if not how & seeds.FRESH:
        c.body("initialize", client.HELLO)
        c.raw(ATTACH)
        c.seq = 2
        c.body("configurationDone")
    for line in lines:
        if not line.startswith(b"!"):
            c.raw(line)
    c.raw(END)
    while c.hear() is not None:
        pass
    status, said = c.door.close()
    ended = [] if status == 0 else ["status %d: %s" % (status, said[-500:])]
    return c.faults + ended, len(c.messages)


def main():
    kit.need_inquest()
    speak = os.path.join(kit.build_dir(), "tests", "dap", "speak")
    if not os.path.exists(speak):
        kit.Tap.skip_all("tests/dap/speak is not built")
    tap = kit.Tap()
    folder = sys.argv[1] if sys.argv[1:] else SEEDS
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), "rb") as f:
            data = f.read()
        if not data or data[0] & seeds.STREAM:
            continue
        lines = [l for l in data[1:].split(b"\n") if l]
        wrong, count = play(speak, data[0], lines)
        tap.ok(not wrong and count, "%s: %d messages are valid" % (
            name, count), "\n".join(wrong[:12]))
    tap.leave()


if __name__ == "__main__":
    main()
