/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rust: structures with their names, enums with what their variant holds,
 * slices and strings.
 */
#include "values/show.h"

#include <string.h>

#define MEMBERS_MAX 1024u

/* ---- variants ------------------------------------------------------------- */
static bool
in_range(const struct sym_variant *variant, uint64_t number)
{
	for (size_t n = 0; n < variant->n_values; n++)
		if (number >= variant->values[n].start
		    && number <= variant->values[n].end)
			return true;
	return false;
}

/** Which variant it is; SYM_NONE: cannot be told. */
static uint32_t
variant_of(const struct value *v, const struct type *p)
{
	const struct sym_type *s = p->sym;
	uint32_t otherwise = SYM_NONE;
	uint64_t number = 0;

	for (size_t n = 0; n < s->n_members; n++) {
		const struct value *tag;

		if (!(s->members[n].flags & SYM_MEMBER_DISCRIMINANT))
			continue;
		_err_ struct err *err = value_nth_member(v, n, v->arena,
							 &tag);
		_err_ struct err *lost = err ? NULL : value_u64(tag, &number);
		if (err || lost)
			return SYM_NONE;
	}
	for (size_t n = 0; n < s->n_variants; n++) {
		if (in_range(&s->variants[n], number))
			return (uint32_t)n;
		if (!s->variants[n].n_values)
			otherwise = (uint32_t)n;
	}
	return otherwise;
}

bool
rust_is_there(const struct value *v, const struct sym_member *m)
{
	const struct type *p = type_plain(v->type);

	if (!p->sym->n_variants)
		return true;
	if (m->flags & SYM_MEMBER_DISCRIMINANT)
		return false;
	return m->variant == SYM_NONE || m->variant == variant_of(v, p);
}

/* ---- structures ----------------------------------------------------------- */
static bool
is_tuple(const struct type *p)
{
	const char *name = p->sym->n_members ?
			   type_string(p, p->sym->members[0].name) : NULL;

	return name && strcmp(name, "__0") == 0;
}

static void
put_name(struct shower *s, const struct type *p)
{
	const char *name = type_qualified(p);

	if (name && name[0] != '(')
		buf_escape(s->out, name, strlen(name));
}

static void
put_members(struct shower *s, const struct value *v, const struct type *p)
{
	bool tuple = is_tuple(p);

	s->depth++;
	buf_putc(s->out, tuple ? '(' : '{');
	for (size_t n = 0; n < p->sym->n_members && n < MEMBERS_MAX
	     && !show_is_full(s); n++) {
		const char *name = type_string(p, p->sym->members[n].name);
		const struct value *m;
		_err_ struct err *err = value_nth_member(v, n, s->arena, &m);

		buf_puts(s->out, n ? ", " : "");
		if (!tuple && name) {
			buf_escape(s->out, name, strlen(name));
			buf_puts(s->out, ": ");
		}
		if (err)
			scalar_put_error(s->out, v, err);
		else
			show_value(s, m);
	}
	buf_putc(s->out, tuple ? ')' : '}');
	s->depth--;
}

/** "Enum::Variant", then what it holds, without a space. */
static void
put_enum(struct shower *s, const struct value *v, const struct type *p)
{
	uint32_t variant = variant_of(v, p);

	for (size_t n = 0; n < p->sym->n_members; n++) {
		const struct sym_member *m = &p->sym->members[n];
		const struct value *inside;

		if (m->variant == SYM_NONE || m->variant != variant)
			continue;
		_err_ struct err *err = value_nth_member(v, n, s->arena,
							 &inside);
		if (err)
			break;
		const struct type *t = type_plain(inside->type);
		put_name(s, t);
		if (t && t->sym->n_members)
			put_members(s, inside, t);
		return;
	}
	put_name(s, p);
	buf_puts(s->out, "::<unknown variant>");
}

/* ---- slices --------------------------------------------------------------- */
static struct err *
get_element(void *arg, uint64_t n, const struct value **out)
{
	const struct value *pointer = arg;

	return value_target(pointer, (int64_t)n, pointer->arena, out);
}

static void
put_slice(struct shower *s, const struct type *p, const struct value *pointer,
	  uint64_t n)
{
	const char *name = type_qualified(p);
	const struct value *first;

	if (name && (strcmp(name, "&str") == 0
		     || strcmp(name, "&mut str") == 0)) {
		_err_ struct err *err = value_target(pointer, 0, s->arena,
						     &first);
		if (err)
			scalar_put_error(s->out, pointer, err);
		else
			chars_put_counted(s->out, first, n, s->style);
		return;
	}
	put_name(s, p);
	buf_puts(s->out, " [");
	s->depth++;
	show_elements(s, n, get_element, (void *)pointer);
	s->depth--;
	buf_putc(s->out, ']');
}

static bool
as_slice(struct shower *s, const struct value *v, const struct type *p)
{
	const struct value *pointer, *length;
	uint64_t n;

	if (p->sym->n_members != 2)
		return false;
	_err_ struct err *one = value_member(v, "data_ptr", s->arena,
					     &pointer);
	_err_ struct err *two = value_member(v, "length", s->arena, &length);
	_err_ struct err *lost = two ? NULL : value_u64(length, &n);
	if (one || two || lost)
		return false;
	put_slice(s, p, pointer, n);
	return true;
}

/* ---- arrays, characters --------------------------------------------------- */
static void
put_array(struct shower *s, const struct value *v)
{
	uint64_t count = 0;

	if (s->summary && s->depth) {
		buf_puts(s->out, "[...]");
		return;
	}
	value_count(v, &count);
	s->depth++;
	buf_putc(s->out, '[');
	show_elements_of(s, v, count);
	buf_putc(s->out, ']');
	s->depth--;
}

static bool
put_char(struct shower *s, const struct value *v)
{
	uint64_t code;
	_err_ struct err *err = value_u64(v, &code);

	if (err || code < 0x80)
		return false;
	buf_printf(s->out, "%llu '\\u{%06llx}'", (unsigned long long)code,
		   (unsigned long long)code);
	return true;
}

static void
put_structure(struct shower *s, const struct value *v, const struct type *p)
{
	if (s->summary && s->depth) {
		put_name(s, p);
		buf_puts(s->out, " {...}");
		return;
	}
	put_name(s, p);
	if (!p->sym->n_members)
		return;
	const char *name = type_qualified(p);
	if (name && name[0] != '(')
		buf_putc(s->out, ' ');
	put_members(s, v, p);
}

bool
rust_put(struct shower *s, const struct value *v)
{
	const struct type *p = type_plain(v->type);

	if (!p || p->lang != LANG_IS_RUST || s->style->format)
		return false;
	if (type_kind(p) == SYM_TYPE_BASE && p->size == 0)
		buf_puts(s->out, "()");
	else if (type_kind(p) == SYM_TYPE_BASE)
		return p->sym->encoding == ATE_UTF && put_char(s, v);
	else if (type_kind(p) == SYM_TYPE_ARRAY)
		put_array(s, v);
	else if (!type_is_class(p))
		return false;
	else if (p->sym->n_variants)
		put_enum(s, v, p);
	else if (!as_slice(s, v, p))
		put_structure(s, v, p);
	return true;
}
