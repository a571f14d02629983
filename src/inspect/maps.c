/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is mapped, piece by piece, and what mappings are called.
 */
#include "inspect/maps.h"
#include "base/search.h"

#include <elf.h>

/* ---- pieces ------------------------------------------------------------- */
static const struct snap_map *
map_above(const struct target *t, uint64_t addr)
{
	size_t k = search_above(t->maps, t->n_maps, sizeof(*t->maps),
				offsetof(struct snap_map, end), addr);

	return k < t->n_maps ? &t->maps[k] : NULL;
}

/* The range that holds @addr, or the next one. */
static size_t
memory_above(const struct target *t, uint64_t addr)
{
	size_t k = search_above(t->memory, t->n_memory, sizeof(*t->memory),
				offsetof(struct snap_memory, start), addr);

	if (k && addr - t->memory[k - 1].start < t->memory[k - 1].length)
		return k - 1;
	return k;
}

/* Only of what is said to be in a file it has to be tried whether it is. */
static void
piece_judge(struct insp *i, const struct snap_memory *m, struct map_piece *p)
{
	struct region r;

	p->reason = 0;
	p->state = MAP_CAPTURED;
	if (m->kind == SNAP_MEM_DATA && (m->flags & SNAP_MEM_FROM_FILE))
		p->state = MAP_FROM_FILE;
	if (m->kind == SNAP_MEM_ZERO)
		p->state = MAP_ZERO;
	if (m->kind == SNAP_MEM_DATA || m->kind == SNAP_MEM_ZERO)
		return;
	space_region(insp_space(i), p->start, &r);
	p->state = r.captured ? MAP_FROM_FILE : MAP_ABSENT;
	p->reason = r.captured ? 0 : r.reason;
}

/* Of range @k, from @addr on, as far as one mapping goes. */
static void
piece_of(struct insp *i, size_t k, uint64_t addr, struct map_piece *out)
{
	const struct target *t = insp_target(i);
	const struct snap_memory *m = &t->memory[k];
	const struct snap_map *map;
	struct map_piece p = {
		.start = addr > m->start ? addr : m->start,
		.end = m->start + m->length,
	};

	if (p.end <= p.start)
		p.end = UINT64_MAX;     /* the end of the space */
	map = map_above(t, p.start);
	if (map && map->start <= p.start) {
		p.map = map;
		if (map->end < p.end)
			p.end = map->end;
	} else if (map && map->start < p.end) {
		p.end = map->start;
	}
	piece_judge(i, m, &p);
	*out = p;
}

static bool
is_same(const struct map_piece *a, const struct map_piece *b)
{
	return a->map == b->map && a->state == b->state
	       && a->reason == b->reason && a->end == b->start;
}

bool
insp_piece_above(struct insp *i, uint64_t addr, struct map_piece *out)
{
	const struct target *t = insp_target(i);
	size_t k = memory_above(t, addr);
	struct map_piece next;

	if (k >= t->n_memory || addr == UINT64_MAX)
		return false;
	piece_of(i, k, addr, out);
	while (out->end == t->memory[k].start + t->memory[k].length
	       && ++k < t->n_memory && t->memory[k].start == out->end) {
		piece_of(i, k, out->end, &next);
		if (!is_same(out, &next))
			break;
		out->end = next.end;
	}
	return true;
}

/* ---- names -------------------------------------------------------------- */
static uint64_t
stack_of_thread(struct insp *i, size_t thread)
{
	const struct arch *arch = insp_arch(i);
	struct frame_regs regs;

	if (thread == INSP_NONE)
		return 0;
	_err_ struct err *none = insp_frame_regs(i, thread, &regs);
	return none || !(regs.known >> arch->sp & 1) ? 0
		: regs.value[arch->sp];
}

/*
 * The kernel names the stack of a process's first thread only. What AT_RANDOM
 * points at lies in it even where sp has left it.
 */
void
insp_map_names(struct insp *i, struct map_names *out)
{
	uint64_t pid = insp_target(i)->process.pid;

	if (!insp_auxv(i, AT_RANDOM, &out->stack))
		out->stack = stack_of_thread(i, insp_find_thread(i, pid));
	if (!insp_auxv(i, AT_SYSINFO_EHDR, &out->vdso))
		out->vdso = 0;
}

static bool
holds(const struct snap_map *m, uint64_t addr)
{
	return addr && m->start <= addr && addr < m->end;
}

const char *
map_name(const struct map_names *names, const struct snap_map *m)
{
	const uint64_t vsyscall = 0xffffffffff600000;

	if (m->path)
		return m->path;
	if (holds(m, names->stack))
		return "[stack]";
	if (holds(m, names->vdso))
		return "[vdso]";
	return holds(m, vsyscall) ? "[vsyscall]" : "";
}
