# SPDX-License-Identifier: Apache-2.0
# What every room stands on.

noinst_LIBRARIES += libbase.a
libbase_a_SOURCES = \
	src/base/arena.c \
	src/base/base.c \
	src/base/base.h \
	src/base/base64.c \
	src/base/buf.c \
	src/base/cut.h \
	src/base/err.c \
	src/base/escape.c \
	src/base/escape.h \
	src/base/hash.c \
	src/base/hex.c \
	src/base/id.c \
	src/base/io.c \
	src/base/json.c \
	src/base/json.h \
	src/base/json_read.c \
	src/base/opt.c \
	src/base/pool.c \
	src/base/pool.h \
	src/base/rd.c \
	src/base/regex.c \
	src/base/search.h \
	src/base/source.c
