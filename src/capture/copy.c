/* SPDX-License-Identifier: Apache-2.0 */
/*
 * copy.c: process_vm_readv(2) in batches. Places in the buffer follow one
 * another as pieces do in a class, so a batch has one local end; it stops
 * short at the first page that cannot be read, which is noted and passed by.
 */
#include "capture/copy.h"

#include <sys/uio.h>

#include "capture/impl.h"

enum { BATCH = 1024 };                  /* IOV_MAX of Linux */
/* So many unreadable pages in a row, and the rest of a piece is given up. */
#define BAD_RUN_MAX 64u

struct copier {
	pid_t tid;
	uint8_t *to;                    /* of the first byte not yet copied */
	struct iovec from[BATCH];
	size_t n, first;                /* [first, n) are left to do */
	unsigned bad_run;
	struct copied *out;
};

static struct err *
note_bad(struct copier *c, uint64_t start, uint64_t n)
{
	struct vec *bad = &c->out->bad;
	struct range *last = bad->n ? (struct range *)bad->data + bad->n - 1
				    : NULL;

	if (last && last->end == start) {
		last->end += n;
		return NULL;
	}
	struct range *slot = vec_add(bad, c->out->arena, sizeof(*slot));
	if (!slot)
		return err_nomem();
	*slot = (struct range){ start, start + n };
	return NULL;
}

/* @n bytes of the batch are done with, copied or not. */
static void
batch_advance(struct copier *c, size_t n)
{
	c->to += n;
	while (n) {
		struct iovec *io = &c->from[c->first];
		size_t step = n < io->iov_len ? n : io->iov_len;

		io->iov_base = (char *)io->iov_base + step;
		io->iov_len -= step;
		n -= step;
		if (io->iov_len == 0) {
			c->first++;
			c->bad_run = 0;
		}
	}
}

static struct err *
batch_skip(struct copier *c)
{
	const struct iovec *io = &c->from[c->first];
	uint64_t addr = (uint64_t)(uintptr_t)io->iov_base;
	size_t page = PAGE - addr % PAGE;
	size_t n = ++c->bad_run > BAD_RUN_MAX || page > io->iov_len
		   ? io->iov_len : page;

	struct err *err = note_bad(c, addr, n);
	batch_advance(c, n);
	return err;
}

static struct err *
batch_flush(struct copier *c)
{
	struct err *err = NULL;

	while (c->first < c->n && !err) {
		size_t want = 0;

		for (size_t k = c->first; k < c->n; k++)
			want += c->from[k].iov_len;
		const struct iovec to = { c->to, want };
		ssize_t got = process_vm_readv(c->tid, &to, 1,
					       &c->from[c->first],
					       c->n - c->first, 0);
		if (got > 0)
			c->bad_run = 0;
		batch_advance(c, got > 0 ? (size_t)got : 0);
		if (c->first < c->n && (got < 0 || (size_t)got < want))
			err = batch_skip(c);
	}
	c->first = c->n = 0;
	return err;
}

static struct err *
copy_class(struct copier *c, const struct plan *plan, uint8_t class)
{
	const struct piece *all = plan->pieces.data;
	struct err *err = NULL;

	for (size_t k = 0; k < plan->pieces.n && !err; k++) {
		if (all[k].kind != SNAP_MEM_DATA || all[k].class != class
		    || !all[k].copied)
			continue;
		c->from[c->n++] = (struct iovec){
			(void *)(uintptr_t)all[k].start, all[k].copied,
		};
		if (c->n == BATCH)
			err = batch_flush(c);
	}
	return err;
}

struct err *
copy_pieces(const struct plan *plan, pid_t tid, uint8_t *buffer,
	    struct copied *out)
{
	struct copier c = { .tid = tid, .to = buffer, .out = out };
	struct err *err = NULL;

	for (uint8_t class = 0; class < CLASSES && !err; class++)
		err = copy_class(&c, plan, class);
	return err ? err : batch_flush(&c);
}

void
copy_touch_modules(const struct plan *plan, pid_t pid)
{
	const struct piece *all = plan->pieces.data;
	char byte;

	for (size_t k = 0; k < plan->pieces.n; k++) {
		const struct iovec to = { &byte, 1 };
		const struct iovec from = {
			(void *)(uintptr_t)all[k].start, 1,
		};
		if (all[k].kind == SNAP_MEM_DATA
		    && all[k].class == CLASS_MODULE)
			(void)!process_vm_readv(pid, &to, 1, &from, 1, 0);
	}
}
