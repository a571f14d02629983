/* SPDX-License-Identifier: Apache-2.0 */
/* Strings of an index: their blocks stay, because they are lent. */
#include <stdlib.h>

#include "symbols/index.h"

/** Of the n strings of a block: the reference, from the block's first, and
 * the place in its bytes; behind the last place is the end. */
struct index_texts {
	const char *bytes;
	uint32_t n;
	uint32_t *places;
	uint32_t refs[];
};

static struct index_texts *
texts_new(size_t n)
{
	struct index_texts *t = calloc(1, sizeof(*t) + (2 * n + 1)
					  * sizeof(uint32_t));

	if (!t)
		return NULL;
	t->n = (uint32_t)n;
	t->places = t->refs + n;
	return t;
}

/* Each step and each string takes a byte or more. */
static struct index_texts *
decode(const uint8_t *raw, size_t size)
{
	struct cur c = cur_of(raw, size);
	uint64_t n = cur_uleb(&c), ref = 0;
	struct index_texts *t = c.failed || n > cur_left(&c) / 2 ? NULL
				: texts_new((size_t)n);

	if (!t)
		return NULL;
	t->bytes = (const char *)raw;
	for (uint64_t k = 0; k < n; k++) {
		ref += cur_uleb(&c);
		t->refs[k] = (uint32_t)ref;
		if (ref > UINT32_MAX)
			cur_fail(&c);
	}
	for (uint64_t k = 0; k < n; k++) {
		t->places[k] = (uint32_t)(c.p - raw);
		cur_str(&c);
	}
	t->places[n] = (uint32_t)(c.p - raw);
	if (!c.failed)
		return t;
	free(t);
	return NULL;
}

static const struct index_texts *
texts_of(struct symidx *ix, uint32_t block)
{
	const uint8_t *raw;

	if (ix->texts[block])
		return ix->texts[block];
	_err_ struct err *err = index_unpack(ix, STREAM_STRINGS, block, &raw);
	struct index_texts *t = err ? NULL : decode(
		raw, ix->blocks[STREAM_STRINGS][block].raw);
	/* One that is damaged has none, and is not unpacked again. */
	ix->texts[block] = t ? t : texts_new(0);
	return ix->texts[block];
}

void
texts_forget(struct symidx *ix)
{
	for (uint32_t k = 0; ix->texts && k < ix->n_blocks[STREAM_STRINGS];
	     k++)
		free(ix->texts[k]);
}

const char *
symidx_string(struct symidx *ix, uint32_t string)
{
	uint32_t block = string == SYM_NONE ? UINT32_MAX
			 : index_block(ix, STREAM_STRINGS, string);
	const struct index_texts *t = block != UINT32_MAX
				      ? texts_of(ix, block) : NULL;

	if (!t)
		return string == SYM_NONE ? NULL : "";
	uint64_t ref = string - ix->blocks[STREAM_STRINGS][block].first;
	uint32_t k = index_search(t->refs, t->n, ref);
	uint64_t into = k ? ref - t->refs[k - 1] : 0;

	if (!k || into >= t->places[k] - t->places[k - 1])
		return "";
	return t->bytes + t->places[k - 1] + into;
}
