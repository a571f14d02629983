/* SPDX-License-Identifier: Apache-2.0 */
/* Symbols of a module by name: a table that is made when first asked for. */
#include <string.h>

#include "inspect/impl.h"
#include "inspect/indexed.h"
#include "inspect/tailsites.h"

#define PROBES_MAX 64u          /* of a name that many have nothing is known */
#define SYMBOLS_MAX (1u << 26)

struct name_table {
	bool made;
	uint32_t mask;
	uint32_t *slots;        /* number of a symbol + 1; NULL = none */
};
struct tail_names {
	struct name_table *modules;
};

/* Up to the version of "name@@VERSION"; FNV-1a. */
static uint32_t
name_hash(const char *name)
{
	uint32_t hash = 2166136261u;

	for (; *name && *name != '@'; name++)
		hash = (hash ^ (unsigned char)*name) * 16777619u;
	return hash ^ hash >> 15;
}

static uint32_t
count_of(struct symidx *ix)
{
	uint32_t n = symidx_about(ix)->n_symbols;

	return n < SYMBOLS_MAX ? n : SYMBOLS_MAX;
}

/* What finds no room within some steps is of a name that many have. */
static void
table_put(struct name_table *t, const char *name, uint32_t n)
{
	uint32_t at = name_hash(name);

	for (unsigned k = 0; k < PROBES_MAX; k++, at++)
		if (!t->slots[at & t->mask]) {
			t->slots[at & t->mask] = n + 1;
			return;
		}
}

static void
table_make(struct insp *i, struct symidx *ix, struct name_table *t)
{
	uint32_t n = count_of(ix), size = 256;
	struct sym_symbol s;

	while (size < 2 * n)
		size *= 2;
	t->slots = arena_array(i->arena, size, sizeof(*t->slots));
	t->mask = size - 1;
	for (uint32_t k = 0; t->slots && k < n; k++)
		if (symidx_symbol(ix, k, &s) && s.size && s.linkage)
			table_put(t, s.linkage, k);
}

static struct name_table *
table_of(struct insp *i, struct symidx *ix, size_t module)
{
	if (!i->tail_names)
		i->tail_names = arena_alloc(i->arena, sizeof(*i->tail_names));
	if (i->tail_names && !i->tail_names->modules)
		i->tail_names->modules =
			arena_array(i->arena, i->n_modules,
				    sizeof(*i->tail_names->modules));
	if (!i->tail_names || !i->tail_names->modules)
		return NULL;
	struct name_table *t = &i->tail_names->modules[module];
	if (!t->made)
		table_make(i, ix, t);
	t->made = true;
	return t->slots ? t : NULL;
}

bool
tail_is_named(const char *symbol, const char *name)
{
	size_t n = strlen(name);

	return symbol && strncmp(symbol, name, n) == 0
	       && (symbol[n] == '\0'
		   || (symbol[n] == '@' && symbol[n + 1] == '@'));
}

uint64_t
tail_symbol(struct insp *i, size_t module, const char *name, bool local)
{
	struct symidx *ix = insp_index(i, module);
	const struct name_table *t = ix ? table_of(i, ix, module) : NULL;
	uint32_t at = name_hash(name);
	uint64_t found = 0;

	for (unsigned k = 0; t && k < PROBES_MAX; k++, at++) {
		uint32_t n = t->slots[at & t->mask];
		struct sym_symbol s;

		if (!n)
			return found;
		if (!symidx_symbol(ix, n - 1, &s)
		    || (!local && s.binding == STB_LOCAL)
		    || !tail_is_named(s.linkage, name))
			continue;
		if (found && found != s.address)
			return 0;
		found = s.address;
	}
	return 0;
}
