# SPDX-License-Identifier: Apache-2.0
"""guest: programs of AArch64 and the cores that an emulator writes of them."""

import glob
import os
import shutil
import subprocess

import build
import kit

HERE = os.path.dirname(os.path.realpath(__file__))
COMPILER = "aarch64-linux-gnu-gcc"
EMULATOR = "qemu-aarch64-static"
DEBUGGER = "gdb-multiarch"
STATIC = ("-static", "-g", "-O1", "-pthread")

# Name: its source, how it is compiled, and the emulated processor.
PROGRAMS = {
    "plain": ("victim.c", STATIC, "cortex-a57"),
    "signed": ("victim.c", (*STATIC, "-mbranch-protection=standard"), "max"),
    "tableless": ("victim.c", (*STATIC, "-fno-asynchronous-unwind-tables",
                               "-fno-unwind-tables"), "cortex-a57"),
    "handler": ("handler.c", STATIC, "cortex-a57"),
    "handlertableless": ("handler.c", (
        *STATIC, "-fno-asynchronous-unwind-tables", "-fno-unwind-tables"),
        "cortex-a57"),
    "pie": ("victim.c", ("-static-pie", *STATIC[1:]), "cortex-a57"),
}


def need():
    for tool in (COMPILER, EMULATOR, DEBUGGER):
        kit.need_tool(tool)


class Guest:
    """One program, compiled and dead."""

    def __init__(self, name, directory):
        self.name = name
        self.program = os.path.join(directory, name)
        self.core = os.path.join(directory, name + ".core")


def crash(name, directory, processor):
    """The emulator writes a core of the guest, and the kernel one of the
    emulator, which nobody wants."""
    subprocess.run([EMULATOR, "-cpu", processor, "./" + name], cwd=directory,
                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL, timeout=60, check=False,
                   env=build.environment(), preexec_fn=build.unlimit)


def own_core(made):
    """The core that the emulator wrote, at its place; None if there is none."""
    directory = os.path.dirname(made.core)
    own = glob.glob(os.path.join(directory, "qemu_%s_*.core" % made.name))
    for path in set(glob.glob(os.path.join(directory, "core*"))) - set(own):
        os.unlink(path)
    if not own:
        return None
    os.replace(own[0], made.core)
    return made.core


def compiled(name, where):
    """The guest `name`, in a directory `where`."""
    source, flags, _ = PROGRAMS[name]
    directory = kit.own_dir(where)
    shutil.rmtree(directory)
    os.makedirs(directory)
    made = Guest(name, directory)
    build.call([COMPILER, *flags, "-o", made.program,
                os.path.join(HERE, source)], directory)
    return made


def make(name):
    """The guest `name`, or None if the emulator wrote no core."""
    made = compiled(name, name)
    crash(name, os.path.dirname(made.program), PROGRAMS[name][2])
    return made if own_core(made) else None
