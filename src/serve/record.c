/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record.c: writes recordings.
 */
#include "serve/record.h"

/* Longer lines are cut: editors and diff should like them. */
#define LINE_MAX_BYTES 4096u

struct err *
record_begin(int fd)
{
	static const char first[] = "inquest-rsp 1\n";

	return fd < 0 ? NULL : io_write(fd, first, sizeof(first) - 1);
}

static void
record_line(struct buf *b, char direction, unsigned connection,
	    struct span bytes)
{
	const uint8_t *data = bytes.data;

	buf_printf(b, "%c %u ", direction, connection);
	for (size_t k = 0; k < bytes.n; k++) {
		if (data[k] == '\\')
			buf_puts(b, "\\\\");
		else if (data[k] < 0x20 || data[k] > 0x7e)
			buf_printf(b, "\\x%02x", data[k]);
		else
			buf_putc(b, (char)data[k]);
	}
	buf_putc(b, '\n');
}

struct err *
record_bytes(int fd, enum record_direction direction, unsigned connection,
	     struct span bytes)
{
	const uint8_t *data = bytes.data;
	_buf_ struct buf b = { 0 };

	if (fd < 0)
		return NULL;
	for (size_t at = 0; at < bytes.n; at += LINE_MAX_BYTES) {
		size_t n = bytes.n - at;
		record_line(&b, (char)direction, connection, (struct span){
			data + at, n < LINE_MAX_BYTES ? n : LINE_MAX_BYTES });
	}
	struct err *err = buf_err(&b);
	return err ? err : io_write(fd, b.data, b.len);
}
