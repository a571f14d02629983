# SPDX-License-Identifier: Apache-2.0
"""backtraces: what each tool says of the stacks, made comparable."""

import collections
import re

# Where a thread begins, after clean(). Debuggers may end the main thread at
# `main` by a rule of their own, which is an end as good as any.
STARTS = {"_start", "clone3", "__clone3", "clone", "__clone", "__clone2"}

Frame = collections.namedtuple("Frame", "pc name inlined")
Stack = collections.namedtuple("Stack", "tid frames")


def clean(name):
    name = re.sub(r"@.*", "", name.strip())
    return name[5:] if name.startswith("__GI_") else name


class Reader:
    """One way of printing stacks: its line of a thread, and of a frame."""

    def __init__(self, thread, frame, behind=""):
        self.thread = re.compile(thread)
        self.frame = re.compile(frame)
        self.behind = behind

    def read(self, text):
        stacks = []
        for line in text.rpartition(self.behind)[2].splitlines() \
                if self.behind else text.splitlines():
            thread = self.thread.match(line)
            if thread:
                tid = thread.groupdict().get("tid")
                stacks.append(Stack(int(tid) if tid else None, []))
                continue
            frame = self.frame.match(line)
            if frame and stacks:
                pc = frame.group("pc")
                stacks[-1].frames.append(Frame(
                    int(pc, 16) if pc else None, clean(frame.group("name")),
                    "inlined" in line))
        return stacks


GDB = Reader(r"^Thread \d+ .*?LWP (?P<tid>\d+)",
             r"^#\d+\s+(?:0x(?P<pc>[0-9a-f]+) in )?(?P<name>.+?)(?: \(.*|$)")
LLDB = Reader(r"^[* ] thread #\d+",
              r"^\s*\*?\s+frame #\d+: 0x(?P<pc>[0-9a-f]+)"
              r"(?: [^`]*`(?P<name>.*?))?(?: \+ \d+.*|\(.*| at .*)?$",
              # Before it stand the threads as lldb found them.
              behind="(lldb) bt all")
EU = Reader(r"^TID (?P<tid>\d+):",
            r"^#\d+\s+0x(?P<pc>[0-9a-f]+)(?: - 1)?(?P<name>.*?)(?: - .*)?$")


def ours(report):
    return [Stack(thread["tid"],
                  [Frame(int(frame["pc"], 16),
                         clean(frame["function"] or ""),
                         frame["how"] == "inline")
                   for frame in thread["frames"]])
            for thread in report.get("threads", ())]


def begins(frame, entry):
    """Whether a thread begins in it; programs without symbols by address."""
    return frame.name in STARTS or (
        entry and frame.pc is not None and entry <= frame.pc < entry + 64)


def figures(stacks, entry, ends_at_main):
    """Threads, frames, and how many stacks reach the start, and end there."""
    passed = ended = 0
    for stack in stacks:
        reached = [begins(frame, entry) for frame in stack.frames]
        main = ends_at_main and stack.frames and \
            stack.frames[-1].name == "main"
        passed += any(reached) or bool(main)
        ended += bool(reached and reached[-1]) or bool(main)
    return {"threads": len(stacks),
            "frames": sum(len(stack.frames) for stack in stacks),
            "passed": passed, "ended": ended}


def differences(mine, theirs, ignored):
    """Threads whose frames are not the same addresses; inlined ones aside."""
    def addresses(stacks):
        return {stack.tid: [f.pc for f in stack.frames if not f.inlined]
                for stack in stacks if stack.tid not in ignored}
    left, right = addresses(mine), addresses(theirs)
    return sorted(tid for tid in left.keys() | right.keys()
                  if left.get(tid) != right.get(tid))
