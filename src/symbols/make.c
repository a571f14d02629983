/* SPDX-License-Identifier: Apache-2.0 */
/* An index, made: the order of the work, and who does it. */
#include <stdlib.h>

#include "base/pool.h"
#include "symbols/make.h"

#define MAKE_THREADS 4u
#define JOB_BYTES (1u << 20)    /* of units, for one job */
#define JOB_TYPES 4096u
#define JOB_ROWS 32768u
#define JOB_STRINGS 16u         /* blocks */

/* ---- threads ------------------------------------------------------------------- */
struct crew {
	struct maker *m;
	each_fn *fn;
	uint32_t next, n;
};
struct crew_job {
	struct pool_job job;
	struct crew *crew;
};

static void
crew_work(void *arg, struct pool_job *job, unsigned who)
{
	struct crew *c = ((struct crew_job *)(void *)job)->crew;
	uint32_t k;

	(void)arg, (void)who;
	while ((k = __atomic_fetch_add(&c->next, 1, __ATOMIC_RELAXED))
	       < c->n) {
		_arena_ struct arena *scratch = arena_new(0);

		if (scratch)
			c->fn(c->m, k, scratch);
		else
			__atomic_store_n(&c->m->failed, true,
					 __ATOMIC_RELAXED);
	}
}

void
maker_each(struct maker *m, uint32_t n, each_fn *fn)
{
	struct crew c = { .m = m, .fn = fn, .n = n };
	struct crew_job jobs[MAKE_THREADS] = { 0 };

	for (size_t k = 0; k < countof(jobs); k++) {
		jobs[k].crew = &c;
		pool_give(m->pool, crew_work, &jobs[k].job);
	}
	for (size_t k = 0; k < countof(jobs); k++)
		pool_take(m->pool, &jobs[k].job);
}

static void
say(const struct maker *m, unsigned done)
{
	if (m->in->progress)
		m->in->progress(m->in->arg, done);
}

/* ---- units ---------------------------------------------------------------------- */
static struct err *
list_units(struct maker *m)
{
	m->units = arena_array(m->arena, m->n_units + 1,
			       sizeof(struct dw_unit *));
	return m->units ? NULL : err_nomem();
}

static void
take_units(struct maker *m, const struct dw_file *f)
{
	for (size_t k = 0; f && k < f->n_units; k++)
		m->units[f->units[k]->number] = f->units[k];
}

static struct err *
read_units(struct maker *m, struct dw_file *f)
{
	struct err *err = f ? dw_units(f, m->arena, &m->n_units) : NULL;

	return f && !err ? dw_units_open(f) : err;
}

/* ---- split units ------------------------------------------------------------------ */
/* A unit belongs to one skeleton. */
static struct dw_unit *
split_with_id(const struct dw_file *f, uint64_t id)
{
	struct dw_unit *u = f ? dw_unit_with_id(f, id) : NULL;

	return u && !u->skeleton ? u : NULL;
}

static void
join(struct dw_unit *skeleton, struct dw_unit *split)
{
	skeleton->split = split;
	split->skeleton = skeleton;
	if (!split->language)
		split->language = skeleton->language;
}

/* Everything in a .dwo belongs to the one skeleton. */
static struct err *
open_split(struct maker *m, struct dw_unit *u, struct buf *files)
{
	struct dw_file *ignored;
	uint64_t place;
	int fd = -1;
	const char *name = dw_text(&u->root.dwo_name, &ignored, &place);
	const char *dir = u->root.comp_dir.form
			  ? dw_text(&u->root.comp_dir, &ignored, &place) : "";

	if (!name || !m->in->split)
		return NULL;
	_err_ struct err *none = m->in->split(m->in->arg, dir ? dir : "",
					      name, u->id, &fd);
	struct dw_file *f = none ? NULL : files_split(m, fd);
	struct err *err = read_units(m, f);
	if (err || !f)
		return err;
	struct dw_unit *split = split_with_id(f, u->id);
	for (size_t k = 0; k < f->n_units; k++) {
		f->units[k]->skeleton = u;
		f->units[k]->lost |= !split;
	}
	if (split)
		join(u, split);
	for (size_t k = 0; k < DW_SECTIONS; k++)
		m->dwarf_size += f->section[k].n;
	buf_put(files, &f, sizeof(struct dw_file *));
	return buf_err(files);
}

static struct err *
open_splits(struct maker *m, struct buf *files)
{
	struct err *err = NULL;

	for (size_t k = 0; m->dwarf && k < m->dwarf->n_units && !err; k++) {
		struct dw_unit *u = m->dwarf->units[k];

		if (!u->root.dwo_name.form || u->lost)
			continue;
		struct dw_unit *split = split_with_id(m->package, u->id);
		if (split)
			join(u, split);
		else
			err = open_split(m, u, files);
	}
	return err;
}

/* Partial units of dwz have none: theirs is that of a unit with one. */
static void
lend_languages(struct maker *m)
{
	uint16_t language = 0;

	for (uint32_t k = 0; k < m->n_units && !language; k++)
		language = m->units[k]->language;
	for (uint32_t k = 0; k < m->n_units; k++)
		if (!m->units[k]->language)
			m->units[k]->language = language;
}

static struct err *
find_units(struct maker *m)
{
	_buf_ struct buf files = { 0 };
	struct err *err = read_units(m, m->dwarf);

	if (!err)
		err = read_units(m, m->alt);
	if (!err)
		err = read_units(m, m->package);
	if (!err)
		err = open_splits(m, &files);
	if (!err)
		err = list_units(m);
	if (err)
		return err;
	take_units(m, m->dwarf);
	take_units(m, m->alt);
	take_units(m, m->package);
	struct dw_file **split = (struct dw_file **)(void *)files.data;
	for (size_t k = 0; k < files.len / sizeof(struct dw_file *); k++)
		take_units(m, split[k]);
	lend_languages(m);
	return NULL;
}

/* ---- numbers --------------------------------------------------------------------- */
static struct err *
number(struct maker *m)
{
	struct dw_file *const whole[] = { m->dwarf, m->alt, m->package };
	uint32_t first = 0;
	uint64_t functions = 0, variables = 0;

	for (size_t k = 0; k < countof(whole); k++)
		if (whole[k] && whole[k]->borrows_strings)
			first = whole[k]->str_base + (uint32_t)
				whole[k]->section[DW_STR].n;
	for (uint32_t k = 0; k < m->n_units; k++) {
		struct dw_unit *u = m->units[k];

		if (!u)
			continue;
		u->first_function = (uint32_t)functions;
		u->first_variable = (uint32_t)variables;
		functions += u->functions.len / sizeof(uint32_t);
		variables += u->variables.len / sizeof(uint32_t);
	}
	if (functions > FORMAT_REFERENCE_MAX
	    || variables > FORMAT_REFERENCE_MAX)
		return err_new(ERR_LIMIT, "more than %u functions or "
			       "variables", FORMAT_REFERENCE_MAX);
	m->n_functions = (uint32_t)functions;
	m->n_variables = (uint32_t)variables;
	return strings_number(m->strings, first);
}

/* ---- jobs -------------------------------------------------------------------------- */
enum job_kind { JOB_UNITS, JOB_OF_TYPES, JOB_LINES, N_JOB_KINDS };

static struct err *
add_job(struct jobs *jobs, enum job_kind kind, uint32_t first, uint32_t n)
{
	struct job *job = calloc(1, sizeof(*job));

	if (!job)
		return err_nomem();
	job->kind = (uint8_t)kind;
	job->first = first;
	job->n = n;
	buf_put(&jobs->all, &job, sizeof(struct job *));
	if (jobs->all.failed)
		free(job);
	return buf_err(&jobs->all);
}

static struct err *
plan_units(struct maker *m, struct jobs *jobs)
{
	struct err *err = NULL;

	for (uint32_t k = 0; k < m->n_units && !err;) {
		uint32_t first = k;
		uint64_t bytes = 0;

		while (k < m->n_units && bytes < JOB_BYTES)
			bytes += m->units[k++]->size;
		err = add_job(jobs, JOB_UNITS, first, k - first);
	}
	return err;
}

static struct err *
plan_types(struct maker *m, struct jobs *jobs)
{
	struct err *err = NULL;

	for (uint32_t k = 0; k < m->n_types && !err; k += JOB_TYPES)
		err = add_job(jobs, JOB_OF_TYPES, k, m->n_types - k < JOB_TYPES
			      ? m->n_types - k : JOB_TYPES);
	return err;
}

static struct err *
plan_lines(struct maker *m, struct jobs *jobs)
{
	const struct dw_sequence *all = (const void *)m->sequences.data;
	uint32_t n = (uint32_t)(m->sequences.len / sizeof(*all));
	struct err *err = NULL;

	for (uint32_t k = 0; k < n && !err;) {
		uint32_t first = k;
		uint64_t rows = 0;

		while (k < n && rows < JOB_ROWS)
			rows += all[k++].n;
		err = add_job(jobs, JOB_LINES, first, k - first);
	}
	return err;
}

static void
types_job(struct maker *m, struct job *job)
{
	job->types.first = job->types.next = job->first;
	for (uint32_t k = job->first; k < job->first + job->n; k++) {
		struct dw_unit *u = m->units[m->unique[k] >> 32];
		struct type_out to = {
			.m = m, .out = blocks_record(&job->types),
		};
		struct dw_die die = { .unit = u };
		bool read = dw_read(u, (uint32_t)m->unique[k], &die);

		type_put(&to, &die);
		if (read)
			type_put_name(m, &die, k, &job->names);
		blocks_end_record(&job->types);
	}
}

static void
units_job(struct maker *m, struct job *job, struct arena *scratch)
{
	const struct dw_unit *u = m->units[job->first];

	job->trees.first = job->trees.next = u->first_function;
	job->bodies.first = job->bodies.next = u->first_function;
	job->variables.first = job->variables.next = u->first_variable;
	bodies_put(m, job, scratch);
}

static void
finish(struct job *job)
{
	struct blocks *const all[] = {
		&job->types, &job->trees, &job->bodies, &job->variables,
		&job->lines,
	};

	for (size_t k = 0; k < countof(all); k++) {
		struct err *err = blocks_finish(all[k]);

		if (!job->err)
			job->err = err;
		else
			err_free(err);
	}
}

static void
do_job(struct maker *m, uint32_t n, struct arena *scratch)
{
	struct job *job = ((struct job **)(void *)m->jobs->all.data)[n];

	if (job->kind == JOB_UNITS)
		units_job(m, job, scratch);
	else if (job->kind == JOB_OF_TYPES)
		types_job(m, job);
	else
		lines_put(m, job);
	finish(job);
}

static void
jobs_fini(struct jobs *jobs)
{
	struct job **all = (struct job **)(void *)jobs->all.data;

	for (size_t k = 0; k < jobs->all.len / sizeof(struct job *); k++) {
		blocks_fini(&all[k]->types);
		blocks_fini(&all[k]->trees);
		blocks_fini(&all[k]->bodies);
		blocks_fini(&all[k]->variables);
		blocks_fini(&all[k]->lines);
		buf_fini(&all[k]->names);
		buf_fini(&all[k]->spans);
		err_free(all[k]->err);
		free(all[k]);
	}
	buf_fini(&jobs->all);
}

/* ---- making ------------------------------------------------------------------------- */
static struct err *
check(const struct maker *m)
{
	return __atomic_load_n(&m->failed, __ATOMIC_RELAXED) ? err_nomem()
	       : NULL;
}

static struct err *
learn(struct maker *m)
{
	struct err *err = files_open(m);

	if (!err)
		err = elfsyms_read(m);
	if (!err)
		err = find_units(m);
	if (err)
		return err;
	say(m, 150);
	maker_each(m, m->n_units, scan_unit);
	say(m, 400);
	err = check(m);
	if (!err)
		err = number(m);
	if (err)
		return err;
	maker_each(m, m->n_units, types_unit);
	say(m, 600);
	err = check(m);
	if (!err)
		err = types_number(m);
	return err ? err : lines_sort(m);
}

static struct err *
tell(struct maker *m, struct jobs *jobs, symbols_sink_fn *sink, void *arg)
{
	struct err *err = plan_units(m, jobs);

	if (!err)
		err = plan_types(m, jobs);
	if (!err)
		err = plan_lines(m, jobs);
	if (err)
		return err;
	m->jobs = jobs;
	maker_each(m, (uint32_t)(jobs->all.len / sizeof(struct job *)),
		   do_job);
	say(m, 900);
	err = check(m);
	return err ? err : index_write(m, jobs, sink, arg);
}

static void
maker_fini(struct maker *m)
{
	files_close(m);
	strings_free(m->strings);
	types_free(m->types);
	free(m->unique);
	buf_fini(&m->sequences);
	buf_fini(&m->symbols);
	pool_free(m->pool);
	arena_free(m->arena);
}

struct err *
symbols_make(const struct symbols_input *in, symbols_sink_fn *sink, void *arg)
{
	struct maker m = {
		.in = in, .arena = arena_new(0), .strings = strings_new(),
		.types = types_new(),
	};
	struct jobs jobs = { 0 };
	unsigned n = pool_processors();
	struct err *err = m.arena && m.strings && m.types
			  ? pool_new(n > MAKE_THREADS ? MAKE_THREADS - 1
				     : n - 1, &m, &m.pool)
			  : err_nomem();

	if (!err)
		err = learn(&m);
	if (!err)
		err = tell(&m, &jobs, sink, arg);
	jobs_fini(&jobs);
	maker_fini(&m);
	return err;
}
