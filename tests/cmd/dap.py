#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
dap: `inquest dap` on a pipe, on TCP and on unix sockets; several clients at
once; recordings; who is hung up on; how it ends.
"""

import os
import platform
import re
import shutil
import signal
import socket
import subprocess
import sys
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE] + [os.path.join(os.path.dirname(HERE), folder)
                         for folder in ("victims", "dap")]

import build    # noqa: E402
import client   # noqa: E402
import kit      # noqa: E402
import rsp      # noqa: E402

FAILED, USAGE, NOTFOUND, DENIED = 1, 2, 3, 4


def framed(text):
    return b"Content-Length: %d\r\n\r\n%s" % (len(text), text)


def request(seq, command, arguments=""):
    return framed(('{"seq":%d,"type":"request","command":"%s","arguments":{%s'
                   '}}' % (seq, command, arguments)).encode())


HELLO = request(1, "initialize", '"adapterID":"x"')
SESSION = HELLO + request(2, "attach") + request(3, "configurationDone") \
    + request(4, "threads")


def last_words(c):
    """What the last output before the end says."""
    c.event("terminated")
    return c.taken("output")[-1]["output"]


class Listening:
    """`inquest dap --listen`; .where is what it said."""

    def __init__(self, inquest, address, core, *words):
        self.process = subprocess.Popen(
            [inquest, "dap", "--listen", address, *words, core],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE)
        line = self.process.stdout.readline().decode()
        found = re.fullmatch(r"listening on (\S+)\n", line)
        self.where = found.group(1) if found else None

    def door(self):
        return client.Stream(self.where)

    def connect(self):
        return client.Client(self.door())

    def end(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        out, err = self.process.communicate(timeout=kit.PATIENCE)
        return self.process.returncode, out, err


until = kit.until


def is_closed(door):
    """Nothing came, and then the end."""
    return door.read() == b""


class Doors:
    def __init__(self, tap, inquest, directory):
        self.tap = tap
        self.inquest = inquest
        self.directory = directory
        self.core = build.ensure("jump").core

    def stdio(self, *words):
        return client.Stdio([self.inquest, "dap", *words])

    def path(self, name):
        return os.path.join(self.directory, name)

    def faultless(self, *clients):
        return [f for c in clients for f in c.faults]

    # ---- a pipe ----
    def pipe(self):
        c = client.Client(self.stdio(self.core))
        stopped = c.start()
        threads = c.body("threads")["threads"]
        status, err = c.end()
        self.tap.ok(stopped["reason"] == "exception"
                    and stopped["threadId"] == threads[0]["id"]
                    and status == 0 and not err and not c.faults,
                    "a session on a pipe, from hello to goodbye",
                    (stopped, threads, status, err, c.faults))
        result = kit.run([self.inquest, "dap", self.core], given=SESSION)
        self.tap.ok(result.status == 0 and b'"stopped"' in result.out
                    and not result.err,
                    "the end of a pipe is the end", result)

    def errors(self):
        c = client.Client(self.stdio(__file__))
        c.body("initialize", client.HELLO)
        refused = c.refusal("attach")
        self.tap.ok(refused and refused.text and not c.faults,
                    "a file that is none is told by attach",
                    (refused and refused.text, c.faults))
        c.end()
        result = kit.run([self.inquest, "dap", self.path("nowhere")],
                         given=SESSION)
        self.tap.ok(result.status == NOTFOUND and not result.out
                    and result.err.count(b"\n") == 1,
                    "one that is not there is told by hand", result)
        result = kit.run([self.inquest, "dap", "--listen", "127.0.0.1:0",
                          __file__])
        self.tap.ok(result.status == FAILED and not result.out,
                    "of no core nothing is listened for", result)
        result = kit.run([self.inquest, "dap", "--listen", "0.0.0.0:0",
                          self.core])
        self.tap.ok(result.status == DENIED, "nor on the network", result)

    def moves_onto(self):
        """To the snapshot that another request has open: it has one overlay,
        which is there as long as anybody looks through it."""
        sleeper = subprocess.Popen(["sleep", "100"])
        until(lambda: os.readlink("/proc/%d/exe" % sleeper.pid).endswith(
            ("sleep", "coreutils", "busybox")))
        result = kit.run([self.inquest, "capture", *kit.UNHURRIED,
                          "--series", "2", "--every", "0.1s", "-o", self.path("on.snap"),
                          str(sleeper.pid)])
        sleeper.kill()
        sleeper.wait()
        if not self.tap.ok(result.status == 0, "a series of a sleeper",
                           result):
            return
        c = client.Client(client.Stdio(
            [self.inquest, "dap", self.path("on.0001.snap")],
            env={**os.environ, "MALLOC_PERTURB_": "170"}))
        c.start()
        other = c.body("inquest/series")["snapshots"][1]["id"]
        c.seq += 2
        c.door.write(
            request(c.seq - 1, "inquest/diff", '"snapshot":"%s"' % other)
            + request(c.seq, "continue",
                      '"threadId":%d' % c.stopped["threadId"]))
        cancelled, moved = c.answer(c.seq - 1), c.answer(c.seq)
        frame = c.stack(c.body("threads")["threads"][0]["id"])[0]
        where = frame["instructionPointerReference"]
        c.body("writeMemory", memoryReference=where, data="KgA=")
        read = c.body("readMemory", memoryReference=where, count=2)
        self.tap.ok(not cancelled["success"] and moved["success"]
                    and read["data"] == "KgA=" and c.end()[0] == 0,
                    "a move onto what is compared", (cancelled, moved, read))

    def worker_dies(self):
        c = client.Client(self.stdio(self.core))
        c.start()
        (worker,) = kit.children(c.door.process.pid)
        os.kill(worker, signal.SIGKILL)
        why = last_words(c)
        self.tap.ok("killed" in why and c.hear() is None and not c.faults,
                    "a worker that dies is told of, and is the end",
                    (why, c.faults))
        status, err = c.door.close()
        self.tap.ok(status == 6 and err.count("\n") == 1,
                    "and on stderr", (status, err))

    def records(self):
        path = self.path("record")
        result = kit.run([self.inquest, "dap", "--record", path, self.core],
                         given=SESSION)
        with open(path, encoding="ascii") as f:
            text = f.read()
        self.tap.ok(result.status == 0 and text.startswith("inquest-dap 2\n")
                    and rsp.joined(text, ">") == SESSION
                    and rsp.joined(text, "<") == result.out,
                    "a recording holds both directions", text[:2000])

    def named(self):
        here = self.path("here.core")
        os.symlink(self.core, here)
        c = client.Client(self.stdio())
        stopped = c.start(snapshot=here)
        again = client.Client(self.stdio(here))
        self.tap.ok(stopped["reason"] == "exception"
                    and again.start(snapshot=here) == stopped
                    and not self.faultless(c, again),
                    "attach names what is opened", stopped)
        c.end()
        again.end()
        for words, name in (((), self.path("nowhere")), ((here,), self.core),
                            ((), "")):
            c = client.Client(self.stdio(*words))
            c.body("initialize", client.HELLO)
            why = c.refusal("attach", snapshot=name)
            self.tap.ok(why and not c.faults, "or is refused: %r %r"
                        % (words, name), why)
            c.end()
        c = client.Client(self.stdio())
        c.body("initialize", client.HELLO)
        why = c.refusal("attach")
        c.refusal("attach", snapshot=self.path("nowhere"))
        other = c.refusal("attach", snapshot=here)
        self.tap.ok(why and "snapshot" in why.text and not other,
                    "what it does not name first, it may name then", other)
        c.end()
        result = kit.run([self.inquest, "dap", "--listen", "127.0.0.1:0"])
        self.tap.ok(result.status == USAGE, "but not for all to come", result)

    # ---- the console: what our language lacks is asked of a jailed gdb ----
    def console_client(self, core=None, env=None):
        c = client.Client(client.Stdio([self.inquest, "dap",
                                        core or self.core], env=env))
        c.start()
        return c

    def repl(self, c, text, frame=None):
        """What it says, or why not."""
        frame = frame or c.stack(c.stopped["threadId"])[1]["id"]
        answer = c.ask("evaluate", expression=text, context="repl",
                       frameId=frame)
        if answer["success"]:
            return answer["body"]["result"]
        return client.Refused(answer).text

    def console(self):
        c = self.console_client()
        frames = c.stack(c.stopped["threadId"])
        for text, expected in (
                ("frame", "#1 .* in call \\(function=.*"),
                ("bt 1", "#0 .*"),
                ("p function", r"\$\d+ = \(.*\) 0x0"),
                ("sizeof(int[3]) + (1 ? 2 : 3)", "14"),
                ('printf "a\\\\b\\tc\\n"', "a.*b\tc"),
                ("p $_gdb_setting(\"confirm\")", r"\$\d+ = .*"),
                ("nonsense", 'No symbol "nonsense" in current context.*')):
            said = self.repl(c, text, frames[1]["id"])
            self.tap.ok(re.match(expected + "$", said, re.S),
                        "the console says " + text, said)
        self.tap.ok(re.match("#2 .*main", self.repl(c, "frame",
                                                    frames[2]["id"])),
                    "and means the frame that is asked in")
        said = self.repl(c, "p 1\n2-gdb-exit")
        self.tap.ok("$" not in said and self.repl(c, "p 5").endswith("= 5"),
                    "no second line is a command", said)
        said = self.repl(c, "python print('x' * 200000)")
        self.tap.ok(65536 <= len(said) < 66000 and said.endswith("bytes"),
                    "an answer has a limit", said[-80:])
        self.tap.ok(not c.faults, "all of that is valid", c.faults)
        self.jailed(c)
        self.jailed_calls(c)
        c.end()

    def jailed_calls(self, c):
        """By their numbers on x86-64, or on all machines from 424 on."""
        mine = self.path("mine")
        with open(mine, "w") as f:
            f.write("whole")
            os.chmod(f.fileno(), 0o600)
        parent = "os.getppid()"
        calls = [("fchmodat2", "452, -100, b'%s', 0o666, 0" % mine),
                 ("setxattrat", "463, -100, b'%s', 0, b'user.x', "
                  "(ctypes.c_ulong * 2)(), 16" % mine)]
        if os.uname().machine == "x86_64":
            calls += [
                ("sched_setaffinity", "203, %s, 8, ctypes.byref("
                 "ctypes.c_ulong(1))" % parent),
                ("ioprio_set", "251, 1, %s, 3 << 13" % parent),
                ("truncate", "76, b'%s', 0" % mine),
                ("fcntl F_SETOWN", "72, 0, 8, " + parent),
                ("fcntl F_SETSIG", "72, 0, 10, 9"),
                ("prctl PR_SET_PDEATHSIG", "157, 1, 0")]
        for name, words in calls:
            said = self.repl(c, "python import ctypes, os; print(ctypes.CDLL("
                             "None, use_errno=True).syscall(%s), "
                             "ctypes.get_errno())" % words)
            self.tap.ok(said in ("-1 1", "-1 38"),
                        "the jail refuses " + name, said)
        self.tap.ok(os.stat(mine).st_mode & 0o777 == 0o600
                    and os.stat(mine).st_size == 5,
                    "and mode and length are what they were")
        said = self.repl(c, "python import ctypes; call = ctypes.CDLL(None, "
                         "use_errno=True).syscall; print([n for n in range("
                         "448, 512) if (call(n, -1, -1, -1, -1, -1, -1), "
                         "ctypes.get_errno()) != (-1, 38)])")
        self.tap.ok(said == "[]", "calls of later kernels are none", said)

    def jailed(self, c):
        """What an attack would have done is looked for from outside."""
        marker, listening = self.path("written"), socket.create_server(
            ("127.0.0.1", 0))
        listening.setblocking(False)
        (gdb,) = self.gdbs(c)
        words = os.listdir(self.path("."))
        for text in ("shell touch " + marker, "!touch " + marker,
                     "| bt | cat > " + marker, "save breakpoints " + marker,
                     "dump value %s 1" % marker,
                     "set logging file " + marker, "set logging enabled on",
                     "generate-core-file " + marker):
            said = self.repl(c, text)
            self.tap.ok(os.listdir(self.path(".")) == words
                        and not kit.children(gdb),
                        "the jail keeps: " + text[:40], said)
        said = self.repl(c, "source " + __file__)
        self.tap.ok("denied" in said and not kit.children(gdb),
                    "the jail keeps: source", said)
        for text in ("open('%s', 'w')" % marker, "open('%s')" % __file__,
                     "os.listdir('/proc')", "os.fork()",
                     "os.execv('/bin/true', ['true'])",
                     "os.kill(os.getppid(), 9)", "socket.socket()",
                     "socket.socketpair()", "socket.create_connection(("
                     "'127.0.0.1', %d))" % listening.getsockname()[1],
                     "os.setpriority(0, 0, -1)",
                     "threading.Thread(target=time.sleep, args=(99,)).start()"):
            said = self.repl(c, "python exec(%r)" % (
                "import os, socket, threading, time\ntry:\n " + text
                + "\n print('happened')\nexcept Exception as e: print(e)"))
            self.tap.ok("happened" not in said
                        and re.search("denied|not permitted|"
                                      "can't start new thread", said)
                        and os.listdir(self.path(".")) == words
                        and not kit.children(gdb)
                        and len(os.listdir("/proc/%d/task" % gdb)) == 1,
                        "the jail keeps: " + text[:40], said)
        with listening:
            try:
                arrived = listening.accept()
            except BlockingIOError:
                arrived = None
        self.tap.ok(not arrived and c.door.process.poll() is None
                    and self.gdbs(c) == [gdb]
                    and self.repl(c, "p 6 * 7").endswith("= 42"),
                    "nothing arrived, nobody was hurt", arrived)

    def console_writes(self):
        c = self.console_client()
        frame = c.stack(c.stopped["threadId"])[1]["id"]
        c.taken("memory")
        self.repl(c, "p/x a++", frame)
        found = c.evaluate("a", frameId=frame)
        told = c.event("memory")
        self.tap.ok(found["result"] == "12" and not c.faults
                    and told["memoryReference"] == found["memoryReference"]
                    and c.event("invalidated"),
                    "what the console writes is there for all, and told",
                    (found, told, c.faults))
        c.body("setExpression", expression="a", value="77", frameId=frame)
        said = self.repl(c, "p a", frame)
        self.tap.ok(said.endswith("= 77"), "and the other way", said)
        c.end()

    def console_ends(self):
        c = self.console_client()
        self.repl(c, "bt 1")
        (gdb,) = self.gdbs(c)
        self.repl(c, "quit 0")
        said = self.repl(c, "p 5")
        (other,) = self.gdbs(c)
        self.tap.ok(said.endswith("= 5") and other != gdb,
                    "a gdb that has ended is started again", said)
        seq = c.request("evaluate", expression="python\x20while True: pass",
                        context="repl")
        c.body("threads")
        c.body("cancel", requestId=seq)
        answer = c.answer(seq)
        self.tap.ok(answer["message"] == "cancelled"
                    and until(lambda: not os.path.exists(
                        "/proc/%d/cmdline" % other))
                    and self.repl(c, "p 6").endswith("= 6"),
                    "one that does not end can be cancelled", answer)
        seq = c.request("evaluate", expression="python\x20while True: pass",
                        context="repl")
        second = c.refusal("evaluate", expression="bt", context="repl")
        self.tap.ok(second and second.word == "limit",
                    "one is asked at a time", second)
        (gdb,) = self.gdbs(c)
        os.kill(gdb, signal.SIGKILL)
        answer = c.answer(seq)
        self.tap.ok(not answer["success"] and not c.faults,
                    "that one dies is an answer", (answer, c.faults))
        self.repl(c, "bt")
        (gdb,) = self.gdbs(c)
        c.end()
        self.tap.ok(until(lambda: not self.is_gdb(gdb)),
                    "none outlives its session", gdb)
        env = dict(os.environ, PATH="/nonexistent")
        c = self.console_client(env=env)
        said = self.repl(c, "nonsense")
        self.tap.ok("no gdb" in said and not c.faults,
                    "without a gdb that is said", said)
        c.end()

    @staticmethod
    def is_gdb(pid):
        """One that is there, and has not merely not been waited for."""
        try:
            with open("/proc/%d/comm" % pid, "rb") as f:
                return f.read() == b"gdb\n" and kit.state(pid) != "Z"
        except kit.GONE:
            return False

    def gdbs(self, c):
        return [p for p in kit.children(c.door.process.pid)
                if self.is_gdb(p)]

    # ---- sockets ----
    def tcp(self, address):
        listening = Listening(self.inquest, address, self.core)
        if not listening.where:
            self.tap.ok(False, "listens on " + address, listening.end())
            return
        first, second = listening.connect(), listening.connect()
        stops = [first.start(), second.start()]
        first.end()
        third = listening.connect()
        stops.append(third.start())
        threads = [c.body("threads") for c in (second, third)]
        self.tap.ok(stops[0] == stops[1] == stops[2]
                    and threads[0] == threads[1]
                    and not self.faultless(first, second, third),
                    "clients come and go on " + address, stops)
        refused = listening.connect()
        refused.body("initialize", client.HELLO)
        why = refused.refusal("attach", snapshot=self.core)
        self.tap.ok(why and why.word == "denied",
                    "whoever comes by TCP names no paths", why)
        status, _, err = listening.end()
        self.tap.ok(status == 0 and second.hear() is None
                    and third.hear() is None and b"attaches to" in err,
                    "SIGTERM ends it and closes all connections", err)

    def unix(self):
        path = os.path.join(kit.socket_dir(), "socket")
        listening = Listening(self.inquest, "unix:" + path, self.core)
        c = listening.connect()
        c.start()
        self.tap.ok(os.stat(path).st_mode & 0o777 == 0o600
                    and not c.faults,
                    "a unix socket is served to its owner", c.faults)
        status, _, _ = listening.end(signal.SIGINT)
        self.tap.ok(status == 0 and not os.path.exists(path),
                    "and is removed at the end", status)

    def worker_dies_on_sockets(self):
        listening = Listening(self.inquest, "127.0.0.1:0", self.core)
        clients = [listening.connect() for _ in range(3)]
        for c in clients:
            c.start()
        clients[0].end()
        (worker,) = kit.children(listening.process.pid)
        os.kill(worker, signal.SIGKILL)
        whys = [last_words(c) for c in clients[1:]]
        self.tap.ok(all("killed" in w for w in whys)
                    and all(c.hear() is None for c in clients[1:])
                    and not self.faultless(*clients),
                    "all clients of a worker that dies are told", whys)
        listening.end()

    def console_on_tcp(self):
        said = []
        for words in ((), ("--console",)):
            listening = Listening(self.inquest, "127.0.0.1:0", self.core,
                                  *words)
            c = listening.connect()
            c.start()
            said.append(self.repl(c, "p 6"))
            listening.end()
        self.tap.ok("=" not in said[0] and said[1].endswith("= 6"),
                    "whoever comes by TCP has a gdb where that is wanted",
                    said)

    def too_many(self):
        listening = Listening(self.inquest, "127.0.0.1:0", self.core)
        clients = [listening.connect() for _ in range(32)]
        for c in clients:
            c.body("initialize", client.HELLO)
        self.tap.ok(is_closed(listening.door()), "one too many is hung up on")
        silent = clients.pop()
        silent.body("disconnect")
        gone = silent.hear() is None or silent.hear() is None
        again = listening.connect()
        again.start()
        self.tap.ok(gone, "and one more comes where one has gone")
        listening.end()

    def shared(self):
        path = os.path.join(kit.socket_dir(), "side")
        listening = Listening(self.inquest, "127.0.0.1:0", self.core,
                              "--rsp", "unix:" + path)
        first, second = listening.connect(), listening.connect()
        for c in (first, second):
            c.start()
            c.taken("memory")
        frame = first.stack(first.stopped["threadId"])[1]["id"]
        where = first.evaluate("a", frameId=frame)["memoryReference"]
        s = socket.socket(socket.AF_UNIX)
        s.connect(path)
        gdb = rsp.Client(s)
        gdb.ask("QStartNoAckMode")
        at = int(where, 16)
        said = gdb.ask("M%x,4:2a000000" % at)
        told = [c.event("memory") for c in (first, second)]
        values = [c.evaluate("a", frameId=c.stack(c.stopped["threadId"])[1][
            "id"])["result"] for c in (first, second)]
        self.tap.ok(said == "OK" and values == ["42", "42"]
                    and all(t["memoryReference"] == where for t in told)
                    and not self.faultless(first, second),
                    "what a gdb writes beside them editors see",
                    (said, values, told))
        second.body("setExpression", expression="a", value="43",
                    frameId=second.stack(second.stopped["threadId"])[1]["id"])
        self.tap.ok(rsp.plain(gdb.ask("m%x,4" % at)) == "2b000000"
                    and first.event("memory")["memoryReference"] == where,
                    "and what an editor writes gdb and others see")
        self.gdb_writes_pc(gdb, first)
        second.end()
        s.close()
        self.tap.ok(first.evaluate("a", frameId=first.stack(
            first.stopped["threadId"])[1]["id"])["result"] == "43",
                    "whoever goes leaves it")
        status, _, _ = listening.end()
        self.tap.ok(status == 0 and not os.path.exists(path),
                    "both doors are closed at the end", status)
        self.shared_pipe(path)

    def gdb_writes_pc(self, gdb, c):
        """The frames of who hears of it are other ones."""
        stack = c.stack(c.stopped["threadId"])
        pc = int(stack[1]["instructionPointerReference"], 16)
        gdb.ask("g")
        c.taken("invalidated")
        said = gdb.ask("P%x=%s" % (
            {"x86_64": 16, "aarch64": 32}[platform.machine()],
            pc.to_bytes(8, "little").hex()))
        told = c.event("invalidated")
        now = c.stack(c.stopped["threadId"])
        self.tap.ok(said == "OK" and told["areas"] == ["all"]
                    and now[0]["instructionPointerReference"] == hex(pc)
                    and c.refusal("scopes", frameId=stack[0]["id"])
                    and not self.faultless(c),
                    "a register, too: frames are other ones then",
                    (said, told, now[:2]))
        # As it was, for what follows.
        gdb.ask("P%x=%s" % (
            {"x86_64": 16, "aarch64": 32}[platform.machine()],
            int(stack[0]["instructionPointerReference"], 16).to_bytes(
                8, "little").hex()))
        c.event("invalidated")

    # ---- the thread that both look at ----
    def looked_at(self):
        path = os.path.join(kit.socket_dir(), "beside")
        core = build.ensure("threads").core
        listening = Listening(self.inquest, "127.0.0.1:0", core,
                              "--rsp", "unix:" + path)
        first = listening.connect()
        first.start()
        threads = [t["id"] for t in first.body("threads")["threads"]]
        with subprocess.Popen(
                ["gdb", "-nx", "-q", "-ex", "set confirm off", "-ex",
                 "set debuginfod enabled off", "-ex", "set pagination off"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT) as gdb:
            self.gdb_looks(gdb, path, first, threads)
            gdb.kill()
        listening.end()

    def gdb_says(self, gdb, command):
        """What it says to one command."""
        gdb.stdin.write(b"%s\necho \\nover\\n\n" % command.encode())
        gdb.stdin.flush()
        said = []
        for line in gdb.stdout:
            if line == b"over\n":
                break
            said.append(line.decode(errors="replace"))
        return "".join(said)

    def gdb_looks(self, gdb, path, first, threads):
        self.gdb_says(gdb, "target remote " + path)
        at = first.stack(threads[1])[0]["id"]
        first.scopes(at)
        said = self.gdb_says(gdb, "monitor info")
        self.tap.ok(re.search(r"selected +an editor looks at thread \d+, %d\n"
                              % threads[1], said),
                    "a gdb is told which thread an editor looks at", said)
        told = self.gdb_chooses(gdb, first)
        self.tap.ok(told == {"threadId": threads[2], "by": "debugger"},
                    "an editor is told which thread a gdb chose, and not "
                    "which ones it went through", (told, threads))
        overview = first.body("inquest/overview")
        self.tap.ok(overview["selected"] == told
                    and not self.faultless(first),
                    "and sees it in the overview",
                    (overview.get("selected"), first.faults))
        self.gdb_tells(gdb, first, threads)

    def gdb_tells(self, gdb, editor, threads):
        """One that says itself which thread is selected: nobody waits."""
        self.gdb_says(gdb, "python exec(gdb.execute('monitor init', "
                      "to_string=True))")
        for walk in ("thread apply all bt", "thread apply 4 bt", "thread 2",
                     "info threads", "echo"):
            self.gdb_says(gdb, walk)
        editor.body("threads")
        told = editor.taken("inquest/selected")
        self.tap.ok(told == [{"threadId": threads[1], "by": "debugger"}],
                    "of one that was told of the session it is known at once",
                    (told, threads))

    def gdb_chooses(self, gdb, editor):
        """As a person does, who takes longer than a machine between two."""
        for pause in (0.3, 1, 3, 9):
            self.gdb_says(gdb, "thread apply all bt")
            time.sleep(pause)
            self.gdb_says(gdb, "thread 3")
            time.sleep(pause)
            editor.body("threads")
            told = editor.taken("inquest/selected")
            if told:
                return told[0] if len(told) == 1 else told
        return None

    # ---- what an editor writes, in a gdb ----
    def read_anew(self):
        """A gdb that was told of the session keeps nothing of it; one that
        was not says how to read anew."""
        path = os.path.join(kit.socket_dir(), "anew")
        listening = Listening(self.inquest, "127.0.0.1:0", self.core,
                              "--rsp", "unix:" + path)
        editor = listening.connect()
        editor.start()
        for told in (True, False):
            with subprocess.Popen(
                    ["gdb", "-nx", "-q", "-ex", "set confirm off", "-ex",
                     "set debuginfod enabled off", "-ex",
                     "set sysroot target:"],
                    stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT) as gdb:
                self.gdb_says(gdb, "target remote " + path)
                if told:
                    self.gdb_says(gdb, "python exec(gdb.execute('monitor "
                                  "init', to_string=True))")
                self.gdb_reads(gdb, editor, told)
                gdb.kill()
        listening.end()

    def gdb_reads(self, gdb, editor, told):
        """Behind an editor's writes, of which it has read what was there."""
        kept = "$r12" if platform.machine() == "x86_64" else "$x20"
        code = editor.stack(editor.stopped["threadId"])[1][
            "instructionPointerReference"]
        asked = ("print/x " + kept, "frame 1", "print a", "x/i " + code,
                 "frame 0")
        before = [self.gdb_says(gdb, command) for command in asked]
        for expression, value, frame in (("a", 7700 + told, 1),
                                         (kept, 0x3210 + told, 0)):
            editor.body("setExpression", expression=expression,
                        value=str(value), frameId=editor.stack(
                            editor.stopped["threadId"])[frame]["id"])
        editor.body("writeMemory", memoryReference=code, data="/////w==")
        after = [self.gdb_says(gdb, command) for command in asked]
        if told:
            self.tap.ok("= 7701\n" in after[2] and after[3] != before[3],
                        "a gdb that was told of the session shows what an "
                        "editor wrote", (before, after))
            self.gdb_says(gdb, "maintenance flush register-cache")
            register = self.gdb_says(gdb, asked[0])
            self.tap.ok("= 0x3211\n" in register, "registers, too, once it "
                        "was told to read them anew", register)
        else:
            said = self.gdb_says(gdb, "monitor overlay")
            self.gdb_says(gdb, "stepi")
            anew = [self.gdb_says(gdb, command) for command in asked]
            self.tap.ok("say stepi" in said and "= 0x3210\n" in anew[0]
                        and "= 7700\n" in anew[2],
                        "another one does once it was told to read anew",
                        (said, before, after, anew))

    def shared_pipe(self, path):
        c = client.Client(self.stdio("--rsp", "unix:" + path, self.core))
        c.start()
        s = socket.socket(socket.AF_UNIX)
        s.connect(path)
        gdb = rsp.Client(s)
        first = gdb.ask("?")
        status, err = c.end()
        self.tap.ok(first.startswith("T0b") and gdb.is_closed()
                    and status == 0 and path in err,
                    "a pipe has such a door, too, and ends both",
                    (first, status, err))

    # ---- who is hung up on ----
    def strangers(self):
        listening = Listening(self.inquest, "127.0.0.1:0", self.core)
        quiet = listening.connect()
        quiet.start()
        body = request(1, "initialize").split(b"\r\n\r\n", 1)[1]
        for name, said in (
                ("a POST of a browser",
                 b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s"
                 % (len(body), body)),
                ("a header of its own", b"X: 1\r\n" + HELLO),
                ("a hundred megabytes",
                 b"Content-Length: 100000000\r\n\r\n{}"),
                ("more than a number holds",
                 b"Content-Length: 99999999999999999999999\r\n\r\n{}"),
                ("less than nothing", b"Content-Length: -1\r\n\r\n{}"),
                ("no length", b"Content-Type: x\r\n\r\n{}"),
                ("a header without end", b"Content-Type: " + b"x" * 9000),
                ("packets of gdb", b"+$qSupported#37\r\n\r\n")):
            door = listening.door()
            door.write(said)
            self.tap.ok(is_closed(door), "hung up on: " + name)
        self.tap.ok(quiet.body("threads")["threads"] and not quiet.faults,
                    "who was there did not notice", quiet.faults)
        listening.end()

    def pieces(self):
        listening = Listening(self.inquest, "127.0.0.1:0", self.core)
        c = client.Client(listening.door())
        c.door.write(HELLO[:9])
        time.sleep(0.05)
        c.door.write(HELLO[9:60])
        time.sleep(0.05)
        c.door.write(HELLO[60:] + request(2, "attach"))
        c.seq = 2
        self.tap.ok(c.answer(1)["success"] and c.answer(2)["success"]
                    and not c.faults, "pieces of messages are joined")
        c.door.write(request(3, "threads")[:-1])
        c.door.hang_up()
        self.tap.ok(c.hear() is None,
                    "half a message is answered by nothing")
        c = client.Client(listening.door(), strict=False)
        for text in (b"{", b"[]", b"null", b"\xff\xfe", b'{"seq":"x"}',
                     b'{"seq":1,"type":"request","command":7}',
                     b"[" * 100000):
            c.raw(text)
        refusals = [c.hear() for _ in range(7)]
        self.tap.ok(all(m and m["type"] == "response" and not m["success"]
                        for m in refusals) and not c.faults,
                    "what is no request is refused", (refusals, c.faults))
        listening.end()

    def slow_reader(self):
        listening = Listening(self.inquest, "127.0.0.1:0", self.core)
        slow, quick = listening.connect(), listening.connect()
        for c in (slow, quick):
            c.start()
        slow.door.socket.setblocking(False)
        flood = request(99, "threads") * 1000
        try:
            while True:
                slow.door.socket.send(flood)
        except BlockingIOError:
            pass
        began = time.monotonic()
        answers = [quick.body("threads") for _ in range(100)]
        self.tap.ok(answers[0] == answers[-1]
                    and time.monotonic() - began < 10,
                    "a client that does not read delays no other")
        listening.end()


def main():
    inquest = kit.need_inquest()
    kit.need_tool("gcc")
    tap = kit.Tap()
    directory = kit.own_dir()
    shutil.rmtree(directory)
    os.mkdir(directory)
    doors = Doors(tap, inquest, directory)
    doors.pipe()
    doors.errors()
    doors.named()
    doors.moves_onto()
    doors.worker_dies()
    doors.records()
    if shutil.which("gdb"):
        doors.console()
        doors.console_writes()
        doors.console_ends()
        doors.console_on_tcp()
        doors.looked_at()
        doors.read_anew()
    else:
        tap.skip("the console", "there is no gdb")
    doors.tcp("127.0.0.1:0")
    if socket.has_ipv6 and os.path.exists("/proc/net/if_inet6"):
        doors.tcp("[::1]:0")
    doors.unix()
    doors.shared()
    doors.worker_dies_on_sockets()
    doors.too_many()
    doors.strangers()
    doors.pieces()
    doors.slow_reader()
    tap.leave()


if __name__ == "__main__":
    main()
