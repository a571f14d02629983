/* SPDX-License-Identifier: Apache-2.0 */
/*
 * regex.c: regular expressions from outside, over bytes, with limits (PCRE2).
 *
 * Interpreted: translated code would have to be executable memory, which a
 * jailed child never gets.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/base.h"

/* A match at one place: steps, depth of backtracking, KiB of its heap. */
#define MATCH_STEPS 500000u
#define MATCH_DEPTH 10000u
#define MATCH_HEAP_KIB (16u << 10)
/* All matches of one expression: seconds, looked at so rarely. */
#define SECONDS 4
#define PLACES 16u

/* Called once for each place where a match may begin. */
#define AT_PLACE "(?C1)"

struct regex {
	time_t until;                   /* CLOCK_MONOTONIC; 0 = not begun */
	unsigned places;
	pcre2_code *code;
	pcre2_match_context *limits;
	pcre2_match_data *match;
};

void
regex_free(struct regex *r)
{
	if (!r)
		return;
	pcre2_match_data_free(r->match);
	pcre2_match_context_free(r->limits);
	pcre2_code_free(r->code);
	free(r);
}

static struct err *
wrong(const char *text, int code, size_t at)
{
	unsigned char why[256] = "";

	pcre2_get_error_message(code, why, sizeof(why));
	return err_new(ERR_USAGE, "the expression \"%.200s\" is wrong at "
		       "character %zu: %s", text, at + 1, (char *)why);
}

static int
at_place(pcre2_callout_block *block, void *arg)
{
	struct regex *r = arg;
	struct timespec now = { 0, 0 };

	if (block->callout_number != 1 || r->places++ % PLACES != 0)
		return 0;
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (!r->until)
		r->until = now.tv_sec + SECONDS;
	return now.tv_sec > r->until ? PCRE2_ERROR_MATCHLIMIT : 0;
}

/* With AT_PLACE in front: so it sets no options either, "(*UTF)" and such. */
static struct err *
compile(const char *text, pcre2_code **out)
{
	_buf_ struct buf b = { 0 };
	size_t at = 0;
	int code = 0;

	buf_printf(&b, AT_PLACE "%s", text);
	struct err *err = buf_err(&b);
	if (err)
		return err;
	*out = pcre2_compile((PCRE2_SPTR)b.data, b.len,
			     PCRE2_NEVER_BACKSLASH_C, &code, &at, NULL);
	if (*out)
		return NULL;
	at -= at < strlen(AT_PLACE) ? at : strlen(AT_PLACE);
	return wrong(text, code, at);
}

struct err *
regex_new(const char *text, struct regex **out)
{
	struct regex *r = calloc(1, sizeof(*r));

	if (!r)
		return err_nomem();
	struct err *err = compile(text, &r->code);
	if (err) {
		regex_free(r);
		return err;
	}
	r->limits = pcre2_match_context_create(NULL);
	r->match = pcre2_match_data_create(1, NULL);
	if (!r->limits || !r->match) {
		regex_free(r);
		return err_nomem();
	}
	pcre2_set_callout(r->limits, at_place, r);
	pcre2_set_match_limit(r->limits, MATCH_STEPS);
	pcre2_set_depth_limit(r->limits, MATCH_DEPTH);
	pcre2_set_heap_limit(r->limits, MATCH_HEAP_KIB);
	*out = r;
	return NULL;
}

enum regex_answer
regex_next(struct regex *r, struct span in, size_t from, size_t at[static 2])
{
	int n = pcre2_match(r->code, in.data, in.n, from, 0, r->match,
			    r->limits);
	const size_t *hit = pcre2_get_ovector_pointer(r->match);

	if (n == PCRE2_ERROR_NOMATCH)
		return REGEX_NONE;
	if (n < 0)
		return REGEX_GAVE_UP;
	/* \K in a lookahead puts the start behind the end. */
	at[0] = hit[0] < hit[1] ? hit[0] : hit[1];
	at[1] = hit[1];
	return REGEX_HIT;
}
