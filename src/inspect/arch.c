/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The list of architectures.
 */
#include "inspect/arch.h"

#include "inspect/impl.h"

static const struct arch_table *const TABLES[] = {
	&arch_x86_64, &arch_aarch64,
};

const struct arch *
arch_find(uint16_t machine)
{
	for (size_t n = 0; n < countof(TABLES); n++)
		if (TABLES[n]->arch.machine == machine)
			return &TABLES[n]->arch;
	return NULL;
}

const struct arch_table *
arch_table_of(const struct arch *a)
{
	for (size_t n = 0; n < countof(TABLES); n++)
		if (&TABLES[n]->arch == a)
			return TABLES[n];
	return NULL;
}
