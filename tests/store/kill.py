#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
kill: a process that puts, removes and collects is killed at any moment.

Whatever it acknowledged is there bit for bit, nothing is torn, and a
verification finds nothing. kill.py [--count N]: 20 kills unless asked.
"""

import os
import random
import subprocess
import sys
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "victims")]

import kit      # noqa: E402
import stores   # noqa: E402

SEED = 4711


def killed(store, words, seconds, first=False):
    """Output of a process that was killed, and if it was still at work.
    Killed so long after its start, or after its first line."""
    with subprocess.Popen(store.words(*words), stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True) as process:
        line = process.stdout.readline() if first else ""
        time.sleep(seconds)     # the moment of the kill, not a wait for it
        alive = process.poll() is None
        process.kill()
        return line + process.stdout.read(), alive


class Rounds:
    def __init__(self, store):
        self.store = store
        self.random = random.Random(SEED)
        self.acknowledged = self.alive = self.puts = 0

    def put(self):
        words = ("fill", stores.PROJECT, self.store.next, 1000,
                 self.store.size)
        self.puts += 1
        text, alive = killed(self.store, words,
                             self.random.uniform(0.002, 0.03),
                             self.puts % 2 == 0)
        self.store.next += 1000
        self.acknowledged += self.store.take(text)
        return alive

    def churn(self):
        words = ("churn", stores.PROJECT, 1000, self.store.size)
        return killed(self.store, words,
                      self.random.uniform(0.002, 0.06))[1]

    def one(self):
        """A kill; yields what is wrong after it."""
        self.alive += self.churn() if self.random.random() < 0.3 \
            else self.put()
        known = sorted(self.store.acks)
        sample = set(known[-40:] + self.random.sample(known,
                                                      min(20, len(known))))
        return self.store.wrong(sample) or self.store.faults()


def main():
    count = stores.count_asked(20, __doc__.splitlines()[1])
    tap = kit.Tap()
    with stores.temporary() as directory:
        rounds = Rounds(stores.Store(os.path.join(directory, "s"), 40000))
        tap.ok(rounds.store.fill(3).returncode == 0, "a store is made")
        wrong = ""
        for number in range(count):
            wrong = rounds.one()
            if wrong:
                wrong = "kill %d of seed %d\n%s" % (number, SEED, wrong)
                break
        tap.ok(not wrong, "nothing is lost or torn after %d kills" % count,
               wrong)
        tap.ok(rounds.alive > count / 2 and rounds.acknowledged > 0,
               "most kills met a process at work",
               "%d of %d, %d objects" % (rounds.alive, count,
                                         rounds.acknowledged))
        tap.note("%d objects acknowledged, %d kills at work" % (
            rounds.acknowledged, rounds.alive))
        wrong = rounds.store.wrong()
        tap.ok(not wrong, "all of them are there at the end", wrong)
    tap.leave()


if __name__ == "__main__":
    main()
