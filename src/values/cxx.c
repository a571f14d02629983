/* SPDX-License-Identifier: Apache-2.0 */
/*
 * C++ as the Itanium ABI lays it out: the type that an object's vtable names,
 * pointers to members.
 */
#include "inspect/indexed.h"
#include "values/show.h"

#include <elf.h>
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

/** Has it a base that stands elsewhere in whatever is derived from it? */
static bool
has_virtual_base(const struct type *t, unsigned depth, unsigned *left)
{
	const struct type *p = type_plain(t);

	if (!type_is_class(p))
		return false;
	if (depth > MEMBER_DEPTH_MAX || !*left)
		return true;
	--*left;
	for (size_t n = 0; n < p->sym->n_members; n++) {
		const struct sym_member *m = &p->sym->members[n];

		if (m->flags & SYM_MEMBER_BASE
		    && (m->flags & SYM_MEMBER_VIRTUAL
			|| has_virtual_base(type_beside(p, m->type),
					    depth + 1, left)))
			return true;
	}
	return false;
}

/** The part of @p at byte @at of it that has functions of its own, by way of
 * bases that are always there; NULL: none, and @p itself for 0. */
static const struct type *
base_at(const struct type *p, uint64_t at)
{
	for (unsigned depth = 0; at; depth++) {
		const struct type *base = NULL;

		if (!p || !type_is_class(p) || depth > MEMBER_DEPTH_MAX)
			return NULL;
		for (size_t n = 0; n < p->sym->n_members && !base; n++) {
			const struct sym_member *m = &p->sym->members[n];
			const struct type *t = type_plain(
				type_beside(p, m->type));
			uint64_t start = m->offset / 8;

			if (!(m->flags & SYM_MEMBER_BASE)
			    || m->flags & SYM_MEMBER_VIRTUAL
			    || at < start || at - start >= type_size(t))
				continue;
			at -= start;
			base = t;
		}
		p = base;
	}
	return p;
}

/* "__cxa_pure_virtual" and thunks stand for a function of another name. */
static bool
is_itself(const struct symbol *s)
{
	return s->name && s->linkage && strncmp(s->linkage, "__cxa_", 6) != 0
	       && strncmp(s->linkage, "_ZT", 3) != 0;
}

/**
 * The function in place @offset of the table of @class. Where a class has
 * virtual bases, other things stand before its functions (2.5.2).
 */
static bool
table_function(const struct type *class, uint64_t offset, struct symbol *out)
{
	const char *name = class ? type_qualified(class) : NULL;
	_buf_ struct buf mangled = { 0 };
	unsigned left = VISITS_MAX;
	uint64_t vtable, function;
	struct symbol table;

	if (!name || !mangle(&mangled, name)
	    || has_virtual_base(class, 0, &left))
		return false;
	struct values *vs = class->vs;
	_err_ struct err *err = insp_symbol_address(
		vs->insp, class->module, mangled.data, &vtable);
	if (err)
		return false;
	_err_ struct err *out_of_it = insp_symbol(vs->insp,
						  vtable + 16 + offset, &table);
	_err_ struct err *gone = space_u64(vs->space, vtable + 16 + offset,
					   &function);
	if (out_of_it || gone || table.address != vtable)
		return false;
	_err_ struct err *lost = insp_symbol(vs->insp, function, out);
	return !lost && is_itself(out);
}

/** As the class declares it that @p, a pointer to a member, is of. */
static bool
put_declared(struct buf *out, const struct type *p, uint64_t place)
{
	for (size_t n = 0; n < p->sym->n_enumerators; n++) {
		const struct sym_enumerator *e = &p->sym->enumerators[n];
		const char *linkage = type_string(p, e->name);
		_buf_ struct buf name = { 0 };

		if (e->value != place || !linkage
		    || !insp_demangle(linkage, &name))
			continue;
		buf_puts(out, "&virtual ");
		buf_escape(out, name.data, name.len);
		return true;
	}
	return false;
}

/** Of the function at @offset in the table of the part at byte @at. */
static bool
put_virtual(struct buf *out, const struct type *p, uint64_t offset,
	    uint64_t at)
{
	const struct type *class = type_plain(type_beside(p, p->sym->holder));
	struct symbol s;

	if (at <= INT32_MAX && offset % 8 == 0 && offset / 8 <= UINT32_MAX
	    && put_declared(out, p, at << 32 | offset / 8))
		return true;
	if (!class || !table_function(base_at(class, at), offset, &s))
		return false;
	buf_puts(out, "&virtual ");
	buf_escape(out, s.name, strlen(s.name));
	return true;
}

static bool
has_bases(const struct type *p)
{
	const struct type *class = type_plain(type_beside(p, p->sym->holder));

	if (!type_is_class(class))
		return true;
	for (size_t n = 0; n < class->sym->n_members; n++)
		if (class->sym->members[n].flags & SYM_MEMBER_BASE)
			return true;
	return false;
}

/**
 * What a pointer to a method has in its halves (2.3). The second is how far
 * the class that has the method is from the one pointed into: 0 where that
 * has no bases, even where the compiler kept it nowhere.
 */
static struct err *
method_halves(const struct value *v, uint64_t pair[2])
{
	bool must_be_known = insp_arch(v->vs->insp)->machine == EM_AARCH64
			  || has_bases(type_plain(v->type));
	struct err *err = value_read(v, 0, 8, &pair[0]);

	if (err)
		return err;
	err = value_read(v, 8, 8, &pair[1]);
	if (!err || must_be_known || err_kind(err) != ERR_NOTFOUND)
		return err;
	err_free(err);
	pair[1] = 0;
	return NULL;
}

/** A pointer to a method, told: a function's address or its place. */
struct method {
	bool is_virtual;
	uint64_t function;              /* or bytes into the table */
	uint64_t adjustment;
};

/* "C++ ABI for the Arm 64-bit Architecture", 3.2.1: functions may be at odd
 * addresses there, the second half is twice as large. */
static struct method
method_of(const struct values *vs, const uint64_t pair[2])
{
	uint64_t mark = pair[0] & 1;

	if (insp_arch(vs->insp)->machine == EM_AARCH64)
		return (struct method){
			.is_virtual = pair[1] & 1, .function = pair[0],
			.adjustment = (uint64_t)((int64_t)pair[1] >> 1),
		};
	return (struct method){ mark, pair[0] - mark, pair[1] };
}

static void
put_method(struct buf *out, const struct value *v)
{
	uint64_t pair[2];
	_err_ struct err *err = method_halves(v, pair);

	if (err) {
		scalar_put_error(out, v, err);
		return;
	}
	struct method m = method_of(v->vs, pair);
	if (!m.function && !m.is_virtual) {
		buf_puts(out, "NULL");
	} else if (m.is_virtual) {
		if (put_virtual(out, type_plain(v->type), m.function,
				m.adjustment))
			return;
		buf_printf(out, "&virtual table offset %llu",
			   (unsigned long long)m.function);
	} else {
		buf_putc(out, '(');
		_err_ struct err *unnamed = type_name(v->type, out);
		buf_puts(out, ") ");
		scalar_put_address(out, v->vs, m.function);
	}
	if (m.adjustment)
		buf_printf(out, ", this adjustment %lld",
			   (long long)m.adjustment);
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
