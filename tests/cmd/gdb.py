#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""gdb: stock gdb is started with everything set up, under any file name."""

import os
import shutil
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "victims"))

import build    # noqa: E402
import kit      # noqa: E402

FAILED, NOTFOUND = 1, 3
NAMES = ["plain", "with space", "it's", 'a "quote"', "$HOME `x` \\", "-nx",
         "tab\tand\nnewline"]


class Gdb:
    def __init__(self, tap, inquest, directory):
        self.tap = tap
        self.inquest = inquest
        self.directory = directory

    def run(self, snap, *commands, options=()):
        words = ["-nx", "-batch"]
        for command in commands:
            words += ["-ex", command]
        return kit.run([self.inquest, "gdb", *options, "--", snap, *words],
                       timeout=300, cwd=self.directory)

    def names(self):
        core = build.ensure("jump").core
        for name in NAMES:
            path = os.path.join(self.directory, name)
            shutil.copy(core, path)
            result = self.run(name, "bt")
            self.tap.ok(result.status == 0 and b"#1 " in result.out
                        and b" main " in result.out,
                        "a core named %r opens" % name, result)
            os.unlink(path)

    def words(self):
        core = build.ensure("jump").core
        for words in (["--"], []):
            result = kit.run([self.inquest, "gdb", core, *words, "-nx",
                              "-batch", "-ex", "print 6 * 7"], timeout=300)
            self.tap.ok(result.status == 0 and b"$1 = 42" in result.out,
                        "words behind SNAP are gdb's%s" % (
                            ", also behind --" if words else ""), result)

    def foreign_files(self):
        """What lies in a directory that others write is not run."""
        marker = os.path.join(self.directory, "ran")
        core = os.path.join(self.directory, "hostile.core")
        shutil.copy(build.ensure("jump").core, core)
        for name in (".gdbinit", "hostile.core-gdb.gdb", "jump-gdb.gdb"):
            with open(os.path.join(self.directory, name), "w") as f:
                f.write("shell touch '%s'\n" % marker)
        for name in ("hostile.core-gdb.py", "jump-gdb.py", "libc.so.6-gdb.py"):
            with open(os.path.join(self.directory, name), "w") as f:
                f.write("open(%r, 'w')\n" % marker)
        result = kit.run([self.inquest, "gdb", core, "-batch", "-ex", "bt"],
                         timeout=300, cwd=self.directory,
                         env={**os.environ, "HOME": self.directory + "/no"})
        self.tap.ok(b" main " in result.out and not os.path.exists(marker),
                    "what lies in the directory is not run", result)
        for name in os.listdir(self.directory):
            if "gdb" in name:
                os.unlink(os.path.join(self.directory, name))
        os.unlink(core)

    def settings(self):
        result = self.run(build.ensure("jump").core, "show sysroot",
                          "show dcache line-size", "show remotetimeout")
        self.tap.ok(b'system root is "target:"' in result.out
                    and b"line size is 4096" in result.out,
                    "modules come from the snapshot, stacks by the page",
                    result)

    def printers(self):
        if not os.path.isdir("/usr/share/gcc/python"):
            self.tap.skip("the printers of libstdc++ are registered",
                          "this machine has none")
            return
        result = self.run(build.ensure("containers").core,
                          "info pretty-printer")
        self.tap.ok(b"libstdc++-v6" in result.out
                    and b"Traceback" not in result.err,
                    "the printers of libstdc++ are registered", result)

    def program(self):
        made = build.ensure("jump")
        result = self.run(made.core, "info symbol $pc", "up",
                          "info symbol $pc",
                          options=("--exe", made.program))
        self.tap.ok(b"call + " in result.out, "--exe is passed on", result)

    def missing(self):
        for name, hinted in (("cut", True), ("jump", False)):
            result = self.run(build.ensure(name).core, "echo started")
            self.tap.ok((b"monitor missing" in result.err) == hinted
                        and b"started" in result.out,
                        "of %s it is %ssaid that something is missing"
                        % (name, "" if hinted else "not "), result)

    def ends(self):
        core = build.ensure("jump").core
        result = self.run(core, "quit 7")
        self.tap.ok(result.status == 7, "gdb's exit status is passed on",
                    result)
        result = self.run(core, options=("--gdb", "/nonexistent/gdb"))
        self.tap.ok(result.status == NOTFOUND
                    and b"apt-get install gdb" in result.err,
                    "a gdb that is not there is named, with the remedy",
                    result)
        result = self.run(__file__, "echo started")
        self.tap.ok(result.status == FAILED and not result.out
                    and result.err.count(b"\n") == 1,
                    "of no core gdb is not started", result)


def main():
    inquest = kit.need_inquest()
    kit.need_tool("gdb")
    kit.need_tool("gcc")
    tap = kit.Tap()
    directory = kit.work_dir("gdb-verb")
    shutil.rmtree(directory)
    os.mkdir(directory)
    gdb = Gdb(tap, inquest, directory)
    gdb.names()
    gdb.words()
    gdb.foreign_files()
    gdb.settings()
    gdb.printers()
    gdb.program()
    gdb.missing()
    gdb.ends()
    tap.leave()


if __name__ == "__main__":
    main()
