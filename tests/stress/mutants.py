#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
mutants: thousands of damaged cores, executables and snapshots.

Each mutant is made from a good file by badinput/mutate.py, of the victims and
of the corpus where CORPUS names it; 60 % damage the core, 30 % the executable,
10 % both; every fourth is a snapshot. The seed of
a mutant is run * 1000003 + number: STRESS_RUN and STRESS_FIRST choose others
or one again, STRESS_COUNT how many (2,000). What ends badly stays in
BUILDDIR/tests/work/stress, with the command that shows it.
"""

import collections
import os
import random
import shlex
import shutil
import sys
import tempfile
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [os.path.join(os.path.dirname(HERE), name)
                for name in ("victims", "badinput")]

import build   # noqa: E402
import kit     # noqa: E402
import mutate  # noqa: E402
import probe   # noqa: E402

BASES = ("jump", "handler", "heaplist", "child", "registers", "containers")
# Of the corpus: small cores of x86-64 beside their programs, and one alone.
FOREIGN = (("lldb-elf-core/linux-x86_64.core", "lldb-elf-core/linux-x86_64.out"),
           ("lldb-elf-core/thread_crash/linux-x86_64.core",
            "lldb-elf-core/linux-x86_64.out"),
           ("elfutils/test-core.core", "elfutils/test-core.exec"))
ALLOWED = {0, probe.FAILED, probe.DAMAGED}


def setting(name, default):
    return int(os.environ.get(name, default))


def read(path):
    with open(path, "rb") as f:
        return f.read()


class Campaign:
    def __init__(self, inquest, directory):
        self.probe = probe.Probe(inquest)
        self.inquest = inquest
        self.directory = directory
        self.bases = [self.base(*files) for files in self.good_files()]
        self.ends = collections.Counter()
        self.slowest = self.largest = 0
        self.bad = 0

    @staticmethod
    def good_files():
        made = [build.ensure(name) for name in BASES]
        files = [(m.core, m.program) for m in made]
        corpus = os.environ.get("CORPUS")
        if corpus:
            files += [(os.path.join(corpus, core), os.path.join(corpus, exe))
                      for core, exe in FOREIGN]
        return files

    def base(self, core, program):
        snapshot = os.path.join(self.directory, "good.snap")
        result = kit.run([self.inquest, "import", core, "-o", snapshot])
        if result.status:
            sys.exit("%s: %s" % (core, result))
        return read(core), read(program), read(snapshot)

    def write(self, name, data):
        path = os.path.join(self.directory, name)
        with open(path, "wb") as f:
            f.write(data)
        return path

    def words(self, run, number):
        """The damaged files of this number, and the verb to try them on."""
        rng = random.Random(mutate.seed(run, number))
        core, program, snapshot = rng.choice(self.bases)
        if number % 4 == 3:
            path = self.write("mutant.snap",
                              mutate.mutate(snapshot, rng, len(snapshot)))
            return rng.choice((["check", path], ["dump", path], ["rsp", path],
                               ["report", "--json", path]))
        what = rng.random()
        if what < 0.6 or what >= 0.9:
            core = mutate.mutate(core, rng)
        if what >= 0.6:
            program = mutate.mutate(program, rng)
        path = self.write("mutant.core", core)
        exe = self.write("mutant.exe", program)
        if what < 0.6 and rng.random() < 0.7:
            return rng.choice((["report", "--json", path], ["rsp", path]))
        return ["import", path, "--exe", exe, "-o",
                os.path.join(self.directory, "out.snap")]

    def one(self, run, number):
        words = self.words(run, number)
        result = self.probe.run(*words)
        self.ends["%s: status %d" % (words[0], result.status)] += 1
        self.slowest = max(self.slowest, result.seconds)
        self.largest = max(self.largest, result.peak)
        wrong = self.probe.wrong(result, ALLOWED)
        if wrong:
            self.keep(run, number, words, wrong, result)

    def keep(self, run, number, words, wrong, result):
        self.bad += 1
        found = os.path.join(kit.work_dir("stress"),
                             "found-%d-%d" % (run, number))
        shutil.rmtree(found, ignore_errors=True)
        os.makedirs(found)
        moved = []
        for word in words:
            if word.startswith(self.directory) and os.path.exists(word):
                shutil.copy(word, found)
            moved.append(word.replace(self.directory, found))
        print("%d: %s: %s\n  %s" % (
            number, words[0], wrong,
            " ".join(map(shlex.quote, [self.inquest, *moved]))))
        if self.bad <= 5:
            print("  " + str(result).replace("\n", "\n  "))


def main():
    inquest = os.environ.get("INQUEST")
    if not inquest:
        sys.exit("INQUEST does not name the program to test")
    run, first = setting("STRESS_RUN", 1), setting("STRESS_FIRST", 0)
    count = setting("STRESS_COUNT", 2000)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="inquest-mutants-") as directory:
        campaign = Campaign(os.path.realpath(inquest), directory)
        for number in range(first, first + count):
            campaign.one(run, number)
    for end, times in sorted(campaign.ends.items()):
        print("%6d  %s" % (times, end))
    print("%d mutants of run %d from %d in %.0f s; slowest %.2f s, largest "
          "%d MiB; %d ended badly" % (
              count, run, first, time.monotonic() - began, campaign.slowest,
              campaign.largest >> 20, campaign.bad))
    sys.exit(1 if campaign.bad else 0)


if __name__ == "__main__":
    main()
