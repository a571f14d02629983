/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading ahead: who has read one piece of memory behind the other asks for the
 * next one as soon as the last is digested. Until then its answer is made, to
 * the last byte, and thrown away if another packet comes: nothing has changed in
 * between, so it is what would be answered then. Only bytes that the snapshot
 * itself holds are read so; a file that nobody asked for is not looked for.
 */
#include "gdbstub/impl.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Who reads less has other things in mind. */
#define AHEAD_MIN 2048u
/* What a client may read again of the piece before: to begin at a whole word. */
#define OVERLAP_MAX 64u
/* So many answers in vain more than others, and nothing is made any more. */
#define IN_VAIN_MAX 8u

void
ahead_note(struct stub *s, const struct reading *r, size_t put)
{
	struct ahead *a = &s->ahead;
	uint64_t overlap = a->end - r->addr;

	a->goes_on = put >= AHEAD_MIN && a->noted + 1 == s->packets
		     && a->next.kind == r->kind && overlap <= OVERLAP_MAX
		     && a->in_vain < IN_VAIN_MAX;
	a->noted = s->packets;
	a->end = r->addr + put;
	a->next = *r;
	a->next.addr = a->end - (a->goes_on ? overlap : 0);
}

static bool
is_at_hand(const struct stub *s, const struct reading *r)
{
	struct region region;
	uint64_t end;

	space_region(insp_space(stub_inferior(s)->insp), r->addr - 1,
		     &region);
	return u64_add(r->addr, r->n, &end) && end <= region.end
	       && region.captured && !region.from_file;
}

bool
stub_reads_on(const struct stub *s)
{
	const struct ahead *a = &s->ahead;

	return a->goes_on && a->noted == s->packets && s->no_ack && !s->done;
}

static struct err *
ahead_make(struct stub *s)
{
	struct ahead *a = &s->ahead;

	buf_reset(&a->answer);
	buf_reset(&s->reply);
	struct err *err = memory_answer(s, &a->next, &a->put);
	if (err)
		return err;
	framing_put(&a->answer, s->reply.data, s->reply.len);
	a->made = !s->reply.failed && !a->answer.failed;
	return NULL;
}

void
stub_ahead(struct stub *s)
{
	if (!stub_reads_on(s))
		return;
	s->ahead.goes_on = false;
	overlay_lay(s);
	/* What fails will be asked for, and then be told. */
	if (is_at_hand(s, &s->ahead.next))
		err_free(ahead_make(s));
	overlay_lift(s);
}

/* Compared as text: hardly anybody writes a number in another way. */
static bool
is_expected(const struct stub *s)
{
	const struct ahead *a = &s->ahead;
	char text[64];

	int n = snprintf(text, sizeof(text), "%c%" PRIx64 ",%" PRIx64,
			 a->next.kind, a->next.addr, a->next.n);
	return s->framing.len == (size_t)n
	       && memcmp(s->framing.data, text, (size_t)n) == 0;
}

static void
ahead_hand_over(struct ahead *a, struct buf *out)
{
	struct buf empty = *out;

	if (out->len || out->max) {
		buf_put(out, a->answer.data, a->answer.len);
		return;
	}
	*out = a->answer;
	a->answer = empty;
}

bool
ahead_answer(struct stub *s, struct buf *out)
{
	struct ahead *a = &s->ahead;
	const struct reading r = a->next;
	bool expected = a->made && a->noted == s->packets && is_expected(s);

	if (a->made && !expected)
		a->in_vain++;
	a->made = false;
	if (!expected)
		return false;
	a->in_vain -= a->in_vain > 0;
	s->packets++;
	ahead_hand_over(a, out);
	ahead_note(s, &r, a->put);
	return true;
}

void
ahead_fini(struct ahead *a)
{
	buf_fini(&a->answer);
	a->made = false;
}
