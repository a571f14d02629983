#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
moves: a client of the Debug Adapter Protocol goes through a series: the three
snapshots of tests/fuzz/dap-world.h, of which the second cannot be opened; and
holds two snapshots against each other, as `inquest diff` does.

  moves.py
"""

import json
import os
import shutil
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE, *(os.path.join(os.path.dirname(HERE), folder)
                        for folder in ("victims", "cmd"))]

import client  # noqa: E402
import diff    # noqa: E402
import kit     # noqa: E402


def speak(snapshot):
    c = client.Client(client.Stdio([os.path.join(
        kit.build_dir(), "tests/dap/speak"), "world", "0"]))
    c.start(snapshot=snapshot)
    return c


def ids(c):
    return {t["id"] for t in c.body("threads")["threads"]}


def move(c, command, tid=0):
    """What a client hears of one: the events after its answer."""
    c.events = []
    answer = c.ask(command, threadId=tid)
    if not answer["success"]:
        return answer, []
    while not any(e["event"] == "stopped" for e in c.events):
        c.hear()
    return answer, c.events


def bodies(events, name):
    return [e["body"] for e in events if e.get("event") == name]


def announced(tap):
    c = speak("aaaa")
    before = [m.get("event") for m in c.messages]
    said = c.taken("capabilities")
    tap.ok(said == [{"capabilities": {"supportsStepBack": True}}]
           and before.index("capabilities") < before.index("stopped"),
           "a series is told of before the process stands", before)
    got = c.body("inquest/series")
    tap.ok([(s["number"], s["id"], s["shown"]) for s in got["snapshots"]]
           == [(1, "aaaa", True), (2, "cccc", False), (3, "bbbb", False)]
           and got["at"] == 0 and got["total"] == 3, "it is listed", got)
    return c


def on_and_back(tap, c):
    first, tid = ids(c), c.stopped["threadId"]
    frame = c.stack(tid)[0]["id"]
    reference = c.body("scopes", frameId=frame)["scopes"][0][
        "variablesReference"]
    answer, events = move(c, "next", tid)
    later = ids(c)
    stop = events[-1].get("body", {})
    tap.ok(answer["success"] and stop["reason"] == "step"
           and stop["threadId"] == tid
           and "3 of 3" in stop["description"] and "+0.500" in
           stop["description"], "next: the snapshot after this one", stop)
    tap.ok(any("passed over" in b["output"] for b in
               bodies(c.messages, "output")),
           "one that cannot be opened is passed over")
    exited = {b["threadId"] for b in bodies(events, "thread")
              if b["reason"] == "exited"}
    tap.ok(first - later and exited == first - later,
           "threads that went are told of", (first, later, events))
    tap.ok(c.refusal("scopes", frameId=frame)
           and c.refusal("variables", variablesReference=reference),
           "ids of before mean nothing any more")
    for command in ("next", "continue"):
        answer, _ = move(c, command, tid)
        text = answer["body"]["error"]["variables"]["text"] \
            if not answer["success"] else ""
        tap.ok(text == "this is the last of 3 snapshots",
               command + ": refused at the end", answer)
    tap.ok(ids(c) == later and c.stack(tid), "all is as it was after that")
    answer, events = move(c, "reverseContinue", tid)
    started = {b["threadId"] for b in bodies(events, "thread")
               if b["reason"] == "started"}
    tap.ok(answer["success"] and started == first - later
           and ids(c) == first, "reverseContinue: back", (answer, events))
    answer, _ = move(c, "stepBack", tid)
    tap.ok(not answer["success"] and "first of 3" in
           str(answer["body"]), "stepBack: refused at the beginning", answer)
    answer, _ = move(c, "continue", tid)
    tap.ok(answer["success"] and answer["body"] ==
           {"allThreadsContinued": True}, "continue: on", answer)
    tap.ok(c.refusal("stepIn", threadId=tid), "to step in is refused")


def made_differ(tap, c):
    got = c.body("inquest/diff", snapshot="aaaa")
    gone = [r for r in got["threads"]["rows"] if r["mark"] == "gone"]
    tap.ok(got["before"]["id"] == "aaaa" and got["after"]["id"] == "bbbb"
           and len(gone) == 1, "a thread that is gone differs", got)
    for wrong in ({"snapshot": "bbbb"}, {"snapshot": "nobody"}, {},
                  {"snapshot": "aaaa", "count": -1}):
        tap.ok(c.wild("inquest/diff", **wrong), "refused: diff %s" % wrong)
    tap.ok(c.body("inquest/diff", snapshot="aaaa") == got,
           "it may be asked for again")


def live_differ(tap, inquest):
    """Of a process at two times: what the verb says, too."""
    place = kit.own_dir()
    shutil.rmtree(place, ignore_errors=True)
    os.makedirs(place)
    made = diff.Diffs(tap, inquest, place)
    made.capture()
    said = json.loads(made.run("diff", "--json", *made.snaps).out)
    c = client.Client(client.Stdio(
        [inquest, "dap", *made.snaps], env={
            **os.environ, "INQUEST_CACHE": os.path.join(place, "cache")}))
    c.start(snapshot=made.snaps[1])
    got = c.body("inquest/diff", snapshot=made.snaps[0], count=2000)
    keys = ("function", "name", "before", "after")
    tap.ok([[v.get(k) for k in keys] for v in got["variables"]["rows"]]
           == [[v[k] for k in keys] for v in said["variables"]]
           and got["variables"]["rows"],
           "variables that differ are those of inquest diff",
           (got["variables"], said["variables"]))
    for name in ("threads", "modules", "attributes"):
        rows = [[r["mark"], r["what"], r.get("before"), r.get("after")]
                for r in got[name]["rows"]]
        want = [[r["mark"], r["what"], r["before"], r["after"]]
                for r in said[name]["rows"]]
        tap.ok(rows == want and got[name]["n"] == said[name]["n"],
               name + ", too", (rows, want))
    tap.ok(not c.taken("capabilities"), "these two are no series")
    leave(tap, c)


def leave(tap, c):
    status, said = c.end()
    tap.ok(status == 0 and not c.faults, "its messages were valid",
           "\n".join([said, *c.faults[:20]]))


def main():
    inquest = kit.need_inquest()
    kit.need_tool("gcc")
    tap = kit.Tap()
    c = announced(tap)
    on_and_back(tap, c)
    made_differ(tap, c)
    leave(tap, c)
    live_differ(tap, inquest)
    tap.leave()


if __name__ == "__main__":
    main()
