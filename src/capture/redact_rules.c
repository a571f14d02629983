/* SPDX-License-Identifier: Apache-2.0 */
/*
 * redact_rules.c: rules as they are typed, and what they match in bytes.
 */
#include "capture/redact.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#define NAME_SIZE 256u                  /* of a variable of the environment */
#define VALUE_MAX (128u << 10)          /* MAX_ARG_STRLEN of the kernel */
#define SECRET_MIN 4u                   /* "1" is everywhere */
#define SECRETS_MAX 4096u

/* ---- reading ----------------------------------------------------------- */
static const struct {
	const char *prefix;
	enum rule_kind kind;
} kinds[] = {
	{ "env:", RULE_ENV },
	{ "regex:", RULE_REGEX },
	{ "symbol:", RULE_SYMBOL },
};

static struct err *
rule_parse(const char *word, struct rule *out)
{
	for (size_t k = 0; k < countof(kinds); k++) {
		size_t n = strlen(kinds[k].prefix);

		if (strncmp(word, kinds[k].prefix, n) != 0 || !word[n])
			continue;
		out->kind = kinds[k].kind;
		out->text = out->name = word;
		out->pattern = word + n;
		return out->kind == RULE_REGEX
		       ? regex_new(out->pattern, &out->regex) : NULL;
	}
	return err_new(ERR_USAGE, "--redact \"%.200s\" is not env:NAME, "
		       "regex:EXPRESSION or symbol:NAME", word);
}

/* The words of a rule may be what it is to hide. */
static struct err *
rule_name(struct redactions *r, size_t k)
{
	struct rule *rule = &r->rules[k];
	struct span text = { rule->text, strlen(rule->text) };
	struct vec hits = { 0 };

	struct err *err = rules_find(r, text, 0, &hits);
	if (err || !hits.n)
		return err;
	rule->name = arena_printf(r->arena, "rule %zu", k + 1);
	return rule->name ? NULL : err_nomem();
}

struct err *
rules_parse(struct redactions *r, const char *const *words, size_t n)
{
	struct err *err = NULL;

	r->secrets.max = SECRETS_MAX;
	r->rules = arena_array(r->arena, n, sizeof(*r->rules));
	if (!r->rules)
		return err_nomem();
	for (; r->n_rules < n && !err; r->n_rules++)
		err = rule_parse(words[r->n_rules], &r->rules[r->n_rules]);
	for (size_t k = 0; k < n && !err; k++)
		err = rule_name(r, k);
	return err;
}

/* ---- the environment --------------------------------------------------- */
/* A string "NAME=value" in bytes, of which rule @rule wants the value. */
struct entry {
	const char *value;
	size_t n;
	uint32_t rule;
};

static bool
name_wanted(const struct redactions *r, const char *name, uint32_t *rule)
{
	for (size_t k = 0; k < r->n_rules; k++) {
		if (r->rules[k].kind != RULE_ENV
		    || fnmatch(r->rules[k].pattern, name, 0) != 0)
			continue;
		*rule = (uint32_t)k;
		return true;
	}
	return false;
}

/* Is what ends at @equals, and began behind a NUL, a name that is wanted? */
static bool
entry_at(const struct redactions *r, struct span in, const char *equals,
	 struct entry *out)
{
	const char *first = in.data, *end = first + in.n, *name = equals;
	char copy[NAME_SIZE];

	while (name > first && name[-1]
	       && (size_t)(equals - name) < sizeof(copy) - 1)
		name--;
	if (name == equals || (name > first && name[-1]))
		return false;
	memcpy(copy, name, (size_t)(equals - name));
	copy[equals - name] = '\0';
	if (!name_wanted(r, copy, &out->rule))
		return false;
	out->value = equals + 1;
	size_t left = (size_t)(end - out->value);
	out->n = strnlen(out->value, left < VALUE_MAX ? left : VALUE_MAX);
	return out->n > 0;
}

static bool
has_env(const struct redactions *r)
{
	for (size_t k = 0; k < r->n_rules; k++)
		if (r->rules[k].kind == RULE_ENV)
			return true;
	return false;
}

/* The next such entry from *@at on, which moves behind it. */
static bool
entry_next(const struct redactions *r, struct span in, const char **at,
	   struct entry *out)
{
	const char *end = (const char *)in.data + in.n;

	while (*at < end) {
		const char *equals = memchr(*at, '=', (size_t)(end - *at));

		if (!equals)
			return false;
		*at = equals + 1;
		if (entry_at(r, in, equals, out)) {
			*at = out->value + out->n;
			return true;
		}
	}
	return false;
}

static bool
is_known(const struct redactions *r, const struct entry *e)
{
	const struct secret *all = r->secrets.data;

	for (size_t k = 0; k < r->secrets.n; k++)
		if (all[k].n == e->n && memcmp(all[k].value, e->value, e->n)
					== 0)
			return true;
	return false;
}

struct err *
rules_learn(struct redactions *r, struct span in)
{
	const char *at = in.data;
	struct entry e;

	if (!in.n || !has_env(r))
		return NULL;
	while (entry_next(r, in, &at, &e)) {
		if (e.n < SECRET_MIN || is_known(r, &e))
			continue;
		struct secret *s = vec_add(&r->secrets, r->arena, sizeof(*s));
		if (!s)
			return err_new(ERR_LIMIT, "the environment has more "
				       "than %u values to redact",
				       SECRETS_MAX);
		s->value = arena_dup(r->arena, e.value, e.n);
		s->n = e.n;
		s->rule = e.rule;
		if (!s->value)
			return err_nomem();
	}
	return NULL;
}

/* ---- finding ----------------------------------------------------------- */
static struct err *
hit_add(struct redactions *r, struct vec *hits, uint64_t from, uint64_t to,
	uint32_t rule)
{
	struct hit *last = hits->n ? (struct hit *)hits->data + hits->n - 1
				   : NULL;

	if (last && last->rule == rule && last->to == from) {
		last->to = to;
		return NULL;
	}
	struct hit *h = hits->n < HITS_MAX ? vec_add(hits, r->arena, sizeof(*h))
					   : NULL;
	if (!h)
		return err_new(ERR_LIMIT, "--redact \"%.200s\" matches in more "
			       "than %u places", r->rules[rule].text, HITS_MAX);
	*h = (struct hit){ from, to, rule };
	return NULL;
}

static struct err *
find_env(struct redactions *r, struct span in, uint64_t base, struct vec *hits)
{
	const char *first = in.data, *at = first;
	struct err *err = NULL;
	struct entry e;

	while (!err && entry_next(r, in, &at, &e)) {
		uint64_t from = base + (uint64_t)(e.value - first);
		err = hit_add(r, hits, from, from + e.n, e.rule);
	}
	return err;
}

static struct err *
find_secret(struct redactions *r, const struct secret *s, struct span in,
	    uint64_t base, struct vec *hits)
{
	const char *first = in.data, *at = first, *end = first + in.n;
	struct err *err = NULL;

	while (!err && (at = memmem(at, (size_t)(end - at), s->value, s->n))) {
		uint64_t from = base + (uint64_t)(at - first);
		err = hit_add(r, hits, from, from + s->n, s->rule);
		at += s->n;
	}
	return err;
}

/* Who cannot tell what must go lets all of it go. */
static struct err *
find_regex(struct redactions *r, uint32_t k, struct span in, uint64_t base,
	   struct vec *hits)
{
	struct rule *rule = &r->rules[k];
	size_t from = 0, at[2];
	struct err *err = NULL;

	while (!err && from < in.n) {
		switch (regex_next(rule->regex, in, from, at)) {
		case REGEX_NONE:
			return NULL;
		case REGEX_GAVE_UP:
			rule->gave_up = true;
			return hit_add(r, hits, base + from, base + in.n, k);
		case REGEX_HIT:
			break;
		}
		if (at[1] > at[0])
			err = hit_add(r, hits, base + at[0], base + at[1], k);
		from = at[1] > from ? at[1] : from + 1;
	}
	return err;
}

struct err *
rules_find(struct redactions *r, struct span in, uint64_t base,
	   struct vec *hits)
{
	const struct secret *secrets = r->secrets.data;
	struct err *err = NULL;

	if (!in.n)
		return NULL;
	if (has_env(r))
		err = find_env(r, in, base, hits);
	for (size_t k = 0; k < r->secrets.n && !err; k++)
		err = find_secret(r, &secrets[k], in, base, hits);
	for (size_t k = 0; k < r->n_rules && !err; k++)
		if (r->rules[k].regex)
			err = find_regex(r, (uint32_t)k, in, base, hits);
	return err;
}

static int
hit_order(const void *a, const void *b)
{
	const struct hit *x = a, *y = b;

	return (x->from > y->from) - (x->from < y->from);
}

void
hits_merge(struct vec *hits)
{
	struct hit *h = hits->data;
	size_t n = 0;

	if (!hits->n)
		return;
	qsort(h, hits->n, sizeof(*h), hit_order);
	for (size_t k = 1; k < hits->n; k++) {
		if (h[k].from > h[n].to
		    || (h[k].from == h[n].to && h[k].rule != h[n].rule))
			h[++n] = h[k];
		else if (h[k].to > h[n].to)
			h[n].to = h[k].to;
	}
	hits->n = n + 1;
}
