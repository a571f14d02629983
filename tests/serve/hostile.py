#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
hostile: clients that break HTTP, websockets and the patience of a server. That
connection ends, and nobody else notices.
"""

import os
import select
import socket
import struct
import sys
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))

import served           # noqa: E402
from served import kit  # noqa: E402

HEADER_SECONDS = 10
OVERHEAD = 64 << 10     # bytes in a second that are no flood yet
MIB = 1 << 20

MALFORMED = {
    "nothing": b"",
    "NULs": b"\0" * 100,
    "noise": bytes(range(256)) * 40,
    "no version": b"GET /healthz\r\n\r\n",
    "a version of tomorrow": b"GET /healthz HTTP/9.9\r\n\r\n",
    "no path": b"GET  HTTP/1.1\r\n\r\n",
    "a path without a slash": b"GET healthz HTTP/1.1\r\n\r\n",
    "two methods": b"GET POST / HTTP/1.1\r\n\r\n",
    "CONNECT": b"CONNECT evil.example:80 HTTP/1.1\r\n\r\n",
    "an absolute URL": b"GET http://evil.example/ HTTP/1.1\r\n\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0" * 64,
    "an upgrade to HTTP/2": b"GET /healthz HTTP/1.1\r\nHost: HOST\r\n"
                            b"Connection: Upgrade, HTTP2-Settings\r\n"
                            b"Upgrade: h2c\r\n"
                            b"HTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n",
    "an upgrade to something": b"GET /healthz HTTP/1.1\r\nHost: HOST\r\n"
                               b"Connection: Upgrade\r\nUpgrade: foo\r\n\r\n",
    "an empty upgrade": b"GET /healthz HTTP/1.1\r\nHost: HOST\r\n"
                        b"Connection: Upgrade\r\nUpgrade: \r\n\r\n",
    "a websocket without a key": b"GET /healthz HTTP/1.1\r\nHost: HOST\r\n"
                                 b"Connection: Upgrade\r\n"
                                 b"Upgrade: websocket\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03" + b"x" * 500,
    "a long path": b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\n\r\n",
    "a long header": b"GET / HTTP/1.1\r\nHost: HOST\r\nX: " + b"a" * 100000
                     + b"\r\n\r\n",
    "a long cookie": b"GET /healthz HTTP/1.1\r\nHost: HOST\r\nCookie: "
                     + b"a" * 3000 + b"\r\n\r\n",
    "many headers": b"GET / HTTP/1.1\r\nHost: HOST\r\n"
                    + b"".join(b"X%d: y\r\n" % k for k in range(5000))
                    + b"\r\n",
    "a long query": b"GET /healthz?" + b"a=b&" * 500 + b" HTTP/1.1\r\n"
                    b"Host: HOST\r\n\r\n",
    "a body": b"POST /healthz HTTP/1.1\r\nHost: HOST\r\n"
              b"Content-Length: 100000\r\n\r\n" + b"x" * 100000,
    "a body of unknown length": b"POST / HTTP/1.1\r\nHost: HOST\r\n"
                                b"Transfer-Encoding: chunked\r\n\r\n"
                                b"ffffffffffffffff\r\n",
    "bytes behind a request": b"GET /healthz HTTP/1.1\r\nHost: HOST\r\n\r\n"
                              + b"GET " * 5000,
    "lines that are folded": b"GET /healthz HTTP/1.1\r\nHost:\r\n HOST\r\n"
                             b"\r\n",
    "bare line feeds": b"GET /healthz HTTP/1.1\nHost: HOST\n\n",
}


def frame(first, length, rest=b"", mask=b"\0\0\0\0"):
    return bytes([first]) + length + mask + rest


BAD_FRAMES = {
    "a reserved opcode": frame(0x83, b"\x80"),
    "a reserved control opcode": frame(0x8b, b"\x80"),
    "reserved bits": frame(0xf2, b"\x80"),
    "a compressed frame": frame(0xc2, b"\x81", b"x"),
    "a ping in fragments": frame(0x09, b"\x80"),
    "a ping of 200 bytes": frame(0x89, b"\xfe\0\xc8", b"x" * 200),
    "a continuation of nothing": frame(0x80, b"\x81", b"x"),
    "a message within a message": frame(0x02, b"\x81", b"x")
                                  + frame(0x82, b"\x81", b"x"),
    "a length of 2^63": frame(0x82, b"\xff" + struct.pack(">Q", 1 << 63)),
    "a message of text": frame(0x81, b"\x81", b"x"),
}


class Pulse:
    """Another client, which goes on asking; how long it waited at most."""

    def __init__(self, server):
        self.client = served.open_rsp(server)
        self.client.ask("?")
        self.waits, self.failed = [], None
        self.on = True
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self):
        try:
            while self.on:
                began = time.monotonic()
                if not self.client.ask("?").startswith("T0b"):
                    raise EOFError
                self.waits.append(time.monotonic() - began)
                time.sleep(0.002)
        except (OSError, EOFError) as failed:
            self.failed = failed

    def end(self):
        self.on = False
        self.thread.join()
        self.client.close()
        self.waits.sort()
        if self.failed or not self.waits:
            return None
        return self.waits[len(self.waits) * 99 // 100]


class Hostile:
    def __init__(self, tap, inquest):
        self.tap = tap
        self.shop = served.Shop(inquest, "hostile")
        self.server = served.Server(self.shop)
        self.path = served.object_path(self.shop)
        # A sanitizer keeps for a while what was given back.
        self.slack = 20 if kit.is_sanitized(inquest) else 1

    def half_a_message(self):
        half = served.Websocket(
            self.server, served.object_path(self.shop, end="/dap"),
            self.server.token, ["Sec-WebSocket-Protocol: dap"])
        half.send(b"{", opcode=served.TEXT, final=False)
        return half

    def socket(self):
        return served.Websocket(self.server, self.path, self.server.token)

    def alive(self):
        return self.server.ask("/healthz")[0] == 200

    # ---- HTTP ----

    def malformed(self):
        host = self.server.http.encode()
        for name, data in MALFORMED.items():
            with self.server.connect(self.server.http) as s:
                try:
                    s.sendall(data.replace(b"HOST", host))
                    s.shutdown(socket.SHUT_WR)
                except OSError:
                    pass
                answer = served.read_all(s)
            self.tap.ok(b"jump" not in answer and self.alive(),
                        "malformed HTTP: " + name, answer[:300])

    def slow(self):
        """Opened now, and watched beside all else."""
        self.slow_http, self.slow_rsp = (
            [self.server.connect(where) for _ in range(20)]
            for where in (self.server.http, self.server.rsp))
        self.slow_took = None
        self.slow_watch = threading.Thread(target=self.drip, daemon=True)
        self.slow_watch.start()

    def drip(self):
        """A header more now and then, until all are hung up on."""
        began = time.monotonic()
        for s in self.slow_http:
            s.sendall(b"GET /healthz HTTP/1.1\r\n")
        open_ = self.slow_http + self.slow_rsp
        while open_ and time.monotonic() - began < 6 * HEADER_SECONDS:
            heard = select.select(open_, [], [], 0.2)[0]
            for s in list(open_):
                try:
                    if s in heard and not s.recv(1000):
                        open_.remove(s)
                    elif s in self.slow_http:
                        s.sendall(b"X: y\r\n")
                except OSError:
                    open_.remove(s)
        if not open_:
            self.slow_took = time.monotonic() - began

    def slow_end(self):
        self.slow_watch.join()
        self.tap.ok(self.slow_took and self.slow_took < 3 * HEADER_SECONDS,
                    "who does not finish a request is hung up on",
                    self.slow_took)

    # ---- websockets ----

    def bad_frames(self):
        for name, data in BAD_FRAMES.items():
            w = self.socket()
            w.s.sendall(data)
            code, _ = w.wait_closed()
            self.tap.ok(code in (None, 1002, 1003) and self.alive(),
                        "a bad frame: " + name, code)

    def too_big(self):
        w = self.socket()
        try:
            w.send(b"x" * (2 * MIB))
        except OSError:
            pass
        code, _ = w.wait_closed()
        self.tap.ok(code in (1009, None) and self.alive(),
                    "a message of 2 MiB", code)
        w = self.socket()
        try:
            w.s.sendall(frame(0x82, b"\xff" + struct.pack(">Q", 1 << 62)))
            while True:
                w.s.sendall(b"x" * 65536)
        except OSError:
            pass
        self.tap.ok(self.alive(), "a message of 2^62 bytes")

    def flood(self, name, data, codes):
        """Nobody else waits, and little is kept for it."""
        before = served.resident(self.server.process.pid)
        floods = self.server.metric("floods_total")
        pulse = Pulse(self.server)
        w = self.socket()
        began, sent = time.monotonic(), {}
        try:
            while time.monotonic() - began < served.DEADLINE:
                w.s.sendall(data)
                second = int(time.monotonic() - began)
                sent[second] = sent.get(second, 0) + len(data)
        except OSError:
            pass
        # On a busy machine it may not be one all the time.
        took = sum(n > 2 * OVERHEAD for n in sent.values())
        wait = pulse.end()
        grown = served.resident(self.server.process.pid) - before
        w.settimeout(1)
        code, _ = w.wait_closed()
        self.tap.ok(took < 10 and code in codes
                    and self.server.metric("floods_total") > floods,
                    "a flood of %s is hung up on" % name, (sent, code))
        self.tap.ok(wait is not None and wait < 0.25 * self.slack
                    and grown < 4 * MIB * self.slack,
                    "and another client goes on meanwhile",
                    "p99 %s s, %d KiB more" % (wait, grown >> 10))

    def floods(self):
        part = served.Websocket.frame(b"+", opcode=0, final=False)
        empty = served.Websocket.frame(b"", opcode=0, final=False)
        first = served.Websocket.frame(b"+", final=False)
        ping = served.Websocket.frame(b"", opcode=served.PING)
        nothing = served.Websocket.frame(b"")
        self.flood("tiny fragments", first + part * 5000, (1009, 1002, None))
        self.flood("empty fragments", first + empty * 5000,
                   (1009, 1002, None))
        self.flood("pings", ping * 5000, (1008, None))
        self.flood("empty messages", nothing * 5000, (1008, None))

    def never_reading(self):
        before = served.resident(self.server.process.pid)
        pulse = Pulse(self.server)
        request = served.packet("qXfer:features:read:target.xml:0,3fff")
        greedy = []
        for over in ("websocket", "TCP") * 5:
            if over == "websocket":
                w = self.socket()
                s, data = w.s, w.frame(request * 50)
            else:
                s = self.server.connect(self.server.rsp)
                data = request * 50
            s.setblocking(False)
            try:
                for _ in range(2000):
                    s.send(data)
            except OSError:
                pass
            greedy.append(s)
        time.sleep(1)
        wait = pulse.end()
        grown = served.resident(self.server.process.pid) - before
        big = max(map(served.resident, served.workers(self.server)))
        self.tap.ok(wait is not None and wait < 0.25 * self.slack,
                    "clients that never read delay no other",
                    "p99 %s s" % wait)
        self.tap.ok(grown < (10 * 256 << 10) * self.slack
                    and big < 64 * MIB * self.slack,
                    "and cost 256 KiB each at most",
                    "%d KiB, a worker %d KiB" % (grown >> 10, big >> 10))
        for s in greedy:
            s.close()

    def resets(self):
        for k in range(200):
            w = self.socket() if k % 2 else None
            s = w.s if w else self.server.connect(self.server.rsp)
            s.sendall(b"\x82\xfe\x10\x00abcd" if w else b"$qSupp")
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                         struct.pack("ii", 1, 0))
            s.close()
        self.tap.ok(served.until(
            lambda: self.server.metric("sessions") == 0
            and self.server.metric("connections") == 1),
            "200 resets in mid-frame leave nothing behind",
            self.server.metrics())

    def masked_rsp(self):
        """Noise to the protocol itself, in good frames."""
        c = self.socket()
        c.send(bytes(range(256)) * 100)
        c.send(b"+" + served.packet("?"))
        r = served.Rsp(c)
        self.tap.ok(r.ask("?").startswith("T0b"),
                    "noise in good frames is the stub's to skip")
        c.close()

    def descriptors(self):
        before = len(os.listdir("/proc/%d/fd" % self.server.process.pid))
        clients = [served.open_rsp(self.server) for _ in range(5)]
        for c in clients:
            c.ask("?")
            c.close()
        self.tap.ok(served.until(
            lambda: self.server.metric("sessions") == 0),
            "sessions end with their websockets")

        def after():
            return len(os.listdir("/proc/%d/fd" % self.server.process.pid))
        self.tap.ok(served.until(lambda: after() <= before + 1),
                    "no descriptor is left open", (before, after()))


def main():
    inquest = kit.need_inquest()
    kit.need_tool("gcc")
    tap = kit.Tap()
    hostile = Hostile(tap, inquest)
    half = hostile.half_a_message()
    hostile.slow()
    hostile.malformed()
    hostile.bad_frames()
    hostile.too_big()
    hostile.floods()
    hostile.never_reading()
    hostile.masked_rsp()
    hostile.slow_end()
    hostile.resets()
    hostile.descriptors()
    tap.ok(half.wait_closed() == (1008, "a message did not end"),
           "half a message of dap is not waited for for ever", half.closed)
    status, _, err = hostile.server.end()
    tap.ok(status == 0, "the server ends in good order", err)
    tap.leave()


if __name__ == "__main__":
    main()
