/* SPDX-License-Identifier: Apache-2.0 */
/* Members by their name, in bases and in structures without a name too. */
#include "values/impl.h"

#include <string.h>

/** What is looked for, and in how many classes yet. */
struct lookup {
	const char *name;
	size_t n;
	struct arena *arena;
	unsigned depth, left;
};

static struct err *find(struct lookup *l, const struct value *v,
			const struct value **out);

static struct err *
not_there(const struct lookup *l)
{
	return err_new(ERR_NOTFOUND, "there is no member named %.*s.",
		       (int)l->n, l->name);
}

static bool
is_named(const struct lookup *l, const struct type *p,
	 const struct sym_member *m)
{
	const char *has = type_string(p, m->name);

	return has && strncmp(has, l->name, l->n) == 0 && has[l->n] == '\0';
}

/* A base, or a structure or union that has no name of its own. */
static bool
is_through(const struct type *p, const struct sym_member *m)
{
	const char *name = type_string(p, m->name);

	return m->flags & SYM_MEMBER_BASE || !name || !name[0];
}

static struct err *
find_through(struct lookup *l, const struct value *v, const struct value **out)
{
	const struct type *p = type_plain(v->type);

	for (size_t k = 0; k < p->sym->n_members; k++) {
		const struct value *part;

		if (!is_through(p, &p->sym->members[k]))
			continue;
		struct err *err = value_nth_member(v, k, l->arena, &part);
		l->depth++;
		if (!err)
			err = find(l, part, out);
		l->depth--;
		if (!err || err_kind(err) != ERR_NOTFOUND)
			return err;
		err_free(err);
	}
	return not_there(l);
}

static struct err *
find(struct lookup *l, const struct value *v, const struct value **out)
{
	const struct type *p = type_plain(v->type);

	if (!type_is_class(p) || l->depth > MEMBER_DEPTH_MAX || !l->left)
		return not_there(l);
	l->left--;
	for (size_t k = 0; k < p->sym->n_members; k++)
		if (is_named(l, p, &p->sym->members[k]))
			return value_nth_member(v, k, l->arena, out);
	return find_through(l, v, out);
}

struct err *
value_member(const struct value *v, const char *path, struct arena *a,
	     const struct value **out)
{
	struct err *err = value_plain(v, a, &v);

	while (!err) {
		struct lookup l = { .name = path, .n = strcspn(path, "."),
				    .arena = a, .left = VISITS_MAX };

		err = find(&l, v, &v);
		if (err || !path[l.n])
			break;
		path += l.n + 1;
		if (type_is_pointer(type_plain(v->type)))
			err = value_target(v, 0, a, &v);
	}
	if (!err)
		*out = v;
	return err;
}
