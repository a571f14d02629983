/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shoot.c: pictures are saved, and told of.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "cmd/late.h"
#include "cmd/object.h"
#include "cmd/shoot.h"

#define GAPS_TOLD 8u

/* A picture on its way, and what came of it. */
struct shot {
	const struct shoot *shoot;
	struct target *picture;
	struct saved saved;
	struct buf path;                /* of the file */
	struct store_added added;       /* or the object */
	bool done;
};

/* ---- whose files are looked at ---- */

static bool
shoot_same(pid_t pid, const char *what)
{
	char theirs[64], ours[64];
	struct stat a, b;

	snprintf(theirs, sizeof(theirs), "/proc/%d/%s", (int)pid, what);
	snprintf(ours, sizeof(ours), "/proc/self/%s", what);
	/* A process that has gone has nothing to be looked at. */
	if (stat(theirs, &a) < 0 || stat(ours, &b) < 0)
		return true;
	return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

bool
shoot_same_files(pid_t pid)
{
	return shoot_same(pid, "ns/mnt") && shoot_same(pid, "root");
}

/*
 * The root directory of a process in another mount namespace or chroot; -1 if
 * it has ours. By descriptor: the process may be gone when it is needed.
 */
static int
shoot_open_root(pid_t pid)
{
	char path[64];

	if (shoot_same_files(pid))
		return -1;
	snprintf(path, sizeof(path), "/proc/%d/root", (int)pid);
	return open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/* ---- what was left out ---- */

static void
shoot_absent(const struct target *t, uint64_t bytes[SNAP_REASONS])
{
	memset(bytes, 0, SNAP_REASONS * sizeof(*bytes));
	for (size_t k = 0; k < t->n_memory; k++) {
		const struct snap_memory *m = &t->memory[k];
		if (m->kind == SNAP_MEM_ABSENT && m->reason < SNAP_REASONS)
			bytes[m->reason] += m->length;
	}
}

static void
shoot_tell_absent(const struct target *t)
{
	uint64_t bytes[SNAP_REASONS];

	shoot_absent(t, bytes);
	for (size_t k = 0; k < SNAP_REASONS; k++) {
		_buf_ struct buf size = { 0 };
		if (!bytes[k])
			continue;
		buf_size(&size, bytes[k]);
		say("%s of memory not copied: %s", size.data,
		    say_reason((unsigned)k));
	}
}

static void
shoot_tell_gaps(const struct target *t)
{
	for (size_t k = 0; k < t->n_gaps && k < GAPS_TOLD; k++) {
		_buf_ struct buf shown = { 0 };
		buf_escape(&shown, t->gaps[k], strlen(t->gaps[k]));
		say("missing: %s", shown.data ? shown.data : "");
	}
	if (t->n_gaps > GAPS_TOLD)
		say("missing: %zu more, see report", t->n_gaps - GAPS_TOLD);
}

static void
shoot_tell_pause(const struct target *t)
{
	uint64_t us = capture_pause_ns(t) / 1000u;

	if (us)
		say("process %" PRIu64 " stood still for %" PRIu64 ".%" PRIu64
		    " ms", t->process.pid, us / 1000u, us / 100u % 10u);
}

/* ---- results ---- */

static struct json *
shoot_json_absent(const struct target *t)
{
	struct json *list = json_array();
	uint64_t bytes[SNAP_REASONS];

	shoot_absent(t, bytes);
	for (size_t k = 0; k < SNAP_REASONS; k++) {
		struct json *j;
		if (!bytes[k])
			continue;
		j = json_object();
		json_set(j, "reason",
			 json_string(snap_reason_text((uint8_t)k)));
		json_set(j, "bytes", json_u64(bytes[k]));
		json_add(list, j);
	}
	return list;
}

static struct err *
shot_json(const struct shot *s)
{
	struct json *top = say_json("capture"), *gaps = json_array();
	const struct target *t = s->picture;
	_buf_ struct buf out = { 0 };

	if (s->shoot->put) {
		object_json(top, &s->added.ref, s->added.hash);
		json_set(top, "known", json_bool(s->added.known));
	} else {
		json_set(top, "path", json_string(s->path.data));
	}
	save_json(&s->saved, top);
	for (size_t k = 0; k < t->n_gaps; k++)
		json_add(gaps, json_string(t->gaps[k]));
	json_set(top, "pause_ns", json_u64(capture_pause_ns(t)));
	json_set(top, "not_copied", shoot_json_absent(t));
	json_set(top, "missing", gaps);
	struct err *err = json_write(top, true, &out);
	json_free(top);
	return err ? err : say_result_to(s->shoot->results, &out);
}

static struct err *
shot_text(const struct shot *s)
{
	_buf_ struct buf out = { 0 };
	char digits[STORE_DIGITS + 1] = "";

	if (s->shoot->put)
		object_digits(s->added.hash, digits);
	const char *word = s->shoot->put ? digits : s->path.data;
	buf_printf(&out, "%s\n", word);
	struct err *err = say_result_to(s->shoot->results, &out);
	if (err || s->shoot->quiet)
		return err;
	shoot_tell_pause(s->picture);
	save_tell(&s->saved);
	shoot_tell_absent(s->picture);
	shoot_tell_gaps(s->picture);
	save_tell_next(s->shoot->where.dir, "report", word);
	save_tell_next(s->shoot->where.dir, "gdb", word);
	return NULL;
}

/* ---- all of it ---- */

static struct err *
shot_save(struct shot *s, int root, int *status)
{
	const struct shoot *o = s->shoot;
	char title[32], sysroot[32];

	snprintf(title, sizeof(title), "process %" PRIu64,
		 s->picture->process.pid);
	snprintf(sysroot, sizeof(sysroot), "/proc/self/fd/%d", root);
	struct save save = {
		.session = {
			.verb = "capture", .snap = title,
			.picture = s->picture, .indexes = o->indexes,
			.sysroot = root >= 0 ? sysroot : NULL,
			.sources = o->options.sources,
		},
		.options = o->options, .room = o->room,
		.patience = o->patience,
	};
	/* Files that the process sees elsewhere are not the ones it knows. */
	if (root < 0) {
		cache_load(o->cache, s->picture->maps, s->picture->n_maps);
		save.options.skeleton = cache_skeleton;
		save.options.constants = cache_constants;
		save.options.skeleton_arg = o->cache;
	}
	save.options.pause_ns = capture_pause_ns(s->picture);
	if (o->put)
		return save_object(&save, &o->where, &s->saved, &s->added,
				   &s->done, status);
	struct err *err = save_file(&save, &o->place, &s->saved, &s->path,
				    status);
	s->done = !err && s->path.len;
	return err;
}

/* Not what somebody hides something in, nor a process that goes on: whoever
 * looks at that has its files. */
static bool
shot_lacks_variables(const struct shot *s)
{
	const struct target *t = s->picture;
	bool died = false;

	for (size_t k = 0; k < t->n_threads && !died; k++)
		died = t->threads[k].faulting;
	return died && s->shoot->put && !s->added.known
	       && s->shoot->indexes == INDEXES_QUEUE
	       && !s->shoot->options.n_redact;
}

struct err *
shoot_keep(const struct shoot *o, struct target *picture, int *status)
{
	_close_ int root = shoot_open_root((pid_t)picture->process.pid);
	struct shot s = { .shoot = o, .picture = picture };

	struct err *err = shot_save(&s, root, status);
	if (!err && s.done)
		err = o->json ? shot_json(&s) : shot_text(&s);
	if (!err && s.done && shot_lacks_variables(&s))
		late_make(o->where.dir, &s.added.ref);
	buf_fini(&s.path);
	return err;
}
