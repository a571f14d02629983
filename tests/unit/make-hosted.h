/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A session that may open two snapshots of the process of make-served.h: for
 * tests and fuzzing of what is not bound to one snapshot.
 */
#ifndef TESTS_UNIT_MAKE_HOSTED_H
#define TESTS_UNIT_MAKE_HOSTED_H

#include "make-served.h"

/*
 * Numbers 101 and 102, ids "aaaa1111" and "bbbb2222": both of pid 4242, and of
 * one moment. Number 103, "cccc3333", is listed and cannot be opened.
 */
#define HOSTED_TOKEN "sesame"
#define HOSTED_SNAPSHOTS 2
#define HOSTED_SERIES "00112233445566ff"

struct hosted {
	struct served session;  /* asked by served_ask() and its like */
	struct served snapshots[HOSTED_SNAPSHOTS];
	struct stub_host host;
	unsigned users[HOSTED_SNAPSHOTS];
	unsigned lists, finds, opens;   /* how often it was asked */
};

/** The records, which a test may change before it opens them. */
void hosted_init(struct hosted *h);
/** All three are one series, before it is started: 101, 103, 102. */
void hosted_make_series(struct hosted *h);
/** Without @token nobody is asked for one. */
struct err *hosted_start(struct hosted *h, bool token) _must_check_;
void hosted_close(struct hosted *h);

/** "monitor TEXT": what is shown, or NULL. Until the next call. */
const char *hosted_monitor(struct hosted *h, const char *text);

#endif
