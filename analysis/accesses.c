/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Words of C and C++ as expressions that have a place: which of them are read,
 * written, called. It is no parser of the language: what it does not know it
 * says it has lost, and then nobody may take the list for complete.
 */
#include "analysis/source.h"

#include <string.h>

#define NONE SIZE_MAX

struct reader {
	const struct word *w;
	size_t n;
	const struct access_types *types;
	struct arena *arena;
	struct accesses *out;
	size_t match[WORDS_MAX];        /* of a bracket the other one, or NONE */
	bool cast[WORDS_MAX];           /* a cast begins there */
	struct err *err;
};

/* ---- kinds of words -------------------------------------------------------- */
enum keyword {
	KEY_NONE, KEY_TYPE, KEY_TAG, KEY_CONTROL /* "(" follows */, KEY_FLOW,
	KEY_SIZE /* what follows is not evaluated */, KEY_LOST, KEY_ATTRIBUTE,
	KEY_VALUE,
};
static const struct {
	const char *text;
	uint8_t keyword;
} keywords[] = {
	{ "void", KEY_TYPE }, { "char", KEY_TYPE }, { "short", KEY_TYPE },
	{ "int", KEY_TYPE }, { "long", KEY_TYPE }, { "float", KEY_TYPE },
	{ "double", KEY_TYPE }, { "signed", KEY_TYPE }, { "bool", KEY_TYPE },
	{ "unsigned", KEY_TYPE }, { "_Bool", KEY_TYPE }, { "auto", KEY_TYPE },
	{ "const", KEY_TYPE }, { "volatile", KEY_TYPE },
	{ "__volatile__", KEY_TYPE }, { "restrict", KEY_TYPE },
	{ "static", KEY_TYPE }, { "extern", KEY_TYPE },
	{ "register", KEY_TYPE }, { "inline", KEY_TYPE },
	{ "constexpr", KEY_TYPE }, { "mutable", KEY_TYPE },
	{ "wchar_t", KEY_TYPE }, { "char8_t", KEY_TYPE },
	{ "char16_t", KEY_TYPE }, { "char32_t", KEY_TYPE },
	{ "_Complex", KEY_TYPE }, { "__int128", KEY_TYPE },
	{ "typename", KEY_TAG }, { "struct", KEY_TAG }, { "union", KEY_TAG },
	{ "enum", KEY_TAG }, { "class", KEY_TAG }, { "goto", KEY_TAG },
	{ "if", KEY_CONTROL }, { "while", KEY_CONTROL },
	{ "for", KEY_CONTROL }, { "switch", KEY_CONTROL },
	{ "catch", KEY_CONTROL }, { "return", KEY_FLOW },
	{ "else", KEY_FLOW }, { "do", KEY_FLOW }, { "case", KEY_FLOW },
	{ "default", KEY_FLOW }, { "break", KEY_FLOW },
	{ "continue", KEY_FLOW }, { "throw", KEY_FLOW }, { "try", KEY_FLOW },
	{ "new", KEY_FLOW }, { "public", KEY_FLOW }, { "private", KEY_FLOW },
	{ "override", KEY_FLOW }, { "final", KEY_FLOW },
	{ "sizeof", KEY_SIZE }, { "_Alignof", KEY_SIZE },
	{ "alignof", KEY_SIZE }, { "decltype", KEY_SIZE },
	{ "typeof", KEY_SIZE }, { "__typeof__", KEY_SIZE },
	{ "noexcept", KEY_SIZE }, { "static_assert", KEY_SIZE },
	{ "_Static_assert", KEY_SIZE }, { "offsetof", KEY_SIZE },
	{ "__builtin_offsetof", KEY_SIZE },
	{ "__attribute__", KEY_ATTRIBUTE }, { "alignas", KEY_ATTRIBUTE },
	{ "_Alignas", KEY_ATTRIBUTE },
	{ "delete", KEY_LOST }, { "dynamic_cast", KEY_LOST },
	{ "typeid", KEY_LOST }, { "asm", KEY_LOST }, { "__asm__", KEY_LOST },
	{ "co_await", KEY_LOST }, { "co_yield", KEY_LOST },
	{ "co_return", KEY_LOST }, { "_Generic", KEY_LOST },
	{ "operator", KEY_LOST }, { "template", KEY_LOST },
	{ "va_arg", KEY_LOST }, { "__builtin_va_arg", KEY_LOST },
	{ "static_cast", KEY_LOST }, { "reinterpret_cast", KEY_LOST },
	{ "const_cast", KEY_LOST },
	{ "true", KEY_VALUE }, { "false", KEY_VALUE }, { "NULL", KEY_VALUE },
	{ "nullptr", KEY_VALUE }, { "__func__", KEY_VALUE },
	{ "__FILE__", KEY_VALUE }, { "__LINE__", KEY_VALUE },
	{ "errno", KEY_VALUE }, { "EOF", KEY_VALUE },
};

static uint8_t
keyword_of(const struct reader *r, size_t at)
{
	if (at >= r->n || r->w[at].kind != WORD_NAME)
		return KEY_NONE;
	for (size_t k = 0; k < countof(keywords); k++)
		if (word_is(&r->w[at], keywords[k].text))
			return keywords[k].keyword;
	return KEY_NONE;
}

static bool
is_op(const struct reader *r, size_t at, const char *op)
{
	return at < r->n && r->w[at].kind == WORD_OP && word_is(&r->w[at], op);
}

static bool
is_one_of(const struct reader *r, size_t at, const char *const *ops, size_t n)
{
	for (size_t k = 0; k < n; k++)
		if (is_op(r, at, ops[k]))
			return true;
	return false;
}

static bool
is_plain_name(const struct reader *r, size_t at)
{
	return at < r->n && r->w[at].kind == WORD_NAME
	       && keyword_of(r, at) == KEY_NONE;
}

static bool
is_step(const struct reader *r, size_t at)
{
	return is_op(r, at, ".") || is_op(r, at, "->") || is_op(r, at, "[");
}

static bool
begins_statement(const struct reader *r, size_t at)
{
	return !at || is_op(r, at - 1, ";") || is_op(r, at - 1, "{")
	       || is_op(r, at - 1, "}");
}

static void
lose(struct reader *r, const char *what)
{
	if (!r->out->lost)
		r->out->lost = what;
}

/** Words [from, to) as text, one blank between names. */
static const char *
join(struct reader *r, size_t from, size_t to)
{
	_buf_ struct buf b = { 0 };

	for (size_t k = from; k < to; k++) {
		const struct word *w = &r->w[k];
		bool apart = k > from && w->kind != WORD_OP
			     && r->w[k - 1].kind != WORD_OP;
		/* "a - -b", "a & &b" are not "a--b", "a&&b". */
		apart |= k > from && w->kind == WORD_OP
			 && r->w[k - 1].kind == WORD_OP
			 && w->at[0] == r->w[k - 1].at[r->w[k - 1].n - 1]
			 && strchr("+-&<>|", w->at[0]);
		if (apart)
			buf_putc(&b, ' ');
		buf_put(&b, w->at, w->n);
	}
	const char *text = buf_err(&b) ? NULL
			   : arena_strdup(r->arena, b.data ? b.data : "");
	if (!text && !r->err)
		r->err = err_nomem();
	return text;
}

/* ---- brackets --------------------------------------------------------------- */
static void
find_brackets(struct reader *r)
{
	size_t open[WORDS_MAX], n = 0;

	for (size_t k = 0; k < r->n; k++) {
		r->match[k] = NONE;
		if (r->w[k].kind != WORD_OP || r->w[k].n != 1)
			continue;
		if (strchr("([", *r->w[k].at)) {
			open[n++] = k;
		} else if (strchr(")]", *r->w[k].at) && n) {
			size_t from = open[--n];

			if ((*r->w[from].at == '(') != (*r->w[k].at == ')')) {
				lose(r, "brackets do not match");
				continue;
			}
			r->match[from] = k;
			r->match[k] = from;
		}
	}
	if (n)
		lose(r, "brackets do not match");
}

/* ---- types and casts ---------------------------------------------------------- */
static bool
is_type_name(struct reader *r, size_t from, size_t to)
{
	const char *text = join(r, from, to);

	return text && r->types->is_type(r->types->arg, text);
}

/** Where a qualified name that begins at @at ends. */
static size_t
name_end(const struct reader *r, size_t at)
{
	while (is_op(r, at + 1, "::") && at + 2 < r->n
	       && r->w[at + 2].kind == WORD_NAME)
		at += 2;
	return at + 1;
}

/** Do the words [from, to) name a type: "const struct node *", "node_t **"? */
static bool
is_type(struct reader *r, size_t from, size_t to)
{
	bool named = false;

	for (size_t k = from; k < to; k++) {
		uint8_t key = keyword_of(r, k);

		if (key == KEY_TYPE) {
			named = true;
		} else if (key == KEY_TAG) {
			named = true;
			k++;
		} else if (is_op(r, k, "*") || is_op(r, k, "&")) {
			if (!named)
				return false;
		} else if (is_plain_name(r, k) && !named) {
			size_t end = name_end(r, k);

			named = is_type_name(r, k, end);
			if (!named)
				return false;
			k = end - 1;
		} else {
			return false;
		}
	}
	return named;
}

static bool ends_operand(const struct reader *r, size_t at);

/** Is the group that begins at @at a cast: of parentheses, with a type? */
static bool
looks_cast(struct reader *r, size_t at)
{
	if (!is_op(r, at, "(") || r->match[at] == NONE
	    || (at && ends_operand(r, at - 1)))
		return false;
	if (at && keyword_of(r, at - 1) == KEY_CONTROL)
		return false;
	return is_type(r, at + 1, r->match[at]);
}

/** Does an operand end at @at, so that an operator behind it is a binary one? */
static bool
ends_operand(const struct reader *r, size_t at)
{
	uint8_t key = keyword_of(r, at);

	if (r->w[at].kind == WORD_NUMBER || r->w[at].kind == WORD_TEXT)
		return true;
	if (r->w[at].kind == WORD_NAME)
		return key == KEY_NONE || key == KEY_VALUE || key == KEY_TYPE
		       || key == KEY_LOST;
	if (is_op(r, at, "]"))
		return true;
	if (!is_op(r, at, ")") || r->match[at] == NONE)
		return false;
	size_t open = r->match[at];
	return !(open && keyword_of(r, open - 1) == KEY_CONTROL)
	       && !r->cast[open];
}

/* Whether it is one depends on what stands before it. */
static void
find_casts(struct reader *r)
{
	for (size_t k = 0; k < r->n; k++)
		r->cast[k] = looks_cast(r, k);
}

/** Is the name at @at declared: is what stands before it, and "*", a type? */
static bool
follows_type(struct reader *r, size_t at)
{
	static const char *const stars[] = { "*", "&", "&&" };

	while (at && is_one_of(r, at - 1, stars, countof(stars)))
		at--;
	if (!at || r->w[at - 1].kind != WORD_NAME)
		return false;
	if (keyword_of(r, at - 1) == KEY_TYPE
	    || (at > 1 && keyword_of(r, at - 2) == KEY_TAG))
		return true;
	return is_plain_name(r, at - 1) && !(at > 1 && is_step(r, at - 2))
	       && is_type_name(r, at - 1, at);
}

static bool
is_prefix(struct reader *r, size_t at)
{
	static const char *const ops[] = {
		"*", "&", "!", "~", "-", "+", "++", "--",
	};

	if (!is_one_of(r, at, ops, countof(ops))
	    || (at && ends_operand(r, at - 1)))
		return false;
	/* "struct node **p": a declaration. */
	return !(at && is_one_of(r, at - 1, ops, 2) && follows_type(r, at));
}

/* ---- what is found -------------------------------------------------------------- */
static void
add_access(struct reader *r, const struct access *a)
{
	if (r->err)
		return;
	if (r->out->n == ACCESSES_MAX)
		r->err = err_new(ERR_LIMIT, "the line has too many "
				 "expressions");
	else
		r->out->list[r->out->n++] = *a;
}

static void
add_name(struct reader *r, const struct access_name *name)
{
	if (r->err || !name->text)
		return;
	if (r->out->n_names == NAMES_MAX)
		r->err = err_new(ERR_LIMIT, "the line has too many names");
	else
		r->out->names[r->out->n_names++] = *name;
}

/** Of an operand behind which @at stands. */
static uint8_t
use_before(const struct reader *r, size_t at)
{
	static const char *const both[] = {
		"+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<=", ">>=",
		"++", "--",
	};

	if (is_op(r, at, "="))
		return USE_WRITE;
	return is_one_of(r, at, both, countof(both)) ? USE_READ | USE_WRITE
	       : USE_READ;
}

/* ---- chains: a primary and what follows it -------------------------------------- */
struct chain {
	size_t start;           /* of the primary */
	size_t end;             /* behind what is one place */
	size_t base;            /* end of what is before the last step */
	bool arrow;             /* the last step is "->" or "[" */
	bool called;            /* "(" is at @end */
	bool stepped;           /* "++" or "--" is at @end */
};

static void
add_place(struct reader *r, const struct chain *c, size_t end, uint8_t use)
{
	struct access a = { .use = use, .arrow = c->arrow };

	a.text = join(r, c->start, end);
	if (c->base > c->start && is_op(r, c->start, "(")
	    && r->match[c->start] + 1 == c->base)
		a.pointer = join(r, c->start + 1, c->base - 1);
	else if (c->base > c->start)
		a.pointer = join(r, c->start, c->base);
	a.whole = a.text;
	add_access(r, &a);
}

static size_t
primary_end(struct reader *r, size_t at)
{
	if (is_op(r, at, "("))
		return r->match[at] + 1;
	return name_end(r, is_op(r, at, "::") ? at + 1 : at);
}

/**
 * Follow the chain from @c->start. All places on the way that are read, since
 * a pointer in them is followed, are added; not the last one.
 */
static void
follow(struct reader *r, struct chain *c)
{
	size_t at = primary_end(r, c->start);

	c->base = c->start;
	while (is_step(r, at)) {
		bool dot = is_op(r, at, ".");
		bool element = is_op(r, at, "[");

		if (element ? r->match[at] == NONE
		    : at + 1 >= r->n || r->w[at + 1].kind != WORD_NAME
		      || keyword_of(r, at + 1) == KEY_LOST) {
			lose(r, "a step to something unknown");
			break;
		}
		add_place(r, c, at, dot ? USE_REFERENCE : USE_READ);
		/* Of "p->a.b" it is p that leads there, of "v.a.b" v. */
		if (!dot || c->base == c->start) {
			c->base = at;
			c->arrow = !dot;
		}
		at = element ? r->match[at] + 1 : at + 2;
	}
	c->end = at;
	c->called = is_op(r, at, "(") && r->match[at] != NONE;
	c->stepped = is_op(r, at, "++") || is_op(r, at, "--");
	if (c->called && is_step(r, r->match[at] + 1))
		lose(r, "what a call returns is looked into");
	if (c->stepped && is_step(r, at + 1))
		lose(r, "what changes is looked into");
}

/** "f(…)": it may be one of this object's. */
static void
add_own_method(struct reader *r, const struct chain *c)
{
	struct access a = { .text = "*this", .pointer = "this", .arrow = true,
			    .use = USE_METHOD };

	a.whole = join(r, c->start, r->match[c->end] + 1);
	add_access(r, &a);
}

/** "p->f(…)": p is read; its object may be, to find f. */
static void
add_method(struct reader *r, const struct chain *c)
{
	struct access a = { .use = USE_METHOD };
	size_t last = c->end;

	if (c->base == c->start) {
		if (r->w[c->start].kind == WORD_NAME
		    && c->end == c->start + 1)
			add_own_method(r, c);
		return;
	}
	/* The object is what stands before the last step. */
	while (last > c->start && !is_op(r, last, ".")
	       && !is_op(r, last, "->"))
		last--;
	if (last == c->start || r->w[c->end - 1].kind != WORD_NAME)
		return;
	const char *object = join(r, c->start, last);
	bool arrow = is_op(r, last, "->");
	if (!object)
		return;
	a.text = arrow ? arena_printf(r->arena, "*(%s)", object) : object;
	a.pointer = object;
	a.arrow = arrow;
	a.whole = join(r, c->start, r->match[c->end] + 1);
	if (!a.text && !r->err)
		r->err = err_nomem();
	add_access(r, &a);
}

/** Where the operators before an operand begin. */
static size_t
prefixes_start(struct reader *r, size_t at)
{
	while (at) {
		size_t k = at - 1;

		if (is_prefix(r, k))
			at = k;
		else if (is_op(r, k, ")") && r->match[k] != NONE
			 && r->cast[r->match[k]])
			at = r->match[k];
		else
			break;
	}
	return at;
}

/** "*" before it, of which each is a place; *@use: what becomes of the last. */
static void
add_stars(struct reader *r, const struct chain *c, size_t from)
{
	bool outermost = true;

	for (size_t k = from; k < c->start; k++) {
		struct access a = { .use = USE_READ, .arrow = true };

		if (is_op(r, k, "(")) {
			k = r->match[k];
			continue;
		}
		if (!is_op(r, k, "*"))
			continue;
		if (c->called || c->stepped) {
			lose(r, "what changes or is returned is followed");
			return;
		}
		if (outermost)
			a.use = use_before(r, c->end);
		outermost = false;
		if (k > from && is_op(r, k - 1, "&"))
			continue;
		/* "(*p).x" reads no more than x. */
		if (k == from && k && is_op(r, k - 1, "(")
		    && r->match[k - 1] == c->end && is_op(r, c->end + 1, "."))
			continue;
		if (k > from && (is_op(r, k - 1, "++")
				 || is_op(r, k - 1, "--")))
			a.use = USE_READ | USE_WRITE;
		a.text = a.whole = join(r, k, c->end);
		a.pointer = join(r, k + 1, c->end);
		add_access(r, &a);
	}
}

static uint8_t
use_of(struct reader *r, const struct chain *c, size_t from)
{
	if (c->called)
		return USE_CALL | USE_READ;
	if (c->start == from)
		return use_before(r, c->end);
	if (is_op(r, c->start - 1, "&"))
		return 0;
	if (is_op(r, c->start - 1, "++") || is_op(r, c->start - 1, "--"))
		return USE_READ | USE_WRITE;
	return is_op(r, c->start - 1, "*") || is_op(r, c->start - 1, ")")
	       ? USE_READ : use_before(r, c->end);
}

static void
read_chain(struct reader *r, size_t at)
{
	struct chain c = { .start = at };
	size_t from = prefixes_start(r, at);

	follow(r, &c);
	/* "*++p": whether p is the old or the new one is not known. */
	for (size_t k = from; k + 1 < at; k++)
		if (is_op(r, k, "*") && (is_op(r, k + 1, "++")
					 || is_op(r, k + 1, "--")))
			lose(r, "what changes is followed");
	uint8_t use = use_of(r, &c, from);
	if (use && (!is_op(r, at, "(") || c.base > at || c.called))
		add_place(r, &c, c.end, use);
	if (c.called)
		add_method(r, &c);
	add_stars(r, &c, from);
}

/* ---- names ------------------------------------------------------------------------ */
/** May it be unknown: is it declared here, or a piece of a text? */
static bool
is_declared(struct reader *r, size_t at)
{
	static const char *const after[] = {
		"=", ";", ",", ")", "[", "{", ":", "(",
	};

	/* "%" PRIu64: a text. */
	if ((at && r->w[at - 1].kind == WORD_TEXT)
	    || (at + 1 < r->n && r->w[at + 1].kind == WORD_TEXT))
		return true;
	return is_one_of(r, at + 1, after, countof(after))
	       && follows_type(r, at);
}

static bool
is_label(struct reader *r, size_t at)
{
	return begins_statement(r, at) && is_op(r, at + 1, ":");
}

/** A name that begins at @at, and what follows it. Where to go on. */
static size_t
read_name(struct reader *r, size_t at)
{
	size_t end = name_end(r, is_op(r, at, "::") ? at + 1 : at);
	struct access_name name = { .called = is_op(r, end, "("),
				    .declared = is_declared(r, at) };

	if (is_label(r, at))
		return end;
	name.text = join(r, at, end);
	add_name(r, &name);
	read_chain(r, at);
	return end;
}

/** Behind an operand of sizeof and the like, which is not evaluated. */
static size_t
skip_operand(struct reader *r, size_t at)
{
	if (is_op(r, at, "(") && r->match[at] != NONE) {
		if (is_step(r, r->match[at] + 1))
			lose(r, "an operand of sizeof goes on");
		return r->match[at] + 1;
	}
	while (is_prefix(r, at))
		at++;
	if (at >= r->n || !is_plain_name(r, at)) {
		lose(r, "an operand of sizeof is not understood");
		return at;
	}
	at = name_end(r, at);
	while (is_step(r, at)) {
		if (is_op(r, at, "[") && r->match[at] == NONE)
			break;
		at = is_op(r, at, "[") ? r->match[at] + 1 : at + 2;
	}
	return at;
}

static size_t
read_group(struct reader *r, size_t at)
{
	bool is_operand = !(at && (ends_operand(r, at - 1)
				   || keyword_of(r, at - 1) == KEY_CONTROL));
	size_t close = r->match[at];

	if (close == NONE || !is_operand || r->cast[at])
		return at + 1;
	/* "static_cast<T *>(p)->x", "vector<int>(n)[0]". */
	if (at && is_op(r, at - 1, ">") && is_step(r, close + 1))
		lose(r, "a template is followed");
	else if (is_step(r, close + 1) || is_op(r, close + 1, "(")
		 || prefixes_start(r, at) < at)
		read_chain(r, at);
	return at + 1;
}

static size_t
read_keyword(struct reader *r, size_t at)
{
	static const char *const lost = "a word that does more than it says";

	switch (keyword_of(r, at)) {
	case KEY_TAG:
		return at + 2;
	case KEY_SIZE:
		return skip_operand(r, at + 1);
	case KEY_ATTRIBUTE:
		return is_op(r, at + 1, "(") && r->match[at + 1] != NONE
		       ? r->match[at + 1] + 1 : at + 1;
	case KEY_LOST:
		lose(r, lost);
		return at + 1;
	default:
		return at + 1;
	}
}

/** The word at @at, and where the next one is that is looked at. */
static size_t
read_word(struct reader *r, size_t at)
{
	bool after_step = at && (is_op(r, at - 1, ".") || is_op(r, at - 1, "->")
				 || is_op(r, at - 1, "##")
				 || is_op(r, at - 1, "#"));

	/* "$1->x" is of a parser's grammar, "@x" of another language. */
	if (r->w[at].kind == WORD_OP && strchr("#$@\\`", *r->w[at].at))
		lose(r, "a character that is not of the language");
	if (is_op(r, at, "->*") || is_op(r, at, ".*")
	    || ((is_op(r, at, ">") || is_op(r, at, ">>"))
		&& is_op(r, at + 1, "*")))
		lose(r, "an operator that is not followed");
	if (is_op(r, at, "[") && is_op(r, at + 1, "["))
		return r->match[at] == NONE ? at + 1 : r->match[at] + 1;
	if (is_op(r, at, "(") && r->match[at] != NONE)
		return read_group(r, at);
	if (is_op(r, at, "::") && is_plain_name(r, at + 1)
	    && !(at && ends_operand(r, at - 1)))
		return read_name(r, at);
	if (r->w[at].kind != WORD_NAME || after_step)
		return at + 1;
	return keyword_of(r, at) != KEY_NONE ? read_keyword(r, at)
	       : read_name(r, at);
}

/* ---- headers of functions ---------------------------------------------------------- */
/**
 * Behind the "{" of "static T *f(struct node *p) {" that begins at @at, in
 * which nothing is evaluated; else @at. With one name alone it is a macro that
 * loops.
 */
static size_t
header_end(struct reader *r, size_t at)
{
	static const char *const ops[] = { "*", "&", "&&", "::", "~" };
	size_t names = 0, k = at;

	for (; k < r->n && !is_op(r, k, "("); k++) {
		uint8_t key = keyword_of(r, k);

		if (key == KEY_ATTRIBUTE && is_op(r, k + 1, "(")
		    && r->match[k + 1] != NONE)
			k = r->match[k + 1];
		else if (key == KEY_TYPE || key == KEY_TAG
			 || (key == KEY_NONE && r->w[k].kind == WORD_NAME))
			names++;
		else if (!is_one_of(r, k, ops, countof(ops)))
			return at;
	}
	if (k >= r->n || names < 2 || r->match[k] == NONE)
		return at;
	for (k = r->match[k] + 1; k < r->n && r->w[k].kind == WORD_NAME; k++)
		;
	return is_op(r, k, "{") ? k + 1 : at;
}

struct err *
accesses_of(const struct words *w, const struct access_types *t,
	    struct arena *a, struct accesses *out)
{
	struct reader r = { .w = w->list, .n = w->n, .types = t, .arena = a,
			    .out = out };

	memset(out, 0, sizeof(*out));
	find_brackets(&r);
	find_casts(&r);
	for (size_t at = 0; at < r.n && !r.err;) {
		size_t end = begins_statement(&r, at) ? header_end(&r, at)
			     : at;

		at = end > at ? end : read_word(&r, at);
	}
	return r.err;
}
