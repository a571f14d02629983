/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The constants of an ELF file that hold addresses (.data.rel.ro and what else
 * PT_GNU_RELRO covers), as the dynamic linker leaves them in memory: the
 * file's bytes, and at the places that its relative relocations name the load
 * bias and an addend. Relocations of other kinds are for whoever compares
 * this with memory to find out.
 */
#include "inspect/skeleton.h"
#include "inspect/impl.h"

#include <endian.h>
#include <gelf.h>
#include <string.h>

#define TABLE_MAX (128u << 20)          /* bytes of relocations */
#define DYNAMIC_MAX (64u << 10)
#define WORD 8u

/* What is looked for in an ELF file. */
struct constant_tables {
	uint64_t rela, rela_size;       /* DT_RELA: address, bytes */
	uint64_t relr, relr_size;       /* DT_RELR */
};
struct relocating {
	Elf *elf;
	struct source *file;
	struct arena *arena;            /* of the tables */
	uint32_t relative;              /* R_*_RELATIVE of this machine */
	uint64_t base, first;
	uint8_t *bytes;
	size_t n;
};

static uint32_t
relative_type(uint16_t machine)
{
	static const struct { uint16_t machine; uint32_t type; } types[] = {
		{ EM_X86_64, R_X86_64_RELATIVE },
		{ EM_AARCH64, R_AARCH64_RELATIVE },
	};

	for (size_t k = 0; k < countof(types); k++)
		if (types[k].machine == machine)
			return types[k].type;
	return 0;
}

/* The program header of @type, or that of a PT_LOAD which has @n bytes of the
 * file at @addr. */
static bool
segment_find(Elf *elf, uint32_t type, uint64_t addr, uint64_t n,
	     GElf_Phdr *out)
{
	size_t count = 0;

	elf_getphdrnum(elf, &count);
	for (size_t k = 0; k < count; k++) {
		if (!gelf_getphdr(elf, (int)k, out) || out->p_type != type)
			continue;
		if (type != PT_LOAD)
			return true;
		if (addr >= out->p_vaddr && addr - out->p_vaddr <= out->p_filesz
		    && n <= out->p_filesz - (addr - out->p_vaddr))
			return true;
	}
	return false;
}

/* [addr, addr + n) of the image, as it is in the file. */
static struct err *
image_load(const struct relocating *r, uint64_t addr, uint64_t n,
	   uint64_t limit, struct span *out)
{
	uint64_t at;
	GElf_Phdr load;

	if (!segment_find(r->elf, PT_LOAD, addr, n, &load)
	    || !u64_add(load.p_offset, addr - load.p_vaddr, &at))
		return err_new(ERR_DAMAGED, "%s has nothing at 0x%llx",
			       source_name(r->file), (unsigned long long)addr);
	return source_load(r->file, at, n, limit, r->arena, out);
}

static struct err *
tables_find(const struct relocating *r, struct constant_tables *out)
{
	struct span bytes = { NULL, 0 };
	GElf_Phdr dynamic;

	*out = (struct constant_tables){ 0 };
	if (!segment_find(r->elf, PT_DYNAMIC, 0, 0, &dynamic))
		return NULL;
	const struct { int64_t tag; uint64_t *to; } tags[] = {
		{ DT_RELA, &out->rela }, { DT_RELASZ, &out->rela_size },
		{ DT_RELR, &out->relr }, { DT_RELRSZ, &out->relr_size },
	};
	struct err *err = source_load(r->file, dynamic.p_offset,
				      dynamic.p_filesz, DYNAMIC_MAX, r->arena,
				      &bytes);
	if (err)
		return err;
	struct rd rd = rd_of(bytes.data, bytes.n);
	while (rd_left(&rd) >= sizeof(Elf64_Dyn)) {
		int64_t tag = (int64_t)rd_u64(&rd);
		uint64_t value = rd_u64(&rd);

		for (size_t k = 0; k < countof(tags); k++)
			if (tags[k].tag == tag)
				*tags[k].to = value;
		if (tag == DT_NULL)
			break;
	}
	return NULL;
}

/* The word at @addr of the image, or NULL: it is none of ours. */
static uint8_t *
word_of(const struct relocating *r, uint64_t addr)
{
	uint64_t at = addr - r->first;

	return addr % WORD == 0 && at < r->n ? r->bytes + at : NULL;
}

static void
word_relocate(const struct relocating *r, uint8_t *word, uint64_t addend)
{
	uint64_t w = htole64(r->base + addend);

	memcpy(word, &w, sizeof(w));
}

static struct err *
apply_rela(const struct relocating *r, uint64_t addr, uint64_t n)
{
	struct span table = { NULL, 0 };

	if (!n)
		return NULL;
	struct err *err = image_load(r, addr, n, TABLE_MAX, &table);
	if (err)
		return err;
	struct rd rd = rd_of(table.data, table.n);
	while (rd_left(&rd) >= sizeof(Elf64_Rela)) {
		uint8_t *word = word_of(r, rd_u64(&rd));
		uint64_t info = rd_u64(&rd), addend = rd_u64(&rd);

		if (word && ELF64_R_TYPE(info) == r->relative)
			word_relocate(r, word, addend);
	}
	return NULL;
}

static void
relr_word(const struct relocating *r, uint64_t addr)
{
	uint8_t *word = word_of(r, addr);
	uint64_t addend;

	if (!word)
		return;
	memcpy(&addend, word, sizeof(addend));
	word_relocate(r, word, le64toh(addend));
}

/* The gABI's relative relocation table: an even entry is an address, an odd
 * one has a bit for each of the 63 words that follow. */
static struct err *
apply_relr(const struct relocating *r, uint64_t addr, uint64_t n)
{
	struct span table = { NULL, 0 };
	uint64_t at = 0;

	if (!n)
		return NULL;
	struct err *err = image_load(r, addr, n, TABLE_MAX, &table);
	if (err)
		return err;
	struct rd rd = rd_of(table.data, table.n);
	while (rd_left(&rd) >= WORD) {
		uint64_t entry = rd_u64(&rd);

		if (entry % 2 == 0) {
			relr_word(r, entry);
			at = entry + WORD;
			continue;
		}
		for (unsigned k = 0; k < 63; k++)
			if (entry >> (k + 1) & 1)
				relr_word(r, at + (uint64_t)k * WORD);
		at += 63 * WORD;
	}
	return NULL;
}

/* Whole windows of @step bytes of PT_GNU_RELRO; nothing if they are few. */
static struct err *
constants_load(struct relocating *r, size_t step)
{
	uint64_t end, first;
	struct span bytes = { NULL, 0 };
	GElf_Phdr relro;

	if (!segment_find(r->elf, PT_GNU_RELRO, 0, 0, &relro)
	    || !u64_add(relro.p_vaddr, relro.p_filesz, &end)
	    || !u64_add(relro.p_vaddr, step - 1, &first))
		return NULL;
	first -= first % step;
	end -= end % step;
	if (first >= end || end - first < CONSTANTS_LEAST
	    || end - first > CONSTANTS_MOST)
		return NULL;
	struct err *err = image_load(r, first, end - first, CONSTANTS_MOST,
				     &bytes);
	if (err)
		return err;
	r->bytes = arena_dup(r->arena, bytes.data, bytes.n);
	r->n = bytes.n;
	r->first = first;
	return r->bytes ? NULL : err_nomem();
}

static struct err *
constants_of(struct relocating *r, size_t step)
{
	struct constant_tables tables;
	struct err *err = constants_load(r, step);

	if (err || !r->n)
		return err;
	err = tables_find(r, &tables);
	/* In the linker's order; no place is named twice in a sound file. */
	if (!err)
		err = apply_relr(r, tables.relr, tables.relr_size);
	return err ? err : apply_rela(r, tables.rela, tables.rela_size);
}

struct err *
constants_read(struct source *file, uint64_t base, size_t step,
	       struct arena *a, struct constants *out)
{
	struct relocating r = { .file = file, .arena = a, .base = base };
	struct err *err = NULL;
	GElf_Ehdr eh;

	*out = (struct constants){ 0 };
	elf_version(EV_CURRENT);
	r.elf = elf_begin(source_descriptor(file), ELF_C_READ_MMAP, NULL);
	if (r.elf && gelf_getclass(r.elf) == ELFCLASS64
	    && gelf_getehdr(r.elf, &eh)
	    && eh.e_ident[EI_DATA] == ELFDATA2LSB) {
		r.relative = relative_type(eh.e_machine);
		if (r.relative)
			err = constants_of(&r, step);
	}
	elf_end(r.elf);
	if (err)
		return err;
	out->first = r.first;
	out->bytes = (struct span){ r.bytes, r.n };
	return NULL;
}
