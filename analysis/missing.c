/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is missing of a target, and why.
 */
#include "analysis/analysis.h"
#include "base/cut.h"

#include <string.h>

struct err *
missing_init(struct missing *m, struct insp *i, struct arena *a)
{
	*m = (struct missing){ .n_gaps = 0 };
	(void)insp_modules(i, &m->n_modules);
	m->modules = arena_array(a, m->n_modules + 1, sizeof(*m->modules));
	return m->modules ? NULL : err_nomem();
}

void
missing_add(struct missing *m, const struct view *v)
{
	for (size_t k = 0; k < v->n; k++) {
		const struct snap_frame *f = &v->frames[k];
		if (f->module >= m->n_modules)
			continue;
		struct namelessness *n = &m->modules[f->module];
		n->frames++;
		n->nameless += !f->function;
		n->lineless += f->function && !f->file;
	}
}

static void
add_range(struct missing *m, struct insp *i, const struct snap_memory *range)
{
	struct absence *a = &m->absent[range->reason];
	uint64_t at = range->start, end = range->start + range->length;
	struct region region;

	a->bytes += range->length;
	while (at < end) {
		space_region(insp_space(i), at, &region);
		if (region.end > end || region.end <= at)
			region.end = end;
		if (region.from_file)
			a->from_file += region.end - at;
		at = region.end;
	}
}

void
missing_finish(struct missing *m, struct insp *i)
{
	const struct target *t = insp_target(i);

	for (size_t k = 0; k < t->n_memory; k++) {
		const struct snap_memory *range = &t->memory[k];
		if (range->kind == SNAP_MEM_ABSENT
		    && range->reason < SNAP_REASONS)
			add_range(m, i, range);
	}
	m->gaps = insp_gaps(i, &m->n_gaps);
}

bool
missing_functions(const struct namelessness *m)
{
	return m->nameless;
}

bool
missing_lines(const struct namelessness *m)
{
	return m->lineless && m->lineless + m->nameless == m->frames;
}

/* ---- for people --------------------------------------------------------- */
#define TEXT_MAX 240u

/** What is told, as it grows. */
struct lacks {
	struct vec list;
	struct arena *arena;
	size_t more;            /* for which there was no room */
};

/* Foreign text: escaped where it is shown; here it gets a length. */
static const char *
short_text(struct arena *a, const char *text)
{
	size_t n = text ? strnlen(text, TEXT_MAX + 1) : 0;

	if (n <= TEXT_MAX)
		return text;
	return arena_printf(a, "%.*s…", (int)cut_chars(text, n, TEXT_MAX),
			    text);
}

static struct err *
add_lack(struct lacks *l, const struct lack *like)
{
	struct lack *out;

	if (l->list.n == LACKS_MAX - 1) {
		l->more++;
		return NULL;
	}
	out = vec_add(&l->list, l->arena, sizeof(*out));
	if (!out)
		return err_nomem();
	*out = *like;
	out->of = short_text(l->arena, like->of);
	out->why = short_text(l->arena, like->why);
	return NULL;
}

static const char *const memory_mends[SNAP_REASONS] = {
	[SNAP_ABSENT_BUDGET] = "capture it with a larger --budget, or "
			       "--memory full",
	[SNAP_ABSENT_TIME] = "capture it with a longer --max-pause",
	[SNAP_ABSENT_DEPTH] = "capture it with --memory full",
	[SNAP_ABSENT_CUT] = "the next one needs more room: ulimit -c, the "
			    "disk, or the limit of who stores it",
	[SNAP_ABSENT_FILTER] = "the next one has it after echo 0x7f > "
			       "/proc/PID/coredump_filter",
};

static struct err *
list_memory(struct lacks *l, const struct missing *m, unsigned reason)
{
	const struct absence *a = &m->absent[reason];
	_buf_ struct buf of = { 0 };

	if (!a->bytes)
		return NULL;
	buf_size(&of, a->bytes);
	if (a->from_file == a->bytes) {
		buf_puts(&of, ", all of it read from the modules' files");
	} else if (a->from_file) {
		buf_puts(&of, ", of which the modules' files have ");
		buf_size(&of, a->from_file);
	}
	const struct lack lack = {
		.what = "memory",
		.of = arena_strdup(l->arena, of.failed ? "?" : of.data),
		.why = snap_reason_why((uint8_t)reason),
		.mend = a->from_file < a->bytes ? memory_mends[reason] : NULL,
	};
	return lack.of ? add_lack(l, &lack) : err_nomem();
}

static const char *
mend_of(const struct snap_module *module, struct arena *a)
{
	char id[2 * ID_MAX + 1];

	if (module->id.kind == ID_NONE)
		return "it has no build-id, so that its files are known by "
		       "their path alone: put the same file there";
	id_text(&module->id, id);
	return arena_printf(a, "install the package with its debug "
			    "information, or store the file with build-id %s: "
			    "inquest put FILE", id);
}

static struct err *
list_module(struct lacks *l, const struct namelessness *n,
	    const struct snap_module *module)
{
	bool functions = missing_functions(n);
	struct lack lack = {
		.what = functions ? "function names" : "line numbers",
		.of = module->path ? cut_base(module->path) : "?",
		.why = !functions ? "no debug information of it was found"
		       : n->nameless == n->frames
		       ? "no file with its symbols was found"
		       : "what was found of it does not name all of them",
	};

	if (!functions && !missing_lines(n))
		return NULL;
	lack.mend = mend_of(module, l->arena);
	return lack.mend ? add_lack(l, &lack) : err_nomem();
}

static struct err *
list_rest(struct lacks *l)
{
	struct lack *out;

	if (!l->more)
		return NULL;
	out = vec_add(&l->list, l->arena, sizeof(*out));
	if (!out)
		return err_nomem();
	out->what = "more";
	out->of = arena_printf(l->arena, "%zu things", l->more);
	out->why = "there is no room to list them here";
	return out->of ? NULL : err_nomem();
}

struct err *
missing_list(const struct missing *m, struct insp *i, struct arena *a,
	     const struct lack **out, size_t *n)
{
	size_t n_modules;
	const struct snap_module *modules = insp_modules(i, &n_modules);
	struct lacks l = { .arena = a };
	struct err *err = NULL;

	for (size_t k = 0; k < m->n_gaps && !err; k++)
		err = add_lack(&l, &(struct lack){
				.what = "input", .why = m->gaps[k] });
	for (unsigned k = 0; k < SNAP_REASONS && !err; k++)
		err = list_memory(&l, m, k);
	for (size_t k = 0; k < m->n_modules && k < n_modules && !err; k++)
		err = list_module(&l, &m->modules[k], &modules[k]);
	if (!err)
		err = list_rest(&l);
	*out = l.list.data;
	*n = l.list.n;
	return err;
}
