/* SPDX-License-Identifier: Apache-2.0 */
/* Members by their name, in bases and in structures without a name too. */
#include "values/impl.h"

#include <string.h>

static struct err *find(const struct value *v, const char *name, size_t n,
			unsigned depth, struct arena *a,
			const struct value **out);

static bool
is_named(const struct type *p, const struct sym_member *m, const char *name,
	 size_t n)
{
	const char *has = type_string(p, m->name);

	return has && strncmp(has, name, n) == 0 && has[n] == '\0';
}

/* A base, or a structure or union that has no name of its own. */
static bool
is_through(const struct type *p, const struct sym_member *m)
{
	const char *name = type_string(p, m->name);

	return m->flags & SYM_MEMBER_BASE || !name || !name[0];
}

static struct err *
find_through(const struct value *v, const char *name, size_t n, unsigned depth,
	     struct arena *a, const struct value **out)
{
	const struct type *p = type_plain(v->type);

	for (size_t k = 0; k < p->sym->n_members; k++) {
		const struct value *part;

		if (!is_through(p, &p->sym->members[k]))
			continue;
		struct err *err = value_nth_member(v, k, a, &part);
		if (!err)
			err = find(part, name, n, depth + 1, a, out);
		if (!err || err_kind(err) != ERR_NOTFOUND)
			return err;
		err_free(err);
	}
	return err_new(ERR_NOTFOUND, "there is no member named %.*s.",
		       (int)n, name);
}

static struct err *
find(const struct value *v, const char *name, size_t n, unsigned depth,
     struct arena *a, const struct value **out)
{
	const struct type *p = type_plain(v->type);

	if (!type_is_class(p) || depth > MEMBER_DEPTH_MAX)
		return err_new(ERR_NOTFOUND, "there is no member named %.*s.",
			       (int)n, name);
	for (size_t k = 0; k < p->sym->n_members; k++)
		if (is_named(p, &p->sym->members[k], name, n))
			return value_nth_member(v, k, a, out);
	return find_through(v, name, n, depth, a, out);
}

struct err *
value_member(const struct value *v, const char *path, struct arena *a,
	     const struct value **out)
{
	struct err *err = value_plain(v, a, &v);

	while (!err) {
		size_t n = strcspn(path, ".");

		err = find(v, path, n, 0, a, &v);
		if (err || !path[n])
			break;
		path += n + 1;
		if (type_is_pointer(type_plain(v->type)))
			err = value_target(v, 0, a, &v);
	}
	if (!err)
		*out = v;
	return err;
}
