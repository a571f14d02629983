#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
live: a picture of a running process holds all of its threads, and the process
goes on as it was - also where the picture is refused or the tool is killed.
"""

import ctypes
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "victims")]

import kit     # noqa: E402
import living  # noqa: E402

FAILED, USAGE, NOTFOUND, DENIED = 1, 2, 3, 4
KILLS = 50
PTRACE_TRACEME, PTRACE_SEIZE, PTRACE_DETACH = 0, 0x4206, 17


class Lives:
    def __init__(self, tap, inquest, directory):
        self.tap, self.inquest, self.directory = tap, inquest, directory
        self.take_program = living.program("take")
        self.snapshot = os.path.join(directory, "live.snap")

    def take(self, pid, wrap=(), timeout=60, **env):
        return kit.run([*wrap, self.take_program, self.snapshot, str(pid)],
                       timeout=timeout, env={**os.environ, **env})

    def dump(self):
        return kit.run([self.inquest, "dump", self.snapshot]).out.decode(
            "utf-8", "replace")

    def threads(self):
        """{tid: has registers} of the snapshot."""
        return {int(tid): regsets != "0" for tid, regsets in re.findall(
            r"^thread tid=(\d+) .* regsets=(\d+)", self.dump(), re.M)}

    def all_there(self):
        for n in (1, 9, 32, 128, 512):
            with living.busy("threads", n, self.directory) as victim:
                victim.is_set_up(n)
                result = self.take(victim.pid)
                self.tap.ok(result.status == 0
                            and self.threads() == dict.fromkeys(
                                living.tids(victim.pid), True)
                            and len(living.tids(victim.pid)) == n,
                            "all of %d threads are there" % n, result)
                self.tap.ok(victim.goes_on(n)
                            and not living.still_stopped(victim.pid)
                            and not living.is_seized(victim.pid),
                            "all of %d threads go on" % n)

    def spawning(self):
        for n in (4, 64):
            with living.busy("spawn", n, self.directory) as victim:
                victim.is_set_up(n)
                bad = []
                for _ in range(10):
                    result = self.take(victim.pid)
                    threads = self.threads()
                    if (result.status or len(threads) < n
                            or not all(threads.values())):
                        bad.append((result, threads))
                self.tap.ok(not bad, "threads that come and go: %d and more "
                            "are there, all with registers" % n, bad[:1])
                self.tap.ok(victim.goes_on(n)
                            and not living.still_stopped(victim.pid),
                            "threads that come and go: %d go on" % n)

    def stopped_stays_stopped(self):
        with living.busy("threads", 9, self.directory) as victim:
            victim.is_set_up(9)
            os.kill(victim.pid, signal.SIGSTOP)
            living.until(lambda: set(living.states(victim.pid).values())
                         == {"T"})
            result = self.take(victim.pid)
            self.tap.ok(result.status == 0 and living.until(
                lambda: set(living.states(victim.pid).values()) == {"T"}),
                        "a stopped process stays stopped", result)
            self.tap.ok("state=stopped" in self.dump(),
                        "a stopped process is known as one")
            living.wake(victim.pid)
            self.tap.ok(victim.goes_on(9), "it goes on when it is told to")

    def stopped_and_killed(self):
        """kill -9 of the tool leaves a stopped process stopped, no more."""
        with living.busy("threads", 9, self.directory) as victim:
            victim.is_set_up(9)
            os.kill(victim.pid, signal.SIGSTOP)
            rng = random.Random(7)
            for _ in range(10):
                self.take_and_kill(victim.pid, rng.uniform(0, 0.02))
            self.tap.ok(living.until(
                lambda: set(living.states(victim.pid).values()) == {"T"}),
                        "a stopped process stays so when the tool is killed")
            living.wake(victim.pid)
            self.tap.ok(victim.goes_on(9), "and goes on when it is told to")

    def traced(self):
        libc = ctypes.CDLL(None, use_errno=True)
        libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long,
                                ctypes.c_void_p, ctypes.c_void_p]
        with living.busy("threads", 2, self.directory) as victim:
            if libc.ptrace(PTRACE_SEIZE, victim.pid, None, None):
                self.tap.skip("a traced process", "ptrace is not allowed")
                return
            result = self.take(victim.pid)
            self.tap.ok(result.status == DENIED
                        and b"by process %d (python" % os.getpid()
                        in result.err,
                        "who traces a process already is named", result)
            self.tap.ok(living.is_seized(victim.pid) == 1
                        and victim.goes_on(2),
                        "its tracer keeps it, and it goes on")

    def denied(self):
        with living.busy("threads", 2, self.directory) as victim:
            if os.getuid() != 0:
                self.tap.skip("a process of others", "this is not root")
                return
            result = self.take(victim.pid, wrap=(
                "setpriv", "--bounding-set=-sys_ptrace"))
            self.tap.ok(result.status == DENIED
                        and b"CAP_SYS_PTRACE" in result.err,
                        "a right that is missing is named", result)
            result = self.take(victim.pid, wrap=(
                "setpriv", "--reuid=65534", "--clear-groups",
                "--inh-caps=-all"))
            self.tap.ok(result.status == DENIED
                        and b"belongs to user 0" in result.err,
                        "whose process it is is told", result)
            self.tap.ok(victim.goes_on(2)
                        and not living.is_seized(victim.pid),
                        "a process that was refused goes on")

    def refused(self):
        with living.busy("threads", 2, self.directory) as victim:
            victim.is_set_up(2)
            other = living.tids(victim.pid)[1]
            result = self.take(other)
            self.tap.ok(result.status == NOTFOUND
                        and b"is a thread of process %d" % victim.pid
                        in result.err, "a thread is no process", result)
        result = self.take(victim.pid)
        self.tap.ok(result.status == NOTFOUND
                    and b"there is no process" in result.err,
                    "a process that is gone is not found", result)
        kernel = [int(p) for p in os.listdir("/proc") if p.isdigit()
                  and p == living.status_field(int(p), "Tgid")
                  and living.status_field(int(p), "Kthread") == "1"][:1]
        if not kernel:
            self.tap.skip("a thread of the kernel", "none is in sight")
            return
        result = self.take(kernel[0])
        self.tap.ok(result.status == FAILED and b"of the kernel" in result.err,
                    "a thread of the kernel is told from a process", result)

    def leaderless(self):
        with living.busy("leaderless", 4, self.directory) as victim:
            victim.is_set_up(4)
            living.until(lambda: living.state(victim.pid, victim.pid) == "Z")
            began = time.monotonic()
            result = self.take(victim.pid)
            threads, dump = self.threads(), self.dump()
            self.tap.ok(result.status == 0 and len(threads) == 4
                        and all(threads.values())
                        and time.monotonic() - began < 10,
                        "a process whose first thread has ended",
                        "%s %s" % (result, threads))
            self.tap.ok(b"first thread of process" in dump.encode()
                        and len(re.findall(r"^module ", dump, re.M)) >= 3
                        and len(re.findall(r"^frame ", dump, re.M)) >= 8,
                        "its memory, modules and stacks are those of the "
                        "threads that run", dump[:2000])
            said = kit.run(["gdb", "-nx", "-batch", "-ex", "set sysroot target:",
                            "-ex", "target remote | %s rsp %s"
                            % (self.inquest, self.snapshot),
                            "-ex", "info threads"], merge=True).out
            self.tap.ok(len(re.findall(rb"^[* ] \d +Thread", said, re.M)) == 4
                        and b"unable to open" not in said,
                        "gdb knows those threads, and misses nothing", said)
            self.tap.ok(victim.goes_on(4), "it goes on without that one")

    def at_entry(self):
        """Not one instruction of it has run: the linker has no list yet."""
        ptrace = ctypes.CDLL(None, use_errno=True).ptrace
        pid = os.fork()
        if pid == 0:
            ptrace(PTRACE_TRACEME, 0, None, None)
            os.execv("/bin/sleep", ["sleep", "60"])
        os.waitpid(pid, 0)
        ptrace(PTRACE_DETACH, pid, None, ctypes.c_void_p(signal.SIGSTOP))
        living.until(lambda: living.state(pid, pid) == "T")
        result = self.take(pid)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        self.tap.ok(result.status == 0 and re.search(
            r"^module .* flags=0x4 .* names=1\n  name name=\"/lib64/ld-linux",
            self.dump(), re.M), "at its first instruction, the dynamic linker "
            "has the name that it will give itself", result)

    def hanging(self):
        """The deadline: a thread in vfork() cannot be interrupted."""
        with living.busy("vfork", 1, self.directory) as victim:
            living.until(lambda: living.state(victim.pid, victim.pid) == "D")
            result = self.take(victim.pid, STOP_MS="200")
            dump = self.dump()
            self.tap.ok(result.status == 0 and "capture.incomplete" in dump
                        and "did not stop within 200 ms" in dump,
                        "a thread that does not stop is told of", result)
            self.tap.ok(not living.is_seized(victim.pid),
                        "and it is let go of")
            os.kill(victim.counter(1), signal.SIGKILL)
            self.tap.ok(victim.goes_on(), "and goes on when it can")

    def signals(self):
        """Each of the signals sent while pictures are taken arrives."""
        with living.busy("signals", 1, self.directory) as victim:
            takes = [subprocess.Popen(
                [self.take_program, self.snapshot, str(victim.pid)],
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)]
            sent = 0
            while len(takes) < 20:
                os.kill(victim.pid, signal.SIGRTMIN)
                sent += 1
                if takes[-1].poll() is not None:
                    takes.append(subprocess.Popen(
                        takes[0].args, stdout=subprocess.DEVNULL,
                        stderr=subprocess.DEVNULL))
                time.sleep(0.0002)
            takes[-1].wait()
            living.until(lambda: victim.counter(1) >= sent, 5)
            self.tap.ok(victim.counter(1) == sent,
                        "signals arrive, none twice", "%d of %d" % (
                            victim.counter(1), sent))

    def racing_exec(self):
        with living.busy("exec", 1, self.directory) as victim:
            ends = set()
            for _ in range(30):
                result = self.take(victim.pid)
                ends.add((result.status, result.err))
            wrong = [e for e in ends if e[0] and not re.search(
                rb"begun another program|has ended|mappings is none", e[1])]
            self.tap.ok(not wrong, "a process that begins other programs is "
                        "pictured or refused", wrong)
            self.tap.ok(victim.goes_on() and not living.still_stopped(
                victim.pid), "and goes on")

    def untouched(self):
        """Nothing of ours is in it."""
        def mappings(pid):
            with open("/proc/%d/maps" % pid, "rb") as f:
                return f.read()
        with living.busy("threads", 4, self.directory) as victim:
            victim.is_set_up(4)
            before = mappings(victim.pid)
            result = self.take(victim.pid)
            self.tap.ok(result.status == 0
                        and mappings(victim.pid) == before,
                        "its mappings are as they were", result)

    def bounded(self):
        with living.busy("heap", 200, self.directory) as victim:
            result = self.take(victim.pid, COPY=str(8 << 20))
            limit = (8 + 32) << 20
            if kit.is_sanitized(self.take_program):
                self.tap.skip("memory is bounded", "sanitizers use their own")
            else:
                self.tap.ok(result.status == 0 and result.peak <= limit,
                            "memory is bounded by what is copied", result)
            self.tap.ok("not more than 8388608 were to be copied"
                        in self.dump(), "what is over the limit is told")

    def hurried(self):
        """Threads that alone take longer than a pause may be have stacks."""
        with living.busy("threads", 128, self.directory) as victim:
            victim.is_set_up(128)
            result = self.take(victim.pid, PAUSE_US="1", REACHABLE="1")
            frames = re.search(rb"(\d+) frames", result.out)
            self.tap.ok(result.status == 0 and frames
                        and int(frames.group(1)) >= 3 * 128,
                        "the time is up: all threads have frames", result)
            self.tap.ok("not to stand still for longer than 1 us"
                        in self.dump(), "what there was no time for is told")

    def few_descriptors(self):
        with living.busy("threads", 128, self.directory) as victim:
            victim.is_set_up(128)
            result = self.take(victim.pid, wrap=("prlimit", "--nofile=64"))
            self.tap.ok(result.status == 0 and len(self.threads()) == 128,
                        "64 descriptors are enough", result)

    def take_and_kill(self, pid, delay):
        tool = subprocess.Popen(
            [self.take_program, self.snapshot, str(pid)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(delay)
        tool.kill()
        tool.wait()

    def killed(self):
        rng = random.Random(1)
        for how, n in (("threads", 1), ("threads", 32), ("threads", 128),
                       ("spawn", 16)):
            with living.busy(how, n, self.directory) as victim:
                victim.is_set_up(n)
                left = []
                for _ in range(KILLS // 4 + 1):
                    self.take_and_kill(victim.pid, rng.uniform(0, 0.03))
                    time.sleep(rng.uniform(0.02, 0.12))
                    left += living.still_stopped(victim.pid)
                self.tap.ok(not left and victim.goes_on(n),
                            "the tool is killed: %s of %d go on" % (how, n),
                            left)

    def all(self):
        for part in (self.all_there, self.spawning, self.stopped_stays_stopped,
                     self.stopped_and_killed, self.traced, self.denied,
                     self.refused, self.leaderless, self.at_entry, self.hanging,
                     self.signals, self.racing_exec, self.untouched,
                     self.bounded, self.hurried, self.few_descriptors,
                     self.killed):
            part()


def main():
    inquest = kit.need_inquest()
    kit.need_tool("gcc")
    kit.need_tool("gdb")
    kit.need_tool("setpriv")
    tap = kit.Tap()
    with tempfile.TemporaryDirectory(prefix="inquest-live-") as directory:
        os.chmod(directory, 0o755)
        Lives(tap, inquest, directory).all()
    tap.leave()


if __name__ == "__main__":
    main()
