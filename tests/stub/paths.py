#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
paths: no name that a client sends by vFile leads to a file of this machine.

Secrets lie about: a file beside the snapshot, one behind a link, one where
the program was, one in /proc. Each way to name one is refused, or shows what
the snapshot has under that name; and where strace is installed, no process
of the stub has opened any path that a client named.
"""

import os
import re
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [os.path.join(os.path.dirname(HERE), "victims")]

import build  # noqa: E402
import kit    # noqa: E402

SECRET = b"\x7fELF-what-nobody-may-see-"
MARK = "unseen-4711"


class Client:
    """The protocol on a pipe, without acknowledgements."""

    def __init__(self, words, env=None):
        self.process = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, bufsize=0, env=env)
        self.process.stdin.write(b"+")
        self.packet(b"QStartNoAckMode")
        self.process.stdin.write(b"+")
        self.packet(b"qSupported:multiprocess+;vContSupported+")

    def packet(self, data):
        """The reply, its escapes undone."""
        out = data
        for byte in b"}#$*":
            out = out.replace(bytes([byte]), b"}" + bytes([byte ^ 0x20]))
        self.process.stdin.write(b"$%s#%02x" % (out, sum(out) & 255))
        while self.process.stdout.read(1) != b"$":
            pass
        reply = bytearray()
        while True:
            byte = self.process.stdout.read(1)
            if byte in (b"#", b""):
                break
            reply += byte
        self.process.stdout.read(2)
        return expand(bytes(reply))

    def file(self, operation, path, rest=b""):
        return self.packet(b"vFile:" + operation + b":" +
                           path.hex().encode() + rest)

    def contents(self, path):
        """What is read of it, or None."""
        reply = self.file(b"open", path, b",0,0")
        if reply.startswith(b"F-1,"):
            return None
        fd = reply[1:]
        data = self.packet(b"vFile:pread:" + fd + b",400,0")
        self.packet(b"vFile:close:" + fd)
        return data.partition(b";")[2]

    def end(self):
        self.packet(b"D")
        self.process.stdin.close()
        self.process.wait()


def expand(data):
    """Undo run lengths, then escapes."""
    out = bytearray()
    at = 0
    while at < len(data):
        byte = data[at]
        if byte == 0x2a and out and at + 1 < len(data):
            out += bytes([out[-1]]) * (data[at + 1] - 29)
            at += 2
            continue
        if byte == 0x7d and at + 1 < len(data):
            at += 1
            byte = data[at] ^ 0x20
        out.append(byte)
        at += 1
    return bytes(out)


class Place:
    """A program that died, and what lies around it since."""

    def __init__(self, inquest):
        self.directory = kit.work_dir("stub-paths")
        shutil.rmtree(self.directory)
        self.secrets = os.path.join(self.directory, MARK)
        self.home = os.path.join(self.directory, "home")
        os.makedirs(self.secrets)
        os.makedirs(self.home)
        victim = build.ensure("threads")
        self.program = os.path.join(self.home, "threads")
        for name in ("threads", "libvictim.so", "libplugin.so"):
            shutil.copy(os.path.join(victim.directory, name), self.home)
        self.snapshot = os.path.join(self.directory, "x.snap")
        result = kit.run([inquest, "capture", "-o", self.snapshot, "--",
                          self.program], cwd=self.home)
        assert os.path.exists(self.snapshot), result
        self.pid = int(re.search(rb"Tgid:\s*(\d+)", subprocess.check_output(
            [inquest, "dump", "-x", "status", self.snapshot]))[1])
        self.litter()

    def litter(self):
        """Secrets, and links to them under names of the snapshot."""
        self.secret = os.path.join(self.secrets, "secret")
        self.put(self.secret, SECRET)
        self.put(os.path.join(self.secrets, "x.debug"), SECRET)
        self.put(os.path.join(self.home, "threads.debug"), SECRET)
        os.mkdir(os.path.join(self.home, ".debug"))
        self.put(os.path.join(self.home, ".debug", "threads.debug"), SECRET)
        os.symlink(self.secret, os.path.join(self.home, "link"))
        os.unlink(self.program)
        os.symlink(self.secret, self.program)
        os.mkdir(os.path.join(self.home, ".build-id"))
        os.mkdir(os.path.join(self.home, ".build-id", "ab"))
        self.put(os.path.join(self.home, ".build-id", "ab", "cdef.debug"),
                 SECRET)

    @staticmethod
    def put(path, data):
        with open(path, "wb") as f:
            f.write(data)


def hostile(place):
    """Names that must lead nowhere."""
    s, h, p = (x.encode() for x in (place.secret, place.home, place.program))
    up = b"../" * 40
    pid = b"%d" % place.pid
    proc = b"/proc/" + pid + b"/"
    names = [
        # plain, relative, climbing
        s, s.lstrip(b"/"), b"./" + s, up + s.lstrip(b"/"), b"/" + up + s,
        h + b"/../" + MARK.encode() + b"/secret", h + b"/./link",
        p + b"/../../" + MARK.encode() + b"/secret", p + b"/", p + b"/.",
        p + b"//..//..//" + MARK.encode() + b"/secret", b"//" + s,
        s.replace(b"/", b"//"), s + b"/", s + b"/.", b"/etc/passwd",
        b"/etc/shadow", b"", b"/", b".", b"..", b"~", b"~root/.bashrc",
        b"target:" + s, b"file://" + s, b"remote:" + s,
        # links
        h + b"/link", h + b"//link", h + b"/threads.debug",
        b"/proc/self/cwd/../../../../etc/passwd",
        # the kernel's files
        b"/proc/self/maps", b"/proc/self/environ", b"/proc/self/exe",
        b"/proc/self/fd/0", b"/proc/self/fd/3", b"/proc/self/root" + s,
        b"/proc/self/mem", b"/proc/thread-self/maps", b"/proc/1/maps",
        b"/proc/1/environ", b"/proc/version", b"/proc/kcore",
        b"/proc/%d/maps" % os.getpid(), b"/proc/%d/root" % os.getpid() + s,
        b"/proc//self/maps", b"/proc/0/maps", b"/proc/-1/maps",
        b"/proc/0x%x/maps" % place.pid, b"/proc/ " + pid + b"/maps",
        b"/proc/+" + pid + b"/maps", b"/sys/kernel/notes", b"/sys/class",
        proc + b"root" + s, proc + b"cwd" + s, proc + b"../self/maps",
        proc + b"../../etc/passwd", proc + b"fd/0", proc + b"fd/1",
        proc + b"exe/../../etc/passwd", proc + b"mem",
        proc + b"task/" + pid + b"/../../../self/maps",
        proc + b"task/../../self/maps", proc + b"task/1/maps",
        proc + b"task//maps", proc + b"map_files/x", proc + b"environ/..",
        proc + b"/maps", proc + b"./maps", proc + b"maps/",
        # devices
        b"/dev/stdin", b"/dev/fd/0", b"/dev/mem", b"/dev/kmsg", b"/dev/tty",
        b"/dev/null", b"/dev/zero", b"/dev/shm/x", b"/dev/pts/0",
        # bytes
        p + b"\0", p + b"\0.debug", s + b"\0", b"\0" + s, s + b"\n",
        s.replace(b"/", b"%2f"), s.replace(b"/", b"%2F"),
        s.replace(b"/", b"\\"), s.replace(b"/", b"\xc0\xaf"),
        s.replace(b"/", b"\xef\xbc\x8f"), b"%s%n%d", b"$(cat " + s + b")",
        b"`cat " + s + b"`", b"|cat " + s, b"*", h + b"/*", b"\xff" * 8,
        # lengths
        b"/" + b"a" * 4000, b"/a" * 2000, b"a" * 5000, up * 30 + s[1:],
        # by id: no module of the snapshot, malformed, climbing
        h + b"/.build-id/ab/cdef.debug", s + b"/.build-id/ab/cdef.debug",
        b"/usr/lib/debug/.build-id/../../../../" + s[1:] + b".debug",
        b"/usr/lib/debug/.build-id/ab/../../../../../" + s[1:] + b".debug",
        b"/usr/lib/debug/.build-id/ab/.debug", b"/.build-id/ab/c.debug",
        b"/.build-id/" + b"ab" * 200 + b".debug",
        b"/.build-id/ab/" + b"cd" * 300 + b".debug",
        h + b"/threads.debug", h + b"/.debug/threads.debug",
        b"/usr/lib/debug" + h + b"/threads.debug",
        b"/usr/lib/debug" + s + b".debug",
        h + b"/../" + MARK.encode() + b"/x.debug",
        b"/usr/lib/debug/../../.." + s,
        # sources: no id, no module's id, climbing
        b"/.inquest/", b"/.inquest/source" + s, b"/.inquest//source" + s,
        b"/.inquest/abcdef/source" + s, b"/.inquest/attached/" + s,
        b"/.inquest/attached/../" + MARK.encode() + b"/secret",
        b"/.inquest/attached/", b"/.inquest/../" + s, b".inquest" + s,
        b"/.inquest/zz/source" + s, b"/.inquest/abc/source" + s,
        b"/.inquest/" + b"ab" * 300 + b"/source" + s,
    ]
    return list(dict.fromkeys(names))


def of_modules(place, inquest):
    """Sources, by ids that the snapshot does have."""
    dump = subprocess.check_output([inquest, "dump", place.snapshot],
                                   text=True)
    ids = re.findall(r"^module .* id=gnu:([0-9a-f]+)", dump, re.M)
    assert len(ids) >= 4
    s = place.secret.encode()
    return [b"/.inquest/" + i.encode() + b"/source" + tail for i in ids
            for tail in (s, b"/../../.." + s, b"/etc/passwd", b"/", b"",
                         b"/proc/self/maps", b"//dev/null")]


def check(tap, client, place, inquest):
    names = hostile(place) + of_modules(place, inquest)
    opened = {n: client.contents(n) for n in names}
    opened = {n: c for n, c in opened.items() if c is not None}
    tap.ok(len(names) >= 40 and not opened, "%d names lead nowhere"
           % len(names), opened)
    for operation in (b"stat", b"lstat", b"readlink"):
        told = {n: r for n in names for r in [client.file(operation, n)]
                if not r.startswith(b"F-1,")}
        tap.ok(not told, "%s tells nothing of them" % operation.decode(),
               told)
    for flags in (1, 2, 0x8, 0x200, 0x400, 0x601, 0xfff):
        reply = client.file(b"open", place.secret.encode(),
                            b",%x,1ff" % flags)
        tap.ok(reply.startswith(b"F-1,"), "nor with flags %#x" % flags,
               reply)
    for pid in (0, 1, os.getpid(), 2 ** 31, 2 ** 63, 2 ** 64 - 1):
        client.packet(b"vFile:setfs:%x" % pid)
        found = [n for n in names if client.contents(n) is not None]
        tap.ok(not found, "nor in the file system of process %d" % pid,
               found)
    client.packet(b"vFile:setfs:0")
    links = {name: client.file(b"readlink", b"/proc/%d/%s"
                               % (place.pid, name)).partition(b";")[2]
             for name in (b"exe", b"cwd", b"root")}
    tap.ok(links == {b"exe": place.program.encode(),
                     b"cwd": place.home.encode(), b"root": b"/"},
           "links are those that were captured", links)


def from_directory(tap, inquest, place):
    """Sources out of a directory, by debuginfod: none from beside it."""
    shelf = os.path.join(place.directory, "shelf")
    client = Client([inquest, "rsp", place.snapshot],
                    dict(os.environ, DEBUGINFOD_URLS="file://" + shelf,
                         DEBUGINFOD_CACHE_PATH=shelf + ".cache"))
    names = of_modules(place, inquest)
    build_id = names[0].split(b"/")[2]
    source = os.path.join(shelf, "buildid", build_id.decode(), "source")
    os.makedirs(source + "/app")
    Place.put(source + "/app/a.c", b"int a;")
    front = b"/.inquest/" + build_id + b"/source"
    up = b"/app" + b"/.." * 40
    names += [front + u + place.secret.encode()
              for u in (up, up[4:], up.replace(b"..", b"%2e%2e"),
                        up.replace(b"..", b"%252e."), b"/.." * 5, b"/app/x/..",
                        b"/app/" + b"../" * 9, b"//.././/..//" * 9)]
    opened = {n: c for n in names for c in [client.contents(n)] if c}
    tap.ok(not opened, "%d names lead out of no directory of sources"
           % len(names), opened)
    found = [client.contents(front + name) for name in
             (b"/app/a.c", b"/app/x/../a.c", b"/.//app/./a.c")]
    tap.ok(found == [b"int a;"] * 3, "those in it are found", found)
    client.end()


def own(tap, client, place):
    """Names of the snapshot show what is the snapshot's."""
    program = client.contents(place.program.encode())
    tap.ok(program and program.startswith(b"\x7fELF\x02")
           and SECRET not in program,
           "the program's path shows the program, not what lies there now",
           program)
    for name in (b"maps", b"status", b"task/%d/maps" % place.pid):
        tap.ok(client.contents(b"/proc/%d/%s" % (place.pid, name)),
               "/proc/PID/%s is there" % name.decode())


def watched(tap, inquest, place):
    """The same again, every path that a process of the stub opens seen."""
    if not shutil.which("strace"):
        tap.skip("no process opens what a client names", "strace is missing")
        return
    log = os.path.join(place.directory, "trace")
    client = Client(["strace", "-f", "-qq", "-o", log, "-e",
                     "trace=file", inquest, "rsp", place.snapshot])
    for name in hostile(place) + of_modules(place, inquest):
        client.contents(name)
        client.file(b"readlink", name)
    client.end()
    with open(log, encoding="utf-8", errors="replace") as f:
        lines = f.read().splitlines()
    bad = [l for l in lines if MARK in l or "/etc/passwd" in l
           or "/etc/shadow" in l or '"/dev/mem' in l or "/home/link" in l]
    tap.ok(lines and not bad, "no process opens what a client names",
           "\n".join(bad[:20]))


def main():
    inquest = kit.need_inquest()
    kit.need_tool("gcc")
    tap = kit.Tap()
    place = Place(inquest)
    client = Client([inquest, "rsp", place.snapshot])
    check(tap, client, place, inquest)
    own(tap, client, place)
    client.end()
    from_directory(tap, inquest, place)
    watched(tap, inquest, place)
    tap.leave()


if __name__ == "__main__":
    main()
