/* SPDX-License-Identifier: Apache-2.0 */
/*
 * supply: modules by id, as read-only descriptors.
 *
 * The unjailed side looks things up (on disk by build-id and recorded path, on
 * debuginfod servers by build-id) and passes descriptors; it reads nothing of
 * what it hands over, but for the build-id where who asks may have files by
 * that alone. The jailed side asks over a socket and checks the id of what
 * came. A request is one datagram, so is an answer; the descriptor travels
 * with it (SCM_RIGHTS).
 */
#ifndef SUPPLY_SUPPLY_H
#define SUPPLY_SUPPLY_H

#include "base/base.h"
#include "inspect/inspect.h"

/** Symbol indexes, kept in a directory that is the user's own. */
struct supply_indexes {
	int dir;                        /* -1: none are kept */
	bool make;                      /* those that are not there: seconds */
	uint64_t size_max;              /* of all that are kept, bytes */
	/** One that is not there was asked for and is not made, or one is said to
	 * be damaged: ask->kind tells. May be NULL. */
	void (*missing)(void *arg, const struct supply_ask *ask);
	/** While one is made: so many thousandths are. May be NULL. */
	void (*progress)(void *arg, const char *path, unsigned done);
	void *arg;
};
/**
 * Symbol files behind those of the disk: what a project of a store has. An
 * index that was made of one is @owner's alone; it is kept there, too.
 */
struct supply_more {
	const char *owner;
	/** Candidate @nth into @out, else ERR_NOTFOUND and at *@seen how many
	 * there are. */
	struct err *(*find)(void *arg, const struct supply_ask *ask,
			    uint32_t nth, uint32_t *seen, int *out);
	/** SHA-256 of its bytes, which are not looked at. */
	struct err *(*hash)(void *arg, const struct supply_ask *ask,
			    uint32_t nth, uint8_t out[SHA256_SIZE]);
	/** Write the index that is called @name to @fd; false: it is not kept.
	 * NULL: not now. */
	bool (*index)(void *arg, const struct supply_ask *ask,
		      const char *name, int fd);
	/** Keep it, if there is room. May be NULL. */
	void (*keep)(void *arg, const struct supply_ask *ask, const char *name,
		     int fd);
	void *arg;
};
/** Sources whose recorded names begin with @from, up to the end of a component
 * ("." begins those that are relative), are under @to, which is absolute. */
struct supply_map {
	const char *from, *to;
};
/** Where the disk is searched. */
struct supply_places {
	const char *const *debug_dirs;  /* as /usr/lib/debug; NULL ends */
	const char *sysroot;            /* prefix for recorded paths, or NULL */
	unsigned debuginfod_ms;         /* wait that long for the servers of
					   DEBUGINFOD_URLS; 0: ask none */
	bool sources;                   /* source files of this machine, too:
					   for who sits at it */
	bool texts;                     /* or just to look into them */
	const struct supply_map *maps;  /* of sources; the longest is taken */
	size_t n_maps;
	bool by_id;                     /* only what has the build-id that it
					   is asked for by */
	const struct supply_more *more;         /* behind the disk, or NULL */
	const struct supply_indexes *indexes;   /* NULL: there are none */
};
/** /usr/lib/debug, no sysroot. */
extern const struct supply_places supply_default_places;

/**
 * Candidate @ask->nth on disk, in this order: the recorded path; build-id
 * directories; for debug files also .gnu_debuglink beside the module, in its
 * .debug directory and under the debug directories; dwz alternates. Only
 * regular files that begin with the ELF magic; ERR_NOTFOUND after the last.
 */
struct err *supply_disk(const struct supply_places *places,
			const struct supply_ask *ask, int *out) _must_check_;

/** From debuginfod, by build-id only; ERR_NOTFOUND, also where it is not
 * installed, or where @ms are over: then it may be there later. Not vouched
 * for. */
struct err *supply_debuginfod(const struct supply_ask *ask, unsigned ms,
			      int *out) _must_check_;
/** As supply_disk(), with by_id; *@seen as that of more->find(). */
struct err *supply_near(const struct supply_places *places,
			const struct supply_ask *ask, uint32_t *seen, int *out)
	_must_check_;
/**
 * The symbol index of the module of @ask, from places->indexes; made if it is
 * not there, by a jailed child that is shown the module's files and nothing
 * else. It is kept under a name made of what it was made from, so that nobody
 * is given what was made of another's file; what was made of files of
 * places->more by them, too. ERR_NOTFOUND. SUPPLY_SPOILT: the one that is kept
 * is removed if that is so, and another one made.
 */
struct err *supply_index(const struct supply_places *places,
			 const struct supply_ask *ask, int *out) _must_check_;
/** Remove the oldest files of @dir while all are larger than @size_max. */
void supply_trim(int dir, uint64_t size_max);

/** All: candidates on disk first, those of debuginfod last. */
struct err *supply_find(const struct supply_places *places,
			const struct supply_ask *ask, int *out) _must_check_;

/** A pair of connected sockets: [0] the supplier's, [1] the jailed side's. */
struct err *supply_pair(int fds[2]) _must_check_;
/**
 * Answer requests from @fd until its peer closes or @quit polls readable (-1:
 * none). A malformed request closes the door. @timeout_ms as for poll():
 * ERR_LIMIT when it passes.
 */
struct err *supply_serve(int fd, int quit, int timeout_ms,
			 const struct supply_places *places) _must_check_;
/** The same for up to SUPPLY_DOORS_MAX sockets, whose peers close together. */
#define SUPPLY_DOORS_MAX 2u
struct supply_door {
	int fd;
	const struct supply_places *places;
};
struct err *supply_serve_doors(const struct supply_door *doors, size_t n,
			       int quit, int timeout_ms) _must_check_;

/* ---- for whoever has a loop already ---- */
/** A request that was read, and is yet to be answered. */
struct supply_request;
/**
 * Read the one that makes @fd readable, without waiting; *@over if its peer has
 * closed instead. *@out is NULL where it is answered already: nothing can have
 * such a name. After an error the door is closed.
 */
struct err *supply_take(int fd, struct supply_request **out, bool *over)
	_must_check_;
const struct supply_ask *supply_asked(const struct supply_request *r);
void supply_request_free(struct supply_request *r);
/** Answer it: with @found, borrowed, or with @said. */
struct err *supply_give(int fd, const struct err *said, int found)
	_must_check_;

/** The jailed side: fills @out, which borrows @fd. */
void supply_client(int fd, struct supply *out);

#endif
