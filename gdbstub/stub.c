/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A session: bytes in, packets handled, replies and acknowledgements out.
 */
#include "gdbstub/impl.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/*
 * What is asked for in one piece comes in one; what a client asks for needlessly
 * at this size is answered short (vfile.c).
 */
#define PACKET_SIZE 131072u
#define PACKET_SIZE_MIN 8192u   /* g of AVX-512 has 4832 digits */
#define PACKET_SIZE_MAX (1u << 20)
#define RESENDS_MAX 3u
/* Room for large answers is kept until so many small ones followed it. */
#define LARGE_ANSWER 16384u
#define SMALL_ANSWERS 64u

/* ---- life -------------------------------------------------------------- */
static size_t
packet_size(const struct stub_options *o)
{
	if (o->packet_size == 0)
		return PACKET_SIZE;
	if (o->packet_size < PACKET_SIZE_MIN)
		return PACKET_SIZE_MIN;
	return o->packet_size < PACKET_SIZE_MAX ? o->packet_size
						: PACKET_SIZE_MAX;
}

struct err *
stub_add(struct stub *s, struct shown *shown, uint64_t pid)
{
	struct inferior f = { .line = { .jump = INSP_NONE,
					.watched = INSP_NONE } };
	struct inferior *grown = reallocarray(s->inferiors, s->n_inferiors + 1,
					      sizeof(*grown));

	if (!grown) {
		shown_close(s, shown);
		return err_nomem();
	}
	s->inferiors = grown;
	struct err *err = inferior_init(&f, shown, pid);
	if (err) {
		inferior_fini(&f);
		shown_close(s, shown);
		return err;
	}
	if (pid == ID_ANY && stub_find_pid(s, f.pid) != INSP_NONE)
		f.pid = shown->number;
	f.number = shown->number;
	s->inferiors[s->n_inferiors++] = f;
	return NULL;
}

/* @i, or what the host has as @number. */
static struct err *
stub_attach(struct stub *s, struct insp *i, uint64_t number)
{
	struct shown *shown;

	struct err *err = i ? shown_plain(s, i, s->title, &shown)
			    : shown_open(s, number, &shown);
	if (!err)
		err = stub_add(s, shown, ID_ANY);
	if (!err)
		s->inferiors[s->n_inferiors - 1].attached = true;
	return err;
}

static struct err *
stub_attach_all(struct stub *s, const struct stub_options *options)
{
	struct err *err = NULL;

	for (size_t k = 0; k < options->n_attached && !err; k++)
		err = stub_attach(s, NULL, options->attached[k]);
	overlay_lift(s);
	return err;
}

static struct err *
stub_init(struct stub *s, struct insp *i, const struct stub_options *options)
{
	assert(!i == !!options->host);
	s->options.packet_size = packet_size(options);
	s->options.host = options->host;
	s->options.overlay = options->overlay;
	s->options.overlay_arg = options->overlay_arg;
	s->authorised = !options->host || !options->host->auth;
	s->title = strdup(options->title ? options->title : "");
	s->options.title = s->title;
	s->framing.max = s->options.packet_size;
	s->framing.data = malloc(s->framing.max + 1);
	if (!s->title || !s->framing.data)
		return err_nomem();
	s->resumed = INSP_NONE;
	return i ? stub_attach(s, i, 0) : stub_attach_all(s, options);
}

struct err *
stub_new(struct insp *i, const struct stub_options *options, struct stub **out)
{
	_stub_ struct stub *s = calloc(1, sizeof(*s));

	if (!s)
		return err_nomem();
	struct err *err = stub_init(s, i, options);
	if (err)
		return err;
	*out = take(s);
	return NULL;
}

void
stub_free(struct stub *s)
{
	if (!s)
		return;
	vfile_fini(s);
	for (size_t k = 0; k < s->n_inferiors; k++) {
		inferior_fini(&s->inferiors[k]);
		timeline_fini(&s->inferiors[k].line);
	}
	shown_fini(s);
	free(s->inferiors);
	free(s->watches);
	free(s->points);
	buf_fini(&s->threads.text);
	buf_fini(&s->osdata);
	buf_fini(&s->unacked);
	buf_fini(&s->reply);
	buf_fini(&s->console);
	buf_fini(&s->room);
	ahead_fini(&s->ahead);
	free(s->framing.data);
	free(s->title);
	free(s);
}

void
stub_freep(struct stub **s)
{
	stub_free(*s);
}

static void
document_drop(struct document *d)
{
	buf_fini(&d->text);
	d->rendered = false;
}

static void
stub_give_back(struct stub *s)
{
	buf_fini(&s->reply);
	buf_fini(&s->console);
	buf_fini(&s->room);
	ahead_fini(&s->ahead);
}

/* Sessions are many, and one that reads all of memory does so for a while. */
static void
stub_shrink(struct stub *s)
{
	if (s->reply.len >= LARGE_ANSWER || s->console.len >= LARGE_ANSWER)
		s->small = 0;
	else if (++s->small == SMALL_ANSWERS)
		stub_give_back(s);
}

/* A client may be in the middle of a table: s->osdata stays. */
void
stub_rest(struct stub *s)
{
	for (size_t k = 0; k < s->n_inferiors; k++) {
		document_drop(&s->inferiors[k].features);
		document_drop(&s->inferiors[k].libraries);
		document_drop(&s->inferiors[k].auxv);
	}
	document_drop(&s->threads);
	stub_give_back(s);
}

bool
stub_done(const struct stub *s)
{
	return s->done;
}

/* ---- acknowledgements -------------------------------------------------- */
/** Length of the first packet in @b: '#' occurs nowhere else in it. */
static size_t
first_sent(const struct buf *b)
{
	const char *end = b->len ? memchr(b->data, '#', b->len) : NULL;

	return end ? (size_t)(end - b->data) + 3 : b->len;
}

static void
drop_first(struct buf *b)
{
	size_t n = first_sent(b);

	memmove(b->data, b->data + n, b->len - n);
	b->len -= n;
}

static void
stub_acked(struct stub *s, struct buf *out)
{
	s->resends = 0;
	if (s->unacked.len == 0)
		return;
	drop_first(&s->unacked);
	buf_put(out, s->unacked.data, first_sent(&s->unacked));
}

/* A client that never accepts a reply is hung up on: gdbserver 13 repeats
 * its reply without end. */
static void
stub_refused(struct stub *s, struct buf *out)
{
	if (s->unacked.len == 0)
		return;
	if (s->resends++ == RESENDS_MAX)
		s->done = true;
	else
		buf_put(out, s->unacked.data, first_sent(&s->unacked));
}

/* Who asks again has got what was said before; what waits behind it goes. */
static void
stub_assume_acked(struct stub *s, struct buf *out)
{
	size_t first = first_sent(&s->unacked);

	if (s->unacked.len > first)
		buf_put(out, s->unacked.data + first, s->unacked.len - first);
	buf_reset(&s->unacked);
	s->resends = 0;
}

/* ---- replies ----------------------------------------------------------- */
static void
stub_send(struct stub *s, const void *payload, size_t n, bool confirmed,
	  struct buf *out)
{
	if (!confirmed) {
		framing_put(out, payload, n);
		return;
	}
	bool idle = s->unacked.len == 0;
	framing_put(&s->unacked, payload, n);
	if (idle)
		buf_put(out, s->unacked.data, s->unacked.len);
}

/* Console text comes in packets of its own, 'O' and hex digits. */
static void
stub_send_console(struct stub *s, bool confirmed, struct buf *out)
{
	size_t piece = (s->options.packet_size - 1) / 2;

	for (size_t at = 0; at < s->console.len; at += piece) {
		_buf_ struct buf b = { 0 };
		size_t left = s->console.len - at;

		buf_putc(&b, 'O');
		buf_hex(&b, s->console.data + at, left < piece ? left : piece);
		stub_send(s, b.data, b.len, confirmed, out);
		out->failed |= b.failed;
	}
}

static void
stub_answer(struct stub *s, struct buf *out)
{
	bool confirmed = !s->no_ack;

	if (ahead_answer(s, out))
		return;
	stub_assume_acked(s, out);
	if (confirmed)
		buf_putc(out, '+');
	buf_reset(&s->reply);
	buf_reset(&s->console);
	if (s->framing.len > s->framing.max)
		buf_puts(&s->reply, "E01");
	else
		packets_run(s, s->framing.data, s->framing.len);
	stub_send_console(s, confirmed, out);
	stub_send(s, s->reply.data, s->reply.len, confirmed, out);
	out->failed |= s->reply.failed | s->console.failed | s->unacked.failed;
	s->framing.unchecked = s->no_ack;
	stub_shrink(s);
}

static void
stub_event(struct stub *s, enum framing_event event, struct buf *out)
{
	switch (event) {
	case FRAMING_PACKET:
	case FRAMING_OVERSIZE:
		stub_answer(s, out);
		break;
	case FRAMING_BAD:
		buf_putc(out, '-');
		break;
	case FRAMING_ACK:
		stub_acked(s, out);
		break;
	case FRAMING_NACK:
		stub_refused(s, out);
		break;
	case FRAMING_NONE:
		break;
	}
}

struct err *
stub_feed(struct stub *s, const void *data, size_t n, struct buf *out)
{
	const uint8_t *p = data;

	overlay_lay(s);
	for (size_t k = 0; k < n && !s->done && !out->failed; k++)
		stub_event(s, framing_push(&s->framing, p[k]), out);
	overlay_lift(s);
	return buf_err(out);
}

/* ---- what handlers ask ------------------------------------------------- */
struct inferior *
stub_inferior(const struct stub *s)
{
	return &s->inferiors[s->inferior];
}

struct err *
stub_thread(const struct stub *s, struct inferior **f, size_t *thread)
{
	if (!s->n_inferiors || s->thread >= stub_inferior(s)->n_threads)
		return err_new(ERR_NOTFOUND, "there is no thread");
	*f = stub_inferior(s);
	*thread = s->thread;
	return NULL;
}

bool
stub_nth_thread(const struct stub *s, size_t n, const struct inferior **f,
		size_t *thread)
{
	for (size_t k = 0; k < s->n_inferiors; k++) {
		const struct inferior *inferior = &s->inferiors[k];

		if (!inferior->attached
		    || (!s->multiprocess && k != s->inferior))
			continue;
		if (n < inferior->n_threads) {
			*f = inferior;
			*thread = n;
			return true;
		}
		n -= inferior->n_threads;
	}
	return false;
}

size_t
stub_find_pid(const struct stub *s, uint64_t pid)
{
	for (size_t k = 0; k < s->n_inferiors; k++)
		if (s->inferiors[k].pid == pid)
			return k;
	return INSP_NONE;
}

static size_t
find_process(const struct stub *s, uint64_t pid)
{
	if ((pid == ID_ANY || pid == ID_ALL) && s->n_inferiors)
		return s->inferior;
	return stub_find_pid(s, pid);
}

struct err *
stub_find(const struct stub *s, struct thread_id id, size_t *inferior,
	  size_t *thread)
{
	size_t k = find_process(s, id.pid), n;

	if (k == INSP_NONE)
		return err_new(ERR_NOTFOUND, "there is no process %" PRIu64,
			       id.pid);
	const struct inferior *f = &s->inferiors[k];
	if (id.tid == ID_ANY || id.tid == ID_ALL)
		n = k == s->inferior ? s->thread : 0;
	else
		n = inferior_find_thread(f, id.tid);
	if (n >= f->n_threads)
		return err_new(ERR_NOTFOUND, "there is no such thread");
	*inferior = k;
	*thread = n;
	return NULL;
}

void
stub_ok(struct stub *s)
{
	buf_puts(&s->reply, "OK");
}

void
stub_put_thread(const struct stub *s, const struct inferior *f, size_t thread,
		struct buf *out)
{
	if (s->multiprocess)
		buf_printf(out, "p%" PRIx64 ".", f->pid);
	buf_printf(out, "%" PRIx64, f->tids[thread]);
}
