#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
series: in stock lldb `continue` goes along a series, threads and libraries
are those of each moment, and what lldb resumes of its own accord stays.
"""

import os
import re
import sys

sys.dont_write_bytecode = True
TESTS = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
sys.path[:0] = [os.path.join(TESTS, "gdb"), os.path.join(TESTS, "victims")]

import kit       # noqa: E402
import timeline  # noqa: E402

THREE = r"(?s)thread #1.*thread #2.*thread #3"
TWO = r"(?s)thread #1(?!.*thread #3).*thread #2"
SAYS = (
    ("process status", r"stop reason = captured"),
    ("thread list", TWO),
    ("image list", r"(?s)\A(?!.*libresolv)"),
    ("continue", r"stop reason = snapshot 2 of 3"),
    ("print moment", r"= 2$"),
    ("thread list", THREE),
    ("image list", r"/libresolv\.so\.2"),
    ("thread backtrace all", r"(?s)`main.*`wait_for_a_byte"),
    # Calls mmap() in the process, which stays where it is.
    ("expression moment + watched[1]", r"= 23$"),
    ("print moment", r"= 2$"),
    ("continue", r"stop reason = snapshot 3 of 3"),
    ("print moment", r"= 3$"),
    ("thread list", TWO),
    ("continue", r"stop reason = no more: snapshot 3 of 3"),
    ("print moment", r"= 3$"),
    ("process plugin packet monitor snapshot 1", r"snapshot 1 of 3 is next"),
    ("continue", r"stop reason = snapshot 1 of 3"),
    ("print moment", r"= 1$"),
    ("expression watched[0] = 77", r"= 77$"),
    ("next", r"a step moves nothing: thread plan discard 1, then continue"),
    ("thread plan discard 1", r""),
    ("continue", r"stop reason = snapshot 2 of 3"),
    ("print watched[0]", r"= 10$"),
    ("process plugin packet monitor snapshot 1", r"snapshot 1 of 3 is next"),
    ("continue", r"stop reason = snapshot 1 of 3"),
    ("print watched[0]", r"= 77$"),
)


def main():
    inquest = kit.need_inquest()
    kit.need_tool("lldb")
    kit.need_tool("gcc")
    tap = kit.Tap()
    line = timeline.Timeline(tap, inquest)
    names = line.capture("-o", "m.snap")
    with open(os.path.join(line.directory, "says"), "w",
              encoding="ascii") as f:
        f.writelines(command + "\n" for command, _ in SAYS)
    result = line.run(inquest, "lldb", names[0], "--", "--no-lldbinit", "-b",
                      "-s", "says")
    said = re.split(r"(?m)^\(lldb\) ", result.out.decode("utf-8", "replace"))
    said = [part.partition("\n")[::2] for part in said[1:]]
    said = said[next((k + 1 for k, (command, _) in enumerate(said)
                      if command.startswith("command source -s 0")), 0):]
    for number, (command, pattern) in enumerate(SAYS):
        got = said[number] if number < len(said) else ("", "")
        tap.ok(got[0] == command and re.search(pattern, got[1].strip(), re.M),
               command, "%s\n%s" % got if got[0] else result)
    tap.leave()


if __name__ == "__main__":
    main()
