#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
dap: the Debug Adapter Protocol over websockets - one message a message, who
is turned away, pieces, slow readers, and how a session ends.
"""

import json
import os
import shutil
import signal
import sys
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "dap")]

import client           # noqa: E402
import served           # noqa: E402
from served import kit  # noqa: E402

FRAGMENT = 64 << 10
BINARY, TEXT, CONTINUES = served.BINARY, served.TEXT, served.CONTINUES
SUBPROTOCOL = "Sec-WebSocket-Protocol: "


def request(seq, command, **arguments):
    return json.dumps({"seq": seq, "type": "request", "command": command,
                       "arguments": arguments}).encode()


def last_words(c):
    """What the last output before the end says."""
    c.event("terminated")
    return c.taken("output")[-1]["output"]


class Webs:
    def __init__(self, tap, inquest):
        self.tap = tap
        self.shop = served.Shop(inquest, "dap", ("default", "web"))
        # A server has variables where there are indexes.
        os.environ["INQUEST_CACHE"] = os.path.join(self.shop.dir, "cache")
        kit.run([inquest, "index", self.shop.core])
        self.server = served.Server(self.shop, rsp="none")

    def path(self, project="default", end="/dap"):
        return served.object_path(self.shop, project, end)

    def door(self, path=None, token=None, headers=()):
        return client.Web(self.server, path or self.path(),
                          token or self.server.token, headers)

    def connect(self, **how):
        return client.Client(self.door(**how))

    def workers(self):
        return self.server.metric("sessions")

    # ---- a session ----
    def session(self):
        c = self.connect()
        silent = self.workers()
        stopped = c.start()
        threads = c.body("threads")["threads"]
        busy = self.workers()
        frames = c.stack(threads[0]["id"])
        end = c.end()
        self.tap.ok(silent == 0 and busy == 1
                    and stopped["threadId"] == threads[0]["id"]
                    and len(frames) >= 3 and end is None and not c.faults,
                    "a session; a worker is there from the first message on",
                    (silent, busy, stopped, c.faults))
        self.tap.ok(c.door.ws.closed == (1000, "")
                    and self.ended(),
                    "goodbye is the end of both", c.door.ws.closed)

    def paths(self):
        for path in ("/p/web/n/1/dap", self.path("web").replace(
                "/p/", "/p/default/")):
            c = self.connect(path=path)
            self.tap.ok(c.start()["reason"] == "exception" and not c.faults,
                        "by the path " + path[:12], c.faults)
            c.door.close()

    def bridged(self):
        """What speaks stdio here, and a websocket there."""
        argv = [self.shop.inquest, "dap", "%s?token=%s" % (
            self.server.url(self.path(end="")), self.server.token)]
        c = client.Client(client.Stdio(argv))
        stopped = c.start()
        status, err = c.end()
        self.tap.ok(stopped["reason"] == "exception" and status == 0
                    and not err and not c.faults,
                    "inquest dap URL is a bridge", (status, err, c.faults))
        c = client.Client(client.Stdio(argv))
        c.start()
        self.kill_worker()
        why = last_words(c)
        while c.hear():
            pass
        status, err = c.door.close()
        self.tap.ok("killed" in why and status == 5 and not c.faults,
                    "and tells of a worker that died there",
                    (why, status, err, c.faults))

    def linked(self):
        """The path of a link opens the same snapshot."""
        c = self.connect()
        stopped = c.start()
        url = c.body("inquest/link", threadId=stopped["threadId"], frame=1,
                     expression="a b")["url"]
        c.door.close()
        path, _, rest = url.partition("/t/")
        again = self.connect(path=path + "/dap")
        self.tap.ok(rest == "%d/f/1/v/a%%20b" % stopped["threadId"]
                    and again.start()["threadId"] == stopped["threadId"]
                    and not again.faults, "links are paths of the server", url)
        again.door.close()

    # ---- who is turned away ----
    def refused(self):
        token = self.server.token
        for name, status, headers, who in (
                ("no token", 401, (), ""),
                ("a wrong token", 403, (), "0" * 64),
                ("a foreign origin", 403, ("Origin: http://evil.example",),
                 token),
                ("a foreign name", 403, ("Host: evil.example",), token),
                ("rsp", 400, (SUBPROTOCOL + "rsp",), token),
                ("rsp before dap", 400, (SUBPROTOCOL + "rsp, dap",), token),
                ("no subprotocol", 400, (SUBPROTOCOL,), token)):
            names = [h.split(":")[0] for h in headers]
            more = [] if SUBPROTOCOL.split(":", maxsplit=1)[0] in names \
                else [SUBPROTOCOL + "dap"]
            ws = served.Websocket(self.server, self.path(), who,
                                  [*headers, *more])
            self.tap.ok(ws.status == status, "refused: " + name, ws.status)
            ws.close()
        ws = served.Websocket(self.server, self.path(end="/rsp"), token,
                              [SUBPROTOCOL + "dap"])
        self.tap.ok(ws.status == 400, "and dap where rsp is spoken",
                    ws.status)
        ws.close()
        ws = served.Websocket(self.server, self.path(), token,
                              [SUBPROTOCOL + "chat, dap, rsp"])
        self.tap.ok(ws.status == 101, "the first known one counts", ws.status)
        ws.close()
        other = self.shop.create_token("web")
        ws = served.Websocket(self.server, self.path(), other,
                              [SUBPROTOCOL + "dap"])
        self.tap.ok(ws.status == 404 and self.ended(),
                    "a token opens its own project only", ws.status)
        ws.close()

    def scoped(self):
        other = self.shop.ids["web"]
        for name, snapshot in (("a path", self.shop.core),
                               ("an URL", self.server.url(self.path())),
                               ("another project's", "web/" + other)):
            c = self.connect()
            c.body("initialize", client.HELLO)
            why = c.refusal("attach", snapshot=snapshot)
            self.tap.ok(why and not c.faults, "attach opens no " + name, why)
            c.door.close()

    # ---- messages ----
    def headers(self):
        started = self.server.metric("workers_total")
        for said in (b"Content-Length: 9\r\n\r\n" + request(1, "initialize"),
                     b"content-length:9"):
            door = self.door()
            door.send(said)
            self.tap.ok(door.receive() is None
                        and door.ws.closed[0] == 1003
                        and "Content-Length" in door.ws.closed[1],
                        "a header is refused with a hint", door.ws.closed)
        door = self.door()
        door.ws.send(request(1, "initialize"), opcode=BINARY)
        self.tap.ok(door.receive() is None and door.ws.closed[0] == 1003,
                    "so is what is binary", door.ws.closed)
        self.tap.ok(self.server.metric("workers_total") == started,
                    "without a worker")

    def pieces(self):
        c = self.connect()
        c.body("initialize", client.HELLO)
        text = request(2, "attach", sourceMap=[["/x" * 1500, "/y"]] * 20)
        pieces = [text[k:k + 4096] for k in range(0, len(text), 4096)]
        for k, piece in enumerate(pieces):
            c.door.ws.send(piece, opcode=CONTINUES if k else TEXT,
                           final=k == len(pieces) - 1)
        self.tap.ok(len(pieces) > 10 and c.answer(2)["success"]
                    and not c.faults, "pieces of 4,096 bytes are joined")
        c.seq = 2
        whole = c.door.ws.frame(request(3, "threads"), opcode=TEXT)
        c.seq = 3
        for k in range(0, len(whole), 7):
            c.door.ws.s.sendall(whole[k:k + 7])
        self.tap.ok(c.answer(3)["success"], "and bytes of a frame")
        c.door.ws.send(b"", opcode=TEXT)
        c.raw(b"{")
        answer = c.hear()
        self.tap.ok(answer and not answer["success"] and not c.faults,
                    "what is no JSON is answered", (answer, c.faults))
        c.door.close()

    def too_much(self):
        door = self.door()
        # Not a byte more than it takes: what is not read is reset.
        for k, n in enumerate([64 << 10] * 16 + [1]):
            door.ws.send(b" " * n, opcode=CONTINUES if k else TEXT,
                         final=False)
        self.tap.ok(door.receive() is None and door.ws.closed[0] == 1009,
                    "a message has a limit", door.ws.closed)

    def long_answers(self):
        c = self.connect()
        c.start()
        stack = c.stack(c.stopped["threadId"])
        found = c.body("disassemble", memoryReference=stack[0][
            "instructionPointerReference"], instructionCount=4096)
        sizes = c.door.fragments
        self.tap.ok(len(found["instructions"]) == 4096 and not c.faults
                    and sum(sizes) > 3 * FRAGMENT and max(sizes) <= FRAGMENT
                    and len(sizes) < 3 * sum(sizes) // FRAGMENT + 3,
                    "a long answer comes in fragments", (sizes, c.faults))
        c.door.close()

    # ---- time ----
    def slow_reader(self):
        slow, quick = self.connect(), self.connect()
        for c in (slow, quick):
            c.start()
        slow.door.ws.s.setblocking(False)
        frame = slow.door.ws.frame(request(9, "threads"), opcode=TEXT)
        try:
            while True:
                slow.door.ws.s.send(frame * 100)
        except BlockingIOError:
            pass
        began = time.monotonic()
        answers = [quick.body("threads") for _ in range(100)]
        self.tap.ok(answers[0] == answers[-1] and not quick.faults
                    and time.monotonic() - began < 10,
                    "who does not read delays no other", quick.faults)
        slow.door.close()
        quick.door.close()

    def kill_worker(self):
        """The one that there is, when those of before have gone."""
        def alone():
            # The other process below the server makes indexes.
            found = kit.children(kit.children(self.server.process.pid)[0])
            return found if len(found) == 1 else None
        os.kill(served.until(alone)[0], signal.SIGKILL)

    def ended(self):
        return served.until(lambda: self.workers() == 0)

    def worker_dies(self):
        self.ended()
        c = self.connect()
        c.start()
        self.kill_worker()
        why = last_words(c)
        self.tap.ok("killed" in why and c.hear() is None
                    and c.door.ws.closed[0] == 1011 and not c.faults,
                    "a worker that dies is told of, and is the end",
                    (why, c.door.ws.closed, c.faults))

    def many(self):
        self.ended()
        clients = [self.connect() for _ in range(20)]
        stops = [c.start() for c in clients]
        answers = {json.dumps(c.body("threads")) for c in clients}
        self.tap.ok(len(answers) == 1 and stops[0] == stops[-1]
                    and self.workers() == 20
                    and not any(c.faults for c in clients),
                    "twenty sessions of one snapshot")
        for c in clients:
            c.door.close()
        self.tap.ok(self.ended(),
                    "end with their clients")

    def idle(self):
        server = served.Server(self.shop, "--idle", "3", rsp="none")
        c = client.Client(client.Web(server, self.path(), server.token))
        c.start()
        why = last_words(c)
        self.tap.ok("nothing was asked" in why and c.hear() is None
                    and not c.faults, "an idle session ends, and says so",
                    (why, c.faults))
        server.end()

    def console(self):
        def said(c, text):
            frame = c.stack(c.stopped["threadId"])[1]["id"]
            answer = c.ask("evaluate", expression=text, context="repl",
                           frameId=frame)
            return answer["body"]["result"] if answer["success"] \
                else client.Refused(answer).text

        def gdbs(server):
            return kit.children(kit.children(server.process.pid)[0])

        c = self.connect()
        c.start()
        answers = [said(c, "nonsense"), said(c, "bt")]
        self.tap.ok("nonsense" in answers[0] and "#0" not in answers[1]
                    and c.body("threads") and not c.faults,
                    "a server has no gdb by itself", answers)
        c.door.close()
        server = served.Server(self.shop, "--console", rsp="none")
        c, other = [client.Client(client.Web(server, self.path(),
                                             server.token))
                    for _ in range(2)]
        c.start()
        other.start()
        before = len(gdbs(server))
        answers = [said(x, t) for t in ("p a = 5", "p a") for x in (c, other)]
        self.tap.ok([a.split("= ")[1] for a in answers] == ["5", "5", "5",
                                                            "5"]
                    and len(gdbs(server)) == before + 2 and not c.faults,
                    "one that may gives each session its own", answers)
        said(c, "p a = 7")
        self.tap.ok(said(other, "p a").endswith("= 5"),
                    "which sees no other's writes")
        said(c, "quit 0")
        self.tap.ok(said(c, "p 8").endswith("= 8"), "and is started again")
        pair = [client.Client(client.Web(server, self.path(
            end="/dap?session=two"), server.token)) for _ in range(2)]
        for k, x in enumerate(pair):
            x.start()
            said(x, "set $mine = %d" % k)
        answers = [said(x, "p $mine").split("= ")[-1] for x in pair]
        self.tap.ok(answers == ["0", "1"],
                    "each of those that share a session has its own", answers)
        pair[0].end()
        self.tap.ok(said(pair[1], "p $mine").endswith("= 1"),
                    "which one that goes leaves alone")
        pair[1].door.close()
        c.door.close()
        other.door.close()
        self.tap.ok(served.until(lambda: not gdbs(server)),
                    "they end with their sessions", gdbs(server))
        self.consoles_of_a_token(server, said)
        server.end()
        server = served.Server(self.shop, "--console", rsp="none",
                               env={**os.environ, "PATH": "/nonexistent"})
        c = client.Client(client.Web(server, self.path(), server.token))
        c.start()
        answer = said(c, "nonsense")
        self.tap.ok("did not start" in answer and "install it" in answer
                    and not c.faults, "one that lacks gdb says so", answer)
        c.door.close()
        server.end()

    def consoles_of_a_token(self, server, said):
        token = self.shop.create_token("default")
        many = [client.Client(client.Web(server, self.path(), token))
                for _ in range(9)]
        for c in many:
            c.start()
        answers = [said(c, "p 6 * 7") for c in many]
        owner = client.Client(client.Web(server, self.path(), server.token))
        owner.start()
        self.tap.ok(all(a.endswith("= 42") for a in answers[:8])
                    and "for this token" in answers[8]
                    and said(owner, "p 6 * 7").endswith("= 42"),
                    "one token does not take all that there are", answers)
        many[0].door.close()
        self.tap.ok(served.until(lambda: said(many[8], "p 8").endswith("= 8")),
                    "and has one more where one has ended")
        for c in (owner, *many[1:]):
            c.door.close()

    def shared(self):
        """A gdb and two editors, by the name of a session."""
        end = "?session=mine"
        first = self.connect(path=self.path(end="/dap" + end))
        second = self.connect(path=self.path(end="/dap" + end))
        other = self.connect(path=self.path(end="/dap?session=other"))
        alone = self.connect()
        started = self.server.metric("workers_total")
        for c in (first, second, other, alone):
            c.start()
            c.taken("memory")
        gdb = served.Rsp(served.Websocket(
            self.server, self.path(end="/rsp" + end), self.server.token))
        gdb.ask("QStartNoAckMode")

        def read(c):
            frame = c.stack(c.stopped["threadId"])[1]["id"]
            return c.evaluate("a", frameId=frame)

        at = int(read(first)["memoryReference"], 16)
        said = gdb.ask("M%x,4:2a000000" % at)
        values = [read(c)["result"] for c in (first, second, other, alone)]
        self.tap.ok(said == "OK" and values == ["42", "42", "11", "11"]
                    and first.event("memory") and second.event("memory")
                    and self.server.metric("workers_total") == started + 3,
                    "clients that name a session share it", (said, values))
        token = self.shop.create_token("default")
        values = []
        for name in ("ours", "n0body-guesses-this"):
            path = self.path(end="/dap?session=" + name)
            pair = [client.Client(client.Web(self.server, path, t))
                    for t in (self.server.token, token)]
            for c in pair:
                c.start()
            frame = pair[0].stack(pair[0].stopped["threadId"])[1]["id"]
            pair[0].body("setExpression", expression="a", value="43",
                         frameId=frame)
            values.append(read(pair[1])["result"])
            for c in pair:
                c.end()
        self.tap.ok(values == ["11", "43"],
                    "those of another token do by a long name alone", values)
        first.end()
        second.door.close()
        self.tap.ok(served.until(lambda: self.server.metric("websockets")
                                 == 3)
                    and gdb.ask("m%x,1" % at) == "2a"
                    and first.door.ws.closed == (1000, ""),
                    "whoever goes leaves it to the others",
                    first.door.ws.closed)
        third = self.connect(path=self.path(end="/dap" + end))
        third.start()
        self.tap.ok(read(third)["result"] == "42" and not third.faults,
                    "and one comes back to it", third.faults)
        foreign = self.connect(path=self.path("web", "/dap" + end))
        foreign.start()
        self.tap.ok(read(foreign)["result"] == "11",
                    "a session is of one snapshot")
        for c in (third, other, alone, foreign):
            c.door.close()
        gdb.close()
        self.tap.ok(self.ended(),
                    "it ends with the last of them")
        for name in ("", "a/b", "x" * 65):
            ws = served.Websocket(
                self.server, self.path(end="/dap?session=" + name),
                self.server.token, [SUBPROTOCOL + "dap"])
            self.tap.ok(ws.status == 400, "no name: %.9r" % name, ws.status)
            ws.close()

    def shared_dies(self):
        end = "?session=mine"
        clients = [self.connect(path=self.path(end="/dap" + end))
                   for _ in range(3)]
        for c in clients:
            c.start()
        self.kill_worker()
        whys = [last_words(c) for c in clients]
        self.tap.ok(all("killed" in w for w in whys)
                    and not any(c.faults for c in clients),
                    "all of them are told how it died", whys)
        self.ended()

    def done(self):
        status, _, err = self.server.end()
        self.tap.ok(status == 0, "the server ends when it is told to", err)


def main():
    inquest = kit.need_inquest()
    kit.need_tool("gcc")
    tap = kit.Tap()
    webs = Webs(tap, inquest)
    webs.session()
    webs.paths()
    webs.refused()
    webs.scoped()
    webs.headers()
    webs.pieces()
    webs.too_much()
    webs.long_answers()
    webs.slow_reader()
    webs.worker_dies()
    webs.bridged()
    webs.linked()
    webs.many()
    webs.shared()
    webs.shared_dies()
    webs.idle()
    if shutil.which("gdb"):
        webs.console()
    webs.done()
    tap.leave()


if __name__ == "__main__":
    main()
