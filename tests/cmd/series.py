#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
series: snapshots of one process over time: each is whole and knows its place,
and a store keeps once what did not change between them.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [os.path.join(os.path.dirname(HERE), folder)
                for folder in ("victims", "capture")]

import kit     # noqa: E402
import living  # noqa: E402

IDLE, BUSY = 0.05, 0.30         # of the first's bytes that the second may add


class Series:
    def __init__(self, tap, inquest, directory):
        self.tap, self.inquest, self.directory = tap, inquest, directory
        self.env = {**os.environ, "INQUEST_STORE":
                    os.path.join(directory, "store")}

    def run(self, *words, timeout=300):
        return kit.run([self.inquest, *words], cwd=self.directory,
                       env=self.env, timeout=timeout)

    def files(self):
        with living.busy("threads", 4, self.directory) as victim:
            victim.is_set_up(4)
            began = time.monotonic()
            result = self.run("capture", str(victim.pid), "--series", "3",
                              "--every", "300ms")
            took = time.monotonic() - began
        names = ["busy.%d.%04d.snap" % (victim.pid, k) for k in (1, 2, 3)]
        self.tap.ok(result.status == 0
                    and result.out.decode().split() == names,
                    "three files, with their numbers", result)
        self.tap.ok(took >= 0.6, "at their times: %.2f s" % took)
        seen = [self.provenance(name) for name in names]
        self.tap.ok(len({series for series, _ in seen}) == 1
                    and [index for _, index in seen] == ["1", "2", "3"],
                    "one series id, and an index each", seen)
        checked = self.run("check", names[2])
        self.tap.ok(checked.status == 0, "each is whole", checked)

    def provenance(self, name):
        """(series id, index) as the attributes say."""
        report = json.loads(self.run("report", "--json", name).out)
        attributes = report["attributes"]
        return attributes.get("series.id"), attributes.get("series.index")

    def ends(self):
        victim = subprocess.Popen(["sleep", "60"])
        tool = subprocess.Popen(
            [self.inquest, "capture", str(victim.pid), "--series", "100",
             "--every", "100ms"], cwd=self.directory, env=self.env,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(3):
            tool.stdout.readline()
        victim.send_signal(signal.SIGKILL)
        victim.wait()
        _, err = tool.communicate(timeout=60)
        self.tap.ok(tool.returncode == 0 and b"the series ends after" in err,
                    "a process that ends ends the series, and no more", err)

    def interrupted(self, name, victim, every, when, times):
        """As a terminal does it: the whole group gets the signal."""
        place = os.path.join(self.directory, "interrupted-%d" % times)
        os.makedirs(place, exist_ok=True)
        tool = subprocess.Popen(
            [self.inquest, "capture", str(victim), "--series", "9",
             "--every", every, "--memory", "full", "-o",
             os.path.join(place, "x.snap")], env=self.env,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            start_new_session=True)
        when(tool)
        os.killpg(tool.pid, signal.SIGINT)
        if times > 1:
            # Not before the first one was seen.
            living.until(lambda: not living.caught(tool.pid, signal.SIGINT))
            os.killpg(tool.pid, signal.SIGINT)
        out, err = tool.communicate(timeout=300)
        files = sorted(os.listdir(place))
        whole = [self.run("check", os.path.join(place, f)).status == 0
                 for f in files]
        said = (tool.returncode, files, whole, out, err)
        if times > 1:
            self.tap.ok(tool.returncode == -signal.SIGINT and not files,
                        name + ": it ends at once and leaves nothing", said)
        else:
            self.tap.ok(tool.returncode == 0 and len(files) == 1
                        and all(whole) and b"after 1 of 9" in err,
                        name + ": the snapshot is kept, the series ends",
                        said)
        for f in files:
            os.unlink(os.path.join(place, f))

    def interrupts(self):
        def idle(tool):
            tool.stdout.readline()

        def at_work(tool):
            living.until(lambda: kit.children(tool.pid))

        with living.busy("heap", 256, self.directory) as victim:
            self.interrupted("Ctrl-C between two", victim.pid, "60s", idle, 1)
            self.interrupted("Ctrl-C while one is taken", victim.pid, "0ms",
                             at_work, 1)
            self.interrupted("Ctrl-C twice", victim.pid, "0ms", at_work, 2)

    def refused(self):
        for words in (["--every", "1s", "1"], ["--series", "10000", "1"],
                      ["--series", "2", "--every", "soon", "1"],
                      ["--series", "2", "--", "true"]):
            result = self.run("capture", *words)
            self.tap.ok(result.status == 2 and result.err.count(b"\n") == 1,
                        "usage: capture " + " ".join(words), result)

    def shared(self, name, victim, limit):
        result = self.run("capture", str(victim), "--put", "-p", name,
                          "--series", "2", "--every", "1s", "--memory",
                          "full")
        self.tap.ok(result.status == 0 and len(result.out.split()) == 2,
                    name + ": two objects", result)
        first, both = self.stored(name, 1), self.stored(name, 2)
        self.tap.ok((both - first) <= limit * first,
                    "%s: the second adds %.1f %% of the first's %d KiB"
                    % (name, 100 * (both - first) / first, first >> 10))

    def stored(self, project, count):
        """Bytes that a project of a store takes with the first objects."""
        place = os.path.join(self.directory, "copy-%s-%d" % (project, count))
        for k in range(1, count + 1):
            name = os.path.join(self.directory, "%s-%d.snap" % (project, k))
            self.run("get", "%s/%d" % (project, k), "-o", name)
            put = kit.run([self.inquest, "put", "--store", place, name])
            assert put.status == 0, put
        return sum(os.path.getsize(os.path.join(folder, f))
                   for folder, _, found in os.walk(place) for f in found
                   if not f.endswith(".mdb") and "lock" not in f)

    def store(self):
        with living.busy("heap", 32, self.directory) as victim:
            self.shared("idle", victim.pid, IDLE)
        with living.busy("threads", 16, self.directory) as victim:
            victim.is_set_up(16)
            self.shared("busy", victim.pid, BUSY)

    def all(self):
        self.files()
        self.ends()
        self.interrupts()
        self.refused()
        self.store()


def main():
    inquest = kit.need_inquest()
    kit.need_tool("gcc")
    tap = kit.Tap()
    with tempfile.TemporaryDirectory(prefix="inquest-series-",
                                     ignore_cleanup_errors=True) as directory:
        Series(tap, inquest, directory).all()
    tap.leave()


if __name__ == "__main__":
    main()
