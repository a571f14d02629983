# SPDX-License-Identifier: Apache-2.0
"""lldbkit: start lldb on a listener of one snapshot, and take its words."""

import contextlib
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [os.path.join(os.path.dirname(HERE), "victims")]

import kit    # noqa: E402

GO_ON = "settings set interpreter.stop-command-source-on-error false"
# What an lldb without its Python says of that, many times over.
NO_PYTHON = re.compile(r"^(Traceback \(most recent call last\):\n"
                       r"|  File \"<string>\", line .*\n"
                       r"|(ModuleNotFoundError|NameError): .*\n)", re.M)


# Where what is left behind is ours.
TEMPORARY = kit.socket_dir()


def environment(home):
    """Its files in `home`, and no debug files from the net."""
    env = {k: v for k, v in os.environ.items() if k != "DEBUGINFOD_URLS"}
    env.update({"LC_ALL": "C", "TERM": "dumb", "HOME": home,
                "TMPDIR": TEMPORARY})
    return env


@contextlib.contextmanager
def listening(inquest, snapshot, record=None, address="127.0.0.1:0"):
    """The address of a listener of one snapshot."""
    argv = [inquest, "rsp", "--listen", address]
    argv += ["--record", record] if record else []
    process = subprocess.Popen([*argv, "--", snapshot],
                               stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, text=True)
    try:
        yield process.stdout.readline().split()[-1]
    finally:
        process.terminate()
        process.wait()


def text_of(result):
    return NO_PYTHON.sub("", result.out.decode("utf-8", "replace"))


def run(commands, home, argv=("lldb",), timeout=300, early=()):
    """Carry out commands one after the other; whatever fails, the next."""
    script = os.path.join(home, "script")
    with open(script, "w", encoding="utf-8") as f:
        f.write("\n".join(commands) + "\n")
    words = [*argv, "--no-lldbinit", "-b"]
    for command in (GO_ON, *early):
        words += ["-O", command]
    return kit.run([*words, "-s", script], timeout=timeout, cwd="/",
                   env=environment(home), merge=True)


def packets(record):
    """What the client asked, by the recording of inquest rsp."""
    with open(record, "rb") as f:
        sent = b"".join(line.rstrip(b"\n").split(b" ", 3)[-1]
                        for line in f if line.startswith(b"> "))
    return re.findall(rb"\$([^#]*)#[0-9a-f]{2}", sent)
