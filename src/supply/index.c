/* SPDX-License-Identifier: Apache-2.0 */
/*
 * index: symbol indexes of modules, made once and kept.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "inspect/ingredients.h"
#include "jail/jail.h"
#include "supply/supply.h"
#include "symbols/symbols.h"

#define INDEX_SIZE_MAX (512u << 20)
#define INDEX_MEMORY (2ull << 30)       /* beside what it is made from */
#define INDEX_CPU_SECONDS 120u
#define INDEX_WALL_SECONDS 240u
/* As many files as may matter stand for all there are. */
#define IDENTITIES 4u
#define NAME_BYTES 16u
#define CONTENT_READ (1u << 20)
#define TELL_MS 100

/* ---- what an index is called --------------------------------------------- */
static uint64_t
ns_of(const struct timespec *t)
{
	return (uint64_t)t->tv_sec * 1000000000u + (uint64_t)t->tv_nsec;
}

/** What an index would be made from, as bytes to name it by. */
struct identities {
	struct supply_places places;
	struct buf bytes;
	bool any;
};

/* What is in a file that has no place of its own. */
static struct err *
put_content(struct identities *to, int fd)
{
	_hash_sha_ struct hash_sha *h = hash_sha_new();
	_free_ char *bytes = malloc(CONTENT_READ);
	uint8_t sum[SHA256_SIZE];
	struct err *err = h && bytes ? NULL : err_nomem();
	ssize_t n = 1;

	for (off_t at = 0; !err && n > 0; at += n) {
		n = pread(fd, bytes, CONTENT_READ, at);
		err = n < 0 ? err_errno("cannot read a module's file")
		      : hash_sha_add(h, bytes, (size_t)n);
	}
	if (!err)
		err = hash_sha_end(h, sum);
	if (!err)
		buf_put(&to->bytes, sum, sizeof(sum));
	return err;
}

static struct err *
put_file(struct identities *to, int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_errno("cannot look at a module's file");
	/* Out of a store it is copied for us, and new each time. */
	if (st.st_nlink == 0)
		return put_content(to, fd);
	buf_u64(&to->bytes, st.st_dev);
	buf_u64(&to->bytes, st.st_ino);
	buf_u64(&to->bytes, (uint64_t)st.st_size);
	buf_u64(&to->bytes, ns_of(&st.st_mtim));
	buf_u64(&to->bytes, ns_of(&st.st_ctim));
	return NULL;
}

static struct err *
put_files(struct identities *to, struct supply_ask ask, uint8_t kind)
{
	const uint32_t first = ask.id.kind == ID_NONE ? ask.nth : 0;
	struct err *err = NULL;

	ask.kind = kind;
	buf_putc(&to->bytes, (char)kind);
	for (ask.nth = first; ask.nth - first < IDENTITIES && !err;
	     ask.nth++) {
		_close_ int fd = -1;

		err = supply_find(&to->places, &ask, &fd);
		if (!err)
			err = put_file(to, fd);
		to->any |= fd >= 0;
	}
	if (err_kind(err) != ERR_NOTFOUND)
		return err;
	err_free(err);
	return NULL;
}

/* Of everything that an index of @ask would be made from. */
static struct err *
put_all(struct identities *to, const struct supply_ask *ask)
{
	static const uint8_t kinds[] = {
		SUPPLY_EXE, SUPPLY_DEBUG, SUPPLY_PACKAGE,
	};
	const bool late = to->places.debuginfod_ms != 0;
	struct err *err = NULL;

	buf_u32(&to->bytes, SYMIDX_VERSION);
	buf_u32(&to->bytes, late);
	buf_putc(&to->bytes, (char)ask->id.len);
	buf_put(&to->bytes, ask->id.bytes, ask->id.len);
	to->places.indexes = NULL;
	to->places.debuginfod_ms = 0;
	for (size_t k = 0; k < countof(kinds) && !err; k++)
		err = put_files(to, *ask, kinds[k]);
	if (!err && !to->any && !late)
		err = err_new(ERR_NOTFOUND, "there is nothing to make an "
			      "index of");
	return err ? err : buf_err(&to->bytes);
}

static struct err *
index_name(const struct supply_places *places, const struct supply_ask *ask,
	   struct buf *out)
{
	struct identities all = { .places = *places };
	uint8_t sum[SHA256_SIZE];
	struct err *err = put_all(&all, ask);

	if (!err)
		err = hash_sha256(all.bytes.data, all.bytes.len, sum);
	buf_fini(&all.bytes);
	if (err)
		return err;
	buf_hex(out, sum, NAME_BYTES);
	buf_puts(out, ".symidx");
	return buf_err(out);
}

/* ---- making one: the jailed side ------------------------------------------- */
struct maker {
	const struct supply_ask *ask;
	int socket;             /* of supply */
	int out;
	_Atomic unsigned *done; /* in thousandths, shared with the parent */
	struct supply supply;
};

static struct err *
maker_write(void *arg, const void *data, size_t n)
{
	return io_write(((struct maker *)arg)->out, data, n);
}

static void
maker_progress(void *arg, unsigned done)
{
	atomic_store(((struct maker *)arg)->done, done);
}

static struct err *
maker_split(void *arg, const char *dir, const char *name, uint64_t id, int *fd)
{
	const struct maker *m = arg;
	_buf_ struct buf path = { 0 };

	(void)id;
	if (name[0] != '/') {
		buf_puts(&path, dir ? dir : "");
		buf_putc(&path, '/');
	}
	buf_puts(&path, name);
	struct err *err = buf_err(&path);
	if (err)
		return err;
	const struct supply_ask ask = { .kind = SUPPLY_SPLIT,
					.path = path.data };
	return m->supply.module(m->supply.arg, &ask, fd);
}

static struct err *
maker_make(struct maker *m)
{
	_ingredients_ struct ingredients from = { 0 };

	supply_client(m->socket, &m->supply);
	struct err *err = ingredients_find(&m->supply, m->ask, &from);
	if (err)
		return err;
	/* A debug file has the headers and symbols of what it is of. */
	const struct symbols_input input = {
		.file = from.file ? from.file : from.debug,
		.debug = from.file ? from.debug : NULL, .alt = from.alt,
		.package = from.package, .split = maker_split,
		.progress = maker_progress, .arg = m,
	};
	return symbols_make(&input, maker_write, m);
}

static int
maker_run(void *arg)
{
	_err_ struct err *err = maker_make(arg);

	return err != NULL;
}

/* ---- making one: the other side ---------------------------------------------- */
static void
tell(const struct supply_indexes *x, const struct supply_ask *ask,
     unsigned done)
{
	if (x->progress)
		x->progress(x->arg, ask->path ? ask->path : "a module", done);
}

/* False when there will be no further question. */
static bool
answer_one(const struct supply_places *places, int socket)
{
	struct supply_request *request;
	_close_ int found = -1;
	bool over = false;

	_err_ struct err *err = supply_take(socket, &request, &over);
	if (err || over || !request)
		return !err && !over;
	_err_ struct err *none = supply_find(places, supply_asked(request),
					     &found);
	supply_request_free(request);
	err = supply_give(socket, none, found);
	return !err;
}

/* Answers the child until it ends, and says now and then how far it is. */
static void
attend(const struct supply_places *places, const struct maker *m, int socket,
       struct jail_child *child)
{
	struct supply_places plain = *places;
	struct pollfd ends[] = {
		{ .fd = socket, .events = POLLIN },
		{ .fd = jail_pidfd(child), .events = POLLIN },
	};

	plain.indexes = NULL;
	plain.sources = false;
	while (!ends[1].revents && jail_left_ms(child) != 0) {
		if (poll(ends, countof(ends), TELL_MS) < 0)
			continue;
		tell(places->indexes, m->ask, atomic_load(m->done));
		if (!ends[0].revents || answer_one(&plain, socket))
			continue;
		/* It does not wait for an answer that will not come. */
		shutdown(socket, SHUT_RDWR);
		ends[0].fd = -1;
	}
	tell(places->indexes, m->ask, 1000);
}

static struct err *
run_maker(const struct supply_places *places, struct maker *m)
{
	const struct jail_limits limits = {
		.memory = INDEX_MEMORY, .file_size = INDEX_SIZE_MAX,
		.cpu_seconds = INDEX_CPU_SECONDS,
		.wall_seconds = INDEX_WALL_SECONDS,
	};
	struct jail_child *child;
	int pair[2], status = 1;

	struct err *err = supply_pair(pair);
	if (err)
		return err;
	_close_ int ours = pair[0];
	_close_ int theirs = m->socket = pair[1];
	const int keep[] = { theirs, m->out };
	err = jail_spawn(&limits, keep, countof(keep), maker_run, m, &child);
	if (err)
		return err;
	base_close(&theirs);
	theirs = -1;
	attend(places, m, ours, child);
	err = jail_wait(child, &status);
	if (!err && status)
		err = err_new(ERR_NOTFOUND, "no index could be made of it");
	return err;
}

static struct err *
make_index(const struct supply_places *places, const struct supply_ask *ask,
	   int out)
{
	_Atomic unsigned *done = mmap(NULL, sizeof(*done),
				      PROT_READ | PROT_WRITE,
				      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct maker m = { .ask = ask, .out = out, .done = done };

	if (done == MAP_FAILED)
		return err_errno("cannot share a page");
	struct err *err = run_maker(places, &m);
	munmap(done, sizeof(*done));
	return err;
}

/* ---- all of it ------------------------------------------------------------------ */
/* It is read only from now on, and by a descriptor that cannot write. */
static struct err *
reopen(int fd, int *out)
{
	char self[64];

	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	*out = open(self, O_RDONLY | O_CLOEXEC);
	return *out < 0 ? err_errno("cannot open the index") : NULL;
}

static void
keep_index(const struct supply_indexes *x, int made, const char *name)
{
	char self[64];

	if (x->dir < 0)
		return;
	snprintf(self, sizeof(self), "/proc/self/fd/%d", made);
	if (linkat(AT_FDCWD, self, x->dir, name, AT_SYMLINK_FOLLOW) == 0)
		supply_trim(x->dir, x->size_max);
}

struct err *
supply_index(const struct supply_places *places, const struct supply_ask *ask,
	     int *out)
{
	const struct supply_indexes *x = places->indexes;
	_buf_ struct buf name = { 0 };

	if (!x || (places->by_id && ask->id.kind == ID_NONE))
		return err_new(ERR_NOTFOUND, "no indexes are kept here");
	struct err *err = index_name(places, ask, &name);
	if (err)
		return err;
	*out = x->dir < 0 ? -1 : openat(x->dir, name.data, O_RDONLY | O_CLOEXEC
							   | O_NOFOLLOW);
	if (*out >= 0)
		return NULL;
	if (!x->make && x->missing)
		x->missing(x->arg, ask);
	if (!x->make)
		return err_new(ERR_NOTFOUND, "there is no index of it yet");
	_close_ int made = x->dir < 0 ? -1
			   : openat(x->dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC,
				    0600);
	if (made < 0)
		made = memfd_create("index", MFD_CLOEXEC);
	if (made < 0)
		return err_errno("cannot make a file for an index");
	err = make_index(places, ask, made);
	if (err)
		return err;
	keep_index(x, made, name.data);
	return reopen(made, out);
}
