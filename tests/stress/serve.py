#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""serve: tests/serve/kill.py at length, 200 kills of a server at work."""

import os
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
KILL = os.path.join(os.path.dirname(HERE), "serve", "kill.py")

os.execv(sys.executable, [sys.executable, KILL, "--count", "200",
                          *sys.argv[1:]])
