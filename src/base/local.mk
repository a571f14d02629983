# SPDX-License-Identifier: Apache-2.0
# What every room stands on.

noinst_LIBRARIES += libbase.a
libbase_a_SOURCES = \
	src/base/base.h
