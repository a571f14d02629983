#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
deleted: with the program and all its libraries gone, the snapshot suffices.

The victim uses no file of the system: its loader and libc are copies under
build-ids of their own. What gdb says on the core while all files are there,
it must say on the snapshot when all are gone; the report names all stacks.
"""

import os
import re
import shutil
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "victims")]

import build    # noqa: E402
import compare  # noqa: E402
import kit      # noqa: E402
import report   # noqa: E402
import session  # noqa: E402
import table    # noqa: E402

COMMANDS = ["info threads", "thread apply all bt", "info sharedlibrary",
            "info registers", "x/4i $pc", "x/4xg $sp", "info symbol $pc",
            "p $_siginfo.si_signo", "p abort", "info symbol main",
            "p &plugin_call", "info address library_call", "info auxv",
            "inq-memory", "thread 3", "bt", "up", "x/2i $pc"]
# No file of this machine may help either side: these have no debug files.
ALONE = ["set debug-file-directory /nonexistent"]
NAME = re.compile(r"^#\d+ +(?:0x[0-9a-f]+ in )?(\S+)", re.M)


def make_apart():
    """The victim once more, in a directory that may be deleted."""
    directory = os.path.join(kit.work_dir("gone"), "private")
    victim = table.VICTIMS["private"]
    return build.Made(victim, directory, build.make(victim, directory, ""))


def compare_gdb(tap, core, ours):
    judge = compare.Judge(compare.read_list(
        os.path.join(HERE, "differences")))
    for (command, one), (_, other) in zip(core.outputs, ours.outputs):
        diff = judge.unexplained("private", "gone/snap", command, one, other)
        tap.ok(not diff, "all files gone: gdb says the same to '%s'" % command,
               diff)
    stacks = dict(ours.outputs)["thread apply all bt"] or ""
    names = NAME.findall(stacks)
    tap.ok(names and "??" not in names,
           "all files gone: gdb names all %d frames" % len(names), stacks)


def compare_report(tap, inquest, snapshot, core):
    result = kit.run([inquest, "report", "--json", snapshot], cwd="/")
    tap.ok(result.status == 0, "all files gone: a report is made", result)
    if result.status:
        return
    threads = report.threads(result.out)
    stacks = dict(core.outputs)["thread apply all bt"]
    want = sorted(compare.normal(stacks).split("\nThread ")[1:])
    tap.ok(len(threads) == len(want), "all files gone: the report has %d "
           "threads" % len(want), result)
    for thread in threads:
        tap.ok(thread.names and all(thread.names),
               "all files gone: the report names the stack of %s" % thread.id,
               thread)


def main():
    inquest = kit.need_inquest()
    kit.need_tool("gdb")
    kit.need_tool("gcc")
    tap = kit.Tap()
    made = make_apart()
    core = session.run([*ALONE, "file " + made.program,
                        "core-file " + made.core], COMMANDS, made.core,
                       cwd=made.directory)
    snapshot = os.path.join(kit.work_dir("gone"), "private.snap")
    result = kit.run([inquest, "import", made.core, "-o", snapshot])
    tap.ok(result.status == 0, "the core becomes a snapshot", result)
    shutil.rmtree(made.directory)
    ours = session.run([*ALONE, session.remote(inquest, snapshot)], COMMANDS,
                       made.core)
    compare_gdb(tap, core, ours)
    compare_report(tap, inquest, snapshot, core)
    tap.leave()


if __name__ == "__main__":
    main()
