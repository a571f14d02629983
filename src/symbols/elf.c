/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ELF files that an index is made from: where they are loaded, and their
 * sections of DWARF, inflated. libelf is not made for two threads, so there
 * are two handles of each file: one inflates .debug_info, one all else.
 */
#include <elfutils/libdwelf.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdlib.h>
#include <unistd.h>

#include "symbols/elf.h"

#define SECTION_MAX (3ull << 30)        /* of one, inflated */
#define JOINED_MAX (256u << 20)
#define IMAGE_MAX (4ull << 30)

static const char *const names[DW_SECTIONS] = {
	[DW_INFO] = "info", [DW_TYPES] = "types", [DW_ABBREV] = "abbrev",
	[DW_STR] = "str", [DW_LINE_STR] = "line_str",
	[DW_STR_OFFSETS] = "str_offsets", [DW_ADDR] = "addr",
	[DW_RANGES] = "ranges", [DW_RNGLISTS] = "rnglists", [DW_LOC] = "loc",
	[DW_LOCLISTS] = "loclists", [DW_LINE] = "line",
	[DW_CU_INDEX] = "cu_index", [DW_TU_INDEX] = "tu_index",
};

/* ".debug_info", ".zdebug_info", ".debug_info.dwo" */
static enum dw_section
section_of(const char *name)
{
	if (strncmp(name, ".debug_", 7) == 0)
		name += 7;
	else if (strncmp(name, ".zdebug_", 8) == 0)
		name += 8;
	else
		return DW_SECTIONS;
	for (unsigned k = 0; k < DW_SECTIONS; k++) {
		size_t n = strlen(names[k]);

		if (strncmp(name, names[k], n) == 0
		    && (!name[n] || strcmp(name + n, ".dwo") == 0))
			return k;
	}
	return DW_SECTIONS;
}

/* ---- sections ------------------------------------------------------------------ */
static uint64_t
inflated_size(Elf_Scn *scn, const GElf_Shdr *sh)
{
	GElf_Chdr ch;

	if (!(sh->sh_flags & SHF_COMPRESSED))
		return sh->sh_size;
	return gelf_getchdr(scn, &ch) ? ch.ch_size : UINT64_MAX;
}

static bool
inflate(Elf_Scn *scn, const GElf_Shdr *sh, const char *name)
{
	if (inflated_size(scn, sh) > SECTION_MAX)
		return false;
	if (sh->sh_flags & SHF_COMPRESSED)
		return elf_compress(scn, 0, 0) >= 0;
	return name[1] != 'z' || elf_compress_gnu(scn, 0, 0) >= 0;
}

/* A .dwo has one section for each of its type units. */
static void
join_section(struct opened *o, enum dw_section which, const Elf_Data *data)
{
	struct span *s = &o->dwarf.section[which];
	struct buf *all = &o->joined[which];

	if (!all->len)
		buf_put(all, s->data, s->n);
	buf_put(all, data->d_buf, data->d_size);
	if (!all->failed)
		*s = (struct span){ all->data, all->len };
}

static void
take_section(struct opened *o, Elf_Scn *scn, enum dw_section which)
{
	const Elf_Data *data = elf_rawdata(scn, NULL);
	struct span *s = &o->dwarf.section[which];

	if (!data || !data->d_buf || !data->d_size)
		return;
	if (!s->n)
		*s = (struct span){ data->d_buf, data->d_size };
	else if (s->n + data->d_size <= JOINED_MAX)
		join_section(o, which, data);
}

static void
inflate_half(struct maker *m, uint32_t n, struct arena *scratch)
{
	struct opened *o = ((struct opened **)(void *)m->opened.data)[n / 2];
	Elf *elf = o->elf[n % 2];
	Elf_Scn *scn = NULL;
	size_t strings;

	(void)scratch;
	if (!elf || elf_getshdrstrndx(elf, &strings) != 0)
		return;
	while ((scn = elf_nextscn(elf, scn)) != NULL) {
		GElf_Shdr sh;
		const char *name = gelf_getshdr(scn, &sh)
				   ? elf_strptr(elf, strings, sh.sh_name)
				   : NULL;
		enum dw_section which = name && sh.sh_type != SHT_NOBITS
					? section_of(name) : DW_SECTIONS;

		if (which == DW_SECTIONS || (which == DW_INFO) == (n % 2))
			continue;
		if (o->dwarf.section[which].n && which != DW_INFO
		    && which != DW_TYPES)
			continue;
		if (inflate(scn, &sh, name))
			take_section(o, scn, which);
	}
}

/* ---- opening --------------------------------------------------------------------- */
static void
close_file(struct opened *o)
{
	dw_file_fini(&o->dwarf);
	for (size_t k = 0; k < countof(o->elf); k++)
		elf_end(o->elf[k]);
	base_close(&o->fd);
	arena_free(o->image);
	for (size_t k = 0; k < DW_SECTIONS; k++)
		buf_fini(&o->joined[k]);
	free(o);
}

static bool
open_handles(struct opened *o, const struct span *image)
{
	for (size_t k = 0; k < countof(o->elf); k++) {
		o->elf[k] = image && image->data
			    ? elf_memory((char *)(uintptr_t)image->data,
					 image->n)
			    : elf_begin(o->fd, ELF_C_READ_MMAP, NULL);
		if (!o->elf[k] || elf_kind(o->elf[k]) != ELF_K_ELF)
			return false;
	}
	GElf_Ehdr eh;
	if (!gelf_getehdr(o->elf[0], &eh))
		return false;
	/* What is not there begins somewhere, too, and has no bytes. */
	for (size_t k = 0; k < DW_SECTIONS; k++)
		o->dwarf.section[k].data = "";
	o->dwarf.big = eh.e_ident[EI_DATA] == ELFDATA2MSB;
	o->machine = eh.e_machine;
	return true;
}

static struct err *
keep(struct maker *m, struct opened *o)
{
	buf_put(&m->opened, &o, sizeof(struct opened *));
	if (!m->opened.failed)
		return NULL;
	close_file(o);
	return err_nomem();
}

static struct err *
open_source(struct maker *m, struct source *src, struct opened **out)
{
	struct opened *o = calloc(1, sizeof(*o));
	struct span image = { 0 };
	struct err *err = NULL;

	if (!o)
		return err_nomem();
	o->fd = source_descriptor(src) >= 0
		? fcntl(source_descriptor(src), F_DUPFD_CLOEXEC, 0) : -1;
	if (o->fd < 0) {
		/* One byte more: libelf writes to what it maps, at times. */
		o->image = arena_new(0);
		err = o->image ? source_load(src, 0, source_size(src),
					     IMAGE_MAX, o->image, &image)
		      : err_nomem();
	}
	if (!err && !open_handles(o, &image))
		err = err_new(ERR_FORMAT, "%s: not an ELF file",
			      source_name(src));
	if (err) {
		close_file(o);
		return err;
	}
	*out = o;
	return keep(m, o);
}

static struct dw_file *
dwarf_of(struct opened *o)
{
	return o && o->dwarf.section[DW_INFO].n ? &o->dwarf : NULL;
}

/* There may be more of them than descriptors: what is mapped needs none. */
static bool
let_go(struct opened *o)
{
	for (size_t k = 0; k < countof(o->elf); k++)
		if (elf_cntl(o->elf[k], ELF_C_FDREAD) != 0)
			return false;
	base_close(&o->fd);
	o->fd = -1;
	return true;
}

struct dw_file *
files_split(struct maker *m, int fd)
{
	struct opened *o = calloc(1, sizeof(*o));

	if (!o) {
		base_close(&fd);
		return NULL;
	}
	o->fd = fd;
	if (!open_handles(o, NULL) || !let_go(o)) {
		close_file(o);
		return NULL;
	}
	_err_ struct err *err = keep(m, o);
	if (err)
		return NULL;
	uint32_t at = (uint32_t)(m->opened.len / sizeof(struct opened *)) - 1;
	inflate_half(m, 2 * at, NULL);
	inflate_half(m, 2 * at + 1, NULL);
	return dwarf_of(o);
}

void
files_close(struct maker *m)
{
	struct opened **all = (struct opened **)(void *)m->opened.data;

	for (size_t k = 0; k < m->opened.len / sizeof(struct opened *); k++)
		close_file(all[k]);
	buf_fini(&m->opened);
}

/* ---- what the file is -------------------------------------------------------------- */
static struct err *
read_loads(struct maker *m, Elf *elf)
{
	size_t n = 0;

	elf_getphdrnum(elf, &n);
	m->text = arena_array(m->arena, n + 1, sizeof(*m->text));
	if (!m->text)
		return err_nomem();
	for (size_t k = 0; k < n; k++) {
		GElf_Phdr ph;

		if (!gelf_getphdr(elf, (int)k, &ph) || ph.p_type != PT_LOAD
		    || !(ph.p_flags & PF_X))
			continue;
		m->text[m->n_text++] = (struct text_range){
			ph.p_vaddr, ph.p_vaddr + ph.p_memsz,
		};
	}
	return NULL;
}

/* What the linker left out stands at 0, or at the end of all addresses. */
bool
maker_is_text(const struct maker *m, uint64_t address)
{
	for (size_t k = 0; k < m->n_text; k++)
		if (address >= m->text[k].start && address < m->text[k].end)
			return true;
	return m->n_text == 0 && address && address < UINT64_MAX - 1;
}

static void
read_id(struct maker *m, Elf *elf)
{
	const void *bits;
	ssize_t n = dwelf_elf_gnu_build_id(elf, &bits);

	if (n <= 0 || n > ID_MAX)
		return;
	m->id.kind = ID_GNU_BUILD_ID;
	m->id.len = (uint8_t)n;
	memcpy(m->id.bytes, bits, (size_t)n);
}

static uint64_t
sum_sections(const struct dw_file *f)
{
	uint64_t sum = 0;

	for (size_t k = 0; f && k < DW_SECTIONS; k++)
		sum += f->section[k].n;
	return sum;
}

static struct err *
lend_strings(struct maker *m)
{
	struct dw_file *const all[] = { m->dwarf, m->alt, m->package };
	uint64_t at = 0;

	for (size_t k = 0; k < countof(all); k++) {
		struct span *s = all[k] ? &all[k]->section[DW_STR] : NULL;

		if (!s || !s->n)
			continue;
		all[k]->borrows_strings = true;
		all[k]->str_base = (uint32_t)at;
		at += s->n;
		if (at > INT32_MAX)
			return err_new(ERR_LIMIT, "more than 2 GiB of names");
	}
	return NULL;
}

struct err *
files_open(struct maker *m)
{
	struct source *const sources[] = {
		m->in->file, m->in->debug, m->in->alt, m->in->package,
	};
	struct opened *o[countof(sources)] = { 0 };

	elf_version(EV_CURRENT);
	for (size_t k = 0; k < countof(sources); k++) {
		struct err *err = sources[k]
				  ? open_source(m, sources[k], &o[k]) : NULL;
		if (err)
			return err;
	}
	maker_each(m, 2 * (uint32_t)(m->opened.len / sizeof(struct opened *)),
		   inflate_half);
	read_id(m, o[0]->elf[0]);
	m->dwarf = dwarf_of(o[1]) ? dwarf_of(o[1]) : dwarf_of(o[0]);
	m->alt = dwarf_of(o[2]);
	m->package = dwarf_of(o[3]);
	if (m->package)
		m->package->package = true;
	if (m->dwarf)
		m->dwarf->alt = m->alt;
	m->dwarf_size = sum_sections(m->dwarf) + sum_sections(m->package);
	struct err *err = read_loads(m, o[0]->elf[0]);
	return err ? err : lend_strings(m);
}
