/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Source text as words, and those of the statements that stand on a line.
 */
#include "analysis/source.h"

#include <string.h>

#define WORD_LENGTH_MAX 200u
#define DEPTH_MAX 64u

struct scan {
	const char *text;
	size_t n, at, line_start;
	uint32_t line;
	bool fresh;             /* nothing but blanks on this line yet */
};

bool
word_is(const struct word *w, const char *text)
{
	return w->n == strlen(text) && memcmp(w->at, text, w->n) == 0;
}

static char
peek(const struct scan *s, size_t ahead)
{
	return s->at + ahead < s->n ? s->text[s->at + ahead] : '\0';
}

static void
step(struct scan *s)
{
	if (s->text[s->at++] == '\n') {
		s->line++;
		s->line_start = s->at;
		s->fresh = true;
	}
}

static bool
is_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'
	       || (c >= '0' && c <= '9') || (unsigned char)c >= 0x80;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* ---- what is between words ----------------------------------------------- */
static bool
skip_spliced(struct scan *s)
{
	if (peek(s, 0) != '\\')
		return false;
	size_t ahead = peek(s, 1) == '\r' ? 2 : 1;
	if (peek(s, ahead) != '\n')
		return false;
	for (size_t k = 0; k <= ahead; k++)
		step(s);
	return true;
}

static bool
skip_comment(struct scan *s)
{
	if (peek(s, 0) != '/' || (peek(s, 1) != '/' && peek(s, 1) != '*'))
		return false;
	bool to_line_end = peek(s, 1) == '/';
	s->at += 2;
	while (s->at < s->n) {
		if (skip_spliced(s))
			continue;
		if (to_line_end && peek(s, 0) == '\n')
			return true;
		if (!to_line_end && peek(s, 0) == '*' && peek(s, 1) == '/') {
			s->at += 2;
			return true;
		}
		step(s);
	}
	return true;
}

/** A directive, to the end of its last line. */
static void
skip_directive(struct scan *s)
{
	while (s->at < s->n && peek(s, 0) != '\n')
		if (!skip_spliced(s) && !skip_comment(s))
			step(s);
}

static void
skip_blank(struct scan *s)
{
	while (s->at < s->n) {
		if (skip_spliced(s) || skip_comment(s))
			continue;
		if (!strchr(" \t\r\n\v\f", peek(s, 0)))
			return;
		step(s);
	}
}

/* ---- words ---------------------------------------------------------------- */
/** Of R"tag( … )tag", behind the R; 0: it is none. */
static bool
skip_raw(struct scan *s)
{
	const char *tag = s->text + s->at + 1;
	size_t left = s->n - s->at - 1, n = 0;

	while (n < left && n <= 16 && tag[n] != '(')
		n++;
	if (n >= left || n > 16)
		return false;
	s->at += n + 2;
	for (; s->at < s->n; step(s))
		if (peek(s, 0) == ')' && s->n - s->at >= n + 2
		    && memcmp(s->text + s->at + 1, tag, n) == 0
		    && peek(s, n + 1) == '"') {
			s->at += n + 2;
			return true;
		}
	return true;
}

static void
skip_quoted(struct scan *s)
{
	char quote = peek(s, 0);

	for (step(s); s->at < s->n && peek(s, 0) != quote; step(s)) {
		if (peek(s, 0) == '\n')
			return;
		if (peek(s, 0) == '\\' && s->at + 1 < s->n)
			step(s);
	}
	if (s->at < s->n)
		step(s);
}

static bool
is_prefix(const char *at, size_t n, bool *raw)
{
	static const char *const prefixes[] = {
		"L", "u", "U", "u8", "R", "LR", "uR", "UR", "u8R",
	};

	*raw = n && at[n - 1] == 'R';
	for (size_t k = 0; k < countof(prefixes); k++)
		if (strlen(prefixes[k]) == n && !memcmp(prefixes[k], at, n))
			return true;
	return false;
}

static uint8_t
scan_name(struct scan *s)
{
	size_t from = s->at;
	bool raw;

	while (is_name(peek(s, 0)))
		s->at++;
	if ((peek(s, 0) != '"' && peek(s, 0) != '\'')
	    || !is_prefix(s->text + from, s->at - from, &raw))
		return WORD_NAME;
	if (!raw || !skip_raw(s))
		skip_quoted(s);
	return WORD_TEXT;
}

static uint8_t
scan_number(struct scan *s)
{
	while (is_name(peek(s, 0)) || peek(s, 0) == '.'
	       || (peek(s, 0) == '\'' && is_name(peek(s, 1)))
	       || ((peek(s, 0) == '+' || peek(s, 0) == '-')
		   && strchr("eEpP", s->text[s->at - 1])
		   && s->at && s->text[s->at - 1]))
		s->at++;
	return WORD_NUMBER;
}

static uint8_t
scan_op(struct scan *s)
{
	static const char *const ops[] = {
		"<<=", ">>=", "->*", "...", "<=>", "->", "::", "++", "--",
		"&&", "||", "==", "!=", "<=", ">=", "<<", ">>", "+=", "-=",
		"*=", "/=", "%=", "&=", "|=", "^=", ".*", "##",
	};

	for (size_t k = 0; k < countof(ops); k++) {
		size_t n = strlen(ops[k]);

		if (s->n - s->at >= n && !memcmp(s->text + s->at, ops[k], n)) {
			s->at += n;
			return WORD_OP;
		}
	}
	step(s);
	return WORD_OP;
}

/** The next word; false at the end. *@directive: one was passed. */
static bool
scan_word(struct scan *s, struct word *out, bool *directive)
{
	skip_blank(s);
	while (s->fresh && peek(s, 0) == '#') {
		*directive = true;
		skip_directive(s);
		skip_blank(s);
	}
	if (s->at >= s->n)
		return false;
	s->fresh = false;
	size_t from = s->at;
	char c = peek(s, 0);
	*out = (struct word){ .at = s->text + from, .line = s->line };
	if (is_digit(c) || (c == '.' && is_digit(peek(s, 1)))) {
		out->kind = scan_number(s);
	} else if (is_name(c)) {
		out->kind = scan_name(s);
	} else if (c == '"' || c == '\'') {
		out->kind = WORD_TEXT;
		skip_quoted(s);
	} else {
		out->kind = scan_op(s);
	}
	size_t n = s->at - from;
	out->n = n > UINT16_MAX ? UINT16_MAX : (uint16_t)n;
	return true;
}

/* ---- statements ------------------------------------------------------------ */
/** One that is being read: words that do not fit are only counted. */
struct statement {
	struct words *out;
	size_t kept;            /* of @out->n, those of earlier ones */
	size_t n;
	uint32_t first, last;   /* lines */
	unsigned depth;
	bool directive, long_word;
};

static void
statement_add(struct statement *st, const struct word *w)
{
	if (st->n == 0)
		st->first = w->line;
	st->last = w->line;
	if (st->kept + st->n < WORDS_MAX)
		st->out->list[st->kept + st->n] = *w;
	st->n++;
	if (w->kind != WORD_TEXT && w->n > WORD_LENGTH_MAX)
		st->long_word = true;
	if (w->kind != WORD_OP || w->n != 1)
		return;
	if (strchr("([", *w->at))
		st->depth++;
	else if (strchr(")]", *w->at) && st->depth)
		st->depth--;
}

static bool
statement_ends(const struct statement *st, const struct word *w)
{
	return w->kind == WORD_OP && w->n == 1 && strchr(";{}", *w->at)
	       && (!st->depth || (st->n > 4 * WORDS_MAX && *w->at != ';'));
}

/** It ended: is it one of @line? */
static struct err *
statement_keep(struct statement *st, uint32_t line)
{
	struct words *out = st->out;
	bool here = st->first <= line && st->last >= line;

	if (here && st->directive)
		return err_new(ERR_FAILED, "there are directives within the "
			       "statement on line %u", line);
	if (here && (st->kept + st->n > WORDS_MAX || st->long_word))
		return err_new(ERR_LIMIT, "the statement on line %u is too "
			       "long", line);
	if (here)
		st->kept += st->n;
	out->n = st->kept;
	*st = (struct statement){ .out = out, .kept = st->kept };
	return NULL;
}

struct err *
words_at(struct span text, uint32_t line, uint32_t column, struct words *out)
{
	struct scan s = { .text = (const char *)text.data, .n = text.n,
			  .line = 1, .fresh = true };
	struct statement st = { .out = out };
	struct err *err = NULL;
	struct word w;
	bool directive = false, fits = !column;

	out->n = 0;
	while (!err && scan_word(&s, &w, &directive)) {
		if (st.n == 0 && w.line > line)
			break;
		fits |= w.line == line
			&& w.at == s.text + s.line_start + column - 1;
		st.directive |= directive && st.n;
		directive = false;
		statement_add(&st, &w);
		if (statement_ends(&st, &w))
			err = statement_keep(&st, line);
	}
	return err || fits ? err
	       : err_new(ERR_FAILED, "nothing begins at column %u of line %u",
			 column, line);
}
