# SPDX-License-Identifier: Apache-2.0
"""goals: what a capture is to cost beside the rivals, and the verdicts."""

import collections

from tools import BT, EU, FULL, GCORE, IMPORT, LLDB, OURS, STACKS, ZSTD

MIB = float(1 << 20)
RSS_BEYOND = 32 * MIB

# figure(results) is a number that must be <= limit, or None.
Goal = collections.namedtuple("Goal", "text figure limit unit")


def value(label, name, key):
    """A median of the summary; None if the tool did not run or failed."""
    def of(results):
        summary = results.get(label, {}).get(name)
        return summary[key] if summary else None
    return of


def ratio(mine, theirs):
    def of(results):
        a, b = mine(results), theirs(results)
        return a / b if a is not None and b else None
    return of


def wall(label, rival):
    return ratio(value(label, OURS, "wall"), value(label, rival, "wall"))


def pause(label, mine, rival=None):
    ours = value(label, mine, "pause_sum_ms")
    return ratio(ours, value(label, rival, "pause_sum_ms")) if rival \
        else ours


def missing_starts(label, name):
    """Share of the threads that do not end where a thread begins; worst."""
    share = value(label, name, "ended")

    def of(results):
        text = share(results)
        if text is None:
            return None
        ended, threads = map(int, text.split("/"))
        return 1 - ended / threads if threads else 1.0
    return of


def worst_missing(results):
    """Over all live targets."""
    shares = [missing_starts(label, name)(results) for label in results
              for name in (OURS, STACKS, FULL)]
    return max((s for s in shares if s is not None), default=None)


def worst_differing(results):
    """Threads with other frames than eu-stack's, where they stand still."""
    numbers = [value(label, name, "differing")(results) for label in results
               for name in (OURS, IMPORT)]
    return max((n for n in numbers if n is not None), default=None)


def complete(label, name, figure):
    """A figure that counts only where no private memory was left out."""
    left = value(label, name, "left_out")
    return lambda results: float("inf") if left(results) else figure(results)


def size(label, name, without_skeletons=False):
    bytes_of = value(label, name, "bytes")
    skeletons = value(label, name, "skeletons")

    def of(results):
        total = bytes_of(results)
        if total is None:
            return None
        return (total - (skeletons(results) if without_skeletons else 0)) \
            / 1e6
    return of


def zstd_ratio(results):
    """Of memory kept in full, beside the packed core of the same memory."""
    mine = size("X100", IMPORT)(results)
    theirs = size("X100", ZSTD)(results)
    return mine / theirs if mine is not None and theirs else None


def rss_beyond(label, name):
    """Bytes of the tool's largest process beyond what it copied, in MiB."""
    def of(results):
        rss = value(label, name, "rss")(results)
        copied = value(label, name, "copied")(results)
        return None if rss is None or copied is None \
            else (rss - copied) / MIB
    return of


GOALS = (
    Goal("CB: whole capture, of gdb bt", wall("CB", BT), 1 / 6, "ratio"),
    Goal("CR: whole capture, of gdb bt", wall("CR", BT), 1 / 6, "ratio"),
    Goal("CR: whole capture, of lldb bt", wall("CR", LLDB), 1 / 60, "ratio"),
    Goal("CB: threads that do not reach their start",
         missing_starts("CB", OURS), 0, "percent"),
    Goal("CR: threads that do not reach their start",
         missing_starts("CR", OURS), 0, "percent"),
    Goal("all: threads that do not reach their start, worst", worst_missing,
         0, "percent"),
    Goal("all: threads that differ from eu-stack's, worst", worst_differing,
         0, "count"),
    *(Goal("%s: eu-stack's frames, of ours" % label,
           ratio(value(label, EU, "frames"), value(label, OURS, "frames")),
           1.02, "ratio") for label in ("CB", "CR")),
    *(Goal("%s: pause, stacks" % label, pause(label, STACKS), limit, "ms")
      for label, limit in (("CB", 4), ("S100", 5), ("S1000", 40))),
    *(Goal("%s: pause, stacks, of gdb bt" % label, pause(label, STACKS, BT),
           1 / 50, "ratio") for label in ("CB", "S100", "S1000")),
    Goal("CB: pause, default", pause("CB", OURS), 20, "ms"),
    Goal("S100: pause, default, of gcore", pause("S100", OURS, GCORE),
         1 / 25, "ratio"),
    Goal("S100: pause, full, of gcore", complete(
        "S100", FULL, pause("S100", FULL, GCORE)), 1 / 3, "ratio"),
    Goal("CB: file without skeletons", size("CB", OURS, True), 8, "MB"),
    Goal("CB: file, self-contained", size("CB", OURS), 11, "MB"),
    Goal("X100: full, of zstd -1 of the core", zstd_ratio, 1.12, "ratio"),
    Goal("S100: file, default, of zstd -1 of the core",
         ratio(size("S100", OURS), size("X100", ZSTD)), 1 / 20, "ratio"),
    Goal("CM: pause, default", pause("CM", OURS), 20, "ms"),
    Goal("CM: whole capture, of gdb bt", wall("CM", BT), 1 / 10, "ratio"),
    *(Goal("%s: RSS beyond what was copied, %s" % (label, name.split()[-1]),
           rss_beyond(label, name), RSS_BEYOND / MIB, "MiB")
      for label in ("CB", "S100") for name in (OURS, FULL)),
)

SHOWN = {
    "ratio": lambda x: "1/%.1f" % (1 / x) if 0 < x < 0.6 else "%.2f" % x,
    "percent": lambda x: "%.1f %%" % (100 * x),
    "count": lambda x: "%d" % x,
    "ms": lambda x: "%.1f ms" % x,
    "MB": lambda x: "%.2f MB" % x,
    "MiB": lambda x: "%.1f MiB" % x,
}


def judge(results):
    """A dict for each goal, in their order."""
    for goal in GOALS:
        figure = goal.figure(results)
        yield {"goal": goal.text, "limit": goal.limit,
               "figure": None if figure == float("inf") else figure,
               "verdict": "not measured" if figure is None else
               "met" if figure <= goal.limit else "NOT MET",
               "shown": "-" if figure is None
               else "incomplete" if figure == float("inf")
               else SHOWN[goal.unit](figure),
               "shown_limit": SHOWN[goal.unit](goal.limit)}


# ---- the model: what a capture costs by what there is to copy ----

def model(summary):
    """(pause ms, CPU ms, RSS MiB) by threads, MB copied, frames, modules."""
    if summary["copied"] is None:
        return None, None, None
    mb = summary["copied"] / 1e6
    pause_ms = 0.5 + 0.025 * summary["threads"] + 0.16 * mb
    # Reached memory costs cache misses: 0.35 to 1 ms a MB; the middle.
    cpu_ms = pause_ms + 1.7 * mb + 0.7 * mb + 0.0005 * summary["frames"] + \
        0.2 * (summary["modules"] or 0)
    return pause_ms, cpu_ms, summary["copied"] / MIB + 32
