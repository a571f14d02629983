# SPDX-License-Identifier: Apache-2.0
"""ours: what `inquest report --json --all-variables` says of the same core."""

import json
import os

import kit

FLAG = "--all-variables"
PATIENCE = 120


class Failure(Exception):
    """The verb failed; the text is what it said."""


def can(inquest):
    """Whether this inquest shows values at all."""
    help_text = kit.run([inquest, "report", "--help"], timeout=30).out
    return FLAG.encode() in help_text


def call(argv):
    done = kit.run(argv, timeout=PATIENCE, keep=1 << 30)
    if done.status:
        raise Failure("%s: %s" % (" ".join(argv), done))
    return done


def ask(inquest, core, snapshot=None):
    """
    {tid: [frames]} of a snapshot with full memory: one that is made of the
    core, or one that was taken with it.
    """
    path = snapshot or core + ".snap"
    if not snapshot:
        call([inquest, "import", "-f", core, "-o", path])
    try:
        done = call([inquest, "report", path, "--json", FLAG])
        report = json.loads(done.out.decode("utf-8", "surrogateescape"))
    except ValueError as error:
        raise Failure("no JSON: %s" % error) from error
    finally:
        if not snapshot:
            os.unlink(path)
    return {t["tid"]: t["frames"] for t in report["threads"]}, done.seconds
