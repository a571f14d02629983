/* SPDX-License-Identifier: Apache-2.0 */
/*
 * questions.c: answers what a worker asks for its client. The worker is not
 * believed: which project may be seen is known here, and every object is held
 * against it. What is out of sight is answered as what does not exist.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "serve/gdb.h"
#include "serve/server.h"

#define DENIALS_MAX 3u
#define LIST_MAX 200u
#define TOKEN_CONSOLES_MAX 8u   /* gdbs, of those that a server has */
#define LIST_BYTES (CONTROL_MAX - CONTROL_HEAD - 1024u)

/* ---- answers ---- */

static struct err *
question_answer(struct session *s, uint64_t number, struct span text, int fd)
{
	const struct control_message m = {
		.type = CONTROL_ANSWER, .number = number,
		.text = text.data ? text.data : "", .n = text.n, .fd = fd,
	};

	return control_send(s->control.fd, &m);
}

/* Takes @why. */
static struct err *
question_refuse(struct session *s, struct err *why)
{
	_err_ struct err *held = why;
	const struct control_message m = {
		.type = CONTROL_REFUSAL, .number = err_kind(why),
		.text = err_text(why), .n = strlen(err_text(why)), .fd = -1,
	};

	return control_send(s->control.fd, &m);
}

static struct err *
question_unknown(const char *id)
{
	return err_new(ERR_NOTFOUND, "no snapshot is called \"%s\"; see `info "
		       "os snapshots`", id);
}

static struct err *
question_need_token(struct session *s)
{
	return question_refuse(s, err_new(ERR_DENIED, "say `monitor auth "
					  "TOKEN` first"));
}

/* ---- what it was told of ---- */

struct err *
question_number(struct session *s, const struct store_ref *ref, uint64_t *out)
{
	size_t k = 0;

	while (k < s->n_refs && (s->refs[k].number != ref->number
				 || strcmp(s->refs[k].project, ref->project)))
		k++;
	*out = k + 1;
	if (k < s->n_refs)
		return NULL;
	if (k == SESSION_OFFERS_MAX)
		return err_new(ERR_LIMIT, "a session is told of %u snapshots "
			       "at most", SESSION_OFFERS_MAX);
	struct store_ref *more = realloc(s->refs, (k + 1) * sizeof(*more));
	if (!more)
		return err_nomem();
	more[k] = *ref;
	s->refs = more;
	s->n_refs++;
	return NULL;
}

/* ---- auth ---- */

static struct err *
question_auth(struct session *s, const struct control_message *m)
{
	if (s->authorised)
		return question_answer(s, 0, (struct span){ 0 }, -1);
	_err_ struct err *err = token_scope(s->sv->dir, m->text,
					    s->visitor.scope,
					    s->visitor.token);
	if (!err) {
		s->authorised = true;
		return question_answer(s, 0, (struct span){ 0 }, -1);
	}
	s->sv->refused[REFUSED_TOKEN]++;
	s->denials++;
	s->denied = true;
	return NULL;
}

/* Who guesses waits; nobody else does. */
struct err *
question_tick(struct session *s)
{
	if (!s->denied)
		return NULL;
	s->denied = false;
	if (s->denials >= DENIALS_MAX)
		return err_new(ERR_DENIED, "%u wrong tokens", s->denials);
	return question_refuse(s, err_new(ERR_DENIED, "this token opens "
					  "nothing here; see `inquest token "
					  "list`"));
}

/* ---- list ---- */

struct listing {
	struct session *s;
	struct buf *out;
	size_t n;
	struct err *err;
};

static const struct snap_attr *
object_attr(const struct store_object *o, const char *key)
{
	for (size_t k = 0; k < o->n_attrs; k++) {
		if (strcmp(o->attrs[k].key, key) == 0)
			return &o->attrs[k];
	}
	return NULL;
}

static const char *
object_word(const struct store_object *o, const char *key)
{
	const struct snap_attr *a = object_attr(o, key);

	return a && a->type == SNAP_ATTR_STRING && a->string ? a->string : "";
}

/* When it was captured; when it was stored, if that is not known. */
static void
object_time(const struct store_object *o, char out[24])
{
	const struct snap_attr *a = object_attr(o, "timestamp");
	time_t t = (time_t)(a && a->type == SNAP_ATTR_U64
			    ? a->number : o->stored_ns / 1000000000u);
	struct tm tm;

	*out = '\0';
	if (gmtime_r(&t, &tm))
		strftime(out, 24, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

static bool
listing_add(void *arg, const struct store_object *o)
{
	struct listing *l = arg;

	if (store_is_symbols(o))
		return true;
	char id[2 * STORE_DIGITS + 1] = "", captured[24];
	struct control_offer offer = {
		.id = id, .program = object_word(o, "application"),
		.signal = object_word(o, "error.type"), .captured = captured,
	};
	size_t before = l->out->len;

	for (size_t k = 0; k < STORE_DIGITS / 2; k++)
		snprintf(id + 2 * k, 3, "%02x", o->hash[k]);
	object_time(o, captured);
	l->err = question_number(l->s, &o->ref, &offer.number);
	if (l->err)
		return false;
	control_put_offer(l->out, &offer);
	if (l->out->len <= LIST_BYTES)
		return ++l->n < LIST_MAX;
	l->out->len = before;
	return false;
}

/* What there is gets its numbers, and stands in @l->out. */
static struct err *
listing_make(struct listing *l)
{
	const char *scope = l->s->visitor.scope;

	struct err *err = store_list(l->s->sv->store, *scope ? scope : NULL,
				     listing_add, l);
	/* A project without objects need not be there yet. */
	if (err && err_kind(err) == ERR_NOTFOUND) {
		err_free(err);
		err = NULL;
	}
	err_free(l->err);
	return err ? err : buf_err(l->out);
}

static struct err *
question_list(struct session *s, const struct control_message *m)
{
	_buf_ struct buf out = { 0 };
	struct listing l = { .s = s, .out = &out };

	(void)m;
	if (!s->authorised)
		return question_need_token(s);
	struct err *err = listing_make(&l);
	return err ? question_refuse(s, err)
		   : question_answer(s, l.n, (struct span){ out.data, out.len },
				     -1);
}

/* ---- series ---- */

#define SERIES_SCAN_MAX 20000u  /* objects that are looked at */

struct member {
	struct store_ref ref;
	uint64_t index, seconds;
	char id[STORE_DIGITS + 1];
};
struct members {
	const char *id;         /* of the series */
	struct arena *a;
	struct vec v;           /* of struct member */
	size_t seen;
};

static uint64_t
object_number(const struct store_object *o, const char *key)
{
	const struct snap_attr *a = object_attr(o, key);

	return !a ? 0 : a->type == SNAP_ATTR_STRING
	       ? strtoull(a->string ? a->string : "", NULL, 10) : a->number;
}

static bool
members_add(void *arg, const struct store_object *o)
{
	struct members *m = arg;

	if (strcmp(object_word(o, "series.id"), m->id) == 0) {
		struct member *one = vec_add(&m->v, m->a, sizeof(*one));
		if (!one)
			return false;
		one->ref = o->ref;
		one->index = object_number(o, "series.index");
		one->seconds = object_number(o, "timestamp");
		for (size_t k = 0; k < STORE_DIGITS / 2; k++)
			snprintf(one->id + 2 * k, 3, "%02x", o->hash[k]);
	}
	return ++m->seen < SERIES_SCAN_MAX;
}

static int
members_order(const void *a, const void *b)
{
	const struct member *x = a, *y = b;

	return (x->index > y->index) - (x->index < y->index);
}

static struct err *
members_put(struct session *s, const struct member *one, struct buf *out)
{
	struct control_offer offer = { .index = one->index, .id = one->id,
				       .program = "", .signal = "" };
	time_t t = (time_t)one->seconds;
	char captured[24] = "";
	struct tm tm;

	if (t && gmtime_r(&t, &tm))
		strftime(captured, sizeof(captured), "%Y-%m-%dT%H:%M:%SZ", &tm);
	offer.captured = captured;
	struct err *err = question_number(s, &one->ref, &offer.number);
	if (!err)
		control_put_offer(out, &offer);
	return err;
}

static struct err *
members_tell(struct session *s, struct members *m, size_t from)
{
	struct member *all = m->v.data;
	_buf_ struct buf out = { 0 };
	struct err *err = NULL;

	if (m->v.n)
		qsort(all, m->v.n, sizeof(*all), members_order);
	for (size_t k = from; k < m->v.n && !err && out.len < LIST_BYTES; k++)
		err = members_put(s, &all[k], &out);
	/* One more than a session may be told of ends the list. */
	if (err && err_kind(err) == ERR_LIMIT) {
		err_free(err);
		err = NULL;
	}
	if (!err)
		err = buf_err(&out);
	return err ? question_refuse(s, err)
		   : question_answer(s, 0, (struct span){ out.data, out.len },
				     -1);
}

/* Of the project that the snapshot is in, and of no other. */
static struct err *
question_series(struct session *s, const struct control_message *m)
{
	_arena_ struct arena *a = arena_new(0);
	const char *from = strchr(m->text, ' ');
	struct members members = { .a = a };

	if (!s->authorised)
		return question_need_token(s);
	if (m->number == 0 || m->number > s->n_refs || !from)
		return question_refuse(s, question_unknown(m->text));
	members.id = a ? arena_strndup(a, m->text, (size_t)(from - m->text))
		       : NULL;
	struct err *err = members.id
		? store_list(s->sv->store, s->refs[m->number - 1].project,
			     members_add, &members) : err_nomem();
	return err ? question_refuse(s, err)
		   : members_tell(s, &members, strtoull(from, NULL, 10));
}

/* ---- find and open ---- */

/* "OTHER/1f" must not be looked up at all, lest its neighbours be told. */
static bool
question_in_scope(const struct session *s, const char *id)
{
	const char *scope = s->visitor.scope, *slash = strchr(id, '/');

	return !*scope || !slash
	       || ((size_t)(slash - id) == strlen(scope)
		   && strncmp(id, scope, strlen(scope)) == 0);
}

static struct err *
question_find(struct session *s, const struct control_message *m)
{
	const char *scope = s->visitor.scope;
	struct store_ref ref;
	uint64_t number;

	if (!s->authorised)
		return question_need_token(s);
	if (!question_in_scope(s, m->text))
		return question_refuse(s, question_unknown(m->text));
	struct err *err = store_find(s->sv->store, m->text,
				     *scope ? scope : NULL, &ref);
	if (!err && !doors_sees(&s->visitor, ref.project))
		err = question_unknown(m->text);
	if (!err)
		err = question_number(s, &ref, &number);
	return err ? question_refuse(s, err)
		   : question_answer(s, number, (struct span){ 0 }, -1);
}

static void
question_shelf(void *arg, struct err *failed, int fd, const char *title)
{
	struct session *s = arg;

	s->opening = false;
	_err_ struct err *err = failed ? question_refuse(s, failed)
		: question_answer(s, 0, (struct span){ title, strlen(title) },
				  fd);
	if (err)
		session_stop(s, err_text(err));
}

/* Who attaches before the list was asked for means the numbers it will have. */
static struct err *
question_know(struct session *s, uint64_t number)
{
	_buf_ struct buf out = { 0 };
	struct listing l = { .s = s, .out = &out };

	return number > s->n_refs ? listing_make(&l) : NULL;
}

static struct err *
question_open(struct session *s, const struct control_message *m)
{
	if (!s->authorised)
		return question_need_token(s);
	if (s->opening)
		return err_new(ERR_DAMAGED, "the worker asks for two at once");
	_err_ struct err *unnumbered = question_know(s, m->number);
	if (unnumbered)
		return question_refuse(s, take(unnumbered));
	if (m->number == 0 || m->number > s->n_refs)
		return question_refuse(s, err_new(
			ERR_NOTFOUND, "there is no snapshot %" PRIu64 "; see "
			"`info os snapshots`", m->number));
	session_shows(s, s->refs[m->number - 1].project);
	s->opening = true;
	s->wait = (struct shelf_wait){ .fn = question_shelf, .arg = s };
	shelf_get(&s->sv->shelf, &s->refs[m->number - 1], &s->wait);
	return NULL;
}

/* ---- all messages of a worker ---- */

static struct err *
question_ready(struct session *s, const struct control_message *m)
{
	(void)s;
	(void)m;
	return NULL;
}

static struct err *
question_pong(struct session *s, const struct control_message *m)
{
	s->unheard = 0;
	if (s->reads != m->number)
		s->idle = 0;
	s->reads = m->number;
	return NULL;
}

static struct err *
question_failed(struct session *s, const struct control_message *m)
{
	_buf_ struct buf shown = { 0 };

	buf_escape(&shown, m->text, strnlen(m->text, sizeof(s->why) - 1));
	snprintf(s->why, sizeof(s->why), "%s", shown.data ? shown.data : "");
	return NULL;
}

/* ---- a gdb ---- */

static struct err *
question_link(struct session *s, const struct gdb_ends *e)
{
	const struct control_message link = {
		.type = CONTROL_CONNECTION, .number = CONTROL_LINK,
		.text = "", .fd = e->link,
	};

	struct err *err = control_send(s->control.fd, &link);
	return err ? err : question_answer(s, s->last_console, (struct span){
			e->terminal, strlen(e->terminal) }, e->talk);
}

static size_t
session_editors(const struct session *s)
{
	size_t n = 0;

	for (size_t k = 0; k < s->n_clients; k++)
		n += s->clients[k].dap;
	return n;
}

/* One that is not its own ends nobody's. */
static void
session_end_console(struct session *s, uint64_t console)
{
	size_t k = 0;

	while (k < s->n_consoles && s->consoles[k] != console)
		k++;
	if (k == s->n_consoles)
		return;
	zygote_console_end(&s->sv->zygote, s->number, s->consoles[k]);
	memmove(&s->consoles[k], &s->consoles[k + 1],
		(--s->n_consoles - k) * sizeof(s->consoles[0]));
}

/* Those of all sessions that one token began. */
static size_t
token_consoles(const struct server *sv, const char *token)
{
	size_t n = 0;

	for (const struct session *s = sv->sessions; s; s = s->next)
		if (strcmp(s->visitor.token, token) == 0)
			n += s->n_consoles;
	return n;
}

/* One for each client at most; others come to theirs, too. */
static struct err *
session_add_console(struct session *s, const struct gdb_ends *e)
{
	while (s->n_consoles >= session_editors(s))
		session_end_console(s, s->consoles[0]);
	if (*s->visitor.token
	    && token_consoles(s->sv, s->visitor.token) >= TOKEN_CONSOLES_MAX)
		return err_new(ERR_LIMIT, "%u gdbs run for this token; end one "
			       "of its sessions", TOKEN_CONSOLES_MAX);
	struct err *err = zygote_console(&s->sv->zygote, s->number,
					 ++s->last_console, e);
	if (!err)
		s->consoles[s->n_consoles++] = s->last_console;
	return err;
}

/* A worker that was taken over gets no more by it than its client may. */
static struct err *
question_console(struct session *s, const struct control_message *m)
{
	_gdb_ends_ struct gdb_ends e = { -1, -1, -1, -1, "" };

	(void)m;
	if (!s->sv->o->console || !session_editors(s) || !s->authorised)
		return question_refuse(s, err_new(ERR_DENIED, "this server "
						  "has no gdb for you; see "
						  "inquest serve --console"));
	struct err *err = gdb_ends(&e);
	if (!err)
		err = session_add_console(s, &e);
	return err ? question_refuse(s, err) : question_link(s, &e);
}

static struct err *
question_console_end(struct session *s, const struct control_message *m)
{
	session_end_console(s, m->number);
	return NULL;
}

struct err *
question_handle(struct session *s, const struct control_message *m)
{
	static struct err *(*const handlers[CONTROL_TYPES])(
			struct session *, const struct control_message *) = {
		[CONTROL_READY] = question_ready,
		[CONTROL_PONG] = question_pong,
		[CONTROL_FAILED] = question_failed,
		[CONTROL_AUTH] = question_auth,
		[CONTROL_LIST] = question_list,
		[CONTROL_FIND] = question_find,
		[CONTROL_OPEN] = question_open,
		[CONTROL_SERIES] = question_series,
		[CONTROL_CONSOLE] = question_console,
		[CONTROL_CONSOLE_END] = question_console_end,
	};

	if (!handlers[m->type])
		return err_new(ERR_DAMAGED, "the worker says what only the "
			       "server says");
	return handlers[m->type](s, m);
}
