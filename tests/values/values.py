#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
values: every argument and local of every frame is what gdb shows of it.

A corpus of programs, built as `table` says, stops at chosen places; gdb is
asked about the core (-stack-list-variables), we about a snapshot of it, and
the values are compared as trees. What differs must stand in `exceptions`.
Before that gdb's texts are held against gdb's own values: a judge that reads
them wrongly judges nothing.

  values.py [--all | --real] [--raw] [--look | --dap] [-v] [--json FILE]
            [CASE...]

  CASE      PROGRAM/BUILD/PLACE, with '*'; --all: the whole table, else the
            short form; --real: ceph-mon, python3.11, redis, sqlite instead;
            --raw: without gdb's pretty printers; -v: all that differs;
            --look: the library alone (tests/values/look), one thread of each;
            --dap: as a client of the Debug Adapter Protocol is shown it
"""

import collections
import concurrent.futures
import fnmatch
import hashlib
import json
import os
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE, *(os.path.join(os.path.dirname(HERE), folder)
                        for folder in ("victims", "dap"))]

import build as victims  # noqa: E402
import corpus            # noqa: E402
import gdbmi             # noqa: E402
import gdbside           # noqa: E402
import gdbvalue          # noqa: E402
import judge             # noqa: E402
import kit               # noqa: E402
import ours              # noqa: E402
import shown             # noqa: E402
import verdict           # noqa: E402

SHOWN = 12      # differences of a case that are printed without -v


class Options:
    def __init__(self, words):
        self.all = "--all" in words
        self.real = "--real" in words
        self.look = "--look" in words
        self.dap = "--dap" in words
        self.raw = "--raw" in words
        self.verbose = "-v" in words
        self.strict = self.all or self.real or "--strict" in words
        self.json = None
        if "--json" in words:
            at = words.index("--json")
            self.json = words[at + 1]
            del words[at:at + 2]
        self.patterns = [w for w in words if not w.startswith("-")]
        self.whole = self.all and not self.patterns

    def wants(self, case):
        if self.patterns:
            return any(fnmatch.fnmatch(corpus.label(case), p)
                       for p in self.patterns)
        return self.all or case.short


# ---- gdb's side, kept beside the core ------------------------------------

def gdb_stamp(raw):
    hasher = hashlib.sha256(repr(raw).encode())
    for name in ("gdbside.py", "gdbmi.py", "walker.py"):
        with open(os.path.join(HERE, name), "rb") as f:
            hasher.update(f.read())
    return hasher.hexdigest()


def gdb_says(program, core, raw):
    path = core + (".raw" if raw else ".gdb")
    with corpus.locked(path):
        return gdb_is_asked(program, core, raw, path)


def gdb_is_asked(program, core, raw, path):
    want = gdb_stamp(raw)
    if os.path.exists(path) and os.stat(path).st_mtime > \
            os.stat(core).st_mtime:
        with open(path, encoding="utf-8") as f:
            kept = json.load(f)
        if kept["stamp"] == want:
            return kept["threads"]
    threads = gdbside.ask(program, core, raw)
    with open(path, "w", encoding="utf-8") as f:
        json.dump({"stamp": want, "threads": threads}, f)
    return threads


def check_texts(threads, raw):
    """Complaints about the judge's reading of gdb's texts, and how many."""
    wrong, count, lost = [], 0, 0
    for thread in threads:
        for frame in thread["frames"]:
            for variable in frame["variables"]:
                if variable["value"] is None:
                    continue
                count += 1
                lost += variable["value"] == judge.LOST
                said = check_text(variable, frame, raw)
                if said:
                    wrong.append("%s in %s: %s" % (variable["name"],
                                                   frame["function"], said))
    return wrong, count, lost


def check_text(variable, frame, raw):
    text, language = variable["value"], frame["language"]
    try:
        node = gdbvalue.parse(text, language)
        for each in strings_of(node):
            judge.units(each, language)
    except gdbvalue.Unreadable as error:
        return "not read: %s" % error
    if gdbvalue.show(node) != text and language != gdbvalue.FORTRAN:
        return "read as %s, of %s" % (gdbvalue.show(node), text)
    # A pretty printer shows what it likes; C has none.
    plain = raw or (frame["file"] or "").endswith(".c")
    if plain and not judge.follows(node, variable["outline"]):
        return "%s has not the fields %s" % (text, variable["outline"])
    return None


def strings_of(node):
    if node.kind == "string":
        yield node
    elif node.kind == "group":
        for _, item in node.items:
            yield from strings_of(item)


# ---- one case ------------------------------------------------------------

class Result:
    def __init__(self, label):
        self.label = label
        self.skipped = self.failed = None
        self.wrong, self.count, self.lost = [], 0, 0
        self.verdict = None


def judge_case(label, made, inquest, raw):
    """A Result; made() gives the program and the core."""
    result = Result(label)
    try:
        program, core = made()
        threads = gdb_says(program, core, raw)
        result.wrong, result.count, result.lost = check_texts(threads, raw)
        if inquest:
            said, seconds = inquest(threads, core, raw)
            result.verdict = verdict.compare(threads, said, seconds)
    except corpus.Missing as missing:
        result.skipped = str(missing)
    except (victims.Failure, gdbmi.Malformed, ours.Failure,
            shown.Failure, OSError) as failure:
        result.failed = str(failure)
    return result


def ask_look(threads, core, raw):
    """The library alone, of the first thread."""
    program = os.path.join(kit.build_dir(), "tests/values/look")
    frames, seconds = ours.look(program, core, raw)
    del threads[1:]
    return {threads[0]["lwp"]: frames}, seconds


def answerer(options):
    """What asks ours: (threads, core, raw) -> ({tid: frames}, seconds)."""
    inquest = kit.need_inquest()
    if options.look:
        return ask_look
    if options.dap:
        return lambda threads, core, raw: shown.ask(core)
    if options.raw or not ours.can(inquest):
        return None
    return lambda threads, core, raw: ours.ask(inquest, core)


def run_group(cases, inquest, options):
    return [judge_case(corpus.label(c),
                       lambda c=c: corpus.ensure_core(c),
                       *how_asked(c, inquest, options)) for c in cases]


def how_asked(case, inquest, options):
    """gdb has no printers for libc++: there ours are asked for none, too."""
    plain = "-stdlib=libc++" in case.build.flags
    if plain and inquest:
        return ask_look, True
    return inquest, options.raw


def run_all(cases, inquest, options):
    """Results in the order of the table; one build is one job."""
    groups = collections.defaultdict(list)
    for case in cases:
        groups[case.program, case.build.name].append(case)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 2) as pool:
        jobs = [pool.submit(run_group, group, inquest, options)
                for group in groups.values()]
        for job in jobs:
            yield from job.result()


def run_real(inquest, options):
    """One after the other: they are large."""
    import real_programs  # pylint: disable=import-outside-toplevel
    for label, made, raw in real_programs.cases(options.patterns):
        yield judge_case(label, made, inquest, raw or options.raw)


# ---- what is said about it -----------------------------------------------

def report_case(tap, result, listed, options):
    name = result.label
    if result.skipped:
        tap.skip("%s: gdb's values are read" % name, result.skipped)
        return
    if not tap.ok(not result.failed and not result.wrong and result.count,
                  "%s: gdb's %d values are read" % (name, result.count),
                  result.failed or "\n".join(result.wrong)):
        return
    if not result.verdict:
        return
    unlisted = [d for d in result.verdict.differences
                if not verdict.explain(listed, name, d)]
    result.verdict.unlisted = len(unlisted)
    shown = unlisted if options.verbose else unlisted[:SHOWN]
    title = "%s: ours are equal, %s" % (name, result.verdict)
    if options.strict or not unlisted:
        tap.ok(not unlisted, title, "\n".join(map(str, shown)))
    else:
        tap.note("\n".join(["differs: " + title, *map(str, shown)]))


def report_all(tap, results, listed, inquest, options):
    done = [r for r in results if not r.skipped and not r.failed]
    tap.note("%d cases, %d skipped; %d values, %d of them optimized out" % (
        len(done), sum(bool(r.skipped) for r in results),
        sum(r.count for r in done), sum(r.lost for r in done)))
    if not inquest:
        tap.note("this inquest shows no values: gdb's alone are read")
        return
    total = verdict.total(r.verdict for r in done if r.verdict)
    tap.note("together: %s" % total)
    for kind, count in total.kinds().most_common():
        tap.note("%6d %s" % (count, kind))
    tap.ok(total.share() >= 0.99,
           "of 100 values 99 are equal (%.2f %%)" % (100 * total.share()))
    for exception in listed:
        tap.note("%6d listed: %s" % (exception.used, exception.name))
        if options.whole and exception.everywhere:
            tap.ok(exception.used, "listed and found: " + exception.name)


def as_json(results):
    return {r.label: {"skipped": r.skipped, "failed": r.failed,
                      "values": r.count, "optimized-out": r.lost,
                      "verdict": r.verdict and r.verdict.as_json()}
            for r in results}


def main():
    options = Options(sys.argv[1:])
    inquest = answerer(options)
    kit.need_tool("gdb")
    kit.need_tool("gcc")
    tap = kit.Tap()
    listed = verdict.read_exceptions(os.path.join(HERE, "exceptions"))
    cases = [c for c in corpus.read_table()[1] if options.wants(c)]
    results = []
    for result in run_real(inquest, options) if options.real else \
            run_all(cases, inquest, options):
        report_case(tap, result, listed, options)
        results.append(result)
    report_all(tap, results, listed, inquest, options)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as f:
            json.dump(as_json(results), f, indent=1)
    tap.leave()


if __name__ == "__main__":
    main()
