#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
hostile: clients that misbehave on real sockets cost the others nothing.

Each row of MISDEEDS is done to `inquest rsp --listen` while a second client,
one in earnest, asks for memory: it must be answered each time within a bound
that has nothing to do with the misdeed, and the worker's memory must not grow
with what was thrown at it. Then the rows of malformed packets, and a request
that never ends.
"""

import os
import pty
import re
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "serve")]

from served import build, kit, packet, Rsp, until   # noqa: E402

PATIENCE = 10           # seconds for one answer, on a busy machine
GROWN = 16 << 20        # bytes that a worker may keep of all this
CONNECTIONS = 32        # as many clients it serves at once

# What each is answered on any snapshot; the session goes on. "" = nothing that
# is supported.
MALFORMED = (
    ("m", "E01"), ("m-1,-1", "E01"), ("mzz,4", "E01"), ("m0* ,1", "E01"),
    ("m400000,ffffffffffffffff", "E01"), ("mffffffffffffffff,2", "E01"),
    ("m00000000000000001,1", "E01"), ("X0,1:}", "E01"), ("X0,4:a", "E01"),
    ("M0,4:00", "E01"), ("Z0", "E01"), ("Z0,1", "E01"), ("z9,0,1", ""),
    ("G00", "E01"), ("P0", "E01"), ("pffffffff", "E45"), ("p", "E01"),
    ("Hgpzz.qq", "E01"), ("H", "E01"), ("T", "E01"), ("qRcmd,7", "E01"),
    ("", ""), ("vCont", ""), ("vCont;x", "E01"), ("D;1", "E01"),
    ("qXfer:features:read:target.xml:ffffffffffffffff,ffffffffffffffff", "l"),
    ("qXfer:features:read:target.xml", ""), ("qXfer", ""),
    ("vFile:pread:63,10,0", "F-1,9"), ("vFile:open:", "F-1,2"),
    ("vFile:close:-1", "F-1,9"), ("vFile:", ""), ("\x7f\x01\xff", ""),
)


class Listener:
    def __init__(self, inquest, core, *words):
        self.process = subprocess.Popen(
            [inquest, "rsp", "--listen", "127.0.0.1:0", *words, core],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        self.port = int(line.rsplit(":", 1)[1])
        (self.worker,) = kit.children(self.process.pid)

    def connect(self):
        s = socket.create_connection(("127.0.0.1", self.port), PATIENCE)
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return s

    def memory(self):
        with open("/proc/%d/smaps_rollup" % self.worker,
                  encoding="ascii") as f:
            return 1024 * int(re.search(r"Private_Dirty:\s+(\d+)",
                                        f.read()).group(1))

    def end(self):
        self.process.terminate()
        return self.process.communicate(timeout=60)


class Earnest(threading.Thread):
    """Asks without pause until told to stop; .slowest is in seconds."""

    def __init__(self, listener):
        super().__init__(daemon=True)
        self.client = Rsp(listener.connect())
        self.client.ask("QStartNoAckMode")
        self.stopping, self.asked, self.slowest = False, 0, 0
        self.failed = None

    def run(self):
        try:
            while not self.stopping:
                began = time.monotonic()
                if not self.client.ask("?").startswith("T"):
                    raise ValueError("another answer")
                self.slowest = max(self.slowest, time.monotonic() - began)
                self.asked += 1
                time.sleep(0.001)
        except (OSError, ValueError, EOFError) as e:
            self.failed = e

    def stop(self):
        self.stopping = True
        self.join(PATIENCE + 5)
        self.client.stream.close()
        return not self.failed and not self.is_alive() and self.asked > 0 \
            and self.slowest < PATIENCE


def pushed(s, data, seconds=1.0):
    """Send as much of it as is taken in that time."""
    s.settimeout(0.1)
    end = time.monotonic() + seconds
    at = 0
    while at < len(data) and time.monotonic() < end:
        try:
            at += s.send(data[at:at + 65536])
        except socket.timeout:
            pass
        except OSError:
            break
    return at


# ---- the misdeeds ----

def never_acks(listener):
    with listener.connect() as s:
        s.settimeout(0.2)
        for _ in range(300):
            s.sendall(packet("g"))
            try:
                s.recv(1 << 16)
            except socket.timeout:
                break


def always_refuses(listener):
    """It is hung up on, and not sent the answer for ever."""
    with listener.connect() as s:
        s.settimeout(PATIENCE)
        s.sendall(packet("?"))
        got = b""
        try:
            while True:
                more = s.recv(1 << 16)
                if not more:
                    break
                got += more
                s.sendall(b"-")
        except ConnectionError:
            pass
        if not 1 <= got.count(b"$T") <= 5:
            raise ValueError("%d answers" % got.count(b"$T"))


def half_open(listener):
    """More than it serves at once; who comes then is served all the same."""
    silent = [listener.connect() for _ in range(2 * CONNECTIONS)]
    if not Rsp(listener.connect()).ask("?").startswith("T"):
        raise ValueError("no answer")
    for s in silent:
        s.close()


def never_reads(listener):
    with listener.connect() as s:
        s.sendall(packet("QStartNoAckMode"))
        pushed(s, packet("qXfer:features:read:target.xml:0,ffffff") * 200000)


def floods(listener):
    with listener.connect() as s:
        s.sendall(packet("QStartNoAckMode"))
        for _ in range(20):
            pushed(s, packet("qSupported:multiprocess+") * 2000, 0.2)
            s.settimeout(0.05)
            try:
                s.recv(1 << 20)
            except socket.timeout:
                pass


def a_byte_a_second(listener):
    with listener.connect() as s:
        for byte in packet("qC")[:4]:
            s.sendall(bytes([byte]))
            time.sleep(1)


def large_packets(listener):
    """Each is read to its end and refused; the next one is answered."""
    with listener.connect() as s:
        client = Rsp(s)
        client.ask("QStartNoAckMode")
        s.settimeout(PATIENCE)
        for _ in range(3):
            if client.ask("m" + "0" * (1 << 20)) != "E01":
                raise ValueError("not refused")
        if not client.ask("?").startswith("T"):
            raise ValueError("no answer")


def an_endless_packet(listener):
    with listener.connect() as s:
        pushed(s, b"$" + b"a" * (64 << 20), 3.0)


def noise(listener):
    with listener.connect() as s:
        pushed(s, os.urandom(1 << 20) * 8, 2.0)


def leaves_in_a_packet(listener):
    for cut in range(1, 20):
        with listener.connect() as s:
            s.sendall(packet("vFile:open:2f,0,0")[:cut])


def resets(listener):
    """Closed with answers unread: the other side sees a reset."""
    for _ in range(50):
        s = listener.connect()
        s.sendall(packet("g") * 50)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                     struct.pack("ii", 1, 0))
        s.close()


def connects_1000_times(listener):
    for _ in range(1000):
        with listener.connect() as s:
            s.sendall(packet("?")[:3])


MISDEEDS = (never_acks, always_refuses, half_open, never_reads, floods,
            a_byte_a_second, large_packets, an_endless_packet, noise,
            leaves_in_a_packet, resets, connects_1000_times)


def misdeeds(tap, inquest, core):
    listener = Listener(inquest, core)
    Rsp(listener.connect()).ask("?")
    before = listener.memory()
    for deed in MISDEEDS:
        earnest = Earnest(listener)
        earnest.start()
        wrong = None
        try:
            deed(listener)
        except (OSError, ValueError, EOFError) as e:
            wrong = e
        good = earnest.stop() and not wrong
        tap.ok(good, "%s: another client is answered, %d times" % (
            deed.__name__.replace("_", " "), earnest.asked),
            "%s, %s, slowest %.3f s" % (wrong, earnest.failed,
                                        earnest.slowest))
    grown = listener.memory() - before
    tap.ok(grown < GROWN, "memory does not grow with it",
           "%d KiB" % (grown >> 10))
    tap.ok(until(lambda: len(os.listdir("/proc/%d/fd" % listener.worker))
                 < CONNECTIONS, 20), "nor do descriptors")
    listener.end()


def malformed(tap, inquest, core):
    listener = Listener(inquest, core)
    for mode in ("acknowledged", "not acknowledged"):
        client = Rsp(listener.connect())
        client.ask("qSupported:multiprocess+;vContSupported+")
        if mode.startswith("not"):
            client.ask("QStartNoAckMode")
        wrong = [(text, answer, got) for text, answer, got in (
            (text, answer, ask(client, text)) for text, answer in MALFORMED)
            if got != answer]
        tap.ok(not wrong and client.ask("?").startswith("T"),
               "malformed packets, %s: %d rows" % (mode, len(MALFORMED)),
               wrong)
    listener.end()


def ask(client, text):
    client.stream.sendall(b"+$%s#%02x" % (
        text.encode("latin-1"), sum(text.encode("latin-1")) & 0xff))
    return client.next()


GAVE_UP = "a request took longer than %d seconds, and was given up with its " \
          "session"


def never_ends_listening(tap, inquest, core):
    """A worker that is stopped is, to others, one in an endless request."""
    listener = Listener(inquest, core, "--request-seconds", "2")
    client = Rsp(listener.connect())
    client.ask("?")
    time.sleep(2.5)             # longer than a request, with none under way
    tap.ok(client.ask("?").startswith("T"), "a client that asks nothing stays")
    os.kill(listener.worker, signal.SIGSTOP)
    line = listener.process.stderr.readline()
    while "serving" in line:
        line = listener.process.stderr.readline()
    tap.ok(GAVE_UP % 2 + "; others are served" in line,
           "a request that does not end, listening: one sentence", line)
    tap.ok(until(lambda: kit.children(listener.process.pid)
                 not in ([], [listener.worker])),
           "its worker is replaced by another one")
    again = Rsp(listener.connect())
    tap.ok(again.ask("?").startswith("T"), "which serves who comes next")
    listener.end()
    tap.ok(listener.process.returncode == 0, "until it is told to end",
           listener.process.returncode)


def never_ends_on_a_pipe(tap, inquest, core):
    process = subprocess.Popen(
        [inquest, "rsp", "--request-seconds", "1", core],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True)
    process.stdin.write("$?#3f")
    process.stdin.flush()
    process.stdout.read(1)
    (worker,) = kit.children(process.pid)
    os.kill(worker, signal.SIGSTOP)
    began = time.monotonic()
    try:
        status = process.wait(60)
    except subprocess.TimeoutExpired:
        process.kill()
        status = None
    took = time.monotonic() - began
    err = process.stderr.read()
    out, _ = process.communicate()
    tap.ok(status == 6 and "$E.a request took longer" in out
           and err.rstrip().endswith(GAVE_UP % 1),
           "a request that does not end, on a pipe: one sentence",
           (status, err, out))
    tap.ok(took < 4, "after about a second", took)


def heard(terminal, said, wanted, seconds=30):
    """What is shown, until it matches or for so long."""
    end = time.monotonic() + seconds
    while not re.search(wanted, said) and time.monotonic() < end:
        if not select.select([terminal], [], [], 1)[0]:
            continue
        try:
            said += os.read(terminal, 4096).decode("utf-8", "replace")
        except OSError:
            break
    return said


def last_descendant(pid):
    """The worker: below gdb, and the shell that it may or may not leave."""
    children = kit.children(pid)
    while children:
        (pid,) = children
        children = kit.children(pid)
    return pid


def never_ends_at_a_terminal(tap, inquest, core):
    """gdb has taken standard error: the person is told all the same."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvp("gdb", [
            "gdb", "-nx", "-q", "-iex", "set debuginfod enabled off",
            "-iex", "set pagination off", "-iex", "set remotetimeout 30",
            "-ex", "target remote | %s rsp --request-seconds 1 %s" % (
                inquest, core), "-ex", "echo opened\\n"])
    said = heard(terminal, "", r"(?m)^opened")
    os.kill(last_descendant(pid), signal.SIGSTOP)
    os.write(terminal, b"monitor info\n")
    said = heard(terminal, said, "with its session").replace("\r\n", "")
    tap.ok(GAVE_UP % 1 in said.split("monitor info")[-1],
           "a request that does not end, in gdb: one sentence", said)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    os.close(terminal)


def main():
    inquest = kit.need_inquest()
    kit.need_tool("gcc")
    tap = kit.Tap()
    core = build.ensure("threads").core
    malformed(tap, inquest, core)
    misdeeds(tap, inquest, core)
    never_ends_listening(tap, inquest, core)
    never_ends_on_a_pipe(tap, inquest, core)
    if shutil.which("gdb"):
        never_ends_at_a_terminal(tap, inquest, core)
    tap.leave()


if __name__ == "__main__":
    main()
