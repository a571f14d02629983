#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
store: verify and gc as a person meets them: what is said, in which form, with
which exit status.
"""

import json
import os
import shutil
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "victims"))

import build    # noqa: E402
import kit      # noqa: E402

USAGE, NOTFOUND, DAMAGED = 2, 3, 6


def largest_file(top):
    paths = [os.path.join(d, name) for d, _, names in os.walk(top)
             for name in names if not name.endswith(("lock.mdb", "data.mdb"))]
    return max(paths, key=os.path.getsize)


class Care:
    def __init__(self, tap, inquest, directory):
        self.tap = tap
        self.inquest = inquest
        self.directory = directory
        self.store = os.path.join(directory, "store")
        self.env = {**os.environ, "INQUEST_STORE": self.store}

    def run(self, *words):
        return kit.run([self.inquest, *words], cwd=self.directory,
                       env=self.env)

    def refused(self, name, status, *words):
        result = self.run(*words)
        self.tap.ok(result.status == status and not result.out
                    and result.err.count(b"\n") == 1, name, result)

    def words(self):
        self.refused("no store to verify", NOTFOUND, "store", "verify")
        self.refused("an action that is none", USAGE, "store", "mend")
        self.refused("no action", USAGE, "store")
        self.refused("two actions", USAGE, "store", "gc", "verify")
        self.refused("a project that cannot be", USAGE, "store", "verify",
                     "-p", "../x")

    def whole(self):
        for name in ("jump", "registers"):
            put = self.run("put", "-p", name, build.ensure(name).core)
            assert put.status == 0, put
        result = self.run("store", "verify")
        self.tap.ok(result.status == 0 and
                    result.out.startswith(b"ok: 2 objects, "),
                    "verify finds nothing wrong", result)
        value = json.loads(self.run("store", "verify", "--json", "-p",
                                    "jump").out)
        self.tap.ok(value["objects"] == 1 and value["bytes"] > 0
                    and value["n_faults"] == 0 and value["faults"] == [],
                    "of one project, as JSON", value)
        result = self.run("store", "gc")
        self.tap.ok(result.status == 0 and not result.out
                    and b"0 bytes given back" in result.err,
                    "there is nothing to give back", result)
        self.refused("a project that is not there", NOTFOUND, "store",
                     "verify", "-p", "none")

    def damaged(self):
        path = largest_file(self.store)
        with open(path, "r+b") as f:
            f.seek(os.path.getsize(path) // 2)
            byte = f.read(1)[0]
            f.seek(-1, os.SEEK_CUR)
            f.write(bytes([byte ^ 0x10]))
        result = self.run("store", "verify")
        self.tap.ok(result.status == DAMAGED and b"fault" in result.out
                    and b"project" in result.out or b"/1" in result.out,
                    "a changed byte is found, and the object named", result)
        value = json.loads(self.run("store", "verify", "--json").out)
        self.tap.ok(value["n_faults"] == len(value["faults"]) > 0,
                    "as JSON too", value)

    def given_back(self):
        value = json.loads(self.run("rm", "jump/1", "--json").out)
        self.tap.ok(value["freed"] > 0, "rm gives bytes back", value)
        value = json.loads(self.run("store", "gc", "--json").out)
        self.tap.ok(value["freed"] == 0 and "moved" in value,
                    "so gc finds none", value)


def main():
    inquest = kit.need_inquest()
    kit.need_tool("gcc")
    tap = kit.Tap()
    directory = kit.work_dir("care")
    shutil.rmtree(os.path.join(directory, "store"), ignore_errors=True)
    care = Care(tap, inquest, directory)
    care.words()
    care.whole()
    care.given_back()
    care.run("put", "-p", "jump", build.ensure("jump").core)
    care.damaged()
    tap.leave()


if __name__ == "__main__":
    main()
