/* SPDX-License-Identifier: Apache-2.0 */
/* Structures and arrays as text, with an end to depth, length and number. */
#include "values/show.h"
#include "base/cut.h"

#include <stdlib.h>
#include <string.h>

#define SCAN_MAX 16384u         /* elements looked at for equal ones */
#define COPY_MAX 65536u         /* bytes of an array read at once */
#define COMPARE_MAX 4096u
#define STATICS_MAX 64u
#define SHOW_ARENA ((size_t)256 << 20)

const struct value_style VALUE_STYLE = {
	.elements = 200, .repeats = 10, .depth = 20, .length = 65536,
};

/** Structures that stand around the value that is being shown. */
struct around {
	const struct type *virtuals[STATICS_MAX];       /* bases shown */
	size_t n_virtuals;
	uint64_t statics[STATICS_MAX];          /* addresses shown */
	size_t n_statics;
};

struct showing {
	struct shower s;        /* first: one is the other */
	struct around around;
};

static struct around *
around_of(struct shower *s)
{
	return &((struct showing *)s)->around;
}

bool
show_is_full(const struct shower *s)
{
	return s->out->failed || s->out->len > s->style->length;
}

/* ---- arrays --------------------------------------------------------------- */
static bool
same_bytes(const struct value *a, const struct value *b)
{
	uint8_t x[COMPARE_MAX], y[COMPARE_MAX];
	uint64_t size = value_size(a);

	if (size > COMPARE_MAX || size != value_size(b) || size == 0)
		return false;
	_err_ struct err *one = value_read(a, 0, size, x);
	_err_ struct err *two = value_read(b, 0, size, y);
	return !one && !two && memcmp(x, y, size) == 0;
}

/** How many from @n on are equal to @first; *@end: the scan was cut. */
static uint64_t
repeats_of(uint64_t n, uint64_t count, const struct value *first,
	   show_get_fn *get, void *arg)
{
	uint64_t k = n + 1;

	for (; k < count && k - n < SCAN_MAX; k++) {
		const struct value *next;
		_err_ struct err *err = get(arg, k, &next);

		if (err || !same_bytes(first, next))
			break;
	}
	return k - n;
}

void
show_elements(struct shower *s, uint64_t count, show_get_fn *get, void *arg)
{
	uint64_t n = 0, shown = 0;

	while (n < count && shown < s->style->elements && !show_is_full(s)) {
		const struct value *v;
		_err_ struct err *err = get(arg, n, &v);

		if (n)
			buf_puts(s->out, s->between ? s->between : ", ");
		if (err) {
			scalar_put_absence(s->out, state_of(err),
					   err_text(err));
			return;
		}
		uint64_t repeats = repeats_of(n, count, v, get, arg);
		show_value(s, v);
		if (repeats >= s->style->repeats && repeats > 1) {
			buf_printf(s->out, " <repeats %llu times>",
				   (unsigned long long)repeats);
			shown += s->style->repeats;
			n += repeats;
			if (repeats == SCAN_MAX)
				break;
		} else {
			shown++;
			n++;
		}
	}
	if (n < count)
		buf_puts(s->out, "...");
}

struct array_get {
	const struct value *array;
	struct arena *arena;
};

static struct err *
get_element(void *arg, uint64_t n, const struct value **out)
{
	struct array_get *g = arg;

	return value_element(g->array, n, g->arena, out);
}

void
show_elements_of(struct shower *s, const struct value *array, uint64_t count)
{
	struct array_get g = { array, s->arena };

	show_elements(s, count, get_element, &g);
}

/** The array with its first bytes read at once. */
static const struct value *
read_ahead(const struct value *v, struct arena *a)
{
	uint64_t size = value_size(v);
	struct value *copy = arena_dup(a, v, sizeof(*v));
	size_t n = size < COPY_MAX ? size : COPY_MAX, got = 0;
	uint8_t *bytes = n ? arena_alloc(a, n) : NULL;

	if (v->place != PLACE_MEMORY || v->bytes || !copy || !bytes)
		return v;
	_err_ struct err *err = space_read_some(v->vs->space, v->address, n,
						bytes, &got);
	if (err)
		return v;
	copy->bytes = bytes;
	copy->n_bytes = got;
	return copy;
}

static void
show_text(struct shower *s, const struct value *v, const struct type *element,
	  uint64_t count)
{
	unsigned width = (unsigned)type_size(element);
	uint64_t n = count < COPY_MAX ? count : COPY_MAX;
	_free_ uint8_t *bytes = malloc(n * width + 1);
	_err_ struct err *err = bytes ? value_read(v, 0, n * width, bytes)
				: err_nomem();
	struct chars c = { .data = bytes, .n = n, .width = width,
			   .prefix = chars_prefix(element),
			   .more = n < count };

	if (err)
		scalar_put_error(s->out, v, err);
	else
		chars_put_string(s->out, &c, s->style);
}

static bool
shows_text(const struct shower *s, const struct type *element)
{
	uint64_t size = type_size(element);

	if (s->style->format && s->style->format != 's')
		return false;
	return type_is_text(element) && (size == 1 || size == 2 || size == 4);
}

/*
 * Where nobody knows how long it is, where it begins is all that can be said;
 * and of text what stands there up to its NUL.
 */
static void
show_open_array(struct shower *s, const struct value *v, bool open)
{
	const struct type *element = type_element(type_plain(v->type));

	if (v->place != PLACE_MEMORY) {
		buf_puts(s->out, "0x0");
		return;
	}
	scalar_put_address(s->out, v->vs, v->address);
	if (open && shows_text(s, element)) {
		buf_putc(s->out, ' ');
		chars_put_pointed(s->out, v->vs, element, v->address, s->style);
	}
}

/* The characters of a vector register are numbers. */
static bool
is_vector(const struct type *t)
{
	const struct type *p = type_plain(t);

	return p && p->sym->flags & SYM_TYPE_VECTOR;
}

static void
show_array(struct shower *s, const struct value *v)
{
	const struct type *element = type_element(type_plain(v->type));
	const struct value_style *style = s->style;
	struct value_style numbers;
	uint64_t count;

	bool open = !value_count(v, &count);
	if (open || count == 0) {
		show_open_array(s, v, open);
		return;
	}
	if (shows_text(s, element) && !is_vector(v->type)) {
		show_text(s, v, element, count);
		return;
	}
	if (s->summary && s->depth) {
		buf_puts(s->out, "{...}");
		return;
	}
	v = read_ahead(v, s->arena);
	if (type_is_text(element) && is_vector(v->type)) {
		numbers = *s->style;
		numbers.format = type_is_signed(type_plain(element)) ? 'd'
				 : 'u';
		s->style = &numbers;
	}
	s->depth++;
	buf_putc(s->out, '{');
	show_elements_of(s, v, count);
	buf_putc(s->out, '}');
	s->depth--;
	s->style = style;
}

/* ---- structures ----------------------------------------------------------- */
static bool
seen_virtual(struct shower *s, const struct type *base)
{
	struct around *a = around_of(s);

	for (size_t n = 0; n < a->n_virtuals; n++)
		if (a->virtuals[n] == base)
			return true;
	if (a->n_virtuals < STATICS_MAX)
		a->virtuals[a->n_virtuals++] = base;
	return false;
}

static void show_struct(struct shower *s, const struct value *v, bool base);

static void
show_base(struct shower *s, const struct value *v)
{
	struct display d;
	const char *name = type_base_name(v->type, s->arena);
	const struct printer *p = s->style->raw ? NULL :
				  display_of(v, s->style, s->arena, &d);

	buf_putc(s->out, '<');
	if (name)
		type_put_words(s->out, name);
	buf_puts(s->out, "> = ");
	if (s->depth > MEMBER_DEPTH_MAX)
		buf_puts(s->out, "{...}");
	else if (p)
		display_put(s, v, p, &d);
	else
		show_struct(s, v, true);
	buf_puts(s->out, ", ");
}

static void
show_bases(struct shower *s, const struct value *v, const struct sym_type *t)
{
	for (size_t n = 0; n < t->n_members && !show_is_full(s); n++) {
		const struct sym_member *m = &t->members[n];
		const struct value *base;

		if (!(m->flags & SYM_MEMBER_BASE))
			continue;
		const struct type *type = type_plain(type_beside(
			type_plain(v->type), m->type));
		if (!type_is_class(type)
		    || (m->flags & SYM_MEMBER_VIRTUAL
			&& seen_virtual(s, type)))
			continue;
		_err_ struct err *err = value_nth_member(v, n, s->arena,
							 &base);
		if (!err)
			show_base(s, base);
	}
}

/* A static member whose type has it as a static member has no end. */
static bool
seen_static(struct shower *s, const struct value *v)
{
	struct around *a = around_of(s);

	if (!type_is_class(type_plain(v->type)) || v->place != PLACE_MEMORY)
		return false;
	for (size_t n = 0; n < a->n_statics; n++)
		if (a->statics[n] == v->address)
			return true;
	if (a->n_statics == STATICS_MAX)
		return true;
	a->statics[a->n_statics++] = v->address;
	return false;
}

static void
show_member(struct shower *s, const struct value *v, size_t n,
	    const struct sym_member *m)
{
	const struct type *p = type_plain(v->type);
	const char *name = type_string(p, m->name);
	const struct value *member;

	if (m->flags & SYM_MEMBER_STATIC)
		buf_puts(s->out, "static ");
	if (name && name[0]) {
		buf_escape(s->out, name, strlen(name));
		buf_puts(s->out, " = ");
	}
	_err_ struct err *err = value_nth_member(v, n, s->arena, &member);
	if (err)
		scalar_put_absence(s->out, state_of(err), err_text(err));
	else if (m->flags & SYM_MEMBER_STATIC && seen_static(s, member))
		buf_puts(s->out, "<same as static member of an already seen "
				 "type>");
	else
		show_value(s, member);
}

static void
show_struct(struct shower *s, const struct value *v, bool base)
{
	const struct sym_type *t = type_plain(v->type)->sym;
	struct around *a = around_of(s);
	size_t virtuals = a->n_virtuals, statics = a->n_statics;
	bool any = false;

	s->depth++;
	s->deref = false;
	buf_putc(s->out, '{');
	show_bases(s, v, t);
	for (size_t n = 0; n < t->n_members; n++) {
		const struct sym_member *m = &t->members[n];

		if (m->flags & SYM_MEMBER_BASE)
			continue;
		if (any)
			buf_puts(s->out, ", ");
		any = true;
		if (show_is_full(s)) {
			buf_puts(s->out, "...");
			break;
		}
		show_member(s, v, n, m);
	}
	buf_puts(s->out, any ? "}" : "<No data fields>}");
	s->depth--;
	if (!base)
		a->n_virtuals = virtuals;
	if (!s->depth)
		a->n_statics = statics;
}

/* ---- references and all --------------------------------------------------- */
static void
show_reference(struct shower *s, const struct value *v)
{
	const struct value *target;
	uint64_t addr = 0;
	_err_ struct err *err = value_synthetic(v) ? NULL :
				value_u64(v, &addr);

	if (err) {
		scalar_put_error(s->out, v, err);
		return;
	}
	if (value_synthetic(v)) {
		buf_puts(s->out, "<synthetic pointer>");
		return;
	}
	buf_printf(s->out, "@0x%llx", (unsigned long long)addr);
	if (s->depth > s->summary && !s->deref)
		return;
	buf_puts(s->out, ": ");
	_err_ struct err *lost = value_target(v, 0, s->arena, &target);
	if (lost)
		scalar_put_error(s->out, v, lost);
	else
		show_value(s, target);
}

static bool
is_structured(uint8_t kind)
{
	return kind == SYM_TYPE_STRUCT || kind == SYM_TYPE_CLASS
	       || kind == SYM_TYPE_UNION || kind == SYM_TYPE_ARRAY;
}

/* What is optimised out, or not readable from its first byte on. */
static bool
show_absence(struct shower *s, const struct value *v, uint8_t kind)
{
	uint8_t byte;

	if (v->place == PLACE_NOWHERE && !value_is_empty(v)) {
		_err_ struct err *gone = value_read(v, 0, 1, &byte);

		scalar_put_error(s->out, v, gone);
		return true;
	}
	if (!is_structured(kind) || value_size(v) == 0
	    || v->place != PLACE_MEMORY)
		return false;
	_err_ struct err *err = value_read(v, 0, 1, &byte);
	if (err)
		scalar_put_error(s->out, v, err);
	return err;
}

static void
show_by_kind(struct shower *s, const struct value *v, const struct type *p)
{
	uint8_t kind = type_kind(p);

	if (type_is_class(p) && s->summary && s->depth) {
		buf_puts(s->out, "{...}");
	} else if (type_is_class(p)) {
		struct around *a = around_of(s);
		size_t virtuals = a->n_virtuals;

		a->n_virtuals = 0;
		show_struct(s, v, false);
		a->n_virtuals = virtuals;
	} else if (kind == SYM_TYPE_ARRAY) {
		show_array(s, v);
	} else if (type_is_reference(p)) {
		show_reference(s, v);
	} else {
		scalar_put(s->out, v, s->style);
	}
}

/* The object that a pointer to a base is a part of. */
static const struct value *
whole_object(struct shower *s, const struct value *v)
{
	const struct value *whole = v;
	_err_ struct err *err = s->style->object ?
				value_dynamic(v, s->arena, &whole) : NULL;

	return err ? v : whole;
}

/* What has a printer is shown as such, also where a reference leads to it. */
static const struct value *
referred(struct shower *s, const struct value *v)
{
	const struct value *target;
	struct display d;

	if (s->style->raw || !type_is_reference(type_plain(v->type)))
		return v;
	_err_ struct err *err = value_target(v, 0, s->arena, &target);
	if (err || !display_of(target, s->style, s->arena, &d))
		return v;
	return target;
}

void
show_value(struct shower *s, const struct value *v)
{
	const struct type *p;
	const struct printer *printer;
	struct display d;

	v = whole_object(s, v);
	p = type_plain(v->type);
	if (show_is_full(s) || show_absence(s, v, type_kind(p)))
		return;
	if (p && p->declared_only && p->sym->flags & SYM_TYPE_DECLARED) {
		buf_puts(s->out, "<incomplete type>");
		return;
	}
	if (is_structured(type_kind(p)) && s->depth >= s->style->depth
	    && s->style->depth) {
		buf_puts(s->out, "{...}");
		return;
	}
	v = referred(s, v);
	printer = s->style->raw ? NULL :
		  display_of(v, s->style, s->arena, &d);
	if (printer)
		display_put(s, v, printer, &d);
	else if (!rust_put(s, v) && !fortran_put(s, v) && !go_put(s, v))
		show_by_kind(s, v, p);
}

/* ---- the edges ------------------------------------------------------------ */
/* With the types of whole objects asked for, those stand before them, too. */
static bool
put_object_prefix(struct buf *out, const struct value *v, struct arena *a)
{
	const struct type *p = type_plain(v->type);
	const struct value *whole;
	_err_ struct err *err = value_dynamic(v, a, &whole);

	if (err || (whole == v && !type_is_class(p))
	    || (whole == v && !cxx_is_polymorphic(p)))
		return false;
	buf_putc(out, '(');
	if (type_is_pointer(p)
	    && type_kind(type_target(p)) == SYM_TYPE_CONST)
		buf_puts(out, "const ");
	_err_ struct err *unnamed = type_name(whole->type, out);
	buf_puts(out, ") ");
	return true;
}

/* "(int *) " as gdb's print has it: not before strings and containers. */
static void
put_type_prefix(struct buf *out, const struct value *v)
{
	const struct type *p = type_plain(v->type);
	const struct type *target = type_target(p);

	if ((!type_is_pointer(p) && !type_is_reference(p))
	    || (type_is_pointer(p) && target && type_is_text(target)
		&& !(type_kind(v->type) == SYM_TYPE_TYPEDEF)))
		return;
	buf_putc(out, '(');
	_err_ struct err *err = type_name(v->type, out);
	buf_puts(out, ") ");
}

static struct err *
show(const struct value *v, const struct value_style *style, bool summary,
     struct buf *out)
{
	_arena_ struct arena *a = arena_new(SHOW_ARENA);
	_buf_ struct buf text = { 0 };
	struct showing s;       /* of what it has seen the counts alone */

	if (!a)
		return err_nomem();
	s.around.n_virtuals = s.around.n_statics = 0;
	s.s = (struct shower){ .out = &text, .style = style, .arena = a,
			       .summary = summary, .depth = summary };
	if (style->typed && !style->format
	    && !(style->object && put_object_prefix(&text, v, a)))
		put_type_prefix(&text, v);
	show_value(&s.s, v);
	if (text.failed)
		return err_nomem();
	if (text.len > style->length && style->length) {
		buf_put(out, text.data, cut_chars(text.data, text.len,
						   style->length));
		buf_puts(out, "...");
	} else if (text.len) {
		buf_put(out, text.data, text.len);
	}
	return buf_err(out);
}

struct err *
value_text(const struct value *v, const struct value_style *style,
	   struct buf *out)
{
	return show(v, style, false, out);
}

struct err *
value_summary(const struct value *v, const struct value_style *style,
	      struct buf *out)
{
	return show(v, style, true, out);
}
