/* SPDX-License-Identifier: Apache-2.0 */
/* Byte sources: random access to a file, to memory, or to a fetcher. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"

struct source_ops {
	/* All of [off, off + n), which lies within the size. */
	struct err *(*read)(struct source *s, uint64_t off, size_t n,
			    void *out);
	void (*done)(struct source *s);
};

struct source {
	const struct source_ops *ops;
	uint64_t size;
	union {
		int fd;
		const uint8_t *data;
		struct {
			source_fetch_fn *fetch;
			void (*done)(void *);
			void *arg;
		};
	};
	char name[];
};

static struct source *
source_new(const struct source_ops *ops, uint64_t size, const char *name)
{
	size_t len = strlen(name);
	struct source *s = calloc(1, sizeof(*s) + len + 1);

	if (!s)
		return NULL;
	s->ops = ops;
	s->size = size;
	memcpy(s->name, name, len + 1);
	return s;
}

static struct err *
truncated(const struct source *s, uint64_t off, uint64_t n, uint64_t end)
{
	return err_new(ERR_DAMAGED, "%s: truncated: %" PRIu64 " bytes wanted "
		       "at offset %" PRIu64 ", the file ends at %" PRIu64,
		       s->name, n, off, end);
}

/* ---- a file ---- */

static ssize_t
pread_through_signals(int fd, void *out, size_t n, off_t off)
{
	ssize_t got;

	do
		got = pread(fd, out, n, off);
	while (got < 0 && errno == EINTR);
	return got;
}

static struct err *
file_read(struct source *s, uint64_t off, size_t n, void *out)
{
	ssize_t got;

	for (size_t done = 0; done < n; done += got) {
		got = pread_through_signals(s->fd, (uint8_t *)out + done,
					    n - done, off + done);
		if (got < 0)
			return err_errno("%s: cannot read %zu bytes at offset "
					 "%" PRIu64, s->name, n, off);
		/* It was longer when it was opened. */
		if (got == 0)
			return truncated(s, off, n, off + done);
	}
	return NULL;
}

static void
file_done(struct source *s)
{
	base_close(&s->fd);
}

static const struct source_ops file_ops = {
	.read = file_read,
	.done = file_done,
};

static struct err *
file_size(int fd, const char *name, uint64_t *out)
{
	struct stat st;
	off_t size;

	if (fstat(fd, &st) < 0)
		return err_errno("%s", name);
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return err_new(ERR_FORMAT, "%s is not a regular file", name);
	/* fstat() says 0 for a block device. */
	size = S_ISBLK(st.st_mode) ? lseek(fd, 0, SEEK_END) : st.st_size;
	if (size < 0)
		return err_errno("%s", name);
	*out = size;
	return NULL;
}

struct err *
source_fd(int fd, const char *name, struct source **out)
{
	_close_ int owned = fd;
	uint64_t size = 0;
	struct err *err;
	struct source *s;

	err = file_size(fd, name, &size);
	if (err)
		return err;
	s = source_new(&file_ops, size, name);
	if (!s)
		return err_nomem();
	s->fd = owned;
	owned = -1;
	*out = s;
	return NULL;
}

/* ---- memory ---- */

static struct err *
mem_read(struct source *s, uint64_t off, size_t n, void *out)
{
	memcpy(out, s->data + off, n);
	return NULL;
}

static const struct source_ops mem_ops = {
	.read = mem_read,
};

struct err *
source_mem(const void *data, size_t n, const char *name, struct source **out)
{
	struct source *s = source_new(&mem_ops, n, name);

	if (!s)
		return err_nomem();
	s->data = data;
	*out = s;
	return NULL;
}

/* ---- a fetcher ---- */

static struct err *
fetch_read(struct source *s, uint64_t off, size_t n, void *out)
{
	return s->fetch(s->arg, off, n, out);
}

static void
fetch_done(struct source *s)
{
	if (s->done)
		s->done(s->arg);
}

static const struct source_ops fetch_ops = {
	.read = fetch_read,
	.done = fetch_done,
};

struct err *
source_fetch(source_fetch_fn *fetch, void (*done)(void *), void *arg,
	     uint64_t size, const char *name, struct source **out)
{
	struct source *s = source_new(&fetch_ops, size, name);

	if (!s) {
		if (done)
			done(arg);
		return err_nomem();
	}
	s->fetch = fetch;
	s->done = done;
	s->arg = arg;
	*out = s;
	return NULL;
}

/* ---- all of them ---- */

uint64_t
source_size(const struct source *s)
{
	return s->size;
}

const char *
source_name(const struct source *s)
{
	return s->name;
}

int
source_descriptor(const struct source *s)
{
	return s->ops == &file_ops ? s->fd : -1;
}

static struct err *
check_range(const struct source *s, uint64_t off, uint64_t n)
{
	if (off > s->size || n > s->size - off)
		return truncated(s, off, n, s->size);
	return NULL;
}

struct err *
source_read(struct source *s, uint64_t off, size_t n, void *out)
{
	struct err *err = check_range(s, off, n);

	if (err || n == 0)
		return err;
	return s->ops->read(s, off, n, out);
}

struct err *
source_load(struct source *s, uint64_t off, uint64_t n, uint64_t limit,
	    struct arena *a, struct span *out)
{
	struct err *err;
	void *data;

	/* Before the allocation: the length may be an invention. */
	err = check_range(s, off, n);
	if (err)
		return err;
	if (n > limit || n > SIZE_MAX)
		return err_new(ERR_LIMIT, "%s: %" PRIu64 " bytes at offset %"
			       PRIu64 " are more than the %" PRIu64
			       " allowed here", s->name, n, off, limit);
	data = arena_alloc(a, n);
	if (!data)
		return err_wrap(err_nomem(), "%s", s->name);
	err = source_read(s, off, n, data);
	if (err)
		return err;
	*out = (struct span){ .data = data, .n = n };
	return NULL;
}

void
source_free(struct source *s)
{
	if (!s)
		return;
	if (s->ops->done)
		s->ops->done(s);
	free(s);
}

void
source_freep(struct source **s)
{
	source_free(*s);
}
