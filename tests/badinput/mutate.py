# SPDX-License-Identifier: Apache-2.0
"""
mutate: damaged copies of a file, each made again from its seed.

One to sixteen edits; in a core most of them hit the headers and notes. The
shares are those that found faults in other readers of cores.
"""

import random

HEAD = 8 << 10
EDGES = (0, 1, 0x7f, 0x80, 0xff, 0x8000, 0xffff, 0x10000, 0x7fffffff,
         0x80000000, 0xfffffff0, 0xffffffff, 1 << 63, (1 << 63) - 1,
         (1 << 64) - 1)


def seed(run, number):
    return run * 1000003 + number


def mutate(data, rng, head=HEAD):
    """A damaged copy of data; `head` is where 70 % of the edits go."""
    data = bytearray(data)
    for _ in range(rng.choice((1, 2, 4, 8, 16))):
        if not data:
            break
        edit(data, rng, head)
    return bytes(data)


def edit(data, rng, head):
    limit = min(head, len(data)) if rng.random() < 0.7 else len(data)
    at = rng.randrange(limit)
    kind = rng.random()
    if kind < 0.3:
        data[at] ^= 1 << rng.randrange(8)
    elif kind < 0.5:
        data[at] = rng.randrange(256)
    elif kind < 0.9:
        set_word(data, at, rng)
    else:
        del data[rng.randrange(len(data) // 2, len(data)):]


def set_word(data, at, rng):
    size = rng.choice((2, 4, 8))
    at -= at % size
    value = rng.getrandbits(64) if rng.random() < 0.3 else rng.choice(EDGES)
    word = (value & (1 << 8 * size) - 1).to_bytes(size, "little")
    data[at:at + size] = word[:len(data) - at]


def numbered(data, run, number, head=HEAD):
    return mutate(data, random.Random(seed(run, number)), head)
