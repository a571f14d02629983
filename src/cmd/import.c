/* SPDX-License-Identifier: Apache-2.0 */
/*
 * import.c: inquest import - a core becomes a snapshot.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture/capture.h"
#include "cmd/cmd.h"
#include "cmd/outfile.h"
#include "cmd/progress.h"
#include "cmd/session.h"

#define NAME_SIZE 64
#define NAMES_TRIED 1000u

struct import_options {
	const char *exe, *output;
	bool json;
	struct opt_list kv;
};

/* What the jailed side tells, once the snapshot is whole; not to be trusted
   with more than being shown. */
struct import_record {
	struct capture_counts counts;
	uint64_t pid, size;
	uint8_t damaged;
	char name[NAME_SIZE];
};

struct import {
	struct import_options options;
	struct progress progress;
	int out;                /* the file to write */
	int tell;               /* the pipe to the parent */
	uint64_t written;
};

/* ---- the jailed side ---- */

static struct err *
import_sink(void *arg, const void *data, size_t n)
{
	struct import *im = arg;

	im->written += n;
	return io_write(im->out, data, n);
}

static struct err *
import_tell(struct subject *s, const struct import *im,
	    const struct capture_counts *counts)
{
	const struct target *t = insp_target(s->insp);
	struct import_record record = {
		.counts = *counts, .pid = t->process.pid, .size = im->written,
		.damaged = subject_damaged(s),
	};

	snprintf(record.name, sizeof(record.name), "%s",
		 t->process.name ? t->process.name : "");
	return io_write(im->tell, &record, sizeof(record));
}

static struct err *
import_work(struct subject *s, void *arg)
{
	struct import *im = arg;
	struct capture_counts counts;
	struct capture_options options = {
		.source_name = s->path,
		.attributes = im->options.kv.item,
		.n_attributes = im->options.kv.n,
		.progress = progress_show, .progress_arg = &im->progress,
	};

	struct err *err = subject_open(s);
	if (err)
		return err;
	options.source = insp_target(s->insp)->ops->kind;
	err = capture_save(s->insp, &options, import_sink, im, &counts);
	progress_end(&im->progress);
	if (err)
		return err;
	subject_tell_damage(s);
	return import_tell(s, im, &counts);
}

/* ---- where it goes ---- */

struct place {
	char *dir;
	char *name;             /* NULL: a name of the default kind */
};

static void
place_fini(struct place *p)
{
	free(p->dir);
	free(p->name);
}

static struct err *
place_split(const char *path, struct place *out)
{
	const char *slash = strrchr(path, '/');

	out->dir = slash == path ? strdup("/")
		 : slash ? strndup(path, (size_t)(slash - path)) : strdup(".");
	out->name = strdup(slash ? slash + 1 : path);
	return out->dir && out->name ? NULL : err_nomem();
}

/* Refuse what replacing would do harm to: the input, devices, pipes. */
static struct err *
place_existing(const char *path, const struct stat *st, const char *input)
{
	struct stat in;

	if (!S_ISREG(st->st_mode))
		return err_new(ERR_USAGE, "%s is no regular file, and would be "
			       "replaced", path);
	if (stat(input, &in) == 0 && in.st_dev == st->st_dev
	    && in.st_ino == st->st_ino)
		return err_new(ERR_USAGE, "%s is the input itself", path);
	return NULL;
}

static struct err *
place_find(const char *output, const char *input, struct place *out)
{
	_free_ char *real = NULL;
	struct stat st;

	if (!output || (stat(output, &st) == 0 && S_ISDIR(st.st_mode))) {
		out->dir = strdup(output ? output : ".");
		return out->dir ? NULL : err_nomem();
	}
	if (stat(output, &st) < 0)
		return place_split(output, out);
	struct err *err = place_existing(output, &st, input);
	if (err)
		return err;
	/* A symbolic link stays one: what it names is replaced. */
	if (lstat(output, &st) == 0 && !S_ISLNK(st.st_mode))
		return place_split(output, out);
	real = realpath(output, NULL);
	return real ? place_split(real, out)
		    : err_errno("cannot find %s", output);
}

/* "name.pid.snap": a name from a core is no path, and has nothing odd in it. */
static void
place_default_name(struct buf *b, const struct import_record *r, unsigned nth)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
		"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

	for (size_t k = 0; k < NAME_SIZE && r->name[k]; k++) {
		bool first = k == 0 && strchr(".-", r->name[k]);
		buf_putc(b, strchr(plain, r->name[k]) && !first ? r->name[k]
								: '_');
	}
	if (!b->len)
		buf_puts(b, "process");
	buf_printf(b, ".%llu", (unsigned long long)r->pid);
	if (nth)
		buf_printf(b, ".%u", nth + 1);
	buf_puts(b, ".snap");
}

static struct err *
place_default(struct outfile *file, const struct import_record *r,
	      struct buf *name)
{
	bool taken = true;

	for (unsigned k = 0; k < NAMES_TRIED && taken; k++) {
		buf_reset(name);
		place_default_name(name, r, k);
		struct err *err = buf_err(name);
		if (!err)
			err = outfile_place(file, name->data, &taken);
		if (err)
			return err;
	}
	if (taken)
		return err_new(ERR_FAILED, "%s and %u more names are taken; "
			       "name one with -o", name->data, NAMES_TRIED);
	return NULL;
}

/* The finished file gets its name; *@path is that name with its directory. */
static struct err *
import_place(struct outfile *file, const struct place *place,
	     const struct import_record *r, struct buf *path)
{
	_buf_ struct buf name = { 0 };
	struct err *err;

	if (place->name) {
		buf_puts(&name, place->name);
		err = outfile_replace(file, place->name);
	} else {
		err = place_default(file, r, &name);
	}
	if (err)
		return err;
	if (strcmp(place->dir, ".") != 0)
		buf_printf(path, "%s%s", place->dir,
			   strcmp(place->dir, "/") == 0 ? "" : "/");
	buf_put(path, name.data, name.len);
	return buf_err(path);
}

/* ---- the parent ---- */

static bool
import_hear(int from, struct import_record *r)
{
	size_t n = 0;
	ssize_t got;

	while (n < sizeof(*r)) {
		got = read(from, (char *)r + n, sizeof(*r) - n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		n += (size_t)got;
	}
	r->name[NAME_SIZE - 1] = '\0';
	return true;
}

/*
 * A descriptor that tells of signals that would end us, so that a file with a
 * temporary name is removed first.
 */
static struct err *
import_catch(sigset_t *before, int *fd)
{
	sigset_t ends;

	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGHUP);
	sigprocmask(SIG_BLOCK, &ends, before);
	*fd = signalfd(-1, &ends, SFD_CLOEXEC | SFD_NONBLOCK);
	return *fd >= 0 ? NULL : err_errno("cannot wait for signals");
}

/* Die of the signal that was caught, if one was; then nothing is left. */
static void
import_die(struct outfile *file, int fd, const sigset_t *before)
{
	struct signalfd_siginfo info;

	if (read(fd, &info, sizeof(info)) != sizeof(info))
		return;
	outfile_drop(file);
	sigprocmask(SIG_SETMASK, before, NULL);
	raise((int)info.ssi_signo);
}

/* Run the jailed side; *heard tells whether it wrote a whole snapshot. */
static struct err *
import_session(const struct session_options *o, int signals, int hear,
	       struct import_record *record, bool *heard, int *status)
{
	struct session *s;

	struct err *err = session_start(o, &s);
	if (err)
		return err;
	err_free(session_serve(s, signals));
	struct pollfd caught = { .fd = signals, .events = POLLIN };
	if (poll(&caught, 1, 0) > 0)
		session_kill(s);
	err = session_end(s, status);
	*heard = !err && import_hear(hear, record);
	return err;
}

/* ---- what is said about it ---- */

static struct err *
import_json(const struct import_record *r, const char *path)
{
	struct json *top = say_json("import");
	_buf_ struct buf out = { 0 };

	json_set(top, "path", json_string(path));
	json_set(top, "bytes", json_u64(r->size));
	json_set(top, "pid", json_u64(r->pid));
	json_set(top, "threads", json_u64(r->counts.threads));
	json_set(top, "frames", json_u64(r->counts.frames));
	json_set(top, "modules", json_u64(r->counts.modules));
	json_set(top, "memory", json_u64(r->counts.memory));
	json_set(top, "absent", json_u64(r->counts.absent));
	json_set(top, "damaged", json_bool(r->damaged));
	struct err *err = json_write(top, true, &out);
	json_free(top);
	return err ? err : say_result(&out);
}

static void
import_next(const char *verb, const char *path)
{
	_buf_ struct buf word = { 0 };
	_buf_ struct buf shown = { 0 };

	say_quoted(&word, path);
	buf_escape(&shown, word.data ? word.data : "", word.len);
	say("next: " PROGRAM " %s %s", verb, shown.data);
}

/* The path is the result; the rest is talk. */
static struct err *
import_text(const struct import_record *r, const char *path)
{
	_buf_ struct buf out = { 0 }, sizes = { 0 };

	buf_printf(&out, "%s\n", path);
	struct err *err = say_result(&out);
	if (err)
		return err;
	say_size(&sizes, r->counts.memory);
	buf_puts(&sizes, " of memory in ");
	say_size(&sizes, r->size);
	say("%llu threads, %llu frames, %llu modules, %s",
	    (unsigned long long)r->counts.threads,
	    (unsigned long long)r->counts.frames,
	    (unsigned long long)r->counts.modules, sizes.data);
	import_next("report", path);
	import_next("gdb", path);
	return NULL;
}

static struct err *
import_finish(struct import *im, struct outfile *file,
	      const struct place *place, const struct import_record *r)
{
	_buf_ struct buf path = { 0 };

	struct err *err = import_place(file, place, r, &path);
	if (err)
		return err;
	return im->options.json ? import_json(r, path.data)
				: import_text(r, path.data);
}

/* ---- the verb ---- */

static struct err *
import_all(const char *snap, struct import *im, const struct place *place,
	   int *status)
{
	_outfile_ struct outfile file = OUTFILE_NONE;
	struct import_record record;
	_close_ int signals = -1, hear = -1, tell = -1;
	bool heard = false;
	sigset_t before;
	int ends[2];

	struct err *err = outfile_open(place->dir, &file);
	if (err)
		return err;
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return err_errno("cannot make a pipe");
	hear = ends[0];
	tell = ends[1];
	im->out = file.fd;
	im->tell = tell;
	const int keep[] = { file.fd, tell };
	const struct session_options o = {
		.verb = "import", .snap = snap, .exe = im->options.exe,
		.keep = keep, .n_keep = countof(keep),
		.work = import_work, .arg = im,
	};
	err = import_catch(&before, &signals);
	if (!err)
		err = import_session(&o, signals, hear, &record, &heard,
				     status);
	import_die(&file, signals, &before);
	if (heard)
		err = import_finish(im, &file, place, &record);
	import_die(&file, signals, &before);
	return err;
}

static struct err *
import_check_kv(const struct opt_list *kv)
{
	for (size_t k = 0; k < kv->n; k++) {
		const char *equals = strchr(kv->item[k], '=');
		if (!equals || equals == kv->item[k])
			return err_new(ERR_USAGE, "--kv \"%s\" is not KEY=VALUE",
				       kv->item[k]);
	}
	return NULL;
}

static struct err *
import_run(const struct verb *v, int argc, char **argv, int *status)
{
	_cleanup_(place_fini) struct place place = { 0 };
	struct import im = { .out = -1, .tell = -1 };
	struct operands operands;

	struct err *err = verb_parse(v, argc, argv, &im.options, &operands);
	if (!err)
		err = import_check_kv(&im.options.kv);
	if (!err)
		err = place_find(im.options.output, operands.item[0], &place);
	if (err)
		return err;
	progress_init(&im.progress);
	return import_all(operands.item[0], &im, &place, status);
}

static const struct opt import_opts[] = {
	{ "exe", 0, "EXE", "the program, where it is not found by itself",
	  OPT_STRING, offsetof(struct import_options, exe) },
	{ "output", 'o', "FILE", "where to write; NAME.PID.snap by default",
	  OPT_STRING, offsetof(struct import_options, output) },
	{ "kv", 0, "KEY=VALUE", "add an attribute (may be repeated)",
	  OPT_LIST, offsetof(struct import_options, kv) },
	{ "json", 0, NULL, "say what was written as JSON",
	  OPT_FLAG, offsetof(struct import_options, json) },
	{ .name = NULL }
};

static const struct example import_examples[] = {
	{ PROGRAM " import core.1234", "write NAME.1234.snap here" },
	{ PROGRAM " import --kv version=1.2 -o x.snap core",
	  "with an attribute" },
	{ NULL, NULL }
};

static const struct exit_row import_exits[] = {
	{ 0, "written" },
	{ 1, "the file is no core, or the snapshot could not be written" },
	{ 2, "usage" },
	{ 3, "no such file or directory" },
	{ 4, "not allowed" },
	{ 6, "the core is damaged or cut; a snapshot of what could be read is "
	     "written, unless nothing could" },
	{ 0, NULL }
};

const struct verb verb_import = {
	.name = "import",
	.operands = "CORE",
	.min = 1,
	.max = 1,
	.summary = "Turn a core into a snapshot, one file that needs no other",
	.text = "Writes a snapshot of what the core holds: threads with their "
		"registers and resolved stacks, memory in compressed pieces, "
		"and of each module what unwinding and naming need, so that "
		"stacks have names when the program and its libraries are "
		"gone. The path of the snapshot is printed on standard "
		"output.\n\n"
		"Without --output the snapshot is put in the current directory "
		"under the name and process id of the program; a snapshot of "
		"that name is not replaced. With --output FILE it is; FILE may "
		"be a directory. The file gets its name when it is whole and "
		"on disk, and only its owner may read it: a core holds "
		"whatever the program had in memory.\n\n"
		"A snapshot may be imported again, to add attributes, or names "
		"from debug files that were not at hand before.\n\n"
		"With --json the result is an object: path, bytes (of the "
		"file), pid, threads, frames, modules, memory (bytes "
		"captured), absent (bytes mapped but not captured), damaged.",
	.options = import_opts,
	.examples = import_examples,
	.exits = import_exits,
	.run = import_run,
};
