/* SPDX-License-Identifier: Apache-2.0 */
/*
 * redact_symbols.c: variables whose bytes are not to be written.
 */
#include "capture/redact.h"

#include <fnmatch.h>

#define SIZE_UNKNOWN 16u        /* bytes of one whose size no table tells */

struct search {
	struct saver *saver;
	size_t module;
	uint32_t rule;
	bool found;
};

static struct err *
symbol_add(struct search *x, const struct variable *v, uint64_t address)
{
	struct redactions *r = x->saver->redactions;
	struct hit h = { .from = address, .rule = x->rule };

	if (!u64_add(address, v->size ? v->size : SIZE_UNKNOWN, &h.to))
		return NULL;
	struct hit *slot = r->ranges.n < HITS_MAX
			   ? vec_add(&r->ranges, r->arena, sizeof(*slot))
			   : NULL;
	if (!slot)
		return err_new(ERR_LIMIT, "--redact \"%.200s\" is too many "
			       "variables", r->rules[x->rule].text);
	*slot = h;
	x->found = true;
	if (v->size)
		return NULL;
	return save_trouble(x->saver, "%s: how long the variable %s is, is not "
			    "known: %u bytes of it are redacted",
			    r->rules[x->rule].name, v->name, SIZE_UNKNOWN);
}

/* A thread that never used it has none. */
static struct err *
symbol_of_threads(struct search *x, const struct variable *v)
{
	struct saver *s = x->saver;
	struct err *err = NULL;
	size_t n;

	uint64_t link_map = insp_modules(s->insp, &n)[x->module].link_map;
	for (size_t k = 0; k < s->target->n_threads && !err; k++) {
		uint64_t address;
		_err_ struct err *none = insp_tls(s->insp, k, link_map,
						  v->address, &address);
		if (!none)
			err = symbol_add(x, v, address);
	}
	return err;
}

static struct err *
symbol_met(void *arg, const struct variable *v)
{
	struct search *x = arg;
	const struct redactions *r = x->saver->redactions;
	const char *pattern = r->rules[x->rule].pattern;

	if (fnmatch(pattern, v->linkage, 0) != 0
	    && fnmatch(pattern, v->name, 0) != 0)
		return NULL;
	return v->thread_local_ ? symbol_of_threads(x, v)
				: symbol_add(x, v, v->address);
}

static struct err *
find_rule(struct saver *s, uint32_t k)
{
	struct search x = { .saver = s, .rule = k };
	struct err *err = NULL;
	size_t n;

	insp_modules(s->insp, &n);
	for (; x.module < n && !err; x.module++)
		err = insp_variables(s->insp, x.module, symbol_met, &x);
	if (err || x.found)
		return err;
	return save_trouble(s, "%s: no symbol table has such a variable, so "
			    "nothing is redacted by it",
			    s->redactions->rules[k].name);
}

struct err *
redact_symbols(struct saver *s)
{
	const struct redactions *r = s->redactions;
	struct err *err = NULL;

	for (size_t k = 0; k < r->n_rules && !err; k++)
		if (r->rules[k].kind == RULE_SYMBOL)
			err = find_rule(s, (uint32_t)k);
	return err;
}
