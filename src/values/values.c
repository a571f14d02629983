/* SPDX-License-Identifier: Apache-2.0 */
/* The room over one engine: the indexes of its modules, asked for once. */
#include "inspect/indexed.h"
#include "values/impl.h"

#include <stdlib.h>
#include <string.h>

#define ARENA_LIMIT ((size_t)1 << 30)

struct err *
values_new(struct insp *i, const struct values_indexes *from,
	   struct values **out)
{
	_values_ struct values *vs = calloc(1, sizeof(*vs));

	if (!vs)
		return err_nomem();
	vs->arena = arena_new(ARENA_LIMIT);
	if (!vs->arena)
		return err_nomem();
	vs->insp = i;
	vs->space = insp_space(i);
	if (from)
		vs->from = *from;
	insp_modules(i, &vs->n_modules);
	vs->modules = arena_array(vs->arena, vs->n_modules,
				  sizeof(*vs->modules));
	if (vs->n_modules && !vs->modules)
		return err_nomem();
	*out = take(vs);
	return NULL;
}

void
values_free(struct values *vs)
{
	if (!vs)
		return;
	arena_free(vs->arena);
	free(vs);
}

void
values_freep(struct values **vs)
{
	values_free(*vs);
}

void
values_set_printers(struct values *vs, values_printer_fn *find, void *arg)
{
	vs->printer = find;
	vs->printer_arg = arg;
}

struct module *
values_module(struct values *vs, size_t module)
{
	size_t n;
	const struct snap_module *all = insp_modules(vs->insp, &n);

	if (module >= vs->n_modules || module >= n)
		return NULL;
	struct module *m = &vs->modules[module];
	if (!m->asked) {
		m->asked = true;
		m->ix = vs->from.index ? vs->from.index(vs->from.arg, module)
				       : insp_index(vs->insp, module);
		m->bias = all[module].bias;
		m->link_map = all[module].link_map;
	}
	return m->ix ? m : NULL;
}

struct symidx *
values_index(struct values *vs, size_t module)
{
	struct module *m = values_module(vs, module);

	return m ? m->ix : NULL;
}

enum lang
lang_of(uint16_t language)
{
	static const struct {
		uint16_t language;
		uint8_t lang;
	} rows[] = {
		{ LANG_CXX, LANG_IS_CXX }, { LANG_CXX03, LANG_IS_CXX },
		{ LANG_CXX11, LANG_IS_CXX }, { LANG_CXX14, LANG_IS_CXX },
		{ LANG_CXX17, LANG_IS_CXX }, { LANG_CXX20, LANG_IS_CXX },
		{ LANG_RUST, LANG_IS_RUST }, { LANG_GO, LANG_IS_GO },
		{ LANG_FORTRAN77, LANG_IS_FORTRAN },
		{ LANG_FORTRAN90, LANG_IS_FORTRAN },
		{ LANG_FORTRAN95, LANG_IS_FORTRAN },
		{ LANG_FORTRAN03, LANG_IS_FORTRAN },
		{ LANG_FORTRAN08, LANG_IS_FORTRAN },
		{ LANG_FORTRAN18, LANG_IS_FORTRAN },
	};

	for (size_t n = 0; n < countof(rows); n++)
		if (rows[n].language == language)
			return rows[n].lang;
	return LANG_IS_C;
}
