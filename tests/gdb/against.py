# SPDX-License-Identifier: Apache-2.0
"""against: one script on gdb over a core, and on gdb over our stub."""

import os

import compare
import kit
import script
import session

HERE = os.path.dirname(os.path.realpath(__file__))

# With the program's file or without, over the core or over a snapshot of it;
# "verb" is `inquest gdb`.
MODES = ("exe/core", "exe/snap", "bare/core", "bare/snap", "verb/snap")
# One run of a wide victim takes seconds: these two show the same.
WIDE_MODES = ("exe/core", "bare/snap")
# What gdb may say while it opens a stub.
EXPECTED = ("warning: File transfers from remote targets can be slow.",)


class Comparison:
    def __init__(self, tap, inquest, verbose):
        self.tap = tap
        self.inquest = inquest
        self.verbose = verbose
        self.judge = compare.Judge(compare.read_list(
            os.path.join(HERE, "differences")))
        self.seen = []

    def victim(self, made):
        name = made.name
        if made.by != "kernel" and "gcore" not in made.victim.tags:
            self.tap.note("%s: gdb wrote the core" % name)
        commands = script.commands(made.victim.tags)
        core = session.on_core(made.program, made.core, commands)
        if not self.complete(core, name, "gdb on the core"):
            return
        snapshot = self.imported(made)
        wide = "wide" in made.victim.tags
        for mode in WIDE_MODES if wide else MODES:
            if snapshot or mode.endswith("/core"):
                self.mode(made, mode, core, snapshot)

    def imported(self, made):
        path = os.path.join(kit.work_dir("gdb"), made.name + ".snap")
        if os.path.exists(path):
            os.unlink(path)
        result = kit.run([self.inquest, "import", made.core, "-o", path])
        self.tap.ok(result.status == 0 and os.path.exists(path),
                    "%s: the core becomes a snapshot" % made.name, result)
        return path if result.status == 0 else None

    def mode(self, made, mode, core, snapshot):
        how, what = mode.split("/")
        stored = made.core if what == "core" else snapshot
        commands = core.script
        if how == "verb":
            ours = session.by_verb(self.inquest, stored, made.core, commands)
        else:
            ours = session.on_stub(
                self.inquest, stored, made.core, commands,
                made.program if how == "exe" else None)
        if self.complete(ours, made.name, mode):
            self.opening(ours, made.name, mode)
            self.judged(made.name, mode, core, ours)
            self.seen.append((made.name, mode))

    def complete(self, run, name, who):
        """Whether gdb carried the whole script out."""
        missing = [c for c, out in run.outputs if out is None]
        passed = run.result.status == 0 and not missing
        if not passed or self.verbose:
            self.tap.ok(passed, "%s: %s carries out %d commands"
                        % (name, who, len(run.outputs)),
                        "first without output: %s\n%s"
                        % (missing[:1], run.result))
        return passed

    def opening(self, run, name, mode):
        said = [line for line in run.opening.splitlines()
                if "warning:" in line and not line.startswith(EXPECTED)]
        self.tap.ok(not said, "%s: %s opens without a warning" % (name, mode),
                    "\n".join(said))

    def judged(self, name, mode, core, ours):
        diffs = []
        for (command, one), (_, other) in zip(core.outputs, ours.outputs):
            diff = self.judge.unexplained(name, mode, command, one, other)
            if diff:
                diffs.append(diff)
            if self.verbose:
                self.tap.note("==== %s\n%s" % (command,
                                               compare.normal(other or "")))
        self.tap.ok(not diffs, "%s: %s says what gdb says on the core, "
                    "%d commands" % (name, mode, len(core.outputs)),
                    "%d differ\n%s" % (len(diffs), "\n".join(diffs)))

    def stale(self):
        """Only a run of all victims can tell that a difference is gone."""
        for name in self.judge.stale(self.seen):
            self.tap.ok(False, "the listed difference '%s' occurs" % name,
                        "take it out of tests/gdb/differences")


def identity(tap, made):
    """The harness itself: gdb against gdb on one core differs in nothing."""
    commands = script.commands(made.victim.tags)
    one = session.on_core(made.program, made.core, commands)
    other = session.on_core(made.program, made.core, commands)
    judge = compare.Judge([])
    diffs = [judge.unexplained(made.name, "identity", c, a, b)
             for (c, a), (_, b) in zip(one.outputs, other.outputs)]
    tap.ok(not any(diffs), "%s: gdb agrees with itself, %d commands"
           % (made.name, len(commands)), "".join(diffs))
