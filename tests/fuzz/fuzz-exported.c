/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hostile bytes as an ELF file that is asked for a name: what is found has it.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

#include "inspect/exported.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	_free_ char *copy = malloc(n + 1);
	uint64_t value;

	if (!copy || !n)
		return 0;
	memcpy(copy, data, n);
	elf_version(EV_CURRENT);
	Elf *elf = elf_memory(copy, n);
	if (elf && elf_kind(elf) == ELF_K_ELF
	    && exported_find(elf, "odd_one", &value) == EXPORTED
	    && !memmem(data, n, "odd_one", sizeof("odd_one")))
		abort();
	elf_end(elf);
	return 0;
}
