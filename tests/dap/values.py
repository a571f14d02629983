#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
values: what is shown over the Debug Adapter Protocol is what gdb shows, and
what `inquest report --json` says.

The first by tests/values/values.py --dap of some cases of its corpus (all of
them: make check-values-dap); the second of snapshots of crashes, frame by frame
and variable by variable, where memory and files are missing, too.
"""

import json
import os
import subprocess
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "victims")]

import build   # noqa: E402
import kit     # noqa: E402
import shown   # noqa: E402

CASES = ("bases/O0/1", "arrays/O0/2", "strings/O0/1", "shadowed/O0/2",
         "inlined/O2/1", "inlined/split/1", "optimized/O2/1",
         "classes/O0/3", "containers/O0/1")
VICTIMS = ("threads", "containers", "jump", "heaplist", "cut", "filtered")
LOST = {"optimized-out": "<optimised out>", "not-captured": "<not captured>",
        "not-mapped": "<not mapped>"}


def as_gdb(tap):
    """The verdicts of the other script are ours."""
    script = os.path.join(os.path.dirname(HERE), "values", "values.py")
    done = subprocess.run([sys.executable, script, "--dap", "--strict",
                           *CASES], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, check=False, text=True)
    for line in done.stdout.splitlines():
        if line.startswith(("ok ", "not ok ")):
            how, _, name = line.partition(" - ")
            name, skipped, why = name.partition(" # SKIP ")
            if skipped:
                tap.skip(name, why)
            else:
                tap.ok(how.startswith("ok"), name)
        elif line.startswith("# "):
            tap.note(line[2:])


def snapshot_of(inquest, name):
    path = os.path.join(kit.own_dir(), name + ".snap")
    if os.path.exists(path):
        os.unlink(path)
    result = kit.run([inquest, "import", build.ensure(name).core, "-o", path])
    # 6: the core is damaged, and a snapshot of what it has is made.
    if result.status not in (0, 6):
        raise shown.Failure(str(result))
    return path


def reported(inquest, path):
    """{tid: frames} as the report has them."""
    result = kit.run([inquest, "report", path, "--json", "--all-variables"],
                     env={**os.environ,
                          "INQUEST_CACHE": kit.work_dir("values.cache")})
    if result.status:
        raise shown.Failure(str(result))
    return {t["tid"]: t["frames"] for t in json.loads(result.out)["threads"]}


def variable_key(v, with_line):
    return (v["name"], v.get("type"), LOST.get(v["state"], v["value"]),
            v.get("perhaps"),
            v.get("line") if with_line else None)


def difference(theirs, ours):
    """None, or what differs of one frame: of the report's, and of ours."""
    known = theirs.get("function") and not theirs.get("stored")
    if known and theirs["function"] != ours["function"]:
        return theirs["function"], ours["function"]
    for key in ("pc", "line"):
        if (theirs.get(key) or 0) != (ours.get(key) or 0):
            return "%s %s" % (key, theirs.get(key)), ours.get(key)
    if os.path.basename(theirs.get("file") or "") != \
            os.path.basename(ours.get("file") or ""):
        return theirs.get("file"), ours.get("file")
    for key in ("arguments", "locals"):
        mine, rest = ours[key], theirs.get(key) or []
        for k, other in enumerate(rest):
            one = mine[k] if k < len(mine) else None
            if one is None or variable_key(one, "line" in one) != \
                    variable_key(other, "line" in one):
                return other, one
        if len(mine) > len(rest):
            return None, mine[len(rest)]
    return None


def as_reported(tap, inquest, name):
    path = snapshot_of(inquest, name)
    theirs = reported(inquest, path)
    said, _ = shown.ask(path, most=1000)
    count, wrong = 0, []
    for tid, frames in theirs.items():
        mine = said.get(tid, [])
        if len(frames) != len(mine):
            wrong.append("thread %d has %d frames, not %d" % (
                tid, len(mine), len(frames)))
        for depth, (one, other) in enumerate(zip(frames, mine)):
            found = difference(one, other)
            count += 1 + len(other["arguments"]) + len(other["locals"])
            if found:
                wrong.append("%d #%d report %s\n    dap %s" % (
                    tid, depth, *found))
    tap.ok(not wrong and count and set(theirs) == set(said),
           "%s: %d frames and variables are what the report says" % (
               name, count), "\n".join(wrong[:10]))


def main():
    inquest = kit.need_inquest()
    kit.need_tool("gcc")
    tap = kit.Tap()
    if kit.shutil.which("gdb"):
        as_gdb(tap)
    else:
        tap.skip("values are gdb's", "gdb is not installed")
    for name in VICTIMS:
        try:
            as_reported(tap, inquest, name)
        except (shown.Failure, build.Failure) as failure:
            tap.ok(False, name + ": is shown", failure)
    tap.leave()


if __name__ == "__main__":
    main()
