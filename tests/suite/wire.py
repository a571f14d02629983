# SPDX-License-Identifier: Apache-2.0
"""wire: packets of the GDB remote protocol over a socket, either end."""

import select
import time

INTERRUPT = b"\x03"
SECONDS = 60


class Gone(Exception):
    """The other end hung up, or says nothing any more."""


class Wire:
    """One end. Bodies of packets are handed on as they are on the wire."""

    def __init__(self, sock):
        self.socket = sock
        self.acks = True
        self.data = b""

    def fileno(self):
        return self.socket.fileno()

    def waiting(self):
        return bool(self.data)

    def _more(self, seconds):
        if not select.select([self.socket], [], [], seconds)[0]:
            raise Gone("nothing is said for %d s" % seconds)
        data = self.socket.recv(1 << 16)
        if not data:
            raise Gone("hung up")
        self.data += data

    def read(self, seconds=SECONDS):
        """The body of the next packet, or INTERRUPT."""
        while True:
            self.data = self.data.lstrip(b"+-")
            if self.data.startswith(INTERRUPT):
                self.data = self.data[1:]
                return INTERRUPT
            start, end = self.data.find(b"$"), self.data.find(b"#")
            if 0 <= start < end and len(self.data) >= end + 3:
                body = self.data[start + 1:end]
                self.data = self.data[end + 3:]
                if self.acks:
                    self.socket.sendall(b"+")
                return body
            self._more(seconds)

    def send(self, body):
        self.socket.sendall(b"$%s#%02x" % (body, sum(body) & 255))

    def ask(self, body, seconds=SECONDS):
        self.send(body)
        return self.read(seconds)

    def without_acks(self):
        if self.ask(b"QStartNoAckMode") == b"OK":
            self.acks = False

    def close(self):
        self.socket.close()


def unpacked(body):
    """Runs written out: a character, "*", how many more (and 29)."""
    whole, at = b"", 0
    while at < len(body):
        if body[at:at + 1] == b"*" and whole:
            whole += whole[-1:] * (body[at + 1] - 29)
            at += 1
        else:
            whole += body[at:at + 1]
        at += 1
    return whole


def until(condition, what, seconds=30):
    """Wait for it with a deadline; the value that `condition` came to."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.002)
    raise Gone("waited in vain for " + what)
