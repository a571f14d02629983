/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ELF files that were attached to the target, by build-id: whoever took it can
 * send a program, or its debug file, along.
 */
#include "inspect/impl.h"
#include "inspect/skeleton.h"

#include <elf.h>
#include <gelf.h>
#include <string.h>

#define ATTACHED_ELF_MAX 256u

struct attached {
	struct symfile is;
	struct span bytes;      /* the target's */
};

static struct err *
add(struct insp *i, struct span bytes)
{
	Elf *elf = bytes.n > SELFMAG && memcmp(bytes.data, ELFMAG, SELFMAG) == 0
		   ? elf_memory((char *)bytes.data, bytes.n) : NULL;
	struct symfile is = { 0 };
	struct err *err = NULL;

	if (elf)
		symfile_look(elf, &is);
	if (is.id.kind != ID_NONE) {
		struct attached *a = vec_add(&i->attached, i->arena,
					     sizeof(*a));
		if (a)
			*a = (struct attached){ .is = is, .bytes = bytes };
		else
			err = err_nomem();
	}
	elf_end(elf);
	return err;
}

static struct err *
look(struct insp *i)
{
	struct target *t = i->target;
	struct span bytes;

	i->attached_known = true;
	for (size_t k = 0; k < t->n_files && k < ATTACHED_ELF_MAX
	     && t->ops->file; k++) {
		_err_ struct err *bad = t->ops->file(t, k, &bytes);
		if (bad)
			continue;
		struct err *err = add(i, bytes);
		if (err)
			return err;
	}
	return NULL;
}

bool
attached_find(struct insp *i, const struct module_id *id, bool debug,
	      struct span *out)
{
	_err_ struct err *err = i->attached_known ? NULL : look(i);
	const struct attached *a = i->attached.data;

	for (size_t k = 0; k < i->attached.n && id->kind != ID_NONE; k++) {
		if (!id_equal(&a[k].is.id, id)
		    || !(debug ? a[k].is.debug : a[k].is.code))
			continue;
		*out = a[k].bytes;
		return true;
	}
	return false;
}
