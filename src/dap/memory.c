/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests "readMemory" and "writeMemory". What is read ends before the first
 * byte that is not there, and never shows zeros for what was not captured; what
 * is written lands in the session's overlay.
 */
#include "dap/refs.h"
#include "inspect/overlay.h"

#include <inttypes.h>
#include <string.h>

#define READ_MAX (1u << 20)
#define WRITE_MAX (1u << 20)
/*
 * A target gives all of a read or nothing of it: by such pieces what is there
 * in front of a hole is found.
 */
#define PIECE 4096u
#define GAPS_MAX 65536u         /* pieces of what is not there */

struct memory {
	uint64_t addr;
	int64_t offset, count;
};

static struct err *
read_place(const struct json *arguments, struct memory *m)
{
	static const struct arg_bounds any = { INT64_MIN, INT64_MAX, 0 };
	uint64_t from;

	struct err *err = arg_address(arguments, "memoryReference", &from);
	if (!err)
		err = arg_number(arguments, "offset", &any, &m->offset);
	if (err)
		return err;
	m->addr = from + (uint64_t)m->offset;
	if ((m->offset < 0) != (m->addr < from) && m->offset)
		return err_new(ERR_USAGE, "0x%" PRIx64 " and \"offset\" %"
			       PRId64 " are no address: it wraps around", from,
			       m->offset);
	return NULL;
}

/* ---- reading ---------------------------------------------------------------- */
static struct err *
read_pieces(struct space *sp, uint64_t addr, uint64_t n, struct buf *out)
{
	char piece[PIECE];
	size_t want, got;

	for (uint64_t done = 0; done < n; done += got) {
		uint64_t at = addr + done;

		want = PIECE - at % PIECE;
		want = want < n - done ? want : (size_t)(n - done);
		_err_ struct err *err = space_read_some(sp, at, want, piece,
							&got);
		if (err)
			break;
		buf_put(out, piece, got);
		if (got < want)
			break;
	}
	return buf_err(out);
}

/* Where what is said of @addr may end: a range, a piece of the overlay. */
static uint64_t
gap_end(const struct dap *d, uint64_t addr)
{
	struct region r;
	uint64_t end = (addr | (PIECE - 1)) + 1;
	const struct overlay_piece *written =
		overlay_above(insp_overlay(d->shown.insp), addr);

	space_region(insp_space(d->shown.insp), addr, &r);
	if (!r.captured && r.end > addr)
		end = r.end;
	if (!r.captured && r.map && r.map->end > addr && r.map->end < end)
		end = r.map->end;
	if (written && written->start > addr && written->start < end)
		end = written->start;
	return end > addr ? end : UINT64_MAX;
}

/** Bytes from @addr on that are not there, of @n. */
static uint64_t
gap_length(const struct dap *d, uint64_t addr, uint64_t n)
{
	struct space *sp = insp_space(d->shown.insp);
	uint64_t at = addr;

	for (unsigned k = 0; k < GAPS_MAX && at - addr < n; k++) {
		char byte;
		_err_ struct err *err = space_read(sp, at, 1, &byte);
		uint64_t end = gap_end(d, at);

		if (!err)
			break;
		if (end == UINT64_MAX)
			return n;
		at = end;
	}
	return at - addr < n ? at - addr : n;
}

struct err *
memory_answer_read(struct dap *d, const struct json *arguments,
		   struct json **body)
{
	static const struct arg_bounds counts = { 0, INT64_MAX, -1 };
	_buf_ struct buf bytes = { 0 }, text = { 0 };
	struct memory m;
	uint64_t n;

	struct err *err = read_place(arguments, &m);
	if (!err)
		err = arg_number(arguments, "count", &counts, &m.count);
	if (!err && m.count < 0)
		err = err_new(ERR_USAGE, "\"count\" is needed");
	if (err)
		return err;
	/* Behind the last address there is nothing to ask for. */
	n = (uint64_t)m.count;
	if (n && n - 1 > UINT64_MAX - m.addr)
		n = UINT64_MAX - m.addr + 1;
	uint64_t wanted = n < READ_MAX ? n : READ_MAX;
	err = read_pieces(insp_space(d->shown.insp), m.addr, wanted, &bytes);
	buf_base64(&text, bytes.data, bytes.len);
	if (err || text.failed)
		return err ? err : err_nomem();
	*body = json_object();
	json_set(*body, "address", json_addr(m.addr));
	if (bytes.len < wanted)
		json_set(*body, "unreadableBytes", json_u64(gap_length(
				d, m.addr + bytes.len, n - bytes.len)));
	if (bytes.len)
		json_set(*body, "data", json_string(text.data));
	return NULL;
}

/* ---- writing ------------------------------------------------------------------ */
/** As far as it is mapped. */
static struct err *
write_some(struct space *sp, uint64_t addr, const struct buf *bytes,
	   size_t *done)
{
	for (*done = 0; *done < bytes->len;) {
		uint64_t at = addr + *done;
		size_t n = PIECE - at % PIECE;

		n = n < bytes->len - *done ? n : bytes->len - *done;
		struct err *err = space_write(sp, at, n, bytes->data + *done);
		if (err && *done && err_kind(err) == ERR_UNMAPPED) {
			err_free(err);
			break;
		}
		if (err)
			return err;
		*done += n;
	}
	return NULL;
}

static struct err *
read_data(const struct json *arguments, struct buf *out)
{
	const char *text;
	struct err *err = arg_string(arguments, "data", true, &text);

	if (err)
		return err;
	if (strlen(text) / 4 * 3 > WRITE_MAX + 2)
		return err_new(ERR_LIMIT, "at most %u bytes are written at "
			       "once", WRITE_MAX);
	if (!base64_bytes(text, strlen(text), out))
		err = err_new(ERR_USAGE, "\"data\" is no base64");
	return err ? err : buf_err(out);
}

struct err *
memory_answer_write(struct dap *d, const struct json *arguments,
		    struct json **body)
{
	struct space *sp = insp_space(d->shown.insp);
	bool partly = json_is_true(json_get(arguments, "allowPartial"), false);
	_buf_ struct buf bytes = { 0 };
	struct memory m;
	size_t done = 0;

	struct err *err = read_place(arguments, &m);
	if (!err)
		err = read_data(arguments, &bytes);
	if (err)
		return err;
	err = partly ? write_some(sp, m.addr, &bytes, &done)
		     : space_write(sp, m.addr, bytes.len, bytes.data);
	if (!err && !partly)
		done = bytes.len;
	if (done)
		write_note(d, m.addr, done);
	if (err)
		return err;
	*body = json_object();
	json_set(*body, "bytesWritten", json_u64(done));
	return NULL;
}
