/* SPDX-License-Identifier: Apache-2.0 */
/*
 * late.c: variables that are found out when the indexes are there.
 */
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture/capture.h"
#include "cmd/apart.h"
#include "cmd/home.h"
#include "cmd/late.h"
#include "cmd/session.h"

#define KIND "variables"
#define PRODUCER "inquest"
#define VERSION 1u

/* ---- they are made ---- */

static struct err *
late_write(void *arg, const void *data, size_t n)
{
	buf_put(arg, data, n);
	return buf_err(arg);
}

/* Not of what has them, nor of what somebody hides something in. */
static bool
late_lacks(const struct target *t)
{
	for (size_t k = 0; k < t->n_memory; k++)
		if (t->memory[k].kind == SNAP_MEM_ABSENT
		    && t->memory[k].reason == SNAP_ABSENT_REDACTED)
			return false;
	return !t->n_variables;
}

/* Runs jailed. Nothing is written where there is nothing to tell, and then
   it can be tried again when debug information has come. */
static struct err *
late_work(struct subject *s, void *arg)
{
	_buf_ struct buf out = { 0 };
	struct err *err = subject_open(s);

	if (err || !late_lacks(insp_target(s->insp)))
		return err;
	err = capture_variables(s->insp, late_write, &out);
	if (!err)
		return io_write(*(const int *)arg, out.data, out.len);
	if (err_kind(err) != ERR_NOTFOUND)
		return err;
	err_free(err);
	return NULL;
}

static struct err *
late_look(const char *verb, const struct pick *pick, int *out)
{
	const struct session_options session = {
		.verb = verb, .snap = pick->title, .opened = pick,
		.keep = out, .n_keep = 1, .indexes = INDEXES_MAKE,
		.work = late_work, .arg = out,
	};
	int status = 1;
	struct err *err = session_run(&session, &status);

	return err || !status ? err
	       : err_new(ERR_FAILED, "its variables cannot be told");
}

static struct err *
late_put(struct store *s, const struct store_ref *ref, int fd)
{
	_arena_ struct arena *a = arena_new(0);
	_source_ struct source *src = NULL;
	struct store_sidecar c = { KIND, PRODUCER, VERSION, { NULL, 0 } };
	int own = dup(fd);
	struct err *err = !a || own < 0 ? err_nomem()
			  : source_fd(own, "variables", &src);

	if (!err && source_size(src))
		err = source_load(src, 0, source_size(src), STORE_SIDECAR_MAX,
				  a, &c.bytes);
	return err || !c.bytes.n ? err : store_put_sidecar(s, ref, &c);
}

static uint64_t
late_size(int fd)
{
	struct stat st;

	return fd < 0 || fstat(fd, &st) < 0 ? 0 : (uint64_t)st.st_size;
}

/* One that told more, because more debug information was there, stays. */
static struct err *
late_run(const char *verb, const char *dir, const struct store_ref *ref,
	 int fd)
{
	_store_ struct store *s = NULL;
	_pick_ struct pick pick = PICK_NONE;
	struct err *err = home_open(dir, false, &s);

	if (!err)
		err = pick_copy(s, ref, &pick);
	/* Others are not kept from the store while indexes are made. */
	store_free(take(s));
	if (err)
		return err;
	/* Debug information may have come since: it is told anew, without. */
	_close_ int before = pick.late;
	pick.late = -1;
	err = late_look(verb, &pick, &fd);
	if (err || late_size(fd) <= late_size(before))
		return err;
	err = home_open(dir, false, &s);
	return err ? err : late_put(s, ref, fd);
}

void
late_make(const char *dir, const struct store_ref *ref)
{
	_close_ int fd = memfd_create(KIND, MFD_CLOEXEC);

	if (fd < 0 || !apart(fd))
		return;
	err_free(late_run("capture", dir, ref, fd));
	_exit(0);
}

struct err *
late_wait(const char *verb, const char *dir, const struct store_ref *ref)
{
	_close_ int fd = memfd_create(KIND, MFD_CLOEXEC);

	return fd < 0 ? err_errno("cannot make a file in memory")
		      : late_run(verb, dir, ref, fd);
}

/* ---- they are looked at ---- */

static bool
late_take(void *arg, const struct store_sidecar *c)
{
	int *fd = arg;

	if (strcmp(c->kind, KIND) != 0 || strcmp(c->producer, PRODUCER) != 0
	    || c->version != VERSION)
		return true;
	*fd = memfd_create(KIND, MFD_CLOEXEC);
	_err_ struct err *err = *fd < 0 ? NULL
		: io_write(*fd, c->bytes.data, c->bytes.n);
	if (err)
		base_close(fd);
	*fd = err ? -1 : *fd;
	return false;
}

int
late_find(struct store *s, const struct store_ref *ref)
{
	int fd = -1;

	err_free(store_sidecars(s, ref, late_take, &fd));
	return fd;
}

/* Frames of other threads stay as they are. */
struct err *
late_adopt(struct target *t, const struct target *late)
{
	const uint64_t tid = late->n_threads ? late->threads[0].tid : 0;
	struct snap_frame *all = arena_array(t->arena, t->n_frames
					     + late->n_frames, sizeof(*all));
	size_t n = 0;

	if (t->n_variables || !late->n_variables
	    || late->process.pid != t->process.pid)
		return NULL;
	if (!all)
		return err_nomem();
	for (size_t k = 0; k < late->n_frames; k++)
		if (late->frames[k].tid == tid)
			all[n++] = late->frames[k];
	for (size_t k = 0; k < t->n_frames; k++)
		if (t->frames[k].tid != tid)
			all[n++] = t->frames[k];
	t->frames = all;
	t->n_frames = n;
	t->variables = late->variables;
	t->n_variables = late->n_variables;
	return NULL;
}
