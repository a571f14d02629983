#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
sessions: what a served session costs. Prints figures, and fails where one is
beyond what is promised.

BENCH_SESSIONS (200) debuggers on BENCH_SNAPSHOTS (50) snapshots, each reading
8 bytes of memory BENCH_RATE (20) times a second for BENCH_SECONDS (10); what a
worker keeps for itself; five times gdb beside them; 1,000 idle websockets.
"""

import os
import re
import statistics
import subprocess
import sys
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "serve"))

import served                   # noqa: E402
from served import build, kit   # noqa: E402


def setting(name, usual):
    return int(os.environ.get("BENCH_" + name, usual))


SESSIONS = setting("SESSIONS", 200)
SNAPSHOTS = setting("SNAPSHOTS", 50)
SECONDS = setting("SECONDS", 10)
RATE = setting("RATE", 20)
IDLE = setting("IDLE", 1000)
READ_MS, SESSION_KIB, IDLE_KIB = 5.0, 256, 16
VICTIMS = ("jump", "threads", "handler", "containers", "static")


def rollup(pid, name):
    """KiB of a line of smaps_rollup."""
    with open("/proc/%d/smaps_rollup" % pid, encoding="ascii") as f:
        return int(re.search(name + r":\s+(\d+) kB", f.read()).group(1))


class Bench:
    def __init__(self, inquest):
        self.failed = False
        self.shop = served.Shop(inquest, "bench", ())
        self.ids = [self.make(inquest, k) for k in range(SNAPSHOTS)]
        self.server = served.Server(self.shop)

    def make(self, inquest, number):
        core = build.ensure(VICTIMS[number % len(VICTIMS)]).core
        path = os.path.join(self.shop.dir, "made.snap")
        kit.run([inquest, "import", "--kv", "number=%d" % number, "-o", path,
                 core])
        id_ = self.shop.put(path)
        os.unlink(path)
        return id_

    def tell(self, text, value, limit, unit):
        fits = value <= limit
        self.failed |= not fits
        print("%-44s %9.3f %s  (at most %g)%s" % (
            text, value, unit, limit, "" if fits else "  MISSED"))

    def gdb(self):
        began = time.monotonic()
        runs = [subprocess.Popen(
            ["gdb", "-nx", "-batch", "-ex", "target extended-remote "
             + self.server.rsp, "-ex", "monitor auth " + self.server.token,
             "-ex", "monitor open " + id_, "-ex", "attach 1", "-ex", "bt"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL) for id_ in self.ids[:5]]
        good = sum(b"#1 " in r.communicate(timeout=120)[0] for r in runs)
        print("%-44s %9d of %d right, %.2f s" % (
            "gdb beside them", good, len(runs), time.monotonic() - began))
        self.failed |= good != len(runs)

    def sessions(self):
        load = os.path.join(kit.build_dir(), "tests", "bench", "load")
        began = time.monotonic()
        with subprocess.Popen(
                [load, self.server.rsp.rsplit(":", 1)[1], self.server.token,
                 str(SESSIONS), str(SECONDS), str(RATE)], text=True,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            process.stdin.write("\n".join(self.ids) + "\n\n")
            process.stdin.flush()
            if process.stdout.readline() != "ready\n":
                sys.exit("the sessions did not come about")
            took = time.monotonic() - began
            print("%-44s %9.3f s, %.1f ms each" % (
                "%d sessions on %d snapshots are attached" % (
                    SESSIONS, SNAPSHOTS), took, 1000 * took / SESSIONS))
            process.stdin.write("go\n")
            process.stdin.flush()
            n, errors, p50, p99, most = map(
                float, process.stdout.readline().split())
            print("%-44s %9.0f, %.0f wrong" % ("small reads", n, errors))
            print("%-44s %9.3f ms" % ("  median", p50))
            self.tell("  p99", p99, READ_MS, "ms")
            print("%-44s %9.3f ms" % ("  longest", most))
            self.failed |= errors > 0 or n < SESSIONS
            self.memory()
            self.gdb()

    def memory(self):
        dirty = [rollup(w, "Private_Dirty")
                 for w in served.workers(self.server)]
        self.tell("private memory of a session, median",
                  statistics.median(dirty), SESSION_KIB, "KiB")
        print("%-44s %9.3f KiB" % ("  largest", max(dirty)))

    def idle(self):
        path = "/p/default/%s/rsp" % self.ids[0]
        first = served.Websocket(self.server, path, self.server.token)
        before = served.resident(self.server.process.pid)
        idle = [served.Websocket(self.server, path, self.server.token)
                for _ in range(IDLE)]
        grown = served.resident(self.server.process.pid) - before
        self.tell("an idle websocket of %d" % IDLE, grown / IDLE / 1024,
                  IDLE_KIB, "KiB")
        for w in [first, *idle]:
            w.close()


def main():
    inquest = kit.need_inquest()
    kit.need_tool("gcc")
    kit.need_tool("gdb")
    bench = Bench(inquest)
    bench.sessions()
    bench.idle()
    status, _, err = bench.server.end()
    if status or bench.failed:
        sys.exit("a figure is beyond what is promised\n" + err)


if __name__ == "__main__":
    main()
