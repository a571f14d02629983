/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two snapshots of one process, offered to a session.
 */
#include "make-hosted.h"

#include <string.h>

#define FIRST 101u

static const struct stub_offer offers[] = {
	{ FIRST, "aaaa1111", "served", "SIGSEGV", "1970-01-01T00:00:01Z" },
	{ FIRST + 1, "bbbb2222", "<\033evil>", NULL, NULL },
	{ FIRST + 2, "cccc3333", NULL, NULL, NULL },
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
	if (k >= HOSTED_SNAPSHOTS || h->snapshots[k].insp)
		return err_new(ERR_DAMAGED, "this snapshot cannot be opened");
	struct served *s = &h->snapshots[k];
	const struct insp_options inspect = { .supply = &s->supply };
	struct err *err = insp_open(&s->target, &inspect, &s->insp);
	if (err)
		return err;
	*out = s->insp;
	*title = offers[k].id;
	return NULL;
}

void
hosted_init(struct hosted *h)
{
	*h = (struct hosted){ .host = { fake_auth, fake_list, fake_find,
					fake_open, h } };
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
