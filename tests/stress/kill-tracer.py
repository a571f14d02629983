#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
kill-tracer: `inquest capture` is killed at random moments, and nobody is left
stopped or dead.

  kill-tracer.py [--kills N] [--threads N,N…] [--memory KIND,KIND…] [--seed N]
                 [--tool inquest|gdb|eu-stack]

Kills are shared out among steady victims of so many threads and one of each
that starts and ends threads all the time; the kinds of memory take turns. What
other tools leave is told, and is no failure. 20 to 120 ms after a kill every
thread's state is looked at; one that is stopped is looked at again 100 ms
later before it counts. How many kills met a tool that had attached is told:
without such the run would prove nothing.
"""

import argparse
import contextlib
import os
import random
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [os.path.join(os.path.dirname(HERE), name)
                for name in ("capture", "victims")]

import kit     # noqa: E402
import living  # noqa: E402

SILENT = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL,
          "stderr": subprocess.DEVNULL}


def words_of(inquest, path, memory, pid):
    """What each of the tools is called with."""
    return {
        "inquest": [inquest, "capture", pid, "-o", path, "--memory", memory],
        "gdb": ["gdb", "-q", "-nx", "-batch", "-p", pid, "-ex",
                "thread apply all bt"],
        "eu-stack": ["eu-stack", "-p", pid],
    }


class Campaign:
    def __init__(self, inquest, options, directory):
        self.inquest, self.directory = inquest, directory
        self.name = options.tool
        self.kinds = options.memory.split(",")
        self.rng = random.Random(options.seed)
        self.kills = self.attached = self.left = self.dead = 0

    def tool(self, victim):
        path = os.path.join(self.directory, "killed.snap")
        # What a killed one left is not what this is about.
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        memory = self.kinds[self.kills % len(self.kinds)]
        words = words_of(self.inquest, path, memory, str(victim.pid))
        return subprocess.Popen(words[self.name], **SILENT)

    def window(self, victim):
        """(until it attaches, until it has let go) in seconds."""
        for _ in range(20):
            first, last = self.watched(victim)
            if last > first > 0:
                break
        return first, last

    def watched(self, victim):
        began = time.monotonic()
        first = last = None
        tool = self.tool(victim)
        while tool.poll() is None:
            if living.status_field(victim.pid, "TracerPid") != "0":
                last = time.monotonic() - began
                first = first or last
        return first or 0, last or time.monotonic() - began

    def wait(self, tool, victim, window):
        """Any moment, or one of those after it was seen to attach."""
        if self.rng.random() < 0.3:
            time.sleep(self.rng.uniform(0, 1.1 * window[1]))
            return
        while (tool.poll() is None and
               living.status_field(victim.pid, "TracerPid") == "0"):
            pass
        end = (time.monotonic()
               + self.rng.uniform(0, 0.8) * (window[1] - window[0]))
        while time.monotonic() < end:
            pass

    def kill_one(self, victim, window):
        tool = self.tool(victim)
        self.wait(tool, victim, window)
        tracer = living.status_field(victim.pid, "TracerPid") != "0"
        tool.kill()
        tool.wait()
        self.kills += 1
        self.attached += tracer
        time.sleep(self.rng.uniform(0.02, 0.12))
        left = living.still_stopped(victim.pid)
        if left:
            self.left += 1
            print("left stopped: threads %s of %d" % (left[:8], victim.pid))
            living.wake(victim.pid)

    def victim(self, how, threads, kills):
        before = self.attached
        with living.busy(how, threads, self.directory) as victim:
            victim.is_set_up(threads)
            window = self.window(victim)
            for _ in range(kills):
                self.kill_one(victim, window)
            alive = victim.process.poll() is None and victim.goes_on(threads)
        if not alive:
            self.dead += 1
        print("%-7s %4d threads: %4d kills, %4d of them attached (from %.1f to "
              "%.1f ms)%s" % (how, threads, kills, self.attached - before,
                              1e3 * window[0], 1e3 * window[1],
                              "" if alive else "; it does not go on"))


def main():
    inquest = os.environ.get("INQUEST")
    if not inquest:
        sys.exit("INQUEST does not name the program to test")
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--threads", default="1,32,128,512")
    parser.add_argument("--memory", default="reachable,full,stacks")
    parser.add_argument("--tool", default="inquest",
                        choices=("inquest", "gdb", "eu-stack"))
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    counts = [int(n) for n in options.threads.split(",")]
    victims = [(how, n) for n in counts for how in ("threads", "spawn")]
    kit.need_tool("gcc")
    if options.tool != "inquest":
        kit.need_tool(options.tool)
    with tempfile.TemporaryDirectory(prefix="inquest-kill-") as directory:
        campaign = Campaign(os.path.realpath(inquest), options, directory)
        for k, (how, threads) in enumerate(victims):
            share = (options.kills * (k + 1) // len(victims)
                     - options.kills * k // len(victims))
            campaign.victim(how, threads, share)
    print("%d kills, %d of a tool that had attached: %d left a thread stopped, "
          "%d victims do not go on" % (campaign.kills, campaign.attached,
                                       campaign.left, campaign.dead))
    # Fewer would say little about what happens in mid-attach.
    enough = campaign.attached * 10 >= campaign.kills
    if not enough:
        print("too few kills met an attached tool")
    failed = not enough or campaign.left or campaign.dead
    sys.exit(1 if failed and options.tool == "inquest" else 0)


if __name__ == "__main__":
    main()
