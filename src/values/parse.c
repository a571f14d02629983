/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Expressions: from words to a tree, by precedence. What a name means is
 * looked up as it is met, since "(a) -1" depends on it.
 */
#include "values/ast.h"

#include <assert.h>
#include <string.h>

#define QUALIFIERS_MAX 32u

static struct err *parse_at(struct parser *p, unsigned level,
			    const struct node **out);
static struct err *parse_unary(struct parser *p, const struct node **out);

/* ---- helpers -------------------------------------------------------------- */
static bool
is_op(const struct parser *p, uint16_t op)
{
	return p->lex.token.kind == T_OP && p->lex.token.op == op;
}

static struct err *
error_here(const struct parser *p, const char *what)
{
	const struct token *t = &p->lex.token;

	if (t->kind == T_END)
		return lex_error(t->at, "the expression ends where %s", what);
	return lex_error(t->at, "there is \"%.*s\" where %s", (int)t->n,
			 p->lex.text + t->at, what);
}

static struct err *
expect(struct parser *p, uint16_t op, const char *what)
{
	return is_op(p, op) ? lex_next(&p->lex) : error_here(p, what);
}

static struct err *
new_node(struct parser *p, uint8_t kind, struct node **out)
{
	struct node *n = arena_alloc(p->arena, sizeof(*n));

	if (!n)
		return err_nomem();
	if (++p->nodes > EXPR_NODES_MAX)
		return err_new(ERR_LIMIT, "the expression has more than %u "
			       "parts", EXPR_NODES_MAX);
	n->kind = kind;
	n->at = p->lex.token.at;
	*out = n;
	return NULL;
}

static struct err *
value_node(struct parser *p, const struct value *v, size_t at,
	   const struct node **out)
{
	struct node *n = NULL;
	struct err *err = new_node(p, N_VALUE, &n);

	if (err)
		return err;
	n->value = v;
	n->at = at;
	*out = n;
	return NULL;
}

/* ---- types ---------------------------------------------------------------- */
/** Words of C's own types, and what a set of them means. */
enum word { W_INT = 1, W_CHAR = 2, W_SHORT = 4, W_LONG = 8, W_LONG2 = 16,
	    W_SIGNED = 32, W_UNSIGNED = 64, W_FLOAT = 128, W_DOUBLE = 256,
	    W_VOID = 512, W_BOOL = 1024, W_QUALIFIER = 2048,
	    W_TAG = 4096 };

static unsigned
word_of(const struct token *t)
{
	static const struct {
		const char *text;
		unsigned word;
	} rows[] = {
		{ "int", W_INT }, { "char", W_CHAR }, { "short", W_SHORT },
		{ "long", W_LONG }, { "signed", W_SIGNED },
		{ "unsigned", W_UNSIGNED }, { "float", W_FLOAT },
		{ "double", W_DOUBLE }, { "void", W_VOID },
		{ "bool", W_BOOL }, { "_Bool", W_BOOL },
		{ "const", W_QUALIFIER }, { "volatile", W_QUALIFIER },
		{ "struct", W_TAG }, { "union", W_TAG }, { "enum", W_TAG },
		{ "class", W_TAG },
	};

	for (size_t n = 0; t->kind == T_NAME && n < countof(rows); n++)
		if (strcmp(rows[n].text, t->text) == 0)
			return rows[n].word;
	return 0;
}

static const struct type *
type_of_words(struct values *vs, unsigned w)
{
	static const struct {
		unsigned words;
		const char *name;
		uint8_t encoding, size;
	} rows[] = {
		{ W_CHAR, "char", ATE_SIGNED_CHAR, 1 },
		{ W_CHAR | W_SIGNED, "signed char", ATE_SIGNED_CHAR, 1 },
		{ W_CHAR | W_UNSIGNED, "unsigned char", ATE_UNSIGNED_CHAR,
		  1 },
		{ W_SHORT, "short", ATE_SIGNED, 2 },
		{ W_SHORT | W_UNSIGNED, "unsigned short", ATE_UNSIGNED, 2 },
		{ 0, "int", ATE_SIGNED, 4 },
		{ W_UNSIGNED, "unsigned int", ATE_UNSIGNED, 4 },
		{ W_LONG, "long", ATE_SIGNED, 8 },
		{ W_LONG | W_UNSIGNED, "unsigned long", ATE_UNSIGNED, 8 },
		{ W_LONG2, "long long", ATE_SIGNED, 8 },
		{ W_LONG2 | W_UNSIGNED, "unsigned long long", ATE_UNSIGNED,
		  8 },
		{ W_FLOAT, "float", ATE_FLOAT, 4 },
		{ W_DOUBLE, "double", ATE_FLOAT, 8 },
		{ W_LONG | W_DOUBLE, "long double", ATE_FLOAT, 16 },
		{ W_BOOL, "bool", ATE_BOOLEAN, 1 },
	};

	w &= ~(unsigned)(W_INT | W_QUALIFIER);
	if (w != (W_CHAR | W_SIGNED))
		w &= ~(unsigned)W_SIGNED;
	if (w & W_LONG2)
		w &= ~(unsigned)W_LONG;
	for (size_t n = 0; n < countof(rows); n++)
		if (rows[n].words == w)
			return type_basic(vs, rows[n].name, rows[n].encoding,
					  rows[n].size);
	return NULL;
}

/** The balanced "<…>" at the lexer's place: its length, or 0. */
static size_t
template_length(const struct lexer *l)
{
	size_t n = l->token.at + l->token.n;
	size_t from = n;
	unsigned depth = 0;

	if (n >= l->n || l->text[n] != '<')
		return 0;
	for (; n < l->n; n++) {
		char c = l->text[n];

		depth += c == '<';
		depth -= c == '>';
		if (depth == 0)
			return n + 1 - from;
		if (strchr("=;\"|", c))
			return 0;
	}
	return 0;
}

/* "map<int,int>" is told as compilers write it: ", " and "> >". */
static void
put_canonical(struct buf *b, const char *s, size_t n)
{
	for (size_t k = 0; k < n; k++) {
		char last = b->len ? b->data[b->len - 1] : ' ';

		if (s[k] == ' ' && (last == ' ' || last == '<' || k + 1 == n
				    || strchr(",> ", s[k + 1])))
			continue;
		if (s[k] == '>' && last == '>')
			buf_putc(b, ' ');
		buf_putc(b, s[k]);
		if (s[k] == ',' && k + 1 < n && s[k + 1] != ' ')
			buf_putc(b, ' ');
	}
}

/**
 * A qualified name from the name at hand: "a::b<c>::d". Template arguments are
 * taken where they follow at once and make a name that is known.
 */
static struct err *
qualified_name(struct parser *p, struct buf *name)
{
	struct lexer *l = &p->lex;

	for (unsigned n = 0; n < QUALIFIERS_MAX; n++) {
		if (l->token.kind != T_NAME)
			return error_here(p, "a name is wanted");
		buf_puts(name, l->token.text);
		size_t arguments = template_length(l);
		if (arguments) {
			_buf_ struct buf whole = { 0 };
			size_t after = l->token.at + l->token.n;

			buf_put(&whole, name->data, name->len);
			put_canonical(&whole, l->text + after, arguments);
			if (whole.data && (names_type(p, whole.data)
			    || strncmp(l->text + after + arguments, "::", 2)
			       == 0)) {
				buf_reset(name);
				buf_puts(name, whole.data);
				l->at = after + arguments;
			}
		}
		struct err *err = lex_next(l);
		if (err)
			return err;
		if (!is_op(p, OP_TOKEN_SCOPE))
			return NULL;
		buf_puts(name, "::");
		err = lex_next(l);
		if (err)
			return err;
	}
	return err_new(ERR_LIMIT, "a name of more than %u parts",
		       QUALIFIERS_MAX);
}

/** "*", "&" and "const": so many pointers. */
static struct err *
parse_stars(struct parser *p, unsigned *stars)
{
	struct err *err = NULL;

	for (unsigned n = 0; !err && n < QUALIFIERS_MAX; n++) {
		bool star = is_op(p, '*') || is_op(p, '&');

		if (!star && word_of(&p->lex.token) != W_QUALIFIER)
			break;
		*stars += star;
		err = lex_next(&p->lex);
	}
	return err;
}

/** "[3][4]" of @t: three arrays of four. */
static struct err *
parse_dimensions(struct parser *p, const struct type **t)
{
	uint64_t counts[DIMENSIONS_MAX];
	unsigned n = 0;
	struct err *err = NULL;

	while (!err && is_op(p, '[') && n < DIMENSIONS_MAX) {
		err = lex_next(&p->lex);
		if (!err && p->lex.token.kind != T_INT)
			return error_here(p, "a number of elements is wanted");
		counts[n++] = p->lex.token.number;
		if (!err)
			err = lex_next(&p->lex);
		if (!err)
			err = expect(p, ']', "a \"]\" is wanted");
	}
	while (!err && n) {
		*t = type_array_of(p->vs, *t, counts[--n]);
		err = *t ? NULL : types_spent(p->vs);
	}
	return err;
}

static struct err *
point_to(struct parser *p, unsigned stars, const struct type **t)
{
	for (; stars; stars--) {
		*t = type_pointer_to(p->vs, *t);
		if (!*t)
			return types_spent(p->vs);
	}
	return NULL;
}

/** "(*)": of what stands behind it, a pointer. */
static struct err *
parse_inner(struct parser *p, unsigned *stars)
{
	const struct lexer before = p->lex;
	struct err *err;

	if (!is_op(p, '('))
		return NULL;
	err = lex_next(&p->lex);
	if (!err && !is_op(p, '*') && !is_op(p, '&')) {
		p->lex = before;
		return NULL;
	}
	if (!err)
		err = parse_stars(p, stars);
	return err ? err : expect(p, ')', "a \")\" is wanted");
}

/** "*", "&", "const", "[4]", "(*)[4]" behind a type's name. */
static struct err *
parse_declarator(struct parser *p, const struct type **t)
{
	unsigned outer = 0, inner = 0;
	struct err *err = parse_stars(p, &outer);

	if (!err)
		err = point_to(p, outer, t);
	if (!err)
		err = parse_inner(p, &inner);
	if (!err)
		err = parse_dimensions(p, t);
	return err ? err : point_to(p, inner, t);
}

static struct err *
parse_words(struct parser *p, const struct type **out, bool *out_is)
{
	unsigned words = 0, word;
	struct err *err = NULL;
	size_t at = p->lex.token.at;

	while (!err && (word = word_of(&p->lex.token)) && word != W_TAG) {
		words |= word == W_LONG && words & W_LONG ? W_LONG2 : word;
		err = lex_next(&p->lex);
	}
	if (err)
		return err;
	if (words == 0 || words == W_QUALIFIER)
		return NULL;
	*out_is = true;
	*out = words & W_VOID ? NULL : type_of_words(p->vs, words);
	return *out || words & W_VOID ? NULL
	       : lex_error(at, "there is no such type");
}

/* A name of the program: struct node, ns::cls, a typedef. */
static struct err *
parse_named(struct parser *p, const struct type **out, bool *out_is)
{
	bool tag = word_of(&p->lex.token) == W_TAG;
	struct parser before = *p;
	_buf_ struct buf name = { 0 };
	struct err *err = tag ? lex_next(&p->lex) : NULL;

	if (!err && is_op(p, OP_TOKEN_SCOPE))
		err = lex_next(&p->lex);
	if (!err && p->lex.token.kind != T_NAME && !tag)
		return NULL;
	if (!err)
		err = qualified_name(p, &name);
	if (err && !tag && err_kind(err) == ERR_USAGE) {
		err_free(err);
		*p = before;
		return NULL;
	}
	if (err)
		return err;
	*out = name.data ? names_type(p, name.data) : NULL;
	*out_is = *out;
	if (*out)
		return NULL;
	if (tag)
		return lex_error(before.lex.token.at, "there is no type %s",
				 name.data ? name.data : "");
	p->lex = before.lex;
	return NULL;
}

struct err *
parse_type(struct parser *p, const struct type **out, bool *out_is)
{
	struct err *err;

	*out_is = false;
	*out = NULL;
	err = parse_words(p, out, out_is);
	if (!err && !*out_is)
		err = parse_named(p, out, out_is);
	return err || !*out_is ? err : parse_declarator(p, out);
}

/* ---- operands ------------------------------------------------------------- */
static struct err *
int_literal(struct parser *p, const struct token *t, const struct value **out)
{
	bool is_long = t->longs || t->number > UINT32_MAX
		       || (!t->is_hex && !t->is_unsigned
			   && t->number > INT32_MAX);
	bool is_unsigned = t->is_unsigned || t->number > INT64_MAX
			   || (!is_long && t->number > INT32_MAX);
	const struct type *type = arith_int(p->vs, is_unsigned, is_long);

	return type ? value_of_u64(p->vs, type, t->number, p->arena, out)
	       : err_nomem();
}

static struct err *
real_literal(struct parser *p, const struct token *t, const struct value **out)
{
	float f = (float)t->real;
	const struct type *type = t->is_float ?
		type_basic(p->vs, "float", ATE_FLOAT, 4) :
		type_basic(p->vs, "double", ATE_FLOAT, 8);

	if (!type)
		return err_nomem();
	return value_of_bytes(p->vs, type, t->is_float ? (const void *)&f :
			      (const void *)&t->real, t->is_float ? 4 : 8,
			      p->arena, out);
}

static struct err *
text_literal(struct parser *p, const struct token *t, const struct value **out)
{
	const struct type *one = type_basic(p->vs, "char", ATE_SIGNED_CHAR, 1);

	if (!one)
		return err_nomem();
	if (t->kind == T_CHAR)
		return value_of_u64(p->vs, one, t->number, p->arena, out);
	const struct type *array = type_array_of(p->vs, one, t->text_n + 1);
	return array ? value_of_bytes(p->vs, array, t->text, t->text_n + 1,
				      p->arena, out) : types_spent(p->vs);
}

static struct err *
literal(struct parser *p, const struct node **out)
{
	const struct token t = p->lex.token;
	const struct value *v;
	struct err *err = t.kind == T_INT ? int_literal(p, &t, &v)
			  : t.kind == T_FLOAT ? real_literal(p, &t, &v)
			  : t.kind == T_REGISTER ?
			    names_register(p, t.text, &v)
			  : text_literal(p, &t, &v);

	if (!err)
		err = lex_next(&p->lex);
	return err ? err : value_node(p, v, t.at, out);
}

/* file.c::name and 'file.c'::name; 'name' alone is a name. */
static struct err *
in_file(struct parser *p, const struct node **out)
{
	const struct token file = p->lex.token;
	_buf_ struct buf name = { 0 };
	const struct value *v;
	struct err *err = lex_next(&p->lex);

	if (!err && file.kind == T_QUOTED && !is_op(p, OP_TOKEN_SCOPE)) {
		err = names_value(p, file.text, &v);
		return err ? err : value_node(p, v, file.at, out);
	}
	if (!err)
		err = expect(p, OP_TOKEN_SCOPE, "\"::\" is wanted");
	if (!err)
		err = qualified_name(p, &name);
	if (!err)
		err = names_in_file(p, file.text, name.data, &v);
	return err ? err : value_node(p, v, file.at, out);
}

static struct err *
named(struct parser *p, const struct node **out)
{
	size_t at = p->lex.token.at;
	_buf_ struct buf name = { 0 };
	const struct value *v;
	struct err *err = is_op(p, OP_TOKEN_SCOPE) ? lex_next(&p->lex) : NULL;

	if (!err)
		err = qualified_name(p, &name);
	if (!err)
		err = names_value(p, name.data ? name.data : "", &v);
	if (!err && is_op(p, '('))
		return lex_error(at, "functions are not called: the program "
				 "does not run");
	return err ? err : value_node(p, v, at, out);
}

/* A cast, or an expression in parentheses. */
static struct err *
parenthesised(struct parser *p, const struct node **out)
{
	const struct type *t;
	struct node *n = NULL;
	bool is_type;
	struct err *err = new_node(p, N_CAST, &n);

	if (!err)
		err = lex_next(&p->lex);
	if (!err)
		err = parse_type(p, &t, &is_type);
	if (!err && !is_type) {
		err = parse_at(p, 0, out);
		return err ? err : expect(p, ')', "a \")\" is wanted");
	}
	if (!err)
		err = expect(p, ')', "a \")\" is wanted");
	if (!err)
		err = parse_unary(p, &n->a);
	if (err)
		return err;
	n->type = t;
	*out = n;
	return NULL;
}

static struct err *
primary(struct parser *p, const struct node **out)
{
	switch (p->lex.token.kind) {
	case T_INT:
	case T_FLOAT:
	case T_CHAR:
	case T_STRING:
	case T_REGISTER:
		return literal(p, out);
	case T_QUOTED:
	case T_FILE:
		return in_file(p, out);
	case T_NAME:
		return named(p, out);
	default:
		if (is_op(p, OP_TOKEN_SCOPE))
			return named(p, out);
		if (is_op(p, '('))
			return parenthesised(p, out);
		return error_here(p, "a value is wanted");
	}
}

/* ---- what follows an operand ---------------------------------------------- */
static struct err *
member(struct parser *p, const struct node *a, const struct node **out)
{
	struct node *n = NULL;
	struct err *err = new_node(p, is_op(p, '.') ? N_MEMBER : N_ARROW, &n);

	if (!err)
		err = lex_next(&p->lex);
	if (!err && p->lex.token.kind != T_NAME)
		err = error_here(p, "a member's name is wanted");
	if (err)
		return err;
	assert(n);
	n->a = a;
	n->name = p->lex.token.text;
	*out = n;
	return lex_next(&p->lex);
}

static struct err *
subscript(struct parser *p, const struct node *a, const struct node **out)
{
	struct node *n = NULL;
	struct err *err = new_node(p, N_INDEX, &n);

	if (!err)
		err = lex_next(&p->lex);
	if (!err)
		err = parse_at(p, 0, &n->b);
	if (!err)
		err = expect(p, ']', "a \"]\" is wanted");
	if (err)
		return err;
	assert(n);
	n->a = a;
	*out = n;
	return NULL;
}

static struct err *
postfix(struct parser *p, const struct node **out)
{
	struct err *err = primary(p, out);

	while (!err) {
		if (is_op(p, '.') || is_op(p, OP_TOKEN_ARROW))
			err = member(p, *out, out);
		else if (is_op(p, '['))
			err = subscript(p, *out, out);
		else if (is_op(p, OP_TOKEN_STEP))
			return error_here(p, "nothing can be changed");
		else
			break;
	}
	return err;
}

static struct err *
size_of(struct parser *p, const struct node **out)
{
	struct node *n = NULL;
	struct parser before;
	const struct type *t;
	bool is_type = false;
	struct err *err = new_node(p, N_SIZE, &n);

	if (!err)
		err = lex_next(&p->lex);
	before = *p;
	if (!err && is_op(p, '(')) {
		err = lex_next(&p->lex);
		if (!err)
			err = parse_type(p, &t, &is_type);
		if (!err && is_type)
			err = expect(p, ')', "a \")\" is wanted");
		else if (!err)
			*p = before;
	}
	if (!err && is_type) {
		n->kind = N_TYPE_SIZE;
		n->type = t;
	} else if (!err) {
		err = parse_unary(p, &n->a);
	}
	*out = n;
	return err;
}

/* gdb's {type} address. */
static struct err *
at_address(struct parser *p, const struct node **out)
{
	struct node *cast, *deref;
	const struct type *t;
	bool is_type = false;
	struct err *err = new_node(p, N_CAST, &cast);

	if (!err)
		err = new_node(p, N_UNARY, &deref);
	if (!err)
		err = lex_next(&p->lex);
	if (!err)
		err = parse_type(p, &t, &is_type);
	if (!err && !is_type)
		err = error_here(p, "a type is wanted");
	if (!err)
		err = expect(p, '}', "a \"}\" is wanted");
	if (!err)
		err = parse_unary(p, &cast->a);
	if (err)
		return err;
	cast->type = type_pointer_to(p->vs, t);
	deref->op = '*';
	deref->a = cast;
	*out = deref;
	return cast->type ? NULL : types_spent(p->vs);
}

static bool
is_sizeof(const struct parser *p)
{
	return p->lex.token.kind == T_NAME
	       && strcmp(p->lex.token.text, "sizeof") == 0;
}

static struct err *
unary_op(struct parser *p, const struct node **out)
{
	struct node *n = NULL;
	struct err *err = new_node(p, N_UNARY, &n);

	if (err)
		return err;
	n->op = p->lex.token.op;
	err = lex_next(&p->lex);
	if (!err)
		err = parse_unary(p, &n->a);
	*out = n;
	return err;
}

static struct err *
parse_unary(struct parser *p, const struct node **out)
{
	struct err *err;

	if (++p->depth > EXPR_DEPTH_MAX)
		return err_new(ERR_LIMIT, "the expression is nested more than "
			       "%u deep", EXPR_DEPTH_MAX);
	if (is_op(p, '{'))
		err = at_address(p, out);
	else if (is_sizeof(p))
		err = size_of(p, out);
	else if (is_op(p, OP_TOKEN_STEP))
		err = error_here(p, "nothing can be changed");
	else if (p->lex.token.kind == T_OP && p->lex.token.op < 128
		 && strchr("*&-+!~", p->lex.token.op))
		err = unary_op(p, out);
	else
		err = postfix(p, out);
	p->depth--;
	return err;
}

/* ---- binary operators ----------------------------------------------------- */
/** Loosest first: an operator binds what is tighter than its row. */
static const uint16_t LEVELS[][5] = {
	{ OP_TOKEN_OR }, { OP_TOKEN_AND }, { '|' }, { '^' }, { '&' },
	{ OP_TOKEN_EQ, OP_TOKEN_NE }, { '<', '>', OP_TOKEN_LE, OP_TOKEN_GE },
	{ OP_TOKEN_SHL, OP_TOKEN_SHR }, { '@' }, { '+', '-' },
	{ '*', '/', '%' },
};

static bool
is_in(const struct parser *p, const uint16_t *ops)
{
	for (unsigned n = 0; n < 5 && ops[n]; n++)
		if (is_op(p, ops[n]))
			return true;
	return false;
}

static uint8_t
kind_of_op(uint16_t op)
{
	if (op == OP_TOKEN_AND)
		return N_AND;
	if (op == OP_TOKEN_OR)
		return N_OR;
	return op == '@' ? N_AT : N_BINARY;
}

static struct err *
parse_binary(struct parser *p, unsigned level, const struct node **out)
{
	if (level == countof(LEVELS))
		return parse_unary(p, out);
	struct err *err = parse_binary(p, level + 1, out);
	while (!err && is_in(p, LEVELS[level])) {
		struct node *n = NULL;

		err = new_node(p, kind_of_op(p->lex.token.op), &n);
		if (err)
			return err;
		assert(n);
		n->op = p->lex.token.op;
		n->a = *out;
		err = lex_next(&p->lex);
		if (!err)
			err = parse_binary(p, level + 1, &n->b);
		*out = n;
	}
	return err;
}

static struct err *
parse_choice(struct parser *p, const struct node **out)
{
	struct node *n = NULL;
	struct err *err = new_node(p, N_CHOICE, &n);

	if (err)
		return err;
	n->a = *out;
	err = lex_next(&p->lex);
	if (!err)
		err = parse_at(p, 0, &n->b);
	if (!err)
		err = expect(p, ':', "a \":\" is wanted");
	if (!err)
		err = parse_at(p, 0, &n->c);
	*out = n;
	return err;
}

static struct err *
parse_at(struct parser *p, unsigned level, const struct node **out)
{
	if (++p->depth > EXPR_DEPTH_MAX)
		return err_new(ERR_LIMIT, "the expression is nested more than "
			       "%u deep", EXPR_DEPTH_MAX);
	struct err *err = parse_binary(p, level, out);
	if (!err && is_op(p, '?'))
		err = parse_choice(p, out);
	if (!err && is_op(p, OP_TOKEN_ASSIGN))
		err = error_here(p, "nothing can be changed");
	p->depth--;
	return err;
}

struct err *
parse_expression(struct parser *p, const struct node **out)
{
	struct err *err = parse_at(p, 0, out);

	if (!err && p->lex.token.kind != T_END)
		err = error_here(p, "the expression should end");
	return err;
}
