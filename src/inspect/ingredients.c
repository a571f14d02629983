/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files that the symbol index of a module is made from, through supply
 * and checked; nothing of them is read but headers and notes.
 */
#include "inspect/ingredients.h"
#include "inspect/impl.h"

#include <elfutils/libdwelf.h>
#include <gelf.h>
#include <string.h>

#define CANDIDATES_MAX 64u
#define LINK_MAX 4096u

void
ingredients_fini(struct ingredients *in)
{
	source_free(in->file);
	source_free(in->debug);
	source_free(in->alt);
	source_free(in->package);
	*in = (struct ingredients){ 0 };
}

static struct err *
ask_one(const struct supply *s, const struct supply_ask *ask,
	struct source **out)
{
	int fd;
	struct err *err = s->module(s->arg, ask, &fd);

	return err ? err : source_fd(fd, ask->path ? ask->path : "file", out);
}

static Elf *
elf_of(const struct source *file)
{
	Elf *elf = elf_begin(source_descriptor(file), ELF_C_READ_MMAP, NULL);

	if (elf && elf_kind(elf) == ELF_K_ELF)
		return elf;
	elf_end(elf);
	return NULL;
}

const char *
ingredients_link(const struct source *file, struct arena *a)
{
	elf_version(EV_CURRENT);
	Elf *elf = elf_of(file);
	GElf_Word crc;
	const char *link = elf ? dwelf_elf_gnu_debuglink(elf, &crc) : NULL;
	const char *copy = link ? arena_strdup(a, link) : NULL;

	elf_end(elf);
	return copy;
}

static bool
has_id(const struct source *file, const struct module_id *want)
{
	struct module_id id = { 0 };
	Elf *elf = elf_of(file);

	if (elf)
		files_id(elf, &id);
	elf_end(elf);
	return id_equal(&id, want);
}

/* The first candidate with the id, or NULL. */
static struct source *
find_by_id(const struct supply *s, struct supply_ask ask)
{
	for (ask.nth = 0; ask.nth < CANDIDATES_MAX; ask.nth++) {
		_source_ struct source *file = NULL;
		_err_ struct err *none = ask_one(s, &ask, &file);

		if (none)
			return NULL;
		if (has_id(file, &ask.id))
			return take(file);
	}
	return NULL;
}

/* ---- what one file says of another ----------------------------------------- */
static Elf_Data *
section_named(Elf *elf, const char *wanted)
{
	Elf_Scn *scn = NULL;
	size_t names;

	if (elf_getshdrstrndx(elf, &names) != 0)
		return NULL;
	while ((scn = elf_nextscn(elf, scn))) {
		GElf_Shdr sh;
		const char *name = gelf_getshdr(scn, &sh)
				   ? elf_strptr(elf, names, sh.sh_name) : NULL;

		if (name && strcmp(name, wanted) == 0)
			return elf_rawdata(scn, NULL);
	}
	return NULL;
}

/* A name that ends with NUL, then the id of the file with that name. */
static bool
read_altlink(Elf *elf, char *link, struct supply_ask *ask)
{
	const Elf_Data *d = section_named(elf, ".gnu_debugaltlink");
	size_t n = d && d->d_buf ? strnlen(d->d_buf, d->d_size) : 0;

	if (!n || n >= d->d_size || n >= LINK_MAX)
		return false;
	if (d->d_size - n - 1 == 0 || d->d_size - n - 1 > ID_MAX)
		return false;
	memcpy(link, d->d_buf, n + 1);
	ask->link = link;
	ask->id.kind = ID_GNU_BUILD_ID;
	ask->id.len = (uint8_t)(d->d_size - n - 1);
	memcpy(ask->id.bytes, (const char *)d->d_buf + n + 1, ask->id.len);
	return true;
}

static void
find_alt(const struct supply *s, const struct supply_ask *module,
	 struct ingredients *out)
{
	struct supply_ask ask = { .kind = SUPPLY_ALT, .path = module->path };
	const struct source *with = out->debug ? out->debug : out->file;
	Elf *elf = elf_of(with);
	char link[LINK_MAX];

	if (elf && read_altlink(elf, link, &ask))
		out->alt = find_by_id(s, ask);
	elf_end(elf);
}

static void
find_debug(const struct supply *s, const struct supply_ask *module,
	   struct ingredients *out)
{
	struct supply_ask ask = {
		.kind = SUPPLY_DEBUG, .path = module->path, .id = module->id,
		.link = module->link,
	};
	Elf *elf = out->file ? elf_of(out->file) : NULL;
	GElf_Word crc;

	if (elf)
		ask.link = dwelf_elf_gnu_debuglink(elf, &crc);
	out->debug = find_by_id(s, ask);
	elf_end(elf);
}

struct err *
ingredients_find(const struct supply *s, const struct supply_ask *ask,
		 struct ingredients *out)
{
	struct supply_ask exe = *ask;
	_err_ struct err *none = NULL;

	*out = (struct ingredients){ 0 };
	elf_version(EV_CURRENT);
	exe.kind = SUPPLY_EXE;
	if (ask->id.kind == ID_NONE) {
		struct err *err = ask_one(s, &exe, &out->file);
		if (err)
			return err;
	} else {
		out->file = find_by_id(s, exe);
		find_debug(s, ask, out);
	}
	if (!out->file && !out->debug)
		return err_new(ERR_NOTFOUND, "no file with that id");
	find_alt(s, ask, out);
	/* Units of a package tell by themselves whose they are. */
	exe.kind = SUPPLY_PACKAGE;
	exe.nth = 0;
	none = ask_one(s, &exe, &out->package);
	return NULL;
}
