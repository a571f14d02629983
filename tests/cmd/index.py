#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
index: symbol indexes are made once and kept; what is wrong in the directory
is not believed; a report has lines, inlined frames, variables and source.
"""

import glob
import json
import os
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [os.path.join(os.path.dirname(HERE), "victims")]

import kit    # noqa: E402

PROGRAM = """
#include <string.h>
struct node { int id; struct node *next; char name[12]; };
static inline __attribute__((always_inline)) int
look(struct node *n, int k)
{
	int twice = k * 2;

	return n->next->next->id + twice;       /* dies here */
}
__attribute__((noinline)) int
walk(struct node *n, const char *why)
{
	return why[0] ? look(n, 3) : 0;
}
int
main(void)
{
	struct node a = { 1, 0, "first" }, b = { 2, &a, "second" };

	return walk(&b, "because\\033[31m \\303\\244");
}
"""
WANTED = {"look": {"k": "3", "twice": "6"},
          "walk": {"why": r'"because\\033[31m ä"'},
          "main": {"a": None, "b": None}}


class Indexes:
    def __init__(self, tap, inquest, directory):
        self.tap, self.inquest, self.directory = tap, inquest, directory
        self.cache = os.path.join(directory, "cache")
        self.source = os.path.join(directory, "x.c")
        self.program = os.path.join(directory, "x")
        self.snap = os.path.join(directory, "x.snap")
        shutil.rmtree(self.cache, ignore_errors=True)

    def run(self, *words, **env):
        return kit.run([self.inquest, *words], cwd=self.directory,
                       env={**os.environ, "INQUEST_CACHE": self.cache, **env})

    def build(self, *flags):
        with open(self.source, "w") as f:
            f.write(PROGRAM)
        subprocess.run(["gcc", "-g", *flags, "-o", self.program,
                        self.source], check=True)

    def entries(self):
        try:
            return sorted(os.listdir(os.path.join(self.cache, "index")))
        except FileNotFoundError:
            return []

    def forget(self):
        """The cache, when all who add to it in the background are done."""
        kit.background_ends()
        shutil.rmtree(self.cache, ignore_errors=True)

    def frames(self, *words, **env):
        result = self.run("report", "--json", *words, self.snap, **env)
        report = json.loads(result.out)
        return {f["function"]: f for f in report["threads"][0]["frames"]}

    def made_once(self):
        first = self.run("index", "--json", self.program)
        made = json.loads(first.out)["indexes"][0]
        self.tap.ok(first.status == 0 and made["units"] >= 1
                    and made["functions"] >= 2 and made["dwarf_bytes"] > 0
                    and len(self.entries()) == 1, "an index is made", first)
        before = os.stat(os.path.join(self.cache, "index",
                                      self.entries()[0]))
        again = self.run("index", self.program)
        after = os.stat(os.path.join(self.cache, "index",
                                     self.entries()[0]))
        self.tap.ok(again.status == 0 and len(self.entries()) == 1
                    and before.st_ino == after.st_ino
                    and before.st_mode & 0o777 == 0o600,
                    "and kept for its owner", again)

    def reported(self):
        frames = self.frames()
        wrong = []
        for name, values in WANTED.items():
            frame = frames.get(name, {})
            there = {v["name"]: v["value"] for v in
                     [*frame.get("arguments", []), *frame.get("locals", [])]}
            for variable, value in values.items():
                got = there.get(variable)
                if got is None or (value and value.replace("\\\\", "\\")
                                   not in got):
                    wrong.append("%s: %s is %r" % (name, variable, got))
            if not str(frame.get("file")).endswith("x.c"):
                wrong.append("%s has no line" % name)
        self.tap.ok(not wrong and frames["look"]["inlined"]
                    and not frames["walk"]["inlined"],
                    "a report has inlined frames, lines and variables",
                    wrong or frames)
        text = self.run("report", self.snap).out
        self.tap.ok(b"=>" in text and b"/* dies here */" in text
                    and b"twice = 6" in text and b"\033" not in text,
                    "and the source around, with no escape in it", text)
        page = self.run("report", "--format", "markdown", self.snap).out
        self.tap.ok(page.startswith(b"## SIGSEGV")
                    and page.count(b"```") % 2 == 0
                    and b"/* dies here */" in page,
                    "and is Markdown when asked for", page)

    def without(self):
        self.forget()
        frames = self.frames("--no-index")
        self.tap.ok(not self.entries() and "walk" in frames
                    and "locals" not in frames["walk"]
                    and str(frames["walk"]["file"]).endswith("x.c"),
                    "--no-index makes none; names and lines are there",
                    frames)

    def in_the_snapshot(self):
        """Variables are in the file, for whoever has no program."""
        snap = os.path.join(self.directory, "v.snap")
        self.run("capture", "-o", snap, "--", self.program)
        kit.background_ends()
        self.tap.ok(self.entries(), "an index that a capture lacked is made "
                    "when it is over", self.entries())
        self.forget()
        self.run("capture", "--wait-symbols", "-o", snap, "--", self.program)
        self.forget()
        os.rename(self.program, self.program + ".away")
        page = self.run("report", "--no-index", snap).out
        os.rename(self.program + ".away", self.program)
        self.tap.ok(b"twice = 6" in page and b"[inlined]" in page
                    and ' ä"'.encode() in page, "variables are in a snapshot "
                    "that waited for symbols", page)
        hidden = os.path.join(self.directory, "h.snap")
        self.run("capture", "--wait-symbols", "--redact", "env:NOTHING",
                 "-o", hidden, "--", self.program)
        dump = self.run("dump", hidden).out
        self.tap.ok(b"\nframe" in dump and b"\nvariable" not in dump,
                    "and in none from which something is left out", dump)
        self.forget()

    def in_the_store(self):
        """Variables are beside an object once its indexes are there."""
        store = {"INQUEST_STORE": os.path.join(self.directory, "late")}
        nothing = os.path.join(self.directory, "nothing")
        shutil.rmtree(store["INQUEST_STORE"], ignore_errors=True)
        results = os.path.join(self.directory, "results")
        with open(results, "w"):
            pass
        self.run("capture", "--put", "--results", results, "--",
                 self.program, **store)
        with open(results) as f:
            name = f.read().split()[0]
        kit.background_ends()
        page = self.run("report", "--no-index", name, **store,
                        INQUEST_CACHE=nothing).out
        self.tap.ok(b"twice = 6" in page, "variables of an object come when "
                    "the indexes are there", page)
        self.forget()
        os.rename(self.program, self.program + ".away")
        page = self.run("report", "--no-index", name, **store).out
        os.rename(self.program + ".away", self.program)
        self.tap.ok(b"twice = 6" in page and b"[inlined]" in page
                    and ' ä"'.encode() in page and b"walk" in page,
                    "and stay when the program goes", page)

    def put_later(self):
        """Variables of a snapshot that was written without indexes."""
        store = {"INQUEST_STORE": os.path.join(self.directory, "putlater")}
        away = self.program + ".away"
        shutil.rmtree(store["INQUEST_STORE"], ignore_errors=True)
        snap = os.path.join(self.directory, "p.snap")
        self.run("capture", "--no-cache", "-o", snap, "--", self.program)
        os.rename(self.program, away)
        first = self.run("put", "--wait-symbols", snap, **store)
        nothing = self.run("report", "--no-index", "default/1", **store).out
        os.rename(away, self.program)
        again = self.run("put", "--wait-symbols", snap, **store)
        os.rename(self.program, away)
        page = self.run("report", "--no-index", "default/1", **store).out
        os.rename(away, self.program)
        self.tap.ok(first.status == again.status == 0
                    and b"twice = 6" not in nothing and b"twice = 6" in page
                    and b"[inlined]" in page, "put finds out variables that "
                    "a snapshot lacks, also when it is put again",
                    (first, nothing, again, page))
        self.forget()

    def attached(self):
        """A debug file that came with the snapshot is enough."""
        debug = self.program + ".debug"
        whole = self.program + ".whole"
        os.rename(self.program, whole)
        subprocess.run(["objcopy", "--only-keep-debug", whole, debug],
                       check=True)
        subprocess.run(["strip", "-o", self.program, whole], check=True)
        snap = os.path.join(self.directory, "s.snap")
        self.run("capture", "-o", snap, "--attach", debug, "--", self.program)
        os.unlink(self.program)
        page = self.run("report", snap).out
        os.rename(whole, self.program)
        self.tap.ok(b"twice = 6" in page and b"[inlined]" in page
                    and b"/* dies here */" in page, "debug information that "
                    "was attached is used", page)
        self.forget()

    def linked(self):
        """A program that names its debug file: one index, whoever asks."""
        whole, debug = self.program + ".whole", self.program + ".debug"
        os.rename(self.program, whole)
        subprocess.run(["objcopy", "--only-keep-debug", whole, debug],
                       check=True)
        subprocess.run(["objcopy", "--strip-all", "--add-gnu-debuglink="
                        + debug, whole, self.program], check=True)
        snap = os.path.join(self.directory, "l.snap")
        self.run("capture", "--no-cache", "-o", snap, "--", self.program)
        self.forget()
        self.run("index", snap)
        before = self.entries()
        made = json.loads(self.run("index", "--json", self.program).out)
        self.tap.ok(made["indexes"][0]["dwarf_bytes"] > 0
                    and self.entries() == before, "an index by the name of "
                    "a debug file is the same in all verbs",
                    (made, before, self.entries()))
        os.unlink(self.program)
        page = self.run("report", snap).out
        self.tap.ok(b"twice = 6" in page, "a debug file alone is enough",
                    page)
        os.unlink(debug)
        os.rename(whole, self.program)
        self.forget()

    def of_projects(self):
        """Symbol files of one build-id in two projects of a store."""
        store = {"INQUEST_STORE": os.path.join(self.directory, "store")}
        shutil.rmtree(store["INQUEST_STORE"], ignore_errors=True)
        plain = self.source
        self.source = os.path.join(self.directory, "y.c")
        for project, name in (("one", "twice"), ("two", "thric")):
            self.build("-Wl,--build-id=0x" + 20 * "5a",
                       "-Dtwice=" + name)
            debug = self.program + "." + project
            subprocess.run(["objcopy", "--only-keep-debug", self.program,
                            debug], check=True)
            subprocess.run(["strip", self.program], check=True)
            snap = os.path.join(self.directory, project + ".snap")
            self.run("capture", "--no-cache", "-o", snap, "--", self.program)
            self.run("put", "--project", project, snap, debug, **store)
        os.unlink(self.program)
        self.source = plain
        pages = [self.run("report", project + "/1", **store).out
                 for project in ("one", "two")]
        self.tap.ok(b"twice = 6" in pages[0] and b"thric = 6" in pages[1],
                    "an index of one project's file is not another's", pages)
        self.build()
        self.forget()

    def damaged(self):
        self.run("index", self.program)
        path = os.path.join(self.cache, "index", self.entries()[0])
        with open(path, "rb") as f:
            whole = f.read()
        wrong = []
        left = []

        def reported(bad, about):
            with open(path, "wb") as f:
                f.write(bad)
            result = self.run("report", self.snap)
            if result.status or b"walk" not in result.out:
                wrong.append((about, result))
            with open(path, "rb") as f:
                if f.read() != whole:
                    left.append(about)

        for at in (0, 9, 40, 200, len(whole) // 2, len(whole) - 9):
            reported(whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1:],
                     at)
        for cut in (0, 7, 100, len(whole) // 2):
            reported(whole[:cut], "cut at %d" % cut)
        self.tap.ok(not wrong, "a damaged index harms no report", wrong)
        # Of what no report reads nobody knows.
        left = [about for about in left if about not in (
            len(whole) // 2, len(whole) - 9)]
        self.tap.ok(not left, "and is made anew", left)
        reported(whole[:-2000] + bytes(b ^ 0x55 for b in whole[-2000:]),
                 "blocks")
        self.tap.ok(not left and not wrong, "where its blocks are, too",
                    (left, wrong))
        with open(path, "wb") as f:
            f.write(whole[:100])
        made = json.loads(self.run("index", "--json", self.program).out)
        self.tap.ok(made["indexes"][0]["functions"] >= 2, "the verb makes it "
                    "anew, too", made)
        self.forget()

    def split(self):
        """Split units come and go, and the program stays as it is."""
        self.build("-gsplit-dwarf")
        units = glob.glob(os.path.join(self.directory, "*.dwo"))
        snap = os.path.join(self.directory, "w.snap")
        self.run("capture", "--no-cache", "-o", snap, "--", self.program)
        self.forget()

        def told():
            return b"twice = 6" in self.run("report", snap).out
        seen = [told(), told()]
        before = self.entries()
        for unit in units:
            os.rename(unit, unit + ".away")
        seen += [told(), told()]
        for unit in units:
            os.rename(unit + ".away", unit)
        seen += [told(), told()]
        self.tap.ok(units and seen == [True, True, False, False, True, True]
                    and self.entries() == before, "an index goes with the "
                    "split units that it was made from",
                    (units, seen, before, self.entries()))
        for unit in units:
            os.unlink(unit)
        self.build()
        self.forget()

    def told_apart(self):
        self.run("index", self.program)
        copy = os.path.join(self.directory, "copy")
        shutil.copy(self.program, copy)
        self.run("index", copy)
        self.tap.ok(len(self.entries()) == 2, "what was made of another's "
                    "file of the same build-id is not taken", self.entries())
        self.run("index", self.program, INQUEST_INDEX_SIZE="1")
        self.build("-O2")
        self.run("index", self.program, INQUEST_INDEX_SIZE="4000")
        self.tap.ok(len(self.entries()) <= 2, "the oldest go when there is "
                    "too much", self.entries())

    def refused(self):
        junk = os.path.join(self.directory, "junk")
        for name, data in (("text", b"hello\n"), ("cut", b"\x7fELF\2\1\1"),
                           ("empty", b"")):
            with open(junk, "wb") as f:
                f.write(data)
            result = self.run("index", junk)
            self.tap.ok(result.status in (1, 6) and not result.out
                        and result.err.count(b"\n") == 1,
                        "index of a file that is %s says so" % name, result)


def main():
    kit.need_tool("gcc")
    tap = kit.Tap()
    kit.adopt()
    t = Indexes(tap, kit.need_inquest(), kit.work_dir("index"))
    t.build()
    t.run("capture", "--no-cache", "-o", t.snap, "--", t.program)
    t.made_once()
    t.reported()
    t.without()
    t.in_the_snapshot()
    t.in_the_store()
    t.put_later()
    t.attached()
    t.linked()
    t.of_projects()
    t.damaged()
    t.split()
    t.told_apart()
    t.refused()
    tap.leave()


if __name__ == "__main__":
    main()
