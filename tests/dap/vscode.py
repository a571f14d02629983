#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
vscode: VS Code, set up as EDITORS.md says, shows why a process died, its stack,
variables and machine code, says why nothing runs, and finds the same snapshot
when its window is loaded anew.

CODE_SERVER=PATH names a directory with npm's code-server and playwright-core in
its node_modules. Pictures are left in the build directory.
"""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "victims")]

import build   # noqa: E402
import heard   # noqa: E402
import kit     # noqa: E402
import values  # noqa: E402

EDITORS = os.path.join(os.path.dirname(os.path.dirname(HERE)), "EDITORS.md")
ENTRY = "code-server/out/node/entry.js"


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)


def set_up(home, port):
    """The folder to open; and an extension, both as EDITORS.md has them."""
    with open(EDITORS, encoding="utf-8") as f:
        launch, extension = re.findall(r"```json\n(.*?)```", f.read(), re.S)
    launch = json.loads(launch)
    launch["configurations"][0]["debugServer"] = int(port)
    launch["configurations"][0]["sourceMap"][0][0] = os.path.dirname(
        build.source("spoken.c"))
    folder = os.path.join(home, "folder")
    write(folder + "/.vscode/launch.json", json.dumps(launch))
    write(home + "/extensions/inquest-1.0.0/package.json", extension)
    shutil.copy(build.source("spoken.c"), folder)
    return folder


@contextlib.contextmanager
def started(argv, line, **more):
    """What the first of its lines that fits has in its group."""
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, start_new_session=True,
                          **more) as process:
        try:
            for said in process.stdout:
                found = re.search(line, said)
                if found:
                    break
            else:
                raise AssertionError("%s did not start" % argv[:2])
            yield found[1]
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)


def run_code(modules, home, folder):
    """What vscode.js saw, and what it printed."""
    pictures = kit.work_dir("dap", "vscode", "pictures")
    env = {**os.environ, "HOME": home}
    argv = ["node", os.path.join(modules, ENTRY), "--auth", "none",
            "--bind-addr", "127.0.0.1:0", "--disable-telemetry",
            "--disable-update-check", "--disable-workspace-trust",
            "--user-data-dir", home + "/data",
            "--extensions-dir", home + "/extensions"]
    with started(argv, r"listening on (http://\S+)", env=env,
                 stderr=subprocess.STDOUT) as url:
        done = kit.run(["node", os.path.join(HERE, "vscode.js"), modules,
                        url.rstrip("/") + "/?folder=" + folder,
                        shutil.which("chromium"), pictures], timeout=500,
                       env=env)
    try:
        return json.loads(done.out), done
    except ValueError:
        return {}, done


def judged(tap, seen, done):
    for name, words, what in (
            ("stack", "deref", "the frame of the crash is chosen"),
            ("why", "READ of 0x0", "the reason is below its line"),
            ("variable", "43", "arguments are there"),
            ("line", "n->next->next", "the source is found"),
            ("console", "2", "an expression is worth something"),
            ("step", "cannot run on", "a step is refused in words"),
            ("disassembly", "mov", "machine code is shown"),
            ("reloaded", "deref", "a window that was reloaded finds it")):
        text = str(seen.get(name, done))
        tap.ok(words in text and not text.startswith("not seen"), what, text)


def main():
    inquest = kit.need_inquest()
    place = os.environ.get("CODE_SERVER")
    if not place:
        kit.Tap.skip_all("CODE_SERVER does not name a copy of code-server")
    for tool in ("node", "chromium", "gcc"):
        kit.need_tool(tool)
    tap = kit.Tap()
    home = kit.work_dir("dap", "vscode")
    shutil.rmtree(home)
    recording = os.path.join(kit.work_dir("dap", "vscode"), "record")
    with started([inquest, "dap", "--listen", "127.0.0.1:0", "--record",
                  recording, values.snapshot_of(inquest, "spoken")],
                 r"listening on .*:(\d+)", stderr=subprocess.DEVNULL) as port:
        judged(tap, *run_code(os.path.join(place, "node_modules"), home,
                              set_up(home, port)))
    wrong, count = heard.faults(recording)
    tap.ok(not wrong and count > 20, "all messages are valid",
           "\n".join(wrong))
    tap.leave()


if __name__ == "__main__":
    main()
