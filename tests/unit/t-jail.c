/* SPDX-License-Identifier: Apache-2.0 */
/* Jailed children work with what they were given and end in clear words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "assert-err.h"
#include "await.h"
#include "jail-run.h"
#include "jail/impl.h"

static int
give_three(void *arg)
{
	(void)arg;
	return 3;
}

static void
exit_status_passes_through(void **state)
{
	(void)state;
	assert_int_equal(jail_status(NULL, -1, give_three, NULL), 3);
}

static int
ask_harmless_things(void *arg)
{
	struct timespec t;
	struct stat st;
	char bytes[8];
	static const char done[] = "# a message from the jail\n";

	(void)arg;
	if (syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &t) < 0)
		return 1;
	if (syscall(SYS_getrandom, bytes, sizeof(bytes), 0) != sizeof(bytes))
		return 2;
	if (fstat(1, &st) < 0 || fcntl(1, F_GETFD) < 0)
		return 3;
	return write(2, done, sizeof(done) - 1) < 0 ? 4 : 0;
}

static void
a_parser_may_do_what_it_needs(void **state)
{
	/* Standard error may be a file here. */
	struct jail_limits limits = { .file_size = JAIL_ANY_SIZE };

	(void)state;
	assert_int_equal(jail_status(&limits, -1, ask_harmless_things, NULL),
			 0);
}

static int
print_words(void *arg)
{
	(void)arg;
	return printf("said in the jail") < 0;
}

/* A stream whose buffer does not exist yet: stdio asks what it writes to. */
static int
print_on_a_fresh_stream(void *arg)
{
	const int *fd = arg;
	FILE *f = fdopen(*fd, "w");

	return !f || fprintf(f, "words") < 0 || fclose(f) != 0;
}

/* Run print_words() with standard output on @fd. */
static int
status_with_stdout(int fd)
{
	fflush(stdout);
	_close_ int saved = dup(1);
	struct jail_limits limits = { .file_size = JAIL_ANY_SIZE };

	assert_true(dup2(fd, 1) == 1);
	int status = -1;
	struct err *err = jail_run(&limits, print_words, NULL, &status);
	assert_true(dup2(saved, 1) == 1);
	assert_ok(err);
	return status;
}

static void
stdio_output_is_flushed_at_the_end(void **state)
{
	char text[64] = "";
	int ends[2];

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	printf("# buffered before the fork\n");
	assert_int_equal(status_with_stdout(ends[1]), 0);
	close(ends[1]);
	assert_int_equal(read(ends[0], text, sizeof(text) - 1), 16);
	assert_string_equal(text, "said in the jail");
	close(ends[0]);
}

static void
stdio_may_look_whether_it_prints_on_a_terminal(void **state)
{
	_close_ int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

	(void)state;
	assert_int_equal(jail_status(NULL, fd, print_on_a_fresh_stream, &fd),
			 0);
}

/* Exit status: the number of open descriptors from 3 to 63. */
static int
count_descriptors(void *arg)
{
	int n = 0;

	(void)arg;
	for (int fd = 3; fd < 64; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void
only_kept_descriptors_stay_open(void **state)
{
	struct jail_child *c = NULL;
	int fds[5], status = -1;

	(void)state;
	for (size_t i = 0; i < countof(fds); i++)
		fds[i] = dup(2);
	const int keep[] = { fds[3], 1, fds[1] };
	assert_int_equal(jail_status(NULL, -1, count_descriptors, NULL), 0);
	assert_ok(jail_spawn(NULL, keep, countof(keep), count_descriptors,
			     NULL, &c));
	assert_ok(jail_wait(c, &status));
	assert_int_equal(status, 2);
	for (size_t i = 0; i < countof(fds); i++)
		close(fds[i]);
}

static int
read_kept(void *arg)
{
	const int *fd = arg;
	char magic[4];

	if (pread(*fd, magic, sizeof(magic), 0) != sizeof(magic))
		return 1;
	return memcmp(magic, "\177ELF", sizeof(magic)) != 0;
}

static void
a_file_opened_before_can_be_read(void **state)
{
	_close_ int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	(void)state;
	assert_int_equal(jail_status(NULL, fd, read_kept, &fd), 0);
}

static void
too_many_descriptors_are_refused(void **state)
{
	int keep[JAIL_KEEP_MAX + 1] = { 0 };
	struct jail_child *c;

	(void)state;
	assert_err(jail_spawn(NULL, keep, countof(keep), give_three, NULL, &c),
		   ERR_LIMIT, "cannot keep 17 descriptors");
}

static int
touch_nothing(void *arg)
{
	volatile char *page = jail_page(PROT_NONE);

	(void)arg;
	*page = 1;
	return 0;
}

static int
give_up(void *arg)
{
	(void)arg;
	abort();
}

static void
a_crash_is_named(void **state)
{
	(void)state;
	assert_jail_ends(NULL, give_up, NULL, "crashed (SIGABRT)");
	/* Sanitizers make a report and an exit of this. */
	if (!JAIL_SANITIZED)
		assert_jail_ends(NULL, touch_nothing, NULL,
				 "crashed (SIGSEGV)");
}

static void
a_killed_child_is_named(void **state)
{
	struct jail_child *c;
	int status;

	(void)state;
	assert_ok(jail_spawn(NULL, NULL, 0, jail_sleep, NULL, &c));
	assert_int_equal(kill(jail_pid(c), SIGKILL), 0);
	assert_err(jail_wait(c, &status), ERR_DAMAGED, "was killed");
}

static void
an_interrupt_is_no_damage(void **state)
{
	struct jail_child *c;
	int status;

	(void)state;
	/* A shell lets its background jobs ignore it, and children inherit. */
	signal(SIGINT, SIG_DFL);
	assert_ok(jail_spawn(NULL, NULL, 0, jail_sleep, NULL, &c));
	assert_int_equal(kill(jail_pid(c), SIGINT), 0);
	assert_err(jail_wait(c, &status), ERR_FAILED, "interrupted (SIGINT)");
}

static void
the_pidfd_tells_the_end(void **state)
{
	struct jail_child *c;
	struct jail_support s;
	int status;

	(void)state;
	jail_probe(&s);
	assert_ok(jail_spawn(NULL, NULL, 0, jail_sleep, NULL, &c));
	assert_int_equal(jail_pidfd(c) >= 0, s.pidfd);
	struct pollfd end = { .fd = jail_pidfd(c), .events = POLLIN };
	assert_int_equal(poll(&end, 1, 0), 0);
	assert_int_equal(kill(jail_pid(c), SIGKILL), 0);
	if (s.pidfd)
		assert_int_equal(poll(&end, 1, 60000), 1);
	err_free(jail_wait(c, &status));
}

static int
say_and_wait(void *arg)
{
	const int *fd = arg;

	if (write(*fd, "x", 1) != 1)
		return 1;
	/* Long enough to be found asleep on a busy machine. */
	return poll(NULL, 0, 2000) == 0 ? 0 : 2;
}

static void
stop_and_continue_do_no_harm(void **state)
{
	struct jail_child *c;
	siginfo_t info;
	int ends[2], status = -1;
	char byte;

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_ok(jail_spawn(NULL, &ends[1], 1, say_and_wait,
			     &ends[1], &c));
	assert_int_equal(read(ends[0], &byte, 1), 1);
	await_sleep(jail_pid(c));
	kill(jail_pid(c), SIGSTOP);
	assert_int_equal(waitid(P_PID, (id_t)jail_pid(c), &info, WSTOPPED), 0);
	kill(jail_pid(c), SIGCONT);
	assert_ok(jail_wait(c, &status));
	assert_int_equal(status, 0);
	close(ends[0]);
	close(ends[1]);
}

static void
a_child_dies_with_its_parent(void **state)
{
	int ends[2], how;
	char byte;

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid_t middle = fork();
	if (middle == 0) {
		struct jail_child *c;
		struct err *err = jail_spawn(NULL, &ends[1], 1, jail_sleep,
					     NULL, &c);
		_exit(err ? 1 : 0);
	}
	close(ends[1]);
	assert_int_equal(waitpid(middle, &how, 0), middle);
	assert_int_equal(how, 0);
	/* The end of the file comes when the last writer has died. */
	struct pollfd end = { .fd = ends[0], .events = POLLIN };
	assert_int_equal(poll(&end, 1, 60000), 1);
	assert_int_equal(read(ends[0], &byte, 1), 0);
	close(ends[0]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exit_status_passes_through),
		cmocka_unit_test(a_parser_may_do_what_it_needs),
		cmocka_unit_test(stdio_output_is_flushed_at_the_end),
		cmocka_unit_test(stdio_may_look_whether_it_prints_on_a_terminal),
		cmocka_unit_test(only_kept_descriptors_stay_open),
		cmocka_unit_test(a_file_opened_before_can_be_read),
		cmocka_unit_test(too_many_descriptors_are_refused),
		cmocka_unit_test(a_crash_is_named),
		cmocka_unit_test(a_killed_child_is_named),
		cmocka_unit_test(an_interrupt_is_no_damage),
		cmocka_unit_test(the_pidfd_tells_the_end),
		cmocka_unit_test(stop_and_continue_do_no_harm),
		cmocka_unit_test(a_child_dies_with_its_parent),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
