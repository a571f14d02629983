/* SPDX-License-Identifier: Apache-2.0 */
/*
 * C++ as the Itanium ABI lays it out: the type that an object's vtable names,
 * pointers to members.
 */
#include "values/show.h"

#include <string.h>

#define BASES_MAX 64u
static const char VTABLE_FOR[] = "vtable for ";

/* ---- dynamic types -------------------------------------------------------- */
bool
cxx_is_vptr(const struct type *t, const struct sym_member *m)
{
	const char *name = type_string(t, m->name);

	return name && strncmp(name, "_vptr", 5) == 0
	       && (name[5] == '.' || name[5] == '$');
}

static bool
has_vptr(const struct type *t, unsigned depth, unsigned *left)
{
	const struct type *p = type_plain(t);

	if (!type_is_class(p) || depth > MEMBER_DEPTH_MAX || !*left)
		return false;
	--*left;
	for (size_t n = 0; n < p->sym->n_members && n < BASES_MAX; n++) {
		const struct sym_member *m = &p->sym->members[n];

		if (m->flags & SYM_MEMBER_BASE
		    && (m->flags & SYM_MEMBER_VIRTUAL
			|| has_vptr(type_beside(p, m->type), depth + 1,
				    left)))
			return true;
		if (cxx_is_vptr(p, m))
			return true;
	}
	return false;
}

static bool
is_polymorphic(const struct type *t)
{
	unsigned left = VISITS_MAX;

	return has_vptr(t, 0, &left);
}

bool
cxx_is_polymorphic(const struct type *t)
{
	return is_polymorphic(t);
}

/** The name of the class whose vtable @addr is in, or NULL. */
static const char *
class_of_vtable(struct values *vs, uint64_t addr)
{
	struct symbol s;
	_err_ struct err *err = insp_symbol(vs->insp, addr, &s);

	if (err || !s.name
	    || strncmp(s.name, VTABLE_FOR, sizeof(VTABLE_FOR) - 1) != 0)
		return NULL;
	return s.name + sizeof(VTABLE_FOR) - 1;
}

/** The whole object that one at @addr is a part of (2.5.2: offset to top). */
static const struct type *
whole_type(struct values *vs, const struct type *p, uint64_t addr,
	   uint64_t *whole)
{
	uint64_t vtable, top;
	_err_ struct err *err = space_u64(vs->space, addr, &vtable);
	_err_ struct err *gone = err ? NULL : space_u64(vs->space,
							vtable - 16, &top);
	const char *name = err || gone ? NULL : class_of_vtable(vs, vtable);
	const struct type *t = name ? type_named(vs, p->module, name) : NULL;

	*whole = t ? addr + top : addr;
	return t;
}

static struct err *
dynamic_pointer(const struct value *v, const struct type *p, struct arena *a,
		const struct value **out)
{
	const struct type *target = type_target(p);
	uint64_t addr, whole;

	if (!is_polymorphic(target))
		return NULL;
	_err_ struct err *err = value_u64(v, &addr);
	if (err)
		return NULL;
	const struct type *t = whole_type(v->vs, type_plain(target), addr,
					  &whole);
	if (!t || t == type_plain(target))
		return NULL;
	const struct type *pointer = type_pointer_to(v->vs, t);
	return pointer ? value_of_u64(v->vs, pointer, whole, a, out)
	       : err_nomem();
}

struct err *
value_dynamic(const struct value *v, struct arena *a, const struct value **out)
{
	const struct type *p = type_plain(v->type);
	uint64_t whole;

	*out = v;
	if (type_is_pointer(p))
		return dynamic_pointer(v, p, a, out);
	if (v->place != PLACE_MEMORY || !is_polymorphic(p))
		return NULL;
	const struct type *t = whole_type(v->vs, p, v->address, &whole);
	if (!t || t == p)
		return NULL;
	return value_in_memory(v->vs, t, whole, v->c, a, out);
}

/* ---- pointers to members -------------------------------------------------- */
/** Classes around the one that is looked at, and how many may be yet. */
struct visit {
	unsigned depth, left;
};

static bool
put_member_at(struct buf *out, const struct type *p, uint64_t offset,
	      struct visit *at)
{
	if (!type_is_class(p) || at->depth > MEMBER_DEPTH_MAX || !at->left)
		return false;
	at->left--;
	for (size_t n = 0; n < p->sym->n_members; n++) {
		const struct sym_member *m = &p->sym->members[n];
		const struct type *t = type_plain(type_beside(p, m->type));
		const char *name = type_string(p, m->name);

		if (m->flags & (SYM_MEMBER_STATIC | SYM_MEMBER_VIRTUAL))
			continue;
		if (m->flags & SYM_MEMBER_BASE) {
			if (offset < m->offset / 8
			    || offset - m->offset / 8 >= type_size(t))
				continue;
			at->depth++;
			if (put_member_at(out, t, offset - m->offset / 8, at))
				return true;
			at->depth--;
		} else if (m->offset == 8 * offset && name) {
			const char *of = type_qualified(p);

			buf_putc(out, '&');
			buf_escape(out, of ? of : "", of ? strlen(of) : 0);
			buf_puts(out, "::");
			buf_escape(out, name, strlen(name));
			return true;
		}
	}
	return false;
}

static void
put_data_member(struct buf *out, const struct value *v, const struct type *p)
{
	struct visit at = { .left = VISITS_MAX };
	int64_t offset;
	_err_ struct err *err = value_read(v, 0, 8, &offset);

	if (err)
		scalar_put_error(out, v, err);
	else if (offset == -1)
		buf_puts(out, "NULL");
	else if (offset < 0
		 || !put_member_at(out, type_plain(type_beside(
			p, p->sym->holder)), (uint64_t)offset, &at))
		buf_printf(out, "%lld", (long long)offset);
}

/** "a::b" as the ABI mangles it (5.1.2); false: not a plain name. */
static bool
mangle(struct buf *out, const char *name)
{
	bool nested = strstr(name, "::");

	buf_puts(out, nested ? "_ZTVN" : "_ZTV");
	while (*name) {
		size_t n = strcspn(name, ":");

		if (strcspn(name, "<( ") < n)
			return false;
		buf_printf(out, "%zu%.*s", n, (int)n, name);
		name += n + strspn(name + n, ":");
	}
	buf_puts(out, nested ? "E" : "");
	return !out->failed;
}

/** The function in place @offset of the virtual functions of @holder. */
static bool
virtual_function(const struct type *holder, uint64_t offset,
		 struct symbol *out)
{
	const char *name = holder ? type_qualified(holder) : NULL;
	_buf_ struct buf mangled = { 0 };
	uint64_t vtable, function;

	if (!name || !mangle(&mangled, name))
		return false;
	struct values *vs = holder->vs;
	_err_ struct err *err = insp_symbol_address(
		vs->insp, holder->module, mangled.data, &vtable);
	_err_ struct err *gone = err ? NULL : space_u64(
		vs->space, vtable + 16 + offset, &function);
	_err_ struct err *lost = err || gone ? NULL :
				 insp_symbol(vs->insp, function, out);
	return !err && !gone && !lost && out->name;
}

static void
put_virtual(struct buf *out, const struct value *v, uint64_t offset)
{
	const struct type *p = type_plain(v->type);
	struct symbol s;

	if (virtual_function(type_plain(type_beside(p, p->sym->holder)),
			     offset, &s)) {
		buf_puts(out, "&virtual ");
		buf_escape(out, s.name, strlen(s.name));
	} else {
		buf_printf(out, "&virtual table offset %llu",
			   (unsigned long long)offset);
	}
}

static void
put_method(struct buf *out, const struct value *v)
{
	uint64_t pair[2];
	_err_ struct err *err = value_read(v, 0, sizeof(pair), pair);

	if (err) {
		scalar_put_error(out, v, err);
		return;
	}
	if (!pair[0]) {
		buf_puts(out, "NULL");
	} else if (pair[0] & 1) {
		put_virtual(out, v, pair[0] - 1);
	} else {
		buf_putc(out, '(');
		_err_ struct err *unnamed = type_name(v->type, out);
		buf_puts(out, ") ");
		scalar_put_address(out, v->vs, pair[0]);
	}
	if (pair[1])
		buf_printf(out, ", this adjustment %lld",
			   (long long)pair[1]);
}

void
cxx_put_member_pointer(struct buf *out, const struct value *v)
{
	const struct type *p = type_plain(v->type);

	if (type_kind(type_plain(type_target(p))) == SYM_TYPE_FUNCTION)
		put_method(out, v);
	else
		put_data_member(out, v, p);
}
