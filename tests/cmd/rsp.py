#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
rsp: the protocol on a pipe, on TCP and on unix sockets; several clients at
once; recordings; how it ends.
"""

import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "victims"))

import build    # noqa: E402
import kit      # noqa: E402

FAILED, USAGE, DENIED = 1, 2, 4


def packet(text):
    data = text.encode()
    return b"$%s#%02x" % (data, sum(data) & 0xff)


def plain(reply):
    """Run lengths undone."""
    return re.sub(r"(.)\*(.)", lambda m: m[1] * (ord(m[2]) - 28), reply,
                  flags=re.S)


class Client:
    """A client of the protocol that acknowledges what it gets."""

    def __init__(self, connection):
        self.connection = connection
        connection.settimeout(20)
        self.data = b""

    def ask(self, text):
        self.connection.sendall(packet(text))
        while True:
            found = re.search(rb"\$([^#]*)#[0-9a-f]{2}", self.data)
            if found:
                self.data = self.data[found.end():]
                self.connection.sendall(b"+")
                return found.group(1).decode("latin-1")
            more = self.connection.recv(1 << 16)
            if not more:
                raise EOFError
            self.data += more

    def is_closed(self):
        try:
            while self.connection.recv(1 << 16):
                pass
        except ConnectionResetError:
            pass
        return True


class Listening:
    """`inquest rsp --listen`; .where is what it said."""

    def __init__(self, inquest, address, core, *words, cwd=None):
        self.process = subprocess.Popen(
            [inquest, "rsp", "--listen", address, *words, core], cwd=cwd,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE)
        line = self.process.stdout.readline().decode()
        found = re.fullmatch(r"listening on (\S+)\n", line)
        self.where = found.group(1) if found else None

    def connect(self):
        if self.where.startswith("unix:"):
            s = socket.socket(socket.AF_UNIX)
            s.connect(self.where[len("unix:"):])
            return Client(s)
        host, port = self.where.rsplit(":", 1)
        return Client(socket.create_connection((host.strip("[]"), int(port)),
                                               timeout=60))

    def end(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        out, err = self.process.communicate(timeout=60)
        return self.process.returncode, out, err


def replay(text, inquest, core):
    """What is sent to a client that says what the recorded one said."""
    said = joined(text, ">")
    result = kit.run([inquest, "rsp", core], given=said)
    return result.out, joined(text, "<")


def joined(text, direction):
    data = b""
    for line in text.splitlines()[1:]:
        found = re.fullmatch(r"([<>]) \d+ \d+ (.*)", line)
        if found.group(1) == direction:
            data += re.sub(rb"\\(\\|x[0-9a-f]{2})",
                           lambda m: b"\\" if m.group(1) == b"\\"
                           else bytes([int(m.group(1)[1:], 16)]),
                           found.group(2).encode())
    return data


class Sessions:
    def __init__(self, tap, inquest, directory):
        self.tap = tap
        self.inquest = inquest
        self.directory = directory
        self.core = build.ensure("jump").core

    def path(self, name):
        return os.path.join(self.directory, name)

    def pipe(self):
        result = kit.run([self.inquest, "rsp", self.core],
                         given=b"+" + packet("qSupported") + b"+"
                         + packet("?") + b"+")
        self.tap.ok(result.status == 0 and b"PacketSize=" in result.out
                    and b"$T0b" in result.out and not result.err,
                    "a pipe is served, and its end is the end", result)
        result = kit.run([self.inquest, "rsp", self.core],
                         given=b"+" + packet("D") + b"+")
        self.tap.ok(result.status == 0 and b"$OK#9a" in result.out,
                    "a client may say goodbye", result)

    def quiet(self):
        """What gdb does: stderr is a socket, and its end is waited for."""
        ours, theirs = socket.socketpair()
        process = subprocess.Popen([self.inquest, "rsp", self.core],
                                   stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=theirs)
        theirs.close()
        ours.settimeout(20)
        said = ours.recv(1)
        process.stdin.write(packet("?"))
        process.stdin.close()
        answer = process.stdout.read()
        self.tap.ok(said == b"" and b"$T0b" in answer
                    and process.wait(timeout=60) == 0,
                    "a stderr that gdb looks at is given up", answer)
        ours, theirs = socket.socketpair()
        process = subprocess.Popen([self.inquest, "rsp", __file__],
                                   stdin=subprocess.DEVNULL, stderr=theirs)
        theirs.close()
        ours.settimeout(20)
        self.tap.ok(ours.recv(1000).startswith(b"inquest: rsp: ")
                    and process.wait(timeout=60) == FAILED,
                    "but not before the file is open")

    def interrupts(self):
        process = subprocess.Popen([self.inquest, "rsp", self.core],
                                   stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE,
                                   start_new_session=True)
        process.stdin.write(packet("?"))
        process.stdin.flush()
        first = process.stdout.read(1)
        os.killpg(process.pid, signal.SIGINT)
        process.stdin.write(packet("qC"))
        process.stdin.close()
        rest = process.stdout.read()
        self.tap.ok(process.wait(timeout=60) == 0 and b"$QC" in first + rest,
                    "gdb's Ctrl-C does not end it", rest)

    def tcp(self, address):
        listening = Listening(self.inquest, address, self.core)
        if not listening.where:
            self.tap.ok(False, "listens on " + address, listening.end())
            return
        first, second = listening.connect(), listening.connect()
        answers = [c.ask("?") for c in (first, second, first)]
        self.tap.ok(all(a.startswith("T0b") for a in answers),
                    "two clients at once on " + address, answers)
        first.connection.close()
        third = listening.connect()
        self.tap.ok(second.ask("?") == third.ask("?") == answers[0],
                    "one that goes does not disturb the others")
        status, _, err = listening.end()
        self.tap.ok(status == 0 and second.is_closed() and third.is_closed()
                    and b"target remote" in err,
                    "SIGTERM ends it and closes all connections", err)

    def unix(self):
        path = os.path.join(kit.socket_dir(), "socket")
        listening = Listening(self.inquest, "unix:" + path, self.core)
        self.tap.ok(listening.where == "unix:" + path
                    and stat.S_IMODE(os.stat(path).st_mode) == 0o600
                    and listening.connect().ask("?").startswith("T0b"),
                    "a unix socket is served to its owner", listening.where)
        second = kit.run([self.inquest, "rsp", "--listen", "unix:" + path,
                          self.core])
        self.tap.ok(second.status == FAILED and os.path.exists(path),
                    "a socket in use is not taken away", second)
        status, _, _ = listening.end(signal.SIGINT)
        self.tap.ok(status == 0 and not os.path.exists(path),
                    "and is removed at the end", status)
        stale = socket.socket(socket.AF_UNIX)
        stale.bind(path)
        stale.close()
        listening = Listening(self.inquest, "unix:" + path, self.core)
        self.tap.ok(listening.where and listening.end()[0] == 0,
                    "a socket that nobody listens on is replaced")
        with open(path, "wb") as f:
            f.write(b"mine")
        refused = kit.run([self.inquest, "rsp", "--listen", "unix:" + path,
                           self.core])
        self.tap.ok(refused.status == FAILED and os.path.isfile(path),
                    "a file is not", refused)

    def addresses(self):
        for address, status in (("0.0.0.0:0", DENIED), ("192.0.2.1:1", DENIED),
                                ("[::]:0", DENIED), ("example.org:1", DENIED),
                                ("127.0.0.1", USAGE), ("127.0.0.1:x", USAGE),
                                ("127.0.0.1:65536", USAGE), (":", USAGE),
                                ("unix:", USAGE),
                                ("unix:" + "x" * 200, USAGE)):
            result = kit.run([self.inquest, "rsp", "--listen", address,
                              self.core], timeout=60)
            self.tap.ok(result.status == status and not result.out
                        and result.err.count(b"\n") == 1,
                        "--listen %s is refused" % address[:20], result)
        result = kit.run([self.inquest, "rsp", "--listen", "127.0.0.1:0",
                          __file__], timeout=60)
        self.tap.ok(result.status == FAILED and not result.out,
                    "of no core nothing is listened for", result)

    def records(self):
        path = self.path("record")
        said = b"+" + packet("qSupported:xmlRegisters=i386") + b"+" \
            + packet("?") + b"+" + packet("g") + b"+$bad#00\\\x7f\n" \
            + packet("qXfer:exec-file:read::0,100") + b"+" + packet("D")
        result = kit.run([self.inquest, "rsp", "--record", path, self.core],
                         given=said)
        with open(path, encoding="ascii") as f:
            text = f.read()
        self.tap.ok(result.status == 0 and text.startswith("inquest-rsp 2\n")
                    and joined(text, ">") == said
                    and joined(text, "<") == result.out,
                    "a recording holds both directions", text[:2000])
        again, recorded = replay(text, self.inquest, self.core)
        self.tap.ok(again == recorded, "and can be replayed", again)

    def worker_follows(self):
        """It is bound to where the other end of its socket runs, or to all
        but that, whichever was quicker; the first of them is tried."""
        ours, theirs = socket.socketpair()
        process = subprocess.Popen([self.inquest, "rsp", self.core],
                                   stdin=theirs, stdout=theirs,
                                   stderr=subprocess.DEVNULL)
        theirs.close()
        seen = self.followed(Client(ours), process)
        ours.close()
        process.wait(20)
        self.tap.ok(all(seen), "the worker follows its client from "
                    "processor to processor", seen)
        listening = Listening(self.inquest, "127.0.0.1:0", self.core)
        client = listening.connect()
        client.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY,
                                     1)
        seen = self.followed(client, listening.process)
        self.tap.ok(all(seen), "and so it does over TCP", seen)
        listening.end()

    def followed(self, client, process):
        client.ask("?")
        (worker,) = kit.children(process.pid)
        may = os.sched_getaffinity(0)
        seen = []
        if len(may) == 1:
            return seen
        try:
            for processor in sorted(may):
                os.sched_setaffinity(0, {processor})
                until, found = time.monotonic() + 20, False
                while not found and time.monotonic() < until:
                    client.ask("?")
                    found = os.sched_getaffinity(worker) == {processor}
                seen.append(found)
        finally:
            os.sched_setaffinity(0, may)
        return seen

    def worker_dies(self):
        listening = Listening(self.inquest, "127.0.0.1:0", self.core)
        (worker,) = kit.children(listening.process.pid)
        client = listening.connect()
        client.ask("?")
        os.kill(worker, signal.SIGKILL)
        out, err = listening.process.communicate(timeout=60)
        self.tap.ok(listening.process.returncode == 6
                    and err.count(b"\n") == 2 and client.is_closed(),
                    "a worker that dies is told of", (out, err))

    def slow_reader(self):
        listening = Listening(self.inquest, "127.0.0.1:0", self.core)
        slow, quick = listening.connect(), listening.connect()
        slow.connection.setblocking(False)
        flood = packet("qXfer:features:read:target.xml:0,3fff") * 1000
        try:
            while True:
                slow.connection.send(flood)
        except BlockingIOError:
            pass
        began = time.monotonic()
        answer = quick.ask("?")
        self.tap.ok(answer.startswith("T0b")
                    and time.monotonic() - began < 10,
                    "a client that does not read delays no other", answer)
        listening.end()

    def reads_on_and_stops(self):
        """What is made ahead for a client that has stopped reading."""
        listening = Listening(self.inquest, "127.0.0.1:0", self.core)
        slow, quick = listening.connect(), listening.connect()
        slow.ask("QStartNoAckMode")
        stack = int.from_bytes(bytes.fromhex(plain(quick.ask("p7"))), "little")
        # What is above it is as much as the environment has.
        pieces = ["m%x,800" % at for at in range(stack - 0x1000, stack, 0x800)]
        first = [plain(slow.ask(piece)) for piece in pieces]
        slow.connection.setblocking(False)
        flood = b"".join(map(packet, pieces)) * 1000
        try:
            while True:
                slow.connection.send(flood)
        except BlockingIOError:
            pass
        began = time.monotonic()
        answers = {quick.ask("?") for _ in range(100)}
        self.tap.ok(len(first[0]) == 0x1000 and len(answers) == 1
                    and time.monotonic() - began < 10,
                    "nor one that read on, and has stopped", answers)
        listening.end()


def main():
    inquest = kit.need_inquest()
    kit.need_tool("gcc")
    tap = kit.Tap()
    directory = kit.work_dir("rsp")
    shutil.rmtree(directory)
    os.mkdir(directory)
    sessions = Sessions(tap, inquest, directory)
    sessions.pipe()
    sessions.quiet()
    sessions.interrupts()
    sessions.tcp("127.0.0.1:0")
    sessions.tcp("localhost:0")
    if socket.has_ipv6 and os.path.exists("/proc/net/if_inet6"):
        sessions.tcp("[::1]:0")
    else:
        tap.skip("IPv6", "this machine has none")
    sessions.unix()
    sessions.addresses()
    sessions.records()
    sessions.worker_follows()
    sessions.worker_dies()
    sessions.slow_reader()
    sessions.reads_on_and_stops()
    tap.leave()


if __name__ == "__main__":
    main()
