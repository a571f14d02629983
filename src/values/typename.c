/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of types as C and C++ declare them: what stands before a name, and
 * what stands behind it.
 */
#include "values/impl.h"

#include <string.h>

#define NAME_DEPTH_MAX 32u
#define PARAMETERS_MAX 64u

struct writer {
	struct buf *out;
	unsigned depth;
	const struct type *holder;      /* of the method that comes next */
};

static void write_type(struct writer *w, const struct type *t);
static void write_before(struct writer *w, const struct type *t, bool inner);
static void write_after(struct writer *w, const struct type *t, bool inner);

static bool
is_modifier(uint8_t kind)
{
	return kind == SYM_TYPE_CONST || kind == SYM_TYPE_VOLATILE
	       || kind == SYM_TYPE_RESTRICT || kind == SYM_TYPE_ATOMIC;
}

static bool
is_pointing(uint8_t kind)
{
	return kind == SYM_TYPE_POINTER || kind == SYM_TYPE_REFERENCE
	       || kind == SYM_TYPE_RVALUE_REFERENCE
	       || kind == SYM_TYPE_MEMBER_POINTER;
}

static const struct type *
under_modifiers(const struct type *t)
{
	for (unsigned n = 0; t && is_modifier(t->sym->kind)
	     && n < NAME_DEPTH_MAX; n++)
		t = type_target(t);
	return t;
}

/** Which of const, volatile, restrict and _Atomic stand on @t. */
static void
put_modifiers(struct writer *w, const struct type *t, const char *before,
	      const char *after)
{
	static const struct {
		uint8_t kind;
		const char *word;
	} rows[] = {
		{ SYM_TYPE_CONST, "const" },
		{ SYM_TYPE_VOLATILE, "volatile" },
		{ SYM_TYPE_RESTRICT, "restrict" },
		{ SYM_TYPE_ATOMIC, "_Atomic" },
	};

	for (size_t k = 0; k < countof(rows); k++) {
		const struct type *m = t;

		for (unsigned n = 0; m && is_modifier(m->sym->kind)
		     && n < NAME_DEPTH_MAX; n++, m = type_target(m))
			if (m->sym->kind == rows[k].kind) {
				buf_printf(w->out, "%s%s%s", before,
					   rows[k].word, after);
				break;
			}
	}
}

/* ---- plain words ---------------------------------------------------------- */
/* Compilers write C's types with all their words, people do not. */
static const struct words_row {
	const char *from, *to;
} WORDS[] = {
	{ "long long unsigned int", "unsigned long long" },
	{ "long long int", "long long" },
	{ "long unsigned int", "unsigned long" },
	{ "long int", "long" },
	{ "short unsigned int", "unsigned short" },
	{ "short int", "short" },
};

static bool
is_word(char c)
{
	return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
	       || (c >= '0' && c <= '9');
}

static const struct words_row *
words_at(const char *s)
{
	for (size_t n = 0; n < countof(WORDS); n++) {
		size_t length = strlen(WORDS[n].from);

		if (strncmp(s, WORDS[n].from, length) == 0
		    && !is_word(s[length]))
			return &WORDS[n];
	}
	return NULL;
}

void
type_put_words(struct buf *out, const char *name)
{
	size_t from = 0, n = 0;

	while (name[n]) {
		const struct words_row *row = n && is_word(name[n - 1]) ? NULL
					      : words_at(name + n);

		if (!row) {
			n++;
			continue;
		}
		buf_escape(out, name + from, n - from);
		buf_puts(out, row->to);
		n += strlen(row->from);
		from = n;
	}
	buf_escape(out, name + from, n - from);
}

/* A number's suffix: 10ul as of gcc, not 10UL as of clang. */
static void
lower_suffixes(char *name)
{
	bool number = false;

	for (char *c = name; *c; c++) {
		if (*c >= '0' && *c <= '9')
			number = number || c == name || !is_word(c[-1]);
		else if (number && (*c == 'U' || *c == 'L'))
			*c = *c == 'U' ? 'u' : 'l';
		else
			number = false;
	}
}

const char *
type_base_name(const struct type *t, struct arena *a)
{
	const char *name = type_qualified(type_plain(t));
	char *copy = name ? arena_strdup(a, name) : NULL;

	if (copy)
		lower_suffixes(copy);
	return copy;
}

/* ---- what has a name ------------------------------------------------------ */
static const char *
keyword_of(const struct type *t)
{
	switch (t->sym->kind) {
	case SYM_TYPE_UNION: return "union ";
	case SYM_TYPE_ENUM: return "enum ";
	default: return "struct ";
	}
}

static bool
has_keyword(const struct type *t)
{
	return type_is_class(t) || t->sym->kind == SYM_TYPE_ENUM;
}

static void
put_named(struct writer *w, const struct type *t)
{
	const char *name = type_qualified(t);

	if (!t) {
		buf_puts(w->out, "void");
		return;
	}
	if (has_keyword(t) && (t->lang == LANG_IS_C || !name))
		buf_puts(w->out, keyword_of(t));
	if (name && name[0])
		type_put_words(w->out, name);
	else
		buf_puts(w->out, has_keyword(t) ? "{...}"
			 : "<unnamed type>");
}

/** What stands first: the type at the end of all pointers and arrays. */
static const struct type *
base_of(const struct type *t)
{
	for (unsigned n = 0; t && n < NAME_DEPTH_MAX; n++) {
		uint8_t kind = t->sym->kind;

		if (is_pointing(kind) || kind == SYM_TYPE_ARRAY
		    || kind == SYM_TYPE_FUNCTION) {
			t = type_target(t);
		} else if (is_modifier(kind)) {
			const struct type *u = under_modifiers(t);
			uint8_t under = type_kind(u);

			if (!is_pointing(under) && under != SYM_TYPE_ARRAY
			    && under != SYM_TYPE_FUNCTION)
				return t;
			t = u;
		} else {
			return t;
		}
	}
	return t;
}

/* ---- before and after ----------------------------------------------------- */
static void
put_star(struct writer *w, const struct type *t)
{
	static const char *const signs[] = {
		[SYM_TYPE_POINTER] = "*", [SYM_TYPE_REFERENCE] = "&",
		[SYM_TYPE_RVALUE_REFERENCE] = "&&",
	};

	if (t->sym->kind == SYM_TYPE_MEMBER_POINTER) {
		put_named(w, type_beside(t, t->sym->holder));
		buf_puts(w->out, "::*");
	} else {
		buf_puts(w->out, signs[t->sym->kind]);
	}
}

/* A pointer to an array or a function is put in parentheses. */
static void
write_before(struct writer *w, const struct type *t, bool inner)
{
	const struct type *u = under_modifiers(t);
	uint8_t kind = type_kind(u);

	if (!u || w->depth++ > NAME_DEPTH_MAX)
		return;
	if (is_pointing(kind)) {
		write_before(w, type_target(u), true);
		put_star(w, u);
		put_modifiers(w, t, " ", "");
		if (inner && t != u)
			buf_putc(w->out, ' ');
	} else if (kind == SYM_TYPE_ARRAY || kind == SYM_TYPE_FUNCTION) {
		write_before(w, type_target(u), false);
		if (inner)
			buf_putc(w->out, '(');
	}
}

/* "this" of a method cannot be changed. */
static bool
is_this(const struct type *p, const struct type *holder)
{
	return holder && type_is_pointer(p)
	       && under_modifiers(type_target(p)) == holder;
}

static void
put_parameters(struct writer *w, const struct type *t,
	       const struct type *holder)
{
	const struct sym_type *s = t->sym;
	size_t n = s->n_parameters < PARAMETERS_MAX ? s->n_parameters
		   : PARAMETERS_MAX;

	buf_putc(w->out, '(');
	for (size_t k = 0; k < n; k++) {
		if (k)
			buf_puts(w->out, ", ");
		const struct type *p = type_beside(t, s->parameters[k]);
		write_type(w, p);
		if (!k && is_this(p, holder))
			buf_puts(w->out, " const");
	}
	if (s->flags & SYM_TYPE_VARIADIC && (n || t->lang == LANG_IS_CXX))
		buf_puts(w->out, n ? ", ..." : "...");
	else if (!n && (s->flags & SYM_TYPE_PROTOTYPED
			|| t->lang == LANG_IS_CXX))
		buf_puts(w->out, "void");
	buf_putc(w->out, ')');
}

static void
put_dimension(struct writer *w, const struct sym_dimension *d)
{
	if (d->upper.kind == SYM_BOUND_OPEN)
		buf_puts(w->out, "[]");
	else if (d->upper.kind != SYM_BOUND_CONSTANT)
		buf_puts(w->out, "[variable length]");
	else
		buf_printf(w->out, "[%lld]",
			   (long long)d->upper.constant
			   + (d->is_count || d->upper.constant == INT64_MAX
			      ? 0 : 1));
}

static void
write_after(struct writer *w, const struct type *t, bool inner)
{
	const struct type *u = under_modifiers(t);
	uint8_t kind = type_kind(u);

	if (!u || w->depth++ > NAME_DEPTH_MAX)
		return;
	if (is_pointing(kind)) {
		w->holder = kind == SYM_TYPE_MEMBER_POINTER ?
			    type_beside(u, u->sym->holder) : NULL;
		write_after(w, type_target(u), true);
	} else if (kind == SYM_TYPE_ARRAY) {
		buf_puts(w->out, inner ? ")" : "");
		if (u->sym->flags & SYM_TYPE_VECTOR)
			buf_puts(w->out, " __attribute__ ((vector_size(");
		for (size_t k = u->first; k < u->sym->n_dimensions; k++) {
			if (u->sym->flags & SYM_TYPE_VECTOR)
				buf_printf(w->out, "%llu", (unsigned long long)
					   type_count(u));
			else
				put_dimension(w, &u->sym->dimensions[k]);
		}
		if (u->sym->flags & SYM_TYPE_VECTOR)
			buf_puts(w->out, ")))");
		write_after(w, type_target(u), false);
	} else if (kind == SYM_TYPE_FUNCTION) {
		buf_puts(w->out, inner ? ")" : "");
		put_parameters(w, u, w->holder);
		w->holder = NULL;
		write_after(w, type_target(u), false);
	}
}

/* What is a declarator in C is a name in the languages that name all. */
static bool
is_named(const struct type *t)
{
	return t && (t->lang == LANG_IS_RUST || t->lang == LANG_IS_GO)
	       && t->ref != SYM_NONE && type_plain_name(t);
}

static bool
is_vector(const struct type *t)
{
	const struct type *u = under_modifiers(t);

	return u && u->sym->flags & SYM_TYPE_VECTOR;
}

static void
write_type(struct writer *w, const struct type *t)
{
	const struct type *base = base_of(t);

	if (w->depth > NAME_DEPTH_MAX || w->out->len > 65536)
		return;
	unsigned depth = w->depth++;
	if (is_named(t)) {
		put_named(w, t);
	} else {
		put_modifiers(w, base, "", " ");
		put_named(w, under_modifiers(base));
		w->depth = depth + 1;
		if (under_modifiers(base) != under_modifiers(t)
		    && !is_vector(t))
			buf_putc(w->out, ' ');
		write_before(w, t, false);
		w->depth = depth + 1;
		write_after(w, t, false);
	}
	w->depth = depth;
}

struct err *
type_name(const struct type *t, struct buf *out)
{
	struct writer w = { .out = out };

	write_type(&w, t);
	return buf_err(out);
}
