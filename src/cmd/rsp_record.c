/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rsp_record.c: recordings of a session, as text.
 *
 * The first line is "inquest-rsp 1". Each further line is what was read from
 * a client (>) or sent to it (<): the direction, a space, the number of the
 * connection, a space, the bytes. Bytes outside of 0x20 to 0x7e are \xNN, a
 * backslash is \\. Where lines are cut says nothing: a recording is replayed
 * by joining those of one direction.
 */
#include "cmd/rsp.h"

/* Longer lines are cut: editors and diff should like them. */
#define LINE_MAX_BYTES 4096u

struct err *
rsp_record_begin(int fd)
{
	static const char first[] = "inquest-rsp 1\n";

	return fd < 0 ? NULL : io_write(fd, first, sizeof(first) - 1);
}

static void
record_line(struct buf *b, char direction, unsigned connection,
	    const uint8_t *data, size_t n)
{
	buf_printf(b, "%c %u ", direction, connection);
	for (size_t k = 0; k < n; k++) {
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
rsp_record(int fd, enum rsp_direction direction, unsigned connection,
	   const void *data, size_t n)
{
	const uint8_t *bytes = data;
	_buf_ struct buf b = { 0 };

	if (fd < 0)
		return NULL;
	for (size_t at = 0; at < n; at += LINE_MAX_BYTES)
		record_line(&b, (char)direction, connection, bytes + at,
			    n - at < LINE_MAX_BYTES ? n - at : LINE_MAX_BYTES);
	struct err *err = buf_err(&b);
	return err ? err : io_write(fd, b.data, b.len);
}
