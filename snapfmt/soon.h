/* SPDX-License-Identifier: Apache-2.0 */
/*
 * soon: for whoever writes a snapshot while somebody waits for it. The file is
 * as good as any other; a little larger, or made of parts that are at hand.
 */
#ifndef SNAPFMT_SOON_H
#define SNAPFMT_SOON_H

#include "snapfmt/snapfmt.h"

/** Pack memory in a fifth less time and 7 % more bytes; before any comes. */
void snap_writer_soon(struct snap_writer *w);

#endif
