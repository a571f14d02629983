/* SPDX-License-Identifier: Apache-2.0 */
/*
 * desk.c: answers a worker that serves a few snapshots without a server. It
 * asks as it would a server, and is believed as little.
 */
#include <stdlib.h>
#include <string.h>

#include "serve/consoles.h"
#include "serve/impl.h"

#define LIST_BYTES (CONTROL_MAX - CONTROL_HEAD - 1024u)

static struct err *
desk_answer(int control, uint64_t number, struct span text, int fd)
{
	const struct control_message m = {
		.type = CONTROL_ANSWER, .number = number,
		.text = text.data ? text.data : "", .n = text.n, .fd = fd,
	};

	return control_send(control, &m);
}

/* Takes @why. */
static struct err *
desk_refuse(int control, struct err *why)
{
	_err_ struct err *held = why;
	const struct control_message m = {
		.type = CONTROL_REFUSAL, .number = err_kind(held),
		.text = err_text(held), .n = strlen(err_text(held)), .fd = -1,
	};

	return control_send(control, &m);
}

static const struct worker_offer *
desk_find(const struct worker_desk *d, uint64_t number)
{
	for (size_t k = 0; k < d->n; k++) {
		if (d->offers[k].number == number)
			return &d->offers[k];
	}
	return NULL;
}

/* ---- lists ---- */

static void
desk_put(const struct worker_offer *o, struct buf *out)
{
	const struct control_offer offer = {
		.number = o->number, .index = o->index, .id = o->id,
		.program = "", .signal = "", .captured = "",
	};

	control_put_offer(out, &offer);
}

static struct err *
desk_tell(int control, struct buf *out)
{
	struct err *err = buf_err(out);

	return err ? desk_refuse(control, err)
		   : desk_answer(control, 0,
				 (struct span){ out->data, out->len }, -1);
}

static struct err *
desk_list(int control, struct worker_desk *d, const struct control_message *m)
{
	_buf_ struct buf out = { 0 };

	(void)m;
	for (size_t k = 0; k < d->n && out.len < LIST_BYTES; k++) {
		if (d->offers[k].listed)
			desk_put(&d->offers[k], &out);
	}
	return desk_tell(control, &out);
}

static struct err *
desk_series(int control, struct worker_desk *d, const struct control_message *m)
{
	const struct worker_offer *of = desk_find(d, m->number);
	const char *from = strchr(m->text, ' ');
	uint64_t skip = from ? strtoull(from, NULL, 10) : 0;
	_buf_ struct buf out = { 0 };

	if (of && of->group && !skip) {
		struct err *err = d->refresh(d->arg, of->group);
		if (err)
			return desk_refuse(control, err);
		of = desk_find(d, m->number);
	}
	for (size_t k = 0; of && k < d->n && out.len < LIST_BYTES; k++) {
		const struct worker_offer *o = &d->offers[k];

		if (o != of && (!o->group || o->group != of->group))
			continue;
		if (skip)
			skip--;
		else
			desk_put(o, &out);
	}
	return desk_tell(control, &out);
}

/* ---- one of them ---- */

static struct err *
desk_number(int control, struct worker_desk *d, const struct control_message *m)
{
	uint64_t number;

	struct err *err = d->find(d->arg, m->text, &number);
	return err ? desk_refuse(control, err)
		   : desk_answer(control, number, (struct span){ 0 }, -1);
}

static struct err *
desk_open(int control, struct worker_desk *d, const struct control_message *m)
{
	_free_ char *title = NULL;
	_close_ int fd = -1;
	struct err *err = desk_find(d, m->number)
		? d->open(d->arg, m->number, &fd, &title)
		: err_new(ERR_NOTFOUND, "there is no such snapshot");

	if (err)
		return desk_refuse(control, err);
	return desk_answer(control, 0, (struct span){ title, strlen(title) },
			   fd);
}

static struct err *
desk_link(int control, int fd)
{
	const struct control_message m = {
		.type = CONTROL_CONNECTION, .number = CONTROL_LINK,
		.text = "", .fd = fd,
	};

	return control_send(control, &m);
}

static struct err *
desk_console(int control, struct worker_desk *d,
	     const struct control_message *m)
{
	_gdb_ends_ struct gdb_ends e = { -1, -1, -1, -1, "" };
	uint64_t number = d->last_console + 1;

	(void)m;
	struct err *err = d->consoles ? gdb_ends(&e)
		: err_new(ERR_DENIED, "there is no gdb here");
	if (!err)
		err = consoles_start(d->consoles, number, &e);
	if (err)
		return desk_refuse(control, err);
	d->last_console = number;
	err = desk_link(control, e.link);
	return err ? err : desk_answer(control, number, (struct span){
			e.terminal, strlen(e.terminal) }, e.talk);
}

static struct err *
desk_console_end(int control, struct worker_desk *d,
		 const struct control_message *m)
{
	(void)control;
	if (d->consoles)
		consoles_end(d->consoles, m->number);
	return NULL;
}

static struct err *
desk_ready(int control, struct worker_desk *d, const struct control_message *m)
{
	(void)control;
	(void)m;
	d->ready = true;
	return NULL;
}

static struct err *
desk_pong(int control, struct worker_desk *d, const struct control_message *m)
{
	(void)control;
	(void)m;
	d->unanswered = 0;
	return NULL;
}

struct err *
worker_ask(int control, struct worker_desk *d, unsigned *times)
{
	*times = d->unanswered++;
	return control_say(control, CONTROL_PING, 0);
}

struct err *
worker_answer(int control, struct worker_desk *desk)
{
	static struct err *(*const handlers[CONTROL_TYPES])(
			int, struct worker_desk *,
			const struct control_message *) = {
		[CONTROL_READY] = desk_ready,
		[CONTROL_PONG] = desk_pong,
		[CONTROL_LIST] = desk_list,
		[CONTROL_FIND] = desk_number,
		[CONTROL_OPEN] = desk_open,
		[CONTROL_SERIES] = desk_series,
		[CONTROL_CONSOLE] = desk_console,
		[CONTROL_CONSOLE_END] = desk_console_end,
	};
	_free_ struct control_packet *packet = malloc(sizeof(*packet));

	if (!packet)
		return err_nomem();
	struct err *err = control_receive(control, CONTROL_ASK_MAX, false,
					  packet, &desk->over);
	if (err || desk->over)
		return err;
	if (!handlers[packet->m.type])
		return err_new(ERR_DAMAGED, "the worker says what only a "
			       "server says");
	return handlers[packet->m.type](control, desk, &packet->m);
}

/* '#', '$', '}' and '*' have meanings of their own: they become '?'. */
static void
put_packet(struct buf *out, const char *kind, const struct buf *text)
{
	uint8_t sum = 0;
	size_t k = out->len + 1;

	buf_printf(out, "$%s%s", kind, text->data ? text->data : "");
	for (; k < out->len; k++) {
		if (strchr("#$}*", out->data[k]))
			out->data[k] = '?';
		sum = (uint8_t)(sum + (uint8_t)out->data[k]);
	}
	buf_printf(out, "#%02x", sum);
}

void
worker_refusal(const struct err *why, bool asked, struct buf *out)
{
	_buf_ struct buf text = { 0 }, hex = { 0 };

	buf_puts(&text, err_text(why));
	buf_putc(out, '+');
	/* gdb shows this one to who said monitor, or continue. */
	if (asked) {
		buf_hex(&hex, text.data, text.len);
		buf_puts(&hex, "0a");
		put_packet(out, "O", &hex);
	}
	put_packet(out, "E.", &text);
}
