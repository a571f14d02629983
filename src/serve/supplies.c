/* SPDX-License-Identifier: Apache-2.0 */
/*
 * supplies.c: a worker asks for a module, a debug file or a source.
 *
 * The disk answers at once. A symbol file of the project that the session
 * looks at is copied out of the store a piece at a time. Where a debuginfod
 * server may be asked the answer takes seconds, for which nobody else is to
 * wait: a thread gives it, one a session at most, and says when it has.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "serve/server.h"
#include "supply/supply.h"

#define STACK_SIZE (512u << 10)
/* What the thread says: the question was answered; no more will come. */
enum { SAID_ANSWERED = 1, SAID_OVER = 2 };

/* ---- one that is answered ---- */

static void
supplies_done(struct session *s, bool over)
{
	supply_request_free(s->asking);
	s->asking = NULL;
	if (over) {
		net_watch_close(&s->supply);
		return;
	}
	net_rewatch(&s->supply, NET_READ);
	session_count_question(s);
}

/* Takes @said; or @found, borrowed, is the answer. */
static void
supplies_give(struct session *s, struct err *said, int found)
{
	_err_ struct err *held = said;
	_err_ struct err *err = supply_give(s->supply.fd, said, found);

	supplies_done(s, err);
}

/* ---- debuginfod, beside the server ---- */

/* Its descriptors are its own, so the session may end before it. */
struct fetch {
	struct supply_request *asking;
	unsigned ms;
	int supply, said;
};

static void
fetch_free(struct fetch *f)
{
	supply_request_free(f->asking);
	base_close(&f->supply);
	base_close(&f->said);
	free(f);
}

static void *
fetch_run(void *arg)
{
	struct fetch *f = arg;
	_close_ int found = -1;
	_err_ struct err *said = supply_debuginfod(supply_asked(f->asking),
						   f->ms, &found);
	_err_ struct err *err = supply_give(f->supply, said, found);
	const uint64_t told = err ? SAID_OVER : SAID_ANSWERED;

	if (write(f->said, &told, sizeof(told)) < 0)
		shutdown(f->supply, SHUT_RDWR);
	fetch_free(f);
	return NULL;
}

/* Takes what the session is asking. */
static bool
fetch_begin(struct session *s)
{
	struct fetch *f = calloc(1, sizeof(*f));
	pthread_attr_t attr;
	pthread_t thread;

	if (!f)
		return false;
	f->ms = s->sv->o->debuginfod_ms;
	f->supply = fcntl(s->supply.fd, F_DUPFD_CLOEXEC, 0);
	f->said = fcntl(s->supplied.fd, F_DUPFD_CLOEXEC, 0);
	f->asking = take(s->asking);
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	bool begun = f->supply >= 0 && f->said >= 0
		     && pthread_create(&thread, &attr, fetch_run, f) == 0;
	pthread_attr_destroy(&attr);
	if (!begun)
		fetch_free(f);
	return begun;
}

static void
supplies_said(void *arg, unsigned events)
{
	struct session *s = arg;
	uint64_t said;

	(void)events;
	if (read(s->supplied.fd, &said, sizeof(said)) != sizeof(said))
		return;
	s->fetching = false;
	supplies_done(s, said == SAID_OVER);
}

/* ---- the store ---- */

static void
supplies_shelf(void *arg, struct err *failed, int fd, const char *title)
{
	struct session *s = arg;

	(void)title;
	s->fetching = false;
	supplies_give(s, failed, fd);
}

/*
 * The @nth symbol file of the project for what is being asked. Which of the
 * session's snapshots asks is not known: of several projects none is taken.
 */
static struct err *
supplies_stored(struct session *s, uint32_t nth, struct store_ref *out)
{
	const struct supply_ask *ask = supply_asked(s->asking);

	if (!*s->project || s->projects)
		return err_new(ERR_NOTFOUND, "no file of that build-id");
	return stored_find(s->sv->store, s->project, ask, nth, out);
}

/* ---- indexes ---- */

static void
supplies_missing(void *arg, const struct supply_ask *ask)
{
	struct session *s = arg;

	indexer_ask(&s->sv->indexer, s->projects ? "" : s->project, ask);
}

/* One that is there, of the project alone; none is made, nor copied, here. */
static void
supplies_index(struct session *s)
{
	struct stored stored = { .store = s->sv->store,
				 .url = s->sv->o->store,
				 .project = s->project };
	struct supply_places places = indexer_places();
	const struct supply_indexes *kept = s->sv->o->indexes;
	struct supply_indexes indexes = {
		.dir = kept ? kept->dir : -1, .missing = supplies_missing,
		.arg = s,
	};
	struct supply_more more;
	_close_ int found = -1;

	stored_more(&stored, &more);
	more.index = NULL;
	if (*s->project && !s->projects)
		places.more = &more;
	if (kept)
		places.indexes = &indexes;
	struct err *said = supply_index(&places, supply_asked(s->asking),
					&found);
	supplies_give(s, said, found);
}

/* ---- what the server hears ---- */

/* What is not on disk: the store's @nth, behind these one of debuginfod's. */
static void
supplies_far(struct session *s, uint32_t nth)
{
	struct store_ref ref;

	s->fetching = true;
	struct err *err = supplies_stored(s, nth, &ref);
	if (!err) {
		s->supply_wait = (struct shelf_wait){ .fn = supplies_shelf,
						      .arg = s };
		shelf_get(&s->sv->shelf, &ref, &s->supply_wait);
		return;
	}
	_err_ struct err *before = nth ? supplies_stored(s, nth - 1, &ref)
				       : NULL;
	if (s->sv->o->debuginfod_ms && !before
	    && supply_asked(s->asking)->id.kind != ID_NONE && fetch_begin(s)) {
		err_free(err);
		return;
	}
	s->fetching = false;
	supplies_give(s, err, -1);
}

static void
supplies_asked(void *arg, unsigned events)
{
	const struct supply_places places = indexer_places();
	struct session *s = arg;
	_close_ int found = -1;
	bool over = false;
	uint32_t seen;

	(void)events;
	_err_ struct err *bad = supply_take(s->supply.fd, &s->asking, &over);
	if (bad || over || !s->asking) {
		supplies_done(s, bad || over);
		return;
	}
	net_rewatch(&s->supply, 0);
	const struct supply_ask *ask = supply_asked(s->asking);
	if (ask->kind == SUPPLY_INDEX || ask->kind == SUPPLY_SPOILT) {
		supplies_index(s);
		return;
	}
	struct err *err = supply_near(&places, ask, &seen, &found);
	if (err_kind(err) != ERR_NOTFOUND) {
		supplies_give(s, err, found);
		return;
	}
	err_free(err);
	supplies_far(s, ask->nth - seen);
}

struct err *
supplies_begin(struct session *s, int ours)
{
	struct net *net = s->sv->net;

	s->supply.fd = ours;
	s->supply.fn = supplies_asked;
	s->supplied.fn = supplies_said;
	if (s->sv->o->debuginfod_ms) {
		s->supplied.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (s->supplied.fd < 0)
			return err_errno("cannot wait for modules");
		struct err *err = net_watch(net, &s->supplied, NET_READ);
		if (err)
			return err;
	}
	return net_watch(net, &s->supply, NET_READ);
}

void
supplies_end(struct session *s)
{
	shelf_cancel(&s->supply_wait);
	supply_request_free(s->asking);
	s->asking = NULL;
	net_watch_close(&s->supply);
	net_watch_close(&s->supplied);
}

void
supplies_hear(struct session *s, bool hear)
{
	if (!s->fetching)
		net_rewatch(&s->supply, hear ? NET_READ : 0);
}
