#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
cache: skeletons of modules are kept from one capture to the next, a snapshot
is the same with and without, and what is wrong in the cache is not believed.
"""

import os
import stat
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [os.path.join(os.path.dirname(HERE), "victims")]

import kit    # noqa: E402

HEAD, ID, RECORD = 64, 66, 96   # bytes: of an entry, of what is in it


class Cache:
    def __init__(self, tap, inquest, directory, pid):
        self.tap, self.inquest, self.pid = tap, inquest, str(pid)
        self.directory = directory
        self.cache = os.path.join(directory, "cache")
        self.snap = os.path.join(directory, "x.snap")

    def capture(self, *words, **env):
        return kit.run([self.inquest, "capture", *kit.UNHURRIED, "-o",
                        self.snap, *words,
                        self.pid], cwd=self.directory,
                       env={**os.environ, "INQUEST_CACHE": self.cache,
                            **env})

    def skeletons(self, *words, **env):
        """What a snapshot that is taken now holds of modules' files."""
        result = self.capture(*words, **env)
        whole = kit.run([self.inquest, "check", self.snap])
        dump = kit.run([self.inquest, "dump", self.snap]).out
        if result.status or whole.status:
            return str(result) + str(whole)
        return [line for line in dump.splitlines()
                if line.startswith((b"skeleton", b"extent", b"module"))]

    def entries(self):
        try:
            return sorted(name for name in os.listdir(self.cache)
                          if not name.startswith(".") and name != "index")
        except FileNotFoundError:
            return []

    def settled(self):
        """Entries, once nobody adds any more."""
        kit.background_ends(int(self.pid))
        return self.entries()

    def path(self, name):
        return os.path.join(self.cache, name)

    def bytes(self, name):
        with open(self.path(name), "rb") as f:
            return f.read()

    def put(self, name, data):
        with open(self.path(name), "wb") as f:
            f.write(data)

    def all(self):
        cold = self.skeletons("--no-cache")
        self.tap.ok(isinstance(cold, list) and len(cold) > 3
                    and not self.entries(),
                    "--no-cache leaves nothing behind", cold)
        first = self.skeletons()
        names = self.settled()
        self.tap.ok(first == cold and len(names) >= 2,
                    "the first capture fills it", names)
        times = [os.stat(self.path(n)).st_mtime_ns for n in names]
        self.tap.ok(self.skeletons() == cold, "a warm one is the same")
        self.tap.ok(self.settled() == names and times == [
            os.stat(self.path(n)).st_mtime_ns for n in names],
                    "and adds nothing")
        self.private(names)
        self.lies(cold, names)
        self.together(cold)
        self.quota(cold)
        self.places(cold)

    def private(self, names):
        modes = {stat.S_IMODE(os.stat(self.path(n)).st_mode) for n in names}
        modes.add(stat.S_IMODE(os.stat(self.cache).st_mode) & 0o77)
        self.tap.ok(modes == {0o600, 0}, "it is the user's own", modes)

    def lies(self, cold, names):
        good = {name: self.bytes(name) for name in names}
        large = sorted((n for n in names if len(good[n]) > HEAD + ID),
                       key=lambda n: len(good[n]))
        one, other = large[0], large[-1]
        self.put(one, good[one][:HEAD + ID] + good[other][HEAD + ID:])
        used = self.skeletons()
        self.tap.ok(isinstance(used, list) and used != cold,
                    "an entry is used where file and build-id are its own",
                    used)
        wrong = {
            "a changed byte": good[one][:-1] + bytes([good[one][-1] ^ 1]),
            "a changed key": good[one][:HEAD + ID + 40] + b"\0" * 8
                             + good[one][HEAD + ID + 48:],
            "another file's": good[other],
            "another build-id": good[one][:HEAD + 2]
                                + bytes(64) + good[one][HEAD + ID:],
            "one cut short": good[one][:HEAD + ID + RECORD + 1],
            "one cut inside its head": good[one][:HEAD - 3],
            "an empty one": b"",
        }
        for name, data in wrong.items():
            self.put(one, data)
            seen = self.skeletons()
            self.tap.ok(seen == cold, "not believed: " + name, seen)
            self.settled()
        self.put(one, good[one][:HEAD + ID] + good[other][HEAD + ID:])
        os.chmod(self.path(one), 0o666)
        self.tap.ok(self.skeletons() == cold,
                    "not believed: one that anybody can write to")
        self.settled()
        os.remove(self.path(one))
        os.symlink(self.path(other), self.path(one))
        self.tap.ok(self.skeletons() == cold, "not believed: a link")
        self.settled()
        os.remove(self.path(one))

    def together(self, cold):
        for name in self.entries():
            os.remove(self.path(name))
        env = {**os.environ, "INQUEST_CACHE": self.cache}
        both = [subprocess.Popen(
            [self.inquest, "capture", "--memory", "stacks", "-o",
             os.path.join(self.directory, "%d.snap" % k), self.pid],
            env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            for k in range(2)]
        said = [p.communicate(timeout=60)[1] for p in both]
        names = self.settled()
        # One of them may have found the other in its way, and be wrong
        # about nothing: whoever reads sees whole entries only.
        self.tap.ok(names and self.skeletons() == cold,
                    "two at once leave whole entries", said)
        self.settled()

    def quota(self, cold):
        small = 64 << 10
        for name in self.entries():
            os.remove(self.path(name))
        self.put("0-0", bytes(2 * small))
        os.utime(self.path("0-0"), (1, 1))
        self.capture(INQUEST_CACHE_SIZE=str(small))
        self.settled()
        left = sum(os.path.getsize(self.path(n)) for n in self.entries())
        self.tap.ok("0-0" not in self.entries() and left <= small,
                    "no more than INQUEST_CACHE_SIZE, the oldest go: %d"
                    % left)
        self.tap.ok(self.skeletons() == cold, "and nothing is missed")
        self.settled()

    def places(self, cold):
        there = os.path.join(self.directory, "file")
        with open(there, "wb"):
            pass
        for name, value in (("a file", there), ("no directory", "/proc/x/y"),
                            ("none", "")):
            seen = self.skeletons(INQUEST_CACHE=value)
            self.tap.ok(seen == cold, "where INQUEST_CACHE is " + name, seen)
        shared = os.path.join(self.directory, "shared")
        os.mkdir(shared)
        os.chmod(shared, 0o777)
        seen = self.skeletons(INQUEST_CACHE=shared)
        self.tap.ok(seen == cold and not os.listdir(shared),
                    "a directory that others write to is not used", seen)


def main():
    inquest = kit.need_inquest()
    tap = kit.Tap()
    with tempfile.TemporaryDirectory() as directory:
        victim = subprocess.Popen(["sleep", "600"])
        try:
            kit.rests(victim.pid)
            kit.adopt()
            Cache(tap, inquest, directory, victim.pid).all()
        finally:
            victim.kill()
            victim.wait()
    tap.leave()


if __name__ == "__main__":
    main()
