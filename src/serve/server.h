/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server: what the parts of a running server share.
 */
#ifndef SERVE_SERVER_H
#define SERVE_SERVER_H

#include "serve/impl.h"
#include "serve/indexer.h"
#include "serve/shelf.h"
#include "serve/tokens.h"
#include "serve/zygote.h"

/** Why somebody was turned away: the labels of a metric. */
enum refusal {
	REFUSED_HOST, REFUSED_ORIGIN, REFUSED_TOKEN, REFUSED_NO_TOKEN,
	REFUSED_NOT_FOUND, REFUSED_METHOD, REFUSED_SESSIONS,
	REFUSED_CONNECTIONS, REFUSED_SILENT,
	REFUSALS
};

struct session;
struct silent;
struct supply_request;
struct server {
	const struct serve_options *o;
	struct serve_limits limits;     /* without zeros */
	char *dir;              /* of the store, and of the tokens */
	struct store *store;
	struct net *net;
	struct zygote zygote;
	struct indexer indexer;
	struct shelf shelf;
	struct net_listener http, rsp;
	struct net_watch http_watch, rsp_watch, signals, tick, zygote_watch,
			 stop_tick;
	struct control_packet packet;   /* what a worker is saying */
	struct session *sessions;
	struct silent *silents; /* RSP connections that said nothing yet */
	unsigned n_sessions, n_silents;
	uint32_t last_number;
	int recordings;         /* directory; -1: nothing is written down */
	unsigned stopping;      /* stop_ticks since it was asked to end */
	bool full;              /* no descriptor was left: listen later */
	struct err *failed;     /* why it ends by itself */
	uint64_t started, crashed, accepted, refused[REFUSALS];
};

/* ---- doors.c: who may come in ---- */
enum door {
	DOOR_PUBLIC,            /* anybody, by a right name */
	DOOR_ALL,               /* a token for all projects */
	DOOR_ANY,               /* any token; the route asks what it opens */
};
struct visitor {
	char scope[STORE_NAME_MAX + 1]; /* a project; "" = all */
	char token[TOKEN_ID_DIGITS + 1];        /* that it showed; "" = it is
						   the server's owner */
};
struct verdict {
	unsigned status;        /* 0: come in */
	const char *text;
};
struct verdict doors_check(struct server *sv, const struct net_request *r,
			   enum door door, struct visitor *out);
/** The value of @key in @text, pairs that @between separates; "" for one that
 * is longer. False: there is none. */
#define DOORS_VALUE_MAX 64
bool doors_pair(const char *text, const char *key, char between,
		char out[DOORS_VALUE_MAX + 1]);
/** Does @v see @project? */
bool doors_sees(const struct visitor *v, const char *project);
/** The same for a connection that speaks no HTTP: by who is behind it. */
bool doors_is_owner(int fd);

/* ---- routes.c: HTTP ---- */
extern const struct net_http routes_http;
extern const char *const routes_subprotocols[]; /* NULL ends */
/* ---- recordings.c: a file a session ---- */
/** The directory, where one was asked for. */
struct err *recordings_open(struct server *sv) _must_check_;
/** What a worker may write. */
uint64_t recordings_file_size(const struct server *sv);
/** Have the worker behind @control write its session down, where asked for. */
struct err *recordings_begin(struct server *sv, uint32_t session,
			     const char *protocol, int control) _must_check_;

/* ---- metrics.c ---- */
void metrics_write(const struct server *sv, struct buf *b);

/* ---- sessions.c: a worker and what it serves ---- */
#define SESSION_OFFERS_MAX 4096u
#define SESSION_NAME_MAX DOORS_VALUE_MAX
#define SESSION_CLIENTS_MAX 16u
/** Who speaks to a worker. */
struct session_client {
	struct net_client *client;      /* its websocket; or NULL */
	struct session **owner; /* set to NULL when it goes; or NULL */
	int connection;         /* to be handed over; -1: it was */
	bool dap;               /* speaks that protocol, not rsp */
	bool left;              /* its connection was closed by the worker */
};
struct session {
	struct server *sv;
	struct session *next, **back;
	uint32_t number;
	struct net_watch control, supply;       /* our ends */
	struct net_watch leaving;       /* a moment, for clients that left */
	/* what it asks for of modules: supplies.c */
	struct supply_request *asking;
	struct net_watch supplied;      /* a thread has answered */
	struct shelf_wait supply_wait;
	bool fetching;          /* it is not answered yet */
	struct session_client clients[SESSION_CLIENTS_MAX];
	size_t n_clients;
	char name[SESSION_NAME_MAX + 1];        /* others join it by; or "" */
	struct store_ref ref;   /* of what it was begun with, if it has one */
	bool open;              /* what it shows has been handed over */
	unsigned hung_up;       /* seconds since it closed its connection */
	struct shelf_wait wait;
	bool opening;           /* it waits for the answer to CONTROL_OPEN */
	bool ended;             /* nothing more is heard; its worker may live */
	char why[128];          /* what it is told to have ended for */
	/* who it is */
	bool authorised;
	struct visitor visitor;
	unsigned denials;
	bool denied;            /* an answer that waits for the next tick */
	uint64_t bound;         /* the number of what it serves; 0 = none */
	char project[STORE_NAME_MAX + 1];       /* of what it has opened */
	bool projects;          /* it has opened some of others, too */
	/* what it was told of: number k is refs[k - 1] */
	struct store_ref *refs;
	size_t n_refs;
	/* is it alive, is it used: seconds */
	unsigned unheard, idle;
	unsigned asked;         /* in this second, times */
	/* the gdbs of its clients, the first of them first */
	uint32_t consoles[SESSION_CLIENTS_MAX], last_console;
	size_t n_consoles;
	uint64_t reads;
};
/**
 * Start a worker for @connection (taken). With @ref it serves that object;
 * otherwise its client says which, after a token where @authorised is false.
 * ERR_LIMIT: one too many.
 */
struct session_begin {
	int connection;
	const struct store_ref *ref;
	bool authorised, dap;
	struct net_client *client;
	struct session **owner; /* where the session is; or NULL */
	const struct visitor *visitor;  /* who came by HTTP; or NULL */
	const char *name;       /* joins, or begins, the one of that name over
				   @ref; NULL: one of its own */
};
struct err *session_begin(struct server *sv, const struct session_begin *b)
	_must_check_;
/** End it; its client is told @why, NULL = nothing. */
void session_stop(struct session *s, const char *why);
/** It is shown an object of this project. */
void session_shows(struct session *s, const char *project);
/** It asked for something: those that ask without end have to wait. */
void session_count_question(struct session *s);
/** A websocket of its has gone. */
void session_abandon(struct session *s, const struct net_client *of);
/** It has closed its end of what that websocket is bridged to. */
void session_hang_up(struct session *s, const struct net_client *of);
/** Once a second. */
void sessions_tick(struct server *sv);
/** A report of the zygote's. */
void sessions_report(struct server *sv, const struct zygote_message *m);
void sessions_free(struct server *sv);

/* ---- supplies.c: a worker asks for modules ---- */
/** Answer what comes on @ours (taken). */
struct err *supplies_begin(struct session *s, int ours) _must_check_;
void supplies_end(struct session *s);
/** Go on hearing it, or not for a while. */
void supplies_hear(struct session *s, bool hear);

/* ---- questions.c: what a worker asks ---- */
/** ERR_DAMAGED: it does not keep to the protocol. */
struct err *question_handle(struct session *s, const struct control_message *m)
	_must_check_;
/** The number of @ref in this session, which stays the same. */
struct err *question_number(struct session *s, const struct store_ref *ref,
			    uint64_t *out) _must_check_;
/** Once a second: answers that were held back. */
struct err *question_tick(struct session *s) _must_check_;

/* ---- silents.c: RSP connections before their first byte ---- */
void silent_accept(struct server *sv, int fd);
void silents_tick(struct server *sv);
void silents_free(struct server *sv);

#endif
