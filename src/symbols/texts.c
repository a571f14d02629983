/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The strings that somebody asks for, in blocks. Their numbers are their
 * places in .debug_str and behind it: what nobody asks for leaves holes.
 */
#include <stdlib.h>

#include "symbols/make.h"

#define PIECE (1u << 20)        /* bytes for one job */

/** A block in the making. */
struct texts {
	struct blocks *to;
	struct buf text, steps;
	uint64_t first, last;
	size_t n;
};

static void
flush(struct texts *t)
{
	_buf_ struct buf raw = { 0 };

	if (!t->n)
		return;
	put_uleb(&raw, t->n);
	buf_put(&raw, t->steps.data, t->steps.len);
	buf_put(&raw, t->text.data, t->text.len);
	if (!t->to->err && (t->text.failed || t->steps.failed))
		t->to->err = err_nomem();
	if (!t->to->err)
		t->to->err = buf_err(&raw);
	blocks_pack(t->to, t->first, raw.data, raw.len);
	buf_reset(&t->text);
	buf_reset(&t->steps);
	t->n = 0;
}

static void
add(struct texts *t, uint64_t ref, const char *text, size_t n)
{
	if (!t->n)
		t->first = t->last = ref;
	put_uleb(&t->steps, ref - t->last);
	if (n)
		buf_put(&t->text, text, n);
	buf_putc(&t->text, 0);
	t->last = ref;
	t->n++;
	if (t->text.len >= FORMAT_TEXT)
		flush(t);
}

/* A string is kept from where it is first used on: others end as it does. */
static void
pack_piece(struct maker *m, uint32_t n, struct arena *scratch)
{
	struct string_piece *p =
		&((struct string_piece *)(void *)m->pieces.data)[n];
	const char *text = p->text.data;
	struct texts t = { .to = &p->blocks };

	(void)scratch;
	for (size_t at = 0; at < p->text.n;) {
		at = strings_next_used(m->strings, p->first + at,
				       p->first + p->text.n) - p->first;
		size_t length = strnlen(text + at, p->text.n - at);

		if (at < p->text.n)
			add(&t, p->first + at, text + at, length);
		at += length + 1;
	}
	flush(&t);
	buf_fini(&t.text);
	buf_fini(&t.steps);
}

/* A piece ends behind a string. */
static size_t
piece_at(struct span text, size_t from)
{
	const char *all = text.data;
	size_t end = from + PIECE;

	if (end >= text.n)
		return text.n - from;
	const char *nul = memchr(all + end, 0, text.n - end);
	return nul ? (size_t)(nul + 1 - all) - from : text.n - from;
}

static void
plan(struct maker *m, struct span text, uint64_t base)
{
	for (size_t at = 0; at < text.n;) {
		struct string_piece p = { .first = base + at };

		p.text.data = (const char *)text.data + at;
		p.text.n = piece_at(text, at);
		buf_put(&m->pieces, &p, sizeof(p));
		at += p.text.n;
	}
}

struct err *
texts_pack(struct maker *m, struct span own)
{
	struct dw_file *const whole[] = { m->dwarf, m->alt, m->package };
	uint64_t base = 0;

	for (size_t k = 0; k < countof(whole); k++) {
		if (!whole[k] || !whole[k]->borrows_strings)
			continue;
		plan(m, whole[k]->section[DW_STR], whole[k]->str_base);
		base = whole[k]->str_base + whole[k]->section[DW_STR].n;
	}
	plan(m, own, base);
	struct string_piece *all = (struct string_piece *)(void *)
				   m->pieces.data;
	uint32_t n = (uint32_t)(m->pieces.len / sizeof(*all));
	maker_each(m, n, pack_piece);
	struct err *err = buf_err(&m->pieces);
	for (uint32_t k = 0; k < n && !err; k++)
		err = blocks_finish(&all[k].blocks);
	return err;
}

void
texts_fini(struct maker *m)
{
	struct string_piece *all = (struct string_piece *)(void *)
				   m->pieces.data;

	for (size_t k = 0; k < m->pieces.len / sizeof(*all); k++)
		blocks_fini(&all[k].blocks);
	buf_fini(&m->pieces);
}
