#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
answers: each request that a client may send is answered as it has to be, over the
snapshot of a crash whose values a protocol of text finds hard; and every
message is valid.

  answers.py [ROW...]
"""

import base64
import os
import re
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "victims")]

import build   # noqa: E402
import client  # noqa: E402
import kit     # noqa: E402
import shown   # noqa: E402
import values  # noqa: E402

FRAMES = 45
ROWS = {}
# What must be said of a request by "initialize", and all that may be true.
CAPABILITIES = {
    "supportsConfigurationDoneRequest": "configurationDone",
    "supportsDelayedStackTraceLoading": "stackTrace",
    "supportsExceptionInfoRequest": "exceptionInfo",
    "supportsEvaluateForHovers": "evaluate",
    "supportsClipboardContext": "evaluate",
    "supportsValueFormattingOptions": "variables",
    "supportsReadMemoryRequest": "readMemory",
    "supportsDisassembleRequest": "disassemble",
    "supportsModulesRequest": "modules",
    "supportsLoadedSourcesRequest": "loadedSources",
    "supportsCancelRequest": "cancel",
    "supportsCompletionsRequest": "completions",
    "supportsSetVariable": "setVariable",
    "supportsSetExpression": "setExpression",
    "supportsWriteMemoryRequest": "writeMemory",
}
# They would run, or change what does not run.
REFUSED = ("continue", "next", "stepIn", "stepOut", "stepBack",
           "reverseContinue", "pause", "restart", "goto", "gotoTargets",
           "restartFrame", "dataBreakpointInfo", "terminateThreads")
ARGUMENTS = {"goto": {"targetId": 1}, "gotoTargets": {"source": {}, "line": 1},
             "restartFrame": {"frameId": 1},
             "dataBreakpointInfo": {"name": "n"}}


def row(function):
    ROWS[function.__name__] = function
    return function


class Wrong(Exception):
    """What is not as it should be."""


def expect(passed, *what):
    if not passed:
        raise Wrong(" ".join(map(str, what)))


class Shop:
    """A session, and what all rows look at."""

    def __init__(self, c, made):
        self.c, self.made = c, made
        self.threads = c.body("threads")["threads"]
        self.tid = self.threads[0]["id"]
        self.stack = c.stack(self.tid, startFrame=0, levels=100)
        self.top = self.stack[0]["id"]

    def local(self, name):
        rows = self.c.variables(
            self.c.scopes(self.top)["Locals"]["variablesReference"])
        return next(r for r in rows if r["name"] == name)

    def frames(self):
        """Without the rows that stand for several."""
        return [f for f in self.stack if f.get("presentationHint") != "label"]


# ---- the session -------------------------------------------------------------

@row
def initialize(shop):
    said = {k for k, v in shop.c.capabilities.items() if v is True}
    expect(said == set(CAPABILITIES), "of capabilities differ",
           sorted(said ^ set(CAPABILITIES)))
    columns = shop.c.capabilities.get("additionalModuleColumns", [])
    expect([c["attributeName"] for c in columns] == ["buildId"], columns)
    ours = shop.c.capabilities["inquest"]
    expect("inquest/overview" in ours["requests"], ours)
    for command in {*CAPABILITIES.values(), *ours["requests"]}:
        refused = shop.c.wild(command)
        expect(not refused or "there is no request" not in refused.text,
               command, "is announced and not there")
    expect(shop.c.refusal("initialize", client.HELLO), "it comes twice")


@row
def attach(shop):
    expect(shop.c.refusal("attach"), "it comes twice")
    with shown.session(values.snapshot_of(kit.need_inquest(), "spoken"),
                       thread=shop.threads[2]["id"]) as c:
        expect(c.stopped["threadId"] == shop.threads[2]["id"], c.stopped)


@row
def launch(shop):
    refused = shop.c.refusal("launch")
    expect(refused and "attach" in refused.text, refused)


@row
def stopped(shop):
    body = shop.c.stopped
    expect(body["reason"] == "exception" and body["allThreadsStopped"] and
           body["threadId"] == shop.tid, body)
    expect("SIGSEGV" in body["description"], body)
    expect(body.get("text"), "no text:", body)
    expect(not shop.c.taken("stopped"), "it stopped twice")


@row
def output(shop):
    """A note of what happened came before the stop."""
    order = [m["event"] for m in shop.c.messages if m["type"] == "event"]
    expect("output" in order[:order.index("stopped")], order)


@row
def cancel(shop):
    shop.c.body("cancel", requestId=1)
    shop.c.body("cancel", progressId="nothing")


@row
def breakpoints(shop):
    c = shop.c
    for command, arguments, n in (
            ("setBreakpoints", {"source": {"path": "/a.c"}, "breakpoints":
                                [{"line": 3}, {"line": 4}]}, 2),
            ("setFunctionBreakpoints", {"breakpoints": [{"name": "f"}]}, 1),
            ("setExceptionBreakpoints", {"filters": []}, 0)):
        got = c.body(command, arguments)["breakpoints"]
        expect(len(got) == n and not any(b["verified"] for b in got),
               command, got)


@row
def refused(shop):
    for command in REFUSED:
        said = shop.c.refusal(command, threadId=shop.tid,
                              **ARGUMENTS.get(command, {}))
        expect(said and said.word != "notSupported", command, said)
        expect(re.search(r"snapshot", said.text), said.text)
    expect(shop.c.body("threads")["threads"] == shop.threads, "threads went")
    expect(shop.c.stack(shop.tid, levels=100) == shop.stack, "frames went")


# ---- threads and stacks ------------------------------------------------------

@row
def threads(shop):
    names = [t["name"] for t in shop.threads]
    expect(len(names) == 4, names)
    expect(names[0] == "spoken [%d] SIGSEGV" % shop.tid, names)
    expect(names[1] == "spoken [%d]" % shop.threads[1]["id"], names)


@row
def stack_trace(shop):
    whole = shop.c.body("stackTrace", threadId=shop.tid)
    frames = shop.frames()
    expect([f["name"] for f in frames][:2] == ["deref", "descend"], frames)
    expect(len(frames) >= FRAMES, len(frames))
    expect(whole["totalFrames"] == len(whole["stackFrames"]), whole)
    expect(whole["stackFrames"] == shop.stack, "frames have new ids")
    page = shop.c.body("stackTrace", threadId=shop.tid, startFrame=2,
                       levels=3)
    expect(page["stackFrames"] == shop.stack[2:5] and
           page["totalFrames"] == whole["totalFrames"], page)
    past = shop.c.body("stackTrace", threadId=shop.tid, startFrame=10000)
    expect(not past["stackFrames"], past)
    for frame in frames:
        expect("instructionPointerReference" in frame and "moduleId" in
               frame, frame)
    expect(frames[0]["line"] and os.path.basename(
        frames[0]["source"]["path"]) == "spoken.c", frames[0])


@row
def frame_ids(shop):
    """No two frames of any threads have the same id."""
    ids = [f["id"] for t in shop.threads for f in shop.c.stack(t["id"])]
    expect(len(set(ids)) == len(ids), ids)


@row
def scopes(shop):
    found = shop.c.scopes(shop.top)
    names = list(found)
    expect(names[:3] == ["Arguments", "Locals", "Registers"], names)
    for name in ("Globals", "Thread-locals"):
        expect(name in found, names)
    expect(found["Globals"]["expensive"], found)
    expect(not found["Locals"]["expensive"], found)
    expect(shop.c.refusal("scopes", frameId=12345678), "a frame of nowhere")


@row
def locals_(shop):
    c = shop.c
    rows = {v["name"]: v for v in c.variables(
        c.scopes(shop.top)["Locals"]["variablesReference"])}
    wanted = {"thousand": None, "big": "9007199254740993", "odd": None,
              "high": "0xffffffff81000001", "nothing": "0x0"}
    for name, value in wanted.items():
        expect(name in rows, name, "is not among", list(rows))
        expect(value is None or rows[name]["value"].startswith(value),
               rows[name])
    # Two of one name: the outer one carries the line that it stands in.
    expect(sum(n.startswith("shadow") for n in rows) == 2, list(rows))
    expect(rows["shadow"]["value"] == "3", rows["shadow"])
    expect(rows["thousand"]["indexedVariables"] == 1000, rows["thousand"])
    rows = {v["name"]: v for v in c.variables(
        c.scopes(shop.top)["Arguments"]["variablesReference"])}
    expect(list(rows) == ["n", "depth"] and rows["depth"]["value"] == "43",
           rows)
    expect(rows["n"]["memoryReference"] and rows["n"]["variablesReference"],
           rows["n"])


@row
def registers(shop):
    c = shop.c
    frame = shop.frames()[2]
    groups = {v["name"]: v["variablesReference"] for v in c.variables(
        c.scopes(frame["id"])["Registers"]["variablesReference"])}
    rows = {v["name"]: v["value"] for v in c.variables(groups["General"])}
    got = c.evaluate("$rip", frameId=frame["id"])["result"]
    expect(frame["instructionPointerReference"] in got, got)
    expect(int(rows["rip"].split()[0], 0) ==
           int(frame["instructionPointerReference"], 0), rows["rip"])
    # A call keeps this one, and not that one.
    lost = "<not known: a call may have changed it>"
    expect(rows["rbx"].startswith("0x") and rows["rax"] == lost, rows)
    # Of those in vectors none.
    rows = {v["name"]: v["value"] for v in c.variables(groups["SSE"])}
    expect(rows and set(rows.values()) == {lost}, rows)


@row
def global_variables(shop):
    c = shop.c
    rows = {}
    for name in ("Globals", "Thread-locals"):
        reference = c.scopes(shop.top)[name]["variablesReference"]
        rows.update({v["name"]: v for v in c.all_variables(reference)})
    expect(rows["many"]["indexedVariables"] == 10000, rows.get("many"))
    expect(rows["per_thread"]["value"] == "5", rows.get("per_thread"))


@row
def variables(shop):
    c = shop.c
    thousand = shop.local("thousand")["variablesReference"]
    page = c.variables(thousand, start=990, count=20, filter="indexed")
    expect([v["value"] for v in page] ==
           [str(k * k) for k in range(990, 1000)], page)
    expect(not c.variables(thousand, filter="named"), "it has no names")
    hexed = c.variables(thousand, start=16, count=1, format={"hex": True})
    expect(hexed[0]["value"] == "0x100", hexed)
    first = c.variables(thousand)
    expect(len(first) == 501 and first[-1]["variablesReference"],
           len(first), first[-1])
    expect(len(c.all_variables(thousand)) == 1000, "not all by pages")
    expect(c.refusal("variables", variablesReference=77777777), "of nowhere")


# ---- expressions ---------------------------------------------------------------

@row
def evaluate(shop):
    c = shop.c
    for expression, context, pattern in (
            ("n->next->id", "watch", r"2"),
            ("n->name", "hover", r'"first.*'),
            ("*n", "watch", r"\{id = 1, .*"),
            ("thousand[3] + 1", "watch", r"10"),
            ("sizeof(struct node)", "watch", r"24"),
            ("thousand[16],x", "watch", None),
            ("/x thousand[16]", "watch", r"0x100"),
            ("&n->next->id", "watch", r".*0x[0-9a-f]+.*"),
            ("(long)depth == 43", "watch", r"1|true"),
            ("per_thread", "watch", r"5"),
            ("nothing", "variables", r"0x0")):
        if pattern is None:
            continue
        got = c.evaluate(expression, frameId=shop.top, context=context)
        expect(re.fullmatch(pattern, got["result"], re.S), expression, got)
    array = c.evaluate("many", frameId=shop.top, context="watch")
    expect(array["variablesReference"] and array["indexedVariables"] == 10000,
           array)
    expect(c.evaluate("n->next", frameId=shop.top)["memoryReference"], "")
    for bad in ("n->nowhere", "f(", "1/0", "deref(n, 1)", "depth = 7", ""):
        got = c.refusal("evaluate", expression=bad, frameId=shop.top,
                        context="watch")
        expect(got, bad, "is worth something")
    expect(c.evaluate("depth", frameId=shop.top)["result"] == "43", "changed")


@row
def clipboard(shop):
    """All of a value, where a row has its start."""
    whole = shop.c.evaluate("many", frameId=shop.top, context="clipboard")
    text = whole["result"]
    expect("1234" in text, text[:200])
    hexed = shop.c.evaluate("depth", frameId=shop.top, context="clipboard",
                            format={"hex": True})
    expect(hexed["result"] == "0x2b", hexed)


@row
def console(shop):
    """What our expressions lack a jailed gdb answers, which sees what was
    written, and whose writes are seen."""
    if not kit.shutil.which("gdb"):
        return

    def say(text):
        return shop.c.ask("evaluate", expression=text, frameId=shop.top,
                          context="repl")
    for text, pattern in (("n->next->id", r"2"),
                          ("print n->name", r'\$\d+ = "first.*'),
                          ("ptype struct pair", r"type = struct pair.*"),
                          ("backtrace 1", r"#0 +deref \(n=0x.*, depth=43.*"),
                          ("set var per_thread = 6", r"")):
        got = say(text)
        expect(got["success"] and re.fullmatch(
            pattern, got["body"]["result"].strip(), re.S), text, got)
    expect(shop.c.evaluate("per_thread", frameId=shop.top)["result"] == "6",
           "what gdb wrote is not seen")
    for text in ("shell id", "print nobody", "1 +", "print 1\nshell id",
                 "source /etc/hostname"):
        got = say(text)
        expect(not got["success"] or "uid=" not in got["body"]["result"],
               text, got)
    shop.c.event("memory")
    shop.c.body("threads")


@row
def completions(shop):
    targets = shop.c.body("completions", frameId=shop.top, text="thou",
                          column=5)["targets"]
    expect("thousand" in [t.get("text", t["label"]) for t in targets],
           targets)
    targets = shop.c.body("completions", frameId=shop.top, text="n->ne",
                          column=6)["targets"]
    expect(any("next" in t["label"] for t in targets), targets)
    # Columns count UTF-16 units: the character before takes two.
    text = "\"\U0001f600\" + thou"
    targets = shop.c.body("completions", frameId=shop.top, text=text,
                          column=len(text) + 2)["targets"]
    expect("thousand" in [t.get("text", t["label"]) for t in targets],
           targets)


# ---- memory and code -------------------------------------------------------------

@row
def read_memory(shop):
    c = shop.c
    at = c.evaluate("&many[0]", frameId=shop.top)["memoryReference"]
    got = c.body("readMemory", memoryReference=at, offset=4, count=8)
    expect(base64.b64decode(got["data"]) == b"\1\0\0\0\2\0\0\0", got)
    expect(int(got["address"], 0) == int(at, 0) + 4, got)
    back = c.body("readMemory", memoryReference=hex(int(at, 0) + 8),
                  offset=-4, count=4)
    expect(base64.b64decode(back["data"]) == b"\1\0\0\0", back)
    none = c.body("readMemory", memoryReference=at, count=0)
    expect(not none.get("data"), none)
    unmapped = c.body("readMemory", memoryReference="0x10", count=64)
    expect(not unmapped.get("data") and unmapped["unreadableBytes"] == 64,
           unmapped)
    wide = c.body("readMemory", memoryReference=at, count=1 << 24)
    expect(len(base64.b64decode(wide["data"])) <= 1 << 20, "too much")
    for reference, offset in (("0xffffffffffffffff", 1), ("zz", 0),
                              ("0x10", -17)):
        expect(c.refusal("readMemory", memoryReference=reference,
                         offset=offset, count=4), reference, offset)
    expect(c.wild("readMemory", memoryReference=at, count=-1), "count -1")


@row
def disassemble(shop):
    c, at = shop.c, shop.stack[0]["instructionPointerReference"]
    for offset, count in ((0, 1), (-3, 8), (-50, 10), (5, 100), (0, 0)):
        got = c.body("disassemble", memoryReference=at, instructionOffset=
                     offset, instructionCount=count, resolveSymbols=True)
        expect(len(got["instructions"]) == count, offset, count)
    got = c.body("disassemble", memoryReference=at, instructionOffset=-3,
                 instructionCount=4)["instructions"]
    expect(int(got[3]["address"], 0) == int(at, 0), got)
    expect("mov" in got[3]["instruction"] and got[3]["instructionBytes"],
           got[3])


@row
def modules(shop):
    got = shop.c.body("modules")
    names = [m["name"] for m in got["modules"]]
    expect("spoken" in names[0] and any("libc" in n for n in names), names)
    for module in got["modules"]:
        expect("addressRange" in module and "symbolStatus" in module, module)
    ids = [m["id"] for m in got["modules"]]
    expect(shop.stack[0]["moduleId"] == ids[0], ids, shop.stack[0])
    page = shop.c.body("modules", startModule=1, moduleCount=1)
    expect(page["modules"] == got["modules"][1:2] and
           page["totalModules"] == len(ids), page)


@row
def sources(shop):
    listed = shop.c.body("loadedSources")["sources"]
    expect(any(s.get("name") == "spoken.c" for s in listed), listed[:5])
    refusal = shop.c.refusal("source", sourceReference=0,
                             source={"path": "/etc/passwd"})
    expect(refusal, "a path of the server's disk was read")
    expect(shop.c.refusal("source", sourceReference=12345), "of nowhere")
    source = shop.stack[0]["source"]
    if source.get("sourceReference"):
        got = shop.c.body("source", sourceReference=source[
            "sourceReference"], source=source)
        expect("n->next->next->id" in got["content"], got["content"][:100])


@row
def locations(shop):
    row_ = shop.local("function")
    reference = row_.get("valueLocationReference") or \
        row_.get("declarationLocationReference")
    expect(reference, "no location:", row_)
    got = shop.c.body("locations", locationReference=reference)
    expect(got["line"] and got["source"]["name"] == "spoken.c", got)
    expect(shop.c.refusal("locations", locationReference=9999999), "nowhere")


@row
def exception_info(shop):
    got = shop.c.body("exceptionInfo", threadId=shop.tid)
    expect(got["exceptionId"] == "SIGSEGV" and got["breakMode"] ==
           "unhandled", got)
    expect("null" in (got.get("description", "") + str(got.get("details"))),
           got)
    expect("SEGV_MAPERR" in str(got["details"]), got)


# ---- what is written: it is this session's alone ----------------------------------

@row
def write_memory(shop):
    c = shop.c
    at = c.evaluate("&many[7]", frameId=shop.top)["memoryReference"]
    got = c.body("writeMemory", memoryReference=at,
                 data=base64.b64encode(b"\x39\x30\0\0").decode())
    expect(got.get("bytesWritten", 4) == 4, got)
    c.event("memory")
    c.event("invalidated")
    expect(c.evaluate("many[7]", frameId=shop.top)["result"] == "12345", "")
    expect(c.refusal("writeMemory", memoryReference="0x10", data="AAAA"),
           "there is no memory")
    expect(c.refusal("writeMemory", memoryReference=at, data="?"), "base64")


@row
def set_variable(shop):
    c = shop.c
    reference = c.scopes(shop.top)["Locals"]["variablesReference"]
    got = c.body("setVariable", variablesReference=reference, name="big",
                 value="77")
    expect(got["value"] == "77", got)
    expect(shop.local("big")["value"] == "77", shop.local("big"))
    thousand = shop.local("thousand")["variablesReference"]
    page = c.variables(thousand, start=5, count=1)
    got = c.body("setVariable", variablesReference=thousand,
                 name=page[0]["name"], value="-3")
    expect(got["value"] == "-3", got)
    expect(c.evaluate("thousand[5]", frameId=shop.top)["result"] == "-3", "")
    expect(c.refusal("setVariable", variablesReference=reference,
                     name="nobody", value="1"), "nobody")
    expect(c.refusal("setVariable", variablesReference=reference,
                     name="big", value="nonsense("), "nonsense")


@row
def set_expression(shop):
    c = shop.c
    got = c.body("setExpression", expression="n->next->id", value="99",
                 frameId=shop.top)
    expect(got["value"] == "99", got)
    expect(c.evaluate("n->next->id", frameId=shop.top)["result"] == "99", "")
    c.body("setExpression", expression="$rax", value="0x1234",
           frameId=shop.top)
    expect("1234" in c.evaluate("/x $rax", frameId=shop.top)["result"] or
           c.evaluate("$rax", frameId=shop.top)["result"] == "4660", "$rax")
    expect(c.refusal("setExpression", expression="1+1", value="3",
                     frameId=shop.top), "1+1")


# ---- all of them -------------------------------------------------------------------

def judge(tap, name, function, shop):
    before = len(shop.c.faults)
    try:
        function(shop)
        why = "\n".join(shop.c.faults[before:])
    except (Wrong, client.Refused, EOFError, KeyError, IndexError,
            StopIteration, ValueError, TimeoutError, shown.Failure) as error:
        why = "%s: %s" % (type(error).__name__, error)
    tap.ok(not why, name.strip("_").replace("_", " "), why)


def main():
    inquest = kit.need_inquest()
    kit.need_tool("gcc")
    tap = kit.Tap()
    path = values.snapshot_of(inquest, "spoken")
    wanted = sys.argv[1:] or ROWS
    with shown.session(path) as c:
        shop = Shop(c, build.ensure("spoken"))
        for name in wanted:
            judge(tap, name, ROWS[name], shop)
        n = len(c.messages)
        c.faults = []           # each row has told its own
    tap.ok(n > 100 or sys.argv[1:], "%d messages were judged" % n)
    with shown.session(path) as c:
        fresh = Shop(c, build.ensure("spoken"))
        tap.ok(fresh.local("big")["value"] == "9007199254740993",
               "another session sees nothing of what was written")
    tap.leave()


if __name__ == "__main__":
    main()
