/* SPDX-License-Identifier: Apache-2.0 */
/*
 * redact.c: where in memory the rules match.
 *
 * All captured memory is looked at, whichever of it is kept, in windows that
 * overlap: a match may lie across the borders of mappings and of chunks.
 */
#include "capture/redact.h"

#include <stdlib.h>
#include <string.h>

#include "base/search.h"

#define WINDOW (4u << 20)
#define OVERLAP (256u << 10)    /* over the longest value that is looked for */

/* ---- all of the memory ------------------------------------------------- */
typedef struct err *window_fn(struct saver *s, struct span bytes,
			      uint64_t addr);

struct scan {
	struct saver *s;
	window_fn *look;
	uint8_t *bytes;         /* WINDOW */
	uint64_t start;         /* address of the first of them */
	size_t n;
};

static struct err *
scan_look(struct scan *c)
{
	return c->n ? c->look(c->s, (struct span){ c->bytes, c->n }, c->start)
		    : NULL;
}

/* Look at a window that is full, and keep its end. */
static struct err *
scan_turn(struct scan *c)
{
	struct err *err = scan_look(c);

	memmove(c->bytes, c->bytes + c->n - OVERLAP, OVERLAP);
	c->start += c->n - OVERLAP;
	c->n = OVERLAP;
	return err;
}

/* What cannot be read is not written either. */
static struct err *
scan_range(struct scan *c, size_t range)
{
	struct target *t = (struct target *)c->s->target;
	const struct snap_memory *m = &t->memory[range];
	struct err *err = NULL;

	for (uint64_t off = 0, step; off < m->length && !err; off += step) {
		if (c->n && c->start + c->n != m->start + off) {
			err = scan_look(c);
			c->n = 0;
		}
		if (!err && c->n == WINDOW)
			err = scan_turn(c);
		if (!c->n)
			c->start = m->start + off;
		step = WINDOW - c->n;
		step = m->length - off < step ? m->length - off : step;
		step = step < SNAP_CHUNK ? step : SNAP_CHUNK;
		_err_ struct err *unread = err ? NULL : t->ops->read(
			t, range, off, (size_t)step, c->bytes + c->n);
		if (!err && !unread)
			c->n += step;
	}
	return err;
}

static struct err *
scan_memory(struct saver *s, window_fn *look)
{
	_free_ uint8_t *bytes = malloc(WINDOW);
	struct scan c = { .s = s, .look = look, .bytes = bytes };
	struct err *err = bytes ? NULL : err_nomem();

	for (size_t k = 0; k < s->target->n_memory && !err; k++)
		if (s->target->memory[k].kind == SNAP_MEM_DATA)
			err = scan_range(&c, k);
	return err ? err : scan_look(&c);
}

static struct err *
look_for_values(struct saver *s, struct span bytes, uint64_t addr)
{
	(void)addr;
	return rules_learn(s->redactions, bytes);
}

static struct err *
look_for_all(struct saver *s, struct span bytes, uint64_t addr)
{
	struct vec *ranges = &s->redactions->ranges;

	struct err *err = rules_find(s->redactions, bytes, addr, ranges);
	hits_merge(ranges);
	return err;
}

/* ---- preparing --------------------------------------------------------- */
static struct err *
learn_environ(struct saver *s)
{
	const struct target *t = s->target;
	struct err *err = NULL;

	for (size_t k = 0; k < t->n_texts && !err; k++)
		if (strcmp(t->texts[k].name, "environ") == 0)
			err = rules_learn(s->redactions, t->texts[k].bytes);
	return err;
}

static bool
has_kind(const struct redactions *r, enum rule_kind kind)
{
	for (size_t k = 0; k < r->n_rules; k++)
		if (r->rules[k].kind == kind)
			return true;
	return false;
}

static struct err *
find_memory(struct saver *s)
{
	const struct redactions *r = s->redactions;
	struct err *err = NULL;

	if (has_kind(r, RULE_ENV))
		err = scan_memory(s, look_for_values);
	if (!err && (has_kind(r, RULE_ENV) || has_kind(r, RULE_REGEX)))
		err = scan_memory(s, look_for_all);
	return err;
}

struct err *
redact_prepare(struct saver *s)
{
	const struct capture_options *o = s->options;

	if (!o->n_redact)
		return NULL;
	struct redactions *r = arena_alloc(s->arena, sizeof(*r));
	if (!r)
		return err_nomem();
	r->arena = s->arena;
	s->redactions = r;
	struct err *err = rules_parse(r, o->redact, o->n_redact);
	if (!err)
		err = learn_environ(s);
	if (!err)
		err = find_memory(s);
	if (!err)
		err = redact_symbols(s);
	if (err)
		return err;
	hits_merge(&r->ranges);
	return NULL;
}

void
redact_fini(struct saver *s)
{
	struct redactions *r = s->redactions;

	for (size_t k = 0; r && k < r->n_rules; k++)
		regex_free(r->rules[k].regex);
}

/* ---- asking ------------------------------------------------------------ */
/* The first range that ends behind @addr; NULL = none. */
static const struct hit *
range_from(const struct redactions *r, uint64_t addr)
{
	const struct hit *h = r->ranges.data;
	size_t k = search_above(h, r->ranges.n, sizeof(*h),
				offsetof(struct hit, to), addr);

	return k < r->ranges.n ? &h[k] : NULL;
}

bool
redact_part(const struct redactions *r, uint64_t addr, size_t n, size_t *part)
{
	const struct hit *h = r ? range_from(r, addr) : NULL;

	*part = n;
	if (!h || (h->from > addr && h->from - addr >= n))
		return false;
	if (h->from > addr) {
		*part = (size_t)(h->from - addr);
		return false;
	}
	if (h->to - addr < n)
		*part = (size_t)(h->to - addr);
	r->rules[h->rule].memory += *part;
	r->rules[h->rule].places += addr == h->from;
	return true;
}

struct err *
redact_more(struct saver *s, uint64_t addr, const void *bytes, size_t n)
{
	struct redactions *r = s->redactions;

	if (!r)
		return NULL;
	size_t before = r->ranges.n;
	struct err *err = rules_find(r, (struct span){ bytes, n }, addr,
				     &r->ranges);
	if (r->ranges.n != before)
		hits_merge(&r->ranges);
	return err;
}
