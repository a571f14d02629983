/* SPDX-License-Identifier: Apache-2.0 */
/* Work done in a jail, and how that ended. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <poll.h>
#include <sys/mman.h>

#include "assert-err.h"
#include "jail-run.h"

struct err *
jail_run(const struct jail_limits *limits, jail_fn *fn, void *arg, int *status)
{
	struct jail_child *c;
	struct err *err = jail_spawn(limits, NULL, 0, fn, arg, &c);

	if (err)
		return err;
	return jail_wait(c, status);
}

int
jail_status(const struct jail_limits *limits, int fd, jail_fn *fn, void *arg)
{
	struct jail_child *c = NULL;
	int status = -1;

	assert_ok(jail_spawn(limits, &fd, fd >= 0, fn, arg, &c));
	assert_ok(jail_wait(c, &status));
	return status;
}

void
assert_jail_ends(const struct jail_limits *limits, jail_fn *fn, void *arg,
		 const char *words)
{
	int status = -1;
	struct err *err = jail_run(limits, fn, arg, &status);

	if (!err)
		fail_msg("the child went on and ended with %d", status);
	assert_err(err, ERR_DAMAGED, words);
}

void *
jail_page(int protection)
{
	/* cppcheck-suppress invalidFunctionArg; -1 is what mmap(2) asks for */
	return mmap(NULL, 4096, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

int
jail_sleep(void *arg)
{
	(void)arg;
	for (;;)
		poll(NULL, 0, -1);
	return 0;
}
