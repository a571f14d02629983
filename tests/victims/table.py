# SPDX-License-Identifier: Apache-2.0
"""table: the victim programs, how each is built and what it shows."""

import collections

Library = collections.namedtuple("Library", "name source")

_FIELDS = ["name", "about", "sources", "flags", "libraries", "signal",
           "threads", "tags"]
Victim = collections.namedtuple("Victim", _FIELDS)

# Tags: "source" debugging information; "tls" the variables of threads.c;
# "c++" standard containers; "private" no file of the system is used, so that
# all can be deleted; "wide" too many threads for the longest commands.
LIBRARIES = (Library("libvictim.so", "library.c"),
             Library("libplugin.so", "plugin.c"))


def _victim(name, about, sources, flags="-O0 -g", libraries=(),
            signal="SIGSEGV", threads=1, tags=("source",)):
    return Victim(name, about, sources.split(), flags.split(), libraries,
                  signal, threads, frozenset(tags))


VICTIMS = collections.OrderedDict((v.name, v) for v in (
    _victim("threads", "null dereference among 8 named threads with TLS",
            "threads.c victim.c", "-O1 -g -fPIE -pie", LIBRARIES,
            threads=9, tags=("source", "tls")),
    _victim("overflow", "stack overflow", "overflow.c victim.c"),
    _victim("handler", "abort inside a signal handler",
            "handler.c victim.c", signal="SIGABRT"),
    _victim("containers", "uncaught exception with STL containers",
            "containers.cc victim.c", "-O0 -g -std=c++17", signal="SIGABRT",
            threads=2, tags=("source", "c++")),
    _victim("stripped", "the crash of threads, stripped",
            "threads.c victim.c", "-O1 -s -fPIE -pie", LIBRARIES,
            threads=9, tags=()),
    _victim("static", "write to read-only memory, static executable",
            "alone.c victim.c", "-O0 -g -static", threads=2),
    _victim("staticpie", "the crash of static, position-independent",
            "alone.c victim.c", "-O1 -g -static-pie", threads=2),
    _victim("child", "a fork's child divides by zero, its parent lives",
            "child.c victim.c", signal="SIGFPE"),
    _victim("jump", "jump to address 0", "jump.c victim.c"),
    _victim("thousand", "one of 1,000 threads dies", "thousand.c victim.c",
            "-O1 -g", signal="SIGBUS", threads=1000,
            tags=("source", "wide")),
    _victim("hundred", "one of 100 threads dies", "thousand.c victim.c",
            "-O1 -g -DTHREADS=100", signal="SIGBUS", threads=100,
            tags=("source", "wide")),
    _victim("heaplist", "a heap list with a non-canonical link",
            "heaplist.c victim.c", "-O2 -g"),
    _victim("gcore", "the crash of containers, core by gdb",
            "containers.cc victim.c", "-O1 -g -std=c++17 -fno-inline",
            signal="SIGABRT", threads=2, tags=("source", "c++", "gcore")),
    _victim("cut", "the crash of containers, its core cut",
            "containers.cc victim.c", "-O0 -g -std=c++17", signal="SIGABRT",
            threads=2, tags=("source", "c++", "cut")),
    _victim("filtered", "the crash of child, its core without memory",
            "child.c victim.c", signal="SIGFPE", tags=("source", "filtered")),
    _victim("registers", "known values in every register",
            "registers.c victim.c", signal="SIGILL"),
    _victim("private", "the crash of threads, all files its own",
            "threads.c victim.c", "-O0 -fPIE -pie", LIBRARIES,
            threads=9, tags=("private",)),
))

# Programs that live until their standard input ends; no core is made of them.
LIVE = {v.name: v for v in (
    _victim("waiting", "nine named threads that wait in nine ways",
            "waiting.c victim.c", "-O1 -g -fPIE -pie", LIBRARIES,
            signal=None, threads=9, tags=("source", "tls")),
    _victim("living", "three threads of C++ that wait in containers",
            "living.cc victim.c", "-O0 -g -std=c++17", signal=None,
            threads=3, tags=("source", "c++")),
    _victim("caught", "two threads that wait in signal handlers",
            "caught.c victim.c", "-O1 -g", signal=None, threads=2),
    _victim("unnamed", "the threads of waiting, stripped",
            "waiting.c victim.c", "-O2 -s -fPIE -pie", LIBRARIES,
            signal=None, threads=9, tags=()),
    _victim("spaces", "one library in three namespaces",
            "spaces.c victim.c", "-O1 -g -fPIE -pie", LIBRARIES[:1],
            signal=None, threads=1, tags=("source", "spaces")),
    _victim("lonely", "the handlers of caught, static, position-independent",
            "caught.c victim.c", "-O1 -g -static-pie", signal=None,
            threads=2),
)}

# Of which only tests of clients that look at values ask.
SPOKEN = {v.name: v for v in (
    _victim("spoken", "a null dereference, 45 frames deep, among 4 threads",
            "spoken.c victim.c", threads=4),
    _victim("fivehundred", "one of 500 threads dies", "thousand.c victim.c",
            "-O1 -g -DTHREADS=500", signal="SIGBUS", threads=500),
)}

# Those of which gdb on the core tells the truth.
COMPARED = [v.name for v in VICTIMS.values()
            if not v.tags & {"cut", "filtered"}]
