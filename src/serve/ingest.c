/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ingest: what the store is told of a snapshot, or of a symbol file. A jailed process looks inside
 * and describes the file in a record; whoever owns the store reads the record
 * and believes nothing of it but what it may say: pieces that cover a file,
 * and attributes.
 *
 * The record, little-endian: u64 magic, u32 number of pieces, u32 number of
 * attributes; of each piece, in the order of the file, u64 length and u8 kind;
 * of each attribute u8 type, u64 number, key and, for strings, the string,
 * both ended by NUL.
 */
#include <elf.h>
#include <string.h>

#include "base/cut.h"
#include "inspect/skeleton.h"
#include "serve/serve.h"

#define INGEST_MAGIC 0x31747365676e69ull        /* "ingest1" */
#define PIECE_SIZE 9u
#define KEY_MAX 255u
#define STRING_MAX 32768u

/* ---- the jailed side: attributes ---- */

struct describing {
	const struct snap *snap;
	struct arena *arena;
	struct vec attrs;       /* of struct snap_attr */
};

static bool
attr_is_there(const struct describing *d, const char *key)
{
	const struct snap_attr *attrs = d->attrs.data;

	for (size_t k = 0; k < d->attrs.n; k++) {
		if (strcmp(attrs[k].key, key) == 0)
			return true;
	}
	return false;
}

/* What the snapshot says itself comes first, and is never replaced. More than
   the store takes is left out. */
static struct err *
attr_add(struct describing *d, const struct snap_attr *attr)
{
	size_t n = strlen(attr->key);

	if (!n || n > KEY_MAX || d->attrs.n >= STORE_ATTRS_MAX
	    || attr_is_there(d, attr->key))
		return NULL;
	struct snap_attr *slot = vec_add(&d->attrs, d->arena, sizeof(*slot));
	if (!slot)
		return err_nomem();
	*slot = *attr;
	if (attr->type != SNAP_ATTR_STRING)
		return NULL;
	slot->string = arena_strndup(d->arena, attr->string ? attr->string : "",
				     STRING_MAX);
	return slot->string ? NULL : err_nomem();
}

static struct err *
attr_add_string(struct describing *d, const char *key, const char *string)
{
	const struct snap_attr attr = { key, SNAP_ATTR_STRING, string, 0 };

	return string && *string ? attr_add(d, &attr) : NULL;
}

static struct err *
attr_add_number(struct describing *d, const char *key, uint64_t number)
{
	const struct snap_attr attr = { key, SNAP_ATTR_U64, NULL, number };

	return number ? attr_add(d, &attr) : NULL;
}

static struct err *
describe_application(struct describing *d)
{
	const struct snap_process *p = snap_process(d->snap);
	const char *exe = cut_base(p->exe);

	return attr_add_string(d, "application", exe ? exe : p->name);
}

static struct err *
describe_process(struct describing *d)
{
	const struct snap_process *p = snap_process(d->snap);
	struct err *err = describe_application(d);
	size_t threads;

	snap_threads(d->snap, &threads);
	if (!err)
		err = attr_add_number(d, "pid", p->pid);
	if (!err)
		err = attr_add_string(d, "process.cwd", p->cwd);
	if (!err)
		err = attr_add_number(d, "process.thread.count", threads);
	if (!err)
		err = attr_add_number(d, "timestamp",
				      p->captured_ns / 1000000000u);
	return err;
}

static struct err *
describe_signal(struct describing *d)
{
	const struct snap_process *p = snap_process(d->snap);
	const struct snap_attr number = {
		"signal", SNAP_ATTR_I64, NULL, (uint64_t)(int64_t)p->signal
	};
	const char *name = p->os == SNAP_OS_LINUX ? sigabbrev_np(p->signal)
						  : NULL;

	if (!p->signal)
		return NULL;
	struct err *err = attr_add(d, &number);
	if (err || !name)
		return err;
	return attr_add_string(d, "error.type",
			       arena_printf(d->arena, "SIG%s", name));
}

static struct err *
describe_machine(struct describing *d, uint16_t machine)
{
	static const struct {
		uint16_t machine;
		const char *name;
	} machines[] = {
		{ EM_X86_64, "x86_64" }, { EM_386, "i386" },
		{ EM_AARCH64, "aarch64" }, { EM_ARM, "arm" },
	};

	for (size_t k = 0; k < countof(machines); k++) {
		if (machines[k].machine == machine)
			return attr_add_string(d, "cpu.arch", machines[k].name);
	}
	return NULL;
}

static struct err *
describe_system(struct describing *d)
{
	static const char *const systems[] = {
		[SNAP_OS_LINUX] = "Linux", [SNAP_OS_FREEBSD] = "FreeBSD",
	};
	const struct snap_process *p = snap_process(d->snap);
	struct err *err = describe_machine(d, p->machine);

	if (!err && p->os < countof(systems))
		err = attr_add_string(d, "uname.sysname", systems[p->os]);
	return err;
}

static struct err *
describe_attrs(struct describing *d)
{
	static struct err *(*const parts[])(struct describing *) = {
		describe_process, describe_signal, describe_system,
	};
	struct err *err = NULL;
	size_t n;

	const struct snap_attr *attrs = snap_attrs(d->snap, &n);
	for (size_t k = 0; k < n && !err; k++)
		err = attr_add(d, &attrs[k]);
	for (size_t k = 0; k < countof(parts) && !err; k++)
		err = parts[k](d);
	return err;
}

/* ---- the jailed side: the record ---- */

static void
put_attr(const struct snap_attr *attr, struct buf *out)
{
	buf_putc(out, (char)attr->type);
	buf_u64(out, attr->number);
	buf_put(out, attr->key, strlen(attr->key) + 1);
	if (attr->type == SNAP_ATTR_STRING)
		buf_put(out, attr->string, strlen(attr->string) + 1);
}

static struct err *
put_record(const struct describing *d, const struct snap_piece *pieces,
	   size_t n_pieces, struct buf *out)
{
	const struct snap_attr *attrs = d->attrs.data;

	if (n_pieces > UINT32_MAX)
		return err_new(ERR_LIMIT, "it has more pieces than a store "
			       "takes");
	buf_u64(out, INGEST_MAGIC);
	buf_u32(out, (uint32_t)n_pieces);
	buf_u32(out, (uint32_t)d->attrs.n);
	for (size_t k = 0; k < n_pieces; k++) {
		buf_u64(out, pieces[k].length);
		buf_putc(out, (char)pieces[k].kind);
	}
	for (size_t k = 0; k < d->attrs.n; k++)
		put_attr(&attrs[k], out);
	return buf_err(out);
}

static struct err *
describe_snapshot(struct source *file, struct arena *a, struct buf *out)
{
	_snap_ struct snap *snap = NULL;
	const struct snap_piece *pieces;
	size_t n;

	struct err *err = snap_open(file, &snap);
	if (err)
		return err;
	struct describing d = { .snap = snap, .arena = a };
	err = snap_pieces(snap, a, &pieces, &n);
	if (!err)
		err = describe_attrs(&d);
	return err ? err : put_record(&d, pieces, n, out);
}

/* A program or a debug file: it is found by its build-id. */
static struct err *
describe_symbols(struct source *file, struct arena *a, struct buf *out)
{
	const struct snap_piece all = { 0, source_size(file),
					SNAP_PIECE_PLAIN };
	struct describing d = { .arena = a };
	char id[2 * ID_MAX + 1];
	struct symfile is;

	struct err *err = symfile_read(file, &is);
	if (err)
		return err;
	id_text(&is.id, id);
	err = attr_add_string(&d, STORE_SYMBOLS_ID, id);
	if (!err)
		err = attr_add_number(&d, STORE_SYMBOLS_KINDS,
				      (is.code ? STORE_SYMBOLS_CODE : 0u)
				      | (is.debug ? STORE_SYMBOLS_DEBUG : 0u));
	if (!err)
		err = attr_add_string(&d, "application",
				      cut_base(source_name(file)));
	if (!err)
		err = describe_machine(&d, is.machine);
	return err ? err : put_record(&d, &all, 1, out);
}

struct err *
ingest_describe(struct source *file, struct buf *out)
{
	_arena_ struct arena *a = arena_new(0);

	if (!a)
		return err_nomem();
	return symfile_is(file) ? describe_symbols(file, a, out)
				: describe_snapshot(file, a, out);
}

/* ---- the trusted side ---- */

static struct err *
read_damaged(const char *what)
{
	return err_new(ERR_DAMAGED, "what the jailed reader told of the file "
		       "is no description of one: %s", what);
}

static struct err *
read_pieces(struct rd *r, size_t n, struct arena *a, struct store_put *out)
{
	struct snap_piece *pieces;
	uint64_t at = 0;

	if (n > rd_left(r) / PIECE_SIZE)
		return read_damaged("fewer pieces than it says");
	pieces = arena_array(a, n, sizeof(*pieces));
	if (!pieces && n)
		return err_nomem();
	for (size_t k = 0; k < n; k++) {
		pieces[k].offset = at;
		pieces[k].length = rd_u64(r);
		pieces[k].kind = rd_u8(r);
		if (!pieces[k].length || pieces[k].kind > SNAP_PIECE_SKELETON
		    || !u64_add(at, pieces[k].length, &at))
			return read_damaged("a piece that cannot be");
	}
	out->pieces = pieces;
	out->n_pieces = n;
	return NULL;
}

/* A string of @least to @most bytes, kept in @a; NULL if it is not. */
static const char *
read_string(struct rd *r, size_t least, size_t most, struct arena *a)
{
	const char *s = rd_str(r);
	size_t n = s ? strlen(s) : 0;

	return s && n >= least && n <= most ? arena_strndup(a, s, n) : NULL;
}

static struct err *
read_attrs(struct rd *r, size_t n, struct arena *a, struct store_put *out)
{
	struct snap_attr *attrs;

	if (n > STORE_ATTRS_MAX)
		return read_damaged("too many attributes");
	attrs = arena_array(a, n, sizeof(*attrs));
	if (!attrs && n)
		return err_nomem();
	for (size_t k = 0; k < n; k++) {
		struct snap_attr *at = &attrs[k];
		at->type = rd_u8(r);
		at->number = rd_u64(r);
		at->key = read_string(r, 1, KEY_MAX, a);
		if (at->type == SNAP_ATTR_STRING)
			at->string = read_string(r, 0, STRING_MAX, a);
		if (!at->key || at->type < SNAP_ATTR_STRING
		    || at->type > SNAP_ATTR_BOOL
		    || (at->type == SNAP_ATTR_STRING && !at->string))
			return read_damaged("an attribute that cannot be");
	}
	out->attrs = attrs;
	out->n_attrs = n;
	return NULL;
}

struct err *
ingest_read(struct span record, struct arena *a, struct store_put *out)
{
	struct rd r = rd_of(record.data, record.n);
	uint64_t magic = rd_u64(&r);
	uint32_t n_pieces = rd_u32(&r), n_attrs = rd_u32(&r);

	if (rd_failed(&r) || magic != INGEST_MAGIC)
		return read_damaged("it does not begin like one");
	struct store_put put = *out;
	struct err *err = read_pieces(&r, n_pieces, a, &put);
	if (!err)
		err = read_attrs(&r, n_attrs, a, &put);
	if (err)
		return err;
	if (rd_failed(&r) || rd_left(&r))
		return read_damaged("it does not end where it should");
	*out = put;
	return NULL;
}
