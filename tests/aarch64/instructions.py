#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
instructions: machine code of AArch64 beside what stock gdb shows of the same snapshot
through our stub, and what the failed instruction did.
"""

import os
import re
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "victims"),
                os.path.join(os.path.dirname(HERE), "cmd")]

import disasm   # noqa: E402
import guest    # noqa: E402
import kit      # noqa: E402


def main():
    inquest = kit.need_inquest()
    guest.need()
    tap = kit.Tap()
    tests = disasm.Disasm(tap, inquest, kit.work_dir("disasm-aarch64"))
    tests.debugger = guest.DEBUGGER
    for name in ("plain", "signed"):
        made = guest.make(name)
        if not made:
            tap.skip(name, "the emulator writes no core here")
            continue
        snap = os.path.join(tests.directory, name + ".snap")
        tests.run("import", "--exe", made.program, "-o", snap, made.core)
        tests.beside(name, snap, True)
        text = tests.run("disasm", snap).out.decode()
        tap.ok(re.search(r"^=> .* # 0x", text, re.M)
               and re.search(r"^It (reads|writes) \d bytes? at .*: x\d+ = 0x",
                             text, re.M),
               name + ": the failed instruction is explained", text)
    tap.leave()


if __name__ == "__main__":
    main()
