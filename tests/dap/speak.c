/* SPDX-License-Identifier: Apache-2.0 */
/*
 * speak FILE: the Debug Adapter Protocol over FILE on standard input and output.
 * Over the disk, unjailed, without a server or a session around it; indexes are
 * made as they are asked for.
 *
 * speak world N: over the snapshots of tests/fuzz/dap-world.h, the same on every
 * machine. speak time FILE EXPRESSION COUNT: milliseconds that building a
 * "variables" reply of so many children takes, the median, and its bytes.
 */
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "dap/dap.h"
#include "tests/fuzz/dap-world.h"
#include "tests/unit/make-opened.h"

/* "cancel" is heard between the pieces of what takes long. */
static bool
is_said(void)
{
	struct pollfd said = { .fd = STDIN_FILENO, .events = POLLIN };

	return poll(&said, 1, 0) > 0;
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
		while (!err && dap_busy(d) && !is_said())
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

/* ---- how long a reply takes ------------------------------------------------- */
#define ROUNDS 201

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static struct err *
ask(struct dap *d, struct buf *out, const char *command, const char *fmt, ...)
{
	const struct dap_sink sink = dap_stream_sink(out);
	_buf_ struct buf text = { 0 };
	va_list ap;

	buf_printf(&text, "{\"seq\":1,\"type\":\"request\",\"command\":\"%s\","
		   "\"arguments\":{", command);
	va_start(ap, fmt);
	buf_vprintf(&text, fmt, ap);
	va_end(ap);
	buf_puts(&text, "}}");
	buf_reset(out);
	return dap_message(d, (struct span){ text.data, text.len }, &sink);
}

/* The number behind a member's name, or 0. */
static long
number_of(const struct buf *reply, const char *member)
{
	const char *found = strstr(reply->data, member);

	return found ? strtol(found + strlen(member), NULL, 10) : 0;
}

static struct err *
begin(struct dap *d, struct buf *out)
{
	struct err *err = ask(d, out, "initialize", "\"adapterID\":\"x\"");

	if (!err)
		err = ask(d, out, "attach", " ");
	if (!err)
		err = ask(d, out, "configurationDone", " ");
	long thread = err ? 0 : number_of(out, "\"threadId\":");
	return err ? err : ask(d, out, "stackTrace", "\"threadId\":%ld,"
			       "\"levels\":1", thread);
}

static struct err *
time_rows(struct dap *d, const char *expression, const char *count)
{
	_buf_ struct buf out = { 0 };
	double took[ROUNDS];

	struct err *err = begin(d, &out);
	if (!err)
		err = ask(d, &out, "evaluate", "\"frameId\":1,"
			  "\"expression\":\"%s\"", expression);
	long reference = err ? 0 : number_of(&out, "\"variablesReference\":");
	for (size_t k = 0; k < ROUNDS && !err; k++) {
		double began = now_ms();

		err = ask(d, &out, "variables", "\"variablesReference\":%ld,"
			  "\"start\":0,\"count\":%s", reference, count);
		took[k] = now_ms() - began;
	}
	if (err)
		return err;
	qsort(took, ROUNDS, sizeof(*took), compare);
	printf("%.4f ms, %zu bytes\n", took[ROUNDS / 2], out.len);
	return NULL;
}

static struct err *
speak_time(char **words)
{
	struct opened_file file = { 0 };
	struct dap *d = NULL;
	struct err *err = opened_open(&file, words[0]);
	const struct dap_options o = {
		.shown = { .id = "x", .insp = file.insp,
			   .values = file.values },
		.local = true,
	};

	if (!err)
		err = dap_new(&o, &d);
	if (!err)
		err = time_rows(d, words[1], words[2]);
	dap_free(d);
	opened_close(&file);
	return err;
}

/* ---- what is asked for --------------------------------------------------------- */
static struct err *
speak_world(unsigned which)
{
	_dap_ struct dap *d = NULL;
	struct world w;

	struct err *err = world_init(&w, which, NULL, 0);
	const struct dap_options o = { .host = &w.host, .local = true };
	if (!err)
		err = dap_new(&o, &d);
	if (!err)
		err = serve(d);
	dap_free(take(d));
	world_fini(&w);
	return err;
}

static struct err *
speak_as_told(int argc, char **argv)
{
	if (argc == 2)
		return speak(argv[1]);
	if (argc == 3 && strcmp(argv[1], "world") == 0)
		return speak_world((unsigned)atoi(argv[2]));
	if (argc == 5 && strcmp(argv[1], "time") == 0)
		return speak_time(argv + 2);
	return err_new(ERR_USAGE, "usage: speak FILE | speak world N | "
		       "speak time FILE EXPRESSION COUNT");
}

int
main(int argc, char **argv)
{
	_err_ struct err *err = speak_as_told(argc, argv);

	if (err)
		fprintf(stderr, "speak: %s\n", err_text(err));
	return err_exit_status(err);
}
