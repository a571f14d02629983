/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opens whatever kind of target a file is: a row for each kind.
 */
#include "inspect/impl.h"

#include <elf.h>
#include <string.h>

static bool
source_is_elf(struct source *src)
{
	char magic[SELFMAG];

	_err_ struct err *err = source_read(src, 0, sizeof(magic), magic);
	return !err && memcmp(magic, ELFMAG, SELFMAG) == 0;
}

static const struct {
	bool (*is)(struct source *src);
	struct err *(*open)(struct source *src, struct target **out);
} kinds[] = {
	{ snap_is, snap_target_open },
	{ source_is_elf, core_open },
};

struct err *
target_open(struct source *src, struct target **out)
{
	if (source_size(src) == 0)
		return err_new(ERR_FORMAT, "%s is empty", source_name(src));
	for (size_t n = 0; n < countof(kinds); n++)
		if (kinds[n].is(src))
			return kinds[n].open(src, out);
	return err_new(ERR_FORMAT, "%s is neither a snapshot nor an ELF core",
		       source_name(src));
}

void
target_free(struct target *t)
{
	if (t)
		t->ops->close(t);
}

void
target_freep(struct target **t)
{
	target_free(*t);
}
