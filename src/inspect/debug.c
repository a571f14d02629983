/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The separate debug file of a module, as far as it is of use before anybody
 * reads its DWARF: libdw inflates all of that when it opens it, which takes
 * seconds where it is large.
 */
#include <elfutils/libdwelf.h>
#include <gelf.h>
#include <string.h>

#include "inspect/impl.h"

#define FRAMES_MAX (64u << 20)  /* of a .debug_frame, inflated */

struct debug {
	bool asked;
	int fd;                 /* of the debug file, owned; valid if asked */
	Elf *elf;               /* of it; owned, NULL = none */
	bool inflated;          /* looked for compressed frames */
	Elf *own;               /* of the module's file once more; owned */
};

static struct debug *
debug_of(struct insp *i, size_t module)
{
	if (!i->debug)
		i->debug = arena_array(i->arena, i->n_modules,
				       sizeof(*i->debug));
	return i->debug ? &i->debug[module] : NULL;
}

void
debug_fini(struct insp *i)
{
	for (size_t k = 0; i->debug && k < i->n_modules; k++) {
		struct debug *d = &i->debug[k];

		elf_end(d->elf);
		elf_end(d->own);
		if (d->asked)
			base_close(&d->fd);
	}
}

/* ---- the file ------------------------------------------------------------ */
static struct debug *
asked_debug(struct insp *i, size_t module)
{
	struct supply_ask ask = { .kind = SUPPLY_DEBUG };
	struct debug *d = debug_of(i, module);
	Elf *elf = files_elf(i, module);
	GElf_Word crc;

	if (!d || !elf)
		return NULL;
	if (d->asked)
		return d;
	d->asked = true;
	files_id(elf, &ask.id);
	ask.path = i->modules[module].path;
	ask.link = dwelf_elf_gnu_debuglink(elf, &crc);
	d->fd = files_debug(i, &ask);
	if (d->fd >= 0)
		d->elf = elf_begin(d->fd, ELF_C_READ_MMAP, NULL);
	return d;
}

int
debug_descriptor(struct insp *i, size_t module)
{
	const struct debug *d = asked_debug(i, module);

	return d ? d->fd : -1;
}

/* ---- sections ------------------------------------------------------------- */
typedef bool visit_fn(void *arg, Elf_Scn *scn, const GElf_Shdr *sh);

/* Sections of DWARF, until one is enough. */
static void
visit_dwarf(Elf *elf, visit_fn *visit, void *arg)
{
	Elf_Scn *scn = NULL;
	size_t names;

	if (!elf || elf_getshdrstrndx(elf, &names) != 0)
		return;
	while ((scn = elf_nextscn(elf, scn)) != NULL) {
		GElf_Shdr sh;
		const char *name = gelf_getshdr(scn, &sh)
				   ? elf_strptr(elf, names, sh.sh_name) : NULL;

		if (name && sh.sh_type != SHT_NOBITS
		    && strncmp(name, ".debug_", 7) == 0
		    && visit(arg, scn, &sh))
			return;
	}
}

static uint64_t
inflated_size(Elf_Scn *scn, const GElf_Shdr *sh)
{
	GElf_Chdr ch;

	if (!(sh->sh_flags & SHF_COMPRESSED))
		return sh->sh_size;
	return gelf_getchdr(scn, &ch) ? ch.ch_size : UINT64_MAX;
}

static bool
add_size(void *arg, Elf_Scn *scn, const GElf_Shdr *sh)
{
	uint64_t *sum = arg;

	if (!u64_add(*sum, inflated_size(scn, sh), sum))
		*sum = UINT64_MAX;
	return *sum == UINT64_MAX;
}

uint64_t
debug_size(struct insp *i, size_t module)
{
	const struct debug *d;
	uint64_t sum = 0;

	visit_dwarf(files_elf(i, module), add_size, &sum);
	d = sum ? NULL : asked_debug(i, module);
	if (d)
		visit_dwarf(d->elf, add_size, &sum);
	return sum;
}

/* ---- frames ---------------------------------------------------------------- */
struct frames_wanted {
	Elf *elf;
	bool compressed, found;
};

static bool
find_frames(void *arg, Elf_Scn *scn, const GElf_Shdr *sh)
{
	struct frames_wanted *want = arg;
	size_t names;
	const char *name = elf_getshdrstrndx(want->elf, &names) == 0
			   ? elf_strptr(want->elf, names, sh->sh_name) : NULL;

	if (!name || strcmp(name, ".debug_frame") != 0
	    || inflated_size(scn, sh) > FRAMES_MAX)
		return false;
	want->compressed = sh->sh_flags & SHF_COMPRESSED;
	want->found = true;
	return true;
}

static bool
inflate_frames(void *arg, Elf_Scn *scn, const GElf_Shdr *sh)
{
	struct frames_wanted *want = arg;

	if (!find_frames(arg, scn, sh))
		return false;
	if (want->compressed)
		want->found = elf_compress(scn, 0, 0) >= 0;
	return true;
}

static struct frames_wanted
frames_in(Elf *elf, visit_fn *visit)
{
	struct frames_wanted want = { .elf = elf };

	visit_dwarf(elf, visit, &want);
	return want;
}

/* The first PT_LOAD is at the same place, whatever was done to one of them. */
static uint64_t
first_load(Elf *elf)
{
	size_t n = 0;
	GElf_Phdr ph;

	elf_getphdrnum(elf, &n);
	for (size_t k = 0; k < n; k++)
		if (gelf_getphdr(elf, (int)k, &ph) && ph.p_type == PT_LOAD)
			return ph.p_vaddr;
	return 0;
}

/*
 * Inflated in an Elf of its own: others see the sections of files_elf() as
 * they are in the file.
 */
static Elf *
own_frames(struct insp *i, size_t module)
{
	struct source *file;
	_err_ struct err *none = insp_module_file(i, module, &file);
	int fd = none ? -1 : source_descriptor(file);
	Elf *elf = fd < 0 ? NULL : elf_begin(fd, ELF_C_READ_MMAP, NULL);

	if (!elf || frames_in(elf, inflate_frames).found)
		return elf;
	elf_end(elf);
	return NULL;
}

Elf *
debug_frames(struct insp *i, size_t module, uint64_t *bias)
{
	Elf *elf = files_elf(i, module);
	struct debug *d = elf ? debug_of(i, module) : NULL;

	if (!d)
		return NULL;
	*bias = i->modules[module].bias;
	if (!d->inflated) {
		d->inflated = true;
		if (frames_in(elf, find_frames).compressed)
			d->own = own_frames(i, module);
	}
	if (d->own)
		return d->own;
	d = asked_debug(i, module);
	if (!d || !d->elf || !frames_in(d->elf, inflate_frames).found)
		return NULL;
	*bias += first_load(elf) - first_load(d->elf);
	return d->elf;
}
