/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Functions by address, and what their calls lead to: an index tells a callee
 * by its name, which is looked for as a linker would have found it.
 */
#include <string.h>

#include "inspect/bounds.h"
#include "inspect/impl.h"
#include "inspect/indexed.h"
#include "inspect/tailsites.h"

#define NAMES 1024u             /* a power of two */
#define FUNCTIONS_MAX 4096u
#define NAMESAKES_MAX 64u
#define SITES_MAX 1024u          /* jumps of one function */

/** A name that was looked for, as a function of one unit says it. */
struct name_found {
	size_t module;
	uint32_t unit, string;
	bool asked;
	uint64_t at;
};
struct tail_sites {
	struct vec functions;   /* of const struct tail_function * */
	struct name_found names[NAMES];
};

static struct tail_sites *
sites_of(struct insp *i)
{
	if (!i->tail_sites)
		i->tail_sites = arena_alloc(i->arena, sizeof(*i->tail_sites));
	return i->tail_sites;
}

/* ---- functions by address ------------------------------------------------------ */
/** A function of an index, its body in an arena. */
struct body_at {
	struct symidx *ix;
	size_t module;
	uint64_t bias, pc;      /* @pc: in the file */
	const struct sym_body *body;
};

static bool
body_find(struct insp *i, uint64_t pc, struct arena *a, struct body_at *out)
{
	struct symidx *ix = insp_index_at(i, pc, &out->pc);
	uint32_t n = ix ? symidx_function_at(ix, out->pc) : SYM_NONE;

	if (n == SYM_NONE || !a)
		return false;
	_err_ struct err *err = symidx_body(ix, n, a, &out->body);
	if (err || !out->body->n_blocks)
		return false;
	out->ix = ix;
	out->module = insp_module_at(i, pc);
	out->bias = pc - out->pc;
	return true;
}

/* The first of its ranges has the entry, the others are what is seldom run. */
static uint64_t
body_entry(const struct sym_body *b)
{
	return b->n_blocks && b->blocks[0].n_ranges
	       ? b->blocks[0].ranges[0].start : 0;
}

uint64_t
tail_entry(struct insp *i, uint64_t pc)
{
	_arena_ struct arena *a = arena_new(0);
	struct sym_symbol s;
	struct body_at at;
	uint64_t in_file;

	if (body_find(i, pc, a, &at))
		return at.bias + body_entry(at.body);
	struct symidx *ix = insp_index_at(i, pc, &in_file);
	if (!ix || !symidx_symbol_at(ix, in_file, &s)
	    || in_file - s.address >= s.size)
		return 0;
	return pc - in_file + s.address;
}

/* ---- names --------------------------------------------------------------------- */
/** Functions with one name. */
struct search {
	struct symidx *ix;
	const char *name;
	uint32_t unit;          /* of who calls */
	size_t n, n_beside;     /* in all; in the same unit */
	uint64_t at, beside;    /* the last one of each */
};

static bool
is_called(struct symidx *ix, const struct sym_block *f, const char *name)
{
	const char *own = symidx_string(ix, f->linkage != SYM_NONE
					? f->linkage : f->name);

	return own && strcmp(own, name) == 0;
}

static struct err *
search_one(void *arg, enum sym_what what, uint32_t reference)
{
	_arena_ struct arena *a = arena_new(0);
	struct search *s = arg;
	const struct sym_body *b;

	(void)what;
	if (!a)
		return err_nomem();
	_err_ struct err *err = symidx_body(s->ix, reference, a, &b);
	if (err || !body_entry(b) || !is_called(s->ix, b->blocks, s->name))
		return NULL;
	s->at = body_entry(b);
	if (b->unit == s->unit) {
		s->beside = s->at;
		s->n_beside++;
	}
	return s->n++ < NAMESAKES_MAX ? NULL : err_nomem();
}

/* In the module that calls: as a function of the unit, or of another one. */
static uint64_t
find_here(struct insp *i, const struct body_at *from, const char *name,
	  bool *several)
{
	const char *bare = symbols_demangled_bare(i, name);
	struct search s = { .ix = from->ix, .name = name,
			    .unit = from->body->unit };
	_err_ struct err *err = symidx_named(s.ix, bare ? bare : name,
					     SYM_A_FUNCTION, search_one, &s);

	*several = err || s.n_beside > 1 || (!s.n_beside && s.n > 1);
	if (!*several && s.n)
		return s.n_beside ? s.beside : s.at;
	/* A copy of it that the compiler made has a symbol of its own. */
	return err ? 0 : tail_symbol(i, from->module, name,
				     s.n_beside || !s.n);
}

/* In another module: as the dynamic linker would have found it. */
static uint64_t
find_there(struct insp *i, size_t module, const char *name)
{
	uint64_t at = 0;
	enum exported how = insp_exported(i, module, name, &at);

	if (how == EXPORTED_UNKNOWN)
		at = tail_symbol(i, module, name, false);
	return how == EXPORTED_UNKNOWN && at ? i->modules[module].bias + at
	       : at;
}

static uint64_t
find_everywhere(struct insp *i, const struct body_at *from, const char *name)
{
	bool several;
	uint64_t at = find_here(i, from, name, &several);

	if (at)
		return from->bias + at;
	for (size_t m = 0; m < i->n_modules && !several && !at; m++)
		at = m == from->module ? 0 : find_there(i, m, name);
	return at;
}

static uint64_t
find_target(struct insp *i, const struct body_at *from, uint32_t string)
{
	const char *name = symidx_string(from->ix, string);
	struct tail_sites *t = sites_of(i);
	struct name_found want = {
		from->module, from->body->unit, string, true, 0,
	};

	if (!t || !name || !name[0])
		return 0;
	struct name_found *slot = &t->names[(string ^ want.unit << 4)
					    & (NAMES - 1)];
	if (!slot->asked || slot->module != want.module
	    || slot->unit != want.unit || slot->string != string) {
		want.at = find_everywhere(i, from, name);
		*slot = want;
	}
	return slot->at;
}

/* ---- calls --------------------------------------------------------------------- */
static const struct tail_function *
function_make(struct insp *i, uint64_t entry)
{
	_arena_ struct arena *a = arena_new(0);
	struct body_at at;

	if (!body_find(i, entry, a, &at)
	    || at.bias + body_entry(at.body) != entry)
		return NULL;
	struct tail_function *f = arena_alloc(i->arena, sizeof(*f));
	struct vec sites = { 0 };
	for (size_t n = 0; f && n < at.body->n_calls; n++) {
		const struct sym_call *call = &at.body->calls[n];
		struct tail_site *s;

		if (!call->tail)
			continue;
		s = sites.n < SITES_MAX ? vec_add(&sites, i->arena, sizeof(*s))
		    : NULL;
		if (!s)
			return NULL;
		s->pc = at.bias + call->pc;
		s->target = find_target(i, &at, call->target);
	}
	if (f)
		*f = (struct tail_function){ entry, sites.data, sites.n };
	return f;
}

const struct tail_function *
tail_function(struct insp *i, uint64_t entry)
{
	struct tail_sites *t = sites_of(i);
	const struct tail_function **all = t ? t->functions.data : NULL;

	for (size_t k = 0; t && k < t->functions.n; k++)
		if (all[k]->entry == entry)
			return all[k];
	if (!t || t->functions.n == FUNCTIONS_MAX)
		return NULL;
	const struct tail_function *f = function_make(i, entry);
	const struct tail_function **slot =
		f ? vec_add(&t->functions, i->arena, sizeof(f)) : NULL;
	if (!slot)
		return NULL;
	*slot = f;
	return f;
}

static bool
has_symbol(struct insp *i, uint64_t at, const char *name)
{
	uint64_t in_file;
	struct symidx *ix = insp_index_at(i, at, &in_file);
	struct sym_symbol s;

	return ix && symidx_symbol_at(ix, in_file, &s) && s.address == in_file
	       && tail_is_named(s.linkage, name);
}

uint64_t
tail_called(struct insp *i, uint64_t ret, uint64_t entry)
{
	_arena_ struct arena *a = arena_new(0);
	struct body_at at;

	if (!ret || !body_find(i, ret - 1, a, &at))
		return 0;
	for (size_t n = 0; n < at.body->n_calls; n++) {
		const struct sym_call *call = &at.body->calls[n];

		if (at.bias + call->pc != ret)
			continue;
		const char *name = symidx_string(at.ix, call->target);
		if (name && has_symbol(i, entry, name))
			return entry;
		return find_target(i, &at, call->target);
	}
	return 0;
}
