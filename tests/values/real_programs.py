# SPDX-License-Identifier: Apache-2.0
"""
real_programs: programs that nobody here wrote, with their symbols, at work.

ceph-mon and python3.11 with Debian's debug packages; redis and sqlite built
here with -g -O2 of Debian's sources. Each is started, is left to work, and gdb
writes its core while it lives; the core is kept in the build directory.
"""

import contextlib
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [os.path.join(os.path.dirname(HERE), name)
                for name in ("victims", "capture", "bench")]

import kit                 # noqa: E402
import programs            # noqa: E402
import real                # noqa: E402
import targets             # noqa: E402
from corpus import Missing, call, locked, tool  # noqa: E402

BUSY_SECONDS = 0.5
FLAGS = "-g -O2"
SILENT = programs.SILENT


# ---- cores of what lives -------------------------------------------------

def write_core(pid, core):
    new = core + ".new"
    call(["timeout", "300", "gdb", "-nx", "-batch", "-p", str(pid), "-ex",
          "generate-core-file " + new], os.path.dirname(core))
    os.replace(new, core)


def has_debug_file(program):
    notes = subprocess.run(["readelf", "-n", program], stdout=subprocess.PIPE,
                           stderr=subprocess.DEVNULL, text=True, check=False)
    found = re.search(r"Build ID: ([0-9a-f]{2})([0-9a-f]+)", notes.stdout)
    return found and os.path.exists(
        "/usr/lib/debug/.build-id/%s/%s.debug" % found.groups())


def kept(name, make):
    """(program, core), made by make(directory, core) unless it is there."""
    directory = kit.work_dir("values.real", name)
    core, told = directory + "/core", directory + "/program"
    with locked(directory):
        if not (os.path.exists(core) and os.path.exists(told)):
            program = make(directory, core)
            with contextlib.suppress(FileNotFoundError):
                os.unlink(told)
            os.symlink(program, told)
    return os.path.realpath(told), core


def core_at_work(argv, directory, core, load=None, ready=lambda: True):
    process = subprocess.Popen(argv, cwd=directory, **SILENT)
    try:
        real.wait_for(argv[0] + " is ready", ready)
        with real.Load(load):
            real.wait_for(argv[0] + " works", lambda: real.used_seconds(
                process.pid) > BUSY_SECONDS)
            write_core(process.pid, core)
    finally:
        process.kill()
        process.wait()


# ---- with Debian's debug packages ----------------------------------------

def make_python(directory, core):
    program = "/usr/bin/python3.11"
    if not os.path.exists(program):
        raise Missing("python3.11 is not installed")
    if not has_debug_file(program):
        raise Missing("python3.11-dbg is not installed, or of another version")
    core_at_work([program, "-c", real.PYTHON], directory, core)
    return program


def make_ceph(directory, core):
    try:
        with targets.ceph_mon(directory) as monitor:
            write_core(monitor.pid, core)
    except real.Missing as missing:
        raise Missing(str(missing)) from missing
    return "/usr/bin/ceph-mon"


# ---- of Debian's sources -------------------------------------------------

def source_entries(directory):
    """The machine's own entries of Debian, as entries of sources."""
    for path in glob.glob("/etc/apt/sources.list.d/*.sources"):
        with open(path, encoding="utf-8") as f:
            text = re.sub(r"(?m)^#.*\n", "", f.read())
        kept_ones = [p for p in text.split("\n\n") if "debian" in p and
                     re.search(r"(?m)^Types:.*\bdeb\b", p)]
        with open(os.path.join(directory, os.path.basename(path)), "w",
                  encoding="utf-8") as f:
            f.write("\n\n".join(re.sub(r"(?m)^Types:.*", "Types: deb-src", p)
                                for p in kept_ones))
    lines = []
    for path in ["/etc/apt/sources.list",
                 *glob.glob("/etc/apt/sources.list.d/*.list")]:
        with contextlib.suppress(FileNotFoundError), \
                open(path, encoding="utf-8") as f:
            lines += [re.sub(r"^deb ", "deb-src ", line) for line in f
                      if re.match(r"deb .*debian.* main", line)]
    with open(os.path.join(directory, "own.list"), "w",
              encoding="utf-8") as f:
        f.writelines(lines)


def apt_options():
    """An apt of our own beside the machine's, which is not changed."""
    place = kit.work_dir("values.real", "apt")
    for name in ("parts", "lists/partial", "archives/partial"):
        os.makedirs(os.path.join(place, name), exist_ok=True)
    source_entries(place + "/parts")
    return ["-q", "-o", "Dir::Etc::SourceList=/dev/null",
            "-o", "Dir::Etc::SourceParts=%s/parts" % place,
            "-o", "Dir::State::Lists=%s/lists" % place,
            "-o", "Dir::Cache::Archives=%s/archives" % place,
            "-o", "Dir::Cache::pkgcache=", "-o", "Dir::Cache::srcpkgcache=",
            "-o", "APT::Sandbox::User=root"]


def unpacked(package):
    """The directory of a package's source, fetched once."""
    place = kit.work_dir("values.real", package + ".source")
    if glob.glob(place + "/*/debian"):
        return os.path.dirname(glob.glob(place + "/*/debian")[0])
    tool("dpkg-source")
    try:
        options = apt_options()
        with locked(kit.work_dir("values.real", "apt")):
            call(["apt-get", *options, "update"], place, timeout=300)
        call(["apt-get", *options, "source", package], place, timeout=300)
    except Exception as error:
        raise Missing("no source of %s: %s" % (
            package, str(error)[-300:].strip())) from error
    found = glob.glob(place + "/*/debian")
    if not found:
        raise Missing("no source of %s" % package)
    return os.path.dirname(found[0])


def jobs():
    return "-j%d" % (os.cpu_count() or 2)


def make_redis(directory, core):
    source = unpacked("redis")
    program = source + "/src/redis-server"
    if not os.path.exists(program):
        call(["make", jobs(), "MALLOC=libc", "OPTIMIZATION=-O2",
              "CFLAGS=" + FLAGS, "redis-server"], source + "/src",
             timeout=1200)
    # With a path that fits a socket's.
    with tempfile.TemporaryDirectory(prefix="inquest-") as place:
        socket = os.path.join(place, "socket")
        core_at_work([program, "--port", "0", "--unixsocket", socket, "--dir",
                      place, "--save", ""], directory, core,
                     load=[tool("redis-benchmark"), "-s", socket, "-t",
                           "set,get,lpush,lrange", "-n", "100000000", "-q"],
                     ready=lambda: os.path.exists(socket))
    return program


def make_sqlite(directory, core):
    source = unpacked("sqlite3")
    tool("tclsh")
    program = source + "/sqlite3"
    if not os.path.exists(program):
        call(["./configure", "--disable-tcl", "--disable-shared",
              "--disable-readline", "CFLAGS=" + FLAGS], source, timeout=600)
        call(["make", jobs(), "sqlite3"], source, timeout=1200)
    database = directory + "/db"
    with contextlib.suppress(FileNotFoundError):
        os.unlink(database)
    program = real_file(program)
    core_at_work([program, database, real.SQL], directory, core)
    os.unlink(database)
    return program


def real_file(program):
    """libtool may have put a script in its place."""
    hidden = os.path.join(os.path.dirname(program), ".libs",
                          os.path.basename(program))
    return hidden if os.path.exists(hidden) else program


MAKERS = {"ceph-mon": make_ceph, "python3.11": make_python,
          "redis": make_redis, "sqlite": make_sqlite}


# CPython brings printers of its own to gdb, which are not compared.
RAW = {"python3.11"}


def cases(patterns):
    """[(label, made, raw)]; made() gives the program and its core."""
    names = [n for n in MAKERS if not patterns or n in patterns]
    return [("real/" + n, lambda n=n: kept(n, MAKERS[n]), n in RAW)
            for n in names]
