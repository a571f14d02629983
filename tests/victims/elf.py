# SPDX-License-Identifier: Apache-2.0
"""elf: the little of ELF64 that tests look up in cores, or write."""

import collections
import struct

PT_LOAD, PT_NOTE = 1, 4
ET_CORE = 4
PN_XNUM = 0xffff
NT_PRSTATUS, NT_SIGINFO = 1, 0x53494749

HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
PROGRAM = struct.Struct("<IIQQQQQQ")
SECTION = struct.Struct("<IIQQQQIIQQ")

Segment = collections.namedtuple(
    "Segment", "type flags offset address physical filesz memsz align")
Note = collections.namedtuple("Note", "name type offset data")


def header(data):
    return HEADER.unpack_from(data, 0)


def segments(data):
    head = header(data)
    offset, size, count = head[5], head[9], head[10]
    return [Segment(*PROGRAM.unpack_from(data, offset + i * size))
            for i in range(count)]


def notes(data):
    """All notes of all PT_NOTE segments; `offset` is that of the data."""
    found = []
    for segment in segments(data):
        if segment.type != PT_NOTE:
            continue
        at, end = segment.offset, segment.offset + segment.filesz
        while at + 12 <= end:
            namesz, descsz, kind = struct.unpack_from("<III", data, at)
            name = data[at + 12:at + 12 + namesz].rstrip(b"\0").decode()
            start = at + 12 + (namesz + 3 & ~3)
            found.append(Note(name, kind, start, data[start:start + descsz]))
            at = start + (descsz + 3 & ~3)
    return found


def captured(data):
    """[start, end) of the memory whose bytes a core file holds."""
    return [(s.address, s.address + s.filesz) for s in segments(data)
            if s.type == PT_LOAD and s.filesz]


def many_segments(path, count, base=None):
    """
    Write a core of `count` PT_LOAD segments of one page each, more than the
    16 bits of e_phnum hold: the number then stands in section header 0. The
    notes are those of the core in `base`, if given.
    """
    page = 4096
    found = [n for n in notes(base)] if base else []
    text = b"".join(note_bytes(n) for n in found)
    table = HEADER.size + SECTION.size
    data_at = table + (count + 1) * PROGRAM.size
    load_at = data_at + len(text) + page - 1 & ~(page - 1)
    with open(path, "wb") as f:
        f.write(HEADER.pack(b"\x7fELF\2\1\1" + bytes(9), ET_CORE, 62, 1, 0,
                            HEADER.size + SECTION.size, HEADER.size, 0,
                            HEADER.size, PROGRAM.size,
                            min(count + 1, PN_XNUM), SECTION.size, 1, 0))
        f.write(SECTION.pack(0, 0, 0, 0, 0, 0, 0, count + 1, 0, 0))
        f.write(PROGRAM.pack(PT_NOTE, 0, data_at, 0, 0, len(text), 0, 4))
        for i in range(count):
            # All share one page of bytes: the file stays small.
            f.write(PROGRAM.pack(PT_LOAD, 6, load_at,
                                 0x10000000 + 2 * page * i, 0, page, page,
                                 page))
        f.write(text)
        f.seek(load_at)
        f.write(b"page" * (page // 4))


def note_bytes(note):
    name = note.name.encode() + b"\0"
    return (struct.pack("<III", len(name), len(note.data), note.type) +
            name + bytes(-len(name) % 4) + note.data +
            bytes(-len(note.data) % 4))
