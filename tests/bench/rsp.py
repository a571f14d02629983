#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
rsp: what our stub costs beside gdbserver and lldb-server, side by side.

  rsp.py [--runs N] [--json FILE]

One program of 101 threads and BENCH_MIB (64) of memory lives under gdbserver
and lldb-server; its snapshot is served by ours. Who answers takes turns;
figures are medians. The same debugger, and the same plain client (reads.c),
talk to all of them over TCP. CPU seconds of who answers (of small reads: for
100,000) say more than times do where the machine is not quiet. Packets are
counted apart from the times, by a proxy. Fails where a goal is missed that
does not depend on the machine: packets.
"""

import argparse
import collections
import contextlib
import json
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [os.path.join(os.path.dirname(HERE), "victims")]

import kit      # noqa: E402

THREADS = 101
MIB = int(os.environ.get("BENCH_MIB", "64"))
SECONDS = "1"           # of small reads
MOMENTS = 4             # snapshots of a series
STEP_MS = 20
OURS, GDBSERVER, LLDB_SERVER = "inquest", "gdbserver", "lldb-server"
# gdb as `inquest gdb` sets it up; without, it asks for 64 bytes of a stack at
# a time, whoever answers.
SETTINGS = ["-iex", "set dcache line-size 4096"]
PACKETS = {"gdb": 1300, "inquest gdb": 1100, "lldb": 330}
# What gdb asks of each thread, whoever answers: is it alive, it is meant, its
# registers, lines of its stack. Nothing that a stub says makes gdb 13 ask less.
OF_THREADS = (b"T", b"Hg", b"g#", b"m")
ENV = {k: v for k, v in os.environ.items() if k != "DEBUGINFOD_URLS"}
QUIET = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL,
         "stderr": subprocess.DEVNULL}

# name, who answers, unit, which ratio to the best of the others is the goal
ROWS = (
    ("gdb: open, bt of all threads", (OURS, GDBSERVER), "s", 1.0),
    ("lldb: open, bt of all threads", (OURS, LLDB_SERVER), "s", None),
    ("all memory by x", (OURS, LLDB_SERVER), "MB/s", 5.0),
    ("all memory by m", (OURS, GDBSERVER, LLDB_SERVER), "MB/s", 5.0),
    ("8 bytes, one under way", (OURS, GDBSERVER, LLDB_SERVER), "1/s", 3.0),
    ("8 bytes, 16 under way", (OURS, GDBSERVER, LLDB_SERVER), "1/s", None),
)
# Beside which of them the goal is.
BESIDE = {"all memory by m": GDBSERVER}


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def compiled(name, directory):
    path = os.path.join(directory, name)
    subprocess.run(["gcc", "-O2" if name == "reads" else "-O1", "-g",
                    "-D_GNU_SOURCE", "-pthread", "-o", path,
                    os.path.join(HERE, name + ".c")], check=True)
    return path


def is_listening(port):
    """Without a connection, which would be the only one that it takes."""
    want = "%04X" % port
    with open("/proc/net/tcp", encoding="ascii") as f:
        return any(line.split()[1].endswith(":" + want)
                   and line.split()[3] == "0A" for line in f.readlines()[1:])


def wait_listening(port, process):
    deadline = time.monotonic() + 20
    while not is_listening(port):
        if time.monotonic() > deadline or process.poll() is not None:
            raise RuntimeError("%s does not listen" % process.args)
        time.sleep(0.02)


def cpu_seconds(process):
    """Of a process and its children: its main threads are all they have."""
    total = 0
    for pid in [process.pid, *kit.children(process.pid)]:
        with contextlib.suppress(OSError), \
                open("/proc/%d/schedstat" % pid, encoding="ascii") as f:
            total += int(f.read().split()[0])
    return total / 1e9


class Proxy:
    """Counts the packets that a client sends on its way to `port`."""

    def __init__(self, port):
        self.to, self.count, self.kinds = port, 0, collections.Counter()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        client, _ = self.listener.accept()
        server = socket.create_connection(("127.0.0.1", self.to))
        for s in (client, server):
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        back = threading.Thread(target=self.copy, args=(server, client),
                                daemon=True)
        back.start()
        self.copy(client, server, True)
        back.join(10)

    def copy(self, from_, to, counts=False):
        with contextlib.suppress(OSError):
            while True:
                data = from_.recv(1 << 16)
                if not data:
                    break
                if counts:
                    self.look(data)
                to.sendall(data)
        with contextlib.suppress(OSError):
            to.shutdown(socket.SHUT_WR)


    def look(self, data):
        self.count += data.count(b"$")
        self.kinds.update(re.findall(rb"\$(T|Hg|g#|m)", data))


class Plain:
    """A client that asks for one thing at a time, as gdb does."""

    def __init__(self, port):
        self.s = socket.create_connection(("127.0.0.1", port), 60)
        self.s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.data = b""
        self.ask("QStartNoAckMode")
        self.ask("qSupported:multiprocess+;vContSupported+;swbreak+")

    def ask(self, text):
        self.s.sendall(b"$%s#%02x" % (text.encode(),
                                      sum(text.encode()) & 255))
        return self.next()

    def next(self):
        while True:
            found = re.search(rb"\$([^#]*)#..", self.data, re.S)
            if found:
                self.data = self.data[found.end():]
                return found[1]
            self.data += self.s.recv(1 << 16)

    def resume(self, how):
        """The stop that it ends in."""
        answer = self.ask(how)
        while answer[:1] == b"O":
            answer = self.next()
        return answer


class Bench:
    def __init__(self, inquest, directory, victim, where):
        self.inquest, self.directory = inquest, directory
        self.victim, self.where = victim, where
        self.program = os.path.join(directory, "many")
        self.reads = compiled("reads", directory)
        self.snapshot = os.path.join(directory, "many.snap")
        self.series = os.path.join(directory, "series.snap")
        self.figures = {row[0]: {who: [] for who in row[1]} for row in ROWS}
        self.cpu = {row[0]: {who: [] for who in row[1]} for row in ROWS}
        self.spent = 0
        self.step_ms = []
        self.packets, self.sums, self.frames = {}, set(), {}
        self.kinds = {}
        for path in (self.snapshot, *self.moments()):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
        result = kit.run([inquest, "capture", "--memory", "full",
                          "--copy-limit", "8G", str(victim.pid), "-o",
                          self.snapshot], timeout=120)
        if result.status:
            sys.exit("capture: %s" % result)

    # ---- who answers ----

    @contextlib.contextmanager
    def answering(self, who, argv=None):
        port = free_port()
        address = "127.0.0.1:%d" % port
        argv = argv and [w.format(address=address) for w in argv] or {
            OURS: [self.inquest, "rsp", "--listen", address, self.snapshot],
            GDBSERVER: ["gdbserver", "--attach", address,
                        str(self.victim.pid)],
            LLDB_SERVER: ["lldb-server", "gdbserver", address, "--attach",
                          str(self.victim.pid)],
        }[who]
        process = subprocess.Popen(argv, **QUIET)
        try:
            wait_listening(port, process)
            before = cpu_seconds(process)
            yield port
            self.spent = cpu_seconds(process) - before
        finally:
            # Both let go of the process at this.
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    # ---- who asks ----

    def debugger(self, which, port):
        if which.endswith("gdb"):
            argv = ["gdb", *(SETTINGS if "inquest" in which else ()), "-nx",
                    "-q", "-batch", "-ex", "set width 0", "-ex",
                    "target remote 127.0.0.1:%d" % port,
                    "-ex", "thread apply all bt", "-ex", "disconnect"]
        else:
            argv = ["lldb", "-x", "-X", "-b", "-o", "gdb-remote 127.0.0.1:%d"
                    % port, "-o", "bt all", "-o", "process detach"]
        result = kit.run(argv, timeout=120, merge=True, env=ENV)
        return result

    def timed_debugger(self, which, who, row):
        with self.answering(who) as port:
            result = self.debugger(which, port)
        frames = len(re.findall(rb"^ *\*? *(?:frame )?#\d+", result.out,
                                re.M))
        self.frames.setdefault(row, {})[who] = frames
        return result.seconds

    def counted(self, which, who):
        with self.answering(who) as port:
            proxy = Proxy(port)
            self.debugger(which, proxy.port)
        self.kinds[which, who] = proxy.kinds
        return proxy.count

    def client(self, how, who):
        with self.answering(who) as port:
            text = subprocess.run(
                [self.reads, str(port), how, SECONDS, *self.where],
                stdout=subprocess.PIPE, check=True, timeout=120).stdout
        size, packets, seconds, total = text.split()
        if how in ("small", "burst"):
            self.spent /= int(packets) / 1e5
        else:
            self.sums.add(total)
            return int(size) / float(seconds) / 1e6
        return int(packets) / float(seconds)

    def steps(self):
        """Milliseconds of steps along a series, and how many were steps."""
        result = kit.run([self.inquest, "capture", "--series", str(MOMENTS),
                          "--every", "100ms", "--memory", "full",
                          "--copy-limit", "8G", str(self.victim.pid), "-o",
                          self.series], timeout=240)
        if result.status:
            sys.exit("capture: %s" % result)
        with self.answering(OURS, [self.inquest, "rsp", "--listen",
                                   "{address}", *self.moments()]) as port:
            client = Plain(port)
            client.ask("?")
            took = []
            for how in 3 * ((MOMENTS - 1) * ["vCont;c"] +
                            (MOMENTS - 1) * ["bc"]):
                began = time.monotonic()
                stop = client.resume(how)
                client.ask("g")
                took.append(1000 * (time.monotonic() - began))
                if stop[:1] not in b"ST" or b"replaylog" in stop:
                    sys.exit("a step along a series ends in %r" % stop)
        return took

    def moments(self):
        stem = self.series[:-len(".snap")]
        return ["%s.%04d.snap" % (stem, n + 1) for n in range(MOMENTS)]

    # ---- turns ----

    def once(self, row, who):
        kind = row.split()[-1]
        if row.startswith(("gdb", "lldb")):
            return self.timed_debugger(row.split(":")[0], who, row)
        small = "burst" if " 16 " in row else "small"
        return self.client(kind if kind in "xm" else small, who)

    def run(self, runs, missing):
        self.step_ms = self.steps()
        for turn in range(runs + 1):
            for row, rivals, _, _ in ROWS:
                for who in rivals:
                    if who in missing or (row.startswith("lldb")
                                          and LLDB_SERVER in missing):
                        continue
                    value = self.once(row, who)
                    if turn:    # the first round warms up
                        self.figures[row][who].append(value)
                        self.cpu[row][who].append(self.spent)
        for which, rival in (("gdb", GDBSERVER), ("inquest gdb", GDBSERVER),
                             ("lldb", LLDB_SERVER)):
            for who in (OURS, rival):
                if rival not in missing:
                    self.packets.setdefault(which, {})[who] = \
                        self.counted(which, who)


# ---- telling ----

def ratio(row, medians, unit):
    """Ours beside the best of the others, above 1 where ours is better."""
    others = [v for who, v in medians.items() if who != OURS and v]
    if row in BESIDE and medians.get(BESIDE[row]):
        others = [medians[BESIDE[row]]]
    if not others or not medians.get(OURS):
        return None
    return min(others) / medians[OURS] if unit == "s" \
        else medians[OURS] / max(others)


def tell(bench, runs):
    report = {"runs": runs, "threads": THREADS, "mib": MIB, "rows": [],
              "packets": bench.packets}
    print("%d threads, %d MiB; medians of %d rounds, alternating; ratio: ours "
          "to the best of the others\n(by m: to gdbserver), above 1 is better"
          % (THREADS, MIB, runs))
    print("%-32s %12s %12s %12s %7s %6s" % ("", OURS, GDBSERVER, LLDB_SERVER,
                                            "ratio", "goal"))
    for row, rivals, unit, goal in ROWS:
        medians = {who: statistics.median(v) for who, v in
                   bench.figures[row].items() if v}
        best = ratio(row, medians, unit)
        shape = "%.3f s" if unit == "s" else "%%.0f %s" % unit
        cells = [shape % medians[who] if who in medians else "-"
                 for who in (OURS, GDBSERVER, LLDB_SERVER)]
        print("%-32s %12s %12s %12s %7s %6s" % (
            row, *cells, "%.2f" % best if best else "-", goal or "-"))
        cpu = {who: statistics.median(v) for who, v in
               bench.cpu[row].items() if v}
        print("%-32s %s" % ("  CPU s of who answers", " ".join(
            "%12s" % ("%.3f" % cpu[who] if who in cpu else "")
            for who in (OURS, GDBSERVER, LLDB_SERVER))))
        report["rows"].append({
            "row": row, "unit": unit, "goal": goal, "ratio": best,
            "cpu": cpu, "medians": medians, "all": bench.figures[row],
            "frames": bench.frames.get(row)})
    missed = []
    for which, counts in bench.packets.items():
        limit = PACKETS.get(which)
        print("%-32s %s%s" % (
            "packets of %s" % which, ", ".join(
                "%s %d" % pair for pair in counts.items()),
            ", at most %d" % limit if limit else ""))
        if which.endswith("gdb"):
            kinds = bench.kinds[which, OURS]
            print("%-32s %s; all else %d" % ("  of inquest", ", ".join(
                "%s %d" % (kind.decode().strip("#"), kinds[kind])
                for kind in OF_THREADS), counts[OURS] - kinds.total()))
        if limit and not 0 < counts[OURS] <= limit:
            missed.append(which)
    steps = bench.step_ms
    report["step_ms"] = steps
    print("%-32s %12s   at most %d ms; longest %.1f" % (
        "a step along a series", "%.2f ms" % statistics.median(steps),
        STEP_MS, max(steps)))
    frames = {row: f for row, f in bench.frames.items()}
    print("frames: %s" % "; ".join("%s %s" % (row.split(":")[0], ", ".join(
        "%s %d" % pair for pair in f.items())) for row, f in frames.items()))
    if len(bench.sums) > 1:
        missed.append("memory: not all read the same bytes")
    return report, missed


@contextlib.contextmanager
def living(directory):
    program = compiled("many", directory)
    process = subprocess.Popen([program, str(THREADS), str(MIB)],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        yield process, process.stdout.readline().decode().split()
    finally:
        process.kill()
        process.wait()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int,
                        default=int(os.environ.get("BENCH_RUNS", "5")))
    parser.add_argument("--json")
    options = parser.parse_args()
    inquest = kit.need_inquest()
    for name in ("gdb", "gcc"):
        kit.need_tool(name)
    missing = [name for name in (GDBSERVER, LLDB_SERVER)
               if not shutil.which(name)]
    if not shutil.which("lldb") and LLDB_SERVER not in missing:
        missing.append(LLDB_SERVER)
    for name in missing:
        print("skipped: %s is not installed" % name)
    directory = kit.work_dir("bench-rsp")
    with living(directory) as (victim, where):
        bench = Bench(inquest, directory, victim, where)
        bench.run(options.runs, missing)
    report, missed = tell(bench, options.runs)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as f:
            json.dump(report, f, indent=2)
    if missed:
        sys.exit("missed: " + ", ".join(missed))


if __name__ == "__main__":
    main()
