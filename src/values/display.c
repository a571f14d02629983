/* SPDX-License-Identifier: Apache-2.0 */
/* Printers: who is asked for a value, and how what they say is shown. */
#include "values/printers.h"

#include <string.h>

#define NAME_MAX_LENGTH 256u

/* ---- who is asked --------------------------------------------------------- */
/** The key of the tables: no template arguments, no inline namespaces. */
static bool
key_of(const char *name, char out[NAME_MAX_LENGTH], bool *libcxx)
{
	static const char *const inlines[] = { "__cxx11::", "__1::",
					       "__ndk1::" };
	size_t n = 0;

	*libcxx = false;
	for (size_t k = 0; name[k] && name[k] != '<';) {
		size_t skip = 0;

		for (size_t m = 0; m < countof(inlines); m++)
			if (strncmp(name + k, inlines[m],
				    strlen(inlines[m])) == 0) {
				skip = strlen(inlines[m]);
				*libcxx = m > 0;
			}
		if (n + 1 == NAME_MAX_LENGTH)
			return false;
		if (!skip)
			out[n++] = name[k];
		k += skip ? skip : 1;
	}
	out[n] = '\0';
	return true;
}

static const struct printer *
find_in(const struct printer *table, const char *key)
{
	for (; table->type; table++)
		if (strcmp(table->type, key) == 0)
			return table;
	return NULL;
}

static const struct printer *
find_printer(const struct value *v, const char *key, bool libcxx)
{
	static const struct printer *const tables[] = {
		LIBSTDCXX_SEQUENCES, LIBSTDCXX_MAPS, LIBSTDCXX_OTHERS,
	};
	const struct printer *found = v->vs->printer ?
		v->vs->printer(v->vs->printer_arg, key, v) : NULL;

	if (!found && libcxx)
		return find_in(LIBCXX, key);
	for (size_t n = 0; n < countof(tables) && !found; n++)
		found = find_in(tables[n], key);
	return found;
}

static bool
is_printable(const struct value *v, const struct type *p)
{
	return type_is_class(p) && v->place != PLACE_NOWHERE
	       && (p->lang == LANG_IS_CXX || v->vs->printer);
}

const struct printer *
display_of(const struct value *v, const struct value_style *style,
	   struct arena *a, struct display *out)
{
	const struct type *p = type_plain(v->type);
	char key[NAME_MAX_LENGTH];
	bool libcxx;

	(void)style;
	if (!is_printable(v, p))
		return NULL;
	const char *name = type_qualified(p);
	if (!name || !key_of(name, key, &libcxx))
		return NULL;
	const struct printer *printer = find_printer(v, key, libcxx);
	if (!printer)
		return NULL;
	/* A stack may be said to stand over itself. */
	if (v->vs->displays == DISPLAYS_MAX)
		return NULL;
	memset(out, 0, sizeof(*out));
	v->vs->displays++;
	_err_ struct err *err = printer->display(v, a, out);
	v->vs->displays--;
	return err ? NULL : printer;
}

/* ---- how it is shown ------------------------------------------------------ */
static void
put_text(struct shower *s, const struct display *d)
{
	const struct value *first;
	_err_ struct err *err = value_target(d->text, 0, s->arena, &first);

	if (err)
		scalar_put_error(s->out, d->text, err);
	else
		chars_put_counted(s->out, first, d->text_length, s->style);
}

static void
put_child(struct shower *s, const struct display *d, const struct child *c,
	  uint64_t n)
{
	if (d->hint == DISPLAY_MAP && n % 2 == 0) {
		buf_puts(s->out, n ? ", [" : "[");
		show_value(s, c->value);
		buf_puts(s->out, "] = ");
		return;
	}
	if (d->hint != DISPLAY_MAP && n)
		buf_puts(s->out, ", ");
	if (d->hint == DISPLAY_MEMBERS && c->name)
		buf_printf(s->out, "%s = ", c->name);
	show_value(s, c->value);
}

static void
put_children(struct shower *s, const struct value *v, const struct printer *p,
	     const struct display *d)
{
	uint64_t n = 0;

	s->depth++;
	buf_putc(s->out, '{');
	for (; n < d->n_children && n < s->style->elements && !show_is_full(s);
	     n++) {
		struct child c = { 0 };
		_err_ struct err *err = p->child(v, d, n, s->arena, &c);

		s->deref = true;
		if (!err)
			put_child(s, d, &c, n);
		else
			scalar_put_error(s->out, v, err);
		if (err)
			break;
	}
	s->deref = false;
	buf_puts(s->out, n < d->n_children ? "...}" : "}");
	s->depth--;
}

/* What is in it of values is escaped, what is of names is not yet. */
static void
put_summary(struct buf *out, const char *s)
{
	while (*s) {
		size_t n = strcspn(s, "\\");

		buf_escape(out, s, n);
		s += n;
		if (*s)
			buf_putc(out, *s++);
	}
}

/* An iterator may stand at itself. */
static void
put_instead(struct shower *s, const struct value *v)
{
	if (s->instead == DISPLAYS_MAX) {
		buf_puts(s->out, "{...}");
		return;
	}
	s->instead++;
	show_value(s, v);
	s->instead--;
}

void
display_put(struct shower *s, const struct value *v, const struct printer *p,
	    const struct display *d)
{
	if (d->text) {
		put_text(s, d);
		return;
	}
	if (d->instead) {
		put_instead(s, d->instead);
		return;
	}
	if (d->summary)
		put_summary(s->out, d->summary);
	if (!d->n_children || (s->summary && d->summary))
		return;
	if (d->summary)
		buf_puts(s->out, " = ");
	put_children(s, v, p, d);
}
