#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
programs: real servers are captured while they work, open in stock gdb, and go
on serving.

python3, redis-server under load, nginx and postgres with clients, chromium's
browser and its renderer with over a tebibyte of address space. A program that
is not installed is skipped.

  programs.py [NAME...]
"""

import contextlib
import glob
import http.client
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [os.path.join(os.path.dirname(HERE), name)
                for name in ("victims", "gdb")]

import build    # noqa: E402
import kit      # noqa: E402
import real     # noqa: E402
import session  # noqa: E402

SILENT = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL,
          "stderr": subprocess.DEVNULL}


def free_port():
    """For a moment at least: not for tests that must not fail."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class UnixConnection(http.client.HTTPConnection):
    """To a server that nobody else can be in place of."""

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.host)


def need(*programs):
    for program in programs:
        if not shutil.which(program):
            raise real.Missing("%s is not installed" % program)


@contextlib.contextmanager
def started(argv, **more):
    process = subprocess.Popen(argv, **{**SILENT, **more})
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def used_seconds(pid):
    """Of a process that may come to its end meanwhile."""
    try:
        return real.used_seconds(pid)
    except OSError:
        return 0


def tree(pid):
    found = [pid]
    for child in kit.children(pid):
        found += tree(child)
    return found


def read(pid, name):
    """"" of a process that has ended."""
    try:
        with open("/proc/%d/%s" % (pid, name), "rb") as f:
            return f.read().decode("utf-8", "replace")
    except kit.GONE:
        return ""


class Python:
    """Five threads; serving is counting."""

    def __init__(self, directory):
        self.directory = directory

    @contextlib.contextmanager
    def run(self):
        with started(["/usr/bin/python3", "-c", real.PYTHON]) as process:
            real.wait_for("python3 works",
                          lambda: real.used_seconds(process.pid) > 0.4)
            self.pids = [process.pid]
            yield

    def serves(self):
        before = real.used_seconds(self.pids[0])
        real.wait_for("python3 goes on", lambda:
                      real.used_seconds(self.pids[0]) > before + 0.1)


class Redis:
    """Under the load of redis-benchmark."""

    def __init__(self, directory):
        need("redis-server", "redis-benchmark", "redis-cli")
        self.directory = directory
        self.socket = os.path.join(directory, "s")

    @contextlib.contextmanager
    def run(self):
        with started(["redis-server", "--port", "0", "--unixsocket",
                      self.socket, "--save", ""], cwd=self.directory) as p:
            real.wait_for("redis-server listens",
                          lambda: os.path.exists(self.socket))
            with real.Load(["redis-benchmark", "-s", self.socket, "-t",
                            "set,get,lpush", "-n", "100000000", "-q"]):
                self.pids = [p.pid]
                self.serves()
                yield

    def requests(self):
        said = subprocess.check_output(["redis-cli", "-s", self.socket,
                                        "info", "stats"], text=True)
        return int(re.search(r"total_commands_processed:(\d+)", said)[1])

    def serves(self):
        before = self.requests()
        real.wait_for("redis-server serves",
                      lambda: self.requests() > before + 1000)


class Nginx:
    """A master and a worker."""

    CONF = """
daemon off; master_process on; worker_processes 1; pid {d}/pid;
error_log {d}/error; user {user};
events {{ worker_connections 64; }}
http {{ access_log off; client_body_temp_path {d}/b; proxy_temp_path {d}/p;
 fastcgi_temp_path {d}/f; uwsgi_temp_path {d}/u; scgi_temp_path {d}/s;
 server {{ listen unix:{d}/sock; return 200 "well"; }} }}
"""

    def __init__(self, directory):
        need("nginx")
        self.directory = directory
        self.socket = os.path.join(directory, "sock")

    @contextlib.contextmanager
    def run(self):
        conf = os.path.join(self.directory, "conf")
        with open(conf, "w", encoding="ascii") as f:
            f.write(self.CONF.format(d=self.directory, user="root"))
        with started(["nginx", "-p", self.directory, "-c", conf]) as process:
            real.wait_for("nginx serves", self.answers)
            self.pids = [process.pid, *kit.children(process.pid)]
            yield

    def answers(self):
        try:
            link = UnixConnection(self.socket, timeout=60)
            link.putrequest("GET", "/", skip_host=True)
            link.putheader("Host", "localhost")
            link.endheaders()
            return link.getresponse().read() == b"well"
        except (OSError, http.client.HTTPException):
            return False

    def serves(self):
        assert all(self.answers() for _ in range(50)), "nginx is silent"


class Postgres:
    """The postmaster, and a backend that works on a query."""

    def __init__(self, directory):
        found = sorted(glob.glob("/usr/lib/postgresql/*/bin"))
        if not found:
            raise real.Missing("postgresql is not installed")
        self.bin, self.directory = found[-1], directory
        self.data = os.path.join(directory, "data")
        os.makedirs(self.data)
        # It refuses to be root.
        self.user = "postgres" if os.getuid() == 0 else None
        for path in (directory, self.data):
            shutil.chown(path, self.user or os.getuid())
        os.chmod(self.data, 0o700)

    def run_as(self, *argv, **more):
        return subprocess.Popen([os.path.join(self.bin, argv[0]), *argv[1:]],
                                cwd="/", user=self.user, **{**SILENT, **more})

    def sql(self, text, **more):
        return self.run_as("psql", "-h", self.directory, "-U", "postgres",
                           "-Atc", text, **more)

    @contextlib.contextmanager
    def run(self):
        if self.run_as("initdb", "-D", self.data, "-A", "trust", "-U",
                       "postgres").wait():
            raise build.Failure("initdb failed")
        server = self.run_as("postgres", "-D", self.data, "-k",
                             self.directory, "-c", "listen_addresses=")
        try:
            real.wait_for("postgres serves", self.answers)
            query = self.sql("select count(*) from generate_series(1, "
                             "1000000000)")
            try:
                self.pids = [server.pid, self.backend(server.pid)]
                yield
            finally:
                query.kill()
                query.wait()
        finally:
            server.send_signal(3)
            server.wait()

    def backend(self, server):
        def busy():
            return [pid for pid in kit.children(server)
                    if used_seconds(pid) > 0.2]
        real.wait_for("a backend works", busy)
        return busy()[0]

    def answers(self):
        out = self.sql("select 6 * 7", stdout=subprocess.PIPE)
        return out.communicate()[0] == b"42\n"

    def serves(self):
        assert all(self.answers() for _ in range(3)), "postgres is silent"
        before = real.used_seconds(self.pids[1])
        real.wait_for("the backend goes on", lambda:
                      real.used_seconds(self.pids[1]) > before + 0.1)


class Chromium:
    """Headless: the browser, and the renderer of a page that works."""

    PAGE = """<title>0</title><body><script>
let all = [], n = 0;
for (let i = 0; i < 200000; i++)
  all.push({number: i, text: "object " + i, before: all[i - 1]});
for (let i = 0; i < 3000; i++)
  document.body.append(document.createElement("p"));
setInterval(() => { document.title = String(++n); }, 500);
</script>"""

    def __init__(self, directory, *more, **env):
        need("chromium")
        self.directory, self.more = directory, more
        self.env = {**os.environ, **env}

    @contextlib.contextmanager
    def run(self):
        page = os.path.join(self.directory, "page.html")
        with open(page, "w", encoding="ascii") as f:
            f.write(self.PAGE)
        with started(["/usr/bin/chromium", "--headless", "--no-sandbox",
                      "--disable-gpu", "--disable-quic", "--no-first-run",
                      "--disable-background-networking", "--disable-sync",
                      "--disable-component-update", "--user-data-dir=" +
                      os.path.join(self.directory, "data"),
                      "--remote-debugging-port=0", *self.more,
                      "file://" + page], env=self.env) as p:
            port = os.path.join(self.directory, "data", "DevToolsActivePort")
            real.wait_for("chromium listens", lambda: os.path.exists(port) and
                          os.path.getsize(port))
            with open(port, encoding="ascii") as f:
                self.port = int(f.readline())
            real.wait_for("the page works", lambda: self.count() > 2)
            self.pids = [p.pid, self.renderer(p.pid)]
            yield

    def renderer(self, browser):
        found = [pid for pid in tree(browser)
                 if "--type=renderer" in read(pid, "cmdline")]
        return max(found, key=lambda pid:
                   int((read(pid, "statm").split() or "00")[1]))

    def count(self):
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            link.request("GET", "/json/list")
            pages = json.loads(link.getresponse().read())
        except (OSError, http.client.HTTPException, ValueError):
            return 0
        titles = [page["title"] for page in pages
                  if page["type"] == "page" and page["title"].isdigit()]
        return int(titles[0]) if titles else 0

    def serves(self):
        before = self.count()
        real.wait_for("the page goes on", lambda: self.count() > before + 2)


PROGRAMS = {"python3": Python, "redis-server": Redis, "nginx": Nginx,
            "postgres": Postgres, "chromium": Chromium}


class Captures:
    def __init__(self, tap, inquest):
        self.tap, self.inquest = tap, inquest

    def program(self, name):
        # Where every user gets to, and with a path that fits a socket's.
        directory = tempfile.mkdtemp(prefix="inquest-")
        os.chmod(directory, 0o755)
        try:
            program = PROGRAMS[name](directory)
            with program.run():
                for pid in program.pids:
                    self.process(name, program, pid)
        except real.Missing as missing:
            self.tap.skip("%s is captured" % name, missing)
        except build.Failure as failure:
            self.tap.ok(False, "%s runs" % name, failure)
        finally:
            shutil.rmtree(directory, ignore_errors=True)

    def process(self, name, program, pid):
        who = "%s %s" % (name, read(pid, "comm").strip())
        snapshot = os.path.join(program.directory, "%d.snap" % pid)
        before = set(os.listdir("/proc/%d/task" % pid))
        size = int(read(pid, "statm").split()[0]) * 4096
        result = kit.run([self.inquest, "capture", *kit.UNHURRIED, str(pid),
                          "-o", snapshot, "--json"])
        if not self.tap.ok(result.status == 0, "%s (%d threads, %.1f GiB of "
                           "address space) is captured" %
                           (who, len(before), size / kit.GIB), result):
            return
        self.tap.note("%s: %s" % (who, result.out.decode()))
        self.tap.ok(kit.until(lambda: not set("tT") & set(
            kit.states(pid).values())), "%s: no thread was left stopped" % who,
                    kit.states(pid))
        try:
            program.serves()
            failed = ""
        except (AssertionError, build.Failure, OSError) as why:
            failed = why
        self.tap.ok(not failed, "%s goes on serving" % who, failed)
        self.opens(who, snapshot, before)

    def opens(self, who, snapshot, threads):
        commands = ["info threads", "inq-frames", "bt", "info sharedlibrary"]
        run = session.run([session.remote(self.inquest, snapshot)], commands,
                          [])
        out = dict(run.outputs)
        frames = re.findall(r"^(\d+) (0x[0-9a-f]+) (.*)$",
                            out["inq-frames"] or "", re.M)
        seen = {tid for tid, _, _ in frames}
        shown = set(re.findall(r"Thread \d+\.(\d+)",
                               out["info threads"] or ""))
        same = len(shown & threads) >= 0.8 * len(threads)
        self.tap.ok(run.result.status == 0 and same and seen == shown,
                    "%s: stock gdb shows its %d threads and their stacks"
                    % (who, len(shown)), run.result)
        named = {tid for tid, _, name in frames if name != "None"}
        self.tap.ok(named == seen, "%s: every stack has names" % who,
                    sorted(seen - named))
        self.tap.note("%s: %d frames" % (who, len(frames)))


def main():
    inquest = kit.need_inquest()
    kit.need_tool("gdb")
    tap = kit.Tap()
    captures = Captures(tap, inquest)
    for name in sys.argv[1:] or PROGRAMS:
        captures.program(name)
    tap.leave()


if __name__ == "__main__":
    main()
