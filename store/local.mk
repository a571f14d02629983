# SPDX-License-Identifier: Apache-2.0
# The object store.

noinst_LIBRARIES += libstore.a
libstore_a_SOURCES = \
	store/store.h
