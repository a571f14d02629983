/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Verifies all of a snapshot: every byte is a section, covered by a checksum,
 * or zero padding; every payload unpacks; every reference leads somewhere.
 */
#include <stdlib.h>
#include <string.h>

#include "snapfmt/layout.h"

struct checker {
	struct directory dir;
	struct snap *snap;
	snap_fault_fn *fault;
	void *arg;
	size_t faults;
	uint8_t *step;          /* DIRECTORY_STEP bytes */
};

/**
 * Count @err, which is taken, when it says something of the file; hand it
 * back when it says something of the system.
 */
static struct err *
check_say(struct checker *c, struct err *err)
{
	switch (err_kind(err)) {
	case ERR_DAMAGED:
	case ERR_LIMIT:
	case ERR_UNSUPPORTED:
		c->faults++;
		if (c->fault)
			c->fault(c->arg, err_text(err));
		err_free(err);
		return NULL;
	default:
		return err;
	}
}

/* ---- sections ---- */
/** The bytes between sections: less than the alignment, and zero. */
static struct err *
check_gap(struct checker *c, uint64_t from, uint64_t to)
{
	static const uint8_t zero[ALIGNMENT];
	uint8_t bytes[ALIGNMENT];
	uint64_t n = to - from;

	if (n >= ALIGNMENT)
		return err_new(ERR_DAMAGED, "%llu bytes at offset %llu belong "
			       "to no section", (unsigned long long)n,
			       (unsigned long long)from);
	struct err *err = source_read(c->dir.src, from, n, bytes);
	if (!err && memcmp(bytes, zero, n) != 0)
		err = err_new(ERR_DAMAGED, "padding at offset %llu is not "
			      "zero", (unsigned long long)from);
	return err;
}

static struct err *
check_gaps(struct checker *c)
{
	uint64_t at = c->dir.begin;
	struct err *err = NULL;

	for (size_t i = 0; i < c->dir.n && !err; i++) {
		const struct section *s = &c->dir.section[i];

		err = check_say(c, check_gap(c, at, s->offset));
		at = s->offset + s->stored;
	}
	return err ? err : check_say(c, check_gap(c, at, c->dir.end));
}

/** Is @s verified only when its payload is unpacked? */
static bool
is_on_demand(const struct section *s)
{
	return s->type == SECTION_SKELETON || s->type == SECTION_FILE_DATA;
}

static struct err *
check_checksums(struct checker *c)
{
	struct err *err = NULL;

	for (size_t i = 0; i < c->dir.n && !err; i++) {
		const struct section *s = &c->dir.section[i];

		if (!is_on_demand(s))
			err = check_say(c, directory_verify(&c->dir, s,
							    c->step));
	}
	return err;
}

static struct err *
check_demand(struct checker *c, const struct section *s)
{
	_arena_ struct arena *a = arena_new(READER_MAX);
	struct rows extents;
	struct span payload;

	if (!a)
		return err_nomem();
	struct err *err = directory_load(&c->dir, s, c->snap->zstd, a,
					 &payload);
	if (err || s->type != SECTION_SKELETON)
		return err;
	return directory_wrap(reader_extents(payload, a, &extents), s);
}

static struct err *
check_demands(struct checker *c)
{
	struct err *err = NULL;

	for (size_t i = 0; i < c->dir.n && !err; i++)
		if (is_on_demand(&c->dir.section[i]))
			err = check_say(c, check_demand(c,
							&c->dir.section[i]));
	return err;
}

/* ---- chunks ---- */
/** Where an entry's bytes lie: sorted, equal and overlapping ones meet. */
struct place {
	uint64_t offset;
	uint32_t stored, chunk;
};

static int
place_compare(const void *a, const void *b)
{
	const struct place *p = a, *q = b;

	if (p->offset != q->offset)
		return p->offset < q->offset ? -1 : 1;
	if (p->stored != q->stored)
		return p->stored < q->stored ? -1 : 1;
	return p->chunk < q->chunk ? -1 : p->chunk > q->chunk;
}

static struct err *
check_chunk(const struct snap *s, const struct chunk *c)
{
	uint8_t frame[CHUNK_STORED_MAX], raw[SNAP_CHUNK], key[SHA256_SIZE];
	struct err *err = chunk_stored(s, c, frame);

	if (!err)
		err = pack_expand(s->zstd, (struct span){ frame, c->stored },
				  raw, c->raw);
	if (!err)
		err = hash_sha256(frame, c->stored, key);
	if (!err && !digest_equal(key, c->key, sizeof(key)))
		err = err_new(ERR_DAMAGED, "key is not the bytes' SHA-256");
	return err;
}

/** @c against the distinct entry before it in the file, @last. */
static struct err *
check_place(const struct snap *s, const struct chunk *c,
	    const struct chunk *last)
{
	if (c->offset == last->offset && c->stored == last->stored)
		return c->raw == last->raw &&
		       digest_equal(c->xxh, last->xxh, sizeof(c->xxh)) &&
		       digest_equal(c->key, last->key, sizeof(c->key)) ? NULL :
		       err_new(ERR_DAMAGED, "shares its bytes with a chunk "
			       "that says something else of them");
	if (c->offset < last->offset + last->stored)
		return err_new(ERR_DAMAGED, "overlaps another chunk");
	return check_chunk(s, c);
}

/** The entries in the order of their bytes; those that are off are said. */
static struct err *
check_entries(struct checker *c, struct place *place, size_t *n)
{
	struct err *err = NULL;

	for (uint32_t k = 0; k < c->snap->chunks.count && !err; k++) {
		struct chunk chunk;

		err = chunk_entry(c->snap, k, &chunk);
		if (!err)
			place[(*n)++] = (struct place){ chunk.offset,
							chunk.stored, k };
		err = check_say(c, directory_wrap(err, c->snap->chunk_table));
	}
	qsort(place, *n, sizeof(*place), place_compare);
	return err;
}

static struct err *
check_chunks(struct checker *c)
{
	struct chunk last = { 0 }, chunk;
	size_t n = 0;
	_free_ struct place *place = calloc(c->snap->chunks.count + 1,
					    sizeof(*place));

	if (!place)
		return err_nomem();
	struct err *err = check_entries(c, place, &n);
	for (size_t i = 0; i < n && !err; i++) {
		err = chunk_entry(c->snap, place[i].chunk, &chunk);
		if (!err)
			err = check_place(c->snap, &chunk, &last);
		err = err_wrap(err, "chunk %u at offset %llu", place[i].chunk,
			       (unsigned long long)place[i].offset);
		err = check_say(c, directory_wrap(err, c->snap->chunk_data));
		last = chunk;
	}
	return err;
}

/* ---- ranges ---- */
static struct err *
check_range(const struct snap *s, const struct snap_memory *m)
{
	uint64_t n = chunk_windows(m), start;
	struct err *err = NULL;
	struct chunk c;
	uint32_t len;

	for (uint64_t k = 0; k < n && !err; k++) {
		chunk_window(m, k, &start, &len);
		err = chunk_entry(s, m->ref + k, &c);
		if (!err && c.raw != len)
			err = err_new(ERR_DAMAGED, "chunk %llu has %u bytes, "
				      "not %u", (unsigned long long)m->ref + k,
				      c.raw, len);
	}
	return err_wrap(err, "memory at 0x%llx", (unsigned long long)m->start);
}

static struct err *
check_ranges(struct checker *c)
{
	const struct section *sec = directory_find(&c->dir, SECTION_MEMORY, 0);
	const struct snap_memory *m;
	struct err *err = NULL;
	size_t n;

	m = snap_memory(c->snap, &n);
	for (size_t i = 0; i < n && !err; i++)
		if (m[i].kind == SNAP_MEM_DATA)
			err = check_say(c, directory_wrap(
				check_range(c->snap, &m[i]), sec));
	if (!err && c->snap->n_foreign)
		err = check_say(c, directory_wrap(
			err_new(ERR_UNSUPPORTED, "%zu ranges are of a kind "
				"that this version does not read (delta?)",
				c->snap->n_foreign), sec));
	return err;
}

/* ---- all of it ---- */
static struct err *
check_contents(struct checker *c)
{
	size_t before = c->faults;
	struct err *err = check_checksums(c);

	if (err)
		return err;
	err = reader_open(c->dir.src, &c->snap);
	if (err) {
		/* A section whose checksum is off was said already. */
		if (c->faults == before || err_kind(err) == ERR_NOMEM)
			return check_say(c, err);
		err_free(err);
		return NULL;
	}
	err = check_demands(c);
	if (!err)
		err = check_chunks(c);
	return err ? err : check_ranges(c);
}

static struct err *
check_file(struct checker *c, struct source *src, struct arena *a)
{
	struct err *err = directory_read(src, a, &c->dir);

	/* Of no snapshot, or one of another version, nothing can be said. */
	if (err)
		return err_kind(err) == ERR_UNSUPPORTED ? err :
		       check_say(c, err);
	err = check_gaps(c);
	return err ? err : check_contents(c);
}

struct err *
snap_check(struct source *src, snap_fault_fn *fault, void *arg, size_t *faults)
{
	struct checker c = { .fault = fault, .arg = arg };
	_arena_ struct arena *a = arena_new(READER_MAX);
	_free_ void *step = malloc(DIRECTORY_STEP);

	if (!a || !step)
		return err_nomem();
	c.step = step;
	struct err *err = check_file(&c, src, a);
	snap_free(c.snap);
	if (err)
		return err_wrap(err, "snapshot %s", source_name(src));
	*faults = c.faults;
	return NULL;
}
