# SPDX-License-Identifier: Apache-2.0
# Tests, fuzz targets, stress runs and benchmarks: add a line to a list.

# One cmocka program each; its source is NAME.c.
UNIT_TESTS =

# What several unit tests share.
UNIT_HELPERS = \
	tests/unit/make-core.c \
	tests/unit/make-core.h

# One LLVMFuzzerTestOneInput() each; its source is NAME.c, its seeds are files
# in tests/fuzz/seeds/NAME-without-"fuzz-"/.
FUZZ_TARGETS =

# Scripts that print TAP.
SCRIPT_TESTS =

# Scripts that print figures; run by `make stress` and `make bench`.
STRESS_LIST =
BENCH_LIST =
