# SPDX-License-Identifier: Apache-2.0
"""
rounds: commands that take turns, and what each costs.

One round that is not counted warms files up; what takes SLOW seconds has done
so itself, counts, and is done at most SLOW_RUNS times.
"""

import contextlib
import os
import resource
import selectors
import signal
import statistics
import subprocess
import time

import contest
import kit

SECONDS = 300           # and none may run for longer
GIB = 4                 # of address space, for each
SLOW, SLOW_RUNS = 3, 2
MIB = float(1 << 20)


class Failed(Exception):
    """A command that did not do what it was to do, and why."""


def limited():
    os.setsid()
    resource.setrlimit(resource.RLIMIT_AS, (GIB << 30, GIB << 30))


def environment(more=()):
    env = {k: v for k, v in os.environ.items() if k != "DEBUGINFOD_URLS"}
    return {**env, "LC_ALL": "C.UTF-8", **dict(more)}


class Output:
    """What a command says, when `mark` first stood in it, and its text."""

    def __init__(self, process, mark, began):
        self.text, self.at = bytearray(), None
        self.mark, self.began = mark, began
        with selectors.DefaultSelector() as ready:
            ready.register(process.stdout, selectors.EVENT_READ)
            while ready.select(max(0, began + SECONDS - time.monotonic())):
                data = os.read(process.stdout.fileno(), 1 << 20)
                if not data:
                    return
                self.take(data)
        raise Failed("not done after %d s" % SECONDS)

    def take(self, data):
        self.text += data
        if self.at is None and (not self.mark or self.mark in self.text):
            self.at = time.monotonic() - self.began


def once(argv, given=None, mark=b"", env=(), accepts=(0,)):
    """Its wall and CPU seconds, the seconds to `mark`, RSS, and output."""
    began = time.monotonic()
    with open(given or os.devnull, "rb") as stdin, subprocess.Popen(
            argv, stdin=stdin, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, env=environment(env),
            preexec_fn=limited) as process:
        try:
            output = Output(process, mark, began)
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    wall = time.monotonic() - began
    if process.returncode not in accepts:
        raise Failed("status %d" % process.returncode)
    if mark and output.at is None:
        raise Failed("says nothing of %r" % mark)
    return {"wall": wall, "cpu": usage.ru_utime + usage.ru_stime,
            "first": output.at or wall, "rss": usage.ru_maxrss / 1024,
            "out": bytes(output.text)}


# ---- memory of several processes at once ----

def tree(pid):
    found = [pid]
    for child in kit.children(pid):
        found += tree(child)
    return found


def most(pid):
    with contextlib.suppress(OSError, ValueError, IndexError), \
            open("/proc/%d/status" % pid, encoding="ascii",
                 errors="replace") as f:
        return next((int(line.split()[1]) / 1024 for line in f
                     if line.startswith("VmHWM")), 0)
    return 0


def resident(argv, env=()):
    """MiB at the most, each process's summed: no less than they had at once.
    A process that lives for less than a look is missed; the largest counts as
    the kernel says."""
    seen = {}
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL,
                          env=environment(env)) as process:
        status = 0
        while not status:
            for pid in tree(process.pid):
                seen[pid] = max(seen.get(pid, 0), most(pid))
            status, _, usage = os.wait4(process.pid, os.WNOHANG)
        process.returncode = 0
    largest = max(seen.values(), default=0)
    return sum(seen.values()) - largest + max(largest,
                                              usage.ru_maxrss / 1024)


# ---- turns ----

def alternate(rivals, runs, label=""):
    """rivals: {name: function that gives a dict}. {name: its dicts, or why}"""
    results = {name: [] for name in rivals}
    for turn in range(runs + 1):
        for name, take in rivals.items():
            had = results[name]
            if isinstance(had, str) or len(had) >= runs or (
                    len(had) >= SLOW_RUNS and had[-1]["wall"] > SLOW):
                continue
            contest.progress("%s, round %d of %d: %s" % (label, turn, runs,
                                                         name))
            try:
                record = take()
            except (Failed, OSError) as why:
                results[name] = str(why)
                continue
            if turn or record["wall"] > SLOW:
                had.append(record)
    contest.progress("")
    return results


def medians(records):
    """Of every number that all of them have."""
    keys = [key for key, value in records[0].items()
            if isinstance(value, (int, float))]
    return {key: statistics.median(r[key] for r in records) for key in keys}
