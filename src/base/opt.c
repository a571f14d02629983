/* SPDX-License-Identifier: Apache-2.0 */
/* Option tables: parsing a verb's words as its table says. */
#include <assert.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"

/* getopt_long() reports row i as ROW_BASE + i: beyond any letter. */
#define ROW_BASE 256

struct parser {
	const struct opt *table;
	size_t rows;
	struct option *longs;
	char *letters;          /* getopt's optstring */
	char **argv;
};

static void
parser_fini(struct parser *p)
{
	free(p->longs);
	free(p->letters);
}

static struct option
long_of(const struct parser *p, size_t i)
{
	/* A flag without a value and no other is what the table must say. */
	assert(((p->table[i].type & ~OPT_RARE) == OPT_FLAG) == !p->table[i].arg);
	return (struct option){
		.name = p->table[i].name,
		.has_arg = p->table[i].arg ? required_argument : no_argument,
		.val = ROW_BASE + (int)i,
	};
}

static struct err *
parser_init(struct parser *p, const struct opt *table, char **argv)
{
	char *at;

	*p = (struct parser){ .table = table, .argv = argv };
	while (table[p->rows].name)
		p->rows++;
	p->longs = calloc(p->rows + 1, sizeof(*p->longs));
	p->letters = calloc(2 * p->rows + 2, 1);
	if (!p->longs || !p->letters)
		return err_nomem();
	at = p->letters;
	/* The colon in front tells a missing value from an unknown option. */
	*at++ = ':';
	for (size_t i = 0; i < p->rows; i++) {
		p->longs[i] = long_of(p, i);
		if (!table[i].letter)
			continue;
		*at++ = table[i].letter;
		if (table[i].arg)
			*at++ = ':';
	}
	return NULL;
}

/** The row getopt_long() means by @c, a letter or ROW_BASE + index. */
static const struct opt *
row_of(const struct parser *p, int c)
{
	if (c >= ROW_BASE)
		return &p->table[c - ROW_BASE];
	for (size_t i = 0; i < p->rows; i++)
		if (c && p->table[i].letter == c)
			return &p->table[i];
	return NULL;
}

/* ---- values, by type ---- */

static const struct {
	char letter;
	int shift;
} suffixes[] = {
	{ '\0', 0 }, { 'k', 10 }, { 'K', 10 }, { 'M', 20 }, { 'G', 30 },
};

static bool
suffix_shift(const char *s, int *shift)
{
	for (size_t i = 0; i < countof(suffixes); i++) {
		if (s[0] != suffixes[i].letter || (s[0] && s[1]))
			continue;
		*shift = suffixes[i].shift;
		return true;
	}
	return false;
}

/** The digits @s begins with; @end is left at the first other character. */
static bool
digits_u64(const char *s, const char **end, uint64_t *out)
{
	uint64_t v = 0;

	for (*end = s; **end >= '0' && **end <= '9'; (*end)++)
		if (__builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, **end - '0', &v))
			return false;
	*out = v;
	return *end != s;
}

static bool
number_of(const char *s, uint64_t *out)
{
	const char *end;
	uint64_t v;
	int shift;

	if (strncmp(s, "0x", 2) == 0)
		return hex_u64(s + 2, strlen(s + 2), out);
	if (!digits_u64(s, &end, &v) || !suffix_shift(end, &shift))
		return false;
	if (v << shift >> shift != v)
		return false;
	*out = v << shift;
	return true;
}

static struct err *
set_flag(const struct opt *row, const char *value, void *field)
{
	(void)row, (void)value;
	*(bool *)field = true;
	return NULL;
}

static struct err *
set_string(const struct opt *row, const char *value, void *field)
{
	(void)row;
	*(const char **)field = value;
	return NULL;
}

static struct err *
set_u64(const struct opt *row, const char *value, void *field)
{
	uint64_t v;

	if (!number_of(value, &v))
		return err_new(ERR_USAGE, "option --%s needs a number (as 4096,"
			       " 64k, 2G, 0x1000), not \"%s\"", row->name,
			       value);
	*(uint64_t *)field = v;
	return NULL;
}

static struct err *
set_list(const struct opt *row, const char *value, void *field)
{
	struct opt_list *list = field;

	if (list->n == OPT_LIST_MAX)
		return err_new(ERR_USAGE, "option --%s is given more than %d "
			       "times", row->name, OPT_LIST_MAX);
	list->item[list->n++] = value;
	return NULL;
}

typedef struct err *set_fn(const struct opt *row, const char *value,
			   void *field);

static set_fn *const setters[] = {
	[OPT_FLAG] = set_flag,
	[OPT_STRING] = set_string,
	[OPT_U64] = set_u64,
	[OPT_LIST] = set_list,
};

/* ---- what getopt_long() found to be off ---- */

/** How many options the long word in @word may stand for. */
static size_t
count_matches(const struct parser *p, const char *word)
{
	size_t len = strcspn(word, "=");
	size_t n = 0;

	for (size_t i = 0; i < p->rows; i++)
		n += strncmp(p->table[i].name, word, len) == 0;
	return n;
}

static struct err *
say_unknown(const struct parser *p)
{
	const struct opt *row = row_of(p, optopt);
	const char *word = p->argv[optind - 1];

	if (row)
		return err_new(ERR_USAGE, "option --%s takes no value",
			       row->name);
	if (optopt)
		return err_new(ERR_USAGE, "unknown option -%c", optopt);
	if (count_matches(p, word + 2) > 1)
		return err_new(ERR_USAGE, "option %s may mean several", word);
	return err_new(ERR_USAGE, "unknown option %s", word);
}

static struct err *
say_missing(const struct parser *p)
{
	const struct opt *row = row_of(p, optopt);

	return err_new(ERR_USAGE, "option --%s needs a value: %s", row->name,
		       row->arg);
}

static struct err *
parser_take(const struct parser *p, int c, void *options)
{
	const struct opt *row;

	if (c == '?')
		return say_unknown(p);
	if (c == ':')
		return say_missing(p);
	row = row_of(p, c);
	return setters[row->type & ~OPT_RARE](row, optarg, (char *)options + row->offset);
}

struct err *
opt_parse(const struct opt *table, int argc, char **argv, void *options,
	  int *first)
{
	_cleanup_(parser_fini) struct parser p;
	struct err *err = parser_init(&p, table, argv);
	int c;

	/* 0, not 1: glibc then forgets all of an earlier scan. */
	optind = 0;
	opterr = 0;
	while (!err) {
		c = getopt_long(argc, argv, p.letters, p.longs, NULL);
		if (c == -1)
			break;
		err = parser_take(&p, c, options);
	}
	if (!err)
		*first = optind;
	return err;
}
