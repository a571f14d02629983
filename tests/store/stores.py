# SPDX-License-Identifier: Apache-2.0
"""stores: running tests/store/drive, and what the scripts here share."""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "victims"))

import kit  # noqa: E402

PROJECT = "p"
OK, FAILED, DAMAGED = 0, 1, 6


def drive_path():
    path = os.path.join(kit.build_dir(), "tests", "store", "drive")
    if not os.access(path, os.X_OK):
        kit.Tap.skip_all("tests/store/drive is not built")
    return path


def count_asked(short, text):
    """--count N: how many, @short unless asked otherwise."""
    parser = argparse.ArgumentParser(description=text)
    parser.add_argument("--count", type=int, default=short)
    return parser.parse_args().count


class Store:
    """A store in a directory of its own, and what it acknowledged."""

    def __init__(self, directory, size=60000, partition=1 << 20):
        self.directory = directory
        self.size = size
        self.settings = ["partition=%d" % partition]
        self.drive = drive_path()
        self.acks = {}          # object -> file
        self.next = 0           # file that was never put

    def words(self, *words):
        return [self.drive, self.directory, *self.settings,
                *(str(w) for w in words)]

    def run(self, *words, given="", wrap=()):
        return subprocess.run([*wrap, *self.words(*words)], input=given,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, timeout=300, check=False)

    def take(self, text):
        """Acknowledgements of a fill; the last line may be half a one."""
        new = 0
        for line in text.split("\n")[:-1]:
            if line and line[0] != "!":
                file, number = line.split()
                self.acks[int(number)] = int(file)
                new += 1
        return new

    def fill(self, count):
        done = self.run("fill", PROJECT, self.next, count, self.size)
        self.next += count
        self.take(done.stdout)
        return done

    def remove(self, objects):
        done = self.run("rm", PROJECT, *objects)
        for number in done.stdout.split():
            self.acks.pop(int(number), None)
        return done

    def wrong(self, only=None):
        """What is lost or different; "" if nothing is."""
        lines = ["%d %d" % (file, number)
                 for number, file in self.acks.items()
                 if only is None or number in only]
        done = self.run("check", PROJECT, self.size, given="\n".join(lines))
        if done.returncode or "checked %d" % len(lines) not in done.stdout:
            return "check: status %d\n%s%s" % (done.returncode, done.stdout,
                                               done.stderr)
        return ""

    def faults(self):
        """What a verification finds; "" if nothing."""
        done = self.run("verify")
        if done.returncode or not done.stdout.endswith(" faults 0\n"):
            return "verify: status %d\n%s%s" % (done.returncode, done.stdout,
                                                done.stderr)
        return ""

    def file(self, *names):
        return os.path.join(self.directory, "projects", PROJECT, *names)


def temporary(prefix="inquest-store-"):
    return tempfile.TemporaryDirectory(prefix=prefix, dir=kit.work_dir())


def need_strace(tap, name):
    """Where strace is, if it may trace here; else the test is skipped."""
    path = shutil.which("strace")
    if not path:
        tap.skip(name, "strace is not installed")
        return None
    tried = subprocess.run([path, "-qq", "-o", "/dev/null", "true"],
                           stderr=subprocess.DEVNULL, check=False)
    if tried.returncode:
        tap.skip(name, "strace may not trace here")
        return None
    return path
