/* SPDX-License-Identifier: Apache-2.0 */
/*
 * index.c: inquest index - make symbol indexes before they are needed.
 */
#include <elf.h>
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "cmd/cmd.h"
#include "cmd/report.h"
#include "cmd/session.h"
#include "inspect/indexed.h"
#include "inspect/ingredients.h"
#include "inspect/skeleton.h"

struct index_options {
	bool json;
};
struct index_work {
	const struct index_options *options;
	const char *path;               /* absolute: what supply finds */
	struct buf *out;
	struct json *rows;
	size_t n;
};

static uint64_t
index_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000u + (uint64_t)t.tv_nsec / 1000000u;
}

/* ---- one index ---- */

static void
index_text(struct index_work *w, const char *path,
	   const struct symidx_about *about, uint64_t size, uint64_t ms)
{
	struct buf *b = w->out;

	report_put(b, path);
	buf_puts(b, ": ");
	buf_size(b, size);
	if (about->dwarf_size) {
		buf_puts(b, " of ");
		buf_size(b, about->dwarf_size);
		buf_printf(b, " of DWARF, %u units, %u functions, %u variables",
			   about->n_units, about->n_functions,
			   about->n_variables);
	} else {
		buf_puts(b, ", no debug information");
	}
	buf_printf(b, ", %u symbols; %.1f s\n", about->n_symbols,
		   (double)ms / 1000);
}

static void
index_json(struct index_work *w, const char *path,
	   const struct symidx_about *about, uint64_t size, uint64_t ms)
{
	struct json *j = json_object();
	char id[2 * ID_MAX + 1];

	id_text(&about->id, id);
	json_set(j, "path", json_string(path));
	json_set(j, "id", id[0] ? json_string(id) : json_null());
	json_set(j, "bytes", json_u64(size));
	json_set(j, "dwarf_bytes", json_u64(about->dwarf_size));
	json_set(j, "units", json_u64(about->n_units));
	json_set(j, "functions", json_u64(about->n_functions));
	json_set(j, "variables", json_u64(about->n_variables));
	json_set(j, "symbols", json_u64(about->n_symbols));
	json_set(j, "milliseconds", json_u64(ms));
	json_add(w->rows, j);
}

static void
index_tell(struct index_work *w, const char *path, const struct symidx *ix,
	   uint64_t size, uint64_t ms)
{
	w->n++;
	if (w->options->json)
		index_json(w, path, symidx_about(ix), size, ms);
	else
		index_text(w, path, symidx_about(ix), size, ms);
}

/* ---- of what was named ---- */

static struct err *
index_file(struct subject *s, struct index_work *w)
{
	struct supply_ask ask = { .kind = SUPPLY_INDEX, .path = w->path };
	_arena_ struct arena *a = arena_new(0);
	_source_ struct source *file = NULL;
	_symidx_ struct symidx *ix = NULL;
	struct skeleton skeleton;
	uint64_t begun = index_now();

	if (!a)
		return err_nomem();
	struct err *err = skeleton_read(s->src, a, &skeleton);
	if (err)
		return err;
	ask.id = skeleton.id;
	ask.link = ingredients_link(s->src, a);
	err = indexed_ask(&s->supply, &ask, &file, &ix);
	if (!err)
		index_tell(w, s->path, ix, source_size(file),
			   index_now() - begun);
	return err;
}

static struct err *
index_modules(struct subject *s, struct index_work *w)
{
	const struct snap_module *modules;
	size_t n;
	struct err *err = subject_open(s);

	if (err)
		return err;
	modules = insp_modules(s->insp, &n);
	for (size_t k = 0; k < n; k++) {
		uint64_t begun = index_now(), size;
		struct symidx *ix = insp_index_sized(s->insp, k, &size);

		if (ix)
			index_tell(w, modules[k].path, ix, size,
				   index_now() - begun);
	}
	if (!w->n)
		return err_new(ERR_NOTFOUND, "%s: none of its %zu modules is "
			       "here", s->path, n);
	return NULL;
}

static bool
index_is_program(struct source *src)
{
	Elf64_Ehdr eh;
	_err_ struct err *err = source_read(src, 0, sizeof(eh), &eh);

	return !err && memcmp(eh.e_ident, ELFMAG, SELFMAG) == 0
	       && eh.e_type != ET_CORE;
}

static void
index_next(const struct subject *s, struct buf *b)
{
	if (index_is_program(s->src))
		return;
	buf_puts(b, "\nNext\n  " PROGRAM " report ");
	say_quoted(b, s->path);
	buf_puts(b, "    see what happened\n");
}

/* Runs jailed. */
static struct err *
index_work(struct subject *s, void *arg)
{
	struct index_work w = *(const struct index_work *)arg;
	struct json *top = w.options->json ? say_json("index") : NULL;
	_buf_ struct buf out = { 0 };
	struct err *err;

	w.out = &out;
	if (top)
		w.rows = json_array();
	err = index_is_program(s->src) ? index_file(s, &w)
				       : index_modules(s, &w);
	if (top) {
		json_set(top, "indexes", w.rows);
		if (!err)
			err = json_write(top, true, &out);
		json_free(top);
	} else if (!err) {
		index_next(s, &out);
	}
	return err ? err : say_result(&out);
}

static struct err *
index_run(const struct verb *v, int argc, char **argv, int *status)
{
	struct index_options o = { 0 };
	struct index_work w = { .options = &o };
	_free_ char *path = NULL;
	struct operands operands;

	struct err *err = verb_parse(v, argc, argv, &o, &operands);
	if (!err)
		err = pick_again(operands.item[0], &path);
	if (err)
		return err;
	w.path = path;
	const struct session_options session = {
		.verb = v->name, .snap = operands.item[0],
		.indexes = INDEXES_MAKE, .unlimited = true,
		.work = index_work, .arg = &w,
	};
	return session_run(&session, status);
}

static const struct opt index_opts[] = {
	{ "json", 0, NULL, "one object with a list of indexes",
	  OPT_FLAG, offsetof(struct index_options, json) },
	{ .name = NULL }
};

static const struct example index_examples[] = {
	{ PROGRAM " index /usr/bin/ceph-mon", "of one program or library" },
	{ PROGRAM " index x.snap", "of all that were loaded in it" },
	{ NULL, NULL }
};

static const struct exit_row index_exits[] = {
	{ 0, "they are there now, or were there already" },
	{ 1, "the file is none of those, or no index could be made of it" },
	{ 2, "usage" },
	{ 3, "no such file, or none of the modules is here" },
	{ 4, "not allowed to read it" },
	{ 0, NULL }
};

static const char index_manual[] =
	"A symbol index is what the debug information of a program or library "
	"says about functions, inlined calls, lines, types and variables, "
	"digested once; with it a report has names, lines and variables in "
	"milliseconds. `" PROGRAM " report` makes those that it needs and "
	"keeps them in the directory index under $INQUEST_CACHE (else "
	"$XDG_CACHE_HOME/inquest, else ~/.cache/inquest), up to "
	"INQUEST_INDEX_SIZE bytes (2 GiB); the oldest go first. This verb "
	"makes them at another time: when a program is installed, for "
	"instance.\n\n"
	"What was made of symbol files that were put into a project of the "
	"store (`" PROGRAM " put`) is kept in that project, too, for its "
	"snapshots alone.\n\n"
	"An index is made by a jailed process that is shown the files it is "
	"made from and nothing else, and it holds for as long as those files "
	"are what they were.";

const struct verb verb_index = {
	.name = "index",
	.operands = "FILE|SNAP",
	.min = 1,
	.max = 1,
	.summary = "Make symbol indexes before they are needed",
	.seldom = true,
	.text = index_manual,
	.options = index_opts,
	.examples = index_examples,
	.exits = index_exits,
	.run = index_run,
};
