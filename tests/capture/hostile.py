#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
hostile: processes whose names, files and rights are as odd as they can be made
are captured without hanging, without being misled, and without showing what
they keep to themselves.
"""

import contextlib
import glob
import os
import shutil
import signal
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "victims")]

import kit     # noqa: E402
import living  # noqa: E402
import racing  # noqa: E402

FAILED, USAGE, NOTFOUND, DENIED = 1, 2, 3, 4
TEBIBYTE = 1 << 40
QUICK = 20
FREEZER = "/sys/fs/cgroup/freezer"
# Words in the file are hex or hashes; of the two libraries only the name of
# one function differs.
LIBRARY = """
__attribute__((noinline)) void %s(void (*call)(void))
{
	call();
	__asm__ volatile("" ::: "memory");
}
__attribute__((noinline)) void entry(void (*call)(void))
{
	%s(call);
	__asm__ volatile("" ::: "memory");
}
"""


def fifo(path, _made):
    os.mkfifo(path)


def link_to_fifo(path, _made):
    os.mkfifo(path + ".fifo")
    os.symlink(path + ".fifo", path)


def link_to_device(path, _made):
    os.symlink("/dev/zero", path)


def circle(path, _made):
    os.symlink(path, path)


def sparse(path, _made):
    """Begins like an ELF file."""
    with open(path, "wb") as f:
        f.write(b"\x7fELF\2\1\1" + bytes(9))
        f.truncate(TEBIBYTE)


def sparse_library(path, made):
    shutil.copy(made["right"], path)
    os.truncate(path, TEBIBYTE)


def another(path, made):
    shutil.copy(made["wrong"], path)


def directory_(path, _made):
    os.mkdir(path)


def nothing(_path, _made):
    pass


IN_ITS_PLACE = (nothing, fifo, link_to_fifo, link_to_device, circle, sparse,
                sparse_library, another, directory_)


class Hostile:
    def __init__(self, tap, inquest, directory):
        self.tap, self.inquest, self.directory = tap, inquest, directory
        self.odd = living.victim("odd", directory)
        self.snap = os.path.join(directory, "hostile.snap")
        self.made = {name: self.library(name) for name in ("right", "wrong")}

    def library(self, name):
        path = os.path.join(self.directory, name + ".so")
        subprocess.run(["gcc", "-x", "c", "-O1", "-g", "-shared", "-fPIC",
                        "-fno-optimize-sibling-calls", "-Wl,--build-id",
                        "-o", path, "-"], check=True,
                       input=(LIBRARY % (name, name)).encode())
        return path

    @contextlib.contextmanager
    def running(self, *argv, wrap=(), **how):
        process = subprocess.Popen([*wrap, self.odd, *argv],
                                   stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, **how)
        try:
            process.stdout.readline()
            kit.until(lambda: kit.state(process.pid) in "SD")
            yield process
        finally:
            process.kill()
            process.wait()
            process.stdout.close()

    def run(self, *words, **how):
        return kit.run([self.inquest, *words], cwd=self.directory, **how)

    def capture(self, pid, *words, **how):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.snap)
        return self.run("capture", *kit.UNHURRIED, "-o", self.snap, *words,
                        str(pid), **how)

    # ---- files

    def judged(self, name, pid, must):
        """Captured in time, opened in time, and named after the right one."""
        result = self.capture(pid)
        text = self.run("report", self.snap)
        slow = result.seconds + text.seconds > QUICK
        shown = text.out.decode("utf-8", "replace")
        self.tap.ok(result.status == 0 and text.status == 0 and not slow
                    and "wrong+0x" not in shown
                    and ("right+0x" in shown or not must),
                    name, "%s\n%s" % (result, shown))

    def unseen_files(self):
        """The library of another mount namespace, and what we see there."""
        if os.geteuid() or kit.run(["unshare", "-m", "true"]).status:
            self.tap.skip("a library of another mount namespace",
                          "no mount namespace can be made")
            return
        for make in IN_ITS_PLACE:
            place = os.path.join(self.directory, "seen-" + make.__name__)
            os.mkdir(place)
            make(os.path.join(place, "lib.so"), self.made)
            script = ('mount -t tmpfs none "$1" && cp "$2" "$1/lib.so" && '
                      'exec "$0" library "$1/lib.so"')
            with self.running(place, self.made["right"], wrap=[
                    "unshare", "-m", "sh", "-c", script]) as p:
                self.judged("where a library is for it, we see: "
                            + make.__name__, p.pid, True)

    def inner_link(self):
        """A link that means a file of the namespace it stands in."""
        if os.geteuid() or kit.run(["unshare", "-m", "true"]).status:
            self.tap.skip("a link in another mount namespace",
                          "no mount namespace can be made")
            return
        place = os.path.join(self.directory, "linked")
        outer = os.path.join(self.directory, "outer")
        for path in (place, outer):
            os.mkdir(path)
        shutil.copy(self.made["wrong"], os.path.join(outer, "lib.so"))
        script = ('mount -t tmpfs none "$1" && cp "$2" "$1/lib.so" && '
                  '{ "$0" library "$1/lib.so" & } && read word && '
                  'mount -t tmpfs none "$1" && mount -t tmpfs none "$3" && '
                  'cp "$2" "$3/lib.so" && ln -s "$3/lib.so" "$1" && '
                  'echo $! && wait')
        p = subprocess.Popen(["unshare", "-m", "sh", "-c", script, self.odd,
                              place, self.made["right"], outer],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            p.stdout.readline()
            p.stdin.write(b"\n")
            p.stdin.flush()
            victim = int(p.stdout.readline())
            self.judged("a link means what it means there", victim, True)
            os.kill(victim, signal.SIGKILL)
        finally:
            p.kill()
            p.communicate()

    def replaced_files(self):
        """What is mapped has gone, and something else has its name."""
        for make in IN_ITS_PLACE:
            place = os.path.join(self.directory, "then-" + make.__name__)
            os.mkdir(place)
            path = os.path.join(place, "lib.so")
            shutil.copy(self.made["right"], path)
            with self.running("library", path) as p:
                os.unlink(path)
                make(path, self.made)
                self.judged("in place of its library there is: "
                            + make.__name__, p.pid, False)
        path = os.path.join(self.directory, "cut.so")
        shutil.copy(self.made["right"], path)
        with self.running("library", path) as p:
            os.truncate(path, 0)
            self.judged("its library has become empty", p.pid, False)

    # ---- texts

    def texts(self):
        name = "a\nb 7f0000000000-7f0000001000 r-xp \033[2J (deleted)\\012"
        odd = os.path.join(self.directory, name)
        words = ["\033]0;title\007", "x" * 100000, "\n" * 1000, "\u202e"]
        env = {**os.environ, "ODD\n": "\033[31m", "LONG": "e" * 100000}
        with self.running("texts", odd, *words, env=env) as p:
            result = self.capture(p.pid)
            check = self.run("check", self.snap)
            report = self.run("report", self.snap)
            dump = self.run("dump", self.snap)
            self.tap.ok(result.status == 0 and check.status == 0
                        and report.status == 0,
                        "odd names, words and environment", "%s\n%s\n%s" % (
                            result, check, report))
            for r, which in ((result, "capture"), (check, "check"),
                             (report, "report"), (dump, "dump")):
                shown = r.out + r.err
                self.tap.ok(b"\033" not in shown and b"\007" not in shown
                            and "\u202e".encode() not in shown,
                            "%s shows them escaped" % which,
                            [shown[max(shown.find(c) - 80, 0):][:160]
                             for c in (b"\033", b"\007", "\u202e".encode())
                             if c in shown])
            self.tap.ok(b"state=sleeping" in dump.out,
                        "its state is not read out of its name")

    # ---- rights

    def protected(self):
        name = "a process that protects itself"
        if os.geteuid():
            self.tap.skip(name, "this is not root")
            return
        tool = os.path.join(self.directory, "inquest")
        shutil.copy(self.inquest, tool)
        with self.running("protected", wrap=racing.AS_NOBODY) as p:
            result = kit.run([*racing.AS_NOBODY, tool, "capture", "-o",
                              "/dev/shm/none.snap", str(p.pid)], cwd="/")
            self.tap.ok(result.status == DENIED and not result.out
                        and b"PR_SET_DUMPABLE" in result.err
                        and not os.path.exists("/dev/shm/none.snap"),
                        name + " is not captured by its own user", result)
        suid = os.path.join(self.directory, "suid-odd")
        shutil.copy(self.odd, suid)
        os.chmod(suid, 0o4755)
        process = subprocess.Popen([*racing.AS_NOBODY, suid, "secret"],
                                   stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE)
        process.stdout.readline()
        if living.status_field(process.pid, "Uid").split()[1] != "0":
            self.tap.skip("a set-user-ID program", "none can be had in "
                          + self.directory)
        else:
            result = kit.run([*racing.AS_NOBODY, tool, "capture", "-o",
                              "/dev/shm/none.snap", str(process.pid)],
                             cwd="/")
            self.tap.ok(result.status == DENIED and not result.out
                        and not os.path.exists("/dev/shm/none.snap"),
                        "nor is a set-user-ID program by who began it",
                        result)
        process.kill()
        process.wait()
        process.stdout.close()

    def private(self):
        place = os.path.join(self.directory, "modes")
        os.mkdir(place)
        with self.running("secret") as p:
            kit.run(["sh", "-c", "umask 0; exec \"$@\"", "sh", self.inquest,
                     "capture", "-o", place, str(p.pid)], cwd=place)
            env = {**os.environ, "INQUEST_STORE": os.path.join(place, "s")}
            kit.run(["sh", "-c", "umask 0; exec \"$@\"", "sh", self.inquest,
                     "capture", "--put", str(p.pid)], cwd=place, env=env)
        modes = {path: os.stat(path).st_mode & 0o077
                 for path in glob.glob(place + "/**", recursive=True)
                 if os.path.isfile(path)}
        self.tap.ok(len(modes) > 1 and not any(modes.values()),
                    "snapshots and stores are their owner's alone", modes)

    def secret(self):
        core = self.snap + ".core"
        with self.running("secret") as p:
            for memory in ("full", "reachable", "stacks"):
                result = self.capture(p.pid, "--memory", memory)
                self.run("export", self.snap, "--core", core)
                dump = self.run("dump", self.snap).out
                with open(core, "rb") as f:
                    kept = f.read()
                with open(self.snap, "rb") as f:
                    kept += f.read()
                os.unlink(core)
                self.tap.ok(result.status == 0
                            and b"canary-kept" not in kept + dump
                            and (b"canary-shown" in kept
                                 or memory == "stacks"),
                            "--memory %s: no byte of a page that is not to "
                            "be dumped" % memory, result)

    # ---- states

    def ended(self):
        path = os.path.join(self.directory, "child")
        with self.running("zombie", path):
            with open(path, encoding="ascii") as f:
                child = int(f.read())
            living.until(lambda: living.state(child, child) == "Z")
            result = self.capture(child)
            self.tap.ok(result.status == NOTFOUND and b"zombie" in result.err,
                        "one that only waits for its parent", result)

    def frozen(self):
        name = "a frozen process"
        group = os.path.join(FREEZER, "inquest-%d" % os.getpid())
        try:
            os.mkdir(group)
        except OSError as error:
            self.tap.skip(name, "no freezer group: %s" % error)
            return
        try:
            with self.running("secret") as p:
                self.freeze(group, "cgroup.procs", p.pid)
                self.freeze(group, "freezer.state", "FROZEN")
                living.until(lambda: self.is_frozen(group))
                result = self.capture(p.pid)
                self.tap.ok(not result.timed_out and result.seconds < 10
                            and b"is frozen by its cgroup" in result.err,
                            name + " is told of in time", result)
                self.freeze(group, "freezer.state", "THAWED")
                self.tap.ok(kit.rests(p.pid) and not living.is_seized(p.pid)
                            and p.poll() is None, "and goes on when thawed")
        finally:
            with contextlib.suppress(OSError):
                self.freeze(group, "freezer.state", "THAWED")
            living.until(lambda: not self.members(group), 5)
            os.rmdir(group)

    @staticmethod
    def freeze(group, name, word):
        with open(os.path.join(group, name), "w", encoding="ascii") as f:
            f.write(str(word))

    @staticmethod
    def is_frozen(group):
        with open(os.path.join(group, "freezer.state"),
                  encoding="ascii") as f:
            return f.read().strip() == "FROZEN"

    @staticmethod
    def members(group):
        with open(os.path.join(group, "cgroup.procs"), encoding="ascii") as f:
            return f.read().split()


def main():
    inquest = kit.need_inquest()
    kit.need_tool("gcc")
    tap = kit.Tap()
    with tempfile.TemporaryDirectory(prefix="inquest-odd-") as directory:
        os.chmod(directory, 0o755)
        hostile = Hostile(tap, inquest, directory)
        hostile.unseen_files()
        hostile.inner_link()
        hostile.replaced_files()
        hostile.texts()
        hostile.protected()
        hostile.private()
        hostile.secret()
        hostile.ended()
        hostile.frozen()
    tap.leave()


if __name__ == "__main__":
    main()
