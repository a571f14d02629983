#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
generated: a core that gdb generates of a snapshot is as good as one of the
process: gdb, and inquest, find the same stacks, registers and values in it.

What was not captured is not in it either: never zeros in its place.
"""

import os
import re
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "victims")]

import build    # noqa: E402
import kit      # noqa: E402
import session  # noqa: E402
import stacks   # noqa: E402
import live     # noqa: E402

SAME = ["inq-frames", "info registers", "p $_siginfo.si_signo",
        "p $_siginfo._sifields._sigfault.si_addr", "info auxv",
        "x/8xg $sp", "thread 1", "bt", "p victim_list", "p victim_numbers",
        "p victim_text"]
LIVE = ["inq-frames", "info auxv", "thread 3", "bt", "thread 1"]
# gdb prints the address of a library's file, and a core has no "target:".
NEUTRAL = ((re.compile(r"target:"), ""), (re.compile(r"^\[Switching.*$", re.M), ""))
LACKS = re.compile(r"^memory start=(0x[0-9a-f]+) .*kind=absent .*reason=(?:budget|unreadable)",
                   re.M)
FILES = re.compile(r"^map start=(0x\w+) end=(0x\w+) .*path=\"(?:/|\[v)", re.M)


def neutral(text):
    for pattern, by in NEUTRAL:
        text = pattern.sub(by, text or "")
    return text


def differences(ours, theirs):
    return ["%s\n--- snapshot\n%s\n--- core\n%s" % (c, one, other)
            for (c, one), (_, other) in zip(ours.outputs, theirs.outputs)
            if neutral(one) != neutral(other) or not one]


class Generated:
    def __init__(self, tap, inquest):
        self.tap, self.inquest = tap, inquest
        self.directory = kit.work_dir("gdb-generated")

    def path(self, name):
        path = os.path.join(self.directory, name)
        if os.path.exists(path):
            os.unlink(path)
        return path

    def ok(self, *args):
        return self.tap.ok(*args)

    def snapshot(self, name, source, *options):
        path = self.path(name + ".snap")
        result = kit.run([self.inquest, *options, source, "-o", path])
        self.ok(result.status == 0, name + ": there is a snapshot", result)
        return path

    def compare(self, made, snapshot, commands):
        """A core of the snapshot, and what is found in it."""
        name, core = made.name, self.path(made.name + ".core")
        commands = ["set backtrace past-main on", *commands]
        ours = session.on_stub(self.inquest, snapshot, [],
                               [*commands, "generate-core-file " + core],
                               program=made.program)
        ours.outputs.pop()
        if not self.ok(os.path.exists(core), name + ": gdb generates a core",
                       ours.result):
            return None
        theirs = session.run(["file " + made.program, "core-file " + core,
                              session.PRINTERS], commands, [],
                             cwd=made.directory)
        ours.outputs[0] = theirs.outputs[0] = ("", "-")
        different = differences(ours, theirs)
        self.ok(not different, name + ": gdb says the same of it, %d commands"
                % len(commands), "\n".join(different))
        again = self.snapshot(name + "-again", core, "import")
        report = kit.run([self.inquest, "report", "--json", again], cwd="/")
        stacks.hold(self.tap, stacks.of_gdb(ours), report,
                    name + ", generated and imported")
        third = session.on_stub(self.inquest, again, [], commands,
                                program=made.program)
        third.outputs[0] = ("", "-")
        different = differences(ours, third)
        self.ok(not different, name + ": and of the snapshot of it",
                "\n".join(different))
        return core

    def dead(self, name):
        made = build.ensure(name)
        self.compare(made, self.snapshot(name, made.core, "import"), SAME)

    def living(self):
        """With a budget that leaves things out."""
        made = build.ensure("waiting")
        with live.running(made) as process:
            snapshot = self.snapshot("waiting", str(process.pid), "capture",
                                     *kit.UNHURRIED, "--budget", "64k")
        core = self.compare(made, snapshot, LIVE)
        dump = kit.run([self.inquest, "dump", snapshot]).out.decode()
        # Of a mapped file gdb on a core shows what the file has.
        of_files = [(int(s, 16), int(e, 16))
                    for s, e in FILES.findall(dump)]
        absent = [a for a in LACKS.findall(dump)
                  if not any(s <= int(a, 16) < e for s, e in of_files)][:40]
        if not core or not self.ok(len(absent) > 5, "things were left out",
                                   dump[:2000]):
            return
        on_core = session.run(["core-file " + core],
                              ["x/xb " + a for a in absent], [])
        shown = [(c, out) for c, out in on_core.outputs
                 if "Cannot access memory" not in (out or "")]
        self.ok(not shown, "what was left out is not in the core",
                shown)


def main():
    inquest = kit.need_inquest()
    kit.need_tool("gdb")
    kit.need_tool("gcc")
    tap = kit.Tap()
    generated = Generated(tap, inquest)
    for name in ("threads", "containers", "overflow"):
        generated.dead(name)
    generated.living()
    tap.leave()


if __name__ == "__main__":
    main()
