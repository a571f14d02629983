/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a line of source uses. Each row is a text, and what is found on the line
 * that has "@" in a comment (the first one, where there is none): expressions
 * that are read, written, called, or whose method may be.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "analysis/source.h"
#include "assert-err.h"

static bool
is_type(void *arg, const char *name)
{
	(void)arg;
	return strcmp(name, "T") == 0 || strcmp(name, "ns::T") == 0;
}

static uint32_t
line_of(const char *text)
{
	const char *at = strchr(text, '@');
	uint32_t line = 1;

	for (; at && text < at; text++)
		line += *text == '\n';
	return line;
}

static void
put_use(struct buf *b, uint8_t use)
{
	static const char letters[] = "rwcm&";

	for (unsigned k = 0; k < 5; k++)
		if (use >> k & 1)
			buf_putc(b, letters[k]);
}

/** "a->x:r a:r", without plain names that are only read; "?" = lost. */
static void
put_all(struct buf *b, const struct accesses *all)
{
	if (all->lost)
		buf_puts(b, "?");
	for (size_t k = 0; k < all->n && !all->lost; k++) {
		const struct access *a = &all->list[k];

		if (!a->pointer && !(a->use & (USE_WRITE | USE_CALL)))
			continue;
		if (a->use == USE_REFERENCE)
			continue;
		buf_printf(b, "%s%s:", b->len ? " " : "", a->text);
		put_use(b, a->use);
	}
}

static void
look(const char *text, struct accesses *all, struct arena *a)
{
	const struct access_types types = { is_type, NULL };
	struct words *w = arena_alloc(a, sizeof(*w));

	assert_non_null(w);
	assert_ok(words_at((struct span){ text, strlen(text) }, line_of(text),
			   0, w));
	assert_ok(accesses_of(w, &types, a, all));
}

struct row {
	const char *text, *want;
};

static void
assert_rows(const struct row *rows, size_t n)
{
	for (size_t k = 0; k < n; k++) {
		_arena_ struct arena *a = arena_new(4 << 20);
		_buf_ struct buf b = { 0 };
		struct accesses all;

		assert_non_null(a);
		look(rows[k].text, &all, a);
		put_all(&b, &all);
		buf_puts(&b, "");
		if (strcmp(b.data ? b.data : "", rows[k].want) != 0)
			fail_msg("of %s: %s, not %s", rows[k].text,
				 b.data ? b.data : "", rows[k].want);
	}
}

static void
test_members_and_elements(void **state)
{
	static const struct row rows[] = {
		{ "return n->next->id;", "n->next:r n->next->id:r" },
		{ "x = a->v + b->v;", "x:w a->v:r b->v:r" },
		{ "a->x = b[i].y;", "a->x:w b[i].y:r" },
		{ "p->in.y += 3;", "p->in.y:rw" },
		{ "p->list[q->n].x++;",
		  "p->list:r p->list[q->n].x:rw q->n:r" },
		{ "f(&p->x, &q->y->z);", "f:rc *this:m q->y:r" },
		{ "p->f(q->x);", "p->f:rc *(p):m q->x:r" },
		{ "(p + 1)->x = 0;", "(p+1)->x:w" },
		{ "((T *)p)->x = 0;", "((T*)p)->x:w" },
		{ "this->x = y;", "this->x:w" },
	};

	(void)state;
	assert_rows(rows, countof(rows));
}

static void
test_stars_are_told_from_products_and_declarations(void **state)
{
	static const struct row rows[] = {
		{ "*p = **q;", "*p:w **q:r *q:r" },
		{ "x = a * b;", "x:w" },
		{ "x = (a) * b;", "x:w" },
		{ "x = (T)*p;", "x:w *p:r" },
		{ "x = *(int *)p->y;", "x:w p->y:r *(int*)p->y:r" },
		{ "T *p = q->r;", "p:w q->r:r" },
		{ "const T *const *p = q->r;", "p:w q->r:r" },
		{ "struct node **p = &q->r;", "p:w" },
		{ "if (a) *p = 1;", "*p:w" },
		{ "return *p;", "*p:r" },
		{ "(*p).x = 1;", "(*p).x:w" },
		{ "x = &*p;", "x:w" },
		{ "(*ops->close)(x);",
		  "(*ops->close):rc ops->close:r *ops->close:r" },
	};

	(void)state;
	assert_rows(rows, countof(rows));
}

static void
test_what_is_not_evaluated_is_left_out(void **state)
{
	static const struct row rows[] = {
		{ "x = malloc(sizeof *p);", "x:w malloc:rc *this:m" },
		{ "x = sizeof(p->x) + q->y;", "x:w q->y:r" },
		{ "x = sizeof p->x[1] + q->y;", "x:w q->y:r" },
		{ "x = \"p->x\"[0] + 'p' /* p->x */; // p->x", "x:w" },
		{ "x = R\"a(p->x)\" \")a\" + p->y;", "x:w p->y:r" },
	};

	(void)state;
	assert_rows(rows, countof(rows));
}

static void
test_what_is_not_understood_is_said(void **state)
{
	static const struct row rows[] = {
		{ "x = *p++;", "?" }, { "x = *++p;", "?" },
		{ "x = f(p)->y;", "?" }, { "x = *f(p);", "?" },
		{ "delete p;", "?" }, { "x = (p->*q)();", "?" },
		{ "x = static_cast<T *>(p)->y;", "?" },
		{ "x = (a[1));", "?" },
	};

	(void)state;
	assert_rows(rows, countof(rows));
}

static void
test_the_whole_statement_counts_and_no_other(void **state)
{
	static const struct row rows[] = {
		{ "a->x = 1;\nb->x = c->x\n\t+ d->x; /* @ */\ne->x = 1;\n",
		  "b->x:w c->x:r d->x:r" },
		{ "if (a->x) {\n\tb->x = 1; // @\n} else {\n", "b->x:w" },
		{ "a->x = 1; b->x = 2;", "a->x:w b->x:w" },
		{ "for (i = 0; a->x; i++)\n\tb->y = 1; // @\n",
		  "i:w a->x:r i:rw b->y:w" },
		{ "#define X p->x\na->y = 1; // @\n", "a->y:w" },
	};

	(void)state;
	assert_rows(rows, countof(rows));
}

static void
test_a_statement_with_directives_within_is_refused(void **state)
{
	static const char text[] = "f(a->x,\n#if A\nb->x);\n#else\nc->x);\n";
	_free_ struct words *w = malloc(sizeof(*w));

	(void)state;
	assert_non_null(w);
	assert_err(words_at((struct span){ text, strlen(text) }, 1,
			    0, w), ERR_FAILED, "directives");
}

static void
test_another_text_than_was_compiled_is_refused(void **state)
{
	static const char text[] = "a();\n\tx = p->y;\n";
	const struct span all = { text, strlen(text) };
	_free_ struct words *w = malloc(sizeof(*w));

	(void)state;
	assert_non_null(w);
	assert_ok(words_at(all, 2, 2, w));
	assert_ok(words_at(all, 2, 7, w));
	assert_err(words_at(all, 2, 3, w), ERR_FAILED, "column 3");
	assert_err(words_at(all, 2, 40, w), ERR_FAILED, "column 40");
}

static void
test_headers_of_functions_are_left_out(void **state)
{
	static const struct row rows[] = {
		{ "static T f(T *n) { return n->x; }", "n->x:r" },
		{ "STATIC long f(T *n) const { return n->x; }", "n->x:r" },
		{ "__attribute__((a)) T f(T *n) { return n->x; }", "n->x:r" },
		{ "T __attribute__;", "" },
		{ "for_each(p, n->list) { p->x = 1; }",
		  "for_each:rc *this:m n->list:r p->x:w" },
	};

	(void)state;
	assert_rows(rows, countof(rows));
}

static void
test_names_that_may_be_anything_are_told(void **state)
{
	_arena_ struct arena *a = arena_new(4 << 20);
	struct accesses all;

	(void)state;
	look("T *p = GET(x) + ns::f(y->z);", &all, a);
	assert_int_equal(all.n_names, 6);
	assert_string_equal(all.names[0].text, "T");
	assert_string_equal(all.names[1].text, "p");
	assert_true(all.names[1].declared);
	assert_string_equal(all.names[2].text, "GET");
	assert_true(all.names[2].called && !all.names[2].declared);
	assert_string_equal(all.names[4].text, "ns::f");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_members_and_elements),
		cmocka_unit_test(
			test_stars_are_told_from_products_and_declarations),
		cmocka_unit_test(test_what_is_not_evaluated_is_left_out),
		cmocka_unit_test(test_what_is_not_understood_is_said),
		cmocka_unit_test(test_the_whole_statement_counts_and_no_other),
		cmocka_unit_test(
			test_a_statement_with_directives_within_is_refused),
		cmocka_unit_test(
			test_another_text_than_was_compiled_is_refused),
		cmocka_unit_test(test_headers_of_functions_are_left_out),
		cmocka_unit_test(test_names_that_may_be_anything_are_told),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
