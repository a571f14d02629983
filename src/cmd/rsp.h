/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of `inquest rsp` share: one jailed worker serves any number
 * of connections over one engine.
 */
#ifndef CMD_RSP_H
#define CMD_RSP_H

#include "cmd/session.h"

/** What the worker is to do; descriptors are -1 where there is none. */
struct rsp_job {
	int in, out;            /* one connection that is there already; or */
	int control;            /* connections arrive here, one a message */
	int record;             /* where both directions are written down */
	int quiet;              /* what stderr becomes once all is well */
};
/**
 * The worker; runs jailed. Writes a byte to @control when the target is open
 * and clients may speak.
 */
struct err *rsp_serve(struct subject *s, void *job) _must_check_;

/* ---- recordings: rsp_record.c ---- */
enum rsp_direction { RSP_FROM_CLIENT = '>', RSP_TO_CLIENT = '<' };
/** Does nothing where @fd is -1. */
struct err *rsp_record_begin(int fd) _must_check_;
struct err *rsp_record(int fd, enum rsp_direction direction,
		       unsigned connection, const void *data, size_t n)
	_must_check_;

/* ---- listening: rsp_listen.c ---- */
struct listener {
	int fd;
	char *where;            /* for a person: "127.0.0.1:1234" */
	char *unlink;           /* path of a unix socket to remove, or NULL */
};
/** @address is HOST:PORT on loopback, or unix:PATH. */
struct err *listener_open(const char *address, struct listener *out)
	_must_check_;
/** Accept one connection and hand it to the worker behind @control. */
struct err *listener_hand_over(const struct listener *l, int control)
	_must_check_;
void listener_close(struct listener *l);

/** The other end of listener_hand_over(): -1 in *@fd when it was closed. */
struct err *rsp_take_connection(int control, int *fd) _must_check_;

#endif
