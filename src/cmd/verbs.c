/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verbs.c: the table of verbs, and reading a verb's words by its row.
 */
#include <assert.h>
#include <string.h>

#include "cmd/cmd.h"

#define VERB_OPTIONS_MAX 64u

const struct verb *const verbs[] = {
	&verb_capture,
	&verb_import,
	&verb_export,
	&verb_report,
	&verb_print,
	&verb_diff,
	&verb_disasm,
	&verb_gdb,
	&verb_lldb,
	&verb_rsp,
	&verb_dap,
	&verb_put,
	&verb_get,
	&verb_list,
	&verb_rm,
	&verb_tag,
	&verb_token,
	&verb_store,
	&verb_serve,
	&verb_check,
	&verb_dump,
	&verb_index,
	&verb_doctor,
	&verb_help,
	NULL
};

const struct verb *
verb_find(const char *name)
{
	for (size_t i = 0; verbs[i]; i++) {
		if (strcmp(verbs[i]->name, name) == 0)
			return verbs[i];
	}
	return NULL;
}

/* Edits (insert, delete, replace) that turn @a into @b; names are short. */
static size_t
verb_distance(const char *a, const char *b)
{
	size_t row[32], diagonal, above, m = strlen(b);

	if (strlen(a) >= countof(row) || m >= countof(row))
		return SIZE_MAX;
	for (size_t j = 0; j <= m; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1]; i++) {
		diagonal = row[0];
		row[0] = i;
		for (size_t j = 1; j <= m; j++) {
			above = row[j];
			row[j] = diagonal + (a[i - 1] != b[j - 1]);
			if (above + 1 < row[j])
				row[j] = above + 1;
			if (row[j - 1] + 1 < row[j])
				row[j] = row[j - 1] + 1;
			diagonal = above;
		}
	}
	return row[m];
}

const struct verb *
verb_near(const char *name)
{
	const struct verb *best = NULL;
	size_t least = 3;

	for (size_t i = 0; verbs[i]; i++) {
		size_t d = verb_distance(name, verbs[i]->name);
		if (d < least) {
			least = d;
			best = verbs[i];
		}
	}
	return best;
}

/* Does the option word @word take the next word as its argument? */
static bool
verb_takes_next(const struct verb *v, const char *word)
{
	for (const struct opt *o = v->options; o && o->name; o++) {
		if (!o->arg)
			continue;
		if (strncmp(word, "--", 2) == 0 && strcmp(word + 2, o->name) == 0)
			return true;
		if (o->letter && word[1] == o->letter && !word[2])
			return true;
	}
	return false;
}

int
verb_head(const struct verb *v, int argc, char **argv)
{
	int i = 1;

	if (!v->passes_args)
		return argc;
	while (i < argc && argv[i][0] == '-' && argv[i][1]) {
		if (strcmp(argv[i], "--") == 0)
			return i + 2 < argc ? i + 2 : argc;
		i += verb_takes_next(v, argv[i]) ? 2 : 1;
	}
	return i < argc ? i + 1 : argc;
}

/* All the options of @v, in @out. */
static const struct opt *
verb_options(const struct verb *v, struct opt out[VERB_OPTIONS_MAX])
{
	const struct opt *const tables[] = { v->options, v->others };
	size_t n = 0;

	for (size_t k = 0; k < countof(tables); k++)
		for (const struct opt *o = tables[k]; o && o->name; o++) {
			assert(n + 1 < VERB_OPTIONS_MAX);
			out[n++] = *o;
		}
	out[n] = (struct opt){ .name = NULL };
	return out;
}

struct err *
verb_parse(const struct verb *v, int argc, char **argv, void *options,
	   struct operands *out)
{
	struct opt rows[VERB_OPTIONS_MAX];
	int first, head = verb_head(v, argc, argv);

	/* getopt ends its list with what stands behind it: cut it here. */
	char *behind = argv[head];
	argv[head] = NULL;
	_err_ struct err *err = opt_parse(verb_options(v, rows), head, argv,
					  options, &first);
	argv[head] = behind;
	if (!err && head - first < v->min)
		err = err_new(ERR_USAGE, "%s is missing", v->operands);
	if (!err && v->max >= 0 && head - first > v->max)
		err = err_new(ERR_USAGE, "\"%s\" is one word too many",
			      argv[first + v->max]);
	if (err)
		return err_new(ERR_USAGE, "%s; see `" PROGRAM " %s --help`",
			       err_text(err), v->name);
	out->item = argv + first;
	out->n = (size_t)(argc - first);
	return NULL;
}
