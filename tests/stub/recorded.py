# SPDX-License-Identifier: Apache-2.0
"""recorded: reads recordings of `inquest rsp --record` (serve/record.h)."""

import re

LINE = re.compile(rb"([<>]) (\d+) (\d+) (.*)")
PACKET = re.compile(rb"\$([^#$]*)#([0-9a-f]{2})")


def bytes_of(text):
    return re.sub(rb"\\(\\|x[0-9a-f]{2})",
                  lambda m: b"\\" if m[1] == b"\\" else bytes([int(m[1][1:],
                                                                   16)]),
                  text)


class Recording:
    """.said and .answered of its connections, by their numbers."""

    def __init__(self, path):
        with open(path, "rb") as f:
            lines = f.read().splitlines()
        if lines[:1] != [b"inquest-rsp 2"]:
            raise ValueError("%s is no recording" % path)
        self.said, self.answered, self.times = {}, {}, []
        self.whole = True
        for line in lines[1:]:
            found = LINE.fullmatch(line)
            if not found:
                self.whole = False
                continue
            into = self.said if found[1] == b">" else self.answered
            number = int(found[2])
            into[number] = into.get(number, b"") + bytes_of(found[4])
            self.times.append(int(found[3]))

    def packets(self, number=1):
        return len(PACKET.findall(self.said.get(number, b"")))
