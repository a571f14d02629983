#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""token: made once, listed without a secret, revoked by a beginning of its id."""

import json
import os
import re
import shutil
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "victims"))

import kit      # noqa: E402

USAGE, NOTFOUND = 2, 3


class Tokens:
    def __init__(self, tap, inquest, directory):
        self.tap = tap
        self.inquest = inquest
        self.directory = directory
        self.store = os.path.join(directory, "store")
        shutil.rmtree(self.store, ignore_errors=True)
        self.env = {**os.environ, "INQUEST_STORE": self.store}

    def run(self, *words):
        return kit.run([self.inquest, "token", *words], cwd=self.directory,
                       env=self.env)

    def refused(self, name, status, *words):
        result = self.run(*words)
        self.tap.ok(result.status == status and not result.out
                    and result.err.count(b"\n") == 1, name, result)

    def words(self):
        for name, words in (
                ("no action", []), ("an action that is none", ["make"]),
                ("create without a project", ["create"]),
                ("create for one and for all", ["create", "-p", "x",
                                                "--all"]),
                ("create for a name that is none", ["create", "-p", "../x"]),
                ("create for a name of 4 KiB", ["create", "-p", "a" * 4096]),
                ("create with a word too many", ["create", "x", "-p", "y"]),
                ("revoke without an id", ["revoke"])):
            self.refused(name, USAGE, *words)
        self.tap.ok(not os.path.exists(self.store), "nothing was made")

    def life(self):
        made = self.run("create", "-p", "web", "--label", "a\x1b[1mb")
        token = made.out.decode().strip()
        self.tap.ok(made.status == 0 and not made.err
                    and re.fullmatch(r"[0-9a-f]{64}", token),
                    "create prints a token, and nothing else", made)
        value = json.loads(self.run("create", "--all", "--json").out)
        self.tap.ok(re.fullmatch(r"[0-9a-f]{64}", value["token"])
                    and value["project"] is None and value["token"] != token,
                    "as JSON, for all projects", value)
        text = self.run("list").out
        tokens = json.loads(self.run("list", "--json").out)["tokens"]
        self.tap.ok(text.count(b"\n") == 2 and b"\x1b" not in text
                    and sorted(t["project"] or "" for t in tokens)
                    == ["", "web"], "list shows both, escaped", text)
        everything = text.decode() + json.dumps(tokens)
        self.tap.ok(token not in everything
                    and value["token"] not in everything,
                    "and no secret", everything)
        kept = b"".join(open(os.path.join(d, n), "rb").read()
                        for d, _, names in os.walk(self.store) for n in names)
        self.tap.ok(token.encode() not in kept and bytes.fromhex(token)
                    not in kept, "the store keeps no secret either")
        web = next(t for t in tokens if t["project"] == "web")
        self.refused("an id that is none", NOTFOUND, "revoke", "ffffffffffff")
        result = self.run("revoke", web["id"][:6])
        left = json.loads(self.run("list", "--json").out)["tokens"]
        self.tap.ok(result.status == 0 and [t["project"] for t in left]
                    == [None], "revoke takes a beginning of the id", left)
        self.refused("it is gone", NOTFOUND, "revoke", web["id"])


def main():
    inquest = kit.need_inquest()
    tap = kit.Tap()
    tokens = Tokens(tap, inquest, kit.work_dir("token"))
    tokens.words()
    tokens.life()
    tap.leave()


if __name__ == "__main__":
    main()
