/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pick: from what was typed as SNAP to a descriptor that can be read.
 *
 * SNAP is the path of a file; or an object of the default store: digits of its
 * content hash, PROJECT/NUMBER, PROJECT/@latest, @latest; or the URL of an
 * object that a server has. A file of that name wins over an object.
 */
#ifndef CMD_PICK_H
#define CMD_PICK_H

#include "store/store.h"

struct pick {
	int fd;                 /* a regular file or like one; -1 = none */
	char *title;            /* what it is called, and names it again */
	char *project;          /* of an object of the default store; or NULL */
	int late;               /* its variables (late.h); -1 = none */
};
#define PICK_NONE { .fd = -1, .late = -1 }
struct err *pick_open(const char *typed, struct pick *out) _must_check_;
void pick_fini(struct pick *p);
#define _pick_ _cleanup_(pick_fini)

/** A copy of an object. */
struct err *pick_copy(struct store *s, const struct store_ref *ref,
		      struct pick *out) _must_check_;

/** Is it the URL of an object? Says nothing on whether there is one. */
bool pick_is_url(const char *typed);
/** Fetch the object behind a URL into @fd. */
struct err *pick_fetch(const char *url, int fd) _must_check_;
/**
 * The token for @url: of the URL itself, or $INQUEST_TOKEN, or one's own where
 * the server is on this machine. *@token is NULL where there is none; *@bare
 * is the URL without it.
 */
struct err *pick_token(const char *url, char **bare, char **token)
	_must_check_;
/** What names it from any directory; for a file its absolute path. */
struct err *pick_again(const char *typed, char **out) _must_check_;

/**
 * Open a regular file for reading. Says what else it is; never waits (a FIFO
 * without a writer) and never follows into a terminal.
 */
struct err *pick_open_file(const char *path, int *fd) _must_check_;

#endif
