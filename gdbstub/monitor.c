/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "monitor VERB": what a debugger has no command for. Foreign text is shown
 * escaped.
 */
#include "gdbstub/impl.h"
#include "inspect/differ.h"
#include "inspect/overlay.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ABSENT_SHOWN 100u       /* ranges that monitor memory lists */

enum verb_flags {
	VERB_OPENLY = 1,        /* runs before a host was told the token */
	VERB_OF_HOST = 2,       /* only where a host offers snapshots */
	VERB_OF_PROCESS = 4,    /* of the chosen one */
	VERB_OF_SHARED = 8,     /* only where others see what is chosen */
};
struct verb {
	const char *name, *argument, *help;
	verb_fn *run;
	unsigned flags;
};

static void
put_escaped(struct buf *out, const char *text)
{
	if (text)
		buf_escape(out, text, strlen(text));
}

static void
put_line(struct buf *out, const char *label, const char *text)
{
	if (!text || !text[0])
		return;
	buf_printf(out, "%-11s ", label);
	put_escaped(out, text);
	buf_putc(out, '\n');
}

/* ---- info -------------------------------------------------------------- */
static void
put_cause(struct buf *out, const struct snap_process *p)
{
	const char *name = signals_name(p->os, p->signal);

	if (p->signal == 0)
		return;
	buf_printf(out, "%-11s ", "signal");
	if (name)
		buf_puts(out, name);
	else
		buf_printf(out, "%d", p->signal);
	if (p->has_fault_address)
		buf_printf(out, " at 0x%" PRIx64, p->fault_address);
	if (p->faulting_tid)
		buf_printf(out, " in thread %" PRIu64, p->faulting_tid);
	buf_putc(out, '\n');
}

static void
put_captured(struct buf *out, uint64_t ns)
{
	time_t seconds = (time_t)(ns / 1000000000u);
	char text[32];
	struct tm tm;

	if (ns && gmtime_r(&seconds, &tm)
	    && strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm))
		put_line(out, "captured", text);
}

static void
put_sizes(struct buf *out, const struct target *t)
{
	uint64_t captured = 0, absent = 0;

	for (size_t k = 0; k < t->n_memory; k++) {
		if (t->memory[k].kind == SNAP_MEM_ABSENT)
			absent += t->memory[k].length;
		else
			captured += t->memory[k].length;
	}
	buf_printf(out, "%-11s %" PRIu64 " KiB captured, %" PRIu64
		   " KiB mapped but not captured\n", "memory",
		   captured >> 10, absent >> 10);
}

static void
put_attr_line(struct buf *out, const char *label, const struct target *t,
	      const char *key)
{
	for (size_t k = 0; k < t->n_attrs; k++)
		if (t->attrs[k].type == SNAP_ATTR_STRING
		    && strcmp(t->attrs[k].key, key) == 0)
			put_line(out, label, t->attrs[k].string);
}

static void
put_pause(struct buf *out, const struct target *t)
{
	for (size_t k = 0; k < t->n_attrs; k++)
		if (t->attrs[k].type == SNAP_ATTR_U64
		    && strcmp(t->attrs[k].key, "capture.pause_ns") == 0)
			buf_printf(out, "%-11s %.1f ms, and went on\n",
				   "stood still",
				   (double)t->attrs[k].number / 1e6);
}

/* What is here besides, and the verb that shows it. */
static void
put_more(struct buf *out, const struct target *t)
{
	const struct { size_t n; const char *what, *verb; } more[] = {
		{ t->n_notes, "notes", "monitor notes" },
		{ t->n_attrs, "attributes", "monitor attributes" },
		{ t->n_files, "attached files", "monitor files" },
		{ t->n_texts, "texts of /proc", "info proc, info os" },
	};

	for (size_t k = 0; k < countof(more); k++)
		if (more[k].n)
			buf_printf(out, "%-11s %s: %zu (%s)\n",
				   k ? "" : "further", more[k].what,
				   more[k].n, more[k].verb);
}

/* Whoever shares what is written here: an editor, another gdb. */
static void
put_look(struct buf *out, const struct inferior *f)
{
	static const char *const who[] = {
		[LOOKER_DEBUGGER] = "a debugger", [LOOKER_EDITOR] = "an editor",
	};
	const struct overlay_look *l = overlay_look(f->shown->overlay);
	_buf_ struct buf text = { 0 };

	if (!l->changes || l->thread >= f->n_threads)
		return;
	buf_printf(&text, "%s looks at thread %zu, %" PRIu64, who[l->by],
		   l->thread + 1, f->tids[l->thread]);
	put_line(out, "selected", text.failed ? NULL : text.data);
}

static struct err *
verb_info(struct stub *s, const char *argument, struct buf *out)
{
	struct inferior *f = stub_inferior(s);
	const struct target *t = insp_target(f->insp);
	size_t modules;

	(void)argument;
	insp_modules(f->insp, &modules);
	put_line(out, "snapshot", f->title);
	put_line(out, "kind", t->ops->kind);
	put_line(out, "program", f->exe.len ? f->exe.data : t->process.name);
	put_line(out, "arguments", t->process.arguments);
	put_line(out, "directory", t->process.cwd);
	buf_printf(out, "%-11s %" PRIu64 "\n", "process", t->process.pid);
	put_cause(out, &t->process);
	put_captured(out, t->process.captured_ns);
	put_pause(out, t);
	put_attr_line(out, "host", t, "hostname");
	put_attr_line(out, "kernel", t, "uname.release");
	buf_printf(out, "%-11s %zu\n%-11s %zu\n", "threads", t->n_threads,
		   "modules", modules);
	put_look(out, f);
	put_sizes(out, t);
	put_more(out, t);
	return NULL;
}

/* ---- what is missing --------------------------------------------------- */
static struct err *
verb_missing(struct stub *s, const char *argument, struct buf *out)
{
	struct inferior *f = stub_inferior(s);
	const struct target *t = insp_target(f->insp);
	uint64_t bytes[SNAP_REASONS] = { 0 };
	size_t n;

	(void)argument;
	const char *const *gaps = insp_gaps(f->insp, &n);
	for (size_t k = 0; k < n; k++) {
		put_escaped(out, gaps[k]);
		buf_putc(out, '\n');
	}
	for (size_t k = 0; k < t->n_memory; k++)
		if (t->memory[k].kind == SNAP_MEM_ABSENT
		    && t->memory[k].reason < SNAP_REASONS)
			bytes[t->memory[k].reason] += t->memory[k].length;
	for (size_t k = 0; k < SNAP_REASONS; k++)
		if (bytes[k])
			buf_printf(out, "%" PRIu64 " KiB of memory: %s\n",
				   bytes[k] >> 10,
				   snap_reason_why((uint8_t)k));
	if (out->len == 0)
		buf_puts(out, "nothing is missing\n");
	return NULL;
}

/* The words that gdb's "Cannot access memory" has no room for. */
void
monitor_put_region(struct buf *out, uint64_t addr, const struct region *r)
{
	buf_printf(out, "0x%" PRIx64 ": ", addr);
	if (!r->mapped)
		buf_puts(out, "not mapped");
	else if (!r->captured)
		buf_printf(out, "mapped, but not captured: %s",
			   snap_reason_why(r->reason));
	else
		buf_puts(out, r->from_file ? "from the mapped file"
					   : "captured");
	buf_printf(out, " (0x%" PRIx64 "-0x%" PRIx64 "%s", r->start, r->end,
		   r->map && r->map->path ? " " : "");
	put_escaped(out, r->map ? r->map->path : NULL);
	buf_puts(out, ")\n");
}

/* Ranges that are mapped and not there, the neighbours of one reason as one. */
static void
put_absent(struct buf *out, const struct target *t)
{
	size_t shown = 0, more = 0;

	for (size_t k = 0; k < t->n_memory; k++) {
		const struct snap_memory *m = &t->memory[k];
		uint64_t end = m->start + m->length;

		if (m->kind != SNAP_MEM_ABSENT)
			continue;
		for (; k + 1 < t->n_memory
		       && t->memory[k + 1].kind == SNAP_MEM_ABSENT
		       && t->memory[k + 1].reason == m->reason
		       && t->memory[k + 1].start == end; k++)
			end += t->memory[k + 1].length;
		if (shown++ >= ABSENT_SHOWN) {
			more++;
			continue;
		}
		buf_printf(out, "0x%" PRIx64 "-0x%" PRIx64 " %8" PRIu64
			   " KiB  %s\n", m->start, end,
			   (end - m->start) >> 10, snap_reason_why(m->reason));
	}
	if (more)
		buf_printf(out, "and %zu more\n", more);
	if (!shown)
		buf_puts(out, "all that is mapped was captured\n");
}

static struct err *
verb_memory(struct stub *s, const char *argument, struct buf *out)
{
	struct region r;
	uint64_t addr;

	if (argument[0] == '\0') {
		put_absent(out, insp_target(stub_inferior(s)->insp));
		return NULL;
	}
	if (argument[0] == '0' && argument[1] == 'x')
		argument += 2;
	if (!hex_u64(argument, strlen(argument), &addr))
		return err_new(ERR_FAILED, "monitor memory takes an address in "
			       "hexadecimal");
	space_region(insp_space(stub_inferior(s)->insp), addr, &r);
	monitor_put_region(out, addr, &r);
	return NULL;
}

/* ---- what was found out ------------------------------------------------ */
static struct err *
verb_notes(struct stub *s, const char *argument, struct buf *out)
{
	static const char *const words[] = {
		[SNAP_INFO] = "info", [SNAP_WARNING] = "warning",
		[SNAP_CRITICAL] = "critical",
	};
	const struct target *t = insp_target(stub_inferior(s)->insp);

	(void)argument;
	for (size_t k = 0; k < t->n_notes; k++) {
		const struct snap_note *n = &t->notes[k];
		uint8_t severity = n->severity < countof(words) ? n->severity
								: 0;

		buf_printf(out, "%s: ", words[severity] ? words[severity]
							: "note");
		if (n->tid)
			buf_printf(out, "thread %" PRIu64 ": ", n->tid);
		put_escaped(out, n->text);
		buf_putc(out, '\n');
	}
	if (t->n_notes == 0)
		buf_puts(out, "there are no notes\n");
	return NULL;
}

static void
put_attribute(struct buf *out, const struct snap_attr *a)
{
	_buf_ struct buf value = { 0 };

	put_escaped(out, a->key);
	buf_puts(out, " = ");
	insp_attr_text(a, &value);
	put_escaped(out, value.data);
	buf_putc(out, '\n');
}

static struct err *
verb_attributes(struct stub *s, const char *argument, struct buf *out)
{
	const struct target *t = insp_target(stub_inferior(s)->insp);

	const size_t n = strlen(argument);
	bool any = false;

	for (size_t k = 0; k < t->n_attrs; k++) {
		if (strncmp(t->attrs[k].key, argument, n) != 0)
			continue;
		put_attribute(out, &t->attrs[k]);
		any = true;
	}
	if (!any)
		buf_puts(out, "there are no such attributes\n");
	return NULL;
}

/* ---- attached files ---------------------------------------------------- */
static struct err *
verb_files(struct stub *s, const char *argument, struct buf *out)
{
	const struct target *t = insp_target(stub_inferior(s)->insp);

	(void)argument;
	for (size_t k = 0; k < t->n_files; k++) {
		buf_printf(out, "%10" PRIu64 "  ",
			   (uint64_t)t->files[k].bytes.n);
		put_escaped(out, t->files[k].name);
		buf_putc(out, '\n');
	}
	if (t->n_files == 0)
		buf_puts(out, "no files are attached\n");
	else
		buf_puts(out, "in gdb: remote get /.inquest/attached/NAME "
			      "FILE\n");
	return NULL;
}

/* ---- threads and modules ----------------------------------------------- */
static struct err *
verb_threads(struct stub *s, const char *argument, struct buf *out)
{
	const struct inferior *f;
	size_t thread;

	(void)argument;
	for (size_t n = 0; stub_nth_thread(s, n, &f, &thread); n++) {
		const struct target *t = insp_target(f->insp);

		buf_printf(out, "%" PRIu64 " ", f->tids[thread]);
		put_escaped(out, t->threads[thread].name);
		buf_putc(out, ' ');
		threads_text(f, thread, out);
		buf_putc(out, '\n');
	}
	return NULL;
}

static struct err *
verb_modules(struct stub *s, const char *argument, struct buf *out)
{
	static const char *const kinds[] = {
		[MODULE_FILE_NONE] = "no file",
		[MODULE_FILE_EXACT] = "file with this id",
		[MODULE_FILE_UNVERIFIED] = "file that fits",
		[MODULE_FILE_COMPOSED] = "from the snapshot",
	};
	struct insp *i = stub_inferior(s)->insp;
	size_t n;
	const struct snap_module *m = insp_modules(i, &n);

	(void)argument;
	for (size_t k = 0; k < n; k++) {
		char id[2 * ID_MAX + 1];

		id_text(&m[k].id, id);
		buf_printf(out, "0x%" PRIx64 " %s %s: ", m[k].start,
			   id[0] ? id : "-",
			   kinds[insp_module_file_kind(i, k)]);
		put_escaped(out, m[k].path ? m[k].path
				 : m[k].n_names ? m[k].names[0] : "?");
		buf_putc(out, '\n');
	}
	return NULL;
}

/* ---- the verbs --------------------------------------------------------- */
static verb_fn verb_help;

static const struct verb VERBS[] = {
	{ "help", "", "these verbs", verb_help, VERB_OPENLY },
	{ "auth", "TOKEN", "the token that opens this server", host_verb_auth,
	  VERB_OPENLY | VERB_OF_HOST },
	{ "open", "ID", "a snapshot, for attach", host_verb_open,
	  VERB_OF_HOST },
	{ "info", "", "what is shown here", verb_info, VERB_OF_PROCESS },
	{ "missing", "", "what is not in the snapshot, and why", verb_missing,
	  VERB_OF_PROCESS },
	{ "memory", "[ADDR]", "is it mapped, was it captured", verb_memory,
	  VERB_OF_PROCESS },
	{ "why", "", "why the last read of memory was refused",
	  inside_verb_why, VERB_OF_PROCESS },
	{ "variables", "", "facts, for $_inquest_NAME in gdb",
	  inside_verb_variables, VERB_OF_PROCESS },
	{ "look", "pPID.TID", "the thread that is selected, from monitor init",
	  threads_verb_look, VERB_OF_PROCESS | VERB_OF_SHARED },
	{ "init", "", "comfort, for: python exec(gdb.execute(\"monitor init\","
	  " to_string=True))", inside_verb_init, VERB_OPENLY },
	{ "notes", "", "what was found out about it", verb_notes,
	  VERB_OF_PROCESS },
	{ "attributes", "[PREFIX]", "its attributes", verb_attributes,
	  VERB_OF_PROCESS },
	{ "files", "", "attached files", verb_files, VERB_OF_PROCESS },
	{ "overlay", "[list]", "what this session wrote; discard: undo it",
	  overlay_verb, VERB_OF_PROCESS },
	{ "diff", "[A] B", "what differs between two snapshots, by numbers",
	  diff_verb, VERB_OF_PROCESS },
	{ "snapshot", "[N]", "the series it is of; N: to that one, by continue",
	  timeline_verb, VERB_OF_PROCESS },
	{ "threads", "", "threads and their states", verb_threads, 0 },
	{ "modules", "", "modules, their ids and files", verb_modules,
	  VERB_OF_PROCESS },
};

/* Verbs that mean nothing here are unknown. */
static bool
is_offered(const struct stub *s, const struct verb *v)
{
	return (s->options.host || !(v->flags & VERB_OF_HOST))
	       && (overlay_shared(s) || !(v->flags & VERB_OF_SHARED));
}

static struct err *
verb_help(struct stub *s, const char *argument, struct buf *out)
{
	(void)argument;
	for (size_t k = 0; k < countof(VERBS); k++)
		if (is_offered(s, &VERBS[k]))
			buf_printf(out, "monitor %-10s %-8s %s\n",
				   VERBS[k].name, VERBS[k].argument,
				   VERBS[k].help);
	return NULL;
}

static struct err *
verb_admit(const struct stub *s, const struct verb *v)
{
	struct err *err = v->flags & VERB_OPENLY ? NULL : host_admit(s);

	if (!err && (v->flags & VERB_OF_PROCESS) && s->n_inferiors == 0)
		err = err_new(ERR_NOTFOUND, "nothing is open: see info os "
			      "snapshots, then attach PID or monitor open ID");
	return err;
}

static const struct verb *
find_verb(const struct stub *s, const char *name, size_t n)
{
	for (size_t k = 0; k < countof(VERBS); k++)
		if (strlen(VERBS[k].name) == n
		    && memcmp(VERBS[k].name, name, n) == 0
		    && is_offered(s, &VERBS[k]))
			return &VERBS[k];
	return NULL;
}

static struct err *
monitor_run(struct stub *s, const char *line, struct buf *out)
{
	size_t n = strcspn(line, " ");
	const char *argument = line + n + strspn(line + n, " ");

	if (n == 0)
		return verb_help(s, argument, out);
	const struct verb *v = find_verb(s, line, n);
	if (v) {
		struct err *err = verb_admit(s, v);
		return err ? err : v->run(s, argument, out);
	}
	buf_puts(out, "there is no such verb; these are:\n");
	return verb_help(s, "", out);
}

/* Until "error-message" was agreed on, as gdb 16 does, no error reply of this
 * packet has words: gdb 13 takes them for bad hex digits. */
static struct err *
tell_error(const struct stub *s, struct err *err, struct buf *out)
{
	if (!err || s->error_text || err_kind(err) == ERR_NOMEM)
		return err;
	buf_reset(out);
	buf_printf(out, "%s\n", err_text(err));
	err_free(err);
	return NULL;
}

/*
 * One packet where it fits, because gdb's Python sees only that; else console
 * packets. The hex digits are lower case, so they never read as an error.
 * lldb decodes console packets only.
 */
struct err *
monitor_command(struct stub *s, const struct args *a)
{
	const struct span *text = &a->v[0].bytes;
	_buf_ struct buf out = { 0 };
	_free_ char *line = strndup(text->data, text->n);

	if (!line)
		return err_nomem();
	struct err *err = tell_error(s, monitor_run(s, line, &out), &out);
	if (!err)
		err = buf_err(&out);
	if (err)
		return err;
	if (s->dialect == DIALECT_LLDB
	    || out.len > s->options.packet_size / 2) {
		buf_put(&s->console, out.data, out.len);
		stub_ok(s);
	} else if (out.len) {
		buf_hex(&s->reply, out.data, out.len);
	} else {
		stub_ok(s);
	}
	return NULL;
}
