/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reader: opens a snapshot, decodes its tables, checks what they refer to.
 * Skeletons and attached files come when they are asked for; chunks.c reads
 * memory.
 */
#include <stdlib.h>
#include <string.h>

#include "snapfmt/layout.h"
#include "snapfmt/resolved.h"

/* ---- tables ---- */
/* Each after the ones that its records refer to. */
static const uint16_t tables[] = {
	SECTION_REGSETS, SECTION_THREADS, SECTION_MODULE_NAMES,
	SECTION_MODULES, SECTION_PROCESS, SECTION_MAPS, SECTION_MEMORY,
	SECTION_FRAMES, SECTION_VARIABLES, SECTION_ATTRIBUTES, SECTION_NOTES, SECTION_TEXTS,
	SECTION_FILES, SECTION_PROVENANCE, SECTION_AUXV,
};

static struct err *
table_read(struct snap *s, uint32_t type)
{
	const struct section *sec = directory_find(&s->dir, type, 0);
	_arena_ struct arena *a = arena_new(0);
	struct span payload;

	if (!sec)
		return NULL;
	if (!a)
		return err_nomem();
	struct err *err = directory_load(&s->dir, sec, s->zstd, a, &payload);
	if (err)
		return err;
	err = codec_decode(schema_of(type), payload, &s->decoder,
			   &s->rows[type]);
	return directory_wrap(err, sec);
}

/** Payload of a section that stays in memory as it is; empty if missing. */
static struct err *
bytes_read(struct snap *s, uint32_t type, struct span *out)
{
	const struct section *sec = directory_find(&s->dir, type, 0);

	return sec ? directory_load(&s->dir, sec, s->zstd, s->arena, out) :
	       NULL;
}

static struct err *
strings_read(struct snap *s)
{
	struct span *strings = &s->decoder.strings;
	struct err *err = bytes_read(s, SECTION_STRINGS, strings);

	/* Then every offset inside begins a string that ends inside. */
	if (!err && strings->n &&
	    ((const char *)strings->data)[strings->n - 1] != '\0')
		err = directory_wrap(err_new(ERR_DAMAGED,
					     "does not end in a NUL"),
				     directory_find(&s->dir,
						    SECTION_STRINGS, 0));
	return err;
}

static struct err *
chunks_read(struct snap *s)
{
	const struct section *sec = directory_find(&s->dir, SECTION_CHUNKS, 0);
	struct span payload = { 0 };
	struct err *err = bytes_read(s, SECTION_CHUNKS, &payload);

	s->chunk_table = sec;
	s->chunk_data = directory_find(&s->dir, SECTION_CHUNK_DATA, 0);
	if (err || !sec)
		return err;
	err = codec_view(schema_of(SECTION_CHUNKS), payload, &s->chunks);
	if (!err && s->chunks.parameter != CHUNK_PARAMETER)
		err = err_new(ERR_UNSUPPORTED, "chunks of kind 0x%x",
			      s->chunks.parameter);
	return directory_wrap(err, sec);
}

static struct err *
tables_read(struct snap *s)
{
	struct err *err = strings_read(s);

	if (!err)
		err = bytes_read(s, SECTION_BLOBS, &s->decoder.blobs);
	if (!err)
		err = chunks_read(s);
	for (size_t i = 0; i < countof(tables) && !err; i++)
		err = table_read(s, tables[i]);
	return err;
}

/* ---- sections that come on demand ---- */
/** Its instances; the directory has them in order. */
static struct err *
demand_list(struct snap *s, uint32_t type, struct demand **out, size_t *n)
{
	size_t found = 0;

	for (size_t i = 0; i < s->dir.n; i++)
		found += s->dir.section[i].type == type;
	*out = arena_array(s->arena, found, sizeof(**out));
	if (!*out)
		return directory_spent(s->arena, found * sizeof(**out));
	for (size_t i = 0; i < s->dir.n; i++)
		if (s->dir.section[i].type == type)
			(*out)[(*n)++].section = &s->dir.section[i];
	return NULL;
}

/** Gives the attached files their sizes. */
static struct err *
files_join(struct snap *s)
{
	struct rows *files = &s->rows[SECTION_FILES];
	struct snap_blob *blob = files->data;

	if (files->n != s->n_files)
		return err_new(ERR_DAMAGED, "section FILES names %zu files, "
			       "there are %zu sections FILE_DATA", files->n,
			       s->n_files);
	for (size_t i = 0; i < files->n; i++)
		blob[i].bytes.n = s->file[i].section->raw;
	return NULL;
}

/**
 * The payload of @d in an arena of its own: what turns out to be damaged does
 * not stay, however often it is asked for.
 */
static struct err *
demand_payload(struct snap *s, const struct demand *d, struct arena **a,
	       struct span *out)
{
	size_t used = arena_used(s->arena) + s->demanded;

	if (used > READER_MAX || d->section->raw > READER_MAX - used)
		return directory_wrap(err_new(ERR_LIMIT, "needs more than %u "
					      "MiB of memory",
					      READER_MAX >> 20), d->section);
	*a = arena_new(0);
	struct err *err = *a ? snap_unpacker(s) : err_nomem();
	return err ? err : directory_load(&s->dir, d->section, s->zstd, *a,
					  out);
}

/** Takes @a, which holds what was loaded. */
static void
demand_keep(struct snap *s, struct demand *d, struct arena *a)
{
	d->arena = a;
	s->demanded += arena_used(a);
}

struct err *
reader_extents(struct span payload, struct arena *a, struct rows *out)
{
	struct decoder d = { .arena = a, .blobs = payload };

	return codec_decode(&schema_extent, payload, &d, out);
}

static struct err *
skeleton_load(struct snap *s, struct demand *d)
{
	_arena_ struct arena *a = NULL;
	struct span payload = { 0 };
	struct err *err = demand_payload(s, d, &a, &payload);

	if (!err)
		err = directory_wrap(reader_extents(payload, a, &d->extents),
				     d->section);
	if (err)
		return err_wrap(err, "snapshot %s", source_name(s->dir.src));
	demand_keep(s, d, take(a));
	return NULL;
}

struct err *
snap_skeleton(struct snap *s, uint32_t index,
	      const struct snap_extent **extents, size_t *n)
{
	if (index >= s->n_skeletons)
		return err_new(ERR_NOTFOUND, "snapshot %s: no skeleton %u",
			       source_name(s->dir.src), index);
	struct demand *d = &s->skeleton[index];
	struct err *err = d->arena ? NULL : skeleton_load(s, d);
	if (err)
		return err;
	*extents = d->extents.data;
	*n = d->extents.n;
	return NULL;
}

static struct err *
file_load(struct snap *s, struct demand *d)
{
	_arena_ struct arena *a = NULL;
	struct err *err = demand_payload(s, d, &a, &d->bytes);

	if (err)
		return err_wrap(err, "snapshot %s", source_name(s->dir.src));
	demand_keep(s, d, take(a));
	return NULL;
}

struct err *
snap_file(struct snap *s, size_t index, struct span *out)
{
	if (index >= s->n_files)
		return err_new(ERR_NOTFOUND, "snapshot %s: no file %zu",
			       source_name(s->dir.src), index);
	struct demand *d = &s->file[index];
	struct err *err = d->arena ? NULL : file_load(s, d);
	if (err)
		return err;
	*out = d->bytes;
	return NULL;
}

/* ---- what tables refer to ---- */
static bool
is_module(const struct snap *s, uint32_t index)
{
	return index < s->rows[SECTION_MODULES].n;
}

static const char *
chunks_fault(const struct snap *s, const struct snap_memory *m)
{
	return m->ref + chunk_windows(m) > s->chunks.count ?
	       "refers to chunks that are not there" : NULL;
}

static const char *
memory_fault(struct snap *s, struct snap_memory *m)
{
	switch (m->kind) {
	case SNAP_MEM_DATA:
		m->offset = 0;
		return chunks_fault(s, m);
	case SNAP_MEM_MOVED:
		/* A way of packing: nobody else need know. */
		m->kind = SNAP_MEM_DATA;
		return chunks_fault(s, m);
	case SNAP_MEM_FILE:
		return is_module(s, m->ref) ? NULL :
		       "refers to a module that is not there";
	case SNAP_MEM_ZERO:
	case SNAP_MEM_ABSENT:
		break;
	default:
		/* Of a newer version, or DELTA: the bytes are out of reach. */
		m->kind = SNAP_MEM_ABSENT;
		m->reason = SNAP_ABSENT_UNKNOWN;
		s->n_foreign++;
	}
	if (m->reason >= SNAP_REASONS)
		m->reason = SNAP_ABSENT_UNKNOWN;
	return NULL;
}

static const char *
frame_fault(const struct snap *s, const struct snap_frame *f)
{
	return f->module == UINT32_MAX || is_module(s, f->module) ? NULL :
	       "refers to a module that is not there";
}

static const char *
module_fault(const struct snap *s, const struct snap_module *m)
{
	return m->skeleton == SNAP_NO_SKELETON ||
	       m->skeleton < s->n_skeletons ? NULL :
	       "refers to a skeleton that is not there";
}

static const char *
row_fault(struct snap *s, uint32_t type, void *row)
{
	switch (type) {
	case SECTION_MEMORY:
		return memory_fault(s, row);
	case SECTION_FRAMES:
		return frame_fault(s, row);
	default:
		return module_fault(s, row);
	}
}

static struct err *
references_check(struct snap *s, uint32_t type)
{
	const struct schema *sc = schema_of(type);
	const struct rows *rows = &s->rows[type];

	for (size_t i = 0; i < rows->n; i++) {
		const char *fault = row_fault(s, type, (char *)rows->data +
					      i * sc->size);

		if (fault)
			return directory_wrap(
				err_new(ERR_DAMAGED, "%s %zu %s", sc->word, i,
					fault),
				directory_find(&s->dir, type, 0));
	}
	return NULL;
}

/* ---- life ---- */
static struct err *
snap_fill(struct snap *s)
{
	struct err *err = tables_read(s);

	if (!err)
		err = demand_list(s, SECTION_SKELETON, &s->skeleton,
				  &s->n_skeletons);
	if (!err)
		err = demand_list(s, SECTION_FILE_DATA, &s->file,
				  &s->n_files);
	if (!err)
		err = files_join(s);
	if (!err)
		err = references_check(s, SECTION_MODULES);
	if (!err)
		err = references_check(s, SECTION_MEMORY);
	return err ? err : references_check(s, SECTION_FRAMES);
}

/** What stands for a PROCESS or PROVENANCE that is not there. */
static const struct snap_process no_process = { .name = "", .arguments = "" };
static const struct snap_provenance no_provenance = {
	.producer = "", .source = "", .source_name = "",
};

struct err *
reader_open(struct source *src, struct snap **out)
{
	_snap_ struct snap *s = calloc(1, sizeof(*s));

	if (!s)
		return err_nomem();
	s->arena = arena_new(READER_MAX);
	if (!s->arena)
		return err_nomem();
	s->decoder = (struct decoder){ .arena = s->arena, .rows = s->rows };
	struct err *err = snap_unpacker(s);
	if (!err)
		err = directory_read(src, s->arena, &s->dir);
	if (!err)
		err = snap_fill(s);
	if (err)
		return err;
	*out = take(s);
	return NULL;
}

struct err *
snap_open(struct source *src, struct snap **out)
{
	return err_wrap(reader_open(src, out), "snapshot %s",
			source_name(src));
}

void
snap_free(struct snap *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->n_skeletons; i++)
		arena_free(s->skeleton[i].arena);
	for (size_t i = 0; i < s->n_files; i++)
		arena_free(s->file[i].arena);
	snap_rest(s);
	arena_free(s->arena);
	free(s);
}

void
snap_freep(struct snap **s)
{
	snap_free(*s);
}

/* ---- records ---- */
static const void *
rows_of(const struct snap *s, uint32_t type, size_t *n)
{
	*n = s->rows[type].n;
	return s->rows[type].data;
}

const struct snap_process *
snap_process(const struct snap *s)
{
	const struct rows *rows = &s->rows[SECTION_PROCESS];

	return rows->n ? rows->data : &no_process;
}

const struct snap_provenance *
snap_provenance(const struct snap *s)
{
	const struct rows *rows = &s->rows[SECTION_PROVENANCE];

	return rows->n ? rows->data : &no_provenance;
}

struct span
snap_auxv(const struct snap *s)
{
	const struct rows *rows = &s->rows[SECTION_AUXV];

	return rows->n ? *(const struct span *)rows->data : (struct span){ 0 };
}

const struct snap_thread *
snap_threads(const struct snap *s, size_t *n)
{
	return rows_of(s, SECTION_THREADS, n);
}

const struct snap_map *
snap_maps(const struct snap *s, size_t *n)
{
	return rows_of(s, SECTION_MAPS, n);
}

const struct snap_module *
snap_modules(const struct snap *s, size_t *n)
{
	return rows_of(s, SECTION_MODULES, n);
}

const struct snap_memory *
snap_memory(const struct snap *s, size_t *n)
{
	return rows_of(s, SECTION_MEMORY, n);
}

const struct snap_frame *
snap_frames(const struct snap *s, size_t *n)
{
	return rows_of(s, SECTION_FRAMES, n);
}

const struct snap_variable *
snap_variables(const struct snap *s, size_t *n)
{
	return rows_of(s, SECTION_VARIABLES, n);
}

const struct snap_attr *
snap_attrs(const struct snap *s, size_t *n)
{
	return rows_of(s, SECTION_ATTRIBUTES, n);
}

const struct snap_note *
snap_notes(const struct snap *s, size_t *n)
{
	return rows_of(s, SECTION_NOTES, n);
}

const struct snap_blob *
snap_texts(const struct snap *s, size_t *n)
{
	return rows_of(s, SECTION_TEXTS, n);
}

const struct snap_blob *
snap_files(const struct snap *s, size_t *n)
{
	return rows_of(s, SECTION_FILES, n);
}
