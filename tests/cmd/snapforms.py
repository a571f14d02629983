#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
snapforms: every form of SNAP opens the same thing in every verb that takes
one: a file, an object by digits, number and @latest, a URL of a server.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "victims"))

import build    # noqa: E402
import kit      # noqa: E402

FAILED, USAGE, NOTFOUND, DENIED, NETWORK = 1, 2, 3, 4, 5


class Server:
    """`inquest serve` over HTTP on a free port; .where is its address."""

    def __init__(self, inquest, env):
        self.process = subprocess.Popen(
            [inquest, "serve", "--http", "127.0.0.1:0", "--rsp", "none"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, env=env)
        line = self.process.stdout.readline().decode()
        found = re.fullmatch(r"listening on http (\S+)\n", line)
        self.where = found.group(1) if found else None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=60)
        self.process.stdout.close()


class Forms:
    def __init__(self, tap, inquest, directory):
        self.tap = tap
        self.inquest = inquest
        self.directory = directory
        self.env = {**os.environ,
                    "INQUEST_STORE": os.path.join(directory, "store")}
        self.env.pop("INQUEST_TOKEN", None)
        self.digits = None

    def run(self, *words, **how):
        how.setdefault("env", self.env)
        how.setdefault("cwd", self.directory)
        return kit.run([self.inquest, *words], **how)

    def prepare(self):
        core = build.ensure("jump").core
        self.run("import", "--kv", "fingerprint=5eed0123", "-o", "x.snap",
                 core)
        self.run("put", "-p", "other", build.ensure("registers").core)
        put = self.run("put", "-p", "web", "x.snap")
        assert put.status == 0, put
        self.digits = put.out.decode().split()[0]

    def text(self, verb, *words):
        """What a verb says of SNAP, without what SNAP is called."""
        if verb == "gdb":
            words = (*words, "-nx", "-batch", "-ex", "bt", "-ex",
                     "info registers rip")
        result = self.run(verb, *words)
        assert result.status == 0, result
        if verb == "report":
            return result.out.split(b"\nNext\n")[0]
        if verb == "check":
            return result.out.split(b": ", 1)[1]
        return result.out

    def same_everywhere(self, forms):
        verbs = ["report", "check", "dump"]
        if shutil.which("gdb"):
            verbs.append("gdb")
        for verb in verbs:
            wanted = self.text(verb, "x.snap")
            for name, snap in forms:
                got = self.text(verb, snap)
                self.tap.ok(got == wanted and len(got) > 40,
                            "%s opens %s" % (verb, name),
                            got.decode("utf-8", "replace")[:2000])

    def objects(self):
        self.same_everywhere([
            ("4 digits", self.digits[:4]), ("12 digits", self.digits),
            ("PROJECT/NUMBER", "web/1"), ("PROJECT/@latest", "web/@latest"),
            ("@latest", "@latest"), ("@latest:FINGERPRINT", "@latest:5eed"),
            ("PROJECT/@latest:FINGERPRINT", "web/@latest:5eed0123")])
        result = self.run("import", "-o", "again.snap", self.digits)
        self.tap.ok(result.status == 0 and result.out == b"again.snap\n",
                    "an object is imported", result)
        result = self.run("put", "-p", "copy", self.digits)
        self.tap.ok(result.status == 0 and result.out.decode()
                    == self.digits + " copy/1\n", "and put elsewhere", result)

    def a_file_wins(self):
        shutil.copy(build.ensure("registers").core,
                    os.path.join(self.directory, self.digits))
        value = json.loads(self.run("report", "--json", self.digits).out)
        self.tap.ok(value["process"]["name"] == "registers",
                    "a file of an object's name comes first",
                    value["process"])
        os.unlink(os.path.join(self.directory, self.digits))

    def refused(self, name, status, words, *snap, **how):
        result = self.run("report", *snap, **how)
        self.tap.ok(result.status == status and not result.out
                    and result.err.count(b"\n") == 1
                    and all(w.encode() in result.err for w in words), name,
                    result)

    def not_there(self):
        near = self.digits[:5] + ("0" if self.digits[5] != "0" else "1") * 3
        self.refused("no such digits: both that were looked for, and the "
                     "nearest", NOTFOUND, ["no file " + near, "object",
                                           self.digits], near)
        self.refused("no such number", NOTFOUND, ["no file web/99", "web/"],
                     "web/99")
        self.refused("no such fingerprint", NOTFOUND, ["fingerprint", "5eee"],
                     "@latest:5eee")
        self.refused("no such project", NOTFOUND, ["no file none/1"],
                     "none/1")
        self.refused("a name that no object has", NOTFOUND, ["cannot open"],
                     "none.snap")
        self.refused("a name of 4 KiB", FAILED, ["too long"], "f" * 4200)
        self.refused("where there is no store", NOTFOUND,
                     ["no file abcd", "no store"], "abcd",
                     env={**self.env, "INQUEST_STORE":
                          os.path.join(self.directory, "nowhere")})
        self.refused("a name that climbs", NOTFOUND, ["cannot open"],
                     "../../none/1")

    # ---- URLs

    def urls(self):
        with Server(self.inquest, self.env) as server:
            if not self.tap.ok(server.where, "the server says where it is"):
                return
            url = "http://%s/p/web/%s" % (server.where, self.digits)
            self.same_everywhere([("a URL", url)])
            self.tokens(url)
            result = self.run("get", url)
            with open(os.path.join(self.directory, "x.snap"), "rb") as f:
                wanted = f.read()
            with open(os.path.join(self.directory, self.digits + ".snap"),
                      "rb") as f:
                self.tap.ok(result.status == 0 and f.read() == wanted,
                            "get writes the same bytes", result)
            self.refused("an object that the server has not", NOTFOUND,
                         ["404"], url[:-8] + "00000000")
        self.refused("a server that has gone", NETWORK, ["http://"], url)
        self.refused("a URL that is none", USAGE, ["http://"], "http://")

    def tokens(self, url):
        """Elsewhere one's own store is no help, and a token is needed."""
        env = {**self.env, "INQUEST_STORE": os.path.join(self.directory,
                                                         "nowhere")}
        token = {p: self.run("token", "create", "-p", p).out.decode().strip()
                 for p in ("web", "other")}
        self.refused("without a token", DENIED, ["401"], url, env=env)
        self.refused("with a wrong one", DENIED, [], url + "?token=" + "0" * 64,
                     env=env)
        self.refused("with another project's it is as if not there",
                     NOTFOUND, ["404"],
                     url + "?token=" + token["other"], env=env)
        for name, words, more in (
                ("in the URL", url + "?token=" + token["web"], {}),
                ("in INQUEST_TOKEN", url, {"INQUEST_TOKEN": token["web"]})):
            result = self.run("report", words, env={**env, **more})
            self.tap.ok(result.status == 0 and token["web"].encode()
                        not in result.out + result.err,
                        "a token %s, which is not shown" % name, result)


def main():
    inquest = kit.need_inquest()
    kit.need_tool("gcc")
    tap = kit.Tap()
    directory = kit.work_dir("snapforms")
    shutil.rmtree(directory)
    os.mkdir(directory)
    forms = Forms(tap, inquest, directory)
    forms.prepare()
    forms.objects()
    forms.a_file_wins()
    forms.not_there()
    forms.urls()
    tap.leave()


if __name__ == "__main__":
    main()
