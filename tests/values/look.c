/* SPDX-License-Identifier: Apache-2.0 */
/*
 * look [-o] [-f N] FILE [EXPRESSION…]: the variables of every frame of the
 * first thread, or what expressions are in frame N (0), for the scripts beside
 * it. One line a variable: "frame function name = value". Indexes are made as
 * they are asked for. Over the disk, unjailed.
 *
 * -o shows objects as their dynamic type; -r without printers; -c children of
 * each expression; -t its type; -T times 1,000 children.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/make-opened.h"

#define FRAMES_MAX 1000u

struct look {
	struct insp *insp;
	struct values *values;
	struct value_style style;
	bool children, types, times;
	unsigned long frame;
};

/* ---- what is printed ------------------------------------------------------ */
static struct err *
print_value(const struct look *l, const struct value *v)
{
	_buf_ struct buf text = { 0 };
	struct err *err = value_text(v, &l->style, &text);

	if (!err)
		printf("%s", text.data ? text.data : "");
	return err;
}

static struct err *
print_var(const struct look *l, const struct scope *s, size_t level,
	  const struct var *var, struct arena *a)
{
	const struct value *v;
	struct err *err = var_value(var, a, &v);

	if (err)
		return err;
	printf("%zu %s %s%s = ", level, s->function ? s->function : "??",
	       var->name, var->flags & (VAR_CONSTANT | VAR_NOWHERE) ? "!"
	       : "");
	err = print_value(l, v);
	printf("\n");
	return err;
}

static struct err *
print_scope(const struct look *l, const struct scope *s, size_t level,
	    struct arena *a)
{
	const struct var *vars;
	size_t n;
	struct err *err = scope_vars(s, a, &vars, &n);

	printf("#%zu %s %s:%u\n", level, s->function ? s->function : "??",
	       s->file ? s->file : "", s->line);
	for (size_t k = 0; k < n && !err; k++)
		err = print_var(l, s, level, &vars[k], a);
	return err;
}

static struct err *
print_children(const struct look *l, const struct value *v, struct arena *a)
{
	struct children c = { 0 };
	struct err *err = value_children(v, &l->style, 0, 1000, a, &c);

	for (size_t k = 0; k < c.n && !err; k++) {
		printf("  %s = ", c.list[k].name);
		err = print_value(l, c.list[k].value);
		printf("\n");
	}
	return err;
}

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static struct err *
time_children(const struct look *l, const struct value *v, double opened)
{
	_arena_ struct arena *a = arena_new(0);
	struct children c = { 0 };
	uint64_t count = 0;
	double start = now();
	struct err *err = value_n_children(v, &l->style, &count);

	if (!err)
		err = value_children(v, &l->style, 0, 1000, a, &c);
	double middle = now();
	for (size_t k = 0; k < c.n && !err; k++) {
		_buf_ struct buf text = { 0 };

		err = value_summary(c.list[k].value, &l->style, &text);
	}
	printf("  opened in %.3f ms, %zu of %llu children in %.3f ms, "
	       "their texts in %.3f ms\n", opened, c.n,
	       (unsigned long long)count, middle - start, now() - middle);
	return err;
}

static struct err *
print_expression(struct look *l, const struct scope *s, const char *text,
		 struct arena *a)
{
	const struct value *v;
	struct look with = *l;
	_buf_ struct buf type = { 0 };
	double start = now();
	struct err *err = values_eval(l->values, s, text, &with.style, a, &v);
	double opened = now() - start;

	printf("%s = ", text);
	with.style.typed = true;
	if (!err)
		err = print_value(&with, v);
	if (err) {
		printf("error: %s\n", err_text(err));
		err_free(err);
		return NULL;
	}
	printf("\n");
	if (l->types) {
		err = type_name(value_type(v), &type);
		printf("  type = %s\n", type.data);
	}
	if (!err && l->children)
		err = print_children(l, v, a);
	if (!err && l->times)
		err = time_children(l, v, opened);
	return err;
}

/* ---- frames --------------------------------------------------------------- */
static struct err *
look_at(struct look *l, int n, char **expressions)
{
	_arena_ struct arena *a = arena_new(0);
	struct stack s;
	size_t level = 0;
	struct err *err = insp_stack(l->insp, 0, FRAMES_MAX, false, a, &s);

	for (size_t k = 0; !err && k < s.n; k++) {
		struct scopes scopes = { 0 };

		err = values_scopes(l->values, 0, &s, k, a, &scopes);
		for (size_t j = 0; j < scopes.n && !err; j++, level++) {
			if (!n)
				err = print_scope(l, scopes.list[j], level, a);
			for (int e = 0; level == l->frame && e < n && !err;
			     e++)
				err = print_expression(l, scopes.list[j],
						       expressions[e], a);
		}
	}
	return err;
}

static struct err *
look_in(struct look *l, const char *path, int n, char **expressions)
{
	struct opened_file file = { 0 };
	struct err *err = opened_open(&file, path);

	l->insp = file.insp;
	l->values = file.values;
	if (!err)
		err = look_at(l, n, expressions);
	opened_close(&file);
	return err;
}

int
main(int argc, char **argv)
{
	struct look l = { .style = VALUE_STYLE };
	int c;

	while ((c = getopt(argc, argv, "+orctTf:")) >= 0) {
		l.style.object |= c == 'o';
		l.style.raw |= c == 'r';
		l.children |= c == 'c';
		l.types |= c == 't';
		l.times |= c == 'T';
		if (c == 'f')
			l.frame = strtoul(optarg, NULL, 10);
	}
	if (optind >= argc)
		return 2;
	_err_ struct err *err = look_in(&l, argv[optind], argc - optind - 1,
					argv + optind + 1);
	if (err)
		fprintf(stderr, "look: %s\n", err_text(err));
	return err_exit_status(err);
}
