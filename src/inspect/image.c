/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the ELF headers of a module out of the target's memory: bias, extent,
 * dynamic section and build-id, whoever has the file.
 */
#include "inspect/image.h"
#include "inspect/ingredients.h"

#include <string.h>

static void
image_add_phdr(struct image *im, const Elf64_Phdr *ph)
{
	uint64_t end = im->bias + ph->p_vaddr + ph->p_memsz;

	switch (ph->p_type) {
	case PT_LOAD:
		if (end > im->end)
			im->end = end;
		break;
	case PT_DYNAMIC:
		im->dynamic = im->bias + ph->p_vaddr;
		break;
	case PT_GNU_EH_FRAME:
		im->eh_frame_hdr = im->bias + ph->p_vaddr;
		im->eh_frame_hdr_size = ph->p_memsz;
		break;
	case PT_INTERP:
		im->interp = im->bias + ph->p_vaddr;
		break;
	}
}

static struct err *
read_phdrs(struct space *sp, uint64_t addr, uint64_t n, struct image *im)
{
	if (n == 0 || n > IMAGE_PHDRS_MAX)
		return err_new(ERR_FORMAT, "%llu program headers at 0x%llx",
			       (unsigned long long)n, (unsigned long long)addr);
	im->n_phdrs = n;
	return space_read(sp, addr, n * sizeof(Elf64_Phdr), im->phdrs);
}

/* The image's first byte is offset 0 of the PT_LOAD that maps it. */
static bool
first_load(const struct image *im, uint64_t *start)
{
	for (size_t k = 0; k < im->n_phdrs; k++) {
		const Elf64_Phdr *ph = &im->phdrs[k];

		if (ph->p_type != PT_LOAD)
			continue;
		*start = ph->p_vaddr - ph->p_offset;
		return true;
	}
	return false;
}

static struct err *
image_fill(struct image *im)
{
	if (!first_load(im, &im->start))
		return err_new(ERR_FORMAT, "no loadable segment in the image "
			       "at 0x%llx", (unsigned long long)im->base);
	im->bias = im->base - im->start;
	for (size_t k = 0; k < im->n_phdrs; k++)
		image_add_phdr(im, &im->phdrs[k]);
	return NULL;
}

struct err *
image_read(struct space *sp, uint64_t base, struct image *out)
{
	Elf64_Ehdr eh;

	memset(out, 0, sizeof(*out));
	struct err *err = space_read(sp, base, sizeof(eh), &eh);
	if (err)
		return err;
	if (memcmp(eh.e_ident, ELFMAG, SELFMAG) != 0
	    || eh.e_ident[EI_CLASS] != ELFCLASS64
	    || eh.e_ident[EI_DATA] != ELFDATA2LSB
	    || eh.e_phentsize != sizeof(Elf64_Phdr))
		return err_new(ERR_FORMAT, "no ELF image at 0x%llx",
			       (unsigned long long)base);
	out->base = base;
	out->type = eh.e_type;
	err = read_phdrs(sp, base + eh.e_phoff, eh.e_phnum, out);
	if (!err)
		err = image_fill(out);
	out->entry = out->bias + eh.e_entry;
	return err;
}

struct err *
image_of_phdrs(struct space *sp, uint64_t phdrs, uint64_t n, struct image *out)
{
	memset(out, 0, sizeof(*out));
	struct err *err = read_phdrs(sp, phdrs, n, out);
	if (err)
		return err;
	/*
	 * PT_PHDR tells where the table thinks it is; without one (static
	 * programs) the table follows the ELF header.
	 */
	out->base = phdrs - sizeof(Elf64_Ehdr);
	for (size_t k = 0; k < n; k++)
		if (out->phdrs[k].p_type == PT_PHDR)
			out->base = phdrs - out->phdrs[k].p_offset;
	return image_fill(out);
}

void
notes_id(struct span notes, struct module_id *out)
{
	struct rd r = rd_of(notes.data, notes.n);

	out->kind = ID_NONE;
	out->len = 0;
	while (rd_left(&r) >= sizeof(Elf64_Nhdr)) {
		uint32_t namesz = rd_u32(&r);
		uint32_t descsz = rd_u32(&r);
		uint32_t type = rd_u32(&r);
		const char *name = rd_bytes(&r, namesz);
		rd_align(&r, 4);
		const void *desc = rd_bytes(&r, descsz);
		rd_align(&r, 4);
		if (!name || !desc)
			return;
		if (type != NT_GNU_BUILD_ID || namesz != 4
		    || memcmp(name, "GNU", 4) != 0 || descsz == 0
		    || descsz > ID_MAX)
			continue;
		out->kind = ID_GNU_BUILD_ID;
		out->len = (uint8_t)descsz;
		memcpy(out->bytes, desc, descsz);
		return;
	}
}

void
image_id(struct space *sp, const struct image *im, struct module_id *out)
{
	out->kind = ID_NONE;
	out->len = 0;
	for (size_t k = 0; k < im->n_phdrs && out->kind == ID_NONE; k++) {
		const Elf64_Phdr *ph = &im->phdrs[k];
		char notes[4096];

		if (ph->p_type != PT_NOTE || ph->p_memsz > sizeof(notes))
			continue;
		_err_ struct err *err = space_read(sp, im->bias + ph->p_vaddr,
						   ph->p_memsz, notes);
		if (!err)
			notes_id((struct span){ notes, ph->p_memsz }, out);
	}
}
