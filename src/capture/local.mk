# SPDX-License-Identifier: Apache-2.0
# What was seen becomes a snapshot.

noinst_LIBRARIES += libcapture.a
libcapture_a_SOURCES = \
	src/capture/capture.h \
	src/capture/frames.c \
	src/capture/impl.h \
	src/capture/memory.c \
	src/capture/records.c \
	src/capture/save.c
