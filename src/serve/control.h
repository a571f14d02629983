/* SPDX-License-Identifier: Apache-2.0 */
/*
 * control: what the server and a worker say to each other. The worker is
 * jailed and may have been taken over: what comes from it is believed by
 * nobody, and each of its questions is answered within its own scope only.
 *
 * A message is one datagram, integers little-endian:
 *
 *	0   u16  CONTROL_VERSION
 *	2   u16  enum control_type
 *	4   u32  length of the text
 *	8   u64  number
 *	16       text; without NULs, but for lists
 *
 * CONTROL_CONNECTION, CONTROL_SNAPSHOT, CONTROL_RECORD and the answer to
 * CONTROL_OPEN carry a descriptor (SCM_RIGHTS). None ever comes from a worker.
 */
#ifndef SERVE_CONTROL_H
#define SERVE_CONTROL_H

#include "base/base.h"

#define CONTROL_VERSION 1
#define CONTROL_MAX (64u << 10)
#define CONTROL_HEAD 16u
/* Longest message of a worker: names and tokens are shorter. */
#define CONTROL_ASK_MAX 1024u

enum control_type {
	/* to the worker */
	CONTROL_CONNECTION = 1, /* here is a client: enum control_guest */
	CONTROL_SNAPSHOT,       /* that number is what clients see from the
				   start; the text is its title */
	CONTROL_PING,
	CONTROL_ANSWER,         /* to a question: number, text */
	CONTROL_REFUSAL,        /* to a question: enum err_kind, why */
	/* to the server */
	CONTROL_READY,          /* clients may speak */
	CONTROL_PONG,           /* to a ping: how often clients were read from */
	CONTROL_FAILED,         /* why there is nothing to see */
	/* questions */
	CONTROL_AUTH,           /* may who says this token see anything? */
	CONTROL_LIST,           /* what is there: a list */
	CONTROL_FIND,           /* the number of what a person calls so */
	CONTROL_OPEN,           /* that number's descriptor; title */
	/* to the worker */
	CONTROL_RECORD,         /* write a recording here, of so many bytes */
	/* a question */
	CONTROL_SERIES,         /* a list of the series that number is of, by
				   its id; from the n-th on: "id n" */
	/* a question: a jailed gdb. Its link comes as a CONTROL_CONNECTION,
	 * then the answer: its number, what to connect it to, and the
	 * descriptor to talk to it by. */
	CONTROL_CONSOLE,
	/* to the server */
	CONTROL_CONSOLE_END,    /* the gdb of that number is to end */
	CONTROL_TYPES
};

/** Bits of a client's number. */
enum control_guest {
	CONTROL_AUTHORISED = 1, /* it needs no token */
	CONTROL_DAP = 2,        /* it speaks the Debug Adapter Protocol */
	CONTROL_LOCAL = 4,      /* it is the owner of what is here */
	CONTROL_LINK = 8,       /* it is the gdb that was just asked for */
	CONTROL_SHARED = 16,    /* what one client writes all see */
};

/** @text is NUL-terminated besides; it and @fd are borrowed for sending. */
struct control_message {
	uint16_t type;
	uint64_t number;
	const char *text;
	size_t n;
	int fd;                 /* -1: none */
};
/** A received message, and the bytes its text lies in. */
struct control_packet {
	struct control_message m;       /* m.fd is owned by the receiver */
	char bytes[CONTROL_MAX + 1];
};

/** @bytes is writable behind its end: a NUL is put there. */
struct err *control_parse(char *bytes, size_t n, struct control_message *out)
	_must_check_;
/** Waits for room only where @fd does. */
struct err *control_send(int fd, const struct control_message *m)
	_must_check_;
/** Without text and descriptor. */
struct err *control_say(int fd, uint16_t type, uint64_t number) _must_check_;
/**
 * The next message of at most @max bytes; *@over when the other end was
 * closed. @takes: a descriptor may come with it. Waits as @fd does.
 */
struct err *control_receive(int fd, size_t max, bool takes,
			    struct control_packet *out, bool *over)
	_must_check_;

/* ---- lists: offers one after the other ---- */
struct control_offer {
	uint64_t number, index; /* @index: in its series; 0 = unknown, none */
	const char *id, *program, *signal, *captured;   /* "" = not known */
};
void control_put_offer(struct buf *b, const struct control_offer *o);
/** ERR_DAMAGED at anything that control_put_offer() does not make. */
struct err *control_get_offer(struct rd *r, struct control_offer *out)
	_must_check_;

#endif
