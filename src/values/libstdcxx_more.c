/* SPDX-License-Identifier: Apache-2.0 */
/* Smart pointers, sums, tuples and iterators of libstdc++. */
#include "values/printers.h"

#include <string.h>

#define TUPLE_MAX 64u
#define BITSET_WORDS 65536u

/* ---- tuples --------------------------------------------------------------- */
struct tuple {
	const struct value *element[TUPLE_MAX];
};

static bool
begins(const struct type *t, const char *with)
{
	const char *name = type_plain_name(t);

	return name && strncmp(name, with, strlen(with)) == 0;
}

/** Collect the heads of @v; yields what follows, or NULL. */
static const struct value *
collect(const struct value *v, struct tuple *t, size_t *n, struct arena *a)
{
	const struct type *p = type_plain(v->type);
	const struct value *rest = NULL;

	for (size_t k = 0; type_is_class(p) && k < p->sym->n_members; k++) {
		const struct sym_member *m = &p->sym->members[k];
		const struct type *of = type_plain(type_beside(p, m->type));
		const struct value *base;

		if (!(m->flags & SYM_MEMBER_BASE))
			continue;
		_err_ struct err *err = value_nth_member(v, k, a, &base);
		if (err)
			return NULL;
		if (begins(of, "_Tuple_impl<")) {
			rest = base;
		} else if (begins(of, "_Head_base<") && *n < TUPLE_MAX) {
			_err_ struct err *none = value_member(
				base, "_M_head_impl", a, &t->element[*n]);

			if (none)
				t->element[*n] = base;
			++*n;
		}
	}
	return rest;
}

static struct err *
tuple_display(const struct value *v, struct arena *a, struct display *out)
{
	struct tuple *t = arena_alloc(a, sizeof(*t));
	const struct type *p = type_plain(v->type);
	size_t n = 0;

	if (!t)
		return err_nomem();
	if (p->sym->n_members) {
		const struct value *first;
		struct err *err = value_nth_member(v, 0, a, &first);

		if (err)
			return err;
		/* A damaged one may be its own base. */
		for (unsigned depth = 0; first && depth < TUPLE_MAX; depth++)
			first = collect(first, t, &n, a);
	}
	*out = (struct display){
		.state = t, .n_children = n,
		.summary = n ? "std::tuple containing" : "empty std::tuple",
	};
	return NULL;
}

static struct err *
tuple_child(const struct value *v, const struct display *d, uint64_t n,
	    struct arena *a, struct child *out)
{
	const struct tuple *t = d->state;

	(void)v;
	*out = (struct child){ .name = child_index(a, n + 1),
			       .kind = CHILD_MEMBER, .value = t->element[n] };
	return NULL;
}

/* ---- owners --------------------------------------------------------------- */
static struct err *
unique_display(const struct value *v, struct arena *a, struct display *out)
{
	const struct value *tuple, *first;
	struct tuple t;
	size_t n = 0;
	struct err *err = value_member(v, "_M_t._M_t", a, &tuple);

	if (!err)
		err = value_nth_member(tuple, 0, a, &first);
	if (err)
		return err;
	collect(first, &t, &n, a);
	if (!n)
		return err_new(ERR_FAILED, "it holds no pointer");
	return single_display(t.element[0], "get()", arena_printf(
		a, "%s<%s>", template_name(v, a), argument_name(v, 0, a)),
		a, out);
}

static const char *
counts_of(const struct value *v, struct arena *a)
{
	uint64_t control = 0, uses = 0, weak = 0;
	_err_ struct err *err = member_u64(v, "_M_refcount._M_pi", a,
					   &control);

	if (err || !control)
		return "empty";
	_err_ struct err *no_uses = member_u64(
		v, "_M_refcount._M_pi._M_use_count", a, &uses);
	_err_ struct err *no_weak = member_u64(
		v, "_M_refcount._M_pi._M_weak_count", a, &weak);
	if (no_uses || no_weak)
		return "counts not known";
	if (!uses)
		return arena_printf(a, "expired, weak count %llu",
				    (unsigned long long)weak);
	return arena_printf(a, "use count %llu, weak count %llu",
			    (unsigned long long)uses,
			    (unsigned long long)weak - 1);
}

static struct err *
shared_display(const struct value *v, struct arena *a, struct display *out)
{
	const struct value *p;
	struct err *err = value_member(v, "_M_ptr", a, &p);
	const char *counts = err ? NULL : counts_of(v, a);

	if (err)
		return err;
	return single_display(p, "get()", arena_printf(
		a, "%s<%s> (%s)", template_name(v, a), argument_name(v, 0, a),
		counts ? counts : ""), a, out);
}

/* ---- sums ----------------------------------------------------------------- */
static struct err *
optional_display(const struct value *v, struct arena *a, struct display *out)
{
	const char *name = arena_printf(a, "%s<%s>", template_name(v, a),
					argument_name(v, 0, a));
	const struct value *inside;
	struct display of_inside;
	uint64_t engaged;
	struct err *err = member_u64(v, "_M_payload._M_engaged", a, &engaged);

	if (!err && !name)
		err = err_nomem();
	if (err)
		return err;
	if (!engaged) {
		out->summary = arena_printf(a, "%s [no contained value]",
					    name);
		return out->summary ? NULL : err_nomem();
	}
	err = value_member(v, "_M_payload._M_payload._M_value", a, &inside);
	if (err)
		return err;
	const struct printer *p = display_of(inside, &VALUE_STYLE, a,
					     &of_inside);
	if (p && p->child && of_inside.summary) {
		const char *before = arena_printf(a, "%s containing ", name);

		return before ? wrapped_display(inside, before, a, out)
		       : err_nomem();
	}
	return single_display(inside, "[contained value]", name, a, out);
}

/* What stands inside: one value by its name, or what its printer shows. */
static struct err *
contained_child(const struct value *v, const struct display *d, uint64_t n,
		struct arena *a, struct child *out)
{
	return strstr(d->summary, " containing ") ?
	       wrapped_child(v, d, n, a, out) : single_child(v, d, n, a, out);
}

static const char *
variant_name(const struct value *v, struct arena *a)
{
	const struct type *p = type_plain(v->type);
	_buf_ struct buf name = { 0 };

	buf_puts(&name, template_name(v, a));
	for (size_t n = 0; n < p->sym->n_arguments && n < TUPLE_MAX; n++)
		buf_printf(&name, "%s%s", n ? ", " : "<",
			   argument_name(v, n, a));
	buf_putc(&name, '>');
	return name.failed ? NULL : arena_strdup(a, name.data);
}

static struct err *
variant_display(const struct value *v, struct arena *a, struct display *out)
{
	const char *name = variant_name(v, a);
	const struct value *all, *inside, *number;
	uint64_t index;
	struct err *err = value_member(v, "_M_index", a, &number);

	if (!err)
		err = value_u64(number, &index);
	if (!err)
		err = value_member(v, "_M_u", a, &all);
	if (!err && !name)
		err = err_nomem();
	if (err)
		return err;
	const struct type *t = type_argument(v->type, index);
	if (!t) {
		out->summary = arena_printf(a, "%s [no contained value]",
					    name);
		return out->summary ? NULL : err_nomem();
	}
	err = value_as(all, t, a, &inside);
	return err ? err : single_display(inside, NULL, arena_printf(
		a, "%s [index %llu]", name, (unsigned long long)index), a,
		out);
}

/** "int" of "…_Manager_internal<int>::_S_manage(…)"; NULL: none. */
static const char *
managed(const char *symbol, bool *internal, struct arena *a)
{
	const char *at = strstr(symbol, "::_Manager_");
	const char *end = at ? strstr(at, ">::_S_manage(") : NULL;
	const char *from = at ? strchr(at, '<') : NULL;

	if (!end || !from || from > end)
		return NULL;
	*internal = strncmp(at, "::_Manager_internal<", 20) == 0;
	from++;
	while (end > from && end[-1] == ' ')
		end--;
	return arena_strndup(a, from, (size_t)(end - from));
}

static struct err *
any_display(const struct value *v, struct arena *a, struct display *out)
{
	const struct value *storage, *inside;
	uint64_t manager, at;
	struct symbol s;
	bool internal;
	struct err *err = member_u64(v, "_M_manager", a, &manager);

	if (!err && !manager) {
		out->summary = "std::any [no contained value]";
		return NULL;
	}
	if (!err)
		err = insp_symbol(v->vs->insp, manager, &s);
	if (!err)
		err = value_member(v, "_M_storage", a, &storage);
	if (err)
		return err;
	const char *name = managed(s.name, &internal, a);
	const struct type *t = name ? type_by_text(v->vs, type_plain(
		v->type)->module, name) : NULL;
	if (!t)
		return err_new(ERR_FAILED, "what it holds has no known type");
	if (internal) {
		err = value_as(storage, t, a, &inside);
	} else {
		err = member_u64(storage, "_M_ptr", a, &at);
		if (!err)
			err = value_in_memory(v->vs, t, at, v->c, a, &inside);
	}
	if (err)
		return err;
	return single_display(inside, "[contained value]", arena_printf(
		a, "std::any containing %s", short_name(t, a)), a, out);
}

static struct err *
atomic_display(const struct value *v, struct arena *a, struct display *out)
{
	static const char *const paths[] = { "_M_i", "_M_base._M_i",
					     "_M_b._M_p", "_M_fp" };
	_buf_ struct buf text = { 0 };
	const struct value *inside = NULL;

	for (size_t n = 0; n < countof(paths) && !inside; n++) {
		_err_ struct err *err = value_member(v, paths[n], a, &inside);

		if (err)
			inside = NULL;
	}
	if (!inside)
		return err_new(ERR_FAILED, "it holds nothing known");
	struct err *err = value_text(inside, &VALUE_STYLE, &text);
	if (err)
		return err;
	out->summary = arena_printf(a, "%s<%s> = { %s }", template_name(v, a),
				    argument_name(v, 0, a), text.data);
	return out->summary ? NULL : err_nomem();
}

static struct err *
error_display(const struct value *v, struct arena *a, struct display *out)
{
	const struct value *category;
	uint64_t number;
	struct err *err = member_u64(v, "_M_value", a, &number);

	if (!err)
		err = value_member(v, "_M_cat", a, &category);
	if (err)
		return err;
	const char *name = template_name(v, a);
	out->summary = number == 0 ? arena_printf(a, "%s = { }", name) :
		arena_printf(a, "%s = {%s: %d}", name, short_name(type_plain(type_target(
			type_plain(category->type))), a), (int)number);
	return out->summary ? NULL : err_nomem();
}

/* ---- std::bitset ---------------------------------------------------------- */
struct bit_list {
	struct vec set;         /* of uint64_t */
};

static struct err *
bits_of(const struct value *words, struct bit_list *list, struct arena *a)
{
	uint64_t size = value_size(words);

	for (uint64_t n = 0; 8 * n < size && n < BITSET_WORDS; n++) {
		uint64_t word;
		struct err *err = value_read(words, 8 * n, 8, &word);

		if (err)
			return err;
		for (unsigned bit = 0; bit < 64; bit++) {
			uint64_t *one;

			if (!(word >> bit & 1))
				continue;
			one = vec_add(&list->set, a, sizeof(*one));
			if (!one)
				return err_nomem();
			*one = 64 * n + bit;
		}
	}
	return NULL;
}

static struct err *
bitset_display(const struct value *v, struct arena *a, struct display *out)
{
	struct bit_list *list = arena_alloc(a, sizeof(*list));
	const struct value *words;
	struct err *err = list ? value_member(v, "_M_w", a, &words)
			  : err_nomem();

	if (!err)
		err = bits_of(words, list, a);
	if (err)
		return err;
	*out = (struct display){ .summary = "std::bitset", .state = list,
				 .n_children = list->set.n };
	return NULL;
}

static struct err *
bitset_child(const struct value *v, const struct display *d, uint64_t n,
	     struct arena *a, struct child *out)
{
	const struct bit_list *list = d->state;
	const struct type *t = type_basic(v->vs, "int", ATE_SIGNED, 4);

	*out = (struct child){
		.name = child_index(a, ((const uint64_t *)list->set.data)[n]),
		.kind = CHILD_ELEMENT,
	};
	return t ? value_of_u64(v->vs, t, 1, a, &out->value) : err_nomem();
}

/* ---- iterators: shown as what they stand at ------------------------------- */
static struct err *
pointer_iterator(const struct value *v, const char *path, struct arena *a,
		 struct display *out)
{
	const struct value *p, *inside;
	uint64_t addr;
	struct err *err = value_member(v, path, a, &p);

	if (!err)
		err = value_u64(p, &addr);
	if (!err && !addr) {
		out->summary = arena_printf(a, "non-dereferenceable iterator "
					    "for %s", template_name(v, a));
		return out->summary ? NULL : err_nomem();
	}
	if (!err)
		err = value_target(p, 0, a, &inside);
	if (!err)
		out->instead = inside;
	return err;
}

static struct err *
vector_iterator(const struct value *v, struct arena *a, struct display *out)
{
	return pointer_iterator(v, "_M_current", a, out);
}

static struct err *
deque_iterator(const struct value *v, struct arena *a, struct display *out)
{
	return pointer_iterator(v, "_M_cur", a, out);
}

static struct err *
node_iterator(const struct value *v, uint64_t links, struct arena *a,
	      struct display *out)
{
	const struct type *t = type_argument(v->type, 0);
	uint64_t align = type_alignment(t), node;
	const struct value *inside;
	struct err *err = member_u64(v, "_M_node", a, &node);

	links = (links + align - 1) / align * align;
	if (!err && !t)
		err = err_new(ERR_FAILED, "it has no element type");
	if (!err)
		err = value_in_memory(v->vs, t, node + links, v->c, a,
				      &inside);
	if (!err)
		out->instead = inside;
	return err;
}

static struct err *
list_iterator(const struct value *v, struct arena *a, struct display *out)
{
	return node_iterator(v, 16, a, out);
}

static struct err *
tree_iterator(const struct value *v, struct arena *a, struct display *out)
{
	return node_iterator(v, 32, a, out);
}

/* ---- std::pair ------------------------------------------------------------ */
static struct err *
pair_display(const struct value *v, struct arena *a, struct display *out)
{
	struct tuple *t = arena_alloc(a, sizeof(*t));
	struct err *err = t ? value_member(v, "first", a, &t->element[0])
			  : err_nomem();

	if (!err)
		err = value_member(v, "second", a, &t->element[1]);
	if (!err)
		*out = (struct display){ .state = t, .n_children = 2 };
	return err;
}

static struct err *
pair_child(const struct value *v, const struct display *d, uint64_t n,
	   struct arena *a, struct child *out)
{
	const struct tuple *t = d->state;

	(void)v, (void)a;
	*out = (struct child){ .name = n ? "second" : "first",
			       .kind = CHILD_MEMBER, .value = t->element[n] };
	return NULL;
}

static struct err *
bit_reference(const struct value *v, struct arena *a, struct display *out)
{
	uint64_t at, mask, word;
	struct err *err = member_u64(v, "_M_p", a, &at);

	if (!err)
		err = member_u64(v, "_M_mask", a, &mask);
	if (!err)
		err = space_u64(v->vs->space, at, &word);
	if (!err)
		out->summary = word & mask ? "true" : "false";
	return err;
}

const struct printer LIBSTDCXX_OTHERS[] = {
	{ "std::pair", pair_display, pair_child },
	{ "std::tuple", tuple_display, tuple_child },
	{ "std::unique_ptr", unique_display, single_child },
	{ "std::shared_ptr", shared_display, single_child },
	{ "std::weak_ptr", shared_display, single_child },
	{ "std::optional", optional_display, contained_child },
	{ "std::variant", variant_display, single_child },
	{ "std::any", any_display, single_child },
	{ "std::atomic", atomic_display, NULL },
	{ "std::error_code", error_display, NULL },
	{ "std::error_condition", error_display, NULL },
	{ "std::bitset", bitset_display, bitset_child },
	{ "__gnu_cxx::__normal_iterator", vector_iterator, NULL },
	{ "std::_Deque_iterator", deque_iterator, NULL },
	{ "std::_List_iterator", list_iterator, NULL },
	{ "std::_List_const_iterator", list_iterator, NULL },
	{ "std::_Rb_tree_iterator", tree_iterator, NULL },
	{ "std::_Rb_tree_const_iterator", tree_iterator, NULL },
	{ "std::_Bit_reference", bit_reference, NULL },
	{ NULL, NULL, NULL },
};
