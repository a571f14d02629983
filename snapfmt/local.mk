# SPDX-License-Identifier: Apache-2.0
# The snapshot file.

noinst_LIBRARIES += libsnapfmt.a
libsnapfmt_a_SOURCES = \
	snapfmt/batch.c \
	snapfmt/check.c \
	snapfmt/chunks.c \
	snapfmt/codec.c \
	snapfmt/digest.c \
	snapfmt/directory.c \
	snapfmt/dump.c \
	snapfmt/layout.h \
	snapfmt/lookup.c \
	snapfmt/moved.c \
	snapfmt/pack.c \
	snapfmt/pieces.c \
	snapfmt/put.c \
	snapfmt/ranges.c \
	snapfmt/reader.c \
	snapfmt/resolved.h \
	snapfmt/schema.c \
	snapfmt/skeletons.c \
	snapfmt/snapfmt.h \
	snapfmt/soon.h \
	snapfmt/text.c \
	snapfmt/writer.c \
	snapfmt/writer.h
