# SPDX-License-Identifier: Apache-2.0
"""
client: a client of the Debug Adapter Protocol, which takes no message as it
comes: each one, in and out, is held against the schemas, and its number
against the one before.

  Stdio(argv)  Stream(socket)  Web(server, path, token): what it speaks over
  Client(door) .ask("threads") -> the answer; .body(…) -> what is in it
"""

import json
import os
import select
import socket
import subprocess
import sys
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE] + [os.path.join(os.path.dirname(HERE), folder)
                         for folder in ("victims", "serve")]

import schema  # noqa: E402

PATIENCE = 60
HELLO = {"adapterID": "inquest", "clientID": "tests", "locale": "en",
         "linesStartAt1": True, "columnsStartAt1": True, "pathFormat": "path",
         "supportsVariableType": True, "supportsVariablePaging": True,
         "supportsProgressReporting": True, "supportsInvalidatedEvent": True,
         "supportsMemoryReferences": True, "supportsMemoryEvent": True,
         "supportsInquestSelectedEvent": True}


class Refused(Exception):
    """An error response; .message is the word, .text the sentence."""

    def __init__(self, answer):
        error = answer["body"]["error"]
        self.word = answer["message"]
        self.text = error["format"]
        for name, value in error.get("variables", {}).items():
            self.text = self.text.replace("{%s}" % name, value)
        super().__init__("%s: %s: %s" % (answer["command"], self.word,
                                         self.text))


# ---- doors ------------------------------------------------------------------

class Framed:
    """Content-Length, over anything with read(n) and write(bytes)."""

    def __init__(self):
        self.data = b""

    def send(self, text):
        self.write(b"Content-Length: %d\r\n\r\n" % len(text) + text)

    def receive(self):
        """The next message's bytes; None at the end."""
        while True:
            head, end, rest = self.data.partition(b"\r\n\r\n")
            if end:
                name, _, length = head.partition(b": ")
                if name != b"Content-Length":
                    raise ValueError("no header: %r" % head)
                length = int(length)
                if len(rest) >= length:
                    self.data = rest[length:]
                    return rest[:length]
            more = self.read()
            if not more:
                if self.data:
                    raise ValueError("cut off: %r" % self.data[-200:])
                return None
            self.data += more


class Stdio(Framed):
    def __init__(self, argv, **popen):
        super().__init__()
        self.process = subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, **popen)

    def write(self, data):
        pipe = self.process.stdin.fileno()
        while data:
            if not select.select([], [pipe], [], PATIENCE)[1]:
                raise TimeoutError("nothing was read for %d s" % PATIENCE)
            data = data[os.write(pipe, data[:select.PIPE_BUF]):]

    def read(self):
        pipe = self.process.stdout
        if not select.select([pipe], [], [], PATIENCE)[0]:
            raise TimeoutError("nothing was said for %d s" % PATIENCE)
        return os.read(pipe.fileno(), 1 << 16)

    def hang_up(self):
        self.process.stdin.close()

    def close(self):
        """Its exit status, or -signal; and what it said on stderr."""
        err = b""
        for _ in range(2):
            try:
                _, err = self.process.communicate(timeout=PATIENCE)
                break
            except subprocess.TimeoutExpired:
                # The second time what it started holds our pipes.
                self.process.kill()
        return self.process.wait(), err.decode("utf-8", "replace")

    def kill(self):
        self.process.kill()
        self.close()


class Stream(Framed):
    def __init__(self, where):
        super().__init__()
        if where.startswith("unix:"):
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.connect(where[len("unix:"):])
        else:
            host, _, port = where.rpartition(":")
            self.socket = socket.create_connection((host.strip("[]"),
                                                    int(port)))
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.settimeout(PATIENCE)

    def write(self, data):
        self.socket.sendall(data)

    def read(self):
        try:
            return self.socket.recv(1 << 16)
        except ConnectionResetError:
            return b""

    def hang_up(self):
        self.socket.shutdown(socket.SHUT_WR)

    def close(self):
        self.socket.close()

    kill = close


class Web:
    """One message of text a message; see tests/serve/served.py."""

    def __init__(self, server, path, token, headers=()):
        import served  # pylint: disable=import-outside-toplevel
        self.served = served
        self.ws = served.Websocket(
            server, path, token,
            ["Sec-WebSocket-Protocol: dap", *headers])
        self.status = self.ws.status
        self.fragments = []     # sizes, of the last message

    def send(self, text):
        self.ws.send(text, opcode=self.served.TEXT)

    def receive(self):
        whole, self.fragments = b"", []
        try:
            while True:
                first, n = self.ws._take(2)
                if n == 126:
                    n = int.from_bytes(self.ws._take(2), "big")
                elif n == 127:
                    n = int.from_bytes(self.ws._take(8), "big")
                data = self.ws._take(n)
                opcode = first & 15
                if opcode == self.served.CLOSE:
                    self.ws.closed = (int.from_bytes(data[:2], "big"),
                                      data[2:].decode())
                    return None
                if opcode not in (self.served.TEXT, self.served.CONTINUES):
                    continue
                whole += data
                self.fragments.append(n)
                if first & 0x80:
                    return whole
        except (EOFError, ConnectionResetError, BrokenPipeError):
            return None

    def hang_up(self):
        self.ws.close()

    def close(self):
        self.ws.close()

    kill = close


# ---- the client -------------------------------------------------------------

class Client:
    judge = None            # one for all: a schema takes a moment to read

    def __init__(self, door, strict=True):
        Client.judge = Client.judge or schema.Judge()
        self.door, self.strict = door, strict
        self.seq = self.heard = 0
        self.events = []        # those that nobody took yet
        self.answers = {}       # by request_seq
        self.messages = []      # all that came, in order
        self.faults = []
        self.closed = False

    # ---- sending ----
    def wild(self, command, **arguments):
        """A Refused of what no client should say; None where it was done."""
        self.strict = False
        seq = self.request(command, arguments)
        self.strict = True
        answer = self.answer(seq)
        return None if answer["success"] else Refused(answer)

    def request(self, command, _arguments=None, **arguments):
        """Say it; its number."""
        arguments = {**(_arguments or {}), **arguments}
        self.seq += 1
        message = {"seq": self.seq, "type": "request", "command": command,
                   "arguments": arguments}
        if self.strict:
            self.faults += ["we said: " + f for f in
                            self.judge.faults(message)]
        self.raw(json.dumps(message).encode())
        return self.seq

    def raw(self, text):
        try:
            self.door.send(text)
        except (BrokenPipeError, ConnectionResetError):
            self.closed = True

    # ---- receiving ----
    def hear(self):
        """The next message; None at the end."""
        data = self.door.receive()
        if data is None:
            self.closed = True
            return None
        try:
            message = schema.read(data)
        except ValueError as error:
            self.faults.append("%s: %r" % (error, data[:300]))
            message = json.loads(data.decode("utf-8", "surrogateescape"))
        self.check(message)
        self.messages.append(message)
        if message["type"] == "response":
            self.answers.setdefault(message["request_seq"], []).append(
                message)
        else:
            self.events.append(message)
        return message

    def check(self, message):
        self.faults += ["%s %s: %s" % (*schema.kind_of(message), f)
                        for f in self.judge.faults(message)]
        if message.get("seq") != self.heard + 1:
            self.faults.append("seq %r comes after %d" % (message.get("seq"),
                                                          self.heard))
        self.heard = message.get("seq", self.heard)

    def answer(self, seq):
        """The response to a request, whole."""
        while not self.answers.get(seq):
            if self.hear() is None:
                raise EOFError("no answer to request %d" % seq)
        return self.answers[seq].pop(0)

    def ask(self, command, _arguments=None, **arguments):
        return self.answer(self.request(command, _arguments, **arguments))

    def body(self, command, _arguments=None, **arguments):
        answer = self.ask(command, _arguments, **arguments)
        if not answer["success"]:
            raise Refused(answer)
        return answer.get("body", {})

    def refusal(self, command, _arguments=None, **arguments):
        """A Refused; None where it was done."""
        answer = self.ask(command, _arguments, **arguments)
        return None if answer["success"] else Refused(answer)

    def event(self, name, seconds=PATIENCE):
        """The body of the next event of that name."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for k, event in enumerate(self.events):
                if event["event"] == name:
                    return self.events.pop(k).get("body", {})
            if self.hear() is None:
                break
        raise EOFError("no event %s" % name)

    def taken(self, name):
        """Bodies of all events of that name that are there already."""
        found = [e.get("body", {}) for e in self.events if e["event"] == name]
        self.events = [e for e in self.events if e["event"] != name]
        return found

    # ---- a session ----
    def start(self, _hello=None, **attach):
        """initialize … stopped; the body of the last one."""
        self.capabilities = self.body("initialize", {**HELLO,
                                                     **(_hello or {})})
        self.event("initialized")
        opened = self.request("attach", attach)
        configured = self.request("configurationDone")
        for seq in (opened, configured):
            answer = self.answer(seq)
            if not answer["success"]:
                raise Refused(answer)
        self.stopped = self.event("stopped")
        return self.stopped

    def end(self):
        """disconnect, and wait until the door is closed."""
        self.body("disconnect")
        while self.hear() is not None:
            pass
        return self.door.close()

    # ---- what tests look for ----
    def stack(self, thread, **more):
        return self.body("stackTrace", threadId=thread, **more)["stackFrames"]

    def scopes(self, frame):
        """{name: Scope}"""
        return {s["name"]: s for s in
                self.body("scopes", frameId=frame)["scopes"]}

    def variables(self, reference, **more):
        return self.body("variables", variablesReference=reference,
                         **more)["variables"]

    def all_variables(self, reference):
        """Page by page, where it is cut."""
        found = self.variables(reference)
        while found and found[-1]["name"].startswith("…"):
            found = found[:-1] + self.variables(
                found[-1]["variablesReference"])
        return found

    def evaluate(self, expression, **more):
        return self.body("evaluate", expression=expression, **more)
