# SPDX-License-Identifier: Apache-2.0
# Tests, fuzz targets, stress runs and benchmarks: add a line to a list.

# One cmocka program each; its source is NAME.c.
UNIT_TESTS = \
	tests/unit/t-aarch64 \
	tests/unit/t-analysis-cause \
	tests/unit/t-analysis-groups \
	tests/unit/t-analysis-missing \
	tests/unit/t-analysis-source \
	tests/unit/t-arena \
	tests/unit/t-base64 \
	tests/unit/t-buf \
	tests/unit/t-cut \
	tests/unit/t-capture-lane \
	tests/unit/t-capture-pages \
	tests/unit/t-capture-process \
	tests/unit/t-capture-texts \
	tests/unit/t-cfi \
	tests/unit/t-cfi-brief \
	tests/unit/t-cfi-row \
	tests/unit/t-confined \
	tests/unit/t-constants \
	tests/unit/t-console \
	tests/unit/t-core \
	tests/unit/t-core-out \
	tests/unit/t-dap-bounds \
	tests/unit/t-dap-session \
	tests/unit/t-dap-memory \
	tests/unit/t-dap-refs \
	tests/unit/t-dap-view \
	tests/unit/t-dap-code \
	tests/unit/t-dap-facts \
	tests/unit/t-disasm \
	tests/unit/t-err \
	tests/unit/t-exported \
	tests/unit/t-expr \
	tests/unit/t-hash \
	tests/unit/t-ingest \
	tests/unit/t-io \
	tests/unit/t-jail \
	tests/unit/t-jail-escape \
	tests/unit/t-jail-libs \
	tests/unit/t-jail-limits \
	tests/unit/t-jail-parts \
	tests/unit/t-jemalloc \
	tests/unit/t-json \
	tests/unit/t-modules \
	tests/unit/t-net-messages \
	tests/unit/t-net-names \
	tests/unit/t-opt \
	tests/unit/t-pieces \
	tests/unit/t-pool \
	tests/unit/t-rd \
	tests/unit/t-reach \
	tests/unit/t-redact \
	tests/unit/t-regs \
	tests/unit/t-save \
	tests/unit/t-search \
	tests/unit/t-serve-control \
	tests/unit/t-serve-follow \
	tests/unit/t-serve-record \
	tests/unit/t-serve-tokens \
	tests/unit/t-skeleton \
	tests/unit/t-snap-damage \
	tests/unit/t-snap-dump \
	tests/unit/t-snap-moved \
	tests/unit/t-snap-newer \
	tests/unit/t-snap-parts \
	tests/unit/t-snap-read \
	tests/unit/t-snap-write \
	tests/unit/t-source \
	tests/unit/t-space \
	tests/unit/t-store \
	tests/unit/t-store-damage \
	tests/unit/t-store-find \
	tests/unit/t-store-random \
	tests/unit/t-store-traps \
	tests/unit/t-stub-ahead \
	tests/unit/t-stub-args \
	tests/unit/t-stub-documents \
	tests/unit/t-stub-files \
	tests/unit/t-stub-framing \
	tests/unit/t-stub-host \
	tests/unit/t-stub-recorded \
	tests/unit/t-stub-overlay \
	tests/unit/t-stub-session \
	tests/unit/t-stub-timeline \
	tests/unit/t-stub-transcripts \
	tests/unit/t-supply \
	tests/unit/t-supply-disk \
	tests/unit/t-symtable \
	tests/unit/t-symbols \
	tests/unit/t-tls \
	tests/unit/t-units \
	tests/unit/t-unwind \
	tests/unit/t-values-circles \
	tests/unit/t-values-loc \
	tests/unit/t-values-made \
	tests/unit/t-values-text \
	tests/unit/t-view

# What several unit tests share.
UNIT_HELPERS = \
	tests/unit/assert-err.h \
	tests/unit/await.c \
	tests/unit/await.h \
	tests/unit/jail-run.c \
	tests/unit/jail-run.h \
	tests/unit/make-core.c \
	tests/unit/make-core.h \
	tests/unit/make-hosted.c \
	tests/unit/make-hosted.h \
	tests/unit/make-linked.c \
	tests/unit/make-object.c \
	tests/unit/make-object.h \
	tests/unit/make-opened.c \
	tests/unit/make-opened.h \
	tests/unit/make-served.c \
	tests/unit/make-served.h \
	tests/unit/make-spoken.c \
	tests/unit/make-spoken.h \
	tests/unit/snap-craft.c \
	tests/unit/snap-craft.h \
	tests/unit/snap-sample.c \
	tests/unit/snap-sample.h \
	tests/unit/store-on.c \
	tests/unit/store-on.h \
	tests/symbols/walk.c \
	tests/symbols/walk.h \
	tests/unit/temp-tree.c \
	tests/unit/temp-tree.h

# One LLVMFuzzerTestOneInput() each; its source is NAME.c, its seeds are files
# in tests/fuzz/seeds/NAME-without-"fuzz-"/.
FUZZ_TARGETS = \
	tests/fuzz/fuzz-cfi \
	tests/fuzz/fuzz-console \
	tests/fuzz/fuzz-constants \
	tests/fuzz/fuzz-control \
	tests/fuzz/fuzz-core \
	tests/fuzz/fuzz-dap \
	tests/fuzz/fuzz-disasm \
	tests/fuzz/fuzz-exported \
	tests/fuzz/fuzz-expr \
	tests/fuzz/fuzz-fileid \
	tests/fuzz/fuzz-maps \
	tests/fuzz/fuzz-ingest \
	tests/fuzz/fuzz-reach \
	tests/fuzz/fuzz-redact \
	tests/fuzz/fuzz-rsp \
	tests/fuzz/fuzz-snapfmt \
	tests/fuzz/fuzz-source \
	tests/fuzz/fuzz-store \
	tests/fuzz/fuzz-supply \
	tests/fuzz/fuzz-symidx \
	tests/fuzz/fuzz-values \
	tests/fuzz/fuzz-values-text \
	tests/fuzz/fuzz-symmake

tests_fuzz_fuzz_dap_SOURCES = tests/fuzz/fuzz-dap.c tests/fuzz/dap-mutate.c \
	tests/fuzz/dap-world.c tests/fuzz/dap-world.h
tests_fuzz_fuzz_dap_CPPFLAGS = $(AM_CPPFLAGS) \
	-DSEEDS='"$(abs_top_srcdir)/tests/fuzz/seeds/values/"'
tests_fuzz_fuzz_rsp_SOURCES = tests/fuzz/fuzz-rsp.c tests/fuzz/rsp-mutate.c

# Writes the seeds of fuzz-core anew.
EXTRA_PROGRAMS = tests/fuzz/make-core-seeds
core-seeds: tests/fuzz/make-core-seeds
	tests/fuzz/make-core-seeds $(top_srcdir)/tests/fuzz/seeds/core

# Writes the snapshots that tests/format reads; they are fuzz seeds as well.
check_PROGRAMS += tests/format/make-sample
snapfmt-seeds: tests/format/make-sample
	for s in small large moved; do \
		tests/format/make-sample $$s \
			$(top_srcdir)/tests/fuzz/seeds/snapfmt/$$s >$$s.txt && \
		rm $$s.txt || exit 1; \
	done

# Writes the seeds of fuzz-dap anew.
dap-seeds:
	$(top_srcdir)/tests/dap/seeds.py $(top_srcdir)/tests/fuzz/seeds/dap

# What tests/stub/many.py talks to.
check_PROGRAMS += tests/stub/hosted

# What tests/stub/make-recordings.py records debuggers on.
check_PROGRAMS += tests/stub/made
stub-recordings: tests/stub/made
	@$(TESTS_SETTINGS) \
	$(top_srcdir)/tests/stub/make-recordings.py

# What tests/unwind/compare.py compares: prints what inspect has.
check_PROGRAMS += tests/unwind/stacks

# What tests/capture takes pictures with, unjailed.
check_PROGRAMS += tests/capture/take

# Our decoders beside objdump, for tests/disasm.
check_PROGRAMS += tests/disasm/sweep

# Variables and expressions of a core, for the scripts of tests/values.
check_PROGRAMS += tests/values/look

# The Debug Adapter Protocol without a session, for the scripts of tests/dap.
check_PROGRAMS += tests/dap/speak
tests_dap_speak_SOURCES = tests/dap/speak.c tests/fuzz/dap-world.c \
	tests/fuzz/dap-world.h
tests_dap_speak_CPPFLAGS = $(tests_fuzz_fuzz_dap_CPPFLAGS)

tests_unit_t_dap_bounds_SOURCES = tests/unit/t-dap-bounds.c \
	tests/fuzz/dap-world.c tests/fuzz/dap-world.h
tests_unit_t_dap_bounds_CPPFLAGS = $(tests_fuzz_fuzz_dap_CPPFLAGS)
tests_unit_t_dap_session_SOURCES = tests/unit/t-dap-session.c \
	tests/fuzz/dap-world.c tests/fuzz/dap-world.h
tests_unit_t_dap_session_CPPFLAGS = $(tests_fuzz_fuzz_dap_CPPFLAGS)

# Makes an index of symbols and shows what is in one.
check_PROGRAMS += tests/symbols/symidx

# A store from the command line, for the scripts of tests/store.
check_PROGRAMS += tests/store/drive

# Many debuggers at once, for tests/bench/sessions.py.
check_PROGRAMS += tests/bench/load

# Frames a second, for tests/bench/unwind.py.
check_PROGRAMS += tests/bench/unwind

# Reads of a stored snapshot, for tests/bench/randomly.py.
check_PROGRAMS += tests/bench/random

# Scripts that print TAP.
SCRIPT_TESTS = \
	tests/aarch64/compile.py \
	tests/aarch64/instructions.py \
	tests/aarch64/live.py \
	tests/aarch64/same-as-core.py \
	tests/aarch64/values.py \
	tests/badinput/short.py \
	tests/capture/around.py \
	tests/capture/hostile.py \
	tests/capture/live.py \
	tests/capture/frozen.py \
	tests/capture/jemalloc.py \
	tests/capture/constants.py \
	tests/capture/reach.py \
	tests/capture/races.py \
	tests/capture/run.py \
	tests/capture/programs.py \
	tests/cmd/cache.py \
	tests/cmd/capture.py \
	tests/cmd/dap.py \
	tests/cmd/disasm.py \
	tests/cmd/diff.py \
	tests/cmd/doctor.py \
	tests/cmd/drivers.py \
	tests/cmd/export.py \
	tests/cmd/gdb.py \
	tests/cmd/globals.py \
	tests/cmd/import.py \
	tests/cmd/index.py \
	tests/cmd/kept.py \
	tests/cmd/print.py \
	tests/cmd/put.py \
	tests/cmd/report.py \
	tests/cmd/room.py \
	tests/cmd/rsp.py \
	tests/cmd/series.py \
	tests/cmd/snapforms.py \
	tests/cmd/sources.py \
	tests/cmd/store.py \
	tests/cmd/tail.py \
	tests/cmd/token.py \
	tests/cmd/words.py \
	tests/corpus/foreign.py \
	tests/culprit/culprit.py \
	tests/dap/answers.py \
	tests/dap/code.py \
	tests/dap/driver.py \
	tests/dap/judging.py \
	tests/dap/emacs.py \
	tests/dap/nvim.py \
	tests/dap/ours.py \
	tests/dap/replay.py \
	tests/dap/traps.py \
	tests/dap/values.py \
	tests/dap/vscode.py \
	tests/dap/variables.py \
	tests/dap/world.py \
	tests/dap/moves.py \
	tests/disasm/objdump.py \
	tests/format/same-text.py \
	tests/gdb/beside.py \
	tests/gdb/deleted.py \
	tests/gdb/generated.py \
	tests/gdb/inside.py \
	tests/gdb/live.py \
	tests/gdb/relative.py \
	tests/gdb/rules.py \
	tests/gdb/same-as-core.py \
	tests/gdb/stacks.py \
	tests/gdb/symbols.py \
	tests/gdb/system.py \
	tests/gdb/timeline.py \
	tests/gdb/values.py \
	tests/layers \
	tests/lldb/series.py \
	tests/lldb/served.py \
	tests/lldb/smoke.py \
	tests/serve/dap.py \
	tests/serve/doors.py \
	tests/serve/hostile.py \
	tests/serve/indexes.py \
	tests/serve/kill.py \
	tests/serve/lives.py \
	tests/serve/session.py \
	tests/store/errors.py \
	tests/store/full.py \
	tests/store/kill.py \
	tests/store/rot.py \
	tests/store/together.py \
	tests/stub/hostile.py \
	tests/stub/many.py \
	tests/stub/record.py \
	tests/stub/paths.py \
	tests/stub/session.py \
	tests/symbols/same.py \
	tests/symbols/small.py \
	tests/unwind/chromium.py \
	tests/unwind/compare.py \
	tests/unwind/steps.py \
	tests/values/judging.py \
	tests/values/values.py

# Scripts that print figures; run by `make stress` and `make bench`.
STRESS_LIST = \
	tests/stress/capture.py \
	tests/stress/kill-tracer.py \
	tests/stress/mutants.py \
	tests/stress/serve.py \
	tests/stress/store.py
BENCH_LIST = \
	tests/bench/open.py \
	tests/bench/randomly.py \
	tests/bench/sessions.py \
	tests/bench/unwind.py
