/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gdb.c: starts a jailed gdb.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "jail/jail.h"
#include "serve/gdb.h"

#define MEMORY (2ull << 30)
#define CPU_SECONDS 120u

/* ---- what it is connected by ---- */

/* gdb takes no descriptor for a target, but the name of a serial line. */
static struct err *
line_open(struct gdb_ends *e)
{
	struct termios t;

	e->link = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	if (e->link < 0 || grantpt(e->link) < 0 || unlockpt(e->link) < 0
	    || ptsname_r(e->link, e->terminal, sizeof(e->terminal)) != 0)
		return err_errno("cannot make a pseudo-terminal");
	e->line = open(e->terminal, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (e->line < 0 || tcgetattr(e->line, &t) < 0)
		return err_errno("cannot open %s", e->terminal);
	cfmakeraw(&t);
	if (tcsetattr(e->line, TCSANOW, &t) < 0)
		return err_errno("cannot set up %s", e->terminal);
	return NULL;
}

struct err *
gdb_ends(struct gdb_ends *out)
{
	int pair[2];

	*out = (struct gdb_ends){ -1, -1, -1, -1, "" };
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return err_errno("cannot make a socket");
	out->talk = pair[0];
	out->io = pair[1];
	fcntl(out->talk, F_SETFL, O_NONBLOCK);
	struct err *err = line_open(out);
	if (err)
		gdb_ends_close(out);
	return err;
}

void
gdb_ends_close(struct gdb_ends *e)
{
	int *const all[] = { &e->talk, &e->link, &e->io, &e->line };

	for (size_t k = 0; k < countof(all); k++) {
		base_close(all[k]);
		*all[k] = -1;
	}
}

/* ---- gdb ---- */

static struct err *
gdb_find(char *out, size_t size)
{
	const char *path = getenv("PATH");

	for (path = path ? path : "/usr/bin:/bin"; *path;) {
		size_t n = strcspn(path, ":");

		snprintf(out, size, "%.*s/gdb", (int)n, path);
		if (*path == '/' && access(out, X_OK) == 0)
			return NULL;
		path += n + (path[n] == ':');
	}
	return err_new(ERR_NOTFOUND, "there is no gdb on this "
		       "machine: install it, or add its directory to PATH");
}

struct err *
gdb_start(int io, const char *terminal, struct jail_child **out)
{
	/*
	 * Not "set auto-load off", which takes the printers of the C++ library
	 * away. -nx alone is no fence: see program.c of the jail.
	 */
	static const char *const argv[] = {
		"gdb", "-nx", "-q", "-i=mi",
		"-iex", "set auto-load local-gdbinit off",
		"-iex", "set debuginfod enabled off",
		"-iex", "maintenance set worker-threads 0",
		NULL,
	};
	static const char *const reads[] = {
		"/usr", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/gdb",
		"/dev/urandom", NULL,
	};
	const struct jail_limits limits = {
		.memory = MEMORY, .cpu_seconds = CPU_SECONDS,
		.wall_seconds = JAIL_NO_LIMIT,
	};
	char path[4096];
	const struct jail_program p = {
		.path = path, .argv = argv, .reads = reads,
		.terminal = terminal, .io = io,
	};

	struct err *err = gdb_find(path, sizeof(path));
	return err ? err : jail_exec(&limits, &p, out);
}

void
gdb_end(struct jail_child *c)
{
	int status;

	kill(jail_pid(c), SIGKILL);
	err_free(jail_wait(c, &status));
}
