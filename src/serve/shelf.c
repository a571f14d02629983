/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shelf.c: copies objects out of the store, and keeps the copies.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "serve/shelf.h"

#define SLICE (64u << 10)
#define MEMORY_ITEM (64ull << 20)       /* bigger ones are not in memory */
#define MEMORY_ALL (512ull << 20)
#define ITEMS_MAX 128u

struct shelf_item {
	struct store_ref ref;
	uint64_t size, done;
	int fd;                 /* read-only once all is there */
	bool in_memory;
	struct source *src;     /* NULL: all is there */
	char title[STORE_NAME_MAX + STORE_DIGITS + 2];
	struct shelf_wait *waits;
	struct shelf_item *next;
};

/* ---- who waits ---- */

static void
wait_add(struct shelf_item *i, struct shelf_wait *w)
{
	w->next = i->waits;
	w->back = &i->waits;
	if (w->next)
		w->next->back = &w->next;
	i->waits = w;
}

void
shelf_cancel(struct shelf_wait *w)
{
	if (!w->back)
		return;
	*w->back = w->next;
	if (w->next)
		w->next->back = w->back;
	w->back = NULL;
}

/* Everybody who waits is told @err, or given the file. */
static void
item_tell(struct shelf_item *i, const struct err *err)
{
	while (i->waits) {
		struct shelf_wait *w = i->waits;
		shelf_cancel(w);
		w->fn(w->arg, err ? err_new(err_kind(err), "%s", err_text(err))
				  : NULL, i->fd, i->title);
	}
}

/* ---- items ---- */

static void
item_drop(struct shelf *s, struct shelf_item *i)
{
	struct shelf_item **at = &s->items;

	while (*at && *at != i)
		at = &(*at)->next;
	if (*at) {
		*at = i->next;
		s->n--;
	}
	s->copying -= i->src != NULL;
	if (i->in_memory)
		s->in_memory -= i->size;
	source_free(i->src);
	base_close(&i->fd);
	free(i);
}

/* The one that was not asked for longest, if it is all there. */
static bool
shelf_drop_last(struct shelf *s)
{
	struct shelf_item *last = NULL;

	for (struct shelf_item *i = s->items; i; i = i->next) {
		if (!i->src)
			last = i;
	}
	if (last)
		item_drop(s, last);
	return last != NULL;
}

static void
shelf_make_room(struct shelf *s, uint64_t size)
{
	while (s->n >= ITEMS_MAX && shelf_drop_last(s))
		continue;
	if (size > MEMORY_ITEM)
		return;
	while (s->in_memory + size > MEMORY_ALL && shelf_drop_last(s))
		continue;
}

static struct err *
item_open_file(struct shelf *s, struct shelf_item *i)
{
	bool fits = i->size <= MEMORY_ITEM
		    && s->in_memory + i->size <= MEMORY_ALL;

	i->fd = fits ? memfd_create("snapshot", MFD_CLOEXEC | MFD_ALLOW_SEALING)
		     : open(s->dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (i->fd < 0)
		return err_errno("cannot make room for %s", i->title);
	i->in_memory = fits;
	s->in_memory += fits ? i->size : 0;
	return NULL;
}

static struct err *
item_describe(struct shelf *s, struct shelf_item *i)
{
	_arena_ struct arena *a = arena_new(0);
	struct store_object o;
	size_t n;

	if (!a)
		return err_nomem();
	struct err *err = store_object(s->store, &i->ref, a, &o);
	if (err)
		return err;
	i->size = o.size;
	n = (size_t)snprintf(i->title, sizeof(i->title), "%s/",
			     i->ref.project);
	for (size_t k = 0; k < STORE_DIGITS / 2; k++)
		n += (size_t)snprintf(i->title + n, sizeof(i->title) - n,
				      "%02x", o.hash[k]);
	return NULL;
}

static struct err *
item_begin(struct shelf *s, struct shelf_item *i)
{
	struct err *err = item_describe(s, i);
	if (err)
		return err;
	shelf_make_room(s, i->size);
	err = item_open_file(s, i);
	return err ? err : store_source(s->store, &i->ref, &i->src);
}

/*
 * Nobody can change it any more, and a worker's descriptor could not even try:
 * it is one of its own, for reading.
 */
static struct err *
item_seal(struct shelf_item *i)
{
	char path[40];

	if (i->in_memory)
		fcntl(i->fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK
					  | F_SEAL_GROW | F_SEAL_SEAL);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", i->fd);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_errno("cannot open %s for reading", i->title);
	close(i->fd);
	i->fd = fd;
	return NULL;
}

/* ---- copying ---- */

static struct err *
item_slice(struct shelf_item *i)
{
	static const size_t most = SLICE;
	uint64_t left = i->size - i->done;
	size_t n = left < most ? (size_t)left : most;
	char bytes[SLICE];

	struct err *err = n ? source_read(i->src, i->done, n, bytes) : NULL;
	if (!err && n)
		err = io_write(i->fd, bytes, n);
	if (!err)
		i->done += n;
	return err;
}

/* All is there, or cannot be had. */
static void
item_end(struct shelf *s, struct shelf_item *i, struct err *failed)
{
	_err_ struct err *err = failed ? failed : item_seal(i);

	s->copying--;
	source_free(take(i->src));
	item_tell(i, err);
	if (err)
		item_drop(s, i);
}

static void
shelf_arm(struct shelf *s)
{
	uint64_t one = 1, had;

	if (s->copying) {
		if (write(s->work.fd, &one, sizeof(one)) < 0)
			return;
	} else if (read(s->work.fd, &had, sizeof(had)) < 0) {
		return;
	}
}

/* One slice of the oldest that is not all there. */
static void
shelf_work(void *arg, unsigned events)
{
	struct shelf *s = arg;
	struct shelf_item *oldest = NULL;

	(void)events;
	for (struct shelf_item *i = s->items; i; i = i->next) {
		if (i->src)
			oldest = i;
	}
	struct err *err = oldest ? item_slice(oldest) : NULL;
	if (oldest && (err || oldest->done == oldest->size))
		item_end(s, oldest, err);
	if (!s->copying)
		shelf_arm(s);
}

/* ---- the shelf ---- */

struct err *
shelf_init(struct shelf *s, struct net *net, struct store *store,
	   const char *dir)
{
	s->net = net;
	s->store = store;
	s->dir = dir;
	s->work = (struct net_watch){
		.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
		.fn = shelf_work, .arg = s,
	};
	if (s->work.fd < 0)
		return err_errno("cannot make an eventfd");
	return net_watch(net, &s->work, NET_READ);
}

void
shelf_fini(struct shelf *s)
{
	if (s->net)
		net_watch_close(&s->work);
	while (s->items) {
		while (s->items->waits)
			shelf_cancel(s->items->waits);
		item_drop(s, s->items);
	}
}

static struct shelf_item *
shelf_find(struct shelf *s, const struct store_ref *ref)
{
	struct shelf_item **at = &s->items, *i;

	while ((i = *at) && (i->ref.number != ref->number
			     || strcmp(i->ref.project, ref->project) != 0))
		at = &i->next;
	if (!i)
		return NULL;
	*at = i->next;
	i->next = s->items;
	s->items = i;
	return i;
}

static struct err *
shelf_add(struct shelf *s, const struct store_ref *ref,
	  struct shelf_item **out)
{
	struct shelf_item *i = calloc(1, sizeof(*i));

	if (!i)
		return err_nomem();
	i->ref = *ref;
	i->fd = -1;
	struct err *err = item_begin(s, i);
	if (err) {
		item_drop(s, i);
		return err;
	}
	i->next = s->items;
	s->items = i;
	s->n++;
	s->copies++;
	s->copying++;
	shelf_arm(s);
	*out = i;
	return NULL;
}

void
shelf_get(struct shelf *s, const struct store_ref *ref, struct shelf_wait *w)
{
	struct shelf_item *i = shelf_find(s, ref);

	s->hits += i != NULL;
	w->back = NULL;
	struct err *err = i ? NULL : shelf_add(s, ref, &i);
	if (err)
		w->fn(w->arg, err, -1, NULL);
	else if (i->src)
		wait_add(i, w);
	else
		w->fn(w->arg, NULL, i->fd, i->title);
}
