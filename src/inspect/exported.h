/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exported: what an ELF file defines for others.
 */
#ifndef INSPECT_EXPORTED_H
#define INSPECT_EXPORTED_H

#include <libelf.h>

#include "inspect/bounds.h"

/** Of a file, not of a module: the symbol's value. */
enum exported exported_find(Elf *elf, const char *name, uint64_t *value);

#endif
