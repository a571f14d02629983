/* SPDX-License-Identifier: Apache-2.0 */
/*
 * memory.c: the address space as runs of data, references and absent ranges.
 */
#include <string.h>

#include "base/search.h"
#include "capture/constants.h"
#include "capture/reach.h"
#include "capture/redact.h"
#include "snapfmt/soon.h"

/* Below, packing as small as can be takes no time that anybody notices. */
#define SOON_FROM (16u << 20)

/* ---- mappings ---- */

const struct snap_map *
capture_map_at(const struct target *t, uint64_t addr, uint64_t *end)
{
	size_t k = search_above(t->maps, t->n_maps, sizeof(*t->maps),
				offsetof(struct snap_map, end), addr);

	if (k == t->n_maps)
		return NULL;
	const struct snap_map *m = &t->maps[k];
	uint64_t border = m->start <= addr ? m->end : m->start;
	if (border < *end)
		*end = border;
	return m->start <= addr ? m : NULL;
}

/* ---- output, merged ---------------------------------------------------- */

static struct err *
run_flush(struct saver *s)
{
	if (!s->pending.length)
		return NULL;
	if (s->pending.kind == SNAP_MEM_ABSENT)
		s->counts.absent += s->pending.length;
	else
		s->counts.memory += s->pending.length;
	struct err *err = snap_put_range(s->writer, &s->pending);
	s->pending.length = 0;
	return err;
}

/* A range without data; continues the one before where it can. */
static struct err *
run_range(struct saver *s, const struct snap_memory *m)
{
	struct snap_memory *p = &s->pending;
	bool file = m->kind == SNAP_MEM_FILE;

	if (!m->length)
		return NULL;
	if (p->length && p->kind == m->kind && p->reason == m->reason
	    && p->flags == m->flags && p->start + p->length == m->start
	    && (!file || (p->ref == m->ref
			  && p->offset + p->length == m->offset))) {
		p->length += m->length;
		return NULL;
	}
	struct err *err = run_flush(s);
	s->pending = *m;
	return err;
}

static struct err *
run_bytes(struct saver *s, uint64_t addr, const void *data, size_t n,
	  uint16_t flags)
{
	struct err *err = run_flush(s);

	s->counts.memory += n;
	return err ? err : snap_put_memory(s->writer, addr, data, n, flags);
}

/* Whatever is written of memory passes here, so that what is to be redacted
 * stays out. */
static struct err *
run_data(struct saver *s, uint64_t addr, const void *data, size_t n,
	 uint16_t flags)
{
	struct snap_memory gone = { .kind = SNAP_MEM_ABSENT,
				    .reason = SNAP_ABSENT_REDACTED };
	const uint8_t *bytes = data;
	struct err *err = NULL;

	for (size_t at = 0, part; at < n && !err; at += part) {
		if (!redact_part(s->redactions, addr + at, n - at, &part)) {
			err = run_bytes(s, addr + at, bytes + at, part, flags);
			continue;
		}
		gone.start = addr + at;
		gone.length = part;
		err = run_range(s, &gone);
	}
	return err;
}

/* ---- text around frames ------------------------------------------------ */

/* Index of the first kept text page at or behind @addr. */
static size_t
text_from(const struct saver *s, uint64_t addr)
{
	const uint64_t *page = s->text.data;
	size_t low = 0, high = s->text.n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (page[mid] < addr)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static bool
text_has(const struct saver *s, uint64_t page)
{
	const uint64_t *pages = s->text.data;
	size_t k = text_from(s, page);

	return k < s->text.n && pages[k] == page;
}

/* ---- ranges without data ----------------------------------------------- */

/* @m's part from @from up to @to. */
static struct err *
hole_part(struct saver *s, const struct snap_memory *m, uint64_t from,
	  uint64_t to)
{
	struct snap_memory part = *m;

	part.start = from;
	part.length = to - from;
	if (m->kind == SNAP_MEM_FILE)
		part.offset = m->offset + (from - m->start);
	return run_range(s, &part);
}

/*
 * A range that the input holds no bytes of, except that the pages around
 * frames are read from the module's file while it is at hand.
 */
static struct err *
hole_with_text(struct saver *s, const struct snap_memory *m)
{
	uint16_t flags = m->kind == SNAP_MEM_FILE ? 0 : SNAP_MEM_FROM_FILE;
	struct space *space = insp_space(s->insp);
	uint64_t at = m->start, end = m->start + m->length;
	const uint64_t *page = s->text.data;
	struct err *err = NULL;

	for (size_t k = text_from(s, at); !err && k < s->text.n; k++) {
		if (page[k] >= end || end - page[k] < PAGE)
			break;
		_err_ struct err *unread = space_read(space, page[k], PAGE,
						      s->bytes);
		if (unread)
			continue;
		err = redact_more(s, page[k], s->bytes, PAGE);
		if (!err)
			err = hole_part(s, m, at, page[k]);
		if (!err)
			err = run_data(s, page[k], s->bytes, PAGE, flags);
		at = page[k] + PAGE;
	}
	return err ? err : hole_part(s, m, at, end);
}

/* Where frames may be, or be near. */
static bool
hole_has_code(const struct saver *s, const struct snap_memory *m)
{
	uint64_t at = m->start < PAGE ? 0 : m->start - PAGE, end, step;

	if (!u64_add(m->start, m->length, &end) || !u64_add(end, PAGE, &end))
		return true;
	for (; at < end; at = step) {
		step = end;
		const struct snap_map *map = capture_map_at(s->target, at,
							    &step);
		if (map && (map->perm & SNAP_PERM_X))
			return true;
	}
	return false;
}

static struct err *
save_hole(struct saver *s, const struct snap_memory *m)
{
	if (s->unwinding && !hole_has_code(s, m))
		return hole_part(s, m, m->start, m->start + m->length);
	struct err *err = save_frames_wait(s);
	return err ? err : hole_with_text(s, m);
}

/* The module's index may differ from the one that the input gave it. */
static struct err *
save_file(struct saver *s, const struct snap_memory *m)
{
	size_t module = insp_module_at(s->insp, m->start);
	struct snap_memory now = *m;

	now.ref = (uint32_t)module;
	if (module == INSP_NONE) {
		now.kind = SNAP_MEM_ABSENT;
		now.reason = SNAP_ABSENT_UNKNOWN;
	}
	return save_hole(s, &now);
}

/* ---- data -------------------------------------------------------------- */

/* A piece of a captured range, and the file that it may be equal to. */
struct piece {
	const struct snap_memory *m;
	size_t range;           /* index of @m in the target */
	uint64_t start, end;
	struct source *file;    /* NULL: kept as data in any case */
	uint32_t module;
	uint64_t offset;        /* of @start in @file */
};

/*
 * Only code is kept as a reference: it is much, and what is needed of it is
 * around the frames. Data of a file (headers, constants, variables never
 * written to) is little, and worth having when the file is gone.
 */
static struct err *
piece_file(struct saver *s, struct piece *p, const struct snap_map *map)
{
	p->file = NULL;
	if (!map || !map->path || (map->perm & SNAP_PERM_W)
	    || !(map->perm & SNAP_PERM_X))
		return NULL;
	struct err *err = save_frames_wait(s);
	size_t module = insp_module_at(s->insp, p->start);
	if (err || module == INSP_NONE
	    || insp_module_file_kind(s->insp, module) != MODULE_FILE_EXACT)
		return err;
	_err_ struct err *none = insp_module_file(s->insp, module, &p->file);
	if (none)
		p->file = NULL;
	p->module = (uint32_t)module;
	p->offset = map->offset + (p->start - map->start);
	return NULL;
}

/* Is the page at @off into @bytes, which stand for @addr, in the file? */
static bool
piece_page_is_file(const struct saver *s, uint64_t addr, size_t off,
		   struct span bytes)
{
	return bytes.n - off >= PAGE && addr % PAGE == 0
	       && !text_has(s, addr + off)
	       && memcmp((const uint8_t *)bytes.data + off,
			 s->file_bytes + off, PAGE) == 0;
}

/* @bytes of @addr that have a file beside them: page by page. */
static struct err *
piece_compare(struct saver *s, const struct piece *p, uint64_t addr,
	      struct span bytes)
{
	struct snap_memory same = {
		.kind = SNAP_MEM_FILE, .ref = p->module,
	};
	struct err *err = NULL;

	for (size_t off = 0, step; off < bytes.n && !err; off += step) {
		step = bytes.n - off < PAGE ? bytes.n - off : PAGE;
		same.start = addr + off;
		same.length = step;
		same.offset = p->offset + (addr - p->start) + off;
		if (piece_page_is_file(s, addr, off, bytes))
			err = run_range(s, &same);
		else
			err = run_data(s, addr + off,
				       (const uint8_t *)bytes.data + off, step,
				       p->m->flags);
	}
	return err;
}

static struct err *
piece_unreadable(struct saver *s, uint64_t addr, size_t n, struct err *why)
{
	const struct snap_memory lost = {
		.start = addr, .length = n,
		.kind = SNAP_MEM_ABSENT, .reason = SNAP_ABSENT_UNREADABLE,
	};

	if (err_kind(why) == ERR_NOMEM || err_kind(why) == ERR_IO)
		return why;
	_err_ struct err *told = why;
	struct err *err = save_frames_wait(s);
	if (err)
		return err;
	err = save_trouble(s, "memory could not be read: %s",
				       err_text(told));
	return err ? err : run_range(s, &lost);
}

static struct err *
piece_step(struct saver *s, const struct piece *p, uint64_t addr, size_t n)
{
	const struct target_ops *ops = s->target->ops;
	uint64_t off = addr - p->m->start;
	struct span bytes = { picture_at(s->target, p->range, off), n };
	struct err *err = NULL;

	if (!bytes.data) {
		/* inspect lends its target read-only; reading does not change
		 * it. */
		err = ops->read((struct target *)s->target, p->range, off, n,
				s->bytes);
		bytes.data = s->bytes;
	}
	if (err)
		return piece_unreadable(s, addr, n, err);
	if (p->file) {
		_err_ struct err *shorter = source_read(p->file,
			p->offset + (addr - p->start), n, s->file_bytes);
		if (!shorter)
			return piece_compare(s, p, addr, bytes);
	}
	return run_data(s, addr, bytes.data, n, p->m->flags);
}

/* How far from @addr on memory is kept, or left out, up to @end. */
static uint64_t
piece_stretch(const struct saver *s, uint64_t addr, uint64_t end, bool *left)
{
	uint64_t next = addr;

	*left = s->reach && reach_left_out(s->reach, addr);
	if (!s->reach)
		return end;
	while (next < end && reach_left_out(s->reach, next) == *left)
		next = (next / PAGE + 1) * PAGE;
	return next < end ? next : end;
}

/* As piece_step(), of which some may be left out for the budget's sake. */
static struct err *
piece_choose(struct saver *s, const struct piece *p, uint64_t addr,
	     uint64_t end)
{
	struct err *err = NULL;

	while (addr < end && !err) {
		bool left;
		uint64_t next = piece_stretch(s, addr, end, &left);
		const struct snap_memory absent = {
			.start = addr, .length = next - addr,
			.kind = SNAP_MEM_ABSENT,
			.reason = left && reach_spent(s->reach)
				  ? SNAP_ABSENT_BUDGET : SNAP_ABSENT_DEPTH,
		};
		err = left ? run_range(s, &absent)
			   : piece_step(s, p, addr, (size_t)(next - addr));
		addr = next;
	}
	return err;
}

static void
piece_tell(struct saver *s, uint64_t n)
{
	const struct capture_options *o = s->options;

	s->done += n;
	if (o->progress)
		o->progress(o->progress_arg, s->done, s->total);
}

static struct err *
save_piece(struct saver *s, const struct piece *p)
{
	struct err *err = NULL;
	uint64_t next;

	for (uint64_t at = p->start; at < p->end && !err; at = next) {
		next = (at / SNAP_CHUNK + 1) * SNAP_CHUNK;
		if (next > p->end || next < at)
			next = p->end;
		err = piece_choose(s, p, at, next);
		piece_tell(s, next - at);
	}
	return err;
}

/* The window @k at @addr, as it was packed once; else as all other memory. */
static struct err *
save_window(struct saver *s, const struct piece *p,
	    const struct constants_at *c, size_t k, uint64_t addr)
{
	struct piece window = *p;
	bool done = false;

	struct err *err = run_flush(s);
	if (!err)
		err = snap_put_moved(s->writer, &c->windows, k, c->base, &done);
	if (err)
		return err;
	window.start = addr;
	window.end = addr + SNAP_CHUNK;
	if (!done)
		return save_piece(s, &window);
	s->counts.memory += SNAP_CHUNK;
	piece_tell(s, SNAP_CHUNK);
	return NULL;
}

/* As save_piece(), of what may have constants in it. */
static struct err *
save_constants(struct saver *s, const struct piece *p, struct constants_at *c)
{
	const struct constants_span all = {
		.start = p->start, .end = p->end,
		.bytes = picture_at(s->target, p->range, p->start - p->m->start),
	};
	struct piece part = *p;
	size_t k = 0;

	struct err *err = all.bytes ? constants_compare(c, &all) : NULL;
	while (!err && c->same && constants_next(s, c, part.start, &k)) {
		part.end = constants_place(c, k);
		err = save_piece(s, &part);
		if (!err)
			err = save_window(s, p, c, k, part.end);
		part.start = part.end + SNAP_CHUNK;
	}
	part.end = p->end;
	return err ? err : save_piece(s, &part);
}

static struct err *
save_mapped(struct saver *s, const struct piece *p, const struct snap_map *map)
{
	_cleanup_(constants_fini) struct constants_at c = { .base = 0 };

	if (map && map->path && !(map->perm & SNAP_PERM_X))
		constants_find(s, p->start, &c);
	return c.windows.n ? save_constants(s, p, &c) : save_piece(s, p);
}

/* A captured range may run over several mappings: piece by piece. */
static struct err *
save_data(struct saver *s, size_t range)
{
	const struct snap_memory *m = &s->target->memory[range];
	struct piece p = { .m = m, .range = range, .start = m->start };
	uint64_t end = m->start + m->length;
	struct err *err = NULL;

	for (; p.start < end && !err; p.start = p.end) {
		p.end = end;
		const struct snap_map *map = capture_map_at(s->target, p.start,
							    &p.end);
		err = piece_file(s, &p, map);
		if (!err)
			err = save_mapped(s, &p, map);
	}
	return err;
}

uint64_t
capture_memory_size(const struct target *t)
{
	uint64_t sum = 0;

	for (size_t k = 0; k < t->n_memory; k++) {
		if (t->memory[k].kind == SNAP_MEM_DATA)
			sum += t->memory[k].length;
	}
	return sum;
}

struct err *
save_memory(struct saver *s)
{
	const struct target *t = s->target;
	struct err *err = NULL;

	s->total = capture_memory_size(t);
	/* Somebody waits for that of a process. */
	if (strcmp(t->ops->kind, "live") == 0 && s->total > SOON_FROM)
		snap_writer_soon(s->writer);
	for (size_t k = 0; k < t->n_memory && !err; k++) {
		const struct snap_memory *m = &t->memory[k];
		if (m->kind == SNAP_MEM_DATA)
			err = save_data(s, k);
		else if (m->kind == SNAP_MEM_FILE)
			err = save_file(s, m);
		else if (m->kind == SNAP_MEM_ZERO)
			err = run_range(s, m);
		else
			err = save_hole(s, m);
	}
	if (!err)
		err = save_frames_wait(s);
	return err ? err : run_flush(s);
}
