#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run.sh: runs libFuzzer programs over inputs that grow out of their seeds.
#
# run.sh SOURCEDIR BUILDDIR RUNS FLAGS TARGET... - what is found new is kept in
# BUILDDIR/corpus/NAME, what fails in BUILDDIR/found/NAME. Without -max_len in
# FLAGS libFuzzer allows inputs as long as the longest seed, at least 4 KiB.
# An input of dap and of rsp is a session: it runs until there were 100 times RUNS
# messages, or FUZZ_PACKETS of the environment, and without what is slow in
# libFuzzer.
set -u
source=$1 build=$2 runs=$3 flags=$4
shift 4
failed=0
# What was freed a moment ago is in the processor's cache still, and what was
# freed long ago is not what an input of some kilobytes uses.
export ASAN_OPTIONS="${ASAN_OPTIONS-malloc_context_size=2:quarantine_size_mb=1:\
thread_local_quarantine_size_kb=64:max_malloc_fill_size=64:\
allocator_release_to_os_interval_ms=-1}"

for target; do
	name=${target##*/fuzz-}
	corpus=$build/corpus/$name found=$build/found/$name
	mkdir -p "$corpus" "$found"
	before=$(date +%s)
	own="" enough=""
	case $name in
	dap|rsp)
		own="-runs=-1 -entropic=0"
		enough=${FUZZ_PACKETS:-$((runs * 100))} ;;
	esac
	# Flags are words.
	# shellcheck disable=SC2086
	if FUZZ_PACKETS=$enough "$build/$target" -runs="$runs" -timeout=10 -rss_limit_mb=2048 \
	    -print_final_stats=1 -artifact_prefix="$found/" $own $flags \
	    "$corpus" "$source/tests/fuzz/seeds/$name" \
	    >"$build/$name.log" 2>&1; then
		how=ok
	else
		how=FAILED failed=1
	fi
	ran=$(sed -n 's/^stat::number_of_executed_units: *//p' \
		"$build/$name.log")
	packets=$(sed -n 's/^stat::number_of_packets: *//p' "$build/$name.log")
	echo "fuzz $name: $how, ${ran:-0} inputs${packets:+, $packets packets}" \
		"in $(($(date +%s) - before)) s, log $build/$name.log"
done
exit $failed
