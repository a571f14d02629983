#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
beside: several snapshots in one gdb, and several debuggers on one snapshot.

Parent and child of a fork, and two of one process, side by side; two gdbs and
an lldb on one address, of which none disturbs another; writes, and calls that
are refused and leave nothing behind.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import threading

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "victims")]

import kit    # noqa: E402
import rows   # noqa: E402

DEADLINE = 300          # of a gdb, from its start to its end


class Talk:
    """A gdb that stays while others do something."""

    def __init__(self, directory, where, how="remote"):
        self.process = subprocess.Popen(
            ["gdb", "-nx", "-q"], cwd=directory, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.n = 0
        self.timer = threading.Timer(DEADLINE, self.process.kill)
        self.timer.start()
        for command in ("set confirm off", "set width 0", "set pagination off",
                        "set sysroot target:", "target %s %s" % (how, where)):
            self.say(command)

    def say(self, command):
        self.n += 1
        mark = rows.MARK % self.n
        self.process.stdin.write(("%s\necho %s\\n\n" % (command, mark))
                                 .encode())
        self.process.stdin.flush()
        lines = []
        while not lines or mark not in lines[-1]:
            line = self.process.stdout.readline().decode("utf-8", "replace")
            if not line:
                break
            lines.append(line)
        return "".join(lines[:-1]).replace("(gdb) ", "")

    def end(self):
        self.process.stdin.write(b"quit\n")
        self.process.stdin.close()
        self.process.wait(timeout=60)
        self.timer.cancel()


class Beside(rows.Rows):
    def __init__(self, tap, inquest):
        super().__init__(tap, inquest)

    def capture(self, pid, *words):
        result = self.run(self.inquest, "capture", *kit.UNHURRIED, str(pid),
                          *words)
        self.tap.ok(result.status == 0, "captured: " + " ".join(words), result)

    def rows(self, kind, argv, says, how=re.M | re.S):
        super().rows(kind, argv, says, how)

    def fork(self):
        parent = subprocess.Popen([self.program, "fork"],
                                  stdout=subprocess.PIPE)
        child = int(parent.stdout.readline())
        kit.rests(parent.pid)
        kit.rests(child)
        self.capture(parent.pid, "-o", "parent.snap")
        self.capture(child, "-o", "child.snap")
        os.kill(child, signal.SIGKILL)
        parent.kill()
        parent.wait()
        self.rows("fork", [self.inquest, "gdb", "parent.snap", "child.snap",
                           "-nx", "-q", "-batch", "-ex", "set width 0"], [
            ("info inferiors", r"\* 1 +process %d .*\n +2 +process \d+ "
             % parent.pid),
            ("thread apply all backtrace",
             r"Thread 2\.1.*in_the_child.*main.*Thread 1\.1.*in_the_parent"),
            ("print moment", r"= 1$"),
            ("inferior 2", r"Switching to inferior 2"),
            ("print moment", r"= 7$"),
            ("info proc", r"\ncmdline = "),
            ("monitor info", r"process +%d\n" % child),
            ("print moment = 8", r"= 8$"),
            ("inferior 1", r"Switching to inferior 1"),
            ("print moment", r"= 1$"),
            ("print watched", r"\{10, 20\}"),
            ("monitor overlay", r"nothing was written")])

    def two_of_one(self):
        victim = subprocess.Popen([self.program], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE)
        victim.stdout.read(1)
        kit.rests(victim.pid)
        self.capture(victim.pid, "-o", "one.snap")
        victim.stdin.write(b"x")
        victim.stdin.flush()
        victim.stdout.read(1)
        kit.rests(victim.pid)
        self.capture(victim.pid, "-o", "two.snap")
        victim.kill()
        victim.wait()
        self.rows("two of one", [
            "gdb", "-nx", "-q", "-batch", "-ex", "set width 0", "-ex",
            "set sysroot target:", "-ex", "target extended-remote | %s rsp "
            "one.snap two.snap" % self.inquest], [
                ("info os snapshots", r"1001 +one\.snap +.*attached.*\n"
                                      r"1002 +two\.snap"),
                ("add-inferior", r"Added inferior 2"),
                ("inferior 2", r"Switching to inferior 2"),
                ("attach 1002", r"read"),
                ("info threads", r"1\.1 .*1\.2 .*\* 2\.1 .*2\.2 .*2\.3 "),
                ("print moment", r"= 2$"),
                ("monitor diff 1001 1002",
                 r"threads: 2 and 3\n +new \d+ .*memory: \d+ pages differ"),
                ("detach", r"detached"),
                ("inferior 1", r"Switching to inferior 1"),
                ("print moment", r"= 1$")])

    def calls(self):
        before = ("info registers", r"rip ")
        self.rows("calls", [
            self.inquest, "gdb", "one.snap", "-nx", "-q", "-batch"], [
                ("python regs = gdb.execute('info all-registers', False, "
                 "True)", ""),
                ("print twice(4)", r"no function of it can be called"),
                ("call twice(moment)", r"no function of it can be called"),
                ("print room(box, 3)", r"no function of it can be called"),
                ("python print(regs == gdb.execute('info all-registers', "
                 "False, True))", r"True"),
                ("monitor overlay", r"nothing was written"),
                ("backtrace -1", r"main "), before,
                ("print moment = 5", r"= 5$"),
                ("print twice(moment)", r"no function of it can be called"),
                ("print moment", r"= 5$"),
                ("set var $rax = 77", r""),
                ("monitor overlay", r"4 bytes of memory in 1 places, 1 reg"),
                ("monitor overlay list", r"0x\S+ (\(\S+\) )?4 bytes: 05000000, captured "
                 r"as 01000000\nthread \d+ rax: 4d00000000000000, captured"),
                ("monitor overlay discard", r"as captured again"),
                ("maintenance flush register-cache", r""),
                ("maintenance flush dcache", r""),
                ("print $rax == 77", r"= 0$"),
                ("print moment", r"= 1$")])

    def together(self):
        address = os.path.join(kit.socket_dir(), "sock")
        server = subprocess.Popen(
            [self.inquest, "rsp", "--listen", "unix:" + address, "two.snap"],
            cwd=self.directory, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL)
        server.stdout.readline()
        a, b = Talk(self.directory, address), Talk(self.directory, address)
        self.says(a, "print watched[0] = 77", "= 77$")
        self.says(a, "thread 2", r"Switching to thread 2")
        self.says(a, "set var $rbx = 1234", "")
        self.says(b, "print watched[0]", "= 10$")
        self.says(b, "thread", r"Current thread is 1 ")
        self.says(b, "thread 2", r"Switching to thread 2")
        self.says(b, "print $rbx == 1234", "= 0$")
        self.says(b, "print watched[1] = 99", "= 99$")
        self.lldb(address)
        self.says(a, "thread", r"Current thread is 2 ")
        self.says(a, "print $rbx", "= 1234$")
        self.says(a, "print watched", r"\{77, 21\}")
        self.says(a, "monitor overlay discard", "as captured")
        b.end()
        self.says(a, "stepi", "a snapshot does not run")
        self.says(a, "print watched", r"\{10, 21\}")
        self.says(a, "print $rbx == 1234", "= 0$")
        c = Talk(self.directory, address)
        self.says(c, "print watched", r"\{10, 21\}")
        c.end()
        a.end()
        server.send_signal(signal.SIGTERM)
        server.wait(timeout=60)

    def says(self, talk, command, pattern):
        said = talk.say(command)
        self.tap.ok(re.search(pattern, said, re.M), "together: " + command,
                    said)

    def lldb(self, address):
        if not shutil.which("lldb"):
            self.tap.skip("together: lldb", "there is no lldb")
            return
        result = self.run(
            "lldb", "-x", "-b", "-o", "process connect unix-connect://"
            + address, "-o", "thread list", "-o", "memory read -c 8 -f x -s 8 "
            "&watched")
        self.tap.ok(b"tid = " in result.out and b"moments" in result.out,
                    "together: lldb sees the threads", result)
        self.tap.ok(b"0x000000000000000a" in result.out,
                    "together: lldb sees what was captured", result)


if __name__ == "__main__":
    rows.main_of(Beside, ("fork", "two_of_one", "calls", "together"))
