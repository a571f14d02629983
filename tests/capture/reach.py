#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
reach: of a process whose memory is larger than the budget, what its threads
hold is kept as far as that goes, variables that were asked for in any case,
and what is left out is never shown as zero.
"""

import json
import os
import re
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "victims")]

import kit     # noqa: E402
import living  # noqa: E402

MIB = 1 << 20
LIST = 24               # MiB of each list of the victim
NODE = 216              # bytes; malloc takes 224 for it
SLACK = 2 * MIB         # stacks, headers, tables of the snapshot

# Follows a list from the frame that holds it; prints how far, and why not
# farther.
WALK = r"""
python
import re
def follow(node):
    n = 0
    try:
        while int(node):
            if int(node["number"]) != n or \
               node["text"].string() != "node %d" % n:
                print("WRONG at %d" % n)
                return
            n += 1
            node = node["next"]
        print("FOLLOWED %d to its end" % n)
    except gdb.error as e:
        print("FOLLOWED %d: %s" % (n, e))
        print("THERE " + gdb.execute(
            "monitor memory " + str(e).split()[-1], to_string=True))
def frame_of(name):
    for thread in gdb.selected_inferior().threads():
        thread.switch()
        frame = gdb.newest_frame()
        while frame:
            if frame.name() == name:
                frame.select()
                return
            frame = frame.older()
    print("NO FRAME")
def show(what):
    try:
        print("SHOWN %s" % gdb.parse_and_eval(what))
    except gdb.error as e:
        print("NOT SHOWN: %s" % e)
end
"""


class Reaches:
    def __init__(self, tap, inquest, directory):
        self.tap, self.inquest, self.directory = tap, inquest, directory
        self.heaps = living.victim("heaps", directory)
        self.snapshot = os.path.join(directory, "heaps.snap")

    def capture(self, *options):
        """Of a victim that runs: what capture says, as JSON."""
        victim = subprocess.Popen([self.heaps, str(LIST)],
                                  stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE)
        try:
            victim.stdout.readline()
            result = kit.run([self.inquest, "capture", "--json", "-o",
                              self.snapshot, "--max-pause", "10s", *options,
                              str(victim.pid)])
            self.threads = living.tids(victim.pid)
        finally:
            victim.kill()
            victim.communicate()
        self.result = result
        return json.loads(result.out) if result.status == 0 else {}

    def gdb(self, *commands):
        script = os.path.join(self.directory, "walk.gdb")
        with open(script, "w") as f:
            f.write(WALK + "\n".join(commands) + "\n")
        return kit.run(["gdb", "-nx", "-batch", "-ex", "set pagination off",
                        "-ex", "set debuginfod enabled off",
                        "-ex", "file " + self.heaps,
                        "-ex", "target remote | %s rsp %s"
                        % (self.inquest, self.snapshot), "-x", script],
                       timeout=600, merge=True).out.decode("utf-8", "replace")

    def report(self):
        """The report, and its sentences on what is missing."""
        report = json.loads(kit.run([self.inquest, "report", "--json",
                                     self.snapshot]).out)
        return report, " ".join(report["missing"]["texts"])

    def is_whole(self, name):
        result = kit.run([self.inquest, "check", self.snapshot])
        self.tap.ok(result.status == 0, name + ": the file is whole", result)

    # ---- lists ----

    def within_the_budget(self):
        told = self.capture("--budget", "512M", "-m", "reachable")
        out = self.gdb("python frame_of('walk')",
                       "python follow(gdb.parse_and_eval('list'))",
                       "python follow(gdb.parse_and_eval('known'))")
        self.tap.ok(len(re.findall(r"FOLLOWED \d+ to its end", out)) == 2,
                    "what fits into the budget is all there",
                    (out, told, self.result))

    def over_the_budget(self, mib):
        told = self.capture("--budget", "%dM" % mib)
        name = "budget of %d MiB" % mib
        out = self.gdb("python frame_of('walk')",
                       "python follow(gdb.parse_and_eval('list'))",
                       "python show('(long)environ')")
        found = re.search(r"FOLLOWED (\d+): Cannot access memory", out)
        self.tap.ok(found and int(found.group(1)) * NODE > mib * MIB / 16,
                    name + ": the list is there from its thread's frame on",
                    (out, self.result))
        self.tap.ok("THERE" in out and "mapped, but not captured: over "
                    "the limit of bytes" in out, name + ": behind it is memory that was not "
                    "captured", out)
        self.tap.ok(os.stat(self.snapshot).st_size < mib * MIB + SLACK
                    and told.get("absent", 0) > LIST * MIB,
                    name + ": no more is kept", told)
        missing = self.report()[1]
        self.tap.ok("private memory were left out" in missing
                    and "followed in part" in missing,
                    name + ": what was cut is said", missing)
        self.tap.ok(re.search(r"^SHOWN \d{6}", out, re.M),
                    name + ": a large variable does not keep out those of "
                    "libraries", out)
        self.is_whole(name)

    def crash(self, mib):
        """The thread that died gets all it wants."""
        result = kit.run([self.inquest, "capture", "-o", self.snapshot,
                          "--max-pause", "10s", "--budget", "%dM" % mib,
                          "--", self.heaps, str(LIST), "crash"])
        out = self.gdb("python frame_of('walk')",
                       "python follow(gdb.parse_and_eval('list'))")
        found = re.search(r"FOLLOWED (\d+)", out)
        self.tap.ok(found and int(found.group(1)) * NODE > mib * MIB / 3,
                    "the thread that died: its list is there",
                    "%s\n%s" % (result, out))

    # ---- variables ----

    def variables(self):
        self.capture("--budget", "1M", "-g", "secret_count", "-g",
                     "exported_level", "-g", "own_number", "-g", "option_*",
                     "-g", "no_such_thing")
        names = ("secret_count", "exported_level", "option_first",
                 "option_second", "own_number", "filler[8 << 20]",
                 "filler_behind[8 << 20]")
        out = self.gdb("python frame_of('walk')",
                       *["python show('%s')" % n for n in names])
        values = re.findall(r"^SHOWN (.*)$", out, re.M)
        self.tap.ok(values == ["4711", "17", "1", "2", "4242"],
                    "variables that were asked for are there", out)
        self.tap.ok(out.count("NOT SHOWN: Cannot access memory") == 2,
                    "the others are not shown as zero", out)
        report, missing = self.report()
        notes = {(n["key"], n["text"]) for n in report["notes"]}
        keys = sorted(k for k, _ in notes)
        self.tap.ok(keys == ["global.exported_level", "global.option_first",
                             "global.option_second"]
                    + ["global.own_number"] * len(self.threads)
                    + ["global.secret_count"],
                    "the report lists them, each thread's own too", report)
        self.tap.ok(any("8 bytes at 0x" in t and "of thread %d" % tid in t
                        for _, t in notes for tid in self.threads),
                    "with address, size and thread", notes)
        self.tap.ok('variable "no_such_thing"' in missing,
                    "a name that nothing has is said", missing)
        self.is_whole("variables")


def main():
    tap = kit.Tap()
    inquest = kit.need_inquest()
    kit.need_tool("gdb")
    with tempfile.TemporaryDirectory() as directory:
        reaches = Reaches(tap, inquest, directory)
        reaches.within_the_budget()
        for mib in (4, 20):
            reaches.over_the_budget(mib)
        reaches.crash(16)
        reaches.variables()
    tap.leave()


if __name__ == "__main__":
    main()
