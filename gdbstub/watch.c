/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Watchpoints. Nothing runs, so nothing is seen being written; but from one
 * snapshot of a series to the next it can be told that what is watched differs.
 */
#include "gdbstub/impl.h"

#include <stdlib.h>
#include <string.h>

#define WATCH_BYTES_MAX 4096u

/* Writes and accesses; what was only read leaves no trace. */
static bool
takes_kind(uint64_t kind)
{
	return kind == '2' || kind == '4';
}

static size_t
watch_find(const struct stub *s, const struct args *a)
{
	size_t k = 0;

	while (k < s->n_watches
	       && (s->watches[k].kind != (char)a->v[0].number
		   || s->watches[k].addr != a->v[1].number
		   || s->watches[k].n != a->v[2].number
		   || s->watches[k].inferior != s->inferior))
		k++;
	return k;
}

/* More than there is room for are accepted, and never tell anything. */
void
watch_set(struct stub *s, const struct args *a)
{
	if (!takes_kind(a->v[0].number) || a->v[2].number == 0
	    || a->v[2].number > WATCH_BYTES_MAX
	    || s->n_watches == WATCHES_MAX || watch_find(s, a) < s->n_watches)
		return;
	if (!s->watches)
		s->watches = calloc(WATCHES_MAX, sizeof(*s->watches));
	if (!s->watches)
		return;
	s->watches[s->n_watches++] = (struct watch){
		(char)a->v[0].number, a->v[1].number, a->v[2].number,
		s->inferior };
}

void
watch_clear(struct stub *s, const struct args *a)
{
	size_t k = watch_find(s, a);

	if (k < s->n_watches)
		s->watches[k] = s->watches[--s->n_watches];
}

/* What was not captured in one of them is not known to differ. */
static bool
differs(const struct watch *w, struct insp *before, struct insp *after)
{
	uint8_t old[WATCH_BYTES_MAX], new[WATCH_BYTES_MAX];
	size_t n = (size_t)w->n;

	_err_ struct err *a = space_read(insp_space(before), w->addr, n, old);
	_err_ struct err *b = space_read(insp_space(after), w->addr, n, new);
	return !a && !b && memcmp(old, new, n) != 0;
}

const struct watch *
watch_changed(const struct stub *s, struct insp *before, struct insp *after)
{
	for (size_t k = 0; k < s->n_watches; k++)
		if (s->watches[k].inferior == s->inferior
		    && differs(&s->watches[k], before, after))
			return &s->watches[k];
	return NULL;
}
