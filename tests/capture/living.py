# SPDX-License-Identifier: Apache-2.0
"""living: processes that show that they live, and how their threads fare."""

import contextlib
import mmap
import os
import signal
import struct
import subprocess
import sys
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "victims"))

import kit  # noqa: E402


def program(name):
    """A program of this folder that `make check` has built."""
    path = os.path.join(kit.build_dir(), "tests", "capture", name)
    if not os.access(path, os.X_OK):
        kit.Tap.skip_all(path + " is not built")
    return path


def victim(name, directory):
    """One that is looked at: built here, whatever the flags of the build."""
    path = os.path.join(directory, name)
    if not os.path.exists(path):
        subprocess.run(["gcc", "-O1", "-g", "-D_GNU_SOURCE", "-pthread", "-o",
                        path, os.path.join(HERE, name + ".c")], check=True)
    return path


until, GONE, tids, state, states = (kit.until, kit.GONE, kit.tids, kit.state,
                                    kit.states)


class Busy:
    """`busy HOW N` with its counters mapped."""

    def __init__(self, how, number, directory):
        path = os.path.join(directory, "counters-%s-%d" % (how, number))
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        self.process = subprocess.Popen(
            [victim("busy", directory), how, str(number), path],
            stdin=subprocess.DEVNULL)
        self.pid = self.process.pid
        self.number = number
        until(lambda: os.path.exists(path) and os.stat(path).st_size)
        with open(path, "rb") as f:
            self.counters = mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ)
        until(lambda: self.counter(0))

    def counter(self, k):
        return struct.unpack_from("<Q", self.counters, 8 * k)[0]

    def is_set_up(self, counters):
        return bool(until(lambda: all(self.counter(k)
                                      for k in range(counters))))

    def goes_on(self, counters=1):
        """Every one of its counters still goes up."""
        before = [self.counter(k) for k in range(counters)]
        return bool(until(lambda: all(self.counter(k) > before[k]
                                      for k in range(counters))))

    def end(self):
        self.process.kill()
        self.process.wait()
        self.counters.close()


@contextlib.contextmanager
def busy(how, number, directory):
    it = Busy(how, number, directory)
    try:
        yield it
    finally:
        it.end()


def stopped(pid):
    """Threads that stand still: by a signal, or under a tracer."""
    return [tid for tid, letter in states(pid).items() if letter in "tT"]


def still_stopped(pid):
    """The same, looked at twice: some stop for a moment by themselves."""
    first = set(stopped(pid))
    if not first:
        return []
    time.sleep(0.1)
    return sorted(first & set(stopped(pid)))


def status_field(pid, name):
    """None: there is none, or the process has ended."""
    with contextlib.suppress(*GONE):
        with open("/proc/%d/status" % pid, encoding="utf-8",
                  errors="replace") as f:
            for line in f:
                if line.startswith(name + ":"):
                    return line.split(":", 1)[1].strip()
    return None


def caught(pid, number):
    """Has the process a handler for this signal?"""
    mask = status_field(pid, "SigCgt")
    return bool(mask and int(mask, 16) >> (number - 1) & 1)


def is_seized(pid):
    """How many of its threads have a tracer now."""
    found = 0
    for tid in tids(pid):
        try:
            with open("/proc/%d/task/%d/status" % (pid, tid), "rb") as f:
                found += b"TracerPid:\t0\n" not in f.read()
        except GONE:
            pass
    return found


def wake(pid):
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGCONT)
