#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
code: what is shown of code and memory is what other programs say of the same
files: instructions objdump, lines addr2line, build-ids readelf, what was
captured and where bytes are the core itself, sources the files.

  code.py [TEST...]
"""

import contextlib
import ctypes.util
import http.server
import os
import re
import struct
import subprocess
import sys
import tempfile
import threading

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "victims")]

import answers  # noqa: E402
import build   # noqa: E402
import client  # noqa: E402
import kit     # noqa: E402
import shown   # noqa: E402

from answers import expect  # noqa: E402

TESTS = {}
FUNCTIONS = 25
LINE = re.compile(r"^ +([0-9a-f]+):\t((?:[0-9a-f]{2} )+)")
HEAD = re.compile(r"^[0-9a-f]+ <(.*)>:$")


def test(function):
    TESTS[function.__name__] = function
    return function


def run(*argv):
    return subprocess.run(argv, stdin=subprocess.DEVNULL, check=True,
                          stdout=subprocess.PIPE).stdout.decode(
                              "utf-8", "replace")


class Shop:
    def __init__(self, c, made):
        self.c, self.made = c, made
        self.tid = c.stopped["threadId"]
        self.stack = c.stack(self.tid)
        self.module = c.body("modules", moduleCount=1)["modules"][0]
        start = int(self.module["addressRange"].partition("-")[0], 16)
        with open(made.program, "rb") as file:
            kind = struct.unpack_from("<H", file.read(18), 16)[0]
        self.bias = start if kind == 3 else 0      # ET_DYN


# ---- instructions -----------------------------------------------------------

def objdumped(program):
    """{function: [(address, bytes)]} of the first functions of .text."""
    found, now = {}, None
    for line in run("objdump", "-d", "-j", ".text", "-w",
                    program).splitlines():
        head, row = HEAD.match(line), LINE.match(line)
        if head:
            now = found.setdefault(head.group(1), [])
        elif row and now is not None:
            now.append((int(row.group(1), 16), row.group(2).strip()))
    return {name: lines for name, lines in found.items() if lines}


def listed(shop, address, offset, count):
    got = shop.c.body("disassemble", memoryReference=hex(address),
                      instructionOffset=offset, instructionCount=count,
                      resolveSymbols=True)["instructions"]
    return got, [(int(i["address"], 16) - shop.bias,
                  i.get("instructionBytes")) for i in got]


@test
def instructions_are_those_of_objdump(shop):
    functions = objdumped(shop.made.program)
    expect(len(functions) > 5, len(functions))
    for name, theirs in list(functions.items())[:FUNCTIONS]:
        at = shop.bias + theirs[0][0]
        got, ours = listed(shop, at, 0, len(theirs))
        expect(ours == theirs, name, ours[:3], theirs[:3])
        expect(got[0]["symbol"], name, got[0])


@test
def backwards_they_are_the_same(shop):
    for name, theirs in list(objdumped(shop.made.program).items())[
            :FUNCTIONS]:
        last = len(theirs) - 1
        _, ours = listed(shop, shop.bias + theirs[last][0], -last, last + 1)
        expect(ours == theirs, name, ours[:3], theirs[:3])


def told_lines(instructions):
    """(path, line) of each: what is not told is as before."""
    now, found = (None, 0), []
    for i in instructions:
        if "location" in i:
            now = (i["location"]["path"], now[1])
        now = (now[0], i.get("line", now[1]))
        found.append(now)
    return found


@test
def lines_are_those_of_addr2line(shop):
    functions = objdumped(shop.made.program)
    names = [f["name"] for f in shop.stack if f["name"] in functions]
    expect(names, [f["name"] for f in shop.stack])
    for name in sorted(set(names)):
        theirs = functions[name]
        got, _ = listed(shop, shop.bias + theirs[0][0], 0, len(theirs))
        said = run("addr2line", "-e", shop.made.program,
                   *[hex(at) for at, _ in theirs]).splitlines()
        for i, ours, other in zip(got, told_lines(got), said):
            path, line = re.match(r"(.*):(\d+|\?)", other).groups()
            expect(line == "?" or (os.path.realpath(ours[0]), ours[1]) ==
                   (os.path.realpath(path), int(line)), i, ours, other)


# ---- modules, sources, places ------------------------------------------------------

@test
def build_ids_are_those_of_readelf(shop):
    for module in shop.c.body("modules")["modules"]:
        path = shop.made.program if module is shop.module else \
            module.get("path", "")
        if not os.path.isfile(path) or "buildId" not in module:
            continue
        said = re.search(r"Build ID: ([0-9a-f]+)", run("readelf", "-n", path))
        expect(said and said.group(1) == module["buildId"] == module["id"],
               module, said)


@test
def of_symbols_that_were_read_a_client_hears(shop):
    with shown.session(shop.made.core) as c:
        before = c.body("modules")["modules"][0]
        frame = c.stack(c.stopped["threadId"])[0]
        c.variables(c.scopes(frame["id"])["Locals"]["variablesReference"])
        c.body("threads")
        heard = [e for e in c.taken("module")
                 if e["module"]["id"] == before["id"]]
        after = c.body("modules", moduleCount=1)["modules"][0]
        expect(after["symbolStatus"].startswith("debug info"), after)
        expect(before == after or [e["module"] for e in heard] == [after],
               before, heard)


@test
def declarations_are_in_the_sources(shop):
    seen = 0
    for frame in shop.stack[:3]:
        if "spoken.c" not in str(frame.get("source")):
            continue
        scopes = shop.c.scopes(frame["id"])
        for v in shop.c.variables(scopes["Locals"]["variablesReference"]):
            reference = v.get("declarationLocationReference")
            if not reference:
                continue
            place = shop.c.body("locations", locationReference=reference)
            with open(place["source"]["path"], encoding="latin-1") as file:
                text = file.read().splitlines()[place["line"] - 1]
            expect(v["name"].partition("@")[0] in text, v, place, text)
            seen += 1
    expect(seen > 5, seen)


@test
def a_pointer_leads_to_its_function(shop):
    scopes = shop.c.scopes(shop.stack[0]["id"])
    row = next(v for v in shop.c.variables(
        scopes["Locals"]["variablesReference"]) if v["name"] == "function")
    place = shop.c.body("locations",
                        locationReference=row["valueLocationReference"])
    with open(place["source"]["path"], encoding="latin-1") as file:
        text = file.read().splitlines()
    near = text[place["line"] - 2:place["line"] + 1]
    expect("deref(struct node *n, int depth)" in near, place, near)


# ---- memory ----------------------------------------------------------------------------

def loads(core):
    """[(address, bytes)] of what the core has."""
    with open(core, "rb") as file:
        data = file.read()
    offset, size, n = (struct.unpack_from("<Q", data, 32)[0],
                       *struct.unpack_from("<HH", data, 54))
    found = []
    for k in range(n):
        kind, _, off, at, _, length = struct.unpack_from(
            "<IIQQQQ", data, offset + k * size)
        if kind == 1 and length:
            found.append((at, data[off:off + length]))
    return found


def all_ranges(c):
    found, more = [], {}
    while True:
        body = c.body("inquest/maps", count=7, **more)
        found += body["ranges"]
        if "next" not in body:
            return found
        more = {"address": body["next"]}


@test
def what_the_core_has_is_captured(shop):
    ranges = [(int(r["start"], 16), int(r["end"], 16), r["state"])
              for r in all_ranges(shop.c)]
    expect(all(a[1] <= b[0] for a, b in zip(ranges, ranges[1:])), ranges)
    for at, data in loads(shop.made.core):
        inside = [r for r in ranges if r[0] < at + len(data) and at < r[1]]
        covered = sum(min(r[1], at + len(data)) - max(r[0], at)
                      for r in inside)
        expect(covered == len(data) and
               all(r[2] in ("captured", "zero") for r in inside),
               hex(at), len(data), inside)


def hits_of(c, **what):
    found, more = [], {}
    while True:
        body = c.body("inquest/search", count=9, **what, **more)
        found += [int(h["address"], 16) for h in body["hits"]]
        if "next" not in body:
            return found
        more = {"address": body["next"]}


@test
def a_search_finds_what_the_core_has(shop):
    segments = loads(shop.made.core)
    for pattern in (b"text in a buffer", b"\x7fELF", b"spoken"):
        theirs = [at + m.start() for at, data in segments
                  for m in re.finditer(re.escape(pattern), data)]
        expect(theirs, pattern)
        ours = [hit for hit in hits_of(shop.c, bytes=pattern.hex())
                if any(at <= hit < at + len(data) for at, data in segments)]
        expect(ours == sorted(theirs), pattern, ours, theirs)


@test
def an_address_is_that_of_its_variable(shop):
    c, frame = shop.c, shop.stack[0]["id"]
    for expression in ("thousand[17]", "n", "text[5]", "odd[2]", "many[99]",
                       "pairs[1234].b", "global_text", "victim_numbers[3]"):
        at = c.evaluate("&" + expression, frameId=frame)["memoryReference"]
        got = c.body("inquest/describeAddress", address=at)
        expect(got.get("variable", {}).get("path") == expression, expression,
               got)
    got = c.body("inquest/describeAddress",
                 address=shop.stack[0]["instructionPointerReference"])
    expect(got["symbol"]["name"] == "deref" and
           got["line"] == shop.stack[0]["line"], got)


@test
def a_stack_is_that_of_its_frame(shop):
    """Of the same function, 40 deep, the right one."""
    for frame in shop.stack[1:9]:
        at = shop.c.evaluate("&depth", frameId=frame["id"])
        got = shop.c.body("inquest/describeAddress",
                          address=at["memoryReference"])
        expect(got["stack"]["frameId"] == frame["id"] and
               got["variable"]["path"] == "depth", frame["id"], got)


# ---- of snapshots -------------------------------------------------------------------------

@contextlib.contextmanager
def snapshot(*argv):
    path = os.path.join(kit.own_dir(), "code.snap")
    if os.path.exists(path):
        os.unlink(path)
    result = kit.run([kit.need_inquest(), *argv, "-o", path])
    expect(result.status in (0, 6), result)
    with shown.session(path) as c:
        yield c


@test
def an_attached_source_has_a_reference(shop):
    with snapshot("import", "--attach-sources", shop.made.core) as c:
        source = c.stack(c.stopped["threadId"], levels=1)[0]["source"]
        with open(build.source("spoken.c"), encoding="utf-8") as file:
            text = file.read()
        got = c.body("source", sourceReference=source["sourceReference"],
                     source=source)
        expect(got["content"] == text, len(got["content"]), len(text))
        files = c.body("inquest/annotations")["annotations"]
        expect(any(f["name"].endswith("spoken.c") for f in files), files)


@contextlib.contextmanager
def debuginfod(texts):
    """A server of sources, {path of a URL: text}; its URL."""
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            text = texts.get(self.path)
            self.send_response(404 if text is None else 200)
            self.send_header("Content-Length", str(len(text or b"")))
            self.end_headers()
            self.wfile.write(text or b"")

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield "http://127.0.0.1:%d" % server.server_port
    finally:
        server.shutdown()
        server.server_close()


@test
def a_source_comes_by_build_id(shop):
    """And what the server says is shown, not what is on the disk."""
    path = shop.stack[0]["source"]["path"]
    text = "/* another text: \u00fc */\n\f\tint a;\r\n"
    with debuginfod({"/buildid/%s/source%s" % (shop.module["id"], path):
                     text.encode() + b"\x00\xff\x1b"}) as url, \
            tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as cache:
        with in_environment(DEBUGINFOD_URLS=url, DEBUGINFOD_CACHE_PATH=cache,
                            HOME=cache), shown.session(shop.made.core) as c:
            source = c.stack(c.stopped["threadId"], levels=1)[0]["source"]
            if not source.get("sourceReference") and not \
                    ctypes.util.find_library("debuginfod"):
                return
            got = c.body("source", source=source,
                         sourceReference=source["sourceReference"])
            expect(got["content"] == text + "\x00\\xff\x1b", got)
    expect("sourceReference" not in shop.stack[0]["source"], shop.stack[0])


@contextlib.contextmanager
def in_environment(**more):
    before = dict(os.environ)
    os.environ.update(more)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@test
def a_process_has_its_surroundings(_):
    env = {"PATH": os.environ["PATH"], "SHOWN": "a=b ü"}
    # pylint: disable=consider-using-with
    process = subprocess.Popen(["sleep", "60"], env=env,
                               stdin=subprocess.DEVNULL)
    try:
        kit.rests(process.pid)
        with snapshot("capture", str(process.pid)) as c:
            got = c.body("inquest/environment")
            expect(got["arguments"] == ["sleep", "60"] and
                   got["pid"] == process.pid, got)
            expect({v["name"]: v["value"] for v in got["variables"]} == env,
                   got["variables"])
            soft = {row["name"]: row["soft"] for row in got["limits"]}
            expect(soft["Max open files"].isdigit(), soft)
            files = c.body("inquest/fds")["descriptors"]
            expect(files[0]["number"] == 0 and
                   files[0]["name"] == "/dev/null", files)
            keys = {a["key"] for a in
                    c.body("inquest/attributes")["attributes"]}
            expect("hostname" in keys, keys)
            got = c.body("inquest/kernelStack", threadId=process.pid)
            expect(got["state"] == "sleeping" and got["userMs"] >= 0, got)
    finally:
        process.kill()
        process.wait()


# ---- all of them --------------------------------------------------------------------------

def judge(tap, name, shop):
    try:
        TESTS[name](shop)
        why = ""
    except (answers.Wrong, client.Refused, EOFError, KeyError, IndexError,
            StopIteration, ValueError, OSError, shown.Failure,
            subprocess.CalledProcessError) as error:
        why = "%s: %s" % (type(error).__name__, error)
    tap.ok(not why, name.replace("_", " "), why)


def main():
    tap = kit.Tap()
    kit.need_inquest()
    for tool in ("objdump", "addr2line", "readelf"):
        kit.need_tool(tool)
    try:
        made = build.ensure("spoken")
    except build.Failure as error:
        tap.skip("code", str(error))
        return tap.leave()
    with shown.session(made.core) as c:
        shop = Shop(c, made)
        for name in sys.argv[1:] or TESTS:
            judge(tap, name, shop)
    return tap.leave()


if __name__ == "__main__":
    sys.exit(main())
