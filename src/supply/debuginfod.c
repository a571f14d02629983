/* SPDX-License-Identifier: Apache-2.0 */
/*
 * debuginfod: modules, their debug files and their sources by build-id from
 * those servers that the environment names (debuginfod-find(1)).
 *
 * libdebuginfod is loaded when it is needed, for it brings all of libcurl. It
 * downloads to its own cache, so a file is fetched once; what comes is as
 * little vouched for as what a disk has.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "supply/candidates.h"

#define LIBRARY "libdebuginfod.so.1"
/* Nobody waits so long, but the next session has it then. */
#define SECONDS_MAX 600
#define PATIENT_MS 2000u
#define HASTY_MS 50u

/* elfutils/debuginfod.h: a descriptor, or an error number below 0. */
struct client;
typedef int find_fn(struct client *c, const unsigned char *id, int n,
		    char **path);
static struct {
	void *library;
	struct client *(*begin)(void);
	void (*end)(struct client *c);
	void (*progress)(struct client *c,
			 int (*fn)(struct client *c, long a, long b));
	void (*set_data)(struct client *c, void *data);
	void *(*get_data)(struct client *c);
	find_fn *executable, *debuginfo;
	int (*source)(struct client *c, const unsigned char *id, int n,
		      const char *name, char **path);
	_Atomic time_t late;    /* when an answer did not come in time */
} lib = { .late = -3600 };

static struct err *
load_once(void)
{
	const struct {
		void *to;
		const char *name;
	} functions[] = {
		{ &lib.begin, "debuginfod_begin" },
		{ &lib.end, "debuginfod_end" },
		{ &lib.progress, "debuginfod_set_progressfn" },
		{ &lib.set_data, "debuginfod_set_user_data" },
		{ &lib.get_data, "debuginfod_get_user_data" },
		{ &lib.executable, "debuginfod_find_executable" },
		{ &lib.debuginfo, "debuginfod_find_debuginfo" },
		{ &lib.source, "debuginfod_find_source" },
	};
	void *library = lib.library ? lib.library : dlopen(LIBRARY, RTLD_NOW);

	for (size_t k = 0; library && k < countof(functions); k++) {
		void *f = dlsym(library, functions[k].name);
		if (!f)
			return err_new(ERR_UNSUPPORTED, LIBRARY " has no %s",
				       functions[k].name);
		memcpy(functions[k].to, &f, sizeof(f));
	}
	lib.library = library;
	return library ? NULL
		       : err_new(ERR_NOTFOUND, "cannot load " LIBRARY ": %s",
				 dlerror());
}

/* Several threads may be the first. */
static struct err *
load(void)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

	pthread_mutex_lock(&lock);
	struct err *err = load_once();
	pthread_mutex_unlock(&lock);
	return err;
}

static time_t
seconds(void)
{
	struct timespec now = { 0, 0 };

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

/* Called now and then; other than 0 breaks the download off. */
static int
is_too_long(struct client *c, long a, long b)
{
	const time_t *began = lib.get_data(c);

	(void)a;
	(void)b;
	return seconds() - *began > SECONDS_MAX;
}

/*
 * @path without "." and "..", as servers keep it: a URL of a directory
 * (file:) would be climbed out of. False for one that is not absolute or
 * climbs above the root itself.
 */
static bool
put_plain(const char *path, struct buf *out)
{
	if (path[0] != '/')
		return false;
	while (*(path += strspn(path, "/"))) {
		size_t n = strcspn(path, "/");

		if (n == 2 && memcmp(path, "..", 2) == 0) {
			const char *last = out->len
				? memrchr(out->data, '/', out->len) : NULL;
			if (!last)
				return false;
			out->len = (size_t)(last - out->data);
		} else if (n != 1 || path[0] != '.') {
			buf_putc(out, '/');
			buf_put(out, path, n);
		}
		path += n;
	}
	return out->len && !out->failed;
}

static int
find_source(struct client *c, const struct supply_ask *ask)
{
	_buf_ struct buf plain = { 0 };

	if (!ask->path || !put_plain(ask->path, &plain))
		return -ENOENT;
	/* Cut by "..", it has no end yet. */
	buf_putc(&plain, '\0');
	return plain.failed ? -ENOMEM : lib.source(c, ask->id.bytes,
						   ask->id.len, plain.data,
						   NULL);
}

static int
find(struct client *c, const struct supply_ask *ask)
{
	const int n = ask->id.len;

	switch (ask->kind) {
	case SUPPLY_EXE:
		return lib.executable(c, ask->id.bytes, n, NULL);
	case SUPPLY_DEBUG:
	case SUPPLY_ALT:
		return lib.debuginfo(c, ask->id.bytes, n, NULL);
	case SUPPLY_SOURCE:
		return find_source(c, ask);
	default:
		return -ENOENT;
	}
}

/* ---- a time limit ------------------------------------------------------ */
/*
 * A client may give up, and then take the late answer for that to its next
 * question: who asked is answered in time, and what comes too late is in the
 * cache the next time.
 */
struct job {
	struct supply_ask ask;
	char *path;
	pthread_mutex_t lock;
	pthread_cond_t done;
	bool ended, left;       /* the thread; who waits for it */
	int fd;                 /* or an error number below 0 */
};

static void
job_free(struct job *j)
{
	if (j->fd >= 0)
		close(j->fd);
	pthread_cond_destroy(&j->done);
	pthread_mutex_destroy(&j->lock);
	free(j->path);
	free(j);
}

static int
job_ask(const struct job *j)
{
	time_t began = seconds();
	struct client *c = lib.begin();

	if (!c)
		return -ENOMEM;
	lib.set_data(c, &began);
	lib.progress(c, is_too_long);
	int fd = find(c, &j->ask);
	lib.end(c);
	return fd;
}

static void *
job_run(void *arg)
{
	struct job *j = arg;
	int fd = job_ask(j);

	pthread_mutex_lock(&j->lock);
	j->fd = fd;
	j->ended = true;
	bool left = j->left;
	pthread_cond_signal(&j->done);
	pthread_mutex_unlock(&j->lock);
	if (left)
		job_free(j);
	return NULL;
}

static struct job *
job_new(const struct supply_ask *ask)
{
	struct job *j = calloc(1, sizeof(*j));
	pthread_condattr_t attr;

	if (!j)
		return NULL;
	j->fd = -ENOENT;
	j->ask = *ask;
	if (ask->path)
		j->ask.path = j->path = strdup(ask->path);
	pthread_mutex_init(&j->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&j->done, &attr);
	pthread_condattr_destroy(&attr);
	return j;
}

/* The signals are for who started it. */
static bool
job_begin(struct job *j)
{
	pthread_attr_t attr;
	pthread_t thread;
	sigset_t all, old;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	bool begun = pthread_create(&thread, &attr, job_run, j) == 0;
	pthread_attr_destroy(&attr);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return begun;
}

/* Its descriptor, or -ETIMEDOUT. */
static int
job_wait(struct job *j, unsigned ms)
{
	struct timespec until;
	int error = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += (long)(ms % 1000) * 1000000;
	until.tv_sec += ms / 1000 + until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	pthread_mutex_lock(&j->lock);
	while (!j->ended && error == 0)
		error = pthread_cond_timedwait(&j->done, &j->lock, &until);
	bool ended = j->ended;
	int fd = ended ? j->fd : -ETIMEDOUT;
	j->left = true;
	j->fd = ended ? -ENOENT : j->fd;
	pthread_mutex_unlock(&j->lock);
	if (ended)
		job_free(j);
	return fd;
}

/* One question of a client may lead to several here: after one that came to
 * nothing in time the next ones hardly wait. */
static unsigned
patience(unsigned ms, time_t late)
{
	return ms < PATIENT_MS && seconds() - late <= PATIENT_MS / 1000
	       ? HASTY_MS : ms;
}

struct err *
supply_debuginfod(const struct supply_ask *ask, unsigned ms, int *out)
{
	struct stat st;

	if (ask->id.kind != ID_GNU_BUILD_ID || ask->id.len == 0)
		return err_new(ERR_NOTFOUND, "debuginfod knows build-ids only");
	struct err *err = load();
	if (err)
		return err;
	struct job *j = job_new(ask);
	if (!j)
		return err_nomem();
	if (!job_begin(j)) {
		job_free(j);
		return err_new(ERR_NOTFOUND, "debuginfod cannot be asked");
	}
	_close_ int fd = job_wait(j, patience(ms, lib.late));
	if (fd == -ETIMEDOUT)
		lib.late = seconds();
	if (fd < 0)
		return err_new(ERR_NOTFOUND, "debuginfod has no such file%s",
			       fd == -ETIMEDOUT ? " yet" : "");
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return err_new(ERR_NOTFOUND, "debuginfod gave no file");
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	*out = fd;
	fd = -1;
	return NULL;
}
