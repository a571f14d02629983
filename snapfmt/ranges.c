/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The writer's memory: bytes are gathered into windows of the address space,
 * each full or interrupted window becomes a chunk (or, all zero, a range
 * without data), and neighbours that continue each other become one range.
 */
#include <stdlib.h>
#include <string.h>

#include "snapfmt/writer.h"

/* ---- the table of ranges ---- */
/** Does @m continue @last, so that one range can say both? */
static bool
range_continues(const struct snap_memory *last, const struct snap_memory *m)
{
	if (last->start + last->length != m->start || last->kind != m->kind ||
	    last->flags != m->flags || last->reason != m->reason)
		return false;
	switch (m->kind) {
	case SNAP_MEM_DATA:
	case SNAP_MEM_MOVED:
		/* A window that is shared by two chunks cannot be counted. */
		return last->offset == m->offset &&
		       (m->start - m->offset) % SNAP_CHUNK == 0 &&
		       last->ref + chunk_windows(last) == m->ref;
	case SNAP_MEM_FILE:
		return last->ref == m->ref &&
		       last->offset + last->length == m->offset;
	default:
		return true;
	}
}

static void
range_flush(struct snap_writer *w)
{
	if (w->last.length)
		codec_encode(schema_of(SECTION_MEMORY), &w->last, &w->encoder,
			     &w->table[SECTION_MEMORY]);
	w->last.length = 0;
}

static struct err *
range_add(struct snap_writer *w, const struct snap_memory *m)
{
	if (w->last.length && range_continues(&w->last, m)) {
		w->last.length += m->length;
		return NULL;
	}
	range_flush(w);
	w->last = *m;
	return buf_err(&w->table[SECTION_MEMORY].bytes);
}

/** May a range begin here? The order is what lets the writer stream. */
static struct err *
range_accept(struct snap_writer *w, uint64_t start, uint64_t length)
{
	struct err *err = writer_ready(w);

	if (err)
		return err;
	if (w->memory_done)
		return err_new(ERR_FAILED, "memory at 0x%llx comes after "
			       "records: memory is written first",
			       (unsigned long long)start);
	if (start < w->next)
		return err_new(ERR_FAILED, "memory at 0x%llx comes after "
			       "memory up to 0x%llx: addresses ascend",
			       (unsigned long long)start,
			       (unsigned long long)w->next);
	if (!u64_add(start, length, &w->next))
		return err_new(ERR_FAILED, "memory at 0x%llx runs over the "
			       "end of the address space",
			       (unsigned long long)start);
	return NULL;
}

/* ---- chunks ---- */
struct chunk_probe {
	const struct chunk *chunk;      /* the table so far */
	const struct chunk *wanted;
};

/** XXH3-128 found the candidate; SHA-256 decides, being hard to forge. */
static bool
chunk_same(const void *arg, uint32_t id)
{
	const struct chunk_probe *p = arg;
	const struct chunk *c = &p->chunk[id];

	return c->stored == p->wanted->stored &&
	       memcmp(c->key, p->wanted->key, SHA256_SIZE) == 0;
}

static bool
chunk_reserve(struct snap_writer *w)
{
	size_t cap = w->cap_chunks ? w->cap_chunks * 2 : 64;

	if (w->n_stored < w->cap_chunks)
		return true;
	struct chunk *more = reallocarray(w->chunk, cap, sizeof(*more));
	if (!more)
		return false;
	w->chunk = more;
	w->cap_chunks = cap;
	return true;
}

/** Bytes that are in the file already are only pointed to. */
static struct err *
chunk_store(struct snap_writer *w, struct chunk *c, const void *frame)
{
	uint64_t hash = lookup_hash(c->xxh);
	uint32_t twin;

	if (lookup_find(&w->chunk_lookup, hash, chunk_same,
			&(struct chunk_probe){ w->chunk, c }, &twin)) {
		c->offset = w->chunk[twin].offset;
		return NULL;
	}
	c->offset = w->at;
	hash_xxh_add(w->chunk_hash, frame, c->stored);
	if (!lookup_add(&w->chunk_lookup, hash, (uint32_t)w->n_stored))
		return err_nomem();
	return writer_emit(w, frame, c->stored);
}

struct err *
writer_chunk(struct snap_writer *w, struct chunk *c, const void *frame)
{
	if (!chunk_reserve(w))
		return err_nomem();
	struct err *err = chunk_store(w, c, frame);
	if (err)
		return err;
	w->chunk[w->n_stored++] = *c;
	return NULL;
}

/** The number of the next chunk. */
static struct err *
chunk_number(struct snap_writer *w, uint32_t *out)
{
	if (w->n_chunks >= (SECTION_MAX - TABLE_HEADER_SIZE) /
			   schema_of(SECTION_CHUNKS)->disk)
		return err_new(ERR_LIMIT, "more memory than a snapshot holds");
	*out = (uint32_t)w->n_chunks++;
	return NULL;
}

/* ---- windows ---- */
static bool
is_zero(const uint8_t *bytes, size_t n)
{
	return bytes[0] == 0 && memcmp(bytes, bytes + 1, n - 1) == 0;
}

static struct err *
window_add(struct snap_writer *w, uint64_t start, const uint8_t *bytes,
	   uint32_t n, uint16_t flags)
{
	struct snap_memory m = {
		.start = start, .length = n, .flags = flags,
		.kind = SNAP_MEM_ZERO,
	};
	struct err *err = NULL;

	if (!is_zero(bytes, n)) {
		m.kind = SNAP_MEM_DATA;
		err = chunk_number(w, &m.ref);
		if (!err)
			err = batches_add(w->batches, w, bytes, n);
	}
	if (!err)
		err = range_add(w, &m);
	/* These bytes are gone: a file without them must not be closed. */
	w->failed |= err != NULL;
	return err;
}

static struct err *
window_flush(struct snap_writer *w)
{
	struct window *win = &w->window;
	uint32_t n = win->n;

	win->n = 0;
	return n ? window_add(w, win->start, win->bytes, n, win->flags) : NULL;
}

/** As much of @data as belongs to the window at @addr. */
static size_t
window_fill(struct window *win, uint64_t addr, const void *data, size_t n)
{
	size_t room = SNAP_CHUNK - addr % SNAP_CHUNK;

	if (!win->n)
		win->start = addr;
	if (n > room)
		n = room;
	memcpy(win->bytes + win->n, data, n);
	win->n += n;
	return n;
}

struct err *
snap_put_memory(struct snap_writer *w, uint64_t addr, const void *data,
		size_t n, uint16_t flags)
{
	struct window *win = &w->window;
	const uint8_t *bytes = data;

	if (!n)
		return writer_ready(w);
	struct err *err = range_accept(w, addr, n);
	if (!err && (win->start + win->n != addr || win->flags != flags))
		err = window_flush(w);
	win->flags = flags;
	/* Whole windows need not be gathered. */
	for (; !err && !win->n && addr % SNAP_CHUNK == 0 && n >= SNAP_CHUNK;
	     addr += SNAP_CHUNK, bytes += SNAP_CHUNK, n -= SNAP_CHUNK)
		err = window_add(w, addr, bytes, SNAP_CHUNK, flags);
	while (n && !err) {
		size_t got = window_fill(win, addr, bytes, n);

		addr += got;
		bytes += got;
		n -= got;
		if (addr % SNAP_CHUNK == 0)
			err = window_flush(w);
	}
	return err;
}

struct err *
writer_moved(struct snap_writer *w, const struct snap_memory *m,
	     const struct chunk *c, const void *frame)
{
	struct snap_memory r = *m;
	struct err *err = range_accept(w, m->start, m->length);

	if (!err)
		err = window_flush(w);
	if (!err)
		err = chunk_number(w, &r.ref);
	if (!err)
		err = batches_ready(w->batches, w, c, frame);
	if (!err)
		err = range_add(w, &r);
	w->failed |= err != NULL;
	return err;
}

struct err *
snap_put_range(struct snap_writer *w, const struct snap_memory *m)
{
	/* Only the fields that the kind has, so that neighbours join. */
	struct snap_memory r = {
		.start = m->start, .length = m->length, .kind = m->kind,
		.flags = m->flags,
	};
	const char *fault = schema_of(SECTION_MEMORY)->fault(m, NULL);

	switch (m->kind) {
	case SNAP_MEM_ZERO:
		break;
	case SNAP_MEM_FILE:
		r.ref = m->ref;
		r.offset = m->offset;
		break;
	case SNAP_MEM_ABSENT:
		r.reason = m->reason;
		break;
	default:
		fault = "is of no kind that stands without data";
	}
	if (fault)
		return err_new(ERR_FAILED, "memory at 0x%llx %s",
			       (unsigned long long)m->start, fault);
	struct err *err = range_accept(w, m->start, m->length);
	if (!err)
		err = window_flush(w);
	if (err)
		return err;
	if (r.kind == SNAP_MEM_FILE && r.ref > w->highest_module)
		w->highest_module = r.ref;
	return range_add(w, &r);
}

/* ---- the end ---- */
static struct err *
chunk_table(struct snap_writer *w)
{
	struct table *t = &w->table[SECTION_CHUNKS];

	for (size_t i = 0; i < w->n_stored; i++)
		codec_encode(schema_of(SECTION_CHUNKS), &w->chunk[i],
			     &w->encoder, t);
	free(w->chunk);
	w->chunk = NULL;
	lookup_fini(&w->chunk_lookup);
	return buf_err(&t->bytes);
}

struct err *
ranges_finish(struct snap_writer *w)
{
	struct section s = {
		.type = SECTION_CHUNK_DATA, .version = SECTION_VERSION,
		.offset = w->chunk_data,
	};
	struct err *err = writer_ready(w);

	if (err || w->memory_done)
		return err;
	err = window_flush(w);
	if (!err)
		err = batches_finish(w->batches, w);
	if (err) {
		w->failed = true;
		return err;
	}
	range_flush(w);
	w->memory_done = true;
	s.stored = s.raw = w->at - w->chunk_data;
	if (!s.stored)
		return NULL;
	hash_xxh_end(w->chunk_hash, s.xxh);
	writer_entry(w, &s);
	return chunk_table(w);
}
