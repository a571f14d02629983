#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
smoke: stock lldb opens a snapshot, as gdb-remote and as inquest lldb.

Names, lines, values, one stop; what is asked to run comes back; a machine
without any file of the program has names and stacks, a process that was given
the same number is not taken for ours, and it costs few packets.
"""

import os
import re
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
TESTS = os.path.dirname(HERE)
sys.path[:0] = [HERE, os.path.join(TESTS, "gdb"),
                os.path.join(TESTS, "victims")]

import build    # noqa: E402
import kit      # noqa: E402
import live     # noqa: E402
import lldbkit  # noqa: E402

# Words of a session over the victim "threads": command, what must be said.
SAYS = (
    ("process status",
     r"stop reason = signal SIGSEGV: invalid address \(fault address: 0x0\)"),
    ("thread backtrace", r"threads`crash at threads\.c:\d+"),
    ("thread backtrace all", r"(?s)libplugin\.so`plugin_call.*libc\.so\.6`"),
    ("frame variable", r"\(void \*\) where = 0x0+$"),
    ("thread siginfo", r"si_signo = 11"),
    ("image list", r"(?m)^\[  0\] .*/threads $"),
    ("image list", r"\[vdso\]"),
    ("memory region $pc", r"r-x \S*/threads"),
    ("target variable victim_numbers[3]", r"= 7$"),
    ("expression victim_numbers[2] = 4242", r"= 4242"),
    ("expression victim_numbers[2]", r"= 4242"),
    ("register read rip", r"rip = 0x[0-9a-f]+  threads`dereference"),
    ("memory read 0", r"memory read failed"),
)
RUNS = ("continue", "thread step-inst", "thread step-over", "thread step-in",
        "thread step-out", "finish", "next", "si")
OTHER_RUNS = ("thread step-inst", "thread step-over", "thread step-out")
OPEN_PACKETS = 330


def parts(text):
    """What was said to each command: lldb echoes them behind its prompt."""
    found = re.split(r"(?m)^\(lldb\) ", text)[1:]
    return [part.partition("\n")[::2] for part in found]


def again(pid):
    """A program under that number, where one may ask for it."""
    for _ in range(50):
        try:
            with open("/proc/sys/kernel/ns_last_pid", "w",
                      encoding="ascii") as f:
                f.write(str(pid - 1))
        except OSError:
            return None
        process = subprocess.Popen(["sleep", "60"])
        if process.pid == pid:
            return process
        process.kill()
        process.wait()
    return None


class Smoke:
    def __init__(self, tap, inquest):
        self.tap, self.inquest = tap, inquest
        self.home = kit.own_dir("home")

    def bare(self, snapshot, commands, record=None, **more):
        with lldbkit.listening(self.inquest, snapshot, record) as where:
            return lldbkit.run(["gdb-remote " + where, *commands], self.home,
                               **more)

    def says(self):
        made = build.ensure("threads")
        result = self.bare(made.core, [c for c, _ in SAYS])
        said = parts(lldbkit.text_of(result))[-len(SAYS):]
        for (command, pattern), (_, text) in zip(SAYS, said):
            self.tap.ok(re.search(pattern, text.strip()),
                        "gdb-remote alone: %s" % command, text)
        threads = [t for c, t in said if c == "thread backtrace all"]
        self.tap.ok("".join(threads).count("stop reason") == 1,
                    "one thread has a reason to stop", threads)

    def comes_back(self, name, reason):
        made = build.ensure(name)
        commands = [*RUNS, *(c for run in OTHER_RUNS
                             for c in ("thread select 2", run)), "thread list"]
        result = self.bare(made.core, commands, timeout=60)
        text = lldbkit.text_of(result)
        self.tap.ok(result.status == 0 and not result.timed_out
                    and parts(text)[-1][0] == "thread list"
                    and reason in parts(text)[-1][1]
                    and text.count("stopped\n") > len(RUNS),
                    "%s: what is asked to run comes back with its stop" % name,
                    text)

    def taken_number(self):
        """Another program runs under the number that ours had."""
        snapshot = os.path.join(kit.work_dir("lldb"), "number.snap")
        kit.run(["rm", "-f", snapshot])
        made = build.ensure("waiting")
        with live.running(made) as process:
            kit.run([self.inquest, "capture", *kit.UNHURRIED,
                     str(process.pid), "-o", snapshot])
            pid = process.pid
        other = again(pid)
        what = "a program that was given the number is not taken for ours"
        if not other:
            self.tap.skip(what, "the kernel gives no number that is asked for")
            return
        result = self.bare(snapshot, ["image list", "process status"])
        other.kill()
        other.wait()
        self.tap.ok(b"/waiting" in result.out and b"sleep" not in result.out,
                    what, result)

    def batch(self):
        made = build.ensure("threads")
        with lldbkit.listening(self.inquest, made.core) as where:
            result = kit.run(["lldb", "--no-lldbinit", "-b", "-o",
                              "gdb-remote " + where, "-o", "thread step-over",
                              "-o", "continue"], timeout=60, cwd="/",
                             env=lldbkit.environment(self.home), merge=True)
        self.tap.ok(result.status == 0 and not result.timed_out
                    and b"SIGSEGV" in result.out, "a batch ends", result)

    def verb(self, snapshot, commands, options=()):
        return lldbkit.run(commands, self.home, argv=(
            self.inquest, "lldb", *options, "--", snapshot))

    def by_verb(self):
        directory = kit.work_dir("lldb", "names")
        core = build.ensure("jump").core
        for name in ("with space", "-b"):
            path = os.path.join(directory, name)
            shutil.copy(core, path)
            result = self.verb(path, ["thread backtrace"])
            self.tap.ok(result.status == 0 and b"`main at" in result.out,
                        "inquest lldb: a core named %r opens" % name, result)
            os.unlink(path)
        result = kit.run([self.inquest, "lldb", core, "--", "--no-lldbinit",
                          "-b", "-o", "thread backtrace"], cwd="/",
                         env=lldbkit.environment(self.home), timeout=60)
        self.tap.ok(result.status == 0 and b"`main at" in result.out,
                    "inquest lldb: words may stand behind --", result)
        result = self.verb(core, ["quit 7"])
        self.tap.ok(result.status == 7, "lldb's exit status is passed on",
                    result)
        result = self.verb(core, [], ("--lldb", "/nonexistent/lldb"))
        self.tap.ok(result.status == 3 and b"apt-get install lldb"
                    in result.out, "an lldb that is not there is named", result)
        result = self.verb(__file__, ["thread list"])
        self.tap.ok(result.status == 1 and b"(lldb)" not in result.out,
                    "of no core lldb is not started", result)
        self.ended(core)
        left = [n for n in os.listdir(lldbkit.TEMPORARY)
                if n.startswith("inquest-lldb-")]
        self.tap.ok(not left, "nothing is left behind", left)

    def ended(self, core):
        """A signal that ends it ends lldb, and all is tidied up."""
        process = subprocess.Popen(
            [self.inquest, "lldb", core, "--no-lldbinit"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True, start_new_session=True,
            env=lldbkit.environment(self.home))
        said = ""
        for line in process.stdout:
            said += line
            if "stop reason" in line:
                break
        process.terminate()
        process.stdin.close()
        status = process.wait(timeout=60)
        self.tap.ok("stop reason" in said and status != 0,
                    "inquest lldb is ended by SIGTERM", "%s\n%s"
                    % (status, said))

    def other_file(self):
        """Where the program was, there is another one by now."""
        directory = os.path.join(kit.work_dir("lldb"), "rebuilt")
        victim = build.table.VICTIMS["jump"]
        made = build.Made(victim, directory, build.make(victim, directory,
                                                        ""))
        snapshot = os.path.join(kit.work_dir("lldb"), "rebuilt.snap")
        kit.run(["rm", "-f", snapshot])
        kit.run([self.inquest, "import", made.core, "-o", snapshot])
        os.unlink(made.program)
        shutil.copy(build.ensure("heaplist").program, made.program)
        commands = ["image list", "thread backtrace"]
        result = self.bare(snapshot, commands)
        self.tap.ok(b"jump.c" not in result.out
                    and b"heaplist.c" not in result.out
                    and b"libc.so.6`" in result.out,
                    "rebuilt: gdb-remote alone shows no names of another "
                    "program", result)
        result = self.verb(snapshot, commands)
        self.tap.ok(b"jump`main" in result.out
                    and b"heaplist.c" not in result.out,
                    "rebuilt: inquest lldb shows the right names", result)

    def without_files(self):
        """The victim's files and its libc are nowhere: they are fetched."""
        directory = os.path.join(kit.work_dir("lldb"), "private")
        victim = build.table.VICTIMS["private"]
        made = build.Made(victim, directory, build.make(victim, directory,
                                                        ""))
        snapshot = os.path.join(kit.work_dir("lldb"), "private.snap")
        kit.run(["rm", "-f", snapshot])
        kit.run([self.inquest, "import", made.core, "-o", snapshot])
        shutil.rmtree(directory)
        result = self.verb(snapshot, ["thread backtrace all", "image list"])
        text = lldbkit.text_of(result)
        stacks = re.split(r"(?m)^[* ] thread #", text.split(
            "(lldb) thread backtrace all", 1)[-1])[1:]
        self.tap.ok(len(stacks) == 9, "all files gone: nine stacks", text)
        for stack in stacks:
            self.tap.ok(re.search("private`(work|main)", stack),
                        "all files gone: thread %s has names"
                        % stack.split(None, 1)[0].rstrip(","), stack)
        result = self.bare(snapshot, ["image list", "thread list"])
        self.tap.ok(re.search(rb"(?m)^\[  \d\] .*libc\.so\.6", result.out),
                    "all files gone: gdb-remote alone lists the libraries",
                    result)

    def cost(self):
        made = build.ensure("hundred")
        record = os.path.join(kit.work_dir("lldb"), "record")
        result = self.bare(made.core, ["thread backtrace all"], record)
        n = len(lldbkit.packets(record))
        stacks = result.out.count(b"frame #0")
        self.tap.ok(stacks > 100 and n <= OPEN_PACKETS,
                    "101 threads open and are unwound in %d packets of %d"
                    % (n, OPEN_PACKETS), result)


def main():
    inquest = kit.need_inquest()
    for tool in ("lldb", "gcc"):
        kit.need_tool(tool)
    tap = kit.Tap()
    smoke = Smoke(tap, inquest)
    smoke.says()
    smoke.comes_back("threads", "SIGSEGV")
    smoke.comes_back("containers", "SIGABRT")
    smoke.taken_number()
    smoke.batch()
    smoke.by_verb()
    smoke.other_file()
    smoke.without_files()
    smoke.cost()
    tap.leave()


if __name__ == "__main__":
    main()
