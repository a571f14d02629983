/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hostile source text: the words of each of its lines, and what they use. What
 * is found has to be of the text, and is bounded.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "analysis/source.h"

#define LINES_MAX 40u

static bool
is_type(void *arg, const char *name)
{
	(void)arg;
	return name[0] == 'T';
}

static void
check_words(const struct words *w, struct span text)
{
	const char *from = text.data;

	if (w->n > WORDS_MAX)
		abort();
	for (size_t k = 0; k < w->n; k++)
		if (w->list[k].at < from || !w->list[k].n
		    || w->list[k].at + w->list[k].n > from + text.n)
			abort();
}

static void
check_accesses(const struct accesses *all)
{
	if (all->n > ACCESSES_MAX || all->n_names > NAMES_MAX)
		abort();
	for (size_t k = 0; k < all->n; k++)
		if (!all->list[k].text[0] || !all->list[k].whole
		    || !all->list[k].use)
			abort();
	for (size_t k = 0; k < all->n_names; k++)
		if (!all->names[k].text[0])
			abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const struct access_types types = { is_type, NULL };
	/* What is read behind the end is found by a sanitizer only in a block
	 * that ends there. */
	_free_ char *copy = malloc(n ? n : 1);
	struct span text = { copy, n };

	if (!copy)
		abort();
	memcpy(copy, data, n);
	for (uint32_t line = 1; line <= LINES_MAX; line++) {
		_arena_ struct arena *a = arena_new(64 << 20);
		_free_ struct words *w = malloc(sizeof(*w));
		_free_ struct accesses *all = malloc(sizeof(*all));

		if (!a || !w || !all)
			abort();
		struct err *err = words_at(text, line, 0, w);
		if (!err) {
			check_words(w, text);
			err = accesses_of(w, &types, a, all);
		}
		if (!err)
			check_accesses(all);
		err_free(err);
	}
	return 0;
}
