#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
traps: where other adapters of the Debug Adapter Protocol stumble.

  traps.py [TRAP...]
"""

import json
import os
import re
import sys
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE] + [os.path.join(os.path.dirname(HERE), folder)
                         for folder in ("victims", "serve", "gdb", "capture")]

import answers  # noqa: E402

import build   # noqa: E402
import client  # noqa: E402
import kit     # noqa: E402
import live    # noqa: E402
import served  # noqa: E402
import shown   # noqa: E402
import values  # noqa: E402

from answers import expect  # noqa: E402

TRAPS = {}
MANY = int(os.environ.get("DAP_VARIABLES", "200000"))   # that are opened
MEMORY = 64 << 20       # bytes that they may cost


def trap(function):
    TRAPS[function.__name__] = function
    return function


class Shop:
    def __init__(self):
        self.inquest = kit.need_inquest()
        self.paths = {}

    def path(self, name):
        if name not in self.paths:
            self.paths[name] = values.snapshot_of(self.inquest, name)
        return self.paths[name]

    def series(self):
        """Three snapshots of one process that waits."""
        directory = kit.own_dir("series")
        for name in os.listdir(directory):
            os.unlink(os.path.join(directory, name))
        with live.running(build.ensure("waiting")) as process:
            result = kit.run([self.inquest, "capture", *kit.UNHURRIED,
                              str(process.pid), "--series", "3", "--every", "20ms", "-o",
                              "m.snap"], cwd=directory)
        if result.status:
            raise answers.Wrong(str(result))
        return [os.path.join(directory, "m.000%d.snap" % k)
                for k in (1, 2, 3)]

    @staticmethod
    def session_on(path, **attach):
        return shown.session(path, **attach)

    def session(self, name="spoken", _hello=None, **attach):
        return shown.session(self.path(name), _hello, **attach)

    def door(self, name="spoken"):
        return client.Stdio(shown.argv_of(self.path(name)), env={
            **os.environ, "INQUEST_CACHE": kit.work_dir("values.cache")})


def top(c):
    """(thread, first frame)"""
    tid = c.body("threads")["threads"][0]["id"]
    return tid, c.stack(tid, levels=1)[0]["id"]


# ---- 1, 10: numbers and schemas: client.py looks at every message ----------------

@trap
def numbers_rise(shop):
    with shop.session() as c:
        for _ in range(20):
            c.body("threads")
        expect([m["seq"] for m in c.messages] ==
               list(range(1, len(c.messages) + 1)), "seq")


# ---- 2: what is no request ---------------------------------------------------------

BROKEN = (b"{", b"[]", b"null", b"7", b'"x"', b"\xff\xfe", b'{"seq":1,"seq":2}',
          b'{"type":"request","command":"threads"}',
          b'{"seq":-1,"type":"request","command":"threads"}',
          b'{"seq":"1","type":"request","command":"threads"}',
          b'{"seq":1,"type":"request"}',
          b'{"seq":1,"type":"request","command":7}',
          b'{"seq":1,"type":"request","command":"threads","arguments":7}',
          b'{"seq":1,"type":"request","command":"\\ud800"}',
          b'{"seq":1,"type":"answer","command":"threads"}',
          b"[" * 100 + b"]" * 100, b'{"a":' * 40 + b"1" + b"}" * 40)
ILL = (("stackTrace", {"threadId": "x"}), ("stackTrace", {"threadId": -1}),
       ("stackTrace", {}), ("scopes", {"frameId": 1.5}),
       ("scopes", {"frameId": 1 << 40}), ("variables", {}),
       ("variables", {"variablesReference": -1}),
       ("variables", {"variablesReference": 1, "count": -1}),
       ("variables", {"variablesReference": 0}),
       ("evaluate", {}), ("evaluate", {"expression": 7}),
       ("readMemory", {"memoryReference": 7, "count": 1}),
       ("readMemory", {"memoryReference": "0x10", "count": -1}),
       ("disassemble", {"memoryReference": "0x10", "instructionCount": -1}),
       ("disassemble", {"memoryReference": "0x10",
                        "instructionCount": 1 << 31}),
       ("setVariable", {"variablesReference": 1}), ("source", {}),
       ("exceptionInfo", {"threadId": []}), ("nothing", {}), ("", {}))


@trap
def nonsense_is_refused(shop):
    with shop.session() as c:
        for text in BROKEN:
            before = len(c.messages)
            c.raw(text)
            c.body("threads")
            said = [m for m in c.messages[before:] if
                    m["type"] == "response" and not m["success"]]
            expect(len(said) == 1, text, said)
            c.answers.clear()
        for command, arguments in ILL:
            expect(c.wild(command, **arguments), command, arguments)
        c.body("threads")


@trap
def a_lost_stream_is_closed(shop):
    for start in (b"Content-Length: 100000000\r\n\r\n{}",
                  b"Content-Length: -1\r\n\r\n", b"Content-Length: x\r\n\r\n",
                  b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}",
                  b"x" * 5000, b"\r\n\r\n", b"Content-Length: 0\r\n\r\n"):
        door = shop.door()
        try:
            door.write(start)
        except BrokenPipeError:
            pass
        heard = b""
        while True:
            data = door.read()
            if not data:
                break
            heard += data
        status, _ = door.close()
        expect(status >= 0, start, "ended it by signal", -status)
        expect(b"success\":true" not in heard, start, heard)


@trap
def a_stream_in_pieces(shop):
    """Bytes come one by one, and several messages at once."""
    door = shop.door()
    c = client.Client(door)
    texts = [json.dumps({"seq": k + 1, "type": "request", "command": command,
                         "arguments": arguments}).encode()
             for k, (command, arguments) in enumerate((
                 ("initialize", client.HELLO), ("attach", {}),
                 ("configurationDone", {}), ("threads", {})))]
    data = b"".join(b"Content-Length: %d\r\n\r\n" % len(t) + t for t in texts)
    for k in range(80):
        door.write(data[k:k + 1])
    door.write(data[80:])
    expect(c.answer(4)["success"], "threads")
    c.seq = 4
    c.end()
    expect(not c.faults, c.faults)


@trap
def a_client_may_count_from_0(shop):
    """As nvim-dap does."""
    c = client.Client(shop.door(), strict=False)
    c.seq = -1
    for command, arguments in (("initialize", client.HELLO), ("attach", {}),
                               ("configurationDone", {}), ("threads", {})):
        expect(c.ask(command, arguments)["success"], command)
    c.end()
    expect(not c.faults, c.faults)


# ---- 3: it does not run --------------------------------------------------------------

@trap
def it_does_not_run(shop):
    with shop.session() as c:
        tid, _ = top(c)
        for command in ("continue", "next", "stepIn", "stepOut"):
            said = c.refusal(command, threadId=tid)
            expect(said.word == "postMortem" and
                   re.fullmatch(r"[^{}\n]*snapshot of [^{}\n]*", said.text),
                   said)
        expect(c.body("threads")["threads"][0]["id"] == tid, "threads")
        expect(c.stack(tid), "stackTrace")
        expect(not c.taken("continued"), "it said that it runs")


@trap
def who_shows_the_message_gets_the_sentence(shop):
    """dape shows nothing else; nvim-dap neither, where it is no notice."""
    for name in ("dape", "neovim"):
        with shop.session(_hello={"clientID": name}) as c:
            tid, frame = top(c)
            for command, more in (("next", {"threadId": tid}), ("evaluate", {
                    "expression": "nowhere", "frameId": frame})):
                said = c.refusal(command, more)
                expect(said and said.word == said.text, said)


# ---- 4: back in time -------------------------------------------------------------------

@trap
def no_series_no_step_back(shop):
    with shop.session() as c:
        expect("supportsStepBack" not in c.capabilities or
               c.capabilities["supportsStepBack"] is False, c.capabilities)
        for command in ("stepBack", "reverseContinue"):
            expect(c.refusal(command, threadId=top(c)[0]), command)
        expect(not c.taken("capabilities"), "a series was announced")


@trap
def back_and_forth_in_a_series(shop):
    first, _, last = shop.series()
    with shop.session_on(first) as c:
        c.event("capabilities")
        tid, frame = top(c)
        reference = next(s["variablesReference"] for s in c.scopes(
            frame).values())
        expect(c.refusal("stepBack", threadId=tid), "before the first one")
        stops = []
        for command in ("next", "continue", "stepBack", "reverseContinue",
                        "next"):
            c.body(command, threadId=tid)
            body = c.event("stopped")
            expect(body["reason"] == "step" and body["allThreadsStopped"],
                   body)
            stops.append(body.get("description", "") + body.get("text", ""))
            tid = body["threadId"]
            c.stack(tid)
        at = [re.match(r"snapshot (\d) of 3", s)[1] for s in stops]
        expect("".join(at) == "23212", stops)
        series = c.body("inquest/series")
        expect(series["total"] == 3 and series["at"] == 1 and
               [s["shown"] for s in series["snapshots"]] ==
               [False, True, False], series)
        expect(not c.taken("stopped"), "it stopped twice")
        old = c.ask("variables", variablesReference=reference)
        now = [s["variablesReference"] for s in c.scopes(
            c.stack(tid, levels=1)[0]["id"]).values()]
        expect(not old["success"] or reference in now, reference, old)
    with shop.session_on(last) as c:
        c.event("capabilities")
        tid, _ = top(c)
        for command in ("next", "continue"):
            refused = c.refusal(command, threadId=tid)
            expect(refused and "last" in refused.text, refused)
        c.body("stepBack", threadId=tid)
        c.event("stopped")


# ---- 5: ids and addresses ----------------------------------------------------------------

@trap
def ids_stay_small(shop):
    """Of a million variables; memory has a bound, too."""
    with shop.session() as c:
        _, frame = top(c)
        expect(c.evaluate("big", frameId=frame)["result"] ==
               "9007199254740993", "2^53 + 1")
        high = c.evaluate("high", frameId=frame)
        expect(high["memoryReference"] == "0xffffffff81000001", high)
        c.judge = Careless()
        many, evens = (c.evaluate(e, frameId=frame)["variablesReference"]
                       for e in ("pairs", "(pairs)"))
        opened, seen, before = 0, [], resident(c)
        while opened < MANY:
            page = c.variables(many if len(seen) % 2 else evens, start=0,
                               count=10000)
            opened += len(page)
            seen.append(page[-1]["variablesReference"])
        expect(0 < min(seen) and max(seen) < 1 << 31, seen)
        expect(resident(c) < before + MEMORY, "memory grew by",
               resident(c) - before)
        del c.judge


def resident(c):
    """Bytes of all processes that a client speaks to."""
    pids, total = [c.door.process.pid], 0
    while pids:
        pid = pids.pop()
        pids += kit.children(pid)
        total += served.resident(pid)
    return total


class Careless:
    """Takes every message as it is: for many of them."""

    @staticmethod
    def faults(message):
        return []
@trap
def stale_ids_are_refused(shop):
    """One of before is nobody's, and never another's."""
    with shop.session() as c:
        _, frame = top(c)
        first = c.evaluate("pairs", frameId=frame)["variablesReference"]
        was = c.variables(first, start=0, count=1)
        c.judge = Careless()
        for _ in range(8):
            for name in ("thousand", "many", "pairs"):
                c.variables(c.evaluate(name, frameId=frame)[
                    "variablesReference"], start=0, count=10000)
        del c.judge
        answer = c.ask("variables", variablesReference=first, start=0,
                       count=1)
        expect(not answer["success"] or [v["value"] for v in answer["body"][
            "variables"]] == [v["value"] for v in was], answer)


# ---- 6, 7: children by pages --------------------------------------------------------------

@trap
def ten_thousand_children(shop):
    with shop.session() as c:
        _, frame = top(c)
        many = c.evaluate("many", frameId=frame)
        expect(many["indexedVariables"] == 10000, many)
        found, reference, pages = [], many["variablesReference"], 0
        while reference:
            page = c.variables(reference)
            expect(len(page) <= 501, len(page))
            more = page[-1] if page[-1]["name"].startswith("…") else None
            found += page[:-1] if more else page
            if more:
                left = 10000 - len(found)
                expect(str(left) in more["name"].replace(" ", ""), more)
            reference = more["variablesReference"] if more else 0
            pages += 1
        expect([v["value"] for v in found] == [str(k) for k in range(10000)],
               len(found))
        expect(pages == 20, pages)
        whole = c.variables(many["variablesReference"], start=0,
                            count=1000000)
        expect(len(whole) == 10000, len(whole))


@trap
def arrays_say_how_many(shop):
    with shop.session() as c:
        _, frame = top(c)
        for scope in ("Arguments", "Locals"):
            reference = c.scopes(frame)[scope]["variablesReference"]
            for v in c.all_variables(reference):
                is_array = v.get("type", "").endswith("]")
                expect(not is_array or "indexedVariables" in v, v)
                expect(is_array or "indexedVariables" not in v, v)


# ---- 8: the one stop -------------------------------------------------------------------------

@trap
def configuration_may_come_first(shop):
    for order in (("configurationDone", "attach"),
                  ("configurationDone", "configurationDone", "attach"),
                  ("attach", "configurationDone", "configurationDone")):
        c = client.Client(shop.door())
        c.body("initialize", client.HELLO)
        seqs = [c.request(command) for command in order]
        for seq in seqs:
            expect(c.answer(seq)["success"], order)
        c.event("stopped")
        c.body("threads")
        expect(not c.taken("stopped"), order, "it stopped twice")
        at = [m.get("event") or m["request_seq"] for m in c.messages]
        expect(at.index("stopped") > max(at.index(s) for s in (
            seqs[order.index("attach")],
            seqs[order.index("configurationDone")])), at)
        c.end()
        expect(not c.faults, c.faults)


# ---- 11: strings, numbers, lines ----------------------------------------------------------------

@trap
def hostile_strings(shop):
    with shop.session() as c:
        _, frame = top(c)
        evil = c.evaluate("evil", frameId=frame, context="clipboard")
        expect(r"a\377\033[2J\000b" in evil["result"], evil)
        odd = c.evaluate("odd", frameId=frame)["result"]
        expect(re.fullmatch(r"\{-?nan.*, inf, -inf, -0\}", odd), odd)
        for text in ("\"\\u0000\"", "n\u0085", "\x1b[2J", "'\U0001f600'",
                     "{", "%s%n", "a" * 100000):
            said = c.ask("evaluate", expression=text, frameId=frame)
            expect("body" in said, said)
        said = c.refusal("evaluate", expression="{name}", frameId=frame)
        expect(said, "braces")


@trap
def lines_and_columns_from_0(shop):
    with shop.session() as c:
        one = c.stack(top(c)[0], levels=3)
    with shop.session(_hello={"linesStartAt1": False,
                              "columnsStartAt1": False}) as c:
        other = c.stack(top(c)[0], levels=3)
    for a, b in zip(one, other):
        expect(a["line"] == b["line"] + 1, a, b)
        expect(a["column"] in (0, b["column"] + 1), a, b)


@trap
def paths_are_uris(shop):
    with shop.session(_hello={"pathFormat": "uri"}) as c:
        source = c.stack(top(c)[0], levels=1)[0]["source"]
        expect(source["path"].startswith("file:///"), source)
    with shop.session(sourceMap=[["/", "/a b/ü/"]], _hello={
            "pathFormat": "uri"}) as c:
        source = c.stack(top(c)[0], levels=1)[0]["source"]
        expect(source["path"].startswith("file:///a%20b/%C3%BC/"), source)


@trap
def sources_are_mapped(shop):
    """The longest prefix wins."""
    directory = os.path.dirname(build.source("spoken.c"))
    with shop.session(sourceMap=[["/", "/wrong/"], [directory, "/here"]]) \
            as c:
        source = c.stack(top(c)[0], levels=1)[0]["source"]
        expect(source["path"] == "/here/spoken.c", source)


@trap
def what_no_client_finds_is_not_emphasized(shop):
    """VS Code begins with the first frame whose source is not."""
    directory = os.path.dirname(build.source("spoken.c"))
    for place, hint in (("./here", "deemphasize"), ("/here", None),
                        ("C:/here", None)):
        with shop.session(sourceMap=[[directory, place]]) as c:
            frame = c.stack(top(c)[0], levels=1)[0]
            expect(frame["source"]["path"] == place + "/spoken.c" and
                   frame["source"].get("presentationHint") == hint and
                   "presentationHint" not in frame, frame)


# ---- 12: a far client -------------------------------------------------------------------------------

@trap
def no_path_of_the_server_is_read(shop):
    with shop.session() as c:
        said = c.wild("source", source={"path": "/etc/hostname"},
                      sourceReference=0)
        expect(said, "source")
        said = c.wild("source", source={"path": "/etc/hostname",
                                        "sourceReference": 0})
        expect(said, "source without a reference")


# ---- 13: after a reconnect -----------------------------------------------------------------------------

@trap
def a_place_is_found_again(shop):
    found = []
    for _ in range(2):
        with shop.session() as c:
            tid = c.body("threads")["threads"][0]["id"]
            frame = c.stack(tid, startFrame=3, levels=1)[0]["id"]
            found.append(c.evaluate("n->next->name", frameId=frame))
            expect(c.refusal("scopes", frameId=999), "a frame of nowhere")
    expect(found[0]["result"] == found[1]["result"], found)


# ---- 15: what is missing -----------------------------------------------------------------------------------

@trap
def what_is_missing_is_said(shop):
    with shop.session("cut") as c:
        said = "".join(b["output"] for b in c.taken("output"))
        expect("truncated" in said, "output:", said)
        missing = c.body("inquest/overview")["missing"]
        expect("truncated" in json.dumps(missing), missing)
    with shop.session("filtered") as c:
        tid = c.body("threads")["threads"][0]["id"]
        sp = c.evaluate("$sp", frameId=c.stack(tid, levels=1)[0]["id"])
        got = c.body("readMemory", memoryReference=sp["memoryReference"],
                     count=16)
        expect("data" not in got and got["unreadableBytes"] == 16, got)
        got = c.evaluate("*(long *)$sp", frameId=top(c)[1])
        expect(got["result"] == "<not captured>", got)
        got = c.evaluate("*(long *)16", frameId=top(c)[1])
        expect(got["result"] == "<not mapped>", got)


# ---- 16: disassembly ------------------------------------------------------------------------------------------

@trap
def exactly_as_many_instructions(shop):
    with shop.session() as c:
        at = c.stack(top(c)[0], levels=1)[0]["instructionPointerReference"]
        for address in ("0x0", "0x1", "0xffffffffffffffff",
                        "0xfffffffffffffff0", "0x7fffffff0000", at):
            for offset in (-20, 0, 20, 4096, -4096):
                got = c.body("disassemble", memoryReference=address,
                             instructionOffset=offset,
                             instructionCount=30)["instructions"]
                expect(len(got) == 30, address, offset, len(got))
        got = c.body("disassemble", memoryReference="0x0",
                     instructionCount=2)["instructions"]
        expect(all(i["presentationHint"] == "invalid" for i in got), got)


# ---- 17: cancel ------------------------------------------------------------------------------------------------

@trap
def cancel_ends_a_search(shop):
    with shop.session("thousand") as c:
        began = time.monotonic()
        search = c.request("inquest/search", bytes="00", count=10000000)
        c.request("cancel", requestId=search)
        answer = c.answer(search)
        if answer["success"]:
            return          # it was that quick
        expect(answer["message"] == "cancelled", answer)
        expect(time.monotonic() - began < 5, "that took long")
        c.body("threads")
        begun = [e["progressId"] for e in c.taken("progressStart")]
        ended = [e["progressId"] for e in c.taken("progressEnd")]
        expect(begun == ended, begun, ended)


# ---- all of them ------------------------------------------------------------------------------------------------

def judge(tap, name, function, shop):
    try:
        function(shop)
        why = ""
    except (answers.Wrong, client.Refused, EOFError, KeyError, IndexError,
            StopIteration, ValueError, TypeError, OSError,
            shown.Failure) as error:
        why = "%s: %s" % (type(error).__name__, error)
    tap.ok(not why, name.replace("_", " "), why)


def main():
    kit.need_tool("gcc")
    shop, tap = Shop(), kit.Tap()
    for name in sys.argv[1:] or TRAPS:
        judge(tap, name, TRAPS[name], shop)
    tap.leave()


if __name__ == "__main__":
    main()
