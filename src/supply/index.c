/* SPDX-License-Identifier: Apache-2.0 */
/*
 * index: symbol indexes of modules, made once and kept.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "inspect/ingredients.h"
#include "jail/jail.h"
#include "supply/checked.h"
#include "supply/splits.h"
#include "supply/supply.h"
#include "symbols/symbols.h"

#define INDEX_SIZE_MAX (512u << 20)
#define INDEX_MEMORY (2ull << 30)       /* beside what it is made from */
#define INDEX_CPU_SECONDS 120u
#define INDEX_WALL_SECONDS 240u
/* As many files as may matter stand for all there are. */
#define IDENTITIES 4u
#define NAME_BYTES 16u
#define NAME_CHARS 48u          /* as supply_trim() has room for */
#define TELL_MS 100

/* ---- what an index is called --------------------------------------------- */
static uint64_t
ns_of(const struct timespec *t)
{
	return (uint64_t)t->tv_sec * 1000000000u + (uint64_t)t->tv_nsec;
}

/** What an index would be made from, as bytes to name it by. */
struct naming {
	const struct supply_places *places;
	struct buf bytes;
	bool any, theirs;       /* files; some of places->more */
};

static struct err *
put_file(struct naming *n, int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_errno("cannot look at a module's file");
	buf_u64(&n->bytes, st.st_dev);
	buf_u64(&n->bytes, st.st_ino);
	buf_u64(&n->bytes, (uint64_t)st.st_size);
	buf_u64(&n->bytes, ns_of(&st.st_mtim));
	buf_u64(&n->bytes, ns_of(&st.st_ctim));
	return NULL;
}

/* One that is not on the disk: whose it is, and what is in it. */
static struct err *
put_theirs(struct naming *n, const struct supply_ask *ask, uint32_t nth)
{
	const struct supply_more *more = n->places->more;
	uint8_t hash[SHA256_SIZE];
	struct err *err = more->hash(more->arg, ask, nth, hash);

	if (err)
		return err;
	n->theirs = true;
	buf_put(&n->bytes, more->owner, strlen(more->owner) + 1);
	buf_put(&n->bytes, hash, sizeof(hash));
	return NULL;
}

static struct err *
put_identity(struct naming *n, const struct supply_ask *ask)
{
	_close_ int fd = -1;
	uint32_t seen;

	struct err *err = supply_near(n->places, ask, &seen, &fd);
	if (!err)
		return put_file(n, fd);
	if (!n->places->more || err_kind(err) != ERR_NOTFOUND)
		return err;
	err_free(err);
	return put_theirs(n, ask, ask->nth - seen);
}

static struct err *
put_identities(struct naming *n, struct supply_ask ask, uint8_t kind)
{
	const uint32_t first = ask.id.kind == ID_NONE ? ask.nth : 0;
	struct err *err = NULL;

	ask.kind = kind;
	buf_putc(&n->bytes, (char)kind);
	for (ask.nth = first; ask.nth - first < IDENTITIES && !err;
	     ask.nth++) {
		err = put_identity(n, &ask);
		n->any |= !err;
	}
	if (err_kind(err) != ERR_NOTFOUND)
		return err;
	err_free(err);
	return NULL;
}

/* Of everything that an index of @ask would be made from. */
static struct err *
put_all(struct naming *n, const struct supply_ask *ask)
{
	static const uint8_t kinds[] = {
		SUPPLY_EXE, SUPPLY_DEBUG, SUPPLY_PACKAGE,
	};
	const bool late = n->places->debuginfod_ms != 0;
	struct err *err = NULL;

	buf_u32(&n->bytes, SYMIDX_VERSION);
	buf_u32(&n->bytes, late);
	buf_putc(&n->bytes, (char)ask->id.len);
	buf_put(&n->bytes, ask->id.bytes, ask->id.len);
	for (size_t k = 0; k < countof(kinds) && !err; k++)
		err = put_identities(n, *ask, kinds[k]);
	if (!err && !n->any && !late)
		err = err_new(ERR_NOTFOUND, "there is nothing to make an "
			      "index of");
	return err ? err : buf_err(&n->bytes);
}

/* *@theirs: it would be made of some files of places->more. */
static struct err *
index_name(const struct supply_places *places, const struct supply_ask *ask,
	   struct buf *out, bool *theirs)
{
	struct naming n = { .places = places };
	uint8_t sum[SHA256_SIZE];
	struct err *err = put_all(&n, ask);

	if (!err)
		err = hash_sha256(n.bytes.data, n.bytes.len, sum);
	buf_fini(&n.bytes);
	if (err)
		return err;
	*theirs = n.theirs;
	buf_hex(out, sum, NAME_BYTES);
	return buf_err(out);
}

/* ---- making one: the jailed side ------------------------------------------- */
struct maker {
	const struct supply_ask *ask;
	int socket;             /* of supply */
	int out;
	_Atomic unsigned *done; /* in thousandths, shared with the parent */
	bool lesser;            /* .dwo files were not opened, by their paths */
	struct buf *splits;     /* those that were asked for */
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
	/* A debug file has the headers and the symbols of the other, too. */
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
answer_one(const struct supply_places *places, struct maker *m, int socket)
{
	struct supply_request *request;
	_close_ int found = -1;
	bool over = false;

	_err_ struct err *err = supply_take(socket, &request, &over);
	if (err || over || !request)
		return !err && !over;
	_err_ struct err *none = supply_find(places, supply_asked(request),
					     &found);
	const struct supply_ask *ask = supply_asked(request);
	if (ask->kind == SUPPLY_SPLIT && places->by_id)
		m->lesser = true;
	else if (ask->kind == SUPPLY_SPLIT && ask->path)
		splits_add(m->splits, ask->path, none ? -1 : found);
	supply_request_free(request);
	err = supply_give(socket, none, found);
	return !err;
}

/* Answers the child until it ends, and says now and then how far it is. */
static void
attend(const struct supply_places *places, struct maker *m, int socket,
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
		if (!ends[0].revents || answer_one(&plain, m, socket))
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
	   int out, struct buf *splits, bool *lesser)
{
	_Atomic unsigned *done = mmap(NULL, sizeof(*done),
				      PROT_READ | PROT_WRITE,
				      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct maker m = { .ask = ask, .out = out, .done = done,
			   .splits = splits };

	if (done == MAP_FAILED)
		return err_errno("cannot share a page");
	struct err *err = run_maker(places, &m);
	munmap(done, sizeof(*done));
	*lesser = m.lesser;
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

	if (x->dir < 0 || !name)
		return;
	snprintf(self, sizeof(self), "/proc/self/fd/%d", made);
	if (linkat(AT_FDCWD, self, x->dir, name, AT_SYMLINK_FOLLOW) == 0)
		supply_trim(x->dir, x->size_max);
}

static struct err *
index_file(const struct supply_indexes *x, int *out)
{
	int fd = x->dir < 0 ? -1
		 : openat(x->dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd < 0)
		fd = memfd_create("index", MFD_CLOEXEC);
	*out = fd;
	return fd < 0 ? err_errno("cannot make a file for an index") : NULL;
}

/*
 * Where no file is opened by its path alone, an index may lack what is in .dwo
 * files. It is called so, and is nobody's who would have had these opened.
 */
struct names {
	const char *full, *lesser;      /* NULL: of no use to who asks */
	struct buf splits;              /* of splits.h, of one that was made */
};

static bool
index_kept(const struct supply_more *more, const struct supply_ask *ask,
	   const char *name, int fd)
{
	return name && more && more->index
	       && more->index(more->arg, ask, name, fd);
}

/* From @more, which is NULL where it can have none, or made. */
static struct err *
index_get(const struct supply_places *places, const struct supply_ask *ask,
	  const struct supply_more *more, struct names *names, int fd)
{
	struct supply_places from = *places;
	bool lesser = false;

	/* Or what others are given would be made of this one's files, which
	 * its name does not tell: a dwz alternate, one of too many. */
	from.more = more;
	if (index_kept(more, ask, names->full, fd))
		return NULL;
	if (index_kept(more, ask, names->lesser, fd)) {
		names->full = names->lesser;
		return NULL;
	}
	if (!places->indexes->make)
		return err_new(ERR_NOTFOUND, "there is no index of it yet");
	struct err *err = ftruncate(fd, 0) < 0 || lseek(fd, 0, SEEK_SET) < 0
			  ? err_errno("cannot empty a file")
			  : make_index(&from, ask, fd, &names->splits, &lesser);
	if (lesser)
		names->full = names->lesser;
	if (!err && more && more->keep)
		more->keep(more->arg, ask, names->full, fd);
	return err;
}

static struct err *
index_new(const struct supply_places *places, const struct supply_ask *ask,
	  const struct supply_more *more, struct names *names, int *out)
{
	const struct supply_indexes *x = places->indexes;
	_close_ int fd = -1;
	struct err *err = NULL;

	if (x->make || (more && more->index))
		err = index_file(x, &fd);
	if (!err && fd >= 0)
		err = index_get(places, ask, more, names, fd);
	if (!err && fd >= 0) {
		keep_index(x, fd, names->full);
		splits_keep(x->dir, names->full, &names->splits);
		return reopen(fd, out);
	}
	if (!x->make && x->missing)
		x->missing(x->arg, ask);
	return err ? err : err_new(ERR_NOTFOUND, "there is no index of it yet");
}

static int
index_open(const struct supply_indexes *x, const char *name)
{
	return x->dir < 0 || !name ? -1
	       : openat(x->dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
}

static void
index_drop(const struct supply_indexes *x, const char *name)
{
	_close_ int fd = index_open(x, name);
	bool intact = true;

	if (fd < 0)
		return;
	_err_ struct err *err = checked_index(fd, &intact);
	if (!err && !intact)
		(void)unlinkat(x->dir, name, 0);
}

/* It may be one of two that was given. */
static void
index_spoilt(const struct supply_indexes *x, const struct supply_ask *ask,
	     const struct names *names)
{
	if (!x->make && x->missing) {
		x->missing(x->arg, ask);
		return;
	}
	index_drop(x, names->full);
	index_drop(x, names->lesser);
}

struct err *
supply_index(const struct supply_places *places, const struct supply_ask *asked,
	     int *out)
{
	const struct supply_indexes *x = places->indexes;
	const struct supply_ask index = {
		.kind = SUPPLY_INDEX, .id = asked->id, .path = asked->path,
		.link = asked->link, .nth = asked->nth,
	}, *ask = &index;
	_buf_ struct buf hex = { 0 };
	char full[NAME_CHARS], lesser[NAME_CHARS];
	struct names names = { full, places->by_id ? lesser : NULL, { 0 } };
	bool theirs = false;

	if (!x || (places->by_id && ask->id.kind == ID_NONE))
		return err_new(ERR_NOTFOUND, "no indexes are kept here");
	struct err *err = index_name(places, ask, &hex, &theirs);
	if (err)
		return err;
	snprintf(full, sizeof(full), "%s.symidx", hex.data);
	snprintf(lesser, sizeof(lesser), "%s-by-id.symidx", hex.data);
	if (asked->kind == SUPPLY_SPOILT)
		index_spoilt(x, asked, &names);
	if (asked->kind == SUPPLY_SPOILT && !x->make)
		return err_new(ERR_NOTFOUND, "it is made anew another time");
	/* One that is out of date is no better than none. */
	if (x->dir >= 0 && !places->by_id
	    && splits_changed(places, x->dir, full))
		(void)unlinkat(x->dir, full, 0);
	int fd = index_open(x, names.full);
	if (fd < 0)
		fd = index_open(x, names.lesser);
	if (fd < 0)
		err = index_new(places, ask, theirs ? places->more : NULL,
				&names, &fd);
	buf_fini(&names.splits);
	if (!err)
		*out = fd;
	return err;
}
