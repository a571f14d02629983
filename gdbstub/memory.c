/* SPDX-License-Identifier: Apache-2.0 */
/*
 * m x M X, and breakpoints. A read ends before the first byte that is not
 * there; it fails where not even one is, and never shows zeros for what was
 * not captured. Writes land in the session's overlay. qSearch is left
 * unanswered: gdb then searches by reading, and tells its user of a hole.
 */
#include "gdbstub/impl.h"
#include "inspect/overlay.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/*
 * A target gives all of a read or nothing of it, and so looks at all of it
 * first: what it unpacked for that is still at hand where a read is no longer.
 */
#define READ_PIECE 32768u
#define WORD 8u

static uint64_t
at_most(uint64_t n, uint64_t limit)
{
	return n < limit ? n : limit;
}

static struct err *
read_pieces(struct stub *s, uint64_t addr, size_t n, char *data, size_t *got)
{
	struct space *space = insp_space(stub_inferior(s)->insp);
	size_t done = 0, part, want;

	do {
		uint64_t at = addr + done;

		want = (size_t)at_most(n - done,
				       READ_PIECE - at % READ_PIECE);
		struct err *err = space_read_some(space, at, want, data + done,
						  &part);
		if (err && done == 0)
			return err;
		err_free(err);
		done += err ? 0 : part;
		part = err ? 0 : part;
	} while (part == want && done < n);
	*got = done;
	return NULL;
}

/*
 * lldb 14 shows zeros for what is missing at the end of a read, but not where
 * all of it fails. What fills a line of its cache may be short.
 */
#define LLDB_LINE 512u

static struct err *
refuse_gap(struct stub *s, uint64_t addr, size_t n)
{
	char byte;
	size_t got;

	if (s->dialect != DIALECT_LLDB || n <= LLDB_LINE)
		return NULL;
	return space_read_some(insp_space(stub_inferior(s)->insp), addr, 1,
			       &byte, &got);
}

/**
 * What is asked for, as far as it is there and @limit allows; borrowed until
 * the next packet.
 */
static struct err *
read_some(struct stub *s, const struct reading *r, size_t limit,
	  struct span *out)
{
	uint64_t addr = r->addr, n = r->n, end;

	*out = (struct span){ NULL, 0 };
	if (n == 0)
		return NULL;
	if (!u64_add(addr, n - 1, &end))
		return err_new(ERR_USAGE, "beyond the address space");
	if (n == 1)
		points_looked(s, addr);
	n = at_most(n, limit);
	buf_reset(&s->room);
	char *data = buf_extend(&s->room, n);
	if (!data)
		return err_nomem();
	out->data = data;
	struct err *err = read_pieces(s, addr, n, data, &out->n);
	if (!err && out->n < n)
		err = refuse_gap(s, addr + out->n, n);
	return err;
}

static struct err *
answer_digits(struct stub *s, const struct reading *r, size_t *put)
{
	struct span data;

	struct err *err = read_some(s, r, s->options.packet_size / 2, &data);
	if (err)
		return err;
	if (data.n == 0)
		stub_ok(s);     /* as lldb-server; gdb never asks that */
	else
		buf_hex(&s->reply, data.data, data.n);
	*put = data.n;
	return NULL;
}

/*
 * What does not fit into a packet ends at a whole word: a client that reads on
 * behind it then does so at the same places as one that counts in words.
 */
static size_t
put_bytes(struct stub *s, uint64_t addr, struct span data)
{
	const char *bytes = data.data;
	size_t put = framing_put_binary(&s->reply, bytes, data.n,
					s->options.packet_size);
	size_t odd = put < data.n ? (size_t)((addr + put) % WORD) : 0;

	if (odd >= put)
		return put;
	s->reply.len -= framing_escaped(bytes + put - odd, odd);
	return put - odd;
}

/*
 * By "binary-upload+" gdb 16, lldb 20 and later want a 'b' first. An lldb
 * before that asks "x0,0" and takes "OK" as a promise of bare bytes; nobody
 * else asks for nothing.
 */
static struct err *
answer_bytes(struct stub *s, const struct reading *r, size_t *put)
{
	struct span data;

	struct err *err = read_some(s, r, s->options.packet_size, &data);
	if (err)
		return err;
	if (s->dialect == DIALECT_LLDB && r->n == 0)
		s->bare_bytes = true;
	if (!s->bare_bytes)
		buf_putc(&s->reply, 'b');
	else if (data.n == 0)
		stub_ok(s);
	*put = put_bytes(s, r->addr, data);
	return NULL;
}

struct err *
memory_answer(struct stub *s, const struct reading *r, size_t *put)
{
	return r->kind == 'x' ? answer_bytes(s, r, put)
			      : answer_digits(s, r, put);
}

static struct err *
read_as(struct stub *s, char kind, const struct args *a)
{
	const struct reading r = { kind, a->v[0].number, a->v[1].number };
	size_t put;

	struct err *err = memory_answer(s, &r, &put);
	if (err)
		inside_refused(s, r.addr);
	else
		ahead_note(s, &r, put);
	return err;
}

struct err *
memory_read(struct stub *s, const struct args *a)
{
	return read_as(s, 'm', a);
}

struct err *
memory_read_binary(struct stub *s, const struct args *a)
{
	return read_as(s, 'x', a);
}

/* gdb probes with an empty X, so writing nothing succeeds anywhere. */
struct err *
memory_write(struct stub *s, const struct args *a)
{
	const struct span *data = &a->v[2].bytes;
	uint64_t end;

	if (data->n != a->v[1].number)
		return err_new(ERR_USAGE, "not as many bytes as declared");
	if (data->n && !u64_add(a->v[0].number, data->n - 1, &end))
		return err_new(ERR_USAGE, "beyond the address space");
	if (data->n == sizeof(uint64_t))
		overlay_before(s, a->v[0].number, data->n, data->data,
			       &s->word);
	else if (data->n == 1)
		overlay_before(s, a->v[0].number, 1, data->data, &s->trap);
	struct err *err = space_write(insp_space(stub_inferior(s)->insp),
				      a->v[0].number, data->n, data->data);
	if (err)
		return err;
	if (data->n == sizeof(uint64_t)) {
		s->pushed = a->v[0].number;
		s->pushed_by = s->packets;
	}
	stub_ok(s);
	return NULL;
}

struct err *
memory_write_binary(struct stub *s, const struct args *a)
{
	return memory_write(s, a);
}

/* ---- breakpoints ------------------------------------------------------- */
/*
 * Accepted where something is mapped, and of no effect but for what is watched
 * (watch.c): nothing will run into them. lldb sets one while connecting; gdb before it goes on.
 */
static struct err *
answer_breakpoint(struct stub *s, const struct args *a)
{
	struct region r;

	if (a->v[0].number < '0' || a->v[0].number > '4')
		return NULL;    /* no such type: not supported */
	space_region(insp_space(stub_inferior(s)->insp), a->v[1].number, &r);
	if (!r.mapped)
		return err_new(ERR_UNMAPPED, "nothing is mapped there");
	stub_ok(s);
	return NULL;
}

struct err *
memory_breakpoint(struct stub *s, const struct args *a)
{
	struct err *err = answer_breakpoint(s, a);

	if (err)
		return err;
	watch_set(s, a);
	points_set(s, a);
	return NULL;
}

struct err *
memory_no_breakpoint(struct stub *s, const struct args *a)
{
	watch_clear(s, a);
	points_clear(s, a);
	return answer_breakpoint(s, a);
}
