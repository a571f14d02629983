# SPDX-License-Identifier: Apache-2.0
"""
racing: captures of processes that turn into others meanwhile. What a snapshot
holds is of one program and one process, or there is no snapshot.
"""

import contextlib
import glob
import os
import random
import re
import shutil
import subprocess
import sys
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "victims"))

import kit     # noqa: E402
import living  # noqa: E402

NOBODY = 65534
AS_NOBODY = ["setpriv", "--reuid=%d" % NOBODY, "--regid=%d" % NOBODY,
             "--clear-groups"]
REFUSALS = re.compile(
    # The number may be the tool's own by then.
    rb"inquest: [^\n]*(begun another program|has ended|there is no process|"
    rb"is this program itself|"
    rb"is a thread of|mappings is none|does not allow to trace|belongs to user)[^\n]*\n\Z")
FULL = ["--memory", "full", "--copy-limit", "64M"]


class Race:
    """Captures one after the other, and what was wrong with them."""

    def __init__(self, inquest, directory, wrap=()):
        self.inquest, self.directory = inquest, directory
        self.wrap = list(wrap)
        self.taken = self.refused = 0
        self.letters = set()
        self.wrong = []

    def run(self, *words):
        return kit.run([*self.wrap, self.inquest, *words], timeout=60,
                       cwd=self.directory)

    def look(self, path):
        """(letter on the command line or None, letters in memory)"""
        core = path + ".core"
        dump = self.run("dump", path).out
        found = re.search(rb'^text name="cmdline" bytes=\d+:([0-9a-f]+)$',
                          dump, re.M)
        words = bytes.fromhex(found[1].decode()).split(b"\0") if found else []
        result = self.run("export", path, "--core", core)
        if result.status:
            self.wrong.append(result)
            return None, set()
        with open(core, "rb") as f:
            memory = f.read()
        os.unlink(core)
        letter = words[-2].decode("latin-1") if len(words) > 2 else None
        return letter, {c for c in "ab" if b"racer-memory-" + c.encode()
                        in memory}

    def capture(self, pid):
        path = os.path.join(self.directory, "race.snap")
        result = self.run("capture", "-o", path, *FULL, str(pid))
        if result.status:
            self.refused += 1
            if result.timed_out or not REFUSALS.search(result.err):
                self.wrong.append(result)
            if os.path.exists(path):
                self.wrong.append("a refused capture left a file")
        else:
            self.taken += 1
            letter, memory = self.look(path)
            self.letters |= memory
            # "?": it had not yet begun to be one of the two.
            if len(memory) > 1 or (letter in ("a", "b")
                                   and not memory <= {letter}):
                self.wrong.append("%s on its command line, %s in its memory"
                                  % (letter, sorted(memory)))
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)

    def captures(self, pid, number):
        """So many, and more where a busy machine was late for all of them."""
        for k in range(20 * number):
            if k >= number and self.taken:
                break
            self.capture(pid)

    def __str__(self):
        return "%d captured, %d refused, %d wrong%s" % (
            self.taken, self.refused, len(self.wrong),
            "".join("\n%s" % w for w in self.wrong[:3]))


@contextlib.contextmanager
def running(argv, **how):
    process = subprocess.Popen([str(word) for word in argv],
                               stdin=subprocess.DEVNULL, **how)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def exec_race(inquest, directory, number, us, wrap=()):
    """One that begins itself anew all the time."""
    race = Race(inquest, directory)
    racer = living.victim("racer", directory)
    with running([*wrap, racer, "exec", us, "a"]) as victim:
        time.sleep(0.05)
        race.captures(victim.pid, number)
        if living.still_stopped(victim.pid) or victim.poll() is not None:
            race.wrong.append("it does not go on")
    return race


def is_suid(pid):
    """Is it that program, by its file, and has it what that gives it?"""
    uids = living.status_field(pid, "Uid")
    return (living.status_field(pid, "Name") == "suid" and uids is not None
            and uids.split()[1] == "0")


def suid_race(inquest, directory, number, us):
    """
    One of nobody's that is a set-user-ID program now and then, looked at by
    nobody; None if that cannot be had here.
    """
    plain = os.path.join(directory, "plain")
    suid = os.path.join(directory, "suid")
    tool = os.path.join(directory, "inquest")
    place = os.path.join(directory, "nobody")
    racer = living.victim("racer", directory)
    for path in (plain, suid):
        shutil.copy(racer, path)
    shutil.copy(inquest, tool)
    for path, mode in ((plain, 0o755), (suid, 0o4755), (tool, 0o755)):
        os.chmod(path, mode)
    os.makedirs(place, exist_ok=True)
    os.chown(place, NOBODY, NOBODY)
    race = Race(tool, place, wrap=AS_NOBODY)
    if race.run("--version").status:
        return None
    with running([*AS_NOBODY, plain, "suid", us, suid, "a"]) as victim:
        if not living.until(lambda: is_suid(victim.pid), 20):
            return None
        race.captures(victim.pid, number)
        if victim.poll() is not None:
            race.wrong.append("it does not go on")
    if "b" in race.letters:
        race.wrong.append("memory of the set-user-ID program was seen")
    return race


def reuse_race(inquest, directory, number, us, pid=3000):
    """
    Processes with one number, in the number space that this program is in;
    None where the next number cannot be set.
    """
    if not os.access("/proc/sys/kernel/ns_last_pid", os.W_OK):
        return None
    race = Race(inquest, directory)
    racer = living.victim("racer", directory)
    with running([racer, "reuse", us, pid, "?"]):
        if not living.until(lambda: os.path.exists("/proc/%d" % pid)):
            return None
        race.captures(pid, number)
    return race


def killed(inquest, directory, number):
    """Processes that are killed while they are attached to, or soon after."""
    race = Race(inquest, directory)
    rng = random.Random(number)
    for _ in range(number):
        with living.busy("heap", 20, directory) as victim:
            tool = subprocess.Popen(
                [inquest, "capture", "-o", os.path.join(directory, "k.snap"),
                 str(victim.pid)], stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            while (tool.poll() is None and
                   living.status_field(victim.pid, "TracerPid") == "0"):
                pass
            time.sleep(rng.uniform(0, 0.01))
            victim.process.kill()
            said = tool.communicate(timeout=60)[1]
        race.taken += tool.returncode == 0
        race.refused += tool.returncode != 0
        if tool.returncode and not re.fullmatch(
                rb"inquest: [^\n]* has ended[^\n]*\n", said):
            race.wrong.append(said)
    return race


def spawning(inquest, directory, number, threads, seconds=30):
    """Threads that come and go: all that there are have registers."""
    race = Race(inquest, directory)
    path = os.path.join(directory, "spawn.snap")
    with living.busy("spawn", threads, directory) as victim:
        victim.is_set_up(threads)
        for _ in range(number):
            result = race.run("capture", "-o", path, "--memory", "stacks",
                              str(victim.pid))
            dump = race.run("dump", path).out.decode("utf-8", "replace")
            found = re.findall(r"^thread tid=\d+ .* regsets=(\d+)", dump,
                               re.M)
            if (result.status or result.seconds > seconds
                    or len(found) < threads or "0" in found
                    or "capture.incomplete" in dump):
                race.wrong.append("%d threads, %d of them without registers\n"
                                  "%s" % (len(found), found.count("0"),
                                          result))
            race.taken += 1
        if living.still_stopped(victim.pid) or not victim.goes_on(threads):
            race.wrong.append("it does not go on")
    return race


def inside(script, *words):
    """This script again in a space of process numbers of its own."""
    return kit.run(["unshare", "--pid", "--fork", "--mount-proc",
                    sys.executable, script, *words], timeout=36000,
                   env=dict(os.environ))


def leftovers(directory):
    return glob.glob(os.path.join(directory, "*.partial"))
