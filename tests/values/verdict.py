# SPDX-License-Identifier: Apache-2.0
"""
verdict: one core's frames and variables, gdb's against ours, counted; and the
listed exceptions.
"""

import collections
import difflib
import os
import re

import judge

Found = collections.namedtuple(
    "Found", "kind thread depth function name type path gdb ours")


class Verdict:
    """
    How many of what; `values` are those that gdb has a value of, `guessed`
    those of the equal ones that ours marks as not certain.
    """

    COUNTED = ("frames", "frames_equal", "values", "equal", "guessed", "lost",
               "lost_equal", "entries", "entries_equal", "extra", "unlisted")

    def __init__(self):
        for name in self.COUNTED:
            setattr(self, name, 0)
        self.seconds = 0.0
        self.differences = []

    def share(self):
        return self.equal / self.values if self.values else 1.0

    def kinds(self):
        return collections.Counter(d.kind for d in self.differences)

    def __str__(self):
        return ("%d of %d values (%d marked as guesses), %d of %d optimized "
                "out, %d of %d frames"
                % (self.equal, self.values, self.guessed, self.lost_equal, self.lost,
                   self.frames_equal, self.frames))

    def as_json(self):
        return {**{name: getattr(self, name) for name in self.COUNTED},
                "seconds": self.seconds, "kinds": self.kinds(),
                "differences": [d._asdict() for d in self.differences]}


def total(verdicts):
    whole = Verdict()
    for each in verdicts:
        for name in Verdict.COUNTED:
            setattr(whole, name, getattr(whole, name) + getattr(each, name))
        whole.differences += each.differences
        whole.seconds += each.seconds
    return whole


Found.__str__ = lambda self: "%s: %s#%d %s: %s%s (%s)\n    gdb  %s\n    ours %s" % (
    self.kind, "%d " % self.thread if self.thread else "", self.depth,
    self.function, self.name, self.path, self.type, short(self.gdb),
    short(self.ours))


def short(text, limit=240):
    text = str(text)
    return text if len(text) <= limit else text[:limit] + "[...]"


# ---- frames --------------------------------------------------------------

def function_key(name):
    """
    Without parameters: gdb takes them off, too, but not of every name that
    has lambdas or types of functions in it.
    """
    name = re.sub(r"@plt$|@@.*$", "", name or "")
    name = re.sub(r"\)( const)?$", ")", name)
    while name.endswith(")"):
        at = opening(name)
        if at <= 0 or name.endswith("operator()"):
            break
        name = name[:at]
    return re.sub(r"\s", "", name)


def opening(name):
    """Where the last parenthesis of a name was opened."""
    depth = 0
    for at in range(len(name) - 1, -1, -1):
        depth += (name[at] == ")") - (name[at] == "(")
        if depth == 0:
            return at
    return 0


def frame_key(frame):
    """gdb calls a function without a name "??"."""
    return function_key(frame.get("function")).replace("??", "")


def pairs_of(theirs, ours):
    """Frames side by side, by their functions; where one lacks: None."""
    match = difflib.SequenceMatcher(
        None, [frame_key(f) for f in theirs], [frame_key(f) for f in ours],
        autojunk=False)
    for what, i, j, k, m in match.get_opcodes():
        if what in ("equal", "replace") and j - i == m - k:
            yield from zip(range(i, j), theirs[i:j], ours[k:m])
            continue
        for number in range(i, j):
            yield number, theirs[number], None
        for number in range(k, m):
            yield number, None, ours[number]


def frame_text(frame):
    if frame is None:
        return "no such frame"
    return "%s at %s:%s%s" % (
        frame.get("function"), os.path.basename(frame.get("file") or "?"),
        frame.get("line"), " inlined" if frame.get("inlined") else "")


def frames_equal(theirs, ours):
    if theirs is None or ours is None:
        return False
    return frame_key(theirs) == frame_key(ours) and \
        os.path.basename(theirs.get("file") or "") == \
        os.path.basename(ours.get("file") or "") and \
        (theirs.get("line") or 0) == (ours.get("line") or 0) and \
        (theirs.get("inlined") == ours.get("inlined") or
         None in (theirs.get("inlined"), ours.get("inlined")))


# ---- variables -----------------------------------------------------------

def compare(threads, said, seconds):
    result = Verdict()
    result.seconds = seconds
    for thread in threads:
        frames = said.get(thread["lwp"]) or []
        if len(thread["frames"]) >= 100:
            frames = frames[:len(thread["frames"])]
        for depth, theirs, mine in pairs_of(thread["frames"], frames):
            compare_frames(result, thread["lwp"], depth, theirs, mine)
    return result


def compare_frames(result, lwp, depth, theirs, mine):
    result.frames += 1
    if frames_equal(theirs, mine):
        result.frames_equal += 1
    else:
        result.differences.append(Found(
            "frame", lwp, depth, (theirs or mine).get("function"), "", "", "",
            frame_text(theirs), frame_text(mine)))
    if theirs:
        where = lwp, depth, theirs["function"]
        compare_variables(result, where, theirs, variables_of(mine))


def variables_of(frame):
    """{name: [values in the order of gdb: inner blocks first]}"""
    by_name = collections.defaultdict(list)
    for key in ("arguments", "locals"):
        for value in (frame or {}).get(key) or []:
            by_name[value.get("name") or ""].append(value)
    return by_name


def partners(variables, by_name):
    """
    For each variable of gdb's the one of ours, or None. Of several with one
    name it is the one of the same line; what has no line comes in order.
    """
    found = [None] * len(variables)
    for same_line in (True, False):
        for number, variable in enumerate(variables):
            values = by_name.get(variable["name"]) or []
            fits = [v for v in values if not same_line or
                    v.get("line") == variable.get("line")]
            if found[number] is None and fits:
                found[number] = fits[0]
                values.remove(fits[0])
    return found


def without_copies(variables):
    """
    Of what was inlined, gdb has some variables twice: where they are, and, of
    the function that was inlined, without a place. Labels are no variables.
    """
    seen = set()
    for variable in variables:
        key = variable["name"], variable["line"]
        if not (variable["unlisted"] and variable["lost"] and key in seen) \
                and variable["type"] != "__CORE_ADDR":
            yield variable
        seen.add(key)


def compare_variables(result, where, frame, by_name):
    variables = list(without_copies(frame["variables"]))
    for variable, mine in zip(variables, partners(variables, by_name)):
        if variable["name"].endswith("@entry"):
            compare_entry(result, where, frame, variable, mine)
        else:
            compare_variable(result, where, frame, variable, mine)
    result.extra += sum(map(len, by_name.values()))


def difference_of(frame, variable, mine):
    if mine is None:
        return judge.Difference("missing", "", variable["value"], "")
    said = judge.differs(variable["value"], mine, frame["language"])
    if said and mine.get("why"):
        said = said._replace(ours="%s: %s" % (said.ours, mine["why"]))
    return said


def compare_entry(result, where, frame, variable, mine):
    """Ours need not show it where the value itself is there."""
    if mine is None or variable["value"] is None:
        return
    result.entries += 1
    difference = difference_of(frame, variable, mine)
    result.entries_equal += difference is None
    note(result, where, variable, difference)


def compare_variable(result, where, frame, variable, mine):
    text = variable["value"]
    if text is None or judge.NO_VALUE.match(text):
        return
    # -stack-list-variables leaves it out: ours may, too.
    if mine is None and variable["unlisted"] and variable["lost"]:
        return
    difference = difference_of(frame, variable, mine)
    if judge.is_lost_text(text, frame["language"]):
        result.lost += 1
        result.lost_equal += difference is None
    else:
        result.values += 1
        result.equal += difference is None
        result.guessed += difference is None and "perhaps" in mine
    note(result, where, variable, difference)


def note(result, where, variable, difference):
    if difference:
        result.differences.append(Found(
            difference.kind, *where, variable["name"], variable["type"],
            difference.path, difference.gdb, difference.ours))


# ---- exceptions ----------------------------------------------------------

class Exempt:
    """One paragraph of the list."""

    KEYS = ("exception", "cases", "variables", "types", "kinds", "gdb-says",
            "ours-says", "reason", "occurs")

    def __init__(self, pairs):
        values = collections.defaultdict(list)
        for key, value in pairs:
            if key not in self.KEYS:
                raise ValueError("unknown key '%s'" % key)
            values[key].append(value)
        self.name = values["exception"][0]
        if not values["reason"]:
            raise ValueError("%s: no reason" % self.name)
        self.where = [self._patterns(values[key]) for key in
                      ("cases", "variables", "types", "kinds")]
        self.says = [[re.compile(v, re.S) for v in values[key]]
                     for key in ("gdb-says", "ours-says")]
        self.everywhere = not values["occurs"]
        self.used = 0

    @staticmethod
    def _patterns(values):
        return [re.compile(".*".join(map(re.escape, p.strip().split("*"))))
                for v in values or ["*"] for p in v.split(" | ")]

    def covers(self, label, found):
        what = label, found.name, found.type or "", found.kind
        return all(any(p.fullmatch(value) for p in patterns)
                   for value, patterns in zip(what, self.where)) and \
            all(p.search(str(text)) for patterns, text in
                zip(self.says, (found.gdb, found.ours)) for p in patterns)


def read_exceptions(path):
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
                found.append(Exempt(pairs))
                pairs = []
    return found


def explain(listed, label, found):
    for exception in listed:
        if exception.covers(label, found):
            exception.used += 1
            return True
    return False
