# SPDX-License-Identifier: Apache-2.0
# The engine that understands a target.

noinst_LIBRARIES += libinspect.a
libinspect_a_SOURCES = \
	src/inspect/arch.c \
	src/inspect/arch.h \
	src/inspect/arch_aarch64.c \
	src/inspect/arch_x86_64.c \
	src/inspect/attached.c \
	src/inspect/bounds.h \
	src/inspect/cfi.c \
	src/inspect/cfi_brief.c \
	src/inspect/cfi_row.c \
	src/inspect/cfi_table.c \
	src/inspect/compose.c \
	src/inspect/constants.c \
	src/inspect/core.h \
	src/inspect/core_notes.c \
	src/inspect/debug.c \
	src/inspect/differ.c \
	src/inspect/differ.h \
	src/inspect/differ_memory.c \
	src/inspect/expr.c \
	src/inspect/files.c \
	src/inspect/image.c \
	src/inspect/image.h \
	src/inspect/impl.h \
	src/inspect/indexed.c \
	src/inspect/indexed.h \
	src/inspect/ingredients.c \
	src/inspect/ingredients.h \
	src/inspect/insp.c \
	src/inspect/inspect.h \
	src/inspect/lines.c \
	src/inspect/maps.c \
	src/inspect/maps.h \
	src/inspect/modules.c \
	src/inspect/named.c \
	src/inspect/nptl.c \
	src/inspect/nptl.h \
	src/inspect/overlay.c \
	src/inspect/overlay.h \
	src/inspect/quick.c \
	src/inspect/regs.c \
	src/inspect/second.c \
	src/inspect/skeleton.c \
	src/inspect/slots.c \
	src/inspect/sources.c \
	src/inspect/space.c \
	src/inspect/symbols.c \
	src/inspect/symtable.c \
	src/inspect/symfile.c \
	src/inspect/tail.c \
	src/inspect/tail.h \
	src/inspect/tailnames.c \
	src/inspect/tailsites.c \
	src/inspect/tailsites.h \
	src/inspect/target.c \
	src/inspect/target_core.c \
	src/inspect/target_snap.c \
	src/inspect/tls.c \
	src/inspect/unwind.c \
	src/inspect/unwind.h \
	src/inspect/view.c \
	src/inspect/walk.h \
	src/inspect/xsave.c
