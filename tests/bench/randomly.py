#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
randomly: 4 KiB at random addresses of a stored snapshot of a large process,
read in one process; beside it what a packed core costs first: unpacking all.
"""

import os
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [os.path.join(os.path.dirname(HERE), folder)
                for folder in ("victims", "capture")]

import kit     # noqa: E402
import living  # noqa: E402

MIB = 128
LIMIT_US = 50


def main():
    inquest = kit.need_inquest()
    reader = os.path.join(kit.build_dir(), "tests", "bench", "random")
    with tempfile.TemporaryDirectory(prefix="inquest-random-") as directory:
        store = os.path.join(directory, "store")
        with living.busy("heap", MIB, directory) as victim:
            put = kit.run([inquest, "capture", "--memory", "full", "--put",
                           "--store", store, str(victim.pid)])
        if put.status:
            sys.exit(str(put))
        print("a stored snapshot of %d MiB (p99 at most %d us):"
              % (MIB, LIMIT_US))
        for _ in range(3):
            sys.stdout.flush()
            subprocess.run([reader, store, "@latest"], check=True)
        packed(inquest, store, directory)


def packed(inquest, store, directory):
    """Nothing of a core.zst can be read before all of it is unpacked."""
    if not shutil.which("zstd"):
        return
    core = os.path.join(directory, "core")
    env = {**os.environ, "INQUEST_STORE": store}
    kit.run([inquest, "export", "@latest", "--core", core], env=env)
    kit.run(["zstd", "-1", "-q", core])
    result = kit.run(["zstd", "-d", "-q", "-c", core + ".zst", "-o",
                      os.path.join(directory, "unpacked")])
    print("zstd -d of its core, before the first byte:       %8.0f us"
          % (1e6 * result.seconds))


if __name__ == "__main__":
    main()
