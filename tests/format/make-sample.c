/* SPDX-License-Identifier: Apache-2.0 */
/*
 * make-sample small|large|moved FILE: writes a snapshot with every kind of record
 * and prints its canonical text, for other readers to be compared with.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/snap-sample.h"

static struct err *
sample_save(const char *path, const struct buf *bytes)
{
	_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
			      0644);

	if (fd < 0)
		return err_errno("%s", path);
	return io_write(fd, bytes->data, bytes->len);
}

static struct err *
sample_text(const struct buf *bytes, struct buf *out)
{
	_source_ struct source *src = NULL;
	_snap_ struct snap *snap = NULL;
	struct err *err = source_mem(bytes->data, bytes->len, "sample", &src);

	if (!err)
		err = snap_open(src, &snap);
	return err ? err : snap_dump(snap, out);
}

int
main(int argc, char **argv)
{
	_buf_ struct buf bytes = { 0 }, text = { 0 };

	if (argc != 3) {
		fprintf(stderr, "usage: make-sample small|large|moved FILE\n");
		return 2;
	}
	_err_ struct err *err = sample_make(
		strcmp(argv[1], "large") == 0 ? SAMPLE_LARGE :
		strcmp(argv[1], "moved") == 0 ? SAMPLE_MOVED : SAMPLE_SMALL,
		&bytes);
	if (!err)
		err = sample_save(argv[2], &bytes);
	if (!err)
		err = sample_text(&bytes, &text);
	if (err) {
		fprintf(stderr, "make-sample: %s\n", err_text(err));
		return err_exit_status(err);
	}
	fputs(text.data, stdout);
	return 0;
}
