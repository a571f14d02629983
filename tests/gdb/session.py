# SPDX-License-Identifier: Apache-2.0
"""session: start gdb on a core or on the stub, and hand it a script."""

import functools
import json
import os
import shlex
import tempfile

import compare
import elf
import kit

HERE = os.path.dirname(os.path.realpath(__file__))
DRIVER = os.path.join(HERE, "driver.py")

# Stock gdb loads pretty printers by the names of programs and libraries on
# this machine, which the stub's names are not: those of libstdc++ are loaded
# by hand (`inquest gdb` does so), and no others that may be installed.
NO_OTHERS = "set auto-load python-scripts off"
PRINTERS = ("python import sys; sys.path.append('/usr/share/gcc/python'); "
            "from libstdcxx.v6 import register_libstdcxx_printers as register;"
            " register(None)")


def environment(**more):
    env = {k: v for k, v in os.environ.items()
           if k not in ("DEBUGINFOD_URLS", "LD_LIBRARY_PATH")}
    env.update({"LC_ALL": "C", "TERM": "dumb", "PYTHONDONTWRITEBYTECODE": "1"},
               **more)
    return env


@functools.lru_cache(maxsize=None)
def segments_of(core):
    """Kept: a test may delete the core before its last session."""
    with open(core, "rb") as f:
        return elf.captured(f.read(1 << 20))


def mappings_of(pid):
    """[start, end) of what a live process can write, but for the kernel's."""
    found = []
    with open("/proc/%d/maps" % pid, encoding="utf-8") as f:
        for line in f:
            words = line.split()
            if words[1].startswith("rw") and "[v" not in line:
                found.append([int(a, 16) for a in words[0].split("-")])
    return found


class Session:
    """One run of gdb: what it said to each command."""

    def __init__(self, outputs, opening, result, script):
        self.outputs = outputs
        self.opening = opening
        self.result = result
        self.script = script


def run(open_with, script, core, cwd="/", timeout=300, gdb=("gdb",)):
    """
    Run gdb, carry out `open_with` and then `script`. The outputs are those of
    the script; what gdb said while opening is kept apart. `core` tells what
    inq-memory reads: a core's path, or a list of [start, end).
    """
    segments = core if isinstance(core, list) else segments_of(core)
    with tempfile.TemporaryDirectory(prefix="inquest-gdb-") as directory:
        paths = {}
        for name, content in (("INQ_SCRIPT", open_with + script),
                              ("INQ_SEGMENTS", segments)):
            paths[name] = os.path.join(directory, name)
            with open(paths[name], "w", encoding="utf-8") as f:
                json.dump(content, f)
        result = kit.run([*gdb, "-nx", "-q", "-batch", "-x", DRIVER],
                         timeout=timeout, cwd=cwd, merge=True,
                         env=environment(**paths))
    text = result.out.decode("utf-8", "backslashreplace")
    pairs, before = compare.parse(text, open_with + script)
    opening = before + "".join(out or "" for _, out in
                               pairs[:len(open_with)])
    return Session(pairs[len(open_with):], opening, result, script)


def on_core(program, core, script, **more):
    """gdb on the core, where the program ran (relative names are found)."""
    opening = [NO_OTHERS] + (["file " + program] if program else [])
    return run(opening + ["core-file " + core, PRINTERS], script, core,
               cwd=os.path.dirname(core), **more)


def remote(inquest, snapshot):
    return "target remote | %s rsp %s" % (shlex.quote(inquest),
                                          shlex.quote(snapshot))


def on_stub(inquest, snapshot, core, script, program=None, **more):
    """gdb on the stub, from elsewhere, with or without the program's file."""
    opening = [NO_OTHERS] + (["file " + program] if program else [])
    opening += [remote(inquest, snapshot), PRINTERS]
    return run(opening, script, core, **more)


def by_verb(inquest, snapshot, core, script, **more):
    """As a user does: `inquest gdb SNAP`."""
    return run([], script, core, gdb=(inquest, "gdb", snapshot), **more)
