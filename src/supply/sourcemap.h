/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sourcemap: where the user has the sources of a program that was built
 * elsewhere.
 */
#ifndef SUPPLY_SOURCEMAP_H
#define SUPPLY_SOURCEMAP_H

#include "supply/supply.h"

/**
 * @path by the longest of the maps that it begins with, into @out, with "."
 * and ".." resolved as text. False: by none, or it would climb out of where
 * that leads; @out is empty then.
 */
bool sourcemap_put(const struct supply_places *places, const char *path,
		   struct buf *out);

#endif
