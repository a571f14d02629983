#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
served: lldb at a server that has many snapshots.

It connects, tells the token, opens one by its id and attaches to its number;
another one after that. With a wrong token nothing is told.
"""

import contextlib
import os
import pty
import re
import select
import subprocess
import sys
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
TESTS = os.path.dirname(HERE)
sys.path[:0] = [HERE, os.path.join(TESTS, "gdb"),
                os.path.join(TESTS, "victims")]

import build    # noqa: E402
import kit      # noqa: E402
import lldbkit  # noqa: E402
import live     # noqa: E402

PATIENCE = 60
VICTIMS = ("threads", "jump")
MONITOR = "process plugin packet monitor "


class Talk:
    """lldb on a terminal of its own: what is typed waits for its answer."""

    def __init__(self, home):
        master, slave = pty.openpty()
        self.fd, self.heard = master, ""
        env = lldbkit.environment(home)
        self.process = subprocess.Popen(
            ["lldb", "--no-lldbinit", "--no-use-colors"], stdin=slave,
            stdout=slave, stderr=slave, env=env, cwd="/",
            start_new_session=True)
        os.close(slave)

    def say(self, command, pattern):
        """What it says until the pattern matches, or "" in the end."""
        from_here = len(self.heard)
        os.write(self.fd, command.encode() + b"\n")
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if not select.select([self.fd], [], [], 0.5)[0]:
                continue
            try:
                self.heard += os.read(self.fd, 65536).decode(
                    "utf-8", "replace")
            except OSError:
                break
            if re.search(pattern, self.heard[from_here:]):
                return self.heard[from_here:]
        return ""

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.fd)


def stored(inquest, store):
    """The id of each victim's core in a store made anew."""
    kit.run(["rm", "-rf", store])
    ids = []
    for name in VICTIMS:
        result = kit.run([inquest, "put", "--store", store,
                          build.ensure(name).core])
        ids.append(result.out.split()[0].decode())
    return ids


@contextlib.contextmanager
def connected(where):
    """An lldb that is connected to the server, and to no process of it."""
    with contextlib.closing(Talk(kit.own_dir("home"))) as talk:
        talk.say("settings set auto-confirm false", r"(?s)false\W.*\(lldb\) $")
        talk.say("gdb-remote " + where, r"(?s)gdb-remote \S+\s.*\(lldb\) $")
        yield talk


def refused(tap, where):
    with connected(where) as talk:
        tap.ok(talk.say(MONITOR + "auth " + "0" * 64, "failure 1"),
               "a wrong token is refused", talk.heard)
        tap.ok(talk.say("process attach -p 1", "monitor auth"),
               "before the token nothing is attached", talk.heard)


def opened(tap, where, token, name, digits):
    with connected(where) as talk:
        tap.ok(talk.say(MONITOR + "auth " + token, "welcome"),
               "the token opens the server", talk.heard)
        said = talk.say(MONITOR + "open " + digits, r"attach (\d+)")
        number = re.search(r"attach (\d+)", said)
        if not tap.ok(number, "%s is opened" % name, talk.heard):
            return
        said = talk.say("process attach -p " + number[1],
                        r"stop reason = signal SIGSEGV")
        tap.ok(said, "%s is attached, and says why it stopped" % name,
               talk.heard)
        said = talk.say("thread backtrace", r"%s`\w+" % name)
        tap.ok(said, "%s has names on its stack" % name, talk.heard)


def by_url(tap, inquest, http, token, digits):
    url = "http://%s/p/default/%s?token=%s" % (http, digits, token)
    result = lldbkit.run(["thread backtrace"], kit.own_dir("home"),
                         argv=(inquest, "lldb", url))
    tap.ok(result.status == 0 and b"threads`dereference" in result.out,
           "inquest lldb opens what has a URL", result)


def main():
    inquest = kit.need_inquest()
    for tool in ("lldb", "gcc"):
        kit.need_tool(tool)
    tap = kit.Tap()
    store = os.path.join(kit.work_dir("lldb"), "store")
    ids = stored(inquest, store)
    with live.serving(inquest, store) as where:
        with open(os.path.join(store, "token"), encoding="ascii") as f:
            token = f.read().strip()
        refused(tap, where["rsp"])
        for name, digits in zip(VICTIMS, ids):
            opened(tap, where["rsp"], token, name, digits)
        by_url(tap, inquest, where["http"], token, ids[0])
    tap.leave()


if __name__ == "__main__":
    main()
