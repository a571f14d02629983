/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The writer's intake: one function a record. Tables wait for the close;
 * skeletons and attached files go out at once.
 */
#include <stdlib.h>
#include <string.h>

#include "snapfmt/writer.h"

/** Are @n bytes more too many? Refused, they leave no trace. */
static struct err *
put_check(const struct snap_writer *w, uint32_t type, size_t n)
{
	if (n <= SECTION_MAX && w->demanded + n <= DEMAND_MAX)
		return NULL;
	return err_new(ERR_LIMIT, "section %s of %zu bytes is more than a "
		       "snapshot holds", schema_section_name(type), n);
}

static struct err *
put_record(struct snap_writer *w, uint32_t type, const void *record)
{
	const struct schema *sc = schema_of(type);
	struct table *t = &w->table[type];
	struct err *err = ranges_finish(w);

	if (err)
		return err;
	const char *fault = sc->fault ? sc->fault(record, NULL) : NULL;
	if (fault)
		return err_new(ERR_FAILED, "%s %u %s", sc->word, t->count,
			       fault);
	if (sc->single && t->count)
		return err_new(ERR_FAILED, "more than one %s", sc->word);
	codec_encode(sc, record, &w->encoder, t);
	return writer_buffers(w);
}

struct err *
snap_put_process(struct snap_writer *w, const struct snap_process *p)
{
	return put_record(w, SECTION_PROCESS, p);
}

struct err *
snap_put_thread(struct snap_writer *w, const struct snap_thread *t)
{
	return put_record(w, SECTION_THREADS, t);
}

struct err *
snap_put_map(struct snap_writer *w, const struct snap_map *m)
{
	return put_record(w, SECTION_MAPS, m);
}

struct err *
snap_put_module(struct snap_writer *w, const struct snap_module *m)
{
	if (m->skeleton != SNAP_NO_SKELETON && m->skeleton >= w->n_skeletons)
		return err_new(ERR_FAILED, "module %u has skeleton %u of %u",
			       w->table[SECTION_MODULES].count, m->skeleton,
			       w->n_skeletons);
	return put_record(w, SECTION_MODULES, m);
}

struct err *
snap_put_frame(struct snap_writer *w, const struct snap_frame *f)
{
	if (f->module != UINT32_MAX && f->module > w->highest_module)
		w->highest_module = f->module;
	return put_record(w, SECTION_FRAMES, f);
}

struct err *
snap_put_attr(struct snap_writer *w, const struct snap_attr *a)
{
	return put_record(w, SECTION_ATTRIBUTES, a);
}

struct err *
snap_put_note(struct snap_writer *w, const struct snap_note *n)
{
	return put_record(w, SECTION_NOTES, n);
}

struct err *
snap_put_text(struct snap_writer *w, const struct snap_blob *b)
{
	return put_record(w, SECTION_TEXTS, b);
}

struct err *
snap_put_auxv(struct snap_writer *w, struct span raw)
{
	return put_record(w, SECTION_AUXV, &raw);
}

struct err *
snap_put_provenance(struct snap_writer *w, const struct snap_provenance *p)
{
	return put_record(w, SECTION_PROVENANCE, p);
}

struct err *
snap_put_file(struct snap_writer *w, const struct snap_blob *b)
{
	struct err *err = ranges_finish(w);

	if (!err)
		err = put_check(w, SECTION_FILE_DATA, b->bytes.n);
	if (!err)
		err = writer_section(w, SECTION_FILE_DATA, w->n_files,
				     b->bytes);
	if (err)
		return err_wrap(err, "file %s", b->name ? b->name : "");
	w->demanded += b->bytes.n;
	w->n_files++;
	return put_record(w, SECTION_FILES, b);
}

/* ---- skeletons ---- */
static struct err *
skeleton_check(const struct snap_extent *extents, size_t n)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < n; i++) {
		const char *fault = schema_extent.fault(
			&extents[i], i ? &extents[i - 1] : NULL);

		if (fault)
			return err_new(ERR_FAILED, "extent %zu %s", i, fault);
		/* Below SECTION_MAX each, so the sum cannot overflow. */
		if (extents[i].bytes.n > SECTION_MAX)
			return err_new(ERR_LIMIT, "extent %zu is too large",
				       i);
		bytes += extents[i].bytes.n;
	}
	if (n > SECTION_MAX / schema_extent.disk || bytes > SECTION_MAX)
		return err_new(ERR_LIMIT, "skeleton of %zu extents and %llu "
			       "bytes is too large", n,
			       (unsigned long long)bytes);
	return NULL;
}

/** Header, extents, bytes; a function of the extents alone. */
static struct err *
skeleton_payload(const struct snap_extent *extents, size_t n, struct buf *out)
{
	_buf_ struct buf bytes = { .max = SECTION_MAX };
	struct table table = { .bytes = { .max = SECTION_MAX } };
	size_t head = TABLE_HEADER_SIZE + n * schema_extent.disk;
	size_t pad = -head % ALIGNMENT;
	struct encoder e = { .blobs = &bytes, .blobs_at = head + pad };

	for (size_t i = 0; i < n; i++)
		codec_encode(&schema_extent, &extents[i], &e, &table);
	codec_table_header(out, schema_extent.disk, (uint32_t)n, 0);
	buf_put(out, table.bytes.data, table.bytes.len);
	buf_zero(out, pad);
	buf_put(out, bytes.data, bytes.len);
	struct err *err = buf_err(&table.bytes);
	buf_fini(&table.bytes);
	if (!err)
		err = buf_err(&bytes);
	return err ? err : buf_err(out);
}

struct skeleton_probe {
	const struct snap_writer *w;
	const uint8_t *key;
};

static bool
skeleton_same(const void *arg, uint32_t id)
{
	const struct skeleton_probe *p = arg;

	return memcmp(p->w->skeleton_key[id], p->key, SHA256_SIZE) == 0;
}

static struct err *
skeleton_remember(struct snap_writer *w, uint64_t hash, const uint8_t *key)
{
	size_t n = w->n_skeletons;
	void *keys = reallocarray(w->skeleton_key, n + 1, SHA256_SIZE);

	if (!keys)
		return err_nomem();
	w->skeleton_key = keys;
	memcpy(w->skeleton_key[n], key, SHA256_SIZE);
	if (!lookup_add(&w->skeleton_lookup, hash, (uint32_t)n))
		return err_nomem();
	w->n_skeletons++;
	return NULL;
}

/* Packed beside us: many are large. Takes what is in @payload. */
static struct err *
skeleton_send(struct snap_writer *w, struct buf *payload)
{
	const struct section s = {
		.type = SECTION_SKELETON, .instance = w->n_skeletons,
		.raw = payload->len,
	};
	struct err *err = put_check(w, SECTION_SKELETON, payload->len);

	if (err)
		return err;
	w->demanded += payload->len;
	return batches_section(w->batches, w, &s, payload);
}

struct err *
snap_put_skeleton(struct snap_writer *w, const struct snap_extent *extents,
		  size_t n, uint32_t *index)
{
	uint8_t xxh[XXH128_SIZE], key[SHA256_SIZE];
	_buf_ struct buf payload = { .max = SECTION_MAX };
	struct err *err = ranges_finish(w);

	if (!err)
		err = skeleton_check(extents, n);
	if (!err)
		err = skeleton_payload(extents, n, &payload);
	if (!err)
		err = hash_sha256(payload.data, payload.len, key);
	if (err)
		return err;
	hash_xxh128(payload.data, payload.len, xxh);
	if (lookup_find(&w->skeleton_lookup, lookup_hash(xxh), skeleton_same,
			&(struct skeleton_probe){ w, key }, index))
		return NULL;
	err = skeleton_send(w, &payload);
	if (!err)
		err = skeleton_remember(w, lookup_hash(xxh), key);
	if (err)
		return err;
	*index = w->n_skeletons - 1;
	return NULL;
}
