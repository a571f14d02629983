#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
judging: the test of the test - a wrong message is seen to be wrong.

Each row of RIGHT is a message that may be sent; each row of WRONG changes one
of them. Then, where python3-jsonschema is there, it has to say the same of all
of them, and of our schema that it is one.
"""

import copy
import json
import os
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "victims")]

import kit     # noqa: E402
import schema  # noqa: E402

FRAME = {"id": 1, "name": "main", "line": 3, "column": 0,
         "instructionPointerReference": "0x401000", "moduleId": 1}
RIGHT = {
    "request": {"seq": 1, "type": "request", "command": "scopes",
                "arguments": {"frameId": 1}},
    "stack": {"seq": 2, "type": "response", "request_seq": 1, "success": True,
              "command": "stackTrace",
              "body": {"stackFrames": [FRAME], "totalFrames": 1}},
    "variables": {"seq": 3, "type": "response", "request_seq": 2,
                  "success": True, "command": "variables",
                  "body": {"variables": [
                      {"name": "a", "value": "{0, 1}", "type": "int [2]",
                       "variablesReference": 7, "indexedVariables": 2}]}},
    "memory": {"seq": 4, "type": "response", "request_seq": 3,
               "success": True, "command": "readMemory",
               "body": {"address": "0x10", "data": "AAE=",
                        "unreadableBytes": 2}},
    "refusal": {"seq": 5, "type": "response", "request_seq": 4,
                "success": False, "command": "next", "message": "postMortem",
                "body": {"error": {"id": 1001, "format": "{text}",
                                   "variables": {"text": "no"},
                                   "showUser": True}}},
    "stopped": {"seq": 6, "type": "event", "event": "stopped",
                "body": {"reason": "exception", "threadId": 7,
                         "allThreadsStopped": True}},
    "initialized": {"seq": 7, "type": "event", "event": "initialized"},
}
GONE = object()
# Which message, where in it, what stands there instead; and whether the
# protocol alone allows it.
WRONG = (
    ("request", "type", "Request"), ("request", "seq", 0),
    ("request", "arguments.frameId", "1"), ("request", "arguments", GONE),
    ("request", "command", "invented"),
    ("stack", "seq", 0), ("stack", "seq", 1.5), ("stack", "seq", True),
    ("stack", "type", "answer"), ("stack", "success", False),
    ("stack", "success", GONE), ("stack", "body", GONE),
    ("stack", "body.totalFrames", GONE), ("stack", "message", "extra"),
    ("stack", "body.stackFrames", {}),
    ("stack", "body.stackFrames.0.id", 1 << 31),
    ("stack", "body.stackFrames.0.id", GONE),
    ("stack", "body.stackFrames.0.line", -1),
    ("stack", "body.stackFrames.0.name", "a\x1b[2J"),
    ("stack", "body.stackFrames.0.instructionPointerReference", 4198400),
    ("stack", "body.stackFrames.0.instructionPointerReference", "401000"),
    ("stack", "body.stackFrames.0.presentationHint", "grey"),
    ("stack", "body.stackFrames.0.ours", 1),
    ("variables", "body.variables.0.value", 7),
    ("variables", "body.variables.0.value", "\u009b2J"),
    ("variables", "body.variables.0.variablesReference", -1),
    ("variables", "body.variables.0.variablesReference", GONE),
    ("variables", "body.variables.0.indexedVariables", "2"),
    ("memory", "body.data", "AAE"), ("memory", "body.address", "0X10"),
    ("memory", "body.unreadableBytes", 1 << 53),
    ("refusal", "message", "two words"), ("refusal", "message", GONE),
    ("refusal", "body", GONE),
    ("refusal", "body.error", GONE), ("refusal", "body.error.format", 1),
    ("refusal", "body.error.variables.text", 5),
    ("stopped", "body", GONE), ("stopped", "body.threadId", GONE),
    ("stopped", "event", "halted"), ("stopped", "body.reason", 3),
    ("initialized", "body", {"a": 1}), ("initialized", "event", GONE),
)
BYTES = (
    (b'{"seq":1,"seq":2}', "a name that comes twice"),
    (b'{"a":NaN}', "a number that is none"),
    (b'{"a":9007199254740993}', "a number that JavaScript rounds"),
    (b'{"a":"\\ud800"}', "a lone surrogate"), (b'{"a":"\xff"}', "no UTF-8"),
    (b'{"a":1}x', "something behind it"),
)


def changed(message, path, value):
    message = copy.deepcopy(message)
    at, names = message, path.split(".")
    for name in names[:-1]:
        at = at[int(name) if isinstance(at, list) else name]
    if value is GONE:
        del at[names[-1]]
    else:
        at[names[-1]] = value
    return message


def is_refused(data):
    try:
        schema.read(data)
    except ValueError:
        return True
    return False


def second_opinion(tap, ours, messages):
    try:
        import jsonschema  # pylint: disable=import-outside-toplevel
    except ImportError:
        tap.skip("another validator agrees", "python3-jsonschema is not there")
        return
    with open(schema.OURS, encoding="utf-8") as f:
        text = json.load(f)
    jsonschema.Draft4Validator.check_schema(text)
    different = []
    for message in messages:
        kind, name = schema.kind_of(message)
        member, inside = schema.INSIDE.get(kind, (None, "%s"))
        for definition, value in ((kind, message),
                                  (inside % name, message.get(member, {}))):
            if definition not in ours.definitions:
                continue
            theirs = jsonschema.Draft4Validator(
                {"$ref": "#/definitions/" + definition.replace(" ", "%20"),
                 "definitions": text["definitions"]}).is_valid(value)
            if theirs == bool(ours.faults(definition, value)):
                different.append("%s: %s" % (definition, json.dumps(value)))
    tap.ok(not different, "another validator agrees", "\n".join(different))


def main():
    tap = kit.Tap()
    judge = schema.Judge()
    for each in filter(None, (judge.ours, judge.official)):
        for name in each.definitions:
            each.named(name)
    for name, message in RIGHT.items():
        found = judge.faults(message)
        tap.ok(not found, "right: " + name, "\n".join(found))
    for name, path, value in WRONG:
        message = changed(RIGHT[name], path, value)
        tap.ok(schema.ours_of(judge.ours, message), "wrong: %s of %s is %s" % (
            path, name, "gone" if value is GONE else json.dumps(value)))
    for data, name in BYTES:
        tap.ok(is_refused(data), "wrong: " + name)
    second_opinion(tap, judge.ours, [*RIGHT.values(), *(
        changed(RIGHT[n], p, v) for n, p, v in WRONG)])
    tap.leave()


if __name__ == "__main__":
    main()
