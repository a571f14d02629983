/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ingredients: the files that the symbol index of a module is made from.
 */
#ifndef INSPECT_INGREDIENTS_H
#define INSPECT_INGREDIENTS_H

#include "inspect/inspect.h"

struct ingredients {
	struct source *file, *debug, *alt, *package;    /* owned, or NULL */
};
/**
 * What @s has for the module of @ask, whose kind does not matter: each file
 * has the build-id that it is asked for by. A module without one is candidate
 * @ask->nth for its path, and nothing else. ERR_NOTFOUND: not even a debug
 * file.
 */
struct err *ingredients_find(const struct supply *s,
			     const struct supply_ask *ask,
			     struct ingredients *out) _must_check_;
/** The .gnu_debuglink of an ELF file, in @a; NULL: it has none. */
const char *ingredients_link(const struct source *file, struct arena *a);
/** The GNU build-id among the notes @notes; ID_NONE if there is none. */
void notes_id(struct span notes, struct module_id *out);
void ingredients_fini(struct ingredients *in);
#define _ingredients_ _cleanup_(ingredients_fini)

#endif
