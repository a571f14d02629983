/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hostile bytes as each of the texts of /proc. Mappings that are accepted are
 * sorted and disjoint; a name lies within the text.
 */
#include <stdlib.h>

#include "fuzz.h"

#include "capture/texts.h"

static void
check_maps(struct span text)
{
	_arena_ struct arena *a = arena_new(256u << 20);
	struct vec maps = { 0 }, flags = { 0 };

	if (!a)
		return;
	err_free(text_maps(text, a, &maps));
	const struct snap_map *m = maps.data;
	for (size_t k = 0; k < maps.n; k++)
		if (m[k].start >= m[k].end
		    || (k && m[k].start < m[k - 1].end))
			abort();
	err_free(text_smaps(text, a, &flags));
}

static void
check_stat(struct span text)
{
	const char *from = text.data;
	struct text_stat s;

	if (text_stat(text, &s)
	    && ((const char *)s.name.data < from
		|| (const char *)s.name.data + s.name.n >= from + text.n))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const struct span text = { data, n };
	uint64_t value;

	check_maps(text);
	check_stat(text);
	(void)!text_status_number(text, "TracerPid", 10, &value);
	(void)!text_status_number(text, "SigCgt", 16, &value);
	return 0;
}
