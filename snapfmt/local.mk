# SPDX-License-Identifier: Apache-2.0
# The snapshot file.

noinst_LIBRARIES += libsnapfmt.a
libsnapfmt_a_SOURCES = \
	snapfmt/snapfmt.h
