#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
small: indexes of small programs, of each version of DWARF and each way to
split it, say what the source says. Prints TAP.
"""

import os
import shutil
import subprocess
import sys
import tempfile

SYMIDX = os.path.join(os.environ.get("BUILDDIR", "."), "tests/symbols/symidx")

SOURCE = r"""
struct node { struct node *next; int value : 5; unsigned flag : 3;
	      char name[16]; union { int i; float f; } u; };
enum color { RED, GREEN = 5, BLUE = -3 };
typedef struct node node_t;
__thread int tls_count;
int counter = 7;
static const char *names[3] = { "a", "b", "c" };
static inline __attribute__((always_inline)) int
add(int a, int b)
{
	int sum = a + b;
	return sum * counter;
}
__attribute__((noinline)) int
work(node_t *n, enum color c, int len)
{
	int vla[len];
	for (int k = 0; k < len; k++)
		vla[k] = add(k * k, c);
	tls_count += vla[len - 1];
	return vla[0] + n->value + names[c & 1][0];
}
int
main(int argc, char **argv)
{
	node_t n = { 0, 3 };
	(void)argv;
	return work(&n, GREEN, argc + 3);
}
"""

WAYS = [
    ("gcc", "-gdwarf-2", "-gstrict-dwarf"), ("gcc", "-gdwarf-3"), ("gcc", "-gdwarf-4"),
    ("gcc", "-gdwarf-5"), ("gcc", "-gdwarf-5", "-gz=zlib"),
    ("gcc", "-gdwarf-4", "-fdebug-types-section"),
    ("gcc", "-gdwarf-5", "-fdebug-types-section"),
    ("gcc", "-gdwarf-5", "-gdwarf64"),
    ("gcc", "-gdwarf-4", "-gsplit-dwarf"), ("gcc", "-gdwarf-5", "-gsplit-dwarf"),
    ("gcc", "-gdwarf-5", "-gsplit-dwarf", "-fdebug-types-section"),
    ("gcc", "-gdwarf-5", "-flto"),
    ("clang", "-gdwarf-3"), ("clang", "-gdwarf-4"), ("clang", "-gdwarf-5"),
    ("clang", "-gdwarf-4", "-gsplit-dwarf"), ("clang", "-gdwarf-5", "-gsplit-dwarf"),
    ("g++", "-gdwarf-5", "-fpermissive", "-w"),
]

COUNT = 0
FAILED = False


def tell(fine, what, why=""):
    global COUNT, FAILED
    COUNT += 1
    FAILED |= not fine
    print(("ok" if fine else "not ok"), COUNT, "-", what)
    if not fine and why:
        print("# " + "\n# ".join(why.splitlines()))


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    return done.stdout + done.stderr


def wanted():
    yield "node::next at 0", "next at 0 bits 0"
    yield "bit-fields", "value at 64 bits 5"
    yield "bit-fields behind others", "flag at 69 bits 3"
    yield "arrays in structures", "name at 72"
    yield "sizes", "node size 32"
    yield "enumerators", "BLUE = -3"
    yield "parameters", "c color flags 1"
    yield "thread-local variables", "tls_count int flags 1"
    yield "inlined functions", "2 add ["


def text_address(path):
    for line in run("nm", path).splitlines():
        address, name = line.split()[0], line.split()[-1]
        if name == "work" or name.startswith("_Z4work"):
            return address
    return None


def frames_fine(shown):
    return "work" in shown and "t.c:1" in shown


# What is done with the program afterwards: a command, and what it needs.
AFTER = [
    (("gcc", "-gdwarf-5"), "cp t u && cp t2 u2 && dwz -m common.dwz u u2 && mv u t",
     ["dwz"], ["t", "common.dwz"]),
    (("gcc", "-gdwarf-4"), "objcopy --only-keep-debug t t.debug && strip -g t", [], ["t.debug"]),
    (("gcc", "-gdwarf-4", "-gsplit-dwarf"), "dwp -e t -o t.dwp && rm *.dwo", ["dwp"],
     ["--dwp", "t.dwp"]),
    (("clang", "-gdwarf-4", "-gsplit-dwarf"), "dwp -e t -o t.dwp && rm *.dwo", ["dwp"],
     ["--dwp", "t.dwp"]),
    (("clang", "-gdwarf-5", "-gsplit-dwarf"), "llvm-dwp -e t -o t.dwp && rm *.dwo", ["llvm-dwp"],
     ["--dwp", "t.dwp"]),
    (("gcc", "-gdwarf-5", "-gsplit-dwarf"), "llvm-dwp -e t -o t.dwp && rm *.dwo", ["llvm-dwp"],
     ["--dwp", "t.dwp"]),
]

COMPILE = "{0} -O1 -c t.c && {0} -O1 -o t t.o && {0} -O1 -DSECOND -o t2 t.c"


def one(way, where, after="true", files=()):
    source = os.path.join(where, "t.c")
    program, index = os.path.join(where, "t"), os.path.join(where, "t.idx")
    with open(source, "w", encoding="ascii") as f:
        f.write(SOURCE)
    compiled = COMPILE.format(" ".join(way))
    done = subprocess.run(["sh", "-c", f"cd {where} && {compiled} && {after}"],
                          capture_output=True, text=True)
    name = " ".join(way) + (f", {after}" if after != "true" else "")
    if done.returncode != 0:
        print("# skipped:", name, (done.stdout + done.stderr).strip()[:200].replace("\n", " "))
        return
    files = [f if f[0] == "-" else os.path.join(where, f) for f in files]
    said = run(SYMIDX, "make", program, index, *files)
    about = run(SYMIDX, "about", index)
    shown = run(SYMIDX, "named", index, "node", "color", "work", "tls_count", "RED", "counter")
    missing = [what for what, text in wanted() if text not in shown]
    walk = run(SYMIDX, "walk", index)
    if "lost 0" not in about:
        missing.append("whole units")
    if "unknown 0\n" not in walk:
        missing.append("expressions")
    if "untyped 0\n" not in walk:
        missing.append("types of variables")
    at = run(SYMIDX, "frames", index, text_address(program))
    if not frames_fine(at):
        missing.append("frames")
    tell(not missing, f"{name}: all is in the index",
         f"missing: {', '.join(missing)}\n{said}{about}{shown}{walk}{at}")


def packed_symbols():
    """Names of functions that are in .gnu_debugdata alone."""
    if not shutil.which("xz"):
        return
    with tempfile.TemporaryDirectory() as where:
        program, index = os.path.join(where, "t"), os.path.join(where, "t.idx")
        with open(os.path.join(where, "t.c"), "w", encoding="ascii") as f:
            f.write(SOURCE)
        run("sh", "-c", f"cd {where} && gcc -O1 -o t t.c && nm t >names"
            " && objcopy --strip-debug t mini && xz -k mini && strip t"
            " && objcopy --add-section .gnu_debugdata=mini.xz t")
        run(SYMIDX, "make", program, index)
        with open(os.path.join(where, "names"), encoding="ascii") as f:
            address = [w.split()[0] for w in f if w.endswith(" T work\n")]
        symbols = run(SYMIDX, "symbols", index)
        tell(address and f"{int(address[0], 16):x} work" in symbols,
             "packed symbols (.gnu_debugdata) are in the index", symbols)


def main():
    for way in WAYS:
        if shutil.which(way[0]) is None:
            continue
        with tempfile.TemporaryDirectory() as where:
            one(way, where)
    for way, after, tools, files in AFTER:
        if all(map(shutil.which, [way[0], *tools])):
            with tempfile.TemporaryDirectory() as where:
                one(way, where, after, files)
    packed_symbols()
    print(f"1..{COUNT}")
    return FAILED


if __name__ == "__main__":
    sys.exit(main())
