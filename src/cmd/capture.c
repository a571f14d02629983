/* SPDX-License-Identifier: Apache-2.0 */
/*
 * capture.c: inquest capture - a running process, or a command as it dies,
 * becomes a snapshot.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "capture/capture.h"
#include "cmd/cmd.h"
#include "cmd/home.h"
#include "cmd/import.h"
#include "cmd/keep.h"
#include "cmd/series.h"
#include "cmd/shoot.h"
#include "cmd/spell.h"

struct capture_verb_options {
	const char *results;
	bool json, no_cache;
	bool wait_symbols;
	struct save_words to;
	struct keep keep;
	struct spell spell;
	struct series_words series;
};

/* Shared with the processes that take pictures of a command. */
struct tally {
	atomic_uint begun;
};

struct capturing {
	struct capture_verb_options options;
	struct capture_limits limits;
	struct shoot shoot;
	struct cache cache;
	struct tally *tally;
	pid_t pid;
	int pidfd;              /* of it, for a series; or -1 */
};

/* ---- a process ---- */

/*
 * While a process lives nobody else has its number. Once it has ended, what
 * was pictured under that number later may be another one.
 */
static bool
capturing_ended(const struct capturing *c)
{
	struct pollfd p = { .fd = c->pidfd, .events = POLLIN };

	return c->pidfd >= 0 && poll(&p, 1, 0) > 0;
}

/* What was kept of its files is fetched while it is pictured. */
static void
capturing_maps(void *arg, const struct snap_map *maps, size_t n)
{
	struct capturing *c = arg;

	if (shoot_same_files(c->pid))
		cache_load(&c->cache, maps, n);
}

static struct err *
capturing_once(void *arg, const struct shoot *shoot, int *status)
{
	_target_ struct target *picture = NULL;
	struct capturing *c = arg;
	const struct capture_meanwhile meanwhile = { capturing_maps, c };

	struct err *err = capture_process(c->pid, &c->limits, &meanwhile,
					  &picture);
	if (!err && capturing_ended(c))
		err = err_new(ERR_NOTFOUND, "process %d has ended",
			      (int)c->pid);
	if (!err)
		err = spell_thread(&c->options.spell, picture);
	return err ? err : shoot_keep(shoot, picture, status);
}

static struct err *
capturing_process(struct capturing *c, const char *word, int *status)
{
	char *end;

	long pid = strtol(word, &end, 10);
	if (!*word || *end || pid <= 0 || pid > INT32_MAX)
		return err_new(ERR_USAGE, "\"%.200s\" is no process id; to run "
			       "a command: " PROGRAM " capture -- COMMAND",
			       word);
	c->pid = (pid_t)pid;
	if (c->options.series.number)
		c->pidfd = (int)syscall(SYS_pidfd_open, c->pid, 0);
	struct err *err = series_run(&c->options.series, &c->shoot,
				     capturing_once, c, status);
	base_close(&c->pidfd);
	if (!err)
		cache_fill(&c->cache);
	return err;
}

/* ---- a command ---- */

/* Of several pictures under one name only the first gets it. */
static struct err *
capturing_name(struct shoot *shoot, const struct target *picture)
{
	char *name;

	if (asprintf(&name, "%s.%llu", shoot->place.name,
		     (unsigned long long)picture->process.pid) < 0)
		return err_nomem();
	free(shoot->place.name);
	shoot->place.name = name;
	return NULL;
}

/* Runs in a process of its own. */
static int
capturing_died(void *arg, struct target *picture)
{
	struct capturing *c = arg;
	int status = 0;
	struct err *err = NULL;

	signal(SIGPIPE, SIG_IGN);
	if (atomic_fetch_add(&c->tally->begun, 1) && c->shoot.place.name)
		err = capturing_name(&c->shoot, picture);
	if (!err)
		err = shoot_keep(&c->shoot, picture, &status);
	if (!err)
		return status;
	say("capture: %s", err_text(err));
	status = err_exit_status(err);
	err_free(err);
	return status;
}

static void
capturing_tell(const char *command, const struct captured *done)
{
	if (done->trouble)
		say("capture: no snapshot was taken: %s",
		    err_text(done->trouble));
	else if (done->failed)
		say("capture: %u of %u snapshots could not be written whole",
		    done->failed, done->pictures);
	if (WIFSIGNALED(done->status) && WTERMSIG(done->status) == SIGKILL)
		say("capture: %s died of SIGKILL, of which nobody is told in "
		    "time for a snapshot", command);
}

static void
capturing_sigpipe(int signal)
{
	(void)signal;
}

static struct err *
capturing_command(struct capturing *c, char *const *argv, int *status)
{
	const struct capture_command command = {
		.argv = argv, .limits = &c->limits, .died = capturing_died,
		.arg = c,
	};
	struct captured done;

	c->tally = mmap(NULL, sizeof(*c->tally), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (c->tally == MAP_FAILED)
		return err_errno("cannot share memory");
	/*
	 * That we ignore it would last through exec(), and the command would
	 * not end when nobody reads it; a handler does not.
	 */
	signal(SIGPIPE, capturing_sigpipe);
	struct err *err = capture_run(&command, &done);
	munmap(c->tally, sizeof(*c->tally));
	if (err)
		return err;
	capturing_tell(argv[0], &done);
	err_free(done.trouble);
	*status = WIFSIGNALED(done.status) ? 128 + WTERMSIG(done.status)
					   : WEXITSTATUS(done.status);
	return NULL;
}

/* ---- the words ---- */

/* What dies is gone: that there is no place for it is said before. */
static struct err *
capturing_try_place(const struct capturing *c)
{
	_outfile_ struct outfile file = OUTFILE_NONE;
	_store_ struct store *store = NULL;

	return c->options.to.put ? home_open(c->shoot.where.dir, true, &store)
			    : outfile_open(c->shoot.place.dir, &file);
}

static struct err *
capturing_open_results(const struct capturing *c, bool command, int *out)
{
	const char *path = c->options.results;

	*out = -1;
	if (!path) {
		/* Of a command, stdout is its own. */
		*out = fcntl(command ? STDERR_FILENO : STDOUT_FILENO,
			     F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
		return *out >= 0 ? NULL : err_errno("cannot write results");
	}
	*out = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY,
		    0600);
	return *out >= 0 ? NULL : err_errno("cannot write %s", path);
}

/* @argv is the verb's own words; @command begins behind "--", or is NULL. */
static struct err *
capturing_run(struct capturing *c, const struct operands *own,
	      char *const *command, int *status)
{
	_arena_ struct arena *a = arena_new(0);
	_close_ int results = -1;

	if (!a)
		return err_nomem();
	struct err *err = keep_read(&c->options.keep, a, &c->limits,
				    &c->shoot.options);
	if (!err)
		err = spell_keep(&c->options.spell, a, &c->shoot.options);
	if (!err)
		err = save_read(&c->options.to, NULL, &c->shoot.place,
				&c->shoot.where);
	if (!err)
		err = capturing_try_place(c);
	if (!err)
		err = capturing_open_results(c, command, &results);
	if (err)
		return err;
	c->shoot.put = c->options.to.put;
	c->shoot.room = c->options.to.room;
	c->shoot.json = c->options.json;
	c->shoot.results = results;
	c->shoot.cache = &c->cache;
	cache_open(&c->cache, c->options.no_cache);
	c->shoot.indexes = c->options.wait_symbols ? INDEXES_MAKE
			   : c->options.no_cache ? INDEXES_NONE : INDEXES_QUEUE;
	err = command ? capturing_command(c, command, status)
		      : capturing_process(c, own->item[0], status);
	cache_fini(&c->cache);
	return err;
}

/* Words that contradict each other, or are too few. */
static struct err *
capturing_check(const struct capturing *c, const struct operands *own,
		char *const *command)
{
	bool core = c->options.spell.core;

	if (command && (own->n || core || !*command))
		return err_new(ERR_USAGE, *command ? "a process id or core and "
			       "a command are two things; name one"
			       : "there is no command behind --");
	if (!command && !own->n && !core)
		return err_new(ERR_USAGE, "PID, or -- COMMAND, is missing; see "
			       "`" PROGRAM " capture --help`");
	if (command && c->options.series.number)
		return err_new(ERR_USAGE, "a --series is of a process; a "
			       "command has one snapshot, as it dies");
	if (own->n > 1)
		return err_new(ERR_USAGE, "\"%.200s\" is one word too many; "
			       "see `" PROGRAM " capture --help`",
			       own->item[1]);
	return NULL;
}

static struct err *
capturing_core(const struct capture_verb_options *o, const char *exe,
	       int *status)
{
	_arena_ struct arena *a = arena_new(0);
	const struct import_options import = {
		.exe = exe, .json = o->json, .to = o->to, .keep = o->keep,
		.spell = o->spell,
	};

	return a ? import_core(&import, o->spell.core, a, status)
		 : err_nomem();
}

static struct err *
capture_verb_run(const struct verb *v, int argc, char **argv, int *status)
{
	struct capturing c = { .pidfd = -1 };
	char *const *command = NULL;
	struct operands own;
	int n = 1;

	while (n < argc && strcmp(argv[n], "--") != 0)
		n++;
	if (n < argc)
		command = argv + n + 1;
	struct err *err = verb_parse(v, n, argv, &c.options, &own);
	if (!err)
		err = capturing_check(&c, &own, command);
	if (!err && c.options.spell.core)
		return capturing_core(&c.options, own.n ? own.item[0] : NULL,
				      status);
	if (!err)
		err = capturing_run(&c, &own, command, status);
	place_fini(&c.shoot.place);
	return err;
}

#define FIELD(name) offsetof(struct capture_verb_options, name)
static const struct opt capture_opts[] = {
	SAVE_OPTS(struct capture_verb_options),
	KEEP_OPTS(struct capture_verb_options),
	KEEP_LIVE_OPTS(struct capture_verb_options),
	SERIES_OPTS(struct capture_verb_options),
	{ "results", 0, "FILE", "append paths, ids or JSON there",
	  OPT_STRING | OPT_RARE, FIELD(results) },
	{ "json", 0, NULL, "say what was written as JSON",
	  OPT_FLAG, FIELD(json) },
	{ "wait-symbols", 0, NULL, "wait for symbol indexes, for variables",
	  OPT_FLAG | OPT_RARE, FIELD(wait_symbols) },
	{ "no-cache", 0, NULL, "make all skeletons of modules anew",
	  OPT_FLAG | OPT_RARE, FIELD(no_cache) },
	{ .name = NULL }
};

static const struct opt capture_others[] = {
	SPELL_OPTS(struct capture_verb_options),
	{ .name = NULL }
};

static const struct example capture_examples[] = {
	{ PROGRAM " capture 1234", "of a process that goes on" },
	{ PROGRAM " capture --put -- ./prog x", "run; keep what it dies of" },
	{ PROGRAM " capture -o d -- make check", "any of many processes" },
	{ NULL, NULL }
};

static const struct exit_row capture_exits[] = {
	{ 0, "written; of a command, its exit status, or 128 and the number "
	     "of the signal it died of" },
	{ 1, "the snapshot could not be written" },
	{ 2, "usage" },
	{ 3, "no such process, command or directory" },
	{ 4, "not permitted, or another tracer has the process" },
	{ 0, NULL }
};

static const char capture_manual[] =
	"Of a process that runs: all its threads are stopped at once, their "
	"registers and memory are copied, and it goes on; how long it stood "
	"still is said. All else happens afterwards, in a jailed child. "
	"Stacks are copied first, then all other private memory, up to the "
	"copy limit; what was left out is said with the reason, and never "
	"shown as zero. The process keeps its signals, and one that was "
	"stopped by a signal stays so.\n\n"
	"Of what was copied, --budget bytes are kept: all where it fits, "
	"else stacks, variables of the modules, and what the thread that died "
	"leads to through pointers, then what the other threads lead to, "
	"each in its turn, the nearest first. A variable that --global names "
	"is kept in any case: NAME is as in the symbol table or demangled, "
	"static and thread-local ones too, or a glob; the report lists each "
	"under Notes as global.NAME, with its address and size.\n\n"
	"Kept as well are the texts of /proc about the process, its threads, "
	"descriptors and sockets, and the machine; the environment is among "
	"them. --redact RULE takes out what is secret, before anything is "
	"written: env:NAME (a glob) the value of a variable of the "
	"environment and every copy of it of 4 bytes or more, "
	"regex:EXPRESSION (as Perl's) what it matches, symbol:NAME (a glob) "
	"the bytes of a variable. In memory such bytes are absent, in texts "
	"and attached files the rule stands in their place; registers that "
	"hold one are left out. What an expression had not found within 4 "
	"seconds is taken out unseen. A value in another encoding, or a part "
	"of one, is not found.\n\n"
	"--attach-sources attaches the source files of the first stack that "
	"are on this machine, up to 64 and 4 MiB, so that a report elsewhere "
	"shows source. Their names come from symbol indexes: --wait-symbols "
	"waits for these. Else, with --put, they are kept beside the snapshot "
	"when a process in the background has made the indexes.\n\n"
	"What a snapshot keeps of each executable and library, and how their "
	"constants were packed, is kept in a cache too, for the next capture "
	"of a process: in INQUEST_CACHE, or ~/.cache/inquest. A process in "
	"the background adds what is new, after the snapshot is written; each "
	"file is looked at in a jailed child of its own. --no-cache neither "
	"reads nor adds.\n\n"
	"Without --output the snapshot is written into the current directory "
	"under the name and process id of the program, and replaces none; "
	"with --output FILE a file of that name is replaced; FILE may be a "
	"directory. With --put it goes into the store, as by put. The path, "
	"or the first digits of the object's id, is printed on standard "
	"output.\n\n"
	"With --series N, N snapshots are taken one after the other, --every "
	"TIME apart: NAME.PID.0001.snap and so on, or objects. Each is whole "
	"in itself, and knows the series (the attributes series.id and "
	"series.index); a store keeps once what did not change. A process "
	"that ends in between ends the series. So does Ctrl-C, when the "
	"snapshot that is being taken is complete; a second one ends at "
	"once.\n\n"
	"Behind -- stands a command. It is run with its own standard input, "
	"output and error, and whenever it, or a process that it started, is "
	"about to die of a signal that dumps core (SIGSEGV, SIGABRT, SIGBUS, "
	"SIGFPE, SIGILL, SIGTRAP, SIGQUIT, SIGSYS, SIGXCPU, SIGXFSZ), a "
	"snapshot is taken; then it dies as it would have. Every other signal "
	"reaches it unchanged. Paths or ids are printed on standard error, "
	"since standard output belongs to the command; --results FILE "
	"collects them. With --output FILE the first snapshot gets that name, "
	"later ones FILE.PID. The exit status is the command's own, or 128 "
	"and the number of the signal it died of, as a shell has it.\n\n"
	"No root is needed for a command, nor for processes of one's own "
	"where kernel.yama.ptrace_scope is 0; `" PROGRAM " doctor` tells. What "
	"cannot be done:\n\n"
	"- SIGKILL: nobody is told before such a process is gone\n\n"
	"- setuid programs: run by a tracer they do not get their "
	"privileges\n\n"
	"- debuggers, and strace, as the command: a process has one tracer "
	"only, so what they start is theirs\n\n"
	"- LeakSanitizer: it needs to trace its own process and fails; set "
	"ASAN_OPTIONS=detect_leaks=0\n\n"
	"- daemons that outlive the command: they run on, and are no longer "
	"watched when it has ended\n\n"
	"Several attributes may stand in one word, KEY:VALUE,KEY:VALUE; a "
	"comma that no key follows belongs to the value.\n\n"
	"With --json a result is an object: path, or id, hash, project, "
	"number, known; bytes (of the file), pid, threads, frames, modules, "
	"memory (bytes captured), absent (bytes mapped but not captured), "
	"damaged (false), pause_ns, not_copied (a list of reason, bytes), "
	"missing (sentences).";

const struct verb verb_capture = {
	.name = "capture",
	.operands = "PID | -- COMMAND [ARG...]",
	.max = 2,
	.summary = "Take a snapshot of a process, or of a command as it dies",
	.text = capture_manual,
	.options = capture_opts,
	.others = capture_others,
	.examples = capture_examples,
	.exits = capture_exits,
	.run = capture_verb_run,
};
