# SPDX-License-Identifier: Apache-2.0
# Variables, types, values, printers, expressions.

noinst_LIBRARIES += libvalues.a
libvalues_a_SOURCES = \
	src/values/cell.c \
	src/values/dw.h \
	src/values/leb.c \
	src/values/loc.c \
	src/values/loc.h \
	src/values/values.h
