/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Symbols of the ELF tables: those of the file, of its debug file, and of the
 * small one that is packed in .gnu_debugdata, which libdwfl unpacks.
 */
#include <elfutils/libdwfl.h>
#include <gelf.h>
#include <stdlib.h>

#include "symbols/elf.h"

#define SYMBOLS_MAX (1u << 26)
#define COPIES_MAX 64u          /* names of one address */

/* ---- one symbol ----------------------------------------------------------------- */
static bool
is_told(const GElf_Sym *sym, const char *name)
{
	unsigned type = GELF_ST_TYPE(sym->st_info);

	return name && name[0] && sym->st_shndx != SHN_UNDEF
	       && type != STT_SECTION && type != STT_FILE;
}

/* "$x", "$d.7": whether code or data begins ("ELF for the Arm 64-bit
 * Architecture", 5.5). */
static bool
is_mapping(uint16_t machine, const char *name)
{
	return (machine == EM_AARCH64 || machine == EM_ARM) && name[0] == '$'
	       && strchr("xdat", name[1]) && name[1]
	       && (name[2] == '\0' || name[2] == '.');
}

static void
add(struct maker *m, uint16_t machine, const GElf_Sym *sym, const char *name,
    bool own)
{
	if (!is_told(sym, name) || is_mapping(machine, name))
		return;
	struct maker_symbol s = {
		.address = sym->st_value, .size = sym->st_size,
		.name = strings_add(m->strings, name, strlen(name)),
		.own = own,
		.type = GELF_ST_TYPE(sym->st_info),
		.binding = GELF_ST_BIND(sym->st_info),
	};

	buf_put(&m->symbols, &s, sizeof(s));
}

static bool
read_table(struct maker *m, struct opened *o, Elf_Scn *scn,
	   const GElf_Shdr *sh)
{
	Elf_Data *data = elf_getdata(scn, NULL);
	size_t size = gelf_fsize(o->elf[0], ELF_T_SYM, 1, EV_CURRENT);
	size_t n = data && size ? data->d_size / size : 0;
	bool own = o == *(struct opened **)(void *)m->opened.data;

	for (size_t k = 1; k < n && k < SYMBOLS_MAX; k++) {
		GElf_Sym sym;

		if (gelf_getsym(data, (int)k, &sym))
			add(m, o->machine, &sym,
			    elf_strptr(o->elf[0], sh->sh_link, sym.st_name),
			    own);
	}
	return n > 1;
}

static bool
read_tables(struct maker *m, struct opened *o)
{
	Elf_Scn *scn = NULL;
	bool whole = false;

	while ((scn = elf_nextscn(o->elf[0], scn)) != NULL) {
		GElf_Shdr sh;

		if (!gelf_getshdr(scn, &sh))
			continue;
		if (sh.sh_type == SHT_SYMTAB)
			whole |= read_table(m, o, scn, &sh);
		else if (sh.sh_type == SHT_DYNSYM)
			read_table(m, o, scn, &sh);
	}
	return whole;
}

/* ---- .gnu_debugdata -------------------------------------------------------------- */
static int
find_elf(Dwfl_Module *mod, void **userdata, const char *name, Dwarf_Addr base,
	 char **file_name, Elf **elfp)
{
	(void)mod, (void)base;
	struct opened *o = *userdata;

	/* One more reference: libdwfl ends the one it is given. */
	*elfp = o ? elf_begin(-1, ELF_C_READ_MMAP, o->elf[0]) : NULL;
	*file_name = *elfp ? strdup(name) : NULL;
	return -1;
}

/* No path is opened: there is no other file than those that we were given. */
static int
find_nothing(Dwfl_Module *mod, void **userdata, const char *name,
	     Dwarf_Addr base, const char *file_name, const char *link,
	     GElf_Word crc, char **debug_name)
{
	(void)mod, (void)userdata, (void)name, (void)base, (void)file_name;
	(void)link, (void)crc, (void)debug_name;
	return -1;
}

static bool
loaded_at(Elf *elf, uint64_t *start, uint64_t *end)
{
	size_t n = 0;

	*start = UINT64_MAX;
	*end = 0;
	elf_getphdrnum(elf, &n);
	for (size_t k = 0; k < n; k++) {
		GElf_Phdr ph;

		if (!gelf_getphdr(elf, (int)k, &ph) || ph.p_type != PT_LOAD)
			continue;
		if (ph.p_vaddr < *start)
			*start = ph.p_vaddr & -ph.p_align;
		if (ph.p_vaddr + ph.p_memsz > *end)
			*end = ph.p_vaddr + ph.p_memsz;
	}
	return *start < *end;
}

static void
read_packed(struct maker *m, struct opened *o)
{
	static const Dwfl_Callbacks callbacks = {
		.find_elf = find_elf, .find_debuginfo = find_nothing,
		.section_address = dwfl_offline_section_address,
	};
	uint64_t start, end;
	void **userdata;
	Dwfl *dwfl = loaded_at(o->elf[0], &start, &end)
		     ? dwfl_begin(&callbacks) : NULL;

	if (!dwfl)
		return;
	dwfl_report_begin(dwfl);
	Dwfl_Module *mod = dwfl_report_module(dwfl, "module", start, end);
	if (mod) {
		dwfl_module_info(mod, &userdata, NULL, NULL, NULL, NULL, NULL,
				 NULL);
		*userdata = o;
	}
	dwfl_report_end(dwfl, NULL, NULL);
	int n = mod ? dwfl_module_getsymtab(mod) : 0;
	for (int k = 1; k < n; k++) {
		GElf_Sym sym;
		const char *name = dwfl_module_getsym(mod, k, &sym, NULL);

		add(m, o->machine, &sym, name, true);
	}
	dwfl_end(dwfl);
}

static bool
has_packed(Elf *elf)
{
	Elf_Scn *scn = NULL;
	size_t names;

	if (elf_getshdrstrndx(elf, &names) != 0)
		return false;
	while ((scn = elf_nextscn(elf, scn)) != NULL) {
		GElf_Shdr sh;
		const char *name = gelf_getshdr(scn, &sh)
				   ? elf_strptr(elf, names, sh.sh_name) : NULL;

		if (name && strcmp(name, ".gnu_debugdata") == 0)
			return true;
	}
	return false;
}

/* ---- order ------------------------------------------------------------------------- */
/* gcc's second name for a function that others may replace. */
static bool
is_local_alias(const char *name)
{
	return strstr(name, ".localalias") != NULL;
}

/* Who is shown of those at one address: who has a size, and then, as gdb 13
 * has it, who is of the file and not of its debug file, and the name that is
 * the last in alphabetical order. */
static int
symbol_order(const void *a, const void *b)
{
	const struct maker_symbol *x = a, *y = b;
	const char *n = strings_peek(x->name), *o = strings_peek(y->name);

	if ((x->type == STT_TLS) != (y->type == STT_TLS))
		return x->type == STT_TLS ? 1 : -1;
	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	if ((x->size != 0) != (y->size != 0))
		return x->size ? -1 : 1;
	if (x->own != y->own)
		return x->own ? -1 : 1;
	if (is_local_alias(n) != is_local_alias(o))
		return is_local_alias(n) ? 1 : -1;
	return strcmp(o, n);
}

/* The table that is loaded has again what the whole one has. */
static bool
is_copy(const struct maker_symbol *all, size_t n, const struct maker_symbol *s)
{
	for (unsigned back = 0; n-- > 0 && back < COPIES_MAX
				&& all[n].address == s->address; back++)
		if (all[n].name == s->name && all[n].type == s->type)
			return true;
	return false;
}

static void
drop_copies(struct buf *symbols)
{
	struct maker_symbol *all = (void *)symbols->data;
	size_t n = symbols->len / sizeof(*all), kept = 0;

	for (size_t k = 0; k < n; k++)
		if (!is_copy(all, kept, &all[k]))
			all[kept++] = all[k];
	symbols->len = kept * sizeof(*all);
}

struct err *
elfsyms_read(struct maker *m)
{
	struct opened **all = (struct opened **)(void *)m->opened.data;
	size_t n_files = m->in->debug ? 2 : 1;
	bool whole = false;

	for (size_t k = 0; k < n_files; k++)
		whole |= read_tables(m, all[k]);
	if (!whole && has_packed(all[0]->elf[0]))
		read_packed(m, all[0]);
	struct err *err = buf_err(&m->symbols);
	if (err || !m->symbols.len)
		return err;
	qsort(m->symbols.data, m->symbols.len / sizeof(struct maker_symbol),
	      sizeof(struct maker_symbol), symbol_order);
	drop_copies(&m->symbols);
	return NULL;
}
