#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
full: a file system that really is full, ext4 and tmpfs of 12 MiB.

A put that finds no room says so and changes nothing; what was there is read;
removing and collecting work; then there is room again, in the same directory.
"""

import os
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "victims")]

import kit      # noqa: E402
import stores   # noqa: E402

ROOM = 12 << 20
SIZE = 300000


def run(*words):
    return subprocess.run(words, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)


def mount_tmpfs(where, _):
    return run("mount", "-t", "tmpfs", "-o", "size=%d" % ROOM, "none", where)


def mount_ext4(where, beside):
    image = os.path.join(beside, "image")
    with open(image, "wb") as f:
        f.truncate(ROOM)
    made = run("mkfs.ext4", "-q", image)
    return made if made.returncode else run("mount", "-o", "loop", image,
                                            where)


class Mounted:
    """A small file system while the block runs; .reason if there is none."""

    def __init__(self, mount, directory):
        self.where = os.path.join(directory, "mounted")
        os.mkdir(self.where)
        done = mount(self.where, directory)
        self.reason = done.stdout.strip() if done.returncode else ""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if not self.reason:
            run("umount", self.where)


def fill_up(store):
    """Put until two in a row fail; yields what the failures say."""
    said = []
    while len(said) < 2:
        done = store.fill(1)
        if done.returncode:
            said.append("%d %s" % (done.returncode, done.stderr.strip()))
        else:
            said.clear()
    return said


def check_full(tap, name, where):
    store = stores.Store(os.path.join(where, "s"), SIZE)
    said = fill_up(store)
    # A smaller one may still fit; then there is room for nothing.
    store.size = 20000
    held = dict(store.acks)
    said += fill_up(store)
    small = {k: v for k, v in store.acks.items() if k not in held}
    tap.ok(all(s.startswith("1 ") and "the file system is full" in s
               for s in said), name + ": a full disk is told as such",
           "\n".join(said))
    wrong = check_halves(store, held, small)
    tap.ok(not wrong, name + ": what was there is read while it is full",
           wrong)
    check_room(tap, name, store, held, small)


def check_halves(store, large, small):
    """The files of either size; and a verification."""
    for size, acks in ((SIZE, large), (20000, small)):
        store.size, store.acks = size, acks
        wrong = store.wrong()
        if wrong:
            return wrong
    return store.faults()


def check_room(tap, name, store, held, small):
    store.acks = dict(held)
    # In a row: there is no room to copy what lies between.
    victims = sorted(held)[:len(held) * 2 // 3]
    done = store.remove(victims)
    tap.ok(done.returncode == 0, name + ": objects are removed while it is "
           "full", done.stderr)
    left = dict(store.acks)
    done = store.run("gc")
    tap.ok(done.returncode == 0, name + ": their space is collected",
           done.stderr)
    store.size = SIZE
    before = len(store.acks)
    done = store.fill(3)
    tap.ok(done.returncode == 0 and len(store.acks) == before + 3,
           name + ": then there is room again", done.stderr)
    new = {k: v for k, v in store.acks.items() if k not in left}
    wrong = check_halves(store, {**left, **new}, small)
    tap.ok(not wrong, name + ": and everything is as it should be", wrong)


def check_one(tap, name, mount):
    if os.geteuid() != 0:
        tap.skip(name, "only root may mount")
        return
    with stores.temporary() as directory, \
            Mounted(mount, directory) as mounted:
        if mounted.reason:
            tap.skip(name, "cannot be mounted here: " + mounted.reason)
        else:
            check_full(tap, name, mounted.where)


def main():
    tap = kit.Tap()
    check_one(tap, "tmpfs", mount_tmpfs)
    if shutil.which("mkfs.ext4"):
        check_one(tap, "ext4", mount_ext4)
    else:
        tap.skip("ext4", "mkfs.ext4 is not installed")
    tap.leave()


if __name__ == "__main__":
    main()
