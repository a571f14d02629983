#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
system: "info os" tells of the captured system what gdbserver tells of it
while the process lives: its files, sockets, threads, System V objects; and
what was not captured is called so.
"""

import contextlib
import ctypes
import os
import re
import subprocess
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [os.path.join(os.path.dirname(HERE), "victims")]

import build  # noqa: E402
import kit    # noqa: E402

TABLES = ("processes", "procgroups", "threads", "files", "sockets", "shm",
          "semaphores", "msg", "modules", "cpus")
# A process with something of everything.
BUSY = """
import os, socket, sys, threading
here, sockets = sys.argv[1:]
file = open(here + "/a file.txt", "w")
listening = socket.create_server(("127.0.0.1", 0))
near = socket.create_connection(listening.getsockname())
far = listening.accept()[0]
six = socket.create_server(("::1", 0), family=socket.AF_INET6)
named = socket.socket(socket.AF_UNIX)
named.bind(sockets + "/sock")
named.listen()
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.bind(("127.0.0.1", 0))
threading.Thread(target=os.read, args=(0, 1), daemon=True).start()
print("ready", listening.getsockname()[1], six.getsockname()[1], flush=True)
os.read(0, 1)
"""


@contextlib.contextmanager
def busy(directory):
    program = os.path.join(directory, "busy.py")
    with open(program, "w", encoding="ascii") as f:
        f.write(BUSY)
    process = subprocess.Popen(
        ["/usr/bin/python3", program, directory, kit.socket_dir()],
        cwd=directory, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        text=True)
    try:
        ports = process.stdout.readline().split()[1:]
        kit.rests(process.pid)
        yield process, ports
    finally:
        process.kill()
        process.wait()


class System:
    """One object of System V of each kind, for as long as the test takes."""

    def __init__(self):
        c = ctypes.CDLL(None, use_errno=True)
        self.c = c
        self.shm = c.shmget(0, 12345, 0o1640)
        self.sem = c.semget(0, 3, 0o1600)
        self.msg = c.msgget(0, 0o1600)
        self.modules = self.loaded()

    @staticmethod
    def loaded():
        """Modules of the kernel."""
        with contextlib.suppress(OSError), open(
                "/proc/modules", encoding="ascii") as f:
            return {line.split()[0] for line in f}
        return set()

    def known(self):
        """By the names of tables; of modules those that were there and are."""
        return {"shm": self.shm, "semaphores": self.sem, "msg": self.msg,
                "modules": self.modules & self.loaded()}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.c.shmctl(self.shm, 0, None)
        self.c.semctl(self.sem, 0, 0)
        self.c.msgctl(self.msg, 0, None)


def gdbserver(pid, directory):
    """Once more where it tells nothing because some process of the machine
    has control characters in its command line."""
    for _ in range(20):
        said = gdb("target remote | gdbserver --attach - %d" % pid, directory)
        if "not well-formed" not in "".join(said.values()):
            break
    return said


def gdb(opening, directory):
    words = ["gdb", "-nx", "-q", "-batch", "-ex", "set width 0",
             "-ex", opening]
    for table in TABLES:
        words += ["-ex", "echo == %s\\n" % table, "-ex",
                  "interpreter-exec mi \"-info-os %s\"" % table]
    words += ["-ex", "echo == types\\n", "-ex", "info os"]
    for table in TABLES:
        words += ["-ex", "echo == cli %s\\n" % table, "-ex",
                  "info os " + table]
    result = kit.run(words, timeout=300, cwd=directory, merge=True)
    parts = result.out.decode("utf-8", "replace").split("\n== ")
    return {p.partition("\n")[0]: p.partition("\n")[2] for p in parts[1:]}


def rows(mi, pid=None):
    """The rows of a table, as dictionaries by column."""
    heads = re.findall(r'col_name="(\w+)",colhdr="((?:[^"\\]|\\.)*)"', mi)
    found = []
    for item in re.findall(r"item=\{((?:[^{}\"]|\"(?:[^\"\\]|\\.)*\")*)\}",
                           mi):
        cells = dict(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', item))
        found.append({h: cells.get(c, "") for c, h in heads})
    return [r for r in found if pid is None or r.get("pid") == str(pid)]


def some(table, *names):
    return sorted(tuple(r.get(n, "?").rstrip() for n in names) for r in table)


def same(tap, name, ours, theirs, *columns):
    ours, theirs = some(ours, *columns), some(theirs, *columns)
    tap.ok(theirs and ours == theirs, "%s: gdbserver says the same" % name,
           "ours:   %s\ntheirs: %s" % (ours, theirs))


def compare(tap, ours, theirs, pid, system):
    def both(table):
        return rows(ours[table], pid), rows(theirs[table], pid)

    def one(table, key):
        """Others on this machine make and remove theirs meanwhile."""
        return [[r for r in rows(side[table]) if r.get(key) == str(
            system[table])] for side in (ours, theirs)]

    same(tap, "files", *both("files"), "file descriptor", "name", "command")
    same(tap, "threads", *both("threads"), "tid", "command")
    ours_pg, theirs_pg = both("procgroups")
    same(tap, "process groups", ours_pg, theirs_pg, "pgid", "command line")
    for table, key, columns in (
            ("shm", "shmid", ("permissions", "size", "num attached")),
            ("semaphores", "semid", ("permissions", "num semaphores")),
            ("msg", "msqid", ("permissions", "num used bytes", "num messages"))):
        same(tap, table, *one(table, key), key, *columns)
    if system["modules"]:
        same(tap, "modules", *([r for r in rows(side["modules"])
                                if r["name"] in system["modules"]]
                               for side in (ours, theirs)), "name", "size")
    cpu, first = rows(ours["cpus"]), rows(theirs["cpus"])
    tap.ok(cpu and first and
           cpu[0].get("model name", "?") == first[0].get("model name")
           and cpu[0].get("one of") == str(len(first)),
           "cpus: gdbserver says the same of the first", (cpu, first[:1]))


def sockets(tap, ours, theirs, ports):
    """gdbserver lists those of the machine, so each of ours is in there."""
    columns = ("local address", "local port", "remote address",
               "remote port")
    inet = [r for r in rows(ours["sockets"])
            if r["family"].startswith("INET")]
    there = some(rows(theirs["sockets"]), "local port", "remote port")
    missing = [r for r in some(inet, "local port", "remote port")
               if r not in there]
    tap.ok(len(inet) == 5 and not missing, "sockets: gdbserver has them all",
           "%s\n%s" % (some(inet, *columns), missing))
    table = some(rows(ours["sockets"]), *columns, "state", "protocol")
    for port, address, protocol in ((ports[0], "127.0.0.1", "tcp"),
                                    (ports[1], "::1", "tcp6")):
        tap.ok(any(r[:2] == (address, port) and r[4] == "listen"
                   and r[5] == protocol for r in table),
               "sockets: one listens on %s" % address, table)
    tap.ok(any(r["local address"].endswith("/sock")
               and r["state"] == "listen" and r["protocol"] == "stream"
               for r in rows(ours["sockets"])),
           "sockets: one listens at a path", ours["sockets"])


def live(tap, inquest, directory):
    snapshot = os.path.join(directory, "busy.snap")
    with busy(directory) as (process, ports), System() as system:
        result = kit.run([inquest, "capture", *kit.UNHURRIED,
                          str(process.pid), "-o", snapshot])
        tap.ok(result.status == 0, "the process is captured", result)
        theirs = gdbserver(process.pid, directory)
        known = system.known()
    ours = gdb("target remote | %s rsp %s" % (inquest, snapshot), "/")
    compare(tap, ours, theirs, process.pid, known)
    sockets(tap, ours, theirs, ports)
    for table in TABLES:
        tap.ok(re.search(r"^%s " % table, ours["types"], re.M)
               and "not fetch" not in ours["cli " + table],
               "info os %s is there" % table, ours["cli " + table])


def core(tap, inquest):
    """Of a core nothing of the system is known."""
    ours = gdb("target remote | %s rsp %s"
               % (inquest, build.ensure("jump").core), "/")
    for table in ("procgroups", "files", "sockets", "shm", "semaphores",
                  "msg", "modules", "cpus"):
        tap.ok("not captured" in ours["cli " + table],
               "of a core, info os %s says that it was not captured" % table,
               ours["cli " + table])
    tap.ok(len(rows(ours["processes"])) == 1 and rows(ours["threads"]),
           "processes and threads are there", ours)


def main():
    inquest = kit.need_inquest()
    for tool in ("gdb", "gdbserver", "gcc"):
        kit.need_tool(tool)
    tap = kit.Tap()
    live(tap, inquest, kit.work_dir("gdb-system"))
    core(tap, inquest)
    tap.leave()


if __name__ == "__main__":
    main()
