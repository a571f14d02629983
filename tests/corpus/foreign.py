#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
foreign: every file of the corpus opens, or is refused in one clear sentence.

CORPUS is the unpacked corpus of cores and minidumps that others made. Cores
of x86-64 and AArch64 must open with all their threads; where their program is there, the
faulting stack must begin as listed here and name what eu-stack names.
"""

import os
import re
import shutil
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [os.path.join(os.path.dirname(HERE), name)
                for name in ("victims", "badinput")]

import kit     # noqa: E402
import probe   # noqa: E402
import report  # noqa: E402

# Core, its program, threads, and how the faulting thread's stack begins.
CORES = (
    ("elfutils/backtrace.x86_64.core", "elfutils/backtrace.x86_64.exec", 2,
     "raise sigusr2 stdarg backtracegen start start_thread"),
    # Without unwind tables: by frame pointers.
    ("elfutils/backtrace.x86_64.fp.core", "elfutils/backtrace.x86_64.fp.exec",
     2, "raise sigusr2 stdarg backtracegen start"),
    ("elfutils/test-core.core", "elfutils/test-core.exec", 1, ""),
    ("elfutils/linkmap-cut.core", None, 1, ""),
    ("elfutils/testcore-noncontig", None, 1, ""),
    ("lldb-elf-core/linux-x86_64.core", "lldb-elf-core/linux-x86_64.out", 1,
     "bar foo _start"),
    ("lldb-elf-core/altmain.core", "lldb-elf-core/altmain.out", 1, "_start"),
    ("elfutils/backtrace.aarch64.core", "elfutils/backtrace.aarch64.exec", 2,
     "raise sigusr2 stdarg backtracegen start start_thread"),
    ("elfutils/backtrace.aarch64.fp.core",
     "elfutils/backtrace.aarch64.fp.exec", 2,
     "raise sigusr2 stdarg backtracegen start start_thread"),
    ("lldb-elf-core/linux-aarch64.core", "lldb-elf-core/linux-aarch64.out", 1,
     "bar foo _start"),
    # With signed return addresses.
    ("lldb-elf-core/linux-aarch64-pac.core",
     "lldb-elf-core/linux-aarch64-pac.out", 1, "bar foo _start"),
    ("lldb-elf-core/linux-aarch64-neon.core", None, 1, ""),
    ("lldb-elf-core/linux-aarch64-sve-fpsimd.core", None, 1, ""),
    ("lldb-elf-core/linux-aarch64-sve-full.core", None, 1, ""),
    ("lldb-elf-core/linux-fpr_sse_x86_64.core", None, 1, ""),
    ("lldb-elf-core/gcore/linux-x86_64.core", None, 3, ""),
    ("lldb-elf-core/thread_crash/linux-x86_64.core", None, 3, ""),
    ("pystack/core_with_big_name.core", None, 1, ""),
    ("pystack/segfault.core", None, 1, ""),
    ("pystack/signal.core", None, 1, ""),
)
# What a sentence that refuses a file must say about it.
REFUSALS = (
    (r"minidump/", r"minidump"),
    (r"linux-arm\.core$", r"(?i)\barm"),
    (r"i386.*\.core$", r"(?i)i386|80386|32.bit|\bx86\b"),
    (r"ppc64le.*\.core$", r"(?i)ppc|power"),
    (r"riscv64.*\.core$", r"(?i)risc"),
    (r"s390x.*\.core$", r"(?i)s.?390"),
    (r"", r"."),
)
EU_FRAME = re.compile(r"^#\d+ +(0x[0-9a-f]+)(?: - 1)? *(\S*)", re.M)


def corpus():
    path = os.environ.get("CORPUS")
    if not path or not os.path.isdir(path):
        kit.Tap.skip_all("CORPUS names no directory with foreign cores")
    return os.path.realpath(path)


def all_files(top):
    for directory, _, names in os.walk(top):
        for name in names:
            yield os.path.relpath(os.path.join(directory, name), top)


class Corpus:
    def __init__(self, tap, inquest, top):
        self.tap, self.top = tap, top
        self.probe = probe.Probe(inquest)
        self.snapshot = os.path.join(kit.work_dir("corpus"), "out.snap")

    def opened(self, name, program):
        """The core's threads by way of a snapshot, or None."""
        words = ["import", os.path.join(self.top, name), "-o", self.snapshot]
        if program:
            words += ["--exe", os.path.join(self.top, program)]
        if os.path.exists(self.snapshot):
            os.unlink(self.snapshot)
        for step in (words, ["check", self.snapshot],
                     ["report", "--json", self.snapshot]):
            result = self.probe.run(*step)
            wrong = self.probe.wrong(result, {0})
            if not self.tap.ok(not wrong, "%s: %s" % (name, step[0]),
                               "%s\n%s" % (wrong, result)):
                return None
        return report.threads(result.out)

    def core(self, name, program, count, stack):
        threads = self.opened(name, program)
        if threads is None:
            return
        self.tap.ok(len(threads) == count, "%s: %d threads" % (name, count),
                    "\n".join(map(str, threads)))
        faulting = next((t for t in threads if t.faulting), threads[0])
        want = stack.split()
        self.tap.ok(faulting.names[:len(want)] == want,
                    "%s: the stack is %s" % (name, stack or "not known"),
                    faulting)
        if program and shutil.which("eu-stack"):
            self.second_opinion(name, program, threads)

    def second_opinion(self, name, program, threads):
        """All that eu-stack names, and in its order, stands in our stacks."""
        result = kit.run(["eu-stack", "--core", os.path.join(self.top, name),
                          "--executable", os.path.join(self.top, program)],
                         timeout=60)
        blocks = re.split(r"^TID (\d+):\n", result.out.decode(), flags=re.M)
        theirs = {int(tid): eu_names(text)
                  for tid, text in zip(blocks[1::2], blocks[2::2])}
        for thread in threads:
            mine = [n.lstrip("_") for n in thread.names]
            want = theirs.get(thread.id, [])
            self.tap.ok(in_order(want, mine), "%s: thread %d has the frames "
                        "that eu-stack names" % (name, thread.id),
                        "%s\neu-stack: %s" % (thread, " < ".join(want)))

    def other(self, name):
        path = os.path.join(self.top, name)
        result = self.probe.run("report", "--json", path)
        wrong = self.probe.wrong(result, {0, 1, 6})
        text = result.err.decode("utf-8", "replace")
        if not wrong and result.status:
            must = next(say for where, say in REFUSALS
                        if re.search(where, name))
            wrong = "" if re.search(must, text) else "does not say " + must
        self.tap.ok(not wrong, "%s: opens or is refused by name" % name,
                    "%s\n%s" % (wrong, result))


def eu_names(text):
    """Where frames are told by frame pointer it says some twice; "$x" is no
    name."""
    last, names = None, []
    for line in EU_FRAME.finditer(text):
        address, name = line.groups()
        if name and not name.startswith("$") and address != last:
            names.append(name.lstrip("_"))
        last = address
    return names


def in_order(want, have):
    """Whether `want` is a subsequence of `have`."""
    rest = iter(have)
    return all(name in rest for name in want)


def main():
    inquest = kit.need_inquest()
    top = corpus()
    tap = kit.Tap()
    run = Corpus(tap, inquest, top)
    for row in CORES:
        run.core(*row)
    for name in sorted(set(all_files(top)) - {row[0] for row in CORES}):
        run.other(name)
    tap.leave()


if __name__ == "__main__":
    main()
