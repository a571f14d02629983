#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
dap: what our debug adapter costs, beside lldb-vscode on the same core.

  dap.py [--runs N] [--json FILE] [--list] [ROW...]

Who is asked takes turns; figures are medians and are worth something on a quiet
machine. The first row is a whole session: start the adapter, open the core,
wait until it is stopped, 20 frames, the locals of the first one; ours with
indexes of symbols that were made before. The others are requests of one
session, and 100 sessions over websockets, each with BENCH_RATE (5) requests a
second for BENCH_SECONDS (10). Fails where a goal is missed that does not depend
on the machine: sizes and ratios.
"""

import argparse
import datetime
import json
import operator
import os
import platform
import random
import re
import select
import selectors
import shutil
import statistics
import subprocess
import sys
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE] + [os.path.join(os.path.dirname(HERE), folder)
                         for folder in ("victims", "serve", "dap")]

import build   # noqa: E402
import client  # noqa: E402
import kit     # noqa: E402
import rounds  # noqa: E402
import served  # noqa: E402

OURS, THEIRS = "inquest dap", "lldb-vscode"
RIVALS = ("lldb-vscode-14", "lldb-vscode")
SESSIONS = 100
RATE = float(os.environ.get("BENCH_RATE", "5"))
SECONDS = float(os.environ.get("BENCH_SECONDS", "10"))
MAY_BE = 20             # seconds that anything may take


# ---- a client that costs little: bytes, and no more JSON than it must ------------

class Quick:
    """Requests over a pipe; answers are taken apart only where they are
    wanted."""

    def __init__(self, argv, env=()):
        self.process = subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, env=rounds.environment(env), bufsize=0)
        self.data, self.seq = b"", 0

    def request(self, command, **arguments):
        self.seq += 1
        return self.seq, json.dumps({
            "seq": self.seq, "type": "request", "command": command,
            "arguments": arguments}).encode()

    def send(self, *texts):
        self.process.stdin.write(b"".join(
            b"Content-Length: %d\r\n\r\n%s" % (len(t), t) for t in texts))

    def next(self):
        """The bytes of a message."""
        end = time.monotonic() + MAY_BE
        while time.monotonic() < end:
            head, found, rest = self.data.partition(b"\r\n\r\n")
            if found:
                n = int(head.rpartition(b":")[2])
                if len(rest) >= n:
                    self.data = rest[n:]
                    return rest[:n]
            if not select.select([self.process.stdout], [], [], MAY_BE)[0]:
                break
            more = os.read(self.process.stdout.fileno(), 1 << 20)
            if not more:
                break
            self.data += more
        raise rounds.Failed("it said no more")

    def answer(self, seq):
        """(its bytes, seconds that it took from now)"""
        began, mark = time.monotonic(), b'"request_seq":%d,' % seq
        while True:
            text = self.next()
            # Some write their members in the order of the alphabet.
            if mark in text[:400] or mark in text[-200:]:
                return text, time.monotonic() - began

    def ask(self, command, **arguments):
        seq, text = self.request(command, **arguments)
        self.send(text)
        return json.loads(self.answer(seq)[0])["body"]

    def timed(self, command, **arguments):
        """(milliseconds, bytes) of a request and its answer."""
        seq, text = self.request(command, **arguments)
        began = time.monotonic()
        self.send(text)
        answer, _ = self.answer(seq)
        return 1000 * (time.monotonic() - began), answer

    def event(self, name):
        while True:
            message = json.loads(self.next())
            if message.get("event") == name:
                return message["body"]

    def start(self, **attach):
        """Up to the stop; its thread."""
        self.send(self.request("initialize", **client.HELLO)[1])
        seq, text = self.request("attach", **attach)
        self.send(text)
        done = self.request("configurationDone")[1]
        if attach:          # lldb-vscode is ready when attach is done
            self.answer(seq)
        self.send(done)
        return self.event("stopped")["threadId"]

    def end(self):
        self.process.kill()
        self.process.wait()


def first_look(argv, env, **attach):
    """Start → stopped + 20 frames + locals."""
    began = time.monotonic()
    c = Quick(argv, env)
    try:
        thread = c.start(**attach)
        stopped = time.monotonic() - began
        c.ask("threads")
        frames = c.ask("stackTrace", threadId=thread, startFrame=0,
                       levels=20)["stackFrames"]
        scopes = c.ask("scopes", frameId=frames[0]["id"])["scopes"]
        reference = next(s["variablesReference"] for s in scopes
                         if s["name"] == "Locals")
        rows = c.ask("variables", variablesReference=reference)["variables"]
        wall = time.monotonic() - began
        # lldb-vscode has them among the locals.
        for reference in (s["variablesReference"] for s in scopes
                          if s["name"] == "Arguments"):
            rows += c.ask("variables", variablesReference=reference)[
                "variables"]
    finally:
        c.end()
    if len(frames) < 20 or not rows:
        raise rounds.Failed("%d frames, %d locals" % (len(frames),
                                                      len(rows)))
    return {"wall": wall, "stopped": stopped, "frames": len(frames),
            "locals": len(rows), "told": {
                "frames": [(f["name"].partition("(")[0], f["line"])
                           for f in frames],
                "locals": sorted({v["name"].partition("@")[0].partition(
                    " @ ")[0] for v in rows})}}


# ---- rows ---------------------------------------------------------------------------

class Bench:
    def __init__(self, runs):
        self.inquest, self.runs = kit.need_inquest(), runs
        self.env = {"INQUEST_CACHE": kit.work_dir("bench-dap", "cache")}
        self.rival = next(filter(None, map(shutil.which, RIVALS)), None)
        self.report = {"load": os.getloadavg()[0], "machine":
                       "%s, %d processors" % (platform.release(),
                                              os.cpu_count()),
                       "time": datetime.datetime.now().isoformat(),
                       "rows": {}}

    def made(self, name):
        """(victim, snapshot)"""
        made = build.ensure(name)
        path = os.path.join(kit.work_dir("bench-dap"), name + ".snap")
        if os.path.exists(path):
            os.unlink(path)
        result = kit.run([self.inquest, "import", made.core, "-o", path])
        if result.status:
            sys.exit("import: %s" % result)
        return made, path

    def session(self, name):
        c = Quick([self.inquest, "dap", self.made(name)[1]], self.env)
        return c, c.start()

    def measure(self, rivals, label):
        """The medians of who took turns."""
        taken = rounds.alternate(rivals, self.runs, label)
        return {who: records if isinstance(records, str) or not records
                else {**rounds.medians(records), "worst": max(
                    r["wall"] for r in records)}
                for who, records in taken.items()}

    # ---- each yields what is told and kept ----

    def first(self):
        made, path = self.made("spoken")
        rivals = {
            OURS + ", the core": lambda: first_look(
                [self.inquest, "dap", made.core], self.env),
            OURS + ", a snapshot": lambda: first_look(
                [self.inquest, "dap", path], self.env),
        }
        if self.rival:
            rivals[THEIRS] = lambda: first_look(
                [self.rival], {}, program=made.program, coreFile=made.core,
                stopOnEntry=True)
        measured = self.measure(rivals, "first look")
        if self.rival:
            self.report["agreement"] = agreement(*(
                rivals[who]()["told"] for who in (OURS + ", the core",
                                                  THEIRS)))
        return measured

    def overview(self):
        def first():
            c, _ = self.session("spoken")
            try:
                ms, text = c.timed("inquest/overview")
            finally:
                c.end()
            return {"wall": ms / 1000, "ms": ms, "bytes": len(text)}

        def again():
            ms, text = c.timed("inquest/overview")
            return {"wall": ms / 1000, "ms": ms, "bytes": len(text)}
        c, _ = self.session("spoken")
        try:
            return self.measure({"the first time": first, "again": again},
                                "overview")
        finally:
            c.end()

    def rows(self):
        """1,000 elements: built (tests/dap/speak), and with the way there
        and back."""
        core = self.made("spoken")[0].core
        speak = os.path.join(kit.build_dir(), "tests", "dap", "speak")

        def built(expression):
            def take():
                record = rounds.once([speak, "time", core, expression,
                                      "1000"])
                ms, size = map(float, re.fullmatch(
                    rb"([\d.]+) ms, (\d+) bytes\n", record["out"]).groups())
                return {"wall": ms / 1000, "ms": ms, "bytes": size}
            return take
        c, thread = self.session("spoken")
        frame = c.ask("stackTrace", threadId=thread, levels=1)[
            "stackFrames"][0]["id"]
        reference = {e: c.ask("evaluate", expression=e, frameId=frame)[
            "variablesReference"] for e in ("many", "pairs")}

        def of(expression, count):
            def take():
                ms, text = c.timed(
                    "variables", variablesReference=reference[expression],
                    start=random.randrange(9000), count=count)
                return {"wall": ms / 1000, "ms": ms, "bytes": len(text)}
            return take
        try:
            return self.measure({
                "1,000 integers, built": built("many"),
                "1,000 structures, built": built("pairs"),
                "1,000 integers": of("many", 1000),
                "1,000 structures": of("pairs", 1000),
                "one integer": of("many", 1)}, "variables")
        finally:
            c.end()

    def threads(self):
        def take(ask):
            c, _ = self.session("fivehundred")
            try:
                began = time.monotonic()
                n = ask(c)
                wall = time.monotonic() - began
            finally:
                c.end()
            if n != 500:
                raise rounds.Failed("%d threads have frames" % n)
            return {"wall": wall, "ms": 1000 * wall}

        def one_by_one(c):
            ids = [t["id"] for t in c.ask("threads")["threads"]]
            asked = [c.request("stackTrace", threadId=t, startFrame=0,
                               levels=1) for t in ids]
            c.send(*(text for _, text in asked))
            return sum(b'"instructionPointerReference"' in c.answer(seq)[0]
                       for seq, _ in asked)

        def by_groups(c):
            groups = c.ask("inquest/threadGroups")["groups"]
            return sum(g.get("count", len(g["threads"])) for g in groups)
        return self.measure({
            "threads, a frame of each": lambda: take(one_by_one),
            "inquest/threadGroups": lambda: take(by_groups)}, "500 threads")

    def sessions(self):
        shop = served.Shop(self.inquest, "bench-dap", victim="spoken")
        server = served.Server(shop, rsp="none")
        crowd = Crowd(server, served.object_path(shop, end="/dap"))
        try:
            return {"100 sessions": crowd.measure()}
        except (OSError, EOFError, ValueError, RuntimeError) as why:
            return {"100 sessions": "%s: %s" % (type(why).__name__, why)}
        finally:
            crowd.close()
            server.end()


def agreement(ours, theirs):
    same = sum(map(operator.eq, ours["frames"], theirs["frames"]))
    both = set(ours["locals"]) & set(theirs["locals"])
    return "of %d frames %d have the same name and line, of %d locals %d are" \
        " there, too" % (len(theirs["frames"]), same,
                         len(theirs["locals"]), len(both))


# ---- many websockets --------------------------------------------------------------------

class Sitter:
    """A session over a websocket: one request at a time."""

    def __init__(self, server, path, n):
        door = client.Web(server, path, server.token)
        if door.status != 101:
            raise RuntimeError("the upgrade was answered with %s"
                               % door.status)
        c = client.Client(door)
        c.judge = Blind()
        thread = c.start()["threadId"]
        frame = c.stack(thread, levels=20)[0]["id"]
        reference = c.scopes(frame)["Locals"]["variablesReference"]
        self.mix = [("stackTrace", {"threadId": thread, "levels": 20}),
                    ("scopes", {"frameId": frame}),
                    ("variables", {"variablesReference": reference}),
                    ("evaluate", {"expression": "n->next->id", "frameId":
                                  frame, "context": "watch"})]
        self.c, self.socket, self.turn = c, door.ws.s, n
        self.asked, self.data = 0, b""

    def ask(self):
        command, arguments = self.mix[self.turn % len(self.mix)]
        self.turn += 1
        self.asked = time.monotonic()
        self.c.request(command, arguments)

    def heard(self):
        """Milliseconds, once the answer is whole."""
        self.data += self.socket.recv(1 << 17)
        at = 0
        while True:
            if len(self.data) < at + 2:
                return None
            first, n = self.data[at], self.data[at + 1]
            extra = {126: 2, 127: 8}.get(n, 0)
            if extra:
                n = int.from_bytes(self.data[at + 2:at + 2 + extra], "big")
            at += 2 + extra + n
            if len(self.data) < at:
                return None
            if first & 0x80:
                self.data = self.data[at:]
                return 1000 * (time.monotonic() - self.asked)


class Blind:
    @staticmethod
    def faults(_):
        return []


class Crowd:
    def __init__(self, server, path):
        self.server, self.path, self.all = server, path, []

    def measure(self):
        began = time.monotonic()
        for n in range(SESSIONS):
            self.all.append(Sitter(self.server, self.path, n))
        opened = time.monotonic() - began
        taken = sorted(self.run())
        return {"wall": statistics.median(taken) / 1000,
                "opened": opened / SESSIONS, "requests": len(taken),
                "ms": statistics.median(taken),
                "p99": taken[len(taken) * 99 // 100], "most": taken[-1]}

    def run(self):
        now = time.monotonic()
        end, step = now + SECONDS, 1 / RATE
        due = [(now + step * k / SESSIONS, s) for k, s in
               enumerate(self.all)]
        taken = []
        with selectors.DefaultSelector() as ready:
            for s in self.all:
                ready.register(s.socket, selectors.EVENT_READ, s)
            while now < end:
                while due and due[0][0] <= now:
                    at, s = due.pop(0)
                    if s.asked:     # it is late: that counts in its answer
                        due.append((now + step / 4, s))
                        break
                    s.ask()
                    due.append((at + step, s))
                wait = max(0, due[0][0] - time.monotonic()) if due else 0.01
                for key, _ in ready.select(min(wait, 0.05)):
                    ms = key.data.heard()
                    if ms is not None:
                        taken.append(ms)
                        key.data.asked = 0
                now = time.monotonic()
        return taken

    def close(self):
        for s in self.all:
            s.c.door.close()


# ---- what is said --------------------------------------------------------------------------

TITLES = {
    "first": "start → stopped, 20 frames, locals",
    "overview": "inquest/overview",
    "rows": "variables",
    "threads": "500 threads, each with its frame",
    "sessions": "%d sessions, %g requests a second each" % (SESSIONS, RATE),
}
COLUMNS = (("wall", "ms", 1000), ("stopped", "stopped", 1000),
           ("worst", "worst", 1000), ("bytes", "bytes", 1),
           ("p99", "p99 ms", 1), ("most", "most ms", 1),
           ("opened", "to open", 1000), ("requests", "requests", 1))


def table(title, measured):
    columns = [c for c in COLUMNS if any(
        not isinstance(m, str) and c[0] in m for m in measured.values())]
    print("\n%-34.34s" % title + "".join("%11s" % c[1] for c in columns))
    for who, row in measured.items():
        if isinstance(row, str) or not row:
            print("  %-32s %s" % (who, row or "was not run"))
            continue
        print("  %-32s" % who + "".join(
            "%11s" % ("%.*f" % (0 if by == 1 and row[k] > 1000 else 2,
                                row[k] * by) if k in row else "-")
            for k, _, by in columns))


def figure(report, row, who, key, by=1):
    measured = report["rows"].get(row, {}).get(who)
    return measured[key] * by if isinstance(measured, dict) and \
        key in measured else None


def goals(report):
    """(text, figure, limit, unit, whether another machine may say so)"""
    core, theirs = OURS + ", the core", figure(report, "first", THEIRS,
                                               "wall")
    ours = figure(report, "first", core, "wall")
    yield "the core → stopped, frames, locals", ours and ours * 1000, 50, \
        "ms", True
    yield "  beside lldb-vscode", ours and theirs and ours / theirs, 1 / 6, \
        "", False
    yield "overview, the first time", figure(
        report, "overview", "the first time", "ms"), 20, "ms", True
    yield "  its size", figure(report, "overview", "the first time",
                               "bytes", 1 / 1024), 64, "KiB", False
    for name in ("1,000 integers, built", "1,000 structures, built"):
        yield "variables: " + name, figure(report, "rows", name, "ms"), 1, \
            "ms", True
    yield "500 threads with a frame each", figure(
        report, "threads", "threads, a frame of each", "ms"), 30, "ms", True
    yield "100 websockets: p99 of a request", figure(
        report, "sessions", "100 sessions", "p99"), 20, "ms", True


def verdicts(report):
    for text, value, limit, unit, loose in goals(report):
        if value:
            yield {"goal": text, "figure": value, "limit": limit,
                   "unit": unit, "met": value <= limit, "machine": loose}


def tell_goals(found):
    print("\n%-44s %12s %12s" % ("goal", "measured", "limit"))
    for goal in found:
        print("%-44s %12.4g %12.4g %-4s %s" % (
            goal["goal"], goal["figure"], goal["limit"], goal["unit"],
            "met" if goal["met"] else "NOT MET"))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("rows", nargs="*", metavar="ROW", help=", ".join(
        TITLES))
    parser.add_argument("--runs", type=int,
                        default=int(os.environ.get("BENCH_RUNS", "9")))
    parser.add_argument("--json")
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args()
    if options.list:
        for name, title in TITLES.items():
            print("%-10s %s" % (name, title))
        return
    bench = Bench(options.runs)
    print("load %.1f, %s" % (bench.report["load"], bench.report["machine"]))
    for name in options.rows or TITLES:
        measured = getattr(bench, name)()
        bench.report["rows"][name] = measured
        table(TITLES[name], measured)
        if name == "first" and "agreement" in bench.report:
            print("  beside %s: %s" % (THEIRS, bench.report["agreement"]))
    bench.report["goals"] = list(verdicts(bench.report))
    tell_goals(bench.report["goals"])
    if options.json:
        with open(options.json, "w", encoding="utf-8") as f:
            json.dump(bench.report, f, indent=2)
    sys.exit(any(not (g["met"] or g["machine"])
                 for g in bench.report["goals"]))


if __name__ == "__main__":
    main()
