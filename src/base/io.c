/* SPDX-License-Identifier: Apache-2.0 */
/* Whole writes, and whole small files. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"

#define READ_PIECE 16384

struct err *
io_write(int fd, const void *data, size_t n)
{
	const uint8_t *bytes = data;
	ssize_t put;

	for (size_t done = 0; done < n; done += put) {
		put = write(fd, bytes + done, n - done);
		if (put < 0 && errno == EINTR)
			put = 0;
		else if (put < 0)
			return err_errno("cannot write");
	}
	return NULL;
}

static struct err *
open_regular(const char *path, int *out)
{
	struct stat st;
	/* Not blocking, or a FIFO nobody writes to would hold us here. */
	_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY |
			      O_NONBLOCK);

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_errno("%s", path);
	if (!S_ISREG(st.st_mode))
		return err_new(ERR_FORMAT, "%s is not a regular file", path);
	*out = fd;
	fd = -1;
	return NULL;
}

/** To the end, not by st_size: that is 0 for the files of /proc. */
static struct err *
read_to_end(int fd, const char *path, struct buf *out)
{
	char piece[READ_PIECE];
	ssize_t got;

	do {
		got = read(fd, piece, sizeof(piece));
		if (got > 0)
			buf_put(out, piece, got);
	} while (!out->failed && (got > 0 || (got < 0 && errno == EINTR)));
	if (got < 0)
		return err_errno("%s: cannot read", path);
	return NULL;
}

struct err *
io_read_file(const char *path, size_t limit, struct buf *out)
{
	_buf_ struct buf text = { .max = limit };
	_close_ int fd = -1;
	struct err *err;

	err = open_regular(path, &fd);
	if (err)
		return err;
	err = read_to_end(fd, path, &text);
	if (err)
		return err;
	if (text.limited)
		return err_new(ERR_LIMIT, "%s is larger than the %zu bytes "
			       "allowed here", path, limit);
	err = buf_err(&text);
	if (err)
		return err;
	buf_put(out, text.data, text.len);
	return buf_err(out);
}
