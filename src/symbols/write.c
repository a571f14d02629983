/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes of an index, put together and handed to who takes them. */
#include <elf.h>
#include <stdlib.h>

#include "symbols/make.h"

struct writer {
	struct maker *m;
	struct jobs *jobs;
	struct format_header head;
	struct buf tables;              /* all sections, behind the header */
	struct buf blocks;              /* struct block: in order of file */
	uint64_t at, strings_end;       /* @at: of the next block */
	symbols_sink_fn *sink;
	void *arg;
};

/* ---- sections ------------------------------------------------------------------- */
static void
begin_section(struct writer *w, unsigned section)
{
	while (w->tables.len % 8)
		buf_putc(&w->tables, 0);
	w->head.sections[section].offset = sizeof(w->head) + w->tables.len;
}

static void
end_section(struct writer *w, unsigned section, size_t size)
{
	uint64_t from = w->head.sections[section].offset - sizeof(w->head);

	w->head.sections[section].n = (w->tables.len - from) / size;
}

static void
blocks_of(struct writer *w, const struct buf *list)
{
	const struct block *all = (const void *)list->data;

	for (size_t k = 0; k < list->len / sizeof(*all); k++) {
		struct format_block b = {
			.first = all[k].first, .offset = w->at,
			.packed = all[k].packed, .raw = all[k].raw,
			.hash = format_hash(all[k].data, all[k].packed),
		};

		buf_put(&w->tables, &b, sizeof(b));
		buf_put(&w->blocks, &all[k], sizeof(all[k]));
		w->at += b.packed;
	}
}

static const struct blocks *
stream_of(const struct job *job, unsigned stream)
{
	switch (stream) {
	case STREAM_TYPES:
		return &job->types;
	case STREAM_TREES:
		return &job->trees;
	case STREAM_BODIES:
		return &job->bodies;
	case STREAM_VARIABLES:
		return &job->variables;
	default:
		return &job->lines;
	}
}

static void
put_stream(struct writer *w, unsigned stream)
{
	struct job **all = (struct job **)(void *)w->jobs->all.data;

	begin_section(w, stream);
	for (size_t k = 0; k < w->jobs->all.len / sizeof(struct job *); k++)
		blocks_of(w, &stream_of(all[k], stream)->list);
	end_section(w, stream, sizeof(struct format_block));
}

/* ---- arrays ------------------------------------------------------------------------ */
static void
gather(struct writer *w, struct buf *out, bool names)
{
	struct job **all = (struct job **)(void *)w->jobs->all.data;

	for (size_t k = 0; k < w->jobs->all.len / sizeof(struct job *); k++) {
		const struct buf *from = names ? &all[k]->names
					 : &all[k]->spans;

		if (from->len)
			buf_put(out, from->data, from->len);
	}
}

static int
span_order(const void *a, const void *b)
{
	const struct format_span *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return (x->function > y->function) - (x->function < y->function);
}

/* Functions that were folded into one: the first of them is told; of names of
 * one place that stand behind one another, as an assembler writes them, the
 * last, as gdb does. Where one begins in another, the other ends there. */
static void
put_spans(struct writer *w)
{
	_buf_ struct buf all = { 0 };

	gather(w, &all, false);
	struct format_span *s = (struct format_span *)(void *)all.data;
	size_t n = all.len / sizeof(*s);
	if (n)
		qsort(s, n, sizeof(*s), span_order);
	begin_section(w, SECTION_SPANS);
	for (size_t k = 0; k < n; k++) {
		size_t next = k + 1, told = k;

		for (; next < n && s[next].start == s[k].start; next++)
			if (s[next].function == s[told].function + 1)
				told = next;
		if (next < n && s[next].start - s[k].start < s[told].size)
			s[told].size = (uint32_t)(s[next].start - s[k].start);
		buf_put(&w->tables, &s[told], sizeof(*s));
		k = next - 1;
	}
	end_section(w, SECTION_SPANS, sizeof(*s));
}

static int
name_order(const void *a, const void *b)
{
	const struct format_name *x = a, *y = b;

	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	return (x->what > y->what) - (x->what < y->what);
}

static void
put_names(struct writer *w)
{
	_buf_ struct buf all = { 0 };

	gather(w, &all, true);
	if (all.len)
		qsort(all.data, all.len / sizeof(struct format_name),
		      sizeof(struct format_name), name_order);
	begin_section(w, SECTION_NAMES);
	if (all.len)
		buf_put(&w->tables, all.data, all.len);
	end_section(w, SECTION_NAMES, sizeof(struct format_name));
}

static void
put_symbols(struct writer *w)
{
	const struct maker_symbol *all = (const void *)w->m->symbols.data;

	begin_section(w, SECTION_SYMBOLS);
	for (size_t k = 0; k < w->m->symbols.len / sizeof(*all); k++) {
		struct format_symbol s = {
			.address = all[k].address, .size = all[k].size,
			.name = strings_use(w->m->strings, all[k].name),
			.type = all[k].type, .binding = all[k].binding,
			.hash = format_symbol_hash(
				strings_peek(all[k].name)),
		};

		w->head.n_tls += s.type == STT_TLS;
		buf_put(&w->tables, &s, sizeof(s));
	}
	end_section(w, SECTION_SYMBOLS, sizeof(struct format_symbol));
}

static void
put_units(struct writer *w)
{
	begin_section(w, SECTION_UNITS);
	for (uint32_t k = 0; k < w->m->n_units; k++) {
		const struct dw_unit *u = w->m->units[k];
		struct format_unit unit = {
			.name = strings_use(w->m->strings, u->name),
			.dir = strings_use(w->m->strings, u->dir),
			.producer = strings_use(w->m->strings, u->producer),
			.language = u->language,
		};

		w->head.units_lost += u->lost;
		buf_put(&w->tables, &unit, sizeof(unit));
	}
	end_section(w, SECTION_UNITS, sizeof(struct format_unit));
}

static int
reference_order(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void
put_sources(struct writer *w)
{
	_buf_ struct buf all = { 0 };

	for (uint32_t k = 0; k < w->m->n_units; k++) {
		const struct dw_unit *u = w->m->units[k];

		for (uint32_t f = 0; f < u->n_files; f++) {
			uint32_t ref = strings_use(w->m->strings, u->files[f]);

			if (ref != SYM_NONE)
				buf_put(&all, &ref, sizeof(ref));
		}
	}
	uint32_t *refs = (uint32_t *)(void *)all.data;
	size_t n = all.len / sizeof(*refs);
	if (n)
		qsort(refs, n, sizeof(*refs), reference_order);
	begin_section(w, SECTION_SOURCES);
	for (size_t k = 0; k < n; k++)
		if (!k || refs[k] != refs[k - 1])
			buf_put(&w->tables, &refs[k], sizeof(refs[k]));
	end_section(w, SECTION_SOURCES, sizeof(uint32_t));
}

static void
put_texts(struct writer *w)
{
	const struct string_piece *all = (const void *)w->m->pieces.data;
	size_t n = w->m->pieces.len / sizeof(*all);

	begin_section(w, STREAM_STRINGS);
	for (size_t k = 0; k < n; k++)
		blocks_of(w, &all[k].blocks.list);
	end_section(w, STREAM_STRINGS, sizeof(struct format_block));
	if (n)
		w->strings_end = all[n - 1].first + all[n - 1].text.n;
}

/* ---- all of it -------------------------------------------------------------------------- */
static void
put_head(struct writer *w)
{
	struct format_header *h = &w->head;

	memcpy(h->magic, FORMAT_MAGIC, sizeof(h->magic));
	h->version = SYMIDX_VERSION;
	h->size = sizeof(*h);
	h->blocks = sizeof(*h) + w->tables.len;
	h->file_size = h->blocks + w->at;
	h->dwarf_size = w->m->dwarf_size;
	h->strings_end = w->strings_end;
	h->n_functions = w->m->n_functions;
	h->n_variables = w->m->n_variables;
	h->n_types = w->m->n_types;
	h->id_kind = w->m->id.kind;
	h->id_len = w->m->id.len;
	memcpy(h->id, w->m->id.bytes, sizeof(h->id));
	h->hash = format_hash(w->tables.data, w->tables.len)
		  ^ format_hash_header(h);
}

static struct err *
send(struct writer *w)
{
	const struct block *all = (const void *)w->blocks.data;
	struct err *err = w->sink(w->arg, &w->head, sizeof(w->head));

	if (!err)
		err = w->sink(w->arg, w->tables.data, w->tables.len);
	for (size_t k = 0; k < w->blocks.len / sizeof(*all) && !err; k++)
		err = w->sink(w->arg, all[k].data, all[k].packed);
	return err;
}

static struct err *
put_all(struct writer *w)
{
	_buf_ struct buf own = { 0 };

	for (unsigned k = STREAM_STRINGS + 1; k < N_STREAMS; k++)
		put_stream(w, k);
	put_spans(w);
	put_symbols(w);
	put_units(w);
	put_names(w);
	put_sources(w);
	/* Now it is known which of them anybody asks for. */
	struct err *err = strings_text(w->m->strings, &own);
	if (!err)
		err = texts_pack(w->m, (struct span){ own.data, own.len });
	if (!err)
		put_texts(w);
	if (err)
		return err;
	while (w->tables.len % 8)
		buf_putc(&w->tables, 0);
	err = buf_err(&w->tables);
	if (!err)
		err = buf_err(&w->blocks);
	if (err)
		return err;
	put_head(w);
	return send(w);
}

static struct err *
job_err(struct jobs *jobs)
{
	struct job **all = (struct job **)(void *)jobs->all.data;

	for (size_t k = 0; k < jobs->all.len / sizeof(struct job *); k++) {
		if (all[k]->err)
			return take(all[k]->err);
		if (all[k]->names.failed || all[k]->spans.failed)
			return err_nomem();
	}
	return NULL;
}

struct err *
index_write(struct maker *m, struct jobs *jobs, symbols_sink_fn *sink,
	    void *arg)
{
	struct writer w = {
		.m = m, .jobs = jobs, .sink = sink, .arg = arg,
	};
	struct err *err = job_err(jobs);

	if (!err)
		err = put_all(&w);
	texts_fini(m);
	buf_fini(&w.tables);
	buf_fini(&w.blocks);
	return err;
}
