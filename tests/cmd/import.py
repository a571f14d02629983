#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
import: where a snapshot goes, under which name, and that nothing that is not
whole is ever left there; check and dump of what was written.
"""

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "victims"))

import build    # noqa: E402
import elf      # noqa: E402
import kit      # noqa: E402

FAILED, USAGE, NOTFOUND, DENIED, DAMAGED = 1, 2, 3, 4, 6
INTERRUPTED = -signal.SIGINT

# A shell lets its background jobs ignore it, and children inherit.
signal.signal(signal.SIGINT, signal.SIG_DFL)


class Imports:
    def __init__(self, tap, inquest, directory):
        self.tap = tap
        self.inquest = inquest
        self.core = build.ensure("jump").core
        self.top = directory
        self.directory = None

    def fresh(self, name):
        """An empty directory for one test, in which inquest runs."""
        self.directory = os.path.join(self.top, name)
        shutil.rmtree(self.directory, ignore_errors=True)
        os.mkdir(self.directory)

    def run(self, *words, **how):
        return kit.run([self.inquest, *words], cwd=self.directory, **how)

    def files(self):
        return sorted(os.listdir(self.directory))

    def small_heaps(self):
        """malloc() gives back all it can, which it must not ask /proc about."""
        self.fresh("heaps")
        result = self.run("import", build.ensure("threads").core, env={
            **os.environ, "GLIBC_TUNABLES": "glibc.malloc.trim_threshold=1:"
            "glibc.malloc.top_pad=0"})
        self.tap.ok(result.status == 0, "threads that give back their memory "
                    "stay in the jail", result)

    def default_name(self):
        self.fresh("default")
        first = self.run("import", self.core)
        name = first.out.decode().strip()
        self.tap.ok(first.status == 0 and first.out.count(b"\n") == 1
                    and self.files() == [name]
                    and name.startswith("jump.") and name.endswith(".snap"),
                    "the result is the path, NAME.PID.snap here", first)
        self.tap.ok(b"inquest report " + name.encode() in first.err,
                    "the next command is said", first)
        mode = os.stat(os.path.join(self.directory, name)).st_mode & 0o777
        self.tap.ok(mode == 0o600, "only its owner may read it", oct(mode))
        with open(os.path.join(self.directory, name), "ab") as f:
            f.write(b"mine")
        second = self.run("import", self.core)
        self.tap.ok(second.status == 0 and len(self.files()) == 2
                    and second.out.decode().strip() in self.files(),
                    "a snapshot of that name is not replaced", second)

    def named(self):
        self.fresh("named")
        for _ in range(2):
            result = self.run("import", "-o", "x.snap", self.core)
        self.tap.ok(result.status == 0 and result.out == b"x.snap\n"
                    and self.files() == ["x.snap"],
                    "a file that was named is replaced", result)
        os.mkdir(os.path.join(self.directory, "d"))
        result = self.run("import", "-o", "d", self.core)
        self.tap.ok(result.status == 0 and result.out.startswith(b"d/jump."),
                    "a directory gets a file of the default name", result)
        os.symlink("x.snap", os.path.join(self.directory, "link"))
        result = self.run("import", "-o", "link", self.core)
        self.tap.ok(result.status == 0 and os.path.islink(
            os.path.join(self.directory, "link")),
                    "a symbolic link stays one", result)

    def refused(self):
        self.fresh("refused")
        shutil.copy(self.core, os.path.join(self.directory, "core"))
        before = os.stat(os.path.join(self.directory, "core"))
        os.mkfifo(os.path.join(self.directory, "fifo"))
        os.symlink("core", os.path.join(self.directory, "link"))
        for name, status, output in (
                ("a device", USAGE, "/dev/null"), ("a FIFO", USAGE, "fifo"),
                ("the input", USAGE, "core"),
                ("the input by another name", USAGE, "link"),
                ("no such directory", NOTFOUND, "none/x.snap")):
            result = self.run("import", "-o", output, "core", timeout=60)
            self.tap.ok(result.status == status and not result.out
                        and result.err.count(b"\n") == 1,
                        "output to %s is refused" % name, result)
        self.tap.ok(self.files() == ["core", "fifo", "link"]
                    and os.path.samestat(before, os.stat(os.path.join(
                        self.directory, "core")))
                    and not os.path.isfile("/dev/null"),
                    "and nothing was touched", self.files())

    def whole(self):
        self.fresh("whole")
        self.run("import", "-o", "x.snap", "--kv", "a=b", "--kv", "a.b=c=d",
                 self.core)
        check = self.run("check", "x.snap")
        self.tap.ok(check.status == 0 and b"ok: 1 threads" in check.out,
                    "check finds nothing wrong with it", check)
        value = json.loads(self.run("check", "--json", "x.snap").out)
        self.tap.ok(value["ok"] is True and value["faults"] == []
                    and value["threads"] == 1, "as JSON too", value)
        dump = self.run("dump", "x.snap")
        self.tap.ok(dump.status == 0 and b"c=d" in dump.out
                    and dump.out.startswith(b"snapshot "),
                    "dump shows it, with its attributes", dump)
        core = self.run("dump", self.core)
        self.tap.ok(core.status == 0 and core.out.startswith(b"snapshot ")
                    and core.out.count(b"\nmemory ")
                    == dump.out.count(b"\nmemory "),
                    "dump of a core shows what import writes", core)
        again = self.run("import", "-o", "y.snap", "x.snap")
        other = self.run("dump", "y.snap")
        self.tap.ok(again.status == 0 and
                    [l for l in dump.out.splitlines()
                     if not l.startswith(b"provenance")]
                    == [l for l in other.out.splitlines()
                        if not l.startswith(b"provenance")],
                    "a snapshot is imported again without a loss", again)
        value = json.loads(self.run("import", "--json", "-o", "z.snap",
                                    self.core).out)
        size = os.path.getsize(os.path.join(self.directory, "z.snap"))
        self.tap.ok(value["path"] == "z.snap" and value["bytes"] == size
                    and value["threads"] == 1 and value["frames"] > 2,
                    "--json says what was written", value)

    def truncated(self):
        self.fresh("truncated")
        with open(self.core, "rb") as f:
            data = f.read()
        largest = max(elf.segments(data), key=lambda s: s.filesz)
        end = largest.offset + largest.filesz // 2
        with open(os.path.join(self.directory, "core"), "wb") as f:
            f.write(data[:end])
        result = self.run("import", "-o", "x.snap", "core")
        self.tap.ok(result.status == DAMAGED and self.files()
                    == ["core", "x.snap"] and b"truncated" in result.err,
                    "of a truncated core what is there is kept", result)
        check = self.run("check", "core")
        self.tap.ok(check.status == DAMAGED and b"truncated" in check.out
                    and b"1 fault" in check.out, "check tells of it", check)
        result = self.run("check", "x.snap")
        self.tap.ok(result.status == 0, "its snapshot is whole", result)
        result = self.run("report", "x.snap")
        self.tap.ok(result.status == 0 and b"truncated" in result.out
                    and b"the file ends before it" in result.out,
                    "and says what is missing", result)
        result = self.run("report", "core")
        self.tap.ok(result.status == DAMAGED and b"truncated" in result.out,
                    "as a report on the core itself does", result)

    def damaged(self):
        self.fresh("damaged")
        self.run("import", "-o", "x.snap", self.core)
        path = os.path.join(self.directory, "x.snap")
        with open(path, "rb") as f:
            data = bytearray(f.read())
        missed = []
        for at in range(0, len(data), max(1, len(data) // 50)):
            data[at] ^= 0x55
            with open(path, "wb") as f:
                f.write(data)
            data[at] ^= 0x55
            result = self.run("check", "x.snap")
            if result.status not in (FAILED, DAMAGED) or (
                    result.status == FAILED and at >= 16):
                missed.append((at, str(result)))
        self.tap.ok(not missed, "check sees every changed byte", missed)

    def no_room(self):
        self.fresh("full")

        def small():
            resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))

        result = subprocess.run(
            [self.inquest, "import", "-o", "x.snap", self.core],
            cwd=self.directory, preexec_fn=small, capture_output=True,
            check=False, timeout=60)
        self.tap.ok(result.returncode == FAILED and not self.files()
                    and result.stderr.count(b"\n") == 1,
                    "a file that cannot be written leaves nothing behind",
                    (result, self.files()))
        self.full_disk()

    def full_disk(self):
        name = "a full disk leaves nothing behind"
        if os.geteuid() or not shutil.which("mount") or kit.run(
                ["mount", "-t", "tmpfs", "-o", "size=16k", "none",
                 self.directory]).status:
            self.tap.skip(name, "needs root, to mount a small tmpfs")
            return
        try:
            result = self.run("import", "-o", "x.snap", self.core)
            self.tap.ok(result.status == FAILED and not self.files()
                        and not result.out, name, result)
        finally:
            kit.run(["umount", self.directory])

    def interrupted(self):
        """Ctrl-C at many moments: a whole file or none."""
        self.fresh("interrupted")
        core = build.ensure("hundred").core
        bad, early = [], 0
        for k in range(30):
            process = subprocess.Popen(
                [self.inquest, "import", "-o", "x.snap", core],
                cwd=self.directory, stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                start_new_session=True)
            time.sleep(k * 0.004)
            os.killpg(process.pid, signal.SIGINT)
            status = process.wait(timeout=60)
            early += status == INTERRUPTED
            whole = self.files() == ["x.snap"] and \
                self.run("check", "x.snap").status == 0
            if not (whole or (self.files() == [] and status == INTERRUPTED)):
                bad.append((k, status, self.files()))
            for name in self.files():
                os.unlink(os.path.join(self.directory, name))
        self.tap.ok(not bad and early, "an interrupt leaves a whole file or "
                    "none (%d of 30 came in time)" % early, bad)


def main():
    inquest = kit.need_inquest()
    kit.need_tool("gcc")
    tap = kit.Tap()
    imports = Imports(tap, inquest, kit.work_dir("import"))
    imports.small_heaps()
    imports.default_name()
    imports.named()
    imports.refused()
    imports.whole()
    imports.truncated()
    imports.damaged()
    imports.no_room()
    imports.interrupted()
    tap.leave()


if __name__ == "__main__":
    main()
