# SPDX-License-Identifier: Apache-2.0
"""
gdbvalue: the text that gdb shows of a value, as a tree.

parse() knows the three ways in which gdb writes values: C's (C++, Go), Rust's
and Fortran's. A tree has four kinds of nodes:

  scalar   a number, an enumerator, a pointer with its symbol ...
  string   segments, repeats kept as such; units() are its characters
  group    {...}, (...), [...]: a label (a printer's summary, a type), items
  special  <optimized out>, <error: ...>, <synthetic pointer> ...

show() writes a tree as gdb would: what parse() makes of a text, show() turns
back into that text, so that nothing is lost on the way.
"""

import re

C, RUST, FORTRAN = "C", "Rust", "Fortran"
CLOSES = {"{": "}", "(": ")", "[": "]"}

REPEATS = re.compile(r"(,?) ?<repeats (\d+) times>")
FIELD = re.compile(r"(?:static )?(?:[A-Za-z_$\x80-\xff][\w$.\x80-\xff]*"
                   r"|get\(\)) = ")
RUST_FIELD = re.compile(r"[A-Za-z_][\w#]*: |[0-9]+: ")
# Commas that end nothing.
GLUE = re.compile(r", (?:capacity \d+|this adjustment -?\d+|weak count \d+)")
OPERATOR = re.compile(r"operator ?(?:<<=|>>=|<=>|<<|>>|<=|>=|->\*|->|<|>|\(\))")
REFERENCE = re.compile(r"@0x[0-9a-f]+: ")
QUOTE = re.compile(r"(?:u8|[LuU])?[\"']")
DOUBLE = re.compile(r'"(?:[^"\\]|\\.)*"', re.S)
SINGLE = re.compile(r"'(?:[^'\\]|\\.)*'", re.S)
DOUBLED = re.compile(r"'(?:[^']|'')*'", re.S)
INCOMPLETE = re.compile(r"<incomplete sequence [^>]*>")
# gdb began, and met what it could not read.
BROKEN_OFF = re.compile(r"[({ ]*<error reading variable: .*>", re.S)
UNIT = re.compile(r"\\(?:([0-7]+)|x([0-9a-f]+)|u\{([0-9a-f]+)\}|(.))|(.)",
                  re.S)
LETTERS = {"n": 10, "t": 9, "r": 13, "b": 8, "f": 12, "v": 11, "a": 7,
           "e": 27}


class Unreadable(Exception):
    """A text that the grammar does not cover; the text says where."""


class Node:
    def __init__(self, kind, text="", items=None,
                 shape=("{", ", ", "}")):
        self.kind, self.text = kind, text
        self.items = items if items is not None else []
        self.shape = shape      # of a group: brackets and what is beside them
        self.cut = False        # "..." follows: gdb shows no more
        self.times = 1          # of an item: how often it stands there
        self.comma = ""         # before "<repeats", as Fortran has it

    def __repr__(self):
        return "Node(%s, %r)" % (self.kind, show(self))


class Segment:
    """Of a string: its text between the quotes, repeated."""

    def __init__(self, prefix, quote, text, times):
        self.prefix, self.quote, self.text = prefix, quote, text
        self.times = times

    def show(self):
        if self.quote == "<":
            return self.text
        return self.prefix + self.quote + self.text + self.quote + (
            " <repeats %d times>" % self.times if self.times > 1 else "")


# ---- writing -------------------------------------------------------------

def show(node):
    text = BODY[node.kind](node)
    if node.cut and node.kind != "group":
        text += "..."
    if node.times > 1:
        text += "%s <repeats %d times>" % (node.comma, node.times)
    return text


def show_string(node):
    return node.text + ", ".join(s.show() for s in node.items)


def show_group(node):
    opening, separator, closing = node.shape
    inside = separator.join(name + show(item) for name, item in node.items)
    return node.text + opening + inside + ("..." if node.cut else "") + closing


BODY = {"scalar": lambda node: node.text, "special": lambda node: node.text,
        "string": show_string, "group": show_group}


# ---- what a string holds -------------------------------------------------

def units_of(text, doubled):
    if doubled:
        return [ord(c) for c in text.replace("''", "'")]
    found = []
    for octal, hexa, braced, letter, plain in UNIT.findall(text):
        if octal:
            found.append(int(octal, 8))
        elif hexa or braced:
            found.append(int(hexa or braced, 16))
        elif letter:
            found.append(LETTERS.get(letter, ord(letter)))
        else:
            found.append(ord(plain))
    return found


def units(node, doubled=False):
    """The characters of a string, as numbers, repeats written out."""
    found = []
    for segment in node.items:
        text = segment.text
        if segment.quote == "<":
            text = text[len("<incomplete sequence "):-1]
        found += units_of(text, doubled) * segment.times
    return found


# ---- reading -------------------------------------------------------------

class Parser:
    """Of C's way of writing; the others change some of its parts."""

    language = C
    single = SINGLE

    def __init__(self, text):
        self.text, self.at = text, 0

    def fail(self, what):
        raise Unreadable("%s at %d: %r" % (
            what, self.at, self.text[max(0, self.at - 40):self.at + 40]))

    def starts(self, word):
        return self.text.startswith(word, self.at)

    def whole(self):
        node = self.value("")
        if self.at != len(self.text):
            self.fail("more than a value")
        return node

    # -- one value

    def value(self, closing):
        node = self.repeated(self.bare_or_string(closing))
        if self.starts("...") and node.kind == "string":
            node.cut = True
            self.at += 3
            node = self.repeated(node)
        return node

    def repeated(self, node):
        found = REPEATS.match(self.text, self.at)
        if found:
            node.comma, node.times = found.group(1), int(found.group(2))
            self.at = found.end()
        return node

    def bare_or_string(self, closing):
        if QUOTE.match(self.text, self.at) or \
                INCOMPLETE.match(self.text, self.at):
            return self.string("")
        found = REFERENCE.match(self.text, self.at)
        if found:
            self.at = found.end()
            inner = self.bare_or_string(closing)
            inner.text = found.group() + inner.text
            return inner
        begin = self.at
        while self.at < len(self.text):
            here = self.text[self.at]
            if here == "{" and self.opens_group(begin):
                return self.group(self.text[begin:self.at], "{")
            if here in ",})]" and not self.glued() or self.starts("..."):
                break
            if self.repeats_here() or self.starts(" }") or \
                    self.starts(" )"):
                break
            if QUOTE.match(self.text, self.at) and \
                    self.text[self.at - 1] in " :":
                return self.quoted_end(begin)
            self.step(here)
        text = self.text[begin:self.at]
        if not text and closing is not None:
            self.fail("no value")
        return Node("special" if text.startswith("<") else "scalar", text)

    def repeats_here(self):
        return self.starts(" <repeats ") or self.starts(", <repeats ")

    def opens_group(self, begin):
        before = self.text[begin:self.at]
        if not before:
            return not self.is_function()
        return before.endswith((" = ", ": "))

    def is_function(self):
        """`{int (int)} 0x1234 <f>` is a scalar."""
        return self.text.startswith(" 0x", self.match_bracket(self.at))

    def glued(self):
        found = GLUE.match(self.text, self.at)
        if found:
            self.at = found.end() - 1
        return found

    def step(self, here):
        """Over one character, or over all that a bracket holds."""
        found = OPERATOR.match(self.text, self.at)
        if found:
            self.at = found.end()
        elif here in "([{":
            self.at = self.match_bracket(self.at)
        elif here == "<":
            self.at = self.match_angle(self.at)
        elif self.at < len(self.text):
            self.at += 1

    def match_bracket(self, at):
        """Behind the bracket that closes the one at `at`."""
        closing, at = CLOSES[self.text[at]], at + 1
        while at < len(self.text):
            here = self.text[at]
            if here == closing:
                return at + 1
            if here in CLOSES:
                at = self.match_bracket(at)
            elif QUOTE.match(self.text, at) and not self.text[at - 1].isalnum():
                at = self.match_quotes(at)
            else:
                at += 1
        return self.fail("'%s' is missing" % closing)

    def match_angle(self, at):
        depth = 0
        while at < len(self.text):
            found = OPERATOR.match(self.text, at)
            if found:
                at = found.end()
                continue
            here = self.text[at]
            if here in "([{":
                at = self.match_bracket(at)
                continue
            if self.text.startswith("->", at):
                at += 2
                continue
            depth += (here == "<") - (here == ">")
            at += 1
            if depth == 0:
                return at
        return self.fail("'>' is missing")

    def match_quotes(self, at):
        at = QUOTE.match(self.text, at).end() - 1
        pattern = DOUBLE if self.text[at] == '"' else self.single
        found = pattern.match(self.text, at)
        if not found:
            self.fail("a quote is missing")
        return found.end()

    def quoted_end(self, begin):
        """A character's number with its letter, a pointer with its text."""
        if self.text[self.at] in "'" or self.text[self.at + 1] == "'":
            end = self.match_quotes(self.at)
            after = REPEATS.match(self.text, end)
            if not (after and self.text.startswith("0x", begin)):
                self.at = end
                return Node("scalar", self.text[begin:end])
        return self.string(self.text[begin:self.at])

    def string(self, before):
        node = Node("string", before)
        while True:
            node.items.append(self.segment())
            if not self.more_segments(node.items[-1]):
                return node
            self.at += 2

    def segment(self):
        found = INCOMPLETE.match(self.text, self.at)
        if found:
            self.at = found.end()
            return Segment("", "<", found.group(), 1)
        begin, self.at = self.at, self.match_quotes(self.at)
        quote = self.text[self.at - 1]
        prefix, _, text = self.text[begin:self.at - 1].partition(quote)
        times = 1
        found = REPEATS.match(self.text, self.at)
        if quote == "'" and found:
            times, self.at = int(found.group(2)), found.end()
        return Segment(prefix, quote, text, times)

    def more_segments(self, last):
        """A repeat follows a text or a repeat; a text follows a repeat."""
        if not self.starts(", "):
            return False
        at = self.at + 2
        if INCOMPLETE.match(self.text, at):
            return True
        if not QUOTE.match(self.text, at):
            return False
        end = self.match_quotes(at)
        single = self.text[end - 1] == "'" and \
            REPEATS.match(self.text, end)
        return bool(single) or (self.text[end - 1] == '"' and
                                (last.quote == "'" or last.quote == "<"))

    # -- several values

    def group(self, label, opening):
        closing = CLOSES[opening]
        node = Node("group", label, shape=[opening, ", ", closing])
        self.at += 1
        if self.starts(" ") and closing == "}":     # std::atomic<int> = { 5 }
            node.shape[0] += " "
            node.shape[2] = " " + closing
            self.at += 1
        while not self.starts(node.shape[2]):
            if self.starts("..."):
                node.cut = True
                self.at += 3
                break
            node.items.append((self.name(), self.value(closing)))
            if self.starts(", "):
                self.at += 2
        if not self.starts(node.shape[2]):
            self.fail("'%s' is missing" % closing)
        self.at += len(node.shape[2])
        return node

    def name(self):
        """`field = `, `<Base> = `, `[key] = `, or nothing."""
        found = FIELD.match(self.text, self.at)
        end = found.end() if found else 0
        if not found and self.starts("<"):
            end = self.match_angle(self.at)
        elif not found and self.starts("["):
            end = self.match_bracket(self.at)
        if not found and end:
            end = end + 3 if self.text.startswith(" = ", end) else 0
        if not end:
            return ""
        name, self.at = self.text[self.at:end], end
        return name


class RustParser(Parser):
    """`Type {name: value}`, `Type (value)`, `[value]`, `&[T] [value]`."""

    language = RUST
    PATH = re.compile(r"(?:&(?:mut )?|\*(?:mut|const) )?")

    def name(self):
        found = RUST_FIELD.match(self.text, self.at)
        if not found or self.text.startswith(":", found.end() - 1):
            return ""
        self.at = found.end()
        return found.group()

    def opens_group(self, begin):
        before = self.text[begin:self.at]
        return not before.endswith("::")

    def bare_or_string(self, closing):
        if QUOTE.match(self.text, self.at):
            return self.string("")
        begin = self.at
        self.skip_reference()
        while self.at < len(self.text):
            here = self.text[self.at]
            if here in "{([" and self.opens_group(begin):
                return self.group(self.text[begin:self.at], here)
            if here == "{":
                self.at = self.match_bracket(self.at)
                continue
            if here in ",})]" or self.starts("...") or self.repeats_here():
                break
            if QUOTE.match(self.text, self.at) and \
                    self.text[self.at - 1] == " ":
                return self.quoted_end(begin)
            super().step(here)
        text = self.text[begin:self.at]
        return Node("special" if text.startswith("<") else "scalar", text)

    def skip_reference(self):
        """`&[u16] [1, 2]`: the first brackets are of the type."""
        found = self.PATH.match(self.text, self.at)
        self.at = found.end()
        if found.group() and self.text[self.at:self.at + 1] in ("[", "("):
            self.at = self.match_bracket(self.at)


class FortranParser(Parser):
    """`( x = 1, y = 2 )`, `((1, 2) (3, 4))`, `(1.5,2)` of a complex number."""

    language = FORTRAN
    single = DOUBLED
    COMPLEX = re.compile(r"\([^(), ]+,[^(), ]+\)")
    FIELD = re.compile(r"[A-Za-z_]\w* = ")
    POINTER = re.compile(r"\(PTR TO -> \( [^)]*\) *\)\)? ?")

    def name(self):
        found = self.FIELD.match(self.text, self.at)
        if not found:
            return ""
        self.at = found.end()
        return found.group()

    def bare_or_string(self, closing):
        if QUOTE.match(self.text, self.at):
            return self.string("")
        found = self.COMPLEX.match(self.text, self.at) or \
            self.POINTER.match(self.text, self.at)
        if found:
            begin, self.at = self.at, found.end()
            if found.re is self.COMPLEX:
                return Node("scalar", found.group())
            inner = super().bare_or_string(None)
            inner.text = self.text[begin:found.end()] + inner.text
            return inner
        if self.starts("("):
            return self.group("", "(")
        return super().bare_or_string(closing)

    def group(self, label, opening):
        node = Node("group", label, shape=["(", ", ", ")"])
        self.at += 1
        if self.starts(" "):
            node.shape = ["( ", ", ", " )"]
            self.at += 1
        while not self.starts(node.shape[2]):
            if self.starts("..."):
                node.cut = True
                self.at += 3
                break
            node.items.append((self.name(), self.value(")")))
            if self.starts(", "):
                self.at += 2
            elif self.starts(" ") and not self.starts(" )"):
                node.shape[1] = " "
                self.at += 1
        if not self.starts(node.shape[2]):
            self.fail("')' is missing")
        self.at += len(node.shape[2])
        return node


PARSERS = {C: Parser, RUST: RustParser, FORTRAN: FortranParser}


def parse(text, language=C):
    if BROKEN_OFF.fullmatch(text):
        return Node("special", text)
    return PARSERS[language](text).whole()


def language_of(path):
    """Which way of writing gdb chooses for a source file."""
    path = path or ""
    if path.endswith(".rs"):
        return RUST
    if re.search(r"\.f\w*$", path, re.I):
        return FORTRAN
    return C
