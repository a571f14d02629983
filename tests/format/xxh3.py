# SPDX-License-Identifier: Apache-2.0
"""
XXH3 with 128 bits, seed 0 and the default secret, in plain Python: after the
public specification, doc/xxhash_spec.md of the xxHash project. Slow, and owes
nothing to the library that the C side uses.
"""

import struct

M32 = (1 << 32) - 1
M64 = (1 << 64) - 1

PRIME32 = (0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D)
PRIME64 = (0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9,
           0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5)
PRIME_MX1 = 0x165667919E3779F9
PRIME_MX2 = 0x9FB21C651E98DF25

SECRET = bytes.fromhex(
    "b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671f"
    "cb79e64eccc0e578825ad07dccff7221b8084674f743248ee03590e6813a264c"
    "3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8"
    "a8fa763fe39c343ff9dcbbc7c70b4f1d8a51e04bcdb45931c89f7ec9d9787364"
    "eac5ac8334d3ebc3c581a0fffa1363eb170ddd51b7f0da49d316552629d4689e"
    "2b16be587d47a1fc8ff8b8d17ad031ce45cb3a8f95160428afd7fbcabb4b407e")

STRIPE = 64
BLOCK = 1024


def u32(data, at):
    return struct.unpack_from("<I", data, at)[0]


def u64(data, at):
    return struct.unpack_from("<Q", data, at)[0]


def swap32(v):
    return int.from_bytes(v.to_bytes(4, "little"), "big")


def swap64(v):
    return int.from_bytes(v.to_bytes(8, "little"), "big")


def fold(a, b):
    product = a * b
    return (product & M64) ^ (product >> 64)


def avalanche(h):
    h ^= h >> 37
    h = h * PRIME_MX1 & M64
    return h ^ h >> 32


def avalanche64(h):
    h ^= h >> 33
    h = h * PRIME64[1] & M64
    h ^= h >> 29
    h = h * PRIME64[2] & M64
    return h ^ h >> 32


def hash_0(_):
    return (avalanche64(u64(SECRET, 64) ^ u64(SECRET, 72)),
            avalanche64(u64(SECRET, 80) ^ u64(SECRET, 88)))


def hash_1_to_3(data):
    n = len(data)
    low = (data[n - 1] | n << 8 | data[0] << 16 | data[n >> 1] << 24)
    swapped = swap32(low)
    high = (swapped << 13 | swapped >> 19) & M32
    return (avalanche64(low ^ u32(SECRET, 0) ^ u32(SECRET, 4)),
            avalanche64(high ^ u32(SECRET, 8) ^ u32(SECRET, 12)))


def hash_4_to_8(data):
    n = len(data)
    value = u32(data, 0) + (u32(data, n - 4) << 32)
    keyed = value ^ u64(SECRET, 16) ^ u64(SECRET, 24)
    product = keyed * (PRIME64[0] + (n << 2) & M64)
    low, high = product & M64, product >> 64
    high = high + (low << 1) & M64
    low ^= high >> 3
    low ^= low >> 35
    low = low * PRIME_MX2 & M64
    low ^= low >> 28
    return low, avalanche(high)


def hash_9_to_16(data):
    n = len(data)
    first, last = u64(data, 0), u64(data, n - 8)
    product = ((first ^ last ^ u64(SECRET, 32) ^ u64(SECRET, 40)) *
               PRIME64[0])
    low = (product & M64) + ((n - 1) << 54) & M64
    last ^= u64(SECRET, 48) ^ u64(SECRET, 56)
    high = (product >> 64) + last + (last & M32) * (PRIME32[1] - 1) & M64
    low ^= swap64(high)
    product = low * PRIME64[1]
    high = (product >> 64) + high * PRIME64[1] & M64
    return avalanche(product & M64), avalanche(high)


def mix16(data, at, secret):
    return fold(u64(data, at) ^ u64(SECRET, secret),
                u64(data, at + 8) ^ u64(SECRET, secret + 8))


def mix32(acc, data, first, second, secret):
    low, high = acc
    low = low + mix16(data, first, secret) & M64
    low ^= u64(data, second) + u64(data, second + 8) & M64
    high = high + mix16(data, second, secret + 16) & M64
    high ^= u64(data, first) + u64(data, first + 8) & M64
    return low, high


def finish_short(acc, n):
    low, high = acc
    mixed = low * PRIME64[0] + high * PRIME64[3] + n * PRIME64[1] & M64
    return avalanche(low + high & M64), -avalanche(mixed) & M64


def hash_17_to_128(data):
    n = len(data)
    acc = n * PRIME64[0] & M64, 0
    for i in reversed(range((n - 1) // 32 + 1)):
        acc = mix32(acc, data, 16 * i, n - 16 * (i + 1), 32 * i)
    return finish_short(acc, n)


def hash_129_to_240(data):
    n = len(data)
    acc = n * PRIME64[0] & M64, 0
    for i in range(4):
        acc = mix32(acc, data, 32 * i, 32 * i + 16, 32 * i)
    acc = avalanche(acc[0]), avalanche(acc[1])
    for i in range(4, n // 32):
        acc = mix32(acc, data, 32 * i, 32 * i + 16, 3 + 32 * (i - 4))
    return finish_short(mix32(acc, data, n - 16, n - 32, 136 - 17 - 16), n)


def keys_at(secret):
    return struct.unpack_from("<8Q", SECRET, secret)


STRIPE_KEYS = [keys_at(8 * i) for i in range(16)]
SCRAMBLE_KEYS = keys_at(128)
LAST_KEYS = keys_at(121)


def accumulate(acc, data, at, keys):
    values = struct.unpack_from("<8Q", data, at)
    for i in range(8):
        key = values[i] ^ keys[i]
        acc[i ^ 1] = acc[i ^ 1] + values[i] & M64
        acc[i] = acc[i] + (key & M32) * (key >> 32) & M64


def scramble(acc):
    for i in range(8):
        v = acc[i]
        acc[i] = (v ^ v >> 47 ^ SCRAMBLE_KEYS[i]) * PRIME32[0] & M64


def merge(acc, secret, start):
    for i in range(4):
        start += fold(acc[2 * i] ^ u64(SECRET, secret + 16 * i),
                      acc[2 * i + 1] ^ u64(SECRET, secret + 16 * i + 8))
    return avalanche(start & M64)


def hash_long(data):
    n = len(data)
    acc = [PRIME32[2], PRIME64[0], PRIME64[1], PRIME64[2],
           PRIME64[3], PRIME32[1], PRIME64[4], PRIME32[0]]
    for stripe in range((n - 1) // STRIPE):
        accumulate(acc, data, stripe * STRIPE, STRIPE_KEYS[stripe % 16])
        if stripe % 16 == 15:
            scramble(acc)
    accumulate(acc, data, n - STRIPE, LAST_KEYS)
    return (merge(acc, 11, n * PRIME64[0] & M64),
            merge(acc, 192 - 64 - 11, ~(n * PRIME64[1]) & M64))


LENGTHS = ((0, hash_0), (3, hash_1_to_3), (8, hash_4_to_8),
           (16, hash_9_to_16), (128, hash_17_to_128),
           (240, hash_129_to_240))


def xxh3_128(data):
    """The 16 bytes of the canonical form."""
    method = next((m for limit, m in LENGTHS if len(data) <= limit),
                  hash_long)
    low, high = method(data)
    return struct.pack(">QQ", high, low)
