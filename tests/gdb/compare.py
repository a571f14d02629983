# SPDX-License-Identifier: Apache-2.0
"""
compare: what two debuggers said, command by command, and the listed
differences between them.

The list is the file `differences` beside this one: paragraphs of `key: value`
lines; '#' starts a comment line. Keys:

  difference  its name
  victims, modes, commands
              patterns with '*', separated by " | "; left out = all
  reason      why the two differ, and why ours is more
  occurs      "on some machines": others need not show it
  ours-adds   a regular expression, optionally "=> replacement": taken out of
              our output, which must then be equal
  core-adds   the same for the core's output: only for text that is no
              information (a warning, an error's wording)
  core-line, ours-line
              where the outputs differ in a line, the core's line and ours
              must match these
  core-says, ours-says
              each must be found in the output of its side; then the outputs
              may differ in any way. Both may stand several times.
  ours-has    "all lines": every line of the core's output is in ours

Rewrites apply first, then lines, then whole outputs. A difference that no
listed rule explains fails the test; so does a rule that explains nothing.
"""

import collections
import difflib
import re

DIFF_LINES = 16
MARK = re.compile(r"\n\x1e(\d+) ([0-9.]+)\n")

# Names of the same thing on both sides, which carry no information.
NORMAL = [(re.compile(pattern, re.M), replacement) for pattern, replacement in (
    # The stub's files are named so; the core's stand without it.
    (r"\btarget:(?=/)", ""),
    # A thread's id on a core with libthread_db, without, and remotely.
    (r"\bThread 0x[0-9a-f]+ \(LWP (\d+)\)", r"Thread \1"),
    (r"\bLWP (\d+)", r"Thread \1"),
    (r"\bThread \d+\.(\d+)", r"Thread \1"),
    # Errors leave no value behind, so the numbers drift apart.
    (r"^\$\d+ = ", "$ = "),
    # Columns are as wide as the widest name.
    (r"[ \t]+$", ""),
    (r"(?<=\S) {2,}(?=\S)", " "),
)]


def parse(text, script):
    """[command, output] pairs, and what came before the first mark."""
    parts = MARK.split(text)
    outputs = {int(n): out for n, out in zip(parts[1::3], parts[3::3])}
    return [(command, outputs.get(number))
            for number, command in enumerate(script)], parts[0]


def seconds(text):
    """When each command began, by number."""
    return [float(part) for part in MARK.split(text)[2::3]]


def normal(text):
    for pattern, replacement in NORMAL:
        text = pattern.sub(replacement, text)
    return text.strip("\n") + "\n"


Rewrite = collections.namedtuple("Rewrite", "pattern replacement")


class Difference:
    """One paragraph of the list."""

    KEYS = ("difference", "victims", "modes", "commands", "reason", "occurs",
            "ours-adds", "core-adds", "core-line", "ours-line", "core-says",
            "ours-says", "ours-has")

    def __init__(self, pairs):
        values = collections.defaultdict(list)
        for key, value in pairs:
            if key not in self.KEYS:
                raise ValueError("unknown key '%s'" % key)
            values[key].append(value)
        self.name = values["difference"][0]
        self.reason = " ".join(values["reason"])
        if not self.reason:
            raise ValueError("%s: no reason" % self.name)
        self.everywhere = not values["occurs"]
        self.where = [self._patterns(values[key])
                      for key in ("victims", "modes", "commands")]
        self.ours_adds = [self._rewrite(v) for v in values["ours-adds"]]
        self.core_adds = [self._rewrite(v) for v in values["core-adds"]]
        self.lines = self._pair(values["core-line"], values["ours-line"])
        self.says = self._pair(values["core-says"], values["ours-says"])
        self.has_all_lines = values["ours-has"] == ["all lines"]
        self.used = 0

    @staticmethod
    def _patterns(values):
        """Only '*' is special: commands are full of '[' and '?'."""
        return [re.compile(".*".join(map(re.escape, p.strip().split("*"))))
                for v in values or ["*"] for p in v.split(" | ")]

    @staticmethod
    def _rewrite(value):
        pattern, _, replacement = (value + " ").partition(" => ")
        return Rewrite(re.compile(pattern.strip(), re.M), replacement.strip())

    @staticmethod
    def _pair(core, ours):
        if not core and not ours:
            return None
        return ([re.compile(v, re.M) for v in core],
                [re.compile(v, re.M) for v in ours])

    def covers(self, *what):
        return all(any(p.fullmatch(value) for p in patterns)
                   for value, patterns in zip(what, self.where))

    def rewrite(self, core, ours):
        for pattern, replacement in self.core_adds:
            core = pattern.sub(replacement, core)
        for pattern, replacement in self.ours_adds:
            ours = pattern.sub(replacement, ours)
        return core, ours

    def explains_line(self, core, ours):
        return self.lines is not None and \
            all(p.search(core) for p in self.lines[0]) and \
            all(p.search(ours) for p in self.lines[1])

    def explains_all(self, core, ours):
        if self.has_all_lines and \
                not set(core.splitlines()) <= set(ours.splitlines()):
            return False
        return self.says is not None and \
            all(p.search(core) for p in self.says[0]) and \
            all(p.search(ours) for p in self.says[1])


def read_list(path):
    found, pairs = [], []
    with open(path, encoding="utf-8") as f:
        for line in list(f) + ["\n"]:
            line = line.rstrip("\n")
            if line.startswith("#"):
                continue
            if line.strip():
                key, _, value = line.partition(":")
                pairs.append((key.strip(), value.strip()))
            elif pairs:
                found.append(Difference(pairs))
                pairs = []
    return found


class Judge:
    """Applies the list to one command after the other."""

    def __init__(self, differences):
        self.differences = differences

    def unexplained(self, victim, mode, command, core, ours):
        """"" if the outputs agree or the list explains why not; else a diff."""
        if core is None or ours is None:
            return "no output: %s\n" % ("core" if core is None else "ours")
        core, ours = normal(core), normal(ours)
        if core == ours:
            return ""
        rules = [d for d in self.differences
                 if d.covers(victim, mode, command)]
        for rule in rules:
            before = core, ours
            core, ours = rule.rewrite(core, ours)
            if (core, ours) != before:
                rule.used += 1
                core, ours = normal(core), normal(ours)
        if core == ours or self._lines_explained(rules, core, ours):
            return ""
        for rule in rules:
            if rule.explains_all(core, ours):
                rule.used += 1
                return ""
        return unified(core, ours, command)

    @staticmethod
    def _lines_explained(rules, core, ours):
        core, ours = core.splitlines(), ours.splitlines()
        if len(core) != len(ours):
            return False
        used = []
        for one, other in zip(core, ours):
            if one == other:
                continue
            rule = next((r for r in rules if r.explains_line(one, other)),
                        None)
            if rule is None:
                return False
            used.append(rule)
        for rule in used:
            rule.used += 1
        return True

    def stale(self, seen):
        """Listed differences that none of these (victim, mode) showed."""
        return [d.name for d in self.differences if
                d.everywhere and not d.used and
                any(d.covers(*run) for run in seen)]


def unified(core, ours, command):
    """A diff; of a long one the beginning and, always, how long it is."""
    diff = list(difflib.unified_diff(
        [line + "\n" for line in core.splitlines()],
        [line + "\n" for line in ours.splitlines()],
        "core: " + command, "ours: " + command, n=1))
    if len(diff) > DIFF_LINES:
        diff[DIFF_LINES:] = ["... and %d lines\n" % (len(diff) - DIFF_LINES)]
    return "".join(diff)
