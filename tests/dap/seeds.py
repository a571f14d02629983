#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
seeds: sessions as seeds of tests/fuzz/fuzz-dap.

  seeds.py DIRECTORY     one file each; see fuzz-dap.c for byte 0
"""

import json
import os
import sys

HOST, FAR, FRESH, STREAM, SLOW = 4, 8, 16, 32, 64
TID = 4243              # of tests/fuzz/dap-world.h
SCOPE = 1 << 30         # the first variablesReference of frame 1
INDEXES = {
    "langs": ("list[2].u", "*head->next", "points[1].x * 3", "names"),
    "stdlike": ("/x vi._M_impl._M_start[1]", "ma", "vs", "s"),
    "arrays": ("$rip", "*(char(*)[3])$sp", "a", "grid"),
    "go": ("V.B", "*e", "a", "b"),
}
RUNS = ("next", "continue", "stepIn", "stepOut", "stepBack",
        "reverseContinue", "pause", "goto", "restart", "restartFrame",
        "terminateThreads", "dataBreakpointInfo")
MALFORMED = (
    b"{", b"[]", b"null", b'{"seq":1,"seq":2}',
    b'{"seq":"1","type":"request","command":"threads"}',
    b'{"seq":1,"type":"request","command":3}',
    b'{"seq":1,"type":"request","command":"threads","arguments":[]}',
    b'{"seq":2,"type":"request","command":"\\ud800"}',
    b"[" * 40 + b"]" * 40, b'{"seq":1e999}', b"\xff",
)


def ask(command, **arguments):
    return command, arguments


def variables(*references, **more):
    return [ask("variables", variablesReference=r, **more)
            for r in references]


HELLO = [ask("initialize", adapterID="x", pathFormat="path",
             linesStartAt1=True)]
BEGIN = HELLO + [
    ask("attach", snapshot="aaaa"),
    ask("setBreakpoints", source={"path": "a.c"}, breakpoints=[{"line": 3}]),
    ask("setExceptionBreakpoints", filters=[]), ask("configurationDone")]
LOOK = [ask("threads"),
        ask("stackTrace", threadId=TID, startFrame=0, levels=20),
        ask("scopes", frameId=1),
        *variables(*range(SCOPE, SCOPE + 7), *range(1, 6)),
        ask("exceptionInfo", threadId=TID)]


def evaluations(expressions):
    return [ask("evaluate", expression=e, frameId=1, context=c)
            for e in expressions for c in ("watch", "clipboard")]


def reads(*rows):
    return [ask("readMemory", memoryReference=r, offset=o, count=c)
            for r, o, c in rows]


def disassembly(*rows):
    return [ask("disassemble", memoryReference=r, instructionOffset=o,
                instructionCount=c, resolveSymbols=True) for r, o, c in rows]


def of_all():
    """(name, how, messages)"""
    for number, (name, expressions) in enumerate(INDEXES.items()):
        yield "look-" + name, number, LOOK + evaluations(expressions) + \
            variables(*range(6, 12), start=0, count=10)
    yield "begin", FRESH | HOST, BEGIN + LOOK + [ask("disconnect")]
    yield "early", FRESH, [
        ask("threads"), ask("attach"), *HELLO, *HELLO,
        ask("configurationDone"), ask("configurationDone"), ask("attach"),
        ask("threads"), ask("launch")]
    yield "far", FRESH | FAR | HOST, [
        *HELLO, ask("attach", snapshot="/etc/passwd"),
        ask("attach", snapshot="bbbb", thread=4242,
            sourceMap=[["/a", "/b"]]), ask("configurationDone"), *LOOK]
    yield "run", 0, [ask(c, threadId=TID) for c in RUNS] + LOOK[:1]
    yield "series", HOST, LOOK + [
        ask("inquest/series"), ask("next", threadId=TID), *LOOK,
        ask("stepBack", threadId=TID), ask("continue", threadId=TID),
        ask("reverseContinue", threadId=TID),
        ask("inquest/diff", snapshot="bbbb")]
    yield "memory", 0, reads(
        ("0x7ff000", 0, 64), ("0x2ff0", 0, 4096), ("0x3000", 0, 16),
        ("0x9000", -8, 16), ("0x0", 0, 0), ("0xffffffffffffffff", 1, 1)) + [
            ask("writeMemory", memoryReference="0x7ff000", data="AAECAw=="),
            ask("readMemory", memoryReference="0x7ff000", count=8),
            ask("scopes", frameId=1),
            ask("setExpression", expression="$rax", value="1", frameId=1),
            *variables(SCOPE + 1),
            *(ask("setVariable", variablesReference=SCOPE + k, name=name,
                  value="-7") for k in (0, 1) for name in "abs")]
    yield "code", 0, LOOK[:3] + disassembly(
        ("0x400010", -4, 12), ("0x0", 0, 3), ("0xfffffffffffffff0", 0, 8),
        ("0x3000", -2, 6)) + [
            ask("modules"), ask("modules", startModule=1, moduleCount=1),
            ask("loadedSources"), ask("source", sourceReference=1),
            ask("source", sourceReference=0, source={"path": "/etc/passwd"}),
            ask("locations", locationReference=1),
            ask("completions", text="li", column=3, frameId=1)]
    yield "ours", HOST, [ask("inquest/" + name, **arguments) for
                         name, arguments in (
        ("overview", {}), ("notes", {}), ("annotations", {}),
        ("attributes", {}), ("threadGroups", {}), ("maps", {"count": 3}),
        ("describeAddress", {"address": "0x7ff010"}),
        ("search", {"text": "na"}), ("kernelStack", {"threadId": TID}),
        ("fds", {}), ("environment", {}), ("series", {}),
        ("link", {"threadId": TID, "frame": 0, "expression": "a"}),
        ("export", {"format": "markdown"}))]
    yield "cancel", SLOW, LOOK[:1] + [
        ask("inquest/search", bytes="e8"), ask("threads"),
        ask("cancel", requestId=5), ask("threads")]
    yield "malformed", 0, [*MALFORMED, ask("stackTrace", threadId=-1),
                           ask("stackTrace", threadId=TID, levels=-1),
                           ask("stackTrace", threadId="x"), ask("scopes"),
                           ask("nothing")]
    yield "stream", FRESH | STREAM, BEGIN + LOOK
    yield "http", FRESH | STREAM, b"POST / HTTP/1.1\r\nHost: a\r\n" \
        b"Content-Length: 2\r\n\r\n{}"
    yield "long", FRESH | STREAM, b"Content-Length: 100000000\r\n\r\n{}"


def bytes_of(how, messages):
    if isinstance(messages, bytes):
        return bytes([how]) + messages
    out, seq = bytes([how]), 0 if how & FRESH else 3
    for message in messages:
        if not isinstance(message, bytes):
            seq += 1
            command, arguments = message
            message = json.dumps({
                "seq": seq, "type": "request", "command": command,
                "arguments": arguments}).encode()
        out += b"Content-Length: %d\r\n\r\n" % len(message) + message \
            if how & STREAM else message + b"\n"
    return out


def main():
    for name, how, messages in of_all():
        with open(os.path.join(sys.argv[1], name), "wb") as f:
            f.write(bytes_of(how, messages))


if __name__ == "__main__":
    main()
