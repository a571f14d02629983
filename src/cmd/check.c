/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check.c: inquest check - is a snapshot or core whole?
 */
#include "base/json.h"
#include "cmd/cmd.h"
#include "cmd/session.h"
#include "snapfmt/snapfmt.h"

#include <string.h>

/* More faults than a person reads say nothing more. */
#define FAULTS_SHOWN 1000u

struct check_options {
	bool json;
};

/* What was found, in the order found. */
struct check {
	const char *path;
	struct arena *arena;
	struct vec faults;      /* of const char * */
	size_t n_faults;        /* all, also those not kept */
	size_t threads, modules, ranges;
	uint64_t bytes;         /* of memory, captured */
};

static void
check_fault(void *arg, const char *sentence)
{
	struct check *c = arg;

	c->n_faults++;
	if (c->faults.n >= FAULTS_SHOWN)
		return;
	const char **slot = vec_add(&c->faults, c->arena, sizeof(*slot));
	if (slot)
		*slot = arena_strdup(c->arena, sentence);
}

static void
check_memory(struct check *c, const struct snap_memory *memory, size_t n)
{
	c->ranges = n;
	for (size_t k = 0; k < n; k++) {
		if (memory[k].kind != SNAP_MEM_ABSENT)
			c->bytes += memory[k].length;
	}
}

static struct err *
check_snapshot(struct subject *s, struct check *c)
{
	_snap_ struct snap *snap = NULL;
	size_t n;

	struct err *err = snap_check(s->src, check_fault, c, &n);
	if (err || c->n_faults)
		return err;
	err = snap_open(s->src, &snap);
	if (err)
		return err;
	snap_threads(snap, &c->threads);
	snap_modules(snap, &c->modules);
	const struct snap_memory *memory = snap_memory(snap, &n);
	check_memory(c, memory, n);
	return NULL;
}

/* A core has no checksums: what it lacks is what its own tables promise. */
static struct err *
check_core(struct subject *s, struct check *c)
{
	const struct target *t;

	struct err *err = subject_open(s);
	if (err)
		return err;
	t = insp_target(s->insp);
	for (size_t k = 0; k < t->n_gaps; k++)
		check_fault(c, t->gaps[k]);
	c->threads = t->n_threads;
	insp_modules(s->insp, &c->modules);
	check_memory(c, t->memory, t->n_memory);
	return NULL;
}

static void
check_text(const struct check *c, struct buf *out)
{
	const char *const *faults = c->faults.data;
	size_t length = strlen(c->path);

	for (size_t k = 0; k < c->faults.n; k++) {
		buf_escape(out, c->path, length);
		buf_puts(out, ": ");
		if (faults[k])
			buf_escape(out, faults[k], strlen(faults[k]));
		buf_putc(out, '\n');
	}
	if (c->n_faults) {
		buf_printf(out, "%zu fault%s\n", c->n_faults,
			   c->n_faults == 1 ? "" : "s");
		return;
	}
	buf_escape(out, c->path, length);
	buf_printf(out, ": ok: %zu threads, %zu modules, %zu ranges of memory "
		   "(", c->threads, c->modules, c->ranges);
	buf_size(out, c->bytes);
	buf_puts(out, " captured)\n");
}

static struct err *
check_json(const struct check *c, struct buf *out)
{
	const char *const *faults = c->faults.data;
	struct json *top = say_json("check"), *list = json_array();

	for (size_t k = 0; k < c->faults.n; k++)
		json_add(list, json_string(faults[k]));
	json_set(top, "path", json_string(c->path));
	json_set(top, "ok", json_bool(!c->n_faults));
	json_set(top, "n_faults", json_u64(c->n_faults));
	json_set(top, "faults", list);
	json_set(top, "threads", json_u64(c->threads));
	json_set(top, "modules", json_u64(c->modules));
	json_set(top, "ranges", json_u64(c->ranges));
	json_set(top, "memory", json_u64(c->bytes));
	struct err *err = json_write(top, true, out);
	json_free(top);
	return err;
}

/* Runs jailed. */
static struct err *
check_work(struct subject *s, void *arg)
{
	const struct check_options *o = arg;
	_arena_ struct arena *a = arena_new(0);
	struct check c = { .path = s->path, .arena = a };
	_buf_ struct buf out = { 0 };
	struct err *err;

	if (!a)
		return err_nomem();
	err = snap_is(s->src) ? check_snapshot(s, &c) : check_core(s, &c);
	if (err)
		return err;
	if (o->json)
		err = check_json(&c, &out);
	else
		check_text(&c, &out);
	if (err)
		return err;
	s->status = c.n_faults ? 6 : 0;
	return say_result(&out);
}

static struct err *
check_run(const struct verb *v, int argc, char **argv, int *status)
{
	struct check_options o = { 0 };
	struct operands operands;

	struct err *err = verb_parse(v, argc, argv, &o, &operands);
	if (err)
		return err;
	const struct session_options session = {
		.verb = v->name, .snap = operands.item[0],
		.work = check_work, .arg = &o,
	};
	return session_run(&session, status);
}

static const struct opt check_opts[] = {
	{ "json", 0, NULL, "what was found as JSON",
	  OPT_FLAG, offsetof(struct check_options, json) },
	{ .name = NULL }
};

static const struct example check_examples[] = {
	{ PROGRAM " check x.snap", "is it whole?" },
	{ NULL, NULL }
};

static const struct exit_row check_exits[] = {
	{ 0, "nothing is wrong with it" },
	{ 1, "the file is no snapshot or core at all" },
	{ 2, "usage" },
	{ 3, "no such file" },
	{ 4, "not allowed to read it" },
	{ 6, "something is damaged or cut: a line for each" },
	{ 0, NULL }
};

const struct verb verb_check = {
	.name = "check",
	.operands = "SNAP",
	.min = 1,
	.max = 1,
	.summary = "Verify that a snapshot or core is whole",
	.text = "Of a snapshot every checksum, bound and reference is "
		"verified; each fault is named with its section and offset. Of "
		"a core, which has no checksums, what its tables promise and "
		"the file does not hold is named.\n\n"
		"With --json the result is an object: path, ok, n_faults, "
		"faults (sentences, the first 1000), threads, modules, ranges, "
		"memory.",
	.options = check_opts,
	.examples = check_examples,
	.exits = check_exits,
	.run = check_run,
};
