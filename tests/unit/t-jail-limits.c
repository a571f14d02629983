/* SPDX-License-Identifier: Apache-2.0 */
/* What a jailed child may use is limited. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "assert-err.h"
#include "jail-run.h"
#include "jail/impl.h"

#define MIB (UINT64_C(1) << 20)

static int
allocate_256_mib(void *arg)
{
	static void *volatile p;

	(void)arg;
	p = malloc(256 * MIB);
	if (!p)
		return 1;
	memset(p, 1, 256 * MIB);
	free(p);
	return 0;
}

static int
allocate_all(void *arg)
{
	void **last = NULL, **p;
	int pages = 0;

	(void)arg;
	while ((p = malloc(4096))) {
		*p = (void *)last;
		last = p;
		pages++;
	}
	return pages >= 40 * 256 && pages <= 64 * 256 ? 0 : 1;
}

static void
memory_is_limited(void **state)
{
	struct jail_limits small = { .memory = 64 * MIB };

	(void)state;
	assert_int_equal(jail_status(NULL, -1, allocate_256_mib, NULL), 0);
	if (JAIL_SANITIZED)
		return;
	assert_int_equal(jail_status(&small, -1, allocate_256_mib, NULL), 1);
	assert_int_equal(jail_status(&small, -1, allocate_all, NULL), 0);
}

static int
spin(void *arg)
{
	bool stubborn = arg != NULL;

	if (stubborn)
		signal(SIGXCPU, SIG_IGN);
	for (volatile unsigned n = 0;; n++)
		;
	return 0;
}

static void
cpu_time_is_limited(void **state)
{
	struct jail_limits second = { .cpu_seconds = 1 };

	(void)state;
	assert_jail_ends(&second, spin, NULL, "more than 1 s of CPU time");
}

static void
ignoring_the_cpu_signal_does_not_help(void **state)
{
	struct jail_limits second = { .cpu_seconds = 1 };
	char stubborn;

	(void)state;
	assert_jail_ends(&second, spin, &stubborn, "more than 1 s of CPU time");
}

static void
wall_time_is_limited(void **state)
{
	struct jail_limits second = { .wall_seconds = 1 };

	(void)state;
	assert_jail_ends(&second, jail_sleep, NULL, "longer than 1 s");
}

static void
time_left_is_told(void **state)
{
	struct jail_limits limits = { .wall_seconds = 100 };
	struct jail_child *c;
	int status;

	(void)state;
	assert_ok(jail_spawn(&limits, NULL, 0, allocate_256_mib, NULL, &c));
	assert_in_range(jail_left_ms(c), 90 * 1000, 100 * 1000);
	assert_ok(jail_wait(c, &status));
	limits.wall_seconds = JAIL_NO_LIMIT;
	assert_ok(jail_spawn(&limits, NULL, 0, allocate_256_mib, NULL, &c));
	assert_int_equal(jail_left_ms(c), -1);
	assert_ok(jail_wait(c, &status));
}

/* Exit status: KiB that could be written, or 100 on any other error. */
static int
write_64_kib(void *arg)
{
	const int *fd = arg;
	static const char block[1024];
	int n = 0;

	while (n < 64 && write(*fd, block, sizeof(block)) == sizeof(block))
		n++;
	return n == 64 || errno == EFBIG ? n : 100;
}

static void
file_size_is_limited(void **state)
{
	const struct {
		uint64_t size;
		int written;
	} cases[] = { { 0, 0 }, { 8 * 1024, 8 }, { JAIL_ANY_SIZE, 64 } };

	(void)state;
	for (size_t i = 0; i < countof(cases); i++) {
		struct jail_limits l = { .file_size = cases[i].size };
		_close_ int fd = memfd_create("t-jail", MFD_CLOEXEC);

		assert_int_equal(jail_status(&l, fd, write_64_kib, &fd),
				 cases[i].written);
	}
}

static void
limits_are_never_raised(void **state)
{
	struct rlimit before, after;
	const struct jail_limits l = { .cpu_seconds = 100,
				       .memory = 1024 * MIB };
	int how;

	(void)state;
	pid_t pid = fork();
	if (pid == 0) {
		before.rlim_cur = before.rlim_max = 5;
		setrlimit(RLIMIT_CPU, &before);
		err_free(limits_set(&l));
		getrlimit(RLIMIT_CPU, &after);
		_exit(after.rlim_cur == 5 && after.rlim_max == 5 ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &how, 0), pid);
	assert_int_equal(how, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_is_limited),
		cmocka_unit_test(cpu_time_is_limited),
		cmocka_unit_test(ignoring_the_cpu_signal_does_not_help),
		cmocka_unit_test(wall_time_is_limited),
		cmocka_unit_test(time_left_is_told),
		cmocka_unit_test(file_size_is_limited),
		cmocka_unit_test(limits_are_never_raised),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
