#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
compile: the whole program makes sense to a compiler of AArch64, so that
nothing of x86-64 stands outside of the files that are for it.

Only the syntax is checked: headers of the C library and the kernel are the
other machine's, those of all other libraries this machine's.
"""

import glob
import os
import subprocess
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "victims")]

import guest  # noqa: E402
import kit    # noqa: E402

ROOMS = ("src/base", "snapfmt", "src/jail", "src/net", "src/inspect",
         "src/disasm", "src/supply", "store", "src/capture", "gdbstub",
         "src/serve", "src/cmd")
# libunwind.h is another one for each architecture.
HOST_ONLY = ("src/inspect/second.c",)
FLAGS = ("-std=gnu11", "-D_GNU_SOURCE", '-DPACKAGE_VERSION="0"', "-Wall",
         "-Wextra", "-Werror", "-fsyntax-only")


def own_headers():
    """Where this machine's libraries have theirs, behind all others."""
    said = subprocess.check_output(["gcc", "-print-multiarch"], text=True)
    return [word for path in ("/usr/include", "/usr/include/" + said.strip())
            for word in ("-idirafter", path)]


def main():
    kit.need_tool(guest.COMPILER)
    kit.need_tool("gcc")
    top = kit.source_dir()
    words = [guest.COMPILER, *FLAGS, "-I" + top, "-I" + os.path.join(
        top, "src"), "-I" + kit.build_dir(), *own_headers()]
    tap = kit.Tap()
    for room in ROOMS:
        files = [f for f in sorted(glob.glob(os.path.join(top, room, "*.c")))
                 if os.path.relpath(f, top) not in HOST_ONLY]
        result = kit.run([*words, *files], timeout=300)
        tap.ok(result.status == 0, "%s: %d files compile" % (room, len(files)),
               result)
    tap.leave()


if __name__ == "__main__":
    main()
