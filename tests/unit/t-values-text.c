/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contract of values as text, without an index: characters, strings,
 * numbers, expressions, and where an expression is off.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <string.h>

#include "assert-err.h"
#include "make-core.h"
#include "values/show.h"

#define STACK 0x7000000u
#define HOLE 0x8000000u         /* mapped, not captured */

struct fixture {
	struct buf file;
	struct source *core;
	struct insp *insp;
	struct values *values;
	struct arena *arena;
	struct frame frame;
	struct stack stack;
	const struct scope *scope;
	uint8_t bytes[4096];
};

static struct symidx *
no_index(void *arg, size_t module)
{
	(void)arg, (void)module;
	return NULL;
}

static void
fixture_init(struct fixture *f)
{
	struct values_indexes from = { no_index, NULL };
	struct insp_options options = { 0 };
	struct make_core m = { 0 };
	struct target *target;
	struct scopes scopes;

	memset(f, 0, sizeof(*f));
	for (size_t n = 0; n < sizeof(f->bytes); n++)
		f->bytes[n] = (uint8_t)n;
	memcpy(f->bytes + 256, "text\0aaaaaaaaaaaaaaaaab", 24);
	make_thread(&m, 1, 11, 0x1000, STACK + 64);
	make_segment(&m, STACK, sizeof(f->bytes), PF_R | PF_W, f->bytes,
		     sizeof(f->bytes));
	make_segment(&m, HOLE, 4096, PF_R | PF_W, NULL, 0);
	make_core(&m, &f->file);
	assert_ok(source_mem(f->file.data, f->file.len, "core", &f->core));
	assert_ok(target_open(f->core, &target));
	assert_ok(insp_open(target, &options, &f->insp));
	assert_ok(values_new(f->insp, &from, &f->values));
	f->arena = arena_new(0);
	f->frame = (struct frame){ .pc = 0x1000, .cfa = STACK + 64 };
	f->frame.regs.value[7] = STACK + 64;
	f->frame.regs.known = 1u << 7;
	f->stack = (struct stack){ .frames = &f->frame, .n = 1 };
	assert_ok(values_scopes(f->values, 0, &f->stack, 0, f->arena,
				&scopes));
	assert_int_equal(scopes.n, 1);
	f->scope = scopes.list[0];
}

static void
fixture_fini(struct fixture *f)
{
	arena_free(f->arena);
	values_free(f->values);
	insp_free(f->insp);
	source_free(f->core);
	buf_fini(&f->file);
}

static void
shows(struct fixture *f, const char *expression, const char *want)
{
	struct value_style style = VALUE_STYLE;
	const struct value *v;
	_buf_ struct buf out = { 0 };

	assert_ok(values_eval(f->values, f->scope, expression, &style,
			      f->arena, &v));
	assert_ok(value_text(v, &style, &out));
	assert_string_equal(out.data, want);
}

static void
refuses(struct fixture *f, const char *expression, enum err_kind kind,
	const char *words)
{
	struct value_style style = VALUE_STYLE;
	const struct value *v;

	assert_err(values_eval(f->values, f->scope, expression, &style,
			       f->arena, &v), kind, words);
}

static void
arithmetic_is_that_of_c(void **state)
{
	(void)state;
	static const struct {
		const char *expression, *want;
	} rows[] = {
		{ "1 + 2 * 3", "7" }, { "10 - 3 - 2", "5" },
		{ "-5 / 2", "-2" }, { "-5 % 3", "-2" }, { "7 / 2.0", "3.5" },
		{ "1 << 4 | 3", "19" }, { "-1 >> 1", "-1" },
		{ "5u - 6", "4294967295" }, { "010 + 0x10", "24" },
		{ "4294967296", "4294967296" }, { "2 > 1 && 0", "0" },
		{ "1 ? 2 : 3", "2" }, { "!5", "0" }, { "~5", "-6" },
		{ "sizeof(long)", "8" }, { "sizeof(int[4])", "16" },
		{ "(char)65", "65 'A'" }, { "(unsigned char)300", "44 ','" },
		{ "(int)3.9", "3" }, { "1.5f", "1.5" },
		{ "0.1", "0.10000000000000001" },
		{ "'a'", "97 'a'" }, { "'\\n'", "10 '\\n'" },
		{ "\"a\\tb\"", "\"a\\tb\"" }, { "(bool)7", "true" },
	};
	struct fixture f;

	fixture_init(&f);
	for (size_t n = 0; n < countof(rows); n++)
		shows(&f, rows[n].expression, rows[n].want);
	fixture_fini(&f);
}

static void
formats_are_those_of_gdb(void **state)
{
	(void)state;
	struct fixture f;

	fixture_init(&f);
	shows(&f, "/x -1", "0xffffffff");
	shows(&f, "/o 8", "010");
	shows(&f, "/t 10", "1010");
	shows(&f, "/z 5", "0x00000005");
	shows(&f, "/c 65", "65 'A'");
	shows(&f, "/d (char)65", "65");
	shows(&f, "/u (char)-1", "255");
	shows(&f, "/x *(char*)$rsp@3", "{0x40, 0x41, 0x42}");
	fixture_fini(&f);
}

static void
memory_is_shown_and_absence_is_told(void **state)
{
	(void)state;
	struct fixture f;
	const char *why;
	const struct value *v;
	struct value_style style = VALUE_STYLE;

	fixture_init(&f);
	shows(&f, "*(int*)$rsp", "1128415552");
	shows(&f, "$rsp", "0x7000040");
	shows(&f, "(char*)($rsp + 192)", "0x7000100 \"text\"");
	shows(&f, "(char*)($rsp + 197)",
	      "0x7000105 'a' <repeats 17 times>, \"b\"");
	shows(&f, "(char*)1",
	      "0x1 <error: Cannot access memory at address 0x1>");
	assert_ok(values_eval(f.values, f.scope, "*(int*)0x8000000", &style,
			      f.arena, &v));
	assert_int_equal(value_state(v, &why), VALUE_NOT_CAPTURED);
	assert_non_null(why);
	assert_ok(values_eval(f.values, f.scope, "*(int*)8", &style, f.arena,
			      &v));
	assert_int_equal(value_state(v, &why), VALUE_UNMAPPED);
	assert_ok(values_eval(f.values, f.scope, "$rbx", &style, f.arena,
			      &v));
	assert_int_equal(value_state(v, &why), VALUE_OPTIMISED_OUT);
	assert_string_equal(why, "register rbx is not known in this frame");
	fixture_fini(&f);
}

static void
children_come_in_pages(void **state)
{
	(void)state;
	struct fixture f;
	struct children c;
	struct value_style style = VALUE_STYLE;
	const struct value *v;
	uint64_t n;

	fixture_init(&f);
	assert_ok(values_eval(f.values, f.scope, "*(int*)0x7000000@1000000000",
			      &style, f.arena, &v));
	assert_ok(value_n_children(v, &style, &n));
	assert_int_equal(n, 1000000000);
	assert_ok(value_children(v, &style, 512, 2, f.arena, &c));
	assert_int_equal(c.n, 2);
	assert_string_equal(c.list[0].name, "[512]");
	assert_int_equal(c.list[1].kind, CHILD_ELEMENT);
	assert_ok(value_children(v, &style, 999999999, 10, f.arena, &c));
	assert_int_equal(c.n, 1);
	fixture_fini(&f);
}

static void
an_error_says_at_which_column(void **state)
{
	(void)state;
	struct fixture f;

	fixture_init(&f);
	refuses(&f, "1 +", ERR_USAGE, "column 4:");
	refuses(&f, "(1", ERR_USAGE, "column 3:");
	refuses(&f, "1 2", ERR_USAGE, "column 3:");
	refuses(&f, "/x 1 $", ERR_USAGE, "column 6:");
	refuses(&f, "7 / 0", ERR_USAGE, "column 3: Division by zero");
	refuses(&f, "/q 1", ERR_USAGE, "column 2:");
	refuses(&f, "\"abc", ERR_USAGE, "column 1:");
	refuses(&f, "a = 1", ERR_NOTFOUND, "a");
	refuses(&f, "$sp = 1", ERR_USAGE, "nothing can be changed");
	refuses(&f, "&1", ERR_USAGE, "no address");
	refuses(&f, "1.5 % 2", ERR_USAGE, "whole numbers");
	refuses(&f, "nosuch", ERR_NOTFOUND, "nosuch");
	fixture_fini(&f);
}

static void
depth_and_length_are_bounded(void **state)
{
	(void)state;
	struct fixture f;
	_buf_ struct buf deep = { 0 };

	fixture_init(&f);
	for (unsigned n = 0; n < 1000; n++)
		buf_putc(&deep, '(');
	refuses(&f, deep.data, ERR_LIMIT, "nested");
	for (unsigned n = 0; n < 2000; n++)
		buf_puts(&deep, "1+");
	refuses(&f, deep.data, ERR_LIMIT, "longer");
	fixture_fini(&f);
}

static void
strings(const char *bytes, size_t n, unsigned width, const char *want)
{
	struct chars c = { .data = (const uint8_t *)bytes, .n = n,
			   .width = width };
	_buf_ struct buf out = { 0 };

	chars_put_string(&out, &c, &VALUE_STYLE);
	assert_string_equal(out.data, want);
}

static void
strings_are_quoted_and_escaped(void **state)
{
	(void)state;
	strings("hi\0\0\0", 5, 1, "\"hi\\000\\000\"");
	strings("hi\0\0\0\0\0\0\0\0\0\0\0\0", 14, 1,
		"\"hi\", '\\000' <repeats 11 times>");
	strings("\001" "2\"\\\033", 5, 1, "\"\\0012\\\"\\\\\\033\"");
	strings("\303\244x\377", 4, 1, "\"\303\244x\\377\"");
	strings("a\342\202", 3, 1, "\"a\", <incomplete sequence \\342\\202>");
	strings("a\0b\0", 2, 2, "\"ab\"");
	strings("\xe2\x80\xae", 3, 1, "\"\\342\\200\\256\"");
	strings("", 0, 1, "\"\"");
}

static void
words_of_types_are_those_of_people(void **state)
{
	(void)state;
	_buf_ struct buf out = { 0 };

	type_put_words(&out, "a<long unsigned int, short int, along int>");
	assert_string_equal(out.data,
			    "a<unsigned long, short, along int>");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(arithmetic_is_that_of_c),
		cmocka_unit_test(formats_are_those_of_gdb),
		cmocka_unit_test(memory_is_shown_and_absence_is_told),
		cmocka_unit_test(children_come_in_pages),
		cmocka_unit_test(an_error_says_at_which_column),
		cmocka_unit_test(depth_and_length_are_bounded),
		cmocka_unit_test(strings_are_quoted_and_escaped),
		cmocka_unit_test(words_of_types_are_those_of_people),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
