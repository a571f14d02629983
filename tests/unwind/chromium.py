#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
chromium: every stack of a browser and of its renderer ends at its thread's
start. Their code has next to no unwind tables, but frame pointers.

A capture of each, by the verb, against eu-stack on the same process: no fewer
frames in any thread that stands where it stood, and no stack cut short.
"""

import json
import os
import re
import shutil
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
TESTS = os.path.dirname(HERE)
sys.path[:0] = [os.path.join(TESTS, name) for name in
                ("gdb", "victims", "capture")]

import build     # noqa: E402
import kit       # noqa: E402
import programs  # noqa: E402
import real      # noqa: E402

STARTS = re.compile(r"_start|_{0,2}clone3?")
TRIES = 5


def of_eu_stack(pid):
    """Addresses by thread."""
    out = kit.run(["eu-stack", "-n", "0", "-p", str(pid)], timeout=300).out
    found, tid = {}, None
    for line in out.decode("utf-8", "replace").splitlines():
        if line.startswith("TID "):
            tid = int(line[4:].rstrip(":"))
            found[tid] = []
        frame = re.match(r"#\d+ +(0x[0-9a-f]+)", line)
        if frame and tid is not None:
            found[tid].append(int(frame.group(1), 16))
    return found


def ours(pid, directory):
    """Threads as report has them, from a capture."""
    path = os.path.join(directory, "snap")
    taken = kit.run([kit.need_inquest(), "capture", "--memory", "stacks", "-o",
                     path, str(pid)], timeout=300)
    told = kit.run([kit.need_inquest(), "report", "--json", path], timeout=300)
    if taken.status or told.status:
        raise real.Missing("no report: %s %s" % (taken, told))
    return {thread["tid"]: thread
            for thread in json.loads(told.out)["threads"]}


def faults(mine, theirs):
    """What is wrong with threads that eu-stack saw at the same place."""
    wrong, same = [], 0
    for tid, thread in mine.items():
        pcs = [int(frame["pc"], 16) for frame in thread["frames"]]
        names = [frame.get("function") or "" for frame in thread["frames"]]
        if thread["end"] != "complete" or not STARTS.match(names[-1]):
            wrong.append((tid, thread["end"], thread.get("why"), names[-3:]))
        addresses = theirs.get(tid)
        if not addresses or addresses[0] != pcs[0]:
            continue
        same += 1
        missing = [hex(a) for a in addresses if a not in pcs]
        if len(addresses) > len(pcs) and missing:
            wrong.append((tid, "eu-stack has", missing))
    return wrong, same


def check(tap, name, pid, directory):
    for _ in range(TRIES):      # a thread may move between the two
        mine, theirs = ours(pid, directory), of_eu_stack(pid)
        wrong, same = faults(mine, theirs)
        if not wrong and same:
            break
    complete = sum(t["end"] == "complete" for t in mine.values())
    frames = sum(len(t["frames"]) for t in mine.values())
    tap.ok(complete == len(mine) and len(mine) > 5,
           "%s: %d of %d stacks are complete" % (name, complete, len(mine)),
           "\n".join(map(str, wrong)))
    tap.ok(not wrong and same > 3, "%s: %d frames, no thread has fewer than "
           "in eu-stack" % (name, frames), "\n".join(map(str, wrong)))
    suspect = [frame for t in mine.values() for frame in t["frames"]
               if frame.get("suspect")]
    tap.ok(not suspect, "%s: no frame is suspect" % name, suspect)


def main():
    kit.need_tool("eu-stack")
    tap = kit.Tap()
    directory = tempfile.mkdtemp(prefix="inquest-")
    try:
        browser = programs.Chromium(directory)
        with browser.run():
            check(tap, "the browser", browser.pids[0], directory)
            check(tap, "its renderer", browser.pids[1], directory)
    except real.Missing as missing:
        tap.skip("stacks of chromium", str(missing))
    except build.Failure as failure:
        tap.ok(False, "chromium runs", failure)
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    tap.leave()


if __name__ == "__main__":
    main()
