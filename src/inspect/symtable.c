/* SPDX-License-Identifier: Apache-2.0 */
/*
 * symtable.c: the symbols of a module by address. libdwfl looks through all of
 * them for each address, a millisecond in a large library; what it would
 * choose among those that cover an address is chosen here, out of a sorted
 * table. Where labels without a size may count, it is asked.
 */
#include <stdlib.h>

#include "inspect/impl.h"

#define CANDIDATES_MAX 32u
#define STEPS_MAX 256u          /* symbols that begin below and may reach up */

struct range {
	uint64_t start, end;
	uint64_t reach;         /* the highest end of this and those below, … */
	uint64_t reach_global;  /* … and of those among them that are global */
	uint32_t index;         /* in libdwfl's table */
	uint8_t binding;        /* the higher, the better */
	bool global;
};
struct symtable {
	struct range *ranges;   /* by start */
	size_t n;
	uint64_t *labels;       /* starts of those without a size, sorted */
	size_t n_labels;
};

static uint8_t
binding_of(const GElf_Sym *s)
{
	switch (GELF_ST_BIND(s->st_info)) {
	case STB_GLOBAL:
		return 3;
	case STB_WEAK:
		return 2;
	case STB_LOCAL:
		return 1;
	default:
		return 0;
	}
}

static bool
counts(const char *name, const GElf_Sym *s)
{
	unsigned type = GELF_ST_TYPE(s->st_info);

	return name && name[0] && s->st_shndx != SHN_UNDEF
	       && type != STT_SECTION && type != STT_FILE && type != STT_TLS;
}

static int
by_start(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

static int
by_value(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static void
fill(struct symtable *t, Dwfl_Module *mod, int n, int first_global)
{
	for (int k = 1; k < n; k++) {
		GElf_Sym s;
		GElf_Addr at;
		const char *name = dwfl_module_getsym_info(mod, k, &s, &at,
							   NULL, NULL, NULL);

		if (!counts(name, &s) || at + s.st_size < at)
			continue;
		/* Of a section that is not loaded: libdwfl knows. */
		if (!s.st_size || !s.st_value) {
			t->labels[t->n_labels++] = at;
			continue;
		}
		t->ranges[t->n++] = (struct range){
			.start = at, .end = at + s.st_size,
			.index = (uint32_t)k, .binding = binding_of(&s),
			.global = k >= first_global,
		};
	}
	qsort(t->ranges, t->n, sizeof(*t->ranges), by_start);
	qsort(t->labels, t->n_labels, sizeof(*t->labels), by_value);
	for (size_t k = 0; k < t->n; k++) {
		struct range *r = &t->ranges[k];
		const struct range none = { .reach = 0 };
		const struct range *below = k ? r - 1 : &none;

		r->reach = r->end > below->reach ? r->end : below->reach;
		r->reach_global = below->reach_global;
		if (r->global && r->end > r->reach_global)
			r->reach_global = r->end;
	}
}

struct symtable *
symtable_new(Dwfl_Module *mod, struct arena *a)
{
	int n = dwfl_module_getsymtab(mod);
	int first = dwfl_module_getsymtab_first_global(mod);
	struct symtable *t = arena_alloc(a, sizeof(*t));

	if (!t || n <= 1 || first < 0)
		return NULL;
	t->ranges = arena_array(a, (size_t)n, sizeof(*t->ranges));
	t->labels = arena_array(a, (size_t)n, sizeof(*t->labels));
	if (!t->ranges || !t->labels)
		return NULL;
	fill(t, mod, n, first);
	return t;
}

/* How many begin at @addr or below. */
static size_t
ranges_below(const struct symtable *t, uint64_t addr)
{
	size_t low = 0, high = t->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (t->ranges[middle].start <= addr)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* May a label be the answer: is one above all that has a size? */
static bool
label_may_count(const struct symtable *t, uint64_t addr, uint64_t reach)
{
	size_t low = 0, high = t->n_labels;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (t->labels[middle] <= addr)
			low = middle + 1;
		else
			high = middle;
	}
	return low && t->labels[low - 1] >= reach;
}

/* Is @r, which comes later in the table, the better choice? */
static bool
is_better(const struct range *best, const struct range *r)
{
	uint64_t size = best->end - best->start, its = r->end - r->start;

	if (best->start < r->start || best->binding < r->binding)
		return true;
	if (best->start != r->start)
		return false;
	return size > its && best->binding <= r->binding;
}

static int
by_index(const void *a, const void *b)
{
	const struct range *const *x = a, *const *y = b;

	return (*x)->index < (*y)->index ? -1 : (*x)->index > (*y)->index;
}

static const struct range *
choose(const struct range **found, size_t n, bool global)
{
	const struct range *best = NULL;

	for (size_t k = 0; k < n; k++)
		if (found[k]->global == global
		    && (!best || is_better(best, found[k])))
			best = found[k];
	return best;
}

enum symtable_answer
symtable_find(const struct symtable *t, uint64_t addr, uint32_t *index)
{
	const struct range *found[CANDIDATES_MAX];
	size_t at = ranges_below(t, addr), n = 0, steps = 0;
	uint64_t reach = at ? t->ranges[at - 1].reach : 0;
	uint64_t reach_global = at ? t->ranges[at - 1].reach_global : 0;

	for (; at && t->ranges[at - 1].reach > addr; at--) {
		if (steps++ == STEPS_MAX || n == CANDIDATES_MAX)
			return SYMTABLE_ASK;
		if (t->ranges[at - 1].end > addr)
			found[n++] = &t->ranges[at - 1];
	}
	if (!n)
		return label_may_count(t, addr, reach) ? SYMTABLE_ASK
						       : SYMTABLE_NONE;
	qsort(found, n, sizeof(*found), by_index);
	const struct range *best = choose(found, n, true);
	/* A global label comes before a local symbol that has a size. */
	if (!best && label_may_count(t, addr, reach_global))
		return SYMTABLE_ASK;
	if (!best)
		best = choose(found, n, false);
	*index = best->index;
	return SYMTABLE_FOUND;
}
