#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
capture: what a capture costs beside gdb, lldb, eu-stack and gcore.

  capture.py [WORKLOAD...] [--runs N] [--json FILE] [--list]

The tools take turns at the same live target; figures are medians, completeness
is the worst run's. They are worth something on a quiet machine only, and the
ratios more than the times. A full run takes a quarter of an hour; with
BENCH_QUICK=1 three minutes: three runs, smaller targets, fewer rivals.
"""

import argparse
import datetime
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, HERE)

import contest   # noqa: E402
import crashpad  # noqa: E402
import goals     # noqa: E402
import targets   # noqa: E402
import tools     # noqa: E402

import build    # noqa: E402
import kit      # noqa: E402
import real     # noqa: E402

MIB = float(1 << 20)
QUIET = 0.7     # load at the beginning
# Rivals that a quick run does without.
SLOW = {tools.BT_FULL, tools.EU_ALL}
SLOWEST = {"CR": {tools.LLDB}, "CM": {tools.LLDB, tools.GCORE}}


def number(value, shape="%.1f", scale=1):
    return "-" if value is None else shape % (value / scale)


# head, width, and the text of a summary; `base` is ours.
COLUMNS = (
    ("wall s", 8, lambda s, base: number(s["wall"], "%.3f")),
    ("/ours", 7, lambda s, base: times(s, base, "wall")),
    ("CPU s", 7, lambda s, base: number(s["cpu"], "%.3f")),
    ("RSS MiB", 8, lambda s, base: number(s["rss"], "%.0f", MIB)),
    ("pause ms", 9, lambda s, base: number(s["pause_sum_ms"])),
    ("longest", 8, lambda s, base: number(s["pause_longest_ms"])),
    ("/ours", 7, lambda s, base: times(s, base, "pause_sum_ms")),
    ("inside", 7, lambda s, base: number(s["inside_ms"])),
    ("tick ms", 8, lambda s, base: number(s["tick_gap_ms"])),
    ("threads", 8, lambda s, base: number(s["threads"], "%.0f")),
    ("frames", 7, lambda s, base: number(s["frames"], "%.0f")),
    ("reach", 10, lambda s, base: s["passed"] or "-"),
    ("end at it", 10, lambda s, base: s["ended"] or "-"),
    ("left out", 9, lambda s, base: number(s["left_out"], "%.0f", 1e6)),
    ("file MB", 8, lambda s, base: number(s["bytes"], "%.2f", 1e6)),
    ("on disk", 8, lambda s, base: number(s["disk"], "%.2f", 1e6)),
    ("runs", 6, lambda s, base: "%d/%d" % (s["good"], s["runs"])),
)


def times(summary, base, key):
    if not base or summary[key] is None or not base[key]:
        return "-"
    ratio = summary[key] / base[key]
    return "%.2f" % ratio if ratio < 100 else "%.0f" % ratio


def print_contest(label, held):
    print("\n%s  %s\n    %s" % (label, targets.WORKLOADS[label][0],
                                held.target.about))
    if held.idle_gap is not None:
        print("    largest gap of its ticker with no tool: %.1f ms"
              % held.idle_gap)
    print("%-19s" % "" + "".join("%*s" % (width, head)
                                 for head, width, _ in COLUMNS))
    summaries = {name: held.summary(name) for name in held.tools}
    base = next((s for n, s in summaries.items() if tools.TOOLS[n].main),
                None)
    for name, summary in summaries.items():
        if name in held.skipped:
            print("%-19s skipped: %s" % (name, held.skipped[name]))
            continue
        print("%-19s" % name + "".join(
            "%*s" % (width, text(summary, base))
            for _, width, text in COLUMNS))
        for failure in sorted(set(summary["failures"])):
            print("%-19s   failed: %s" % ("", failure))
    for note in held.notes:
        print("    " + note)
    sys.stdout.flush()
    return summaries


def print_crashpad(directory, runs):
    def watch(target, argv):
        return contest.watch(target, argv, directory, "run")
    try:
        records, text = crashpad.measure(watch, directory, runs)
    except (build.Failure, contest.Gone, OSError) as why:
        records, text = [], "chromium's crash handler: %s" % why
    print("    " + text)
    return records


def print_model(results):
    rows = [(label, name, s) for label, tried in results.items()
            for name, s in tried.items()
            if tools.is_ours(tools.TOOLS[name]) and s["good"] and
            s["inside_ms"]]
    if not rows:
        return
    print("\nThe model beside what was measured: pause = 0.5 + 0.025 x "
          "threads + 0.16 x MB copied; CPU = pause\n+ 1.7 + 0.7 x MB + "
          "0.0005 x frames + 0.2 x modules; RSS = copied + 32 MiB, of the "
          "largest process")
    print("%-28s %9s %9s %9s %9s %9s %9s %9s %9s" % (
        "", "MB copied", "pause ms", "outside", "inside", "CPU ms",
        "measured", "RSS MiB", "measured"))
    for label, name, s in rows:
        pause_ms, cpu_ms, rss = goals.model(s)
        print("%-8s %-19s" % (label, name.strip()) + "".join(
            "%10s" % number(value, shape) for value, shape in (
                (s["copied"] and s["copied"] / 1e6, "%.1f"),
                (pause_ms, "%.1f"), (s["pause_sum_ms"], "%.1f"),
                (s["inside_ms"], "%.1f"), (cpu_ms, "%.0f"),
                (1000 * s["cpu"], "%.0f"), (rss, "%.0f"),
                (s["rss"] / MIB, "%.0f"))))
        if s.get("stages"):
            print("%28s by itself, ms: %s" % ("", ", ".join(
                "%s %.1f" % stage for stage in s["stages"].items())))


def print_goals(verdicts, labels):
    print("\n%-48s %11s %11s   %s" % ("goal", "at most", "is", "verdict"))
    for row in verdicts:
        if row["verdict"] == "not measured" and \
                row["goal"].split(":")[0] not in labels:
            continue
        print("%-48s %11s %11s   %s" % (row["goal"], row["shown_limit"],
                                        row["shown"], row["verdict"]))


def chosen_tools(label):
    slow = SLOW | SLOWEST.get(label, set()) if targets.QUICK else ()
    return [name for name in targets.WORKLOADS[label][2] if name not in slow]


def hold(label, directory, runs):
    """The contest of a workload, held; or why there is none."""
    try:
        with targets.WORKLOADS[label][1](directory) as target:
            held = contest.Contest(target, chosen_tools(label), directory,
                                   runs)
            held.run()
            return held, None
    except (real.Missing, build.Failure) as why:
        return None, str(why)


def versions():
    found = {}
    for name in ("gdb", "lldb", "eu-stack", "chromium", "zstd"):
        try:
            said = subprocess.run([name, "--version"], check=False,
                                  stdout=subprocess.PIPE, timeout=30,
                                  stderr=subprocess.DEVNULL, text=True)
            found[name] = said.stdout.splitlines()[0].strip()
        except (OSError, IndexError, subprocess.TimeoutExpired):
            found[name] = "not installed"
    return found


def machine():
    return {"processors": os.cpu_count(), "kernel": platform.release(),
            "load": os.getloadavg()[0],
            "when": datetime.datetime.now().isoformat(timespec="seconds"),
            "tools": versions()}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[1])
    parser.add_argument("workloads", nargs="*", metavar="WORKLOAD")
    parser.add_argument("--runs", type=int, default=int(
        os.environ.get("BENCH_RUNS", "3" if targets.QUICK else "5")))
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--list", action="store_true",
                        help="name the workloads")
    asked = parser.parse_args()
    unknown = set(asked.workloads) - set(targets.WORKLOADS)
    if unknown:
        parser.error("no such workload: " + ", ".join(sorted(unknown)))
    asked.workloads = asked.workloads or list(targets.WORKLOADS)
    return asked


def print_head(here, asked):
    print("capture beside its rivals: %d runs of each, alternating, after "
          "one that is not counted%s" % (
              asked.runs, "; a quick run, small targets: no figures to quote"
              if targets.QUICK else ""))
    print("%d processors, Linux %s, load %.2f; %s" % (
        here["processors"], here["kernel"], here["load"],
        "; ".join(here["tools"].values())))
    if here["load"] > QUIET:
        print("the machine is not quiet: judge by the ratios, or run again")
    print("pause: its main thread stopped, seen from outside each 0.3 ms (of "
          "eu-stack and of tools that stop thread by thread: the main "
          "thread's own);\ntick: largest gap of a thread of the target that "
          "wakes each 0.2 ms; inside: as the tool itself says\n"
          "reach, end at it: threads whose stack gets to the function in "
          "which a thread begins; left out: MB of private memory, by choice;\n"
          "--memory full runs with --copy-limit 16G")
    sys.stdout.flush()


def tell(here, asked, held, results, began):
    print_model(results)
    verdicts = list(goals.judge(results))
    print_goals(verdicts, asked.workloads)
    if here["load"] > QUIET:
        print("verdicts of a machine that was not quiet (load %.1f)"
              % here["load"])
    print("\n%.0f s in all" % (time.monotonic() - began))
    path = asked.json or os.path.join(kit.work_dir("bench-capture"),
                                      "result.json")
    with open(path, "w", encoding="utf-8") as f:
        json.dump({"machine": here, "runs": asked.runs,
                   "quick": targets.QUICK, "workloads": held,
                   "goals": verdicts}, f, indent=1)
    print("all runs as JSON: " + path)


def main():
    asked = arguments()
    if asked.list:
        for label, (about, _, chosen) in targets.WORKLOADS.items():
            print("%-8s %s: %s" % (label, about, ", ".join(
                name.strip() for name in chosen)))
        return
    if not os.environ.get("INQUEST"):
        sys.exit("INQUEST does not name the program")
    for signum in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, contest.interrupted)
    began, here = time.monotonic(), machine()
    print_head(here, asked)
    held, results = {}, {}
    with tempfile.TemporaryDirectory(
            prefix="run-", dir=kit.work_dir("bench-capture")) as directory:
        subprocess.run(["gcc", "-O2", "-D_GNU_SOURCE", "-o",
                        os.path.join(directory, "watch"),
                        os.path.join(HERE, "watch.c")], check=True)
        for label in asked.workloads:
            one, why = hold(label, directory, asked.runs)
            if not one:
                print("\n%s  skipped: %s" % (label, why))
                held[label] = {"skipped": why}
                continue
            results[label] = print_contest(label, one)
            held[label] = one.as_json()
            if label == "CR":
                held[label]["crashpad"] = print_crashpad(directory,
                                                         asked.runs)
    tell(here, asked, held, results, began)


if __name__ == "__main__":
    main()
