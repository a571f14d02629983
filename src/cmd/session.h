/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session: a verb at work on a SNAP.
 *
 * The program itself opens the path, starts a jailed child that gets the
 * descriptor, and answers the child's questions for modules; only the child
 * looks inside. What the child needs from the environment, the time zone or
 * a terminal is found out before it is started.
 */
#ifndef CMD_SESSION_H
#define CMD_SESSION_H

#include "cmd/indexes.h"
#include "cmd/pick.h"
#include "inspect/inspect.h"

/** What the jailed side has in its hands. */
struct subject {
	const char *verb;
	const char *path;               /* what SNAP is called */
	struct source *src;             /* NULL for a picture */
	struct source *late;            /* variables found out later, or NULL */
	struct target *late_target;     /* of these, once opened */
	struct target *picture;         /* until subject_open() takes it */
	struct supply supply;
	struct supply beside;           /* of what is looked at beside it */
	struct insp_options options;
	bool make_indexes;              /* insp_make_indexes() */
	struct insp *insp;              /* once subject_open() succeeded */
	int status;                     /* to end with when all went well */
	bool may_repeat, repeat;        /* see session_run() */
};
/** Open src, or the picture, as a target and an engine over it. */
struct err *subject_open(struct subject *s) _must_check_;
/** Did the input end too early, or is part of it unreadable? */
bool subject_damaged(const struct subject *s);
/** If it is: say so on stderr, and end with that exit status. */
void subject_tell_damage(struct subject *s);

typedef struct err *session_fn(struct subject *s, void *arg);
struct session_options {
	const char *verb;
	const char *snap;               /* any form of SNAP: see pick.h */
	/** What is looked at instead: an opened SNAP; or a picture, which is
	 * called @snap, and of which the child has a copy as of all memory. */
	const struct pick *opened;
	struct target *picture;
	const struct pick *beside;      /* a second SNAP, opened, which is
					   looked at, too; or NULL */
	const char *sysroot;            /* where its files are, or NULL */
	const char *exe;                /* the main program, or NULL */
	unsigned debuginfod_ms;         /* of struct supply_places */
	enum indexes_use indexes;
	bool sources, texts;            /* of struct supply_places */
	const struct supply_map *maps;  /* likewise */
	size_t n_maps;
	const int *keep;                /* descriptors the child keeps too */
	size_t n_keep;
	bool unlimited;                 /* no CPU and wall clock limits */
	session_fn *work;               /* runs jailed */
	void *arg;
};

/**
 * How long to wait for debuginfod, in ms; 0 where the environment names no
 * servers. @wait_seconds 0: no longer than any debugger waits.
 */
unsigned session_debuginfod(uint64_t wait_seconds);

struct session;
/** Open the files and start the child. Borrows @o until session_end(). */
struct err *session_start(const struct session_options *o,
			  struct session **out) _must_check_;
/**
 * Answer the child until it ends or @quit (-1: none) polls readable; which of
 * the two session_ended() tells.
 */
struct err *session_serve(struct session *s, int quit) _must_check_;
bool session_ended(const struct session *s);
/** Kill the child, if it still runs. */
void session_kill(struct session *s);
/**
 * Wait for the child and free @s. *@status is the child's exit status; it has
 * told its errors itself. An error here is a child that did not end by itself.
 */
struct err *session_end(struct session *s, int *status) _must_check_;
/**
 * All of it: start, serve, end. What only targets of another machine need is
 * not loaded at first: a child that opens one ends, and is started once more.
 */
struct err *session_run(const struct session_options *o, int *status)
	_must_check_;

#endif
