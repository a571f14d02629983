#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
live: stock gdb says on the snapshot of a live process what it says when it is
attached to that process through gdbserver.

One script of commands (script.py) runs on processes that every debugger finds
in the same state: named threads that wait, with libraries, a dlopen()ed one and
thread-local storage; C++ with containers; signal handlers; stripped, static. It
runs under gdbserver, and on the snapshot over a pipe; of the first also out of
a store over TCP and over a websocket. What differs must stand in
`live-differences`.

  live.py [-v] [VICTIM...]   -v: all outputs
"""

import contextlib
import os
import shlex
import subprocess
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "victims")]

import build    # noqa: E402
import compare  # noqa: E402
import kit      # noqa: E402
import script   # noqa: E402
import session  # noqa: E402
import table    # noqa: E402

WORDS = ("one argument", "*")
# As many at least, none of them twice.
COMMANDS = 75
GDBSERVER_TRIES = 20
# The one that is also opened out of a store, which shows the same.
SERVED = "waiting"


def stay():
    """On one processor: the kernel writes its number into a thread's memory
    (rseq) whenever that thread runs on another."""
    os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])


@contextlib.contextmanager
def running(made):
    process = subprocess.Popen(
        [made.program, *WORDS], cwd=made.directory, stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, env=build.environment(), preexec_fn=stay)
    try:
        process.stdout.readline()
        kit.rests(process.pid)
        yield process
    finally:
        process.stdin.close()
        process.kill()
        process.wait()


@contextlib.contextmanager
def serving(inquest, store):
    """The addresses of a server, for HTTP and for RSP."""
    process = subprocess.Popen(
        [inquest, "serve", "--store", store, "--http", "127.0.0.1:0",
         "--rsp", "127.0.0.1:0"], stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        yield dict(process.stdout.readline().split()[-2:] for _ in range(2))
    finally:
        process.terminate()
        process.wait()


class Live:
    def __init__(self, tap, inquest, verbose, rules, name):
        self.tap, self.inquest, self.verbose = tap, inquest, verbose
        self.made = build.ensure(name)
        self.commands = script.looks(self.made.victim.tags)
        self.judge, self.name = rules, name
        self.seen = []

    def ok(self, passed, name, detail):
        return self.tap.ok(passed, "%s: %s" % (self.name, name), detail)

    def capture(self, pid):
        path = os.path.join(kit.work_dir("gdb"), self.name + ".snap")
        result = kit.run([self.inquest, "capture", *kit.UNHURRIED, str(pid),
                          "-o", path])
        self.ok(result.status == 0, "a live process is captured", result)
        return path

    def gdb(self, opening, memory, **more):
        return session.run(["file " + self.made.program, *opening,
                            session.PRINTERS], self.commands, memory, **more)

    def under_gdbserver(self, pid, memory):
        """Once more where it tells nothing of processes because one of them,
        of somebody else, has control characters in its command line."""
        for _ in range(GDBSERVER_TRIES):
            judge = self.gdb(["target remote | gdbserver --attach - %d" % pid],
                             memory, cwd=self.made.directory)
            if b"not well-formed" not in judge.result.out:
                break
        return judge

    def compare(self, mode, judge, ours):
        diffs = [self.judge.unexplained(self.name, mode, command, one, other)
                 for (command, one), (_, other) in zip(judge.outputs,
                                                       ours.outputs)]
        diffs = [d for d in diffs if d]
        self.seen.append((self.name, mode))
        whole = ours.result.status == 0 and \
            all(out is not None for _, out in ours.outputs)
        self.ok(whole and not diffs, "%s: gdb says what it says under "
                "gdbserver, %d commands" % (mode, len(ours.outputs)),
                "%s\n%s" % ("\n".join(diffs), ours.result))
        if self.verbose:
            for command, out in ours.outputs:
                self.tap.note("==== %s\n%s" % (command, out))

    def stored(self, snapshot):
        store = os.path.join(kit.work_dir("gdb"), self.name + ".store")
        subprocess.run(["rm", "-rf", store], check=True)
        result = kit.run([self.inquest, "put", "--store", store, snapshot])
        self.ok(result.status == 0, "the snapshot is stored", result)
        return store, result.out.split()[0].decode()

    def served(self, snapshot, judge, memory):
        store, name = self.stored(snapshot)
        with serving(self.inquest, store) as where:
            with open(os.path.join(store, "token"), encoding="ascii") as f:
                token = f.read().strip()
            url = "http://%s/p/default/%s?token=%s" % (where["http"], name,
                                                       token)
            tcp = ["target extended-remote " + where["rsp"],
                   "monitor auth " + token, "monitor open " + name]
            self.compare("tcp", judge, self.gdb([*tcp, "attach 1"], memory))
            pipe = "target remote | %s rsp %s" % (shlex.quote(self.inquest),
                                                  shlex.quote(url))
            self.compare("websocket", judge, self.gdb([pipe], memory))

    def all(self):
        many = len(set(self.commands))
        self.ok(many >= COMMANDS, "%d different commands" % many, "")
        with running(self.made) as process:
            memory = session.mappings_of(process.pid)
            snapshot = self.capture(process.pid)
            self.ok(kit.rests(process.pid),
                    "its threads wait as before", kit.states(process.pid))
            judge = self.under_gdbserver(process.pid, memory)
        missing = [c for c, out in judge.outputs if out is None]
        if not self.ok(not missing, "gdb under gdbserver carries out %d "
                       "commands" % len(judge.outputs), judge.result):
            return
        pipe = session.remote(self.inquest, snapshot)
        self.compare("pipe", judge, self.gdb([pipe], memory))
        if self.name == SERVED:
            self.served(snapshot, judge, memory)


def stale(tap, rules, seen):
    for name in rules.stale(seen):
        tap.ok(False, "the listed difference '%s' occurs" % name,
               "take it out of tests/gdb/live-differences")


def main():
    names = [word for word in sys.argv[1:] if word != "-v"]
    inquest = kit.need_inquest()
    for tool in ("gdb", "gdbserver", "gcc"):
        kit.need_tool(tool)
    tap, seen = kit.Tap(), []
    rules = compare.Judge(compare.read_list(os.path.join(
        HERE, "live-differences")))
    for name in names or table.LIVE:
        live = Live(tap, inquest, "-v" in sys.argv, rules, name)
        live.all()
        seen += live.seen
    if not names:
        stale(tap, rules, seen)
    tap.leave()


if __name__ == "__main__":
    main()
