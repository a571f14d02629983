#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
around: what a snapshot says of a process's surroundings is what /proc says,
and what is to be redacted is nowhere in it. Snapshots are read by the
independent reader of tests/format.
"""

import contextlib
import os
import re
import resource
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "victims"),
                os.path.join(os.path.dirname(HERE), "format")]

import kit       # noqa: E402
import living    # noqa: E402
import snapread  # noqa: E402

USAGE = 2
KIB = 1024
CANARIES = (b"env-canary-zz", b"KEY-stack-canary-0123",
            b"KEY-heap-canary-4567", b"KEY-border-canary-89",
            b"variable-canary-ab", b"thread-canary-cd", b"later-canary-ef",
            b"KEY-attribute-canary-1", b"KEY-file-canary-2")
RULES = ("env:*_TOKEN", "regex:KEY-[a-z]+-canary-[0-9]+", "symbol:variable",
         "symbol:of_thread")


def proc(pid, name):
    with open("/proc/%d/%s" % (pid, name), "rb") as f:
        return f.read()


class Read:
    """A snapshot through the reader that shares no code."""

    def __init__(self, path):
        with open(os.path.join(snapread.SOURCE, "FORMAT.md"),
                  encoding="utf-8") as f:
            layout = snapread.Layout(f.read())
        with open(path, "rb") as f:
            self.snap = snapread.Snapshot(f.read(), layout)
        self.attributes = {
            row["key"].decode(): row["string"] if row["type"] == 1
            else row["number"] for row in self.snap.rows("ATTRIBUTES")}
        self.texts = {row["name"].decode(): row["bytes"]
                      for row in self.snap.rows("TEXTS")}
        self.notes = [(row["key"].decode(), row["text"].decode())
                      for row in self.snap.rows("NOTES")]

    def everything(self):
        """All bytes that it holds, unpacked."""
        parts = [s.payload() for s in self.snap.sections
                 if self.snap.layout.sections.get(s.type) != "CHUNK_DATA"]
        parts += [self.snap.memory(row) for row in self.snap.rows("MEMORY")
                  if row["kind"] == snapread.DATA]
        return b"\0".join(parts)

    def redacted(self):
        return [row for row in self.snap.rows("MEMORY")
                if row["kind"] == snapread.ABSENT and row["reason"] == 7]


@contextlib.contextmanager
def secrets(directory):
    """The victim, when it has made everything and waits."""
    program = living.victim("secrets", directory)
    ready = os.path.join(directory, "ready")
    with contextlib.suppress(FileNotFoundError):
        os.unlink(ready)
    process = subprocess.Popen([program, ready], stdin=subprocess.DEVNULL,
                               env={**os.environ,
                                    "CANARY_TOKEN": "env-canary-zz"})
    living.until(lambda: os.path.exists(ready) and set(
        living.states(process.pid).values()) == {"S"})
    try:
        yield process
    finally:
        process.kill()
        process.wait()


class Around:
    def __init__(self, tap, inquest, directory):
        self.tap, self.inquest, self.directory = tap, inquest, directory
        self.path = os.path.join(directory, "around.snap")

    def capture(self, pid, *words):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path)
        return kit.run([self.inquest, "capture", *kit.UNHURRIED, "-o",
                        self.path, *words,
                        str(pid)], timeout=60)

    # -- surroundings
    def compare(self, words, wrong):
        self.tap.ok(not wrong, words, "\n".join(map(str, wrong)))

    def expected(self, pid):
        status = dict(line.split(":", 1) for line in proc(
            pid, "status").decode("utf-8", "replace").splitlines())
        number = {k: int(v.split()[0]) for k, v in status.items()
                  if v.split() and v.split()[0].isdigit()}
        uname = os.uname()
        expected = {
            "pid": pid, "process.uid": os.stat("/proc/%d" % pid).st_uid,
            "process.thread.count": number["Threads"],
            "process.cwd": os.getcwd().encode(),
            "descriptor.count": len(os.listdir("/proc/%d/fd" % pid)),
            "application": b"secrets", "cpu.count": os.sysconf(
                "SC_NPROCESSORS_ONLN"),
            "hostname": uname.nodename.encode(),
            "uname.sysname": uname.sysname.encode(),
            "uname.version": uname.release.encode(),
            "uname.machine": uname.machine.encode(),
            "system.memory.total": os.sysconf("SC_PHYS_PAGES")
            * os.sysconf("SC_PAGESIZE"),
            "vm.shared.size": (number["RssFile"] + number["RssShmem"]) * KIB,
        }
        for key, field in (("rss.size", "VmRSS"), ("rss.peak", "VmHWM"),
                           ("vma.size", "VmSize"), ("vma.peak", "VmPeak"),
                           ("data.size", "VmData"), ("stack.size", "VmStk"),
                           ("locked.size", "VmLck"), ("pte.size", "VmPTE"),
                           ("swap.size", "VmSwap")):
            expected["vm." + key] = number[field] * KIB
        return expected

    def attributes(self, pid, read):
        expected = self.expected(pid)
        # To look at a file's page maps it, for the process too.
        slack = {"vm.rss.size": 64 * KIB, "vm.rss.peak": 64 * KIB,
                 "vm.shared.size": 64 * KIB}
        self.compare("attributes are what /proc says", [
            (k, read.attributes.get(k), v) for k, v in expected.items()
            if read.attributes.get(k) != v
            and not abs(read.attributes.get(k, 0) - v) <= slack.get(k, -1)])
        ticks = os.sysconf("SC_CLK_TCK")
        began = int(proc(pid, "stat").rpartition(b")")[2].split()[19]) / ticks
        age = time.clock_gettime(time.CLOCK_BOOTTIME) - began
        start = time.time() - age
        self.tap.ok(abs(read.attributes["process.age"] - age) < 10
                    and abs(read.attributes["process.start"] - start) < 5,
                    "when it began is known",
                    (read.attributes["process.age"], age,
                     read.attributes["process.start"], start))

    def texts(self, pid, read):
        names = ("cmdline", "environ", "limits", "cgroup", "mountinfo",
                 "comm", "coredump_filter", "uid_map", "oom_score_adj")
        self.compare("texts are those of /proc", [
            name for name in names
            if read.texts.get(name, b"") != proc(pid, name)])
        spaces = dict(line.split() for line in
                      read.texts["ns"].decode().splitlines())
        self.compare("namespaces are known", [
            (name, where) for name, where in spaces.items()
            if os.readlink("/proc/%d/ns/%s" % (pid, name)) != where])
        missing = {"system/meminfo", "system/cpuinfo", "system/stat",
                   "system/core_pattern", "root"} - read.texts.keys()
        self.tap.ok(not missing, "the machine is told of", missing)

    def descriptors(self, pid, read):
        rows = [line.split("\t") for line in
                read.texts["fd"].decode().splitlines()[1:]]
        wrong = [row for row in rows
                 if os.readlink("/proc/%d/fd/%s" % (pid, row[0])) != row[3]
                 or ("flags:\t%s\n" % row[1]).encode()
                 not in proc(pid, "fdinfo/" + row[0])]
        self.tap.ok(not wrong and len(rows)
                    == len(os.listdir("/proc/%d/fd" % pid)),
                    "descriptors are told with flags and targets", wrong)
        details = "\n".join(row[4] for row in rows)
        kinds = (r"^tcp 127\.0\.0\.1:\d+ -> 0\.0\.0\.0:0 listen$",
                 r"^unix dgram \w+ @inquest secrets", r"^ count +7$",
                 r"^ watched 1$")
        self.compare("sockets, counters and watches are told",
                     [k for k in kinds if not re.search(k, details, re.M)]
                     and [details])
        self.tap.ok(len(read.texts["net/tcp"].splitlines()) == 2,
                    "of the machine's sockets its own are kept",
                    read.texts["net/tcp"])

    def threads(self, pid, read):
        rows = {int(line.split("\t")[0]): line.split("\t") for line in
                read.texts["threads"].decode().splitlines()[1:]}
        self.tap.ok(sorted(rows) == living.tids(pid)
                    and {len(r) for r in rows.values()} == {7},
                    "every thread has its line", rows)
        held = [text for key, text in read.notes if key == "lock"]
        self.tap.ok(len(held) == 2 and all(
            text.endswith("which thread %d holds" % pid) for text in held),
                    "who holds a mutex that threads wait for is told", held)
        stacks = [row["kernel_stack"] for row in read.snap.rows("THREADS")]
        if os.access("/proc/self/stack", os.R_OK) and os.getuid() == 0:
            self.tap.ok(all(s and b"futex" in s for s in stacks[1:]),
                        "where in the kernel they are is told", stacks)
        else:
            self.tap.skip("stacks of the kernel", "this is not root")

    def surroundings(self):
        with secrets(self.directory) as victim:
            result = self.capture(victim.pid)
            if not self.tap.ok(result.status == 0, "it is captured", result):
                return
            read = Read(self.path)
            self.attributes(victim.pid, read)
            self.texts(victim.pid, read)
            self.descriptors(victim.pid, read)
            self.threads(victim.pid, read)
            there = read.everything()
            self.tap.ok(all(c in there for c in CANARIES[:7]),
                        "without a rule all of its memory is there",
                        [c for c in CANARIES[:7] if c not in there])

    # -- redaction
    def attached(self):
        path = os.path.join(self.directory, "note.txt")
        with open(path, "w", encoding="utf-8") as f:
            f.write("first KEY-file-canary-2 last\n")
        return path

    def redaction(self):
        with secrets(self.directory) as victim:
            words = [w for rule in RULES for w in ("--redact", rule)]
            result = self.capture(
                victim.pid, *words, "--attach", self.attached(), "--kv",
                "k=KEY-attribute-canary-1")
            if not self.tap.ok(result.status == 0, "it is captured with "
                               "rules", result):
                return
            read = Read(self.path)
            there = read.everything()
            self.compare("what was to be redacted is in no byte of it",
                         [c for c in CANARIES if c in there])
            self.tap.ok(len(read.redacted()) >= 8, "its places are absent, "
                        "and redacted", read.redacted())
            self.tap.ok(b"CANARY_TOKEN=[redacted by env:*_TOKEN]\0"
                        in read.texts["environ"]
                        and read.attributes["k"]
                        == b"[redacted by " + RULES[1].encode() + b"]",
                        "in texts and attributes the rule is said",
                        (read.texts["environ"], read.attributes["k"]))
            self.tap.ok(b"first [redacted by " + RULES[1].encode()
                        + b"] last\n" in there,
                        "an attached file is kept, redacted")
            told = [text for key, text in read.notes if key == "redacted"]
            self.tap.ok(len(told) == len(RULES) and not any(
                " 0 places, 0" in t for t in told), "each rule is told of",
                        told)
            self.shown(victim.pid)

    def shown(self, pid):
        core = os.path.join(self.directory, "core")
        kit.run([self.inquest, "export", self.path, "--core", core])
        with open(core, "rb") as f:
            there = f.read()
        self.compare("a core that is made of it has none of them",
                     [c for c in CANARIES if c in there])
        program = living.victim("secrets", self.directory)
        result = kit.run(
            ["gdb", "-nx", "-batch", "-ex", "target remote | %s rsp %s"
             % (self.inquest, self.path), "-ex", "p variable",
             "-ex", "info proc environ", program], timeout=60)
        self.tap.ok(b"canary" not in result.out.replace(b"CANARY", b"")
                    and b"Cannot access memory" in result.out + result.err,
                    "gdb is told that there is nothing", result)

    def imported(self):
        """A core has no text of the environment: memory has."""
        core = os.path.join(self.directory, "core.whole")
        words = [w for rule in RULES for w in ("--redact", rule)]
        with secrets(self.directory) as victim:
            self.capture(victim.pid)
            kit.run([self.inquest, "export", self.path, "--core", core])
        with open(core, "rb") as f:
            there = f.read()
        result = kit.run([self.inquest, "import", core, "-o", self.path,
                          *words], timeout=60)
        if not self.tap.ok(result.status == 0 and all(
                c in there for c in CANARIES[:7]),
                           "a core with everything is imported with rules",
                           result.err):
            return
        read = Read(self.path)
        there = read.everything()
        self.compare("of a core too it is in no byte",
                     [c for c in CANARIES if c in there])
        held = [text for key, text in read.notes if key == "lock"]
        self.tap.ok(len(held) == 2, "a core tells who holds a mutex", held)

    def crowd(self):
        """More descriptors than are told of one by one."""
        number = 4500
        script = ("import os, sys, resource as r; r.setrlimit(r.RLIMIT_NOFILE,"
                  " (%d, %d)); f = [os.open('/dev/null', 0) for _ in "
                  "range(%d)]; print('up', flush=True); sys.stdin.read()")
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        if limit < number + 100:
            self.tap.skip("very many descriptors", "ulimit -n is lower")
            return
        with subprocess.Popen([sys.executable, "-c", script % (
                number + 100, limit, number)], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE) as process:
            process.stdout.readline()
            count = len(os.listdir("/proc/%d/fd" % process.pid))
            result = self.capture(process.pid)
            process.stdin.close()
        read = Read(self.path)
        lines = read.texts["fd"].decode().splitlines()
        self.tap.ok(result.status == 0 and len(lines) == 4096 + 2
                    and lines[-1] == "and %d more" % (count - 4096)
                    and read.attributes["descriptor.count"] == count,
                    "very many descriptors are counted", lines[-1:])

    def refusals(self):
        with secrets(self.directory) as victim:
            for rule in ("regex:(", "everything", "env:"):
                result = self.capture(victim.pid, "--redact", rule)
                self.tap.ok(result.status == USAGE
                            and not os.path.exists(self.path),
                            "%s is refused, and nothing is written" % rule,
                            result)

    def bombs(self):
        with secrets(self.directory) as victim:
            began = time.monotonic()
            result = self.capture(victim.pid, "--redact",
                                  r"regex:(?s)(a+|.)+?\x01\x02\x03\x04\x05x")
            took = time.monotonic() - began
            self.tap.ok(result.status == 0 and took < 30,
                        "an expression that takes too long ends",
                        (took, result.status, result.err))


def main():
    tap = kit.Tap()
    inquest = kit.need_inquest()
    kit.need_tool("gdb")
    kit.need_tool("zstd")
    with tempfile.TemporaryDirectory() as directory:
        around = Around(tap, inquest, directory)
        around.surroundings()
        around.redaction()
        around.imported()
        around.crowd()
        around.refusals()
        around.bombs()
    tap.leave()


if __name__ == "__main__":
    main()
