/* SPDX-License-Identifier: Apache-2.0 */
/* Base64: vectors of RFC 4648, 10, and what is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <string.h>

#include "base/base.h"

static const struct {
	const char *bytes, *text;
} vectors[] = {
	{ "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" }, { "foo", "Zm9v" },
	{ "foob", "Zm9vYg==" }, { "fooba", "Zm9vYmE=" },
	{ "foobar", "Zm9vYmFy" }, { "\xff\xef\xbe", "/+++" },
};

static void
the_vectors_of_the_rfc_go_both_ways(void **state)
{
	(void)state;
	for (size_t k = 0; k < countof(vectors); k++) {
		_buf_ struct buf text = { 0 }, bytes = { 0 };

		buf_putc(&text, '>');
		buf_base64(&text, vectors[k].bytes, strlen(vectors[k].bytes));
		assert_string_equal(text.data + 1, vectors[k].text);
		assert_true(base64_bytes(vectors[k].text,
					 strlen(vectors[k].text), &bytes));
		assert_int_equal(bytes.len, strlen(vectors[k].bytes));
		if (bytes.len)
			assert_memory_equal(bytes.data, vectors[k].bytes,
					    bytes.len);
	}
}

static void
what_is_no_base64_is_refused(void **state)
{
	static const char *const texts[] = {
		"Z", "Zg", "Zg=", "Zg==Zg==", "=Zg=", "Zm9v\n", "Zm 9", "Zm-_",
		"====", "Z===", "Zh==" /* bits that are left over */, "Zm9=",
		"\xc3\xa4zz",
	};

	(void)state;
	for (size_t k = 0; k < countof(texts); k++) {
		_buf_ struct buf bytes = { 0 };

		assert_false(base64_bytes(texts[k], strlen(texts[k]),
					  &bytes));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_vectors_of_the_rfc_go_both_ways),
		cmocka_unit_test(what_is_no_base64_is_refused),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
