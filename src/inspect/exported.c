/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exported.c: what a module defines for others, as the dynamic linker looks it
 * up: by the hash table of its dynamic symbols (.gnu.hash). One search touches
 * a few words of a file, where an index would have to be opened.
 */
#include "inspect/bounds.h"
#include "inspect/exported.h"
#include "inspect/impl.h"

#include <gelf.h>
#include <string.h>

#define HEAD_SIZE 16u
#define CHAIN_MAX 65536u
#define VERSION_HIDDEN 0x8000u  /* "LSB Core", 10.7.2: no default version */

/* Sections, as far as they are there. */
struct tables {
	struct rd hash, symbols, strings, versions;
};

static struct rd
rd_of_section(Elf *elf, size_t section, GElf_Shdr *sh)
{
	Elf_Scn *scn = elf_getscn(elf, section);
	const Elf_Data *d = scn && gelf_getshdr(scn, sh)
			    && sh->sh_type != SHT_NOBITS
			    ? elf_rawdata(scn, NULL) : NULL;

	return rd_of(d ? d->d_buf : NULL, d ? d->d_size : 0);
}

/* False: there is no such table, and nothing is known. */
static bool
tables_find(Elf *elf, struct tables *t)
{
	size_t symbols = 0;
	Elf_Scn *scn = NULL;
	GElf_Shdr sh;

	while ((scn = elf_nextscn(elf, scn))) {
		if (!gelf_getshdr(scn, &sh))
			continue;
		if (sh.sh_type == SHT_GNU_HASH) {
			t->hash = rd_of_section(elf, elf_ndxscn(scn), &sh);
			symbols = sh.sh_link;
		} else if (sh.sh_type == SHT_GNU_versym) {
			t->versions = rd_of_section(elf, elf_ndxscn(scn), &sh);
		}
	}
	if (!symbols)
		return false;
	t->symbols = rd_of_section(elf, symbols, &sh);
	t->strings = rd_of_section(elf, sh.sh_link, &sh);
	return rd_left(&t->hash) && rd_left(&t->symbols)
	       && rd_left(&t->strings);
}

static uint32_t
gnu_hash(const char *name)
{
	uint32_t hash = 5381;

	for (; *name; name++)
		hash = hash * 33 + (unsigned char)*name;
	return hash;
}

static bool
u32_at(struct rd r, uint64_t at, uint32_t *out)
{
	if (at > rd_left(&r))
		return false;
	rd_skip(&r, (size_t)at);
	*out = rd_u32(&r);
	return !rd_failed(&r);
}

static bool
is_called(struct rd strings, uint32_t at, const char *name)
{
	size_t n = strlen(name) + 1;

	if (at > rd_left(&strings))
		return false;
	rd_skip(&strings, at);
	const char *its = rd_bytes(&strings, n);
	return its && memcmp(its, name, n) == 0;
}

static bool
is_default(struct rd versions, uint64_t n)
{
	/* Without versions all are. */
	if (n >= rd_left(&versions) / 2)
		return true;
	rd_skip(&versions, 2 * (size_t)n);
	return !(rd_u16(&versions) & VERSION_HIDDEN);
}

/* Symbol @n is the one? A thread's own has no address. */
static enum exported
symbol_is(const struct tables *t, uint64_t n, const char *name, uint64_t *value)
{
	struct rd r = t->symbols;
	Elf64_Sym sym;

	if (n >= rd_left(&r) / sizeof(sym))
		return EXPORTED_NOT;
	rd_skip(&r, (size_t)n * sizeof(sym));
	memcpy(&sym, rd_bytes(&r, sizeof(sym)), sizeof(sym));
	if (sym.st_shndx == SHN_UNDEF
	    || ELF64_ST_BIND(sym.st_info) == STB_LOCAL
	    || !is_default(t->versions, n)
	    || !is_called(t->strings, sym.st_name, name))
		return EXPORTED_NOT;
	if (ELF64_ST_TYPE(sym.st_info) == STT_TLS)
		return EXPORTED_UNKNOWN;
	*value = sym.st_value;
	return EXPORTED;
}

/** Where one hash leads in the table. */
struct place {
	uint64_t chain;         /* offset of the chains, by symbol */
	uint32_t n, first;      /* symbol to begin with; that of chains[0] */
};

static enum exported
place_find(const struct rd *hash, uint32_t h, struct place *out)
{
	struct rd r = *hash;
	uint32_t buckets = rd_u32(&r), first = rd_u32(&r);
	uint32_t words = rd_u32(&r), shift = rd_u32(&r), low, high;

	if (!buckets || !words)
		return EXPORTED_UNKNOWN;
	uint64_t at = HEAD_SIZE + 8ull * (h / 64 % words);
	if (!u32_at(*hash, at, &low) || !u32_at(*hash, at + 4, &high))
		return EXPORTED_UNKNOWN;
	uint64_t word = low | (uint64_t)high << 32;
	if (!(word >> h % 64 & 1) || !(word >> (h >> shift % 32) % 64 & 1))
		return EXPORTED_NOT;
	at = HEAD_SIZE + 8ull * words;
	out->chain = at + 4ull * buckets;
	out->first = first;
	if (!u32_at(*hash, at + 4ull * (h % buckets), &out->n))
		return EXPORTED_UNKNOWN;
	return out->n && out->n >= first ? EXPORTED : EXPORTED_NOT;
}

enum exported
exported_find(Elf *elf, const char *name, uint64_t *value)
{
	struct tables t = { .versions = rd_of(NULL, 0) };
	const uint32_t h = gnu_hash(name);
	struct place p;
	uint32_t has = 0;

	if (!tables_find(elf, &t))
		return EXPORTED_UNKNOWN;
	enum exported how = place_find(&t.hash, h, &p);
	if (how != EXPORTED)
		return how;
	how = EXPORTED_NOT;
	for (unsigned k = 0; k < CHAIN_MAX && !(has & 1)
			     && how == EXPORTED_NOT; k++) {
		uint64_t n = (uint64_t)p.n + k;

		if (!u32_at(t.hash, p.chain + 4 * (n - p.first), &has))
			return EXPORTED_UNKNOWN;
		if ((has | 1) == (h | 1))
			how = symbol_is(&t, n, name, value);
	}
	return how;
}

enum exported
insp_exported(struct insp *i, size_t module, const char *linkage,
	      uint64_t *out)
{
	Elf *elf = module < i->n_modules ? files_elf(i, module) : NULL;
	uint64_t value;
	enum exported how = elf ? exported_find(elf, linkage, &value)
			    : EXPORTED_UNKNOWN;

	if (how == EXPORTED)
		*out = i->modules[module].bias + value;
	return how;
}
