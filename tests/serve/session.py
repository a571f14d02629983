#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
session: stock gdb on stored snapshots, over TCP, a unix socket and a
websocket, says what it says of the file.
"""

import os
import re
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))

import served           # noqa: E402
from served import kit  # noqa: E402


def gdb(*commands):
    words = ["gdb", "-nx", "-batch", "-iex", "set debuginfod enabled off"]
    for command in commands:
        words += ["-ex", command]
    return kit.run(words, timeout=300, merge=True).out.decode()


def stack(text):
    """The frames of a backtrace, as gdb prints them."""
    return re.findall(r"^#\d+ .*$", text, re.M)


class Sessions:
    def __init__(self, tap, inquest):
        self.tap = tap
        self.inquest = inquest
        self.shop = served.Shop(inquest, "session", ("default", "web"))
        self.server = served.Server(self.shop)
        self.expected = stack(gdb(
            "target remote | %s rsp %s" % (inquest, self.shop.core), "bt"))

    def same(self, name, text):
        self.tap.ok(len(self.expected) >= 3 and stack(text) == self.expected,
                    name, "%s\n%s" % ("\n".join(self.expected), text))

    def tcp(self):
        id_ = self.shop.ids["web"]
        text = gdb("target extended-remote " + self.server.rsp,
                   "info os snapshots", "monitor open " + id_,
                   "monitor auth " + "0" * 64,
                   "monitor auth " + self.server.token,
                   "info os snapshots", "monitor open " + id_, "attach 1",
                   "bt")
        before, _, after = text.partition("welcome")
        self.tap.ok(id_ not in before.replace("monitor open " + id_, "")
                    and "SIGSEGV" not in before and after,
                    "before the token nothing is told", before)
        self.tap.ok(len(re.findall(r"^\d+ +[0-9a-f]{12} jump +SIGSEGV",
                                   after, re.M)) == 2,
                    "info os snapshots lists all projects", after)
        self.same("attach over TCP shows the stack of the file", text)

    def at_once(self):
        text = gdb("target extended-remote " + self.server.rsp,
                   "monitor auth " + self.server.token, "attach 1", "bt")
        self.same("attach needs no list before it", text)
        text = gdb("target extended-remote " + self.server.rsp,
                   "attach 1", "monitor auth " + self.server.token,
                   "attach 77")
        self.tap.ok(text.find("process 1 failed") < text.find("welcome")
                    < text.find("process 77 failed"),
                    "but a token, and a number that there is", text)

    def scoped(self):
        token = self.shop.create_token("web")
        text = gdb("target extended-remote " + self.server.rsp,
                   "monitor auth " + token, "info os snapshots",
                   "monitor open default/1",
                   "monitor open " + self.shop.ids["default"],
                   "monitor open default/@latest",
                   "monitor open @latest", "attach 1", "bt")
        self.tap.ok(len(re.findall(r"^\d+ +[0-9a-f]{12} ", text, re.M)) == 1
                    and len(re.findall("no snapshot is called|no object",
                                       text)) >= 2,
                    "a token of a project shows that project", text)
        self.same("and opens it", text)

    def unix(self):
        path = os.path.join(kit.socket_dir(), "socket")
        server = served.Server(self.shop, http="none", rsp="unix:" + path)
        text = gdb("target extended-remote " + path, "info os snapshots",
                   "monitor open web/@latest", "attach 1", "bt")
        self.same("one's own unix socket needs no token", text)
        status, _, _ = server.end()
        self.tap.ok(status == 0 and not os.path.exists(path),
                    "and is removed at the end", status)

    def websocket(self):
        path = "/p/default/%s" % self.shop.ids["default"][:4]
        text = gdb("target remote | %s rsp %s?token=%s" % (
            self.inquest, self.server.url(path), self.server.token), "bt")
        self.same("a websocket by inquest rsp URL, too", text)
        text = gdb("target remote | %s rsp %s?token=%s" % (
            self.inquest, self.server.url("/p/web/n/1"), self.server.token),
            "bt")
        self.same("and by its number", text)

    def url_errors(self):
        path = "/p/default/ffff"
        for url, status in (
                (self.server.url(path) + "?token=" + self.server.token, 3),
                (self.server.url(path) + "?token=" + "0" * 64, 4),
                (self.server.url(path), 4),
                ("http://127.0.0.1:1/p/default/ffff?token=x", 5),
                ("http://127.0.0.1:x/p/default/ffff", 2)):
            env = dict(os.environ, INQUEST_STORE="/nonexistent",
                       INQUEST_TOKEN="")
            result = kit.run([self.inquest, "rsp", url], env=env)
            self.tap.ok(result.status == status
                        and result.err.count(b"\n") == 1,
                        "inquest rsp URL ends with %d" % status, result)

    def fetch_errors(self):
        for url, status in (
                (self.server.url("/p/default/ffff"), 3),
                (self.server.url("/nowhere"), 3),
                (self.server.url("/p/default/@latest") + "?token=x", 4),
                ("http://127.0.0.1:1/p/default/ffff", 5),
                ("http://127.0.0.1:x/", 2)):
            env = dict(os.environ, INQUEST_TOKEN=self.server.token)
            result = kit.run([self.inquest, "report", url], env=env)
            self.tap.ok(result.status == status and not result.out
                        and result.err.count(b"\n") == 1,
                        "a URL that gives no snapshot ends with %d" % status,
                        result)

    def token_places(self):
        url = self.server.url(served.object_path(self.shop, end=""))
        for name, env in (("INQUEST_TOKEN",
                           {"INQUEST_TOKEN": self.server.token}),
                          ("one's own store", {"INQUEST_STORE":
                                               self.shop.dir})):
            result = kit.run([self.inquest, "report", url],
                             env=dict(os.environ, **env))
            self.tap.ok(result.status == 0 and b"SIGSEGV" in result.out,
                        "a URL is a SNAP with the token of " + name, result)

    def copies(self):
        n = self.server.metric("copies_total")
        self.tap.ok(n == 2, "each object was copied out of the store once", n)

    def done(self):
        self.tap.ok(served.until(
            lambda: self.server.metric("sessions") == 0),
            "sessions end with their clients")
        status, _, err = self.server.end()
        self.tap.ok(status == 0, "and the server when it is told to", err)


def main():
    inquest = kit.need_inquest()
    kit.need_tool("gcc")
    kit.need_tool("gdb")
    tap = kit.Tap()
    sessions = Sessions(tap, inquest)
    sessions.tcp()
    sessions.at_once()
    sessions.scoped()
    sessions.unix()
    sessions.websocket()
    sessions.url_errors()
    sessions.fetch_errors()
    sessions.token_places()
    sessions.copies()
    sessions.done()
    tap.leave()


if __name__ == "__main__":
    main()
