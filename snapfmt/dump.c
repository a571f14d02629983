/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Canonical text of a snapshot: one record a line, in the order of the file's
 * tables; what a file says, not how it is packed. FORMAT.md, "Canonical text".
 */
#include <string.h>

#include "snapfmt/layout.h"

#define HEX_MAX 256u            /* longer bytes are shown as size and hash */
#define READ_STEP 65536u        /* bytes of memory hashed at a time */

/* ---- values ---- */
static void
put_quoted(struct buf *out, const char *s)
{
	buf_putc(out, '"');
	for (size_t n; *s; s += n) {
		n = strcspn(s, "\"");
		if (n) {
			buf_escape(out, s, n);
		} else {
			buf_puts(out, "\\\"");
			n = 1;
		}
	}
	buf_putc(out, '"');
}

static void
put_hash(struct buf *out, uint64_t n, const uint8_t xxh[XXH128_SIZE])
{
	buf_printf(out, "%llu:xxh128:", (unsigned long long)n);
	buf_hex(out, xxh, XXH128_SIZE);
}

static void
put_blob(struct buf *out, struct span bytes)
{
	uint8_t xxh[XXH128_SIZE];

	if (bytes.n <= HEX_MAX) {
		buf_printf(out, "%zu:", bytes.n);
		buf_hex(out, bytes.data, bytes.n);
		return;
	}
	hash_xxh128(bytes.data, bytes.n, xxh);
	put_hash(out, bytes.n, xxh);
}

static void
show_number(const struct field *f, const void *at, struct buf *out)
{
	uint64_t v = codec_number(at, f->width);
	const char *word = f->words ? text_word(f->words, v) : NULL;
	unsigned unused = 64 - 8 * f->width;

	if (word)
		buf_puts(out, word);
	else if (f->show == SHOW_HEX)
		buf_printf(out, "0x%llx", (unsigned long long)v);
	else if (f->show == SHOW_SIGNED)
		buf_printf(out, "%lld", (long long)((int64_t)(v << unused) >>
						     unused));
	else
		buf_printf(out, "%llu", (unsigned long long)v);
}

static void
show_bool(const struct field *f, const void *at, struct buf *out)
{
	(void)f;
	buf_puts(out, *(const bool *)at ? "yes" : "no");
}

static void
show_bytes(const struct field *f, const void *at, struct buf *out)
{
	buf_hex(out, at, f->width);
}

static void
show_string(const struct field *f, const void *at, struct buf *out)
{
	const char *s = *(const char *const *)at;

	(void)f;
	if (s)
		put_quoted(out, s);
	else
		buf_putc(out, '-');
}

static void
show_blob(const struct field *f, const void *at, struct buf *out)
{
	(void)f;
	put_blob(out, *(const struct span *)at);
}

static void
show_id(const struct field *f, const void *at, struct buf *out)
{
	const struct module_id *id = at;
	const char *word = text_word(&text_id, id->kind);

	(void)f;
	if (word)
		buf_printf(out, "%s:", word);
	else
		buf_printf(out, "%u:", id->kind);
	buf_hex(out, id->bytes, id->len);
}

static void
show_list(const struct field *f, const void *at, struct buf *out)
{
	size_t n;

	memcpy(&n, (const char *)at - f->at + f->count_at, sizeof(n));
	buf_printf(out, "%zu", n);
}

typedef void show_fn(const struct field *f, const void *at, struct buf *out);
static show_fn *const shows[FIELD_KINDS] = {
	[FIELD_NUMBER] = show_number, [FIELD_BOOL] = show_bool,
	[FIELD_BYTES] = show_bytes, [FIELD_STRING] = show_string,
	[FIELD_TEXT] = show_string, [FIELD_BLOB] = show_blob,
	[FIELD_ID] = show_id, [FIELD_LIST] = show_list,
};

/* ---- records ---- */
/** "thread tid=1 …", without the newline. */
static void
dump_fields(const struct schema *sc, const void *row, struct buf *out)
{
	buf_puts(out, sc->word);
	for (size_t i = 0; i < sc->n_fields; i++) {
		const struct field *f = &sc->field[i];

		if (sc->idle && sc->idle(f, row))
			continue;
		buf_printf(out, " %s=", f->name);
		shows[f->kind](f, (const char *)row + f->at, out);
	}
}

/** The elements of a record's lists, each on an indented line. */
static void
dump_lists(const struct schema *sc, const void *row, struct buf *out)
{
	for (size_t i = 0; i < sc->n_fields; i++) {
		const struct field *f = &sc->field[i];
		const char *at = (const char *)row + f->at;
		size_t n;

		if (f->kind != FIELD_LIST)
			continue;
		memcpy(&n, (const char *)row + f->count_at, sizeof(n));
		const struct schema *child = schema_of(f->child);
		const char *rows = *(const char *const *)at;
		for (size_t k = 0; k < n; k++) {
			buf_puts(out, "  ");
			dump_fields(child, rows + k * child->size, out);
			buf_putc(out, '\n');
		}
	}
}

static void
dump_table(const struct snap *s, uint32_t type, struct buf *out)
{
	const struct schema *sc = schema_of(type);
	const char *rows = s->rows[type].data;

	for (size_t i = 0; i < s->rows[type].n; i++) {
		dump_fields(sc, rows + i * sc->size, out);
		buf_putc(out, '\n');
		dump_lists(sc, rows + i * sc->size, out);
	}
}

/* ---- what is read on demand ---- */
/** XXH3-128 of a range's bytes; @step has READ_STEP bytes. */
static struct err *
memory_hash(struct snap *s, const struct snap_memory *m, uint8_t *step,
	    uint8_t xxh[XXH128_SIZE])
{
	struct hash_xxh *hash = hash_xxh_new();
	struct err *err = hash ? NULL : err_nomem();

	for (uint64_t at = 0; at < m->length && !err; at += READ_STEP) {
		size_t n = m->length - at < READ_STEP ? m->length - at :
			   READ_STEP;

		err = snap_read(s, m, at, n, step);
		if (!err)
			hash_xxh_add(hash, step, n);
	}
	if (!err)
		hash_xxh_end(hash, xxh);
	hash_xxh_free(hash);
	return err;
}

static struct err *
dump_memory(struct snap *s, struct buf *out)
{
	const struct schema *sc = schema_of(SECTION_MEMORY);
	uint8_t step[READ_STEP], xxh[XXH128_SIZE];
	const struct snap_memory *m;
	struct err *err = NULL;
	size_t n;

	m = snap_memory(s, &n);
	for (size_t i = 0; i < n && !err; i++) {
		dump_fields(sc, &m[i], out);
		if (m[i].kind == SNAP_MEM_DATA) {
			err = memory_hash(s, &m[i], step, xxh);
			buf_puts(out, " bytes=");
			put_hash(out, m[i].length, xxh);
		}
		buf_putc(out, '\n');
	}
	return err;
}

static struct err *
dump_skeletons(struct snap *s, struct buf *out)
{
	struct err *err = NULL;

	for (uint32_t i = 0; i < s->n_skeletons && !err; i++) {
		const struct snap_extent *e;
		size_t n;

		err = snap_skeleton(s, i, &e, &n);
		if (err)
			break;
		buf_printf(out, "skeleton index=%u extents=%zu\n", i, n);
		for (size_t k = 0; k < n; k++) {
			buf_puts(out, "  ");
			dump_fields(&schema_extent, &e[k], out);
			buf_putc(out, '\n');
		}
	}
	return err;
}

static struct err *
dump_files(struct snap *s, struct buf *out)
{
	const struct snap_blob *file;
	struct err *err = NULL;
	struct span bytes;
	size_t n;

	file = snap_files(s, &n);
	for (size_t i = 0; i < n && !err; i++) {
		err = snap_file(s, i, &bytes);
		if (err)
			break;
		dump_fields(schema_of(SECTION_FILES), &file[i], out);
		buf_puts(out, " bytes=");
		put_blob(out, bytes);
		buf_putc(out, '\n');
	}
	return err;
}

/** Sections that this version skips, as far as it can tell. */
static void
dump_unknown(const struct snap *s, struct buf *out)
{
	for (size_t i = 0; i < s->dir.n; i++) {
		const struct section *sec = &s->dir.section[i];

		if (schema_section_name(sec->type))
			continue;
		buf_printf(out, "section type=%u instance=%u stored=",
			   sec->type, sec->instance);
		put_hash(out, sec->stored, sec->xxh);
		buf_putc(out, '\n');
	}
}

/* ---- all of it ---- */
static void
dump_tables(const struct snap *s, const uint16_t *types, size_t n,
	    struct buf *out)
{
	for (size_t i = 0; i < n; i++)
		dump_table(s, types[i], out);
}

struct err *
snap_dump(struct snap *s, struct buf *out)
{
	static const uint16_t before[] = {
		SECTION_PROVENANCE, SECTION_PROCESS, SECTION_AUXV,
		SECTION_THREADS, SECTION_MAPS, SECTION_MODULES,
	};
	static const uint16_t after[] = {
		SECTION_FRAMES, SECTION_VARIABLES, SECTION_ATTRIBUTES,
		SECTION_NOTES, SECTION_TEXTS,
	};

	buf_printf(out, "snapshot version=%u.%u\n", s->dir.major,
		   s->dir.minor);
	dump_tables(s, before, countof(before), out);
	struct err *err = dump_skeletons(s, out);
	if (!err)
		err = dump_memory(s, out);
	dump_tables(s, after, countof(after), out);
	if (!err)
		err = dump_files(s, out);
	dump_unknown(s, out);
	return err ? err : buf_err(out);
}
