#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
seeds: the transcripts and the recordings of this folder as seeds of
tests/fuzz/fuzz-rsp; those of host/, and of several inferiors, play before a
host.

  seeds.py DIRECTORY     one file each; see fuzz-rsp.c for byte 0
"""

import os
import re
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
sys.dont_write_bytecode = True
sys.path.insert(0, HERE)

import recorded     # noqa: E402

NO_ACK = 1
LLDB = 4
HOST = 0x80
# Before the host of fuzz-rsp.c nothing is told without this.
AUTH = b"qRcmd,6175746820736573616d65"


def bytes_of(text):
    return re.sub(rb"\\x([0-9a-f]{2})",
                  lambda m: bytes([int(m[1], 16)]), text)


def framed(packet):
    return b"$%s#%02x" % (packet, sum(packet) & 0xff)


def seed_of(lines, how):
    seed = bytes([how])
    for line in lines:
        if line.startswith(b">> "):
            seed += bytes_of(line[3:])
        elif line.startswith(b"> "):
            seed += framed(bytes_of(line[2:]))
    return seed


def write_seeds(folder, prefix, how):
    for name in sorted(os.listdir(folder)):
        stem, extension = os.path.splitext(name)
        if extension != ".txt":
            continue
        with open(os.path.join(folder, name), "rb") as f:
            seed = seed_of(f.read().splitlines(), how)
        with open(os.path.join(sys.argv[1], prefix + stem), "wb") as f:
            f.write(seed)


def write_recorded(folder):
    for name in sorted(os.listdir(folder)):
        stem, _ = os.path.splitext(name)
        said = recorded.Recording(os.path.join(folder, name)).said[1]
        how = LLDB if "lldb" in stem else 0
        if "several" in stem:
            how |= HOST
            said = framed(AUTH) + said
        with open(os.path.join(sys.argv[1], "recorded-" + stem), "wb") as f:
            f.write(bytes([how]) + said)


def main():
    write_seeds(HERE, "", NO_ACK)
    write_seeds(os.path.join(HERE, "host"), "host-", NO_ACK | HOST)
    write_recorded(os.path.join(HERE, "recorded"))


if __name__ == "__main__":
    main()
