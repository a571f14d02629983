/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Request "inquest/overview": all that a client paints first, in one reply of
 * bounded size. Each section is made as large as may be; where all of them
 * are too large together, they are made smaller, one after the other, in the
 * order in which they are missed least.
 */
#include "base/cut.h"
#include "dap/refs.h"

#include <string.h>

#define REPLY_MAX ((64u << 10) - 512)   /* around it stands a message */
#define ARENA_MAX ((size_t)64 << 20)
#define LEVELS 3u               /* how small a section may be made */
#define TEXT_MAX 1000u          /* bytes of a text, but for levels[] */
#define FULL_THREADS 400u

/** What all sections look at. */
struct overview {
	struct dap *d;
	struct arena *arena;
	const struct alike *alike;
	const struct cause *cause;
	struct stack_shown *stack;      /* of the chosen thread, or NULL */
};
/** Makes a section no larger than @level says; *@cut: it is not all. */
typedef struct err *section_fn(struct overview *o, unsigned level,
			       struct json **out, bool *cut);

/* ---- texts -------------------------------------------------------------- */
static void
set_text(struct json *j, const char *key, const char *text)
{
	if (text)
		json_set(j, key, json_short(text, TEXT_MAX));
}

/* ---- snapshot, reason --------------------------------------------------- */
static size_t
main_module(struct insp *i)
{
	size_t n;
	const struct snap_module *m = insp_modules(i, &n);

	for (size_t k = 0; k < n; k++)
		if (m[k].flags & SNAP_MODULE_MAIN)
			return k;
	return INSP_NONE;
}

static struct err *
make_snapshot(struct overview *o, unsigned level, struct json **out, bool *cut)
{
	struct insp *i = o->d->shown.insp;
	const struct snap_process *p = &insp_target(i)->process;
	struct json *j = *out = json_object();
	size_t n, m = main_module(i);
	const struct snap_module *modules = insp_modules(i, &n);
	char when[32];

	(void)level, (void)cut;
	set_text(j, "id", o->d->shown.id);
	set_text(j, "program", m != INSP_NONE && modules[m].path
		 ? cut_base(modules[m].path) : p->name);
	set_text(j, "path", m != INSP_NONE ? modules[m].path : p->exe);
	if (m != INSP_NONE && modules[m].id.kind != ID_NONE)
		json_set(j, "buildId", modules_id(o->d, m));
	json_set(j, "arch", json_string(insp_arch(i)->name));
	set_text(j, "kind", insp_target(i)->ops->kind);
	set_text(j, "arguments", p->arguments);
	if (p->pid)
		json_set(j, "pid", json_u64(p->pid));
	if (p->captured_ns)
		set_text(j, "captured", session_when(o->d, when));
	json_set(j, "complete", json_bool(!o->alike->missing.n_gaps));
	return NULL;
}

static struct json *
classifier_json(const struct cause *c)
{
	struct json *list = json_array();
	const char *access = cause_access_text(c->access);

	if (c->kind)
		json_add(list, json_string(c->kind));
	if (access)
		json_add(list, json_string(access));
	return list;
}

/* Whose pointer it was; "path" is for evaluate in that frame. */
static void
put_expression(struct overview *o, const struct cause *c, struct json *j)
{
	struct json *refs, *ref;

	if (!c->expression)
		return;
	set_text(j, "expression", c->expression);
	set_text(j, "pointer", c->pointer);
	refs = json_array();
	ref = json_object();
	json_set(ref, "threadId", json_i64(stack_thread_id(o->d, 0)));
	json_set(ref, "frame", json_u64(c->expression_frame));
	set_text(ref, "path", c->pointer ? c->pointer : c->expression);
	json_add(refs, ref);
	json_set(j, "refs", refs);
}

static struct err *
make_reason(struct overview *o, unsigned level, struct json **out, bool *cut)
{
	const struct snap_process *p = &insp_target(o->d->shown.insp)->process;
	const struct cause *c = o->cause;
	struct json *j = *out = json_object();
	_buf_ struct buf text = { 0 };

	(void)level, (void)cut;
	cause_put_sentence(c, &text);
	json_set(j, "text", json_string(text.failed ? NULL : text.data));
	json_set(j, "classifier", classifier_json(c));
	if (!c->number)
		return NULL;
	json_set(j, "number", json_i64(c->number));
	set_text(j, "signal", c->signal);
	set_text(j, "code", c->code_name);
	if (p->has_fault_address)
		json_set(j, "address", json_addr(p->fault_address));
	set_text(j, "access", cause_access_text(c->access));
	put_expression(o, c, j);
	if (!c->instruction)
		return NULL;
	buf_reset(&text);
	disasm_put(c->instruction, &text);
	buf_puts(&text, c->instruction->n_memory ? ", which " : "");
	effect_put(c->instruction, &text);
	json_set(j, "instruction", json_string(text.failed ? NULL
					       : text.data));
	return NULL;
}

/* ---- threads, groups ---------------------------------------------------- */
static const struct {
	size_t threads, groups, ids, top;
} crowd_levels[LEVELS] = {
	{ FULL_THREADS, 100, 200, 8 }, { 100, 50, 8, 6 }, { 10, 10, 0, 4 },
};

static struct json *
thread_json(const struct overview *o, size_t thread)
{
	const struct target *t = insp_target(o->d->shown.insp);
	const struct snap_thread *s = &t->threads[thread];
	const char *name = s->name ? s->name : t->process.name;
	struct json *j = json_object();

	json_set(j, "id", json_i64(stack_thread_id(o->d, thread)));
	json_set(j, "name", json_short(name ? name : "thread", 64));
	if (s->state)
		json_set(j, "state", json_string(snap_state_text(s->state)));
	json_set(j, "faulted", json_bool(s->faulting));
	json_set(j, "group", json_u64(o->alike->groups.of[thread]));
	return j;
}

static struct err *
make_threads(struct overview *o, unsigned level, struct json **out, bool *cut)
{
	size_t n = o->alike->groups.threads;

	*out = json_array();
	for (size_t k = 0; k < n && k < crowd_levels[level].threads; k++)
		json_add(*out, thread_json(o, k));
	*cut = n > crowd_levels[level].threads;
	return NULL;
}

static struct json *
group_ids(const struct overview *o, size_t g, size_t max, bool *cut)
{
	const struct groups *all = &o->alike->groups;
	struct json *ids = json_array();
	size_t left = all->list[g].n;

	*cut = *cut || left > max;
	for (size_t k = all->list[g].first; left && max; k++) {
		if (all->of[k] != g)
			continue;
		json_add(ids, json_i64(stack_thread_id(o->d, k)));
		left--, max--;
	}
	return ids;
}

static struct err *
make_groups(struct overview *o, unsigned level, struct json **out, bool *cut)
{
	const struct groups *all = &o->alike->groups;
	size_t max = crowd_levels[level].groups;

	*out = json_array();
	for (size_t g = 0; g < all->n && g < max; g++) {
		struct json *j = json_object();

		json_set(j, "id", json_u64(g));
		json_set(j, "count", json_u64(all->list[g].n));
		json_set(j, "threads", group_ids(
				o, g, crowd_levels[level].ids, cut));
		json_set(j, "top", alike_top(o->d, o->alike, g,
					     crowd_levels[level].top));
		json_add(*out, j);
	}
	*cut = *cut || all->n > max;
	return NULL;
}

/* ---- the stack ---------------------------------------------------------- */
static const size_t stack_levels[LEVELS] = { 60, 20, 5 };

static void
add_fold(struct json *folds, const struct fold *f)
{
	struct json *j = json_object();

	json_set(j, "first", json_u64(f->first + f->period));
	json_set(j, "count", json_u64(f->n - f->period));
	json_set(j, "period", json_u64(f->period));
	json_set(j, "kind", json_string("recursion"));
	json_add(folds, j);
}

static struct err *
add_frame(struct overview *o, size_t frame, struct json *list)
{
	struct place at = { o->d->thread, frame };
	struct json *j = NULL;
	struct err *err = stack_frame(o->d, at, &j);

	if (!err)
		json_add(list, j);
	return err;
}

/* Frames that a fold stands for are not among the frames. */
static struct err *
put_frames(struct overview *o, size_t max, struct json *frames,
	   struct json *folds, bool *cut)
{
	const struct view *v = &o->stack->view;
	struct err *err = NULL;
	struct fold f;
	size_t at = 0;

	while (at < v->n && max && !err) {
		bool folded = fold_at(v, at, &f);
		size_t shown = folded ? f.period : 1, k;

		if (folded)
			add_fold(folds, &f);
		for (k = 0; k < shown && max && !err; k++, max--)
			err = add_frame(o, at + k, frames);
		if (k < shown)
			break;
		at += folded ? f.n : 1;
	}
	*cut = at < v->n;
	return err;
}

static struct err *
make_stack(struct overview *o, unsigned level, struct json **out, bool *cut)
{
	struct json *j, *frames, *folds;

	if (!o->stack) {
		*out = json_null();
		return NULL;
	}
	j = *out = json_object();
	frames = json_array();
	folds = json_array();
	struct err *err = put_frames(o, stack_levels[level], frames, folds,
				     cut);
	json_set(j, "threadId", json_i64(stack_thread_id(o->d, o->d->thread)));
	json_set(j, "totalFrames", json_u64(o->stack->view.n));
	json_set(j, "stackFrames", frames);
	json_set(j, "folds", folds);
	if (o->stack->view.end == STACK_TRUNCATED)
		set_text(j, "why", o->stack->view.why);
	return err;
}

/* ---- variables of its first frame --------------------------------------- */
static const struct {
	size_t rows;
	uint32_t length;
} variable_levels[LEVELS] = { { 60, 200 }, { 20, 80 }, { 0, 0 } };

static struct err *
put_rows(struct container *c, unsigned level, struct buf *out)
{
	struct row row = { .c = c, .length = variable_levels[level].length };
	const struct item *items;
	size_t n;

	struct err *err = container_page(c, 0, variable_levels[level].rows,
					 &items, &n);
	for (size_t k = 0; k < n && !err; k++) {
		buf_puts(out, k ? "," : "");
		row.item = &items[k];
		err = row_put(out, &row);
	}
	return err;
}

/* Of what opens at once; all else has a reference. */
static struct err *
put_variables(struct overview *o, enum scope_kind kind, unsigned level,
	      struct json *scope, bool *cut)
{
	struct container c = {
		.d = o->d, .arena = o->arena, .style = VALUE_STYLE,
	};
	struct place at = { o->d->thread, 0 };
	_buf_ struct buf rows = { 0 };

	if (kind != SCOPE_ARGUMENTS && kind != SCOPE_LOCALS)
		return NULL;
	c.style.object = true;
	struct err *err = container_open(&c, refs_scope_id(o->d, at, kind));
	buf_putc(&rows, '[');
	if (!err)
		err = put_rows(&c, level, &rows);
	buf_putc(&rows, ']');
	if (err)
		return err;
	*cut = *cut || c.n > variable_levels[level].rows;
	json_set(scope, "variables", json_raw(&rows));
	return NULL;
}

static struct err *
make_scopes(struct overview *o, unsigned level, struct json **out, bool *cut)
{
	const struct place at = { o->d->thread, 0 };
	struct err *err = NULL;

	*out = json_array();
	if (!o->stack || !o->stack->view.n)
		return NULL;
	for (int k = 0; k < SCOPES && !err; k++) {
		struct json *scope = scopes_object(o->d, at, k);

		err = put_variables(o, k, level, scope, cut);
		json_add(*out, scope);
	}
	return err;
}

/* ---- notes -------------------------------------------------------------- */
static const struct {
	size_t notes, length;
} note_levels[LEVELS] = { { 60, 300 }, { 10, 120 }, { 0, 0 } };

static struct json *
note_refs(struct overview *o, size_t thread, const struct snap_note *n)
{
	struct json *refs = json_array(), *ref;

	if (thread == INSP_NONE)
		return refs;
	ref = json_object();
	json_set(ref, "threadId", json_i64(stack_thread_id(o->d, thread)));
	if (n->depth != UINT32_MAX)
		json_set(ref, "frame", json_u64(n->depth));
	json_add(refs, ref);
	return refs;
}

static struct json *
note_json(struct overview *o, const struct snap_note *n, size_t length)
{
	size_t thread = n->tid ? insp_find_thread(o->d->shown.insp, n->tid)
			: INSP_NONE;
	struct json *j = json_object();

	json_set(j, "key", json_short(n->key ? n->key : "", 64));
	json_set(j, "text", json_short(n->text ? n->text : "", length));
	json_set(j, "refs", note_refs(o, thread, n));
	return j;
}

/* What is missing has a place of its own. */
static struct err *
make_notes(struct overview *o, unsigned level, struct json **out, bool *cut)
{
	const struct target *t = insp_target(o->d->shown.insp);
	size_t left = note_levels[level].notes;

	*out = json_array();
	for (size_t k = 0; k < t->n_notes; k++) {
		const struct snap_note *n = &t->notes[k];

		if (n->key && strcmp(n->key, "missing") == 0)
			continue;
		*cut = *cut || !left;
		if (!left)
			break;
		json_add(*out, note_json(o, n, note_levels[level].length));
		left--;
	}
	return NULL;
}

/* ---- what is missing: never cut ----------------------------------------- */
static struct err *
make_missing(struct overview *o, unsigned level, struct json **out, bool *cut)
{
	(void)level, (void)cut;
	return facts_lacks(o->d, &o->alike->missing, o->arena, out);
}

/* ---- all of it ---------------------------------------------------------- */
enum { SNAPSHOT, REASON, THREADS, GROUPS, STACK, SCOPES_OF_TOP, NOTES, MISSING,
       SECTIONS };
static const struct {
	const char *name;
	section_fn *make;
} sections[SECTIONS] = {
	[SNAPSHOT] = { "snapshot", make_snapshot },
	[REASON] = { "reason", make_reason },
	[THREADS] = { "threads", make_threads },
	[GROUPS] = { "groups", make_groups },
	[STACK] = { "stack", make_stack },
	[SCOPES_OF_TOP] = { "scopes", make_scopes },
	[NOTES] = { "notes", make_notes },
	[MISSING] = { "missing", make_missing },
};
/* What goes first where there is too much. */
static const uint8_t cut_order[] = {
	GROUPS, THREADS, SCOPES_OF_TOP, STACK, NOTES,
};

/** The sections as text. */
struct made {
	struct buf text[SECTIONS];
	bool cut[SECTIONS];
};

static struct err *
make_section(struct overview *o, unsigned k, unsigned level, struct made *m)
{
	struct json *j = NULL;

	m->cut[k] = false;
	buf_reset(&m->text[k]);
	struct err *err = sections[k].make(o, level, &j, &m->cut[k]);
	if (!err)
		err = json_write(j, false, &m->text[k]);
	json_free(j);
	return err;
}

static size_t
size_of(const struct made *m)
{
	size_t n = 0;

	for (unsigned k = 0; k < SECTIONS; k++)
		n += m->text[k].len + strlen(sections[k].name) + 4;
	return n;
}

static struct err *
make_all(struct overview *o, struct made *m)
{
	struct err *err = NULL;

	for (unsigned k = 0; k < SECTIONS && !err; k++)
		err = make_section(o, k, 0, m);
	for (unsigned k = 0; k < countof(cut_order) && !err; k++)
		for (unsigned level = 1; level < LEVELS && !err
		     && size_of(m) > REPLY_MAX; level++)
			err = make_section(o, cut_order[k], level, m);
	return err;
}

static struct json *
body_of(struct made *m)
{
	struct json *body = json_object(), *cut = json_array();

	for (unsigned k = 0; k < SECTIONS; k++) {
		/* Without the newline at its end. */
		m->text[k].len -= !m->text[k].failed;
		json_set(body, sections[k].name, json_raw(&m->text[k]));
	}
	for (unsigned k = 0; k < countof(cut_order); k++)
		if (m->cut[cut_order[k]])
			json_add(cut, json_string(
					 sections[cut_order[k]].name));
	json_set(body, "cut", cut);
	return body;
}

/* What "missing" is told of turns up while looking: at all of it, before. */
static struct err *
look(struct overview *o)
{
	struct dap *d = o->d;
	struct err *err = exception_cause(d, &o->cause);

	if (!err && d->thread != INSP_NONE)
		err = stack_of(d, d->thread, &o->stack);
	return err;
}

static struct err *
overview_tell(struct dap *d, const struct alike *alike, struct json **body)
{
	_arena_ struct arena *a = arena_new(ARENA_MAX);
	struct overview o = { .d = d, .arena = a, .alike = alike };
	struct made m = { .cut = { false } };

	struct err *err = a ? look(&o) : err_nomem();
	if (!err)
		err = make_all(&o, &m);
	refs_turn(d);
	if (!err)
		*body = body_of(&m);
	struct json *selected = err ? NULL : session_selected(d);
	if (selected)
		json_set(*body, "selected", selected);
	for (unsigned k = 0; k < SECTIONS; k++)
		buf_fini(&m.text[k]);
	return err;
}

struct err *
overview_answer(struct dap *d, const struct json *arguments,
		struct json **body)
{
	struct overview o = { .d = d };
	struct err *err = look(&o);

	(void)arguments;
	return err ? err : alike_ask(d, "inquest/overview", overview_tell,
				     body);
}
