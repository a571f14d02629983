/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reach_roots.c: which memory of a picture is kept when not all of it is to
 * be. In this order: what is kept in any case (variables that were asked for,
 * stacks, headers, what the dynamic linker knows); variables of the modules;
 * what all of these lead to.
 */
#include "capture/reach.h"

#include <string.h>

#include "capture/globals.h"
#include "capture/jemalloc.h"
#include "capture/shot.h"

/* Modules get no more of the budget than one part of so many. */
#define MODULES_PART 2u
/* Of that, a stretch of variables is large that wants one part of so many. */
#define LARGE_PART 8u
/* Of one stack, from the stack pointer on: more is a heap that it lies in. */
#define STACK_MAX (8ull << 20)
/* Around a thread pointer: variables and what the C library knows. */
#define THREAD_AROUND 4096u
#define LINK_MAP 2048u
#define DYNAMIC 1024u
#define THREADS_TOLD 8u

struct chooser {
	struct saver *s;
	struct reach *reach;
	const struct snap_map *maps;
	const struct reach_region *regions;
	size_t n_regions;
	uint64_t private_bytes, budget;
	size_t modules;                 /* its group; those of threads, */
	size_t *threads;                /* in the target's order */
	uint64_t modules_left;          /* bytes of the modules' part */
	size_t next_frame;              /* frames are in the threads' order */
};

/* ---- what there is ---- */

static bool
map_is_file(const struct snap_map *m)
{
	return m->path && m->path[0] == '/';
}

/* A page of code is no more than a reference, once its file is found. */
static bool
is_reference(struct saver *s, const struct snap_map *m)
{
	size_t module = insp_module_at(s->insp, m->start);

	return map_is_file(m) && (m->perm & SNAP_PERM_X)
	       && !(m->perm & SNAP_PERM_W) && module != INSP_NONE
	       && insp_module_file_kind(s->insp, module) == MODULE_FILE_EXACT;
}

static struct err *
add_region(struct chooser *c, struct vec *out, const struct reach_region *like)
{
	struct reach_region *slot;

	if ((like->start | like->length) % PAGE || !like->length)
		return NULL;
	slot = vec_add(out, c->s->arena, sizeof(*slot));
	if (!slot)
		return err_nomem();
	*slot = *like;
	c->private_bytes += like->length;
	return NULL;
}

/* One range of the picture, cut where mappings end. */
static struct err *
add_range(struct chooser *c, struct vec *out, size_t range)
{
	const struct target *t = c->s->target;
	const struct picture *p = (const struct picture *)t;
	const struct snap_memory *m = &t->memory[range];
	uint64_t at = m->start, end = m->start + m->length, next;
	struct err *err = NULL;

	for (; at < end && !err; at = next) {
		next = end;
		const struct snap_map *map = capture_map_at(t, at, &next);
		const struct reach_region r = {
			.start = at, .length = next - at,
			.bytes = p->bytes + p->offsets[range]
				 + (at - m->start),
			.area = map ? (uint32_t)(map - t->maps) : 0,
			.heap = map && map->path
				&& strcmp(map->path, "[heap]") == 0,
		};
		if (map && !is_reference(c->s, map))
			err = add_region(c, out, &r);
	}
	return err;
}

static struct err *
find_regions(struct chooser *c)
{
	const struct target *t = c->s->target;
	struct vec regions = { 0 };
	struct err *err = NULL;

	for (size_t k = 0; k < t->n_memory && !err; k++)
		if (t->memory[k].kind == SNAP_MEM_DATA)
			err = add_range(c, &regions, k);
	c->regions = regions.data;
	c->n_regions = regions.n;
	return err;
}

/* Written to, or made to be: .data, and .bss where that goes on behind it. */
static bool
is_variables(const struct chooser *c, const struct reach_region *r)
{
	const struct snap_map *m = &c->s->target->maps[r->area];

	if (!(m->perm & SNAP_PERM_W))
		return false;
	return map_is_file(m)
	       || (!m->path && r->area && map_is_file(m - 1)
		   && m[-1].end == m->start);
}

/* ---- heaps ---- */

/* Where the variables of its module begin and end. */
static struct jemalloc_area
area_of(const struct chooser *c, const struct reach_region *r)
{
	const struct target *t = c->s->target;
	const struct snap_map *m = &t->maps[r->area], *last = m;
	struct jemalloc_area a = { r->start, r->start + r->length, 0, 0 };

	if (!is_variables(c, r))
		return a;
	if (!m->path)
		m--;
	else if (m + 1 < t->maps + t->n_maps && !m[1].path
		 && m[1].start == m->end)
		last = m + 1;
	a.low = m->start;
	a.high = last->end;
	return a;
}

static struct err *
find_heaps(struct chooser *c)
{
	struct jemalloc_area *areas = arena_array(c->s->arena, c->n_regions,
						  sizeof(*areas));
	size_t n = 0;

	if (c->n_regions && !areas)
		return err_nomem();
	for (size_t k = 0; k < c->n_regions; k++) {
		const struct reach_region *r = &c->regions[k];
		if (is_variables(c, r)
		    || !map_is_file(&c->s->target->maps[r->area]))
			areas[n++] = area_of(c, r);
	}
	return reach_jemalloc(c->reach, areas, n);
}

/* ---- kept in any case ---- */

static void
keep_some(struct chooser *c, uint64_t start, uint64_t n)
{
	uint64_t end;

	if (start && u64_add(start, n, &end))
		reach_keep(c->reach, start, end);
}

static struct err *
keep_globals(struct chooser *c)
{
	const struct global *all = c->s->globals.data;
	struct err *err = NULL;
	size_t group;

	if (!c->s->globals.n)
		return NULL;
	err = reach_group(c->reach, &group);
	for (size_t k = 0; k < c->s->globals.n && !err; k++) {
		uint64_t end;
		if (!u64_add(all[k].address, all[k].size ? all[k].size : 1,
			     &end))
			continue;
		reach_keep(c->reach, all[k].address, end);
		err = reach_root(c->reach, group, all[k].address, end);
	}
	return err;
}

static void
keep_known(struct chooser *c)
{
	const struct target *t = c->s->target;
	const uint64_t *text = c->s->text.data;
	const struct snap_module *modules;
	size_t n;

	for (size_t k = 0; k < t->n_maps; k++) {
		const struct snap_map *m = &t->maps[k];
		if (m->path && strcmp(m->path, "[vdso]") == 0)
			reach_keep(c->reach, m->start, m->end);
		else if (map_is_file(m) && m->offset == 0)
			keep_some(c, m->start, PAGE);
	}
	modules = insp_modules(c->s->insp, &n);
	for (size_t k = 0; k < n; k++) {
		keep_some(c, modules[k].link_map, LINK_MAP);
		keep_some(c, modules[k].dynamic, DYNAMIC);
	}
	for (size_t k = 0; k < c->s->text.n; k++)
		keep_some(c, text[k], PAGE);
}

/* ---- threads ---- */

static struct err *
root_stack(struct chooser *c, size_t group, uint64_t from)
{
	uint64_t start = from > RED_ZONE ? from - RED_ZONE : 0;
	uint64_t end = UINT64_MAX;
	const struct snap_map *m = capture_map_at(c->s->target, from, &end);

	if (!m)
		return NULL;
	if (start < m->start)
		start = m->start;
	if (m->end - start < STACK_MAX)
		end = m->end;
	else
		end = start + STACK_MAX;
	reach_keep(c->reach, start, end);
	return reach_root(c->reach, group, start, end);
}

/* A signal's handler, or a coroutine, runs on a stack of its own. */
static struct err *
root_other_stacks(struct chooser *c, size_t thread, uint64_t sp)
{
	const struct target *t = c->s->target;
	const struct snap_frame *f = c->s->frames.data;
	uint64_t tid = t->threads[thread].tid, end = UINT64_MAX;
	const struct snap_map *last = capture_map_at(t, sp, &end);
	struct err *err = NULL;

	for (; c->next_frame < c->s->frames.n && !err; c->next_frame++) {
		uint64_t cfa = f[c->next_frame].cfa;

		if (f[c->next_frame].tid != tid)
			break;
		if (!cfa || (last && last->start <= cfa && cfa < last->end))
			continue;
		end = UINT64_MAX;
		last = capture_map_at(t, cfa, &end);
		if (last)
			err = root_stack(c, c->threads[thread], cfa);
	}
	return err;
}

static struct err *
root_thread_pointer(struct chooser *c, size_t thread)
{
	struct insp *i = c->s->insp;
	size_t group = c->threads[thread], n;
	const struct reg *regs = insp_regs(i, &n);

	for (size_t k = 0; k < n; k++) {
		uint8_t bytes[REG_BYTES_MAX];
		bool known = false;

		if (regs[k].dwarf != (int)insp_arch(i)->tp)
			continue;
		_err_ struct err *none = insp_reg_read(i, thread, k, bytes,
						       &known);
		if (none || !known)
			continue;
		struct rd r = rd_of(bytes, 8);
		uint64_t tp = rd_u64(&r), end;
		if (tp < THREAD_AROUND || !u64_add(tp, THREAD_AROUND, &end))
			continue;
		reach_keep(c->reach, tp - THREAD_AROUND, end);
		return reach_root(c->reach, group, tp - THREAD_AROUND, end);
	}
	return NULL;
}

static struct err *
root_thread(struct chooser *c, size_t thread)
{
	const struct arch *arch = insp_arch(c->s->insp);
	uint16_t sp = arch->sp;
	struct frame_regs regs = { .known = 0 };

	struct err *err = reach_group(c->reach, &c->threads[thread]);
	if (err)
		return err;
	_err_ struct err *none = insp_frame_regs(c->s->insp, thread, &regs);
	if (none)
		regs.known = 0;
	for (size_t k = 0; k < arch->frame_regs && !err; k++)
		if (regs.known >> k & 1)
			err = reach_value(c->reach, c->threads[thread],
					  regs.value[k]);
	if (!err && (regs.known >> sp & 1))
		err = root_stack(c, c->threads[thread], regs.value[sp]);
	if (!err)
		err = root_other_stacks(c, thread, regs.value[sp]);
	return err ? err : root_thread_pointer(c, thread);
}

static struct err *
root_threads(struct chooser *c)
{
	size_t n = c->s->target->n_threads;
	struct err *err = NULL;

	c->threads = arena_array(c->s->arena, n, sizeof(*c->threads));
	if (n && !c->threads)
		return err_nomem();
	for (size_t k = 0; k < n && !err; k++)
		err = root_thread(c, k);
	return err;
}

/* ---- modules ---- */

static struct err *
root_variables(struct chooser *c, const struct reach_region *r)
{
	uint64_t before = reach_kept_bytes(c->reach);
	uint64_t end = reach_keep_within(c->reach, r->start,
					 r->start + r->length,
					 c->modules_left);

	c->modules_left -= reach_kept_bytes(c->reach) - before;
	return reach_root(c->reach, c->modules, r->start, end);
}

/* Constants that were relocated, and the code of files that are not there. */
static void
keep_constants(struct chooser *c, const struct reach_region *r)
{
	const struct snap_map *m = &c->s->target->maps[r->area];
	uint64_t before = reach_kept_bytes(c->reach);

	if (!map_is_file(m) || (m->perm & SNAP_PERM_W))
		return;
	reach_keep_within(c->reach, r->start, r->start + r->length,
			  c->modules_left);
	c->modules_left -= reach_kept_bytes(c->reach) - before;
}

static struct err *
root_variables_of(struct chooser *c, bool large, uint64_t size)
{
	struct err *err = NULL;

	for (size_t k = 0; k < c->n_regions && !err; k++)
		if ((c->regions[k].length > size) == large
		    && is_variables(c, &c->regions[k]))
			err = root_variables(c, &c->regions[k]);
	return err;
}

/* One large table does not keep out what all libraries have. */
static struct err *
root_modules(struct chooser *c)
{
	uint64_t kept = reach_kept_bytes(c->reach);
	struct err *err = reach_group(c->reach, &c->modules);

	c->modules_left = kept < c->budget ? (c->budget - kept) / MODULES_PART
					   : 0;
	uint64_t size = c->modules_left / LARGE_PART;
	if (!err)
		err = root_variables_of(c, false, size);
	if (!err)
		err = root_variables_of(c, true, size);
	for (size_t k = 0; k < c->n_regions && !err; k++)
		keep_constants(c, &c->regions[k]);
	return err;
}

/* ---- what is said ---- */

static struct err *
tell_cut_threads(struct chooser *c)
{
	const struct target *t = c->s->target;
	struct err *err = NULL;
	size_t cut = 0;

	for (size_t k = 0; k < t->n_threads && !err; k++) {
		if (!reach_cut(c->reach, c->threads[k]) || ++cut > THREADS_TOLD)
			continue;
		err = save_trouble(c->s, "what thread %llu leads to was "
				   "followed in part: the budget was spent",
				   (unsigned long long)t->threads[k].tid);
	}
	if (!err && cut > THREADS_TOLD)
		err = save_trouble(c->s, "what %zu other threads lead to was "
				   "followed in part: the budget was spent",
				   cut - THREADS_TOLD);
	return err;
}

static struct err *
tell_left_out(struct chooser *c)
{
	uint64_t left = c->private_bytes - reach_kept_bytes(c->reach);

	if (!left)
		return NULL;
	if (!reach_spent(c->reach))
		return save_trouble(c->s, "%llu bytes of private memory were "
				    "left out: no register, stack or variable "
				    "leads to them",
				    (unsigned long long)left);
	struct err *err = save_trouble(
		c->s, "%llu bytes of private memory were left out: not more "
		"than %llu were to be kept (the budget)",
		(unsigned long long)left, (unsigned long long)c->budget);
	return err ? err : tell_cut_threads(c);
}

/* ---- all of it ---- */

static struct err *
choose(struct chooser *c)
{
	const struct target *t = c->s->target;
	bool died = t->n_threads && t->threads[0].faulting;

	struct err *err = keep_globals(c);
	keep_known(c);
	if (!err)
		err = root_threads(c);
	if (!err)
		err = root_modules(c);
	if (!err)
		err = reach_run(c->reach, died ? c->threads[0] : REACH_NONE);
	return err ? err : tell_left_out(c);
}

struct err *
save_choose_memory(struct saver *s)
{
	struct chooser c = {
		.s = s, .budget = s->options->budget,
	};

	/* Else all fits: and the arena is not ours alone. */
	if (s->unwinding || s->options->memory != CAPTURE_REACHABLE
	    || strcmp(s->target->ops->kind, "live") != 0)
		return NULL;
	if (!c.budget)
		c.budget = CAPTURE_BUDGET;
	struct err *err = find_regions(&c);
	if (err || c.private_bytes <= c.budget)
		return err;
	err = reach_new(c.regions, c.n_regions, c.budget, &c.reach);
	if (err)
		return err;
	s->reach = c.reach;
	err = find_heaps(&c);
	return err ? err : choose(&c);
}
