#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
driver: a whole session of the client that npm's debugadapter-testsupport is,
over a pipe and over TCP; all that it was answered was valid.

It comes by npm once per build directory; without node, npm or a network the
test is skipped. DAP_NPM names a directory that has it.
"""

import contextlib
import os
import shlex
import subprocess
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "victims")]

import build   # noqa: E402
import heard   # noqa: E402
import kit     # noqa: E402
import values  # noqa: E402

PACKAGES = ("@vscode/debugadapter-testsupport@1.68.0",
            "@vscode/debugprotocol@1.68.0")
DEADLINE = 60


def modules():
    """The folder of node's modules; skips where there is no way to it."""
    given = os.environ.get("DAP_NPM")
    if given:
        return given
    kit.need_tool("node")
    kit.need_tool("npm")
    directory = kit.work_dir("npm")
    folder = os.path.join(directory, "node_modules")
    with build.locked(directory):
        if not os.path.isdir(os.path.join(folder, "@vscode",
                                          "debugadapter-testsupport")):
            install(directory)
    return folder


def install(directory):
    done = kit.run(["npm", "install", "--prefix", directory, "--no-save",
                    "--no-package-lock", "--ignore-scripts", "--no-audit",
                    "--no-fund", "--prefer-offline", *PACKAGES],
                   timeout=DEADLINE, cwd=directory)
    if done.status:
        kit.Tap.skip_all("npm has no @vscode/debugadapter-testsupport here: "
                         + kit.tail(done.err, 200).strip().replace("\n", " "))


def judged(tap, where, argv, recording):
    """The driver's own verdicts, and the schemas' of what it was told."""
    done = kit.run(argv, timeout=4 * DEADLINE, cwd=kit.own_dir())
    said = done.out.decode("utf-8", "replace").splitlines()
    for k, line in enumerate(said):
        if line.startswith(("ok ", "not ok ")):
            detail = [l for l in said[k + 1:k + 12] if l.startswith("# ")]
            tap.ok(line.startswith("ok"), "%s: %s" % (
                where, line.partition(" - ")[2]),
                "\n".join(d[2:] for d in detail))
    tap.ok(done.status in (0, 1) and said and said[-1].startswith("1.."),
           where + ": it came to its end", done)
    with contextlib.suppress(OSError):
        wrong, count = heard.faults(recording)
        tap.ok(not wrong and count > 30, "%s: all messages are valid" % where,
               "\n".join(wrong))


def over_a_pipe(tap, inquest, path, folder):
    script = os.path.join(kit.own_dir(), "adapter.sh")
    recording = script + ".record"
    with contextlib.suppress(FileNotFoundError):
        os.unlink(recording)
    with open(script, "w", encoding="utf-8") as f:
        f.write("exec %s\n" % shlex.join([inquest, "dap", "--record",
                                          recording, path]))
    judged(tap, "pipe", ["node", os.path.join(HERE, "driver.js"), folder,
                         script], recording)


def over_tcp(tap, inquest, path, folder):
    recording = os.path.join(kit.own_dir(), "tcp.record")
    with contextlib.suppress(FileNotFoundError):
        os.unlink(recording)
    with subprocess.Popen(
            [inquest, "dap", "--listen", "127.0.0.1:0", "--record",
             recording, path], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True) as process:
        try:
            line = process.stdout.readline()
            port = line.strip().rpartition(":")[2]
            tap.ok(port.isdigit(), "TCP: it says where it listens", line)
            if port.isdigit():
                judged(tap, "TCP", ["node", os.path.join(HERE, "driver.js"),
                                    folder, port], recording)
        finally:
            process.terminate()


def main():
    inquest = kit.need_inquest()
    kit.need_tool("gcc")
    folder = modules()
    tap = kit.Tap()
    path = values.snapshot_of(inquest, "spoken")
    over_a_pipe(tap, inquest, path, folder)
    over_tcp(tap, inquest, path, folder)
    tap.leave()


if __name__ == "__main__":
    main()
