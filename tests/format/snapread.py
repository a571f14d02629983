#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
snapread.py FILE: an independent reader of snapshots.

It shares no code with the C side: the layout of records is read from the
tables of FORMAT.md itself, all else is written after its text. It verifies
every checksum and key, and prints the canonical text. Python has no zstd, so
the program `zstd -d` unpacks.
"""

import hashlib
import os
import re
import struct
import subprocess
import sys

from xxh3 import xxh3_128

SOURCE = os.environ.get("SRCDIR") or os.path.join(
    os.path.dirname(os.path.abspath(__file__)), "..", "..")

ALIGNMENT = 16
WINDOW_SHIFT = 14
TABLE_HEADER = 16
NONE32 = 0xffffffff
CHUNKS_PARAMETER = 0x000e0101
DATA, ZERO, FILE, ABSENT, MOVED = 1, 2, 3, 4, 6
MOVED_TO, MOVED_SPAN = 0x4d4f564500000000, 1 << 32

NUMBERS = {"u8": "<B", "u16": "<H", "u32": "<I", "u64": "<Q", "i32": "<i"}
HEX = {"fault_address", "start", "end", "offset", "device", "perm", "bias",
       "dynamic", "link_map", "flags", "length", "pc", "cfa",
       "function_offset", "number", "address", "series", "regset.kind"}
MINUS_ONE = {"skeleton", "frame.module", "depth"}
WORDS = {
    "os": "? linux freebsd",
    "state": "unknown running sleeping blocked stopped zombie idle",
    "memory.kind": "? data zero file absent delta moved",
    "reason": "unknown budget time depth unreadable dontdump device "
              "redacted cut filter",
    "how": "? top cfi fp scan inline tail",
    "type": "? string u64 i64 f64 bool",
    "variable.kind": "? argument local global",
    "variable.state": "? known optimised_out unmapped not_captured unknown",
    "severity": "? info warning critical",
    "id": "none gnu pdb macho content",
}


class Damaged(Exception):
    """The file is not as FORMAT.md says."""


def require(fact, words):
    if not fact:
        raise Damaged(words)


# ---- FORMAT.md -------------------------------------------------------------
class Layout:
    """Sections, records and lines of the canonical text, as documented."""

    def __init__(self, text):
        self.sections = {int(number): name for number, name in re.findall(
            r"^\| (\d+) \| ([A-Z_]+) \|", text, re.M)}
        self.records = {}
        for name, size, rows in re.findall(
                r"^### (\w+), (\d+) bytes\n(.*?)(?=^#|\Z)", text,
                re.M | re.S):
            fields = re.findall(r"^\| (\d+) \| ([^|]+) \| (\w+) \|", rows,
                                re.M)
            self.records[name] = (int(size), [
                (int(at), kind.strip(), field) for at, kind, field in fields])
        self.lines = dict(re.findall(
            r"^\| ` *(\w+)` \| ([a-z_ ]+)", text, re.M))


# ---- the file ---------------------------------------------------------------
def unzstd(frame, size):
    result = subprocess.run(["zstd", "-dcq"], input=frame, check=False,
                            stdout=subprocess.PIPE)
    require(result.returncode == 0, "zstd refuses a frame")
    require(len(result.stdout) == size, "a frame unpacks to another size")
    return result.stdout


def sealed(block, at):
    return xxh3_128(block[:at]) == block[at:at + 16]


def table(payload, least):
    """The records of a table, as bytes, and its parameter."""
    size, count, parameter, _ = struct.unpack_from("<IIII", payload)
    require(least <= size <= 4096, "record size")
    require(TABLE_HEADER + size * count <= len(payload), "count of records")
    return [payload[at:at + size] for at in
            range(TABLE_HEADER, TABLE_HEADER + size * count, size)], parameter


class Section:
    def __init__(self, entry, data):
        (self.type, self.instance, self.version, self.flags, _, self.offset,
         self.stored, self.raw) = struct.unpack_from("<IIHHIQQQ", entry)
        self.xxh = entry[40:56]
        self.bytes = data[self.offset:self.offset + self.stored]
        require(len(self.bytes) == self.stored, "section runs over the end")
        require(self.offset % ALIGNMENT == 0, "section is not aligned")
        require(xxh3_128(self.bytes) == self.xxh, "section's checksum")

    def payload(self):
        require(self.version == 1 and self.flags in (0, 1), "section version")
        if self.flags:
            return unzstd(self.bytes, self.raw)
        require(self.stored == self.raw, "section has two lengths")
        return self.bytes


class Snapshot:
    def __init__(self, data, layout):
        self.data, self.layout = data, layout
        self.sections = []
        self.read_frame()
        self.strings = self.payload("STRINGS") or b"\0"
        require(self.strings[-1] == 0, "STRINGS does not end in a NUL")
        self.blobs = self.payload("BLOBS")
        self.tables = {}

    def read_frame(self):
        """Header, trailer, directory, and what lies between sections."""
        data = self.data
        require(data[:8] == b"INQUEST\n", "no snapshot")
        self.major, self.minor, begin = struct.unpack_from("<HHI", data, 8)
        require(sealed(data[:64], 48), "header's checksum")
        require(self.major == 1, "major version")
        trailer = data[-64:]
        require(trailer[:8] == b"INQ-END\n", "unfinished")
        require(sealed(trailer, 48), "trailer's checksum")
        at, length, whole = struct.unpack_from("<QQQ", trailer, 8)
        require(whole == len(data) and at + length == whole - 64,
                "trailer does not fit")
        directory = data[at:at + length]
        require(xxh3_128(directory) == trailer[32:48], "directory's checksum")
        for entry in table(directory, 64)[0]:
            section = Section(entry, data)
            self.gap(begin, section.offset)
            begin = section.offset + section.stored
            self.sections.append(section)
        self.gap(begin, at)

    def gap(self, start, end):
        require(0 <= end - start < ALIGNMENT and
                not any(self.data[start:end]), "gap between sections")

    def find(self, name):
        return [s for s in self.sections
                if self.layout.sections.get(s.type) == name]

    def payload(self, name):
        found = self.find(name)
        require(len(found) <= 1, name + " twice")
        return found[0].payload() if found else b""

    # -- records
    def field(self, kind, record, at, blobs):
        if kind in NUMBERS:
            return struct.unpack_from(NUMBERS[kind], record, at)[0]
        if kind == "bool":
            return record[at] != 0
        if kind in ("string", "text"):
            return self.string(kind, struct.unpack_from("<I", record, at)[0])
        if kind == "blob":
            offset, length = struct.unpack_from("<QQ", record, at)
            require(not length or offset + length <= len(blobs), "blob")
            return bytes(blobs[offset:offset + length]) if length else b""
        if kind == "id":
            return record[at], record[at + 2:at + 2 + record[at + 1]]
        if kind.startswith("list of "):
            first, count = struct.unpack_from("<II", record, at)
            rows = self.rows(kind[8:])
            require(not count or first + count <= len(rows), "list")
            return rows[first:first + count]
        size = int(kind.split()[0])
        return record[at:at + size]

    def string(self, kind, offset):
        if not offset:
            return b"" if kind == "text" else None
        require(offset < len(self.strings), "string")
        return self.strings[offset:self.strings.index(b"\0", offset)]

    def decode(self, name, payload, blobs):
        size, fields = self.layout.records[name]
        records, parameter = table(payload, size)
        if name == "CHUNKS":
            require(parameter == CHUNKS_PARAMETER, "kind of chunks")
        return [{field: self.field(kind, record, at, blobs)
                 for at, kind, field in fields} for record in records]

    def rows(self, name):
        if name not in self.tables:
            payload = self.payload(name)
            self.tables[name] = (self.decode(name, payload, self.blobs)
                                 if payload else [])
            for row in self.tables[name] if name == "MEMORY" else []:
                self.unmove(row)
        return self.tables[name]

    @staticmethod
    def unmove(row):
        """What was moved is data, packed in another way."""
        row["moved"] = row["kind"] == MOVED
        if row["moved"]:
            require(0 < row["offset"] <= min(row["start"], 1 << 56) and
                    not (row["start"] | row["length"] | row["offset"]) % 8,
                    "moved by what is no load bias")
            row["kind"] = DATA

    # -- memory
    def chunk(self, number, size):
        entry = self.rows("CHUNKS")[number]
        area, = self.find("CHUNK_DATA")
        start, end = entry["offset"], entry["offset"] + entry["stored"]
        require(area.offset <= start and end <= area.offset + area.stored,
                "chunk lies outside")
        stored = self.data[start:end]
        require(xxh3_128(stored) == entry["xxh"], "chunk's checksum")
        require(hashlib.sha256(stored).digest() == entry["key"],
                "chunk's key")
        require(entry["raw"] == size, "chunk's length")
        return unzstd(stored, size)

    def memory(self, row):
        """The bytes of a data range, window by window."""
        base = row["offset"] if row["moved"] else 0
        start, end = (row["start"] - base,
                      row["start"] - base + row["length"])
        parts = []
        for window in range(start >> WINDOW_SHIFT,
                            (end - 1 >> WINDOW_SHIFT) + 1):
            low = max(start, window << WINDOW_SHIFT)
            high = min(end, window + 1 << WINDOW_SHIFT)
            number = row["ref"] + window - (start >> WINDOW_SHIFT)
            parts.append(self.chunk(number, high - low))
        return moved_back(b"".join(parts), base)


def moved_back(data, base):
    """Words that were packed as if their module were at MOVED_TO."""
    if not base:
        return data
    require(len(data) % 8 == 0, "moved, and not of whole words")
    words = []
    for word, in struct.iter_unpack("<Q", data):
        if MOVED_TO <= word < MOVED_TO + MOVED_SPAN:
            word += base - MOVED_TO
        elif base <= word < base + MOVED_SPAN:
            word += MOVED_TO - base
        words.append(word)
    return struct.pack("<%dQ" % len(words), *words)


# ---- canonical text ----------------------------------------------------------
def shown_string(value):
    if value is None:
        return "-"
    out = []
    for c in value.decode("utf-8", "surrogateescape"):
        code = ord(c)
        if 0xdc80 <= code <= 0xdcff:
            out.append("\\x%02x" % (code - 0xdc00))
        elif c in '"\\':
            out.append("\\" + c)
        elif code < 32 or 127 <= code < 160 or code in (0xfffe, 0xffff):
            out.extend("\\x%02x" % b for b in c.encode())
        else:
            out.append(c)
    return '"' + "".join(out) + '"'


def shown_hash(size, xxh):
    return "%d:xxh128:%s" % (size, xxh.hex())


def shown_bytes(value, limit=256):
    if len(value) <= limit:
        return "%d:%s" % (len(value), value.hex())
    return shown_hash(len(value), xxh3_128(value))


def one_of(names, word, field):
    return field in names or word + "." + field in names


def shown_number(word, field, value):
    words = WORDS.get(word + "." + field) or WORDS.get(field) or ""
    known = dict(enumerate(words.split()))
    if known.get(value, "?") != "?":
        return known[value]
    if one_of(MINUS_ONE, word, field):
        return "-1" if value == NONE32 else str(value)
    return ("0x%x" if one_of(HEX, word, field) else "%d") % value


def shown(word, field, value):
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return shown_number(word, field, value)
    if isinstance(value, list):
        return str(len(value))
    if isinstance(value, tuple):
        return "%s:%s" % (shown_number("", "id", value[0]), value[1].hex())
    if field in ("bytes", "siginfo"):
        return shown_bytes(value)
    return shown_string(value)


def line(snap, word, row, fields=None, indent=""):
    fields = fields or snap.layout.lines[word].split()
    print(indent + word + "".join(
        " %s=%s" % (f, shown(word, f, row[f])) for f in fields))


def print_table(snap, name, word, child=None, listed=None):
    for row in snap.rows(name):
        line(snap, word, row)
        for element in row[listed] if listed else []:
            line(snap, child, element, indent="  ")


def print_attributes(snap):
    for row in snap.rows("ATTRIBUTES"):
        value = "string" if row["type"] == 1 else "number"
        line(snap, "attribute", row, ["key", "type", value])


def print_skeletons(snap):
    for section in snap.find("SKELETON"):
        payload = section.payload()
        extents = snap.decode("Extents", payload, payload)
        print("skeleton index=%d extents=%d" %
              (section.instance, len(extents)))
        for extent in extents:
            line(snap, "extent", extent, indent="  ")


def print_memory(snap):
    fields = {FILE: ["ref", "offset"], ABSENT: ["reason"]}
    below = 0
    for row in snap.rows("MEMORY"):
        require(row["start"] >= below and row["length"], "order of memory")
        below = row["start"] + row["length"]
        if row["kind"] not in (DATA, ZERO, FILE, ABSENT):
            row.update(kind=ABSENT, reason=0)
        names = ["start", "length", "kind", "flags"]
        names += fields.get(row["kind"], [])
        if row["kind"] == DATA:
            data = snap.memory(row)
            row["bytes"] = data
            names.append("bytes")
            text = ["%s=%s" % (f, shown("memory", f, row[f]))
                    for f in names[:-1]]
            print("memory", *text,
                  "bytes=" + shown_hash(len(data), xxh3_128(data)))
        else:
            line(snap, "memory", row, names)


def print_files(snap):
    names = snap.rows("FILES")
    data = snap.find("FILE_DATA")
    require(len(names) == len(data), "FILES and FILE_DATA")
    for row, section in zip(names, data):
        row["bytes"] = section.payload()
        line(snap, "file", row)


def print_unknown(snap):
    for s in snap.sections:
        if s.type not in snap.layout.sections:
            print("section type=%d instance=%d stored=%s" % (
                s.type, s.instance, shown_hash(s.stored, s.xxh)))


def print_snapshot(snap):
    print("snapshot version=%d.%d" % (snap.major, snap.minor))
    print_table(snap, "PROVENANCE", "provenance")
    print_table(snap, "PROCESS", "process")
    print_table(snap, "AUXV", "auxv")
    print_table(snap, "THREADS", "thread", "regset", "regsets")
    print_table(snap, "MAPS", "map")
    print_table(snap, "MODULES", "module", "name", "names")
    print_skeletons(snap)
    print_memory(snap)
    print_table(snap, "FRAMES", "frame")
    print_table(snap, "VARIABLES", "variable")
    print_attributes(snap)
    print_table(snap, "NOTES", "note")
    print_table(snap, "TEXTS", "text")
    print_files(snap)
    print_unknown(snap)


def main():
    with open(os.path.join(SOURCE, "FORMAT.md"), encoding="utf-8") as file:
        layout = Layout(file.read())
    with open(sys.argv[1], "rb") as file:
        data = file.read()
    try:
        print_snapshot(Snapshot(data, layout))
    except Damaged as fault:
        sys.exit("snapread: %s: %s" % (sys.argv[1], fault))


if __name__ == "__main__":
    main()
