/* SPDX-License-Identifier: Apache-2.0 */
/*
 * save: a jailed child writes a snapshot of what it is shown, and tells what
 * it wrote; the file then gets its name, or goes into a store.
 */
#ifndef CMD_SAVE_H
#define CMD_SAVE_H

#include <signal.h>

#include "capture/capture.h"
#include "cmd/cmd.h"
#include "cmd/home.h"
#include "cmd/place.h"
#include "cmd/room.h"
#include "cmd/session.h"
#include "store/store.h"

#define SAVE_NAME_SIZE 64

struct save {
	/** Which SNAP or picture; what else there is for a session is set
	 * here. */
	struct session_options session;
	/** For a snapshot; source, name and progress are set here. */
	struct capture_options options;
	struct room room;
	/** What is written, jailed, from the beginning of the regular file
	 * @fd; NULL: a snapshot. */
	struct err *(*write)(struct insp *i, int fd,
			     struct capture_counts *out);
	volatile sig_atomic_t *patience;        /* not 0: one SIGINT makes it
				   so, and ends nothing; or NULL */
	bool keep;              /* an opened SNAP that is a snapshot already
				   is not written anew: it stays as it is */
};

/** What the child told: not to be trusted with more than being shown. */
struct saved {
	struct capture_counts counts;
	uint64_t pid, size;
	uint8_t damaged;
	uint8_t kept;           /* it was a snapshot: nothing was written */
	uint8_t symbols;        /* or a program, or a debug file */
	char name[SAVE_NAME_SIZE];
};

/**
 * Write a file and place it. *@path is empty where there is none: then the
 * child has said why, and *@status is what to end with. A signal that ends
 * programs removes the file first.
 */
struct err *save_file(const struct save *s, const struct place *place,
		      struct saved *out, struct buf *path, int *status)
	_must_check_;

/** Where in a store it goes, and with which tags. */
struct save_store {
	const char *dir;                /* as of home_dir() */
	const char *project;
	const char *const *tags;
	size_t n_tags;
};
/** A file or a store, as it is typed; T has a member "to". */
struct save_words {
	const char *output, *project, *store;
	const char *prefix;     /* of the name: see place_prefix(); or NULL */
	bool put;
	struct room room;
};
#define SAVE_OPTS(T) \
	{ "output", 'o', "FILE", "where to write; NAME.PID.snap by default", \
	  OPT_STRING, offsetof(T, to.output) }, \
	{ "put", 0, NULL, "keep it in the store instead of a file", \
	  OPT_FLAG, offsetof(T, to.put) }, \
	{ "project", 'p', "PROJECT", "with --put: where; \"" HOME_PROJECT \
	  "\"", OPT_STRING, offsetof(T, to.project) }, \
	{ "store", 0, "DIR", "with --put: another store", \
	  OPT_STRING | OPT_RARE, offsetof(T, to.store) }, \
	{ "max-size", 0, "SIZE", "give up rather than write more", \
	  OPT_U64 | OPT_RARE, offsetof(T, to.room.max) }, \
	ROOM_OPT(T, to.room)
/** T has a struct room, @member. */
#define ROOM_OPT(T, member) \
	{ "keep-free", 0, "SIZE", "what the file system must have left; a " \
	  "twentieth of it, at most 1G", OPT_U64 | OPT_RARE, \
	  offsetof(T, member.free) }
/** With @w->put @where, else @place; @snap as of place_find(). */
struct err *save_read(const struct save_words *w, const char *snap,
		      struct place *place, struct save_store *where)
	_must_check_;
/** Put it into a store. *@done is false where save_file() gives no path. */
struct err *save_object(const struct save *s, const struct save_store *where,
			struct saved *out, struct store_added *added,
			bool *done, int *status) _must_check_;

/* ---- what is said about it ---- */
/** "4 threads, …, 24.4 MiB of memory in 185 KiB" */
void save_tell(const struct saved *s);
/** "next: inquest VERB WORD"; where @word is of @store, unless that is NULL. */
void save_tell_next(const char *store, const char *verb, const char *word);
/** The members of a result that both kinds have. */
void save_json(const struct saved *s, struct json *top);

#endif
