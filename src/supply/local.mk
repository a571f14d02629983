# SPDX-License-Identifier: Apache-2.0
# Modules by id, as descriptors.

noinst_LIBRARIES += libsupply.a
libsupply_a_SOURCES = \
	src/supply/supply.h
