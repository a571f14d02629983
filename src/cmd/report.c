/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report.c: inquest report - what happened, on one page.
 */
#include <string.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/report.h"
#include "cmd/session.h"
#include "cmd/sourcemap.h"

enum report_format { REPORT_TEXT, REPORT_JSON, REPORT_MARKDOWN };

struct report_options {
	const char *exe, *format;
	struct opt_list source_map;
	enum report_format as;
	bool json, all_threads, all_variables, no_index;
	bool colour;            /* found out before the jail closes */
};

static struct err *
report_write(const struct report *r, enum report_format as, struct buf *out)
{
	if (as == REPORT_JSON)
		return report_json(r, out);
	if (as == REPORT_MARKDOWN)
		report_markdown(r, out);
	else
		report_text_rest(r, out);
	return buf_err(out);
}

/* Whoever reads the page sees the stack that matters while the other threads
 * are unwound. */
static struct err *
report_write_first(const struct report *r, enum report_format as)
{
	_buf_ struct buf out = { 0 };

	if (as != REPORT_TEXT)
		return NULL;
	report_text_begin(r, &out);
	return say_result(&out);
}

/* Runs jailed. */
static struct err *
report_work(struct subject *s, void *arg)
{
	const struct report_options *o = arg;
	_arena_ struct arena *a = arena_new(0);
	_buf_ struct buf out = { 0 };
	struct report r = {
		.arena = a, .path = s->path,
		.all_threads = o->all_threads, .colour = o->colour,
		.all_variables = o->all_variables,
	};
	struct err *err;

	if (!a)
		return err_nomem();
	err = subject_open(s);
	if (err)
		return err;
	r.insp = s->insp;
	err = report_begin(&r);
	if (!err)
		err = report_write_first(&r, o->as);
	if (!err)
		err = report_finish(&r);
	if (!err)
		err = report_write(&r, o->as, &out);
	report_fini(&r);
	if (err)
		return err;
	err = say_result(&out);
	subject_tell_damage(s);
	return err;
}

static struct err *
report_find_format(struct report_options *o)
{
	static const char *const names[] = {
		[REPORT_TEXT] = "text", [REPORT_JSON] = "json",
		[REPORT_MARKDOWN] = "markdown",
	};

	if (o->json)
		o->as = REPORT_JSON;
	for (unsigned k = 0; o->format && k < countof(names); k++) {
		if (strcmp(o->format, names[k]) == 0) {
			o->as = k;
			return NULL;
		}
	}
	return !o->format ? NULL
	       : err_new(ERR_USAGE, "no format \"%s\": text, json and "
			 "markdown are known", o->format);
}

static struct err *
report_run(const struct verb *v, int argc, char **argv, int *status)
{
	struct report_options o = { 0 };
	const struct supply_map *maps = NULL;
	_arena_ struct arena *a = arena_new(0);
	struct operands operands;

	struct err *err = a ? verb_parse(v, argc, argv, &o, &operands)
			    : err_nomem();
	if (!err)
		err = report_find_format(&o);
	if (!err)
		err = sourcemap_read(&o.source_map, a, &maps);
	if (err)
		return err;
	o.colour = o.as == REPORT_TEXT && say_colour(STDOUT_FILENO);
	const struct session_options session = {
		.verb = v->name, .snap = operands.item[0], .exe = o.exe,
		.sources = true, .maps = maps, .n_maps = o.source_map.n,
		.indexes = o.no_index ? INDEXES_USE : INDEXES_MAKE,
		.work = report_work, .arg = &o,
	};
	return session_run(&session, status);
}

static const struct opt report_opts[] = {
	{ "exe", 0, "EXE", "the program, where it is not found by itself",
	  OPT_STRING, offsetof(struct report_options, exe) },
	{ "json", 0, NULL, "the same as --format json",
	  OPT_FLAG, offsetof(struct report_options, json) },
	{ "all-threads", 'a', NULL, "every stack in full",
	  OPT_FLAG, offsetof(struct report_options, all_threads) },
	{ "all-variables", 0, NULL, "variables of all frames of all threads",
	  OPT_FLAG, offsetof(struct report_options, all_variables) },
	{ "no-index", 0, NULL, "make no symbol index; use those that are there",
	  OPT_FLAG, offsetof(struct report_options, no_index) },
	{ "format", 'f', "FORMAT", "text, json or markdown",
	  OPT_STRING, offsetof(struct report_options, format) },
	SOURCEMAP_OPT(struct report_options, source_map),
	{ .name = NULL }
};

static const struct example report_examples[] = {
	{ PROGRAM " report core.1234", "what happened" },
	{ PROGRAM " report -a x.snap | less", "with all stacks" },
	{ PROGRAM " report --json x.snap", "for another program" },
	{ PROGRAM " report -f markdown x.snap", "for an issue tracker" },
	{ NULL, NULL }
};

static const struct exit_row report_exits[] = {
	{ 0, "reported" },
	{ 1, "the file is no snapshot or core, or cannot be handled" },
	{ 2, "usage" },
	{ 3, "no such file" },
	{ 4, "not allowed to read it" },
	{ 6, "the file is damaged or cut; what could be read is reported" },
	{ 0, NULL }
};

static const char report_manual[] =
	"Says why the process died, where, and what its other threads were "
	"doing. The first line is the cause: signal, code and address, and "
	"what is certain about it; where the source of the line is at hand, "
	"the expression whose access failed and its pointer, if there is no "
	"other that it could be. Then follow the stack of the thread that "
	"died, the other threads grouped by identical stacks, attributes, "
	"notes, and what is missing and why.\n\n"
	"A frame is followed by a mark when it is not sure: \"by frame "
	"pointer\" where there were no unwind tables, \"guessed\" where the "
	"stack was searched for return addresses, \"suspect\" where a second "
	"unwinder disagreed. Frames that repeat are folded. A stack that could "
	"not be followed to its end says why.\n\n"
	"Where debug information is found, frames of inlined functions are "
	"shown, and of functions that ended by calling the next one with a "
	"jump (\"tail call\"), the arguments and local variables of the thread that died, "
	"and the source around the innermost line whose file is on this "
	"machine, in the snapshot or on a debuginfod server. Where sources are "
	"elsewhere than they were when the program was built, --source-map "
	"says where, for names that begin with FROM (. are those that are "
	"relative); names stay as they were recorded. A symbol index is "
	"made of the information first and kept (see `" PROGRAM " index`). A "
	"value that the compiler kept nowhere at that place, one that was not "
	"captured and one whose address is not mapped are told apart. "
	"Variables that were asked for when the snapshot was taken (--global) "
	"are shown, too.\n\n"
	"Of a snapshot, stacks are unwound anew with the debug files at hand; "
	"where less is known now than when the snapshot was made, the stored "
	"names and frames are shown.\n\n"
	"With --json the result is one object. Addresses are strings in "
	"hexadecimal; what is not known is null; members may be added, and "
	"inquest.version grows when one changes its meaning:\n\n"
	"- inquest: version (1) and verb\n\n"
	"- snapshot: path, and kind: elf-core or snapshot\n\n"
	"- reason: text, signal, number, code, code_number, address, sender "
	"(a process id), expression (of the source, that the access was to), "
	"pointer (in it, which leads nowhere)\n\n"
	"- instruction: the one that failed, as disasm has it\n\n"
	"- process: pid, ppid, uid, name, arguments, exe, cwd, architecture, "
	"captured (ISO 8601)\n\n"
	"- threads: tid, name, state, faulting, group (an index), n_frames, "
	"frames, end (complete, truncated or limit), why, stored. A frame has "
	"depth, pc, function, offset, file, line, module, how (registers, cfi, "
	"frame-pointer, scan, inlined, tail-call), inlined, signal_frame, suspect; "
	"arguments and locals, of the faulting thread or with --all-variables "
	"of all: lists of name, type, value (text, as a debugger shows it), "
	"state (ok, optimized-out, not-captured, not-mapped, error), why, "
	"perhaps (what an optimized-out one would be, had no call changed the "
	"register that it was in), address, line (of the declaration). Of more "
	"than 1024 frames the middle is left out\n\n"
	"- groups: n_threads, threads (their ids)\n\n"
	"- modules: path, id, start, end, file (exact, unverified, composed or "
	"none), frames, frames_without_function, frames_without_line\n\n"
	"- globals: variables that `" PROGRAM " capture --global` kept, as "
	"arguments and locals are; tid of one that each thread has\n\n"
	"- missing: texts, and memory by reason, bytes, bytes_in_files\n\n"
	"- attributes, notes: an object, and a list of key, text, severity, tid "
	"(of a thread)\n\n"
	"- files: those attached, a list of name, bytes; `" PROGRAM " dump -x "
	"NAME` takes one out";

const struct verb verb_report = {
	.name = "report",
	.operands = "SNAP",
	.min = 1,
	.max = 1,
	.summary = "Say what happened: cause, stacks, what is missing",
	.text = report_manual,
	.options = report_opts,
	.examples = report_examples,
	.exits = report_exits,
	.run = report_run,
};
