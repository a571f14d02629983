# SPDX-License-Identifier: Apache-2.0
"""
corpus: the programs - each program built as the table says, and its cores.

A build has a directory of its own below BUILDDIR/tests/work/values, made once;
it holds the program, its debug files, and a core for each place it stops at.
"""

import collections
import fcntl
import glob
import hashlib
import os
import shlex
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "victims"))

import build as victims  # noqa: E402
import kit               # noqa: E402

VERSION = 2
SOURCES = os.path.join(HERE, "programs")
BESIDE = {"statics": ["statics2.c"]}

Build = collections.namedtuple("Build", "name compiler flags steps")
Case = collections.namedtuple("Case", "program build place short")


class Missing(Exception):
    """Not to be had on this machine; the text says what."""


# ---- the table -----------------------------------------------------------

def read_table(path=os.path.join(HERE, "table")):
    """{name: Build} and every Case, those of the short form first."""
    builds, cases = {}, {}
    with open(path, encoding="utf-8") as f:
        rows = [shlex.split(line, comments=True) for line in f]
    for kind, *words in filter(None, rows):
        if kind == "build":
            name, compiler, *rest = words
            builds[name] = Build(name, compiler,
                                 [w for w in rest if w[0] != "+"],
                                 [w[1:] for w in rest if w[0] == "+"])
            continue
        for name in words[2:]:
            for place in words[1].split(","):
                key = words[0], name, int(place)
                cases.setdefault(key, Case(words[0], builds[name], int(place),
                                           kind == "short"))
    return builds, list(cases.values())


def label(case):
    return "%s/%s/%d" % (case.program.partition(".")[0], case.build.name,
                         case.place)


# ---- how each language is built ------------------------------------------

COMPILERS = {(".c", "gcc"): "gcc", (".c", "clang"): "clang",
             (".cc", "gcc"): "g++", (".cc", "clang"): "clang++"}


def tool(name):
    """Debian's own program, before one of the same name elsewhere."""
    for path in ("/usr/bin/" + name, shutil.which(name)):
        if path and os.access(path, os.X_OK):
            return path
    raise Missing(name + " is not installed")


def source_of(program):
    return program if "." in program else program + ".c"


def call(argv, cwd, **more):
    done = subprocess.run(argv, cwd=cwd, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          check=False, **more)
    if done.returncode:
        raise victims.Failure("%s: %s" % (" ".join(argv),
                                          kit.tail(done.stdout, 1500)))


def stop_object(directory):
    call([tool("gcc"), "-g", "-O1", "-c", "-o", "stop.o",
          os.path.join(SOURCES, "stop.c")], directory)


def compile_c(program, build, directory):
    source = source_of(program)
    suffix = os.path.splitext(source)[1]
    compiler = tool(COMPILERS[suffix, build.compiler])
    objects = []
    flags, link = library_flags(build)
    standard = ["-std=gnu++20"] if suffix == ".cc" else ["-std=gnu17"]
    for name in [source, *BESIDE.get(program, [])]:
        objects.append(name + ".o")
        call([compiler, *standard, *flags, "-pthread", "-c", "-o",
              objects[-1], os.path.join(SOURCES, name)], directory)
    call([compiler, *flags, "-pthread", "-o", "program", *objects, "stop.o",
          *link, "-lm"], directory)


def library_flags(build):
    """What -stdlib=libc++ needs where it is not installed but unpacked."""
    if "-stdlib=libc++" not in build.flags:
        return build.flags, []
    if glob.glob("/usr/lib/llvm-*/include/c++/v1/vector"):
        return build.flags, []
    root = os.environ.get("INQUEST_LIBCXX") or libcxx_unpacked()
    headers = glob.glob(root + "/usr/lib/llvm-*/include/c++/v1/vector")
    if not headers:
        raise Missing("libc++ is not installed")
    include = os.path.dirname(headers[0])
    libraries = os.path.normpath(os.path.join(include, "../../../lib"))
    return ["-nostdinc++", "-isystem", include,
            *(f for f in build.flags if f != "-stdlib=libc++")], \
        ["-nostdlib++", os.path.join(libraries, "libc++.a"),
         os.path.join(libraries, "libc++abi.a")]


def libcxx_unpacked():
    """
    The package of libc++ beside the system: to install it would take
    libunwind-dev away, with which inquest is built.
    """
    root = kit.work_dir("values.libc++")
    with locked(root):
        if not glob.glob(root + "/usr/lib/llvm-*/include/c++/v1/vector"):
            unpack(["libc++-14-dev", "libc++abi-14-dev"], root)
    return root


def unpack(packages, root):
    try:
        call(["apt-get", "-q", "download", *packages], root, timeout=120)
        for package in glob.glob(root + "/*.deb"):
            call(["dpkg-deb", "-x", package, root], root)
            os.unlink(package)
    except (OSError, victims.Failure, subprocess.TimeoutExpired) as error:
        raise Missing("no package of libc++: %s"
                      % str(error)[-200:].strip()) from error


def compile_rust(program, build, directory):
    call([tool("rustc"), *build.flags, "-C", "link-arg=stop.o", "-o",
          "program", os.path.join(SOURCES, program)], directory)


def compile_fortran(program, build, directory):
    call([tool("gfortran"), *build.flags, "-c", "-o", "main.o",
          os.path.join(SOURCES, program)], directory)
    call([tool("gfortran"), *build.flags, "-o", "program", "main.o",
          "stop.o"], directory)


def compile_go(program, build, directory):
    call([tool("go"), "build", *build.flags, "-o", "program",
          os.path.join(SOURCES, program)], directory,
         env={**os.environ, "GO111MODULE": "off", "CGO_ENABLED": "0",
              "GOCACHE": kit.work_dir("values.go")})


LANGUAGES = {".c": compile_c, ".cc": compile_c, ".rs": compile_rust,
             ".f90": compile_fortran, ".go": compile_go}


# ---- what is done to a program after that --------------------------------

def step_dwp(directory):
    call([tool("dwp"), "-e", "program", "-o", "program.dwp"], directory)
    for path in glob.glob(directory + "/*.dwo"):
        os.unlink(path)


def step_dwz(directory):
    call([tool("dwz"), "program"], directory)


def step_dwz_shared(directory):
    """What two programs share goes to a third file."""
    shutil.copy(directory + "/program", directory + "/twin")
    call([tool("dwz"), "-m", "program.shared", "program", "twin"], directory)


def step_separate(directory):
    for argv in (["objcopy", "--only-keep-debug", "program", "program.debug"],
                 ["strip", "-g", "program"],
                 ["objcopy", "--add-gnu-debuglink=program.debug", "program"]):
        call(argv, directory)


STEPS = {"dwp": step_dwp, "dwz": step_dwz, "dwz-shared": step_dwz_shared,
         "separate": step_separate}


# ---- made once -----------------------------------------------------------

def locked(directory):
    return victims.locked(directory)


def stamp(program, build):
    hasher = hashlib.sha256(repr((VERSION, build)).encode())
    for name in (source_of(program), "stop.h", "stop.c",
                 *BESIDE.get(program, [])):
        with open(os.path.join(SOURCES, name), "rb") as f:
            hasher.update(f.read())
    return hasher.hexdigest()


def make(program, build, directory):
    shutil.rmtree(directory, ignore_errors=True)
    os.makedirs(directory)
    stop_object(directory)
    LANGUAGES[os.path.splitext(source_of(program))[1]](program, build,
                                                      directory)
    for step in build.steps:
        STEPS[step](directory)


def ensure_program(case):
    """The directory in which the program of a case has been built."""
    directory = os.path.join(kit.work_dir("values"), "%s-%s" % (
        case.program, case.build.name))
    want, seal = stamp(case.program, case.build), directory + "/made"
    with locked(directory):
        if not (os.path.exists(seal) and read(seal) == want):
            make(case.program, case.build, directory)
            with open(seal, "w", encoding="ascii") as f:
                f.write(want)
    return directory


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def ensure_core(case):
    """(program, core) of a case, made now unless they are there."""
    directory = ensure_program(case)
    program = directory + "/program"
    place = "%s/at-%d" % (directory, case.place)
    core = place + "/core"
    with locked(place):
        if os.path.exists(core):
            return program, core
        os.makedirs(place, exist_ok=True)
        if victims.core_is_elsewhere():
            die_in_gdb(program, case.place, place)
        else:
            die(program, case.place, place)
    return program, core


def die(program, number, place):
    subprocess.run([program, str(number)], cwd=place, timeout=60, check=False,
                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL, preexec_fn=victims.unlimit,
                   env=victims.environment())
    found = victims.find_core(place)
    if not found:
        raise victims.Failure("%s %d left no core" % (program, number))
    os.replace(found, place + "/core")


def die_in_gdb(program, number, place):
    call(["timeout", "120", "gdb", "-nx", "-batch", "-ex", "run", "-ex",
          "generate-core-file core", "--args", program, str(number)], place)
