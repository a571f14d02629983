/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report_json.c: a report as JSON; the shape is described in the manual page
 * of report and has the version that say_json() puts first.
 */
#include <string.h>

#include "base/json.h"
#include "cmd/cmd.h"
#include "cmd/report.h"

/* Of a longer stack the middle is left out; depth tells. */
#define FRAMES_MAX 1024u

static struct json *
json_text(struct buf *b)
{
	struct json *j = json_string(b->data ? b->data : "");

	buf_reset(b);
	return j;
}

static struct json *
json_id(const struct module_id *id)
{
	char text[2 * ID_MAX + 1];

	if (id->kind == ID_NONE)
		return json_null();
	id_text(id, text);
	return json_string(text);
}

static struct json *
json_time(uint64_t ns)
{
	_buf_ struct buf b = { 0 };

	if (!ns)
		return json_null();
	report_time(&b, ns, true);
	return json_text(&b);
}

static struct json *
json_reason(const struct report *r)
{
	const struct snap_process *p = &r->target->process;
	const struct cause *why = &r->cause;
	struct json *j = json_object();

	json_set(j, "text", json_string(why->text));
	json_set(j, "signal", json_string(why->signal));
	json_set(j, "number", json_i64(why->number));
	json_set(j, "code", json_string(why->code_name));
	json_set(j, "code_number", json_i64(why->code));
	json_set(j, "address", p->has_fault_address
			       ? json_addr(p->fault_address) : json_null());
	json_set(j, "sender", why->has_sender
			      ? json_u64(why->sender_pid) : json_null());
	json_set(j, "expression", json_string(why->expression));
	json_set(j, "pointer", json_string(why->pointer));
	return j;
}

static struct json *
json_process(const struct report *r)
{
	const struct snap_process *p = &r->target->process;
	struct json *j = json_object();

	json_set(j, "pid", json_u64(p->pid));
	json_set(j, "ppid", json_u64(p->ppid));
	json_set(j, "uid", json_u64(p->uid));
	json_set(j, "name", json_string(p->name));
	json_set(j, "arguments", json_string(p->arguments));
	json_set(j, "exe", json_string(r->program));
	json_set(j, "cwd", json_string(p->cwd));
	json_set(j, "architecture", json_string(insp_arch(r->insp)->name));
	json_set(j, "captured", json_time(p->captured_ns));
	return j;
}

static const char *
how_name(uint8_t how)
{
	static const char *const names[] = {
		[SNAP_FRAME_TOP] = "registers", [SNAP_FRAME_CFI] = "cfi",
		[SNAP_FRAME_FP] = "frame-pointer", [SNAP_FRAME_SCAN] = "scan",
		[SNAP_FRAME_INLINE] = "inlined", [SNAP_FRAME_TAIL] = "tail-call",
	};

	return how < countof(names) ? names[how] : NULL;
}

/* ---- variables ---- */

static const char *
state_name(enum value_state state)
{
	static const char *const names[] = {
		[VALUE_KNOWN] = "ok", [VALUE_OPTIMISED_OUT] = "optimized-out",
		[VALUE_UNMAPPED] = "not-mapped",
		[VALUE_NOT_CAPTURED] = "not-captured",
		[VALUE_UNKNOWN] = "error",
	};

	return names[state];
}

struct json *
report_json_value(const char *name, const struct value *value,
		  const struct value_style *style)
{
	struct json *j = json_object();
	_buf_ struct buf text = { 0 };
	const char *why = NULL;
	enum value_state state = value_state(value, &why);
	uint64_t addr;

	json_set(j, "name", json_string(name));
	_err_ struct err *no_type = type_name(value_type(value), &text);
	json_set(j, "type", no_type ? json_null() : json_text(&text));
	buf_reset(&text);
	_err_ struct err *no_text = value_text(value, style, &text);
	json_set(j, "value", no_text ? json_null() : json_text(&text));
	json_set(j, "state", json_string(state_name(state)));
	if (why)
		json_set(j, "why", json_string(why));
	buf_reset(&text);
	if (report_perhaps(&text, value, style))
		json_set(j, "perhaps", json_text(&text));
	if (value_address(value, &addr))
		json_set(j, "address", json_addr(addr));
	return j;
}

static struct json *
json_variable(const struct var *var, const struct value *value)
{
	struct json *j = report_json_value(var->name, value, &VALUE_STYLE);

	if (var->line)
		json_set(j, "line", json_u64(var->line));
	return j;
}

static struct json *
json_stored(const struct snap_variable *v)
{
	static const char *const names[] = {
		[SNAP_VALUE_KNOWN] = "ok",
		[SNAP_VALUE_OPTIMISED_OUT] = "optimized-out",
		[SNAP_VALUE_UNMAPPED] = "not-mapped",
		[SNAP_VALUE_NOT_CAPTURED] = "not-captured",
	};
	const char *state = v->state < countof(names) ? names[v->state] : NULL;
	struct json *j = json_object();

	json_set(j, "name", json_string(v->name));
	json_set(j, "type", json_string(v->type));
	json_set(j, "value", json_string(v->value));
	json_set(j, "state", json_string(state ? state : "error"));
	if (v->why)
		json_set(j, "why", json_string(v->why));
	if (v->address)
		json_set(j, "address", json_addr(v->address));
	if (v->line)
		json_set(j, "line", json_u64(v->line));
	return j;
}

static void
json_variables(const struct report_frame *f, struct json *frame)
{
	struct json *arguments = json_array(), *locals = json_array();

	for (size_t k = 0; k < f->n; k++)
		json_add(f->vars[k].kind == VAR_ARGUMENT ? arguments : locals,
			 json_variable(&f->vars[k], f->values[k]));
	for (size_t k = 0; k < f->n_stored; k++)
		json_add(f->stored[k].kind == SNAP_VAR_ARGUMENT ? arguments
								: locals,
			 json_stored(&f->stored[k]));
	json_set(frame, "arguments", arguments);
	json_set(frame, "locals", locals);
}

/* ---- stacks ---- */

static struct json *
json_frame(const struct snap_frame *f, const struct snap_module *modules,
	   size_t n_modules)
{
	struct json *j = json_object();

	json_set(j, "depth", json_u64(f->depth));
	json_set(j, "pc", json_addr(f->pc));
	json_set(j, "function", json_string(f->function));
	json_set(j, "offset", f->function ? json_u64(f->function_offset)
					  : json_null());
	json_set(j, "file", json_string(f->file));
	json_set(j, "line", f->line ? json_u64(f->line) : json_null());
	json_set(j, "module", json_string(f->module < n_modules
					  ? modules[f->module].path : NULL));
	json_set(j, "how", json_string(how_name(f->how)));
	json_set(j, "inlined", json_bool(f->how == SNAP_FRAME_INLINE));
	json_set(j, "signal_frame", json_bool(f->flags & SNAP_FRAME_SIGNAL));
	json_set(j, "suspect", json_bool(f->flags & SNAP_FRAME_SUSPECT));
	return j;
}

static struct json *
json_frames(const struct report *r, const struct report_thread *t)
{
	const struct snap_module *modules;
	const struct view *v = &t->view;
	struct json *j = json_array();
	size_t n;

	modules = insp_modules(r->insp, &n);
	for (size_t k = 0; k < v->n; k++) {
		if (v->n > FRAMES_MAX && k == FRAMES_MAX / 2)
			k = v->n - FRAMES_MAX / 2;
		struct json *frame = json_frame(&v->frames[k], modules, n);
		if (t->frames && (t->frames[k].scope || t->frames[k].n_stored))
			json_variables(&t->frames[k], frame);
		json_add(j, frame);
	}
	return j;
}

static const char *
end_name(enum stack_end end)
{
	static const char *const names[] = {
		[STACK_COMPLETE] = "complete", [STACK_TRUNCATED] = "truncated",
		[STACK_LIMIT] = "limit",
	};

	return names[end];
}

static struct json *
json_thread(const struct report *r, const struct report_thread *t)
{
	struct json *j = json_object();

	json_set(j, "tid", json_u64(t->record->tid));
	json_set(j, "name", json_string(t->record->name));
	json_set(j, "state", json_string(snap_state_text(t->record->state)));
	json_set(j, "faulting", json_bool(t->record->faulting));
	json_set(j, "group", json_u64(r->groups.of[t - r->threads]));
	json_set(j, "n_frames", json_u64(t->view.n));
	json_set(j, "frames", json_frames(r, t));
	json_set(j, "end", json_string(end_name(t->view.end)));
	json_set(j, "why", json_string(t->view.end == STACK_TRUNCATED
				       ? t->view.why : NULL));
	json_set(j, "stored", json_bool(t->view.stored));
	return j;
}

static struct json *
json_threads(const struct report *r)
{
	struct json *j = json_array();

	for (size_t k = 0; k < r->n_threads; k++)
		json_add(j, json_thread(r, &r->threads[k]));
	return j;
}

static struct json *
json_groups(const struct report *r)
{
	struct json *groups = json_array();

	for (size_t g = 0; g < r->groups.n; g++) {
		struct json *group = json_object(), *tids = json_array();
		size_t left = r->groups.list[g].n;
		for (size_t k = r->groups.list[g].first; left; k++) {
			if (r->groups.of[k] != g)
				continue;
			json_add(tids, json_u64(r->threads[k].record->tid));
			left--;
		}
		json_set(group, "n_threads", json_u64(r->groups.list[g].n));
		json_set(group, "threads", tids);
		json_add(groups, group);
	}
	return groups;
}

static const char *
file_name(enum module_file kind)
{
	static const char *const names[] = {
		[MODULE_FILE_NONE] = "none", [MODULE_FILE_EXACT] = "exact",
		[MODULE_FILE_UNVERIFIED] = "unverified",
		[MODULE_FILE_COMPOSED] = "composed",
	};

	return names[kind];
}

static struct json *
json_modules(const struct report *r)
{
	const struct snap_module *modules;
	struct json *array = json_array();
	size_t n;

	modules = insp_modules(r->insp, &n);
	for (size_t k = 0; k < n; k++) {
		const struct snap_module *m = &modules[k];
		struct json *j = json_object();
		json_set(j, "path", json_string(m->path));
		json_set(j, "id", json_id(&m->id));
		json_set(j, "start", json_addr(m->start));
		json_set(j, "end", json_addr(m->end));
		json_set(j, "file", json_string(file_name(
				insp_module_file_kind(r->insp, k))));
		json_set(j, "frames", json_u64(r->missing.modules[k].frames));
		json_set(j, "frames_without_function",
			 json_u64(r->missing.modules[k].nameless));
		json_set(j, "frames_without_line",
			 json_u64(r->missing.modules[k].nameless
				  + r->missing.modules[k].lineless));
		json_add(array, j);
	}
	return array;
}

static struct json *
json_missing(const struct report *r)
{
	struct json *j = json_object(), *texts = json_array(),
		    *memory = json_array();

	for (size_t k = 0; k < r->missing.n_gaps; k++)
		json_add(texts, json_string(r->missing.gaps[k]));
	for (unsigned k = 0; k < SNAP_REASONS; k++) {
		const struct absence *a = &r->missing.absent[k];
		struct json *row = json_object();
		if (!a->bytes) {
			json_free(row);
			continue;
		}
		json_set(row, "reason",
			 json_string(snap_reason_text((uint8_t)k)));
		json_set(row, "bytes", json_u64(a->bytes));
		json_set(row, "bytes_in_files", json_u64(a->from_file));
		json_add(memory, row);
	}
	json_set(j, "texts", texts);
	json_set(j, "memory", memory);
	return j;
}

static struct json *
json_attrs(const struct report *r)
{
	struct json *j = json_object();

	for (size_t k = 0; k < r->target->n_attrs; k++) {
		const struct snap_attr *a = &r->target->attrs[k];
		if (a->key)
			json_set(j, a->key, say_attr(a));
	}
	return j;
}

static struct json *
json_globals(const struct report *r)
{
	struct json *array = json_array();

	for (size_t k = 0; k < r->n_globals; k++) {
		const struct values_asked *g = &r->globals[k];
		struct json *j;

		if (g->value)
			j = report_json_value(g->name, g->value, &VALUE_STYLE);
		else if (g->stored)
			j = json_stored(g->stored);
		else
			continue;
		if (g->note->tid)
			json_set(j, "tid", json_u64(g->note->tid));
		json_add(array, j);
	}
	return array;
}

static struct json *
json_notes(const struct report *r)
{
	struct json *array = json_array();

	for (size_t k = 0; k < r->target->n_notes; k++) {
		const struct snap_note *n = &r->target->notes[k];
		struct json *j;
		if (n->key && strcmp(n->key, "missing") == 0)
			continue;
		j = json_object();
		json_set(j, "key", json_string(n->key));
		json_set(j, "text", json_string(n->text));
		json_set(j, "severity", json_u64(n->severity));
		if (n->tid)
			json_set(j, "tid", json_u64(n->tid));
		json_add(array, j);
	}
	return array;
}

static struct json *
json_files(const struct report *r)
{
	struct json *array = json_array();

	for (size_t k = 0; k < r->target->n_files; k++) {
		struct json *j = json_object();
		json_set(j, "name", json_string(r->target->files[k].name));
		json_set(j, "bytes", json_u64(r->target->files[k].bytes.n));
		json_add(array, j);
	}
	return array;
}

struct err *
report_json(const struct report *r, struct buf *out)
{
	struct json *top = say_json("report"), *snap = json_object();
	struct err *err;

	json_set(snap, "path", json_string(r->path));
	json_set(snap, "kind", json_string(r->target->ops->kind));
	json_set(top, "snapshot", snap);
	json_set(top, "reason", json_reason(r));
	json_set(top, "instruction", r->cause.instruction
		 ? code_json_entry(r->cause.instruction, true, NULL) : json_null());
	json_set(top, "process", json_process(r));
	json_set(top, "threads", json_threads(r));
	json_set(top, "groups", json_groups(r));
	json_set(top, "modules", json_modules(r));
	json_set(top, "missing", json_missing(r));
	json_set(top, "attributes", json_attrs(r));
	json_set(top, "globals", json_globals(r));
	json_set(top, "notes", json_notes(r));
	json_set(top, "files", json_files(r));
	err = json_write(top, true, out);
	json_free(top);
	return err;
}
