/* SPDX-License-Identifier: Apache-2.0 */
/*
 * speak FILE: the Debug Adapter Protocol over FILE on standard input and output.
 * Over the disk, unjailed, without a server or a session around it.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "dap/dap.h"
#include "supply/supply.h"

static struct err *
on_disk(void *arg, const struct supply_ask *ask, int *fd)
{
	(void)arg;
	return supply_disk(&supply_default_places, ask, fd);
}

static struct err *
serve(struct dap *d)
{
	struct dap_stream stream = { 0 };
	struct err *err = NULL;
	char bytes[4096];

	while (!err && !dap_done(d) && !stream.over) {
		_buf_ struct buf out = { 0 };
		const struct dap_sink sink = dap_stream_sink(&out);
		ssize_t n = read(STDIN_FILENO, bytes, sizeof(bytes));

		if (n <= 0)
			break;
		err = dap_stream_feed(&stream, d, bytes, (size_t)n, &out);
		while (!err && dap_busy(d))
			err = dap_work(d, &sink);
		if (!err)
			err = io_write(STDOUT_FILENO, out.data, out.len);
	}
	if (stream.why)
		fprintf(stderr, "speak: %s\n", stream.why);
	dap_stream_fini(&stream);
	return err;
}

static struct err *
speak(const char *path)
{
	const struct supply supply = { .module = on_disk };
	const struct insp_options options = { .supply = &supply };
	_source_ struct source *src = NULL;
	_insp_ struct insp *insp = NULL;
	_values_ struct values *values = NULL;
	_dap_ struct dap *d = NULL;
	struct target *t = NULL;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	struct err *err = fd < 0 ? err_errno("%s", path)
				 : source_fd(fd, path, &src);
	if (!err)
		err = target_open(src, &t);
	if (!err)
		err = insp_open(t, &options, &insp);
	if (!err)
		err = values_new(insp, NULL, &values);
	const struct dap_options o = {
		.shown = { .id = path, .insp = insp, .values = values },
		.local = true,
	};
	if (!err)
		err = dap_new(&o, &d);
	return err ? err : serve(d);
}

int
main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: speak FILE\n");
		return 2;
	}
	_err_ struct err *err = speak(argv[1]);

	if (err)
		fprintf(stderr, "speak: %s\n", err_text(err));
	return err_exit_status(err);
}
