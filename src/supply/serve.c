/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve: the unjailed side of the supply socket.
 */
#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "supply/wire.h"

struct err *
supply_pair(int fds[2])
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return err_errno("cannot make a supply socket");
	return NULL;
}

/* ---- waiting ------------------------------------------------------ */

static int64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int
left_ms(int64_t deadline)
{
	if (deadline < 0)
		return -1;
	int64_t left = deadline - now_ms();
	return left <= 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left;
}

/** What is waited for: requests at doors, and the end. */
struct waiting {
	const struct supply_door *doors;
	size_t n_doors;
	struct pollfd ends[SUPPLY_DOORS_MAX + 1];       /* the last: @quit */
	int64_t deadline;
};

/* Wait for requests; *@over instead if @quit has become readable. */
static struct err *
await_request(struct waiting *w, bool *over)
{
	const int64_t deadline = w->deadline;
	int n;

	do
		n = poll(w->ends, w->n_doors + 1, left_ms(deadline));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_errno("cannot wait for the jailed side");
	/* Not n == 0 alone: who asks without pause never lets that happen. */
	if (n == 0 || (deadline >= 0 && now_ms() > deadline))
		return err_new(ERR_LIMIT, "the jailed side took too long");
	*over = w->ends[w->n_doors].revents != 0;
	return NULL;
}

/* ---- one request -------------------------------------------------- */

/*
 * Descriptors that came with a request are dropped by the kernel, since no
 * room is given for them. *@n is 0 when the peer has closed.
 */
static struct err *
receive(int fd, uint8_t *bytes, size_t size, size_t *n)
{
	struct iovec part = { .iov_base = bytes, .iov_len = size };
	struct msghdr msg = { .msg_iov = &part, .msg_iovlen = 1 };
	ssize_t got;

	do
		got = recvmsg(fd, &msg, MSG_DONTWAIT);
	while (got < 0 && errno == EINTR);
	*n = 0;
	if (got < 0 && errno == ECONNRESET)
		return NULL;
	if (got < 0)
		return err_errno("cannot read from the jailed side");
	if (msg.msg_flags & MSG_TRUNC)
		return err_new(ERR_DAMAGED, "a request for a module of over "
			       "%zu bytes", size);
	*n = (size_t)got;
	return NULL;
}

/*
 * Never waits: a jailed side that asks and does not read its answers would
 * hold this side up and fill the socket with descriptors.
 */
static struct err *
transmit(int fd, const struct buf *answer, int passed)
{
	struct iovec part = { .iov_base = answer->data,
			      .iov_len = answer->len };
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { .bytes = { 0 } };
	struct msghdr msg = { .msg_iov = &part, .msg_iovlen = 1 };

	if (passed >= 0) {
		msg.msg_control = &control;
		msg.msg_controllen = sizeof(control);
		struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &passed, sizeof(int));
	}
	ssize_t n;
	do
		n = sendmsg(fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	/* A peer that has gone is seen when the next request is read. */
	if (n >= 0 || errno == EPIPE || errno == ECONNRESET)
		return NULL;
	return errno == EAGAIN
		? err_new(ERR_DAMAGED, "the jailed side reads no answers")
		: err_errno("cannot answer the jailed side");
}

struct supply_request {
	struct wire_ask asked;
};

const struct supply_ask *
supply_asked(const struct supply_request *r)
{
	return &r->asked.ask;
}

void
supply_request_free(struct supply_request *r)
{
	free(r);
}

struct err *
supply_give(int fd, const struct err *said, int found)
{
	_buf_ struct buf reply = { 0 };
	struct err *err = wire_put_answer(said, &reply);

	return err ? err : transmit(fd, &reply, found);
}

/* What is answered is no error of this side's; a malformed request is. */
static struct err *
take_one(int fd, struct supply_request **out, bool *over)
{
	_free_ struct supply_request *r = malloc(sizeof(*r));
	uint8_t bytes[WIRE_MAX];
	size_t n;
	struct err *err = r ? receive(fd, bytes, sizeof(bytes), &n)
			    : err_nomem();

	if (err)
		return err;
	*over = n == 0;
	if (*over)
		return NULL;
	_err_ struct err *said = wire_get_ask((struct span){ bytes, n },
					      &r->asked);
	if (said)
		return err_kind(said) == ERR_DAMAGED
		       ? take(said) : supply_give(fd, said, -1);
	*out = take(r);
	return NULL;
}

struct err *
supply_take(int fd, struct supply_request **out, bool *over)
{
	*out = NULL;
	struct err *err = take_one(fd, out, over);

	if (err)
		shutdown(fd, SHUT_RDWR);
	return err;
}

static struct err *
serve_one(int fd, const struct supply_places *places, bool *over)
{
	_free_ struct supply_request *r = NULL;
	_close_ int found = -1;
	struct err *err = take_one(fd, &r, over);

	if (err || !r)
		return err;
	_err_ struct err *said = supply_find(places, &r->asked.ask, &found);
	return supply_give(fd, said, found);
}

static struct err *
serve_ready(const struct waiting *w, bool *over)
{
	struct err *err = NULL;

	for (size_t k = 0; k < w->n_doors && !err && !*over; k++)
		if (w->ends[k].revents)
			err = serve_one(w->doors[k].fd, w->doors[k].places,
					over);
	return err;
}

struct err *
supply_serve_doors(const struct supply_door *doors, size_t n, int quit,
		   int timeout_ms)
{
	struct waiting w = {
		.doors = doors, .n_doors = n,
		.deadline = timeout_ms < 0 ? -1 : now_ms() + timeout_ms,
	};
	bool over = false;
	struct err *err = NULL;

	assert(n <= SUPPLY_DOORS_MAX);
	for (size_t k = 0; k < n; k++)
		w.ends[k] = (struct pollfd){ .fd = doors[k].fd,
					     .events = POLLIN };
	w.ends[n] = (struct pollfd){ .fd = quit, .events = POLLIN };
	while (!err && !over) {
		err = await_request(&w, &over);
		if (!err && !over)
			err = serve_ready(&w, &over);
	}
	for (size_t k = 0; k < n && err; k++)
		shutdown(doors[k].fd, SHUT_RDWR);
	return err;
}

struct err *
supply_serve(int fd, int quit, int timeout_ms,
	     const struct supply_places *places)
{
	const struct supply_door door = { fd, places };

	return supply_serve_doors(&door, 1, quit, timeout_ms);
}
