/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a client is told before it hears that the process stands: notes, what
 * is attached, and what is missing.
 */
#include "base/cut.h"
#include "dap/impl.h"
#include "values/shown.h"

#include <inttypes.h>
#include <string.h>

#define NOTES_MAX 50u
#define FILES_MAX 20u
#define TEXT_MAX 2000u

static void
put_text(struct buf *b, const char *text)
{
	if (text)
		cut_put(b, text, TEXT_MAX);
}

static void
tell(struct dap *d, const char *category, struct buf *text)
{
	buf_putc(text, '\n');
	if (!text->failed)
		session_output(d, category, text->data);
}

static void
tell_rest(struct dap *d, size_t n, const char *what, const char *request)
{
	_buf_ struct buf text = { 0 };

	if (!n)
		return;
	buf_printf(&text, "%zu %s more: request \"%s\"", n, what, request);
	tell(d, "console", &text);
}

/* ---- notes -------------------------------------------------------------- */
/* What is missing, and what was asked for, is told elsewhere. */
static bool
note_is_told(const struct snap_note *n)
{
	return !n->key || (strcmp(n->key, "missing") != 0
			   && !values_is_asked(n));
}

/* The place of a note in the stack that is shown first. */
static void
put_place(struct dap *d, const struct snap_note *n, struct json *body)
{
	const struct target *t = insp_target(d->shown.insp);
	const struct stack_shown *s;
	const struct snap_frame *f;

	if (d->thread == INSP_NONE || !n->tid
	    || t->threads[d->thread].tid != n->tid)
		return;
	s = &d->stacks[d->thread];
	if (!s->made || n->depth >= s->view.n)
		return;
	f = &s->view.frames[n->depth];
	if (!f->file)
		return;
	json_set(body, "source", sources_source(d, f->module, f->file));
	json_set(body, "line", json_i64(sources_line(d, f->line)));
}

static void
tell_note(struct dap *d, size_t nth)
{
	const struct snap_note *n = &insp_target(d->shown.insp)->notes[nth];
	const int32_t reference = noted_reference(d, nth);
	struct json *body = json_object();
	_buf_ struct buf text = { 0 };

	if (n->tid)
		buf_printf(&text, "thread %" PRIu64 ": ", n->tid);
	put_text(&text, n->key);
	buf_puts(&text, ": ");
	put_text(&text, n->text);
	buf_putc(&text, '\n');
	json_set(body, "category", json_string(
			n->severity == SNAP_CRITICAL ? "important"
			: "console"));
	json_set(body, "output", json_lines(text.failed ? NULL : text.data));
	if (reference)
		json_set(body, "variablesReference", json_i64(reference));
	put_place(d, n, body);
	dap_event(d, "output", body);
}

static void
tell_notes(struct dap *d)
{
	const struct target *t = insp_target(d->shown.insp);
	size_t n = 0;

	for (size_t k = 0; k < t->n_notes; k++)
		if (note_is_told(&t->notes[k]) && n++ < NOTES_MAX)
			tell_note(d, k);
	tell_rest(d, n > NOTES_MAX ? n - NOTES_MAX : 0, "notes",
		  "inquest/notes");
}

/* ---- what is attached --------------------------------------------------- */
static void
tell_files(struct dap *d)
{
	const struct target *t = insp_target(d->shown.insp);

	for (size_t k = 0; k < t->n_files && k < FILES_MAX; k++) {
		_buf_ struct buf text = { 0 };

		buf_puts(&text, "attached: ");
		put_text(&text, t->files[k].name);
		buf_puts(&text, ", ");
		buf_size(&text, t->files[k].bytes.n);
		tell(d, "console", &text);
	}
	tell_rest(d, t->n_files > FILES_MAX ? t->n_files - FILES_MAX : 0,
		  "attached files", "inquest/annotations");
}

/* ---- what is missing ---------------------------------------------------- */
static void
tell_lack(struct dap *d, const struct lack *l)
{
	_buf_ struct buf text = { 0 };

	buf_printf(&text, "missing: %s", l->what);
	if (l->of)
		buf_printf(&text, " of %s", l->of);
	if (l->why)
		buf_printf(&text, ": %s", l->why);
	if (l->mend)
		buf_printf(&text, " (%s)", l->mend);
	tell(d, "console", &text);
}

static struct err *
tell_lacks(struct dap *d, const struct missing *m, struct arena *a)
{
	const struct lack *lacks;
	size_t n = 0;

	struct err *err = missing_list(m, d->shown.insp, a, &lacks, &n);
	for (size_t k = 0; k < n && !err; k++)
		tell_lack(d, &lacks[k]);
	d->gaps_told += m->n_gaps;
	return err;
}

static struct err *
tell_missing(struct dap *d, struct arena *a)
{
	struct missing m;
	struct err *err = missing_init(&m, d->shown.insp, a);

	if (err)
		return err;
	missing_finish(&m, d->shown.insp);
	return tell_lacks(d, &m, a);
}

/* Names of one stack, and what turned up while it was looked at. */
static struct err *
tell_nameless(struct dap *d, const struct view *v, struct arena *a)
{
	const char *const *gaps;
	struct missing m;
	size_t n;

	struct err *err = missing_init(&m, d->shown.insp, a);
	if (err)
		return err;
	missing_add(&m, v);
	gaps = insp_gaps(d->shown.insp, &n);
	if (n > d->gaps_told) {
		m.gaps = gaps + d->gaps_told;
		m.n_gaps = n - d->gaps_told;
	}
	return tell_lacks(d, &m, a);
}

/* ---- all of it ---------------------------------------------------------- */
static void
tell_failure(struct dap *d, struct err *err)
{
	_buf_ struct buf text = { 0 };

	if (!err)
		return;
	buf_puts(&text, "what is missing cannot be told: ");
	put_text(&text, err_text(err));
	tell(d, "console", &text);
	err_free(err);
}

void
news_tell(struct dap *d)
{
	_arena_ struct arena *a = arena_new(0);

	tell_notes(d);
	tell_files(d);
	tell_failure(d, a ? tell_missing(d, a) : err_nomem());
}

void
news_begin(struct dap *d)
{
	d->gaps_told = 0;
	d->names_told = false;
	news_tell(d);
}

void
news_after_stack(struct dap *d)
{
	_arena_ struct arena *a = NULL;

	if (d->thread == INSP_NONE || d->names_told
	    || !d->stacks[d->thread].made)
		return;
	d->names_told = true;
	a = arena_new(0);
	tell_failure(d, a ? tell_nameless(d, &d->stacks[d->thread].view, a)
		     : err_nomem());
}
