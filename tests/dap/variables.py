#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
variables: what a person opens, evaluates, writes and completes in the process
of variables.cc, pictured while it waits.

  variables.py [ROW...]
"""

import base64
import os
import subprocess
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "victims")]

import client  # noqa: E402
import kit     # noqa: E402
import shown   # noqa: E402

MORE = "… %d more"
EVALUATIONS = 20000
GROWTH = 24 << 20       # bytes that they may cost
ROWS = {}


def row(function):
    ROWS[function.__name__] = function
    return function


class Wrong(Exception):
    """An answer is not what it has to be."""


def expect(what, *why):
    if not what:
        raise Wrong(" ".join(map(str, why)))


def picture(inquest):
    """A snapshot of all its memory."""
    place = kit.own_dir()
    program, path = (os.path.join(place, name)
                     for name in ("variables", "variables.snap"))
    subprocess.run(["g++", "-std=c++17", "-g", "-O0", "-w", "-o", program,
                    os.path.join(HERE, "variables.cc")], check=True)
    if os.path.exists(path):
        os.unlink(path)
    with subprocess.Popen([program], stdout=subprocess.PIPE) as process:
        try:
            process.stdout.readline()
            result = kit.run([inquest, "capture", "-m", "full", "-o", path,
                              str(process.pid)])
        finally:
            process.kill()
    if result.status:
        kit.Tap.skip_all("no picture of a process is taken here: %s" % result)
    return path


class Shop:
    """The session, and the frames of interest."""

    def __init__(self, c):
        self.c = c
        frames = c.stack(c.stopped["threadId"])
        self.area, self.main = (
            next(f["id"] for f in frames if f["name"].startswith(name))
            for name in ("Circle::area", "main"))

    def local(self, name, frame=None, scope="Locals"):
        scopes = self.c.scopes(frame or self.main)
        return next(v for v in self.c.variables(
            scopes[scope]["variablesReference"]) if v["name"] == name)

    def inside(self, *names, frame=None, **more):
        """What is in a local, in what is in it, and so on."""
        found = self.local(names[0], frame)
        for name in names[1:]:
            found = next(v for v in self.c.variables(
                found["variablesReference"]) if v["name"] == name)
        return self.c.variables(found["variablesReference"], **more)

    def evaluate(self, text, **more):
        return self.c.evaluate(text, frameId=self.main, **more)

    def result(self, text, **more):
        return self.evaluate(text, **more)["result"]

    def write(self, reference, name, value, **more):
        return self.c.body("setVariable", variablesReference=reference,
                           name=name, value=value, **more)


# ---- what is inside --------------------------------------------------------------

def walk(shop, frame, reference, depth, seen):
    rows = shop.c.variables(reference)
    names = [v["name"] for v in rows]
    expect(len(set(names)) == len(names), "twice:", names)
    for v in rows:
        seen.append(v)
        if "evaluateName" in v:
            got = shop.c.evaluate(v["evaluateName"], frameId=frame,
                                  context="variables")
            # A base that is asked for is told to be a part of an object.
            expect((got["result"][:900], got["type"].partition(" {")[0],
                    got.get("memoryReference")) ==
                   (v["value"][:900], v["type"].partition(" {")[0],
                    v.get("memoryReference")), v, got)
        if v["variablesReference"] and depth:
            walk(shop, frame, v["variablesReference"], depth - 1, seen)


@row
def names_are_unique_and_yield_the_same(shop):
    seen = []
    for frame in (shop.area, shop.main):
        for scope in shop.c.scopes(frame).values():
            if not scope["expensive"]:
                walk(shop, frame, scope["variablesReference"], 2, seen)
    named = sum("evaluateName" in v for v in seen)
    expect(named > 0.97 * len(seen), named, "of", len(seen))


@row
def what_is_hidden_carries_its_line(shop):
    with open(os.path.join(HERE, "variables.cc"), encoding="utf-8") as f:
        lines = f.read().splitlines()
    outer = next(n for n, text in enumerate(lines, 1)
                 if "int value = 1;" in text)
    hidden = shop.local("value@%d" % outer)
    expect(hidden["value"] == "1" and shop.result("value") == "100", hidden)
    expect(shop.result(hidden["evaluateName"]) == "1", hidden)
    expect(shop.result("::hidden") == "17", "::hidden")


@row
def arrays_of_any_size_open_at_once(shop):
    huge = shop.inside("huge")[0]
    expect(huge["indexedVariables"] == 10 ** 9, huge)
    adapter = shop.c.door.process.pid
    began = kit.processor_seconds(adapter)
    rows = shop.c.variables(huge["variablesReference"])
    took = kit.processor_seconds(adapter) - began
    expect(0 < took < 0.5, took)
    expect([v["value"] for v in rows[:3]] == ["0", "1", "2"], rows[:3])
    expect(rows[500]["name"] == MORE % (10 ** 9 - 500), rows[500])
    rows = shop.c.variables(huge["variablesReference"], count=20000)
    expect(len(rows) == 10001 and rows[-1]["name"] == "… 999990000 more",
           rows[-1])
    page = shop.c.variables(huge["variablesReference"], start=9990, count=4,
                            filter="indexed")
    expect([(v["name"], v["value"]) for v in page] ==
           [("[%d]" % k, str(k)) for k in range(9990, 9994)], page)
    end = shop.c.variables(huge["variablesReference"], start=10 ** 9 - 2,
                           count=100)
    expect([v["name"] for v in end] == ["[999999998]", "[999999999]"], end)
    expect(end[0]["value"] in ("<not mapped>", "<not captured>"), end)


@row
def the_rest_is_behind_one_row(shop):
    table = shop.evaluate("table")
    reference, seen = table["variablesReference"], []
    while reference:
        rows = shop.c.variables(reference)
        reference = 0
        if rows[-1]["name"].startswith("…"):
            more = rows.pop()
            reference = more["variablesReference"]
            expect(len(rows) == 500, len(rows))
            expect(more["name"] == MORE % more["indexedVariables"], more)
        seen += rows
    expect([int(v["value"]) for v in seen] == list(range(10000)), len(seen))
    reference = table["variablesReference"]
    rows = shop.c.variables(reference, count=10000)
    expect([v["value"] for v in rows] == [v["value"] for v in seen], len(rows))
    expect(len(shop.c.variables(reference, count=50000)) == 10000, "count")
    expect(not shop.c.variables(reference, filter="named"), "named")
    more = shop.c.variables(reference)[500]
    rows = shop.c.variables(more["variablesReference"], start=10, count=2)
    expect([v["value"] for v in rows] == ["510", "511"], rows)


@row
def containers_are_what_they_hold(shop):
    numbers = shop.local("numbers")
    expect(numbers["indexedVariables"] == 1200, numbers)
    rows = shop.inside("numbers", start=1199, count=5)
    expect([v["value"] for v in rows] == [str(1199 ** 2)], rows)
    ages = shop.inside("ages")
    expect([(v["name"], v["value"]) for v in ages] ==
           [('["ann"]', "30"), ('["bob"]', "40")], ages)
    expect(shop.local("ages")["indexedVariables"] == 2, "ages")
    expect([v["value"] for v in shop.inside("places", "[8]")] == ["3", "4"],
           "places")
    expect([v["value"] for v in shop.inside("set")] == ["1", "2", "3"], "set")
    expect(shop.local("set")["indexedVariables"] == 3, "set")
    expect(shop.inside("owner", "get()")[1]["value"] == "6", "owner")
    expect(shop.inside("grid", "[2]")[3]["value"] == "23", "grid")


@row
def keys_that_come_again_have_their_place(shop):
    several = shop.local("several")["variablesReference"]
    wanted = [("[1]", "10"), ("[1]#1", "11"), ("[1]#2", "12"), ("[2]", "20")]
    for count in (4, 1):
        seen = [(v["name"], v["value"]) for k in range(0, 4, count)
                for v in shop.c.variables(several, start=k, count=count)]
        expect(seen == wanted, count, seen)
    shop.write(several, "[1]#2", "99")
    expect([v["value"] for v in shop.c.variables(several)] ==
           ["10", "11", "99", "20"], "set")
    shop.write(several, "[1]#2", "12")
    expect(shop.result("half") == "0.5", "half")
    shop.c.taken("memory")


@row
def objects_are_what_they_were_made_as(shop):
    shape = shop.local("shape")
    expect(shape["type"] == "Shape * {Circle *}", shape)
    radius = next(v for v in shop.inside("shape") if v["name"] == "radius")
    expect(radius["value"] == "9", radius)
    base = shop.inside("shape", "Shape")
    expect([v["name"] for v in base] == ["_vptr.Shape", "id"], base)
    expect(base[1]["value"] == "1", base)
    alias = shop.local("alias")
    expect(alias["type"] == "Shape & {Circle &}", alias)
    hidden = next(v for v in shop.inside("circle", "Named")
                  if v["name"] == "id")
    expect(hidden["value"] == "5", hidden)


@row
def absence_has_three_names(shop):
    wild = shop.inside("wild")
    expect(all(v["value"] == "<not mapped>" for v in wild), wild)
    huge = shop.evaluate("(*huge)[999999999]")
    expect(huge["result"] in ("<not mapped>", "<not captured>"), huge)


@row
def registers_are_those_of_the_frame(shop):
    def general(frame):
        scope = shop.c.scopes(frame)["Registers"]
        group = shop.c.variables(scope["variablesReference"])[0]
        return {v["name"]: v["value"] for v in
                shop.c.variables(group["variablesReference"])}
    inner, outer = general(shop.area), general(shop.main)
    expect(outer["rip"] != inner["rip"] and "main" in outer["rip"], outer)
    expect(outer["rax"] == "<not known: a call may have changed it>", outer)
    expect(outer["rsp"].startswith("0x"), outer)


@row
def texts_are_clean(shop):
    text = shop.local("text")
    expect(text["value"] == '"héllo \\"w\\\\orld\\"\\033[2J\\377"', text)
    expect(shop.local("words")["value"].endswith('"words"'), "words")


# ---- forms -------------------------------------------------------------------------

@row
def hex_is_hex(shop):
    names = ("first", "value", "color", "corner", "grid", "shape", "half",
             "words", "points", "wide", "first.high", "table", "text")
    for name in names:
        a = shop.evaluate("/x " + name)
        b = shop.evaluate(name, format={"hex": True})
        expect(a["result"] == b["result"] and a["type"] == b["type"], a, b)
    corner = shop.evaluate("/x corner")
    for rows in (shop.c.variables(corner["variablesReference"]),
                 shop.inside("corner", format={"hex": True})):
        expect([v["value"] for v in rows] == ["0xb", "0xc"], rows)


@row
def the_clipboard_has_all_of_it(shop):
    whole = "{%s}" % ", ".join(str(k * k) for k in range(1200))
    text = shop.result("numbers", context="clipboard")
    expect(text.endswith(whole), text[:200])
    expect(len(shop.result("numbers", context="hover")) < 1500, "hover")
    text = shop.result("*(int (*)[100000])table", context="clipboard")
    expect(text.endswith(" (cut at 64 KiB)") and len(text) > 65000,
           len(text), text[-40:])


@row
def a_console_tells_types(shop):
    expect(shop.result("shape", context="repl").startswith("("), "repl")
    expect(not shop.result("shape", context="watch").startswith("("), "watch")


@row
def a_pointer_says_where_it_leads(shop):
    for name, words in (("first.next", "main `last"), ("wild", "not mapped"),
                        ("&table[3]", "`table[3]`"),
                        ("words", '"words" → variables')):
        text = shop.result(name, context="hover")
        expect(" → " in text and words in text, text)
        expect("→" not in shop.result(name, context="watch"), name)
    expect("→" not in shop.result("value", context="hover"), "a number")
    expect(shop.result("last.next", context="hover") == "0x0", "null")


# ---- writing -------------------------------------------------------------------------

@row
def all_kinds_are_written(shop):
    locals_ = shop.c.scopes(shop.main)["Locals"]["variablesReference"]
    first = shop.local("first")["variablesReference"]
    numbers = shop.local("numbers")["variablesReference"]
    ages = shop.local("ages")["variablesReference"]
    rows = [(locals_, "half", "1.0 / 4", "half", "0.25"),
            (locals_, "wide", "half + 1", "wide", "1.25"),
            (locals_, "color", "RED", "color", "RED"),
            (locals_, "wild", "&last", "wild->value", "2"),
            (locals_, "corner", "*(Point *)&first", "corner.x", "1"),
            (first, "high", "17", "first.high", "17"),
            (first, "low", "-1", "first.low", "7"),
            (first, "on", "5", "first.on", "true"),
            (numbers, "[1199]", "-3", None, "-3"),
            (ages, '["bob"]', "41", None, "41")]
    for reference, name, value, text, now in rows:
        got = shop.write(reference, name, value)
        if text:
            expect(shop.result(text) == now, name, got, shop.result(text))
        else:
            expect(got["value"] == now, name, got)
    rows_now = shop.c.variables(numbers, start=1199, count=1)
    expect(rows_now[0]["value"] == "-3", rows_now)
    memory = shop.c.taken("memory")
    expect(len(memory) == len(rows) and all(m["count"] for m in memory),
           memory)
    expect(all(e["areas"] == ["variables"]
               for e in shop.c.taken("invalidated")), "invalidated")
    low = shop.local("first")["value"]
    expect("low = 7, high = 17, on = true" in low, low)


@row
def what_cannot_be_written_is_refused(shop):
    locals_ = shop.c.scopes(shop.main)["Locals"]["variablesReference"]
    for name, value in (("grid", "1"), ("text", '"x"'), ("nothing", "1"),
                        ("value", "1 +"), ("value", "corner")):
        expect(shop.c.refusal("setVariable", variablesReference=locals_,
                              name=name, value=value), name, value)
    for left in ("1 + 1", "*(int *)0", "$rip + 1", "sizeof(int)"):
        expect(shop.c.refusal("setExpression", expression=left, value="1",
                              frameId=shop.main), left)
    expect(not shop.c.taken("memory"), "memory")


@row
def memory_is_what_values_are(shop):
    where = shop.evaluate("table")["memoryReference"]
    got = shop.c.body("readMemory", memoryReference=where, offset=40, count=8)
    expect(base64.b64decode(got["data"]) == b"\x0a\0\0\0\x0b\0\0\0", got)
    shop.c.body("writeMemory", memoryReference=where, offset=-4 + 44,
                data=base64.b64encode(b"\xff\xff\xff\xff").decode())
    expect(shop.result("table[10]") == "-1", shop.result("table[10]"))
    before = shop.c.body("readMemory", memoryReference="0x0", count=16)
    expect(before == {"address": "0x0", "unreadableBytes": 16}, before)
    expect(shop.c.refusal("readMemory", memoryReference="0x0", offset=-1,
                          count=1), "wraps")
    expect(shop.c.refusal("writeMemory", memoryReference="0x10",
                          data="AAAA"), "not mapped")


# ---- completions ---------------------------------------------------------------------

@row
def names_are_completed(shop):
    def labels(text, frame=shop.main, **more):
        column = more.pop("column", len(text) + 1)
        got = shop.c.body("completions", text=text, column=column,
                          frameId=frame, **more)["targets"]
        return [t["label"] for t in got]
    expect(labels("fi") == ["first"], labels("fi"))
    expect(labels("first.next->") == ["value", "next", "low", "high", "on"],
           labels("first.next->"))
    expect("radius" in labels("shape->ra"), labels("shape->ra"))
    expect("deep" in labels("circle.de"), labels("circle.de"))
    expect("radius" in labels("rad", frame=shop.area), "members of this")
    expect("rip" in labels("1 + $ri"), labels("1 + $ri"))
    expect("space::counter" in labels("space::c"), labels("space::c"))
    got = shop.c.body("completions", text="'\U0001f600' + fir", column=11,
                      frameId=shop.main)["targets"]
    expect([(t["label"], t["start"], t["length"]) for t in got] ==
           [("first", 8, 3)], got)


# ---- bounds --------------------------------------------------------------------------

def resident(pid):
    with open("/proc/%d/statm" % pid, encoding="ascii") as f:
        return int(f.read().split()[1]) * os.sysconf("SC_PAGESIZE")


@row
def a_restless_client_costs_no_memory(shop):
    speaker = shop.c.door.process.pid
    process = max([speaker, *kit.children(speaker)], key=resident)
    kept = shop.evaluate("first")["variablesReference"]
    before, ids = 0, set()
    for k in range(EVALUATIONS):
        got = shop.c.body("evaluate", expression="&table[%d]" % (k % 10000)
                          if k % 2 else "first", frameId=shop.main)
        ids.add(got["variablesReference"])
        if k == EVALUATIONS // 10:
            before = resident(process)
    # A sanitizer keeps what was freed.
    expect(resident(process) - before < GROWTH
           or kit.is_sanitized("/proc/%d/exe" % process), before,
           resident(process))
    expect(max(ids) < 2 ** 30, max(ids))
    expect(shop.evaluate("first")["variablesReference"] == kept, "first")
    expect(len(shop.c.variables(kept)) == 5, "its members")


# ---- all of them ---------------------------------------------------------------------

def judge(tap, name, function, shop):
    shop.c.faults = []
    try:
        function(shop)
        why = "\n".join(shop.c.faults)
    except (Wrong, client.Refused, EOFError, KeyError, IndexError,
            StopIteration, ValueError) as error:
        why = "%s: %s" % (type(error).__name__, error)
    tap.ok(not why, name.replace("_", " "), why)


def main():
    inquest = kit.need_inquest()
    kit.need_tool("g++")
    tap = kit.Tap()
    with shown.session(picture(inquest)) as c:
        shop = Shop(c)
        for name in sys.argv[1:] or ROWS:
            judge(tap, name, ROWS[name], shop)
        c.faults = []
    tap.leave()


if __name__ == "__main__":
    main()
