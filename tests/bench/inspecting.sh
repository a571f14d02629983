#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# inspecting.sh: installs what the comparison needs, then runs it:
# inspecting.py tells what is compared. With --no-install it does without what
# is missing.
set -u
source=$(cd "$(dirname "$0")/../.." && pwd)
setup_name='tests/bench/inspecting.sh' steps=1
work=$BUILDDIR/tests/work/inspecting.setup
setup_about="Compares looks into snapshots with debuggers and symbolizers."
. "$source/tests/lib/setup.sh"

how=-y
case ${1:-} in -y | --no-install) how=$1; shift ;; esac
setup_options "$how"
test "$install" = no || setup_tools "$setup_needs_inspecting"
exec python3 "$source/tests/bench/inspecting.py" "$@"
