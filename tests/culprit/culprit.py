#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
culprit: programs that die on a line that says what of, by two compilers with
and without optimisation. What the report names has to be that, and where
optimisation left too little, nothing; gdb says of the same core that it is
where the access was.
"""

import concurrent.futures
import json
import os
import re
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [os.path.join(os.path.dirname(HERE), folder)
                for folder in ("victims", "dap")]

import build   # noqa: E402
import client  # noqa: E402
import kit     # noqa: E402

COMPILERS = {"dies.c": ("gcc", "clang"), "dies.cc": ("g++", "clang++")}
LEVELS = ("-O0", "-O2")
TOLD = (1, 14)
# Without CULPRIT=all; CULPRIT=clang chooses by name.
USUAL = ("gcc-O2", "clang-O0", "g++-O0", "clang++-O2")
WANT = re.compile(r"(?:/\*|//) = (\d+) (.*?)(?: \*/)?$")
GDB = ("gdb", "-nx", "-q", "-batch", "-iex", "set debuginfod enabled off",
       "-iex", "set confirm off", "-iex", "set width 0")


class Death:
    def __init__(self, made, number, want):
        self.made, self.number = made, number
        self.want = None if want == "-" else want.lstrip("~")
        self.may_be_silent = made.level != "-O0" or want.startswith("~")
        self.place = os.path.join(made.place, str(number))
        self.core = os.path.join(self.place, "core")
        self.reason, self.oracle = {}, None

    def name(self):
        return "%s %d" % (self.made.name, self.number)

    def die(self):
        os.makedirs(self.place)
        argv = [self.made.program, str(self.number)]
        if not build.core_is_elsewhere():
            subprocess.run(argv, cwd=self.place, timeout=60, check=False,
                           stdin=subprocess.DEVNULL,
                           stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL,
                           env=build.environment(), preexec_fn=build.unlimit)
            found = build.find_core(self.place)
            if found:
                os.replace(found, self.core)
        if not os.path.exists(self.core):
            subprocess.run([*GDB, "-ex", "run", "-ex",
                            "generate-core-file " + self.core, "--args",
                            *argv], cwd=self.place, timeout=120, check=False,
                           stdin=subprocess.DEVNULL,
                           stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)

    def report(self, inquest, env):
        got = kit.run([inquest, "report", "--json", self.core], env=env)
        if got.status == 0:
            self.reason = json.loads(got.out)["reason"]
            self.reason["at"] = json.loads(got.out)["instruction"]

    def expression(self):
        return self.reason.get("expression")

    def is_jump(self):
        return "jump to" in self.reason.get("text", "")

    def question(self):
        """What gdb is to say, and it has to be where the access was."""
        expression, pointer = self.expression(), self.reason["pointer"]
        if self.is_jump():
            return "frame 1", "(unsigned long)(%s)" % expression
        if expression.endswith(")") and pointer:
            return "frame 0", "(unsigned long)(%s)" % pointer
        return "frame 0", "(unsigned long)&(%s)" % expression


class Made:
    def __init__(self, directory, source, compiler, level):
        self.name = "%s %s" % (compiler, level)
        self.source = os.path.join(HERE, source)
        self.place = os.path.join(directory, compiler + level)
        self.program = os.path.join(self.place, "dies")
        self.level, self.compiler = level, compiler
        with open(self.source, encoding="utf-8") as f:
            found = [WANT.search(line) for line in f]
        self.deaths = [Death(self, int(m.group(1)), m.group(2))
                       for m in found if m]

    def build(self):
        os.makedirs(self.place)
        got = kit.run([self.compiler, "-g", self.level, "-w", "-o",
                       self.program, self.source])
        return got.status == 0, got

    def ask_gdb(self):
        """One gdb for all of them."""
        argv = [*GDB]
        asked = [d for d in self.deaths if d.expression()]
        for d in asked:
            frame, expression = d.question()
            argv += ["-ex", "core-file " + d.core, "-ex", frame, "-ex",
                     "printf \"is %d 0x%lx 0x%lx\\n\", " +
                     "%d, %s, (unsigned long)$_siginfo._sifields._sigfault"
                     ".si_addr" % (d.number, expression)]
        got = kit.run([*argv, self.program], timeout=180, merge=True)
        text = got.out.decode(errors="replace")
        answers = {int(m.group(1)): m.groups()[1:] for m in
                   re.finditer(r"is (\d+) (0x\w+) (0x\w+)", text)}
        for d in asked:
            d.oracle = answers.get(d.number, text)


def where(death):
    """The address of the access: not in siginfo if it is no address."""
    if death.reason["address"] and death.reason["code"] != "SI_KERNEL":
        return death.reason["address"]
    return death.reason["at"]["memory"][0]["address"]


def is_right(death):
    if death.reason.get("number") is None:
        return False
    if not death.expression():
        return death.want is None or death.may_be_silent
    return (death.want == death.expression()
            and isinstance(death.oracle, tuple)
            and int(death.oracle[0], 16) == int(where(death), 16))


def judge(tap, made):
    wrong = [d for d in made.deaths if not is_right(d)]
    named = sum(1 for d in made.deaths if d.expression())
    tap.ok(not wrong, "%s: of %d deaths %d are named, and rightly"
           % (made.name, len(made.deaths), named),
           "\n".join("%s: %s, not %s; gdb: %s"
                     % (d.name(), d.expression() or d.reason, d.want,
                        d.oracle) for d in wrong))
    if os.environ.get("VERBOSE"):
        for d in made.deaths:
            tap.note("%s: %s: %s" % (d.name(), d.expression(),
                                     d.reason.get("text")))


def ask_editor(tap, inquest, env, death):
    """An editor's session on this machine says it too, and in which frame."""
    c = client.Client(client.Stdio([inquest, "dap", death.core], env=env))
    c.start()
    tid = c.body("threads")["threads"][0]["id"]
    told = c.body("exceptionInfo", threadId=tid)["description"]
    reason = c.body("inquest/overview")["reason"]
    c.end()
    where = {"threadId": tid, "frame": 1 if death.is_jump() else 0,
             "path": death.reason["pointer"]}
    tap.ok("`%s`" % death.want in told
           and reason["expression"] == death.want
           and reason["refs"] == [where],
           "%s: an editor is told" % death.name(), (told, reason))


def is_wanted(name):
    only = os.environ.get("CULPRIT")
    return name in USUAL if not only else only == "all" or only in name


def main():
    tap = kit.Tap()
    inquest = kit.need_inquest()
    directory = kit.own_dir()
    shutil.rmtree(directory)
    env = {**os.environ, "INQUEST_CACHE": os.path.join(directory, "cache")}
    todo = [Made(directory, source, compiler, level)
            for source, compilers in COMPILERS.items()
            for compiler in compilers for level in LEVELS
            if is_wanted(compiler + level)]

    if not shutil.which("gdb"):
        tap.skip_all("no gdb")
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for made in todo:
            if not shutil.which(made.compiler):
                tap.skip(made.name, "no " + made.compiler)
                continue
            built, got = made.build()
            if not built:
                tap.ok(False, made.name + ": it is built", got)
                continue
            list(pool.map(Death.die, made.deaths))
            list(pool.map(lambda d: d.report(inquest, env), made.deaths))
            made.ask_gdb()
            judge(tap, made)
            for death in made.deaths:
                if death.number in TOLD and death.expression():
                    ask_editor(tap, inquest, env, death)
    return tap.leave()


if __name__ == "__main__":
    sys.exit(main())
