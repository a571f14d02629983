/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve: opens any stored snapshot to debuggers, over TCP and websocket.
 *
 * The server reads HTTP headers, tokens and names, and nothing else that is
 * foreign: snapshots and protocols are for jailed workers, one a session,
 * forked from a small process that is ready for it.
 */
#ifndef SERVE_SERVE_H
#define SERVE_SERVE_H

#include "base/base.h"
#include "inspect/inspect.h"
#include "store/store.h"
#include "supply/supply.h"

/* ---- the worker: clients of one engine, or of a server -------------------- */
enum worker_protocol {
	WORKER_RSP,             /* the GDB remote protocol */
	WORKER_DAP,             /* the Debug Adapter Protocol; needs @attached,
				   or what the other end says */
	WORKER_CONSOLE,         /* gdb/MI; of a worker's own */
	WORKER_PROTOCOLS
};
/** What became of a client's answers: told in memory that the other end of
 * @control shares, since a worker that dies tells nothing any more. */
struct worker_tally {
	uint64_t messages;      /* that went to it; of those who count them */
	bool cut;               /* the last one is not out yet */
	bool ended;
};
#define WORKER_TALLIES 64u
struct worker_tallies {
	/** Client n has [n % WORKER_TALLIES]; they count from 1. */
	struct worker_tally of[WORKER_TALLIES];
};
/** Writes a report, "text", "json" or "markdown", of what @title is called. */
typedef struct err *worker_report_fn(struct insp *i, const char *title,
				     const char *format, struct buf *out);
struct worker_options {
	struct insp *insp;      /* what all clients see; NULL: the other end
				   of @control says */
	const char *title;      /* of it */
	const uint64_t *attached;       /* what the other end has that they
					   see from the start, by numbers */
	size_t n_attached;
	const struct supply *supply;    /* for what the other end has */
	struct source *exe;     /* its main program, or NULL */
	bool make_indexes;      /* insp_make_indexes() */
	int in, out;            /* a client that is there already; or -1 */
	enum worker_protocol protocol;  /* of it */
	int control;            /* where clients arrive: see worker_pass() */
	bool single;            /* one client arrives, and ends it */
	bool shared;            /* what one client writes all see */
	bool consoles;          /* who is not local may have a gdb, too */
	worker_report_fn *report;       /* or NULL: there is none */
	int peer;               /* the one client runs on the processor that
				   this tells: worker_peer(); or -1 */
	struct worker_tallies *tallies; /* or NULL */
	int record;             /* both directions are written here; or -1 */
	uint64_t record_limit;  /* bytes of that; 0: 1 GiB */
	unsigned seconds;       /* what the caller gives a request */
	int quiet;              /* what stderr becomes once all is well; or -1 */
};
/**
 * Serve clients of either protocol; runs jailed, over any number of
 * connections. Says on @control when clients may speak. Ends with the client
 * that is there already or the @single one; else when @control is closed.
 */
struct err *worker_run(const struct worker_options *o) _must_check_;
/** For @peer: of the process that made @socket; -1: nobody can tell. */
int worker_peer(int socket);
struct worker_guest {
	enum worker_protocol protocol;
	bool local;             /* may name what its owner has on this machine */
};
/** The other end of @control: hand over a connection; borrows @fd. They count
 * from 1, behind one that was there already. */
struct err *worker_pass(int control, int fd, const struct worker_guest *g)
	_must_check_;
/** What the other end has, for workers without an @insp of their own. */
struct worker_offer {
	uint64_t number, index; /* @index: in its series; 0 = unknown, none */
	unsigned group;         /* those of one may be of one series; 0 = none */
	bool listed;            /* told when it is asked what there is */
	const char *id;
};
struct worker_desk {
	const struct worker_offer *offers;      /* those of a group in order */
	size_t n;
	/** Look again what there is of @group; may change the above. */
	struct err *(*refresh)(void *arg, unsigned group);
	/** The number of what a person calls so; may change the above, too. */
	struct err *(*find)(void *arg, const char *name, uint64_t *number);
	/** A descriptor, owned by the caller, and what it is called. */
	struct err *(*open)(void *arg, uint64_t number, int *fd, char **title);
	void *arg;
	struct consoles *consoles;      /* jailed gdbs; NULL: there are none */
	uint64_t last_console;
	bool ready, over;       /* clients may speak; the worker has gone */
	unsigned unanswered;    /* questions whether it is there, in a row */
};
/** For @consoles; ends them. */
struct err *consoles_new(struct consoles **out) _must_check_;
void consoles_free(struct consoles *all);
/** Answer one message of the worker's, which has to be there. */
struct err *worker_answer(int control, struct worker_desk *desk) _must_check_;

/** What a debugger shows, where no worker can say it any more; @asked: it has
 * a request under way. */
void worker_refusal(const struct err *why, bool asked, struct buf *out);
/** Ask whether it is there; how often in a row it has not said so. */
struct err *worker_ask(int control, struct worker_desk *desk, unsigned *times)
	_must_check_;

/* ---- the server --------------------------------------------------------- */
/** Zero means the default in parentheses. */
struct serve_limits {
	unsigned sessions;              /* workers at once (512) */
	unsigned connections;           /* sockets at once (8192) */
	unsigned idle_seconds;          /* a worker without a request (3600) */
	unsigned header_seconds;        /* for a request's headers (10) */
};
struct serve_options {
	const char *store;              /* URL of store_open() */
	const char *http, *rsp;         /* HOST:PORT (port 0: a free one),
					   unix:PATH, fd:N, or NULL: none */
	const char *const *hosts;       /* names it may be called by, besides
					   the address itself; NULL ends */
	const char *const *origins;     /* pages that may connect; NULL ends */
	struct serve_limits limits;
	unsigned debuginfod_ms;         /* wait that long for the servers of
					   DEBUGINFOD_URLS; 0: ask none */
	/** Where symbol indexes are kept, that workers are given; others are
	 * made in the background. NULL: there are none. */
	const struct supply_indexes *indexes;
	bool console;                   /* sessions of the Debug Adapter
					   Protocol may use a jailed gdb */
	worker_report_fn *report;       /* or NULL: there is none */
	const char *record;             /* directory that recordings of all
					   sessions go to; or NULL */
	uint64_t record_limit;          /* bytes of each (64 MiB) */
	/** Called once, when clients may come. Addresses as clients write
	 * them; NULL where there is none. */
	void (*ready)(void *arg, const char *http, const char *rsp);
	void *arg;
};
/** Serve until SIGTERM or SIGINT; then end sessions in good order. */
struct err *serve_run(const struct serve_options *o) _must_check_;

/* ---- tokens: kept beside the store, 0600 -------------------------------- */
#define TOKEN_DIGITS 64
#define TOKEN_ID_DIGITS 12
struct token {
	char id[TOKEN_ID_DIGITS + 1];   /* names it; tells nothing of it */
	char project[STORE_NAME_MAX + 1];       /* "" = all projects */
	const char *label;
	uint64_t created_ns;
};
/** @dir is the store's directory. The token itself is told once only. */
struct err *token_create(const char *dir, const char *project,
			 const char *label, char out[TOKEN_DIGITS + 1])
	_must_check_;
typedef void token_each_fn(void *arg, const struct token *t);
struct err *token_list(const char *dir, token_each_fn *each, void *arg)
	_must_check_;
/** @id: its id or a unique prefix. ERR_NOTFOUND. */
struct err *token_revoke(const char *dir, const char *id) _must_check_;
/** The one of whoever owns the store, for all projects; made when first asked
 * for and kept in the file "token". */
struct err *token_own(const char *dir, char out[TOKEN_DIGITS + 1])
	_must_check_;
/**
 * ERR_DENIED unless @text is a token for @project; NULL = for any. Takes the
 * same time for every wrong token.
 */
struct err *token_check(const char *dir, const char *text,
			const char *project) _must_check_;

/* ---- a project's symbol files, for supply ---------------------------------- */
struct stored {
	struct store *store;            /* or NULL: it is opened for each
					   question, and closed again, since
					   others may be asking */
	const char *url;                /* of it */
	const char *project;
};
/** Where they are, and the indexes that were made of them. Borrows @s. */
void stored_more(struct stored *s, struct supply_more *out);
/** The @nth object of the project for what is being asked. ERR_NOTFOUND. */
struct err *stored_find(struct store *s, const char *project,
			const struct supply_ask *ask, uint32_t nth,
			struct store_ref *out) _must_check_;

/* ---- ingest: what the store is told of a file ------------------------------ */
/** The jailed side: pieces and attributes of a snapshot, or of an ELF file that
 * is found by its build-id, as one record. */
struct err *ingest_describe(struct source *file, struct buf *out)
	_must_check_;
/** The trusted side: read such a record as hostile bytes, into @a. Fills
 * pieces and attributes of @out. */
struct err *ingest_read(struct span record, struct arena *a,
			struct store_put *out) _must_check_;

#endif
