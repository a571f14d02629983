# SPDX-License-Identifier: Apache-2.0
"""
driver: runs inside lldb; carries out a list of commands, a mark before each.

INQ_SCRIPT names a JSON list of commands, INQ_OUT the file that takes what
lldb said. A mark is a line of its own: RS, the command's number, seconds.
Two commands are ours, because lldb numbers threads as it comes to know them:
inq-stopped selects the thread that stopped, inq-thread N the Nth by its id.
"""

import json
import os
import time

import lldb

SETTINGS = ("auto-confirm true", "use-color false", "term-width 200",
            "target.max-string-summary-length 200",
            "interpreter.echo-commands false")


def carry_out(debugger, command):
    """In the context of now: this import is a command with one of its own."""
    result = lldb.SBCommandReturnObject()
    process = debugger.GetSelectedTarget().process
    thread = process.GetSelectedThread()
    context = lldb.SBExecutionContext(thread.GetSelectedFrame())
    debugger.GetCommandInterpreter().HandleCommand(
        command, context if thread else lldb.SBExecutionContext(process),
        result)
    return (result.GetOutput() or "") + (result.GetError() or "")


def choose(process, words):
    threads = sorted(process.threads, key=lambda t: t.GetThreadID())
    if words[0] == "inq-thread":
        chosen = threads[int(words[1]) % len(threads)]
    else:
        reasons = (lldb.eStopReasonSignal, lldb.eStopReasonException)
        stopped = [t for t in threads if t.GetStopReason() in reasons]
        chosen = (stopped or threads)[0]
    process.SetSelectedThread(chosen)
    return "%d\n" % chosen.GetThreadID()


def answer(debugger, command):
    if command.startswith("inq-"):
        return choose(debugger.GetSelectedTarget().process, command.split())
    return carry_out(debugger, command)


def __lldb_init_module(debugger, _):
    debugger.SetAsync(False)
    for setting in SETTINGS:
        carry_out(debugger, "settings set " + setting)
    with open(os.environ["INQ_SCRIPT"], encoding="utf-8") as f:
        script = json.load(f)
    began = time.monotonic()
    with open(os.environ["INQ_OUT"], "w", encoding="utf-8",
              errors="backslashreplace") as out:
        for number, command in enumerate(script + [None]):
            out.write("\n\x1e%d %.3f\n" % (number, time.monotonic() - began))
            out.flush()
            if command is not None:
                out.write(answer(debugger, command))
