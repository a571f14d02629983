/* SPDX-License-Identifier: Apache-2.0 */
/*
 * control.c: messages between server and worker, as bytes and on sockets.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "serve/control.h"

/* Room for one descriptor (unix(7), SCM_RIGHTS). */
union passing {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(int))];
};

/* ---- bytes ---- */

/* Which types carry a text, and whether it may hold NULs. */
static bool
control_text_ok(const struct control_message *m)
{
	return m->type == CONTROL_ANSWER || strlen(m->text) == m->n;
}

struct err *
control_parse(char *bytes, size_t n, struct control_message *out)
{
	struct rd r = rd_of(bytes, n);
	uint16_t version = rd_u16(&r);
	uint32_t length;

	memset(out, 0, sizeof(*out));
	out->fd = -1;
	out->type = rd_u16(&r);
	length = rd_u32(&r);
	out->number = rd_u64(&r);
	out->n = rd_left(&r);
	if (rd_failed(&r) || version != CONTROL_VERSION || out->n != length
	    || out->type == 0 || out->type >= CONTROL_TYPES)
		return err_new(ERR_DAMAGED, "not a message between server "
			       "and worker");
	bytes[n] = '\0';
	out->text = bytes + CONTROL_HEAD;
	if (!control_text_ok(out))
		return err_new(ERR_DAMAGED, "a NUL in a message between "
			       "server and worker");
	return NULL;
}

static void
control_head(struct buf *b, const struct control_message *m)
{
	buf_u16(b, CONTROL_VERSION);
	buf_u16(b, m->type);
	buf_u32(b, (uint32_t)m->n);
	buf_u64(b, m->number);
}

/* ---- sockets ---- */

static void
control_attach(struct msghdr *msg, union passing *room, int fd)
{
	memset(room, 0, sizeof(*room));
	msg->msg_control = room->bytes;
	msg->msg_controllen = sizeof(room->bytes);
	struct cmsghdr *c = CMSG_FIRSTHDR(msg);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
}

struct err *
control_send(int fd, const struct control_message *m)
{
	_buf_ struct buf head = { 0 };
	union passing room;
	ssize_t n;

	control_head(&head, m);
	struct err *err = buf_err(&head);
	if (err)
		return err;
	struct iovec parts[] = {
		{ .iov_base = head.data, .iov_len = head.len },
		{ .iov_base = (void *)(uintptr_t)m->text, .iov_len = m->n },
	};
	struct msghdr msg = { .msg_iov = parts, .msg_iovlen = countof(parts) };
	if (m->fd >= 0)
		control_attach(&msg, &room, m->fd);
	do
		n = sendmsg(fd, &msg, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? err_errno("cannot reach the other process") : NULL;
}

struct err *
control_say(int fd, uint16_t type, uint64_t number)
{
	const struct control_message m = {
		.type = type, .number = number, .text = "", .fd = -1,
	};

	return control_send(fd, &m);
}

/* The descriptor that came with @msg, or -1. */
static int
control_detach(struct msghdr *msg)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(msg);
	int fd = -1;

	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS
	    && c->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(&fd, CMSG_DATA(c), sizeof(int));
	return fd;
}

struct err *
control_receive(int fd, size_t max, bool takes, struct control_packet *out,
		bool *over)
{
	struct iovec part = { .iov_base = out->bytes, .iov_len = max };
	struct msghdr msg = { .msg_iov = &part, .msg_iovlen = 1 };
	union passing room;
	ssize_t n;

	if (takes) {
		msg.msg_control = room.bytes;
		msg.msg_controllen = sizeof(room.bytes);
	}
	do
		n = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	*over = n == 0 || (n < 0 && errno == ECONNRESET);
	if (*over)
		return NULL;
	if (n < 0)
		return err_errno("cannot hear the other process");
	_close_ int passed = control_detach(&msg);
	if (msg.msg_flags & MSG_TRUNC)
		return err_new(ERR_DAMAGED, "a message of over %zu bytes", max);
	struct err *err = control_parse(out->bytes, (size_t)n, &out->m);
	if (err)
		return err;
	out->m.fd = passed;
	passed = -1;
	return NULL;
}

/* ---- lists ---- */

static void
control_put_text(struct buf *b, const char *text)
{
	buf_put(b, text ? text : "", (text ? strlen(text) : 0) + 1);
}

void
control_put_offer(struct buf *b, const struct control_offer *o)
{
	buf_u64(b, o->number);
	buf_u64(b, o->index);
	control_put_text(b, o->id);
	control_put_text(b, o->program);
	control_put_text(b, o->signal);
	control_put_text(b, o->captured);
}

struct err *
control_get_offer(struct rd *r, struct control_offer *out)
{
	out->number = rd_u64(r);
	out->index = rd_u64(r);
	out->id = rd_str(r);
	out->program = rd_str(r);
	out->signal = rd_str(r);
	out->captured = rd_str(r);
	return rd_failed(r) ? err_new(ERR_DAMAGED, "not a list of snapshots")
			    : NULL;
}
