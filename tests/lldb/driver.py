# SPDX-License-Identifier: Apache-2.0
"""
driver: runs inside lldb; carries out a list of commands, a mark before each.

INQ_SCRIPT names a JSON list of commands, INQ_OUT the file that takes what
lldb said. A mark is a line of its own: RS, the command's number, seconds.
"""

import json
import os
import time

import lldb

SETTINGS = ("auto-confirm true", "use-color false", "term-width 200",
            "target.max-string-summary-length 200",
            "interpreter.echo-commands false")


def carry_out(interpreter, command):
    result = lldb.SBCommandReturnObject()
    interpreter.HandleCommand(command, result)
    return (result.GetOutput() or "") + (result.GetError() or "")


def __lldb_init_module(debugger, _):
    interpreter = debugger.GetCommandInterpreter()
    debugger.SetAsync(False)
    for setting in SETTINGS:
        carry_out(interpreter, "settings set " + setting)
    with open(os.environ["INQ_SCRIPT"], encoding="utf-8") as f:
        script = json.load(f)
    began = time.monotonic()
    with open(os.environ["INQ_OUT"], "w", encoding="utf-8",
              errors="backslashreplace") as out:
        for number, command in enumerate(script + [None]):
            out.write("\n\x1e%d %.3f\n" % (number, time.monotonic() - began))
            out.flush()
            if command is not None:
                out.write(carry_out(interpreter, command))
