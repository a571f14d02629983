#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
build: compile the victims and let them crash, once per build directory.

build.py [NAME...] makes those victims, or all, below BUILDDIR/tests/work/victims
and prints where; ensure() is the same for other scripts. Each victim has a
directory of its own with the program, its libraries, `core` and `made`, which
tells what it was made from and who wrote the core.
"""

import contextlib
import fcntl
import glob
import hashlib
import json
import os
import resource
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))

import kit    # noqa: E402
import table  # noqa: E402

HERE = os.path.dirname(os.path.realpath(__file__))
VERSION = 1


class Failure(Exception):
    """A victim that cannot be made here; the text says why."""


class Made:
    """A victim with its core: where things are."""

    def __init__(self, victim, directory, facts):
        self.victim = victim
        self.name = victim.name
        self.directory = directory
        self.program = os.path.join(directory, victim.name)
        self.core = os.path.join(directory, "core")
        self.by = facts["by"]


def compiler(source):
    return "g++" if source.endswith(".cc") else "gcc"


def call(argv, cwd):
    done = subprocess.run(argv, cwd=cwd, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          check=False)
    if done.returncode:
        raise Failure("%s: %s" % (" ".join(argv),
                                  kit.tail(done.stdout, 500)))


def source(name):
    return os.path.join(HERE, name)


def compile_libraries(victim, directory):
    for library in victim.libraries:
        flags = [f for f in victim.flags if f not in ("-fPIE", "-pie")]
        call(["gcc", "-std=gnu11", "-fPIC", "-shared", *flags,
              "-Wl,-soname," + library.name, "-o", library.name,
              source(library.source)], directory)


def compile_program(victim, directory):
    objects = []
    for name in victim.sources:
        flags = [f for f in victim.flags
                 if name.endswith(".cc") or not f.startswith("-std=")]
        objects.append(name + ".o")
        call([compiler(name), *flags, "-D_GNU_SOURCE", "-pthread", "-c",
              "-o", objects[-1], source(name)], directory)
    linked = [library.name for library in victim.libraries[:1]]
    link = [compiler(victim.sources[0]), *victim.flags, "-pthread",
            "-o", victim.name, *objects, *linked, *link_flags(victim,
                                                              directory)]
    call(link, directory)
    for name in objects:
        os.unlink(os.path.join(directory, name))


def link_flags(victim, directory):
    flags = []
    if victim.libraries:
        flags.append("-Wl,-rpath," + directory)
    if "private" in victim.tags:
        loader = copy_system_files(directory)
        flags.append("-Wl,--dynamic-linker=" + loader)
    return flags


def copy_system_files(directory):
    """Private copies of libc and the loader, under build-ids of their own."""
    for name in ("libc.so.6", "ld-linux-x86-64.so.2"):
        found = subprocess.check_output(["gcc", "-print-file-name=" + name],
                                        text=True).strip()
        path = os.path.join(directory, name)
        shutil.copyfile(os.path.realpath(found), path)
        os.chmod(path, 0o755)
        change_build_id(path)
    return os.path.join(directory, "ld-linux-x86-64.so.2")


def change_build_id(path):
    """So that no file elsewhere on this machine can stand in for the copy."""
    with open(path, "r+b") as f:
        data = f.read()
        at = data.find(b"\4\0\0\0\x14\0\0\0\3\0\0\0GNU\0")
        if at < 0:
            raise Failure("%s: no build-id note" % path)
        f.seek(at + 16)
        f.write(bytes(b ^ 0xa5 for b in data[at + 16:at + 36]))


def unlimit():
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))


def filtered():
    """No memory in the core but the first pages of ELF files; see core(5)."""
    unlimit()
    with open("/proc/self/coredump_filter", "w", encoding="ascii") as f:
        f.write("0x10")


def core_pattern():
    with open("/proc/sys/kernel/core_pattern", encoding="utf-8") as f:
        return f.read().strip()


def core_is_elsewhere():
    """Whether the kernel hands cores to a program or another directory."""
    return "/" in core_pattern() or core_pattern().startswith("|")


def find_core(directory):
    found = sorted(glob.glob(os.path.join(directory, "core*")))
    return found[0] if found else None


def crash(victim, directory):
    """Run the program to its end; the kernel, or else gdb, writes a core."""
    program = os.path.join(directory, victim.name)
    if "gcore" in victim.tags or core_is_elsewhere():
        return crash_in_gdb(program, directory)
    subprocess.run([program, "one argument", "*"], cwd=directory,
                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL, timeout=60, check=False,
                   env=environment(), preexec_fn=filtered
                   if "filtered" in victim.tags else unlimit)
    found = find_core(directory)
    if not found:
        return crash_in_gdb(program, directory)
    os.replace(found, os.path.join(directory, "core"))
    return "kernel"


def environment():
    """Few and fixed variables: they lie on the stack that tests look at."""
    return {"PATH": "/usr/bin:/bin", "LANG": "C", "VICTIM": "yes"}


def crash_in_gdb(program, directory):
    if not shutil.which("gdb"):
        raise Failure("core_pattern is '%s' and there is no gdb"
                      % core_pattern())
    follow = ("child" if program.endswith("/child") else "parent")
    call(["timeout", "120", "gdb", "-nx", "-batch",
          "-ex", "set follow-fork-mode " + follow,
          "-ex", "handle SIGSEGV nostop noprint pass"
          if program.endswith("/handler") else "set confirm off",
          "-ex", "run", "-ex", "generate-core-file core",
          "--args", program, "one argument", "*"], directory)
    if not os.path.exists(os.path.join(directory, "core")):
        raise Failure("gdb wrote no core of " + program)
    return "gdb"


def stamp(victim):
    """What a victim depends on, as one hash."""
    hasher = hashlib.sha256(repr((VERSION, victim[:-1],
                                  sorted(victim.tags))).encode())
    names = set(victim.sources) | {l.source for l in victim.libraries}
    for name in sorted(names | {"victim.h", "library.h", "build.py"}):
        with open(source(name), "rb") as f:
            hasher.update(f.read())
    hasher.update(subprocess.check_output(["gcc", "--version"]))
    return hasher.hexdigest()


def read_facts(directory):
    try:
        with open(os.path.join(directory, "made"), encoding="utf-8") as f:
            return json.load(f)
    except (OSError, ValueError):
        return {}


def make_core(victim, directory):
    by = crash(victim, directory)
    if "cut" in victim.tags:
        core = os.path.join(directory, "core")
        shutil.copyfile(core, os.path.join(directory, "whole"))
        os.truncate(core, os.stat(core).st_size * 97 // 100)
    return by


def make(victim, directory, want):
    shutil.rmtree(directory, ignore_errors=True)
    os.makedirs(directory)
    compile_libraries(victim, directory)
    compile_program(victim, directory)
    facts = {"stamp": want, "by": victim.signal and
             make_core(victim, directory)}
    with open(os.path.join(directory, "made"), "w", encoding="utf-8") as f:
        json.dump(facts, f)
    return facts


@contextlib.contextmanager
def locked(directory):
    """Scripts run side by side: the first makes, the others wait."""
    with open(directory + ".lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def ensure(name):
    """The victim `name`, made now unless it is there already."""
    victim = (table.VICTIMS.get(name) or table.SPOKEN.get(name)
              or table.LIVE[name])
    directory = os.path.join(kit.work_dir("victims"), name)
    want = stamp(victim)
    with locked(directory):
        facts = read_facts(directory)
        if facts.get("stamp") != want:
            facts = make(victim, directory, want)
    return Made(victim, directory, facts)


def main():
    for name in sys.argv[1:] or table.VICTIMS:
        made = ensure(name)
        print("%-12s core by %s in %s" % (name, made.by, made.directory))


if __name__ == "__main__":
    main()
