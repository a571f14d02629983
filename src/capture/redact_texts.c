/* SPDX-License-Identifier: Apache-2.0 */
/*
 * redact_texts.c: records with what the rules match taken out of them.
 */
#include "capture/redact.h"

#include <string.h>

/* ---- texts and strings ------------------------------------------------- */
static struct err *
write_redacted(const struct redactions *r, struct span in,
	       const struct vec *hits, struct buf *out)
{
	const struct hit *h = hits->data;
	const char *from = in.data;
	uint64_t at = 0;

	for (size_t k = 0; k < hits->n; k++) {
		buf_put(out, from + at, (size_t)(h[k].from - at));
		buf_printf(out, "[redacted by %s]", r->rules[h[k].rule].name);
		r->rules[h[k].rule].texts++;
		at = h[k].to;
	}
	buf_put(out, from + at, in.n - (size_t)at);
	return buf_err(out);
}

struct err *
redact_span(struct saver *s, struct span *text)
{
	struct redactions *r = s->redactions;
	_buf_ struct buf out = { 0 };
	struct vec hits = { 0 };

	if (!r || !text->n)
		return NULL;
	struct err *err = rules_find(r, *text, 0, &hits);
	if (err || !hits.n)
		return err;
	hits_merge(&hits);
	err = write_redacted(r, *text, &hits, &out);
	if (err)
		return err;
	void *copy = arena_dup(s->arena, out.data, out.len + 1);
	if (!copy)
		return err_nomem();
	*text = (struct span){ copy, out.len };
	return NULL;
}

struct err *
redact_string(struct saver *s, const char **text)
{
	struct span bytes = { *text, *text ? strlen(*text) : 0 };

	if (!s->redactions || !*text)
		return NULL;
	struct err *err = redact_span(s, &bytes);
	if (!err && bytes.n)
		*text = bytes.data;
	return err;
}

static struct err *
redact_strings(struct saver *s, const char **const *fields, size_t n)
{
	struct err *err = NULL;

	for (size_t k = 0; k < n && !err; k++)
		err = redact_string(s, fields[k]);
	return err;
}

/* ---- records ----------------------------------------------------------- */
struct err *
redact_process(struct saver *s, struct snap_process *p)
{
	const char **const fields[] = { &p->name, &p->arguments, &p->exe,
					&p->cwd };

	return redact_strings(s, fields, countof(fields));
}

struct err *
redact_module(struct saver *s, struct snap_module *m)
{
	const char **names;

	if (!s->redactions)
		return NULL;
	struct err *err = redact_string(s, &m->path);
	if (err || !m->n_names)
		return err;
	names = arena_array(s->arena, m->n_names, sizeof(*names));
	if (!names)
		return err_nomem();
	for (size_t k = 0; k < m->n_names && !err; k++) {
		names[k] = m->names[k];
		err = redact_string(s, &names[k]);
	}
	m->names = names;
	return err;
}

/* Does it hold a match? Copying through wide registers leaves text there. */
static struct err *
holds(struct saver *s, struct span bytes, bool *out)
{
	struct vec hits = { 0 };

	struct err *err = rules_find(s->redactions, bytes, 0, &hits);
	*out = hits.n > 0;
	return err;
}

static struct err *
redact_regsets(struct saver *s, struct snap_thread *t)
{
	struct snap_regset *kept = arena_array(s->arena, t->n_regsets + 1,
					       sizeof(*kept));
	struct err *err = kept ? NULL : err_nomem();
	size_t n = 0;

	for (size_t k = 0; k < t->n_regsets && !err; k++) {
		bool secret = false;

		err = holds(s, t->regsets[k].bytes, &secret);
		if (!err && secret)
			err = save_trouble(s, "registers of thread %llu (set "
				"0x%x) held what was to be redacted, and are "
				"missing", (unsigned long long)t->tid,
				t->regsets[k].kind);
		else
			kept[n++] = t->regsets[k];
	}
	t->regsets = kept;
	t->n_regsets = n;
	return err;
}

struct err *
redact_thread(struct saver *s, struct snap_thread *t)
{
	const char **const fields[] = { &t->name, &t->kernel_stack };

	if (!s->redactions)
		return NULL;
	struct err *err = redact_strings(s, fields, countof(fields));
	return err ? err : redact_regsets(s, t);
}

/* ---- what was done ----------------------------------------------------- */
static struct err *
tell_rule(struct saver *s, const struct rule *rule)
{
	struct snap_note note = {
		.key = "redacted", .severity = SNAP_INFO, .depth = UINT32_MAX,
	};

	if (rule->gave_up) {
		struct err *err = save_trouble(s, "%s took too long: all that "
			"it was not done with is redacted", rule->name);
		if (err)
			return err;
	}
	note.text = arena_printf(s->arena, "%s: %llu bytes of memory in %llu "
				 "places, %llu places in texts", rule->name,
				 (unsigned long long)rule->memory,
				 (unsigned long long)rule->places,
				 (unsigned long long)rule->texts);
	return note.text ? snap_put_note(s->writer, &note) : err_nomem();
}

struct err *
redact_tell(struct saver *s)
{
	const struct redactions *r = s->redactions;
	struct err *err = NULL;

	for (size_t k = 0; r && k < r->n_rules && !err; k++)
		err = tell_rule(s, &r->rules[k]);
	return err;
}
