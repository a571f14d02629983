#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
record: every transport is recorded; recordings of gdb and of lldb are played
again without a debugger and get the same answers; no token is in them.
"""

import glob
import os
import re
import shutil
import stat
import subprocess
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "serve")]

import recorded                 # noqa: E402
import served                   # noqa: E402
from served import build, kit   # noqa: E402

GDB = ("info threads", "thread apply all backtrace", "info registers",
       "info sharedlibrary", "info proc mappings", "print victim_tls",
       "x/32xb $sp", "print victim_numbers[2] = 7", "continue",
       "monitor missing", "info os threads", "find $sp, +256, 0x1234")
LLDB = ("thread list", "bt all", "register read", "memory read $sp",
        "image list", "frame variable", "continue", "thread list")


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


class Recordings:
    def __init__(self, tap, inquest, directory):
        self.tap, self.inquest, self.directory = tap, inquest, directory
        self.made = build.ensure("threads")

    def path(self, name):
        return os.path.join(self.directory, name)

    def again(self, name, recording, at_least):
        """What was said is said once more, in one piece."""
        result = kit.run([self.inquest, "rsp", self.made.core],
                         given=recording.said.get(1, b""), timeout=300)
        same = result.out == recording.answered.get(1)
        self.tap.ok(recording.packets() >= at_least and same,
                    "%s: %d packets are answered as they were" % (
                        name, recording.packets()), result if not same else "")

    def gdb(self):
        path = self.path("gdb")
        with open(path, "wb") as f:
            os.fchmod(f.fileno(), 0o644)
        words = [w for command in GDB for w in ("-ex", command)]
        result = kit.run([self.inquest, "gdb", "--record", path,
                          self.made.core, "-nx", "-q", "-batch", *words],
                         cwd=self.made.directory, merge=True, timeout=300)
        self.tap.ok(mode(path) == 0o600, "it belongs to its owner only",
                    oct(mode(path)))
        recording = recorded.Recording(path)
        self.tap.ok(recording.whole and recording.times == sorted(
            recording.times) and recording.times[-1] > 1000,
            "its times are microseconds, in order", result)
        self.again("gdb", recording, 300)

    def lldb(self):
        if not shutil.which("lldb"):
            self.tap.skip("a recording of lldb", "lldb is not installed")
            return
        path = self.path("lldb")
        process = subprocess.Popen(
            [self.inquest, "rsp", "--record", path, "--listen", "127.0.0.1:0",
             self.made.core], stdin=subprocess.DEVNULL, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        where = process.stdout.readline().split()[-1]
        words = [w for command in LLDB for w in ("-o", command)]
        result = kit.run(["lldb", "-x", "-X", "-b", "-o", "gdb-remote "
                          + where, *words], merge=True, timeout=300)
        process.terminate()
        process.wait(20)
        recording = recorded.Recording(path)
        if not recording.packets():
            self.tap.note(result)
        self.again("lldb", recording, 60)

    def limit(self):
        path = self.path("short")
        said = b"+" + served.packet("qXfer:features:read:target.xml:0,1000") \
            * 20 + served.packet("?")
        result = kit.run([self.inquest, "rsp", "--record", path,
                          "--record-limit", "4k", self.made.core], given=said)
        with open(path, "rb") as f:
            text = f.read()
        self.tap.ok(result.out.endswith(b"#" + result.out[-2:])
                    and b"$T" in result.out and len(text) < 5000
                    and text.splitlines()[-1].startswith(b"! the recording"),
                    "at its limit it ends in words, and the session goes on",
                    text[-300:])

    def through(self, path, url):
        """What comes by a websocket, until it is there."""
        process = subprocess.Popen(
            [self.inquest, "rsp", "--record", path, url],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        process.stdin.write(b"+" + served.packet("?"))
        process.stdin.flush()
        got = b""
        while not re.search(rb"#..$", got, re.S):
            more = process.stdout.read1(1 << 16)
            if not more:
                break
            got += more
        process.stdin.close()
        process.wait(30)
        return got

    def server(self):
        shop = served.Shop(self.inquest, "record")
        folder = self.path("sessions")
        os.mkdir(folder)
        server = served.Server(shop, "--record", folder)
        client = served.Rsp(server.connect(server.rsp))
        client.ask("qSupported:vContSupported+")
        welcome = client.monitor("auth " + server.token)
        client.monitor("open " + shop.ids["default"])
        url = server.url("/p/default/%s?token=%s" % (
            shop.ids["default"], server.token))
        path = self.path("url")
        through = self.through(path, url)
        client.stream.close()
        server.end()
        files = sorted(glob.glob(os.path.join(folder, "*.rsp")))
        self.tap.ok(b"welcome".hex() in welcome and len(files) == 2
                    and all(mode(f) == 0o600 for f in files),
                    "a server makes a file of each session", (welcome, files))
        texts = b""
        for name in [*files, path]:
            with open(name, "rb") as f:
                texts += f.read()
        secret = server.token.encode()
        self.tap.ok(secret not in texts
                    and secret.hex().encode() not in texts
                    and b"6175746820" + b"2a" * 4 in texts,
                    "the token is in none of them")
        self.tap.ok(b"$T" in recorded.Recording(path).answered.get(1, b"")
                    and b"$T" in through,
                    "what comes out of a websocket is recorded", through)
        refused = kit.run([self.inquest, "serve", "--store", shop.dir,
                           "--record", self.path("nowhere")], timeout=60)
        self.tap.ok(refused.status and re.search(
            rb"cannot open the directory \S+nowhere", refused.err),
            "a directory that is not there is told of", refused)


def main():
    inquest = kit.need_inquest()
    kit.need_tool("gcc")
    kit.need_tool("gdb")
    tap = kit.Tap()
    directory = kit.work_dir("record")
    shutil.rmtree(directory)
    os.mkdir(directory)
    recordings = Recordings(tap, inquest, directory)
    recordings.gdb()
    recordings.lldb()
    recordings.limit()
    recordings.server()
    tap.leave()


if __name__ == "__main__":
    main()
