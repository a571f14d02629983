/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session.c: the unjailed parent and its jailed child.
 */
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/home.h"
#include "cmd/late.h"
#include "cmd/session.h"
#include "inspect/indexed.h"
#include "disasm/disasm.h"
#include "jail/jail.h"
#include "serve/serve.h"
#include "supply/supply.h"

/* Time that an input of a given size may take: see session_limits(). */
#define CPU_SECONDS 10u
#define WALL_SECONDS 60u
#define BYTES_A_SECOND (16u << 20)
#define SECONDS_MAX 3600u
#define INDEXES_SECONDS 600u

struct session {
	const struct session_options *options;
	bool may_repeat;                /* without what is seldom needed */
	struct pick own;                /* what SNAP was opened as; or none */
	const struct pick *pick;        /* that, or the caller's */
	int exe;                        /* -1 = none */
	int pair[2];                    /* supply: ours, the child's… */
	int beside[2];                  /* …and of options->beside, or -1 */
	struct jail_child *child;
};

/* The child's exit status: it is to be started once more, with all it may
 * need. No verb ends like that. */
#define REPEAT 99

/* gdb gives a question up after 2 s, and one may lead to several here. */
#define DEBUGINFOD_MS 700u
_Static_assert(2 * DEBUGINFOD_MS < 2000, "two answers come within gdb's wait");
#define WAIT_SECONDS_MAX 3600u

unsigned
session_debuginfod(uint64_t wait_seconds)
{
	const char *servers = getenv("DEBUGINFOD_URLS");

	if (!servers || !servers[0])
		return 0;
	if (wait_seconds > WAIT_SECONDS_MAX)
		wait_seconds = WAIT_SECONDS_MAX;
	return wait_seconds ? (unsigned)wait_seconds * 1000 : DEBUGINFOD_MS;
}

/* ---- the child ---- */

/* What is wrong with it is no reason to show nothing. */
static struct err *
subject_open_late(struct subject *s, struct target *t)
{
	if (!s->late)
		return NULL;
	_err_ struct err *none = target_open(s->late, &s->late_target);
	return none ? NULL : late_adopt(t, s->late_target);
}

struct err *
subject_open(struct subject *s)
{
	_target_ struct target *t = take(s->picture);

	struct err *err = t ? NULL : target_open(s->src, &t);
	if (err)
		return err;
	s->repeat = s->may_repeat && !disasm_prepared(t->process.machine);
	if (s->repeat)
		return err_new(ERR_UNSUPPORTED, "not without capstone");
	err = subject_open_late(s, t);
	if (err)
		return err;
	err = insp_open(take(t), &s->options, &s->insp);
	if (!err && s->make_indexes)
		insp_make_indexes(s->insp);
	return err;
}

bool
subject_damaged(const struct subject *s)
{
	const struct target *t = insp_target(s->insp);

	/* What a snapshot or a picture lacks was not there when it was made. */
	return t->n_gaps && strcmp(t->ops->kind, "elf-core") == 0;
}

void
subject_tell_damage(struct subject *s)
{
	const struct target *t = insp_target(s->insp);

	if (!subject_damaged(s))
		return;
	for (size_t k = 0; k < t->n_gaps; k++) {
		_buf_ struct buf raw = { 0 }, shown = { 0 };
		buf_printf(&raw, "%s: %s", s->path, t->gaps[k]);
		buf_escape(&shown, raw.data ? raw.data : "", raw.len);
		say("%s: %s", s->verb, shown.data ? shown.data : "");
	}
	s->status = 6;
}

static const char *
session_title(const struct session *s)
{
	return s->pick->title ? s->pick->title : s->options->snap;
}

static struct err *
session_work(const struct session *s, int *status)
{
	const struct session_options *o = s->options;
	_source_ struct source *src = NULL, *exe = NULL, *late = NULL;
	struct subject subject = {
		.verb = o->verb, .path = session_title(s),
		.picture = o->picture,
		.make_indexes = o->indexes == INDEXES_MAKE,
		.may_repeat = s->may_repeat,
	};
	struct err *err = NULL;

	if (!o->picture && s->pick->fd >= 0)
		err = source_fd(s->pick->fd, subject.path, &src);
	if (!err && s->exe >= 0)
		err = source_fd(s->exe, o->exe, &exe);
	if (!err && s->pick->late >= 0)
		err = source_fd(s->pick->late, "variables", &late);
	if (err)
		return err;
	supply_client(s->pair[1], &subject.supply);
	supply_client(s->beside[1], &subject.beside);
	subject.src = src;
	subject.late = late;
	subject.options.supply = &subject.supply;
	subject.options.exe = exe;
	err = o->work(&subject, o->arg);
	insp_free(subject.insp);
	target_free(subject.late_target);
	if (subject.repeat)
		err_free(take(err));
	if (!err)
		*status = subject.repeat ? REPEAT : subject.status;
	return err;
}

static int
session_child(void *arg)
{
	const struct session *s = arg;
	int status = 0;

	_err_ struct err *err = session_work(s, &status);
	if (!err)
		return status;
	say("%s: %s", s->options->verb, err_text(err));
	return err_exit_status(err);
}

/* ---- the parent ---- */

static uint64_t
session_size(const struct session *s)
{
	const struct target *t = s->options->picture;
	uint64_t sum = 0;
	struct stat st;

	if (!t)
		return fstat(s->pick->fd, &st) == 0 ? (uint64_t)st.st_size : 0;
	for (size_t k = 0; k < t->n_memory; k++) {
		if (t->memory[k].kind == SNAP_MEM_DATA)
			sum += t->memory[k].length;
	}
	return sum;
}

/*
 * Enough for honest input on a slow machine, so that a bomb ends all the same:
 * a fixed time for what is parsed, and some for every byte that is copied.
 */
static void
session_limits(const struct session *s, struct jail_limits *out)
{
	uint64_t more = session_size(s) / BYTES_A_SECOND;

	memset(out, 0, sizeof(*out));
	if (more > SECONDS_MAX)
		more = SECONDS_MAX;
	out->cpu_seconds = CPU_SECONDS + (unsigned)more;
	out->wall_seconds = WALL_SECONDS + 2 * (unsigned)more;
	/* What it writes goes where the user said, at whatever length. */
	out->file_size = JAIL_ANY_SIZE;
	/* It waits for these. */
	if (s->options->indexes == INDEXES_MAKE)
		out->wall_seconds += INDEXES_SECONDS;
	if (s->options->unlimited) {
		out->cpu_seconds = JAIL_NO_LIMIT;
		out->wall_seconds = JAIL_NO_LIMIT;
	}
}

static void
session_free(struct session *s)
{
	if (!s)
		return;
	pick_fini(&s->own);
	base_close(&s->exe);
	base_close(&s->pair[0]);
	base_close(&s->pair[1]);
	base_close(&s->beside[0]);
	base_close(&s->beside[1]);
	free(s);
}

static void
session_freep(struct session **s)
{
	session_free(*s);
}

static struct err *
session_spawn(struct session *s)
{
	const struct session_options *o = s->options;
	struct jail_limits limits;
	int keep[JAIL_KEEP_MAX];
	size_t n = 0;

	const char *lacks = jail_lacks();
	if (lacks)
		say("%s", lacks);
	keep[n++] = s->pair[1];
	if (s->beside[1] >= 0)
		keep[n++] = s->beside[1];
	if (s->pick->fd >= 0)
		keep[n++] = s->pick->fd;
	if (s->exe >= 0)
		keep[n++] = s->exe;
	if (s->pick->late >= 0)
		keep[n++] = s->pick->late;
	for (size_t i = 0; i < o->n_keep && n < countof(keep); i++)
		keep[n++] = o->keep[i];
	session_limits(s, &limits);
	/* Nobody waits for a picture's code. */
	if (!o->picture && !s->may_repeat)
		disasm_prepare();
	return jail_spawn(&limits, keep, n, session_child, s, &s->child);
}

static struct err *
session_begin(const struct session_options *o, bool may_repeat,
	      struct session **out)
{
	_cleanup_(session_freep) struct session *s = calloc(1, sizeof(*s));
	if (!s)
		return err_nomem();
	s->options = o;
	s->may_repeat = may_repeat;
	s->own = (struct pick)PICK_NONE;
	s->pick = o->opened ? o->opened : &s->own;
	s->exe = s->pair[0] = s->pair[1] = -1;
	s->beside[0] = s->beside[1] = -1;
	struct err *err = NULL;
	if (!o->picture && !o->opened)
		err = pick_open(o->snap, &s->own);
	if (!err && o->exe)
		err = pick_open_file(o->exe, &s->exe);
	if (!err)
		err = supply_pair(s->pair);
	if (!err && o->beside)
		err = supply_pair(s->beside);
	if (err)
		return err;
	err = session_spawn(s);
	if (err)
		return err;
	/* Or the child's end would never be seen here as a closed door. */
	base_close(&s->pair[1]);
	base_close(&s->beside[1]);
	s->pair[1] = s->beside[1] = -1;
	*out = take(s);
	return NULL;
}

struct err *
session_start(const struct session_options *o, struct session **out)
{
	return session_begin(o, false, out);
}

/* One descriptor that polls readable when one of two does. */
static struct err *
session_either(int a, int b, int *out)
{
	struct epoll_event event = { .events = EPOLLIN };

	_close_ int both = epoll_create1(EPOLL_CLOEXEC);
	if (both < 0 || epoll_ctl(both, EPOLL_CTL_ADD, a, &event) < 0
	    || epoll_ctl(both, EPOLL_CTL_ADD, b, &event) < 0)
		return err_errno("cannot wait for two things at once");
	*out = both;
	both = -1;
	return NULL;
}

/** Where is looked for the files of one SNAP; not moved once it is filled. */
struct session_places {
	struct supply_places places;
	struct stored stored;           /* its project in the default store */
	struct supply_more more;
	char *dir;                      /* of the store, owned; or NULL */
};

static void
session_places_fini(struct session_places *p)
{
	free(p->dir);
}
#define _places_ _cleanup_(session_places_fini)

static struct err *
session_places(const struct session *s, const struct pick *pick,
	       struct session_places *p)
{
	const struct session_options *o = s->options;

	p->places = supply_default_places;
	p->places.sysroot = o->sysroot;
	p->places.debuginfod_ms = o->debuginfod_ms;
	p->places.sources = o->sources;
	p->places.texts = o->texts;
	p->places.maps = o->maps;
	p->places.n_maps = o->n_maps;
	p->stored.project = pick->project;
	struct err *err = pick->project ? home_dir(NULL, &p->dir) : NULL;
	if (err)
		return err;
	p->stored.url = p->dir;
	stored_more(&p->stored, &p->more);
	p->places.more = p->dir ? &p->more : NULL;
	return NULL;
}

struct err *
session_serve(struct session *s, int quit)
{
	const struct pick *beside = s->options->beside;
	_places_ struct session_places first = { 0 }, second = { 0 };
	const struct supply_door doors[] = {
		{ s->pair[0], &first.places }, { s->beside[0], &second.places },
	};
	_close_ int either = -1;
	int until = jail_pidfd(s->child);
	struct indexes indexes;
	struct err *err = session_places(s, s->pick, &first);

	if (!err && beside)
		err = session_places(s, beside, &second);
	if (!err && quit >= 0) {
		err = session_either(until, quit, &either);
		until = either;
	}
	if (err)
		return err;
	indexes_open(&indexes, s->options->indexes);
	if (s->options->indexes != INDEXES_NONE)
		first.places.indexes = second.places.indexes = &indexes.supply;
	err = supply_serve_doors(doors, beside ? 2 : 1, until,
				 jail_left_ms(s->child));
	indexes_fini(&indexes, &first.places);
	return err;
}

bool
session_ended(const struct session *s)
{
	struct pollfd p = { .fd = jail_pidfd(s->child), .events = POLLIN };

	return poll(&p, 1, 0) > 0;
}

void
session_kill(struct session *s)
{
	kill(jail_pid(s->child), SIGKILL);
}

struct err *
session_end(struct session *s, int *status)
{
	/* A child that still waits for an answer must not wait for ever. */
	base_close(&s->pair[0]);
	base_close(&s->beside[0]);
	s->pair[0] = s->beside[0] = -1;
	_err_ struct err *err = jail_wait(s->child, status);
	_err_ struct err *told = !err ? NULL
		: err_new(err_kind(err), "%s: %s; nothing more can be said of "
			  "it", session_title(s), err_text(err));
	session_free(s);
	return take(told);
}

static struct err *
run_once(const struct session_options *o, bool may_repeat, int *status)
{
	struct session *s;

	struct err *err = session_begin(o, may_repeat, &s);
	if (err)
		return err;
	/*
	 * Where serving ends early (time is over, or the child asked for
	 * nonsense), session_end() finds out what became of the child.
	 */
	err_free(session_serve(s, -1));
	return session_end(s, status);
}

struct err *
session_run(const struct session_options *o, int *status)
{
	struct session_options with = *o;
	_pick_ struct pick pick = PICK_NONE;
	struct err *err = NULL;

	if (!o->picture && !o->opened) {
		err = pick_open(o->snap, &pick);
		with.opened = &pick;
	}
	if (!err)
		err = run_once(&with, true, status);
	if (!err && *status == REPEAT)
		err = run_once(&with, false, status);
	return err;
}
