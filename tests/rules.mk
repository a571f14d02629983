# SPDX-License-Identifier: Apache-2.0
# How the tests of local.mk are built and run.

check_PROGRAMS += $(UNIT_TESTS) $(FUZZ_TARGETS)
TESTS = $(UNIT_TESTS) $(FUZZ_TARGETS) $(SCRIPT_TESTS)

# What every test program links; the fuzz targets take their main() here too.
check_LIBRARIES += libreplay.a
libreplay_a_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz.h
check_LIBRARIES += libunit.a
libunit_a_SOURCES = $(UNIT_HELPERS)
$(check_PROGRAMS): libreplay.a
LDADD = libunit.a $(FUZZ_MAIN) $(ROOMS) $(INQ_LIBS) $(CMOCKA_LIBS)

TEST_EXTENSIONS = .py .sh
TAP_DRIVER = env AM_TAP_AWK='$(AWK)' $(SHELL) \
	$(top_srcdir)/build-aux/tap-driver.sh
LOG_DRIVER = $(TAP_DRIVER)
PY_LOG_DRIVER = $(TAP_DRIVER)
SH_LOG_DRIVER = $(TAP_DRIVER)

# What tests are told: the program under test, where things are, and the
# unpacked corpus of foreign cores when there is one.
TESTS_SETTINGS = \
	INQUEST='$(abs_builddir)/inquest$(EXEEXT)'; export INQUEST; \
	SRCDIR='$(abs_top_srcdir)'; export SRCDIR; \
	BUILDDIR='$(abs_builddir)'; export BUILDDIR; \
	unset CORPUS; \
	if test -d '$(abs_builddir)/tests/corpus.d'; then \
		CORPUS='$(abs_builddir)/tests/corpus.d'; export CORPUS; \
	fi;
AM_TESTS_ENVIRONMENT = $(TESTS_SETTINGS)

check_DATA = tests/corpus.stamp
tests/corpus.stamp: corpus-always
	@$(MKDIR_P) tests
	@$(SHELL) $(top_srcdir)/tests/lib/corpus.sh $(abs_top_srcdir) tests
.PHONY: corpus-always

stress bench: all
	@$(TESTS_SETTINGS) \
	for s in $($@_scripts); do \
		echo "== $$s"; $(top_srcdir)/$$s || exit 1; \
	done
stress_scripts = $(STRESS_LIST)
bench_scripts = $(BENCH_LIST)

# Captures beside gdb, lldb, eu-stack and gcore, on a quiet machine;
# BENCH_ARGS: which workloads, --runs N, --json FILE, --list.
BENCH_ARGS =
bench-capture: all
	@$(TESTS_SETTINGS) \
	$(top_srcdir)/tests/bench/capture.py $(BENCH_ARGS)

# The debug adapter beside lldb-vscode, on a quiet machine;
# BENCH_ARGS: which rows, --runs N, --json FILE, --list.
bench-dap: all tests/dap/speak
	@$(TESTS_SETTINGS) \
	$(top_srcdir)/tests/bench/dap.py $(BENCH_ARGS)

# The stub beside gdbserver and lldb-server, on a quiet machine;
# BENCH_ARGS: --runs N, --json FILE.
bench-rsp: all
	@$(TESTS_SETTINGS) \
	$(top_srcdir)/tests/bench/rsp.py $(BENCH_ARGS)

# Indexes of symbols beside gdb, llvm-symbolizer and addr2line;
# BENCH_ARGS: --runs N, --json FILE, which file and its debug file.
bench-symbols: all tests/symbols/symidx
	@$(TESTS_SETTINGS) \
	$(top_srcdir)/tests/bench/symbols.py $(BENCH_ARGS)

# Looks into snapshots beside debuggers and symbolizers, on a quiet machine;
# BENCH_ARGS: --no-install first of all, which programs, --runs N, --rows
# first,all,lookups,make,values, --json FILE, --list.
bench-inspect: all tests/symbols/symidx tests/values/look
	@$(TESTS_SETTINGS) \
	$(top_srcdir)/tests/bench/inspecting.sh $(BENCH_ARGS)

# Our decoders beside objdump, over the code of large libraries;
# DISASM_ARGS: which files instead.
DISASM_ARGS = --long
bench-disasm: all tests/disasm/sweep
	@$(TESTS_SETTINGS) \
	$(top_srcdir)/tests/disasm/objdump.py $(DISASM_ARGS)

# gdb's own test suite, on gdbserver and on our stub over snapshots;
# SUITE_ARGS: --no-install first of all, --json FILE, which files.
SUITE_ARGS =
check-gdb: all
	@$(TESTS_SETTINGS) \
	$(top_srcdir)/tests/suite/check.sh $(SUITE_ARGS)

# lldb on snapshots and on the processes themselves, and what it asks;
# LLDB_ARGS: --no-install first of all, which victims, -v.
LLDB_ARGS =
check-lldb: all
	@$(TESTS_SETTINGS) \
	$(top_srcdir)/tests/lldb/check.sh $(LLDB_ARGS)

# Every argument and local of a corpus of programs, held against gdb's;
# VALUES_ARGS: --no-install first of all, --raw, -v, --json FILE, which cases.
VALUES_ARGS =
check-values: all tests/values/look
	@$(TESTS_SETTINGS) \
	$(top_srcdir)/tests/values/check.sh --all $(VALUES_ARGS)

# The same as a client of the Debug Adapter Protocol is shown it.
check-values-dap: all
	@$(TESTS_SETTINGS) \
	$(top_srcdir)/tests/values/check.sh --all --dap $(VALUES_ARGS)

# The same of ceph-mon, python3.11, redis and sqlite with their symbols.
check-values-real: all
	@$(TESTS_SETTINGS) \
	$(top_srcdir)/tests/values/check.sh --real $(VALUES_ARGS)

# Unit tests and replay of the fuzz seeds, without the scripts.
check-unit: $(UNIT_TESTS) $(FUZZ_TARGETS)
	$(MAKE) $(AM_MAKEFLAGS) check-TESTS \
		TESTS='$(UNIT_TESTS) $(FUZZ_TARGETS)'

# Fuzz targets as libFuzzer programs, in a build of their own; each then runs
# over FUZZ_RUNS inputs that grow out of its seeds.
FUZZ_RUNS = 100000
FUZZ_FLAGS =
fuzz:
	@$(MKDIR_P) fuzz
	@test -f fuzz/Makefile || { cd fuzz && \
		$(abs_top_srcdir)/configure -q CC=clang --enable-fuzz; }
	@cd fuzz && $(MAKE) $(AM_MAKEFLAGS) $(FUZZ_TARGETS)
	@$(SHELL) $(top_srcdir)/tests/fuzz/run.sh $(abs_top_srcdir) fuzz \
		$(FUZZ_RUNS) '$(FUZZ_FLAGS)' $(FUZZ_TARGETS)
.PHONY: check-unit check-gdb check-lldb check-values check-values-dap check-values-real fuzz stress bench bench-capture bench-dap bench-disasm \
	bench-inspect bench-rsp bench-symbols lint metrics

lint:
	@$(top_srcdir)/tests/lint --source $(top_srcdir) --build $(builddir) -- \
		$(DEFS) $(tests_fuzz_fuzz_dap_CPPFLAGS) -std=gnu11
metrics:
	@$(top_srcdir)/tests/metrics $(top_srcdir)
clean-local:
	rm -rf fuzz tests/corpus.d tests/work lint.cache
CLEANFILES += tests/corpus.stamp
