#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
kill: the server is killed at random moments, while clients read and objects
are put: all of its processes end, and every object that was acknowledged is
there, bit for bit.

  kill.py [--count N] [--seed N]
"""

import argparse
import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))

import served           # noqa: E402
from served import kit  # noqa: E402

LONGEST = 0.12          # seconds from the first client, or answer, to the kill


def family(pid):
    found = [pid]
    for child in kit.children(pid):
        found += family(child)
    return found


def is_gone(pid):
    """Or waits for whoever inherited it to look."""
    try:
        with open("/proc/%d/stat" % pid, encoding="ascii") as f:
            return f.read().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


class Kills:
    def __init__(self, inquest, seed):
        self.shop = served.Shop(inquest, "kill")
        self.random = random.Random(seed)
        self.number = 0
        self.acknowledged = {}
        self.made = 0
        self.met = 0            # kills while a client was being served
        self.trouble = []
        path = os.path.join(self.shop.dir, "original.snap")
        kit.run([inquest, "import", self.shop.core, "-o", path])
        self.original = path

    def fresh_snapshot(self):
        """Another file each time: an attribute differs."""
        self.made += 1
        path = os.path.join(self.shop.dir, "%d.snap" % self.made)
        kit.run([self.shop.inquest, "import", "--kv", "n=%d" % self.made,
                 self.original, "-o", path])
        return path

    def put(self, path):
        with open(path, "rb") as f:
            digest = hashlib.sha256(f.read()).hexdigest()
        result = kit.run([self.shop.inquest, "put", "--store", self.shop.dir,
                          path])
        if result.status == 0:
            self.acknowledged[result.out.split()[0].decode()] = digest
        else:
            self.trouble.append(str(result))
        os.unlink(path)

    def read(self, server, answered, ended):
        """Clients of both kinds, until the server is no more."""
        try:
            while not ended.is_set():
                server.ask(served.object_path(self.shop, end=""),
                           server.token)
                r = served.open_rsp(server)
                r.ask("?")
                answered.set()
                r.ask("m0,10")
                r.close()
        except (OSError, EOFError, RuntimeError, AttributeError, TypeError):
            pass

    def once(self):
        path = self.fresh_snapshot()
        server = served.Server(self.shop)
        answered, ended = threading.Event(), threading.Event()
        reader = threading.Thread(target=self.read, daemon=True,
                                  args=(server, answered, ended))
        putter = threading.Thread(target=self.put, args=(path,))
        reader.start()
        putter.start()
        self.number += 1
        if self.number % 2 == 0:
            # However slow this machine is just now.
            answered.wait(served.DEADLINE)
        time.sleep(self.random.uniform(0, LONGEST))
        below = family(server.process.pid)
        self.met += len(below) > 2
        server.end(signal.SIGKILL)
        ended.set()
        reader.join()
        putter.join()
        if not served.until(lambda: all(map(is_gone, below))):
            self.trouble.append("left: %s" % list(filter(
                lambda p: not is_gone(p), below)))

    def lost(self):
        """Acknowledged objects that are not what was put."""
        found = []
        for name, digest in self.acknowledged.items():
            got = kit.run([self.shop.inquest, "get", "--store", self.shop.dir,
                           "-o", "-", name])
            if got.status or hashlib.sha256(got.out).hexdigest() != digest:
                found.append("%s: %s" % (name, got.status))
        return found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=10)
    parser.add_argument("--seed", type=int, default=20260101)
    options = parser.parse_args()
    inquest = kit.need_inquest()
    kit.need_tool("gcc")
    tap = kit.Tap()
    kills = Kills(inquest, options.seed)
    for _ in range(options.count):
        kills.once()
    tap.ok(not kills.trouble, "%d kills, %d of them with a session: all "
           "processes end, and puts go on" % (options.count, kills.met),
           "\n".join(kills.trouble))
    tap.ok(kills.met, "some kills met a session")
    lost = kills.lost()
    tap.ok(not lost, "%d objects were acknowledged, and are as they were put"
           % len(kills.acknowledged), "\n".join(lost))
    result = subprocess.run([inquest, "store", "verify", "--store",
                             kills.shop.dir], stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, check=False)
    tap.ok(result.returncode == 0, "the store is whole", result.stdout)
    shutil.rmtree(kills.shop.dir, ignore_errors=True)
    tap.leave()


if __name__ == "__main__":
    main()
