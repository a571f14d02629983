#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
walker: what gdb's own test suite takes for a gdbserver, and shows snapshots.

  walker.py [OPTION...] HOST:PORT PROGRAM [ARGUMENT...]

The program runs natively to wherever a test wants it: a gdbserver, which the
client never sees, carries out the packets that move it. As soon as the client
asks anything after a stop, the program is let go of (it stays stopped by
SIGSTOP), `inquest capture` takes a snapshot of it, `inquest rsp --listen`
serves this, and every question goes there until the program moves again:
registers, memory, threads, libraries, auxv, thread-local storage, files. What
the client writes goes to the snapshot's overlay and, when the program moves,
to the program too.

INQUEST names the program under test. WALKER_LOG names a file; a line is
added at the end: snapshots, packets answered by the stub, by ourselves, moves.
"""

import contextlib
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))

from wire import INTERRUPT, Gone, Wire, unpacked, until  # noqa: E402

AT_ENTRY = 9
RIP, ORIG_RAX = 16, 57          # numbers of gdbserver's registers
# Bytes of each: general, segments, x87 and its state, xmm, mxcsr, orig_rax and
# the two bases.
IN_SYSCALL = b"daffffffffffffff"        # %rax is -ENOSYS until it returns
WIDTHS = (17 * [8] + 7 * [4] + 8 * [10] + 8 * [4] + 16 * [16] + [4] + 3 * [8])
STOP_BIT = 1 << (signal.SIGSTOP - 1)
LOOPBACK = "127.0.0.1"
# What is understood of stops; no forks and execs: the stub tells of none.
SUPPORTED = (b"qSupported:multiprocess+;swbreak+;hwbreak+;vContSupported+;"
             b"xmlRegisters=i386")


def patched(registers, number, value):
    """All registers in hex, with another value of one that is known here."""
    if number >= len(WIDTHS):
        return registers
    at = 2 * sum(WIDTHS[:number])
    return registers[:at] + value + registers[at + len(value):]


def connect(port):
    with contextlib.suppress(ConnectionRefusedError):
        return socket.create_connection((LOOPBACK, port))
    return None


def free_port():
    with socket.socket() as s:
        s.bind((LOOPBACK, 0))
        return s.getsockname()[1]


class Live:
    """The process, and the gdbserver that moves it."""

    def __init__(self, argv):
        port = free_port()
        self.server = subprocess.Popen(
            ["gdbserver", "--once", "--multi", "%s:%d" % (LOOPBACK, port),
             *argv])
        self.wire = Wire(until(lambda: connect(port), "gdbserver"))
        self.wire.without_acks()
        # Extended: gdbserver outlives a process that it lets go of.
        self.wire.ask(b"!")
        self.wire.ask(SUPPORTED)
        self.moves = self.wire.ask(b"vCont?")
        self.pid = self._pid(self.wire.ask(b"?"))
        self.held = True        # by gdbserver; else it is stopped by SIGSTOP
        self.points = set()     # the breakpoints that gdbserver knows

    @staticmethod
    def _pid(stop):
        if b"thread:p" not in stop:
            raise Gone("the program did not start: %r" % stop)
        return int(stop.partition(b"thread:p")[2].partition(b".")[0], 16)

    def tasks(self):
        """What the kernel says of each thread: thread id, keys and values."""
        for tid in os.listdir("/proc/%d/task" % self.pid):
            with contextlib.suppress(OSError):
                with open("/proc/%d/task/%s/status" % (self.pid, tid),
                          encoding="utf-8", errors="replace") as f:
                    yield int(tid), dict(line.split(":\t", 1) for line in f
                                         if ":\t" in line)

    def stands(self):
        return all(status["State"][0] in "TZ" for _, status in self.tasks())

    def let_go(self):
        """No signal may reach it with the detaching, but for SIGSTOP."""
        self.wire.ask(b"QProgramSignals:")
        for point in self.points:
            self.wire.ask(b"z" + point)
        for tid in iter(self.stopping, None):
            self.settle(tid)
        os.kill(self.pid, signal.SIGSTOP)
        if self.wire.ask(b"D;%x" % self.pid) != b"OK":
            raise Gone("gdbserver keeps the process")
        self.held, self.points = False, set()
        until(self.stands, "the process to stop")

    def take(self):
        if self.held:
            return
        stop = self.wire.ask(b"vAttach;%x" % self.pid)
        if not stop.startswith(b"T"):
            raise Gone("gdbserver cannot take it again: %r" % stop)
        self.held = True
        for tid in iter(self.stopping, None):
            self.swallow(tid)

    def stopping(self):
        """A thread that a SIGSTOP still waits for."""
        for tid, status in self.tasks():
            if (int(status["SigPnd"], 16) | int(status["ShdPnd"], 16)) & \
                    STOP_BIT:
                return tid
        return None

    def settle(self, tid):
        """
        gdbserver still waits for a SIGSTOP that it sent this thread, and would
        send a SIGCONT before it detaches. So one instruction is carried out
        somewhere harmless: the program's first, which clears %rbp. A
        breakpoint that the thread has hit, and nobody was told of, it hits
        again. One that just makes a thread has yet to come out of the kernel.
        """
        thread = b"p%x.%x" % (self.pid, tid)
        before = self.registers(thread)
        if before.startswith(IN_SYSCALL):
            self.wire.ask(b"vCont;s:" + thread)
            return
        elsewhere = patched(patched(before, ORIG_RAX, b"ff" * 8), RIP,
                            self.entry())
        self.wire.ask(b"G" + elsewhere)
        self.wire.ask(b"vCont;s:" + thread)
        self.wire.ask(b"Hg" + thread)
        self.wire.ask(b"G" + before)

    def registers(self, thread):
        self.wire.ask(b"Hg" + thread)
        return unpacked(self.wire.ask(b"g"))

    def write(self, thread, packet):
        """gdbserver knows no packet for one register."""
        registers = self.registers(thread)
        if packet.startswith(b"P"):
            number, _, value = packet[1:].partition(b"=")
            packet = b"G" + patched(registers, int(number, 16), value)
        self.wire.ask(packet)

    def entry(self):
        """Where the program begins, as a register's bytes."""
        with open("/proc/%d/auxv" % self.pid, "rb") as f:
            pairs = struct.iter_unpack("<QQ", f.read())
        return struct.pack("<Q", dict(pairs)[AT_ENTRY]).hex().encode()

    def swallow(self, tid):
        """Attaching left a SIGSTOP pending; no instruction is carried out."""
        stop = self.wire.ask(b"vCont;s:p%x.%x" % (self.pid, tid))
        if not stop.startswith(b"T11"):
            raise Gone("a thread went its way: %r" % stop)

    def prepare(self, points, writes):
        """Bring it to what the client believes of it."""
        self.take()
        for thread, write in writes:
            self.write(thread, write)
        for gone in self.points - points:
            self.wire.ask(b"z" + gone)
        for new in points - self.points:
            self.wire.ask(b"Z" + new)
        self.points = set(points)

    def end(self):
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        self.wire.close()
        self.server.kill()
        self.server.wait()


class Shown:
    """One snapshot and the stub that serves it."""

    def __init__(self, inquest, pid, directory, number):
        self.path = os.path.join(directory, "%d.snap" % number)
        taken = subprocess.run(
            [inquest, "capture", str(pid), "-o", self.path], text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, check=False)
        if taken.returncode:
            raise Gone("no snapshot: " + taken.stderr)
        self.stub = subprocess.Popen(
            [inquest, "rsp", self.path, "--listen", LOOPBACK + ":0"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True)
        port = int(self.stub.stdout.readline().rpartition(":")[2])
        self.wire = Wire(connect(port))
        self.wire.without_acks()
        self.files = 0          # that the client has open

    def end(self):
        self.wire.close()
        self.stub.terminate()
        self.stub.wait()
        self.stub.stdout.close()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path)


class Walker:
    """Between a client, a live process and its snapshots."""

    def __init__(self, client, live, inquest, directory):
        self.client, self.live = client, live
        self.inquest, self.directory = inquest, directory
        self.shown = None
        self.hello = b"qSupported"
        self.threads = {}       # b"g" or b"c": the last H packet
        self.points, self.writes = set(), []
        self.files = {}         # our number: the snapshot and its own number
        self.counts = {"snapshots": 0, "stub": 0, "own": 0, "moves": 0}
        self.done = False

    # ---- snapshots ----

    def current(self):
        """The snapshot of where the process is now."""
        if self.shown:
            return self.shown
        self.live.let_go()
        self.counts["snapshots"] += 1
        self.shown = Shown(self.inquest, self.live.pid, self.directory,
                           self.counts["snapshots"])
        for before in (self.hello, *self.threads.values()):
            self.shown.wire.ask(before)
        return self.shown

    def forget(self):
        """It moves on. gdb keeps files open that it read there."""
        if self.shown and not self.shown.files:
            self.shown.end()
        self.shown = None

    def ask(self, body, shown=None):
        self.counts["stub"] += 1
        return (shown or self.current()).wire.ask(body)

    # ---- what is no question to the snapshot alone ----

    def own(self, reply):
        self.counts["own"] += 1
        return reply

    def no_acks(self, _body):
        self.client.send(b"OK")
        self.client.acks = False
        return self.own(None)

    def supported(self, body):
        self.hello = body
        return self.ask(body)

    def thread(self, body):
        reply = self.ask(body)
        if reply == b"OK":
            self.threads[body[1:2]] = body
        return reply

    def write(self, body):
        reply = self.ask(body)
        if reply == b"OK":
            self.writes.append((self.threads.get(b"g", b"Hg0")[2:], body))
        return reply

    def insert(self, body):
        self.points.add(body[1:])
        return self.own(b"OK")

    def remove(self, body):
        self.points.discard(body[1:])
        return self.own(b"OK")

    def how(self, _body):
        return self.own(self.live.moves)

    def move(self, body):
        self.counts["moves"] += 1
        self.live.prepare(self.points, self.writes)
        self.writes = []
        self.forget()
        # The signal that the snapshot shows is ours, not the program's; and
        # attaching may leave one behind for a thread that comes late.
        body = body.replace(b";C11", b";c").replace(b";S11", b";s")
        stop = b"T11"
        while stop.startswith(b"T11"):
            self.live.wire.send(body)
            stop = self.stop()
        # gdb takes the thread of a stop for the chosen one, and says no Hg.
        thread = stop.partition(b"thread:")[2].partition(b";")[0]
        if thread:
            self.threads[b"g"] = b"Hg" + thread
        return stop

    def stop(self):
        """What the process stopped of; meanwhile the client may interrupt."""
        while True:
            try:
                return self.live.wire.read(0.05)
            except Gone as gone:
                if str(gone) == "hung up":
                    raise
            with contextlib.suppress(Gone):
                if self.client.read(0.01) == INTERRUPT:
                    self.live.wire.socket.sendall(INTERRUPT)

    def leave(self, body):
        self.done = True
        return self.own(None if body == b"k" else b"OK")

    def monitor(self, body):
        if body == b"qRcmd," + b"exit".hex().encode():
            return self.leave(body)
        return self.ask(body)

    # ---- files: each stays with the snapshot that it was opened in ----

    def open(self, body):
        shown = self.current()
        reply = self.ask(body)
        if reply.startswith(b"F-") or not reply.startswith(b"F"):
            return reply
        number = len(self.files) + 1
        self.files[number] = shown, reply[1:]
        shown.files += 1
        return b"F%x" % number

    def file(self, body):
        verb, _, rest = body.rpartition(b":")
        number, comma, more = rest.partition(b",")
        entry = self.files.get(int(number, 16))
        if not entry or not entry[0]:
            return self.own(b"F-1,9")
        shown, own = entry
        return self.ask(verb + b":" + own + comma + more, shown)

    def close(self, body):
        reply = self.file(body)
        number = int(body.rpartition(b":")[2], 16)
        shown = self.files.get(number, (None,))[0]
        if shown:
            self.files[number] = None, b""
            shown.files -= 1
            if not shown.files and shown is not self.shown:
                shown.end()
        return reply

    TABLE = (
        (b"QStartNoAckMode", no_acks), (b"qSupported", supported),
        (b"vCont?", how), (b"vCont;", move), (b"H", thread),
        (b"M", write), (b"X", write), (b"P", write), (b"G", write),
        (b"Z", insert), (b"z", remove), (b"qRcmd,", monitor),
        (b"vFile:open:", open), (b"vFile:close:", close),
        (b"vFile:pread:", file), (b"vFile:fstat:", file),
        (b"D", leave), (b"k", leave), (b"vKill", leave),
    )

    def answer(self, body):
        for prefix, act in self.TABLE:
            if body.startswith(prefix):
                return act(self, body)
        return self.ask(body)

    def serve(self):
        while not self.done:
            body = self.client.read(600)
            if body == INTERRUPT:
                continue
            reply = self.answer(body)
            if reply is not None:
                self.client.send(reply)

    def end(self):
        self.live.end()
        kept = {shown for shown, _ in self.files.values() if shown}
        for shown in kept | ({self.shown} if self.shown else set()):
            shown.end()
        if "WALKER_LOG" in os.environ:
            with open(os.environ["WALKER_LOG"], "a", encoding="ascii") as f:
                f.write(json.dumps(self.counts) + "\n")


def arguments():
    words = sys.argv[1:]
    while words and words[0].startswith("--"):
        words.pop(0)
    if len(words) < 2 or ":" not in words[0]:
        sys.exit("usage: walker.py [OPTION...] HOST:PORT PROGRAM [ARG...]")
    return int(words[0].rpartition(":")[2]), words[1:]


def listen(port):
    try:
        return socket.create_server((LOOPBACK, port))
    except OSError:
        sys.exit("Can't bind address: Address already in use.")


def on_end(act):
    for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT):
        signal.signal(number, act)


def leave(_signal, _frame):
    sys.exit(0)


def main():
    port, argv = arguments()
    on_end(leave)
    listener = listen(port)
    directory = tempfile.mkdtemp(prefix="inquest-walker-")
    live = Live(argv)
    print("Listening on port %d" % listener.getsockname()[1], flush=True)
    walker = None
    try:
        client = Wire(listener.accept()[0])
        walker = Walker(client, live, os.environ["INQUEST"], directory)
        walker.serve()
    except Gone as gone:
        print("walker: %s" % gone, file=sys.stderr)
        if walker and str(gone) != "hung up":
            walker.counts["trouble"] = str(gone)
    finally:
        on_end(signal.SIG_IGN)
        (walker or live).end()
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
