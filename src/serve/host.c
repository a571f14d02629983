/* SPDX-License-Identifier: Apache-2.0 */
/*
 * host.c: asks the server, over the control socket.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inspect/indexed.h"
#include "serve/host.h"

/* ---- engines ---- */

static void
engine_fini(struct host_engine *e)
{
	values_free(e->values);
	insp_free(e->insp);
	source_free(e->src);
	free(e->title);
	memset(e, 0, sizeof(*e));
}

static struct err *
engine_open(const struct host *h, struct host_engine *e)
{
	const struct insp_options options = { .supply = h->supply,
					      .exe = h->exe };
	_target_ struct target *t = NULL;

	struct err *err = target_open(e->src, &t);
	if (!err)
		err = insp_open(take(t), &options, &e->insp);
	if (!err && h->make_indexes)
		insp_make_indexes(e->insp);
	return err;
}

/* The one that was closed before all others, of @h->n; or NULL. */
static struct host_engine *
engine_oldest(struct host *h)
{
	struct host_engine *oldest = NULL;

	for (size_t k = 0; k < h->n; k++) {
		struct host_engine *e = &h->engines[k];

		if (!e->users && (!oldest || e->used < oldest->used))
			oldest = e;
	}
	return oldest;
}

static void
engine_drop(struct host *h, struct host_engine *e)
{
	if (!e)
		return;
	engine_fini(e);
	*e = h->engines[--h->n];
	memset(&h->engines[h->n], 0, sizeof(*e));
}

struct err *
host_engine(struct host *h, uint64_t number, int fd, const char *title,
	    struct host_engine **out)
{
	_close_ int mine = fd;

	if (h->n == HOST_ENGINES_MAX)
		engine_drop(h, engine_oldest(h));
	struct host_engine *e = &h->engines[h->n];
	if (h->n == HOST_ENGINES_MAX)
		return err_new(ERR_LIMIT, "a session opens %u snapshots at "
			       "most; start another one", HOST_ENGINES_MAX);
	int given = mine;
	mine = -1;
	struct err *err = source_fd(given, title, &e->src);
	if (err)
		return err;
	e->number = number;
	e->users = 1;
	e->title = strdup(title);
	err = e->title ? engine_open(h, e) : err_nomem();
	if (err) {
		engine_fini(e);
		return err;
	}
	h->n++;
	*out = e;
	/* What opening needed for a while is a page of each session's own. */
	malloc_trim(0);
	return NULL;
}

void
host_fini(struct host *h)
{
	while (h->n)
		engine_fini(&h->engines[--h->n]);
	free(take(h->packet));
}

/* ---- asking ---- */

struct err *
host_receive(struct host *h, bool *over)
{
	return control_receive(h->control, CONTROL_MAX, true, h->packet, over);
}

/* What comes before the answer: the link of a gdb, or what has nothing to do
 * with it. */
static struct err *
host_other(struct host *h, struct control_message *m)
{
	if (m->type != CONTROL_CONNECTION || !(m->number & CONTROL_LINK))
		return h->other(h->other_arg, m);
	if (h->link && *h->link < 0)
		*h->link = m->fd;
	else
		base_close(&m->fd);
	m->fd = -1;
	return NULL;
}

/* The answer to the question just asked is in @h->packet. */
static struct err *
host_answer(struct host *h)
{
	const struct control_message *m = &h->packet->m;
	bool over;

	for (;;) {
		struct err *err = host_receive(h, &over);
		if (err)
			return err;
		if (over)
			return err_new(ERR_IO, "the server has gone");
		if (m->type == CONTROL_ANSWER)
			return NULL;
		if (m->type == CONTROL_REFUSAL)
			return err_new(m->number < ERR_KINDS && m->number
				       ? (enum err_kind)m->number : ERR_FAILED,
				       "%s", m->text);
		err = host_other(h, &h->packet->m);
		if (err)
			return err;
	}
}

static struct err *
host_ask(struct host *h, uint16_t type, uint64_t number, const char *text)
{
	const struct control_message m = {
		.type = type, .number = number, .text = text,
		.n = strlen(text), .fd = -1,
	};

	if (m.n + CONTROL_HEAD > CONTROL_ASK_MAX)
		return err_new(ERR_NOTFOUND, "nothing has so long a name");
	struct err *err = control_send(h->control, &m);
	return err ? err : host_answer(h);
}

/* ---- what the stub calls ---- */

static struct err *
host_auth(void *arg, const char *token)
{
	return host_ask(arg, CONTROL_AUTH, 0, token ? token : "");
}

static const char *
host_text(struct arena *a, const char *text)
{
	return *text ? arena_strdup(a, text) : NULL;
}

static struct err *
host_offers(struct arena *a, const struct control_message *m, struct vec *v)
{
	struct rd r = rd_of(m->text, m->n);

	while (rd_left(&r)) {
		struct control_offer from;
		struct err *err = control_get_offer(&r, &from);
		if (err)
			return err;
		struct stub_offer *o = vec_add(v, a, sizeof(*o));
		if (!o)
			return err_nomem();
		o->number = from.number;
		o->index = from.index;
		o->id = arena_strdup(a, from.id);
		o->program = host_text(a, from.program);
		o->signal = host_text(a, from.signal);
		o->captured = host_text(a, from.captured);
		if (!o->id)
			return err_nomem();
	}
	return NULL;
}

static struct err *
host_list(void *arg, struct arena *a, const struct stub_offer **out, size_t *n)
{
	struct host *h = arg;
	struct vec v = { 0 };

	struct err *err = host_ask(h, CONTROL_LIST, 0, "");
	if (!err)
		err = host_offers(a, &h->packet->m, &v);
	if (err)
		return err;
	*out = v.data;
	*n = v.n;
	return NULL;
}

static struct err *
host_find(void *arg, const char *id, uint64_t *number)
{
	struct host *h = arg;

	struct err *err = host_ask(h, CONTROL_FIND, 0, id);
	if (err)
		return err;
	*number = h->packet->m.number;
	return NULL;
}

static struct err *
host_fetch(struct host *h, uint64_t number, struct host_engine **out)
{
	struct control_message *m = &h->packet->m;

	struct err *err = host_ask(h, CONTROL_OPEN, number, "");
	if (err)
		return err;
	if (m->fd < 0)
		return err_new(ERR_IO, "the snapshot's descriptor did not "
			       "arrive");
	_free_ char *title = strdup(m->text);
	if (!title) {
		base_close(&m->fd);
		return err_nomem();
	}
	return host_engine(h, number, m->fd, title, out);
}

static struct host_engine *
host_find_engine(struct host *h, uint64_t number)
{
	for (size_t k = 0; k < h->n; k++) {
		if (h->engines[k].number == number)
			return &h->engines[k];
	}
	return NULL;
}

const char *
host_title(struct host *h, uint64_t number)
{
	const struct host_engine *e = host_find_engine(h, number);

	return e ? e->title : NULL;
}

struct err *
host_values(struct host *h, uint64_t number, struct values **out)
{
	struct host_engine *e = host_find_engine(h, number);
	struct err *err = NULL;

	if (!e)
		return err_new(ERR_NOTFOUND, "there is no such snapshot");
	if (!e->values)
		err = values_new(e->insp, NULL, &e->values);
	if (!err)
		*out = e->values;
	return err;
}

static struct err *
host_open(void *arg, uint64_t number, struct insp **out, const char **title)
{
	struct host *h = arg;
	struct host_engine *e = host_find_engine(h, number);
	struct err *err = NULL;

	if (e)
		e->users++;
	else
		err = host_fetch(h, number, &e);
	if (err)
		return err;
	*out = e->insp;
	*title = e->title;
	return NULL;
}

/* Who goes back and forth finds the last ones still open. */
static void
host_close(void *arg, uint64_t number)
{
	struct host *h = arg;
	struct host_engine *e = host_find_engine(h, number);
	size_t kept = 0;

	if (!e || --e->users)
		return;
	e->used = ++h->closings;
	for (size_t k = 0; k < h->n; k++)
		kept += !h->engines[k].users;
	if (kept > HOST_KEPT_MAX)
		engine_drop(h, engine_oldest(h));
}

/* As many questions as it takes, since an answer has a limit. */
static struct err *
host_series(void *arg, uint64_t number, const char *id, struct arena *a,
	    const struct stub_offer **out, size_t *n)
{
	struct host *h = arg;
	struct vec v = { 0 };
	char text[64];

	do {
		snprintf(text, sizeof(text), "%.32s %zu", id, v.n);
		struct err *err = host_ask(h, CONTROL_SERIES, number, text);
		if (!err)
			err = host_offers(a, &h->packet->m, &v);
		if (err)
			return err;
	} while (h->packet->m.n);
	*out = v.data;
	*n = v.n;
	return NULL;
}

struct err *
host_console(struct host *h, struct host_console *out)
{
	struct control_message *m = &h->packet->m;

	*out = (struct host_console){ .talk = -1, .link = -1 };
	h->link = &out->link;
	struct err *err = host_ask(h, CONTROL_CONSOLE, 0, "");
	h->link = NULL;
	if (!err && (m->fd < 0 || out->link < 0
		     || m->n >= sizeof(out->terminal)))
		err = err_new(ERR_IO, "the descriptors of gdb did not arrive");
	if (err) {
		base_close(&out->link);
		out->link = -1;
		return err;
	}
	out->number = m->number;
	out->talk = m->fd;
	m->fd = -1;
	memcpy(out->terminal, m->text, m->n + 1);
	return NULL;
}

struct err *
host_console_end(const struct host *h, uint64_t number)
{
	return control_say(h->control, CONTROL_CONSOLE_END, number);
}

void
host_init(struct host *h)
{
	h->stub = (struct stub_host){
		.auth = host_auth, .list = host_list, .find = host_find,
		.open = host_open, .close = host_close, .series = host_series,
		.arg = h,
	};
}
