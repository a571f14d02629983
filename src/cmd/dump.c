/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dump.c: inquest dump - everything in a snapshot as canonical text.
 */
#include <unistd.h>

#include "capture/capture.h"
#include "cmd/cmd.h"
#include "cmd/outfile.h"
#include "cmd/session.h"
#include "snapfmt/snapfmt.h"

struct dump {
	int scratch;            /* unnamed file for a core's snapshot */
};

static struct err *
dump_snapshot(struct source *src)
{
	_snap_ struct snap *snap = NULL;
	_buf_ struct buf out = { 0 };

	struct err *err = snap_open(src, &snap);
	if (!err)
		err = snap_dump(snap, &out);
	return err ? err : say_result(&out);
}

static struct err *
dump_sink(void *arg, const void *data, size_t n)
{
	return io_write(*(const int *)arg, data, n);
}

/* A core is shown as what import would make of it. */
static struct err *
dump_core(struct subject *s, int scratch)
{
	const struct capture_options options = {
		.source = "elf-core", .source_name = s->path,
	};
	_source_ struct source *snapshot = NULL;
	struct capture_counts counts;

	struct err *err = subject_open(s);
	if (!err)
		err = capture_save(s->insp, &options, dump_sink, &scratch,
				   &counts);
	if (!err)
		err = source_fd(scratch, s->path, &snapshot);
	if (!err)
		err = dump_snapshot(snapshot);
	if (!err)
		subject_tell_damage(s);
	return err;
}

/* Runs jailed. */
static struct err *
dump_work(struct subject *s, void *arg)
{
	const struct dump *d = arg;

	return snap_is(s->src) ? dump_snapshot(s->src)
			       : dump_core(s, d->scratch);
}

static struct err *
dump_run(const struct verb *v, int argc, char **argv, int *status)
{
	_close_ int scratch = -1;
	struct operands operands;

	struct err *err = verb_parse(v, argc, argv, NULL, &operands);
	if (!err)
		err = outfile_scratch(&scratch);
	if (err)
		return err;
	struct dump dump = { .scratch = scratch };
	const struct session_options session = {
		.verb = v->name, .snap = operands.item[0],
		.keep = &scratch, .n_keep = 1,
		.work = dump_work, .arg = &dump,
	};
	return session_run(&session, status);
}

static const struct example dump_examples[] = {
	{ PROGRAM " dump x.snap | less", "read it" },
	{ "diff <(" PROGRAM " dump a.snap) <(" PROGRAM " dump b.snap)",
	  "compare two" },
	{ NULL, NULL }
};

static const struct exit_row dump_exits[] = {
	{ 0, "shown" },
	{ 1, "the file is no snapshot or core at all" },
	{ 2, "usage" },
	{ 3, "no such file" },
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
	.text = "One record a line, in an order that depends on the contents "
		"only; memory as sizes and hashes. Of a core, what import "
		"would write is shown.",
	.examples = dump_examples,
	.exits = dump_exits,
	.run = dump_run,
};
