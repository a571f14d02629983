/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Libraries that were loaded into namespaces of their own (dlmopen(3)). gdb
 * keeps a list for each, known by the address of its struct r_debug (link.h),
 * and looks for a variable in the list of the library that it stands in. The
 * dynamic linker itself stands in every list, though it is there once.
 */
#include "gdbstub/impl.h"

#include <link.h>

#define NAMESPACES_MAX 64u
#define LINKS_MAX 4096u
#define NAME_BYTES_MAX 4096u

/* struct r_debug_extended of glibc 2.35 and later: r_version is 2. */
struct list {
	uint64_t version, map, brk, state, base, next;
};

/** The list of the namespace that the program itself is in; 0 if not known. */
static uint64_t
first_list(const struct inferior *f)
{
	size_t n;
	const struct snap_module *m = insp_modules(f->insp, &n);

	for (size_t k = 0; k < n; k++)
		if (m[k].flags & SNAP_MODULE_MAIN)
			return insp_r_debug(f->insp, m[k].dynamic);
	return 0;
}

static bool
read_list(const struct inferior *f, uint64_t at, struct list *out)
{
	_err_ struct err *err = space_read(insp_space(f->insp), at,
					   sizeof(*out), out);

	return !err && (uint32_t)out->version >= 2;
}

bool
namespaces_several(const struct inferior *f)
{
	uint64_t at = first_list(f);
	struct list first;

	return at && read_list(f, at, &first) && first.next;
}

static const struct snap_module *
module_of(const struct inferior *f, const struct link_map *lm)
{
	size_t n;
	const struct snap_module *m = insp_modules(f->insp, &n);

	for (size_t k = 0; k < n; k++)
		if (m[k].dynamic == (uint64_t)(uintptr_t)lm->l_ld)
			return &m[k];
	return NULL;
}

/* A relative name would be looked for in the wrong directory. */
static void
put_link(const struct inferior *f, const struct link_map *lm,
	 const struct library *where, struct buf *out)
{
	const struct snap_module *m = module_of(f, lm);
	_arena_ struct arena *a = arena_new(2 * NAME_BYTES_MAX);
	const char *name = NULL;

	if (!a || !m || !libraries_is_one(m))
		return;
	_err_ struct err *err = space_string(insp_space(f->insp),
					     (uintptr_t)lm->l_name,
					     NAME_BYTES_MAX, a, &name);
	if (err || name[0] != '/')
		name = libraries_name(m);
	libraries_put(out, m, name, where);
}

/* The first entry of the first list is the program. */
static void
put_list(const struct inferior *f, uint64_t at, const struct list *list,
	 bool first, struct buf *out)
{
	struct library where = { .link_map = list->map, .space = at };

	for (uint32_t n = 0; where.link_map && n < LINKS_MAX; n++) {
		struct link_map lm;
		_err_ struct err *err = space_read(insp_space(f->insp),
						   where.link_map, sizeof(lm),
						   &lm);

		if (err)
			return;
		if (!first || n)
			put_link(f, &lm, &where, out);
		where.link_map = (uint64_t)(uintptr_t)lm.l_next;
	}
}

void
namespaces_put(const struct inferior *f, struct buf *out)
{
	uint64_t first = first_list(f), at = first;
	struct list list;

	for (uint32_t n = 0; at && n < NAMESPACES_MAX; n++) {
		if (!read_list(f, at, &list))
			return;
		put_list(f, at, &list, at == first, out);
		at = list.next;
	}
}
