#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
objdump: our decoders beside objdump, over the code of libraries as they are.

Each instruction must have the same address and length, and be an instruction
to both; on AArch64 but for extensions that the decoder library is older than,
which are listed and counted. Without arguments one library of each machine,
as a test that prints TAP. `objdump.py FILE...` sweeps these and prints
figures; `objdump.py --long` (make bench-disasm) large ones that are installed.
"""

import glob
import os
import re
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "victims"))

import kit  # noqa: E402

CROSS = "aarch64-linux-gnu-objdump"
TOOLS = {"x86_64": "objdump", "aarch64": CROSS}
LIBRARY = "/lib/x86_64-linux-gnu/%s"
SHORT = (("x86_64", LIBRARY % "libc.so.6"),
         ("aarch64", "/usr/aarch64-linux-gnu/lib/libc.so.6"))
LONG = ("libc.so.6", "libstdc++.so.6", "libcrypto.so.3", "libLLVM-14.so.1",
        "libavcodec.so.59", "libm.so.6")
LONG_TOO = ("/usr/lib/chromium/chromium", "/usr/lib/go-*/bin/go",
            "/usr/aarch64-linux-gnu/lib/libc.so.6",
            "/usr/aarch64-linux-gnu/lib/libstdc++.so.6",
            "/usr/aarch64-linux-gnu/lib/libm.so.6",
            "/usr/aarch64-linux-gnu/lib/libasan.so.8")

# Of AArch64 what came after version 8.0, which capstone 4 does not know: scalable
# vectors (a z or p register), memory tags, atomics in one instruction.
NEWER = re.compile(
    r"(ld|st)[12z]*g|gmi|irg|addg|subg|subps?|cas[abhlp]*|swp[abhl]*"
    r"|(ld|st)(add|clr|eor|set|smax|smin|umax|umin)[abhl]*|ldap[rbhu]*|xpac[id]"
    r"|cnt[bhwd]|rdvl|addvl|ptrue|while[a-z]+|(inc|dec)[bhwd]|ldra[ab]"
    r"|(aut|pac|br|blr|ret)[a-z0-9]*|cfinv|rmif|setf\d+|fjcvtzs|mrs|msr|sm[34].*"
    r"|[su]dot|sha512.*|eor3|rax1|bcax|xar|fcmla|fcadd|bf.*|[us]mmla|wf[ei]t|dgh"
    r"|sb|ssbb|pssbb|.*[zp]\d.*")
DIFFERS = re.compile(r"differs (\d+) (\S+): (.*?) \| (.*)")


class Sweep:
    """What one run of the helper says."""

    def __init__(self, machine, path, text=False):
        self.machine = machine
        self.path = path
        self.differences = []
        dump = subprocess.Popen([TOOLS[machine], "-d", "-z", "-w", path],
                                stdout=subprocess.PIPE)
        words = [os.path.join(kit.build_dir(), "tests/disasm/sweep"), machine]
        said = subprocess.check_output(words + ["--text"] * text,
                                       stdin=dump.stdout, text=True,
                                       errors="replace")
        dump.stdout.close()
        dump.wait()
        self.figures = dict(re.findall(r"^(\w+) ([\d.]+)$", said, re.M))
        for line in said.splitlines():
            found = DIFFERS.match(line)
            if found:
                self.differences.append((int(found.group(1)),
                                         *found.groups()[1:]))

    def number(self, name):
        return int(self.figures[name])

    def newer(self):
        """How many are only newer than the library that decodes them."""
        return sum(n for n, mnemonic, how, sample in self.differences
                   if how.startswith("no instruction")
                   and self.machine == "aarch64"
                   and (NEWER.fullmatch(mnemonic)
                        or re.search(r"\b[zp]\d+\b", sample)))


def machine_of(path):
    with open(path, "rb") as f:
        head = f.read(20)
    return "aarch64" if head[18:20] == b"\xb7\0" else "x86_64"


def figures(paths):
    whole = agreed = 0
    for path in paths:
        sweep = Sweep(machine_of(path), path, text=True)
        whole += sweep.number("total")
        agreed += sweep.number("agreed")
        print("%s: %d of %d agree; of the others %d are newer than the "
              "decoder, %d in functions with data; %d texts are the same; "
              "%.1f million a second with text"
              % (path, sweep.number("agreed"), sweep.number("total"),
                 sweep.newer(), sweep.number("in_data"),
                 sweep.number("same"), sweep.number("total")
                 / max(float(sweep.figures["seconds"]), 1e-3) / 1e6))
        shown = [d for d in sweep.differences if not d[2].startswith("text")]
        for n, mnemonic, how, sample in shown[:12]:
            print("  %7d %s: %s: %s" % (n, mnemonic, how, sample))
        sys.stdout.flush()
    print("%d of %d instructions agree" % (agreed, whole))


def long_list():
    named = [LIBRARY % name for name in LONG]
    named += [p for pattern in LONG_TOO for p in sorted(glob.glob(pattern))]
    return [p for p in named if os.path.exists(p)]


def check(tap, machine, path):
    if not shutil.which(TOOLS[machine]) or not os.path.exists(path):
        tap.skip("%s beside objdump" % machine,
                 "no %s, or no %s" % (TOOLS[machine], path))
        return
    sweep = Sweep(machine, path)
    total, agreed = sweep.number("total"), sweep.number("agreed")
    tap.ok(total > 100000 and agreed + sweep.newer() == total,
           "%s: %d of %d instructions are objdump's, %d are newer than the "
           "decoder" % (machine, agreed, total, sweep.newer()),
           "\n".join("%s" % (d,) for d in sweep.differences[:20]))
    tap.ok(agreed > 0.99 * total, "%s: nearly all are known" % machine)


def main():
    if sys.argv[1:] == ["--long"]:
        figures(long_list())
        return
    if sys.argv[1:]:
        figures(sys.argv[1:])
        return
    tap = kit.Tap()
    for machine, path in SHORT:
        check(tap, machine, path)
    tap.leave()


if __name__ == "__main__":
    main()
