# SPDX-License-Identifier: Apache-2.0
"""
probe: run one verb on one bad file, and tell what is wrong with how it ended.

Whatever the file holds, a verb ends by itself within 10 seconds and 1 GiB,
with a documented exit status; one that refuses it says one sentence on
stderr. Status 6 may come with a result: of what is left of a damaged file.
"""

import re

import kit

SECONDS = 10
MEMORY = kit.GIB
# A sanitizer's own cost is none of the program's.
SANITIZED = 6

FAILED, USAGE, NOTFOUND, DENIED, DAMAGED = 1, 2, 3, 4, 6
# A process of ours that died must not hide behind a documented status.
DIED = re.compile(r"jailed process|Sanitizer|runtime error:|Assertion `")
# Said before anything else where a kernel lacks a part of the jail.
JAIL = re.compile(r"^inquest: .*(Landlock|seccomp|jail)", re.I)

PACKETS = (
    "qSupported:multiprocess+;swbreak+;vContSupported+", "vMustReplyEmpty",
    "?", "qXfer:features:read:target.xml:0,4000",
    "qXfer:threads:read::0,4000", "qXfer:threads:read::4000,4000", "Hg0",
    "qXfer:auxv:read::0,1000", "qXfer:exec-file:read:1:0,1000",
    "qXfer:libraries-svr4:read::0,4000", "qXfer:siginfo:read::0,1000",
    "qXfer:osdata:read::0,1000", "g", "p10", "m0,40", "m400000,400",
    "m7ffffffff000,1000", "qOffsets", "qC",
    "vFile:setfs:0", "vFile:open:2f62696e2f7368,0,0",
    "vFile:pread:3,4000,0", "vFile:fstat:3", "vFile:close:3",
    "X400000,4:abcd", "M400000,4:00112233", "vCont;c", "bs",
    "qGetTLSAddr:p1.1,0,0", "jThreadsInfo", "qMemoryRegionInfo:400000", "D",
)


def conversation():
    """What a debugger would say, all at once."""
    said = [framed("QStartNoAckMode"), b"+"]
    said += [framed(packet) for packet in PACKETS]
    return b"".join(said)


def framed(packet):
    data = packet.encode()
    return b"$%s#%02x" % (data, sum(data) & 0xff)


TALK = conversation()


class Probe:
    def __init__(self, inquest):
        self.inquest = inquest
        self.factor = SANITIZED if kit.is_sanitized(inquest) else 1

    def run(self, *words):
        return kit.run([self.inquest, *words], cwd="/", given=TALK,
                       timeout=SECONDS * self.factor + 5)

    def wrong(self, result, allowed):
        """What is wrong with this end, or ""."""
        if result.timed_out or result.seconds > SECONDS * self.factor:
            return "more than %d s" % SECONDS
        if result.status < 0:
            return "killed by signal %d" % -result.status
        if result.peak > MEMORY * self.factor:
            return "more than 1 GiB"
        if result.status not in allowed:
            return "exit status %d, not %s" % (
                result.status, " or ".join(map(str, sorted(allowed))))
        lines = sentences(result)
        if any(DIED.search(line) for line in lines):
            return "a process of its own died"
        if result.status and not lines and not result.out:
            return "not a word"
        # A result may come with several things that are missing from it.
        if result.status and not result.out and len(lines) != 1:
            return "%d lines on stderr, not one" % len(lines)
        if not all(line.startswith("inquest: ") for line in lines):
            return "stderr does not begin with the program's name"
        return ""


def sentences(result):
    return [line for line in result.err.decode("utf-8", "replace")
            .splitlines() if line.strip() and not JAIL.search(line)]
