#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
jemalloc: of a program that allocates with it, blocks are kept whole when a
pointer leads to or into them, others are not: out of all that was copied, and
where not all could be copied. The program itself says where its blocks are.
The same of redis-server: what clients stored is found where it says it is.
"""

import contextlib
import json
import os
import re
import shutil
import socket
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
FILL = 32               # MiB that nothing leads to
SLACK = 2 * MIB         # stacks, headers, tables of the snapshot

# What of each block is there; whether its words are those it was given.
LOOK = r"""
python
inferior = gdb.selected_inferior()
def read(at, n):
    try:
        return bytes(inferior.read_memory(at, n))
    except gdb.MemoryError:
        return b""
def parts(at, size):
    data = read(at, size)
    if data or size <= 4096:
        return [(at, data)]
    ends = list(range((at // 4096 + 1) * 4096, at + size, 4096)) + [at + size]
    return [(a, read(a, b - a)) for a, b in zip([at] + ends, ends)]
for line in open(%r):
    kind, addr, size = line.split()
    there, right = 0, True
    for at, data in parts(int(addr, 16), int(size)):
        there += len(data)
        for k in range(0, len(data) - 15, 8 if kind == "held" else 512):
            word = int.from_bytes(data[k:k + 8], "little")
            right &= word == ((at + k) << 16 | 1) %% 2 ** 64
    print("BLOCK", kind, addr, size, there, int(right))
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
                      timeout=300, merge=True).out.decode("utf-8", "replace")
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


# Objects at addresses, and the text that each holds.
VALUES = r"""
python
import struct
inferior = gdb.selected_inferior()
for line in open(%r):
    addr, seed, size = line.split()
    want = (seed.encode() * (int(size) // len(seed) + 1))[:int(size)]
    try:
        at, = struct.unpack("<Q", inferior.read_memory(int(addr, 16) + 8, 8))
        print("VALUE", size, bytes(inferior.read_memory(at, len(want))) == want)
    except gdb.MemoryError as e:
        print("VALUE", size, "ABSENT", e)
end
"""


class Redis:
    """What it holds, and behind it much that it has freed."""

    SIZES = (10, 90, 700, 3000, 6000, 17000, 100000)
    KEPT, FREED = 1000, 400

    def __init__(self, tap, inquest, directory):
        self.tap, self.inquest, self.directory = tap, inquest, directory
        self.snapshot = os.path.join(directory, "redis.snap")
        self.list = os.path.join(directory, "values.txt")

    def ask(self, *commands):
        """One answer each; a long text is not looked at."""
        for words in commands:
            words = [str(w).encode() for w in words]
            self.out.write(b"*%d\r\n" % len(words))
            for word in words:
                self.out.write(b"$%d\r\n%s\r\n" % (len(word), word))
        self.out.flush()
        return [self.out.readline().decode() for _ in commands]

    def value(self, k):
        size = self.SIZES[k % len(self.SIZES)]
        seed = "%d<key>" % k
        return seed, size, (seed * (size // len(seed) + 1))[:size]

    def fill(self):
        for k in range(self.KEPT):
            self.ask(("SET", "key:%d" % k, self.value(k)[2]))
            if k < self.FREED:
                self.ask(("SET", "freed:%d" % k, "x" * 100000))
        self.ask(*[("DEL", "freed:%d" % k) for k in range(self.FREED)])
        with open(self.list, "w", encoding="ascii") as f:
            for k in range(self.KEPT):
                said = self.ask(("DEBUG", "OBJECT", "key:%d" % k))[0]
                at = re.search(r"at:(0x[0-9a-f]+) ", said)
                f.write("%s %s %d\n" % ((at.group(1),) + self.value(k)[:2]))

    @contextlib.contextmanager
    def run(self):
        path = os.path.join(self.directory, "redis.sock")
        # What is freed stays where it was.
        env = dict(os.environ, MALLOC_CONF="dirty_decay_ms:-1")
        process = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", path, "--save", "",
             "--appendonly", "no", "--dir", self.directory,
             "--enable-debug-command", "yes"], env=env,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        try:
            client = socket.socket(socket.AF_UNIX)
            if living.until(lambda: client.connect_ex(path) == 0):
                self.out = client.makefile("rwb")
                self.fill()
            yield process.pid
        finally:
            process.kill()
            process.wait()

    def look(self, name, pid, *options):
        result = kit.run([self.inquest, "capture", "--json", "-o",
                          self.snapshot, "--max-pause", "10s", *options,
                          str(pid)])
        script = os.path.join(self.directory, "values.gdb")
        with open(script, "w", encoding="ascii") as f:
            f.write(VALUES % self.list)
        out = kit.run(["gdb", "-nx", "-batch", "-ex", "set pagination off",
                       "-ex", "set debuginfod enabled off",
                       "-ex", "target remote | %s rsp %s"
                       % (self.inquest, self.snapshot), "-x", script],
                      timeout=300, merge=True).out.decode("utf-8", "replace")
        values = re.findall(r"^VALUE (\d+) (.*)$", out, re.M)
        wrong = [v for v in values if v[1] != "True"]
        self.tap.ok(len(values) == self.KEPT and not wrong,
                    "redis-server, %s: its values are there" % name,
                    "%d of %d are not: %s\n%s\n%s"
                    % (len(wrong), len(values), wrong[:5], out[-1000:],
                       result))
        told = json.loads(result.out)
        self.tap.ok(told["absent"] > 20 * MIB, "redis-server, %s: what it has "
                    "freed is not" % name, told)
        self.tap.note("%s: %s" % (name, told))


def redis(tap, inquest, directory):
    if not shutil.which("redis-server"):
        tap.skip("redis-server", "redis-server is not installed")
        return
    it = Redis(tap, inquest, directory)
    with it.run() as pid:
        it.look("all copied", pid, "--budget", "32M")
        it.look("not all copied", pid, "--budget", "32M",
                "--copy-limit", "34M")


def main():
    tap = kit.Tap()
    inquest = kit.need_inquest()
    kit.need_tool("gdb")
    with tempfile.TemporaryDirectory() as directory:
        blocks = Blocks(tap, inquest, directory)
        blocks.whole("all was copied", "--budget", "16M")
        blocks.whole("not all was copied", "--budget", "10M",
                     "--copy-limit", "14M")
        blocks.budget(2)
        redis(tap, inquest, directory)
    tap.leave()


if __name__ == "__main__":
    main()
