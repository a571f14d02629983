#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
frozen: a process held by the freezer of its cgroup, of either version, is
captured as far as that goes, the cgroup is named, and it remains frozen.
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "victims")]

import kit     # noqa: E402
import living  # noqa: E402

NAME = "inquest-test-%d" % os.getpid()
# Version; where it may be mounted; how to freeze and thaw; what then is said.
VERSIONS = (
    (2, "/sys/fs/cgroup", "cgroup.freeze", "1", "0", "cgroup.events",
     "frozen 1"),
    (2, "/sys/fs/cgroup/unified", "cgroup.freeze", "1", "0", "cgroup.events",
     "frozen 1"),
    (1, "/sys/fs/cgroup/freezer", "freezer.state", "FROZEN", "THAWED",
     "freezer.state", "FROZEN"),
)


def write(path, text):
    with open(path, "w", encoding="ascii") as f:
        f.write(text)


def read(path):
    with open(path, encoding="ascii") as f:
        return f.read()


class Cgroup:
    def __init__(self, version, root, control, freeze, thaw, file, says):
        self.version, self.path = version, os.path.join(root, NAME)
        self.control, self.values = control, (freeze, thaw)
        self.file, self.says = file, says

    def make(self):
        """None, or why there is none."""
        try:
            os.mkdir(self.path)
            read(os.path.join(self.path, self.control))
        except OSError as e:
            with contextlib.suppress(OSError):
                os.rmdir(self.path)
            return str(e)
        return None

    def freeze(self, pid):
        write(os.path.join(self.path, "cgroup.procs"), str(pid))
        write(os.path.join(self.path, self.control), self.values[0])
        return living.until(self.is_frozen)

    def is_frozen(self):
        return self.says in read(os.path.join(self.path, self.file))

    def end(self, process):
        write(os.path.join(self.path, self.control), self.values[1])
        process.kill()
        process.wait()
        with contextlib.suppress(OSError):
            living.until(lambda: not read(os.path.join(self.path,
                                                       "cgroup.procs")))
            os.rmdir(self.path)


def captured(tap, inquest, cgroup, directory):
    name = "version %d" % cgroup.version
    snapshot = os.path.join(directory, "v%d.snap" % cgroup.version)
    process = subprocess.Popen(["sleep", "300"])
    try:
        tap.ok(cgroup.freeze(process.pid), name + ": it is frozen")
        result = kit.run([inquest, "capture", "-o", snapshot,
                          str(process.pid)])
        still = cgroup.is_frozen()
    finally:
        cgroup.end(process)
    report = json.loads(kit.run([inquest, "report", "--json", snapshot]).out)
    missing = " ".join(report["missing"]["texts"])
    tap.ok(result.status == 0
           and report["attributes"].get("process.frozen") == "/" + NAME,
           name + ": its cgroup is named", (result, report["attributes"]))
    if "registers are missing" in missing:
        tap.ok("frozen by its cgroup /%s:" % NAME in missing
               and "did not stop" not in missing,
               name + ": that is why it did not stop", missing)
    else:
        tap.ok(report["threads"], name + ": it stopped nevertheless", report)
    tap.ok(still, name + ": it remains frozen")


def main():
    tap = kit.Tap()
    inquest = kit.need_inquest()
    for version in (2, 1):
        why = []
        for words in (v for v in VERSIONS if v[0] == version):
            cgroup = Cgroup(*words)
            no = cgroup.make()
            if no:
                why.append(no)
                continue
            with tempfile.TemporaryDirectory() as directory:
                captured(tap, inquest, cgroup, directory)
            break
        else:
            tap.skip("version %d" % version, "no freezer that can be used: "
                     + "; ".join(why))
    tap.leave()


if __name__ == "__main__":
    main()
