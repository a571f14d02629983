#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
timeline: a series of snapshots as one process, with stock gdb: forward and
back, its ends, steps, breakpoints and watchpoints, threads and libraries that
come and go; as files and as objects of a store, on a pipe and by a server.

Each row is a command and a pattern that its output must match.
"""

import os
import re
import signal
import subprocess
import sys
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE] + [os.path.join(os.path.dirname(HERE), folder)
                         for folder in ("victims", "capture")]

import kit     # noqa: E402
import living  # noqa: E402
import rows    # noqa: E402

STOPPED = r'(\[New Thread .*\n)?\nThread 1(\.1)? "moments" stopped\.'
ALONE = r"^a snapshot does not run: .*\n\nNo more reverse-execution history"
STANDS = r"^a snapshot does not run: .*\n\n.* stopped\."
NOWHERE = r"finish, until, advance and jump have nowhere to go.*\n\n.* stopped"
STAYS = r"a step moves nothing.*\n" + STOPPED
FORWARD = (
    ("print moment", r"= 1$"),
    ("info threads", r"\* 1 .*\n +2 [^\n]*\n$"),
    ("info sharedlibrary libresolv", r"No shared libraries matched"),
    ("display moment", r""),
    ("continue", r"snapshot 2 of 3, \d{4}-\d\d-\d\d [\d:.]+ UTC "
                 r"\(\+\d+\.\d{3} s\)\n" + STOPPED),
    ("print moment", r"= 2$"),
    ("display", r"1: moment = 2$"),
    ("info threads", r"\* 1 .*\n +2 .*\n +3 [^\n]*\n$"),
    ("thread apply all -q backtrace -3", r"main.*"),
    ("info sharedlibrary libresolv", r"Yes .*libresolv\.so"),
    ("info symbol __res_context_send", r""),
    ("step", STAYS),
    ("next", STAYS),
    ("stepi", STAYS),
    ("reverse-step", STAYS),
    ("print moment", r"= 2$"),
    ("info os snapshots", r" m\.0001\.snap +attached, snapshot 2 of 3 *$"),
    ("continue", r"snapshot 3 of 3.*\n" + STOPPED),
    ("info threads", r"\* 1 .*\n +2 [^\n]*\n$"),
    ("continue", r"this is the last snapshot of the series, number 3\n\n"
                 r"No more reverse-execution history"),
    ("print moment", r"= 3$"),
    ("backtrace -1", r"main "),
)
BACK = (
    ("reverse-continue", r"this is the first snapshot of the series.*\n\n"
                         r"No more reverse-execution history"),
    ("continue", r"snapshot 2 of 3"),
    ("continue", r"snapshot 3 of 3"),
    ("reverse-continue", r"snapshot 2 of 3.* \(-\d+\.\d{3} s\)\n" + STOPPED),
    ("print moment", r"= 2$"),
    ("monitor snapshot", r" +1 .*\n\* +2 .*\n +3 .*\ncontinue goes to"),
    ("monitor diff 3", r"(?s)threads: 3 and 2\n +gone \d+ .*modules: \d+ and "
                       r"\d+\n +no difference.*memory: \d+ pages differ\n"),
    ("monitor diff 1 2", r"(?s)-> .*threads: 2 and 3\n +new \d+ .*: .*\n"
                         r".*new \S+libresolv\.so\S*: 0x[0-9a-f]+\n"),
    ("monitor snapshot 1", r"snapshot 1 of 3 is next: say continue$"),
    ("print moment", r"= 2$"),
    ("continue", r"snapshot 1 of 3.*\n" + STOPPED),
    ("print moment", r"= 1$"),
    ("monitor snapshot 7", r"no snapshot of this series has that number"),
)
POINTS = (
    ("break *$pc", r"Breakpoint 1"),
    ("break twice", r"Breakpoint 2"),
    ("continue", r"snapshot 2 of 3"),
    ("print moment", r"= 2$"),
    ("continue", r"snapshot 3 of 3"),
    ("reverse-continue", r"snapshot 2 of 3"),
    ("reverse-continue", r"snapshot 1 of 3"),
    ("delete", r""),
    ("watch watched[1]", r"Hardware watchpoint 3"),
    ("watch watched[0]", r"Hardware watchpoint 4"),
    ("continue", r"snapshot 2 of 3.*\nwhat is watched at 0x\S+ differs\n"),
    ("print moment", r"= 2$"),
    ("continue", r"(?s)snapshot 3 of 3.*Hardware watchpoint 3: watched\[1\]"
                 r"\n\nOld value = 21\nNew value = 22\n"),
    ("reverse-continue", r"(?s)snapshot 2 of 3.*"
                         r"Old value = 22\nNew value = 21\n"),
    ("reverse-continue", r"snapshot 1 of 3"),
    ("delete", r""),
    ("print watched[0] = 77", r"= 77$"),
    ("continue", r"snapshot 2 of 3"),
    ("print watched[0]", r"= 10$"),
    ("reverse-continue", r"snapshot 1 of 3"),
    ("print watched[0]", r"= 77$"),
    ("monitor overlay discard", r"say stepi"),
    ("stepi", STAYS),
    ("print watched[0]", r"= 10$"),
)
RETURNS = (
    ("frame 2", r"#2 "),
    ("finish", NOWHERE),
    ("frame 2", r"#2 "),
    ("finish", NOWHERE),
    ("print moment", r"= 1$"),
    ("continue", r"snapshot 2 of 3"),
    ("advance exit", NOWHERE),
    ("jump main", NOWHERE),
    ("jump twice", NOWHERE),
    ("print moment", r"= 2$"),
    ("monitor overlay discard", r"say stepi"),
    ("stepi", STAYS),
    ("thread 2", r"Switching to thread 2"),
    ("finish", NOWHERE),
    ("thread 1", r"Switching to thread 1"),
    ("frame 2", r"#2 "),
    ("break *$pc", r"Breakpoint 1"),
    ("continue", NOWHERE),
    ("continue", r"snapshot 3 of 3"),
    ("break *$pc", r"Breakpoint 2"),
    ("continue", r"this is the last snapshot"),
    ("reverse-continue", r"snapshot 2 of 3"),
    ("monitor snapshot 1", r"is next"),
    ("finish", r"snapshot 1 of 3"),
)
OWN = (
    ("inquest-snapshot 3", r"snapshot 3 of 3"),
    ("print moment", r"= 3$"),
    ("inquest-snapshot", r"\* +3 "),
    ("print $_inquest_threads", r"= 2$"),
    ("inquest-snapshot 2", r"snapshot 2 of 3"),
    ("print $_inquest_threads", r"= 3$"),
)
STEP_MS = 20
EVERY_MS = (1500, 10000, 30000)


class Timeline(rows.Rows):
    def __init__(self, tap, inquest):
        super().__init__(tap, inquest)

    def capture(self, *words):
        """A series of which each snapshot sees another moment: slower where
        a moment had not come when the next snapshot was due."""
        for every in EVERY_MS:
            lines, in_time = self.capture_every(every, *words)
            if in_time:
                break
            for name in lines if every != EVERY_MS[-1] else ():
                path = os.path.join(self.directory, name)
                if os.path.exists(path):
                    os.unlink(path)
        return lines

    def capture_every(self, every, *words):
        victim = subprocess.Popen([self.program], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE)
        victim.stdout.read(1)
        kit.rests(victim.pid)
        began, in_time = time.monotonic(), True
        tool = subprocess.Popen(
            [self.inquest, "capture", *kit.UNHURRIED, str(victim.pid),
             "--series", "3", "--every", "%dms" % every, *words],
            cwd=self.directory, env=self.env, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL)
        lines = []
        for k in range(1, 4):
            lines.append(tool.stdout.readline().decode().strip())
            if k < 3:
                victim.stdin.write(b"x")
                victim.stdin.flush()
                victim.stdout.read(1)
                kit.rests(victim.pid)
                # It began after we did.
                in_time &= time.monotonic() - began < k * every / 1000
        tool.wait()
        victim.kill()
        victim.wait()
        return lines, in_time

    def plain(self, kind, snap, says):
        self.rows(kind, ["gdb", "-nx", "-q", "-batch", "-ex", "set width 0",
                         "-ex", "set sysroot target:", "-ex",
                         "target remote | %s rsp %s" % (self.inquest, snap)],
                  says)

    def own(self, kind, snap, says):
        self.rows(kind, [self.inquest, "gdb", snap, "-nx", "-q", "-batch",
                         "-ex", "set width 0"], says)

    def files(self):
        names = self.capture("-o", "m.snap")
        self.tap.ok(names == ["m.000%d.snap" % k for k in (1, 2, 3)],
                    "three files", names)
        self.plain("forward", "m.0001.snap", FORWARD)
        self.plain("back", "m.0001.snap", BACK)
        self.plain("points", "m.0001.snap", POINTS)
        self.plain("returns", "m.0001.snap", RETURNS)
        self.plain("any of it", "m.0003.snap",
                   [("print moment", "= 3$")] + list(FORWARD[-3:]))
        self.own("inquest gdb", "m.0001.snap", OWN)
        self.own("by its stem", "m.snap", [("print moment", "= 1$")])

    def growing(self):
        """The last one comes while gdb is there."""
        path = os.path.join(self.directory, "m.0003.snap")
        os.rename(path, path + ".late")
        self.plain("growing", "m.0001.snap", [
            ("continue", r"snapshot 2 of 2"),
            ("continue", r"this is the last snapshot of the series, number 2"),
            ("shell mv %s.late %s" % (path, path), ""),
            ("continue", r"snapshot 3 of 3"),
            ("print moment", "= 3$")])

    def alone(self):
        """One that lost its others, and one beside those of another series."""
        for name in ("m.0001.snap", "m.0002.snap"):
            os.rename(os.path.join(self.directory, name),
                      os.path.join(self.directory, "o" + name[1:]))
        self.capture("-o", "m.snap")
        os.rename(os.path.join(self.directory, "m.0003.snap"),
                  os.path.join(self.directory, "o.0003.snap"))
        self.plain("two series", "o.0002.snap", [
            ("continue", "No more reverse-execution history"),
            ("reverse-continue", r"snapshot 1 of 3"),
            ("print moment", "= 1$")])
        os.rename(os.path.join(self.directory, "o.0003.snap"),
                  os.path.join(self.directory, "alone.snap"))
        self.plain("alone", "alone.snap", [
            ("continue", ALONE), ("finish", STANDS), ("next", STANDS),
            ("reverse-continue", ALONE), ("break *$pc", r"Breakpoint 1"),
            ("continue", STANDS), ("continue", STANDS),
            ("reverse-continue", ALONE), ("stepi", STANDS),
            ("monitor snapshot", r"this snapshot is alone")])

    def store(self):
        digits = [line.split()[0] for line in self.capture("--put")]
        shown = self.run(self.inquest, "report", "--json", digits[0]).out
        series = re.search(rb'"series.id": *"([0-9a-f]{16})"', shown)
        self.plain("store", digits[1], BACK[2:4])
        self.plain("by its id", series[1].decode(),
                   [("print moment", "= 1$"), ("continue", "snapshot 2 of 3")])
        self.own("inquest gdb by its id", series[1].decode(), OWN[:2])
        self.server(digits)

    def server(self, digits):
        address = os.path.join(kit.socket_dir(), "rsp.sock")
        server = subprocess.Popen(
            [self.inquest, "serve", "--http", "127.0.0.1:0", "--rsp",
             "unix:" + address], env=self.env, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL)
        http = server.stdout.readline().decode().split()[-1]
        server.stdout.readline()
        self.plain("by its URL", "http://%s/p/default/%s" % (http, digits[0]),
                   [("print moment", "= 1$"), *FORWARD[4:6], FORWARD[7],
                    ("monitor snapshot", r"\* +2 ")])
        self.rows("server", ["gdb", "-nx", "-q", "-batch", "-ex",
                             "set width 0", "-ex", "set sysroot target:",
                             "-ex", "target extended-remote " + address], [
            ("monitor open " + digits[0], r"next: attach (\d+)"),
            ("python n=gdb.execute('monitor open %s', to_string=True)"
             ".split()[-1]; gdb.execute('attach ' + n)" % digits[0], ""),
            ("print moment", "= 1$"),
            ("continue", r"snapshot 2 of 3.*\n" + STOPPED),
            ("print moment", "= 2$"),
            ("continue", r"snapshot 3 of 3"),
            ("reverse-continue", r"snapshot 2 of 3"),
            ("monitor snapshot", r"\* +2 +\d{4}-\S+Z +[0-9a-f]{12}\n")])
        server.send_signal(signal.SIGTERM)
        server.wait(timeout=60)

    def speed(self):
        """What a step costs by the packets: 101 threads. By the processor's
        time: a busy machine is not slower by it."""
        with living.busy("threads", 100, self.directory) as victim:
            victim.is_set_up(100)
            self.run(self.inquest, "capture", str(victim.pid), "--series",
                     "5", "--every", "50ms", "-o", "b.snap")
        client = Client(self.inquest, os.path.join(self.directory,
                                                   "b.0001.snap"))
        took = sorted(client.time("vCont;c:p%s.-1" % client.pid)
                      for _ in range(4))
        self.tap.note("steps of 101 threads: %s ms" % " ".join(
            "%.1f" % (1000 * t) for t in took))
        self.tap.ok(1000 * took[1] <= STEP_MS, "a step of 101 threads takes "
                    "at most %d ms: %.1f" % (STEP_MS, 1000 * took[1]))
        client.end()


class Client:
    """Asks without acknowledgements, and waits for a stop reply."""

    def __init__(self, inquest, snap):
        self.process = subprocess.Popen(
            [inquest, "rsp", snap], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.ask("QStartNoAckMode", b"OK")
        self.process.stdin.write(b"+")
        self.ask("qSupported:multiprocess+;vContSupported+", b"PacketSize")
        self.pid = re.search(rb"thread:p([0-9a-f]+)",
                             self.ask("?", b"T"))[1].decode()

    def ask(self, packet, begin):
        data = packet.encode()
        self.process.stdin.write(b"$%s#%02x" % (data, sum(data) & 255))
        self.process.stdin.flush()
        got = b""
        while not re.search(rb"\$" + begin + rb"[^#]*#..", got):
            more = os.read(self.process.stdout.fileno(), 1 << 16)
            if not more:
                raise EOFError(got)
            got += more
        return got

    def time(self, packet):
        began = kit.processor_seconds(self.process.pid)
        said = self.ask(packet, b"T")
        took = kit.processor_seconds(self.process.pid) - began
        if b"replaylog" in said or b"$O" not in said:
            raise ValueError("it did not move: %r" % said)
        return took

    def end(self):
        self.process.stdin.close()
        self.process.wait(timeout=60)


if __name__ == "__main__":
    rows.main_of(Timeline, ("files", "speed", "store", "growing", "alone"))
