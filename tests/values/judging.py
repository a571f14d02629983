#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
judging: the test of the test - gdb's texts are read, and what differs is seen.

Each row of TEXTS is written back as it was; each row of PAIRS is judged as it
says. Then each of the texts is held against itself as our JSON has it, which
must be equal, and against itself with one leaf changed, which must not.
"""

import os
import re
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "victims")]

import gdbmi      # noqa: E402
import gdbvalue   # noqa: E402
import judge      # noqa: E402
import kit        # noqa: E402
from gdbvalue import C, FORTRAN, RUST  # noqa: E402

TEXTS = [(C, text) for text in (
    "42", "-1", "97 'a'", "0 '\\000'", "39 '\\''", "44 ','", "125 '}'",
    "true", "RED", "(A | B)", "(A | unknown: 0x40)", "0x0", "1.5 + -2i",
    "-nan(0x8000000000000)", "0x55 <main+4>", "0x1 <f(int, char)+4>",
    "0x1 <std::operator<< <char>(std::ostream&, char const*)>",
    "0x1 <A::operator->() const>", "0x7 \"text\"", "0x7 \"a, b}\"",
    "0x7 'x' <repeats 20 times>, \"y\"...", "0x10 <error: Cannot access "
    "memory at address 0x10>", "<optimized out>", "<synthetic pointer>",
    "{int (int)} 0x55 <increment(int)>",
    "@0x55: {int (int)} 0x55 <increment(int)>",
    "(int (A::*)(A * const, int)) 0x55 <A::f(int)>, this adjustment 8",
    "&virtual A::f(int) const", "\"\"", "'\\000' <repeats 15 times>",
    "\"abc\", '\\000' <repeats 15 times>, \"d\"", "'h' <repeats 200 times>...",
    "\"an \", <incomplete sequence \\303>", "L\"wide \\x20ac\"", "U\"\"",
    "119 L'w'", "{}", "{<No data fields>}", "{1, 2, 3}", "{1, 2...}",
    "{0 <repeats 49 times>, 1}", "{{x = 1, y = 2} <repeats 15 times>}",
    "{0x7 \"one\", 0x0, 0x8 'x' <repeats 12 times>}",
    "{\"one\\000\", \"two\", '\\000' <repeats 11 times>}",
    "{a = 1, {b = 2, c = 3}, d = {e = {4, 5}}}",
    "{<Base> = {_vptr.Base = 0x1 <vtable for A+16>}, static n = 3, m = 4}",
    "{<std::_Vector_base<Point, std::allocator<Point> >> = {<No data "
    "fields>}, <No data fields>}", "@0x7ffd: {a = 1}", "{r = @0x7ffd, s = 1}",
    "std::vector of length 0, capacity 0",
    "std::vector of length 2, capacity 2 = {std::vector of length 1, "
    "capacity 1 = {3}, std::vector of length 0, capacity 0}",
    "std::map with 1 element = {[{x = 1, y = 2}] = 3}",
    "std::map with 2 elements = {[\"a, b\"] = \"x\", [\"c] = d\"] = \"\"}",
    "std::unique_ptr<int> = {get() = 0x55}",
    "std::shared_ptr<A<1, 2> > (use count 3, weak count 0) = {get() = 0x5 "
    "\"alias\"}", "std::atomic<int> = { 5 }",
    "std::tuple containing = {[1] = @0x7f: 1, [2] = 0x5 \"ref\"}",
    "std::optional<int> = {[contained value] = 5}",
    "std::optional<int> [no contained value]",
    "std::variant<int, char> [index 1] = {99 'c'}",
    "std::stack wrapping: std::deque with 2 elements = {1, 2}",
    "std::error_code = {std::_V2::error_category: 110}",
)] + [(RUST, text) for text in (
    "5", "()", "(-5, \"text\", 2.5)", "[7 <repeats 20 times>]",
    "[[1, 2], [3, 4]]", "rusty::Unit", "rusty::Wrapper (5, 8364 "
    "'\\u{0020ac}')", "rusty::Shape::Rect{w: 3, h: 4}",
    "core::option::Option<&u32>::Some(0x7ffc)",
    "core::option::Option<fn(i32) -> u8>::None",
    "rusty::heaps::{closure_env#0} {_ref__v: 0x7ffc}", "&[u16] [1, 2]",
    "alloc::boxed::Box<[i32], alloc::alloc::Global> [1, 2, 3]",
    "T<(u32, [u8; 4])> {a: 0x55 <rusty::deep>, b: B<i32>, c: [C {d: 1}]}",
)] + [(FORTRAN, text) for text in (
    "5", ".TRUE.", "'a text'", "'it''s'", "(1,2)", "(1, 2, 3)",
    "((1, 2) (3, 4))", "(((1, 2) (3, 4)) ((5, 6) (7, 8)))",
    "( x = 1, y = 2.5 )", "(( x = 1, y = 2.5 ), ( x = 3, y = 4.5 ))",
    "( p = ( x = 7 ), name = 'named   ', list = (10, 20), next = 0x5 <n> )",
    "('one ', 'two ')", "<not associated>", "((1.5,2), (3,4))",
)]


def leaf(text, **more):
    return {"name": "v", "value": text, "state": "ok", **more}


def lost(state="optimized-out"):
    return {"name": "v", "state": state}


def guess(text):
    return {**lost(), "perhaps": text}


def tree(label, *children, more=0):
    return {"value": label, "more": more, "children": [
        {**child, "name": name} for name, child in children]}


# gdb's text, our value, and as what it is judged; None = equal.
PAIRS = [
    ("42", leaf("42"), None), ("42", leaf("43"), "integer"),
    ("<optimized out>", lost(), None), ("1", lost(), "silent"),
    ("1", lost("not-captured"), "silent"),
    ("1", guess("1"), None), ("1", guess("2"), "silent"),
    ("<optimized out>", guess("2"), None),
    ("<optimized out>", leaf("0"), "invented"),
    ("<error: Cannot access memory at address 0x1>", lost("not-mapped"), None),
    ("{a = <optimized out>, b = 1}", tree("", ("a", lost()), ("b", leaf("1"))),
     None),
    ("{a = <optimized out>, b = 1}",
     tree("", ("a", leaf("0")), ("b", leaf("1"))), "invented"),
    ("{a = <optimized out>, b = <optimized out>}", lost(), None),
    ("{<B> = {<No data fields>}, b = <optimized out>}", lost(), None),
    ("{1, 2, 3}", tree("", ("[0]", leaf("1")), ("[1]", leaf("2")),
                       ("[2]", leaf("3"))), None),
    ("{1, 2, 3}", tree("", ("[0]", leaf("1")), ("[1]", leaf("2"))), "count"),
    ("{1, 2, 3}", tree("", ("[0]", leaf("1")), ("[1]", leaf("2")), more=1),
     None),
    ("{1, 2...}", tree("", ("[0]", leaf("1")), ("[1]", leaf("2")),
                       ("[2]", leaf("3"))), None),
    ("{1 <repeats 12 times>}", tree("", *[("[%d]" % n, leaf("1"))
                                          for n in range(12)]), None),
    ("{a = 1}", tree("", ("b", leaf("1"))), "name"),
    ("{<B> = {x = 1}, y = 2}", tree("", ("B", tree("", ("x", leaf("1")))),
                                    ("y", leaf("2"))), None),
    ("{a = 1}", leaf("1"), "shape"), ("{a = 1}", leaf("{a = 1}"), None),
    ("@0x5: {a = 1}", tree("@0x5: ", ("a", leaf("1"))), None),
    ("@0x5: 1", leaf("@0x6: 1"), "pointer"),
    ("0x5 <main>", leaf("(void (*)(void)) 0x5 <main>"), None),
    ("0x5 <main>", leaf("0x5 <other>"), "symbol"),
    ("0x5 <main>", leaf("0x5", children=[leaf("1")]), "symbol"),
    ("0x5", leaf("0x5", children=[leaf("1")]), None),
    ("0x5", leaf("0x6"), "pointer"), ("0x5 \"a\"", leaf("0x5 \"b\""),
                                      "string"),
    ("\"caf\\303\\251\"", leaf("\"caf\u00e9\""), None),
    ("L\"\\x20ac\"", leaf("L\"\u20ac\""), None),
    ("u\"\\xd83d\\xde00\"", leaf("u\"\U0001f600\""), None),
    ("\"a\", '\\000' <repeats 15 times>", leaf("\"a" + "\\000" * 15 + "\""),
     None),
    ("\"a\", '\\000' <repeats 15 times>", leaf("\"a\""), "string"),
    ("'h' <repeats 200 times>...", leaf("'h' <repeats 300 times>"), None),
    ("97 'a'", leaf("97 'a'"), None), ("97 'a'", leaf("97"), "char"),
    ("0.1", leaf("0.10000000000000001"), "float"),
    ("std::vector of length 2, capacity 2 = {1, 2}",
     tree("std::vector of length 2, capacity 2", ("[0]", leaf("1")),
          ("[1]", leaf("2"))), None),
    ("std::vector of length 2, capacity 4 = {1, 2}",
     tree("std::vector of length 2, capacity 2", ("[0]", leaf("1")),
          ("[1]", leaf("2"))), "label"),
    ("std::map with 1 element = {[1] = \"one\"}",
     tree("std::map with 1 element", ("[1]", leaf("\"one\""))), None),
    ("std::map with 1 element = {[1] = \"one\"}",
     tree("std::map with 1 element", ("[2]", leaf("\"one\""))), "name"),
]


def as_ours(node):
    """What our JSON would say of a tree."""
    if node.kind == "group" and node.items:
        named = [(re.sub(" = $|: $", "", name), as_ours(item))
                 for name, item in judge.expanded(node)]
        return tree(judge.label(node.text), *named, more=int(node.cut))
    if node.text == judge.LOST:
        return lost()
    text = node.text if node.kind == "group" else \
        gdbvalue.BODY[node.kind](node) + "..." * node.cut
    return leaf(text.encode("latin-1").decode("utf-8", "surrogateescape"))


def change(value):
    """The last leaf of a value is another one; False: there is none."""
    for child in reversed(value.get("children") or []):
        if change(child):
            return True
    if value.get("children"):
        return False
    if value.get("state") == "optimized-out":
        value.update(state="ok", value="0")
        return True
    if not value.get("value") or value["value"].startswith("{"):
        return False
    value["value"] = "\"changed\""
    return True


def try_text(tap, language, text):
    node = gdbvalue.parse(text, language)
    tap.ok(gdbvalue.show(node) == text, "read and written: " + text,
           gdbvalue.show(node))
    value = as_ours(gdbvalue.parse(text, language))
    said = judge.differs(text, value, language)
    tap.ok(said is None, "equal to itself: " + text, said)
    if change(value):
        tap.ok(judge.differs(text, value, language),
               "a changed leaf is seen: " + text, value)


def main():
    tap = kit.Tap()
    for language, text in TEXTS:
        try_text(tap, language, text)
    for text, value, kind in PAIRS:
        said = judge.differs(text, value)
        tap.ok((said and said.kind) == kind, "judged as %s: %s" % (
            kind or "equal", text), "%s; ours is %s" % (said, value))
    said = gdbmi.record(r'1^done,a="x\"\303\251\\n",b=[{c="1",d=[]},{c="2"}],'
                        r'e=[f={g="3"}]')
    tap.ok(said == ("done", {"a": 'x"\xc3\xa9\\n', "b": [
        {"c": "1", "d": []}, {"c": "2"}], "e": [{"g": "3"}]}),
           "a record of the machine interface is read", said)
    tap.leave()


if __name__ == "__main__":
    main()
