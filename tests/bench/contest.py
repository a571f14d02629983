# SPDX-License-Identifier: Apache-2.0
"""
contest: tools take turns at one target, and each run is written down.

One round that is not counted warms files and caches up; what takes SLOW
seconds has done so itself, and counts. A run that failed or was killed keeps
its place in the list with the reason, and no average.
"""

import collections
import contextlib
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import time

import sections
import backtraces
import tools

FILE_BYTES = 6 << 30            # no tool may write a longer one
FREE_BYTES = 16 << 30           # on the disk, or nothing large is written
SECONDS = 180                   # and none may run for longer
SLOW = 3
PAUSE_BETWEEN = 0.2

# Why private memory was left out by choice, in what ours says.
CHOSEN = ("budget", "time", "depth")

MEDIANS = ("wall", "cpu", "rss", "pause_sum_ms", "pause_longest_ms",
           "tick_gap_ms", "inside_ms", "threads", "frames", "bytes", "disk",
           "skeletons", "copied", "modules", "left_out")
# Where the worst run speaks for all.
WORST = ("passed", "ended")


def progress(text):
    """For somebody who waits."""
    if sys.stderr.isatty():
        sys.stderr.write("\r\033[K" + text)
        sys.stderr.flush()


class Gone(Exception):
    """The target ended under the tools."""


def watch(target, argv, directory, stem):
    """What the command cost, and its target, after watch.c."""
    env = {k: v for k, v in os.environ.items()
           if k not in ("DEBUGINFOD_URLS", "LD_PRELOAD")}
    said = subprocess.run(
        [os.path.join(directory, "watch"), str(target.pid or 0),
         target.shared or "-", str(SECONDS), str(FILE_BYTES),
         os.path.join(directory, stem), *argv], env=env, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        cwd=directory)
    if said.returncode:
        raise Gone("%s cannot be looked at any more: %s" % (
            target.label, said.stderr.decode("utf-8", "replace").strip()))
    record = json.loads(said.stdout)
    if not target.pid:
        record["pause_sum_ms"] = record["pause_longest_ms"] = None
    if not target.shared:
        record["tick_gap_ms"] = None
    return record


class Contest:
    def __init__(self, target, chosen, directory, runs):
        self.target, self.directory, self.runs = target, directory, runs
        self.tools = collections.OrderedDict(
            (name, tools.TOOLS[name]) for name in chosen)
        self.records = {name: [] for name in chosen}
        self.skipped, self.notes, self.last = {}, [], {}
        self.idle_gap = self.differing = None

    def run(self):
        self.skipped = {
            name: why for name, why in (
                (name, tools.missing(tool) or self.no_room(tool))
                for name, tool in self.tools.items()) if why}
        names = [name for name in self.tools if name not in self.skipped]
        try:
            if self.target.shared:
                self.idle_gap = self.watch(
                    ["sleep", "1"], "idle")["tick_gap_ms"]
            for turn in range(self.runs + 1):
                for name in names:
                    self.take_turn(turn, name)
        except Gone as gone:
            self.notes.append(str(gone))
        progress("")
        self.compare()

    def take_turn(self, turn, name):
        records = self.records[name]
        if len(records) >= self.runs or any(r["timed_out"] for r in records):
            return
        progress("%s, round %d of %d: %s" % (self.target.label, turn,
                                             self.runs, name.strip()))
        record = self.once(self.tools[name])
        if turn or record["failed"] or record["wall"] > SLOW:
            records.append(record)

    def no_room(self, tool):
        free = shutil.disk_usage(self.directory).free
        if tool.writes and not tools.is_ours(tool) and free < FREE_BYTES:
            return "less than %d GiB free" % (FREE_BYTES >> 30)
        return None

    # ---- one run ----

    def watch(self, argv, stem):
        return watch(self.target, argv, self.directory, stem)

    def once(self, tool):
        out = os.path.join(self.directory, "written")
        path = tools.written(tool, self.target, out)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        try:
            record = self.watch(tool.argv(self.target, out), "run")
            record["failed"] = self.failure(tool, record)
            if not record["failed"]:
                self.read(tool, record, path)
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
        self.settle(tool)
        return record

    def printed(self, suffix):
        with open(os.path.join(self.directory, "run" + suffix), "rb") as f:
            return f.read().decode("utf-8", "replace")

    def failure(self, tool, record):
        if record["timed_out"]:
            return "killed after %d s" % SECONDS
        if record["status"] == -signal.SIGXFSZ:
            return "wrote more than %d GiB" % (FILE_BYTES >> 30)
        if record["status"] not in tool.accepts:
            last = self.printed(".err").strip().splitlines()[-1:]
            return "status %d %s" % (record["status"], " ".join(last)[:100])
        return ""

    def read(self, tool, record, path):
        if tool.writes:
            stat = os.stat(path)
            record["bytes"], record["disk"] = stat.st_size, \
                stat.st_blocks * 512
        seen = None
        if tools.is_ours(tool):
            seen = self.read_ours(record, path)
        elif tool.reader:
            seen = tool.reader.read(self.printed(".out"))
        if seen is not None:
            record.update(backtraces.figures(seen, self.target.entry,
                                         tool.ends_at_main))
            self.last[tool.name] = seen

    def read_ours(self, record, path):
        said = tools.said(self.printed(".out"))
        record["skeletons"], kept = sections.sizes(path)
        if self.target.pid:
            record["inside_ms"] = said.get("pause_ns", 0) / 1e6
            record["left_out"] = sum(
                row["bytes"] for row in said.get("not_copied", ())
                if row["reason"] in CHOSEN)
            # What was copied and not kept is known to the tool alone.
            record["copied"] = said.get(
                "copied", None if record["left_out"] else kept)
        record["modules"] = said.get("modules")
        report = tools.said(subprocess.run(
            [tools.inquest(), "report", "--json", path], check=False,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            timeout=SECONDS).stdout)
        record["stages"] = stages_of(report)
        return backtraces.ours(report)

    def settle(self, tool):
        """The target goes on by itself, or is helped and it is said."""
        time.sleep(PAUSE_BETWEEN)
        if not self.target.pid:
            return
        try:
            with open("/proc/%d/stat" % self.target.pid, "rb") as f:
                state = f.read().rpartition(b")")[2].split()[0]
        except OSError:
            state = b"X"
        if state in b"XZ":
            raise Gone("%s ended after a run of %s" % (self.target.label,
                                                       tool.name))
        if state in b"tT":
            self.notes.append("%s left %s stopped" % (tool.name,
                                                      self.target.label))
            os.kill(self.target.pid, signal.SIGCONT)

    # ---- what comes out ----

    def compare(self):
        """Frame by frame with eu-stack, where the threads stand still."""
        mine = self.last.get(tools.OURS) or self.last.get(tools.IMPORT)
        theirs = self.last.get(tools.EU)
        if not self.target.still or mine is None or theirs is None:
            return
        bad = backtraces.differences(mine, theirs, self.target.moving())
        self.differing = len(bad)
        self.notes.append(
            "every frame of every worker is eu-stack's" if not bad else
            "%d threads differ from eu-stack's, the first: %s" % (
                len(bad), bad[0]))

    def summary(self, name):
        """Medians of the runs that succeeded; None of what nobody said."""
        good = [r for r in self.records[name] if not r["failed"]]
        result = {"good": len(good), "runs": len(self.records[name]),
                  "failures": [r["failed"] for r in self.records[name]
                               if r["failed"]]}
        for key in MEDIANS:
            values = [r[key] for r in good if r.get(key) is not None]
            result[key] = statistics.median(values) if values else None
        for key in WORST:
            shares = [r for r in good if r.get(key) is not None]
            worst = min(shares, key=lambda r: r[key] - r["threads"],
                        default=None)
            result[key] = "%d/%d" % (worst[key], worst["threads"]) \
                if worst else None
            result[key + "_all"] = bool(worst) and worst["threads"] > 0 and \
                worst[key] == worst["threads"]
        result["differing"] = self.differing if self.tools[name].main \
            else None
        seen = [r["stages"] for r in good if r.get("stages")]
        result["stages"] = {key: statistics.median(
            stages.get(key, 0) for stages in seen) for key in
                            (seen[0] if seen else ())}
        return result

    def as_json(self):
        return {"about": self.target.about, "notes": self.notes,
                "skipped": self.skipped, "idle_gap_ms": self.idle_gap,
                "tools": {name: {"summary": self.summary(name),
                                 "runs": self.records[name]}
                          for name in self.tools}}


def stages_of(report):
    """What a capture notes of its own times as attributes, in ms."""
    return {name[8:-3]: value / 1e6
            for name, value in report.get("attributes", {}).items()
            if name.startswith("capture.") and name.endswith("_ns")}


def interrupted(*_):
    sys.exit("ended by a signal")
