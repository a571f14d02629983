/* SPDX-License-Identifier: Apache-2.0 */
/*
 * diff.c: inquest diff - in what two snapshots differ.
 */
#include <string.h>
#include <unistd.h>

#include "cmd/diff.h"
#include "cmd/pick.h"
#include "cmd/session.h"
#include "values/values.h"

struct diff_work {
	struct diff_options options;
	int other;                      /* descriptor of the second */
	const char *name;               /* what it is called */
	bool colour;
};

/* The first is the subject's; the second is opened beside it. */
static struct err *
diff_open(struct subject *s, const struct diff_work *w, struct source **src,
	  struct insp **out)
{
	const struct insp_options options = { .supply = &s->beside };
	_target_ struct target *t = NULL;
	struct err *err = subject_open(s);

	if (!err)
		err = source_fd(w->other, w->name, src);
	if (!err)
		err = target_open(*src, &t);
	return err ? err : insp_open(take(t), &options, out);
}

/* Runs jailed. */
static struct err *
diff_run_jailed(struct subject *s, void *arg)
{
	const struct diff_work *w = arg;
	_source_ struct source *src = NULL;
	_insp_ struct insp *other = NULL;
	_buf_ struct buf out = { 0 };

	struct err *err = diff_open(s, w, &src, &other);
	if (err)
		return err;
	struct diff_pair pair = {
		.side = { { s->insp, NULL, s->path }, { other, NULL, w->name } },
		.options = &w->options, .colour = w->colour,
	};
	for (unsigned k = 0; k < 2 && !err; k++)
		err = values_new(pair.side[k].insp, NULL, &pair.side[k].values);
	if (!err)
		err = w->options.json ? diff_json(&pair, &out)
				      : diff_text(&pair, &out);
	values_free(pair.side[0].values);
	values_free(pair.side[1].values);
	if (!err)
		err = say_result(&out);
	if (!err)
		subject_tell_damage(s);
	return err;
}

static struct err *
diff_run(const struct verb *v, int argc, char **argv, int *status)
{
	struct diff_work w = { .other = -1 };
	_pick_ struct pick second = PICK_NONE;
	struct operands operands;

	struct err *err = verb_parse(v, argc, argv, &w.options, &operands);
	if (!err)
		err = pick_open(operands.item[1], &second);
	if (err)
		return err;
	w.other = second.fd;
	w.name = second.title ? second.title : operands.item[1];
	w.colour = !w.options.json && say_colour(STDOUT_FILENO);
	const struct session_options session = {
		.verb = v->name, .snap = operands.item[0],
		.keep = &second.fd, .n_keep = 1, .beside = &second,
		.indexes = w.options.no_index ? INDEXES_USE : INDEXES_MAKE,
		.work = diff_run_jailed, .arg = &w,
	};
	return session_run(&session, status);
}

static const struct opt diff_opts[] = {
	{ "all", 'a', NULL, "every row of each list",
	  OPT_FLAG, offsetof(struct diff_options, all) },
	{ "json", 0, NULL, "one object",
	  OPT_FLAG, offsetof(struct diff_options, json) },
	{ "no-index", 0, NULL, "make no symbol index; use those that are there",
	  OPT_FLAG, offsetof(struct diff_options, no_index) },
	{ .name = NULL }
};

static const struct example diff_examples[] = {
	{ PROGRAM " diff before.snap after.snap", "what changed between them" },
	{ PROGRAM " diff --json a.snap b.snap", "for another program" },
	{ NULL, NULL }
};

static const struct exit_row diff_exits[] = {
	{ 0, "compared, whether they differ or not" },
	{ 1, "one of them is no snapshot or core, or cannot be handled" },
	{ 2, "usage" },
	{ 3, "no such file" },
	{ 4, "not allowed to read it" },
	{ 6, "the first is damaged or cut; what could be read is compared" },
	{ 0, NULL }
};

static const char diff_manual[] =
	"Holds two snapshots or cores against each other: of one process at "
	"two times, or of two. Threads are the same where their numbers are; "
	"of those whose stacks are in the same functions, variables that have "
	"other values now are listed, where debug information is found. Then "
	"follow modules, attributes and pages of memory that differ. Of a "
	"list of more than 40 rows the rest is counted; --all shows it.\n\n"
	"With --json the result is one object: inquest (version, verb); a and "
	"b (path, pid, captured); threads, modules, attributes: n (a pair), rows of "
	"mark (gone, new, moved, other), what, before, after; variables: rows "
	"of tid, depth, function, name, before, after; memory: pages that "
	"differ, ranges (start, end, path), more_ranges (a number), bytes "
	"equal, only_a, only_b, absent_a, absent_b, unread.";

const struct verb verb_diff = {
	.name = "diff",
	.operands = "SNAP SNAP",
	.min = 2,
	.max = 2,
	.summary = "Say in what two snapshots differ",
	.text = diff_manual,
	.options = diff_opts,
	.examples = diff_examples,
	.exits = diff_exits,
	.run = diff_run,
};
