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
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "supply/candidates.h"

#define LIBRARY "libdebuginfod.so.1"
/* A debugger waits for what it asked, `inquest gdb` has it wait a minute. */
#define SECONDS_MAX 45

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
} lib;

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
	default:
		return find_source(c, ask);
	}
}

struct err *
supply_debuginfod(const struct supply_ask *ask, int *out)
{
	time_t began = seconds();
	struct stat st;

	if (ask->id.kind != ID_GNU_BUILD_ID || ask->id.len == 0)
		return err_new(ERR_NOTFOUND, "debuginfod knows build-ids only");
	struct err *err = load();
	if (err)
		return err;
	struct client *c = lib.begin();
	if (!c)
		return err_new(ERR_NOTFOUND, "debuginfod cannot be asked");
	lib.set_data(c, &began);
	lib.progress(c, is_too_long);
	_close_ int fd = find(c, ask);
	lib.end(c);
	if (fd < 0)
		return err_new(ERR_NOTFOUND, "debuginfod has no such file");
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return err_new(ERR_NOTFOUND, "debuginfod gave no file");
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	*out = fd;
	fd = -1;
	return NULL;
}
