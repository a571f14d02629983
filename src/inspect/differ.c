/* SPDX-License-Identifier: Apache-2.0 */
/*
 * In what two targets differ: threads, modules, attributes.
 */
#include "inspect/differ.h"

#include <inttypes.h>
#include <string.h>

/** Whom rows are told. */
struct differ {
	struct insp *side[2];
	differ_fn *fn;
	void *arg;
};

void
insp_attr_text(const struct snap_attr *a, struct buf *out)
{
	double f;

	switch (a->type) {
	case SNAP_ATTR_STRING:
		buf_puts(out, a->string ? a->string : "");
		break;
	case SNAP_ATTR_I64:
		buf_printf(out, "%" PRId64, (int64_t)a->number);
		break;
	case SNAP_ATTR_F64:
		memcpy(&f, &a->number, sizeof(f));
		buf_printf(out, "%g", f);
		break;
	case SNAP_ATTR_BOOL:
		buf_puts(out, a->number ? "true" : "false");
		break;
	default:
		buf_printf(out, "%" PRIu64, a->number);
	}
}

/* "gone" of what the first side has alone, "new" of the second's. */
static const char *
alone(unsigned side)
{
	return side == 0 ? "gone" : "new";
}

/* @text is what the side has to say of it, or NULL. */
static struct err *
tell_alone(const struct differ *d, unsigned side, const char *what,
	   const char *text)
{
	const struct differ_row row = {
		.mark = alone(side), .what = what ? what : "",
		.before = side == 0 ? text : NULL,
		.after = side == 0 ? NULL : text,
	};

	return d->fn(d->arg, &row);
}

/* ---- threads ------------------------------------------------------------ */
static bool
where(struct insp *i, size_t thread, uint64_t *pc, uint64_t *sp)
{
	const struct arch *arch = insp_arch(i);
	struct frame_regs regs;
	_err_ struct err *err = insp_frame_regs(i, thread, &regs);

	if (err || !(regs.known >> arch->pc & regs.known >> arch->sp & 1))
		return false;
	*pc = regs.value[arch->pc];
	*sp = regs.value[arch->sp];
	return true;
}

static void
put_place(struct insp *i, uint64_t pc, struct buf *out)
{
	struct symbol symbol;
	_err_ struct err *err = insp_symbol(i, pc, &symbol);

	if (err || !symbol.name)
		buf_printf(out, "0x%" PRIx64, pc);
	else
		buf_printf(out, "%s+0x%" PRIx64, symbol.name,
			   pc - symbol.address);
}

static void
put_thread(struct insp *i, size_t thread, struct buf *out)
{
	const struct snap_thread *t = &insp_target(i)->threads[thread];

	buf_printf(out, "%" PRIu64, t->tid);
	if (t->name)
		buf_printf(out, " %s", t->name);
}

static struct err *
thread_alone(const struct differ *d, unsigned side, size_t thread)
{
	_buf_ struct buf what = { 0 }, place = { 0 };
	uint64_t pc, sp;

	put_thread(d->side[side], thread, &what);
	if (where(d->side[side], thread, &pc, &sp))
		put_place(d->side[side], pc, &place);
	if (what.failed || place.failed)
		return err_nomem();
	return tell_alone(d, side, what.data, place.data);
}

static struct err *
thread_moved(const struct differ *d, size_t x, size_t y)
{
	_buf_ struct buf what = { 0 }, before = { 0 }, after = { 0 };
	uint64_t pc[2], sp[2];

	if (!where(d->side[0], x, &pc[0], &sp[0])
	    || !where(d->side[1], y, &pc[1], &sp[1])
	    || (pc[0] == pc[1] && sp[0] == sp[1]))
		return NULL;
	put_thread(d->side[1], y, &what);
	put_place(d->side[0], pc[0], &before);
	put_place(d->side[1], pc[1], &after);
	if (pc[0] == pc[1])
		buf_puts(&after, ", another depth of stack");
	if (what.failed || before.failed || after.failed)
		return err_nomem();
	const struct differ_row row = {
		.mark = "moved", .what = what.data, .before = before.data,
		.after = after.data,
	};
	return d->fn(d->arg, &row);
}

static struct err *
threads_alone(const struct differ *d, unsigned side)
{
	const struct target *t = insp_target(d->side[side]);
	struct err *err = NULL;

	for (size_t k = 0; k < t->n_threads && !err; k++)
		if (insp_find_thread(d->side[!side], t->threads[k].tid)
		    == INSP_NONE)
			err = thread_alone(d, side, k);
	return err;
}

static struct err *
threads_changed(const struct differ *d)
{
	const struct target *t = insp_target(d->side[0]);
	struct err *err = NULL;

	for (size_t k = 0; k < t->n_threads && !err; k++) {
		size_t other = insp_find_thread(d->side[1], t->threads[k].tid);

		if (other != INSP_NONE)
			err = thread_moved(d, k, other);
	}
	return err;
}

/* ---- modules ------------------------------------------------------------ */
static bool
has_module(const struct insp *i, const struct snap_module *m)
{
	size_t n;
	const struct snap_module *all = insp_modules(i, &n);

	for (size_t k = 0; k < n; k++)
		if (all[k].start == m->start && id_equal(&all[k].id, &m->id))
			return true;
	return false;
}

static struct err *
modules_alone(const struct differ *d, unsigned side)
{
	size_t n;
	const struct snap_module *m = insp_modules(d->side[side], &n);
	struct err *err = NULL;

	for (size_t k = 0; k < n && !err; k++) {
		_buf_ struct buf at = { 0 };

		if (has_module(d->side[!side], &m[k]))
			continue;
		buf_printf(&at, "0x%" PRIx64, m[k].start);
		err = buf_err(&at);
		if (!err)
			err = tell_alone(d, side, m[k].path, at.data);
	}
	return err;
}

static struct err *
modules_changed(const struct differ *d)
{
	(void)d;
	return NULL;
}

/* ---- attributes --------------------------------------------------------- */
static const struct snap_attr *
find_attr(const struct target *t, const char *key)
{
	for (size_t k = 0; k < t->n_attrs; k++)
		if (strcmp(t->attrs[k].key, key) == 0)
			return &t->attrs[k];
	return NULL;
}

static bool
same_attr(const struct snap_attr *a, const struct snap_attr *b)
{
	if (a->type != b->type)
		return false;
	return a->type == SNAP_ATTR_STRING ? strcmp(a->string, b->string) == 0
					   : a->number == b->number;
}

/* What is of the capture, and not of the process, differs always. */
static bool
is_told(const struct snap_attr *a)
{
	return strncmp(a->key, "capture.", 8) != 0
	       && strncmp(a->key, "series.", 7) != 0;
}

static struct err *
attrs_alone(const struct differ *d, unsigned side)
{
	const struct target *a = insp_target(d->side[side]);
	const struct target *b = insp_target(d->side[!side]);
	struct err *err = NULL;

	for (size_t k = 0; k < a->n_attrs && !err; k++) {
		_buf_ struct buf text = { 0 };

		if (!is_told(&a->attrs[k]) || find_attr(b, a->attrs[k].key))
			continue;
		insp_attr_text(&a->attrs[k], &text);
		buf_putc(&text, '\0');
		err = buf_err(&text);
		if (!err)
			err = tell_alone(d, side, a->attrs[k].key, text.data);
	}
	return err;
}

static struct err *
attr_changed(const struct differ *d, const struct snap_attr *a,
	     const struct snap_attr *b)
{
	_buf_ struct buf before = { 0 }, after = { 0 };

	insp_attr_text(a, &before);
	insp_attr_text(b, &after);
	if (before.failed || after.failed)
		return err_nomem();
	const struct differ_row row = {
		.mark = "other", .what = a->key,
		.before = before.data ? before.data : "",
		.after = after.data ? after.data : "",
	};
	return d->fn(d->arg, &row);
}

static struct err *
attrs_changed(const struct differ *d)
{
	const struct target *a = insp_target(d->side[0]);
	struct err *err = NULL;

	for (size_t k = 0; k < a->n_attrs && !err; k++) {
		const struct snap_attr *other =
			find_attr(insp_target(d->side[1]), a->attrs[k].key);

		if (other && is_told(other) && !same_attr(&a->attrs[k], other))
			err = attr_changed(d, &a->attrs[k], other);
	}
	return err;
}

/* ---- all of them ------------------------------------------------------------ */
static size_t
count_threads(struct insp *i)
{
	return insp_target(i)->n_threads;
}

static size_t
count_modules(struct insp *i)
{
	size_t n;

	insp_modules(i, &n);
	return n;
}

static size_t
count_attrs(struct insp *i)
{
	return insp_target(i)->n_attrs;
}

static const struct {
	size_t (*count)(struct insp *i);
	struct err *(*alone)(const struct differ *d, unsigned side);
	struct err *(*changed)(const struct differ *d);
} lists[DIFFER_LISTS] = {
	[DIFFER_THREADS] = { count_threads, threads_alone, threads_changed },
	[DIFFER_MODULES] = { count_modules, modules_alone, modules_changed },
	[DIFFER_ATTRIBUTES] = { count_attrs, attrs_alone, attrs_changed },
};

void
insp_diff_count(struct insp *a, struct insp *b, enum differ_list list,
		size_t n[2])
{
	n[0] = lists[list].count(a);
	n[1] = lists[list].count(b);
}

struct err *
insp_diff(struct insp *a, struct insp *b, enum differ_list list,
	  differ_fn *fn, void *arg)
{
	const struct differ d = { .side = { a, b }, .fn = fn, .arg = arg };

	struct err *err = lists[list].alone(&d, 0);
	if (!err)
		err = lists[list].alone(&d, 1);
	return err ? err : lists[list].changed(&d);
}
