#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
inspecting: what a look into a snapshot costs, beside debuggers and the tools
that tell what stands at an address.

  inspecting.py [PROGRAM...] [--runs N] [--json FILE] [--list]

Of each program: the first backtrace with names, all there is to be known of
all threads, addresses told a second, and making of the index. Then children
of large values. Who is asked takes turns; figures are medians, and are worth
something on a quiet machine only. Indexes are made before, but for the row
that makes them. Names and places are held against llvm-symbolizer's.
"""

import argparse
import contextlib
import datetime
import glob
import json
import os
import platform
import random
import shutil
import subprocess
import sys
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE, *(os.path.join(os.path.dirname(HERE), folder)
                        for folder in ("symbols", "victims", "capture"))]

import rounds    # noqa: E402
import same      # noqa: E402
import targets   # noqa: E402
import wide      # noqa: E402

import kit       # noqa: E402
import programs  # noqa: E402
import real      # noqa: E402

OURS = "inquest"
ADDRESSES = 5000        # that everybody is asked
MANY = 1000000          # that ours is asked
MIB = float(1 << 20)

# What it is called in tables, its limit, and of which number.
GOALS = {
    "CM": (("first", "first backtrace with names", "first", 0.020, "s"),
           ("all", "all threads, all variables", "wall", 0.15, "s"),
           ("all", "the same: RSS of all processes", "rss", 64, "MiB"),
           ("make", "making of the index", "wall", 4, "s"),
           ("make", "its share of the DWARF", "share", 0.20, "")),
    "small": (("first", "first backtrace with names", "first", 0.015, "s"),),
}
LEAST = (("lookups", "addresses told", "rate", 1e6, "/s"),)


# ---- what is looked into ----

class Subject:
    """A program with DWARF, and a process of it in two files."""

    def __init__(self, bench, label, pid):
        self.bench, self.label = bench, label
        self.program = os.readlink("/proc/%d/exe" % pid)
        self.debug = debug_file(self.program)
        self.snap, self.core, self.index = (
            bench.path(label + end) for end in (".snap", ".core", ".index"))
        self.env = {"INQUEST_CACHE": bench.path(label + ".cache")}
        quiet = {"check": True, "stdin": subprocess.DEVNULL,
                 "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.snap)
        subprocess.run([bench.inquest, "capture", str(pid), "-o", self.snap],
                       **quiet)
        subprocess.run(["gcore", "-o", self.core, str(pid)], **quiet)
        os.rename("%s.%d" % (self.core, pid), self.core)

    def prepare(self):
        """Indexes: of its modules for report, of itself for symidx, gdb's."""
        rounds.once([self.bench.inquest, "report", self.snap], env=self.env)
        rounds.once([self.bench.symidx, "make", self.program, self.index,
                     self.debug])
        if shutil.which("gdb"):
            rounds.once(gdb(self, "bt", before=cached(self)))

    def addresses(self):
        """As many in functions as ours is asked for, in no order."""
        found = []
        for line in same.output(["nm", "-S", "--defined-only",
                                 self.debug]).splitlines():
            words = line.split()
            if len(words) > 3 and words[2] in "tTwWi" and int(words[1], 16):
                found.append((int(words[0], 16), int(words[1], 16)))
        chosen = random.Random(1).choices(found, [n for _, n in found],
                                          k=MANY)
        chance = random.Random(2)
        return [start + chance.randrange(n) for start, n in chosen]


def debug_file(program):
    """Where its DWARF is: a file beside it by its build-id, or itself."""
    for line in same.output(["readelf", "-n", program]).splitlines():
        if "Build ID:" in line:
            name = line.split()[-1]
            path = "/usr/lib/debug/.build-id/%s/%s.debug" % (name[:2],
                                                             name[2:])
            if os.path.exists(path):
                return path
    return program


@contextlib.contextmanager
def ceph(_, directory):
    with targets.WORKLOADS["CM"][1](directory) as target:
        yield target.pid


@contextlib.contextmanager
def python(_, directory):
    program = shutil.which("python3.11d")
    if not program:
        raise real.Missing("python3.11-dbg is not installed")
    with programs.started([program, "-c", "import json, time\n"
                           "json.loads('[1]', object_hook=None)\n"
                           "time.sleep(1000)"], cwd=directory) as process:
        time.sleep(2)
        yield process.pid


@contextlib.contextmanager
def ourselves(bench, directory):
    argv = [bench.inquest, "serve", "--store", os.path.join(directory, "st")]
    for door in ("--http", "--rsp"):
        argv += [door, "127.0.0.1:%d" % programs.free_port()]
    with programs.started(argv) as process:
        time.sleep(1)
        yield process.pid


PROGRAMS = {
    "CM": ("ceph-mon with its debug file", ceph),
    "python": ("python3.11d", python),
    "ours": ("inquest serve", ourselves),
}


# ---- rows: {who: a function that runs it once} ----

def timed(argv, **more):
    def take():
        record = rounds.once(argv, **more)
        record["bytes"] = len(record.pop("out"))
        return record
    return take


def gdb(s, *commands, before=()):
    argv = ["gdb", "-nx", "-batch", *before, "-ex", "set pagination off",
            s.program, s.core]
    for command in commands:
        argv += ["-ex", command]
    return argv


def cached(s):
    return ("-iex", "set index-cache directory " + s.bench.path("gdb-cache"),
            "-iex", "set index-cache enabled on")


def eu_stack(s, *more):
    return ["eu-stack", "-n", "0", *more, "--core", s.core, "-e", s.program]


def lldb(s, command):
    return ["lldb", "-x", "-X", "-b", "-c", s.core, s.program, "-o", command]


def first_row(s):
    ours = [s.bench.inquest, "report"]
    return {
        OURS: timed([*ours, s.snap], env=s.env, mark=b"#0 "),
        OURS + ", of the core": timed([*ours, s.core], env=s.env,
                                      mark=b"#0 "),
        "gdb bt": timed(gdb(s, "bt"), mark=b"#0 "),
        "gdb bt, its index cache": timed(
            gdb(s, "bt", before=cached(s)), mark=b"#0 "),
        "lldb bt": timed(lldb(s, "bt"), mark=b"frame #0"),
        "eu-stack -i": timed(eu_stack(s, "-i"), mark=b"#0 ",
                             accepts=(0, 1)),
    }


def all_row(s):
    ours = [s.bench.inquest, "report", "--json", "--all-variables"]

    def with_memory(path):
        def take():
            record = timed([*ours, path], env=s.env)()
            record["rss"] = rounds.resident([*ours, path], env=s.env)
            return record
        return take
    return {
        OURS: with_memory(s.snap),
        OURS + ", of the core": with_memory(s.core),
        "gdb bt full": timed(gdb(s, "thread apply all bt full")),
        "gdb bt full, its index cache": timed(
            gdb(s, "thread apply all bt full", before=cached(s))),
        "lldb bt all (no variables)": timed(lldb(s, "bt all")),
        "eu-stack -s -i -v (none)": timed(eu_stack(s, "-s", "-i", "-v"),
                                          accepts=(0, 1)),
    }


def asked(s, argv, given, count=ADDRESSES):
    """A tool that reads addresses; its rate with all it does before."""
    def take():
        record = timed(argv, given=given)()
        record["rate"] = count / record["wall"]
        return record
    return take


def speed(s, given):
    """Within one process that has its addresses already."""
    def take():
        record = rounds.once([s.bench.symidx, "speed", s.index, "-"],
                             given=given)
        said = dict(line.split(None, 1) for line in
                    record.pop("out").decode().splitlines())
        record["rate"] = float(said["cold"].split()[0])
        record["warm"] = float(said["warm"].split()[0])
        record["frames"] = float(said["frames"])
        return record
    return take


def addresses_written(s):
    addresses = s.addresses()
    paths = []
    for name, count in (("few", ADDRESSES), ("many", MANY)):
        paths.append(s.bench.path(name))
        with open(paths[-1], "w", encoding="ascii") as f:
            f.writelines("0x%x\n" % a for a in addresses[:count])
    return addresses[:ADDRESSES], *paths


def lookups_row(s):
    s.few, few, many = addresses_written(s)
    gsym = s.bench.path(s.label + ".gsym")
    rivals = {
        OURS: speed(s, many),
        OURS + ", 5,000 and its start": asked(
            s, [s.bench.symidx, "frames", s.index, "-"], few),
        "llvm-symbolizer": asked(s, [
            "llvm-symbolizer", "--no-demangle", "--obj=" + s.debug], few),
        "eu-addr2line -f -i": asked(s, [
            "eu-addr2line", "-f", "-i", "-e", s.debug], few),
        "addr2line -f -i": asked(s, [
            "addr2line", "-f", "-i", "-e", s.debug], few),
    }
    if gsymutil():
        subprocess.run([gsymutil(), "--convert=" + s.debug,
                        "--out-file=" + gsym], check=False,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        given = s.bench.path("few.gsym")
        with open(given, "w", encoding="ascii") as f:
            f.writelines("0x%x %s\n" % (a, gsym) for a in s.few)
        rivals["llvm-gsymutil, its index"] = asked(
            s, [gsymutil(), "--addresses-from-stdin"], given)
    return rivals


def gsymutil():
    return shutil.which("llvm-gsymutil") or next(iter(sorted(
        glob.glob("/usr/bin/llvm-gsymutil-*"))), None)


def make_row(s):
    place = s.bench.path("making")

    def fresh(argv, of, env=()):
        def take():
            shutil.rmtree(place, ignore_errors=True)
            os.mkdir(place)
            record = timed(argv, env=env)()
            record["size"] = sum(os.path.getsize(p) for p in
                                 glob.glob(place + of))
            record["share"] = record["size"] / s.dwarf
            return record
        return take
    rivals = {
        OURS: fresh([s.bench.inquest, "index", s.program], "/index/*",
                    {"INQUEST_CACHE": place}),
        "gdb save gdb-index": fresh(
            ["gdb", "-nx", "-batch", s.debug, "-ex", "save gdb-index "
             + place], "/*"),
        "llvm-dwarfdump --statistics": timed(
            ["llvm-dwarfdump", "--statistics", s.debug]),
    }
    if gsymutil():
        rivals["llvm-gsymutil --convert"] = fresh(
            [gsymutil(), "--convert=" + s.debug, "--out-file=" + place
             + "/gsym"], "/*")
    return rivals


# What they are called, and which number is set beside ours.
ROWS = {
    "first": ("first backtrace with names", "first", first_row),
    "all": ("all of all threads, with variables", "wall", all_row),
    "lookups": ("addresses, with inlined functions", "rate", lookups_row),
    "make": ("the index, made anew", "wall", make_row),
}


# ---- all of it ----

def agreement(s):
    """Of the addresses that everybody was asked."""
    mine, theirs = same.ours(s.index, s.few), same.llvm(s.debug, s.few)
    if len(mine) != len(theirs):
        return {"error": "%d answers, %d of llvm-symbolizer" % (
            len(mine), len(theirs))}
    bad = [text for text in map(same.differ, s.few, mine, theirs) if text]
    return {"asked": len(mine), "differ": len(bad),
            "known": sum(1 for m in mine if m and m[0][0] != "??"),
            "theirs": sum(1 for m in theirs if m[0][0] != "??"),
            "inlined": sum(len(m) > 1 for m in mine), "first": bad[:5]}


def dwarf_bytes(s):
    for line in same.output([s.bench.symidx, "about", s.index]).splitlines():
        if line.startswith("dwarf "):
            return int(line.split()[1])
    return 0


class Bench:
    def __init__(self, options):
        self.inquest = kit.need_inquest()
        self.symidx = os.path.join(kit.build_dir(), "tests/symbols/symidx")
        self.look = os.path.join(kit.build_dir(), "tests/values/look")
        self.directory = kit.work_dir("bench-inspect")
        self.runs, self.rows = options.runs, options.rows
        self.report = {"load": os.getloadavg()[0], "programs": {},
                       "machine": "%s, %d processors" % (
                           platform.release(), os.cpu_count()),
                       "time": datetime.datetime.now().isoformat()}

    def path(self, name):
        return os.path.join(self.directory, name)

    def of_program(self, label):
        about, start = PROGRAMS[label]
        with start(self, self.directory) as pid:
            subject = Subject(self, label, pid)
        subject.prepare()
        subject.dwarf = dwarf_bytes(subject)
        result = {"about": about, "dwarf": subject.dwarf, "rows": {}}
        self.report["programs"][label] = result
        print("\n== %s: %s, %.0f MiB of DWARF" % (
            label, about, subject.dwarf / MIB))
        for name, (title, key, row) in ROWS.items():
            if name not in self.rows:
                continue
            result["rows"][name] = measured = rounds.alternate(
                row(subject), self.runs, "%s, %s" % (label, name))
            table(title, measured, key)
            if name == "lookups":
                result["agreement"] = agreement(subject)
                tell_agreement(result["agreement"])

    def of_values(self):
        measured = wide.rows(self, self.runs)
        self.report["values"] = measured
        table("1,000 children of values", measured, "ms")


# ---- what is printed ----

COLUMNS = (     # of which number, its head, how it is written
    ("wall", "wall s", "%.4f", 1), ("first", "first s", "%.4f", 1),
    ("cpu", "CPU s", "%.4f", 1), ("rss", "RSS MiB", "%.0f", 1),
    ("rate", "a second", "%.0f", 1), ("size", "MiB", "%.1f", MIB),
    ("share", "of DWARF", "%.3f", 1), ("ms", "ms", "%.3f", 1),
)


def table(title, measured, key):
    rows = {name: rounds.medians(records) for name, records in
            measured.items() if not isinstance(records, str) and records}
    columns = [c for c in COLUMNS if any(c[0] in row for row in
                                         rows.values())]
    print("\n%-36.36s" % title + "".join("%11s" % c[1] for c in columns)
          + "%9s" % "/ours")
    ours = rows.get(OURS)
    for name, records in measured.items():
        if name not in rows:
            print("  %-34s %s" % (name, records or "was not run"))
            continue
        row = rows[name]
        print("  %-34s" % name + "".join(
            "%11s" % (shape % (row[k] / by) if k in row else "-")
            for k, _, shape, by in columns) + beside(
                ours if name.partition(",")[0] != OURS else row, row, key))
        ours = row if name.startswith(OURS + ",") and key == "ms" else ours


def beside(ours, row, key):
    if not ours or not row.get(key):
        return ""
    ratio = row[key] / ours[key]
    return "%9s" % ("%.1f" % ratio if ratio >= 0.1 else "1/%.0f" % (
        1 / ratio))


def tell_agreement(a):
    if "error" in a:
        print("  " + a["error"])
        return
    print("  beside llvm-symbolizer: %d of %d differ; a function is told of "
          "%d, there of %d; %d are in inlined code" % (
              a["differ"], a["asked"], a["known"], a["theirs"],
              a["inlined"]))


def verdicts(report):
    for label, result in report["programs"].items():
        wanted = GOALS["CM" if label == "CM" else "small"]
        for row, text, key, limit, unit in (*wanted, *LEAST):
            measured = result["rows"].get(row, {}).get(OURS)
            if not measured or isinstance(measured, str):
                continue
            figure = rounds.medians(measured)[key]
            met = figure >= limit if key == "rate" else figure <= limit
            yield {"goal": "%s: %s" % (label, text), "figure": figure,
                   "limit": limit, "unit": unit, "met": met}
    for name, records in report.get("values", {}).items():
        if name in wide.LIMITS and not isinstance(records, str):
            figure = rounds.medians(records)["ms"]
            yield {"goal": wide.LIMITS[name][0], "figure": figure,
                   "limit": wide.LIMITS[name][1], "unit": "ms",
                   "met": figure <= wide.LIMITS[name][1]}


def tell_goals(goals):
    print("\n%-44s %12s %12s" % ("goal", "measured", "limit"))
    for goal in goals:
        print("%-44s %12.4g %12.4g %-4s %s" % (
            goal["goal"], goal["figure"], goal["limit"], goal["unit"],
            "met" if goal["met"] else "NOT MET"))


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("programs", nargs="*", metavar="PROGRAM")
    parser.add_argument("--runs", type=int,
                        default=int(os.environ.get("BENCH_RUNS", "5")))
    parser.add_argument("--rows", type=lambda text: text.split(","),
                        default=[*ROWS, "values"])
    parser.add_argument("--json")
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args()
    unknown = set(options.programs) - set(PROGRAMS)
    if unknown:
        parser.error("no such program: " + ", ".join(sorted(unknown)))
    return options


def main():
    options = arguments()
    if options.list:
        for label, (about, _) in PROGRAMS.items():
            print("%-8s %s" % (label, about))
        return
    bench = Bench(options)
    print("load %.1f, %s" % (bench.report["load"], bench.report["machine"]))
    for label in options.programs or PROGRAMS:
        try:
            bench.of_program(label)
        except real.Missing as why:
            print("\n== %s: skipped: %s" % (label, why))
    if "values" in options.rows:
        bench.of_values()
    bench.report["goals"] = list(verdicts(bench.report))
    tell_goals(bench.report["goals"])
    if options.json:
        with open(options.json, "w", encoding="utf-8") as f:
            json.dump(bench.report, f, indent=2)


if __name__ == "__main__":
    main()
