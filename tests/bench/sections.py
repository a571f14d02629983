# SPDX-License-Identifier: Apache-2.0
"""sections: how many bytes of a snapshot go where; see FORMAT.md."""

import struct

SKELETON = 7
TRAILER = 64


def directory(path):
    """(type, stored bytes) of each section."""
    with open(path, "rb") as f:
        f.seek(-TRAILER, 2)
        offset, length = where(f.read(TRAILER))
        f.seek(offset)
        table = f.read(length)
    size, number = struct.unpack_from("<II", table)
    for i in range(number):
        at = 16 + i * size
        yield (struct.unpack_from("<I", table, at)[0],
               struct.unpack_from("<Q", table, at + 24)[0])


def where(trailer):
    return struct.unpack_from("<QQ", trailer, 8)


def bytes_of(path, kind):
    return sum(stored for number, stored in directory(path)
               if number == kind)
