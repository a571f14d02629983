/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sessions.c: workers, from their start to their end.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dap/dap.h"
#include "serve/server.h"
#include "supply/supply.h"

/* Seconds between questions whether it is alive, and for an answer. */
#define PING_SECONDS 10u
#define DEAF_SECONDS 60u
/* From hanging up to its end, for what is still to be told of that. */
#define GOODBYE_SECONDS 3u
/* Questions a second: opening a program with many libraries asks hundreds. */
#define ASKED_MAX 2000u
/* Names of so many characters are shared by all tokens. */
#define SECRET_NAME 16u
/* Until it is seen whether it was its worker's end, too. */
#define LEAVING_MS 50u

/* ---- life ---- */

/* @c goes; its websocket is told by whoever calls. */
static void
client_leave(struct session *s, struct session_client *c)
{
	base_close(&c->connection);
	if (c->owner)
		*c->owner = NULL;
	*c = s->clients[--s->n_clients];
}

static struct session_client *
client_find(struct session *s, const struct net_client *of)
{
	for (size_t k = 0; k < s->n_clients; k++)
		if (s->clients[k].client == of)
			return &s->clients[k];
	return NULL;
}

static void
session_free(struct session *s)
{
	shelf_cancel(&s->wait);
	net_watch_close(&s->control);
	net_watch_close(&s->leaving);
	supplies_end(s);
	while (s->n_clients)
		client_leave(s, &s->clients[0]);
	*s->back = s->next;
	if (s->next)
		s->next->back = s->back;
	s->sv->n_sessions--;
	free(s->refs);
	free(s);
}

static struct err *
session_says(void *arg, struct span json)
{
	net_message(arg, json);
	return NULL;
}

/* What its worker would have to say of its end, and cannot. */
static void
client_farewell(const struct session *s, const struct session_client *c)
{
	const struct dap_sink sink = { session_says, c->client };
	uint64_t told;

	if (c->dap && *s->why && net_messages_sent(c->client, &told))
		err_free(dap_last_words(told, s->why, &sink));
}

static void
session_tell_clients(const struct session *s)
{
	for (size_t k = 0; k < s->n_clients; k++) {
		const struct session_client *c = &s->clients[k];

		if (!c->client)
			continue;
		client_farewell(s, c);
		net_close(c->client, *s->why ? NET_FAILED : NET_NORMAL,
			  s->why);
	}
}

/* The first reason is the one. */
static void
session_say_why(struct session *s, const char *why)
{
	size_t n = strnlen(why, sizeof(s->why) - 1);

	if (*s->why)
		return;
	memcpy(s->why, why, n);
	s->why[n] = '\0';
}

void
session_stop(struct session *s, const char *why)
{
	if (why)
		session_say_why(s, why);
	if (s->ended)
		return;
	s->ended = true;
	shelf_cancel(&s->wait);
	net_watch_close(&s->control);
	supplies_end(s);
	for (size_t k = 0; k < s->n_clients; k++) {
		base_close(&s->clients[k].connection);
		s->clients[k].connection = -1;
	}
	/* Its report will come, and then it is freed. */
	zygote_kill(&s->sv->zygote, s->number);
}

void
session_abandon(struct session *s, const struct net_client *of)
{
	struct session_client *c = client_find(s, of);

	if (c)
		client_leave(s, c);
	if (!s->n_clients)
		session_stop(s, NULL);
}

/* A worker's death shows at all its sockets, one after the other. */
static bool
session_is_dying(const struct session *s)
{
	struct pollfd p = { .fd = s->control.fd };

	return s->ended || poll(&p, 1, 0) > 0;
}

/* Those that have left, of several; not where all of them are to be told. */
static void
session_leave(void *arg, unsigned events)
{
	struct session *s = arg;

	(void)events;
	net_watch_close(&s->leaving);
	for (size_t k = s->n_clients; k-- > 0 && !session_is_dying(s);) {
		struct session_client *c = &s->clients[k];

		if (!c->left)
			continue;
		net_close(c->client, NET_NORMAL, "");
		client_leave(s, c);
	}
	if (!s->n_clients)
		session_stop(s, NULL);
}

void
session_hang_up(struct session *s, const struct net_client *of)
{
	struct session_client *c = client_find(s, of);

	if (!c || s->n_clients == 1) {
		s->hung_up = 1;
		return;
	}
	c->left = true;
	if (s->leaving.net)
		return;
	s->leaving = (struct net_watch){
		.fd = -1, .fn = session_leave, .arg = s,
	};
	err_free(net_tick(s->sv->net, &s->leaving, LEAVING_MS));
}

/* ---- what comes from the worker ---- */

/* One that asks without end is heard again in the next second. */
void
session_count_question(struct session *s)
{
	if (++s->asked < ASKED_MAX)
		return;
	net_rewatch(&s->control, 0);
	supplies_hear(s, false);
}

static void
session_hear_again(struct session *s)
{
	if (s->asked >= ASKED_MAX) {
		net_rewatch(&s->control, NET_READ);
		supplies_hear(s, true);
	}
	s->asked = 0;
}

static void
session_control(void *arg, unsigned events)
{
	struct session *s = arg;
	struct control_packet *p = &s->sv->packet;
	bool over = false;

	(void)events;
	struct err *err = control_receive(s->control.fd, CONTROL_ASK_MAX,
					  false, p, &over);
	if (!err && !over)
		err = question_handle(s, &p->m);
	if (err)
		session_stop(s, err_text(err));
	else if (over)
		/* Its own end, or a crash: the zygote tells. */
		net_watch_close(&s->control);
	else
		session_count_question(s);
	err_free(err);
}

/* ---- what it serves ---- */

static struct err *
client_hand_over(struct session *s, struct session_client *c)
{
	const struct control_message m = {
		.type = CONTROL_CONNECTION,
		.number = (s->authorised ? CONTROL_AUTHORISED : 0u)
			  | (c->dap ? CONTROL_DAP : 0u)
			  | (*s->name ? CONTROL_SHARED : 0u),
		.text = "", .fd = c->connection,
	};

	if (c->connection < 0)
		return NULL;
	struct err *err = control_send(s->control.fd, &m);
	base_close(&c->connection);
	c->connection = -1;
	return err;
}

static struct err *
session_hand_over(struct session *s, int fd, const char *title)
{
	const struct control_message snapshot = {
		.type = CONTROL_SNAPSHOT, .number = s->bound,
		.text = title ? title : "",
		.n = title ? strlen(title) : 0, .fd = fd,
	};

	struct err *err = title ? control_send(s->control.fd, &snapshot) : NULL;
	for (size_t k = 0; k < s->n_clients && !err; k++)
		err = client_hand_over(s, &s->clients[k]);
	s->open = true;
	return err;
}

static void
session_shelf(void *arg, struct err *failed, int fd, const char *title)
{
	struct session *s = arg;
	_err_ struct err *err = failed;

	if (!err)
		err = session_hand_over(s, fd, title);
	if (err)
		session_stop(s, err_text(err));
}

void
session_shows(struct session *s, const char *project)
{
	s->projects |= *s->project && strcmp(s->project, project) != 0;
	if (!*s->project)
		snprintf(s->project, sizeof(s->project), "%s", project);
}

/* ---- the start ---- */

/* Two sockets; the worker's ends of them in @theirs. */
static struct err *
session_sockets(struct session *s, int theirs[2])
{
	int control[2], supply[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control) < 0)
		return err_errno("cannot make a socket");
	s->control.fd = control[0];
	theirs[0] = control[1];
	/* The worker waits for us, but never we for it. */
	fcntl(s->control.fd, F_SETFL, O_NONBLOCK);
	struct err *err = supply_pair(supply);
	if (err)
		return err;
	theirs[1] = supply[1];
	err = supplies_begin(s, supply[0]);
	return err ? err : net_watch(s->sv->net, &s->control, NET_READ);
}

static struct err *
session_start(struct session *s, const struct store_ref *ref)
{
	int theirs[2] = { -1, -1 };

	struct err *err = session_sockets(s, theirs);
	if (!err)
		err = recordings_begin(s->sv, s->number, s->clients[0].dap
				       ? "dap" : "rsp", s->control.fd);
	if (!err)
		err = zygote_spawn(&s->sv->zygote, s->number, theirs[0],
				   theirs[1]);
	base_close(&theirs[0]);
	base_close(&theirs[1]);
	if (err)
		return err;
	s->sv->started++;
	if (!ref)
		return session_hand_over(s, -1, NULL);
	/* With it come the others of its series, and no other project. */
	memcpy(s->visitor.scope, ref->project, sizeof(s->visitor.scope));
	session_shows(s, ref->project);
	err = question_number(s, ref, &s->bound);
	if (err)
		return err;
	s->ref = *ref;
	s->wait = (struct shelf_wait){ .fn = session_shelf, .arg = s };
	shelf_get(&s->sv->shelf, ref, &s->wait);
	return NULL;
}

static void
client_enter(struct session *s, const struct session_begin *b)
{
	s->clients[s->n_clients++] = (struct session_client){
		.client = b->client, .owner = b->owner, .dap = b->dap,
		.connection = b->connection,
	};
	if (b->owner)
		*b->owner = s;
}

static struct session *
session_new(struct server *sv, const struct session_begin *b)
{
	struct session *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->sv = sv;
	s->number = ++sv->last_number;
	client_enter(s, b);
	if (b->name)
		snprintf(s->name, sizeof(s->name), "%s", b->name);
	s->authorised = b->authorised;
	if (b->visitor)
		s->visitor = *b->visitor;
	s->control = (struct net_watch){
		.fd = -1, .fn = session_control, .arg = s,
	};
	s->leaving = (struct net_watch){ .fd = -1 };
	s->supply = (struct net_watch){ .fd = -1, .arg = s };
	s->supplied = (struct net_watch){ .fd = -1, .arg = s };
	s->next = sv->sessions;
	s->back = &sv->sessions;
	if (s->next)
		s->next->back = &s->next;
	sv->sessions = s;
	sv->n_sessions++;
	return s;
}

/* A short name may be guessed: it is one of its token's own. */
static bool
session_is_open_to(const struct session *s, const struct session_begin *b)
{
	const char *token = b->visitor ? b->visitor->token : "";

	return strlen(s->name) >= SECRET_NAME
	       || strcmp(s->visitor.token, token) == 0;
}

/* The one of that name over the same object, if it is there. */
static struct session *
session_named(const struct server *sv, const struct session_begin *b)
{
	struct session *s = b->name ? sv->sessions : NULL;

	while (s && (s->ended || s->hung_up || strcmp(s->name, b->name) != 0
		     || !session_is_open_to(s, b)
		     || s->ref.number != b->ref->number
		     || strcmp(s->ref.project, b->ref->project) != 0))
		s = s->next;
	return s;
}

/* Takes the connection. */
static struct err *
session_join(struct session *s, const struct session_begin *b)
{
	if (s->n_clients == SESSION_CLIENTS_MAX) {
		close(b->connection);
		return err_new(ERR_LIMIT, "%u clients share this session; "
			       "begin another one", SESSION_CLIENTS_MAX);
	}
	client_enter(s, b);
	return s->open ? client_hand_over(s, &s->clients[s->n_clients - 1])
		       : NULL;
}

struct err *
session_begin(struct server *sv, const struct session_begin *b)
{
	struct session *named = session_named(sv, b);

	if (named)
		return session_join(named, b);
	_close_ int connection = b->connection;
	if (sv->n_sessions >= sv->limits.sessions) {
		sv->refused[REFUSED_SESSIONS]++;
		return err_new(ERR_LIMIT, "%u sessions are open; try again "
			       "later", sv->n_sessions);
	}
	struct session *s = session_new(sv, b);
	if (!s)
		return err_nomem();
	connection = -1;
	struct err *err = session_start(s, b->ref);
	if (err)
		session_free(s);
	return err;
}

/* ---- time ---- */

static bool
session_ping_is_due(const struct session *s)
{
	unsigned idle = s->sv->limits.idle_seconds;

	return s->control.net
	       && s->unheard % (idle < PING_SECONDS ? 1 : PING_SECONDS) == 0;
}

/* One that is stuck in a request, or that nobody asks anything. */
static void
session_tick(struct session *s)
{
	s->unheard++;
	s->idle++;
	if (s->ended) {
		zygote_kill(&s->sv->zygote, s->number);
		return;
	}
	session_hear_again(s);
	_err_ struct err *err = question_tick(s);
	if (!err && session_ping_is_due(s))
		err = control_say(s->control.fd, CONTROL_PING, 0);
	if (err)
		session_stop(s, err_text(err));
	else if (s->unheard > DEAF_SECONDS)
		session_stop(s, "a request took too long");
	else if (s->idle > s->sv->limits.idle_seconds)
		session_stop(s, "nothing was asked for long");
	else if (s->hung_up && ++s->hung_up > GOODBYE_SECONDS)
		session_stop(s, NULL);
}

void
sessions_tick(struct server *sv)
{
	struct session *next;

	for (struct session *s = sv->sessions; s; s = next) {
		next = s->next;
		session_tick(s);
	}
}

/* Why it failed may have been said and not been heard yet. */
static void
session_last_words(struct session *s)
{
	struct control_packet *p = &s->sv->packet;
	bool over = false;

	while (s->control.fd >= 0 && !over) {
		_err_ struct err *err = control_receive(
			s->control.fd, CONTROL_ASK_MAX, false, p, &over);
		if (err)
			return;
		if (!over && p->m.type == CONTROL_FAILED)
			err = question_handle(s, &p->m);
	}
}

void
sessions_report(struct server *sv, const struct zygote_message *m)
{
	struct session *s = sv->sessions;

	while (s && s->number != m->number)
		s = s->next;
	if (!s)
		return;
	session_last_words(s);
	/* Killed by us, it has been told why already. */
	if (*m->text && !s->ended) {
		sv->crashed++;
		session_say_why(s, m->text);
	}
	s->ended = true;
	session_tell_clients(s);
	session_free(s);
}

void
sessions_free(struct server *sv)
{
	struct session *next;

	for (struct session *s = sv->sessions; s; s = next) {
		next = s->next;
		session_free(s);
	}
}
