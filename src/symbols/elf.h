/* SPDX-License-Identifier: Apache-2.0 */
/* elf: a file that was opened by libelf. */
#ifndef SYMBOLS_ELF_H
#define SYMBOLS_ELF_H

#include <libelf.h>

#include "symbols/make.h"

struct opened {
	Elf *elf[2];                    /* owned */
	int fd;                         /* owned, or -1: @image */
	struct arena *image;
	uint16_t machine;
	struct buf joined[DW_SECTIONS]; /* several of one name */
	struct dw_file dwarf;
};

#endif
