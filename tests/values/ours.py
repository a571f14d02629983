# SPDX-License-Identifier: Apache-2.0
"""ours: what `inquest report --json --all-variables` says of the same core."""

import contextlib
import json
import os
import re

import kit

FLAG = "--all-variables"
PATIENCE = 120


class Failure(Exception):
    """The verb failed; the text is what it said."""


def can(inquest):
    """Whether this inquest shows values at all."""
    help_text = kit.run([inquest, "report", "--help"], timeout=60).out
    return FLAG.encode() in help_text


def call(argv):
    done = kit.run(argv, timeout=PATIENCE, keep=1 << 30, env={
        **os.environ, "INQUEST_CACHE": kit.work_dir("values.cache")})
    if done.status:
        raise Failure("%s: %s" % (" ".join(argv), done))
    return done


def ask(inquest, core, snapshot=None):
    """
    {tid: [frames]} of a snapshot with full memory: one that is made of the
    core, or one that was taken with it.
    """
    path = snapshot or "%s.%d.snap" % (core, os.getpid())
    if not snapshot:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        call([inquest, "import", core, "-o", path])
    try:
        done = call([inquest, "report", path, "--json", FLAG])
        report = json.loads(done.out.decode("utf-8", "surrogateescape"))
    except ValueError as error:
        raise Failure("no JSON: %s" % error) from error
    finally:
        if not snapshot:
            os.unlink(path)
    return {t["tid"]: t["frames"] for t in report["threads"]}, done.seconds


# ---- the same of the library alone ---------------------------------------

FRAME = re.compile(r"#(\d+) (.*) (\S*):(\d+)")


def look(program, core, raw):
    """
    The first thread's frames, by tests/values/look: no snapshot, no jail, no
    report between the values and the judge.
    """
    done = call([program, *(["-r"] if raw else []), core])
    frames, before = [], ""
    for line in done.out.decode("utf-8", "surrogateescape").split("\n"):
        found = FRAME.fullmatch(line)
        if found and int(found.group(1)) == len(frames):
            before = "%d %s " % (len(frames), found.group(2))
            frames.append({"function": found.group(2), "locals": [],
                           "file": found.group(3),
                           "line": int(found.group(4))})
        elif before and line.startswith(before):
            name, _, text = line[len(before):].partition(" = ")
            frames[-1]["locals"].append({"name": name.rstrip("!"),
                                         "value": text})
    return frames, done.seconds
