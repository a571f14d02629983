/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The address space of a target: bytes, not mapped, or mapped but not
 * captured - and a session's writes laid over it.
 */
#include "inspect/impl.h"
#include "inspect/overlay.h"

#include <stdlib.h>
#include <string.h>

#include "base/search.h"

struct space {
	struct target *target;
	struct overlay *own;
	struct overlay *overlay;        /* of the session that asks; or @own */
	space_file_fn *file;
	void *file_arg;
};

struct err *
space_new(struct target *t, struct space **out)
{
	struct space *sp = calloc(1, sizeof(*sp));

	if (!sp)
		return err_nomem();
	sp->target = t;
	struct err *err = overlay_new(NULL, &sp->own);
	if (err) {
		free(sp);
		return err;
	}
	sp->overlay = sp->own;
	*out = sp;
	return NULL;
}

void
space_free(struct space *sp)
{
	if (!sp)
		return;
	overlay_free(sp->own);
	free(sp);
}

void
space_lay_over(struct space *sp, struct overlay *o)
{
	sp->overlay = o ? o : sp->own;
}

struct overlay *
space_overlay(const struct space *sp)
{
	return sp->overlay;
}

void
space_set_files(struct space *sp, space_file_fn *fn, void *arg)
{
	sp->file = fn;
	sp->file_arg = arg;
}

/* ---- looking things up -------------------------------------------------- */
/** Index of the first range that ends above @addr. */
static size_t
range_above(const struct target *t, uint64_t addr)
{
	size_t low = 0, high = t->n_memory;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const struct snap_memory *m = &t->memory[mid];

		if (m->start + (m->length - 1) < addr)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static const struct snap_map *
map_at(const struct target *t, uint64_t addr)
{
	size_t k = search_above(t->maps, t->n_maps, sizeof(*t->maps),
				offsetof(struct snap_map, end), addr);

	return k < t->n_maps && t->maps[k].start <= addr ? &t->maps[k] : NULL;
}

const struct snap_map *
space_map(const struct space *sp, uint64_t addr)
{
	return map_at(sp->target, addr);
}

/** The range that holds @addr, or NULL. */
static const struct snap_memory *
range_at(const struct target *t, uint64_t addr)
{
	size_t k = range_above(t, addr);

	return k < t->n_memory && t->memory[k].start <= addr ? &t->memory[k]
							     : NULL;
}

/* ---- reading -------------------------------------------------------------- */
static struct err *
absent(uint64_t addr, uint8_t reason)
{
	return err_new(ERR_ABSENT, "memory at 0x%llx was not captured (%s)",
		       (unsigned long long)addr, snap_reason_text(reason));
}

/* A read-only file mapping that nobody wrote to holds the file's bytes. */
static struct err *
read_file(struct space *sp, const struct snap_memory *m, uint64_t addr,
	  size_t n, void *out)
{
	const struct snap_map *map = map_at(sp->target, addr);

	if (sp->file && m->kind == SNAP_MEM_FILE)
		return sp->file(sp->file_arg, map, m->ref,
				m->offset + (addr - m->start), n, out);
	if (!sp->file || m->reason != SNAP_ABSENT_FILTER || !map || !map->path
	    || (map->perm & SNAP_PERM_W))
		return absent(addr, m->reason);
	if (n > map->end - addr)
		return absent(map->end, m->reason);
	return sp->file(sp->file_arg, map, UINT32_MAX,
			map->offset + (addr - map->start), n, out);
}

/* [addr, addr+n) lies in one range of the target. */
static struct err *
read_range(struct space *sp, const struct snap_memory *m, uint64_t addr,
	   size_t n, void *out)
{
	struct target *t = sp->target;

	if (m->kind == SNAP_MEM_DATA || m->kind == SNAP_MEM_ZERO)
		return t->ops->read(t, (size_t)(m - t->memory),
				    addr - m->start, n, out);
	struct err *err = read_file(sp, m, addr, n, out);
	if (!err || err_kind(err) == ERR_ABSENT)
		return err;
	err_free(err);
	return absent(addr, m->kind == SNAP_MEM_FILE ? SNAP_ABSENT_FILTER
						     : m->reason);
}

/* How far the answer for @addr is of one kind; the overlay bounds it too. */
static struct err *
read_piece(struct space *sp, uint64_t addr, size_t n, void *out, size_t *got)
{
	const struct overlay_piece *o = overlay_above(sp->overlay, addr);

	if (o && o->start <= addr) {
		uint64_t left = o->start + o->n - addr;

		*got = n < left ? n : left;
		memcpy(out, o->bytes + (addr - o->start), *got);
		return NULL;
	}
	const struct snap_memory *m = range_at(sp->target, addr);
	if (!m)
		return err_new(ERR_UNMAPPED, "no memory is mapped at 0x%llx",
			       (unsigned long long)addr);
	uint64_t left = m->length - (addr - m->start);
	if (o && o->start - addr < left)
		left = o->start - addr;
	*got = n < left ? n : left;
	return read_range(sp, m, addr, *got, out);
}

struct err *
space_read_some(struct space *sp, uint64_t addr, size_t n, void *out,
		size_t *got)
{
	size_t done = 0;

	if (n && addr + (n - 1) < addr)
		n = (size_t)(UINT64_MAX - addr) + 1;
	while (done < n) {
		size_t piece;
		struct err *err = read_piece(sp, addr + done, n - done,
					     (char *)out + done, &piece);
		if (err && done == 0)
			return err;
		if (err) {
			err_free(err);
			break;
		}
		done += piece;
	}
	*got = done;
	return NULL;
}

struct err *
space_read(struct space *sp, uint64_t addr, size_t n, void *out)
{
	_free_ char *bounce = NULL;
	char small[256];
	char *into = small;
	size_t done = 0;

	if (n > sizeof(small))
		into = bounce = malloc(n);
	if (!into)
		return err_nomem();
	while (done < n) {
		size_t piece;
		struct err *err;

		if (addr + done < addr)
			return err_new(ERR_UNMAPPED, "the range at 0x%llx ends "
				       "beyond the address space",
				       (unsigned long long)addr);
		err = read_piece(sp, addr + done, n - done, into + done,
				 &piece);
		if (err)
			return err;
		done += piece;
	}
	memcpy(out, into, n);
	return NULL;
}

/* An empty overlay of nobody's, so that no two ways of reading are needed. */
struct err *
space_read_below(struct space *sp, uint64_t addr, size_t n, void *out)
{
	struct overlay *was = sp->overlay, *none;
	struct err *err = overlay_new(NULL, &none);

	if (err)
		return err;
	sp->overlay = none;
	err = space_read(sp, addr, n, out);
	sp->overlay = was;
	overlay_free(none);
	return err;
}

struct err *
space_u64(struct space *sp, uint64_t addr, uint64_t *out)
{
	uint8_t bytes[8];

	struct err *err = space_read(sp, addr, sizeof(bytes), bytes);
	if (err)
		return err;
	struct rd r = rd_of(bytes, sizeof(bytes));
	*out = rd_u64(&r);
	return NULL;
}

struct err *
space_string(struct space *sp, uint64_t addr, size_t limit, struct arena *a,
	     const char **out)
{
	_buf_ struct buf b = { 0 };
	char piece[256];

	while (b.len < limit) {
		size_t want = limit - b.len, got;

		if (want > sizeof(piece))
			want = sizeof(piece);
		struct err *err = space_read_some(sp, addr + b.len, want, piece,
						  &got);
		if (err)
			return err;
		const char *end = memchr(piece, '\0', got);
		buf_put(&b, piece, end ? (size_t)(end - piece) : got);
		if (!end)
			continue;
		err = buf_err(&b);
		if (err)
			return err;
		*out = arena_strndup(a, b.data ? b.data : "", b.len);
		return *out ? NULL : err_nomem();
	}
	return err_new(ERR_LIMIT, "the string at 0x%llx is longer than %zu "
		       "bytes", (unsigned long long)addr, limit);
}

void
space_region(struct space *sp, uint64_t addr, struct region *out)
{
	const struct target *t = sp->target;
	size_t k = range_above(t, addr);
	const struct snap_memory *m = k < t->n_memory ? &t->memory[k] : NULL;
	const struct snap_memory *before = k ? &t->memory[k - 1] : NULL;

	*out = (struct region){ .map = map_at(t, addr) };
	if (!m || m->start > addr) {
		out->start = before ? before->start + before->length : 0;
		out->end = m ? m->start : UINT64_MAX;
		return;
	}
	uint8_t byte;
	_err_ struct err *err = read_range(sp, m, addr, 1, &byte);
	out->start = m->start;
	out->end = m->start + m->length;
	out->mapped = true;
	out->captured = !err;
	out->reason = m->reason;
	out->from_file = !err && m->kind != SNAP_MEM_DATA
			 && m->kind != SNAP_MEM_ZERO;
	if (m->kind == SNAP_MEM_DATA && (m->flags & SNAP_MEM_FROM_FILE))
		out->from_file = true;
}

/* ---- writing ------------------------------------------------------------------- */
static struct err *
check_mapped(struct space *sp, uint64_t addr, size_t n)
{
	uint64_t end;

	if (!u64_add(addr, n, &end))
		return err_new(ERR_UNMAPPED, "the range at 0x%llx ends beyond "
			       "the address space", (unsigned long long)addr);
	while (addr < end) {
		const struct snap_memory *m = range_at(sp->target, addr);

		if (!m)
			return err_new(ERR_UNMAPPED, "no memory is mapped at "
				       "0x%llx", (unsigned long long)addr);
		addr = m->start + m->length;
	}
	return NULL;
}

struct err *
space_write(struct space *sp, uint64_t addr, size_t n, const void *data)
{
	struct err *err = n ? check_mapped(sp, addr, n) : NULL;

	return err ? err : overlay_write(sp->overlay, addr, n, data);
}
