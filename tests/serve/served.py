# SPDX-License-Identifier: Apache-2.0
"""served: a running server, and clients of our own that may misbehave."""

import atexit
import base64
import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "victims"))

import build    # noqa: E402
import kit      # noqa: E402

DEADLINE = kit.PATIENCE
BINARY, TEXT, CONTINUES, PING, CLOSE = 2, 1, 0, 9, 8


until = kit.until


def packet(text):
    data = text.encode()
    return b"$%s#%02x" % (data, sum(data) & 0xff)


def fresh_dir(name):
    path = kit.work_dir("serve", name)
    shutil.rmtree(path)
    os.mkdir(path)
    return path


class Shop:
    """A store with the crash of the victim `jump` in some projects."""

    def __init__(self, inquest, name, projects=("default",), victim="jump"):
        self.inquest = inquest
        self.dir = fresh_dir(name)
        self.core = build.ensure(victim).core
        self.ids = {p: self.put(self.core, p) for p in projects}

    def verb(self, *words):
        result = kit.run([self.inquest, *words, "--store", self.dir])
        if result.status:
            raise RuntimeError(str(result))
        return result.out

    def put(self, path, project="default"):
        said = json.loads(self.verb("put", "--json", "-p", project, path))
        return said["objects"][0]["id"]

    def create_token(self, project):
        said = json.loads(self.verb("token", "create", "--json", "-p",
                                    project))
        return said["token"]

    def revoke_first_token(self):
        said = json.loads(self.verb("token", "list", "--json"))
        self.verb("token", "revoke", said["tokens"][0]["id"])


class Server:
    """`inquest serve`; ended with SIGTERM."""

    def __init__(self, shop, *words, http="127.0.0.1:0", rsp="127.0.0.1:0",
                 **popen):
        self.shop = shop
        self.process = subprocess.Popen(
            [shop.inquest, "serve", "--store", shop.dir,
             *(("--http", http) if http else ()),
             *(("--rsp", rsp) if rsp else ()), *words],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, **popen)
        # A test that breaks off leaves none behind.
        atexit.register(self.process.kill)
        self.http = self._address("http") if http != "none" else None
        self.rsp = self._address("rsp") if rsp != "none" else None
        with open(os.path.join(shop.dir, "token"), encoding="ascii") as f:
            self.token = f.read().strip()

    def _address(self, kind):
        line = self.process.stdout.readline()
        found = re.fullmatch(r"listening on %s (\S+)\n" % kind, line)
        if not found:
            raise RuntimeError("%r %s" % (line, self.end()))
        return found.group(1)

    def connect(self, where):
        if where.startswith("unix:"):
            s = socket.socket(socket.AF_UNIX)
            s.settimeout(DEADLINE)
            s.connect(where[len("unix:"):])
            return s
        host, port = where.rsplit(":", 1)
        s = socket.create_connection((host.strip("[]"), int(port)),
                                     timeout=DEADLINE)
        # Else an acknowledgement and the next request wait for each other.
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return s

    def ask(self, path, token=None, headers=(), method="GET"):
        """(status, body) of a request."""
        lines = ["%s %s HTTP/1.1" % (method, path)]
        headers = list(headers)
        if not any(h.lower().startswith("host:") for h in headers):
            headers.insert(0, "Host: " + self.http)
        if token:
            headers.append("Authorization: Bearer " + token)
        return self.say("\r\n".join(lines + headers).encode("latin-1")
                        + b"\r\n\r\n")

    def say(self, data):
        with self.connect(self.http) as s:
            try:
                s.sendall(data)
            except (BrokenPipeError, ConnectionResetError):
                pass
            return split_answer(read_all(s))

    def metrics(self):
        status, body = self.ask("/metrics", self.token)
        if status != 200:
            raise RuntimeError("/metrics: %s" % status)
        return {m.group(1): int(m.group(2)) for m in re.finditer(
            r"^inquest_(\S+) (\d+)$", body.decode(), re.M)}

    def metric(self, name):
        return self.metrics()[name]

    def refused(self, reason):
        return self.metric('refused_total{reason="%s"}' % reason)

    def url(self, path):
        return "http://%s%s" % (self.http, path)

    def end(self, how=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(how)
        out, err = self.process.communicate(timeout=DEADLINE)
        return self.process.returncode, out, err


def read_all(s):
    data = bytearray()
    try:
        while True:
            more = s.recv(1 << 16)
            if not more:
                break
            data += more
    except (ConnectionResetError, socket.timeout):
        pass
    return bytes(data)


def split_answer(data):
    found = re.match(rb"HTTP/1\.[01] (\d+)", data)
    _, _, body = data.partition(b"\r\n\r\n")
    return (int(found.group(1)) if found else None), body


class Rsp:
    """A client of the remote protocol over any stream."""

    def __init__(self, stream):
        self.stream = stream
        self.data = b""

    def ask(self, text):
        self.stream.sendall(packet(text))
        return self.next()

    def monitor(self, command):
        """What a monitor command prints."""
        said, answer = "", self.ask("qRcmd," + command.encode().hex())
        while answer.startswith("O") and answer != "OK":
            said += bytes.fromhex(answer[1:]).decode()
            answer = self.next()
        if answer not in ("OK", ""):
            said += answer
        return said

    def next(self):
        while True:
            found = re.search(rb"\$([^#]*)#[0-9a-f]{2}", self.data)
            if found:
                self.data = self.data[found.end():]
                try:
                    self.stream.sendall(b"+")
                except OSError:
                    pass    # its last words
                return found.group(1).decode("latin-1")
            more = self.stream.recv(1 << 16)
            if not more:
                raise EOFError
            self.data += more

    def is_closed(self):
        read_all(self.stream)
        return True

    def close(self):
        self.stream.close()


class Websocket:
    """RFC 6455, client's side; sends what it is told to."""

    def __init__(self, server, path, token=None, headers=()):
        self.s = server.connect(server.http)
        self.data = b""
        self.closed = None      # (code, reason) once the server closes
        self.status = self._shake(server, path, token, list(headers))

    def _shake(self, server, path, token, headers):
        names = [h.split(":")[0].lower() for h in headers]
        usual = ["Host: " + server.http, "Upgrade: websocket",
                 "Connection: Upgrade", "Sec-WebSocket-Version: 13",
                 "Sec-WebSocket-Protocol: rsp", "Sec-WebSocket-Key: "
                 + base64.b64encode(os.urandom(16)).decode()]
        lines = ["GET %s HTTP/1.1" % path]
        lines += [u for u in usual if u.split(":")[0].lower() not in names]
        lines += [h for h in headers if h.split(":", 1)[1].strip()]
        if token:
            lines.append("Authorization: Bearer " + token)
        self.s.sendall("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n")
        while b"\r\n\r\n" not in self.data:
            more = self.s.recv(1 << 16)
            if not more:
                break
            self.data += more
        status, self.data = split_answer(self.data)
        return status

    @staticmethod
    def frame(data, opcode=BINARY, final=True, masked=True):
        head = bytes([opcode | (0x80 if final else 0)])
        mark = 0x80 if masked else 0
        n = len(data)
        if n < 126:
            head += bytes([mark | n])
        elif n < 1 << 16:
            head += bytes([mark | 126]) + struct.pack(">H", n)
        else:
            head += bytes([mark | 127]) + struct.pack(">Q", n)
        # A mask of zeros is a mask.
        return head + (b"\0\0\0\0" if masked else b"") + data

    def sendall(self, data):
        self.s.sendall(self.frame(data))

    def send(self, data, **how):
        self.s.sendall(self.frame(data, **how))

    def _take(self, n):
        while len(self.data) < n:
            more = self.s.recv(1 << 16)
            if not more:
                raise EOFError
            self.data += more
        taken, self.data = self.data[:n], self.data[n:]
        return taken

    def _frame(self):
        first, n = self._take(2)
        if n == 126:
            n = struct.unpack(">H", self._take(2))[0]
        elif n == 127:
            n = struct.unpack(">Q", self._take(8))[0]
        return first & 15, self._take(n)

    def recv(self, _size=0):
        """The next message; b"" at the end, and then .closed says why."""
        try:
            while True:
                opcode, data = self._frame()
                if opcode == BINARY:
                    return data
                if opcode == CLOSE:
                    code = struct.unpack(">H", data[:2])[0] if data else None
                    self.closed = (code, data[2:].decode())
                    return b""
        except (EOFError, ConnectionResetError, BrokenPipeError):
            return b""

    def wait_closed(self):
        """Why it was closed; (None, "") without a goodbye."""
        while self.recv():
            pass
        return self.closed or (None, "")

    def settimeout(self, seconds):
        self.s.settimeout(seconds)

    def close(self):
        self.s.close()


def object_path(shop, project="default", end="/rsp"):
    return "/p/%s/%s%s" % (project, shop.ids[project], end)


def open_rsp(server, project="default", token=None):
    """A client that speaks through a websocket."""
    w = Websocket(server, object_path(server.shop, project),
                  token or server.token)
    if w.status != 101:
        raise RuntimeError("the upgrade was answered with %s" % w.status)
    return Rsp(w)


def workers(server):
    """The processes of sessions, below the first one below the server; the
    other one makes indexes."""
    return [w for z in kit.children(server.process.pid)[:1]
            for w in kit.children(z)]


def resident(pid):
    """Bytes of memory that a process has in use; 0 once it has ended."""
    try:
        with open("/proc/%d/status" % pid, encoding="utf-8",
                  errors="replace") as f:
            found = re.search(r"VmRSS:\s+(\d+) kB", f.read())
    except kit.GONE:
        return 0
    return int(found.group(1)) << 10 if found else 0
