/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gdb.c: inquest gdb - stock gdb on a SNAP, everything set up.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/offers.h"
#include "cmd/session.h"
#include "cmd/sourcemap.h"
#include "gdbstub/gdbstub.h"

/* What a gdb of this machine knows, whatever else it knows. */
#if defined(__aarch64__)
#define GDB_KNOWS "aarch64"
#else
#define GDB_KNOWS "x86_64"
#endif

struct gdb_options {
	const char *exe, *gdb, *record;
	struct opt_list source_map;
};

/*
 * What gdb is told before its own and the user's files are read, so that a
 * user's settings still win; and after, because it needs what those set up.
 */
static const char *const gdb_early[] = {
	/* Modules come from the snapshot, not from this machine's disk. */
	"set sysroot target:",
	/* One request for a page of stack instead of one for every 64 bytes. */
	"set dcache line-size 4096",
	/* Opening a large core may take longer than gdb's two seconds. */
	"set remotetimeout 60",
};

/* Where many libraries are read nobody is asked for a key; the script that
 * comes after sets it back. */
static const char gdb_quiet[] =
	"python inquest_pages = gdb.parameter('pagination'); "
	"gdb.execute('set pagination off')";

/* A file of nobody else's that gdb inherits, with what it is to run. */
static struct err *
gdb_script(struct buf *command)
{
	int fd = memfd_create("inquest-init", 0);

	if (fd < 0)
		return err_errno("cannot make a file in memory");
	const char *script = stub_script();
	struct err *err = io_write(fd, script, strlen(script));
	if (!err)
		buf_printf(command, "python exec(open('/proc/self/fd/%d')"
			   ".read())", fd);
	return err ? err : buf_err(command);
}

/* What nobody chose to leave out; files, devices and the like are left out of
 * every core. */
static bool
gdb_lacks(const struct snap_memory *m)
{
	static const bool lost[SNAP_REASONS] = {
		[SNAP_ABSENT_BUDGET] = true, [SNAP_ABSENT_TIME] = true,
		[SNAP_ABSENT_DEPTH] = true, [SNAP_ABSENT_CUT] = true,
	};

	return m->kind == SNAP_MEM_ABSENT && m->reason < SNAP_REASONS
	       && lost[m->reason];
}

/* Runs jailed: gdb would show what is wrong with SNAP, but not end with it. */
static struct err *
gdb_probe(struct subject *s, void *arg)
{
	struct err *err = subject_open(s);
	const struct gdb_options *o = arg;
	bool lacks = false;
	size_t gaps;

	if (err)
		return err;
	if (!o->gdb && strcmp(insp_arch(s->insp)->name, GDB_KNOWS) != 0)
		say("gdb: a process of %s: if gdb does not know of it, give "
		    "one that does, as --gdb gdb-multiarch",
		    insp_arch(s->insp)->name);
	const struct target *t = insp_target(s->insp);
	insp_gaps(s->insp, &gaps);
	for (size_t k = 0; k < t->n_memory && !lacks; k++)
		lacks = gdb_lacks(&t->memory[k]);
	if (gaps || lacks)
		say("gdb: not all of it is there: in gdb, monitor missing tells "
		    "what is missing and why");
	return NULL;
}

/* ---- what is shown ---- */

/** Words before those of gdb's, as they are understood in any directory. */
struct snaps {
	char *word[OFFERS_TYPED_MAX];
	size_t n;
	struct offers offers;
};

static void
snaps_fini(struct snaps *s)
{
	for (size_t k = 0; k < s->n; k++)
		free(s->word[k]);
	if (s->n)
		offers_fini(&s->offers);
}

static struct err *
snaps_take(const struct operands *o, struct snaps *s)
{
	s->offers.first = (struct pick)PICK_NONE;
	while (s->n < o->n && (s->n == 0 || o->item[s->n][0] != '-')) {
		if (s->n == OFFERS_TYPED_MAX)
			return err_new(ERR_USAGE, "at most %u snapshots are "
				       "shown side by side", OFFERS_TYPED_MAX);
		struct err *err = pick_again(o->item[s->n], &s->word[s->n]);
		if (err)
			return err;
		s->n++;
	}
	return offers_make(s->word, s->n, &s->offers);
}

/* As it was typed, unless that stands for another one. */
static const char *
snaps_name(const struct snaps *s, const struct operands *o, size_t k)
{
	const char *word = offers_word(&s->offers, k);

	return strcmp(word, s->word[k]) == 0 ? o->item[k] : word;
}

/* ---- gdb ---- */

static struct err *
gdb_find_self(char **out)
{
	*out = realpath("/proc/self/exe", NULL);
	return *out ? NULL : err_errno("cannot find this program's own path");
}

/* The command by which gdb starts the other end of its pipe. */
static struct err *
gdb_target(const struct snaps *s, const struct gdb_options *o, struct buf *out)
{
	const char *exe = o->exe, *record = o->record;
	_free_ char *self = NULL;
	_free_ char *program = exe ? realpath(exe, NULL) : NULL;

	if (exe && !program)
		return err_errno("cannot find %s", exe);
	struct err *err = gdb_find_self(&self);
	if (err)
		return err;
	buf_printf(out, "target %s | ", s->n > 1 ? "extended-remote"
						 : "remote");
	say_quoted(out, self);
	buf_puts(out, " rsp ");
	if (record) {
		buf_puts(out, "--record ");
		say_quoted(out, record);
		buf_putc(out, ' ');
	}
	if (program) {
		buf_puts(out, "--exe ");
		say_quoted(out, program);
		buf_putc(out, ' ');
	}
	if (!pick_is_url(s->word[0]))
		buf_puts(out, "--wait 45 ");
	for (size_t k = 0; k < s->n; k++) {
		say_quoted(out, s->word[k]);
		buf_puts(out, k + 1 < s->n ? " " : "");
	}
	return buf_err(out);
}

/* An inferior of its own for each but the first, as Python: one word. */
static struct err *
gdb_attach(const struct snaps *s, struct buf *out)
{
	buf_puts(out, "python [gdb.execute(c, False, True) for c in \"");
	for (size_t k = 1; k < s->n; k++)
		buf_printf(out, "add-inferior;inferior %zu;attach %llu;", k + 1,
			   (unsigned long long)s->offers.typed[k]);
	buf_puts(out, "inferior 1\".split(\";\")]");
	return buf_err(out);
}

static struct err *
gdb_exec(const char *gdb, const char *target, const char *attach,
	 const struct vec *maps, const struct operands *rest)
{
	size_t max = 1 + 2 * (countof(gdb_early) + maps->n) + 8 + rest->n + 1;
	size_t n = 0;
	_free_ const char **argv = calloc(max, sizeof(*argv));
	_buf_ struct buf script = { 0 };

	if (!argv)
		return err_nomem();
	struct err *err = gdb_script(&script);
	if (err)
		return err;
	argv[n++] = gdb;
	for (size_t k = 0; k < countof(gdb_early); k++) {
		argv[n++] = "-iex";
		argv[n++] = gdb_early[k];
	}
	const char *const *map = maps->data;
	for (size_t k = 0; k < maps->n; k++) {
		argv[n++] = "-iex";
		argv[n++] = map[k];
	}
	argv[n++] = "-ex";
	argv[n++] = gdb_quiet;
	argv[n++] = "-ex";
	argv[n++] = target;
	if (attach) {
		argv[n++] = "-ex";
		argv[n++] = attach;
	}
	argv[n++] = "-ex";
	argv[n++] = script.data;
	for (size_t k = 0; k < rest->n; k++)
		argv[n++] = rest->item[k];
	/* Ours only: gdb expects to die of a pipe that nobody reads. */
	signal(SIGPIPE, SIG_DFL);
	execvp(gdb, (char *const *)argv);
	if (errno == ENOENT)
		return err_new(ERR_NOTFOUND, "%s is not installed; on Debian: "
			       "apt-get install gdb", gdb);
	return err_errno("cannot start %s", gdb);
}

static struct err *
gdb_run(const struct verb *v, int argc, char **argv, int *status)
{
	_cleanup_(snaps_fini) struct snaps snaps = { 0 };
	_buf_ struct buf target = { 0 }, attach = { 0 };
	_arena_ struct arena *a = arena_new(0);
	struct gdb_options o = { 0 };
	struct vec maps = { 0 };
	struct operands operands;

	struct err *err = a ? verb_parse(v, argc, argv, &o, &operands)
			    : err_nomem();
	if (!err)
		err = sourcemap_commands(&o.source_map, "set substitute-path",
					 a, &maps);
	if (!err)
		err = snaps_take(&operands, &snaps);
	for (size_t k = 0; k < snaps.n && !err && !*status; k++) {
		const struct session_options probe = {
			.verb = v->name, .exe = o.exe, .work = gdb_probe,
			.snap = snaps_name(&snaps, &operands, k), .arg = &o,
		};
		err = session_run(&probe, status);
	}
	if (err || *status)
		return err;
	err = gdb_target(&snaps, &o, &target);
	if (!err && snaps.n > 1)
		err = gdb_attach(&snaps, &attach);
	if (err)
		return err;
	struct operands rest = { operands.item + snaps.n,
				 operands.n - snaps.n };
	/* gdb would take all words behind it for files. */
	if (rest.n && strcmp(rest.item[0], "--") == 0)
		rest = (struct operands){ rest.item + 1, rest.n - 1 };
	return gdb_exec(o.gdb ? o.gdb : "gdb", target.data, attach.data, &maps,
			&rest);
}

static const struct opt gdb_opts[] = {
	{ "exe", 0, "EXE", "the program, where it is not found by itself",
	  OPT_STRING, offsetof(struct gdb_options, exe) },
	{ "record", 0, "FILE", "write down what gdb and the snapshot say",
	  OPT_STRING, offsetof(struct gdb_options, record) },
	{ "gdb", 0, "PROGRAM", "another gdb than the one on the PATH",
	  OPT_STRING, offsetof(struct gdb_options, gdb) },
	SOURCEMAP_OPT(struct gdb_options, source_map),
	{ .name = NULL }
};

static const struct example gdb_examples[] = {
	{ PROGRAM " gdb core.1234", "look around" },
	{ PROGRAM " gdb x.snap -batch -ex bt", "one command, then end" },
	{ PROGRAM " gdb parent.snap child.snap", "side by side" },
	{ NULL, NULL }
};

static const struct exit_row gdb_exits[] = {
	{ 0, "gdb's own exit status, once it was started" },
	{ 1, "the file is no snapshot or core, or cannot be handled" },
	{ 2, "usage" },
	{ 3, "no such file, or no gdb" },
	{ 4, "not allowed to read it" },
	{ 6, "the file is too damaged to be opened" },
	{ 0, NULL }
};

const struct verb verb_gdb = {
	.name = "gdb",
	.operands = "SNAP... [ARG...]",
	.min = 1,
	.max = 1,
	.passes_args = true,
	.summary = "Look around in stock gdb, everything set up",
	.text = "Starts gdb and connects it to the snapshot or core. Words "
		"from the first that begins with a dash on are gdb's (behind "
		"--, where that is the first). Several "
		"SNAPs are inferiors side by side: thread apply all backtrace "
		"shows all of them. Of a series, continue goes to the next "
		"snapshot, reverse-continue back, inquest-snapshot lists them "
		"and goes to one by its number; see inquest rsp.\n\n"
		"The program and its libraries are "
		"served from the snapshot, or from this machine where files "
		"with the same build-ids are found, or from what was put into "
		"the store beside it (inquest put), or from the debuginfod "
		"servers that $DEBUGINFOD_URLS names; gdb needs no file names. "
		"The printers of libstdc++ are registered where this machine "
		"has them.\n\n"
		"Facts about it are variables: $_inquest_cause, $_inquest_id, "
		"$_inquest_captured, $_inquest_host, $_inquest_fault_address "
		"and others (show convenience). Behind a read of memory that "
		"is mapped but was not captured stands why. Sources that were "
		"attached to the snapshot, or that debuginfod has, are "
		"fetched for the frames one goes to; inquest-source LOCATION "
		"fetches another one.\n\n"
		"The same by hand:\n\n"
		"\tgdb -iex 'set sysroot target:' -iex 'set dcache line-size "
		"4096'\n\t(gdb) target remote | inquest rsp SNAP\n"
		"\t(gdb) python exec(gdb.execute(\"monitor init\", "
		"to_string=True))\n\n"
		"The process does not run: what is written to memory or "
		"registers lasts until gdb ends, and never reaches the file. "
		"Which memory was not captured and why, gdb's monitor command "
		"tells.",
	.options = gdb_opts,
	.examples = gdb_examples,
	.exits = gdb_exits,
	.run = gdb_run,
};
