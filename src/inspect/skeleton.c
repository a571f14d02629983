/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which parts of an ELF file make its skeleton: what naming and unwinding
 * need - headers, notes, dynamic section, symbol tables, call frame
 * information, links to debug files - and no code or data.
 */
#include "inspect/skeleton.h"
#include "inspect/impl.h"

#include <gelf.h>
#include <stdlib.h>
#include <string.h>

#define SKELETON_MAX (256u << 20)
#define SKELETON_SECTIONS_MAX 65536u

/** A byte range of the file, before its bytes are loaded. */
struct range {
	uint64_t start, end;
};

static bool
kept_type(uint32_t type)
{
	switch (type) {
	case SHT_NOTE:
	case SHT_DYNAMIC:
	case SHT_DYNSYM:
	case SHT_SYMTAB:
	case SHT_SYMTAB_SHNDX:
	case SHT_STRTAB:
	case SHT_GNU_verdef:
	case SHT_GNU_verneed:
	case SHT_GNU_versym:
		return true;
	default:
		return false;
	}
}

static bool
kept_name(const char *name)
{
	static const char *const names[] = {
		".eh_frame", ".eh_frame_hdr", ".debug_frame", ".interp",
		".gnu_debuglink", ".gnu_debugaltlink", ".gnu_debugdata",
	};

	for (size_t n = 0; name && n < countof(names); n++)
		if (strcmp(names[n], name) == 0)
			return true;
	return false;
}

static struct err *
add_range(struct vec *v, struct arena *a, uint64_t start, uint64_t n)
{
	uint64_t end;

	if (n == 0)
		return NULL;
	if (!u64_add(start, n, &end))
		return err_new(ERR_DAMAGED, "a section ends beyond 2^64");
	struct range *r = vec_add(v, a, sizeof(*r));
	if (!r)
		return err_nomem();
	*r = (struct range){ start, end };
	return NULL;
}

static struct err *
add_headers(Elf *elf, struct vec *v, struct arena *a, const GElf_Ehdr *eh)
{
	size_t phdrs = 0, shdrs = 0;

	elf_getphdrnum(elf, &phdrs);
	elf_getshdrnum(elf, &shdrs);
	struct err *err = add_range(v, a, 0, sizeof(Elf64_Ehdr));
	if (!err)
		err = add_range(v, a, eh->e_phoff,
				(uint64_t)phdrs * eh->e_phentsize);
	if (!err && eh->e_shoff)
		err = add_range(v, a, eh->e_shoff,
				(uint64_t)shdrs * eh->e_shentsize);
	return err;
}

static struct err *
add_sections(Elf *elf, struct vec *v, struct arena *a)
{
	Elf_Scn *scn = NULL;
	size_t names = 0;

	elf_getshdrstrndx(elf, &names);
	while ((scn = elf_nextscn(elf, scn))) {
		GElf_Shdr sh;

		if (!gelf_getshdr(scn, &sh) || sh.sh_type == SHT_NOBITS)
			continue;
		if (!kept_type(sh.sh_type)
		    && !kept_name(elf_strptr(elf, names, sh.sh_name)))
			continue;
		struct err *err = add_range(v, a, sh.sh_offset, sh.sh_size);
		if (err)
			return err;
	}
	return NULL;
}

static int
range_order(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	return (x->start > y->start) - (x->start < y->start);
}

/* Sorted, clipped to the file, neighbours and overlaps joined. */
static size_t
join_ranges(struct range *r, size_t n, uint64_t size)
{
	size_t out = 0;

	qsort(r, n, sizeof(*r), range_order);
	for (size_t k = 0; k < n; k++) {
		if (r[k].end > size)
			r[k].end = size;
		if (r[k].start >= r[k].end)
			continue;
		if (out && r[k].start <= r[out - 1].end) {
			if (r[k].end > r[out - 1].end)
				r[out - 1].end = r[k].end;
			continue;
		}
		r[out++] = r[k];
	}
	return out;
}

static struct err *
load_ranges(const struct range *r, size_t n, struct source *file,
	    struct arena *a, const struct snap_extent **out)
{
	struct snap_extent *e = arena_array(a, n, sizeof(*e));
	uint64_t left = SKELETON_MAX;

	if (!e)
		return err_nomem();
	for (size_t k = 0; k < n; k++) {
		uint64_t size = r[k].end - r[k].start;

		e[k].offset = r[k].start;
		struct err *err = source_load(file, r[k].start, size, left, a,
					      &e[k].bytes);
		if (err)
			return err_wrap(err, "skeleton");
		left -= size;
	}
	*out = e;
	return NULL;
}

struct err *
skeleton_of(Elf *elf, struct source *file, struct arena *a,
	    const struct snap_extent **out, size_t *n)
{
	struct vec ranges = { .max = SKELETON_SECTIONS_MAX };
	GElf_Ehdr eh;

	if (elf_kind(elf) != ELF_K_ELF || !gelf_getehdr(elf, &eh))
		return err_new(ERR_FORMAT, "%s is no ELF file",
			       source_name(file));
	struct err *err = add_headers(elf, &ranges, a, &eh);
	if (!err)
		err = add_sections(elf, &ranges, a);
	if (err)
		return err_wrap(err, "%s", source_name(file));
	*n = join_ranges(ranges.data, ranges.n, source_size(file));
	return load_ranges(ranges.data, *n, file, a, out);
}

struct err *
skeleton_read(struct source *file, struct arena *a, struct skeleton *out)
{
	Elf *elf;

	elf_version(EV_CURRENT);
	elf = elf_begin(source_descriptor(file), ELF_C_READ_MMAP, NULL);
	if (!elf)
		return err_new(ERR_FORMAT, "%s is no ELF file",
			       source_name(file));
	struct err *err = skeleton_of(elf, file, a, &out->extents, &out->n);
	if (!err)
		files_id(elf, &out->id);
	elf_end(elf);
	return err;
}
