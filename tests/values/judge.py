# SPDX-License-Identifier: Apache-2.0
"""
judge: are two values the same? gdb's text as a tree, ours as JSON.

differs() says None, or a Difference: of which kind, where in the value, and
what both say. The kinds are few, so that they can be counted:

  invented   gdb says <optimized out>, ours shows a value
  silent     gdb shows a value, ours says why it has none
  shape      a group here, a scalar there
  count      not as many fields or elements
  name       a field or a key has another name
  label      a printer's summary, a type
  string, char, float, integer, pointer, symbol, word
             scalars
"""

import collections
import copy
import re

import gdbvalue
from gdbvalue import Node

Difference = collections.namedtuple("Difference", "kind path gdb ours")

LOST = "<optimized out>"
STATES = {"optimized-out": LOST, "not-captured": "<not captured>",
          "not-mapped": "<not mapped>", "error": "<error>"}
# What gdb shows where it has no value.
NO_VALUE = re.compile(r"[({ ]*(?:&\S+ )?<(error|unavailable|not available|invalid|"
                      r"incomplete type)")

# Of Rust's, a type is all there is to it.
UNIT = re.compile(r"core::marker::PhantomData<.*>")

TYPE = re.compile(r"[({](?:[^(){}]|\((?:[^()]|\([^()]*\))*\))*[)}] "
                  r"(?=@?0x|-?\d|NULL|&)")
REFERENCE = re.compile(r"@(0x[0-9a-f]+)(?:: )?")
POINTER = re.compile(r"@?0x[0-9a-f]+")
CHAR = re.compile(r"(-?\d+) (?:u8|[LuU])?('.*')", re.S)
NUMBER = re.compile(r"-?\d+")
FLOAT = re.compile(r"-?(?:\d+\.\d*|\d+(?:\.\d*)?e[-+]\d+|inf|nan.*)")


# ---- ours as a tree ------------------------------------------------------

def bytes_of(text):
    """As gdbmi has it: a character a byte."""
    return text.encode("utf-8", "surrogateescape").decode("latin-1")


def tree_of(value, language):
    """A value of our JSON as a tree."""
    state = value.get("state") or "ok"
    if state != "ok":
        return Node("special", STATES.get(state, "<%s>" % state))
    text = bytes_of(value.get("value") or "")
    children = value.get("children")
    if children and not is_pointer(text):
        node = Node("group", text, [(name_of(c), tree_of(c, language))
                                    for c in children])
        node.cut = bool(value.get("more"))
        return node
    try:
        node = gdbvalue.parse(text, language)
    except gdbvalue.Unreadable:
        return Node("scalar", text)
    node.cut = node.cut or bool(value.get("more"))
    return node


def name_of(value):
    name = bytes_of(value.get("name") or "")
    return name + " = " if name else ""


def is_pointer(text):
    return bool(POINTER.match(TYPE.sub("", text))) and text[0] != "@"


# ---- texts without what says nothing -------------------------------------

def plain_name(name):
    """`static a = `, `<Base> = `, `a: `, `[0]` ... as `a`, `Base`, `0`."""
    name = re.sub(r" = $|: $", "", name)
    name = name.removeprefix("static ")
    if name.startswith("<") and name.endswith(">"):
        name = name[1:-1]
    return name.strip("[]") if name.startswith("[") else name


def label(text):
    text = REFERENCE.sub("", text, count=1)
    return re.sub(r" = $|[ =]+$", "", text).strip()


def scalar(text):
    return TYPE.sub("", REFERENCE.sub(r"@\1 ", text), count=1).strip()


def is_lost(node):
    """Nothing of it is there; what has no fields is neither there nor not."""
    if node.kind == "group":
        items = [i for _, i in node.items if not is_empty(i)]
        return bool(items) and all(is_lost(i) for i in items)
    return node.text == LOST


def is_empty(node):
    return is_nothing(node) or node.kind == "group" and \
        all(is_empty(item) for _, item in node.items)


def is_lost_text(text, language):
    return LOST in text and is_lost(gdbvalue.parse(text, language))


def is_nothing(node):
    return node.text == "<No data fields>" or \
        node.kind == "scalar" and bool(UNIT.fullmatch(node.text))


def expanded(node):
    """Items of a group, repeats written out; `cut` bounds nothing here."""
    found = []
    for name, item in node.items:
        if is_nothing(item):
            continue
        found += [(name, item)] * min(item.times, 100000)
    return found


# ---- the comparison ------------------------------------------------------

def differs(theirs, ours, language=gdbvalue.C):
    """
    gdb's text against a value of our JSON: that of the value, or where there
    is none for sure, of what we guess.
    """
    said = compare(gdbvalue.parse(theirs, language), tree_of(ours, language),
                   "", language)
    if said and said.kind == "silent" and "perhaps" in ours:
        guess = {**ours, "state": "ok", "value": ours["perhaps"]}
        return differs(theirs, without(guess, "perhaps"), language) and said
    return said


def without(value, key):
    return {k: v for k, v in value.items() if k != key}


def found(kind, path, theirs, ours):
    return Difference(kind, path, gdbvalue.show(theirs), gdbvalue.show(ours))


def compare(theirs, ours, path, language):
    if theirs.kind == "special" and NO_VALUE.match(theirs.text):
        return None
    if is_lost(theirs) or is_lost(ours):
        return compare_lost(theirs, ours, path)
    if ours.kind == "special" and ours.text in STATES.values():
        return found("silent", path, theirs, ours)
    if theirs.kind != ours.kind:
        return compare_kinds(theirs, ours, path)
    return COMPARE[theirs.kind](theirs, ours, path, language)


def compare_lost(theirs, ours, path):
    if is_lost(theirs) and is_lost(ours):
        return None
    return found("invented" if is_lost(theirs) else "silent", path, theirs,
                 ours)


def compare_kinds(theirs, ours, path):
    """`{<No data fields>}` is also a group without any children."""
    empty = [n for n in (theirs, ours) if n.kind == "group" and
             not expanded(n)]
    other = ours if theirs in empty else theirs
    if empty and other.kind == "scalar" and \
            label(other.text) in ("", label(empty[0].text)):
        return None
    return found("shape", path, theirs, ours)


def compare_groups(theirs, ours, path, language):
    if label(theirs.text) != label(ours.text):
        return found("label", path, theirs, ours)
    mine, items = expanded(ours), expanded(theirs)
    both = min(len(mine), len(items))
    if len(mine) != len(items) and not (
            is_cut(theirs) and both == len(items) or
            is_cut(ours) and both == len(mine)):
        return found("count", path, theirs, ours)
    for number, ((name, one), (other_name, other)) in enumerate(
            zip(items, mine)):
        here = "%s.%s" % (path, plain_name(name) or number)
        if not same_name(name, other_name):
            return found("name", here, theirs, ours)
        difference = compare(one, other, here, language)
        if difference:
            return difference
    return None


def is_cut(group):
    """`{"one", "two"...}`: which of the two is cut, the text does not tell."""
    last = group.items[-1][1] if group.items else None
    return group.cut or bool(last and last.kind == "string" and last.cut)


def same_name(theirs, ours):
    """Elements have numbers with us; anonymous unions have no names."""
    theirs, ours = plain_name(theirs), plain_name(ours)
    if not theirs:
        return not ours or ours.isdigit() or ours.startswith("<")
    return re.sub(r"\s", "", theirs) == re.sub(r"\s", "", ours)


def compare_strings(theirs, ours, path, language):
    if scalar(theirs.text) != scalar(ours.text):
        return found("pointer", path, theirs, ours)
    one, other = units(theirs, language), units(ours, language)
    both = min(len(one), len(other))
    if one[:both] == other[:both] and (
            len(one) == len(other) or theirs.cut and both == len(one) or
            ours.cut and both == len(other)):
        return None
    return found("string", path, theirs, ours)


def units(node, language):
    """Of a wide string the code units, whatever bytes stand in the text."""
    node = copy.deepcopy(node)
    for segment in node.items:
        if segment.prefix in ("L", "u", "U"):
            text = segment.text.encode("latin-1").decode("utf-8", "replace")
            if segment.prefix == "u":
                text = "".join(two_units(c) for c in text)
            segment.text = text
    return gdbvalue.units(node, language == gdbvalue.FORTRAN)


def two_units(c):
    if ord(c) < 0x10000:
        return c
    rest = ord(c) - 0x10000
    return chr(0xd800 + (rest >> 10)) + chr(0xdc00 + (rest & 0x3ff))


def compare_scalars(theirs, ours, path, _):
    one, other = scalar(theirs.text), scalar(ours.text)
    if re.sub(r"\s", "", one) == re.sub(r"\s", "", other):
        return None
    first, second = CHAR.fullmatch(one), CHAR.fullmatch(other)
    if first and second and first.group(1) == second.group(1) and \
            same_char(first.group(2), second.group(2)):
        return None
    return found(kind_of(one, other), path, theirs, ours)


def same_char(one, other):
    one, other = (gdbvalue.units_of(t[1:-1], False) for t in (one, other))
    text = bytes(u for u in other if u < 256).decode("utf-8", "replace")
    return one == other or one == [ord(c) for c in text]


def kind_of(one, other):
    if POINTER.match(one):
        same = POINTER.match(one).group() == other.partition(" ")[0]
        return "symbol" if same else "pointer"
    for kind, pattern in (("char", CHAR), ("integer", NUMBER),
                          ("float", FLOAT)):
        if pattern.fullmatch(one):
            return kind
    return "word"


def compare_specials(theirs, ours, path, _):
    if theirs.text == ours.text:
        return None
    return found("word", path, theirs, ours)


COMPARE = {"scalar": compare_scalars, "string": compare_strings,
           "group": compare_groups, "special": compare_specials}


# ---- gdb's text against gdb's values -------------------------------------

def follows(node, outline):
    """
    Whether a parsed text has the fields and as many elements as the value has
    that it was made of: the parser's own test. A printer's work is not judged.
    """
    if outline is None or outline == "?" or node.kind != "group" or \
            label(node.text):
        return True
    if outline[:1] == ["elements"]:
        count = len(expanded(node))
        return count == outline[1] or is_cut(node) and count <= outline[1] or \
            any(i.kind == "string" for _, i in node.items) or is_lost(node)
    fields = list(outline)
    for name, item in node.items:
        if is_nothing(item) or name.startswith("static "):
            continue
        name = "<" if name.startswith("<") else plain_name(name)
        while fields and fields[0][0] != name:
            fields.pop(0)
        if not fields:
            return len(outline) >= 24
        if not follows(item, fields.pop(0)[1]):
            return False
    return True
