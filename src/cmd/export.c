/* SPDX-License-Identifier: Apache-2.0 */
/*
 * export.c: inquest export - a SNAP in a form that other programs read.
 */
#include "base/json.h"
#include "cmd/cmd.h"
#include "cmd/save.h"

struct export_options {
	const char *core, *exe;
	bool json;
};

/* Runs jailed. */
static struct err *
export_core(struct insp *i, int fd, struct capture_counts *out)
{
	const struct target *t = insp_target(i);

	out->threads = t->n_threads;
	for (size_t k = 0; k < t->n_memory; k++) {
		if (t->memory[k].kind == SNAP_MEM_ABSENT)
			out->absent += t->memory[k].length;
		else
			out->memory += t->memory[k].length;
	}
	return capture_core(i, fd);
}

static struct err *
export_json(const struct saved *s, const char *path)
{
	struct json *top = say_json("export");
	_buf_ struct buf out = { 0 };

	json_set(top, "path", json_string(path));
	json_set(top, "bytes", json_u64(s->size));
	json_set(top, "pid", json_u64(s->pid));
	json_set(top, "threads", json_u64(s->counts.threads));
	json_set(top, "memory", json_u64(s->counts.memory));
	json_set(top, "absent", json_u64(s->counts.absent));
	json_set(top, "damaged", json_bool(s->damaged));
	struct err *err = json_write(top, true, &out);
	json_free(top);
	return err ? err : say_result(&out);
}

/* The path is the result; the rest is talk. */
static struct err *
export_text(const struct saved *s, const char *path)
{
	_buf_ struct buf out = { 0 }, word = { 0 }, shown = { 0 };

	buf_printf(&out, "%s\n", path);
	struct err *err = say_result(&out);
	if (err)
		return err;
	say_quoted(&word, path);
	buf_escape(&shown, word.data ? word.data : "", word.len);
	say("next: gdb -c %s, or lldb -c %s", shown.data, shown.data);
	if (s->counts.absent)
		say("what was not captured has no place in a core; which "
		    "memory that is, monitor missing tells in inquest gdb");
	return NULL;
}

static struct err *
export_all(const struct export_options *o, const char *snap, int *status)
{
	_place_ struct place place = { 0 };
	_buf_ struct buf path = { 0 };
	struct saved saved;
	const struct save save = {
		.session = { .verb = "export", .snap = snap, .exe = o->exe },
		.write = export_core,
	};

	struct err *err = place_find(o->core, snap, &place);
	if (!err && !place.name)
		err = err_new(ERR_USAGE, "%s is a directory: --core takes the "
			      "name of a file", o->core);
	if (!err)
		err = save_file(&save, &place, &saved, &path, status);
	if (err || !path.len)
		return err;
	return o->json ? export_json(&saved, path.data)
		       : export_text(&saved, path.data);
}

static struct err *
export_run(const struct verb *v, int argc, char **argv, int *status)
{
	struct export_options o = { 0 };
	struct operands operands;

	struct err *err = verb_parse(v, argc, argv, &o, &operands);
	if (err)
		return err;
	if (!o.core)
		return err_new(ERR_USAGE, "say as what: --core FILE");
	return export_all(&o, operands.item[0], status);
}

static const struct opt export_opts[] = {
	{ "core", 0, "FILE", "write an ELF core there",
	  OPT_STRING, offsetof(struct export_options, core) },
	{ "exe", 0, "EXE", "the program, where it is not found by itself",
	  OPT_STRING, offsetof(struct export_options, exe) },
	{ "json", 0, NULL, "say what was written as JSON",
	  OPT_FLAG, offsetof(struct export_options, json) },
	{ .name = NULL }
};

static const struct example export_examples[] = {
	{ PROGRAM " export x.snap --core core.1", "then: gdb -c core.1" },
	{ NULL, NULL }
};

static const struct exit_row export_exits[] = {
	{ 0, "written" },
	{ 1, "the file is no snapshot or core, or could not be written" },
	{ 2, "usage" },
	{ 3, "no such file, directory or object" },
	{ 4, "not allowed" },
	{ 6, "the input is damaged or cut; what could be read is written, "
	     "unless nothing could" },
	{ 0, NULL }
};

const struct verb verb_export = {
	.name = "export",
	.operands = "SNAP",
	.min = 1,
	.max = 1,
	.summary = "Write a snapshot as a core that other programs read",
	.text = "With --core FILE an ELF core is written, for gdb, lldb, "
		"elfutils and whatever else reads those of the kernel: the "
		"registers of all threads, the process, its signal, its "
		"mapped files, and the memory that was captured. Zeros are "
		"holes, so that the file takes less room than it is long. The "
		"path is printed on standard output.\n\n"
		"A core says less than a snapshot. It needs the program and "
		"its libraries, which the debugger looks for itself. Memory "
		"that was not captured has no place in it, because debuggers "
		"take what a core leaves empty for zeros; where it is the "
		"code or the constants of a file, the debugger reads the "
		"file. Names of threads, attributes, notes and texts of /proc "
		"are left out. A thread whose registers were not captured is "
		"left out too.\n\n"
		"FILE is replaced if it exists; it gets its name when it is "
		"whole and on disk, and only its owner may read it.",
	.options = export_opts,
	.examples = export_examples,
	.exits = export_exits,
	.run = export_run,
};
