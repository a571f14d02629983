/* SPDX-License-Identifier: Apache-2.0 */
/* What a client of the Debug Adapter Protocol repeats does not add up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <malloc.h>

#include "tests/fuzz/dap-world.h"
#include "tests/unit/assert-err.h"

#define TIMES 1500u
#define PAIRS 60u
#define PATH_BYTES 4000u
#define GROWTH_MAX ((size_t)1 << 20)    /* were all kept: 350 MiB */

static struct err *
hear(void *arg, struct span json)
{
	(void)json;
	++*(unsigned *)arg;
	return NULL;
}

static void
say(struct dap *d, const char *text, unsigned *heard)
{
	const struct dap_sink sink = { hear, heard };

	assert_ok(dap_message(d, (struct span){ text, strlen(text) }, &sink));
	while (dap_busy(d))
		assert_ok(dap_work(d, &sink));
}

/* A map as long as one may be, for a thread that is not there. */
static void
put_attach(struct buf *out)
{
	buf_puts(out, "{\"seq\":2,\"type\":\"request\",\"command\":\"attach\","
		 "\"arguments\":{\"thread\":77,\"sourceMap\":[");
	for (unsigned k = 0; k < PAIRS; k++) {
		buf_printf(out, "%s[\"/%u", k ? "," : "", k);
		for (unsigned n = 0; n < PATH_BYTES; n++)
			buf_putc(out, 'x');
		buf_puts(out, "\",\"/\"]");
	}
	buf_puts(out, "]}}");
}

/* Not what is resident: a sanitizer keeps what was freed for a while. */
static size_t
in_use(void)
{
	struct mallinfo2 all = mallinfo2();

	return all.uordblks + all.hblkhd;
}

static void
attach_that_fails_keeps_nothing(void **state)
{
	_buf_ struct buf attach = { 0 };
	_dap_ struct dap *d = NULL;
	struct dap_options options = { .local = true };
	struct world w;
	unsigned heard = 0;

	(void)state;
	assert_ok(world_init(&w, 0, NULL, 0));
	assert_ok(world_show(&w, &options.shown));
	assert_ok(dap_new(&options, &d));
	say(d, "{\"seq\":1,\"type\":\"request\",\"command\":\"initialize\","
	    "\"arguments\":{\"adapterID\":\"a\"}}", &heard);
	put_attach(&attach);
	say(d, attach.data, &heard);
	size_t before = in_use();
	for (unsigned k = 0; k < TIMES; k++)
		say(d, attach.data, &heard);
	assert_true(heard >= TIMES + 2);
	assert_true(in_use() < before + GROWTH_MAX);
	dap_free(take(d));
	world_fini(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(attach_that_fails_keeps_nothing),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
