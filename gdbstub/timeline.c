/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A time line: the snapshots of one series as one process. To continue, either
 * way, is to go to the next snapshot. To step is to stay, because a client
 * steps on and on until a line of source is left, and would be at the end.
 */
#include "gdbstub/impl.h"
#include "inspect/overlay.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LINE_LIMIT (64u << 20)          /* bytes of records */
#define SKIPPED_MAX 64u
#define ROWS_MAX 400u
#define SECOND UINT64_C(1000000000)

/* ---- what a series is --------------------------------------------------- */
static const char *
series_id(struct insp *i)
{
	const struct target *t = insp_target(i);

	for (size_t k = 0; k < t->n_attrs; k++)
		if (strcmp(t->attrs[k].key, "series.id") == 0
		    && t->attrs[k].type == SNAP_ATTR_STRING)
			return t->attrs[k].string;
	return NULL;
}

static bool
same_series(struct insp *a, struct insp *b)
{
	const char *x = series_id(a), *y = series_id(b);

	return x && y && strcmp(x, y) == 0;
}

void
timeline_fini(struct timeline *line)
{
	arena_free(line->arena);
	*line = (struct timeline){ .jump = INSP_NONE, .watched = INSP_NONE };
}

static size_t
find_number(const struct timeline *line, uint64_t number)
{
	size_t k = 0;

	while (k < line->n && line->moments[k].number != number)
		k++;
	return k;
}

static struct err *
timeline_ask(struct stub *s, const struct inferior *f, struct timeline *out)
{
	const struct stub_host *host = s->options.host;
	const char *id = series_id(f->insp);

	out->arena = arena_new(LINE_LIMIT);
	if (!out->arena)
		return err_nomem();
	if (!host || !host->series || !id)
		return NULL;
	return host->series(host->arg, f->shown->number, id, out->arena,
			    &out->moments, &out->n);
}

/* Asks anew, because a series may still be growing. */
static struct err *
timeline_load(struct stub *s, struct inferior *f)
{
	struct timeline line = { .jump = INSP_NONE, .watched = INSP_NONE };

	struct err *err = timeline_ask(s, f, &line);
	if (err) {
		timeline_fini(&line);
		return err;
	}
	line.at = find_number(&line, f->shown->number);
	if (line.at == line.n || line.n < 2)
		line.n = 0;
	line.told = f->line.told;
	line.watched = f->line.watched;
	timeline_fini(&f->line);
	f->line = line;
	return NULL;
}

/** The process to be resumed, if it has a line. */
static struct inferior *
timeline_of(struct stub *s)
{
	struct inferior *f;

	if (s->resumed != INSP_NONE && s->resumed < s->n_inferiors
	    && s->resumed != s->inferior) {
		s->inferior = s->resumed;
		s->thread = stub_inferior(s)->stopped;
	}
	s->resumed = INSP_NONE;
	if (!s->n_inferiors)
		return NULL;
	f = stub_inferior(s);
	if (!f->line.arena && f->attached)
		err_free(timeline_load(s, f));
	return f->attached && f->line.n ? f : NULL;
}

/* ---- for a person ------------------------------------------------------- */
static uint64_t
moment_index(const struct timeline *line, size_t k)
{
	return k < line->n && line->moments[k].index ? line->moments[k].index
						     : k + 1;
}

static void
put_time(struct buf *out, uint64_t ns)
{
	time_t seconds = (time_t)(ns / SECOND);
	char text[32];
	struct tm tm;

	if (ns && gmtime_r(&seconds, &tm)
	    && strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm))
		buf_printf(out, ", %s.%03u UTC", text,
			   (unsigned)(ns % SECOND / 1000000));
}

static void
put_step(struct buf *out, uint64_t from, uint64_t to)
{
	uint64_t ns = to > from ? to - from : from - to;

	if (from && to)
		buf_printf(out, " (%c%" PRIu64 ".%03u s)",
			   to < from ? '-' : '+', ns / SECOND,
			   (unsigned)(ns % SECOND / 1000000));
}

static uint64_t
captured(const struct insp *i)
{
	return insp_target(i)->process.captured_ns;
}

void
timeline_put_place(const struct timeline *line, struct buf *out)
{
	buf_printf(out, "snapshot %" PRIu64 " of %zu",
		   moment_index(line, line->at), line->n);
}

void
timeline_put_reason(const struct timeline *line, struct buf *out)
{
	if (line->n == 0) {
		buf_puts(out, "captured");
	} else if (line->stepped) {
		buf_puts(out, "a step moves nothing: thread plan discard 1, "
			 "then continue");
	} else {
		buf_puts(out, line->ended ? "no more: " : "");
		timeline_put_place(line, out);
	}
}

static void
tell_where(struct stub *s, const struct inferior *f, uint64_t from)
{
	_buf_ struct buf b = { 0 };

	timeline_put_place(&f->line, &b);
	put_time(&b, captured(f->insp));
	put_step(&b, from, captured(f->insp));
	buf_putc(&b, '\n');
	resume_tell(s, b.data);
}

static void
tell_skipped(struct stub *s, const struct timeline *line, size_t k,
	     const struct err *err)
{
	_buf_ struct buf b = { 0 };

	buf_printf(&b, "snapshot %" PRIu64 " is passed over: ",
		   moment_index(line, k));
	buf_escape(&b, err_text(err), strlen(err_text(err)));
	buf_putc(&b, '\n');
	resume_tell(s, b.data);
}

/* ---- moving ------------------------------------------------------------- */
/** Is a library there that was not, or the other way round? */
static bool
other_modules(struct insp *a, struct insp *b)
{
	size_t n, m;
	const struct snap_module *x = insp_modules(a, &n);
	const struct snap_module *y = insp_modules(b, &m);

	if (n != m)
		return true;
	for (size_t k = 0; k < n; k++)
		if (x[k].start != y[k].start || !id_equal(&x[k].id, &y[k].id)
		    || x[k].link_map != y[k].link_map)
			return true;
	return false;
}

/* The same thread as before, where it is still there. */
static void
choose_thread(struct stub *s, const struct inferior *f, uint64_t tid)
{
	size_t k = inferior_find_thread(f, tid);

	s->thread = k != INSP_NONE ? k : 0;
	s->threads.rendered = false;
}

/* @shown takes the place of what @f shows; all else of it stays. */
static struct err *
replace(struct stub *s, struct inferior *f, struct shown *shown, size_t to)
{
	const struct watch *w = watch_changed(s, f->insp, shown->insp);
	struct inferior next = { .attached = true };
	uint64_t tid = s->thread < f->n_threads ? f->tids[s->thread] : ID_ANY;
	struct shown *before = f->shown;

	struct err *err = inferior_init(&next, shown, f->pid);
	if (err) {
		inferior_fini(&next);
		return err;
	}
	next.number = f->number;
	next.line = f->line;
	next.line.at = to;
	next.line.told = other_modules(f->insp, shown->insp);
	next.line.watched = w ? w->addr : INSP_NONE;
	inferior_fini(f);
	*f = next;
	choose_thread(s, f, tid);
	shown_close(s, before);
	return NULL;
}

/* ERR_NOTFOUND: it is of another series. */
static struct err *
move_to(struct stub *s, struct inferior *f, size_t to)
{
	struct shown *shown;

	struct err *err = shown_open(s, f->line.moments[to].number, &shown);
	if (err)
		return err;
	err = same_series(f->insp, shown->insp) ? replace(s, f, shown, to)
		: err_new(ERR_NOTFOUND, "it is of another series");
	if (err)
		shown_close(s, shown);
	return err;
}

/** The first one that can be shown, from @to on; false at an end. */
static bool
move_on(struct stub *s, struct inferior *f, size_t to, bool back)
{
	for (unsigned n = 0; to < f->line.n && n < SKIPPED_MAX; n++) {
		_err_ struct err *err = move_to(s, f, to);

		if (!err)
			return true;
		if (err_kind(err) != ERR_NOTFOUND)
			tell_skipped(s, &f->line, to, err);
		to = back ? to - 1 : to + 1;
	}
	return false;
}

static struct err *
stay(struct stub *s, struct inferior *f, bool back)
{
	_buf_ struct buf b = { 0 };

	buf_printf(&b, "this is the %s snapshot of the series, number %" PRIu64
		   "\n", back ? "first" : "last",
		   moment_index(&f->line, f->line.at));
	resume_tell(s, b.data);
	f->line.ended = true;
	return resume_stay(s, back);
}

static void
tell_watched(struct stub *s, uint64_t addr)
{
	_buf_ struct buf b = { 0 };

	buf_printf(&b, "what is watched at 0x%" PRIx64 " differs\n", addr);
	resume_tell(s, b.data);
}

/*
 * gdb goes on by itself once it has read the list of libraries anew, which is
 * when it stops for good. It has then taken what it watches as it is now for
 * what it was, and would go on once more if it was told that it differs.
 */
static struct err *
arrive(struct stub *s, struct inferior *f)
{
	char why[32] = "";

	if (s->dialect == DIALECT_LLDB) {
		struct err *err = stop_reply(s, STOP_FIRST);

		if (!err && f->line.told)
			buf_puts(&s->reply, "library:;");
		f->line.told = false;
		return err;
	}
	if (f->line.told && f->line.watched != INSP_NONE)
		tell_watched(s, f->line.watched);
	if (f->line.told)
		f->line.watched = INSP_NONE;
	if (f->line.told)
		return stop_reply_with(s, "library:;");
	if (f->line.watched != INSP_NONE)
		snprintf(why, sizeof(why), "watch:%" PRIx64 ";",
			 f->line.watched);
	f->line.watched = INSP_NONE;
	return stop_reply_with(s, why);
}

/** The second half of a move whose first one told of libraries. */
static bool
arrive_now(struct stub *s, struct inferior *f, struct err **err)
{
	if (!f->line.told || s->dialect == DIALECT_LLDB)
		return false;
	f->line.told = false;
	*err = arrive(s, f);
	return true;
}

bool
timeline_displaced(const struct inferior *f)
{
	size_t n, pc = inferior_generic_reg(f, "pc");
	const struct overlay_reg *r = overlay_regs(f->shown->overlay, &n);
	bool differs = false, known;

	insp_lay_over(f->insp, NULL);
	for (size_t k = 0; k < n && !differs; k++) {
		uint8_t was[REG_BYTES_MAX] = { 0 };

		if (r[k].reg != pc)
			continue;
		_err_ struct err *err = insp_reg_read(f->insp, r[k].thread, pc,
						      was, &known);
		differs = err || memcmp(was, r[k].bytes, sizeof(uint64_t));
	}
	insp_lay_over(f->insp, f->shown->overlay);
	return differs;
}

/* lldb resumes of its own accord, too, a thread alone, to call a function. A
 * person lets all of them run. */
static bool
is_asked(const struct stub *s, const struct inferior *f)
{
	return s->dialect == DIALECT_GDB || f->line.jump != INSP_NONE
	       || (s->resumed_all && !timeline_displaced(f));
}

bool
timeline_jumps(const struct stub *s)
{
	const struct timeline *line;

	if (!s->n_inferiors)
		return false;
	line = &stub_inferior(s)->line;
	return line->arena && line->jump != INSP_NONE;
}

bool
timeline_continue(struct stub *s, bool back, struct err **err)
{
	struct inferior *f = timeline_of(s);

	if (!f || !is_asked(s, f))
		return false;
	f->line.ended = f->line.stepped = false;
	if (arrive_now(s, f, err))
		return true;
	uint64_t from = captured(f->insp);
	size_t jump = f->line.jump;
	f->line.jump = INSP_NONE;
	if (!back && jump == INSP_NONE && f->line.at + 1 == f->line.n)
		err_free(timeline_load(s, f));
	size_t to = jump != INSP_NONE ? jump : f->line.at + (back ? -1 : 1);
	if (!f->line.n || !move_on(s, f, to, back)) {
		*err = stay(s, f, back);
		return true;
	}
	tell_where(s, f, from);
	*err = arrive(s, f);
	return true;
}

bool
timeline_stay(struct stub *s, const char *why, struct err **err)
{
	struct inferior *f = timeline_of(s);

	if (f)
		f->line.stepped = true;
	if (!f || s->dialect == DIALECT_LLDB)
		return false;
	if (arrive_now(s, f, err))
		return true;
	resume_tell(s, why);
	*err = arrive(s, f);
	return true;
}

/* ---- monitor snapshot --------------------------------------------------- */
static void
put_moment(const struct timeline *line, size_t k, struct buf *out)
{
	const struct stub_offer *m = &line->moments[k];

	buf_printf(out, "%s%4" PRIu64 "  ", k == line->at ? "*" : " ",
		   moment_index(line, k));
	if (m->captured)
		buf_escape(out, m->captured, strlen(m->captured));
	buf_puts(out, m->captured ? "  " : "");
	if (m->id)
		buf_escape(out, m->id, strlen(m->id));
	buf_putc(out, '\n');
}

static void
put_line(const struct timeline *line, struct buf *out)
{
	size_t from = line->at > ROWS_MAX / 2 ? line->at - ROWS_MAX / 2 : 0;
	size_t to = line->n - from > ROWS_MAX ? from + ROWS_MAX : line->n;

	if (from)
		buf_printf(out, "%zu before\n", from);
	for (size_t k = from; k < to; k++)
		put_moment(line, k, out);
	if (to < line->n)
		buf_printf(out, "%zu more\n", line->n - to);
	buf_puts(out, "continue goes to the next one, reverse-continue back; "
		 "monitor snapshot N, then continue, to number N\n");
}

static struct err *
set_jump(struct timeline *line, const char *argument, struct buf *out)
{
	char *end;
	uint64_t index = strtoull(argument, &end, 10);
	size_t k = 0;

	while (k < line->n && moment_index(line, k) != index)
		k++;
	if (argument[0] < '0' || argument[0] > '9' || *end || k == line->n)
		return err_new(ERR_NOTFOUND, "no snapshot of this series has "
			       "that number: monitor snapshot lists them");
	line->jump = k;
	buf_printf(out, "snapshot %" PRIu64 " of %zu is next: say continue\n",
		   index, line->n);
	return NULL;
}

bool
timeline_number(struct stub *s, uint64_t index, uint64_t *number)
{
	struct inferior *f = stub_inferior(s);
	const struct timeline *line = &f->line;

	if (!line->arena)
		err_free(timeline_load(s, f));
	for (size_t k = 0; k < line->n; k++)
		if (moment_index(line, k) == index) {
			*number = line->moments[k].number;
			return true;
		}
	return false;
}

/*
 * A client is told of another moment only in the answer to a resume: until
 * then it would show old registers with new memory.
 */
struct err *
timeline_verb(struct stub *s, const char *argument, struct buf *out)
{
	struct inferior *f = stub_inferior(s);
	struct err *err = timeline_load(s, f);

	if (err)
		return err;
	if (f->line.n == 0)
		return err_new(ERR_NOTFOUND, "this snapshot is alone: it is of "
			       "no series, or no other of it is here");
	if (argument[0])
		return set_jump(&f->line, argument, out);
	put_line(&f->line, out);
	return NULL;
}
