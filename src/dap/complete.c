/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Request "completions": names that may stand at a place of an expression.
 * Columns count UTF-16 units.
 */
#include "dap/refs.h"

#include <string.h>

#define TARGETS_MAX 500u
#define TEXT_MAX 65536u
#define MODULE_VARS_MAX 20000u  /* a key is answered at once */
#define MEMBERS_MAX 10000u
#define DEPTH_MAX 8u            /* bases of bases */
#define CLASSES_MAX 4096u       /* of one object: it may be inside of itself */
#define ARENA_MAX ((size_t)256 << 20)

struct completing {
	struct dap *d;
	struct arena *arena;
	struct evaluation at;
	const char *word;               /* what is typed of the name */
	size_t word_n;
	uint64_t start, length;         /* of it, in UTF-16 units */
	const char *names[TARGETS_MAX];
	size_t n;
	unsigned classes;               /* that were looked at */
	struct json *targets;
};

/* ---- text ----------------------------------------------------------------------- */
/** Bytes of the character at @s, which is valid UTF-8. */
static size_t
char_bytes(const char *s)
{
	uint8_t c = (uint8_t)*s;

	return c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
}

/** The byte that is @units into @s, or its end. */
static size_t
bytes_of_units(const char *s, size_t n, uint64_t units)
{
	size_t at = 0;

	for (uint64_t seen = 0; at < n; at += char_bytes(s + at)) {
		seen += char_bytes(s + at) == 4 ? 2 : 1;
		if (seen > units)
			break;
	}
	return at;
}

static uint64_t
units_of_bytes(const char *s, size_t n)
{
	uint64_t units = 0;

	for (size_t at = 0; at < n; at += char_bytes(s + at))
		units += char_bytes(s + at) == 4 ? 2 : 1;
	return units;
}

static const char *
line_of(const char *text, int64_t line)
{
	for (; line > 0 && text; line--) {
		text = strchr(text, '\n');
		text = text ? text + 1 : NULL;
	}
	return text;
}

static bool
is_word_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
	       || (c >= '0' && c <= '9') || c == '_' || (uint8_t)c >= 0x80;
}

/** Where the name begins that ends at @end; "a::b" is one. */
static size_t
word_start(const char *s, size_t end)
{
	while (end && (is_word_char(s[end - 1]) || s[end - 1] == ':'))
		end--;
	return end;
}

/** Where what is in brackets, up to @end, begins; @end: nowhere. */
static size_t
bracket_start(const char *s, size_t end)
{
	size_t depth = 0;

	for (size_t at = end; at; at--) {
		char c = s[at - 1];

		depth += c == ')' || c == ']';
		if ((c == '(' || c == '[') && --depth == 0)
			return at - 1;
	}
	return end;
}

/** Where the operand begins whose member is asked for. */
static size_t
operand_start(const char *s, size_t end)
{
	size_t at = end;

	while (at) {
		char c = s[at - 1];
		size_t open = at;

		if (c == ')' || c == ']')
			open = bracket_start(s, at);
		else if (is_word_char(c) || c == '.' || c == ':' || c == '$')
			open = at - 1;
		else if (c == '>' && at > 1 && s[at - 2] == '-')
			open = at - 2;
		if (open == at)
			break;
		at = open;
	}
	return at;
}

/* ---- targets ---------------------------------------------------------------------- */
static bool
is_known(const struct completing *c, const char *name)
{
	for (size_t k = 0; k < c->n; k++)
		if (strcmp(c->names[k], name) == 0)
			return true;
	return false;
}

static void
add_target(struct completing *c, const char *name, const char *type)
{
	struct json *j;

	if (strncmp(name, c->word, c->word_n) != 0 || c->n == TARGETS_MAX
	    || is_known(c, name))
		return;
	c->names[c->n++] = name;
	j = json_object();
	json_set(j, "label", json_string(name));
	json_set(j, "type", json_string(type));
	json_set(j, "start", json_u64(c->start));
	json_set(j, "length", json_u64(c->length));
	json_add(c->targets, j);
}

static bool
is_plain(const char *name)
{
	while (is_word_char(*name))
		name++;
	return !*name;
}

static struct err *
add_members(struct completing *c, const struct value *v, unsigned depth)
{
	struct value_style style = { .raw = true, .object = true };
	struct children list = { 0 };
	struct opened o;

	struct err *err = inside_open(v, &style, c->arena, &o);
	if (err || !o.inner || o.in.indexed || depth == DEPTH_MAX
	    || c->classes++ >= CLASSES_MAX)
		return err;
	err = value_children(o.inner, &style, 0, MEMBERS_MAX, c->arena, &list);
	for (size_t k = 0; k < list.n && !err; k++) {
		const struct child *child = &list.list[k];
		bool member = child->kind == CHILD_MEMBER
			      || child->kind == CHILD_STATIC;

		if (member && is_plain(child->name))
			add_target(c, child->name, "field");
		else if (member || child->kind == CHILD_BASE)
			err = add_members(c, child->value, depth + 1);
	}
	return err;
}

static void
add_registers(struct completing *c)
{
	size_t n;
	const struct reg *regs = insp_regs(c->d->shown.insp, &n);

	for (size_t k = 0; k < n; k++)
		add_target(c, regs[k].name, "variable");
}

static struct err *
add_vars(struct completing *c, const struct var *vars, size_t n)
{
	for (size_t k = 0; k < n && c->n < TARGETS_MAX; k++) {
		const struct var *v = &vars[k];
		const char *name = v->name;

		if (v->flags & VAR_ENTRY)
			continue;
		if (v->kind > VAR_STATIC && v->prefix && *v->prefix)
			name = arena_printf(c->arena, "%s::%s", v->prefix,
					    name);
		if (!name)
			return err_nomem();
		add_target(c, name, "variable");
	}
	return NULL;
}

/* In a method its object's members have no name before them. */
static struct err *
add_own_members(struct completing *c)
{
	struct value_style style = VALUE_STYLE;
	const struct value *v;
	_err_ struct err *none = values_eval(c->d->shown.values, c->at.scope,
					     "this", &style, c->arena, &v);

	return none ? NULL : add_members(c, v, 0);
}

/* What is near comes first. */
static struct err *
add_names(struct completing *c)
{
	const struct scope *s = c->at.scope;
	const struct var *vars = NULL;
	size_t n = 0;

	if (!s)
		return NULL;
	struct err *err = scope_vars(s, c->arena, &vars, &n);
	if (!err)
		err = add_vars(c, vars, n);
	if (!err)
		err = add_own_members(c);
	if (!err)
		err = scope_file_vars(s, c->arena, &vars, &n);
	if (!err)
		err = add_vars(c, vars, n);
	if (err || s->module == INSP_NONE || !c->word_n)
		return err;
	err = values_module_vars(c->d->shown.values, s->module,
				 MODULE_VARS_MAX, c->arena, &vars, &n);
	return err ? err : add_vars(c, vars, n);
}

/* ---- which of them ------------------------------------------------------------------- */
static struct err *
add_of_operand(struct completing *c, const char *s, size_t end)
{
	size_t from = operand_start(s, end);
	char *text = arena_strndup(c->arena, s + from, end - from);
	struct value_style style = VALUE_STYLE;
	const struct value *v;

	if (!text)
		return err_nomem();
	_err_ struct err *none = values_eval(c->d->shown.values, c->at.scope,
					     text, &style, c->arena, &v);
	return none ? NULL : add_members(c, v, 0);
}

static struct err *
complete_at(struct completing *c, const char *s, size_t cursor)
{
	size_t start = word_start(s, cursor);

	c->word = s + start;
	c->word_n = cursor - start;
	c->start = units_of_bytes(s, start) + !c->d->columns_from_0;
	c->length = units_of_bytes(c->word, c->word_n);
	if (start && s[start - 1] == '$') {
		add_registers(c);
		return NULL;
	}
	if (start && s[start - 1] == '.')
		return add_of_operand(c, s, start - 1);
	if (start > 1 && s[start - 1] == '>' && s[start - 2] == '-')
		return add_of_operand(c, s, start - 2);
	return add_names(c);
}

static struct err *
complete_text(struct completing *c, const struct json *arguments)
{
	const struct arg_bounds columns = { !c->d->columns_from_0, INT32_MAX,
					    !c->d->columns_from_0 };
	const struct arg_bounds lines = { !c->d->lines_from_0, INT32_MAX,
					  !c->d->lines_from_0 };
	int64_t column, line;
	const char *text;

	struct err *err = arg_string(arguments, "text", true, &text);
	if (!err)
		err = arg_number(arguments, "column", &columns, &column);
	if (!err)
		err = arg_number(arguments, "line", &lines, &line);
	if (!err)
		err = evaluate_where(c->d, arguments, &c->at);
	if (!err && strlen(text) > TEXT_MAX)
		err = err_new(ERR_LIMIT, "\"text\" has at most %u bytes",
			      TEXT_MAX);
	if (err)
		return err;
	text = line_of(text, line - lines.min);
	if (!text)
		return NULL;
	size_t n = strcspn(text, "\n");
	return complete_at(c, text, bytes_of_units(
			text, n, (uint64_t)(column - columns.min)));
}

struct err *
complete_answer(struct dap *d, const struct json *arguments,
		struct json **body)
{
	_arena_ struct arena *a = arena_new(ARENA_MAX);
	struct completing *c = a ? arena_alloc(a, sizeof(*c)) : NULL;

	if (!c)
		return err_nomem();
	c->d = d;
	c->arena = a;
	c->targets = json_array();
	struct err *err = complete_text(c, arguments);
	if (err) {
		json_free(c->targets);
		return err;
	}
	*body = json_object();
	json_set(*body, "targets", c->targets);
	return NULL;
}
