#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
emacs: dape in an Emacs without a screen, set up as EDITORS.md says, sees why a
process died, its frames, variables, memory and machine code, and is told why
nothing runs; the adapter is started by it, and listens on a port.

DAPE=PATH names a copy of dape, and after a colon one of jsonrpc where Emacs
has an older one than dape needs (Emacs 30 has not).
"""

import json
import os
import re
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "victims")]

import heard   # noqa: E402
import kit     # noqa: E402
import values  # noqa: E402

EDITORS = os.path.join(os.path.dirname(os.path.dirname(HERE)), "EDITORS.md")
SCOPES = ["Arguments", "Locals", "Registers", "Globals", "Thread-locals"]


def configuration(home, inquest, path, port):
    """A file with the one of EDITORS.md, for this program and snapshot."""
    with open(EDITORS, encoding="utf-8") as f:
        text = re.search(r"```elisp\n(.*?)```", f.read(), re.S)[1]
    for was, now in (('command "inquest"', "command " + json.dumps(inquest)),
                     ('"/path/to/SNAP"', json.dumps(path)),
                     ("port 4711", "port " + (port or "4711"))):
        if text.count(was) != 1:
            raise AssertionError("EDITORS.md has no " + was)
        text = text.replace(was, now)
    place = os.path.join(home, "config.el")
    with open(place, "w", encoding="utf-8") as f:
        f.write(text)
    return place


def run_emacs(dape, inquest, path, port=None):
    """What emacs.el saw, and what it printed."""
    home = kit.work_dir("dap", "emacs")
    result = os.path.join(home, "seen.json")
    if os.path.exists(result):
        os.unlink(result)
    env = {**os.environ, "HOME": home, "XDG_CONFIG_HOME": home,
           "XDG_CACHE_HOME": home, "DAPE_RESULT": result,
           "DAPE_CONFIG": configuration(home, inquest, path, port),
           "DAPE_NAME": "inquest-port" if port else "inquest",
           "INQUEST_CACHE": kit.work_dir("values.cache")}
    places = [a for p in dape.split(os.pathsep) for a in ("-L", p)]
    done = kit.run(["emacs", "--batch", "-Q", *places, "-l",
                    os.path.join(HERE, "emacs.el")], timeout=150, env=env,
                   merge=True)
    try:
        with open(result, encoding="utf-8") as f:
            return json.load(f), done
    except (OSError, ValueError):
        return {}, done


def judged(tap, where, seen, done):
    tap.ok(not seen.get("why") and seen.get("name") == "deref" and
           str(seen.get("path")).endswith("/spoken.c"),
           where + ": the frame of the crash is shown",
           "%s\n%s" % (seen.get("why"), done))
    tap.ok("READ of 0x0" in str(seen.get("repl")),
           where + ": it says why", seen.get("repl"))
    tap.ok(seen.get("scopes") == SCOPES and seen.get("threads") == 4 and
           seen.get("arguments") == ["n", "depth"],
           where + ": threads, scopes and variables are there", seen)
    tap.ok(seen.get("evaluated") is True,
           where + ": an expression is worth something", seen.get("repl"))
    tap.ok(seen.get("refused") is True,
           where + ": it says that nothing runs", seen.get("messages"))
    tap.ok(seen.get("code") is True and seen.get("memory") is True,
           where + ": code and memory are shown", seen)


def main():
    inquest = kit.need_inquest()
    dape = os.environ.get("DAPE")
    if not dape:
        kit.Tap.skip_all("DAPE does not name a copy of dape")
    kit.need_tool("emacs")
    kit.need_tool("gcc")
    tap = kit.Tap()
    path = values.snapshot_of(inquest, "spoken")
    judged(tap, "started", *run_emacs(dape, inquest, path))
    heard.on_a_port(tap, inquest, path, lambda port: judged(
        tap, "on a port", *run_emacs(dape, inquest, path, port)))
    tap.leave()


if __name__ == "__main__":
    main()
