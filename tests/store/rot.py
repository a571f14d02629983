#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
rot: bytes that changed and files that were cut.

Every changed byte of an object's data is found by a verification, which names
the object; a cut file is refused, and nobody is ended by a signal. rot.py
[--count N]: 20 bytes and 20 cuts unless asked.
"""

import glob
import os
import random
import shutil
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "victims")]

import kit      # noqa: E402
import stores   # noqa: E402

SEED = 99
HEADER, MAGIC = 48, b"PIEC"


def pieces(data):
    """(first byte, behind the last) of each piece's bytes; store/README.md."""
    at = 0
    while at + HEADER <= len(data):
        if data[at:at + 4] != MAGIC:
            at = (at // 4096 + 1) * 4096
            continue
        length = int.from_bytes(data[at + 4:at + 8], "little")
        yield at + HEADER, at + HEADER + length
        at += HEADER + length


class Rot:
    def __init__(self, store):
        self.store = store
        self.random = random.Random(SEED)
        self.parts = []
        for path in sorted(glob.glob(store.file("blob", "*.part"))):
            with open(path, "rb") as f:
                self.parts.append((path, list(pieces(f.read()))))

    def one_byte(self):
        """What is wrong with how a changed byte is told? It is put back."""
        path, places = self.random.choice(self.parts)
        at = self.random.randrange(*self.random.choice(places))
        with open(path, "r+b") as f:
            f.seek(at)
            was = f.read(1)
            f.seek(at)
            f.write(bytes([was[0] ^ 1 << self.random.randrange(8)]))
            f.flush()
            done = self.store.run("verify")
            f.seek(at)
            f.write(was)
        told = "do not fit their hash" in done.stdout
        named = "fault: object p/" in done.stdout
        return "" if done.returncode == 0 and told and named else \
            "byte %d of %s: status %d\n%s%s" % (
                at, path, done.returncode, done.stdout, done.stderr)

    def one_cut(self):
        """The same of a file that is cut, read by all means."""
        path = self.random.choice([self.store.file("meta.mdb"),
                                   self.random.choice(self.parts)[0]])
        whole = path + ".whole"
        shutil.copy(path, whole)
        length = self.random.randrange(os.path.getsize(path))
        os.truncate(path, length)
        wrong = "%s cut to %d: " % (path, length)
        checks = [self.store.run("verify"), self.store.run("list"),
                  self.store.run("check", stores.PROJECT, self.store.size,
                                 given="\n".join("%d %d" % (f, n) for n, f in
                                                 self.store.acks.items()))]
        os.replace(whole, path)
        if not any(done.returncode for done in checks) and \
                path.endswith("meta.mdb") and not self.faulty(checks[0]):
            # Pages in nobody's use were all that it lacked.
            return ""
        if checks[0].returncode or not self.faulty(checks[0]):
            return wrong + "verify\n%s%s" % (checks[0].stdout,
                                             checks[0].stderr)
        if checks[1].returncode not in (stores.OK, stores.DAMAGED):
            return wrong + "list: %d" % checks[1].returncode
        if checks[2].returncode != stores.DAMAGED:
            return wrong + "check: %d" % checks[2].returncode
        return ""

    @staticmethod
    def faulty(done):
        return "fault: " in done.stdout


def repeat(tap, name, count, one):
    wrong = ""
    for number in range(count):
        wrong = one()
        if wrong:
            wrong = "%d of seed %d: %s" % (number, SEED, wrong)
            break
    tap.ok(not wrong, "%d %s" % (count, name), wrong)


def main():
    count = stores.count_asked(20, __doc__.splitlines()[1])
    tap = kit.Tap()
    with stores.temporary() as directory:
        store = stores.Store(os.path.join(directory, "s"), 50000, 1 << 18)
        tap.ok(store.fill(20).returncode == 0, "a store is made")
        rot = Rot(store)
        repeat(tap, "changed bytes are all found, and the object named",
               count, rot.one_byte)
        repeat(tap, "cut files are refused without a signal", count,
               rot.one_cut)
        wrong = store.wrong() or store.faults()
        tap.ok(not wrong, "as it was, it is sound", wrong)
    tap.leave()


if __name__ == "__main__":
    main()
