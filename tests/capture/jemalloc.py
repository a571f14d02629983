#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
jemalloc: of a program that allocates with it, blocks are kept whole when a
pointer leads to or into them, others are not. The program itself says where
its blocks are.
"""

import json
import os
import re
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "victims")]

import kit     # noqa: E402
import living  # noqa: E402

MIB = 1 << 20
PAGE = 4096
FILL = 64               # MiB that nothing leads to
SLACK = 2 * MIB         # stacks, headers, tables of the snapshot

# What of each block is there; whether its words are those it was given.
LOOK = r"""
python
inferior = gdb.selected_inferior()
for line in open(%r):
    kind, addr, size = line.split()
    addr, size = int(addr, 16), int(size)
    there, right = 0, True
    at = addr
    while at < addr + size:
        end = min((at // 4096 + 1) * 4096, addr + size)
        try:
            data = bytes(inferior.read_memory(at, end - at))
            there += end - at
            for k in range(0, len(data) - 15, 8):
                word = int.from_bytes(data[k:k + 8], "little")
                right &= word == ((at + k) << 16 | 1) %% 2 ** 64
        except gdb.MemoryError:
            pass
        at = end
    print("BLOCK", kind, hex(addr), size, there, int(right))
end
"""


def build(directory):
    path = os.path.join(directory, "blocks")
    done = subprocess.run(["gcc", "-O1", "-g", "-o", path,
                           os.path.join(HERE, "blocks.c"), "-ljemalloc"],
                          stderr=subprocess.PIPE, check=False)
    if done.returncode:
        kit.Tap.skip_all("libjemalloc-dev is not installed")
    return path


class Blocks:
    def __init__(self, tap, inquest, directory):
        self.tap, self.inquest, self.directory = tap, inquest, directory
        self.program = build(directory)
        self.snapshot = os.path.join(directory, "blocks.snap")
        self.list = os.path.join(directory, "blocks.txt")

    def capture(self, *options):
        with subprocess.Popen([self.program, str(FILL)],
                              stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE) as process:
            try:
                with open(self.list, "wb") as f:
                    for line in process.stdout:
                        if line == b"ready\n":
                            break
                        f.write(line)
                result = kit.run([self.inquest, "capture", "--json", "-o",
                                  self.snapshot, "--max-pause", "10s",
                                  *options, str(process.pid)])
            finally:
                process.kill()
        self.said = result
        return json.loads(result.out) if result.status == 0 else {}

    def look(self):
        script = os.path.join(self.directory, "look.gdb")
        with open(script, "w") as f:
            f.write(LOOK % self.list)
        out = kit.run(["gdb", "-nx", "-batch", "-ex", "set pagination off",
                       "-ex", "set debuginfod enabled off",
                       "-ex", "file " + self.program,
                       "-ex", "target remote | %s rsp %s"
                       % (self.inquest, self.snapshot), "-x", script],
                      timeout=120, merge=True).out.decode("utf-8", "replace")
        return [(k, int(a, 16), int(s), int(t), r == "1") for k, a, s, t, r
                in re.findall(r"^BLOCK (\w+) (\w+) (\d+) (\d+) (\d)$", out,
                              re.M)], out

    def whole(self, name, *options):
        told = self.capture(*options)
        blocks, out = self.look()
        held = [b for b in blocks if b[0] == "held"]
        self.tap.ok(len(held) == 42 and all(b[3] == b[2] for b in held),
                    name + ": all blocks that are held are whole",
                    [b for b in held if b[3] != b[2]] or out[-2000:])
        self.tap.ok(all(b[4] for b in blocks),
                    name + ": what there is of any is what was in it",
                    [b for b in blocks if not b[4]])
        pages = {p for b in held
                 for p in range(b[1] // PAGE, (b[1] + b[2] - 1) // PAGE + 1)}
        lost = [b for b in blocks if b[0] == "lost" and not pages & set(
            range(b[1] // PAGE, (b[1] + b[2] - 1) // PAGE + 1))]
        size, there = (sum(b[k] for b in lost) for k in (2, 3))
        self.tap.ok(size > FILL * MIB / 2 and there < size / 50,
                    name + ": others are not there",
                    "%d of %d bytes are" % (there, size))
        self.tap.note("%s: %d bytes of blocks held, %d of %d lost; %s"
                      % (name, sum(b[3] for b in held), there, size, told))

    def budget(self, mib):
        told = self.capture("--budget", "%dM" % mib)
        blocks, out = self.look()
        there = sum(b[3] for b in blocks)
        self.tap.ok(blocks and there <= mib * MIB
                    and os.stat(self.snapshot).st_size < mib * MIB + SLACK,
                    "a budget of %d MiB is not exceeded" % mib,
                    (there, told, out[-500:]))
        self.tap.ok(there > mib * MIB / 4,
                    "a budget of %d MiB is made use of" % mib, there)


def main():
    tap = kit.Tap()
    inquest = kit.need_inquest()
    kit.need_tool("gdb")
    with tempfile.TemporaryDirectory() as directory:
        blocks = Blocks(tap, inquest, directory)
        blocks.whole("all was copied", "--budget", "16M")
        blocks.budget(2)
    tap.leave()


if __name__ == "__main__":
    main()
