#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
export: debuggers say on an exported core what they say on the kernel's.

Of each victim a core is exported from the kernel's core and from the snapshot
of it. gdb carries out the commands of tests/gdb/script.py on them, lldb shows
every stack, elfutils and binutils read them, and inquest imports them again;
nothing may differ but DIFFERENCES. Then what the verb says.

  export.py [NAME...]   those victims
"""

import json
import os
import re
import shutil
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [os.path.join(os.path.dirname(HERE), folder)
                for folder in ("gdb", "victims")]

import build    # noqa: E402
import compare  # noqa: E402
import kit      # noqa: E402
import live     # noqa: E402
import script   # noqa: E402
import session  # noqa: E402

VICTIMS = ("threads", "overflow", "handler", "containers", "stripped",
           "static", "staticpie", "child", "jump", "heaplist", "registers",
           "hundred", "gcore")
LIVE = ["inq-frames", "inq-memory", "thread 1", "x/16xg $sp", "x/8i $pc",
        "thread apply all -q info registers rip rsp rbp rbx rax eflags fs_base",
        "thread apply all -q p $xmm0", "info auxv", "p victim_tls", "bt full"]
LIVE_DIFFERENCES = [compare.Difference(pairs) for pairs in (
    (("difference", "xstate"), ("reason", "gdb 13 does not know the layout of "
      "some processors, in the kernel's cores neither"),
     ("ours-adds", r"^warning: Section .* in core file too small\.\n")),
)]
DIFFERENCES = [compare.Difference(pairs) for pairs in (
    (("difference", "segments"), ("commands", "info files"),
     ("reason", "what was not captured has no segment, and pages of code "
      "around frames have one of their own"),
     ("core-says", r"Local core dump file(.|\n)*is load1(.|\n)*is \.text"),
     ("ours-says", r"Local core dump file(.|\n)*is load1(.|\n)*is \.text")),
)]
# Words in what readers complain of.
COMPLAINTS = re.compile(r"warning|error|invalid|truncated|beyond|corrupt",
                        re.I)


def work(name):
    return os.path.join(kit.work_dir("export"), name)


def run_verb(inquest, *words):
    return kit.run([inquest, *words], timeout=60)


def imported(inquest, core):
    path = work("imported.snap")
    result = run_verb(inquest, "import", "-o", path, core)
    return path, result


def exported(tap, inquest, made, what):
    """The core that is exported of the core, or of the snapshot of it."""
    origin = made.core if what == "core" else imported(inquest, made.core)[0]
    path = work("%s.%s.core" % (made.name, what))
    result = run_verb(inquest, "export", origin, "--core", path)
    passed = result.status == 0 and result.out.decode() == path + "\n"
    tap.ok(passed, "%s/%s: a core is exported" % (made.name, what), result)
    return path if passed else None


# ---- gdb ---------------------------------------------------------------------

def in_gdb(made, core, commands):
    return session.run(["file " + made.program, "core-file " + core],
                       commands, made.core, cwd=made.directory)


def compare_gdb(tap, made, what, kernels, path):
    ours = in_gdb(made, path, kernels.script)
    judge = compare.Judge(DIFFERENCES)
    diffs = [judge.unexplained(made.name, what, command, one, other)
             for (command, one), (_, other) in zip(kernels.outputs,
                                                   ours.outputs)]
    opening = [text.replace(core, "CORE") for text, core in
               ((kernels.opening, made.core), (ours.opening, path))]
    diffs.append("" if opening[0] == opening[1] else
                 compare.unified(*opening, "opening"))
    diffs = [diff for diff in diffs if diff]
    tap.ok(not diffs, "%s/%s: gdb says what it says on the kernel's core, "
           "%d commands" % (made.name, what, len(ours.outputs)),
           "%d differ\n%s" % (len(diffs), "\n".join(diffs)))


# ---- lldb --------------------------------------------------------------------

def stacks_in_lldb(made, core):
    result = kit.run(["lldb", "-b", "-c", core, made.program,
                      "-o", "thread backtrace all"], timeout=300,
                     cwd=made.directory, env=session.environment())
    text = result.out.decode("utf-8", "replace")
    return re.findall(r"(?:thread #\d+|frame #\d+: 0x[0-9a-f]+.*)", text)


def compare_lldb(tap, made, what, kernels, path):
    ours = stacks_in_lldb(made, path)
    tap.ok(ours and ours == kernels, "%s/%s: lldb shows the same stacks, %d "
           "lines" % (made.name, what, len(ours)),
           compare.unified("\n".join(kernels), "\n".join(ours), "bt all"))


# ---- readers -----------------------------------------------------------------

def complaints(argv):
    result = kit.run(argv, merge=True, env=session.environment())
    text = result.out.decode("utf-8", "replace")
    said = [line for line in text.splitlines() if COMPLAINTS.search(line)]
    return said or result.status and [str(result)]


def read_by_others(tap, made, what, path):
    for argv in (["readelf", "-lWn"], ["eu-readelf", "-ln"],
                 ["eu-unstrip", "-n", "--core=" + path]):
        if not shutil.which(argv[0]):
            tap.skip("%s/%s: %s reads it" % (made.name, what, argv[0]),
                     "it is not installed")
            continue
        words = argv if argv[-1].endswith(path) else argv + [path]
        said = complaints(words)
        tap.ok(not said, "%s/%s: %s reads it without complaint"
               % (made.name, what, argv[0]), "\n".join(said or ()))


def modules_of(core):
    result = kit.run(["eu-unstrip", "-n", "--core=" + core],
                     env=session.environment())
    return sorted(line.split()[:2] for line in
                  result.out.decode("utf-8", "replace").splitlines())


def compare_modules(tap, made, what, path):
    if shutil.which("eu-unstrip"):
        one, other = modules_of(made.core), modules_of(path)
        tap.ok(one == other, "%s/%s: elfutils finds the same modules"
               % (made.name, what), "%s\n%s" % (one, other))


def report_of(inquest, path):
    """The parts of a report that a core can carry."""
    result = run_verb(inquest, "report", "--json", path)
    try:
        report = json.loads(result.out)
    except ValueError:
        return str(result)
    return json.dumps({key: report[key] for key in (
        "reason", "process", "threads", "groups", "modules")}, indent=1)


def imported_again(tap, inquest, made, what, path):
    one = report_of(inquest, imported(inquest, made.core)[0])
    snap, result = imported(inquest, path)
    other = report_of(inquest, snap)
    tap.ok(result.status == 0, "%s/%s: it is imported again"
           % (made.name, what), result)
    tap.ok(one == other, "%s/%s: the report is the same"
           % (made.name, what), compare.unified(one, other, "report"))


# ---- all of it ---------------------------------------------------------------

def check_victim(tap, inquest, name):
    try:
        made = build.ensure(name)
    except build.Failure as failure:
        tap.ok(False, "%s is made" % name, failure)
        return
    kernels = in_gdb(made, made.core, script.looks(made.victim.tags))
    stacks = shutil.which("lldb") and stacks_in_lldb(made, made.core)
    for what in ("core", "snap"):
        path = exported(tap, inquest, made, what)
        if not path:
            continue
        compare_gdb(tap, made, what, kernels, path)
        if stacks:
            compare_lldb(tap, made, what, stacks, path)
        read_by_others(tap, made, what, path)
        compare_modules(tap, made, what, path)
        imported_again(tap, inquest, made, what, path)


def check_verb(tap, inquest):
    core = build.ensure("threads").core
    path = work("verb.core")
    result = run_verb(inquest, "export", core, "--core", path, "--json")
    said = json.loads(result.out or b"{}")
    tap.ok(said.get("path") == path and said.get("threads") == 9
           and said.get("bytes") == os.path.getsize(path),
           "verb: --json tells what was written", result)
    tap.ok(os.stat(path).st_mode & 0o777 == 0o600,
           "verb: only its owner may read it")
    taken = os.stat(path).st_blocks * 512
    tap.ok(taken < os.path.getsize(path) / 10,
           "verb: zeros take no room: %d of %d bytes"
           % (taken, os.path.getsize(path)))
    for words, status in ((("export", core), 2),
                          (("export", core, "--core", "/dev/null"), 2),
                          (("export", core, "--core", core), 2),
                          (("export", core, "--core", "/"), 2),
                          (("export", work("none"), "--core", path), 3),
                          (("export", core, "--core", work("none/x")), 3),
                          (("export", __file__, "--core", path), 1)):
        result = run_verb(inquest, *words)
        tap.ok(result.status == status and not result.out and
               result.err.count(b"\n") == 1,
               "verb: %s ends with %d" % (" ".join(words[2:]) or "no --core",
                                          status), result)


def check_live(tap, inquest):
    """There is no kernel's core of it: gdb on the stub is the judge."""
    made = build.ensure("waiting")
    snap, path = work("live.snap"), work("live.core")
    with live.running(made) as process:
        memory = session.mappings_of(process.pid)
        results = [run_verb(inquest, "capture", *kit.UNHURRIED,
                            str(process.pid), "-o", snap),
                   run_verb(inquest, "export", snap, "--core", path)]
    tap.ok(all(r.status == 0 for r in results),
           "live: a core is exported of a picture", results[-1])
    stub = session.on_stub(inquest, snap, memory, LIVE, made.program)
    ours = session.run(["file " + made.program, "core-file " + path], LIVE,
                       memory, cwd=made.directory)
    for (command, one), (_, other) in zip(stub.outputs, ours.outputs):
        diff = compare.Judge(LIVE_DIFFERENCES).unexplained(
            made.name, "live", command, one, other)
        tap.ok(not diff, "live: %s: as on the stub" % command, diff)
    read_by_others(tap, made, "live", path)


def check_damaged(tap, inquest):
    """What is there is written, and that something is not is said."""
    made = build.ensure("cut")
    path = work("cut.core")
    result = run_verb(inquest, "export", made.core, "--core", path)
    tap.ok(result.status == 6 and os.path.exists(path),
           "damaged: a cut core is exported, with exit status 6", result)
    said = complaints(["readelf", "-lWn", path])
    tap.ok(not said, "damaged: what is exported is sound", said)


def main():
    inquest = kit.need_inquest()
    for tool in ("gdb", "gcc", "readelf"):
        kit.need_tool(tool)
    tap = kit.Tap()
    for name in sys.argv[1:] or VICTIMS:
        check_victim(tap, inquest, name)
    if not sys.argv[1:]:
        check_verb(tap, inquest)
        check_live(tap, inquest)
        check_damaged(tap, inquest)
    tap.leave()


if __name__ == "__main__":
    main()
