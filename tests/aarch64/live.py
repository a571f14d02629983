#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
live: gdb-multiarch says on the snapshot of an AArch64 process what it says
under the emulator that runs it.

The program dies under qemu with gdb attached to qemu's own stub; there the
questions are asked. Then it goes on, and qemu writes a core of the same
process, which becomes a snapshot, of which the same is asked. What differs
must stand in `live-differences`.
"""

import os
import shlex
import subprocess
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
TESTS = os.path.dirname(HERE)
sys.path[:0] = [HERE, os.path.join(TESTS, "gdb"),
                os.path.join(TESTS, "victims")]

import build      # noqa: E402
import compare    # noqa: E402
import guest      # noqa: E402
import kit        # noqa: E402
import questions  # noqa: E402
import session    # noqa: E402

NAMES = ("plain", "tableless")


class Emulated:
    """A guest that waits for gdb before its first instruction."""

    def __init__(self, name):
        self.made = guest.compiled(name, "live-" + name)
        self.door = os.path.join(kit.socket_dir(), "gdb")
        self.directory = os.path.dirname(self.made.program)
        self.process = subprocess.Popen(
            [guest.EMULATOR, "-cpu", guest.PROGRAMS[name][2], "-g",
             self.door, "./" + name], cwd=self.directory,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, env=build.environment(),
            preexec_fn=build.unlimit)

    def asked(self, script):
        """In gdb, of the process as it died."""
        kit.until(lambda: os.path.exists(self.door))
        opening = ["file " + self.made.program,
                   "target remote " + self.door, "continue"]
        return session.run(opening, [*script, "continue"], [],
                           gdb=(guest.DEBUGGER,))

    def core(self):
        """What qemu wrote as the program died."""
        try:
            self.process.wait(kit.PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        return guest.own_core(self.made)


def snapshot_of(tap, inquest, made, core):
    path = os.path.join(os.path.dirname(made.program), made.name + ".snap")
    result = kit.run([inquest, "import", "--exe", made.program, core, "-o",
                      path])
    tap.ok(result.status == 0, "%s: its core becomes a snapshot" % made.name,
           result)
    return path if result.status == 0 else None


def compared(tap, judge, name, live, ours):
    diffs = [judge.unexplained(name, "live", command, one, other)
             for (command, one), (_, other) in zip(live.outputs, ours.outputs)]
    diffs = [diff for diff in diffs if diff]
    whole = ours.result.status == 0 and \
        all(out is not None for _, out in ours.outputs)
    tap.ok(whole and not diffs, "%s: gdb says what it says under the emulator,"
           " %d commands" % (name, len(ours.outputs)),
           "%d differ\n%s\n%s" % (len(diffs), "\n".join(diffs), ours.result))


def one(tap, inquest, judge, name):
    script = questions.of_live()
    emulated = Emulated(name)
    live = emulated.asked(script)
    core = emulated.core()
    if not core:
        tap.skip(name, "the emulator writes no core here")
        return False
    missing = [c for c, out in live.outputs if out is None]
    if not tap.ok(not missing, "%s: gdb under the emulator carries out %d "
                  "commands" % (name, len(script)), live.result):
        return False
    snapshot = snapshot_of(tap, inquest, emulated.made, core)
    if not snapshot:
        return False
    opening = ["file " + emulated.made.program,
               "target remote | " + shlex.join([inquest, "rsp", snapshot])]
    live.outputs.pop()
    ours = session.run(opening, script, [], gdb=(guest.DEBUGGER,))
    compared(tap, judge, name, live, ours)
    return True


def main():
    inquest = kit.need_inquest()
    guest.need()
    tap = kit.Tap()
    judge = compare.Judge(compare.read_list(
        os.path.join(HERE, "live-differences")))
    seen = [(name, "live") for name in NAMES
            if one(tap, inquest, judge, name)]
    for name in judge.stale(seen):
        tap.ok(False, "the listed difference '%s' occurs" % name,
               "take it out of tests/aarch64/live-differences")
    tap.leave()


if __name__ == "__main__":
    main()
