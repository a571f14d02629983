#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
deleted: with the program and all its libraries gone, the snapshot suffices.

The victim uses no file of the system: its loader and libc are copies under
build-ids of their own. What gdb says on the core while all files are there,
it must say on the snapshot when all are gone; the report names all stacks.
"""

import os
import shutil
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "victims")]

import build    # noqa: E402
import compare  # noqa: E402
import kit      # noqa: E402
import session  # noqa: E402
import stacks   # noqa: E402
import table    # noqa: E402

COMMANDS = ["info threads", "thread apply all bt", "info sharedlibrary",
            "info registers", "x/4i $pc", "x/4xg $sp", "info symbol $pc",
            "p $_siginfo.si_signo", "p abort", "info symbol main",
            "p &plugin_call", "info address library_call", "info auxv",
            "inq-memory", "thread 3", "bt", "up", "x/2i $pc",
            *stacks.COMMANDS]
# No file of this machine may help either side: these have no debug files.
ALONE = ["set debug-file-directory /nonexistent"]


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


def named_threads(tap, ours):
    """Every stack has names of the program and of its libraries."""
    for tid, frames in ours.items():
        names = {name for _, name in frames}
        tap.ok(names & {"work", "main"} and len(names) > 2,
               "all files gone: gdb names the stack of thread %d" % tid,
               frames)


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
    what = "the snapshot, all files gone"
    result = kit.run([inquest, "report", "--json", snapshot], cwd="/")
    stacks.hold(tap, stacks.of_gdb(core), result, what)
    named_threads(tap, stacks.of_gdb(ours))
    tap.leave()


if __name__ == "__main__":
    main()
