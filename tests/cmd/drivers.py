#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
drivers: the words with which libraries and services call a tracer, as BCD,
go-bcd and coresnap put them together, do with `inquest capture` what they mean.
"""

import json
import os
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [os.path.join(os.path.dirname(HERE), name)
                for name in ("capture", "victims")]

import build   # noqa: E402
import kit     # noqa: E402
import living  # noqa: E402

# As recorded; PID and TID stand for numbers. What go-bcd passes as an error
# is whatever the program said.
GO_ERROR = "runtime error: index out of range [5], with length 3 (a=b, c d)"
GO = ["--load=", "--module=go:enable,true,filter,user,goid,7", "--faulted",
      "PID"]
RECORDED = [
    ("BCD, a thread", ["PID", "--thread=TID", "--kv=a:1,b:two words,c:x"],
     {"a": "1", "b": "two words", "c": "x"}, True),
    ("BCD, one --kv each", ["PID", "--thread=TID", "--kv=a:1", "--kv=b:2"],
     {"a": "1", "b": "2"}, True),
    ("BCD, a process", ["PID", "--kv=bcd.note:x"], {"bcd.note": "x"}, False),
    ("BCD, words of the program's own in front",
     ["--module-load=/none.so", "--pretty-print", "PID", "--thread=TID"],
     {}, True),
    ("go-bcd", GO, {}, False),
    ("go-bcd, with everything",
     [*GO, "--thread", "TID", "--fault-thread", "TID",
      "--kv", "error:" + GO_ERROR, "--classifier", "*runtime.Error",
      "--classifier", "panic"],
     {"error": GO_ERROR, "classifiers": "*runtime.Error panic"}, True),
    ("coresnap, of a process",
     ["--application=web", "--load=libc-", "--stale-pointer", "--security",
      "PID"], {"application": "web"}, False),
]


class Drivers:
    def __init__(self, tap, inquest, directory):
        self.tap, self.inquest, self.directory = tap, inquest, directory

    def run(self, *words):
        return kit.run([self.inquest, *words], cwd=self.directory)

    def path_of(self, result):
        """The file that stdout names, and nothing else does it hold."""
        path = os.path.join(self.directory, result.out.decode().strip())
        whole = (result.status == 0 and result.out.count(b"\n") == 1
                 and os.path.isfile(path))
        return path if whole else None

    def faulting(self, path):
        threads = json.loads(self.run("report", "--json", path).out)["threads"]
        return [t["tid"] for t in threads if t["faulting"]]

    def attributes(self, path):
        return json.loads(self.run("report", "--json", path).out)["attributes"]

    def recorded(self, victim):
        tid = living.tids(victim.pid)[-1]
        for name, words, attributes, marks in RECORDED:
            words = [w.replace("PID", str(victim.pid)).replace("TID", str(tid))
                     for w in words]
            result = self.run("capture", *words)
            path = self.path_of(result)
            if not self.tap.ok(path, "%s: the path, nothing else" % name,
                               result):
                continue
            self.tap.ok(self.faulting(path) == [tid] * marks,
                        "%s: the thread that is named is marked" % name,
                        self.faulting(path))
            found = self.attributes(path)
            self.tap.ok(attributes.items() <= found.items(),
                        "%s: attributes" % name, found)
            os.unlink(path)

    def threads(self, victim):
        tid = living.tids(victim.pid)[1]
        result = self.run("capture", "--thread", str(os.getpid()),
                          "--fault-thread", str(tid), str(victim.pid))
        path = self.path_of(result)
        self.tap.ok(path and self.faulting(path) == [tid],
                    "--fault-thread goes before --thread", result)
        result = self.run("capture", "--thread", str(os.getpid()),
                          str(victim.pid))
        path = self.path_of(result)
        self.tap.ok(path and not self.faulting(path)
                    and b"has no thread %d" % os.getpid() in result.err,
                    "one of another process is not marked, and said", result)

    def prefix(self, victim):
        made = []
        for _ in range(2):
            result = self.run("capture", "-O", "out/web", str(victim.pid))
            made.append(result.out.decode().strip())
        self.tap.ok(made == ["out/web.%d.snap" % victim.pid,
                             "out/web.%d.2.snap" % victim.pid]
                    and all(self.path_of(r) for r in (result,)),
                    "-O is a prefix, the real name is printed", made)
        result = self.run("capture", "-O", "out/", str(victim.pid))
        self.tap.ok(result.out == b"out/busy.%d.snap\n" % victim.pid,
                    "a directory is one too", result)
        for words in (["-O", "x", "-o", "y"], ["-O", "x", "--put"]):
            result = self.run("capture", *words, str(victim.pid))
            self.tap.ok(result.status == 2 and not result.out,
                        "usage: capture " + " ".join(words), result)

    def attached(self, path):
        """{name: bytes as dump shows them} of files in the snapshot."""
        text = self.run("dump", path).out.decode("utf-8", "replace")
        return [line for line in text.splitlines()
                if line.startswith("file ")]

    def resources(self, victim):
        tree = os.path.join(self.directory, "tree")
        os.makedirs(os.path.join(tree, "sub"))
        for name in ("one", "sub/two"):
            with open(os.path.join(tree, name), "w", encoding="ascii") as f:
                f.write("content of " + name)
        os.mkfifo(os.path.join(tree, "fifo"))
        os.symlink("/etc/passwd", os.path.join(tree, "link"))
        result = self.run("capture", str(victim.pid), "--resource=tree",
                          "--resource", "tree/one")
        path = self.path_of(result)
        files = self.attached(path) if path else []
        self.tap.ok(len(files) == 3
                    and sum("tree/one" in f for f in files) == 1
                    and sum("tree/sub/two" in f for f in files) == 1,
                    "--resource takes files and trees, regular files only",
                    "%s\n%s" % (result, files))
        for bad in ("none", "tree/fifo"):
            result = self.run("capture", str(victim.pid), "--resource", bad)
            self.tap.ok(result.status in (1, 3) and not result.out
                        and bad.encode() in result.err,
                        "--resource %s is refused" % bad, result)

    def core(self):
        crash = build.ensure("jump")
        os.symlink(crash.core, os.path.join(self.directory, "core.1"))
        words = ["--core", "core.1", crash.program, "-O", "crash",
                 "--application=web", "--resource=tree/one", "--load="]
        result = self.run("capture", *words)
        path = self.path_of(result)
        self.tap.ok(path and os.path.basename(path).startswith("crash."),
                    "--core CORE EXE imports it under -O's name", result)
        if path:
            value = json.loads(self.run("report", "--json", path).out)
            self.tap.ok(value["attributes"]["application"] == "web"
                        and value["reason"]["signal"] == "SIGSEGV"
                        and len(self.attached(path)) == 1,
                        "with attributes and files", value["attributes"])
        for words in (["--core", "core.1", "--", "true"],
                      ["--core", "core.1", "a", "b"], ["1", "2"]):
            result = self.run("capture", *words)
            self.tap.ok(result.status == 2 and not result.out,
                        "usage: capture " + " ".join(words), result)

    def taken_out(self, victim):
        """Attached files are listed, come out, and outlive an import."""
        path = self.path_of(self.run("capture", str(victim.pid),
                                     "--attach=tree"))
        again = self.path_of(self.run("import", path, "--attach",
                                      "tree/one"))
        for snap, names in ((path, {"tree/one", "tree/sub/two"}),
                            (again, {"tree/one", "tree/sub/two", "one"})):
            files = json.loads(self.run("report", "--json",
                                        snap).out)["files"]
            self.tap.ok({f["name"] for f in files} == names
                        and b"\nAttached files\n" in self.run(
                            "report", snap).out,
                        "%d files are listed" % len(names), files)
            result = self.run("dump", "-x", "tree/sub/two", snap)
            self.tap.ok(result.out == b"content of sub/two",
                        "and come out as they were", result)
        result = self.run("dump", "-x", "cmdline", again)
        with open("/proc/%d/cmdline" % victim.pid, "rb") as f:
            self.tap.ok(result.out == f.read(), "as texts do", result)
        result = self.run("dump", "-x", "none", again)
        self.tap.ok(result.status == 3 and not result.out,
                    "of what is not there it is said", result)

    def manual(self):
        screen = self.run("capture", "--help").out
        manual = self.run("help", "capture").out
        self.tap.ok(b"--faulted" not in screen and b"--faulted" in manual
                    and b"OTHER TRACERS" in manual,
                    "these words stand in the manual, in a section of their "
                    "own")


def main():
    inquest = kit.need_inquest()
    kit.need_tool("gcc")
    tap = kit.Tap()
    directory = kit.work_dir("drivers")
    shutil.rmtree(directory)
    os.makedirs(os.path.join(directory, "out"))
    drivers = Drivers(tap, inquest, directory)
    with living.busy("threads", 3, directory) as victim:
        victim.is_set_up(3)
        drivers.recorded(victim)
        drivers.threads(victim)
        drivers.prefix(victim)
        drivers.resources(victim)
        drivers.taken_out(victim)
        tap.ok(victim.goes_on(3), "the process goes on")
    drivers.core()
    drivers.manual()
    tap.leave()


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as error:
        sys.exit(str(error))
