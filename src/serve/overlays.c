/* SPDX-License-Identifier: Apache-2.0 */
/*
 * overlays.c: one overlay a snapshot.
 */
#include <stdlib.h>

#include "serve/overlays.h"

struct laid {
	struct laid *next;
	uint64_t number;
	unsigned lookers;       /* of overlays_look() */
	struct overlay *overlay;
};

struct err *
overlays_new(struct overlays **out)
{
	struct overlays *o = calloc(1, sizeof(*o));

	if (!o)
		return err_nomem();
	o->holders = 1;
	*out = o;
	return NULL;
}

struct overlays *
overlays_hold(struct overlays *o)
{
	o->holders++;
	return o;
}

static struct err *
overlays_add(struct overlays *o, uint64_t number, struct overlay **out)
{
	struct laid *l = calloc(1, sizeof(*l));

	if (!l)
		return err_nomem();
	struct err *err = overlay_new(&o->used, &l->overlay);
	if (err) {
		free(l);
		return err;
	}
	l->number = number;
	l->next = o->list;
	o->list = l;
	*out = l->overlay;
	return NULL;
}

static struct laid *
laid_find(const struct overlays *o, uint64_t number)
{
	struct laid *l = o->list;

	while (l && l->number != number)
		l = l->next;
	return l;
}

struct overlay *
overlays_find(const struct overlays *o, uint64_t number)
{
	const struct laid *l = laid_find(o, number);

	return l ? l->overlay : NULL;
}

struct err *
overlays_of(struct overlays *o, uint64_t number, struct overlay **out)
{
	*out = overlays_find(o, number);
	return *out ? NULL : overlays_add(o, number, out);
}

struct err *
overlays_look(struct overlays *o, uint64_t number, struct overlay **out)
{
	struct err *err = overlays_of(o, number, out);

	if (!err)
		laid_find(o, number)->lookers++;
	return err;
}

static bool
laid_is_empty(const struct laid *l)
{
	size_t pieces, regs;

	overlay_pieces(l->overlay, &pieces);
	overlay_regs(l->overlay, &regs);
	return !pieces && !regs;
}

/* Moving along a long series would leave one over each. */
void
overlays_leave(struct overlays *o, uint64_t number)
{
	struct laid **at = &o->list;

	while (*at && (*at)->number != number)
		at = &(*at)->next;
	if (*at && (*at)->lookers)
		(*at)->lookers--;
	if (!*at || (*at)->lookers || o->holders > 1 || !laid_is_empty(*at))
		return;
	struct laid *l = *at;
	*at = l->next;
	overlay_free(l->overlay);
	free(l);
}

void
overlays_release(struct overlays *o)
{
	if (!o || --o->holders)
		return;
	while (o->list) {
		struct laid *l = o->list;

		o->list = l->next;
		overlay_free(l->overlay);
		free(l);
	}
	free(o);
}
