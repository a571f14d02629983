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
PAGE = 4096
UNSEEN = (gdb.INLINE_FRAME, gdb.TAILCALL_FRAME)


def frames():
    frame = gdb.newest_frame()
    while frame is not None:
        if frame.type() not in UNSEEN:
            yield frame
        frame = frame.older()


def stack(base):
    """As much as there is."""
    memory, process = b"", gdb.selected_inferior()
    while len(memory) < BELOW + STACK:
        at = base + len(memory)
        try:
            memory += bytes(process.read_memory(at, PAGE - at % PAGE))
        except gdb.MemoryError:
            break
    return memory


def step(names):
    """What is so now: the registers of `names`, and memory."""
    frame = gdb.newest_frame()
    base = (int(frame.read_register("sp")) & WORD) - BELOW
    return {"regs": [int(frame.read_register(n)) & WORD for n in names],
            "base": base, "stack": stack(base).hex(),
            "frames": [f.pc() for f in frames()],
            "function": frame.name()}


def main():
    for setting in ("confirm off", "pagination off", "backtrace past-main on"):
        gdb.execute("set " + setting)
    names = os.environ["STEPS_REGISTERS"].split()
    gdb.execute("break all_of_them")
    if "STEPS_SOCKET" in os.environ:
        gdb.execute("target remote " + os.environ["STEPS_SOCKET"])
        gdb.execute("continue")
    else:
        gdb.execute("run")
    steps = []
    while gdb.newest_frame().name() != "main":
        steps.append(step(names))
        gdb.execute("stepi", to_string=True)
    with open(os.environ["STEPS_OUT"], "w", encoding="utf-8") as f:
        json.dump(steps, f)
    gdb.execute("kill")


main()
