/* SPDX-License-Identifier: Apache-2.0 */
/*
 * say.c: how verbs speak - results on stdout, talk on stderr.
 */
#include <errno.h>
#include <string.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/json.h"
#include "cmd/cmd.h"
#include "snapfmt/snapfmt.h"

void
say(const char *fmt, ...)
{
	_buf_ struct buf line = { 0 };
	va_list ap;

	buf_puts(&line, PROGRAM ": ");
	va_start(ap, fmt);
	buf_vprintf(&line, fmt, ap);
	va_end(ap);
	buf_putc(&line, '\n');
	/* Where stderr is closed there is nobody left to tell. */
	err_free(io_write(STDERR_FILENO, line.data, line.len));
}

struct err *
say_result_to(int fd, const struct buf *b)
{
	size_t done = 0;
	ssize_t n;

	struct err *err = buf_err(b);
	if (err)
		return err;
	while (done < b->len) {
		n = write(fd, b->data + done, b->len - done);
		if (n < 0 && errno == EPIPE)
			return NULL;
		if (n < 0 && errno != EINTR)
			return err_errno("cannot write the result");
		if (n > 0)
			done += (size_t)n;
	}
	return NULL;
}

struct err *
say_result(const struct buf *b)
{
	return say_result_to(STDOUT_FILENO, b);
}

bool
say_colour(int fd)
{
	const char *no = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	/* https://no-color.org: present and not empty, whatever its value. */
	if (no && *no)
		return false;
	return isatty(fd) && term && strcmp(term, "dumb") != 0;
}

void
say_quoted(struct buf *b, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
		"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%+=:,./-_";

	if (*word && strspn(word, plain) == strlen(word)) {
		buf_puts(b, word);
		return;
	}
	buf_putc(b, '\'');
	for (; *word; word++) {
		if (*word == '\'')
			buf_puts(b, "'\\''");
		else
			buf_putc(b, *word);
	}
	buf_putc(b, '\'');
}

const char *
say_reason(unsigned reason)
{
	return snap_reason_why((uint8_t)(reason < SNAP_REASONS ? reason : 0));
}

struct json *
say_json(const char *verb)
{
	struct json *about = json_object();
	struct json *top = json_object();

	json_set(about, "version", json_u64(1));
	json_set(about, "verb", json_string(verb));
	json_set(top, PROGRAM, about);
	return top;
}

struct json *
say_attr(const struct snap_attr *a)
{
	double real;

	switch (a->type) {
	case SNAP_ATTR_STRING:
		return json_string(a->string);
	case SNAP_ATTR_I64:
		return json_i64((int64_t)a->number);
	case SNAP_ATTR_BOOL:
		return json_bool(a->number);
	case SNAP_ATTR_F64:
		memcpy(&real, &a->number, sizeof(real));
		return json_f64(real);
	default:
		return json_u64(a->number);
	}
}
