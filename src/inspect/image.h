/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The headers of an ELF image as they lie in the target's memory.
 */
#ifndef INSPECT_IMAGE_H
#define INSPECT_IMAGE_H

#include <elf.h>

#include "inspect/inspect.h"

#define IMAGE_PHDRS_MAX 256u

struct image {
	uint64_t base;          /* where the ELF header is mapped */
	uint64_t bias;          /* run-time address - p_vaddr */
	uint64_t start;         /* p_vaddr that file offset 0 is mapped at */
	uint64_t end;           /* of the last PT_LOAD, run-time address */
	uint64_t dynamic;       /* PT_DYNAMIC, run-time address; 0 = none */
	uint64_t eh_frame_hdr;  /* PT_GNU_EH_FRAME likewise */
	uint64_t eh_frame_hdr_size;
	uint64_t entry;         /* run-time address */
	uint16_t type;          /* ET_* */
	uint64_t interp;        /* PT_INTERP, likewise: a name */
	size_t n_phdrs;
	Elf64_Phdr phdrs[IMAGE_PHDRS_MAX];
};

/**
 * Read header and program headers at @base. ERR_FORMAT if there is no ELF64
 * little-endian image, ERR_ABSENT or ERR_UNMAPPED as space_read().
 */
struct err *image_read(struct space *sp, uint64_t base, struct image *out)
	_must_check_;
/** The same from a program header table alone (AT_PHDR). */
struct err *image_of_phdrs(struct space *sp, uint64_t phdrs, uint64_t n,
			   struct image *out) _must_check_;
/** GNU build-id from a PT_NOTE in memory; ID_NONE if there is none. */
void image_id(struct space *sp, const struct image *im, struct module_id *out);

#endif
