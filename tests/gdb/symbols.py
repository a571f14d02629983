#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
symbols: a machine with nothing but gdb gets everything from the server.

The program and its library are deleted, or lie under another program; gdb
runs where their directory and /usr/lib/debug are empty (a mount namespace).
What the stub has at hand changes from case to case: debuginfod (a server of
this test), build-id directories, the file itself, sources attached to the
snapshot, or nothing.
"""

import contextlib
import http.server
import os
import re
import shutil
import subprocess
import sys
import threading
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [os.path.join(os.path.dirname(HERE), "victims")]

import build    # noqa: E402
import kit      # noqa: E402

# Where its sources are said to be: nowhere.
WRITTEN = "/home/nobody/app"
PROGRAM = """\
#include <stddef.h>
struct item { int weight; struct item *next; };
extern int library_sum(struct item *i);
static struct item last = { 42, (struct item *)16 };
struct item app_first = { 17, &last };
static __thread int app_tls = 7;
int
main(int argc, char **argv)
{
	struct item mine = { argc + 4, &app_first };
	app_tls += argc;
	return library_sum(&mine);
}
"""
LIBRARY = """\
struct item { int weight; struct item *next; };
int library_calls = 3;
int
library_sum(struct item *i)
{
	int sum = 0;
	library_calls++;
	for (; i; i = i->next)
		sum += i->weight;	/* the crash */
	return sum;
}
"""
INIT = "python exec(gdb.execute('monitor init', to_string=True))"
LOOKS = ["bt", "info locals", "up", "info locals", "info source",
         "p app_first", "p app_tls", "ptype app_first", "p library_calls",
         "info sharedlibrary", "frame 0", "list main", "info line main"]
# What a case has: full information, or names alone.
FULL = [r"#0 +0x\w+ in library_sum \(i=0x10\) at \S*/lib\.c:9\n",
        r"#1 +0x\w+ in main \(argc=1, argv=0x\w+\) at \S*/app\.c:12\n",
        r"\nsum = 64\n", r"mine = \{weight = 5, next = 0x\w+ <app_first>\}",
        r"= \{weight = 17, next = 0x\w+ <last>\}", r"= 8\n",
        r"type = struct item \{", r"= 4\n", r"Yes +(\(\*\) )?\S*/liblib\.so\n",
        r"Line 9 of \"\S*app\.c\"|Line \d+ of \"\S*app\.c\""]
SOURCE = [r"\n9\t\t+sum \+= i->weight;\t/\* the crash \*/\n",
          r"\n7\tint\n8\tmain\(int argc, char \*\*argv\)\n"]
NAMES = [r"#0 +0x\w+ in library_sum \(\)", r"#1 +0x\w+ in main \(\)",
         r"Yes \(\*\) +\S*/liblib\.so\n"]


class App:
    """The program, its library, their debug files and a snapshot."""

    def __init__(self, inquest):
        self.directory = kit.work_dir("gdb-symbols")
        shutil.rmtree(self.directory)
        self.home = os.path.join(self.directory, "home")
        self.web = os.path.join(self.directory, "web")
        self.debug = os.path.join(self.directory, "debug")
        os.makedirs(self.home)
        os.makedirs(self.web)
        self.program = os.path.join(self.home, "app")
        self.library = os.path.join(self.home, "liblib.so")
        self.build()
        self.snapshot = self.capture(inquest, "app.snap")
        self.attached = self.capture(inquest, "attached.snap", "--attach",
                                     self.path("lib.c"), "--attach",
                                     self.path("app.c"))
        self.carrying = self.capture(
            inquest, "carrying.snap",
            *[w for name in ("lib.c", "app.c", "home/app.stripped",
                             "home/liblib.so.stripped", "app.debug",
                             "liblib.so.debug")
              for w in ("--attach", self.path(name))])

    def path(self, name):
        return os.path.join(self.directory, name)

    def build(self):
        for name, text in (("app.c", PROGRAM), ("lib.c", LIBRARY)):
            with open(self.path(name), "w", encoding="ascii") as f:
                f.write(text)
        flags = ["gcc", "-g", "-O0", "-Wl,--build-id",
                 "-ffile-prefix-map=%s=%s" % (self.directory, WRITTEN)]
        build.call([*flags, "-shared", "-fPIC", "-o", self.library,
                    self.path("lib.c")], self.directory)
        build.call([*flags, "-o", self.program, self.path("app.c"),
                    self.library], self.directory)
        for name, source in ((self.program, "app.c"),
                             (self.library, "lib.c")):
            self.publish(name, source)

    def publish(self, elf, source):
        """As debuginfod and as a build-id directory; then strip it."""
        notes = subprocess.check_output(["readelf", "-n", elf], text=True)
        build_id = re.search(r"Build ID: ([0-9a-f]+)", notes)[1]
        web = os.path.join(self.web, "buildid", build_id)
        os.makedirs(web + "/source" + WRITTEN)
        build.call(["objcopy", "--only-keep-debug", elf, web + "/debuginfo"],
                   self.directory)
        shutil.copy(self.path(source), web + "/source" + WRITTEN)
        shutil.copy(web + "/debuginfo",
                    self.path(os.path.basename(elf) + ".debug"))
        place = os.path.join(self.debug, ".build-id", build_id[:2])
        os.makedirs(place)
        shutil.copy(web + "/debuginfo",
                    "%s/%s.debug" % (place, build_id[2:]))
        shutil.copy(elf, elf + ".full")
        build.call(["strip", "--strip-debug", elf], self.directory)
        shutil.copy(elf, web + "/executable")
        shutil.copy(elf, elf + ".stripped")

    def capture(self, inquest, name, *options):
        path = self.path(name)
        result = kit.run([inquest, "capture", "-o", path, *options, "--",
                          self.program], cwd=self.home)
        assert os.path.exists(path), result
        return path

    def place(self, kind):
        """The files at their old paths: "full", "stripped", "other", None."""
        for elf in (self.program, self.library):
            if os.path.exists(elf):
                os.unlink(elf)
            if kind == "other":
                shutil.copy(shutil.which("true"), elf)
            elif kind:
                shutil.copy(elf + "." + kind, elf)


@contextlib.contextmanager
def debuginfod(app, seconds=0):
    """The layout that a debuginfod serves; what was asked for is kept."""
    asked = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args, **more):
            super().__init__(*args, directory=app.web, **more)

        def do_GET(self):
            time.sleep(seconds)
            super().do_GET()

        def log_message(self, *args):
            asked.append(self.path)

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield "http://127.0.0.1:%d" % server.server_port, asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def environment(app, url):
    env = {k: v for k, v in os.environ.items()
           if not k.startswith("DEBUGINFOD")}
    env["DEBUGINFOD_CACHE_PATH"] = os.path.join(app.directory, "cache")
    if url:
        env["DEBUGINFOD_URLS"] = url
    return env


def apart(mounts, words):
    """A command where these directories have other contents, or none."""
    script = "".join(
        "mount -t tmpfs none '%s' && " % at if with_ is None else
        "mount --bind '%s' '%s' && " % (with_, at) for at, with_ in mounts)
    return ["unshare", "-rm", "sh", "-c", script + 'exec "$@"', "-", *words]


def can_be_apart():
    return kit.run(apart([("/mnt", None)], ["true"])).status == 0


@contextlib.contextmanager
def serving(app, inquest, snapshot, url=None, debug=None):
    words = [inquest, "rsp", "--listen", "127.0.0.1:0", snapshot]
    process = subprocess.Popen(
        apart([("/usr/lib/debug", debug)], words), env=environment(app, url),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL)
    try:
        yield process.stdout.readline().split()[-1].decode()
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


# Symbol files as they are put.
FILES = ["app.debug", "liblib.so.debug", "home/app.stripped",
         "home/liblib.so.stripped"]


@contextlib.contextmanager
def server(app, inquest, snapshot, url, files=None):
    """The commands that attach to it in a store that is served; @files is
    the project that symbol files are put into."""
    store = app.path("store")
    shutil.rmtree(store, ignore_errors=True)
    kit.run([inquest, "put", "--store", store, snapshot])
    if files:
        kit.run([inquest, "put", "--store", store, "-p", files,
                 *map(app.path, FILES)])
    words = [inquest, "serve", "--store", store, "--http", "none", "--rsp",
             "127.0.0.1:0"]
    process = subprocess.Popen(
        apart([("/usr/lib/debug", None)], words), env=environment(app, url),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL)
    try:
        address = process.stdout.readline().split()[-1].decode()
        with open(store + "/token", encoding="ascii") as f:
            token = f.read().strip()
        yield ["target extended-remote " + address, "monitor auth " + token,
               "info os snapshots", "attach 1"]
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


def gdb(app, opening, init=True, seconds=60, more=(), looks=tuple(LOOKS)):
    words = ["gdb", "-nx", "-q", "-batch", "-ex", "set width 0",
             "-iex", "set debuginfod enabled off",
             "-ex", "set remotetimeout %d" % seconds]
    if isinstance(opening, str):
        opening = ["target remote " + opening]
    for command in [*opening, *([INIT] if init else []), *looks, *more]:
        words += ["-ex", command]
    hidden = [(app.home, None), ("/usr/lib/debug", None)]
    return kit.run(apart(hidden, words), timeout=300, merge=True, cwd="/",
                   env=dict(environment(app, None), LC_ALL="C"))


def hold(tap, name, result, wanted, unwanted=()):
    text = result.out.decode("utf-8", "replace")
    missing = [p for p in wanted if not re.search(p, text)]
    found = [p for p in unwanted if re.search(p, text)]
    tap.ok(not missing and not found, name,
           "missing: %s\nunwanted: %s\n%s" % (missing, found, text))


def cases(tap, app, inquest):
    with debuginfod(app) as (url, asked):
        app.place(None)
        with serving(app, inquest, app.snapshot, url) as address:
            hold(tap, "all files gone, debuginfod: state and sources",
                 gdb(app, address), FULL + SOURCE)
            kinds = {path.split("/")[3] for path in asked}
            tap.ok(kinds >= {"executable", "debuginfo", "source"},
                   "debuginfod was asked by build-id, also for sources",
                   asked)
            hold(tap, "a gdb that knows nothing of it has all but sources",
                 gdb(app, address, init=False), FULL, SOURCE)
        with server(app, inquest, app.snapshot, url) as opening:
            hold(tap, "the same from a server, over TCP",
                 gdb(app, opening), FULL + SOURCE)
        app.place("other")
        with serving(app, inquest, app.snapshot, url) as address:
            hold(tap, "other programs at their paths are not taken",
                 gdb(app, address), FULL + SOURCE)
    app.place("stripped")
    with serving(app, inquest, app.snapshot, debug=app.debug) as address:
        hold(tap, "build-id directories of the server: state, no sources",
             gdb(app, address), FULL, SOURCE)
    app.place("full")
    with serving(app, inquest, app.attached) as address:
        hold(tap, "the files are there, sources are in the snapshot",
             gdb(app, address), FULL + SOURCE)
    app.place(None)
    with serving(app, inquest, app.attached) as address:
        hold(tap, "nothing but the snapshot: names and stacks",
             gdb(app, address), NAMES, FULL)
    with serving(app, inquest, app.carrying) as address:
        hold(tap, "nothing but a snapshot that has all attached",
             gdb(app, address), FULL + SOURCE)
    app.place("other")
    with serving(app, inquest, app.snapshot) as address:
        hold(tap, "nothing but the snapshot, other programs at their paths",
             gdb(app, address), NAMES, FULL)


def stored(tap, app, inquest):
    """Symbol files of a snapshot's project are found, others are not."""
    shutil.rmtree(os.path.join(app.directory, "cache"), ignore_errors=True)
    app.place(None)
    with server(app, inquest, app.snapshot, None, "other") as opening:
        hold(tap, "symbol files of another project are not taken",
             gdb(app, opening), NAMES, FULL)
    with server(app, inquest, app.attached, None, "default") as opening:
        hold(tap, "a server finds the symbol files of the project",
             gdb(app, opening), FULL + SOURCE)
    with debuginfod(app) as (url, asked), \
            server(app, inquest, app.snapshot, url, "default") as opening:
        hold(tap, "and asks debuginfod for the rest",
             gdb(app, opening), FULL + SOURCE)
        ours = os.listdir(app.path("web/buildid"))
        tap.ok({kind for _, _, id_, kind, *_ in (p.split("/") for p in asked)
                if id_ in ours} == {"source"}, "which are sources", asked)
    env = dict(environment(app, None), INQUEST_STORE=app.path("store"))
    for word, wanted in (("@latest", r"library_sum\+0x\w+ at \S*/lib\.c:9"),
                         (app.snapshot, r"library_sum\+0x\w+ in ")):
        result = kit.run([inquest, "report", word], env=env)
        hold(tap, "a report of %s finds them as well" % word if "@" in word
             else "one of a file does not look into a store", result,
             [wanted])


# By then all that debuginfod has came, to the directory behind this.
COME = ("shell for n in `seq 600`; do test `find '%s' -name debuginfo -size "
        "+0 -o -name executable -size +0 | wc -l` -ge 4 && break; sleep 0.1; "
        "done")


def late(tap, app, inquest):
    """gdb gives a question up after some seconds, and takes the late answer
    for that to its next one: no question may take so long."""
    cache = os.path.join(app.directory, "cache")
    shutil.rmtree(cache, ignore_errors=True)
    app.place(None)
    with debuginfod(app, 6) as (url, _):
        for name, more, wanted in (
                ("a slow debuginfod: names, and no trouble", [COME % cache],
                 NAMES),
                ("the next time all is there", [], FULL)):
            with serving(app, inquest, app.snapshot, url) as address:
                hold(tap, name, gdb(app, address, False, 4, more), wanted,
                     [r"Ignoring packet error", r"Received too much"])


def main():
    inquest = kit.need_inquest()
    for tool in ("gdb", "gcc", "unshare", "objcopy", "readelf"):
        kit.need_tool(tool)
    if not can_be_apart():
        kit.Tap.skip_all("no mount namespaces here")
    tap = kit.Tap()
    app = App(inquest)
    cases(tap, app, inquest)
    stored(tap, app, inquest)
    late(tap, app, inquest)
    tap.leave()


if __name__ == "__main__":
    main()
