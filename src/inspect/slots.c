/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slots.c: which symbol a slot is for that stubs of a module jump through.
 */
#include "inspect/bounds.h"
#include "inspect/impl.h"

/* Of stubs: more than any linker has written. */
#define RELOCATIONS_MAX (1u << 20)

/* The name of symbol @n of the table in section @link. */
static const char *
symbol_name(Elf *elf, size_t link, size_t n)
{
	Elf_Scn *scn = elf_getscn(elf, link);
	Elf_Data *data = scn ? elf_getdata(scn, NULL) : NULL;
	GElf_Shdr sh;
	GElf_Sym sym;

	if (!data || !gelf_getshdr(scn, &sh) || !n
	    || !gelf_getsym(data, (int)n, &sym))
		return NULL;
	return elf_strptr(elf, sh.sh_link, sym.st_name);
}

/* Relocations of stubs name the section of their slots. */
static bool
is_of_stubs(const GElf_Shdr *sh)
{
	return sh->sh_type == SHT_RELA && (sh->sh_flags & SHF_INFO_LINK);
}

static const char *
slot_name(Elf *elf, Elf_Scn *scn, const GElf_Shdr *sh, uint64_t slot)
{
	Elf_Data *data = elf_getdata(scn, NULL);
	GElf_Rela rela;

	for (int k = 0; data && k < (int)RELOCATIONS_MAX; k++) {
		if (!gelf_getrela(data, k, &rela))
			break;
		if (rela.r_offset == slot)
			return symbol_name(elf, sh->sh_link,
					   GELF_R_SYM(rela.r_info));
	}
	return NULL;
}

struct err *
insp_slot_symbol(struct insp *i, uint64_t slot, const char **out)
{
	size_t module = insp_module_at(i, slot);
	Elf *elf = module == INSP_NONE ? NULL : files_elf(i, module);
	const char *name = NULL;
	Elf_Scn *scn = NULL;
	GElf_Shdr sh;

	while (elf && !name && (scn = elf_nextscn(elf, scn)) != NULL)
		if (gelf_getshdr(scn, &sh) && is_of_stubs(&sh))
			name = slot_name(elf, scn, &sh,
					 slot - i->modules[module].bias);
	if (!name || !name[0])
		return err_new(ERR_NOTFOUND, "0x%llx is no slot of a stub",
			       (unsigned long long)slot);
	*out = symbols_demangled(i, name);
	return NULL;
}
