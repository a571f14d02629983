/* SPDX-License-Identifier: Apache-2.0 */
/*
 * records.c: everything of a snapshot that is no memory.
 */
#include <string.h>
#include <time.h>

#include "base/cut.h"
#include "capture/locks.h"
#include "capture/redact.h"
#include "snapfmt/soon.h"

/* What is missing travels as notes with this key (FORMAT.md, notes). */
#define MISSING "missing"

static struct err *
save_threads(struct saver *s)
{
	const struct target *t = s->target;
	struct snap_process process = t->process;
	struct err *err = redact_process(s, &process);

	if (!err)
		err = snap_put_process(s->writer, &process);
	for (size_t k = 0; k < t->n_threads && !err; k++) {
		struct snap_thread thread = t->threads[k];
		err = redact_thread(s, &thread);
		if (!err)
			err = snap_put_thread(s->writer, &thread);
	}
	s->counts.threads = t->n_threads;
	return err;
}

static struct err *
save_maps(struct saver *s)
{
	const struct target *t = s->target;
	struct err *err = NULL;

	for (size_t k = 0; k < t->n_maps && !err; k++) {
		struct snap_map m = t->maps[k];
		err = redact_string(s, &m.path);
		if (!err)
			err = snap_put_map(s->writer, &m);
	}
	return err;
}

/* One that is at hand; *@done if it was good. */
static struct err *
save_packed(struct saver *s, struct snap_module *m, bool *done)
{
	const struct capture_options *o = s->options;
	struct span packed = { NULL, 0 };
	uint64_t file_size;

	if (o->skeleton)
		packed = o->skeleton(o->skeleton_arg, m, &file_size);
	*done = false;
	if (!packed.n)
		return NULL;
	_err_ struct err *bad = snap_put_packed(s->writer, packed,
						&m->skeleton);
	if (bad)
		return err_kind(bad) == ERR_DAMAGED ? NULL : take(bad);
	m->file_size = file_size;
	*done = true;
	return NULL;
}

/* The skeleton of module @k; without one it is still a module. */
static struct err *
save_skeleton(struct saver *s, size_t k, struct snap_module *m)
{
	const struct snap_extent *extents;
	uint64_t file_size;
	size_t n;
	bool done;

	m->skeleton = SNAP_NO_SKELETON;
	struct err *err = save_packed(s, m, &done);
	if (err || done)
		return err;
	_err_ struct err *none = insp_module_skeleton(s->insp, k, &extents, &n,
						      &file_size);
	if (!none) {
		m->file_size = file_size;
		return snap_put_skeleton(s->writer, extents, n, &m->skeleton);
	}
	if (err_kind(none) == ERR_NOMEM)
		return take(none);
	if (err_kind(none) == ERR_NOTFOUND)
		return NULL;
	return save_trouble(s, "%s", err_text(none));
}

static struct err *
save_modules(struct saver *s)
{
	const struct snap_module *modules;
	struct err *err = NULL;
	size_t n;

	modules = insp_modules(s->insp, &n);
	for (size_t k = 0; k < n && !err; k++) {
		struct snap_module m = modules[k];
		err = save_skeleton(s, k, &m);
		if (!err)
			err = redact_module(s, &m);
		if (!err)
			err = snap_put_module(s->writer, &m);
	}
	s->counts.modules = n;
	return err;
}

static struct err *
save_frames(struct saver *s)
{
	const struct snap_frame *frames = s->frames.data;
	struct err *err = NULL;

	for (size_t k = 0; k < s->frames.n && !err; k++) {
		struct snap_frame f = frames[k];
		err = redact_string(s, &f.function);
		if (!err)
			err = redact_string(s, &f.file);
		if (!err)
			err = snap_put_frame(s->writer, &f);
	}
	return err;
}

static struct err *
save_texts(struct saver *s)
{
	const struct target *t = s->target;
	struct err *err = snap_put_auxv(s->writer, t->auxv);

	for (size_t k = 0; k < t->n_texts && !err; k++) {
		struct snap_blob text = t->texts[k];
		err = redact_span(s, &text.bytes);
		if (!err)
			err = snap_put_text(s->writer, &text);
	}
	return err;
}

static struct err *
save_file(struct saver *s, struct snap_blob file)
{
	struct err *err = redact_span(s, &file.bytes);

	if (!err)
		err = redact_string(s, &file.name);
	return err ? err : snap_put_file(s->writer, &file);
}

static struct err *
save_target_file(struct saver *s, size_t k)
{
	const struct target *t = s->target;
	struct snap_blob file = t->files[k];
	struct err *err = t->ops->file(t, k, &file.bytes);

	return err ? err : save_file(s, file);
}

/* Those that a snapshot has already, then those that are given. */
static struct err *
save_files(struct saver *s)
{
	const struct capture_options *o = s->options;
	struct err *err = NULL;

	for (size_t k = 0; k < s->target->n_files && !err; k++)
		err = save_target_file(s, k);
	for (size_t k = 0; k < o->n_files && !err; k++)
		err = save_file(s, o->files[k]);
	return err ? err : save_sources(s);
}

/* ---- attributes -------------------------------------------------------- */

static struct err *
put_attr(struct saver *s, const struct snap_attr *a)
{
	struct snap_attr kept = *a;
	struct err *err = NULL;

	if (a->type == SNAP_ATTR_STRING)
		err = redact_string(s, &kept.string);
	return err ? err : snap_put_attr(s->writer, &kept);
}

/* Is @key, of @n characters, among the attributes that the caller gave? */
static bool
attr_given(const struct saver *s, const char *key, size_t n)
{
	const struct capture_options *o = s->options;

	for (size_t k = 0; k < o->n_attributes; k++) {
		if (strncmp(o->attributes[k], key, n) == 0
		    && o->attributes[k][n] == '=')
			return true;
	}
	return false;
}

static bool
attr_stored(const struct saver *s, const char *key)
{
	for (size_t k = 0; k < s->target->n_attrs; k++) {
		if (strcmp(s->target->attrs[k].key, key) == 0)
			return true;
	}
	return false;
}

/* One that we know of ourselves, unless somebody else said it already. */
static struct err *
attr_own(struct saver *s, const struct snap_attr *a)
{
	if (attr_given(s, a->key, strlen(a->key)) || attr_stored(s, a->key))
		return NULL;
	return put_attr(s, a);
}

/* A record without a name never held the process's ids either. */
static struct err *
save_own_numbers(struct saver *s)
{
	const struct snap_process *p = &s->target->process;
	bool has_ids = p->name && p->name[0];
	const struct { bool known; const char *key; uint64_t number; } rows[] = {
		{ p->pid != 0, "pid", p->pid },
		{ has_ids, "process.uid", p->uid },
		{ has_ids, "process.gid", p->gid },
		{ p->has_fault_address, "fault.address", p->fault_address },
		{ true, "process.thread.count", s->target->n_threads },
	};
	struct err *err = NULL;

	for (size_t k = 0; k < countof(rows) && !err; k++)
		if (rows[k].known)
			err = attr_own(s, &(struct snap_attr){
				.key = rows[k].key, .type = SNAP_ATTR_U64,
				.number = rows[k].number });
	return err;
}

static struct err *
save_own_attrs(struct saver *s)
{
	const struct snap_process *p = &s->target->process;
	const char *program = p->exe ? cut_base(p->exe) : p->name;
	const struct snap_attr application = {
		.key = "application", .type = SNAP_ATTR_STRING,
		.string = program ? program : "",
	};
	const struct snap_attr signal = {
		.key = "signal", .type = SNAP_ATTR_I64,
		.number = (uint64_t)(int64_t)p->signal,
	};
	struct err *err = attr_own(s, &application);

	if (!err && p->signal)
		err = attr_own(s, &signal);
	return err ? err : save_own_numbers(s);
}

static struct err *
save_given_attr(struct saver *s, const char *pair)
{
	const char *equals = strchr(pair, '=');
	struct snap_attr a = { .type = SNAP_ATTR_STRING };

	if (!equals || equals == pair)
		return err_new(ERR_USAGE, "attribute \"%s\" is not key=value",
			       pair);
	a.key = arena_strndup(s->arena, pair, (size_t)(equals - pair));
	a.string = equals + 1;
	return a.key ? put_attr(s, &a) : err_nomem();
}

static struct err *
save_attrs(struct saver *s)
{
	const struct capture_options *o = s->options;
	const struct target *t = s->target;
	struct err *err = save_own_attrs(s);

	for (size_t k = 0; k < t->n_attrs && !err; k++) {
		const char *key = t->attrs[k].key;
		if (!attr_given(s, key, strlen(key)))
			err = put_attr(s, &t->attrs[k]);
	}
	for (size_t k = 0; k < o->n_attributes && !err; k++)
		err = save_given_attr(s, o->attributes[k]);
	return err;
}

/* ---- notes ------------------------------------------------------------- */

static struct err *
put_note(struct saver *s, const struct snap_note *n)
{
	struct snap_note kept = *n;
	struct err *err = redact_string(s, &kept.text);

	return err ? err : snap_put_note(s->writer, &kept);
}

static struct err *
save_missing(struct saver *s, const char *sentence)
{
	const struct snap_note note = {
		.key = MISSING, .text = sentence, .severity = SNAP_WARNING,
		.depth = UINT32_MAX,
	};

	return put_note(s, &note);
}

static struct err *
save_notes(struct saver *s)
{
	const char *const *troubles = s->troubles.data;
	const struct target *t = s->target;
	const char *const *gaps;
	struct err *err = NULL;
	size_t n;

	/* Those with this key are among the gaps below. */
	for (size_t k = 0; k < t->n_notes && !err; k++) {
		const char *key = t->notes[k].key;
		if (!key || strcmp(key, MISSING) != 0)
			err = put_note(s, &t->notes[k]);
	}
	gaps = insp_gaps(s->insp, &n);
	for (size_t k = 0; k < n && !err; k++)
		err = save_missing(s, gaps[k]);
	for (size_t k = 0; k < s->troubles.n && !err; k++)
		err = save_missing(s, troubles[k]);
	return err;
}

static struct err *
save_provenance(struct saver *s)
{
	struct timespec now;
	struct snap_provenance p = {
		.producer = "inquest " PACKAGE_VERSION,
		.source = s->options->source,
		.source_name = s->options->source_name,
		.pause_ns = s->options->pause_ns,
		.series = s->options->series,
		.series_index = s->options->series_index,
	};
	struct err *err = redact_string(s, &p.source_name);

	if (clock_gettime(CLOCK_REALTIME, &now) == 0)
		p.created_ns = (uint64_t)now.tv_sec * 1000000000u
			       + (uint64_t)now.tv_nsec;
	return err ? err : snap_put_provenance(s->writer, &p);
}

struct err *
save_records(struct saver *s)
{
	static struct err *(*const parts[])(struct saver *) = {
		save_threads, save_maps, save_modules, save_frames,
		save_variables, save_texts, save_files, save_attrs, redact_tell, locks_note,
		save_notes, save_provenance,
	};
	struct err *err = NULL;

	for (size_t k = 0; k < countof(parts) && !err; k++)
		err = parts[k](s);
	return err;
}
