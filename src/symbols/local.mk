# SPDX-License-Identifier: Apache-2.0
# The symbol index.

noinst_LIBRARIES += libsymbols.a
libsymbols_a_SOURCES = \
	src/symbols/blocks.c \
	src/symbols/blocks.h \
	src/symbols/bodies.c \
	src/symbols/body.c \
	src/symbols/body.h \
	src/symbols/body_put.c \
	src/symbols/cursor.h \
	src/symbols/die.c \
	src/symbols/dw.h \
	src/symbols/elf.c \
	src/symbols/elf.h \
	src/symbols/elfsyms.c \
	src/symbols/expr.c \
	src/symbols/format.h \
	src/symbols/frames.c \
	src/symbols/index.c \
	src/symbols/index.h \
	src/symbols/intact.c \
	src/symbols/lines.c \
	src/symbols/lines.h \
	src/symbols/lines_put.c \
	src/symbols/locs.c \
	src/symbols/make.c \
	src/symbols/make.h \
	src/symbols/named.c \
	src/symbols/origin.c \
	src/symbols/ranges.c \
	src/symbols/rows.c \
	src/symbols/scan.c \
	src/symbols/string.c \
	src/symbols/strings.c \
	src/symbols/symbols.h \
	src/symbols/texts.c \
	src/symbols/tree.h \
	src/symbols/type_put.c \
	src/symbols/typerec.c \
	src/symbols/types.c \
	src/symbols/units.c \
	src/symbols/write.c
