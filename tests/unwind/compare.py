#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
compare: stacks, registers and thread-local blocks as inspect has them, against
gdb and eu-stack on the same core.

The programs of cases.c die in ways that are hard to unwind. Frame by frame the
addresses must be gdb's; gdb may stop earlier than we do, and where its frames
are guesses behind damage we must stop and say so. eu-stack may lack a frame (it
skips the caller of a leaf without tables and frame pointer). No frame of a
sound stack may be suspect. compare.py [CASE...] checks only those.
"""

import collections
import os
import re
import struct
import subprocess
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
TESTS = os.path.dirname(HERE)
sys.path[:0] = [os.path.join(TESTS, "gdb"), os.path.join(TESTS, "victims")]

import build    # noqa: E402
import kit      # noqa: E402
import session  # noqa: E402

NO_TABLES = ("-fno-asynchronous-unwind-tables", "-fno-exceptions",
             "-fno-omit-frame-pointer")
SUSPECT = 2     # SNAP_FRAME_SUSPECT

Frame = collections.namedtuple("Frame", "pc how flags cfa")
Case = collections.namedtuple("Case", "name frames flags why")

# How many frames at least; extra flags; what is said where the stack is not
# complete (gdb goes on there, into what it makes of the damage).
CASES = collections.OrderedDict((case[0], Case(*case)) for case in (
    ("altstack", 20, (), None),
    ("nested", 8, (), None),
    ("jumphandler", 8, (), None),
    ("jumpandcall", 8, (), None),
    ("heapjump", 5, (), None),
    ("wildjump", 5, (), None),
    ("invdso", 5, (), None),
    ("callback", 8, (), None),
    # glibc's table for the function that begins a context says nothing of
    # its having no caller.
    ("coroutine", 4, (), "no unwind information for 0x[0-9a-f]+ and no "
                         "plausible frame pointer"),
    ("expression", 7, (), None),
    ("baseregister", 7, (), None),
    ("linkregister", 5, (), None),
    ("twostacks", 7, (), None),
    ("notables", 10, (*NO_TABLES, "-g0"), None),
    ("debugframe", 10, (*NO_TABLES, "-gz"), None),
    ("smashed", 4, (), "0x41414141 is not executable memory"),
    ("returned", 1, (), "0x41414141 is not executable memory, and the stack "
                        "does not begin with a return address"),
))


class Program:
    """What build.crash() wants of a victim, and where its core is."""

    def __init__(self, name, directory):
        self.name = name
        self.tags = ()
        self.directory = directory
        self.program = os.path.join(directory, name)
        self.core = os.path.join(directory, "core")


class Stack:
    """A thread's stack as the helper prints it."""

    def __init__(self):
        self.frames = []
        self.end = self.why = None


def helper():
    path = os.path.join(kit.build_dir(), "tests", "unwind", "stacks")
    if not os.access(path, os.X_OK):
        kit.Tap.skip_all("no helper " + path)
    return path


def ours(*arguments):
    """Stacks by thread, and the run itself."""
    result = kit.run([helper(), *arguments], cwd="/")
    found = collections.defaultdict(Stack)
    for line in result.out.decode().splitlines():
        tid, number, rest = line.split(" ", 2)
        stack = found[int(tid)]
        if number == "end":
            stack.end, _, stack.why = rest.partition(" ")
        else:
            pc, how, flags, cfa, _ = rest.split()
            stack.frames.append(Frame(int(pc, 16), int(how), int(flags),
                                      int(cfa, 16)))
    return found, result


def make(case):
    program = Program(case.name, kit.work_dir("unwind", case.name))
    source = os.path.join(HERE, "cases.c")
    if (os.path.exists(program.core) and
            os.path.getmtime(program.core) > os.path.getmtime(source)):
        return program
    build.call(["gcc", "-O1", "-g", "-std=gnu11", "-D_GNU_SOURCE",
                "-fno-optimize-sibling-calls", "-DCASE=" + case.name,
                *case.flags, "-o", program.program, source],
               program.directory)
    build.crash(program, program.directory)
    return program


def of_gdb(program):
    """Addresses of all frames on the stack of a program of one thread."""
    run = session.on_core(program.program, program.core,
                          ["set backtrace past-main on", "inq-frames"])
    return [int(pc, 16) for pc in
            re.findall(r"^\d+ (0x[0-9a-f]+) ", run.outputs[1][1] or "", re.M)]


def of_eu_stack(core, program=None):
    """Stacks by thread, as far as eu-stack gets."""
    argv = ["eu-stack", "--core", core]
    result = kit.run(argv + (["-e", program] if program else []))
    found = collections.defaultdict(list)
    tid = None
    for line in result.out.decode("utf-8", "replace").splitlines():
        if line.startswith("TID "):
            tid = int(line[4:].rstrip(":"))
        frame = re.match(r"#\d+ +(0x[0-9a-f]+)", line)
        if frame and tid is not None:
            found[tid].append(int(frame.group(1), 16))
    return found


def differences(theirs, stack, name):
    """Where `theirs`, a list of addresses, is not how our stack begins."""
    mine = [frame.pc for frame in stack.frames]
    return ["#%d %s %#x, inspect %s"
            % (n, name, pc, hex(mine[n]) if n < len(mine) else "nothing")
            for n, pc in enumerate(theirs) if mine[n:n + 1] != [pc]]


def sound(tap, case, program, stack):
    theirs = of_gdb(program)
    wrong = differences(theirs, stack, "gdb")
    tap.ok(theirs and not wrong, "%s: inspect has gdb's %d frames"
           % (case.name, len(theirs)), "\n".join(wrong))
    theirs = next(iter(of_eu_stack(program.core).values()), [])
    mine = iter([frame.pc for frame in stack.frames])
    tap.ok(all(pc in mine for pc in theirs), "%s: inspect has eu-stack's %d "
           "frames" % (case.name, len(theirs)), list(map(hex, theirs)))
    tap.ok(stack.end == "complete", "%s: the stack is complete" % case.name,
           stack.why)
    suspect = [f for f in stack.frames if f.flags & SUSPECT]
    tap.ok(not suspect, "%s: no frame is suspect" % case.name, suspect)


def damaged(tap, case, program, stack):
    """gdb's frames up to the damage, and no more."""
    theirs = of_gdb(program)[:len(stack.frames)]
    wrong = differences(theirs, stack, "gdb")
    tap.ok(not wrong, "%s: inspect has gdb's frames to the damage"
           % case.name, "\n".join(wrong))
    tap.ok(stack.end == "truncated" and re.fullmatch(case.why, stack.why),
           "%s: the end is told" % case.name, (stack.end, stack.why))
    garbage = [f for f in stack.frames[1:] if f.pc == 0x41414141]
    tap.ok(all(f.flags & SUSPECT for f in garbage) and len(garbage) <= 1,
           "%s: no frame is made of garbage" % case.name, stack.frames)


def check_case(tap, case):
    try:
        program = make(case)
    except build.Failure as failure:
        tap.ok(False, "%s is made" % case.name, failure)
        return
    found, result = ours(program.core)
    if not tap.ok(result.status == 0 and len(found) == 1,
                  "%s: inspect unwinds it" % case.name, result):
        return
    stack = next(iter(found.values()))
    tap.ok(len(stack.frames) >= case.frames, "%s: there are %d frames or more"
           % (case.name, case.frames), stack.frames)
    (damaged if case.why else sound)(tap, case, program, stack)
    check_quick(tap, case.name, program.core)


# ---- the quick way ----------------------------------------------------------

def check_quick(tap, name, *paths):
    """Frames without registers are those with them, and end as they do."""
    whole, quick = (kit.run([helper(), way, *paths], cwd="/")
                    for way in ("-s", "-q"))
    lines = [r.out.decode().splitlines() for r in (whole, quick)]
    wrong = [pair for pair in zip(*lines) if pair[0] != pair[1]]
    tap.ok(whole.status == quick.status and lines[0]
           and len(lines[0]) == len(lines[1]) and not wrong,
           "%s: the quick way has the same %d frames" % (name, sum(
               " end " not in line for line in lines[0])),
           "\n".join(map(str, wrong[:10])) or (whole, quick))


# ---- what is not captured ---------------------------------------------------

def segment_of(core, address):
    """Address and offset in the core of the segment that holds `address`."""
    header = struct.unpack_from("<Q", core, 32)[0]
    count = struct.unpack_from("<H", core, 56)[0]
    for n in range(count):
        kind, _, offset, start, _, size = struct.unpack_from(
            "<IIQQQQ", core, header + 56 * n)
        if kind == 1 and start <= address < start + size:
            return start, offset
    return None


def check_cut(tap):
    """A core that ends within its stack: as far as it goes, and why."""
    program = make(CASES["callback"])
    whole, _ = ours(program.core)
    frames = next(iter(whole.values())).frames
    with open(program.core, "rb") as f:
        core = f.read()
    start, offset = segment_of(core, frames[3].cfa)
    path = os.path.join(program.directory, "cut")
    with open(path, "wb") as f:
        f.write(core[:offset + frames[3].cfa - start])
    found, result = ours(path)
    stack = next(iter(found.values()))
    tap.ok(result.status == 0 and 4 <= len(stack.frames) < len(frames)
           and stack.frames[:4] == frames[:4],
           "a cut core: the frames before its end are there", stack.frames)
    tap.ok(stack.end == "truncated" and "was not captured" in stack.why,
           "a cut core: what is missing is told", stack.why)


# ---- registers and thread-local blocks --------------------------------------

REGISTERS = """
import gdb
for thread in gdb.selected_inferior().threads():
    thread.switch()
    frame = gdb.newest_frame()
    for name in NAMES:
        try:
            value = frame.read_register(name)
            size = value.type.sizeof
            as_bytes = gdb.lookup_type('unsigned char').array(size - 1)
            value = value.cast(as_bytes)
            print('R', thread.ptid[1], name, ''.join(
                '%02x' % int(value[n]) for n in range(size)))
        except (gdb.error, ValueError, RuntimeError):
            pass
"""


def check_registers(tap, made):
    out = kit.run([helper(), "-r", made.core]).out.decode()
    mine = {}
    for line in out.splitlines():
        tid, name, value = line.split(" ", 2)
        mine[int(tid), name] = value
    script = os.path.join(kit.work_dir("unwind"), "registers.py")
    with open(script, "w", encoding="utf-8") as f:
        f.write("NAMES = %r\n%s" % (sorted({n for _, n in mine}), REGISTERS))
    result = kit.run(["gdb", "-nx", "-batch", "-ex", "source " + script,
                      made.program, made.core], env=session.environment(),
                     timeout=300)
    text = result.out.decode("utf-8", "replace")
    theirs = {(int(tid), name): value for tid, name, value in
              re.findall(r"^R (\d+) (\w+) (\w+)$", text, re.M)}
    wrong = ["thread %d %s: gdb %s, inspect %s" % (*key, value, mine[key])
             for key, value in theirs.items() if mine[key] != value]
    tap.ok(len(theirs) > 30 and not wrong, "%s: inspect has gdb's %d register "
           "values" % (made.name, len(theirs)), "\n".join(wrong[:20]))


def tls_symbol(module, name):
    """The offset of a thread-local variable in its module's block."""
    out = subprocess.check_output(["nm", module], text=True)
    found = re.search(r"^([0-9a-f]+) \w %s$" % name, out, re.M)
    return int(found.group(1), 16)


def check_tls(tap, made, variables):
    out = kit.run([helper(), "-t", made.core]).out.decode()
    blocks = {(int(tid), os.path.basename(module)): int(address, 16)
              for tid, module, address in
              re.findall(r"^(\d+) (\S+) (0x[0-9a-f]+)$", out, re.M)}
    commands = [word for name in variables for word in (
        "-ex", "thread apply all -q -s python print('T', "
        "gdb.selected_thread().ptid[1], '%s', "
        "int(gdb.parse_and_eval('&%s')))" % (name, name))]
    result = kit.run(["gdb", "-nx", "-batch", *commands, made.program,
                      made.core], env=session.environment(), timeout=300,
                     cwd=made.directory)    # for a library's relative name
    text = result.out.decode("utf-8", "replace")
    theirs = re.findall(r"^T (\d+) (\w+) (\d+)$", text, re.M)
    wrong = []
    for tid, name, address in theirs:
        module = os.path.join(made.directory, variables[name])
        block = blocks.get((int(tid), variables[name]), 0)
        if block + tls_symbol(module, name) != int(address):
            wrong.append("thread %s %s: gdb %#x, inspect's block %#x"
                         % (tid, name, int(address), block))
    tap.ok(theirs and not wrong, "%s: inspect has gdb's %d thread-local "
           "addresses" % (made.name, len(theirs)),
           "\n".join(wrong) or result)


def check_victims(tap):
    for name in build.table.VICTIMS:
        made = build.ensure(name)
        check_quick(tap, name, made.core, made.program)
    for name in ("registers", "threads", "gcore", "static"):
        check_registers(tap, build.ensure(name))
    check_tls(tap, build.ensure("threads"),
              {"victim_tls": "threads", "library_tls": "libvictim.so",
               "plugin_tls": "libplugin.so"})


# ---- cores that others made ---------------------------------------------------

FOREIGN = (("elfutils/backtrace.x86_64.core", "elfutils/backtrace.x86_64.exec"),
           ("elfutils/backtrace.x86_64.fp.core",
            "elfutils/backtrace.x86_64.fp.exec"),
           ("lldb-elf-core/linux-x86_64.core",
            "lldb-elf-core/linux-x86_64.out"),
           ("lldb-elf-core/altmain.core", "lldb-elf-core/altmain.out"),
           ("lldb-elf-core/thread_crash/linux-x86_64.core", None),
           ("lldb-elf-core/gcore/linux-x86_64.core", None))


def foreign_differences(theirs, found):
    """eu-stack steps to where no code is, too; we end before that."""
    wrong = []
    for tid, addresses in theirs.items():
        stack = found[tid]
        if stack.end == "complete" or len(stack.frames) < 2:
            addresses = addresses[:len(stack.frames)]
        wrong += differences(addresses, stack, "eu-stack")
    return wrong


def cores_below(corpus):
    for directory, folders, names in os.walk(corpus):
        folders.sort()
        for name in sorted(names):
            path = os.path.join(directory, name)
            with open(path, "rb") as f:
                head = f.read(18)
            if head[:4] == b"\x7fELF" and head[16:18] == b"\4\0":
                yield path


def check_corpus(tap, corpus):
    """Every core that opens, however it came to be."""
    for path in cores_below(corpus):
        if kit.run([helper(), "-s", path], cwd="/").status == 0:
            check_quick(tap, os.path.relpath(path, corpus), path)


def check_foreign(tap, corpus):
    for core, program in FOREIGN:
        paths = [os.path.join(corpus, p) for p in (core, program) if p]
        theirs = of_eu_stack(*paths)
        found, result = ours(*paths)
        wrong = foreign_differences(theirs, found)
        tap.ok(result.status == 0 and theirs and not wrong,
               "%s: inspect has eu-stack's frames" % core,
               "\n".join(wrong) or result)


def main():
    kit.need_tool("gdb")
    kit.need_tool("gcc")
    kit.need_tool("eu-stack")
    helper()
    tap = kit.Tap()
    for name in sys.argv[1:] or CASES:
        check_case(tap, CASES[name])
    if not sys.argv[1:]:
        check_cut(tap)
        check_victims(tap)
        corpus = os.environ.get("CORPUS")
        if corpus:
            check_foreign(tap, corpus)
            check_corpus(tap, corpus)
        else:
            tap.skip("cores that others made", "CORPUS is not set")
    tap.leave()


if __name__ == "__main__":
    main()
