# SPDX-License-Identifier: Apache-2.0
# Machine code as text.

noinst_LIBRARIES += libdisasm.a
libdisasm_a_SOURCES = \
	src/disasm/arm64.c \
	src/disasm/arm64_atomics.c \
	src/disasm/att.c \
	src/disasm/att.h \
	src/disasm/code.c \
	src/disasm/disasm.c \
	src/disasm/disasm.h \
	src/disasm/effect.c \
	src/disasm/impl.h \
	src/disasm/plt.c \
	src/disasm/starts.c \
	src/disasm/text.c \
	src/disasm/walk.c \
	src/disasm/x86.c
