# SPDX-License-Identifier: Apache-2.0
# The engine that understands a target.

noinst_LIBRARIES += libinspect.a
libinspect_a_SOURCES = \
	src/inspect/core.h \
	src/inspect/core_notes.c \
	src/inspect/impl.h \
	src/inspect/inspect.h \
	src/inspect/space.c \
	src/inspect/target.c \
	src/inspect/target_core.c \
	src/inspect/target_snap.c
