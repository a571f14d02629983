#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
constants: those of a module that are addresses are packed once, wherever it is
loaded, and are in a snapshot what stock gdb sees in the process.
"""

import os
import struct
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "victims"),
                os.path.join(os.path.dirname(HERE), "format")]

import kit       # noqa: E402
import living    # noqa: E402
import snapread  # noqa: E402

LEAST = 256 << 10       # bytes of constants
WINDOW = 16 << 10
HEAD = 64 + 72          # bytes of a cache's entry before what is packed
PATIENCE = 60
CANARY = b"KEY-constant-canary-77"
RULE = "regex:KEY-[a-z]+-canary-[0-9]+"
LINKS = (("RELA", []), ("RELR", ["-Wl,-z,pack-relative-relocs"]))


def snapshot(path):
    with open(os.path.join(snapread.SOURCE, "FORMAT.md"),
              encoding="utf-8") as f:
        layout = snapread.Layout(f.read())
    with open(path, "rb") as f:
        return snapread.Snapshot(f.read(), layout)


def build(directory, name, flags):
    path = os.path.join(directory, name)
    done = subprocess.run(
        ["gcc", "-O1", "-g", "-fPIE", "-pie", "-Wl,-z,relro,-z,now",
         "-Wl,--build-id", *flags, "-o", path,
         os.path.join(HERE, "constants.c")], check=False,
        stderr=subprocess.PIPE)
    return path if done.returncode == 0 and not done.stderr else None


class Victim:
    def __init__(self, path):
        self.path = path
        self.process = subprocess.Popen([path], stdin=subprocess.DEVNULL)
        self.pid = self.process.pid
        living.until(lambda: living.state(self.pid, self.pid) == "S" and
                     os.path.samefile("/proc/%d/exe" % self.pid, path))
        self.start, self.end = self.place()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def place(self):
        """Of its constants, which are mapped to be read."""
        with open("/proc/%d/maps" % self.pid, encoding="utf-8") as f:
            for line in f:
                words = line.split()
                low, high = (int(x, 16) for x in words[0].split("-"))
                if words[1] == "r--p" and high - low > LEAST and \
                        words[-1] == self.path and int(words[2], 16):
                    return low, high
        raise LookupError("no constants in its maps")

    def as_gdb_sees_it(self, directory, *words):
        path = os.path.join(directory, "bytes")
        subprocess.run(
            ["gdb", "-nx", "-batch", *words, "-ex",
             "dump binary memory %s %d %d" % (path, self.start, self.end)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, timeout=PATIENCE, check=False)
        try:
            with open(path, "rb") as f:
                return f.read()
        except FileNotFoundError:
            return b""
        finally:
            if os.path.exists(path):
                os.unlink(path)


class Constants:
    def __init__(self, tap, inquest, directory):
        self.tap, self.inquest, self.directory = tap, inquest, directory
        self.env = {**os.environ,
                    "INQUEST_CACHE": os.path.join(directory, "cache")}

    def capture(self, victim, name, *words):
        path = os.path.join(self.directory, name)
        kit.run([self.inquest, "capture", *kit.UNHURRIED, "-o", path, *words,
                 str(victim.pid)], env=self.env)
        return path

    def warm(self, victim):
        """The first snapshot for which the cache was of use."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            path = self.capture(victim, "warm.snap")
            if any(r["moved"] for r in snapshot(path).rows("MEMORY")):
                return path
            time.sleep(0.2)
        return path

    @staticmethod
    def parts(snap, victim):
        """(offset, bytes) of its constants, after the independent reader."""
        return [(row["start"] - victim.start,
                 snap.memory(row)[:victim.end - row["start"]])
                for row in snap.rows("MEMORY")
                if row["kind"] == snapread.DATA and
                victim.start <= row["start"] < victim.end]

    def same(self, snap, victim, live):
        """Is all of it there but pages that nobody wrote to?"""
        parts = self.parts(snap, victim)
        return all(live[at:at + len(data)] == data for at, data in parts) \
            and sum(len(data) for _, data in parts) >= LEAST

    def first(self, victim, name):
        live = victim.as_gdb_sees_it(self.directory, "-p", str(victim.pid))
        cold = snapshot(self.capture(victim, "cold.snap", "--no-cache"))
        path = self.warm(victim)
        warm = snapshot(path)
        moved = sum(row["length"] for row in warm.rows("MEMORY")
                    if row["moved"])
        self.tap.ok(moved >= LEAST, "%s: they are packed as elsewhere" % name,
                    moved)
        self.tap.ok(self.same(cold, victim, live) and
                    self.same(warm, victim, live),
                    "%s: each word is what gdb sees in the process" % name)
        whole = kit.run([self.inquest, "check", path])
        self.tap.ok(not whole.status, "%s: check says nothing" % name, whole)
        return live, path

    def lies(self, victim, live):
        """What is wrong in the cache makes no snapshot wrong."""
        kit.background_ends(victim.pid)
        cache = self.env["INQUEST_CACHE"]
        path = max((os.path.join(cache, name) for name in os.listdir(cache)
                    if name.endswith(".c")), key=os.path.getsize)
        with open(path, "rb") as f:
            good = f.read()
        rows = HEAD + 24
        wrong = {
            "a changed frame": good[:-9] + bytes([good[-9] ^ 1]) + good[-8:],
            "a changed row": good[:rows + 9] + b"\xff" * 8 + good[rows + 17:],
            "other bytes": good[:len(good) // 2] + bytes(64)
                           + good[len(good) // 2 + 64:],
            "another build-id": good[:HEAD - 60] + bytes(8)
                                + good[HEAD - 52:],
            "one cut short": good[:len(good) // 2],
            "one without windows": good[:HEAD],
            "one cut inside its head": good[:50],
            "an empty one": b"",
        }
        for name, data in wrong.items():
            # As whoever fills it does: a file of its own, under the name.
            with open(path + ".new", "wb") as f:
                f.write(data)
            os.chmod(path + ".new", 0o600)
            os.rename(path + ".new", path)
            snap = self.capture(victim, "lies.snap")
            kit.background_ends(victim.pid)
            whole = kit.run([self.inquest, "check", snap])
            self.tap.ok(not whole.status and
                        self.same(snapshot(snap), victim, live),
                        "not believed: " + name, whole)

    def gone(self, victim, live, path):
        """The bytes need nobody's file."""
        core = os.path.join(self.directory, "core")
        os.rename(victim.path, victim.path + ".away")
        kit.run([self.inquest, "export", "--core", core, path])
        seen = victim.as_gdb_sees_it(self.directory, "-c", core)
        os.rename(victim.path + ".away", victim.path)
        self.tap.ok(len(seen) in (0, len(live)) and
                    (not seen or seen == live),
                    "without the file gdb sees the same in a core",
                    (len(seen), len(live)))
        rows = self.parts(snapshot(path), victim)
        self.tap.ok(seen or rows, "and they are there", len(seen))

    def redacted(self, victim, live):
        path = self.capture(victim, "redacted.snap", "--redact", RULE)
        snap = snapshot(path)
        holes = [row for row in snap.rows("MEMORY")
                 if row["kind"] == snapread.ABSENT and row["reason"] == 7]
        everything = b"".join(data for _, data in self.parts(snap, victim))
        self.tap.ok(self.same(snap, victim, live) and
                    any(victim.start <= r["start"] < victim.end
                        for r in holes) and
                    CANARY in live and CANARY not in everything and
                    any(row["moved"] for row in snap.rows("MEMORY")),
                    "what a rule matches among them is absent", holes)

    def changed(self, victim, live):
        at = live.index(CANARY) - 8
        was, = struct.unpack_from("<Q", live, at)
        with open("/proc/%d/mem" % victim.pid, "r+b", buffering=0) as f:
            f.seek(victim.start + at)
            f.write(struct.pack("<Q", was + 8))
        now = live[:at] + struct.pack("<Q", was + 8) + live[at + 8:]
        snap = snapshot(self.capture(victim, "changed.snap"))
        self.tap.ok(self.same(snap, victim, now) and
                    not self.same(snap, victim, live) and
                    any(row["moved"] for row in snap.rows("MEMORY")),
                    "one that was changed is as it was changed")

    def elsewhere(self, victim, path):
        """Another process: another place, the same chunks."""
        def keys(snap):
            chunks = snap.rows("CHUNKS")
            return {chunks[row["ref"] + k]["key"]
                    for row in snap.rows("MEMORY") if row["moved"]
                    for k in range(row["length"] // WINDOW)}
        with Victim(victim.path) as other:
            live = other.as_gdb_sees_it(self.directory, "-p", str(other.pid))
            snap = snapshot(self.capture(other, "other.snap"))
            self.tap.ok(other.start != victim.start and
                        self.same(snap, other, live) and
                        keys(snap) == keys(snapshot(path)),
                        "another process's are the same chunks",
                        (other.start, victim.start))

    def all(self):
        for name, flags in LINKS:
            path = build(self.directory, name.lower(), flags)
            if not path:
                self.tap.ok(True, "%s # SKIP the linker makes none" % name)
                continue
            with Victim(path) as victim:
                live, snap = self.first(victim, name)
                self.elsewhere(victim, snap)
                self.redacted(victim, live)
                if name == LINKS[0][0]:
                    self.lies(victim, live)
                    self.warm(victim)
                self.changed(victim, live)
                # Last: what the cache has of it is then out of date.
                self.gone(victim, live, snap)


def main():
    inquest = kit.need_inquest()
    tap = kit.Tap()
    kit.adopt()
    with tempfile.TemporaryDirectory() as directory:
        Constants(tap, inquest, directory).all()
        kit.background_ends()
    tap.leave()


if __name__ == "__main__":
    main()
