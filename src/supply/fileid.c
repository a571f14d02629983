/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fileid: has a file the build-id that it was asked for by?
 *
 * This runs where no jail is, over files of this machine that a stranger chose
 * the path of: headers and notes are copied into memory of a fixed size, and
 * nothing that they say is used for more than the next read.
 */
#include <elf.h>
#include <string.h>
#include <unistd.h>

#include "inspect/ingredients.h"
#include "supply/fileid.h"

#define NOTES_MAX 4096u         /* bytes of one segment or section */

static bool
read_at(int fd, uint64_t at, void *out, size_t n)
{
	return at <= INT64_MAX && pread(fd, out, n, (off_t)at) == (ssize_t)n;
}

static bool
notes_have(int fd, uint64_t at, uint64_t n, const struct module_id *want)
{
	uint8_t notes[NOTES_MAX];
	struct module_id id;
	size_t some = n < sizeof(notes) ? (size_t)n : sizeof(notes);

	if (!read_at(fd, at, notes, some))
		return false;
	notes_id((struct span){ notes, some }, &id);
	return id.kind != ID_NONE && id_equal(&id, want);
}

static bool
segments_have(int fd, const Elf64_Ehdr *eh, const struct module_id *want)
{
	Elf64_Phdr ph;

	if (eh->e_phentsize != sizeof(ph))
		return false;
	for (uint64_t k = 0; k < eh->e_phnum && k < FILEID_MAX; k++) {
		if (eh->e_phoff > INT64_MAX
		    || !read_at(fd, eh->e_phoff + k * sizeof(ph), &ph,
				sizeof(ph)))
			return false;
		if (ph.p_type == PT_NOTE
		    && notes_have(fd, ph.p_offset, ph.p_filesz, want))
			return true;
	}
	return false;
}

/* A debug file's segments are those of the other file, and lead nowhere. */
static bool
sections_have(int fd, const Elf64_Ehdr *eh, const struct module_id *want)
{
	Elf64_Shdr sh;

	if (eh->e_shentsize != sizeof(sh))
		return false;
	for (uint64_t k = 0; k < eh->e_shnum && k < FILEID_MAX; k++) {
		if (eh->e_shoff > INT64_MAX
		    || !read_at(fd, eh->e_shoff + k * sizeof(sh), &sh,
				sizeof(sh)))
			return false;
		if (sh.sh_type == SHT_NOTE
		    && notes_have(fd, sh.sh_offset, sh.sh_size, want))
			return true;
	}
	return false;
}

bool
fileid_is(int fd, const struct module_id *want)
{
	Elf64_Ehdr eh;

	if (want->kind == ID_NONE || !read_at(fd, 0, &eh, sizeof(eh))
	    || memcmp(eh.e_ident, ELFMAG, SELFMAG) != 0
	    || eh.e_ident[EI_CLASS] != ELFCLASS64
	    || eh.e_ident[EI_DATA] != ELFDATA2LSB)
		return false;
	return segments_have(fd, &eh, want) || sections_have(fd, &eh, want);
}
