# SPDX-License-Identifier: Apache-2.0
"""kit: TAP output, the tests' environment, and running programs in bounds."""

import atexit
import contextlib
import ctypes
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

GIB = 1 << 30
PATIENCE = 60           # seconds to wait for what comes, on a busy machine
SUBREAPER = 36          # see prctl(2)
# Where memory is looked at: the usual limit is short for a busy machine.
UNHURRIED = ("--max-pause", "10s")
# What reading /proc says of a process that ends just then.
GONE = (FileNotFoundError, ProcessLookupError)


class Tap:
    """Prints TAP; leave() prints the plan and ends with the exit status."""

    def __init__(self):
        self.number = 0
        self.failed = 0

    def ok(self, passed, name, detail=""):
        self.number += 1
        if not passed:
            self.failed += 1
        self._line("%sok %d - %s" % ("" if passed else "not ", self.number,
                                     name))
        if not passed:
            self.note(detail)
        return passed

    def skip(self, name, reason):
        self.number += 1
        self._line("ok %d - %s # SKIP %s" % (self.number, name, reason))

    def note(self, text):
        for line in str(text).splitlines():
            self._line("# " + line)

    def leave(self):
        self._line("1..%d" % self.number)
        sys.exit(1 if self.failed else 0)

    @staticmethod
    def skip_all(reason):
        print("1..0 # SKIP " + reason)
        sys.exit(0)

    @staticmethod
    def _line(text):
        # What programs print may hold anything; TAP is one line of text.
        print(text.encode("ascii", "backslashreplace").decode(), flush=True)


def source_dir():
    """The top of the source tree."""
    here = os.path.dirname(os.path.realpath(__file__))
    return os.path.dirname(os.path.dirname(here))


def build_dir():
    path = os.environ.get("BUILDDIR")
    if not path:
        sys.exit("BUILDDIR does not name the build directory")
    return os.path.realpath(path)


def work_dir(*names):
    """A directory of these tests below the build directory, made if absent."""
    path = os.path.join(build_dir(), "tests", "work", *names)
    os.makedirs(path, exist_ok=True)
    return path


def own_dir(*names):
    """One that no other script uses: they run side by side."""
    script = os.path.splitext(os.path.basename(sys.argv[0]))[0]
    folder = os.path.basename(os.path.dirname(os.path.realpath(sys.argv[0])))
    return work_dir("own", "%s-%s" % (folder, script), *names)


def socket_dir():
    """One for sockets: a path of theirs is short, wherever the build is."""
    path = tempfile.mkdtemp(prefix="inquest-")
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return path


def need_inquest():
    """The program under test, or the whole test is skipped."""
    path = os.environ.get("INQUEST")
    if not path:
        Tap.skip_all("INQUEST does not name the program to test")
    if not os.access(path, os.X_OK):
        print("Bail out! INQUEST is not a program: " + path)
        sys.exit(1)
    return os.path.realpath(path)


def need_tool(name):
    path = shutil.which(name)
    if not path:
        Tap.skip_all("%s is not installed" % name)
    return path


def is_sanitized(program):
    """Whether a sanitizer's shadow memory makes address limits meaningless."""
    with open(program, "rb") as f:
        return b"__asan_init" in f.read()


class Result:
    """How a program ended and what it printed."""

    def __init__(self, status, out, err, seconds, peak, timed_out):
        self.status = status        # exit status, or -signal
        self.out, self.err = out, err
        self.seconds = seconds
        self.peak = peak            # bytes, largest process of the tree
        self.timed_out = timed_out

    def __str__(self):
        how = "timed out" if self.timed_out else "status %d" % self.status
        text = "%s after %.1f s, %d MiB" % (how, self.seconds,
                                            self.peak >> 20)
        return "\n".join([text, tail(self.out), tail(self.err)])


def children(pid):
    """None of a process that has ended."""
    try:
        with open("/proc/%d/task/%d/children" % (pid, pid),
                  encoding="ascii") as f:
            return [int(word) for word in f.read().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def until(fact, seconds=PATIENCE):
    """Wait for fact() to be true; its last value."""
    end = time.monotonic() + seconds
    value = fact()
    while not value and time.monotonic() < end:
        time.sleep(0.005)
        value = fact()
    return value


def tids(pid):
    try:
        return sorted(int(t) for t in os.listdir("/proc/%d/task" % pid))
    except GONE:
        return []


def state(pid, tid=None):
    """The letter of proc(5); "X" of one that has ended."""
    try:
        with open("/proc/%d/task/%d/stat" % (pid, tid or pid), "rb") as f:
            return f.read().rpartition(b")")[2].split()[0].decode()
    except GONE:
        return "X"


def states(pid):
    return {tid: state(pid, tid) for tid in tids(pid)}


def rests(pid, letter="S"):
    """Wait until all its threads sleep: what it said comes before that."""
    return until(lambda: set(states(pid).values()) == {letter})


def processor_seconds(pid):
    """That it and what it started took so far, whatever else runs here."""
    total = sum(map(processor_seconds, children(pid)))
    with contextlib.suppress(OSError):
        # The clock of a process, see clock_getcpuclockid(3).
        total += time.clock_gettime(~pid << 3 | 2)
    return total


def adopt():
    """What our programs leave in the background becomes our child."""
    ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)


def background_ends(*known):
    """Wait for all children but those, at a priority at which they end."""
    def left():
        pids = set(children(os.getpid())) - set(known)
        for pid in pids:
            with contextlib.suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, pid, 0)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)
        return pids
    return until(lambda: not left())


def tail(data, limit=2000):
    text = data.decode("utf-8", "replace")
    return text if len(text) <= limit else "[...]" + text[-limit:]


def _collect(pipe, store, limit):
    kept = 0
    while True:
        data = pipe.read1(1 << 16)
        if not data:
            return
        if kept < limit:
            store.append(data)
            kept += len(data)


def _limits(memory):
    def apply():
        os.setsid()
        if memory:
            resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    return apply


def _kill_group(pid):
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def run(argv, timeout=300, cwd=None, env=None, memory=0, merge=False,
        given=b"", keep=64 << 20):
    """
    Run argv with `given` on standard input. After `timeout` seconds its whole
    process group is killed. `memory` is a limit of address space in bytes;
    `merge` sends standard error the way of standard output.
    """
    began = time.monotonic()
    with tempfile.TemporaryFile() as stdin:
        stdin.write(given)
        stdin.seek(0)
        process = subprocess.Popen(
            argv, stdin=stdin, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if merge else subprocess.PIPE, cwd=cwd,
            env=env, preexec_fn=_limits(memory))
    out, err = [], []
    pipes = [(process.stdout, out), (process.stderr, err)][:1 if merge else 2]
    readers = [threading.Thread(target=_collect, args=(pipe, store, keep))
               for pipe, store in pipes]
    for reader in readers:
        reader.start()
    expired = threading.Event()

    def expire():
        expired.set()
        _kill_group(process.pid)

    timer = threading.Timer(timeout, expire)
    timer.start()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    timer.cancel()
    _kill_group(process.pid)
    for reader in readers:
        reader.join()
    for pipe, _ in pipes:
        pipe.close()
    return Result(process.returncode, b"".join(out), b"".join(err),
                  time.monotonic() - began, usage.ru_maxrss * 1024,
                  expired.is_set())
