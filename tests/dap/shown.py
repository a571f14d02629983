# SPDX-License-Identifier: Apache-2.0
"""
shown: what a client of the Debug Adapter Protocol is shown of a snapshot, in
the shape of `inquest report --json`: threads, frames, arguments and locals.
"""

import contextlib
import os
import re
import sys
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE]

import client  # noqa: E402

import kit     # noqa: E402

# "value@entry", and of a variable that another one hides the line.
NAME = re.compile(r"(.*?(?:@entry)?)(?:@(\d+)(?:#\d+)?)?", re.S)
STATES = {"<optimised out>": "optimized-out", "<not captured>":
          "not-captured", "<not mapped>": "not-mapped"}
GUESS = re.compile(r"<optimised out>, perhaps (.*): "
                   r"a call may have changed it", re.S)
FRAME = re.compile(r"(.*?)( \[signal frame\])?( \[suspect\])?", re.S)
LONG = 1000     # characters of a row, which is cut there


class Failure(Exception):
    """The session is not as it has to be; the text says why."""


def argv_of(path):
    """What speaks: the program, or what INQUEST_DAP names instead."""
    other = os.environ.get("INQUEST_DAP")
    return [*other.split(), path] if other else [kit.need_inquest(), "dap",
                                                 path]


@contextlib.contextmanager
def session(path, _hello=None, **attach):
    """A client at the stop; it says goodbye, and its messages were valid."""
    c = client.Client(client.Stdio(argv_of(path), env={
        **os.environ, "INQUEST_CACHE": kit.work_dir("values.cache")}))
    try:
        c.start(_hello, **attach)
        yield c
        status, said = c.end()
        if status or c.faults:
            raise Failure("status %d %s\n%s" % (status, said,
                                                "\n".join(c.faults[:20])))
    except (EOFError, client.Refused, ValueError, KeyError,
            TimeoutError) as error:
        raise Failure("%s: %s" % (type(error).__name__, error)) from error
    finally:
        c.door.kill()


def variable_of(c, frame, row):
    name, line = NAME.fullmatch(row["name"]).groups()
    text = row["value"]
    found = {"name": name, "type": row.get("type"),
             "state": STATES.get(text, "ok")}
    guess = GUESS.fullmatch(text)
    if guess:
        found.update(state="optimized-out", perhaps=guess.group(1))
    if len(text) >= LONG and "evaluateName" in row:
        text = c.evaluate(row["evaluateName"], frameId=frame,
                          context="clipboard")["result"]
    found["value"] = text
    if line:
        found["line"] = int(line)
    return found


def frame_of(c, row):
    scopes = c.scopes(row["id"])
    found = {"function": FRAME.fullmatch(row["name"]).group(1),
             "file": row.get("source", {}).get("path"), "line": row["line"],
             "pc": row.get("instructionPointerReference")}
    for key, scope in (("arguments", "Arguments"), ("locals", "Locals")):
        reference = scopes.get(scope, {}).get("variablesReference")
        found[key] = [variable_of(c, row["id"], v)
                      for v in c.all_variables(reference)] if reference \
            else []
    return found


def stack_of(c, thread, most):
    """All rows but folds, by pages of 20."""
    rows = []
    while len(rows) < most:
        page = c.stack(thread, startFrame=len(rows), levels=20)
        if not page:
            break
        rows += page
    return [r for r in rows if r.get("presentationHint") != "label"]


def ask(path, most=100):
    """({tid: frames}, seconds) of a core or snapshot."""
    began, said = time.monotonic(), {}
    with session(path) as c:
        for thread in c.body("threads")["threads"]:
            said[thread["id"]] = [frame_of(c, row) for row in
                                  stack_of(c, thread["id"], most)]
    return said, time.monotonic() - began
