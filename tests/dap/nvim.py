#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
nvim: nvim-dap in a headless neovim sees why a process died, its frames and its
variables, and stays when it is told that nothing runs; the adapter is started
by it, and listens on a port.

NVIM_DAP=PATH names a copy of nvim-dap: 0.7.0 is the last one for neovim 0.7.
"""

import json
import os
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "victims")]

import heard   # noqa: E402
import kit     # noqa: E402
import values  # noqa: E402


def run_nvim(plugin, inquest, path, port=None):
    """What nvim.lua saw."""
    home = kit.own_dir("nvim")
    result = os.path.join(home, "seen.json")
    if os.path.exists(result):
        os.unlink(result)
    env = {**os.environ, "HOME": home, "XDG_DATA_HOME": home,
           "XDG_CACHE_HOME": home, "XDG_STATE_HOME": home,
           "XDG_CONFIG_HOME": home, "INQUEST": inquest,
           "DAP_SNAPSHOT": path, "DAP_RESULT": result,
           **({"DAP_PORT": port} if port else {})}
    done = kit.run(["nvim", "--headless", "-u", "NONE", "-n", "--cmd",
                    "set rtp+=" + plugin, "-c", "luafile " + os.path.join(
                        HERE, "nvim.lua")], timeout=60, env=env, merge=True)
    try:
        with open(result, encoding="utf-8") as f:
            return json.load(f), done
    except (OSError, ValueError):
        return {}, done


def judged(tap, where, seen, done):
    told = seen.get("requests") or {}
    tap.ok(not seen.get("why") and seen.get("stops") == 1,
           where + ": it stops once", "%s\n%s" % (seen.get("why"), done))
    tap.ok(seen.get("frame", {}).get("name") == "deref" and
           seen["frame"]["path"].endswith("/spoken.c"),
           where + ": the frame of the crash is shown", seen.get("frame"))
    tap.ok(told.get("evaluate", {}).get("result") == "2",
           where + ": an expression is worth something",
           told.get("evaluate"))
    tap.ok(any(v["name"] == "big" and v["value"] == "9007199254740993"
               for v in told.get("variables", {}).get("variables", ())),
           where + ": locals are there", told.get("variables"))
    tap.ok("error" in told.get("next", ()) and
           len(told.get("threads", {}).get("threads", ())) == 4,
           where + ": nothing runs, and it stays", told.get("next"))


def main():
    inquest = kit.need_inquest()
    plugin = os.environ.get("NVIM_DAP")
    if not plugin:
        kit.Tap.skip_all("NVIM_DAP does not name a copy of nvim-dap")
    kit.need_tool("nvim")
    kit.need_tool("gcc")
    tap = kit.Tap()
    path = values.snapshot_of(inquest, "spoken")
    judged(tap, "started", *run_nvim(plugin, inquest, path))
    heard.on_a_port(tap, inquest, path, lambda port: judged(
        tap, "on a port", *run_nvim(plugin, inquest, path, port)))
    tap.leave()


if __name__ == "__main__":
    main()
