#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
indexes: the process beside a server makes the symbol indexes that sessions
lack, and makes those anew that they find damaged.
"""

import contextlib
import glob
import os
import shutil
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "dap")]

import client           # noqa: E402
import served           # noqa: E402
from served import kit  # noqa: E402


class Indexes:
    def __init__(self, tap, inquest):
        cache = kit.work_dir("serve", "indexes.cache")
        shutil.rmtree(cache, ignore_errors=True)
        os.environ["INQUEST_CACHE"] = cache
        self.tap, self.directory = tap, os.path.join(cache, "index")
        self.shop = served.Shop(inquest, "indexes")
        self.server = served.Server(self.shop, rsp="none")

    def look(self):
        """A session that asks for names."""
        path = served.object_path(self.shop, "default", "/dap")
        c = client.Client(client.Web(self.server, path, self.server.token,
                                     ()))
        c.start()
        frames = c.stack(c.body("threads")["threads"][0]["id"])
        c.end()
        return frames

    def kept(self):
        """What is there now: the directory comes with the first index, and
        a damaged one goes while we look."""
        found = {}
        for path in glob.glob(os.path.join(self.directory, "*.symidx")):
            with contextlib.suppress(FileNotFoundError), \
                    open(path, "rb") as f:
                found[os.path.basename(path)] = f.read()
        return found

    def made(self):
        self.look()
        self.tap.ok(served.until(self.kept), "what a session lacked is made")

    def anew(self):
        whole = self.kept()
        for name, data in whole.items():
            with open(os.path.join(self.directory, name), "wb") as f:
                f.write(data[:40] + bytes([data[40] ^ 0x55]) + data[41:])
        frames = self.look()
        self.tap.ok(len(frames) >= 3, "a damaged one harms no session",
                    frames)
        # Others are still being made.
        self.tap.ok(served.until(lambda: whole.items()
                                 <= self.kept().items()),
                    "and is made anew", sorted(whole))


def main():
    tap = kit.Tap()
    t = Indexes(tap, kit.need_inquest())
    t.made()
    t.anew()
    t.server.end()
    tap.leave()


if __name__ == "__main__":
    main()
