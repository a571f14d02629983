#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
words: help, manual page and completion say the same, and words that are off
are answered with the documented exit status and one sentence.
"""

import os
import re
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "victims"))

import kit      # noqa: E402

FAILED, USAGE, NOTFOUND, DENIED = 1, 2, 3, 4
ON_FILES = ["import", "report", "disasm", "gdb", "lldb", "rsp", "put", "check",
            "dump", "index", "print"]
ON_OBJECTS = ["get", "rm", "tag"]
SHELLS = ["bash", "zsh", "fish"]
NOBODY = 65534


def verbs_of(screen):
    return re.findall(r"^  ([a-z]+) {2,}[A-Z]", screen, re.M)


def options_of(screen):
    """Long and short options of a verb's help screen."""
    found = re.findall(r"^  (?:(-\w), )?(--[\w-]+)", screen, re.M)
    return [word for pair in found for word in pair if word]


def plain(roff):
    """A manual page's source with its escapes undone."""
    for escape, character in (("\\-", "-"), ("\\(aq", "'"), ("\\(ga", "`"),
                              ("\\(dq", '"'), ("\\e", "\\"), ("\\&", "")):
        roff = roff.replace(escape, character)
    return roff


class Words:
    def __init__(self, tap, inquest):
        self.tap = tap
        self.inquest = inquest
        self.screen = self.text("--help")
        self.verbs = verbs_of(self.screen)

    def run(self, *words, **how):
        return kit.run([self.inquest, *words], **how)

    def text(self, *words):
        return self.run(*words).out.decode()

    # ---- help

    def help_is_a_screen(self):
        for verb in [None, *self.verbs]:
            words = [verb, "--help"] if verb else ["--help"]
            result = self.run(*words)
            lines = result.out.decode().split("\n")
            self.tap.ok(result.status == 0 and len(lines) <= 25
                        and max(map(len, lines)) <= 80 and not result.err,
                        "`%s` is a screen on stdout" % " ".join(words),
                        result)

    def manual_holds_everything(self):
        program = plain(self.text("help", "--man"))
        for verb in self.verbs:
            options = options_of(self.text(verb, "--help"))
            page = plain(self.text("help", verb, "--man"))
            text = self.text("help", verb)
            lost = [o for o in options if not
                    (o in page and o in text and o in program)]
            self.tap.ok(len(options) >= 2 and not lost,
                        "the manual page holds all options of " + verb,
                        lost)
            summary = re.search(r"^  %s +(.+)$" % verb, self.screen,
                                re.M).group(1)
            self.tap.ok(summary in page and summary in program
                        and summary in self.text(verb, "--help"),
                        "one summary of %s everywhere" % verb, summary)

    def completion_holds_everything(self):
        for shell in SHELLS:
            script = self.text("help", "--completion", shell)
            lost = [v for v in self.verbs if v not in script]
            for verb in self.verbs:
                for o in options_of(self.text(verb, "--help")):
                    name = (r"-[ls] " + o.lstrip("-") if shell == "fish"
                            else re.escape(o))
                    if not re.search(r"%s.*%s(?!\w)" % (verb, name), script,
                                     re.S):
                        lost.append(verb + " " + o)
            self.tap.ok(not lost, "completion for %s holds everything"
                        % shell, lost)
            if not shutil.which(shell):
                self.tap.skip(shell + " reads its completion",
                              shell + " is not installed")
                continue
            result = kit.run([shell, "-n", "/dev/stdin"],
                             given=script.encode())
            self.tap.ok(result.status == 0 and not result.err,
                        shell + " reads its completion", result)

    def bash_completes(self):
        script = self.text("help", "--completion", "bash")
        ask = ("COMP_WORDS=(inquest %s); COMP_CWORD=%d; _inquest; "
               "echo \"${COMPREPLY[@]}\"")
        for name, words, number, wanted in (
                ("verbs", "re", 1, "report"),
                ("options", "report --all-t", 2, "--all-threads"),
                ("verbs behind help", "help dum", 2, "dump")):
            result = kit.run(["bash", "-c", script + ask % (words, number)],
                             cwd="/")
            self.tap.ok(result.out.decode().split() == [wanted],
                        "bash completes " + name, result)

    def manual_renders(self):
        if not shutil.which("groff"):
            self.tap.skip("the manual pages render without a warning",
                          "groff is not installed")
            return
        for words in [["help", "--man"]] + [["help", v, "--man"]
                                            for v in self.verbs]:
            result = kit.run(["groff", "-man", "-ww", "-Tutf8", "-P-cbou"],
                             given=self.run(*words).out)
            self.tap.ok(result.status == 0 and not result.err
                        and b"EXIT" in result.out,
                        "groff renders `%s` without a warning"
                        % " ".join(words), result)

    def version(self):
        result = self.run("--version")
        self.tap.ok(result.status == 0 and
                    re.fullmatch(rb"inquest \d+\.\d+\.\d+\n", result.out),
                    "the version is one line", result)

    # ---- words that are off

    def refused(self, name, status, *words, **how):
        """One sentence on stderr, nothing on stdout, the status."""
        result = self.run(*words, **how)
        lines = result.err.decode().splitlines()
        self.tap.ok(result.status == status and not result.out
                    and len(lines) == 1 and lines[0].startswith("inquest: "),
                    name, result)
        return lines[0] if lines else ""

    def usage(self):
        self.refused("no verb", USAGE)
        said = self.refused("a mistyped verb", USAGE, "reprot", "x")
        self.tap.ok("inquest report" in said, "the right verb is offered",
                    said)
        self.refused("a word that is no verb", USAGE, "frobnicate")
        self.refused("an option before the verb", USAGE, "--frobnicate")
        for verb in self.verbs:
            said = self.refused("an unknown option of " + verb, USAGE, verb,
                                "--frobnicate", "x")
            self.tap.ok("--frobnicate" in said
                        and "inquest %s --help" % verb in said,
                        "it is named, with where to look", said)
        for verb in ON_FILES + ON_OBJECTS + ["capture", "token", "store"]:
            self.refused(verb + " without an operand", USAGE, verb)
        for verb in ("import", "report", "check", "dump", "get", "tag"):
            self.refused(verb + " with two operands", USAGE, verb, "a", "b")
        self.refused("an unknown format", USAGE, "report", "-f", "xml", "x")
        self.refused("an attribute without a value", USAGE, "import", "--kv",
                     "a", "x")
        self.refused("an attribute without a key", USAGE, "import", "--kv",
                     "=a", "x")
        self.refused("an unknown shell", USAGE, "help", "--completion", "csh")
        self.refused("help for no verb", USAGE, "help", "frobnicate")

    def files(self, directory):
        fifo = os.path.join(directory, "fifo")
        if not os.path.exists(fifo):
            os.mkfifo(fifo)
        empty = os.path.join(directory, "empty")
        with open(empty, "wb"):
            pass
        for verb in ON_FILES:
            self.refused(verb + " of no file", NOTFOUND, verb,
                         os.path.join(directory, "none"), timeout=60)
            for name, path in (("a directory", directory), ("a FIFO", fifo),
                               ("an empty file", empty),
                               ("a file of another kind", __file__)):
                self.refused("%s of %s" % (verb, name), FAILED, verb, path,
                             cwd=directory, timeout=60)
        self.refused("--exe of no file", NOTFOUND, "report", "--exe",
                     os.path.join(directory, "none"), empty)

    def permission(self, directory):
        path = os.path.join(directory, "secret")
        with open(path, "wb") as f:
            f.write(b"secret")
        os.chmod(path, 0)
        words = [self.inquest]
        if os.geteuid() == 0:
            if not shutil.which("setpriv"):
                self.tap.skip("a file that may not be read",
                              "root may read everything; no setpriv")
                return
            words = ["setpriv", "--reuid=%d" % NOBODY, "--clear-groups",
                     self.inquest]
            if kit.run([*words, "--version"]).status:
                self.tap.skip("a file that may not be read",
                              "the build directory is closed to others")
                return
        for verb in ON_FILES:
            result = kit.run([*words, verb, path], cwd="/")
            self.tap.ok(result.status == DENIED
                        and result.err.count(b"\n") == 1,
                        verb + " of a file that may not be read", result)


def main():
    inquest = kit.need_inquest()
    tap = kit.Tap()
    directory = kit.work_dir("words")
    # setpriv's nobody must get as far as the file.
    os.chmod(directory, 0o755)
    words = Words(tap, inquest)
    tap.ok(len(words.verbs) >= 17, "the verbs are listed", words.screen)
    words.version()
    words.help_is_a_screen()
    words.manual_holds_everything()
    words.completion_holds_everything()
    words.bash_completes()
    words.manual_renders()
    words.usage()
    words.files(directory)
    words.permission(directory)
    tap.leave()


if __name__ == "__main__":
    try:
        main()
    except subprocess.SubprocessError as e:
        print("Bail out! %s" % e)
