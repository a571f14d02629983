#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
inside: what gdb tells of a snapshot beside what it tells of any process:
facts as variables, why memory is not there, printers, what to type next; by
`inquest gdb`, and by "monitor init" in a gdb that was started by hand. At
a terminal, because gdb has prompts only there.
"""

import os
import pty
import re
import select
import signal
import sys
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "victims")]

import build    # noqa: E402
import kit      # noqa: E402
import live     # noqa: E402
import session  # noqa: E402

INIT = 'python exec(gdb.execute("monitor init", to_string=True))'
PROMPT = b"(gdb) "
LACKS = re.compile(r"^memory start=(0x[0-9a-f]+) .*kind=absent .*"
                   r"reason=budget", re.M)
OF_FILES = re.compile(r"^map start=(0x\w+) end=(0x\w+) .*path=\"/", re.M)


class Terminal:
    """A program at a terminal of its own."""

    def __init__(self, words):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir("/")
            os.execvpe(words[0], words, session.environment())
        self.opening = self.read()

    def read(self, seconds=60):
        """All until a prompt."""
        end, said = time.monotonic() + seconds, b""
        while time.monotonic() < end and not said.endswith(PROMPT):
            if not select.select([self.fd], [], [], 1)[0]:
                continue
            try:
                said += os.read(self.fd, 1 << 16)
            except OSError:
                break
        return said.decode("utf-8", "replace").replace("\r", "")

    def ask(self, command):
        os.write(self.fd, command.encode() + b"\n")
        return self.read()

    def end(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.fd)


class Inside:
    def __init__(self, tap, inquest):
        self.tap, self.inquest = tap, inquest
        self.directory = kit.work_dir("gdb-inside")

    def snapshot(self, name, *words):
        path = os.path.join(self.directory, name + ".snap")
        if os.path.exists(path):
            os.unlink(path)
        result = kit.run([self.inquest, *words, "-o", path])
        self.tap.ok(result.status == 0, name + ": there is a snapshot",
                    result)
        return path

    def holds(self, name, text, *patterns):
        missing = [p for p in patterns if not re.search(p, text, re.M)]
        self.tap.ok(not missing, name, "%s\n%s" % (missing, text))

    def crash(self):
        path = self.snapshot("crash", "import",
                             build.ensure("threads").core)
        terminal = Terminal([self.inquest, "gdb", path, "-nx", "-q"])
        self.holds("what to type next is said", terminal.opening,
                   r"^next: backtrace, .*monitor info, monitor help$")
        terminal.ask("set height 0")
        facts = terminal.ask("show convenience")
        self.holds("facts are variables", facts,
                   r"_inquest_signal = \"SIGSEGV\"",
                   r"_inquest_signal_number = 11$",
                   r"_inquest_fault_address = 0$",
                   r"_inquest_cause = \"SIGSEGV at 0x0 in thread \d+\"",
                   r"_inquest_thread = \d+$", r"_inquest_threads = 9$",
                   r"_inquest_kind = \"snapshot\"",
                   r"_inquest_id = \"\S+crash\.snap\"",
                   r"_inquest_program = \"\S+/threads\"")
        self.holds("pages are as they were",
                   terminal.ask("show pagination"), r"pagination is on")
        self.holds("and can be calculated with",
                   terminal.ask("p $_inquest_threads * 2 + "
                                "$_inquest_signal_number"), r"= 29$")
        wrong = terminal.ask("p *(int *)0x10")
        self.holds("of what is not mapped gdb says enough", wrong,
                   r"^Cannot access memory at address 0x10$\n\(gdb\) $")
        self.holds("monitor why says more", terminal.ask("monitor why"),
                   r"^0x10: not mapped \(0x0-0x\w+\)$")
        self.holds("the next prompt is bare", terminal.ask(""), r"\(gdb\) $")
        terminal.end()

    def absent(self):
        made = build.ensure("waiting")
        with live.running(made) as process:
            path = self.snapshot("absent", "capture", *kit.UNHURRIED,
                                 str(process.pid), "--budget", "64k")
        dump = kit.run([self.inquest, "dump", path]).out.decode()
        of_files = [(int(s, 16), int(e, 16))
                    for s, e in OF_FILES.findall(dump)]
        lacking = [a for a in LACKS.findall(dump) if not any(
            s <= int(a, 16) < e for s, e in of_files)]
        if not self.tap.ok(lacking, "something is lacking", dump[:2000]):
            return
        by_hand = ["gdb", "-nx", "-q", "-ex", "set pagination off", "-ex",
                   session.remote(self.inquest, path), "-ex", INIT]
        for how, words in (("inquest gdb",
                            [self.inquest, "gdb", path, "-nx", "-q"]),
                           ("monitor init", by_hand)):
            terminal = Terminal(words)
            said = [terminal.ask("x/4xb " + lacking[0]),
                    terminal.ask("p *(long *)" + lacking[0]),
                    terminal.ask("p $pc"), terminal.ask("thread 3")]
            why = (r"^Cannot access memory at address 0x\w+\n%s: mapped, but "
                   r"not captured: over the limit of bytes \(" % lacking[0])
            self.holds(how + ": behind a refused read stands why", said[1],
                       why)
            self.holds(how + ": for x, too", said[0],
                       r"not captured: over the limit of bytes")
            self.tap.ok("captured:" not in said[2] + said[3],
                        how + ": and behind nothing else", said)
            self.holds(how + ": facts are there",
                       terminal.ask("p $_inquest_host"), r'= "\S+"$')
            again = terminal.ask(INIT)
            self.tap.ok("Traceback" not in again and "next:" not in again,
                        how + ": the script may run again", again)
            terminal.end()

    def batch(self):
        made = build.ensure("containers")
        result = kit.run(
            ["gdb", "-nx", "-q", "-batch", "-iex", "set sysroot target:",
             "-ex", session.remote(self.inquest, made.core), "-ex", INIT,
             "-ex", "info pretty-printer", "-ex", "show dcache line-size",
             "-ex", "p $_inquest_signal"], merge=True, timeout=300,
            env=session.environment())
        self.holds("a script of gdb gets the same", result.out.decode(),
                   r"libstdc\+\+-v6", r"line size is 4096",
                   r'= "SIGABRT"$')

    def all(self):
        self.crash()
        self.absent()
        self.batch()


def main():
    inquest = kit.need_inquest()
    kit.need_tool("gdb")
    kit.need_tool("gcc")
    tap = kit.Tap()
    Inside(tap, inquest).all()
    tap.leave()


if __name__ == "__main__":
    main()
