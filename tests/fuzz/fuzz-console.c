/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a gdb that was taken over may say to a console: text within its limit,
 * one answer a question, and nothing said to gdb but lines of our own.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

#include "serve/console.h"

static void
must(struct err *err)
{
	if (err)
		abort();
}

static void
ask(struct console *c, unsigned n)
{
	const struct console_question q = {
		.text = n % 2 ? "p \"a\\b\"" : "x", .has_frame = n % 3,
		.thread = 1, .frame = n % 5, .pc = 0x1000, .same = n % 2,
	};

	err_free(console_question(c, &q));
}

static void
hear(struct console *c)
{
	_buf_ struct buf text = { 0 };

	if (!console_answered(c))
		return;
	_err_ struct err *err = console_take(c, &text);
	if (text.len > CONSOLE_TEXT_MAX + 100 || console_answered(c))
		abort();
}

static void
speak(struct console *c)
{
	_buf_ struct buf out = { 0 };

	must(console_speak(c, &out));
	if (out.len && out.data[out.len - 1] != '\n')
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct console *c;

	must(console_new("/dev/pts/7", &c));
	for (unsigned k = 0; n && k < 64; k++) {
		size_t piece = 1 + data[0] % 64;

		if (piece > n)
			piece = n;
		if (k % 4 == 0)
			ask(c, k + data[0]);
		must(console_hear(c, data, piece));
		speak(c);
		hear(c);
		data += piece;
		n -= piece;
	}
	must(console_hear(c, data, n));
	console_end(c);
	if (!console_is_over(c))
		abort();
	hear(c);
	console_release(c);
	console_release(c);
	return 0;
}
