/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lldb.c: inquest lldb - stock lldb on a SNAP, everything set up.
 *
 * lldb has no pipe to a server, so one listens on a unix socket in a directory
 * that nobody else may enter. lldb connects twice: to the process, and to the
 * machine that it ran on, which is where it fetches files from.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/session.h"
#include "cmd/sourcemap.h"
#include "net/net.h"

struct lldb_options {
	const char *exe, *lldb, *record;
	struct opt_list source_map;
};

/* ---- the private directory ---- */

struct place {
	char *dir;              /* NULL = none yet */
	char *socket;
};

static int
lldb_remove(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	(void)kind;
	(void)ftw;
	remove(path);
	return 0;
}

static void
place_fini(struct place *p)
{
	const int descriptors = 16;

	if (p->dir)
		nftw(p->dir, lldb_remove, descriptors, FTW_DEPTH | FTW_PHYS);
	free(p->dir);
	free(p->socket);
}

/* The path of a unix socket has 107 bytes at most. Fetched files may be large,
 * so it is no place for small things. */
static struct err *
place_make(struct place *p)
{
	const size_t room = 70;
	const char *base = getenv("TMPDIR");
	_free_ char *dir = NULL;

	if (!base || base[0] != '/' || strlen(base) > room)
		base = "/tmp";
	if (asprintf(&dir, "%s/inquest-lldb-XXXXXX", base) < 0)
		return err_nomem();
	if (!mkdtemp(dir))
		return err_errno("cannot make a directory in %s", base);
	p->dir = take(dir);
	return asprintf(&p->socket, "%s/socket", p->dir) < 0 ? err_nomem()
							     : NULL;
}

/* ---- the two programs ---- */

/* It ends with us, however we end. */
static pid_t
lldb_fork(void)
{
	pid_t parent = getpid(), pid = fork();

	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
	if (getppid() != parent)
		_exit(1);
	return 0;
}

static void
lldb_wait(pid_t pid, int *status)
{
	while (waitpid(pid, status, 0) < 0 && errno == EINTR)
		;
}

/* Until it says that it listens, or ends without. */
static bool
lldb_listens(int told)
{
	char c = '\0';
	ssize_t n;

	do
		n = read(told, &c, 1);
	while ((n < 0 && errno == EINTR) || (n == 1 && c != '\n'));
	return n == 1;
}

/* A server's snapshot: each connection is one of ours to that server. */
static void
lldb_relay(const char *where, const char *url, int told)
{
	_cleanup_(net_listener_close) struct net_listener l = { .fd = -1 };
	_err_ struct err *err = net_listen(where, &l);
	struct pollfd p = { .fd = l.fd, .events = POLLIN };

	if (err || write(told, "\n", 1) != 1)
		_exit(1);
	signal(SIGCHLD, SIG_IGN);
	while (poll(&p, 1, -1) >= 0 || errno == EINTR) {
		int fd = net_accept(&l);

		if (fd >= 0 && lldb_fork() == 0) {
			fcntl(fd, F_SETFL, 0);
			dup2(fd, STDIN_FILENO);
			dup2(fd, STDOUT_FILENO);
			execl("/proc/self/exe", PROGRAM, "rsp", "--", url,
			      (char *)NULL);
			_exit(1);
		}
		if (fd >= 0)
			close(fd);
	}
	_exit(1);
}

/** What serves, and how. */
struct service {
	const char *socket, *snap, *exe, *record;
	char *word, *where, *program;           /* owned */
};

static void
service_fini(struct service *s)
{
	free(s->word);
	free(s->where);
	free(s->program);
}

static struct err *
service_name(struct service *s)
{
	s->program = s->exe ? realpath(s->exe, NULL) : NULL;
	if (s->exe && !s->program)
		return err_errno("cannot find %s", s->exe);
	if (asprintf(&s->where, "unix:%s", s->socket) < 0)
		return err_nomem();
	return pick_again(s->snap, &s->word);
}

/* Away from the terminal, whose keys are lldb's. */
static void
service_become(const struct service *s, int told)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	setsid();
	dup2(null, STDIN_FILENO);
	dup2(null, STDERR_FILENO);
	if (pick_is_url(s->snap))
		lldb_relay(s->where, s->word, told);
	dup2(told, STDOUT_FILENO);
	const char *argv[11] = { PROGRAM, "rsp", "--listen", s->where };
	size_t n = 4;

	if (s->program) {
		argv[n++] = "--exe";
		argv[n++] = s->program;
	}
	if (s->record) {
		argv[n++] = "--record";
		argv[n++] = s->record;
	}
	argv[n++] = "--";
	argv[n++] = s->word;
	execv("/proc/self/exe", (char *const *)argv);
	_exit(1);
}

static struct err *
lldb_serve(const char *socket, const char *snap, const struct lldb_options *o,
	   pid_t *out)
{
	_cleanup_(service_fini) struct service s = {
		.socket = socket, .snap = snap, .exe = o->exe,
		.record = o->record,
	};
	int ends[2];

	struct err *err = service_name(&s);
	if (err)
		return err;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_errno("cannot make a pipe");
	*out = lldb_fork();
	if (*out == 0)
		service_become(&s, ends[1]);
	close(ends[1]);
	_close_ int told = ends[0];
	if (*out < 0)
		return err_errno("cannot start another process");
	if (lldb_listens(told))
		return NULL;
	lldb_wait(*out, &(int){ 0 });
	*out = -1;
	return err_new(ERR_FAILED, "the snapshot cannot be served; see "
		       PROGRAM " rsp %s", snap);
}

/* ---- what lldb is told ---- */

static void
lldb_say(struct buf *b, const char *before, const char *path)
{
	buf_puts(b, before);
	for (; *path; path++) {
		if (*path == '"' || *path == '\\')
			buf_putc(b, '\\');
		buf_putc(b, *path);
	}
	buf_puts(b, "\"\n");
}

/*
 * Files that it fetches are kept for this session alone: one that was made of
 * what was captured lacks code that another session could want. The snapshot
 * was opened already; what may take long are answers about many threads.
 */
static struct err *
lldb_write_start(const struct place *p, const char **path, struct buf *text)
{
	_free_ char *file = NULL, *url = NULL;

	assert(p->dir);
	if (asprintf(&file, "%s/start", p->dir) < 0
	    || asprintf(&url, "unix-connect://%s", p->socket) < 0)
		return err_nomem();
	buf_puts(text, "settings set plugin.process.gdb-remote.packet-timeout "
		 "60\n");
	lldb_say(text, "settings set platform.module-cache-directory \"",
		 p->dir);
	buf_puts(text, "platform select remote-linux\n");
	lldb_say(text, "platform connect \"", url);
	lldb_say(text, "process connect \"", url);
	struct err *err = buf_err(text);
	_close_ int fd = err ? -1 : open(file, O_WRONLY | O_CREAT | O_EXCL
					 | O_CLOEXEC, 0600);
	if (!err && fd < 0)
		err = err_errno("cannot write %s", file);
	if (!err)
		err = io_write(fd, text->data, text->len);
	if (err)
		return err;
	buf_reset(text);
	lldb_say(text, "command source -s true \"", file);
	if (text->len)
		text->data[--text->len] = '\0';         /* no line end */
	*path = text->data;
	return buf_err(text);
}

static void
lldb_become(const char *lldb, const char *start, const struct operands *rest)
{
	const char **argv = calloc(rest->n + 6, sizeof(*argv));
	size_t n = 0;

	if (!argv)
		_exit(1);
	argv[n++] = lldb;
	argv[n++] = "-o";
	argv[n++] = start;
	argv[n++] = "-o";
	argv[n++] = "process status";
	for (size_t k = 0; k < rest->n; k++)
		argv[n++] = rest->item[k];
	signal(SIGPIPE, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	signal(SIGQUIT, SIG_DFL);
	execvp(lldb, (char *const *)argv);
	_exit(errno == ENOENT ? 127 : 126);
}

/* What a shell says of a program's end. */
static int
lldb_status(int status)
{
	const int of_signals = 128;

	return WIFEXITED(status) ? WEXITSTATUS(status)
				 : of_signals + WTERMSIG(status);
}

static void
lldb_ends(sigset_t *out)
{
	sigemptyset(out);
	sigaddset(out, SIGCHLD);
	sigaddset(out, SIGTERM);
	sigaddset(out, SIGHUP);
}

/* What would end us ends lldb first: there is to tidy up after it. */
static void
lldb_attend(pid_t pid, int *how)
{
	sigset_t ends;

	lldb_ends(&ends);
	while (waitpid(pid, how, WNOHANG) == 0) {
		int number = sigwaitinfo(&ends, NULL);

		if (number == SIGTERM || number == SIGHUP)
			kill(pid, number);
	}
}

static struct err *
lldb_debug(const char *lldb, const struct place *p, const struct vec *maps,
	   const struct operands *rest, int *status)
{
	const char *const *map = maps->data;
	_buf_ struct buf text = { 0 };
	const char *start = NULL;
	sigset_t ends;
	int how = 0;

	for (size_t k = 0; k < maps->n; k++)
		buf_printf(&text, "%s\n", map[k]);
	struct err *err = lldb_write_start(p, &start, &text);
	if (err)
		return err;
	/* A terminal sends them to both; they mean lldb. */
	signal(SIGINT, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	lldb_ends(&ends);
	sigprocmask(SIG_BLOCK, &ends, NULL);
	pid_t pid = lldb_fork();
	if (pid == 0) {
		sigprocmask(SIG_UNBLOCK, &ends, NULL);
		lldb_become(lldb, start, rest);
	}
	if (pid < 0)
		return err_errno("cannot start another process");
	lldb_attend(pid, &how);
	*status = lldb_status(how);
	return NULL;
}

/* ---- the verb ---- */

/* Runs jailed: lldb would show what is wrong with SNAP, but not end with it. */
static struct err *
lldb_probe(struct subject *s, void *arg)
{
	(void)arg;
	return subject_open(s);
}

/** Its path, as the shell would find it. */
static struct err *
lldb_find(const char *lldb, struct buf *out)
{
	const char *dirs = getenv("PATH");

	buf_puts(out, lldb);
	if (!out->failed && strchr(lldb, '/') && access(lldb, X_OK) == 0)
		return NULL;
	while (!strchr(lldb, '/') && dirs && *dirs) {
		size_t n = strcspn(dirs, ":");

		buf_reset(out);
		buf_put(out, dirs, n);
		buf_printf(out, "/%s", lldb);
		if (!out->failed && access(out->data, X_OK) == 0)
			return NULL;
		dirs += n + (dirs[n] == ':');
	}
	return err_new(ERR_NOTFOUND, "%s is not installed; on Debian: apt-get "
		       "install lldb", lldb);
}

/*
 * lldb 14 of Debian looks for its Python module where no package puts it, and
 * then shows containers raw. It lies beside the program, in LLVM's own tree;
 * what it imports lies with the system's Python.
 */
static void
lldb_find_python(const char *path)
{
	static const char module[] = "/lldb/embedded_interpreter.py";
	_free_ char *real = realpath(path, NULL), *pattern = NULL;
	_free_ char *value = NULL;
	char *end = real ? strstr(real, "/bin/") : NULL;
	glob_t found;

	if (!end || asprintf(&pattern, "%.*s/lib/python3*/*-packages%s",
			     (int)(end - real), real, module) < 0)
		return;
	if (glob(pattern, 0, NULL, &found) == 0) {
		const char *at = found.gl_pathv[0];

		if (asprintf(&value, "%.*s:/usr/lib/python3/dist-packages",
			     (int)(strlen(at) - (sizeof(module) - 1)), at) > 0)
			setenv("PYTHONPATH", value, 0);
		globfree(&found);
	}
}

static struct err *
lldb_run(const struct verb *v, int argc, char **argv, int *status)
{
	_cleanup_(place_fini) struct place place = { NULL, NULL };
	_buf_ struct buf lldb = { 0 };
	_arena_ struct arena *a = arena_new(0);
	struct lldb_options o = { 0 };
	struct vec maps = { 0 };
	struct operands operands;
	pid_t server = -1;

	struct err *err = a ? verb_parse(v, argc, argv, &o, &operands)
			    : err_nomem();
	if (!err)
		err = sourcemap_commands(&o.source_map, "settings append "
					 "target.source-map", a, &maps);
	if (err)
		return err;
	const struct session_options probe = {
		.verb = v->name, .snap = operands.item[0], .exe = o.exe,
		.work = lldb_probe,
	};
	struct operands rest = { operands.item + 1, operands.n - 1 };
	if (rest.n && strcmp(rest.item[0], "--") == 0)
		rest = (struct operands){ rest.item + 1, rest.n - 1 };
	err = o.record && pick_is_url(operands.item[0])
		? err_new(ERR_USAGE, "--record is for files; of a URL " PROGRAM
			  " rsp makes one")
		: lldb_find(o.lldb ? o.lldb : "lldb", &lldb);
	if (!err)
		err = session_run(&probe, status);
	if (err || *status)
		return err;
	lldb_find_python(lldb.data);
	err = place_make(&place);
	if (!err)
		err = lldb_serve(place.socket, operands.item[0], &o,
				 &server);
	if (!err)
		err = lldb_debug(lldb.data, &place, &maps, &rest, status);
	if (server > 0) {
		kill(server, SIGTERM);
		lldb_wait(server, &(int){ 0 });
	}
	return err;
}

static const struct opt lldb_opts[] = {
	{ "exe", 0, "EXE", "the program, where it is not found by itself",
	  OPT_STRING, offsetof(struct lldb_options, exe) },
	{ "record", 0, "FILE", "write down what lldb and the snapshot say",
	  OPT_STRING, offsetof(struct lldb_options, record) },
	{ "lldb", 0, "PROGRAM", "another lldb than the one on the PATH",
	  OPT_STRING, offsetof(struct lldb_options, lldb) },
	SOURCEMAP_OPT(struct lldb_options, source_map),
	{ .name = NULL }
};

static const struct example lldb_examples[] = {
	{ PROGRAM " lldb core.1234", "look around" },
	{ PROGRAM " lldb x.snap -b -o 'bt all'", "one command, then end" },
	{ PROGRAM " lldb http://HOST/p/PROJECT/ID", "through a server" },
	{ NULL, NULL }
};

static const struct exit_row lldb_exits[] = {
	{ 0, "lldb's own exit status, once it was started" },
	{ 1, "the file is no snapshot or core, or cannot be handled" },
	{ 2, "usage" },
	{ 3, "no such file, or no lldb" },
	{ 4, "not allowed to read it; no token" },
	{ 5, "the server of a URL cannot be reached" },
	{ 6, "the file is too damaged to be opened" },
	{ 0, NULL }
};

const struct verb verb_lldb = {
	.name = "lldb",
	.operands = "SNAP [ARG...]",
	.min = 1,
	.max = 1,
	.passes_args = true,
	.summary = "Look around in stock lldb, everything set up",
	.text = "Starts lldb and connects it to the snapshot or core. Words "
		"after SNAP are lldb's. lldb finds the program and its "
		"libraries on this machine where their build-ids are the same, "
		"and fetches the others from the snapshot: no file of the "
		"program need be here. Fetched files are deleted at the "
		"end.\n\n"
		"By hand, on a listener of one snapshot (" PROGRAM " rsp "
		"--listen ADDRESS SNAP); the last line alone is enough where "
		"the program's files are at their places, unchanged:\n\n"
		"\t(lldb) platform select remote-linux\n"
		"\t(lldb) platform connect connect://ADDRESS\n"
		"\t(lldb) gdb-remote ADDRESS\n\n"
		"The process does not run: what is asked to run it comes back "
		"with the stop it was captured in, but for continue in a "
		"series, which goes to the next snapshot (process plugin "
		"packet monitor snapshot N before it: to number N; after a "
		"step say thread plan discard 1 first). With -b lldb leaves out the "
		"commands behind one that ends in a crash, as it does on a "
		"live process; those of a file (-s) it carries out. The number "
		"of the process is shown with 1000000000 added, because lldb "
		"would look here for a process of that number.",
	.options = lldb_opts,
	.examples = lldb_examples,
	.exits = lldb_exits,
	.run = lldb_run,
};
