/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core.c: writes an inspected target as an ELF core.
 *
 * Memory comes first, in one pass, because only reading tells whether it can
 * be read; then the notes, then the program headers; the ELF header, at the
 * file's beginning, is the last thing that is written. Zeros are holes.
 *
 * What was not captured gets no segment: gdb 13 shows zeros for a segment
 * without bytes. Only read-only mappings of files get one, as in the kernel's
 * cores, because there a debugger looks into the file first (NT_FILE).
 */
#include "capture/core.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

/* ---- the file ---- */

struct err *
core_put(struct core_file *c, const void *data, size_t n)
{
	if (c->at > INT64_MAX - n)
		return err_new(ERR_LIMIT, "the core would be too large for a "
			       "file");
	if (c->at != c->pos && lseek(c->fd, (off_t)c->at, SEEK_SET) < 0)
		return err_errno("cannot write the core at offset %llu",
				 (unsigned long long)c->at);
	c->at += n;
	c->pos = c->at;
	return io_write(c->fd, data, n);
}

void
core_align(struct core_file *c, uint64_t to)
{
	c->at = (c->at + to - 1) / to * to;
}

/* ---- segments ---- */

static uint32_t
segment_flags(const struct snap_map *map)
{
	if (!map)
		return PF_R;
	return (map->perm & SNAP_PERM_R ? PF_R : 0)
	       | (map->perm & SNAP_PERM_W ? PF_W : 0)
	       | (map->perm & SNAP_PERM_X ? PF_X : 0);
}

static Elf64_Phdr *
segment_last(const struct core_file *c)
{
	return (Elf64_Phdr *)c->segments.data + c->segments.n - 1;
}

/* NULL without memory. */
static Elf64_Phdr *
segment_new(struct core_file *c, uint64_t addr, const struct snap_map *map)
{
	Elf64_Phdr *ph = vec_add(&c->segments, c->arena, sizeof(*ph));

	if (!ph)
		return NULL;
	core_align(c, PAGE);
	c->at += addr % PAGE;
	*ph = (Elf64_Phdr){
		.p_type = PT_LOAD, .p_flags = segment_flags(map),
		.p_vaddr = addr, .p_offset = c->at, .p_align = PAGE,
	};
	c->map = map;
	return ph;
}

/* The last segment goes on, or a new one begins: bytes cannot follow, in one
 * segment, what has none. */
static struct err *
segment_put(struct core_file *c, uint64_t addr, uint64_t n,
	    const struct snap_map *map, bool bytes)
{
	Elf64_Phdr *ph = segment_last(c);

	if (ph->p_type != PT_LOAD || ph->p_vaddr + ph->p_memsz != addr
	    || c->map != map || (bytes && ph->p_filesz != ph->p_memsz))
		ph = segment_new(c, addr, map);
	if (!ph)
		return err_nomem();
	ph->p_memsz += n;
	ph->p_filesz += bytes ? n : 0;
	return NULL;
}

/* ---- memory ---- */

/** A range of the target, as far as one mapping goes. */
struct part {
	const struct snap_memory *m;
	size_t range;           /* index of @m in the target */
	uint64_t start, end;
	const struct snap_map *map;     /* NULL = unknown */
};

static bool
is_zero(const uint8_t *p, size_t n)
{
	return p[0] == 0 && memcmp(p, p + 1, n - 1) == 0;
}

/* Zero pages stay holes. */
static struct err *
put_sparse(struct core_file *c, const uint8_t *data, size_t n)
{
	struct err *err = NULL;

	for (size_t at = 0, step; at < n && !err; at += step) {
		step = n - at < PAGE ? n - at : PAGE;
		if (is_zero(data + at, step))
			c->at += step;
		else
			err = core_put(c, data + at, step);
	}
	return err;
}

/* Is what is not here found in a file, by whoever opens the core? */
static bool
is_elsewhere(const struct part *p)
{
	return p->map && p->map->path && p->map->path[0] == '/'
	       && !(p->map->perm & SNAP_PERM_W)
	       && p->m->reason != SNAP_ABSENT_DEVICE;
}

static struct err *
put_absent(struct core_file *c, const struct part *p, uint64_t addr,
	   uint64_t n)
{
	return is_elsewhere(p) ? segment_put(c, addr, n, p->map, false) : NULL;
}

/* What stands in the target, without what a client wrote over it. */
static struct err *
part_read(struct core_file *c, const struct part *p, uint64_t addr, size_t n)
{
	const struct target_ops *ops = c->target->ops;

	if (p->m->kind != SNAP_MEM_DATA)
		return space_read(insp_space(c->insp), addr, n, c->bytes);
	/* inspect lends its target read-only; reading does not change it. */
	return ops->read((struct target *)c->target, p->range,
			 addr - p->m->start, n, c->bytes);
}

static struct err *
put_read(struct core_file *c, const struct part *p, uint64_t addr, size_t n)
{
	struct err *err = part_read(c, p, addr, n);

	if (err && (err_kind(err) == ERR_NOMEM || err_kind(err) == ERR_IO))
		return err;
	if (err) {
		err_free(err);
		return put_absent(c, p, addr, n);
	}
	err = segment_put(c, addr, n, p->map, true);
	return err ? err : put_sparse(c, c->bytes, n);
}

static struct err *
put_zero(struct core_file *c, const struct part *p)
{
	struct err *err = segment_put(c, p->start, p->end - p->start, p->map,
				      true);

	if (!err && p->end - p->start > INT64_MAX - c->at)
		return err_new(ERR_LIMIT, "the core would be too large for a "
			       "file");
	c->at += p->end - p->start;
	return err;
}

/* Chunk by chunk, so that each is unpacked once. */
static struct err *
put_chunks(struct core_file *c, const struct part *p)
{
	struct err *err = NULL;
	uint64_t next;

	for (uint64_t at = p->start; at < p->end && !err; at = next) {
		next = (at / SNAP_CHUNK + 1) * SNAP_CHUNK;
		if (next > p->end || next < at)
			next = p->end;
		err = put_read(c, p, at, (size_t)(next - at));
	}
	return err;
}

static struct err *
put_part(struct core_file *c, const struct part *p)
{
	switch (p->m->kind) {
	case SNAP_MEM_DATA:
	case SNAP_MEM_FILE:
		return put_chunks(c, p);
	case SNAP_MEM_ZERO:
		return put_zero(c, p);
	default:
		return put_absent(c, p, p->start, p->end - p->start);
	}
}

/* A range may run over several mappings. */
static struct err *
put_range(struct core_file *c, size_t range)
{
	const struct snap_memory *m = &c->target->memory[range];
	struct part p = { .m = m, .range = range, .start = m->start };
	uint64_t end = m->start + m->length;
	struct err *err = NULL;

	for (; p.start < end && !err; p.start = p.end) {
		p.end = end;
		p.map = capture_map_at(c->target, p.start, &p.end);
		err = put_part(c, &p);
	}
	return err;
}

/* ---- headers ---- */

static void
fill_header(const struct core_file *c, uint64_t phoff, Elf64_Ehdr *eh)
{
	*eh = (Elf64_Ehdr){
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64,
			     ELFDATA2LSB, EV_CURRENT },
		.e_type = ET_CORE, .e_machine = c->target->process.machine,
		.e_version = EV_CURRENT, .e_phoff = phoff,
		.e_ehsize = sizeof(*eh), .e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = (uint16_t)c->segments.n,
	};
	if (c->segments.n < PN_XNUM)
		return;
	/* gABI: the number stands in section header 0, behind the table. */
	eh->e_phnum = PN_XNUM;
	eh->e_shoff = phoff + c->segments.n * sizeof(Elf64_Phdr);
	eh->e_shentsize = sizeof(Elf64_Shdr);
	eh->e_shnum = 1;
}

static struct err *
put_headers(struct core_file *c)
{
	const Elf64_Shdr first = { .sh_size = 1,
				   .sh_info = (uint32_t)c->segments.n };
	Elf64_Ehdr eh;

	core_align(c, sizeof(uint64_t));
	fill_header(c, c->at, &eh);
	struct err *err = core_put(c, c->segments.data,
				   c->segments.n * sizeof(Elf64_Phdr));
	if (!err && eh.e_shnum)
		err = core_put(c, &first, sizeof(first));
	c->at = 0;
	return err ? err : core_put(c, &eh, sizeof(eh));
}

/* ---- all of it ---- */

static struct err *
core_check(const struct snap_process *p)
{
	if (p->os != SNAP_OS_LINUX || p->bits != 64)
		return err_new(ERR_UNSUPPORTED, "cores are written of 64-bit "
			       "processes of Linux, and this was none");
	return NULL;
}

struct err *
capture_core(struct insp *i, int out)
{
	_arena_ struct arena *a = arena_new(0);
	struct core_file c = {
		.insp = i, .target = insp_target(i), .arena = a, .fd = out,
		.at = sizeof(Elf64_Ehdr),
		.segments = { .max = UINT32_MAX },
	};

	struct err *err = core_check(&c.target->process);
	if (err)
		return err;
	c.bytes = a ? arena_alloc(a, SNAP_CHUNK) : NULL;
	if (!c.bytes || !vec_add(&c.segments, a, sizeof(Elf64_Phdr)))
		return err_nomem();
	for (size_t k = 0; k < c.target->n_memory && !err; k++)
		err = put_range(&c, k);
	if (!err)
		err = core_put_notes(&c);
	return err ? err : put_headers(&c);
}
