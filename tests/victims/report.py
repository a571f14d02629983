# SPDX-License-Identifier: Apache-2.0
"""report: what tests look up in the JSON of `inquest report`."""

import json


OWN_NO_STACK = ("inlined", "tail-call")


class Thread:
    """One thread's stack, calls that returned no more left out (inlined ones
    and those that jumped); a name may be ""."""

    def __init__(self, row):
        frames = [f for f in row["frames"] if f["how"] not in OWN_NO_STACK]
        self.id = row["tid"]
        self.faulting = row["faulting"]
        self.names = [f["function"] or "" for f in frames]
        self.addresses = [int(f["pc"], 16) for f in frames]

    def __str__(self):
        return "%d: %s" % (self.id, " < ".join(n or "?" for n in self.names))


def threads(text):
    """All threads of a report, each with its own stack."""
    return [Thread(row) for row in json.loads(text)["threads"]]
