/* SPDX-License-Identifier: Apache-2.0 */
/*
 * confine: a process walks into the jail and closes the door behind it.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "jail/impl.h"

static int
by_number(const void *a, const void *b)
{
	const int *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Close [from, to]; kernels before 5.9 know no close_range(). */
static struct err *
close_between(unsigned from, unsigned to)
{
	struct rlimit files;

	if (from > to || close_range(from, to, 0) == 0)
		return NULL;
	if (errno != ENOSYS || getrlimit(RLIMIT_NOFILE, &files) < 0)
		return err_errno("cannot close inherited descriptors");
	for (unsigned fd = from; fd <= to && fd < files.rlim_cur; fd++)
		close((int)fd);
	return NULL;
}

struct err *
confine_descriptors(int *keep, size_t n)
{
	unsigned from = STDERR_FILENO + 1;

	qsort(keep, n, sizeof(*keep), by_number);
	for (size_t i = 0; i < n; i++) {
		if (keep[i] < (int)from)
			continue;
		struct err *err = close_between(from, (unsigned)keep[i] - 1);
		if (err)
			return err;
		from = (unsigned)keep[i] + 1;
	}
	return close_between(from, ~0u);
}

/*
 * As after execve(): what is ignored stays ignored, but no handler of the
 * parent runs here, where it would meet a copy of the parent's state.
 * A sanitizer's own, which tell of a crash, stay.
 */
static void
forget_handlers(void)
{
	struct sigaction now;

	for (int sig = 1; !JAIL_SANITIZED && sig < NSIG; sig++)
		if (sigaction(sig, NULL, &now) == 0 &&
		    now.sa_handler != SIG_IGN && now.sa_handler != SIG_DFL)
			signal(sig, SIG_DFL);
}

/* Die with the parent. It may have died before that was asked for. */
static struct err *
follow_parent(pid_t parent)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return err_errno("cannot ask to die with the parent");
	if (getppid() != parent)
		return err_new(ERR_FAILED, "the parent has gone");
	return NULL;
}

static struct err *
forgo_privileges(void)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_errno("cannot forgo new privileges");
	return NULL;
}

struct err *
confine_before_files(const struct confine *c)
{
	int keep[JAIL_KEEP_MAX + 1];
	struct err *err;

	if (c->n_keep > countof(keep))
		return err_new(ERR_LIMIT, "too many descriptors to keep");
	if (c->n_keep)
		memcpy(keep, c->keep, c->n_keep * sizeof(*keep));
	err = confine_descriptors(keep, c->n_keep);
	if (err)
		return err;
	forget_handlers();
	err = limits_set(c->limits);
	if (err)
		return err;
	err = forgo_privileges();
	if (err)
		return err;
	return follow_parent(c->parent);
}

struct err *
confine_unfiltered(const struct confine *c)
{
	struct err *err = confine_before_files(c);

	return err ? err : landlock_deny();
}

struct err *
confine_self(const struct confine *c)
{
	if (c->program)
		return program_enter(c);
	struct err *err = confine_unfiltered(c);

	if (err)
		return err;
	return filter_load();
}
