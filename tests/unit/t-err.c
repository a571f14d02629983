/* SPDX-License-Identifier: Apache-2.0 */
/* The contract of error values. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>

#include "assert-err.h"

static void
text_and_kind_are_kept(void **state)
{
	_err_ struct err *err = err_new(ERR_DAMAGED, "bad field %d", 7);

	(void)state;
	assert_int_equal(err_kind(err), ERR_DAMAGED);
	assert_string_equal(err_text(err), "bad field 7");
}

static void
an_empty_text_is_a_text(void **state)
{
	_err_ struct err *err = err_new(ERR_FAILED, "%s", "");

	(void)state;
	assert_string_equal(err_text(err), "");
}

static void
control_bytes_are_shown_escaped(void **state)
{
	(void)state;
	assert_err(err_new(ERR_FORMAT, "a\033[31m\nb\xff\\"), ERR_FORMAT,
		   "a\\x1b[31m\\x0ab\\xff\\\\");
}

static void
wrapping_puts_the_context_first_and_keeps_the_kind(void **state)
{
	struct err *err = err_new(ERR_LIMIT, "too\tmany");

	(void)state;
	err = err_wrap(err, "section %d\n", 3);
	assert_int_equal(err_kind(err), ERR_LIMIT);
	/* And what was escaped once is not escaped again. */
	assert_string_equal(err_text(err), "section 3\\x0a: too\\x09many");
	err_free(err);
}

static void
wrapping_success_is_success(void **state)
{
	(void)state;
	assert_null(err_wrap(NULL, "context"));
}

static void
out_of_memory_can_be_wrapped_and_freed(void **state)
{
	(void)state;
	err_free(err_nomem());
	err_free(err_nomem());
	assert_err(err_wrap(err_nomem(), "core"), ERR_NOMEM,
		   "core: out of memory");
	assert_err(err_nomem(), ERR_NOMEM, "out of memory");
}

static struct err *
err_of_errno(int number)
{
	errno = number;
	return err_errno("%s", "file");
}

static void
errno_decides_the_kind(void **state)
{
	(void)state;
	assert_err(err_of_errno(ENOENT), ERR_NOTFOUND,
		   "file: No such file or directory");
	assert_err(err_of_errno(EACCES), ERR_DENIED,
		   "file: Permission denied");
	assert_err(err_of_errno(EPERM), ERR_DENIED, "file: ");
	assert_err(err_of_errno(ENOMEM), ERR_NOMEM, "file: ");
	assert_err(err_of_errno(EIO), ERR_IO, "file: ");
	assert_err(err_of_errno(9999), ERR_IO, "file: error 9999");
}

static void
every_kind_has_the_promised_exit_status(void **state)
{
	static const int status[ERR_KINDS] = {
		[ERR_FAILED] = 1, [ERR_FORMAT] = 1, [ERR_UNSUPPORTED] = 1,
		[ERR_USAGE] = 2, [ERR_NOTFOUND] = 3, [ERR_DENIED] = 4,
		[ERR_NETWORK] = 5, [ERR_DAMAGED] = 6, [ERR_LIMIT] = 6,
		[ERR_UNMAPPED] = 1, [ERR_ABSENT] = 1, [ERR_NOMEM] = 1,
		[ERR_IO] = 1,
	};

	(void)state;
	assert_int_equal(err_exit_status(NULL), 0);
	for (int kind = 1; kind < ERR_KINDS; kind++) {
		_err_ struct err *err = err_new(kind, "x");

		assert_int_not_equal(status[kind], 0);
		assert_int_equal(err_exit_status(err), status[kind]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_and_kind_are_kept),
		cmocka_unit_test(an_empty_text_is_a_text),
		cmocka_unit_test(control_bytes_are_shown_escaped),
		cmocka_unit_test(
			wrapping_puts_the_context_first_and_keeps_the_kind),
		cmocka_unit_test(wrapping_success_is_success),
		cmocka_unit_test(out_of_memory_can_be_wrapped_and_freed),
		cmocka_unit_test(errno_decides_the_kind),
		cmocka_unit_test(every_kind_has_the_promised_exit_status),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
