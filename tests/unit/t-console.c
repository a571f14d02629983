/* SPDX-License-Identifier: Apache-2.0 */
/* A dialogue with gdb: what is asked, and what is made of its answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "assert-err.h"
#include "serve/console.h"

struct talk {
	struct console *c;
	struct buf said;
};

static void
said(struct talk *t)
{
	buf_reset(&t->said);
	assert_ok(console_speak(t->c, &t->said));
	buf_putc(&t->said, '\0');
}

static void
hear(struct talk *t, const char *text)
{
	assert_ok(console_hear(t->c, text, strlen(text)));
}

static void
begin(struct talk *t)
{
	*t = (struct talk){ 0 };
	assert_ok(console_new("/dev/pts/7", &t->c));
	said(t);
	assert_non_null(strstr(t->said.data, "-interpreter-exec console "
			       "\"target remote /dev/pts/7\"\n"));
	hear(t, "(gdb) \n1^done\n2^done\n3^done\n4^done\n5^done\n6^done\n"
		"~\"connected\\n\"\n7^done\n(gdb) \n");
}

static void
end(struct talk *t)
{
	console_end(t->c);
	console_release(t->c);
	console_release(t->c);
	buf_fini(&t->said);
}

static void
ask(struct talk *t, const char *text)
{
	assert_ok(console_question(t->c, &(struct console_question){
			.text = text }));
	said(t);
}

static void
answers(struct talk *t, const char *expected)
{
	_buf_ struct buf text = { 0 };

	assert_true(console_answered(t->c));
	assert_ok(console_take(t->c, &text));
	assert_string_equal(text.data, expected);
}

static void
fails(struct talk *t, const char *expected)
{
	_buf_ struct buf text = { 0 };

	assert_true(console_answered(t->c));
	_err_ struct err *err = console_take(t->c, &text);
	assert_non_null(err);
	assert_string_equal(err_text(err), expected);
}

static void
an_answer_is_what_came_for_it(void **state)
{
	struct talk t;

	(void)state;
	begin(&t);
	ask(&t, "p \"a\\b\"");
	assert_string_equal(t.said.data, "8-interpreter-exec console "
			    "\"p \\\"a\\\\b\\\"\"\n");
	hear(&t, "=news\n~\"a\\t\\\"\\303\\244");
	assert_false(console_answered(t.c));
	hear(&t, "\\n\"\n&\"log\"\nraw\n8^done\n~\"late\"\n");
	answers(&t, "a\t\"\xc3\xa4\nraw");
	end(&t);
}

static void
what_is_no_command_is_an_expression(void **state)
{
	struct talk t;

	(void)state;
	begin(&t);
	ask(&t, "v.size()");
	hear(&t, "8^error,msg=\"Undefined command: \\\"v.size\\\".\"\n");
	assert_false(console_answered(t.c));
	said(&t);
	assert_string_equal(t.said.data, "9-interpreter-exec console "
			    "\"print v.size()\"\n");
	hear(&t, "9^error,msg=\"Undefined command: again\"\n");
	fails(&t, "Undefined command: again");
	ask(&t, "x");
	hear(&t, "10^error,msg=\"No symbol\"\n");
	fails(&t, "No symbol");
	hear(&t, "10^error,msg=\"Undefined command\"\n10^done\n");
	said(&t);
	assert_string_equal(t.said.data, "");
	assert_false(console_answered(t.c));
	end(&t);
}

static void
a_frame_is_found_by_its_pc(void **state)
{
	struct console_question q = {
		.text = "p x", .has_frame = true, .thread = 2, .frame = 3,
		.pc = 0x1234, .same = 1,
	};
	struct talk t;

	(void)state;
	begin(&t);
	assert_ok(console_question(t.c, &q));
	said(&t);
	assert_string_equal(t.said.data,
			    "8-stack-list-frames --thread 3 0 19\n");
	hear(&t, "8^done,stack=[frame={level=\"0\",addr=\"0x1\"},"
		 "frame={level=\"1\",addr=\"0x1234\",func=\"frame={level=\\\"7"
		 "\"},frame={level=\"2\",addr=\"0x0000000000001234\"}]\n");
	said(&t);
	assert_string_equal(t.said.data, "9-interpreter-exec --thread 3 "
			    "--frame 2 console \"p x\"\n");
	hear(&t, "9^done\n");
	answers(&t, "");
	q.pc = 0x12;
	assert_ok(console_question(t.c, &q));
	hear(&t, "10^done,stack=[frame={level=\"0\",addr=\"0x1\"}]\n");
	fails(&t, "gdb does not see this frame; ask in another one");
	end(&t);
}

static void
its_end_is_an_answer(void **state)
{
	struct talk t;

	(void)state;
	begin(&t);
	ask(&t, "x");
	assert_err(console_question(t.c, &(struct console_question){
			.text = "y" }), ERR_LIMIT, "has not answered");
	assert_true(console_patience(t.c) > 0);
	hear(&t, "8^exit\n");
	assert_true(console_is_over(t.c));
	fails(&t, "gdb has ended");
	assert_err(console_question(t.c, &(struct console_question){
			.text = "y" }), ERR_FAILED, "has ended");
	end(&t);
	assert_ok(console_new("/dev/pts/7", &t.c));
	assert_err(console_question(t.c, &(struct console_question){
			.text = "y\nz" }), ERR_USAGE, "one line");
	ask(&t, "x");
	hear(&t, "7^error,msg=\"closed\"\n");
	fails(&t, "gdb cannot look at this: closed");
	end(&t);
}

static void
why_it_did_not_start_is_told(void **state)
{
	_buf_ struct buf b = { 0 };
	struct talk t;

	(void)state;
	console_put_refusal(&b, "no \"gdb\" here");
	buf_putc(&b, '\0');
	assert_ok(console_new("/dev/pts/7", &t.c));
	t.said = (struct buf){ 0 };
	ask(&t, "x");
	hear(&t, b.data);
	assert_true(console_is_over(t.c));
	fails(&t, "gdb did not start on the machine of inquest: no \"gdb\" "
	      "here");
	end(&t);
	assert_ok(console_new("/dev/pts/7", &t.c));
	t.said = (struct buf){ 0 };
	ask(&t, "x");
	console_end(t.c);
	fails(&t, "gdb ended before it could be asked; see whether gdb runs "
	      "on the machine of inquest");
	end(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_is_what_came_for_it),
		cmocka_unit_test(what_is_no_command_is_an_expression),
		cmocka_unit_test(a_frame_is_found_by_its_pc),
		cmocka_unit_test(its_end_is_an_answer),
		cmocka_unit_test(why_it_did_not_start_is_told),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
