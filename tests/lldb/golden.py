#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
golden: stock lldb says on a snapshot what it says on the process.

One script (commands.py) runs in lldb on a process under lldb-server, and then
in lldb on the stub over a snapshot of that process: one that waits, and others
that crashed, of which the kernel wrote a core as lldb let them go on. Twice:
by gdb-remote alone, and by `inquest lldb`. What differs must stand in
`differences`.

  golden.py [-v] [NAME...]   those victims; -v: all outputs
"""

import contextlib
import glob
import json
import os
import re
import socket
import subprocess
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
TESTS = os.path.dirname(HERE)
sys.path[:0] = [HERE, os.path.join(TESTS, "gdb"),
                os.path.join(TESTS, "victims")]

import build     # noqa: E402
import commands  # noqa: E402
import compare   # noqa: E402
import kit       # noqa: E402
import live      # noqa: E402
import lldbkit   # noqa: E402

DRIVER = os.path.join(HERE, "driver.py")
CRASHED = ("threads", "containers", "static", "heaplist")
MODES = ("bare", "verb")
# What carries no information: lldb numbers values as it goes on; processes
# are shown with 1000000000 added.
NORMAL = (
    (re.compile(r"^(\([^\n]*?\)) \$\d+ ="), r"\1 $ ="),
    (re.compile(r"\b1000(\d{6})\b"),
     lambda m: m[1].lstrip("0") or "0"),
)


def by_name(text):
    """Registers in one order, whatever their sets and their sizes are."""
    lines = re.sub(r"\b0x0*(?=[0-9a-f])", "0x", text).splitlines()
    return "".join(line.strip() + "\n" for line in sorted(lines)
                   if line.strip() and not line.endswith(":"))


IMAGE = r"^\["


def in_order(text, start):
    """Blocks that begin with such a line, sorted by address or by words."""
    head, *blocks = re.split("(?m)(?=%s)" % start, text)
    return head + "".join(sorted(blocks, key=lambda block: (
        start == IMAGE and re.findall("0x[0-9a-f]+", block), block)))


# Threads and images are numbered as lldb comes to know them.
BLOCKS = (
    ("thread list", r"^[* ] thread #"),
    ("thread backtrace all", r"^[* ] thread #"),
    ("process status", r"^[* ] thread #"),
    ("thread backtrace unique", r"^\d+ thread\(s\)"),
    ("image list", IMAGE),
    ("image lookup", r"^\d+ (?:match|symbols)"),
    ("target modules lookup", r"^\d+ match"),
)


THREADS = re.compile(r"thread(?:\(s\))?(?: #\d+)+")


def normal(command, text, ranks):
    for pattern, replacement in NORMAL:
        text = re.sub(pattern, replacement, text)
    text = THREADS.sub(lambda m: re.sub(
        r"(?<=#)\d+", lambda n: ranks.get(int(n[0]), n[0]), m[0]), text)
    if command.startswith("register read"):
        return by_name(text)
    if command.startswith("image list"):
        text = re.sub(r"(?m)^\[ *\d+\]", "[]", text)
    for name, start in BLOCKS:
        if command.startswith(name):
            text = in_order(re.sub(r"(?m)^[*](?= thread)", " ", text), start)
    return text


def ranks_of(pairs):
    """lldb's number of each thread to its place by its id."""
    said = next((out for c, out in pairs if c == "thread list"), None)
    found = re.findall(r"thread #(\d+): tid = (\d+)", said or "")
    tids = sorted(int(tid) for _, tid in found)
    return {int(n): "T%03d" % tids.index(int(tid)) for n, tid in found}


def python_path():
    """Where lldb's own Python module is, and what that imports; lldb 14 of
    Debian does not know."""
    found = sorted(glob.glob("/usr/lib/llvm-*/lib/python3*/*-packages/lldb/"
                             "embedded_interpreter.py"))
    return os.path.dirname(os.path.dirname(found[-1])) + \
        ":/usr/lib/python3/dist-packages" if found else None


class Run:
    """What lldb said to each command."""

    def __init__(self, outputs, result):
        self.outputs, self.result = outputs, result


def carry_out(opening, script, argv=("lldb",), before=(), after=()):
    """What is said to `before` and `after` counts for nothing."""
    home = kit.own_dir("home")
    paths = {"INQ_SCRIPT": os.path.join(home, "commands"),
             "INQ_OUT": os.path.join(home, "said")}
    with open(paths["INQ_SCRIPT"], "w", encoding="utf-8") as f:
        json.dump([*before, *script, *after], f)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(paths["INQ_OUT"])
    words = [*argv, "--no-lldbinit", "-b"]
    for command in (*opening, "command script import " + DRIVER):
        words += ["-o", command]
    env = dict(lldbkit.environment(home), PYTHONPATH=python_path(), **paths)
    result = kit.run(words, timeout=300, cwd="/", env=env, merge=True)
    try:
        with open(paths["INQ_OUT"], encoding="utf-8") as f:
            pairs, _ = compare.parse(f.read(), [*before, *script])
    except FileNotFoundError:
        pairs = [(command, None) for command in [*before, *script]]
    ranks = ranks_of(pairs)
    return Run([(c, out and normal(c, out, ranks))
                for c, out in pairs[len(before):]], result)


@contextlib.contextmanager
def server(*words, cwd="/"):
    """lldb-server's address; it serves one debugger, which asks until it is
    there."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        where = "127.0.0.1:%d" % s.getsockname()[1]
    words = [where if word is None else word for word in words]
    process = subprocess.Popen(
        [lldb_server(), "gdbserver", *words], stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        cwd=cwd, preexec_fn=build.unlimit,
        env=build.environment())
    try:
        yield where
    finally:
        process.kill()
        process.wait()


def lldb_server():
    for name in ("lldb-server", "lldb-server-14"):
        path = kit.shutil.which(name)
        if path:
            return path
    return None


class Golden:
    def __init__(self, tap, inquest, verbose):
        self.tap, self.inquest, self.verbose = tap, inquest, verbose
        self.judge = compare.Judge(compare.read_list(
            os.path.join(HERE, "differences")))
        self.seen = []
        self.table = []

    def ours(self, mode, snapshot, script):
        if mode == "verb":
            return carry_out((), script, (self.inquest, "lldb", snapshot))
        with lldbkit.listening(self.inquest, snapshot) as where:
            return carry_out(("gdb-remote " + where,), script)

    def compare(self, name, snapshot, theirs):
        script = [c for c, _ in theirs.outputs]
        missing = [c for c, out in theirs.outputs if out is None]
        if not self.tap.ok(not missing, "%s: lldb under lldb-server carries "
                           "out %d commands" % (name, len(script)),
                           "%s\n%s" % (missing[:1], theirs.result)):
            return
        for mode in MODES:
            ours = self.ours(mode, snapshot, script)
            self.judged(name, mode, theirs, ours)

    def judged(self, name, mode, theirs, ours):
        diffs = []
        for (command, one), (_, other) in zip(theirs.outputs, ours.outputs):
            diffs.append(self.judge.unexplained(name, mode, command, one,
                                                other))
            if self.verbose:
                self.tap.note("==== %s\n%s" % (command, other))
        self.seen.append((name, mode))
        same = sum(compare.normal(one or "") == compare.normal(other or "")
                   for (_, one), (_, other) in zip(theirs.outputs,
                                                   ours.outputs))
        self.table.append((name, mode, len(diffs), same,
                           len(diffs) - same - sum(map(bool, diffs)),
                           sum(map(bool, diffs))))
        diffs = [d for d in diffs if d]
        self.tap.ok(not diffs, "%s, %s: lldb says what it says under "
                    "lldb-server, %d commands" % (name, mode,
                                                  len(ours.outputs)),
                    "%d differ\n%s" % (len(diffs), "\n".join(diffs)))

    def waiting(self):
        made = build.ensure("waiting")
        script = commands.commands(made.victim.tags)
        path = os.path.join(kit.work_dir("lldb"), "waiting.snap")
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        with live.running(made) as process:
            result = kit.run([self.inquest, "capture", str(process.pid),
                              "-o", path])
            self.tap.ok(result.status == 0, "a live process is captured",
                        result)
            with server("--attach", str(process.pid), None) as where:
                theirs = carry_out(("gdb-remote " + where,), script)
        self.compare("waiting", path, theirs)

    def crashed(self, name):
        """Letting it go on makes it die, and the kernel write its core."""
        made = build.ensure(name)
        if made.by != "kernel":
            self.tap.skip(name, "core by " + made.by)
            return
        script = commands.commands(made.victim.tags)
        directory = kit.work_dir("lldb", "dies-" + name)
        kit.run(["rm", "-rf", directory])
        kit.shutil.copytree(made.directory, directory,
                            ignore=kit.shutil.ignore_patterns("core*"))
        program = os.path.join(directory, name)
        with server(None, "--", program, "one argument", "*",
                    cwd=directory) as where:
            theirs = carry_out(("gdb-remote " + where,), script,
                               before=("continue",), after=("continue",))
        found = build.find_core(directory)
        if self.tap.ok(found, "%s dies and leaves a core" % name,
                       theirs.result):
            self.compare(name, found, theirs)

    def stale(self):
        for name in self.judge.stale(self.seen):
            self.tap.ok(False, "the listed difference '%s' occurs" % name,
                        "take it out of tests/lldb/differences")


def main():
    names = [a for a in sys.argv[1:] if a != "-v"]
    inquest = kit.need_inquest()
    for tool in ("lldb", "gcc"):
        kit.need_tool(tool)
    if not lldb_server():
        kit.Tap.skip_all("lldb-server is not installed")
    if not python_path():
        kit.Tap.skip_all("lldb has no Python (python3-lldb)")
    tap = kit.Tap()
    golden = Golden(tap, inquest, "-v" in sys.argv)
    for name in names or ["waiting", *CRASHED]:
        if name == "waiting":
            golden.waiting()
        else:
            golden.crashed(name)
    if not names:
        golden.stale()
    tap.note("%-12s %-6s %8s %8s %8s %8s" % ("program", "mode", "commands",
                                             "same", "listed", "differ"))
    for row in golden.table:
        tap.note("%-12s %-6s %8d %8d %8d %8d" % row)
    tap.leave()


if __name__ == "__main__":
    main()
