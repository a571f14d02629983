#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
run: a command is watched, and pictured as it dies; else it does not notice.

Crashes of every kind give one picture and the status that they have without
us; what does not crash gives none. Signals, stops, input and the terminal's
job control work as without. For the crash of a victim gdb says on the
picture what it says on the kernel's core.
"""

import fcntl
import glob
import os
import re
import select
import signal
import subprocess
import sys
import tempfile
import termios
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "victims")]

import build   # noqa: E402
import kit     # noqa: E402
import living  # noqa: E402

# How it dies, the status, and what stands in its picture; None: there is none.
ENDS = (
    ("here", -11, ["die_here"]),
    ("abort", -6, ["abort", "die_by_abort"]),
    ("thread", -11, ["wound_in_thread"]),
    ("child", 11, ["die_in_child"]),
    ("exec", -11, ["die_here"]),
    ("threadexec", -11, ["die_here"]),
    ("blocked", -11, ["block_it"]),
    ("raise %d" % signal.SIGQUIT, -3, ["raise_word"]),
    ("raise %d" % signal.SIGXCPU, -24, ["raise_word"]),
    ("handled", 42, None),
    ("ignored", 7, None),
    ("raise %d" % signal.SIGTERM, -15, None),
    ("raise %d" % signal.SIGKILL, -9, None),
    ("raise %d" % signal.SIGUSR1, -10, None),
    ("exit 0", 0, None),
    ("exit 3", 3, None),
)


class Runs:
    def __init__(self, tap, inquest, directory):
        self.tap, self.inquest, self.directory = tap, inquest, directory
        self.take_program = living.program("take")
        self.dies = living.victim("dies", directory)

    def argv(self, *command):
        return [self.take_program, os.path.join(self.directory, "p"), "--",
                *command]

    def take(self, *command, **how):
        for path in self.pictures():
            os.unlink(path)
        return kit.run(self.argv(*command), **how)

    def pictures(self):
        return glob.glob(os.path.join(self.directory, "p.*"))

    def functions(self):
        """Of the faulting thread's stack, innermost first."""
        dump = kit.run([self.inquest, "dump", self.pictures()[0]]).out.decode()
        tid = re.search(r"faulting_tid=(\d+)", dump).group(1)
        return re.findall(r'^frame tid=%s .* function="([^"]*)"' % tid, dump,
                          re.M)

    @staticmethod
    def status(code):
        return 128 - code if code < 0 else code

    def ends(self):
        for how, status, functions in ENDS:
            result = self.take(self.dies, *how.split())
            n = len(self.pictures())
            right = result.status == self.status(status)
            if functions is None:
                self.tap.ok(right and n == 0, "%s: no picture" % how, result)
                continue
            found = self.functions() if n == 1 else []
            self.tap.ok(right and [f for f in found if f in functions]
                        == functions, "%s: its picture, its status" % how,
                        "%s\n%d pictures: %s" % (result, n, found))

    def refused(self):
        for path, status, words in (
                ("/nonexistent", 3, b"there is no such program"),
                ("/etc/passwd", 4, b"Permission denied")):
            result = self.take(path)
            self.tap.ok(result.status == status and words in result.err,
                        "%s is not run, and why" % path, result)

    def unnoticed(self):
        result = self.take("cat", given=b"input\n")
        self.tap.ok(result.out == b"input\n", "input reaches it", result)
        script = ("i=0; while [ $i -lt 200 ]; do /bin/true; i=$((i+1)); done;"
                  "echo ab | cat | tr a c | sed s/b/d/; exit 5")
        began = time.monotonic()
        result = self.take("sh", "-c", script)
        self.tap.ok(result.status == 5 and result.out == b"cd\n"
                    and time.monotonic() - began < 20,
                    "200 children and a pipeline", result)
        result = self.take("sh", "-c", "for i in 1 2 3 4 5; do %s here & done;"
                           "wait; exit 6" % self.dies)
        self.tap.ok(result.status == 6 and len(self.pictures()) == 5,
                    "five that die at once give five pictures", result)
        result = self.take(self.dies, "here")
        alone = kit.run([self.dies, "here"])
        self.tap.ok(result.status == self.status(alone.status),
                    "the status is what it is without us", result)

    def forwarded(self):
        for sent, status in ((signal.SIGTERM, 128 + 15),):
            tool = subprocess.Popen(self.argv(self.dies, "wait", "ready"),
                                    stdin=subprocess.DEVNULL,
                                    stdout=subprocess.PIPE,
                                    stderr=subprocess.DEVNULL)
            tool.stdout.readline()
            tool.send_signal(sent)
            self.tap.ok(tool.wait(20) == status,
                        "%s is passed on to it" % signal.Signals(sent).name,
                        tool.returncode)
            tool.stdout.close()

    def started(self, *command):
        """The tool, and the process that prints a line and waits."""
        tool = subprocess.Popen(self.argv(*command),
                                stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE,
                                stderr=subprocess.DEVNULL)
        tool.stdout.readline()
        return tool, kit.children(tool.pid)[0]

    def stops(self):
        """SIGSTOP and SIGCONT from elsewhere."""
        tool, pid = self.started(self.dies, "wait", "ready")
        os.kill(pid, signal.SIGSTOP)
        seen = living.until(lambda: living.state(pid, pid) in "tT")
        os.kill(pid, signal.SIGCONT)
        woken = living.until(lambda: living.state(pid, pid) == "S")
        os.kill(pid, signal.SIGTERM)
        self.tap.ok(seen and woken and tool.wait(20) == 128 + 15,
                    "it is stopped, continued and ended by others")
        tool.stdout.close()

    def killed(self):
        """The tool dies by SIGKILL: the command goes on, also when stopped."""
        tool, pid = self.started(self.dies, "wait", "ready")
        tool.kill()
        tool.wait()
        tool.stdout.close()
        self.tap.ok(living.until(lambda: not living.is_seized(pid)
                                 and living.state(pid, pid) == "S"),
                    "the command outlives the tool")
        os.kill(pid, signal.SIGTERM)
        tool, pid = self.started(self.dies, "wait", "ready")
        os.kill(tool.pid, signal.SIGSTOP)
        living.until(lambda: living.state(tool.pid, tool.pid) == "T")
        os.kill(pid, signal.SIGUSR2)
        held = living.until(lambda: living.state(pid, pid) == "t")
        tool.kill()
        tool.wait()
        tool.stdout.close()
        self.tap.ok(held and living.until(
            lambda: living.state(pid, pid) == "X"),
                    "a signal that the tool held arrives when it is killed")

    def left_behind(self):
        path = os.path.join(self.directory, "daemon")
        # It has left our group, which is ended with the tool, before that.
        result = self.take("sh", "-c", "setsid sh -c 'echo $$ >%s; exec sleep "
                           "600' >/dev/null 2>&1 & until test -s %s; do :; "
                           "done; exit 4"
                           % (path, path))
        with open(path, encoding="ascii") as f:
            pid = int(f.read())
        self.tap.ok(result.status == 4 and not living.is_seized(pid)
                    and living.until(lambda: living.state(pid, pid) == "S"),
                    "what it leaves behind runs on, untraced", result)
        os.kill(pid, signal.SIGKILL)

    def all(self):
        for part in (self.ends, self.refused, self.unnoticed, self.forwarded,
                     self.stops, self.killed, self.left_behind):
            part()


# ---- job control ---------------------------------------------------------------
def shell(argv):
    """What a shell does with one job, in few words; never returns."""
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    job = os.fork()
    if job == 0:
        os.setpgid(0, 0)
        os.tcsetpgrp(0, os.getpid())
        signal.signal(signal.SIGTTOU, signal.SIG_DFL)
        os.execv(argv[0], argv)
    while True:
        _, status = os.waitpid(job, os.WUNTRACED)
        os.tcsetpgrp(0, os.getpgrp())
        if not os.WIFSTOPPED(status):
            os._exit(os.waitstatus_to_exitcode(status) & 0xff)
        print("job stopped", flush=True)
        sys.stdin.readline()
        os.tcsetpgrp(0, job)
        os.killpg(job, signal.SIGCONT)
        print("job continued", flush=True)


class Terminal:
    def __init__(self, argv):
        self.ours, theirs = os.openpty()
        self.seen = b""
        self.pid = os.fork()
        if self.pid == 0:
            os.setsid()
            fcntl.ioctl(theirs, termios.TIOCSCTTY, 0)
            for fd in (0, 1, 2):
                os.dup2(theirs, fd)
            shell(argv)
        os.close(theirs)

    def shows(self, words, seconds=20):
        end = time.monotonic() + seconds
        while words not in self.seen:
            if not select.select([self.ours], [], [],
                                 max(0, end - time.monotonic()))[0]:
                return False
            try:
                self.seen += os.read(self.ours, 4096)
            except OSError:
                return False
        self.seen = self.seen[self.seen.index(words) + len(words):]
        return True

    def types(self, data):
        os.write(self.ours, data)

    def ends(self):
        code = living.until(lambda: os.waitpid(self.pid, os.WNOHANG)[0]
                            and "ended")
        os.close(self.ours)
        if not code:
            os.kill(self.pid, signal.SIGKILL)
        return code


def job_control(tap, runs):
    terminal = Terminal(runs.argv(runs.dies, "wait", "ready"))
    tap.ok(terminal.shows(b"ready"), "it runs in the foreground")
    for turn in ("first", "second"):
        terminal.types(b"\x1a")
        tap.ok(terminal.shows(b"job stopped"),
               "^Z gives the shell its turn, the %s time" % turn,
               terminal.seen)
        terminal.types(b"\n")
        tap.ok(terminal.shows(b"job continued"), "the job is continued")
    terminal.types(b"\x03")
    tap.ok(terminal.ends() == "ended", "^C ends it, and us", terminal.seen)


# ---- gdb's word ----------------------------------------------------------------
def stacks(text):
    """Frames without what differs from run to run: addresses and numbers."""
    return sorted(set(re.findall(
        r"^#(\d+) +(?:0x[0-9a-f]+ in )?(\S+) .*?( at \S+:\d+)?$", text,
        re.M)))


def same_as_core(tap, runs, name):
    made = build.ensure(name)
    if made.by != "kernel":
        tap.skip("%s: gdb on the picture" % name, "the core is not the kernel's")
        return
    result = runs.take(made.program, "one argument", "*", cwd=made.directory,
                       env=build.environment())
    if len(runs.pictures()) != 1:
        tap.ok(False, "%s: one picture" % name, result)
        return
    said = [kit.run(["gdb", "-nx", "-batch", "-ex", "set width 0",
                     *opening, "-ex", "thread apply all backtrace"],
                    timeout=300, merge=True, cwd=made.directory).out.decode("utf-8", "replace")
            for opening in (
                [made.program, made.core],
                ["-ex", "file " + made.program, "-ex", "target remote | exec "
                 "%s rsp %s" % (runs.inquest, runs.pictures()[0])])]
    core, ours = map(stacks, said)
    tap.ok(core and core == ours,
           "%s: gdb has the stacks that it has on the core" % name,
           "core: %s\nours: %s" % (sorted(set(core) - set(ours)),
                                   sorted(set(ours) - set(core))))


def main():
    inquest = kit.need_inquest()
    kit.need_tool("gdb")
    kit.need_tool("gcc")
    tap = kit.Tap()
    with tempfile.TemporaryDirectory(prefix="inquest-run-") as directory:
        runs = Runs(tap, inquest, directory)
        runs.all()
        job_control(tap, runs)
        for name in ("threads", "handler", "static", "heaplist",
                     "jump"):
            same_as_core(tap, runs, name)
    tap.leave()


if __name__ == "__main__":
    main()
