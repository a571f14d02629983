# SPDX-License-Identifier: Apache-2.0
# Modules by id, as descriptors.

noinst_LIBRARIES += libsupply.a
libsupply_a_SOURCES = \
	src/supply/candidates.c \
	src/supply/candidates.h \
	src/supply/checked.c \
	src/supply/checked.h \
	src/supply/client.c \
	src/supply/debuginfod.c \
	src/supply/disk.c \
	src/supply/fileid.c \
	src/supply/fileid.h \
	src/supply/index.c \
	src/supply/serve.c \
	src/supply/sourcemap.c \
	src/supply/sourcemap.h \
	src/supply/splits.c \
	src/supply/splits.h \
	src/supply/supply.h \
	src/supply/trim.c \
	src/supply/wire.c \
	src/supply/wire.h
