#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""doctor: what it looks at, and that its exit status says what it found."""

import json
import os
import re
import resource
import subprocess
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "victims"))

import kit      # noqa: E402

LOOKS = ["core pattern", "core size", "core filter", "jail", "ptrace", "store",
         "gdb", "debug files", "locale"]


def with_core_limit(inquest, soft, hard):
    def limit():
        resource.setrlimit(resource.RLIMIT_CORE, (soft, hard))

    out = subprocess.run([inquest, "doctor", "--json"], preexec_fn=limit,
                         stdout=subprocess.PIPE, check=False,
                         timeout=60).stdout
    return {f["name"]: f for f in json.loads(out)["findings"]}


def store(tap, inquest):
    """A store that cannot be used, and one that is still to be made."""
    def look(path):
        out = kit.run([inquest, "doctor", "--json"],
                      env={**os.environ, "INQUEST_STORE": path}).out
        return next(f for f in json.loads(out)["findings"]
                    if f["name"] == "store")

    directory = kit.work_dir("doctor")
    found = look(os.path.join(directory, "a", "b"))
    tap.ok("made by the first put" in found["text"]
           and " free" in found["text"], "a store that is not there yet",
           found)
    with open(os.path.join(directory, "file"), "wb"):
        pass
    found = look(os.path.join(directory, "file"))
    tap.ok(not found["ok"] and "INQUEST_STORE" in found["fix"],
           "a store that cannot be one is named with a remedy", found)


def main():
    inquest = kit.need_inquest()
    tap = kit.Tap()
    result = kit.run([inquest, "doctor", "--json"])
    findings = json.loads(result.out)["findings"]
    tap.ok([f["name"] for f in findings] == LOOKS, "it looks at everything",
           findings)
    tap.ok(result.status == (0 if all(f["ok"] for f in findings) else 1)
           and not result.err, "its status says whether all is well", result)
    tap.ok(all(f["text"] for f in findings), "every look says what it saw",
           findings)
    text = kit.run([inquest, "doctor"])
    lines = text.out.decode().splitlines()
    heads = [line for line in lines if re.match("(ok|warn) ", line)]
    tap.ok(len(heads) == len(LOOKS)
           and all(h.startswith("ok" if f["ok"] else "warn")
                   for h, f in zip(heads, findings)),
           "the text says the same", text)
    limited = with_core_limit(inquest, 0, resource.getrlimit(
        resource.RLIMIT_CORE)[1])["core size"]
    tap.ok(not limited["ok"] and limited["fix"] == "ulimit -c unlimited",
           "a limit of 0 is named with its remedy", limited)
    store(tap, inquest)
    bare = kit.run([inquest, "doctor"], env={"PATH": "/nonexistent"})
    tap.ok(bare.status == 1 and b"apt-get install gdb" in bare.out
           and b"export LANG=C.UTF-8" in bare.out,
           "what is missing is named with its remedy", bare)
    tap.leave()


if __name__ == "__main__":
    main()
