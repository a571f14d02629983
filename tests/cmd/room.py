#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
room: a disk is never filled, and a file that would be too large is never there
in part. On a small file system of its own where mounting is allowed.
"""

import os
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [os.path.join(os.path.dirname(HERE), "victims")]

import build  # noqa: E402
import kit    # noqa: E402

SIZE = 12 << 20


class Room:
    def __init__(self, tap, inquest, disk):
        self.tap, self.inquest, self.disk = tap, inquest, disk
        self.core = build.ensure("threads").core

    def refused(self, name, words, *said):
        before = sorted(os.listdir(self.disk))
        result = kit.run([self.inquest, *words], cwd=self.disk)
        self.tap.ok(result.status == 1 and not result.out
                    and result.err.count(b"\n") == 1
                    and all(s in result.err for s in said)
                    and sorted(os.listdir(self.disk)) == before, name, result)

    def all(self):
        result = kit.run([self.inquest, "import", self.core], cwd=self.disk)
        self.tap.ok(result.status == 0, "there is room by default", result)
        self.refused("a file over --max-size",
                     ["import", "--max-size", "100k", self.core],
                     b"--max-size", b"100 KiB")
        self.refused("less left than --keep-free",
                     ["import", "--keep-free", "20M", self.core],
                     b"--keep-free", b"20.0 MiB")
        store = os.path.join(self.disk, "store")
        os.mkdir(store)
        self.refused("the same of a store",
                     ["put", "--store", store, "--keep-free", "20M",
                      self.core], b"--keep-free")
        with open(os.path.join(self.disk, "filler"), "wb") as f:
            f.write(b"x" * (SIZE - (2 << 20)))
        left = os.statvfs(self.disk)
        self.refused("what would leave too little, as it grows",
                     ["import", "-o", "y.snap", "--keep-free",
                      str(left.f_bavail * left.f_bsize - (64 << 10)),
                      self.core], b"to stay free")


def main():
    inquest = kit.need_inquest()
    tap = kit.Tap()
    with tempfile.TemporaryDirectory(prefix="inquest-room-") as disk:
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=%d" % SIZE, "none", disk],
            stderr=subprocess.DEVNULL, check=False).returncode == 0
        if not mounted:
            kit.Tap.skip_all("no file system may be mounted")
        try:
            Room(tap, inquest, disk).all()
        finally:
            subprocess.run(["umount", "-l", disk], check=False)
    tap.leave()


if __name__ == "__main__":
    main()
