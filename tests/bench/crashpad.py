# SPDX-License-Identifier: Apache-2.0
"""
crashpad: chromium's own crash handler, which writes of a renderer that dies.

No rival for a process that goes on, and so no part of a contest: each run
takes a browser of its own, kills its renderer and waits for the minidump.
"""

import glob
import os
import shutil
import statistics

import targets

# What waits for the file and then for its writer to end.
KILL = """kill -SEGV {pid}
for i in $(seq 300); do
  for f in '{dumps}'/*.dmp '{dumps}'/*/*.dmp; do
    if [ -s "$f" ] && ! [ -e "$f.lock" ]; then exit 0; fi
  done
  sleep 0.02
done
exit 1"""


def once(watch, directory):
    place = os.path.join(directory, "crashpad")
    shutil.rmtree(place, ignore_errors=True)
    os.makedirs(place)
    dumps = os.path.join(place, "dumps")
    browser = targets.programs.Chromium(
        place, "--enable-crash-reporter", BREAKPAD_DUMP_LOCATION=dumps,
        XDG_CONFIG_HOME=os.path.join(place, "config"))
    try:
        with browser.run():
            target = targets.Target("CR", browser.pids[1])
            record = watch(target, ["sh", "-c", KILL.format(
                pid=target.pid, dumps=dumps)])
            found = glob.glob(os.path.join(dumps, "**", "*.dmp"),
                              recursive=True)
            record["bytes"] = os.stat(found[0]).st_size if found else None
            return record
    finally:
        shutil.rmtree(place, ignore_errors=True)


def measure(watch, directory, runs):
    """(records, what to print)."""
    records = [once(watch, directory) for _ in range(runs)]
    good = [r for r in records if r["status"] == 0 and r["bytes"]]
    if not good:
        return records, "chromium's crash handler: no minidump was written"

    def median(key):
        return statistics.median(r[key] for r in good)
    return records, "chromium's crash handler, of a renderer that dies of " \
        "it: pause %.1f ms, %.0f ms until the file of %.0f kB is there, " \
        "no heap; %d/%d runs" % (
            median("pause_sum_ms"), 1000 * median("wall"),
            median("bytes") / 1e3, len(good), len(records))
