#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
run: gdb's own test suite, on gdbserver and on our stub over snapshots.

  run.py [--json FILE] [--board NAME] [--jobs N] [FILE.exp...]

The files that are run stand in `files`, with what is known of them, and those
that are not, with the reason; N files run side by side. Each runs
under the suite's board native-gdbserver, without calls of functions
(native-without-calls.exp), and under ours (inquest.exp), where
walker.py shows snapshots. Printed are, per file, the passes of both sides;
the run fails where a file has fewer passes on ours and `files` names no
reason, or names calls as the reason and less was refused; or where a file that
ours served took no snapshot.
"""

import argparse
import collections
import concurrent.futures
import glob
import json
import os
import re
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "victims"))

import kit  # noqa: E402

BOARDS = collections.OrderedDict((
    ("gdbserver", "native-without-calls"), ("ours", "inquest")))
COMPILERS = (("gdb.ada/", "gnatmake"), ("gdb.fortran/", "gfortran"),
             ("gdb.rust/", "rustc"))
# What a file asks that leaves tests of calls out by itself.
ASKS = "gdb,cannot_call_functions"
REFUSAL = "no function of it can be called"
CALLS = re.compile(r"which a snapshot refuses in words: (\d+)")
SOURCE = "/usr/src/gdb.tar.*"
SECONDS = 240
TRIES = 3
OUTCOME = re.compile(r"^([A-Z]+): (.*)$")
GOOD, BAD = "PASS", ("FAIL", "UNRESOLVED", "ERROR")
LEFT_OUT = ("UNSUPPORTED", "UNTESTED")
TRIPLET = "x86_64-pc-linux-gnu"


def read_files():
    """
    What stands in `files`: each file's reasons for fewer passes, and how many
    files are left out.
    """
    found, left_out, name = collections.OrderedDict(), 0, None
    with open(os.path.join(HERE, "files"), encoding="utf-8") as f:
        for line in f:
            reasons = found.get(name) if line.startswith("\t") else None
            if line.startswith("gdb."):
                name = line.strip()
                found[name] = []
            elif line.startswith("not "):
                name = None
                left_out += 1
            elif reasons is not None:
                reasons.append(line.strip())
    return found, left_out


def unpack():
    """The suite's own directory; gdb itself is not built."""
    where = kit.work_dir("suite")
    suites = glob.glob(os.path.join(where, "*", "gdb", "testsuite"))
    if suites:
        return suites[0]
    packed = glob.glob(SOURCE)
    if not packed:
        kit.Tap.skip_all("no %s; on Debian: apt-get install gdb-source"
                         % SOURCE)
    making = os.path.join(where, "making")
    shutil.rmtree(making, ignore_errors=True)
    os.makedirs(making)
    subprocess.run(["tar", "-xf", packed[0], "-C", making, "--wildcards",
                    "*/gdb/testsuite/*"], check=True)
    top = os.listdir(making)[0]
    os.replace(os.path.join(making, top), os.path.join(where, top))
    os.rmdir(making)
    return os.path.join(where, top, "gdb", "testsuite")


def configure(suite, directory):
    """What a configured suite would say in this file."""
    os.makedirs(directory, exist_ok=True)
    lines = ['set rootme "%s"' % directory, 'set srcdir "%s"' % suite,
             'set objdir "%s"' % directory, "set tool gdb"]
    lines += ["set %s_%s %s" % (who, what, TRIPLET)
              for who in ("host", "target", "build")
              for what in ("alias", "triplet")]
    lines += ['lappend boards_dir "%s"' % where
              for where in (os.path.join(suite, "boards"), HERE)]
    with open(os.path.join(directory, "site.exp"), "w",
              encoding="utf-8") as f:
        f.write("\n".join(lines) + "\n")


class Outcome:
    """What one file came to on one board."""

    def __init__(self, directory, result):
        self.seconds = result.seconds
        self.lines = []
        with opened(os.path.join(directory, "gdb.sum")) as f:
            for line in f:
                found = OUTCOME.match(line.rstrip("\n"))
                if found:
                    self.lines.append(found.groups())
        if result.timed_out:
            self.lines.append(("ERROR", "not done after %d s" % SECONDS))
        self.snapshots, self.stub = tally(directory)
        self.refused = refused(directory)

    def count(self, kinds):
        return sum(1 for kind, _ in self.lines if kind in kinds)

    @property
    def passes(self):
        return self.count((GOOD,))

    def summary(self):
        counts = collections.Counter(kind for kind, _ in self.lines)
        return dict(counts, seconds=round(self.seconds, 1),
                    snapshots=self.snapshots, asked=self.stub,
                    refused=self.refused)


def opened(path):
    return open(path if os.path.exists(path) else os.devnull,
                encoding="utf-8", errors="replace")


def tally(directory):
    """What the walkers of a file wrote down."""
    snapshots = asked = 0
    with opened(os.path.join(directory, "walker.log")) as f:
        for line in f:
            counts = json.loads(line)
            snapshots += counts["snapshots"]
            asked += counts["stub"]
    return snapshots, asked


def refused(directory):
    """How often a call was refused in words."""
    with opened(os.path.join(directory, "gdb.log")) as f:
        return sum(REFUSAL in line for line in f)


def asks(suite, name):
    with opened(os.path.join(suite, name)) as f:
        return ASKS in f.read()


class Suite:
    def __init__(self, inquest):
        self.suite = unpack()
        self.inquest = inquest
        self.servers = {"gdbserver": shutil.which("gdbserver"),
                        "ours": os.path.join(HERE, "walker.py")}

    def compare(self, name, sides, known):
        """
        Threads that hit breakpoints at the same moment may be lost sight of
        by the walker, so a file that has fewer passes gets other chances.
        """
        outcomes = {side: self.run(side, name) for side in sides}
        tries = 1
        while len(outcomes) == len(BOARDS) and not known and tries < TRIES \
                and outcomes["ours"].passes < outcomes["gdbserver"].passes:
            outcomes["ours"] = self.run("ours", name)
            tries += 1
        return outcomes, tries

    def run(self, side, name):
        directory = os.path.join(kit.work_dir("suite", side),
                                 name.replace("/", "_"))
        shutil.rmtree(directory, ignore_errors=True)
        configure(self.suite, directory)
        log = os.path.join(directory, "walker.log")
        env = {k: v for k, v in os.environ.items() if k != "DEBUGINFOD_URLS"}
        env.update(INQUEST=self.inquest, WALKER_LOG=log, LC_ALL="C",
                   TERM="dumb", PYTHONDONTWRITEBYTECODE="1")
        result = kit.run(
            ["runtest", "--tool", "gdb", "--srcdir", self.suite,
             "--target_board", BOARDS[side], "GDB=" + shutil.which("gdb"),
             "GDBSERVER=" + self.servers[side], name],
            timeout=SECONDS, cwd=directory, env=env, merge=True)
        outcome = Outcome(directory, result)
        shutil.rmtree(os.path.join(directory, "outputs"), ignore_errors=True)
        return outcome


def missing(theirs, ours):
    """The passes of the one side that the other has not."""
    left = collections.Counter(n for k, n in theirs.lines if k == GOOD)
    left -= collections.Counter(n for k, n in ours.lines if k == GOOD)
    return sorted(left.elements())


HEAD = "%-38s %9s %9s %9s %9s  %s"


class Table:
    def __init__(self, known):
        self.known = known
        self.totals = {side: collections.Counter() for side in BOARDS}
        self.rows, self.faults = {}, []
        print(HEAD % ("", "gdbserver", "", "ours", "", "snapshots"))
        print(HEAD % ("", "pass/fail", "left out", "pass/fail", "left out",
                      "served"), flush=True)

    def add(self, name, outcomes, tries):
        row = []
        for side, outcome in outcomes.items():
            figures = (outcome.passes, outcome.count(BAD),
                       outcome.count(LEFT_OUT))
            self.totals[side].update(dict(zip("pfu", figures)))
            row += ["%d/%d" % figures[:2], "%d" % figures[2]]
        served = list(outcomes.values())[-1].snapshots
        print(HEAD % (name, *row, *[""] * (4 - len(row)), "%s%s" % (
            served or "-", " at try %d" % tries if tries > 1 else "")),
              flush=True)
        self.rows[name] = {s: o.summary() for s, o in outcomes.items()}
        self.rows[name]["tries"] = tries
        if len(outcomes) == len(BOARDS):
            self.judge(name, *outcomes.values())

    def judge(self, name, theirs, ours):
        if not ours.snapshots:
            self.faults.append(name + ": no snapshot was served")
        lost = missing(theirs, ours)
        self.rows[name]["lost"] = lost
        if theirs.passes > ours.passes:
            reasons = self.known.get(name, [])
            self.rows[name]["reasons"] = reasons
            if reasons:
                print("    fewer: " + " ".join(reasons))
                self.hold(name, theirs.passes - ours.passes, ours.refused)
            if not reasons:
                self.faults.append("%s: %d passes fewer, no reason named"
                                   % (name, theirs.passes - ours.passes))
                for line in lost[:12]:
                    print("    lost: " + line)
        elif self.known.get(name):
            self.faults.append("%s: has all passes; take its reason out of "
                               "tests/suite/files" % name)

    def hold(self, name, fewer, refusals):
        """Is it the calls, as the reason says?"""
        told = CALLS.search(" ".join(self.known[name]))
        if told and fewer > int(told[1]):
            self.faults.append("%s: %d passes fewer, of %s that are calls"
                               % (name, fewer, told[1]))
        if told and not refusals:
            self.faults.append(name + ": no call was refused")

    def end(self, json_path):
        row = []
        for side in BOARDS:
            t = self.totals[side]
            row += ["%d/%d" % (t["p"], t["f"]), "%d" % t["u"]]
        print(HEAD % ("total, %d files" % len(self.rows), *row, ""))
        for fault in self.faults:
            print("not as it should be: " + fault)
        if json_path:
            with open(json_path, "w", encoding="utf-8") as f:
                json.dump({"files": self.rows, "faults": self.faults,
                           "totals": self.totals}, f, indent=1)
        return 1 if self.faults else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[1])
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--board", choices=list(BOARDS))
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("files", nargs="*")
    args = parser.parse_args()
    inquest = kit.need_inquest()
    for tool in ("gdb", "gdbserver", "runtest", "gcc", "g++"):
        kit.need_tool(tool)
    known, left_out = read_files()
    suite, table = Suite(inquest), Table(known)
    sides = [side for side in BOARDS if args.board in (None, side)]
    names = args.files or list(known)
    lacking = {folder: tool for folder, tool in COMPILERS
               if not shutil.which(tool)}
    for folder, tool in lacking.items():
        print("not run: %s*, which wants %s" % (folder, tool))
    names = [n for n in names if n.split("/")[0] + "/" not in lacking]
    asking = [n for n in names if asks(suite.suite, n)]
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        results = pool.map(lambda name: suite.compare(
            name, sides, known.get(name)), names)
        for name, result in zip(names, results):
            table.add(name, *result)
    print("%d files are left out, each with its reason in tests/suite/files"
          % left_out)
    print("calls of functions are left out on both sides in: "
          + ", ".join(asking))
    sys.exit(table.end(args.json))


if __name__ == "__main__":
    main()
