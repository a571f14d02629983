#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# check.sh: installs what gdb's own test suite needs, then runs it; run.py
# tells what is done. With --no-install it says what is missing.
set -u
source=$(cd "$(dirname "$0")/../.." && pwd)
setup_name='tests/suite/check.sh' steps=1 work=$BUILDDIR/tests/work/suite.setup
setup_about="Runs gdb's own test suite on gdbserver and on inquest's stub."
. "$source/tests/lib/setup.sh"

how=-y
case ${1:-} in -y | --no-install) how=$1; shift ;; esac
setup_options "$how"
setup_tools "$setup_needs_suite"
exec python3 "$source/tests/suite/run.py" "$@"
