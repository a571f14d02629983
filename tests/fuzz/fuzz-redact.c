/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hostile bytes as an environment, as memory and as a text, with rules of each
 * kind. What is matched lies within the bytes, sorted and disjoint, and what
 * is left has no value of a variable that was learned.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

#include "capture/redact.h"

static const char *const words[] = {
	"env:*_KEY", "env:A", "regex:k[0-9]+", "regex:(a+)+\\x00", "symbol:x",
};

/* Of what is left between matches. */
static void
check_left(const struct redactions *r, struct span left)
{
	const struct secret *all = r->secrets.data;

	for (size_t k = 0; k < r->secrets.n; k++)
		if (left.n && memmem(left.data, left.n, all[k].value, all[k].n))
			abort();
}

static void
check(struct redactions *r, struct span in)
{
	struct vec hits = { 0 };
	uint64_t at = 0;

	if (rules_find(r, in, 0, &hits))
		abort();
	hits_merge(&hits);
	const struct hit *h = hits.data;
	for (size_t k = 0; k < hits.n; k++) {
		if (h[k].from < at || h[k].to <= h[k].from || h[k].to > in.n)
			abort();
		check_left(r, (struct span){ (const char *)in.data + at,
					     (size_t)(h[k].from - at) });
		at = h[k].to;
	}
	check_left(r, (struct span){ (const char *)in.data + at,
				     in.n - (size_t)at });
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	_arena_ struct arena *a = arena_new(256u << 20);
	struct redactions r = { .arena = a };
	const struct span in = { data, n };

	if (!a || n > 1u << 16)
		return 0;
	if (rules_parse(&r, words, countof(words)))
		abort();
	err_free(rules_learn(&r, in));
	check(&r, in);
	for (size_t k = 0; k < r.n_rules; k++)
		regex_free(r.rules[k].regex);
	return 0;
}
