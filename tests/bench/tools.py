# SPDX-License-Identifier: Apache-2.0
"""tools: the command lines that are compared, and how each is read."""

import collections
import json
import os
import shutil

import backtraces

# argv(target, out): `out` is the file that it may write. `reader` reads its
# standard output. `accepts`: statuses with which its output is whole.
Tool = collections.namedtuple(
    "Tool", "name needs argv writes reader accepts main ends_at_main")


def tool(name, needs, argv, writes=False, reader=None, accepts=(0,),
         ends_at_main=False, main=False):
    return Tool(name, needs, argv, writes, reader, accepts, main,
                ends_at_main)


def inquest():
    return os.path.realpath(os.environ["INQUEST"])


def capture(*more):
    return lambda target, out: [inquest(), "capture", str(target.pid), "-o",
                                out, "--json", *more]


def gdb(command):
    def argv(target, _):
        at = ["-p", str(target.pid)] if target.pid else [target.program,
                                                         target.core]
        return ["gdb", "-nx", "-batch", *at, "-ex", "set pagination off",
                "-ex", "thread apply all " + command]
    return argv


def lldb(target, _):
    if target.pid:
        return ["lldb", "-x", "-X", "-b", "-p", str(target.pid),
                "-o", "bt all", "-o", "detach"]
    return ["lldb", "-x", "-X", "-b", "-c", target.core, target.program,
            "-o", "bt all"]


def eu_stack(*more):
    def argv(target, _):
        at = ["-p", str(target.pid)] if target.pid else [
            "--core", target.core, "-e", target.program]
        return ["eu-stack", "-n", "0", *more, *at]
    return argv


def gcore(target, out):
    # It appends the pid by itself; see written().
    return ["gcore", "-o", out, str(target.pid)]


OURS, STACKS, FULL, IMPORT = ("inquest capture", "  --memory stacks",
                              "  --memory full", "inquest import")
BT, BT_FULL, LLDB = "gdb bt", "gdb bt full", "lldb bt all"
EU, EU_ALL, GCORE, ZSTD = ("eu-stack", "eu-stack -s -i -v", "gcore",
                           "zstd -1")

TOOLS = {t.name: t for t in (
    tool(OURS, "inquest", capture(), True, main=True),
    tool(STACKS, "inquest", capture("--memory", "stacks"), True),
    tool(FULL, "inquest", capture("--memory", "full", "--copy-limit",
                                  "16G"), True),
    tool(IMPORT, "inquest", lambda target, out: [
        inquest(), "import", target.core, "-o", out, "--json", "--exe",
        target.program], True, main=True),
    tool(BT, "gdb", gdb("bt"), reader=backtraces.GDB, ends_at_main=True),
    tool(BT_FULL, "gdb", gdb("bt full"), reader=backtraces.GDB,
         ends_at_main=True),
    tool(LLDB, "lldb", lldb, reader=backtraces.LLDB, ends_at_main=True),
    # 1: some of its frames could not be had; they are counted.
    tool(EU, "eu-stack", eu_stack(), reader=backtraces.EU, accepts=(0, 1)),
    tool(EU_ALL, "eu-stack", eu_stack("-s", "-i", "-v"), reader=backtraces.EU,
         accepts=(0, 1)),
    tool(GCORE, "gcore", gcore, True),
    tool(ZSTD, "zstd", lambda target, out: [
        "zstd", "-1", "-q", "-f", target.core, "-o", out], True),
)}


def is_ours(chosen):
    return chosen.needs == "inquest"


def missing(chosen):
    """Why it cannot be run here, or None."""
    if is_ours(chosen) or shutil.which(chosen.needs):
        return None
    return "%s is not installed" % chosen.needs


def written(chosen, target, out):
    return "%s.%d" % (out, target.pid) if chosen.name == GCORE else out


def said(text):
    """What ours says as JSON, or {}."""
    try:
        return json.loads(text)
    except ValueError:
        return {}
