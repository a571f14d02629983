#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
same-as-core: cores of AArch64 have the right stacks, and gdb-multiarch says on
our stub what it says on the core.

An emulator writes the cores: they hold statuses, auxv and memory that can be
written to, and neither siginfo, vector registers nor a list of mapped files.
What differs must stand in `differences`; tests/gdb/compare.py tells how.
"""

import os
import re
import shlex
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
TESTS = os.path.dirname(HERE)
sys.path[:0] = [HERE, os.path.join(TESTS, "gdb"),
                os.path.join(TESTS, "victims")]

import build    # noqa: E402
import compare  # noqa: E402
import guest    # noqa: E402
import kit      # noqa: E402
import questions  # noqa: E402
import report   # noqa: E402
import session  # noqa: E402

MAIN = "main __libc_start_call_main __libc_start_main_impl _start"
VICTIM = ("crash crash crash crash crash crash " + MAIN, "wait_for waiter "
          "start_thread thread_start")
HANDLER = ("? on_fault ? leaf on_user ? __pthread_kill_implementation raise "
           + MAIN,)
# What the stacks of a program's threads must end with; "?" has no name, as the
# frame of a signal.
STACKS = {
    "plain": VICTIM, "signed": VICTIM, "tableless": VICTIM, "pie": VICTIM,
    "handler": HANDLER, "handlertableless": HANDLER,
}
# gdb needs the mask of signatures, which these cores lack, and a list of mapped
# files to know where a PIE is.
COMPARED = ("plain", "tableless", "handler", "handlertableless")
MODES = ("exe/core", "bare/core", "exe/snap", "bare/snap")
# Cores that a kernel wrote: vectors, the thread pointer, signatures.
FOREIGN = ("linux-aarch64", "linux-aarch64-pac", "linux-aarch64-neon",
           "linux-aarch64-sve-fpsimd", "linux-aarch64-sve-full")
KERNEL = (
    "info threads", "bt", "info registers " + " ".join(
        "x%d" % n for n in range(31)), "info registers sp pc cpsr fpsr fpcr",
    *("p $q%d" % n for n in range(32)), "p $d0", "p $s31", "p $v1.b.u",
    "p/x $tpidr", "p/x $pauth_cmask", "p $_siginfo", "info auxv",
    "x/2xg $sp", "x/i $pc", "up", "info frame",
)


class Comparison:
    def __init__(self, tap, inquest):
        self.tap, self.inquest = tap, inquest
        self.judge = compare.Judge(compare.read_list(
            os.path.join(HERE, "differences")))
        self.seen = []

    def all_modes(self, made, snapshot):
        script = questions.of_core(STACKS[made.name] is VICTIM)
        core = session.on_core(made.program, made.core, script,
                               gdb=(guest.DEBUGGER,))
        if not self.complete(core, made.name, "gdb on the core"):
            return
        for mode in MODES:
            how, what = mode.split("/")
            words = [self.inquest, "rsp"]
            words += ([snapshot] if what == "snap" else
                      ["--exe", made.program, made.core])
            opening = ["file " + made.program] if how == "exe" else []
            opening += ["target remote | " + shlex.join(words)]
            ours = session.run(opening, script, made.core,
                               gdb=(guest.DEBUGGER,))
            if self.complete(ours, made.name, mode):
                self.judged(made.name, mode, core, ours)
                self.seen.append((made.name, mode))

    def foreign(self, top, name):
        core = os.path.join(top, name + ".core")
        program = os.path.join(top, name + ".out")
        script = list(KERNEL)
        if not os.path.exists(program):
            # gdb takes no step without the program's text.
            program, script = None, script[2:-3]
        theirs = session.on_core(program, core, script,
                                 gdb=(guest.DEBUGGER,))
        words = [self.inquest, "rsp", *(["--exe", program] if program else
                                        []), core]
        ours = session.run((["file " + program] if program else []) +
                           ["target remote | " + shlex.join(words)], script,
                           core, gdb=(guest.DEBUGGER,))
        if self.complete(theirs, name, "gdb on the core") and \
                self.complete(ours, name, "gdb on the stub"):
            self.judged(name, "foreign", theirs, ours)
            self.seen.append((name, "foreign"))

    def complete(self, run, name, who):
        missing = [c for c, out in run.outputs if out is None]
        passed = run.result.status == 0 and not missing
        if not passed:
            self.tap.ok(False, "%s: %s carries out %d commands"
                        % (name, who, len(run.outputs)),
                        "first without output: %s\n%s"
                        % (missing[:1], run.result))
        return passed

    def judged(self, name, mode, core, ours):
        diffs = [self.judge.unexplained(name, mode, command, one, other)
                 for (command, one), (_, other) in zip(core.outputs,
                                                       ours.outputs)]
        diffs = [diff for diff in diffs if diff]
        self.tap.ok(not diffs, "%s: %s says what gdb says on the core, "
                    "%d commands" % (name, mode, len(core.outputs)),
                    "%d differ\n%s" % (len(diffs), "\n".join(diffs)))

    def stale(self):
        for name in self.judge.stale(self.seen):
            self.tap.ok(False, "the listed difference '%s' occurs" % name,
                        "take it out of tests/aarch64/differences")


def imported(tap, inquest, made):
    path = os.path.join(os.path.dirname(made.core), made.name + ".snap")
    result = kit.run([inquest, "import", "--exe", made.program, made.core,
                      "-o", path])
    tap.ok(result.status == 0, "%s: the core becomes a snapshot" % made.name,
           result)
    return path if result.status == 0 else None


def plain_name(name):
    """As the compiler may have cloned it."""
    return re.sub(r"\.(constprop|isra|part)\.\d+$", "", name) or "?"


def stacks(tap, made, what, words):
    result = kit.run(words)
    if not tap.ok(result.status == 0, "%s: %s is reported"
                  % (made.name, what), result):
        return
    threads = report.threads(result.out)
    for thread, want in zip(threads, STACKS[made.name]):
        names = [plain_name(n) for n in thread.names]
        want = want.split()
        tap.ok(names[-len(want):] == want, "%s: %s, the stack of thread %d"
               % (made.name, what, thread.id),
               "%s\nshould end in %s" % (thread, " < ".join(want)))
    tap.ok(len(threads) == len(STACKS[made.name]), "%s: %s, all threads"
           % (made.name, what), "\n".join(map(str, threads)))


def by_verb(tap, inquest, made):
    """`inquest gdb` says that another gdb may be wanted, and takes it."""
    words = [inquest, "gdb", "--exe", made.program]
    rest = [made.core, "-nx", "-batch", "-ex", "p own"]
    result = kit.run([*words, *rest])
    tap.ok(b"--gdb " + guest.DEBUGGER.encode() in result.err,
           "%s: another gdb is named" % made.name, result)
    result = kit.run([*words, "--gdb", guest.DEBUGGER, *rest])
    tap.ok(b"= 7\n" in result.out and b"--gdb" not in result.err,
           "%s: another gdb shows a value" % made.name, result)


def one(tap, comparison, name):
    made = guest.make(name)
    if not made:
        tap.skip(name, "the emulator writes no core here")
        return
    inquest = comparison.inquest
    stacks(tap, made, "the core", [inquest, "report", "--json", "--exe",
                                   made.program, made.core])
    snapshot = imported(tap, inquest, made)
    if not snapshot:
        return
    stacks(tap, made, "the snapshot", [inquest, "report", "--json", snapshot])
    if name in COMPARED:
        comparison.all_modes(made, snapshot)
    if name == "plain":
        by_verb(tap, inquest, made)


def main():
    names = sys.argv[1:]
    inquest = kit.need_inquest()
    guest.need()
    tap = kit.Tap()
    comparison = Comparison(tap, inquest)
    for name in names or guest.PROGRAMS:
        try:
            one(tap, comparison, name)
        except build.Failure as failure:
            tap.ok(False, "%s is made" % name, failure)
    if not names:
        corpus = os.path.join(os.environ.get("CORPUS", ""), "lldb-elf-core")
        for name in FOREIGN if os.path.isdir(corpus) else ():
            comparison.foreign(corpus, name)
        comparison.stale()
    tap.leave()


if __name__ == "__main__":
    main()
