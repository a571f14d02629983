/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of the jail by themselves, and what is said without them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "assert-err.h"
#include "jail-run.h"
#include "jail/impl.h"

static int
say(void *arg)
{
	const int *fd = arg;

	return write(*fd, "x", 1) != 1;
}

/* In a child that has forbidden itself to install filters. */
static int
spawn_without_seccomp(int *fd)
{
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_ALLOW);
	struct jail_child *c;

	seccomp_rule_add(f, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(seccomp), 0);
	seccomp_rule_add(f, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(prctl), 1,
			 SCMP_CMP(0, SCMP_CMP_EQ, PR_SET_SECCOMP, 0));
	if (seccomp_load(f) < 0)
		return 1;
	seccomp_release(f);
	_err_ struct err *err = jail_spawn(NULL, fd, 1, say, fd, &c);
	if (err_kind(err) != ERR_FAILED)
		return 2;
	return strstr(err_text(err), "seccomp") ? 0 : 3;
}

static void
without_a_filter_nothing_is_run(void **state)
{
	int ends[2], how;
	char byte;

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid_t pid = fork();
	if (pid == 0)
		_exit(spawn_without_seccomp(&ends[1]));
	close(ends[1]);
	assert_int_equal(waitpid(pid, &how, 0), pid);
	assert_int_equal(how, 0);
	assert_int_equal(read(ends[0], &byte, 1), 0);
	close(ends[0]);
}

static bool
opens(const char *path)
{
	_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd >= 0;
}

static int
denied_by_landlock(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int abi = landlock_abi();

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	_err_ struct err *err = landlock_deny();
	if (err)
		return 1;
	if (opens("/etc/passwd") || errno != EACCES)
		return 2;
	if (opens("/") || errno != EACCES)
		return 3;
	if (mkdir("/tmp/t-jail-dir", 0700) == 0 || errno != EACCES)
		return 4;
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (abi >= 4 &&
	    (connect(s, (struct sockaddr *)&to, sizeof(to)) == 0 ||
	     errno != EACCES))
		return 5;
	return abi >= 6 && (kill(getppid(), 0) == 0 || errno != EPERM) ? 6 : 0;
}

static int
held_without_the_filter(pid_t parent)
{
	struct jail_limits limits = limits_of(NULL);
	const struct confine c = { .limits = &limits, .parent = parent };
	struct rlimit core, files;
	int sig = 0;

	_err_ struct err *err = confine_unfiltered(&c);
	if (err)
		return 1;
	if (landlock_abi() && (opens("/etc/passwd") || errno != EACCES))
		return 2;
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return 3;
	if (prctl(PR_GET_PDEATHSIG, &sig) != 0 || sig != SIGKILL)
		return 4;
	getrlimit(RLIMIT_CORE, &core);
	getrlimit(RLIMIT_FSIZE, &files);
	return core.rlim_max == 0 && files.rlim_max == 0 ? 0 : 5;
}

static void
the_rest_holds_without_the_filter(void **state)
{
	pid_t self = getpid();
	int how;

	(void)state;
	pid_t pid = fork();
	if (pid == 0)
		_exit(held_without_the_filter(self));
	assert_int_equal(waitpid(pid, &how, 0), pid);
	assert_int_equal(how, 0);
}

static void
a_child_whose_parent_has_gone_is_not_confined(void **state)
{
	struct jail_limits limits = limits_of(NULL);
	const struct confine c = { .limits = &limits, .parent = 1 };
	int how;

	(void)state;
	pid_t pid = fork();
	if (pid == 0) {
		_err_ struct err *err = confine_unfiltered(&c);
		_exit(err_kind(err) == ERR_FAILED ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &how, 0), pid);
	assert_int_equal(how, 0);
}

static void
landlock_alone_denies_files_and_network(void **state)
{
	int how;

	(void)state;
	if (landlock_abi() == 0) {
		print_message("# this kernel has no Landlock\n");
		skip();
	}
	pid_t pid = fork();
	if (pid == 0)
		_exit(denied_by_landlock());
	assert_int_equal(waitpid(pid, &how, 0), pid);
	assert_int_equal(how, 0);
}

static void
what_is_missing_is_said_in_one_sentence(void **state)
{
	const struct jail_support all = { 7, true, true };
	const struct jail_support no_pidfd = { 7, true, false };
	const struct jail_support no_landlock = { 0, true, true };
	const struct jail_support old = { 0, true, false };
	const struct jail_support no_seccomp = { 7, false, true };

	(void)state;
	assert_null(support_lacks(&all));
	assert_non_null(strstr(support_lacks(&no_pidfd), "no pidfd"));
	assert_non_null(strstr(support_lacks(&no_landlock), "no Landlock"));
	assert_non_null(strstr(support_lacks(&old), "neither Landlock nor"));
	assert_non_null(strstr(support_lacks(&no_seccomp), "no seccomp"));
}

static void
the_probe_sees_this_kernel(void **state)
{
	struct jail_support s;

	(void)state;
	jail_probe(&s);
	assert_int_equal(s.landlock_abi, landlock_abi());
	assert_true(s.seccomp);
	assert_ptr_equal(jail_lacks(), support_lacks(&s));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_filter_nothing_is_run),
		cmocka_unit_test(the_rest_holds_without_the_filter),
		cmocka_unit_test(a_child_whose_parent_has_gone_is_not_confined),
		cmocka_unit_test(landlock_alone_denies_files_and_network),
		cmocka_unit_test(what_is_missing_is_said_in_one_sentence),
		cmocka_unit_test(the_probe_sees_this_kernel),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
