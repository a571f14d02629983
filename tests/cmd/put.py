#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
put, get, list, rm, tag: files go into the store and come back bit for bit;
what is listed, what it is called, and what is refused.
"""

import hashlib
import json
import os
import re
import shutil
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "victims"))

import build    # noqa: E402
import kit      # noqa: E402

FAILED, USAGE, NOTFOUND, DENIED, DAMAGED = 1, 2, 3, 4, 6
LINE = re.compile(rb"([0-9a-f]{12}) ([\w.-]+/[0-9a-f]+)\n")
BAD_NAMES = ["", ".", "..", "../x", "a/b", "-x", ".x", "a b", "a\nb", "\xe4",
             "a" * 65, "a" * 4096]


def read(*path):
    with open(os.path.join(*path), "rb") as f:
        return f.read()


class Objects:
    def __init__(self, tap, inquest, directory):
        self.tap = tap
        self.inquest = inquest
        self.core = build.ensure("jump").core
        self.top = directory
        self.directory = None
        self.env = dict(os.environ)

    def fresh(self, name):
        """An empty directory and a store that is not there yet."""
        self.directory = os.path.join(self.top, name)
        shutil.rmtree(self.directory, ignore_errors=True)
        os.mkdir(self.directory)
        self.env["INQUEST_STORE"] = os.path.join(self.directory, "store")

    def run(self, *words, **how):
        how.setdefault("env", self.env)
        return kit.run([self.inquest, *words], cwd=self.directory, **how)

    def json(self, *words):
        return json.loads(self.run(*words, "--json").out)

    def snapshot(self, name, *words):
        result = self.run("import", "-o", name, *words, self.core)
        assert result.status == 0, result
        return os.path.join(self.directory, name)

    def refused(self, name, status, *words, **how):
        """One sentence on stderr, nothing on stdout, the status."""
        result = self.run(*words, **how)
        self.tap.ok(result.status == status and not result.out
                    and result.err.count(b"\n") == 1
                    and result.err.startswith(b"inquest: "), name, result)
        return result

    # ---- in and out

    def round_trip(self):
        self.fresh("round")
        path = self.snapshot("x.snap")
        put = self.run("put", "x.snap")
        found = LINE.fullmatch(put.out)
        digest = hashlib.sha256(read(path)).hexdigest()
        self.tap.ok(put.status == 0 and found
                    and digest.startswith(found[1].decode())
                    and found[2] == b"default/1",
                    "put prints the content hash and PROJECT/NUMBER", put)
        self.tap.ok(b"inquest report " + found[1] in put.err,
                    "the next command is said", put)
        mode = os.stat(self.env["INQUEST_STORE"]).st_mode & 0o777
        self.tap.ok(mode == 0o700, "only its owner may enter the store",
                    oct(mode))
        again = self.run("put", "x.snap")
        self.tap.ok(again.status == 0 and again.out == put.out
                    and b"already there" in again.err,
                    "the same bytes again are the same object", again)
        for name, words in (("digits", [digest[:4]]), ("all", [digest]),
                            ("number", ["default/1"]),
                            ("latest", ["@latest"]),
                            ("project", ["default/@latest"])):
            out = name + ".out"
            get = self.run("get", "-o", out, *words)
            self.tap.ok(get.status == 0 and get.out.decode() == out + "\n"
                        and read(self.directory, out) == read(path),
                        "get by %s gives the same bytes" % name, get)
        get = self.run("get", digest[:8])
        self.tap.ok(get.out.decode() == digest[:12] + ".snap\n"
                    and read(self.directory, digest[:12] + ".snap")
                    == read(path), "the default name is the id", get)
        get = self.run("get", "-o", "-", digest[:8])
        self.tap.ok(get.status == 0 and get.out == read(path)
                    and not get.err, "-o - is stdout", get.status)
        self.refused("no object of that id", NOTFOUND, "get", "ffff0000")

    def cores(self):
        self.fresh("cores")
        put = self.json("put", "-p", "web", "-t", "b", "-t", "a", self.core)
        o = put["objects"][0]
        self.tap.ok(o["imported"] and not o["known"] and not o["damaged"]
                    and o["project"] == "web" and o["number"] == "1"
                    and o["hash"].startswith(o["id"]) and o["added"] > 0,
                    "a core is imported first", put)
        check = self.run("check", o["id"])
        self.tap.ok(check.status == 0, "and its snapshot is whole", check)
        listed = self.json("list")["objects"]
        self.tap.ok(len(listed) == 1 and listed[0]["tags"] == ["a", "b"]
                    and listed[0]["id"] == o["id"]
                    and listed[0]["bytes"] == o["bytes"],
                    "it is listed with its tags", listed)
        attributes = listed[0]["attributes"]
        self.tap.ok(attributes["application"] == "jump"
                    and attributes["error.type"] == "SIGSEGV"
                    and attributes["cpu.arch"] == "x86_64"
                    and isinstance(attributes["pid"], int)
                    and "hostname" not in attributes,
                    "with what is certain of the process", attributes)

    def several(self):
        self.fresh("several")
        self.snapshot("a.snap", "--kv", "n=1")
        self.snapshot("b.snap", "--kv", "n=2")
        result = self.run("put", "a.snap", "none", "b.snap")
        self.tap.ok(result.status == NOTFOUND
                    and result.out.count(b"\n") == 2
                    and b"none" in result.err,
                    "a file that is not there keeps no other out", result)
        self.refused("a file of another kind", FAILED, "put", __file__)
        with open(os.path.join(self.directory, "cut.snap"), "wb") as f:
            f.write(read(self.directory, "a.snap")[:-100])
        self.refused("a snapshot that was cut", DAMAGED, "put", "cut.snap")
        listed = self.json("list")["objects"]
        self.tap.ok([o["attributes"]["n"] for o in listed] == ["2", "1"],
                    "the newest is listed first", listed)
        listed = self.json("list", "-n", "1")["objects"]
        self.tap.ok(len(listed) == 1, "-n is how many at most", listed)
        text = self.run("list").out.decode().splitlines()
        self.tap.ok(len(text) == 3 and text[0].startswith("ID ")
                    and "default/2" in text[1] and "SIGSEGV" in text[1]
                    and "default/1" in text[2], "a line for each", text)
        self.removed(listed[0])

    def removed(self, newest):
        result = self.refused("one that is not there removes nothing",
                              NOTFOUND, "rm", "default/1", "default/77")
        self.tap.ok(b"default/77" in result.err
                    and len(self.json("list")["objects"]) == 2,
                    "it is named, and both are there", result)
        result = self.run("rm", newest["id"], "@latest")
        self.tap.ok(result.status == 0 and b"1 object removed" in result.err
                    and b"given back" in result.err,
                    "an object that is named twice is removed once", result)
        self.refused("it is gone", NOTFOUND, "get", newest["id"])
        result = self.json("rm", "default/1")
        self.tap.ok(result["freed"] > 0 and [o["number"] for o in
                                             result["removed"]] == ["1"],
                    "the bytes that the disk has back are told", result)
        result = self.run("list")
        self.tap.ok(result.status == FAILED and not result.out,
                    "a store without objects", result)
        put = self.run("put", "a.snap")
        self.tap.ok(b"default/3" in put.out, "no number is used again", put)

    def tags(self):
        self.fresh("tags")
        self.snapshot("x.snap")
        self.run("put", "-t", "one", "x.snap")
        result = self.run("tag", "@latest", "-a", "two", "-a", "three",
                          "--remove", "one", "--remove", "none")
        self.tap.ok(result.status == 0 and result.out == b"three\ntwo\n",
                    "tags come and go", result)
        value = self.json("tag", "@latest")
        self.tap.ok(value["tags"] == ["three", "two"]
                    and value["number"] == "1", "as JSON too", value)
        text = self.run("list").out
        self.tap.ok(b"three,two" in text, "list shows them", text)
        put = self.json("put", "-t", "four", "x.snap")
        value = self.json("tag", "@latest")
        self.tap.ok(put["objects"][0]["known"]
                    and value["tags"] == ["four", "three", "two"],
                    "put again with a tag, it has that too", value)
        self.refused("of no object", NOTFOUND, "tag", "ffff0000")

    # ---- names that are none

    def names(self):
        self.fresh("names")
        self.snapshot("x.snap")
        self.run("put", "x.snap")
        for name in BAD_NAMES:
            shown = repr(name if len(name) < 70 else "%d characters"
                         % len(name))
            for words in (["put", "-p", name, "x.snap"],
                          ["put", "-t", name, "x.snap"],
                          ["tag", "-a", name, "@latest"],
                          ["list", "-p", name]):
                self.refused("%s is refused by %s %s"
                             % (shown, words[0], words[1]), USAGE, *words)
        for name in ("../x", "../../etc/passwd", "a/b/c", "zzzz",
                     "default/zz", "a" * 4096, "f" * 65, "@first", "12",
                     "default/"):
            result = self.run("get", name)
            self.tap.ok(result.status in (USAGE, NOTFOUND)
                        and not result.out
                        and result.err.count(b"\n") == 1
                        and len(result.err) < 5000,
                        "get of %.20r is answered in a sentence" % name,
                        result)
        self.tap.ok(sorted(os.listdir(self.directory)) == ["store", "x.snap"]
                    and len(self.json("list")["objects"]) == 1,
                    "nothing was made", os.listdir(self.directory))

    def hostile_strings(self):
        """What a snapshot says goes through terminals and JSON."""
        self.fresh("hostile")
        self.snapshot("x.snap", "--kv", "application=a\x1b[31m\tb\\",
                      "--kv", "k\x07=v")
        self.run("put", "x.snap")
        result = self.run("list")
        self.tap.ok(result.status == 0 and b"\x1b" not in result.out
                    and b"a\\x1b[31m\\x09b\\\\" in result.out,
                    "control bytes are shown escaped", result)
        raw = self.run("list", "--json").out
        value = json.loads(raw)["objects"][0]["attributes"]
        self.tap.ok(b"\x1b" not in raw and b"\x07" not in raw
                    and value["k\\x07"] == "v", "in JSON too", value)

    # ---- where the store is

    def places(self):
        self.fresh("places")
        self.snapshot("x.snap")
        bare = {k: v for k, v in os.environ.items()
                if not k.startswith(("INQUEST_", "XDG_", "HOME"))}
        for name, more, where in (
                ("$XDG_DATA_HOME", {"XDG_DATA_HOME": self.directory + "/d/e"},
                 "d/e/inquest"),
                ("$HOME", {"HOME": self.directory},
                 ".local/share/inquest"),
                ("$HOME where $XDG_DATA_HOME is relative",
                 {"HOME": self.directory + "/h", "XDG_DATA_HOME": "d"},
                 "h/.local/share/inquest")):
            result = self.run("put", "x.snap", env={**bare, **more})
            self.tap.ok(result.status == 0 and os.path.isdir(
                os.path.join(self.directory, where)),
                        "the store is found by " + name, result)
        result = self.run("put", "--store", "mine", "x.snap")
        self.tap.ok(result.status == 0 and b"INQUEST_STORE=mine" in result.err
                    and os.path.isdir(os.path.join(self.directory, "mine"))
                    and not os.path.exists(self.env["INQUEST_STORE"]),
                    "--store comes first", result)
        result = self.run("list", "--store", "mine")
        self.tap.ok(result.status == 0 and result.out.count(b"\n") == 2,
                    "for list too", result)
        self.refused("there is no store yet", NOTFOUND, "list")
        self.refused("no such project", NOTFOUND, "list", "--store", "mine",
                     "-p", "other")
        with open(os.path.join(self.directory, "file"), "wb"):
            pass
        result = self.run("put", "--store", "file", "x.snap")
        self.tap.ok(result.status != 0 and not result.out
                    and result.err.count(b"\n") == 1,
                    "a file is no store", result)


def main():
    inquest = kit.need_inquest()
    kit.need_tool("gcc")
    tap = kit.Tap()
    objects = Objects(tap, inquest, kit.work_dir("put"))
    objects.round_trip()
    objects.cores()
    objects.several()
    objects.tags()
    objects.names()
    objects.hostile_strings()
    objects.places()
    tap.leave()


if __name__ == "__main__":
    main()
