/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ELF files that were attached to the target, by build-id: whoever took it can
 * send a program, or its debug file, along.
 */
#include "inspect/impl.h"

#include <elf.h>
#include <gelf.h>
#include <string.h>

#define ATTACHED_ELF_MAX 256u

struct attached {
	struct module_id id;
	struct span bytes;      /* the target's */
	bool text, debug;       /* which of the two it holds */
};

/* A debug file has its text as SHT_NOBITS, a stripped one has no DWARF. */
static void
look_inside(Elf *elf, struct attached *a)
{
	Elf_Scn *scn = NULL;
	size_t names;
	GElf_Shdr sh;

	if (elf_getshdrstrndx(elf, &names) != 0)
		return;
	while ((scn = elf_nextscn(elf, scn))) {
		if (!gelf_getshdr(scn, &sh) || sh.sh_type != SHT_PROGBITS)
			continue;
		const char *name = elf_strptr(elf, names, sh.sh_name);

		a->text |= (sh.sh_flags & SHF_EXECINSTR) && sh.sh_size;
		a->debug |= name && strstr(name, "debug_info");
	}
}

static struct err *
add(struct insp *i, struct span bytes)
{
	Elf *elf = bytes.n > SELFMAG && memcmp(bytes.data, ELFMAG, SELFMAG) == 0
		   ? elf_memory((char *)bytes.data, bytes.n) : NULL;
	struct module_id id = { 0 };
	struct err *err = NULL;

	if (elf)
		files_id(elf, &id);
	if (id.kind != ID_NONE) {
		struct attached *a = vec_add(&i->attached, i->arena,
					     sizeof(*a));
		if (a) {
			*a = (struct attached){ .id = id, .bytes = bytes };
			look_inside(elf, a);
		} else {
			err = err_nomem();
		}
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
		if (!id_equal(&a[k].id, id) || !(debug ? a[k].debug : a[k].text))
			continue;
		*out = a[k].bytes;
		return true;
	}
	return false;
}
