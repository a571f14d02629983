/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client: the jailed side of the supply socket. Only sendmsg() and recvmsg(),
 * which the jail allows.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "supply/wire.h"

static struct err *
request(int fd, const struct supply_ask *ask)
{
	_buf_ struct buf bytes = { .max = WIRE_MAX };
	struct err *err = wire_put_ask(ask, &bytes);
	ssize_t n;

	if (err)
		return err;
	struct iovec part = { .iov_base = bytes.data, .iov_len = bytes.len };
	struct msghdr msg = { .msg_iov = &part, .msg_iovlen = 1 };
	do
		n = sendmsg(fd, &msg, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? err_errno("cannot ask the supplier") : NULL;
}

/* The descriptor that came with @msg, or -1. */
static int
passed_descriptor(struct msghdr *msg)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(msg);
	int fd = -1;

	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
	    c->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(&fd, CMSG_DATA(c), sizeof(int));
	return fd;
}

static struct err *
reply(int fd, int *out)
{
	uint8_t bytes[WIRE_MAX];
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec part = { .iov_base = bytes, .iov_len = sizeof(bytes) };
	struct msghdr msg = { .msg_iov = &part, .msg_iovlen = 1,
			      .msg_control = &control,
			      .msg_controllen = sizeof(control) };
	ssize_t n;

	do
		n = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_errno("cannot hear the supplier");
	if (n == 0)
		return err_new(ERR_IO, "the supplier has gone");
	_close_ int passed = passed_descriptor(&msg);
	struct err *err = wire_get_answer((struct span){ bytes, (size_t)n });
	if (err)
		return err;
	if (passed < 0)
		return err_new(ERR_IO, "the supplier's descriptor did not "
			       "arrive: too many are open");
	*out = passed;
	passed = -1;
	return NULL;
}

static struct err *
client_module(void *arg, const struct supply_ask *ask, int *out)
{
	int fd = (int)(intptr_t)arg;
	struct err *err = request(fd, ask);

	if (err)
		return err;
	return reply(fd, out);
}

void
supply_client(int fd, struct supply *out)
{
	*out = (struct supply){
		.module = client_module,
		.arg = (void *)(intptr_t)fd,
	};
}
