/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan.c: which ranges of a process to copy. It goes over mappings and over
 * runs of populated pages, never over the pages of what is merely reserved:
 * 1.4 TiB of address space is an ordinary case.
 */
#include "capture/plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/search.h"
#include "capture/impl.h"

/* With stacks alone small mappings are kept: the dynamic linker's list. */
#define SMALL_MAP (256u << 10)
/* Larger than that, variables wait for their turn like other memory. */
#define BSS_MAX (8u << 20)
/* Bytes in a nanosecond. */
#define COPY_SPEED_LEAST 2u
#define COPY_SPEED_MOST 6u

/* ---- looking up -------------------------------------------------------- */
const struct snap_map *
plan_map_at(const struct plan *p, uint64_t addr)
{
	const struct snap_map *maps = p->maps.data;
	size_t k = search_above(maps, p->maps.n, sizeof(*maps),
				offsetof(struct snap_map, end), addr);

	return k < p->maps.n && maps[k].start <= addr ? &maps[k] : NULL;
}

struct piece *
plan_find(const struct plan *p, uint64_t addr)
{
	struct piece *all = p->pieces.data;
	size_t k = search_above(all, p->pieces.n, sizeof(*all),
				offsetof(struct piece, end), addr);

	return k < p->pieces.n && all[k].start <= addr ? &all[k] : NULL;
}

/* ---- pieces ------------------------------------------------------------ */
static struct err *
piece_add(struct plan *p, const struct piece *like, uint64_t start,
	  uint64_t end)
{
	struct piece *all = p->pieces.data;
	struct piece *last = p->pieces.n ? &all[p->pieces.n - 1] : NULL;

	if (start >= end)
		return NULL;
	if (last && !last->ends_map && last->kind == like->kind
	    && last->reason == like->reason && last->class == like->class
	    && last->end == start && like->kind != SNAP_MEM_FILE) {
		last->end = end;
		return NULL;
	}
	struct piece *slot = vec_add(&p->pieces, p->arena, sizeof(*slot));
	if (!slot)
		return err_nomem();
	*slot = *like;
	slot->start = start;
	slot->end = end;
	if (like->kind == SNAP_MEM_FILE)
		slot->at += start - like->start;
	return NULL;
}

/* ---- rules for mappings ------------------------------------------------ */
static bool
path_begins(const struct snap_map *m, const char *with)
{
	return m->path && strncmp(m->path, with, strlen(with)) == 0;
}

static bool
path_is(const struct snap_map *m, const char *what)
{
	return m->path && strcmp(m->path, what) == 0;
}

/* Reading a device may change it: nothing below /dev but what is memory. */
static bool
map_is_device(const struct snap_map *m)
{
	/* Shared anonymous memory is "/dev/zero (deleted)". */
	if (!m->path || path_is(m, "[vdso]") || path_begins(m, "/dev/zero"))
		return false;
	if (path_begins(m, "[vvar") || path_begins(m, "[uprobes"))
		return true;
	if (path_begins(m, "/dev/"))
		return !path_begins(m, "/dev/shm/");
	return m->path[0] != '/' && m->path[0] != '[' && m->path[0] != '(';
}

static const struct text_flags *
map_flags(struct plan *p, const struct snap_map *m)
{
	const struct text_flags *f = p->flags.data;

	while (p->next_flag < p->flags.n && f[p->next_flag].end <= m->start)
		p->next_flag++;
	if (p->next_flag < p->flags.n && f[p->next_flag].start < m->end)
		return &f[p->next_flag];
	return NULL;
}

/* With whom, nobody can say: it is another process's as much as this one's. */
static bool
map_is_shared(const struct snap_map *m)
{
	return (m->perm & SNAP_PERM_R) && (m->perm & SNAP_PERM_W)
	       && (m->perm & SNAP_PERM_SHARED);
}

/* Why nothing of the mapping is read; false: it is. */
static bool
map_is_absent(struct plan *p, const struct snap_map *m, uint8_t *reason)
{
	const struct text_flags *f = map_flags(p, m);
	const struct { bool applies; uint8_t reason; } rules[] = {
		{ (f && f->device && !path_is(m, "[vdso]"))
		  || map_is_device(m), SNAP_ABSENT_DEVICE },
		{ f && f->dontdump, SNAP_ABSENT_DONTDUMP },
		{ !(m->perm & SNAP_PERM_R), SNAP_ABSENT_UNREADABLE },
		{ m->perm & SNAP_PERM_SHARED, SNAP_ABSENT_FILTER },
	};

	for (size_t k = 0; k < countof(rules); k++) {
		if (!rules[k].applies)
			continue;
		*reason = rules[k].reason;
		if (*reason == SNAP_ABSENT_FILTER && map_is_shared(m))
			p->shared += m->end - m->start;
		return true;
	}
	return false;
}

static bool
map_is_anonymous(const struct snap_map *m)
{
	return !m->path || m->path[0] == '[' || path_is(m, "/dev/zero");
}

static bool
map_has_file(const struct plan *p, const struct snap_map *m)
{
	static const char deleted[] = " (deleted)";
	size_t n = strlen(m->path), tail = sizeof(deleted) - 1;

	return p->files_reachable && m->path[0] == '/'
	       && !(n >= tail && strcmp(m->path + n - tail, deleted) == 0);
}

bool
map_is_bss(const struct plan *p, const struct snap_map *m)
{
	return !m->path && (m->perm & SNAP_PERM_W)
	       && m != (const struct snap_map *)p->maps.data
	       && m[-1].end == m->start && (m[-1].perm & SNAP_PERM_W)
	       && m[-1].path && m[-1].path[0] == '/';
}

/* Variables lead on, large tables of them less so. */
static uint8_t
anonymous_class(const struct plan *p, const struct snap_map *m)
{
	return p->limits->memory == CAPTURE_REACHABLE && map_is_bss(p, m)
	       && m->end - m->start <= BSS_MAX ? CLASS_MODULE : CLASS_DATA;
}

/* ---- mappings to pieces ------------------------------------------------ */
/* What was never touched reads as zeros, and is known without reading. */
static struct err *
plan_anonymous(struct plan *p, const struct snap_map *m)
{
	const struct piece zero = { .kind = SNAP_MEM_ZERO, .claims = true };
	const struct piece data = { .kind = SNAP_MEM_DATA,
				    .class = anonymous_class(p, m) };
	struct page_run run;
	uint64_t at = m->start;
	struct err *err = NULL;

	while (!err && pages_next(p->pages, at, m->end, &run)) {
		err = piece_add(p, &zero, at, run.start);
		if (!err)
			err = piece_add(p, &data, run.start, run.end);
		at = run.end;
	}
	return err ? err : piece_add(p, &zero, at, m->end);
}

/*
 * The dynamic linker's variables begin the list of all modules. What the
 * linker alone writes to, once, is most of what modules have: it need not be
 * copied in the stop, at the price of a second look.
 */
static uint8_t
file_class(const struct plan *p, const struct snap_map *m)
{
	if (p->linker_path && path_is(m, p->linker_path))
		return CLASS_HEADER;
	return p->limits->memory == CAPTURE_STACKS && !(m->perm & SNAP_PERM_W)
	       ? CLASS_CONST : CLASS_MODULE;
}

/*
 * A page that is the file's and no copy of the process: from a file that can
 * be opened later only the pages that can be written to are taken, where they
 * are in memory. Others are never read here: their file system may not answer.
 */
static struct piece
file_page(const struct plan *p, const struct snap_map *m, bool present)
{
	struct piece data = { .kind = SNAP_MEM_DATA,
			      .class = file_class(p, m) };
	const struct piece file = {
		.start = m->start, .kind = SNAP_MEM_FILE, .at = m->offset,
		.claims = true,
	};
	const struct piece left = {
		.kind = SNAP_MEM_ABSENT, .reason = SNAP_ABSENT_FILTER,
		.of_file = true,
	};

	if (present && !map_has_file(p, m))
		data.class = CLASS_TEXT;
	else if (!present || !(m->perm & SNAP_PERM_W))
		return (m->perm & SNAP_PERM_W) ? file : left;
	return data;
}

static struct err *
plan_file(struct plan *p, const struct snap_map *m)
{
	const struct piece header = { .kind = SNAP_MEM_DATA,
				      .class = CLASS_HEADER };
	const struct piece data = { .kind = SNAP_MEM_DATA,
				    .class = file_class(p, m) };
	const struct piece away = file_page(p, m, false);
	const struct piece there = file_page(p, m, true);
	struct page_run run;
	uint64_t at = m->start;
	struct err *err = NULL;

	/* The headers of an ELF file are where the search for modules begins. */
	if (m->offset == 0) {
		err = piece_add(p, &header, at, at + PAGE);
		at += PAGE;
	}
	while (!err && pages_next(p->pages, at, m->end, &run)) {
		err = piece_add(p, &away, at, run.start);
		if (!err)
			err = piece_add(p, run.file ? &there : &data,
					run.start, run.end);
		at = run.end;
	}
	return err ? err : piece_add(p, &away, at, m->end);
}

/* The whole mapping for one reason, or as the kernel gave it. */
static struct err *
plan_map(struct plan *p, const struct snap_map *m)
{
	struct piece one = { .kind = SNAP_MEM_ABSENT };
	bool anonymous = map_is_anonymous(m);

	if (map_is_absent(p, m, &one.reason))
		return piece_add(p, &one, m->start, m->end);
	if (path_is(m, "[vdso]")) {
		one.kind = SNAP_MEM_DATA;
		one.class = CLASS_HEADER;
		return piece_add(p, &one, m->start, m->end);
	}
	return anonymous ? plan_anonymous(p, m) : plan_file(p, m);
}

/* With stacks alone: what else is no module's is left out. */
static void
plan_narrow(struct plan *p, const struct snap_map *m, size_t from)
{
	struct piece *all = p->pieces.data;

	if (p->limits->memory != CAPTURE_STACKS || !map_is_anonymous(m)
	    || m->end - m->start <= SMALL_MAP)
		return;
	for (size_t k = from; k < p->pieces.n; k++) {
		if (all[k].kind == SNAP_MEM_ABSENT
		    || (all[k].kind == SNAP_MEM_DATA
			&& all[k].class != CLASS_DATA))
			continue;
		all[k].class = CLASS_LEFT;
		all[k].claims = false;
	}
}

/* Numbers for the pages, and how many bytes are to be copied. */
static void
plan_count(struct plan *p)
{
	struct piece *all = p->pieces.data;

	p->n_pages = 0;
	p->bytes = 0;
	for (size_t k = 0; k < p->pieces.n; k++) {
		uint64_t n = all[k].end - all[k].start;

		if (all[k].kind != SNAP_MEM_DATA)
			continue;
		all[k].page = p->n_pages;
		p->n_pages += n / PAGE;
		p->bytes += all[k].class == CLASS_LEFT ? 0 : n;
	}
}

/* Is it more than the limits of bytes and time allow for at this speed? */
static bool
plan_is_large(const struct plan *p, unsigned speed)
{
	const struct capture_limits *l = p->limits;

	return l->memory == CAPTURE_REACHABLE
	       && (p->bytes > l->copy
		   || (l->pause_ns && p->bytes / speed > l->pause_ns));
}

struct err *
plan_make(struct plan *p)
{
	const struct snap_map *maps = p->maps.data;
	struct err *err = NULL;

	p->pieces.n = p->next_flag = 0;
	p->shared = 0;
	pages_again(p->pages);
	const struct snap_map *linker = plan_map_at(p, p->linker);
	p->linker_path = p->linker && linker ? linker->path : NULL;
	for (size_t k = 0; k < p->maps.n && !err; k++) {
		size_t from = p->pieces.n;

		err = plan_map(p, &maps[k]);
		if (!err && p->pieces.n > from)
			((struct piece *)p->pieces.data)[p->pieces.n - 1]
				.ends_map = true;
		plan_narrow(p, &maps[k], from);
	}
	plan_count(p);
	p->follow = plan_is_large(p, COPY_SPEED_LEAST);
	p->follow_far = plan_is_large(p, COPY_SPEED_MOST);
	return err;
}

static uint8_t
forbidden_reason(struct plan *p, const struct piece *x,
		 const struct snap_map *map)
{
	const struct snap_map m = { .start = x->start, .end = x->end };
	const struct text_flags *f = map_flags(p, &m);

	if (f && f->device && !path_is(map, "[vdso]"))
		return SNAP_ABSENT_DEVICE;
	return f && f->dontdump ? SNAP_ABSENT_DONTDUMP : 0;
}

void
plan_forbid(struct plan *p)
{
	struct piece *all = p->pieces.data;

	p->next_flag = 0;
	for (size_t k = 0; k < p->pieces.n; k++) {
		const struct snap_map *map = plan_map_at(p, all[k].start);
		uint8_t reason = forbidden_reason(p, &all[k], map);

		if (!reason || piece_is_forbidden(&all[k]))
			continue;
		if (map_is_shared(map))
			p->shared -= map->end - map->start;
		all[k] = (struct piece){
			.start = all[k].start, .end = all[k].end,
			.kind = SNAP_MEM_ABSENT, .reason = reason,
			.class = CLASS_DATA, .ends_map = all[k].ends_map,
		};
	}
	plan_count(p);
}

bool
piece_is_forbidden(const struct piece *x)
{
	return x->kind == SNAP_MEM_ABSENT
	       && (x->reason == SNAP_ABSENT_DONTDUMP
		   || x->reason == SNAP_ABSENT_DEVICE);
}
