# SPDX-License-Identifier: Apache-2.0
"""
stepper: runs inside gdb; goes from a function to its caller, instruction by
instruction, and writes down registers, the stack and the frames that gdb sees.
"""

import json
import os

import gdb

BELOW, STACK = 512, 6144
WORD = (1 << 64) - 1
UNSEEN = (gdb.INLINE_FRAME, gdb.TAILCALL_FRAME)


def frames():
    frame = gdb.newest_frame()
    while frame is not None:
        if frame.type() not in UNSEEN:
            yield frame
        frame = frame.older()


def step():
    """What is so now: the words of struct user_pt_regs, and memory."""
    frame = gdb.newest_frame()
    names = ["x%d" % n for n in range(31)] + ["sp", "pc", "cpsr"]
    regs = [int(frame.read_register(name)) & WORD for name in names]
    base = regs[31] - BELOW
    memory = gdb.selected_inferior().read_memory(base, BELOW + STACK)
    return {"regs": regs, "base": base, "stack": bytes(memory).hex(),
            "frames": [f.pc() for f in frames()],
            "function": frame.name()}


def main():
    for setting in ("confirm off", "pagination off", "backtrace past-main on"):
        gdb.execute("set " + setting)
    gdb.execute("target remote " + os.environ["STEPS_SOCKET"])
    gdb.execute("break all_of_them")
    gdb.execute("continue")
    steps = []
    while gdb.newest_frame().name() != "main":
        steps.append(step())
        gdb.execute("stepi", to_string=True)
    with open(os.environ["STEPS_OUT"], "w", encoding="utf-8") as f:
        json.dump(steps, f)
    gdb.execute("kill")


main()
