/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two snapshots of one process, offered to a session.
 */
#include "make-hosted.h"

#include <string.h>

#define FIRST 101u

static const struct stub_offer offers[] = {
	{ FIRST, "aaaa1111", "served", "SIGSEGV", "1970-01-01T00:00:01Z",
	  1 },
	{ FIRST + 1, "bbbb2222", "<\033evil>", NULL, NULL, 2 },
	{ FIRST + 2, "cccc3333", NULL, NULL, NULL, 3 },
};

static struct err *
fake_auth(void *arg, const char *token)
{
	(void)arg;
	return strcmp(token, HOSTED_TOKEN) == 0 ? NULL
	       : err_new(ERR_DENIED, "this is not the token");
}

static struct err *
fake_list(void *arg, struct arena *a, const struct stub_offer **out, size_t *n)
{
	struct hosted *h = arg;

	h->lists++;
	*out = arena_dup(a, offers, sizeof(offers));
	*n = countof(offers);
	return *out ? NULL : err_nomem();
}

static struct err *
fake_find(void *arg, const char *id, uint64_t *number)
{
	struct hosted *h = arg;

	h->finds++;
	for (size_t k = 0; k < countof(offers); k++)
		if (strcmp(offers[k].id, id) == 0) {
			*number = offers[k].number;
			return NULL;
		}
	return err_new(ERR_NOTFOUND, "no object is called %s", id);
}

static struct err *
fake_open(void *arg, uint64_t number, struct insp **out, const char **title)
{
	struct hosted *h = arg;
	size_t k = (size_t)(number - FIRST);

	h->opens++;
	if (k >= HOSTED_SNAPSHOTS)
		return err_new(ERR_DAMAGED, "this snapshot cannot be opened");
	struct served *s = &h->snapshots[k];
	const struct insp_options inspect = { .supply = &s->supply };
	struct err *err = s->insp ? NULL
		: insp_open(&s->target, &inspect, &s->insp);
	if (err)
		return err;
	h->users[k]++;
	*out = s->insp;
	*title = offers[k].id;
	return NULL;
}

static void
fake_close(void *arg, uint64_t number)
{
	struct hosted *h = arg;
	size_t k = (size_t)(number - FIRST);

	if (--h->users[k])
		return;
	insp_free(h->snapshots[k].insp);
	h->snapshots[k].insp = NULL;
}

/* In the order of their indices, the one that cannot be opened between. */
static struct err *
fake_series(void *arg, uint64_t number, const char *id, struct arena *a,
	    const struct stub_offer **out, size_t *n)
{
	static const size_t order[] = { 0, 2, 1 };
	struct stub_offer *all = arena_array(a, countof(order), sizeof(*all));

	(void)arg;
	if (!all)
		return err_nomem();
	if (number < FIRST || strcmp(id, HOSTED_SERIES) != 0)
		return err_new(ERR_NOTFOUND, "no such series");
	for (size_t k = 0; k < countof(order); k++) {
		all[k] = offers[order[k]];
		all[k].index = k + 1;
	}
	*out = all;
	*n = countof(order);
	return NULL;
}

/* The second one: half a second later, without a thread, and with other memory at 0x5000. */
void
hosted_make_series(struct hosted *h)
{
	static const struct snap_attr attrs[] = {
		{ .key = "series.id", .type = SNAP_ATTR_STRING,
		  .string = HOSTED_SERIES },
	};
	static struct snap_memory memory[8];
	struct target *second = &h->snapshots[1].target;

	for (size_t k = 0; k < HOSTED_SNAPSHOTS; k++) {
		h->snapshots[k].target.attrs = attrs;
		h->snapshots[k].target.n_attrs = countof(attrs);
	}
	memcpy(memory, second->memory, second->n_memory * sizeof(*memory));
	for (size_t k = 0; k < second->n_memory; k++)
		if (memory[k].start == 0x5000)
			memory[k].kind = SNAP_MEM_DATA;
	second->memory = memory;
	second->n_threads = 2;
	second->process.captured_ns += 500000000;
}

void
hosted_init(struct hosted *h)
{
	*h = (struct hosted){ .host = {
		.auth = fake_auth, .list = fake_list, .find = fake_find,
		.open = fake_open, .close = fake_close, .series = fake_series,
		.arg = h } };
	for (size_t k = 0; k < HOSTED_SNAPSHOTS; k++)
		served_init(&h->snapshots[k]);
}

struct err *
hosted_start(struct hosted *h, bool token)
{
	const struct stub_options options = { .host = &h->host };

	h->host.auth = token ? fake_auth : NULL;
	return stub_new(NULL, &options, &h->session.stub);
}

void
hosted_close(struct hosted *h)
{
	served_close(&h->session);
	for (size_t k = 0; k < HOSTED_SNAPSHOTS; k++)
		served_close(&h->snapshots[k]);
}

const char *
hosted_monitor(struct hosted *h, const char *text)
{
	_buf_ struct buf packet = { 0 };
	struct buf *reply = &h->session.reply;

	buf_puts(&packet, "qRcmd,");
	buf_hex(&packet, text, strlen(text));
	if (!served_ask(&h->session, packet.data)
	    || !hex_bytes(reply->data, reply->len / 2, reply->data))
		return NULL;
	reply->data[reply->len / 2] = '\0';
	return reply->data;
}
