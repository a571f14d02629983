#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# check.sh: installs what lldb's comparison needs, then runs it: golden.py tells
# what is compared. With --no-install it says what is missing.
set -u
source=$(cd "$(dirname "$0")/../.." && pwd)
setup_name='tests/lldb/check.sh' steps=1 work=$BUILDDIR/tests/work/lldb.setup
setup_about="Compares lldb on a snapshot with lldb on the process itself."
. "$source/tests/lib/setup.sh"

how=-y
case ${1:-} in -y | --no-install) how=$1; shift ;; esac
setup_options "$how"
setup_tools "$setup_needs_lldb"
python3 "$source/tests/lldb/golden.py" "$@"
failed=$?
python3 "$source/tests/lldb/packets.py" || failed=1
exit $failed
