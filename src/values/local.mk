# SPDX-License-Identifier: Apache-2.0
# Variables, types, values, printers, expressions.

noinst_LIBRARIES += libvalues.a
libvalues_a_SOURCES = \
	src/values/along.c \
	src/values/arith.c \
	src/values/asked.c \
	src/values/assign.c \
	src/values/ast.h \
	src/values/cell.c \
	src/values/chars.c \
	src/values/children.c \
	src/values/cxx.c \
	src/values/display.c \
	src/values/dw.h \
	src/values/eval.c \
	src/values/float.c \
	src/values/fortran.c \
	src/values/frame.c \
	src/values/global.c \
	src/values/go.c \
	src/values/impl.h \
	src/values/keep.c \
	src/values/leb.c \
	src/values/lex.c \
	src/values/libcxx.c \
	src/values/libstdcxx.c \
	src/values/libstdcxx_maps.c \
	src/values/libstdcxx_more.c \
	src/values/loc.c \
	src/values/loc.h \
	src/values/made.c \
	src/values/members.c \
	src/values/names.c \
	src/values/parse.c \
	src/values/perhaps.c \
	src/values/printers.c \
	src/values/printers.h \
	src/values/rust.c \
	src/values/scalar.c \
	src/values/scope.c \
	src/values/shape.c \
	src/values/show.c \
	src/values/show.h \
	src/values/shown.h \
	src/values/stored.c \
	src/values/type.c \
	src/values/typename.c \
	src/values/value.c \
	src/values/values.c \
	src/values/values.h \
	src/values/vars.c
