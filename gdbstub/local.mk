# SPDX-License-Identifier: Apache-2.0
# The GDB remote protocol over one session.

noinst_LIBRARIES += libgdbstub.a
libgdbstub_a_SOURCES = \
	gdbstub/gdbstub.h
