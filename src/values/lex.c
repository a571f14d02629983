/* SPDX-License-Identifier: Apache-2.0 */
/* The words of an expression. */
#include "values/ast.h"

#include <stdlib.h>
#include <string.h>

struct err *
lex_error(size_t at, const char *what, ...)
{
	va_list ap;
	_buf_ struct buf b = { 0 };

	va_start(ap, what);
	buf_vprintf(&b, what, ap);
	va_end(ap);
	return err_new(ERR_USAGE, "column %zu: %s", at + 1,
		       b.data ? b.data : "");
}

static char
peek(const struct lexer *l, size_t ahead)
{
	return l->at + ahead < l->n ? l->text[l->at + ahead] : '\0';
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_name_start(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'
	       || (unsigned char)c >= 0x80;
}

static bool
is_name(char c)
{
	return is_name_start(c) || is_digit(c);
}

/* ---- operators ------------------------------------------------------------ */
static const struct op_row {
	char text[4];
	uint16_t op;
} OPS[] = {
	{ "<<=", OP_TOKEN_ASSIGN }, { ">>=", OP_TOKEN_ASSIGN },
	{ "->", OP_TOKEN_ARROW }, { "<<", OP_TOKEN_SHL },
	{ ">>", OP_TOKEN_SHR }, { "<=", OP_TOKEN_LE }, { ">=", OP_TOKEN_GE },
	{ "==", OP_TOKEN_EQ }, { "!=", OP_TOKEN_NE }, { "&&", OP_TOKEN_AND },
	{ "||", OP_TOKEN_OR }, { "::", OP_TOKEN_SCOPE },
	{ "++", OP_TOKEN_STEP }, { "--", OP_TOKEN_STEP },
	{ "+=", OP_TOKEN_ASSIGN }, { "-=", OP_TOKEN_ASSIGN },
	{ "*=", OP_TOKEN_ASSIGN }, { "/=", OP_TOKEN_ASSIGN },
	{ "%=", OP_TOKEN_ASSIGN }, { "&=", OP_TOKEN_ASSIGN },
	{ "|=", OP_TOKEN_ASSIGN }, { "^=", OP_TOKEN_ASSIGN },
	{ "=", OP_TOKEN_ASSIGN },
};

static struct err *
lex_op(struct lexer *l, struct token *t)
{
	char c = peek(l, 0);

	t->kind = T_OP;
	for (size_t n = 0; n < countof(OPS); n++) {
		size_t length = strlen(OPS[n].text);

		if (length <= l->n - l->at
		    && memcmp(l->text + l->at, OPS[n].text, length) == 0) {
			t->op = OPS[n].op;
			l->at += length;
			return NULL;
		}
	}
	if (!strchr("+-*/%&|^~!<>?:.,()[]{}@", c))
		return lex_error(l->at, "there is a character that makes no "
				 "sense in an expression");
	t->op = (uint8_t)c;
	l->at++;
	return NULL;
}

/* ---- numbers -------------------------------------------------------------- */
static int
digit_of(char c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : 99;
}

static struct err *
lex_suffix(struct lexer *l, struct token *t)
{
	for (; is_name(peek(l, 0)); l->at++) {
		char c = peek(l, 0);

		if (c == 'u' || c == 'U')
			t->is_unsigned = true;
		else if (c == 'l' || c == 'L')
			t->longs++;
		else
			return lex_error(l->at, "the number is malformed");
	}
	return NULL;
}

static struct err *
lex_real(struct lexer *l, struct token *t)
{
	char text[64];
	size_t n = 0, at = l->at;
	char *end;

	while (n < sizeof(text) - 1
	       && (is_name(peek(l, n)) || peek(l, n) == '.'
		   || ((peek(l, n) == '-' || peek(l, n) == '+') && n
		       && strchr("eE", text[n - 1])))) {
		text[n] = peek(l, n);
		n++;
	}
	text[n] = '\0';
	t->kind = T_FLOAT;
	t->real = strtod(text, &end);
	l->at += n;
	if (*end == 'f' || *end == 'F') {
		t->is_float = true;
		end++;
	}
	return *end ? lex_error(at, "the number is malformed") : NULL;
}

static bool
looks_real(const struct lexer *l)
{
	size_t n = 0;

	if (peek(l, 0) == '0' && (peek(l, 1) == 'x' || peek(l, 1) == 'X'))
		return false;
	while (is_digit(peek(l, n)))
		n++;
	return peek(l, n) == '.' || peek(l, n) == 'e' || peek(l, n) == 'E';
}

static struct err *
lex_number(struct lexer *l, struct token *t)
{
	size_t at = l->at;
	int base = 10;

	if (looks_real(l))
		return lex_real(l, t);
	t->kind = T_INT;
	if (peek(l, 0) == '0' && (peek(l, 1) == 'x' || peek(l, 1) == 'X')) {
		base = 16;
		l->at += 2;
	} else if (peek(l, 0) == '0') {
		base = 8;
	}
	t->is_hex = base != 10;
	for (; digit_of(peek(l, 0)) < base; l->at++)
		if (__builtin_mul_overflow(t->number, (uint64_t)base,
					   &t->number)
		    || !u64_add(t->number, (uint64_t)digit_of(peek(l, 0)),
				&t->number))
			return lex_error(at, "the number is too large");
	if (l->at == at + 2 && base == 16)
		return lex_error(at, "the number is malformed");
	return lex_suffix(l, t);
}

/* ---- characters and strings ----------------------------------------------- */
static char
escaped_char(char c)
{
	static const char from[] = "abfnrtve", to[] = "\a\b\f\n\r\t\v\033";
	const char *at = c ? strchr(from, c) : NULL;

	return at ? to[at - from] : c;
}

/** One character behind the quote, an escape or itself. */
static char
lex_one(struct lexer *l)
{
	unsigned v = 0;
	unsigned n = 0;

	if (peek(l, 0) != '\\')
		return l->text[l->at++];
	l->at++;
	if (peek(l, 0) == 'x') {
		for (l->at++; digit_of(peek(l, 0)) < 16 && n < 2; n++)
			v = v * 16 + (unsigned)digit_of(l->text[l->at++]);
		return (char)v;
	}
	if (digit_of(peek(l, 0)) < 8) {
		for (; digit_of(peek(l, 0)) < 8 && n < 3; n++)
			v = v * 8 + (unsigned)digit_of(l->text[l->at++]);
		return (char)v;
	}
	return l->at < l->n ? escaped_char(l->text[l->at++]) : '\\';
}

static struct err *
lex_quoted(struct lexer *l, struct token *t)
{
	size_t at = l->at;
	char quote = l->text[l->at++];
	_buf_ struct buf b = { 0 };

	buf_put(&b, "", 0);
	while (l->at < l->n && l->text[l->at] != quote)
		buf_putc(&b, lex_one(l));
	if (l->at >= l->n)
		return lex_error(at, "the quote %c does not end", quote);
	l->at++;
	t->kind = quote == '"' ? T_STRING : b.len == 1 ? T_CHAR : T_QUOTED;
	t->number = b.len == 1 ? (uint64_t)(int64_t)b.data[0] : 0;
	/* A NUL may be among them: all of them are kept, and one behind. */
	t->text = b.failed ? NULL : arena_dup(l->arena, b.data, b.len + 1);
	t->text_n = b.len;
	if (!b.len && quote == '\'')
		return lex_error(at, "there is no character in the quotes");
	return t->text ? NULL : err_nomem();
}

/* ---- names ---------------------------------------------------------------- */
static bool
is_file_char(char c)
{
	return is_name(c) || c == '.' || c == '/' || c == '-' || c == '+';
}

/** Length of "dir/file.c" where "::" follows it; else 0. */
static size_t
file_length(const struct lexer *l)
{
	size_t n = 0;
	bool dotted = false;

	for (; is_file_char(peek(l, n)); n++)
		dotted |= peek(l, n) == '.';
	return dotted && peek(l, n) == ':' && peek(l, n + 1) == ':' ? n : 0;
}

static struct err *
lex_name(struct lexer *l, struct token *t, uint8_t kind)
{
	size_t n = file_length(l);

	t->kind = n ? T_FILE : kind;
	if (!n)
		while (is_name(peek(l, n)))
			n++;
	t->text = arena_strndup(l->arena, l->text + l->at, n);
	t->text_n = n;
	l->at += n;
	return t->text ? NULL : err_nomem();
}

static struct err *
lex_register(struct lexer *l, struct token *t)
{
	size_t n = 0;

	l->at++;
	while (is_name(peek(l, n)))
		n++;
	t->kind = T_REGISTER;
	t->text = arena_strndup(l->arena, l->text + l->at, n);
	t->text_n = n;
	l->at += n;
	return t->text ? NULL : err_nomem();
}

struct err *
lex_next(struct lexer *l)
{
	struct token t = { 0 };
	struct err *err = NULL;

	while (l->at < l->n && strchr(" \t\n\r", l->text[l->at]))
		l->at++;
	t.at = l->at;
	char c = peek(l, 0);
	if (l->at == l->n)
		t.kind = T_END;
	else if (is_digit(c) || (c == '.' && is_digit(peek(l, 1))))
		err = lex_number(l, &t);
	else if (is_name_start(c))
		err = lex_name(l, &t, T_NAME);
	else if (c == '$')
		err = lex_register(l, &t);
	else if (c == '\'' || c == '"')
		err = lex_quoted(l, &t);
	else
		err = lex_op(l, &t);
	t.n = l->at - t.at;
	l->token = t;
	return err;
}

struct err *
lex_begin(struct lexer *l, const char *text, size_t at, struct arena *a)
{
	size_t n = strnlen(text, EXPR_LENGTH_MAX + 1);

	if (n > EXPR_LENGTH_MAX)
		return err_new(ERR_LIMIT, "the expression is longer than %u "
			       "bytes", EXPR_LENGTH_MAX);
	*l = (struct lexer){ .text = text, .n = n, .at = at,
			      .arena = a };
	return lex_next(l);
}
