# SPDX-License-Identifier: Apache-2.0
# The object store.

noinst_LIBRARIES += libstore.a
libstore_a_SOURCES = \
	store/backend.h \
	store/backend_lmdb.c \
	store/backend_mem.c \
	store/collect.c \
	store/find.c \
	store/get.c \
	store/impl.h \
	store/ledger.c \
	store/object.c \
	store/parts.c \
	store/parts.h \
	store/piece.c \
	store/place.c \
	store/place.h \
	store/put.c \
	store/recipe.c \
	store/record.c \
	store/seal.c \
	store/seal.h \
	store/sidecar.c \
	store/store.c \
	store/store.h \
	store/symbols.c \
	store/verify.c \
	store/verify.h \
	store/verify_bytes.c \
	store/verify_counts.c \
	store/verify_scan.c \
	store/verify_tables.c \
	store/walk.c
