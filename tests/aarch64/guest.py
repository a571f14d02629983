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
    own = glob.glob(os.path.join(directory, "qemu_%s_*.core" % name))
    for path in set(glob.glob(os.path.join(directory, "core*"))) - set(own):
        os.unlink(path)
    return own[0] if own else None


def make(name):
    """The guest `name`, or None if the emulator wrote no core."""
    source, flags, processor = PROGRAMS[name]
    directory = kit.work_dir("aarch64", name)
    shutil.rmtree(directory)
    os.makedirs(directory)
    made = Guest(name, directory)
    build.call([COMPILER, *flags, "-o", made.program,
                os.path.join(HERE, source)], directory)
    core = crash(name, directory, processor)
    if not core:
        return None
    os.replace(core, made.core)
    return made
