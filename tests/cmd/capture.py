#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
capture: of a process and of a command; what is said and printed where, exit
statuses, and that what is captured goes on.
"""

import contextlib
import glob
import json
import os
import re
import shutil
import signal
import subprocess
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "victims"))

import build    # noqa: E402
import kit      # noqa: E402

FAILED, USAGE, NOTFOUND, DENIED = 1, 2, 3, 4
NOBODY = 65534
SEGV = 128 + signal.SIGSEGV

HOLD = r"""
#include <unistd.h>
static volatile char memory[8 << 20];
__attribute__((noinline)) void hold(int depth)
{
	if (depth)
		hold(depth - 1);
	else
		for (;;)
			pause();
	__asm__ volatile("" ::: "memory");
}
int main(void)
{
	for (unsigned long k = 0; k < sizeof(memory); k += 4096)
		memory[k] = (char)(k >> 12);
	if (write(1, "ready\n", 6) == 6)
		hold(3);
}
"""


class Captures:
    def __init__(self, tap, inquest, directory):
        self.tap = tap
        self.inquest = inquest
        self.top = directory
        self.crash = build.ensure("jump").program
        self.directory = None
        self.env = dict(os.environ)
        self.hold = os.path.join(directory, "hold")
        with open(self.hold + ".c", "w", encoding="ascii") as f:
            f.write(HOLD)
        subprocess.run(["gcc", "-g", "-O1", "-fno-optimize-sibling-calls",
                        "-o", self.hold, self.hold + ".c"], check=True)

    def fresh(self, name):
        self.directory = os.path.join(self.top, name)
        shutil.rmtree(self.directory, ignore_errors=True)
        os.mkdir(self.directory)
        self.env["INQUEST_STORE"] = os.path.join(self.directory, "store")

    def run(self, *words, **how):
        how.setdefault("env", self.env)
        return kit.run([self.inquest, *words], cwd=self.directory, **how)

    def capture(self, *words, **how):
        return self.run("capture", *map(str, words), **how)

    def files(self):
        return sorted(os.listdir(self.directory))

    @contextlib.contextmanager
    def running(self, *argv):
        """A program that has said that it is ready."""
        p = subprocess.Popen(argv or [self.hold], cwd=self.directory,
                             stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE)
        try:
            p.stdout.readline()
            kit.rests(p.pid)
            yield p
        finally:
            p.kill()
            p.wait()
            p.stdout.close()

    def refused(self, name, status, *words, **how):
        result = self.capture(*words, **how)
        self.tap.ok(result.status == status and not result.out
                    and result.err.count(b"\n") == 1
                    and result.err.startswith(b"inquest: "), name, result)
        return result

    # ---- a process

    def process(self):
        self.fresh("process")
        with self.running() as p:
            result = self.capture(p.pid)
            name = "hold.%d.snap" % p.pid
            self.tap.ok(result.status == 0 and result.out.decode()
                        == name + "\n" and self.files() == [name],
                        "the path is printed, NAME.PID.snap here", result)
            self.tap.ok(re.search(rb"stood still for \d+\.\d ms", result.err)
                        and b"1 threads" in result.err
                        and b"not copied" in result.err
                        and b"inquest report hold." in result.err,
                        "what was done and left out is said", result)
            self.tap.ok(kit.rests(p.pid) and p.poll() is None,
                        "the process goes on", kit.state(p.pid))
            check = self.run("check", name)
            self.tap.ok(check.status == 0, "the snapshot is whole", check)
            text = self.run("report", name).out.decode()
            self.tap.ok("hold+0x" in text and "main+0x" in text,
                        "its stack has names", text)
            self.options(p.pid)
            os.kill(p.pid, signal.SIGSTOP)
            kit.rests(p.pid, "T")
            result = self.capture("-o", "stopped.snap", p.pid)
            self.tap.ok(result.status == 0 and kit.rests(p.pid, "T"),
                        "one that was stopped stays so", result)

    def options(self, pid):
        value = json.loads(self.capture(pid, "-o", "full.snap", "--json",
                                        *kit.UNHURRIED).out)
        self.tap.ok(value["path"] == "full.snap" and value["pid"] == pid
                    and value["pause_ns"] > 0 and value["memory"] > 8 << 20
                    and value["threads"] == 1 and not value["missing"]
                    and value["not_copied"], "--json says it all", value)
        stacks = json.loads(self.capture(pid, "-o", "s.snap", "--json",
                                         "--memory", "stacks").out)
        self.tap.ok(stacks["memory"] < 2 << 20 and stacks["frames"]
                    == value["frames"], "--memory stacks keeps no more",
                    stacks)
        result = self.capture(pid, "-o", "l.snap", "--copy-limit", "1M")
        self.tap.ok(result.status == 0 and b"over the limit" in result.err,
                    "--copy-limit is kept, and said", result)
        result = self.capture(pid, "--put", "-p", "web", "--kv", "a=b,c:d",
                              "--kv", "e:f, and g,h:i")
        found = re.fullmatch(rb"([0-9a-f]{12})\n", result.out)
        self.tap.ok(result.status == 0 and found, "--put prints the id",
                    result)
        o = json.loads(self.run("list", "--json").out)["objects"][0]
        a = o["attributes"]
        self.tap.ok(o["id"].encode() == found[1] and o["project"] == "web"
                    and (a["a"], a["e"], a["h"]) == ("b,c:d", "f, and g",
                                                     "i"),
                    "attributes come in both spellings", a)
        value = json.loads(self.capture(pid, "--put", "--json").out)
        self.tap.ok(value["project"] == "default" and value["number"] == "1"
                    and not value["known"], "--put has JSON too", value)

    def elsewhere(self):
        """A program whose file only its own mount namespace has."""
        name = "files of another mount namespace are found"
        self.fresh("elsewhere")
        inside = os.path.join(self.directory, "inside")
        os.mkdir(inside)
        script = ("mount -t tmpfs none inside && cp %s inside/unseen && "
                  "exec inside/unseen" % self.hold)
        if os.geteuid() or kit.run(["unshare", "-m", "true"]).status:
            self.tap.skip(name, "needs root, for a mount namespace")
            return
        with self.running("unshare", "-m", "sh", "-c", script) as p:
            result = self.capture("-o", "x.snap", p.pid)
            text = self.run("report", "x.snap").out.decode()
            self.tap.ok(result.status == 0 and not os.listdir(inside)
                        and "hold+0x" in text and " in unseen" in text,
                        name, text)

    def not_possible(self):
        self.fresh("not-possible")
        ended = subprocess.Popen(["true"])
        ended.wait()
        self.refused("one that is gone", NOTFOUND, ended.pid)
        for word in ("0", "x", "", "1x", "99999999999999999999"):
            self.refused("%r is no process id" % word, USAGE, word)
        for words in ([], ["1", "2"], ["1", "--", "true"], ["--"],
                      ["-m", "all", "1"], ["--put", "-o", "x", "1"],
                      ["-p", "web", "1"], ["--kv", "a", "1"],
                      ["--put", "-p", "../x", "1"]):
            self.refused("usage: capture " + " ".join(words), USAGE, *words)
        self.refused("no such directory", NOTFOUND, "-o", "none/x", "1")
        self.traced()
        self.not_permitted()
        self.tap.ok(not self.files(), "nothing was made", self.files())

    def traced(self):
        with self.running(self.inquest, "capture", "--", self.hold) as p:
            (child,) = kit.children(p.pid)
            result = self.refused("one that another tracer has", DENIED,
                                  child)
            self.tap.ok(str(p.pid).encode() in result.err,
                        "the tracer is named", result)
            os.kill(child, signal.SIGKILL)

    def not_permitted(self):
        name = "one that belongs to somebody else"
        words = ["setpriv", "--reuid=%d" % NOBODY, "--clear-groups",
                 self.inquest]
        if os.geteuid() or kit.run([*words, "--version"]).status:
            self.tap.skip(name, "needs root, and a place that others see")
            return
        with self.running() as p:
            result = kit.run([*words, "capture", str(p.pid)], cwd="/")
            self.tap.ok(result.status == DENIED and not result.out
                        and result.err.count(b"\n") == 1, name, result)

    # ---- a command

    def statuses(self):
        self.fresh("statuses")
        for name, words, status in (
                ("success", ["true"], 0), ("7", ["sh", "-c", "exit 7"], 7),
                ("SIGTERM", ["sh", "-c", "kill $$"], 128 + signal.SIGTERM),
                ("SIGKILL", ["sh", "-c", "kill -9 $$"],
                 128 + signal.SIGKILL)):
            result = self.capture("--", *words)
            self.tap.ok(result.status == status and not result.out
                        and not self.files(),
                        "a command that ends with %s" % name, result)
        self.refused("no such command", NOTFOUND, "--", "./none")
        result = self.capture("--", "cat", given=b"in\0out")
        self.tap.ok(result.out == b"in\0out" and not result.err,
                    "its input and output are its own", result)
        result = self.capture("--results", "r", "--", "sh", "-c",
                              "grep Sig[BI] /proc/self/status; "
                              "ls /proc/self/fd")
        plain = kit.run(["sh", "-c", "grep Sig[BI] /proc/self/status; "
                         "ls /proc/self/fd"])
        self.tap.ok(result.out == plain.out, "signals and descriptors are as "
                    "without us", result.out + plain.out)
        result = self.capture("--", "printf", "%s|", "--json", "-o", "--",
                              "x")
        self.tap.ok(result.out == b"--json|-o|--|x|",
                    "all words behind -- are its own", result)

    def dying(self):
        self.fresh("dying")
        result = self.capture("--kv", "k=v", "--", self.crash)
        found = glob.glob(os.path.join(self.directory, "jump.*.snap"))
        self.tap.ok(result.status == SEGV and len(found) == 1
                    and not result.out
                    and os.path.basename(found[0]).encode() + b"\n"
                    in result.err, "it dies as it would have, the path is "
                    "on stderr", result)
        value = json.loads(self.run("report", "--json", found[0]).out)
        self.tap.ok(value["reason"]["signal"] == "SIGSEGV"
                    and value["threads"][0]["faulting"]
                    and value["attributes"]["k"] == "v",
                    "the snapshot says of what", value["reason"])
        result = self.capture("--results", "r", "--put", "--", "sh", "-c",
                              self.crash + "; echo; exit 5")
        with open(os.path.join(self.directory, "r"), "rb") as f:
            line = f.read()
        self.tap.ok(result.status == 5 and result.out == b"\n"
                    and re.fullmatch(rb"[0-9a-f]{12}\n", line),
                    "a child's death too; --results has the id", result)
        result = self.run("report", line.decode().strip())
        self.tap.ok(result.status == 0 and result.out.startswith(b"SIGSEGV"),
                    "which names the object", result)
        result = self.capture("--results", "j", "--json", "--", self.crash)
        with open(os.path.join(self.directory, "j"), "rb") as f:
            value = json.load(f)
        self.tap.ok(value["path"] in self.files() and value["threads"] == 1,
                    "--results takes JSON", value)

    def many(self):
        self.fresh("many")
        os.mkdir(os.path.join(self.directory, "d"))
        both = "%s & %s & wait; exit 0" % (self.crash, self.crash)
        result = self.capture("-o", "d", "--", "sh", "-c", both)
        found = os.listdir(os.path.join(self.directory, "d"))
        self.tap.ok(result.status == 0 and len(found) == 2,
                    "two that die at once, in a directory", result)
        result = self.capture("-o", "x.snap", "--", "sh", "-c", both)
        found = [f for f in self.files() if f.startswith("x.snap")]
        self.tap.ok(result.status == 0 and len(found) == 2
                    and "x.snap" in found and
                    re.fullmatch(r"x\.snap\.\d+", found[1]),
                    "under one name, the second is NAME.PID", found)

    def no_room(self):
        self.fresh("no-room")
        self.refused("without a place no command is run", NOTFOUND, "-o",
                     "/proc/x.snap", "--", "touch", "run")
        with open(os.path.join(self.directory, "f"), "wb"):
            pass
        result = self.capture("--put", "--store", "f", "--", "touch", "run")
        self.tap.ok(result.status and self.files() == ["f"],
                    "nor without a store", result)
        os.mkdir(os.path.join(self.directory, "d"))
        result = self.capture("-o", "d", "--", "sh", "-c",
                              "rmdir d; exec " + self.crash)
        self.tap.ok(result.status == SEGV and b"1 of 1" in result.err,
                    "a snapshot that cannot be written is counted", result)


def main():
    inquest = kit.need_inquest()
    kit.need_tool("gcc")
    tap = kit.Tap()
    directory = kit.work_dir("capture")
    captures = Captures(tap, inquest, directory)
    captures.process()
    captures.elsewhere()
    captures.not_possible()
    captures.statuses()
    captures.dying()
    captures.many()
    captures.no_room()
    tap.leave()


if __name__ == "__main__":
    main()
