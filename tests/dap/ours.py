#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
ours: the requests whose names begin with "inquest/" say what the standard ones,
and what `inquest report --json`, say.

  ours.py [ROW...]
"""

import json
import os
import re
import subprocess
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE] + [os.path.join(os.path.dirname(HERE), folder)
                         for folder in ("victims", "gdb")]

import answers  # noqa: E402

import build   # noqa: E402
import client  # noqa: E402
import kit     # noqa: E402
import live    # noqa: E402
import shown   # noqa: E402
import values  # noqa: E402

from answers import expect  # noqa: E402

ROWS = {}
OVERVIEW_MAX = 64 << 10


def row(function):
    ROWS[function.__name__] = function
    return function


def ask(c, name, **arguments):
    return c.body("inquest/" + name, arguments)


class Shop(answers.Shop):
    def __init__(self, c, path):
        super().__init__(c, None)
        self.path = path
        done = kit.run([kit.need_inquest(), "report", path, "--json",
                        "--all-variables"])
        self.report = json.loads(done.out)


def size_of_last(c):
    return len(json.dumps(c.messages[-1], separators=(",", ":"),
                          ensure_ascii=False).encode())


@row
def overview(shop):
    c = shop.c
    got = ask(c, "overview")
    expect(size_of_last(c) <= OVERVIEW_MAX, size_of_last(c))
    expect([t["id"] for t in got["threads"]] ==
           [t["id"] for t in shop.threads], got["threads"])
    expect(got["threads"][0]["faulted"], got["threads"])
    stack = got["stack"]
    expect(stack["threadId"] == shop.tid and
           stack["totalFrames"] == len(shop.stack), stack)
    # What repeats is folded.
    expect(all(f in shop.stack for f in stack["stackFrames"]), stack)
    expect(len(stack["stackFrames"]) + sum(f["count"] for f in
                                           stack["folds"]) ==
           len(shop.stack), stack)
    expect(got["reason"]["signal"] == "SIGSEGV" and
           got["reason"]["address"] == "0x0", got["reason"])
    names = {s["name"]: s for s in got["scopes"]}
    told = [v["name"] for v in names["Locals"].get("variables", ())]
    expect("big" in told, told)
    # Its ids are those of the standard requests.
    same = c.variables(names["Arguments"]["variablesReference"])
    expect([v["name"] for v in same] == ["n", "depth"], same)
    expect(not got.get("cut"), got.get("cut"))


@row
def a_large_overview_is_cut(shop):
    """Of 1,000 threads; what is missing is never cut."""
    with shown.session(values.snapshot_of(kit.need_inquest(),
                                          "thousand")) as c:
        got = ask(c, "overview")
        expect(size_of_last(c) <= OVERVIEW_MAX, size_of_last(c))
        expect("missing" in got and got["stack"]["stackFrames"], got)
        expect(sum(g["count"] for g in got["groups"]) == 1000, got["groups"])
        full = len(got["threads"]) == 1000 and all(
            len(g["threads"]) == g["count"] for g in got["groups"])
        expect(full or got.get("cut"), got.get("cut"))


@row
def thread_groups(shop):
    groups = ask(shop.c, "threadGroups")["groups"]
    told = sorted(sorted(g["threads"]) for g in groups)
    theirs = sorted(sorted(t["tid"] for t in shop.report["threads"]
                           if t["group"] == k)
                    for k in {t["group"] for t in shop.report["threads"]})
    expect(told == theirs, told, theirs)
    expect(sum(g["count"] for g in groups) == len(shop.threads), groups)
    expect(groups[0]["top"][:2] == ["deref", "descend"], groups[0])


@row
def maps(shop):
    c, ranges, at = shop.c, [], {}
    while True:
        got = ask(c, "maps", count=5, **at)
        ranges += got["ranges"]
        if "next" not in got:
            break
        at = {"address": got["next"]}
    ends = [int(r[k], 0) for r in ranges for k in ("start", "end")]
    expect(ends == sorted(ends) and len(ranges) > 10, ranges)
    whole = ask(c, "maps", count=100000)["ranges"]
    expect(whole == ranges, "pages are not the whole")
    pc = int(shop.stack[0]["instructionPointerReference"], 0)
    expect(any(int(r["start"], 0) <= pc < int(r["end"], 0) for r in ranges),
           hex(pc))
    expect({r["state"] for r in ranges} >= {"captured"}, ranges)


@row
def attributes(shop):
    got = ask(shop.c, "attributes")["attributes"]
    theirs = shop.report["attributes"]
    keys = [a["key"] for a in (theirs if isinstance(theirs, list) else
                               [{"key": k} for k in theirs])]
    expect(sorted(a["key"] for a in got) == sorted(keys), got, keys)


@row
def notes(shop):
    got = ask(shop.c, "notes")["notes"]
    theirs = shop.report["notes"]
    expect(sorted(n["text"] for n in got) ==
           sorted(n["text"] for n in theirs), got, theirs)
    expect(len(got) >= 3, "three threads wait for a mutex")


@row
def annotations(shop):
    expect(ask(shop.c, "annotations")["annotations"] == [], "files")


@row
def describe_address(shop):
    c = shop.c
    for expression, check in (
            ("&many[7]", lambda d: d["variable"]["path"] == "many[7]"),
            ("&n->next", lambda d: d["stack"]["function"] == "main"),
            ("$sp", lambda d: d["stack"]["threadId"] == shop.tid),
            ("$pc", lambda d: d["symbol"]["name"] == "deref" and
             d["line"] == shop.stack[0]["line"])):
        at = c.evaluate(expression, frameId=shop.top)["memoryReference"]
        got = ask(c, "describeAddress", address=at)
        expect(check(got), expression, got)
    got = ask(c, "describeAddress", address="0x10")
    expect("region" not in got and got["text"], got)


@row
def search(shop):
    c = shop.c
    at = c.evaluate("&text[0]", frameId=shop.top)["memoryReference"]
    got = ask(c, "search", text="text in a buffer")
    expect(at in [h["address"] for h in got["hits"]], at, got["hits"])
    page = ask(c, "search", bytes="01000000", count=3)
    expect(len(page["hits"]) == 3 and page["next"], page)
    more = ask(c, "search", bytes="01000000", count=3,
               address=page["next"])
    first, last = more["hits"][0]["address"], page["hits"][-1]["address"]
    expect(int(first, 0) > int(last, 0), first, last)
    none = ask(c, "search", text="nowhere in this process at all: %d"
               % os.getpid())
    expect(not none["hits"] and "next" not in none and none["searched"], none)
    for bad in ({}, {"bytes": "0"}, {"bytes": "zz"}, {"text": ""}):
        expect(c.refusal("inquest/search", bad), bad)


@row
def link(shop):
    """A file on the disk has no URL, and that is said."""
    refused = shop.c.refusal("inquest/link", threadId=shop.tid)
    expect(refused and "URL" in refused.text, refused)


@row
def export(shop):
    """
    What `inquest report` writes where it finds no sources: clients read them
    by themselves. But what died on the line is looked up in them.
    """
    nowhere = kit.source_dir() + "=" + kit.work_dir("dap", "nowhere")

    def report(form, *more):
        said = kit.run([kit.need_inquest(), "report", "-f", form, shop.path,
                        *more], keep=1 << 24,
                       env={**os.environ, "INQUEST_CACHE":
                            kit.work_dir("values.cache")})
        return said.out.decode(errors="surrogateescape")

    plain, named = (json.loads(report("json", *more))["reason"] for more in
                    (("--source-map", nowhere), ()))
    expect(named["expression"] and not plain["expression"], plain, named)
    for form in ("json", "markdown", "text"):
        got = ask(shop.c, "export", format=form)
        said = report(form, "--source-map", nowhere)
        for key in ("text", "expression", "pointer"):
            said = said.replace(*('"%s": %s' % (key, json.dumps(r[key]))
                                  for r in (plain, named)), 1)
        words = [re.sub(r"([`>])", r"\\\1", r["text"])
                 if form == "markdown" else r["text"]
                 for r in (plain, named)]
        said = said.replace(*words)
        expect(got["format"] == form and got["text"] == said,
               form, got["text"][:300], said)
    expect(shop.c.refusal("inquest/export", format="pdf"), "no such format")


@row
def of_a_live_process(shop):
    inquest, made = kit.need_inquest(), build.ensure("waiting")
    path = os.path.join(kit.own_dir(), "waiting.snap")
    with live.running(made) as process:
        result = kit.run([inquest, "capture", *kit.UNHURRIED,
                          str(process.pid), "-o", path])
    expect(result.status == 0, result)
    with shown.session(path) as c:
        expect(c.stopped["reason"] == "pause", c.stopped)
        told = ask(c, "environment")
        expect(told["arguments"][1:] == list(live.WORDS), told)
        expect({"name": "VICTIM", "value": "yes"} in told["variables"], told)
        expect(told["limits"] and told["system"], told)
        fds = ask(c, "fds")["descriptors"]
        expect([d["number"] for d in fds[:3]] == [0, 1, 2], fds)
        tid = c.body("threads")["threads"][1]["id"]
        got = c.ask("inquest/kernelStack", threadId=tid)
        expect(got["success"] or "not captured" in json.dumps(got), got)


@row
def what_has_no_room_is_named(shop):
    """Of more words than are told: never taken for all there are."""
    path = os.path.join(kit.own_dir(), "words.snap")
    with subprocess.Popen([sys.executable, "-c", "print(flush=True); input()",
                           *["word"] * 5000], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        result = kit.run([kit.need_inquest(), "capture", str(process.pid),
                          "--memory", "stacks", "-o", path])
        process.kill()
    expect(result.status == 0, result)
    with shown.session(path) as c:
        told = ask(c, "environment")
        expect(told["cut"] == ["arguments"] and
               len(told["arguments"]) == 4096, told.get("cut"))


@row
def diff(shop):
    directory = kit.own_dir("two")
    paths = [os.path.join(directory, name + ".snap") for name in "ab"]
    for path in paths:
        if os.path.exists(path):
            os.unlink(path)
        kit.run([kit.need_inquest(), "import", build.ensure(
            "jump" if path == paths[1] else "spoken").core, "-o", path])
    said = kit.run([kit.need_inquest(), "diff", "--json", *paths])
    theirs = json.loads(said.out)
    c = client.Client(client.Stdio([kit.need_inquest(), "dap", *paths]))
    c.start()
    got = ask(c, "diff", snapshot=paths[1])
    expect(json.dumps(got).count("jump") > 1 and theirs, got)
    expect(c.refusal("inquest/diff", snapshot="nothing"), "of nowhere")
    c.end()
    expect(not c.faults, c.faults)


def main():
    inquest = kit.need_inquest()
    kit.need_tool("gcc")
    tap = kit.Tap()
    path = values.snapshot_of(inquest, "spoken")
    with shown.session(path) as c:
        shop = Shop(c, path)
        for name in sys.argv[1:] or ROWS:
            answers.judge(tap, name, ROWS[name], shop)
        c.faults = []
    tap.leave()


if __name__ == "__main__":
    main()
