# SPDX-License-Identifier: Apache-2.0
"""
real: programs that nobody here wrote, killed while they work.

Each is started in a directory of its own, left to work until it has used some
processor time, and sent SIGSEGV; the kernel writes the core.
"""

import glob
import json
import os
import shutil
import subprocess
import time

import build
import kit

WORK_SECONDS = 0.4
PATIENCE = 60

PYTHON = r"""
import collections, json, queue, threading, time
quiet = queue.Queue()

def sorting(n):
    while True:
        words = sorted(str(i * 7919 % n) for i in range(n))
        collections.Counter(w[0] for w in words).most_common(3)

def encoding(n):
    text = {"numbers": list(range(n)), "nested": [{"a": [1.5, None]}] * 9}
    while True:
        text = json.loads(json.dumps(text))

def descending(n):
    return 1 if n == 0 else 1 + descending(n - 1)

def recursing(n):
    while True:
        descending(n)

for run, n in ((sorting, 5000), (encoding, 300), (recursing, 200),
               (quiet.get, True), (time.sleep, 3600)):
    threading.Thread(target=run, args=(n,), name=run.__name__).start()
quiet.get()
"""

SQL = """
CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT, value REAL);
CREATE INDEX by_name ON t(name);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n
  WHERE i < 1000000000)
INSERT INTO t SELECT i, 'name ' || (i * 7919 % 100003), i / 3.0 FROM n;
"""


class Missing(Exception):
    """Not to be had on this machine; the text says what."""


class Load:
    """A second program that keeps the first one busy, while in `with`."""

    def __init__(self, argv, cwd=None):
        self.argv, self.cwd = argv, cwd

    def __enter__(self):
        self.process = subprocess.Popen(
            self.argv, cwd=self.cwd, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) if self.argv else None

    def __exit__(self, *_):
        if self.process:
            self.process.kill()
            self.process.wait()


def used_seconds(pid):
    with open("/proc/%d/stat" % pid, encoding="utf-8") as f:
        fields = f.read().rpartition(")")[2].split()
    return int(fields[11]) / os.sysconf("SC_CLK_TCK")


def wait_for(what, true):
    until = time.monotonic() + PATIENCE
    while not true():
        if time.monotonic() > until:
            raise build.Failure("%s: not after %d s" % (what, PATIENCE))
        time.sleep(0.02)


def die_at_work(argv, directory, load=None, ready=lambda: True):
    process = subprocess.Popen(
        argv, cwd=directory, stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        preexec_fn=build.unlimit, env=build.environment())
    try:
        wait_for("%s is ready" % argv[0], ready)
        with Load(load, directory):
            wait_for("%s works" % argv[0],
                     lambda: used_seconds(process.pid) > WORK_SECONDS)
            process.send_signal(11)
            process.wait(PATIENCE)
    finally:
        process.kill()
        process.wait()


def die_python(program, directory):
    die_at_work([program, "-c", PYTHON], directory)


def die_sqlite(program, directory):
    die_at_work([program, os.path.join(directory, "db"), SQL], directory)


def die_redis(program, directory):
    socket = os.path.join(directory, "socket")
    # Its own crash report would test all memory first, for seconds.
    die_at_work([program, "--port", "0", "--unixsocket", "socket",
                 "--save", "", "--crash-memcheck-enabled", "no"],
                directory, ready=lambda: os.path.exists(socket),
                load=["redis-benchmark", "-s", "socket", "-t",
                      "set,get,lpush,lrange", "-n", "100000000", "-q"])


class Real:
    """The same fields as a victim's, for a program of the system."""

    def __init__(self, name, program, package, die, needs=()):
        self.name, self.program, self.package = name, program, package
        self.die = die
        self.needs = (program, *needs)
        self.tags = frozenset()


PROGRAMS = {p.name: p for p in (
    Real("python3", "/usr/bin/python3", "python3", die_python),
    Real("redis-server", "/usr/bin/redis-server", "redis-server", die_redis,
         ["redis-benchmark"]),
    Real("sqlite3", "/usr/bin/sqlite3", "sqlite3", die_sqlite),
)}


def stamp(real):
    status = os.stat(real.program)
    return "%d %d %d %s" % (build.VERSION, status.st_mtime_ns, status.st_size,
                            real.program)


def make(real, directory, want):
    shutil.rmtree(directory, ignore_errors=True)
    os.makedirs(directory)
    if build.core_is_elsewhere():
        raise Missing("core_pattern is '%s'" % build.core_pattern())
    real.die(real.program, directory)
    found = build.find_core(directory)
    if not found:
        raise Missing("%s left no core (a limit?)" % real.name)
    os.replace(found, os.path.join(directory, "core"))
    for path in glob.glob(os.path.join(directory, "db*")):
        os.unlink(path)
    return {"stamp": want, "by": "kernel"}


def ensure(name):
    """The core of a real program, made now unless it is there already."""
    real = PROGRAMS[name]
    for program in real.needs:
        if not shutil.which(program):
            raise Missing("%s is not installed (package %s)"
                          % (program, real.package))
    directory = os.path.join(kit.work_dir("victims"), name)
    with build.locked(directory):
        facts = build.read_facts(directory)
        if facts.get("stamp") != stamp(real):
            facts = make(real, directory, stamp(real))
            with open(os.path.join(directory, "made"), "w",
                      encoding="utf-8") as f:
                json.dump(facts, f)
    made = build.Made(real, directory, facts)
    made.program = os.path.realpath(real.program)
    return made
