/* SPDX-License-Identifier: Apache-2.0 */
/*
 * splits: the .dwo files that an index was made from, or would have been.
 *
 * Only who reads the debug information knows their names, so they are not in
 * what an index is called: they are written beside it, and looked at before it
 * is believed.
 */
#ifndef SUPPLY_SPLITS_H
#define SUPPLY_SPLITS_H

#include "supply/supply.h"

/** @path was asked for, and @found, or -1, is what there was. Of too many none
 * is remembered. */
void splits_add(struct buf *all, const char *path, int found);
/** Write them beside the index @name of @dir; none are written for none. */
void splits_keep(int dir, const char *name, const struct buf *all);
/** One of those beside the index @name has come, gone or changed. */
bool splits_changed(const struct supply_places *places, int dir,
		    const char *name);

#endif
