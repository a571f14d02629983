/* SPDX-License-Identifier: Apache-2.0 */
/*
 * host: the worker's side of questions to the server - who may see what, what
 * there is, and opening it. Everything here blocks until the server answers.
 */
#ifndef SERVE_HOST_H
#define SERVE_HOST_H

#include "gdbstub/gdbstub.h"
#include "serve/control.h"
#include "values/values.h"

/* Engines of one session: each has its memory and descriptors. */
#define HOST_ENGINES_MAX 32u
/* Closed ones that are kept for who comes back. */
#define HOST_KEPT_MAX 3u

struct host_engine {
	uint64_t number;
	unsigned users;         /* sessions that show it; 0 = closed, but kept
				   for a while */
	uint64_t used;          /* when it was last closed, by @h->closings */
	char *title;
	struct source *src;
	struct insp *insp;
	struct values *values;  /* made on first use; host_values() */
};
struct host {
	int control;
	const struct supply *supply;
	struct source *exe;             /* the main program of all, or NULL */
	bool make_indexes;              /* of debug files that are attached */
	struct host_engine engines[HOST_ENGINES_MAX];
	size_t n;
	uint64_t closings;
	struct control_packet *packet;
	int *link;                      /* where the one of a gdb goes that was
					   asked for; or NULL */
	/** Other messages than the answer that is waited for. */
	struct err *(*other)(void *arg, struct control_message *m);
	void *other_arg;
	struct stub_host stub;          /* for stub_options */
};
/** Fill the functions of @h->stub. */
void host_init(struct host *h);
void host_fini(struct host *h);
/** An engine over a snapshot's descriptor, with one user; takes @fd. */
struct err *host_engine(struct host *h, uint64_t number, int fd,
			const char *title, struct host_engine **out)
	_must_check_;
/** What an engine that is open is called, until it is closed; or NULL. */
const char *host_title(struct host *h, uint64_t number);
/** The variables of an engine that is open. */
struct err *host_values(struct host *h, uint64_t number, struct values **out)
	_must_check_;
/** A jailed gdb: what it is to connect to, and two descriptors. */
struct host_console {
	uint64_t number;
	int talk, link;
	char terminal[64];
};
struct err *host_console(struct host *h, struct host_console *out)
	_must_check_;
struct err *host_console_end(const struct host *h, uint64_t number)
	_must_check_;
/** The next message; *@over when the server has gone. */
struct err *host_receive(struct host *h, bool *over) _must_check_;

#endif
