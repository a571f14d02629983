/* SPDX-License-Identifier: Apache-2.0 */
/* Fortran: arrays and structures in parentheses, .TRUE., 'text'. */
#include "values/show.h"

#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 65536u

static void
put_logical(struct shower *s, const struct value *v)
{
	uint64_t number;
	_err_ struct err *err = value_u64(v, &number);

	if (err)
		scalar_put_error(s->out, v, err);
	else if (number < 2)
		buf_puts(s->out, number ? ".TRUE." : ".FALSE.");
	else
		buf_printf(s->out, "%llu", (unsigned long long)number);
}

static void
put_complex(struct shower *s, const struct value *v, const struct type *p)
{
	uint64_t half = p->size / 2;
	uint8_t bytes[32];
	_err_ struct err *err = p->size > sizeof(bytes) ?
		err_new(ERR_UNSUPPORTED, "too wide") :
		value_read(v, 0, p->size, bytes);

	if (err) {
		scalar_put_error(s->out, v, err);
		return;
	}
	buf_putc(s->out, '(');
	float_put(s->out, bytes, half, half == 16);
	buf_putc(s->out, ',');
	float_put(s->out, bytes + half, half, half == 16);
	buf_putc(s->out, ')');
}

static void
put_text(struct shower *s, const struct value *v)
{
	uint64_t size = value_size(v);
	size_t n = size < TEXT_MAX ? size : TEXT_MAX;
	_free_ uint8_t *bytes = malloc(n + 1);
	_err_ struct err *err = bytes ? value_read(v, 0, n, bytes)
				: err_nomem();
	struct chars c = { .data = bytes, .n = n, .width = 1, .quote = '\'',
			   .more = n < size, .keeps_null = true };

	if (err)
		scalar_put_error(s->out, v, err);
	else
		chars_put_string(s->out, &c, s->style);
}

/* Rows stand side by side, elements have commas. */
static void
put_array(struct shower *s, const struct value *v, const struct type *p)
{
	const char *between = s->between;
	uint64_t count = 0;

	if (s->summary && s->depth) {
		buf_puts(s->out, "(...)");
		return;
	}
	value_count(v, &count);
	s->between = p->first + 1 < p->sym->n_dimensions ? " " : NULL;
	s->depth++;
	buf_putc(s->out, '(');
	show_elements_of(s, v, count);
	buf_putc(s->out, ')');
	s->depth--;
	s->between = between;
}

static void
put_structure(struct shower *s, const struct value *v, const struct type *p)
{
	if (s->summary && s->depth) {
		buf_puts(s->out, "( ... )");
		return;
	}
	s->depth++;
	buf_puts(s->out, "( ");
	for (size_t n = 0; n < p->sym->n_members && !show_is_full(s); n++) {
		const char *name = type_string(p, p->sym->members[n].name);
		const struct value *m;
		_err_ struct err *err = value_nth_member(v, n, s->arena, &m);

		buf_puts(s->out, n ? ", " : "");
		if (name) {
			buf_escape(s->out, name, strlen(name));
			buf_puts(s->out, " = ");
		}
		if (err)
			scalar_put_error(s->out, v, err);
		else
			show_value(s, m);
	}
	buf_puts(s->out, " )");
	s->depth--;
}

bool
fortran_put(struct shower *s, const struct value *v)
{
	const struct type *p = type_plain(v->type);

	if (!p || p->lang != LANG_IS_FORTRAN || s->style->format)
		return false;
	if (type_kind(p) == SYM_TYPE_STRING)
		put_text(s, v);
	else if (type_kind(p) == SYM_TYPE_ARRAY)
		put_array(s, v, p);
	else if (type_is_class(p))
		put_structure(s, v, p);
	else if (type_kind(p) == SYM_TYPE_BASE
		 && p->sym->encoding == ATE_BOOLEAN)
		put_logical(s, v);
	else if (type_kind(p) == SYM_TYPE_BASE
		 && p->sym->encoding == ATE_COMPLEX_FLOAT)
		put_complex(s, v, p);
	else
		return false;
	return true;
}
