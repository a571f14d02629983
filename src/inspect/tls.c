/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Thread-local variables without libthread_db, for glibc.
 *
 * A thread's dtv is told at its thread pointer (struct tcbhead_t); its entries
 * are 16 bytes, the address first; dtv[-1] holds their number (union dtv_t,
 * sysdeps/generic/dl-dtv.h). Where a module's number and static offset are in
 * struct link_map, the C library describes for libthread_db (nptl.h).
 */
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "inspect/arch.h"
#include "inspect/image.h"
#include "inspect/impl.h"
#include "inspect/nptl.h"

#define DTV_ENTRY 16u
#define MODULE_NUMBER_MAX (1u << 20)
#define LINK_MAP_SIZE_MAX 65536u

struct tls {
	uint32_t number_at, offset_at;  /* in struct link_map */
	bool found;
};

/** What is known of a module's storage. */
struct block {
	uint64_t number;        /* "modid", from 1 */
	uint64_t offset;        /* from the thread pointer, see is_static() */
	bool fixed;             /* the offset alone tells */
};

/* ---- the C library's description ---------------------------------------- */
static bool
read_fields(struct insp *i, size_t module, struct tls *out)
{
	_err_ struct err *no_number = nptl_field(
		i, module, "_thread_db_link_map_l_tls_modid", 64,
		&out->number_at);
	if (no_number)
		return false;
	_err_ struct err *no_offset = nptl_field(
		i, module, "_thread_db_link_map_l_tls_offset", 64,
		&out->offset_at);
	return !no_offset;
}

static struct err *
find_fields(struct insp *i)
{
	if (!i->tls) {
		i->tls = arena_alloc(i->arena, sizeof(*i->tls));
		if (!i->tls)
			return err_nomem();
		for (size_t n = 0; n < i->n_modules && !i->tls->found; n++)
			if (nptl_is_library(&i->modules[n]))
				i->tls->found = read_fields(i, n, i->tls);
	}
	if (!i->tls->found)
		return err_new(ERR_NOTFOUND, "thread-local variables need the "
			       "symbols of a GNU C library, which are not "
			       "here");
	return NULL;
}

/* ---- a module's storage ------------------------------------------------- */
static struct err *
block_of_link_map(struct insp *i, uint64_t link_map, struct block *out)
{
	struct err *err = find_fields(i);

	if (err)
		return err;
	if (link_map > UINT64_MAX - 2 * LINK_MAP_SIZE_MAX)
		return err_new(ERR_UNMAPPED, "no link map is at 0x%llx",
			       (unsigned long long)link_map);
	err = space_u64(i->space, link_map + i->tls->number_at, &out->number);
	if (!err)
		err = space_u64(i->space, link_map + i->tls->offset_at,
				&out->offset);
	return err;
}

/*
 * A static program has no link map. It is module 1, and its block ends at the
 * thread pointer, or begins behind it (csu/libc-tls.c, __libc_setup_tls).
 */
static struct err *
block_of_program(struct insp *i, struct block *out)
{
	const struct arch_table *arch = arch_table_of(i->arch);
	_free_ struct image *image = calloc(1, sizeof(*image));
	uint64_t phdrs, n;

	if (!image)
		return err_nomem();
	if (!insp_auxv(i, AT_PHDR, &phdrs) || !insp_auxv(i, AT_PHNUM, &n))
		return err_new(ERR_NOTFOUND, "the program's headers are not "
			       "known");
	struct err *err = image_of_phdrs(i->space, phdrs, n, image);
	if (err)
		return err;
	for (size_t k = 0; k < image->n_phdrs; k++) {
		const Elf64_Phdr *ph = &image->phdrs[k];
		uint64_t align = ph->p_align ? ph->p_align : 1;

		if (ph->p_type != PT_TLS)
			continue;
		out->number = 1;
		out->fixed = true;
		uint64_t size = arch->tls_above ? arch->tls_skip : ph->p_memsz;
		out->offset = (size + align - 1) / align * align;
		return NULL;
	}
	return err_new(ERR_NOTFOUND, "the program has no thread-local storage");
}

static bool
is_program(const struct insp *i, uint64_t link_map)
{
	for (size_t k = 0; k < i->n_modules; k++)
		if (i->modules[k].flags & SNAP_MODULE_MAIN)
			return i->modules[k].link_map == link_map;
	return false;
}

/* The program's block has its place by the ABI, whatever the C library is. */
static struct err *
find_block(struct insp *i, uint64_t link_map, struct block *out)
{
	if (!link_map)
		return block_of_program(i, out);
	struct err *err = block_of_link_map(i, link_map, out);
	if (err_kind(err) != ERR_NOTFOUND || !is_program(i, link_map))
		return err;
	err_free(err);
	return block_of_program(i, out);
}

/* 0, -1 and -2: not in the static block (NO_TLS_OFFSET and
 * FORCED_DYNAMIC_TLS_OFFSET of glibc's include/link.h). */
static bool
is_static(const struct block *b)
{
	return b->offset != 0 && b->offset < UINT64_MAX - 1;
}

/* ---- a thread's copy ---------------------------------------------------- */
static struct err *
thread_pointer(struct insp *i, size_t thread, uint64_t *out)
{
	uint8_t bytes[REG_BYTES_MAX];
	bool known = false;
	size_t n;
	const struct reg *regs = insp_regs(i, &n);

	for (size_t k = 0; k < n; k++) {
		if (regs[k].dwarf != (int)i->arch->tp)
			continue;
		struct err *err = insp_reg_read(i, thread, k, bytes, &known);
		if (err)
			return err;
		struct rd r = rd_of(bytes, 8);
		*out = rd_u64(&r);
	}
	if (!known)
		return nptl_thread_pointer(i, i->target->threads[thread].tid,
					   out);
	return NULL;
}

/** *@out 0: this thread has no block of its own for the module. */
static struct err *
read_dtv(struct insp *i, uint64_t tp, uint64_t number, uint64_t *out)
{
	uint64_t dtv = 0, entries = 0, block = 0;
	unsigned dtv_at = arch_table_of(i->arch)->dtv_at;

	struct err *err = space_u64(i->space, tp + dtv_at, &dtv);
	if (!err)
		err = space_u64(i->space, dtv - DTV_ENTRY, &entries);
	if (err)
		return err_wrap(err, "the thread's table of thread-local "
				"storage");
	*out = 0;
	if (number > entries)
		return NULL;
	err = space_u64(i->space, dtv + number * DTV_ENTRY, &block);
	if (err)
		return err;
	if (!(block & 1))       /* -1 = not allocated yet */
		*out = block;
	return NULL;
}

struct err *
insp_tls(struct insp *i, size_t thread, uint64_t link_map, uint64_t offset,
	 uint64_t *out)
{
	struct block b = { 0 };
	uint64_t tp = 0, block = 0;

	struct err *err = thread_pointer(i, thread, &tp);
	if (!err)
		err = find_block(i, link_map, &b);
	if (err)
		return err;
	if (b.number == 0 || b.number > MODULE_NUMBER_MAX)
		return err_new(ERR_NOTFOUND, "the module has no thread-local "
			       "storage");
	if (!b.fixed)
		err = read_dtv(i, tp, b.number, &block);
	if (err)
		return err;
	if (!block && !is_static(&b))
		return err_new(ERR_NOTFOUND, "the thread has not yet used this "
			       "thread-local storage");
	if (!block)
		block = arch_table_of(i->arch)->tls_above ? tp + b.offset
							  : tp - b.offset;
	*out = block + offset;
	return NULL;
}
