# SPDX-License-Identifier: Apache-2.0
"""report: what tests look up in the JSON of `inquest report`."""

import json


class Thread:
    """One thread's stack: function names, "" where there is none."""

    def __init__(self, row):
        self.id = row["tid"]
        self.faulting = row.get("faulting", False)
        self.names = [frame.get("function") or "" for frame in row["frames"]]
        self.addresses = [int(frame["pc"], 16) for frame in row["frames"]]

    def __str__(self):
        return "%d: %s" % (self.id, " < ".join(n or "?" for n in self.names))


def threads(text):
    """All threads of a report, each with its own stack."""
    return [Thread(row) for row in json.loads(text)["threads"]]
