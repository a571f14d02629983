# SPDX-License-Identifier: Apache-2.0
# What was seen becomes a snapshot.

noinst_LIBRARIES += libcapture.a
libcapture_a_SOURCES = \
	src/capture/about.c \
	src/capture/around.h \
	src/capture/beside.c \
	src/capture/beside.h \
	src/capture/capture.h \
	src/capture/copy.c \
	src/capture/copy.h \
	src/capture/core.c \
	src/capture/core.h \
	src/capture/core_notes.c \
	src/capture/crash.c \
	src/capture/crash.h \
	src/capture/crowd.c \
	src/capture/crowd.h \
	src/capture/follow.c \
	src/capture/follow.h \
	src/capture/descriptors.c \
	src/capture/facts.c \
	src/capture/follow_heap.c \
	src/capture/follow_heap.h \
	src/capture/frames.c \
	src/capture/globals.c \
	src/capture/globals.h \
	src/capture/impl.h \
	src/capture/jemalloc.c \
	src/capture/jemalloc.h \
	src/capture/locks.c \
	src/capture/locks.h \
	src/capture/machine.c \
	src/capture/machine.h \
	src/capture/memory.c \
	src/capture/pages.c \
	src/capture/pages.h \
	src/capture/picture.c \
	src/capture/plan.c \
	src/capture/plan.h \
	src/capture/proc.c \
	src/capture/proc.h \
	src/capture/process.c \
	src/capture/reach.c \
	src/capture/reach.h \
	src/capture/reach_chunk.c \
	src/capture/reach_pages.c \
	src/capture/reach_pages.h \
	src/capture/reach_roots.c \
	src/capture/records.c \
	src/capture/run.c \
	src/capture/redact.c \
	src/capture/redact.h \
	src/capture/redact_rules.c \
	src/capture/redact_symbols.c \
	src/capture/redact_texts.c \
	src/capture/save.c \
	src/capture/shot.c \
	src/capture/shot.h \
	src/capture/still.c \
	src/capture/still.h \
	src/capture/system.c \
	src/capture/tasks.c \
	src/capture/texts.c \
	src/capture/texts.h \
	src/capture/tracees.c \
	src/capture/tracees.h
