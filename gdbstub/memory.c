/* SPDX-License-Identifier: Apache-2.0 */
/*
 * m x M X, searching, and breakpoints. A read ends before the first byte that
 * is not there; it fails where not even one is, and never shows zeros for
 * what was not captured. Writes land in the session's overlay.
 */
#include "gdbstub/impl.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SEARCH_SECONDS 10
#define SEARCH_STEP (16u << 20)

static uint64_t
at_most(uint64_t n, uint64_t limit)
{
	return n < limit ? n : limit;
}

/**
 * What is asked for, as far as it is there and @limit allows, into fresh
 * memory at *@data.
 */
static struct err *
read_some(struct stub *s, const struct args *a, size_t limit, uint8_t **data,
	  size_t *got)
{
	uint64_t addr = a->v[0].number, n = a->v[1].number, end;

	*got = 0;
	if (n == 0)
		return NULL;
	if (!u64_add(addr, n - 1, &end))
		return err_new(ERR_USAGE, "beyond the address space");
	n = at_most(n, limit);
	*data = malloc(n);
	if (!*data)
		return err_nomem();
	return space_read_some(insp_space(stub_inferior(s)->insp), addr, n,
			       *data, got);
}

struct err *
memory_read(struct stub *s, const struct args *a)
{
	_free_ uint8_t *data = NULL;
	size_t got;

	struct err *err = read_some(s, a, s->options.packet_size / 2, &data,
				    &got);
	if (err)
		return err;
	if (got == 0)
		stub_ok(s);     /* as lldb-server; gdb never asks that */
	else
		buf_hex(&s->reply, data, got);
	return NULL;
}

/* gdb 16 and later want a 'b' first, by "binary-upload+"; lldb 14 asks "x0,0"
 * and takes "OK" as a promise of bare bytes. */
struct err *
memory_read_binary(struct stub *s, const struct args *a)
{
	size_t limit = s->options.packet_size;
	_free_ uint8_t *data = NULL;
	size_t got;

	struct err *err = read_some(s, a, limit, &data, &got);
	if (err)
		return err;
	if (s->dialect == DIALECT_GDB)
		buf_putc(&s->reply, 'b');
	else if (got == 0)
		stub_ok(s);
	framing_put_binary(&s->reply, data, got, limit);
	return NULL;
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

/* ---- searching --------------------------------------------------------- */
static int64_t
now_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

/*
 * Search from *@addr on and move it to the last address that was looked at.
 * Unmapped space is passed in one step, mapped space is searched in pieces, so
 * that the time can be looked at in between.
 */
static struct err *
search_step(struct space *sp, uint64_t *addr, uint64_t last, struct span pat,
	    uint64_t *found)
{
	const uint64_t from = *addr;
	struct region r;

	space_region(sp, from, &r);
	uint64_t stop = r.end - 1;
	if (stop < from)                /* the last byte there is */
		stop = from;
	if (r.mapped && stop - from > SEARCH_STEP)
		stop = from + SEARCH_STEP;
	if (stop > last)
		stop = last;
	*addr = stop;
	/* A match may begin at @stop and end behind it. */
	uint64_t n = stop - from + at_most(last - stop, pat.n - 1) + 1;
	if (!r.mapped || n < pat.n)
		return err_new(ERR_FAILED, "not here");
	return space_search(sp, from, n, pat, found);
}

/** ERR_FAILED where it does not occur. */
static struct err *
search_all(struct space *sp, uint64_t addr, uint64_t last, struct span pat,
	   uint64_t *found)
{
	int64_t deadline = now_seconds() + SEARCH_SECONDS;

	for (;;) {
		struct err *err = search_step(sp, &addr, last, pat, found);

		if (!err || err_kind(err) != ERR_FAILED || addr++ == last)
			return err;
		err_free(err);
		if (now_seconds() > deadline)
			return err_new(ERR_LIMIT, "the search takes too long");
	}
}

struct err *
memory_search(struct stub *s, const struct args *a)
{
	struct space *sp = insp_space(stub_inferior(s)->insp);
	uint64_t addr = a->v[0].number, n = a->v[1].number, last, found;
	const struct span pat = a->v[2].bytes;

	if (n == 0 || pat.n == 0 || !u64_add(addr, n - 1, &last))
		return err_new(ERR_USAGE, "nothing to search");
	_err_ struct err *err = search_all(sp, addr, last, pat, &found);
	if (!err)
		buf_printf(&s->reply, "1,%" PRIx64, found);
	else if (err_kind(err) == ERR_FAILED)
		buf_putc(&s->reply, '0');
	else
		return take(err);
	return NULL;
}

/* ---- breakpoints ------------------------------------------------------- */
/*
 * Accepted where something is mapped, and of no effect: nothing will run into
 * them. lldb sets one while connecting; gdb before it goes on.
 */
struct err *
memory_breakpoint(struct stub *s, const struct args *a)
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
