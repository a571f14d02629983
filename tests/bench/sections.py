# SPDX-License-Identifier: Apache-2.0
"""sections: how many bytes of a snapshot go where; see FORMAT.md."""

import collections
import struct
import subprocess

SKELETON, MEMORY = 7, 8
TRAILER = 64
PACKED = 1              # flags of a section
DATA = (1, 6)           # kinds of memory: plain, and with moved words
OF_THE_FILE = 1         # flags of memory

Section = collections.namedtuple("Section", "kind flags offset stored")


def records(table):
    size, number = struct.unpack_from("<II", table)
    for i in range(number):
        yield table[16 + i * size:16 + (i + 1) * size]


def directory(f):
    f.seek(-TRAILER, 2)
    offset, length = struct.unpack_from("<QQ", f.read(TRAILER), 8)
    f.seek(offset)
    for record in records(f.read(length)):
        kind, _, _, flags, _, at, stored = struct.unpack_from("<IIHHIQQ",
                                                              record)
        yield Section(kind, flags, at, stored)


def payload(f, section):
    f.seek(section.offset)
    data = f.read(section.stored)
    if not section.flags & PACKED:
        return data
    return subprocess.run(["zstd", "-dcq"], input=data, check=True,
                          stdout=subprocess.PIPE).stdout


def sizes(path):
    """(bytes of skeletons as stored, bytes of the process's own memory)."""
    skeletons = memory = 0
    with open(path, "rb") as f:
        for section in list(directory(f)):
            if section.kind == SKELETON:
                skeletons += section.stored
            elif section.kind == MEMORY:
                for record in records(payload(f, section)):
                    _, length, _, _, flags, kind, _ = struct.unpack_from(
                        "<QQQIHBB", record)
                    if kind in DATA and not flags & OF_THE_FILE:
                        memory += length
    return skeletons, memory
