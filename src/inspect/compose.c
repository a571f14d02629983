/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Composes an ELF file to show to a debugger out of a skeleton. A section
 * whose bytes are not there becomes SHT_NOBITS, so that whoever reads the
 * file asks the target's memory instead of believing in zeros.
 */
#include "inspect/impl.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#define COMPOSED_MAX (512u << 20)

/* Extents are sorted and disjoint: the last one at or below @start decides. */
static bool
covered(const struct snap_extent *e, size_t n, uint64_t start, uint64_t size)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (e[mid].offset <= start)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == 0)
		return false;
	const struct snap_extent *x = &e[low - 1];
	return size <= x->bytes.n && start - x->offset <= x->bytes.n - size;
}

static void
patch_sections(uint8_t *image, const struct snap_extent *e, size_t n)
{
	Elf64_Ehdr eh;
	Elf64_Shdr sh;

	memcpy(&eh, image, sizeof(eh));
	if (eh.e_shentsize != sizeof(sh))
		return;
	for (uint64_t k = 0; k < eh.e_shnum; k++) {
		uint64_t at = eh.e_shoff + k * sizeof(sh);

		if (!covered(e, n, at, sizeof(sh)))
			return;
		memcpy(&sh, image + at, sizeof(sh));
		if (sh.sh_type == SHT_NULL || sh.sh_type == SHT_NOBITS
		    || covered(e, n, sh.sh_offset, sh.sh_size))
			continue;
		sh.sh_type = SHT_NOBITS;
		memcpy(image + at, &sh, sizeof(sh));
	}
}

struct err *
compose(const struct snap_extent *extents, size_t n, uint64_t size,
	uint8_t **out)
{
	_free_ uint8_t *image = NULL;

	if (size > COMPOSED_MAX)
		return err_new(ERR_LIMIT, "the module's file was %llu bytes "
			       "long; up to %u MiB are composed",
			       (unsigned long long)size, COMPOSED_MAX >> 20);
	if (size < sizeof(Elf64_Ehdr)
	    || !covered(extents, n, 0, sizeof(Elf64_Ehdr)))
		return err_new(ERR_DAMAGED, "the skeleton lacks its ELF header");
	image = calloc(1, size);
	if (!image)
		return err_nomem();
	for (size_t k = 0; k < n; k++) {
		const struct snap_extent *e = &extents[k];

		if (e->offset > size || e->bytes.n > size - e->offset)
			return err_new(ERR_DAMAGED, "an extent of the skeleton "
				       "ends behind the file (offset 0x%llx)",
				       (unsigned long long)e->offset);
		if (e->bytes.n)
			memcpy(image + e->offset, e->bytes.data, e->bytes.n);
	}
	patch_sections(image, extents, n);
	*out = take(image);
	return NULL;
}
