/* SPDX-License-Identifier: Apache-2.0 */
/*
 * speak FILE: the Debug Adapter Protocol over FILE on standard input and output.
 * Over the disk, unjailed, without a server or a session around it; indexes are
 * made as they are asked for. speak world N: over the snapshots of
 * tests/fuzz/dap-world.h, the same on every machine.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "dap/dap.h"
#include "tests/fuzz/dap-world.h"
#include "tests/unit/make-opened.h"

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
	struct opened_file file = { 0 };
	struct dap *d = NULL;
	struct err *err = opened_open(&file, path);
	const struct dap_options o = {
		.shown = { .id = path, .insp = file.insp,
			   .values = file.values },
		.local = true,
	};

	if (!err)
		err = dap_new(&o, &d);
	if (!err)
		err = serve(d);
	dap_free(d);
	opened_close(&file);
	return err;
}

static struct err *
speak_world(unsigned which)
{
	_dap_ struct dap *d = NULL;
	struct world w;

	struct err *err = world_init(&w, which);
	const struct dap_options o = { .host = &w.host, .local = true };
	if (!err)
		err = dap_new(&o, &d);
	if (!err)
		err = serve(d);
	dap_free(take(d));
	world_fini(&w);
	return err;
}

int
main(int argc, char **argv)
{
	if (argc < 2 || argc > 3) {
		fprintf(stderr, "usage: speak FILE | speak world N\n");
		return 2;
	}
	_err_ struct err *err = argc == 2 ? speak(argv[1])
				: speak_world((unsigned)atoi(argv[2]));

	if (err)
		fprintf(stderr, "speak: %s\n", err_text(err));
	return err_exit_status(err);
}
