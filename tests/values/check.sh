#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# check.sh --all|--real: installs what the corpus, or the real programs, need,
# then compares all of it; values.py tells what is done. With --no-install
# after that it says what is missing.
set -u
source=$(cd "$(dirname "$0")/../.." && pwd)
setup_name='tests/values/check.sh' steps=1
work=$BUILDDIR/tests/work/values.setup
setup_about="Compares gdb's values of a corpus of programs with inquest's."
. "$source/tests/lib/setup.sh"

which=$1 how=-y
shift
case ${1:-} in -y | --no-install) how=$1; shift ;; esac
setup_options "$how"
case $which in
--all) setup_tools "$setup_needs_values" ;;
*) setup_tools "$setup_needs_real_values" ;;
esac
exec python3 "$source/tests/values/values.py" "$which" "$@"
