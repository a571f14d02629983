/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "inquest/search": bytes or a text in memory that was captured, a window at a
 * time. A page of hits ends with where the next one goes on.
 */
#include "inspect/maps.h"
#include "dap/impl.h"

#include <string.h>

#define HITS 100
#define HITS_MAX 1000
#define PATTERN_MAX 1024u
#define ALIGN_MAX 4096
#define WINDOW (1u << 20)       /* bytes that are read at once */
#define RANGES_MAX 256u         /* passed over at once */
#define DAMAGE 16384u           /* passed over where reading fails */
#define SHOWN 64u               /* bytes of a hit */

struct search {
	struct span pattern;
	uint64_t at;            /* hits from here on are looked for */
	uint64_t end;           /* they begin below it; the last address + 1 */
	uint64_t zeros;         /* before @at, of captured bytes, that were
				   passed over */
	uint64_t align;
	bool into_zeros;        /* what is looked for is nothing else */
	size_t most;
	struct vec hits;        /* uint64_t */
	uint64_t searched, absent;      /* bytes */
	bool full;              /* there may be more, from @at on */
	uint8_t *window;
};

/* ---- what is looked for -------------------------------------------------------- */
static int
digit_of(char c)
{
	const char *digits = "0123456789abcdef", *at;

	if (c >= 'A' && c <= 'F')
		c = (char)(c - 'A' + 'a');
	at = c ? strchr(digits, c) : NULL;
	return at ? (int)(at - digits) : -1;
}

/* "de ad be ef", "deadbeef" */
static struct err *
pattern_of_hex(struct arena *a, const char *s, struct span *out)
{
	uint8_t *bytes = arena_alloc(a, PATTERN_MAX);
	size_t n = 0;

	if (!bytes)
		return err_nomem();
	for (; *s; s++) {
		if (*s == ' ')
			continue;
		int high = digit_of(s[0]), low = digit_of(s[1]);

		if (high < 0 || low < 0 || n == PATTERN_MAX)
			return err_new(ERR_USAGE, "\"bytes\" are pairs of "
				       "hexadecimal digits, %u at most",
				       PATTERN_MAX);
		bytes[n++] = (uint8_t)(high << 4 | low);
		s++;
	}
	*out = (struct span){ bytes, n };
	return NULL;
}

static struct err *
pattern_of_text(struct arena *a, struct span text, struct span *out)
{
	if (text.n > PATTERN_MAX)
		return err_new(ERR_USAGE, "\"text\" has %u bytes at most",
			       PATTERN_MAX);
	*out = (struct span){ arena_dup(a, text.data, text.n), text.n };
	return text.n && !out->data ? err_nomem() : NULL;
}

static bool
is_all_zero(struct span bytes)
{
	for (size_t k = 0; k < bytes.n; k++)
		if (((const uint8_t *)bytes.data)[k])
			return false;
	return true;
}

static struct err *
search_pattern(struct search *s, struct arena *a, const struct json *arguments)
{
	const struct json *text = json_get(arguments, "text");
	const char *hex;

	struct err *err = arg_string(arguments, "bytes", false, &hex);
	if (err)
		return err;
	if (!hex == !text || (text && json_kind(text) != JSON_STRING))
		return err_new(ERR_USAGE, "either \"text\" or \"bytes\" says "
			       "what is looked for");
	err = hex ? pattern_of_hex(a, hex, &s->pattern)
	      : pattern_of_text(a, json_span(text), &s->pattern);
	if (!err && !s->pattern.n)
		err = err_new(ERR_USAGE, "what is looked for has no bytes");
	s->into_zeros = !err && is_all_zero(s->pattern);
	return err;
}

/* ---- looking --------------------------------------------------------------------- */
static struct err *
search_add(struct search *s, struct arena *a, uint64_t address)
{
	uint64_t *hit;

	if (address % s->align)
		return NULL;
	if (s->hits.n == s->most) {
		s->full = true;
		s->at = address;
		return NULL;
	}
	hit = vec_add(&s->hits, a, sizeof(*hit));
	if (!hit)
		return err_nomem();
	*hit = address;
	return NULL;
}

/* Hits that begin in the first @n bytes of the window, which has @got. */
static struct err *
search_window(struct search *s, struct arena *a, uint64_t start, size_t n,
	      size_t got)
{
	const uint8_t *at = s->window, *end = s->window + got, *hit;
	struct err *err = NULL;

	while (!err && !s->full && (size_t)(end - at) >= s->pattern.n) {
		hit = memmem(at, (size_t)(end - at), s->pattern.data,
			     s->pattern.n);
		if (!hit || (size_t)(hit - s->window) >= n)
			break;
		err = search_add(s, a, start + (uint64_t)(hit - s->window));
		at = hit + 1;
	}
	return err;
}

/* A hit may begin in zeros that were passed over, and end in another range. */
static struct err *
search_range(struct dap *d, struct search *s, struct arena *a, uint64_t end)
{
	const size_t tail = s->pattern.n - 1;
	uint64_t start = s->at - (s->zeros < tail ? s->zeros : tail);
	size_t n = end - start < WINDOW ? (size_t)(end - start) : WINDOW;
	size_t got;

	size_t want = tail < UINT64_MAX - start - n ? n + tail
		      : (size_t)(UINT64_MAX - start);
	s->zeros = 0;
	_err_ struct err *none = space_read_some(insp_space(d->shown.insp),
						 start, want, s->window,
						 &got);
	if (none) {
		n = end - s->at < DAMAGE ? (size_t)(end - s->at) : DAMAGE;
		s->absent += n;
		s->at += n;
		return NULL;
	}
	if (got < n)
		n = got;
	s->searched += n;
	struct err *err = search_window(s, a, start, n, got);
	if (!s->full)
		s->at = start + n;
	return err;
}

/* Ranges of zeros are passed over: they may be of any size. */
static bool
is_searched(const struct search *s, const struct map_piece *p)
{
	return p->state != MAP_ABSENT
	       && (p->state != MAP_ZERO || s->into_zeros);
}

/* Past what is not there, to where something may be found. */
static bool
search_go_on(struct dap *d, struct search *s, struct map_piece *p)
{
	if (!insp_piece_above(d->shown.insp, s->at, p) || p->start >= s->end)
		return false;
	if (p->start != s->at) {
		s->zeros = 0;
		s->at = p->start;
	}
	if (is_searched(s, p))
		return true;
	s->zeros = p->state == MAP_ZERO ? p->end - s->at : 0;
	if (p->state == MAP_ABSENT)
		s->absent += p->end - s->at;
	s->at = p->end;
	return true;
}

/* ---- the answer --------------------------------------------------------------------- */
static struct json *
hit_json(struct dap *d, const struct map_names *names, uint64_t address)
{
	struct json *j = json_object();
	_buf_ struct buf where = { 0 };
	char bytes[SHOWN];
	size_t got = 0;

	json_set(j, "address", json_addr(address));
	describe_put_place(d, names, address, &where);
	if (where.len)
		json_set(j, "where", json_string(where.data));
	_err_ struct err *none = space_read_some(insp_space(d->shown.insp),
						 address, sizeof(bytes), bytes,
						 &got);
	if (!none)
		json_set(j, "context", json_of_span((struct span){ bytes,
								   got }));
	return j;
}

static struct json *
search_body(struct dap *d, const struct search *s)
{
	struct json *body = json_object(), *list = json_array();
	struct map_names names;
	const uint64_t *hits = s->hits.data;

	insp_map_names(d->shown.insp, &names);
	for (size_t k = 0; k < s->hits.n; k++)
		json_add(list, hit_json(d, &names, hits[k]));
	json_set(body, "hits", list);
	if (s->full)
		json_set(body, "next", json_addr(s->at));
	json_set(body, "searched", json_integer(s->searched, false));
	json_set(body, "absent", json_integer(s->absent, false));
	return body;
}

static struct err *
search_work(struct dap *d, struct work *w, struct json **body)
{
	struct search *s = w->state;
	const uint64_t enough = s->searched + WINDOW;
	struct err *err = NULL;
	struct map_piece p;

	for (unsigned k = 0; k < RANGES_MAX && !err && s->searched < enough;
	     k++) {
		if (s->full || !search_go_on(d, s, &p)) {
			*body = search_body(d, s);
			return NULL;
		}
		if (is_searched(s, &p))
			err = search_range(d, s, w->arena, p.end < s->end
					   ? p.end : s->end);
	}
	w->done = s->searched;
	return err;
}

/* ---- the request ---------------------------------------------------------------------- */
static struct err *
search_where(struct search *s, const struct json *arguments)
{
	static const struct arg_bounds counts = { 1, INT32_MAX, HITS };
	static const struct arg_bounds aligns = { 1, ALIGN_MAX, 1 };
	int64_t count, align;

	s->end = UINT64_MAX;
	struct err *err = arg_number(arguments, "count", &counts, &count);
	if (!err)
		err = arg_number(arguments, "align", &aligns, &align);
	if (!err && json_get(arguments, "address"))
		err = arg_address(arguments, "address", &s->at);
	if (!err && json_get(arguments, "end"))
		err = arg_address(arguments, "end", &s->end);
	if (err)
		return err;
	s->most = count < HITS_MAX ? (size_t)count : HITS_MAX;
	s->align = (uint64_t)align;
	return NULL;
}

/* Bytes that may have to be read: for the progress alone. */
static uint64_t
search_all(const struct dap *d, const struct search *s)
{
	const struct target *t = insp_target(d->shown.insp);
	uint64_t all = 0;

	for (size_t k = 0; k < t->n_memory; k++)
		if (t->memory[k].kind != SNAP_MEM_ABSENT
		    && t->memory[k].kind != SNAP_MEM_ZERO
		    && t->memory[k].start >= s->at
		    && t->memory[k].start < s->end)
			all += t->memory[k].length;
	return all;
}

static struct err *
search_begin(struct dap *d, const struct json *arguments, struct arena *a)
{
	struct search *s = arena_alloc(a, sizeof(*s));
	struct work w = {
		.command = "inquest/search", .title = "Searching memory",
		.piece = search_work, .state = s, .arena = a,
	};

	if (!s)
		return err_nomem();
	struct err *err = search_pattern(s, a, arguments);
	if (!err)
		err = search_where(s, arguments);
	if (err)
		return err;
	s->window = arena_alloc(a, WINDOW + PATTERN_MAX);
	if (!s->window)
		return err_nomem();
	w.all = search_all(d, s);
	return dap_begin_work(d, &w);
}

struct err *
search_answer(struct dap *d, const struct json *arguments, struct json **body)
{
	struct arena *a = arena_new(0);

	(void)body;
	if (!a)
		return err_nomem();
	struct err *err = search_begin(d, arguments, a);
	if (err)
		arena_free(a);
	return err;
}
