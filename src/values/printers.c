/* SPDX-License-Identifier: Apache-2.0 */
/* What printers of libraries' types share. */
#include "values/printers.h"

#include <string.h>

/* ---- members -------------------------------------------------------------- */
struct err *
member_u64(const struct value *v, const char *path, struct arena *a,
	   uint64_t *out)
{
	const struct value *m;
	struct err *err = value_member(v, path, a, &m);

	return err ? err : value_u64(m, out);
}

const char *
child_index(struct arena *a, uint64_t n)
{
	return arena_printf(a, "[%llu]", (unsigned long long)n);
}

/* Types of a damaged index may be inside of themselves: so many are looked
 * at, @left of them yet. */
#define ALIGNED_MAX 1024u

static uint64_t
alignment_of(const struct type *t, unsigned *left)
{
	const struct type *p = type_plain(t);
	uint64_t most = 1;

	if (*left == 0)
		return 8;
	--*left;
	if (type_kind(p) == SYM_TYPE_ARRAY)
		return alignment_of(type_target(p), left);
	if (!type_is_class(p)) {
		uint64_t size = type_size(p);

		return size && size <= 16 && !(size & (size - 1)) ? size : 8;
	}
	for (size_t n = 0; n < p->sym->n_members && n < 64; n++) {
		const struct sym_member *m = &p->sym->members[n];
		const struct type *of = type_plain(type_beside(p, m->type));
		uint64_t here;

		if (m->flags & SYM_MEMBER_STATIC || of == p)
			continue;
		here = type_is_class(of) && of->sym->n_members > 16 ? 8
		       : alignment_of(of, left);
		most = here > most ? here : most;
	}
	return most;
}

uint64_t
type_alignment(const struct type *t)
{
	unsigned left = ALIGNED_MAX;

	return alignment_of(t, &left);
}

/* ---- names ---------------------------------------------------------------- */
const char *
template_name(const struct value *v, struct arena *a)
{
	const char *name = type_qualified(type_plain(v->type));

	return name ? arena_strndup(a, name, strcspn(name, "<")) : "";
}

/** Where the template argument that begins at @s ends: at ',' or '>'. */
static size_t
argument_length(const char *s)
{
	size_t n = 0;
	unsigned depth = 0;

	for (; s[n]; n++) {
		if (s[n] == '<' || s[n] == '(')
			depth++;
		else if (depth == 0 && (s[n] == ',' || s[n] == '>'))
			break;
		else if (s[n] == '>' || s[n] == ')')
			depth--;
	}
	while (n && s[n - 1] == ' ')
		n--;
	return n;
}

/* Arguments that a program does not write, by how they begin. */
static bool
is_default_argument(const char *s)
{
	static const char *const defaults[] = {
		"std::allocator<", "std::char_traits<", "std::less<",
		"std::equal_to<", "std::hash<", "std::default_delete<",
	};

	for (size_t n = 0; n < countof(defaults); n++)
		if (strncmp(s, defaults[n], strlen(defaults[n])) == 0)
			return true;
	return false;
}

static const struct string_row {
	const char *of, *name;
} STRINGS[] = {
	{ "char", "string" }, { "wchar_t", "wstring" },
	{ "char16_t", "u16string" }, { "char32_t", "u32string" },
	{ "char8_t", "u8string" },
};

/** "basic_string<char…>" at @s: its length, and what it is called. */
static size_t
string_length(const char *s, const char **name, const char **view)
{
	static const char plain[] = "std::basic_string<";
	static const char views[] = "std::basic_string_view<";
	bool is_view = strncmp(s, views, sizeof(views) - 1) == 0;
	size_t from = is_view ? sizeof(views) - 1 : sizeof(plain) - 1;

	if (!is_view && strncmp(s, plain, from) != 0)
		return 0;
	size_t first = argument_length(s + from), n = from + first;
	for (size_t k = 0; k < countof(STRINGS); k++) {
		if (strlen(STRINGS[k].of) != first
		    || strncmp(s + from, STRINGS[k].of, first) != 0)
			continue;
		*name = STRINGS[k].name;
		*view = is_view ? "_view" : "";
		while (s[n] == ',') {
			n += 1 + strspn(s + n + 1, " ");
			if (!is_default_argument(s + n))
				return 0;
			n += argument_length(s + n);
			n += strspn(s + n, " ");
		}
		return s[n] == '>' ? n + 1 : 0;
	}
	return 0;
}

/* "__cxx11::", "__1::" are namespaces that nobody writes. */
static size_t
inline_namespace(const char *s)
{
	static const char *const names[] = { "__cxx11::", "__1::",
					     "__ndk1::", "__debug::" };

	for (size_t n = 0; n < countof(names); n++)
		if (strncmp(s, names[n], strlen(names[n])) == 0)
			return strlen(names[n]);
	return 0;
}

static void
put_plain_namespaces(struct buf *out, const char *s)
{
	while (*s) {
		size_t skip = inline_namespace(s);

		if (!skip)
			buf_putc(out, *s);
		s += skip ? skip : 1;
	}
}

/* The comma, the spaces and the argument behind it, if nobody wrote it. */
static size_t
default_length(const char *s)
{
	size_t n = 1 + strspn(s + 1, " ");

	if (*s != ',' || !is_default_argument(s + n))
		return 0;
	n += argument_length(s + n);
	return n + strspn(s + n, " ");
}

const char *
short_name(const struct type *t, struct arena *a)
{
	_buf_ struct buf whole = { 0 }, plain = { 0 }, out = { 0 };
	_err_ struct err *err = type_name(t, &whole);

	if (err || !whole.data)
		return "?";
	put_plain_namespaces(&plain, whole.data);
	for (const char *s = plain.data; s && *s;) {
		const char *name, *view;
		size_t n = string_length(s, &name, &view);

		if (n) {
			buf_printf(&out, "std::%s%s", name, view);
			s += n;
		} else if ((n = default_length(s))) {
			s += n;
		} else if (s[0] == ' ' && s[1] == '>') {
			s++;
		} else {
			buf_putc(&out, *s++);
		}
	}
	const char *text = out.data ? arena_strdup(a, out.data) : NULL;
	return text ? text : "?";
}

const char *
argument_name(const struct value *v, size_t n, struct arena *a)
{
	const struct type *p = type_plain(v->type);

	if (!p || n >= p->sym->n_arguments)
		return "?";
	return short_name(type_argument(p, n), a);
}

/* ---- elements in a row ---------------------------------------------------- */
struct err *
row_display(const struct value *first, uint64_t count, const char *summary,
	    struct arena *a, struct display *out)
{
	const struct type *p = type_plain(first->type);
	struct row *r = arena_alloc(a, sizeof(*r));
	uint64_t start;
	struct err *err = value_u64(first, &start);

	if (err)
		return err;
	if (!r || !summary)
		return err_nomem();
	*r = (struct row){ .element = type_target(p), .start = start };
	r->size = type_size(r->element);
	*out = (struct display){ .summary = summary, .hint = DISPLAY_ARRAY,
				 .n_children = count, .state = r };
	return NULL;
}

struct err *
row_child(const struct value *v, const struct display *d, uint64_t n,
	  struct arena *a, struct child *out)
{
	const struct row *r = d->state;

	*out = (struct child){ .name = child_index(a, n),
			       .kind = CHILD_ELEMENT };
	return value_in_memory(v->vs, r->element, r->start + n * r->size,
			       v->c, a, &out->value);
}

struct err *
pieces_child(const struct value *v, const struct display *d, uint64_t n,
	     struct arena *a, struct child *out)
{
	const struct pieces *p = d->state;
	uint64_t at = p->before + n, piece;
	struct err *err = space_u64(v->vs->space,
				    p->map + at / p->per_piece * 8, &piece);

	if (err)
		return err;
	*out = (struct child){ .name = child_index(a, n),
			       .kind = CHILD_ELEMENT };
	return value_in_memory(v->vs, p->element,
			       piece + at % p->per_piece * p->size, v->c, a,
			       &out->value);
}

/* ---- nodes ---------------------------------------------------------------- */
struct err *
nodes_follow(struct values *vs, uint64_t node, uint64_t *out)
{
	return space_u64(vs->space, node, out);
}

/* A chain that leads back into itself ends where that is noticed: the node
 * remembered is moved on at each power of two (Brent). */
uint64_t
nodes_count(struct values *vs, const struct nodes *nodes, uint64_t end)
{
	uint64_t node = nodes->first, mark = 0, n = 0;

	while (node && node != end && n < NODES_MAX && node != mark) {
		if ((n & (n - 1)) == 0)
			mark = node;
		n++;
		_err_ struct err *err = nodes->next(vs, node, &node);

		if (err)
			break;
	}
	return n;
}

struct err *
nodes_display(const struct nodes *n, uint64_t count, const char *summary,
	      struct arena *a, struct display *out)
{
	struct nodes *state = arena_dup(a, n, sizeof(*n));

	if (!state || !summary)
		return err_nomem();
	state->at = state->first;
	state->index = 0;
	if (count > NODES_MAX)
		count = NODES_MAX;
	*out = (struct display){
		.summary = summary, .state = state,
		.hint = n->mapped ? DISPLAY_MAP : DISPLAY_MEMBERS,
		.n_children = n->mapped ? 2 * count : count,
	};
	return NULL;
}

static struct err *
nodes_reach(struct values *vs, struct nodes *s, uint64_t index)
{
	struct err *err = NULL;

	if (index < s->index) {
		s->at = s->first;
		s->index = 0;
	}
	while (s->index < index && !err) {
		if ((s->index & (s->index - 1)) == 0)
			s->mark = s->at;
		err = s->next(vs, s->at, &s->at);
		s->index++;
		if (!err && s->at == s->mark)
			err = err_new(ERR_FAILED, "its nodes lead back to "
				      "themselves");
	}
	return err;
}

struct err *
nodes_child(const struct value *v, const struct display *d, uint64_t n,
	    struct arena *a, struct child *out)
{
	struct nodes *s = d->state;
	bool is_value = s->mapped && n % 2;
	struct err *err = nodes_reach(v->vs, s, s->mapped ? n / 2 : n);

	if (err)
		return err;
	*out = (struct child){ .name = child_index(a, n),
			       .kind = is_value ? CHILD_MAPPED
				       : s->mapped ? CHILD_KEY
				       : CHILD_ELEMENT };
	return value_in_memory(v->vs, is_value ? s->mapped : s->element,
			       s->at + s->skip + (is_value ? s->key_size : 0),
			       v->c, a, &out->value);
}

/* ---- one child, another value --------------------------------------------- */
struct single {
	const char *name;
	const struct value *value;
};

struct err *
single_display(const struct value *v, const char *name, const char *summary,
	       struct arena *a, struct display *out)
{
	struct single *s = arena_alloc(a, sizeof(*s));

	if (!s || !summary)
		return err_nomem();
	*s = (struct single){ name, v };
	*out = (struct display){ .summary = summary, .state = s,
				 .n_children = 1,
				 .hint = name ? DISPLAY_MEMBERS
					 : DISPLAY_ARRAY };
	return NULL;
}

struct err *
single_child(const struct value *v, const struct display *d, uint64_t n,
	     struct arena *a, struct child *out)
{
	const struct single *s = d->state;

	(void)v, (void)n, (void)a;
	*out = (struct child){ .name = s->name ? s->name : "[0]",
			       .kind = CHILD_MEMBER, .value = s->value };
	return NULL;
}

struct wrapped {
	const struct value *inside;
	const struct printer *printer;
	struct display display;
};

struct err *
wrapped_display(const struct value *inside, const char *before,
		struct arena *a, struct display *out)
{
	struct wrapped *w = arena_alloc(a, sizeof(*w));

	if (!w)
		return err_nomem();
	w->inside = inside;
	w->printer = display_of(inside, &VALUE_STYLE, a, &w->display);
	if (!w->printer || !w->display.summary)
		return err_new(ERR_FAILED, "what is inside has no printer");
	*out = w->display;
	out->summary = arena_printf(a, "%s%s", before, w->display.summary);
	out->state = w;
	return out->summary ? NULL : err_nomem();
}

struct err *
wrapped_child(const struct value *v, const struct display *d, uint64_t n,
	      struct arena *a, struct child *out)
{
	const struct wrapped *w = d->state;

	(void)v;
	return w->printer->child(w->inside, &w->display, n, a, out);
}

struct err *
text_display(const struct value *pointer, uint64_t length,
	     struct display *out)
{
	*out = (struct display){ .text = pointer, .text_length = length };
	return NULL;
}
