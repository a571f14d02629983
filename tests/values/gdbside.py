# SPDX-License-Identifier: Apache-2.0
"""
gdbside: what gdb says of a core - threads, frames, every argument and local.

ask() returns [{"lwp", "frames": [{"function", "file", "line", "inlined",
"language", "variables": [{"name", "value", "type", "line", ...}]}]}]; a value
is the text that gdb shows, or None where it shows none. Variables that
-stack-list-variables leaves out (constants, and those without any location)
are the ones that `info locals` adds to it.
"""

import json
import os
import re

import gdbmi
import gdbvalue

HERE = os.path.dirname(os.path.realpath(__file__))
DEEPEST = 100

# gdb has faults of its own: where it meets one, it goes on.
FAULTS = ("maint set internal-error quit no",
          "maint set internal-error corefile no")
SETTINGS = ("set width unlimited", "set height unlimited",
            "set backtrace past-main on", "set backtrace limit %d" % DEEPEST,
            "set print max-depth 20")


def ask(program, core, raw=False, most_threads=64):
    """Where gdb dies of the walker, it is asked again without."""
    try:
        return ask_once(program, core, raw, most_threads, True)
    except gdbmi.Gone:
        return ask_once(program, core, raw, most_threads, False)


def ask_once(program, core, raw, most_threads, walk):
    with gdbmi.Session([program, core]) as gdb:
        for setting in SETTINGS:
            gdb.ask("-gdb-" + setting)
        for setting in FAULTS:
            gdb.console(setting)
        gdb.console("source " + os.path.join(HERE, "walker.py"))
        if raw:
            gdb.console("disable pretty-printer")
        threads = gdb.ask("-thread-info")["threads"]
        return [thread_of(gdb, t, walk) for t in threads[:most_threads]]


def thread_of(gdb, thread, walk):
    gdb.ask("-thread-select " + thread["id"])
    frames = gdb.ask("-stack-list-frames 0 %d" % (DEEPEST - 1))["stack"]
    told = [{"inlined": None, "symbols": []}] * len(frames)
    if walk:
        told = json.loads(gdb.console("python tell()").encode("latin-1"))
    lwp = re.search(r"LWP (\d+)|process (\d+)", thread["target-id"])
    return {"lwp": int(lwp.group(1) or lwp.group(2)) if lwp else 0,
            "frames": [frame_of(gdb, thread["id"], frame, more)
                       for frame, more in zip(frames, told)]}


def frame_of(gdb, thread, frame, told):
    listed = gdb.try_ask("-stack-list-variables --thread %s --frame %s"
                         " --all-values" % (thread, frame["level"]))
    fullname = frame.get("fullname") or frame.get("file")
    variables = [] if listed is None else listed["variables"]
    return {"function": frame.get("func"), "file": fullname,
            "line": int(frame["line"]) if "line" in frame else None,
            "pc": frame["addr"], "inlined": told["inlined"],
            "listed": listed is not None,
            "language": gdbvalue.language_of(fullname),
            "variables": joined(variables, told["symbols"])}


def joined(variables, symbols):
    """The two lists have the same order; the machine's has @entry, too."""
    found, symbols = [], list(symbols)
    for variable in variables:
        name = variable["name"]
        symbol = {} if name.endswith("@entry") else next_of(symbols, name)
        found.append({"name": name, "value": variable.get("value") or None,
                      "argument": "arg" in variable, "unlisted": False,
                      **{k: symbol.get(k) for k in (
                          "type", "line", "address", "lost", "outline")}})
    for symbol in symbols:
        if symbol["unlisted"]:
            found.append({**symbol, "value": symbol["text"] or None})
    return found


def next_of(symbols, name):
    for symbol in symbols:
        if symbol["name"] == name and not symbol["unlisted"]:
            symbols.remove(symbol)
            return symbol
    return {}
