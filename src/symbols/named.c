/* SPDX-License-Identifier: Apache-2.0 */
/* What has a name. */
#include <stdlib.h>

#include "symbols/index.h"
#include "symbols/tree.h"

/* Where the last part begins: behind the last "::" that is not among the
 * arguments of a template or of a function. */
static size_t
last_part(const char *name)
{
	size_t at = 0;
	int depth = 0;

	for (size_t k = 0; name[k]; k++) {
		char c = name[k];

		depth += (c == '<' || c == '(' || c == '[');
		depth -= (c == '>' || c == ')' || c == ']');
		if (depth == 0 && c == ':' && name[k + 1] == ':')
			at = k + 2;
	}
	return at;
}

struct asked {
	const char *name;
	size_t last;                    /* of the last part */
	size_t n_prefix;                /* bytes of what is before it */
};

static bool
is_it(struct symidx *ix, const struct asked *q, uint32_t name, uint32_t prefix)
{
	const char *n = symidx_string(ix, name);
	const char *p = symidx_string(ix, prefix);

	if (!n || strcmp(n, q->name + q->last) != 0)
		return false;
	return q->n_prefix == 0
	       || (p && strlen(p) == q->n_prefix
		   && memcmp(p, q->name, q->n_prefix) == 0);
}

/* Its name stands at the start of its record, behind few numbers. */
static bool
function_names(struct symidx *ix, uint32_t n, uint32_t *name, uint32_t *prefix)
{
	struct tree_head head;
	struct tree_names names;
	struct cur c;
	_err_ struct err *err = index_record(ix, STREAM_TREES, n, &c);

	if (err || !tree_read_head(ix, &c, &head)
	    || !(cur_u8(&c) & BLOCK_NAMED))
		return false;
	cur_uleb(&c);
	tree_read_names(ix, &c, &names);
	*name = names.name;
	*prefix = names.prefix;
	return !c.failed;
}

static bool
variable_names(struct symidx *ix, uint32_t n, uint32_t *name, uint32_t *prefix)
{
	struct cur c;
	_err_ struct err *err = index_record(ix, STREAM_VARIABLES, n, &c);

	if (err)
		return false;
	cur_uleb(&c);
	cur_uleb(&c);
	*name = read_string(ix, &c);
	*prefix = read_string(ix, &c);
	return !c.failed;
}

static bool
type_names(struct symidx *ix, uint32_t n, uint32_t *name, uint32_t *prefix)
{
	struct cur c;
	_err_ struct err *err = index_record(ix, STREAM_TYPES, n, &c);

	if (err)
		return false;
	cur_u8(&c);
	cur_uleb(&c);
	cur_u8(&c);
	*name = read_string(ix, &c);
	*prefix = read_string(ix, &c);
	return !c.failed;
}

/* An enumerator is known in the scope of its type, or inside of it. */
static bool
enumerator_is_it(struct symidx *ix, const struct asked *q, uint32_t type)
{
	_arena_ struct arena *a = arena_new(0);
	const struct sym_type *t;
	_buf_ struct buf inside = { 0 };

	if (!a)
		return false;
	_err_ struct err *err = symidx_type(ix, type, a, &t);
	if (err)
		return false;
	if (t->prefix != SYM_NONE)
		buf_printf(&inside, "%s::", symidx_string(ix, t->prefix));
	if (t->name != SYM_NONE)
		buf_puts(&inside, symidx_string(ix, t->name));
	bool in_type = inside.len && inside.len == q->n_prefix
		       && memcmp(inside.data, q->name, q->n_prefix) == 0;
	for (size_t k = 0; k < t->n_enumerators; k++) {
		uint32_t name = t->enumerators[k].name;
		const char *n = symidx_string(ix, name);

		if (n && strcmp(n, q->name + q->last) == 0)
			return in_type || is_it(ix, q, name, t->prefix);
	}
	return false;
}

static bool
has_name(struct symidx *ix, const struct asked *q, enum sym_what what,
	 uint32_t n)
{
	uint32_t name, prefix;

	if (what == SYM_AN_ENUMERATOR)
		return enumerator_is_it(ix, q, n);
	bool known = what == SYM_A_FUNCTION
		     ? function_names(ix, n, &name, &prefix)
		     : what == SYM_A_VARIABLE
		     ? variable_names(ix, n, &name, &prefix)
		     : type_names(ix, n, &name, &prefix);

	return known && is_it(ix, q, name, prefix);
}

static size_t
first_with(const struct symidx *ix, uint32_t hash)
{
	size_t low = 0, high = ix->n_names;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (ix->names[mid].hash < hash)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

struct err *
symidx_named(struct symidx *ix, const char *name, unsigned what,
	     symidx_named_fn *fn, void *arg)
{
	struct asked q = { .name = name, .last = last_part(name) };
	uint32_t hash = format_name_hash(name + q.last,
					 strlen(name + q.last));
	struct err *err = NULL;

	q.n_prefix = q.last ? q.last - 2 : 0;
	for (size_t k = first_with(ix, hash); k < ix->n_names
	     && ix->names[k].hash == hash && !err; k++) {
		enum sym_what is = ix->names[k].what >> FORMAT_WHAT_SHIFT;
		uint32_t n = ix->names[k].what & FORMAT_REFERENCE_MAX;

		index_trim(ix);
		if ((is & what) && has_name(ix, &q, is, n))
			err = fn(arg, is, n);
	}
	return err;
}
