/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a file is good for that is kept beside snapshots: a program, a library
 * or a debug file, known by its build-id.
 */
#include "inspect/impl.h"
#include "inspect/skeleton.h"

#include <elf.h>
#include <gelf.h>
#include <string.h>

#define LOADED_MAX (64u << 20)

/* A debug file has its text as SHT_NOBITS, a stripped one has no DWARF. */
void
symfile_look(Elf *elf, struct symfile *out)
{
	Elf_Scn *scn = NULL;
	size_t names;
	GElf_Shdr sh;

	files_id(elf, &out->id);
	if (elf_getshdrstrndx(elf, &names) != 0)
		return;
	while ((scn = elf_nextscn(elf, scn))) {
		if (!gelf_getshdr(scn, &sh) || sh.sh_type != SHT_PROGBITS)
			continue;
		const char *name = elf_strptr(elf, names, sh.sh_name);

		out->code |= (sh.sh_flags & SHF_EXECINSTR) && sh.sh_size;
		out->debug |= name && strstr(name, "debug_info");
	}
}

bool
symfile_is(struct source *file)
{
	unsigned char head[EI_NIDENT + 2];
	_err_ struct err *err = source_read(file, 0, sizeof(head), head);

	if (err || memcmp(head, ELFMAG, SELFMAG) != 0)
		return false;
	return (head[EI_DATA] == ELFDATA2MSB ? head[EI_NIDENT + 1]
					     : head[EI_NIDENT]) != ET_CORE;
}

/* The table of sections is the end of most files. */
static bool
symfile_is_cut(const GElf_Ehdr *eh, uint64_t size)
{
	uint64_t n = (uint64_t)eh->e_shnum * eh->e_shentsize;

	return eh->e_shoff && (eh->e_shoff > size || n > size - eh->e_shoff);
}

static struct err *
symfile_open(struct source *file, struct arena *a, Elf **out)
{
	int fd = source_descriptor(file);
	struct span bytes;

	elf_version(EV_CURRENT);
	if (fd >= 0) {
		*out = elf_begin(fd, ELF_C_READ_MMAP, NULL);
	} else {
		struct err *err = source_load(file, 0, source_size(file),
					      LOADED_MAX, a, &bytes);
		if (err)
			return err;
		*out = elf_memory((char *)bytes.data, bytes.n);
	}
	return *out ? NULL : err_new(ERR_FORMAT, "%s is no ELF file",
				     source_name(file));
}

struct err *
symfile_read(struct source *file, struct symfile *out)
{
	_arena_ struct arena *a = arena_new(0);
	struct symfile found = { 0 };
	GElf_Ehdr eh;
	Elf *elf = NULL;

	struct err *err = a ? symfile_open(file, a, &elf) : err_nomem();
	if (err)
		return err;
	bool is = elf_kind(elf) == ELF_K_ELF && gelf_getehdr(elf, &eh);
	if (is)
		symfile_look(elf, &found);
	elf_end(elf);
	if (!is)
		return err_new(ERR_FORMAT, "%s is no ELF file that can be read",
			       source_name(file));
	if (symfile_is_cut(&eh, source_size(file)))
		return err_new(ERR_DAMAGED, "%s is cut: it ends before its "
			       "table of sections", source_name(file));
	if (found.id.kind == ID_NONE)
		return err_new(ERR_FORMAT, "%s is an ELF file without a "
			       "build-id, by which it would be found: link it "
			       "with --build-id", source_name(file));
	/* Without a table of sections it is what was mapped. */
	found.code |= !eh.e_shoff;
	/* Names without DWARF are worth something, too. */
	found.debug |= !found.code;
	found.machine = eh.e_machine;
	*out = found;
	return NULL;
}
