#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
lives: a server's start, its end, and what it survives - workers that are
killed, descriptors that run out, too many sessions, idle ones.
"""

import os
import resource
import signal
import socket
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))

import served           # noqa: E402
from served import kit  # noqa: E402


def gone(pid):
    try:
        with open("/proc/%d/stat" % pid, encoding="ascii") as f:
            return f.read().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


class Lives:
    def __init__(self, tap, inquest):
        self.tap = tap
        self.inquest = inquest
        self.shop = served.Shop(inquest, "lives")

    def tcp(self, server):
        r = served.Rsp(server.connect(server.rsp))
        r.monitor("auth " + server.token)
        r.monitor("open " + self.shop.ids["default"])
        return r

    def killed(self):
        server = served.Server(self.shop)
        other = served.open_rsp(server)
        other.ask("?")
        spared = set(served.workers(server))
        web = served.open_rsp(server)
        web.ask("?")
        victim = (set(served.workers(server)) - spared).pop()
        os.kill(victim, signal.SIGKILL)
        spared.add(victim)      # it may be there for a moment yet
        code, why = web.stream.wait_closed()
        self.tap.ok(code == 1011 and "SIGKILL" in why,
                    "a websocket is told that its worker was killed",
                    (code, why))
        tcp = self.tcp(server)
        victim = (set(served.workers(server)) - spared).pop()
        os.kill(victim, signal.SIGSEGV)
        self.tap.ok(tcp.is_closed(), "a TCP client sees a close")
        self.tap.ok(other.ask("?").startswith("T0b"), "others go on")
        self.tap.ok(served.until(
            lambda: server.metric("sessions") == 1
            and server.metric("workers_crashed_total") == 2),
            "and it is counted", server.metrics())
        other.ask("D")
        code, why = other.stream.wait_closed()
        self.tap.ok(code == 1000, "a goodbye is answered with one",
                    (code, why))
        server.end()

    def stopped(self):
        for how in (signal.SIGTERM, signal.SIGINT):
            server = served.Server(self.shop)
            web, tcp = served.open_rsp(server), self.tcp(server)
            web.ask("?")
            idle = served.Websocket(server, served.object_path(self.shop),
                                    server.token)
            below = served.workers(server) + kit.children(
                server.process.pid)
            server.process.send_signal(how)
            codes = [w.wait_closed()[0] for w in (web.stream, idle)]
            status, _, err = server.end()
            self.tap.ok(status == 0 and codes == [1001, 1001]
                        and tcp.is_closed() and len(below) == 4
                        and served.until(lambda: all(map(gone, below))),
                        "%s ends sessions, and then it" % how.name,
                        (status, codes, below, err))

    def killed_itself(self):
        server = served.Server(self.shop)
        web = served.open_rsp(server)
        web.ask("?")
        below = served.workers(server) + kit.children(server.process.pid)
        server.end(signal.SIGKILL)
        self.tap.ok(served.until(lambda: all(map(gone, below))),
                    "a server that is killed leaves no process behind", below)

    def zygote_killed(self):
        server = served.Server(self.shop)
        os.kill(kit.children(server.process.pid)[0], signal.SIGKILL)
        status = server.process.wait(timeout=served.DEADLINE)
        _, _, err = server.end()
        self.tap.ok(status == 1 and "starts workers has ended" in err,
                    "without the process that starts workers it ends", err)

    def too_many(self):
        server = served.Server(self.shop, "--sessions", "2")
        kept = [served.open_rsp(server), self.tcp(server)]
        kept[0].ask("?")
        more = served.Websocket(server, served.object_path(self.shop),
                                server.token)
        more.send(b"+")
        code, why = more.wait_closed()
        self.tap.ok(code == 1013 and "try again" in why,
                    "a websocket too many is told to try again", (code, why))
        tcp = served.Rsp(server.connect(server.rsp))
        answer = tcp.ask("?")
        self.tap.ok(answer.startswith("E.") and "try again" in answer
                    and tcp.is_closed(), "and so is a TCP client", answer)
        kept[1].close()
        self.tap.ok(served.until(lambda: server.metric("sessions") == 1)
                    and served.open_rsp(server).ask("?").startswith("T0b"),
                    "until one has gone")
        server.end()
        server = served.Server(self.shop, "--connections", "3")
        halves = [server.connect(where) for where in
                  (server.http, server.rsp) for _ in range(3)]
        for s in halves[:3]:
            s.sendall(b"GET /healthz HTTP/1.1\r\n")
        self.tap.ok(server.ask("/healthz")[0] == 200
                    and served.read_all(halves[0]) == b"",
                    "who does not end its headers shuts out nobody")
        tcp = self.tcp(server)
        self.tap.ok("PacketSize" in tcp.ask("qSupported")
                    and served.read_all(halves[3]) == b"",
                    "nor who says nothing to the other door")
        tcp.close()
        for s in halves:
            s.close()
        self.tap.ok(served.until(lambda: server.metric("silent") == 0),
                    "they are gone")
        kept = [served.open_rsp(server) for _ in range(3)]
        with server.connect(server.http) as s:
            self.tap.ok(served.read_all(s) == b"",
                        "a connection too many is closed")
        for s in kept:
            s.close()
        self.tap.ok(served.until(lambda: server.ask("/healthz")[0] == 200),
                    "until others have gone")
        server.end()

    def idle(self):
        server = served.Server(self.shop, "--idle", "2")
        web, tcp = served.open_rsp(server), self.tcp(server)
        web.ask("?")
        code, why = web.stream.wait_closed()
        self.tap.ok(code == 1011 and "asked" in why and tcp.is_closed(),
                    "sessions that ask nothing end", (code, why))
        server.end()

    def few_descriptors(self):
        def few():
            resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
        server = served.Server(self.shop, preexec_fn=few)
        before = served.open_rsp(server)
        before.ask("?")
        crowd = []
        for k in range(150):
            where = (server.http, server.rsp)[k % 2]
            crowd.append(server.connect(where))
        answer = before.ask("?")
        for s in crowd:
            s.close()
        self.tap.ok(answer.startswith("T0b"),
                    "without descriptors, who is there is served", answer)
        self.tap.ok(served.until(lambda: server.ask("/healthz")[0] == 200)
                    and served.until(lambda: self.is_served(server)),
                    "and others as soon as there are some")
        status, _, err = server.end()
        self.tap.ok(status == 0, "it ends in good order", err)

    @staticmethod
    def is_served(server):
        try:
            return served.open_rsp(server).ask("?").startswith("T0b")
        except (EOFError, OSError, RuntimeError):
            return False

    def activated(self):
        """As systemd does it: sockets from descriptor 3 on."""
        sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
        ports = [s.getsockname()[1] for s in sockets]
        for names, order in ((None, (0, 1)), ("rsp:http", (1, 0))):
            def hand_over():
                copies = [os.dup(s.fileno()) for s in sockets]
                for k, fd in enumerate(copies):
                    os.dup2(fd, 3 + k)
            env = dict(os.environ, LISTEN_FDS="2")
            env.pop("LISTEN_FDNAMES", None)
            if names:
                env["LISTEN_FDNAMES"] = names
            with subprocess.Popen(
                    ["sh", "-c", 'LISTEN_PID=$$ exec "$@"', "sh",
                     self.inquest, "serve", "--store", self.shop.dir],
                    stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                    stdin=subprocess.DEVNULL, env=env, text=True,
                    pass_fds=(3, 4), preexec_fn=hand_over) as process:
                said = [process.stdout.readline() for _ in range(2)]
                with socket.create_connection(
                        ("127.0.0.1", ports[order[1]]), timeout=60) as s:
                    answer = served.Rsp(s).ask("?")
                process.send_signal(signal.SIGTERM)
                status = process.wait(timeout=served.DEADLINE)
            self.tap.ok(said == ["listening on http 127.0.0.1:%d\n"
                                 % ports[order[0]],
                                 "listening on rsp 127.0.0.1:%d\n"
                                 % ports[order[1]]]
                        and answer == "W00" and status == 0,
                        "sockets that are given are used, %s"
                        % (names or "in their order"), (said, answer))

    def mistakes(self):
        for words, status in (
                (("--http", "0.0.0.0:0"), 4), (("--rsp", "192.0.2.1:1"), 4),
                (("--http", "x"), 2), (("--http", "fd:99"), 2),
                (("--http", "none", "--rsp", "none"), 2), (("x",), 2)):
            result = kit.run([self.inquest, "serve", "--store",
                              self.shop.dir, *words], timeout=60)
            self.tap.ok(result.status == status and not result.out
                        and result.err.count(b"\n") == 1,
                        "serve %s is refused" % " ".join(words), result)
        server = served.Server(self.shop)
        result = kit.run([self.inquest, "serve", "--store", self.shop.dir,
                          "--rsp", server.rsp, "--http", "none"], timeout=60)
        self.tap.ok(result.status == 1 and b"in use" in result.err,
                    "two cannot listen at one address", result)
        server.end()

    def no_token_in_logs(self):
        server = served.Server(self.shop)
        status, out, err = server.end()
        self.tap.ok(status == 0 and server.token not in out + err
                    and "target extended-remote" in err,
                    "the token is not written to a log", err)


def main():
    inquest = kit.need_inquest()
    kit.need_tool("gcc")
    tap = kit.Tap()
    lives = Lives(tap, inquest)
    lives.killed()
    lives.stopped()
    lives.killed_itself()
    lives.zygote_killed()
    lives.too_many()
    lives.idle()
    lives.few_descriptors()
    lives.activated()
    lives.mistakes()
    lives.no_token_in_logs()
    tap.leave()


if __name__ == "__main__":
    main()
