/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dump.c: inquest dump - everything in a snapshot as canonical text.
 */
#include <string.h>
#include <unistd.h>

#include "capture/capture.h"
#include "cmd/cmd.h"
#include "cmd/outfile.h"
#include "cmd/session.h"
#include "snapfmt/snapfmt.h"

struct dump_options {
	const char *extract;    /* the name of a file or text; NULL: all */
};
struct dump {
	struct dump_options options;
	int scratch;            /* unnamed file for a core's snapshot */
};

static bool
dump_find(const struct snap_blob *all, size_t n, const char *name, size_t *at)
{
	for (*at = 0; *at < n; (*at)++)
		if (all[*at].name && strcmp(all[*at].name, name) == 0)
			return true;
	return false;
}

/* As it was attached, byte by byte. */
static struct err *
dump_extract(struct snap *snap, const char *name, struct buf *out)
{
	const struct snap_blob *all;
	struct span bytes;
	size_t n, at;

	all = snap_files(snap, &n);
	if (dump_find(all, n, name, &at)) {
		struct err *err = snap_file(snap, at, &bytes);
		if (err)
			return err;
	} else {
		all = snap_texts(snap, &n);
		if (!dump_find(all, n, name, &at))
			return err_new(ERR_NOTFOUND, "no file and no text in "
				       "it is named \"%.200s\"; lines of dump "
				       "that begin with file and text have "
				       "the names", name);
		bytes = all[at].bytes;
	}
	buf_put(out, bytes.n ? bytes.data : "", bytes.n);
	return buf_err(out);
}

static struct err *
dump_snapshot(const struct dump *d, struct source *src)
{
	const char *name = d->options.extract;
	_snap_ struct snap *snap = NULL;
	_buf_ struct buf out = { 0 };

	struct err *err = snap_open(src, &snap);
	if (!err)
		err = name ? dump_extract(snap, name, &out)
			   : snap_dump(snap, &out);
	return err ? err : say_result(&out);
}

static struct err *
dump_sink(void *arg, const void *data, size_t n)
{
	return io_write(*(const int *)arg, data, n);
}

/* A core is shown as what import would make of it. */
static struct err *
dump_core(const struct dump *d, struct subject *s)
{
	const struct capture_options options = {
		.source = "elf-core", .source_name = s->path,
	};
	_source_ struct source *snapshot = NULL;
	struct capture_counts counts;
	int scratch = d->scratch;

	struct err *err = subject_open(s);
	if (!err)
		err = capture_save(s->insp, &options, dump_sink, &scratch,
				   &counts);
	if (!err)
		err = source_fd(scratch, s->path, &snapshot);
	if (!err)
		err = dump_snapshot(d, snapshot);
	if (!err)
		subject_tell_damage(s);
	return err;
}

/* Runs jailed. */
static struct err *
dump_work(struct subject *s, void *arg)
{
	const struct dump *d = arg;

	return snap_is(s->src) ? dump_snapshot(d, s->src)
			       : dump_core(d, s);
}

static struct err *
dump_run(const struct verb *v, int argc, char **argv, int *status)
{
	_close_ int scratch = -1;
	struct operands operands;
	struct dump dump = { .scratch = -1 };

	struct err *err = verb_parse(v, argc, argv, &dump.options, &operands);
	if (!err)
		err = outfile_scratch(&scratch);
	if (err)
		return err;
	dump.scratch = scratch;
	const struct session_options session = {
		.verb = v->name, .snap = operands.item[0],
		.keep = &scratch, .n_keep = 1,
		.work = dump_work, .arg = &dump,
	};
	return session_run(&session, status);
}

static const struct opt dump_opts[] = {
	{ "extract", 'x', "NAME", "write this attached file or text as it is",
	  OPT_STRING, offsetof(struct dump_options, extract) },
	{ .name = NULL }
};

static const struct example dump_examples[] = {
	{ PROGRAM " dump x.snap | less", "read it" },
	{ "diff <(" PROGRAM " dump a.snap) <(" PROGRAM " dump b.snap)",
	  "compare two" },
	{ PROGRAM " dump -x maps x.snap", "one text or file of it" },
	{ NULL, NULL }
};

static const struct exit_row dump_exits[] = {
	{ 0, "shown" },
	{ 1, "the file is no snapshot or core at all" },
	{ 2, "usage" },
	{ 3, "no such file, or nothing of that name in it" },
	{ 4, "not allowed to read it" },
	{ 6, "the file is damaged or cut" },
	{ 0, NULL }
};

const struct verb verb_dump = {
	.name = "dump",
	.operands = "SNAP",
	.min = 1,
	.max = 1,
	.summary = "Show everything in a snapshot as text",
	.seldom = true,
	.text = "One record a line, in an order that depends on the contents "
		"only; memory as sizes and hashes. Of a core, what import "
		"would write is shown. With --extract NAME the file that was "
		"attached under this name is written as it is, or the text "
		"of /proc/PID; the bytes are those of a stranger, unescaped.",
	.options = dump_opts,
	.examples = dump_examples,
	.exits = dump_exits,
	.run = dump_run,
};
