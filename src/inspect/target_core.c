/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The target "elf-core": a Linux ELF core file, by whomever it was written.
 * Headers are read by hand and bounded, because a core may claim anything:
 * 65,536 segments and more (PN_XNUM), ends before its data, overlaps.
 */
#include "inspect/core.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#define CORE_SEGMENTS_MAX (1u << 22)
#define CORE_NOTES_MAX (256u << 20)
#define CORE_ARENA_MAX (900u << 20)

/** Part of a PT_LOAD segment: one answer for all of [start, end). */
struct core_range {
	uint64_t start, end, offset;
	uint8_t kind, reason, perm;
};

struct err *
core_gap(struct core *c, const char *fmt, ...)
{
	_buf_ struct buf b = { 0 };
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&b, fmt, ap);
	va_end(ap);
	const char **slot = vec_add(&c->gaps, c->target.arena, sizeof(*slot));
	if (slot)
		*slot = arena_strdup(c->target.arena, b.data ? b.data : "");
	return slot && *slot ? NULL : err_nomem();
}

/* ---- what kind of ELF file is it --------------------------------------- */
static const char *
machine_name(uint16_t machine)
{
	static const struct { uint16_t machine; const char *name; } names[] = {
		{ EM_386, "i386" }, { EM_X86_64, "x86-64" }, { EM_ARM, "ARM" },
		{ EM_AARCH64, "AArch64" }, { EM_PPC, "PowerPC" },
		{ EM_PPC64, "PowerPC 64" }, { EM_S390, "s390" },
		{ EM_RISCV, "RISC-V" }, { EM_SPARC, "SPARC" },
		{ EM_SPARCV9, "SPARC v9" }, { EM_MIPS, "MIPS" },
		{ EM_IA_64, "Itanium" },
	};

	for (size_t n = 0; n < countof(names); n++)
		if (names[n].machine == machine)
			return names[n].name;
	return NULL;
}

static const char *
type_name(uint16_t type)
{
	return type == ET_EXEC || type == ET_DYN
	       ? "a program or library" : type == ET_REL
	       ? "an object file" : "an ELF file of unknown type";
}

static struct err *
refuse_machine(struct source *src, uint16_t machine)
{
	const char *name = machine_name(machine);

	if (name)
		return err_new(ERR_UNSUPPORTED, "%s is a core of %s; cores of "
			       "x86-64 and AArch64 are handled",
			       source_name(src), name);
	return err_new(ERR_UNSUPPORTED, "%s is a core of ELF machine %u; cores "
		       "of x86-64 and AArch64 are handled", source_name(src),
		       machine);
}

static struct err *
ident_check(struct source *src, const Elf64_Ehdr *eh)
{
	bool big = eh->e_ident[EI_DATA] == ELFDATA2MSB;
	uint16_t type = big ? __builtin_bswap16(eh->e_type) : eh->e_type;
	uint16_t machine = big ? __builtin_bswap16(eh->e_machine)
			       : eh->e_machine;

	if (type != ET_CORE)
		return err_new(ERR_FORMAT, "%s is %s, not a core",
			       source_name(src), type_name(type));
	if (eh->e_ident[EI_CLASS] == ELFCLASS32 && machine == EM_X86_64)
		return err_new(ERR_UNSUPPORTED, "%s is a core of x32; cores of "
			       "x86-64 and AArch64 are handled",
			       source_name(src));
	if (big || eh->e_ident[EI_CLASS] != ELFCLASS64 || !arch_find(machine))
		return refuse_machine(src, machine);
	if (eh->e_ident[EI_OSABI] == ELFOSABI_FREEBSD)
		return err_new(ERR_UNSUPPORTED, "%s is a core of FreeBSD; "
			       "cores of Linux are handled", source_name(src));
	if (eh->e_phentsize != sizeof(Elf64_Phdr))
		return err_new(ERR_DAMAGED, "%s: program headers of %u bytes, "
			       "not %zu (ELF header, offset 54)",
			       source_name(src), eh->e_phentsize,
			       sizeof(Elf64_Phdr));
	return NULL;
}

static struct err *
segment_count(struct source *src, const Elf64_Ehdr *eh, uint64_t *out)
{
	Elf64_Shdr first;

	*out = eh->e_phnum;
	if (eh->e_phnum != PN_XNUM)
		return NULL;
	/* gABI: the real number stands in section header 0's sh_info. */
	struct err *err = source_read(src, eh->e_shoff, sizeof(first), &first);
	if (err)
		return err_wrap(err, "section header 0, which holds the number "
				"of segments");
	*out = first.sh_info;
	return NULL;
}

/* ---- segments ----------------------------------------------------------- */
static struct err *
add_range(struct core *c, uint64_t start, uint64_t end,
	  const struct core_range *like)
{
	if (start >= end)
		return NULL;
	struct core_range *r = vec_add(&c->memory, c->target.arena, sizeof(*r));
	if (!r)
		return err_nomem();
	*r = *like;
	r->start = start;
	r->end = end;
	return NULL;
}

/* Bytes in the file, then those the file ends before, then those left out. */
static struct err *
add_segment(struct core *c, const Elf64_Phdr *ph, uint64_t *cut)
{
	struct core_range like = { .offset = ph->p_offset };
	uint64_t size = source_size(c->source), end, file_end;

	if (!u64_add(ph->p_vaddr, ph->p_memsz, &end)
	    || ph->p_filesz > ph->p_memsz
	    || !u64_add(ph->p_offset, ph->p_filesz, &file_end))
		return core_gap(c, "the segment at 0x%llx has impossible sizes "
				"and is left out",
				(unsigned long long)ph->p_vaddr);
	like.perm = (ph->p_flags & PF_R ? SNAP_PERM_R : 0)
		    | (ph->p_flags & PF_W ? SNAP_PERM_W : 0)
		    | (ph->p_flags & PF_X ? SNAP_PERM_X : 0);
	uint64_t have = file_end <= size ? ph->p_filesz
			: ph->p_offset < size ? size - ph->p_offset : 0;
	uint64_t bytes = ph->p_vaddr + have;
	uint64_t filed = ph->p_vaddr + ph->p_filesz;
	*cut += ph->p_filesz - have;

	like.kind = SNAP_MEM_DATA;
	struct err *err = add_range(c, ph->p_vaddr, bytes, &like);
	like.kind = SNAP_MEM_ABSENT;
	like.reason = SNAP_ABSENT_CUT;
	if (!err)
		err = add_range(c, bytes, filed, &like);
	like.reason = SNAP_ABSENT_FILTER;
	if (!err)
		err = add_range(c, filed, end, &like);
	return err;
}

static struct err *
load_notes(struct core *c, const Elf64_Phdr *ph, uint64_t *budget)
{
	uint64_t size = source_size(c->source);
	uint64_t left = ph->p_offset < size ? size - ph->p_offset : 0;
	uint64_t n = ph->p_filesz < left ? ph->p_filesz : left;
	struct span bytes;

	if (n > *budget)
		return err_new(ERR_LIMIT, "more than %u MiB of notes",
			       CORE_NOTES_MAX >> 20);
	*budget -= n;
	struct err *err = source_load(c->source, ph->p_offset, n, n,
				      c->target.arena, &bytes);
	if (!err && n < ph->p_filesz)
		err = core_gap(c, "the file ends inside the notes: threads may "
			       "be missing");
	return err ? err : core_notes(c, bytes);
}

static struct err *
take_segments(struct core *c, const Elf64_Phdr *ph, size_t n)
{
	uint64_t cut = 0, budget = CORE_NOTES_MAX;
	struct err *err = NULL;

	for (size_t k = 0; k < n && !err; k++) {
		if (ph[k].p_type == PT_NOTE)
			err = load_notes(c, &ph[k], &budget);
		else if (ph[k].p_type == PT_LOAD)
			err = add_segment(c, &ph[k], &cut);
	}
	if (!err && cut)
		err = core_gap(c, "the core is truncated: %llu bytes of memory "
			       "stood behind its end (at offset %llu)",
			       (unsigned long long)cut,
			       (unsigned long long)source_size(c->source));
	return err;
}

static struct err *
load_segments(struct core *c, const Elf64_Ehdr *eh)
{
	uint64_t n, want;
	struct span table;

	struct err *err = segment_count(c->source, eh, &n);
	if (err)
		return err;
	if (n == 0 || n > CORE_SEGMENTS_MAX)
		return err_new(ERR_DAMAGED, "%llu program headers (ELF header, "
			       "offset 56)", (unsigned long long)n);
	want = n * sizeof(Elf64_Phdr);
	err = source_load(c->source, eh->e_phoff, want, want, c->target.arena,
			  &table);
	if (err)
		return err_wrap(err, "program headers");
	return take_segments(c, table.data, n);
}

/* ---- the address space in order ------------------------------------------ */
static int
range_order(const void *a, const void *b)
{
	const struct core_range *x = a, *y = b;

	return x->start != y->start ? (x->start < y->start ? -1 : 1)
	       : (x->end > y->end) - (x->end < y->end);
}

static int
file_order(const void *a, const void *b)
{
	const struct core_file *x = a, *y = b;

	return (x->start > y->start) - (x->start < y->start);
}

/* Mapped files without a segment (gcore leaves read-only ones out). */
static struct err *
add_files_without_segment(struct core *c)
{
	const struct core_range like = {
		.kind = SNAP_MEM_ABSENT, .reason = SNAP_ABSENT_FILTER,
		.perm = SNAP_PERM_R | SNAP_PERM_X,
	};
	const struct core_file *f = c->files.data;
	size_t known = c->memory.n, r = 0;
	struct err *err = NULL;

	for (size_t k = 0; k < c->files.n && !err; k++) {
		const struct core_range *ranges = c->memory.data;

		while (r < known && ranges[r].end <= f[k].start)
			r++;
		if (r < known && ranges[r].start < f[k].end)
			continue;
		err = add_range(c, f[k].start, f[k].end, &like);
	}
	return err;
}

/* Where two segments claim an address the first one keeps it. */
static struct err *
cut_overlaps(struct core *c)
{
	struct core_range *r = c->memory.data;
	size_t kept = 0, cut = 0;
	uint64_t end = 0;

	for (size_t k = 0; k < c->memory.n; k++) {
		struct core_range x = r[k];

		if (x.start < end) {
			cut++;
			uint64_t to = x.end < end ? x.end : end;
			x.offset += to - x.start;
			x.start = to;
		}
		if (x.start >= x.end)
			continue;
		end = x.end;
		r[kept++] = x;
	}
	c->memory.n = kept;
	if (cut)
		return core_gap(c, "%zu segments overlap others; where they do "
				"the first one is shown", cut);
	return NULL;
}

static void
range_publish(const struct core_range *r, struct snap_memory *m, uint64_t *off)
{
	*m = (struct snap_memory){
		.start = r->start, .length = r->end - r->start,
		.kind = r->kind, .reason = r->reason,
	};
	*off = r->offset;
}

static const struct core_file *
file_at(const struct core *c, size_t *next, uint64_t addr)
{
	const struct core_file *f = c->files.data;

	while (*next < c->files.n && f[*next].end <= addr)
		++*next;
	return *next < c->files.n && f[*next].start <= addr ? &f[*next] : NULL;
}

/* Ranges of one segment join to one map; a mapped file gives it a name. */
static size_t
make_maps(struct core *c, struct snap_map *maps)
{
	const struct core_range *r = c->memory.data;
	size_t n = 0, next = 0;

	for (size_t k = 0; k < c->memory.n; k++) {
		const struct core_file *f = file_at(c, &next, r[k].start);
		const char *path = f ? f->path : NULL;
		struct snap_map *last = n ? &maps[n - 1] : NULL;

		if (last && last->end == r[k].start && last->perm == r[k].perm
		    && last->path == path && k > 0
		    && r[k].kind == SNAP_MEM_ABSENT
		    && r[k - 1].offset == r[k].offset) {
			last->end = r[k].end;
			continue;
		}
		maps[n++] = (struct snap_map){
			.start = r[k].start, .end = r[k].end,
			.perm = r[k].perm, .path = path,
			.offset = f ? f->offset + (r[k].start - f->start) : 0,
		};
	}
	return n;
}

static struct err *
publish_memory(struct core *c)
{
	size_t n = c->memory.n;
	const struct core_range *r = c->memory.data;
	struct arena *a = c->target.arena;
	struct snap_memory *memory = arena_array(a, n, sizeof(*memory));
	struct snap_map *maps = arena_array(a, n, sizeof(*maps));
	uint64_t *offsets = arena_array(a, n, sizeof(*offsets));

	if (n && (!memory || !maps || !offsets))
		return err_nomem();
	for (size_t k = 0; k < n; k++)
		range_publish(&r[k], &memory[k], &offsets[k]);
	c->target.memory = memory;
	c->target.n_memory = n;
	c->target.maps = maps;
	c->target.n_maps = make_maps(c, maps);
	c->offsets = offsets;
	return NULL;
}

static struct err *
order_memory(struct core *c)
{
	if (c->files.n)
		qsort(c->files.data, c->files.n, sizeof(struct core_file),
		      file_order);
	if (c->memory.n)
		qsort(c->memory.data, c->memory.n, sizeof(struct core_range),
		      range_order);
	struct err *err = add_files_without_segment(c);
	if (err)
		return err;
	if (c->memory.n)
		qsort(c->memory.data, c->memory.n, sizeof(struct core_range),
		      range_order);
	err = cut_overlaps(c);
	return err ? err : publish_memory(c);
}

/* ---- the target ------------------------------------------------------------ */
static struct err *
core_read(struct target *t, size_t range, uint64_t off, size_t n, void *out)
{
	struct core *c = (struct core *)t;

	return source_read(c->source, c->offsets[range] + off, n, out);
}

static void
core_close(struct target *t)
{
	arena_free(t->arena);   /* the core itself lives in it */
}

static const struct target_ops core_ops = {
	.kind = "elf-core",
	.read = core_read,
	.close = core_close,
};

static struct err *
core_fill(struct core *c)
{
	Elf64_Ehdr eh;

	struct err *err = source_read(c->source, 0, sizeof(eh), &eh);
	if (err)
		return err;
	err = ident_check(c->source, &eh);
	if (err)
		return err;
	c->target.process.machine = eh.e_machine;
	c->target.process.os = SNAP_OS_LINUX;
	c->target.process.bits = 64;
	err = load_segments(c, &eh);
	if (!err && c->foreign && c->threads.n == 0)
		return err_new(ERR_UNSUPPORTED, "%s is a core of a BSD system; "
			       "cores of Linux are handled",
			       source_name(c->source));
	if (!err)
		err = core_notes_end(c);
	if (!err)
		err = order_memory(c);
	if (!err && c->target.n_threads == 0)
		err = core_gap(c, "the core holds no thread");
	if (err)
		return err_wrap(err, "%s", source_name(c->source));
	c->target.gaps = c->gaps.data;
	c->target.n_gaps = c->gaps.n;
	return NULL;
}

struct err *
core_open(struct source *src, struct target **out)
{
	_arena_ struct arena *a = arena_new(CORE_ARENA_MAX);
	struct core *c = a ? arena_alloc(a, sizeof(*c)) : NULL;

	if (!c)
		return err_nomem();
	c->target.ops = &core_ops;
	c->target.arena = a;
	c->source = src;
	struct err *err = core_fill(c);
	if (err)
		return err;
	take(a);
	*out = &c->target;
	return NULL;
}
