#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
replay: sessions of stock clients, as they were recorded, are answered today as
they were then: which requests succeed, and which events came before. No client
is needed.

  replay.py                     plays tests/dap/recorded/*.jsonl
  replay.py --keep NAME RECORD  makes one of a recording of `inquest dap`

A line is a request; $thread and $pc stand for the thread that died and for
where it did, which no two processes have in common.
"""

import json
import os
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "victims")]

import client  # noqa: E402
import heard   # noqa: E402
import kit     # noqa: E402
import shown   # noqa: E402
import values  # noqa: E402

RECORDED = os.path.join(HERE, "recorded")


def keep(name, path):
    said, answered = ([json.loads(t) for t in texts]
                      for texts in heard.read(path))
    stopped = next(m["body"] for m in answered if m.get("event") == "stopped")
    frame = next(m["body"]["stackFrames"][0] for m in answered
                 if m.get("command") == "stackTrace" and m["success"])
    known = {stopped["threadId"]: "$thread",
             frame["instructionPointerReference"]: "$pc"}
    answers = {m["request_seq"]: m for m in answered
               if m["type"] == "response"}
    with open(os.path.join(RECORDED, name + ".jsonl"), "w",
              encoding="utf-8") as f:
        for message in said:
            arguments = {
                k: known.get(v, v) if isinstance(v, (int, str)) else v
                for k, v in message.get("arguments", {}).items()}
            if "arguments" in message:
                message["arguments"] = arguments
            f.write(json.dumps({
                "say": message,
                "success": answers[message["seq"]]["success"]}) + "\n")


def filled(message, known):
    arguments = {k: known.get(v, v) if isinstance(v, str) else v
                 for k, v in message.get("arguments", {}).items()}
    return {**message, "arguments": arguments} if "arguments" in message \
        else message


def play(tap, name, lines, path):
    c = client.Client(client.Stdio(shown.argv_of(path)))
    known, wrong = {}, []
    for line in lines:
        c.raw(json.dumps(filled(line["say"], known)).encode())
        if line["say"]["command"] == "configurationDone":
            known["$thread"] = c.event("stopped")["threadId"]
        answer = c.answer(line["say"]["seq"])
        if answer["command"] == "stackTrace" and answer["success"]:
            known["$pc"] = answer["body"]["stackFrames"][0][
                "instructionPointerReference"]
        if answer["success"] != line["success"]:
            wrong.append(json.dumps(answer)[:300])
    c.door.kill()
    tap.ok(not wrong and not c.faults, "%s: %d requests are answered as "
           "they were" % (name, len(lines)), "\n".join(wrong + c.faults))


def main():
    if sys.argv[1:2] == ["--keep"]:
        keep(*sys.argv[2:])
        return
    inquest = kit.need_inquest()
    kit.need_tool("gcc")
    tap = kit.Tap()
    path = values.snapshot_of(inquest, "spoken")
    for name in sorted(os.listdir(RECORDED)):
        with open(os.path.join(RECORDED, name), encoding="utf-8") as f:
            play(tap, os.path.splitext(name)[0],
                 [json.loads(line) for line in f], path)
    tap.leave()


if __name__ == "__main__":
    main()
