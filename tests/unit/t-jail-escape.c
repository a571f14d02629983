/* SPDX-License-Identifier: Apache-2.0 */
/* Every way out of the jail ends the child. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "assert-err.h"
#include "jail-run.h"

/* A result the child gives when what it tried neither ended it nor worked. */
#define REFUSED 77

static int
tried(long result)
{
	return result < 0 ? REFUSED : 0;
}

static int
try_open(void *arg)
{
	(void)arg;
#ifdef SYS_open
	return tried(syscall(SYS_open, "/etc/passwd", O_RDONLY));
#else
	return tried(open("/etc/passwd", O_RDONLY));
#endif
}

static int
try_openat(void *arg)
{
	(void)arg;
	return tried(openat(AT_FDCWD, "/etc/passwd", O_RDONLY));
}

static int
try_openat2(void *arg)
{
	uint64_t how[3] = { O_RDONLY, 0, 0 };

	(void)arg;
	return tried(syscall(437, AT_FDCWD, "/etc/passwd", how, sizeof(how)));
}

static int
try_stat(void *arg)
{
	struct stat st;

	(void)arg;
	return tried(stat("/etc/passwd", &st));
}

static int
try_unlink(void *arg)
{
	(void)arg;
	return tried(unlink("/nonexistent/file"));
}

static int
try_memfd(void *arg)
{
	(void)arg;
	return tried(memfd_create("x", 0));
}

static int
try_socket(void *arg)
{
	(void)arg;
	return tried(socket(AF_INET, SOCK_STREAM, 0));
}

static int
try_connect(void *arg)
{
	struct sockaddr_in to = { .sin_family = AF_INET };

	(void)arg;
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return tried(connect(0, (struct sockaddr *)&to, sizeof(to)));
}

static int
try_execve(void *arg)
{
	char name[] = "/bin/true", *argv[] = { name, NULL };

	(void)arg;
	return tried(execve(name, argv, argv + 1));
}

static int
try_fork(void *arg)
{
	(void)arg;
	pid_t pid = fork();
	if (pid == 0)
		_exit(0);
	return tried(pid);
}

/* There is no such call for it: what would make a process makes none. */
static int
clone3_is_unknown(void *arg)
{
	uint64_t args[8] = { 0 };

	(void)arg;
	long pid = syscall(SYS_clone3, args, sizeof(args));
	if (pid == 0)
		_exit(1);
	return pid < 0 && errno == ENOSYS ? 0 : 1;
}

static void *
thread_begin(void *arg)
{
	*(int *)arg = 1;
	return NULL;
}

static int
threads_are_allowed(void *arg)
{
	pthread_t thread;
	int begun = 0;

	(void)arg;
	if (pthread_create(&thread, NULL, thread_begin, &begun) != 0)
		return 1;
	pthread_join(thread, NULL);
	return !begun;
}

static void *
thread_opens(void *arg)
{
	(void)arg;
	close(open("/dev/null", O_RDONLY));
	return NULL;
}

static int
try_open_in_thread(void *arg)
{
	pthread_t thread;

	(void)arg;
	if (pthread_create(&thread, NULL, thread_opens, NULL) != 0)
		return 1;
	pthread_join(thread, NULL);
	return tried(0);
}

static int
try_move_other(void *arg)
{
	cpu_set_t set;

	(void)arg;
	CPU_ZERO(&set);
	CPU_SET(0, &set);
	return tried(sched_setaffinity(1, sizeof(set), &set));
}

static int
try_socket_option(void *arg)
{
	struct ucred peer;
	socklen_t n = sizeof(peer);

	(void)arg;
	return tried(getsockopt(0, SOL_SOCKET, SO_PEERCRED, &peer, &n));
}

static int
try_ptrace(void *arg)
{
	(void)arg;
	return tried(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
}

static int
try_read_parent(void *arg)
{
	char byte;
	struct iovec here = { &byte, 1 }, there = { &byte, 1 };

	(void)arg;
	return tried(process_vm_readv(getppid(), &here, 1, &there, 1, 0));
}

static int
try_kill(void *arg)
{
	pid_t *parent = arg;

	return tried(kill(*parent, 0));
}

static int
try_kill_self(void *arg)
{
	(void)arg;
	return tried(kill(getpid(), SIGABRT));
}

static int
try_tgkill_other(void *arg)
{
	pid_t *parent = arg;

	return tried(syscall(SYS_tgkill, *parent, *parent, SIGABRT));
}

static int
try_mmap_exec(void *arg)
{
	(void)arg;
	return jail_page(PROT_READ | PROT_EXEC) == MAP_FAILED ? REFUSED : 0;
}

static int
try_mprotect_exec(void *arg)
{
	void *p = jail_page(PROT_READ | PROT_WRITE);

	(void)arg;
	return tried(mprotect(p, 4096, PROT_READ | PROT_EXEC));
}

static int
try_terminal_input(void *arg)
{
	(void)arg;
	return tried(ioctl(0, TIOCSTI, "x"));
}

static int
try_nonblocking(void *arg)
{
	(void)arg;
	return tried(fcntl(1, F_SETFL, O_NONBLOCK));
}

static int
try_raise_limit(void *arg)
{
	struct rlimit none = { RLIM_INFINITY, RLIM_INFINITY };

	(void)arg;
	return tried(setrlimit(RLIMIT_AS, &none));
}

static int
try_forget_parent(void *arg)
{
	(void)arg;
	return tried(prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0));
}

static int
try_io_uring(void *arg)
{
	char params[256] = { 0 };

	(void)arg;
	return tried(syscall(425, 1, params));
}

#ifdef __x86_64__
/* getpid by the 32-bit table, where 20 is its number; writev by our own. */
static int
try_32_bit_call(void *arg)
{
	long nr = 20;

	(void)arg;
	__asm__ volatile("int $0x80" : "+a"(nr) : : "memory");
	return tried(nr);
}

static int
try_x32_call(void *arg)
{
	(void)arg;
	return tried(syscall(0x40000000 | SYS_getpid));
}
#endif

static void
escape_ends_the_child(void **state)
{
	jail_fn *const *fn = *state;
	pid_t self = getpid();

	assert_jail_ends(NULL, *fn, &self,
			 "ended by the jail: it tried a forbidden system call");
}

/* From 424 on numbers are the same on all machines. */
static int
try_number(void *arg)
{
	const int *number = arg;

	return tried(syscall(*number, -1, -1, -1, -1, -1, -1));
}

static void
calls_of_later_kernels_end_the_child(void **state)
{
	(void)state;
	for (int number = 436; number < 512; number++)
		assert_jail_ends(NULL, try_number, &number,
				 "it tried a forbidden system call");
}

static void
threads_are_no_escape(void **state)
{
	int status;

	(void)state;
	assert_ok(jail_run(NULL, clone3_is_unknown, NULL, &status));
	assert_int_equal(status, 0);
	assert_ok(jail_run(NULL, threads_are_allowed, NULL, &status));
	assert_int_equal(status, 0);
}

#define ENDS(what, function) \
	{ what " ends the child", escape_ends_the_child, NULL, NULL, \
	  &(jail_fn *){ function } }

int
main(void)
{
	const struct CMUnitTest tests[] = {
		ENDS("open", try_open),
		ENDS("openat", try_openat),
		ENDS("openat2", try_openat2),
		ENDS("stat of a path", try_stat),
		ENDS("unlink", try_unlink),
		ENDS("memfd_create", try_memfd),
		ENDS("socket", try_socket),
		ENDS("connect", try_connect),
		ENDS("execve", try_execve),
		ENDS("fork", try_fork),
		cmocka_unit_test(threads_are_no_escape),
		cmocka_unit_test(calls_of_later_kernels_end_the_child),
		ENDS("open in a thread", try_open_in_thread),
		ENDS("moving another process", try_move_other),
		ENDS("asking a socket who is there", try_socket_option),
		ENDS("ptrace", try_ptrace),
		ENDS("reading the parent's memory", try_read_parent),
		ENDS("kill", try_kill),
		ENDS("kill of itself", try_kill_self),
		ENDS("tgkill of another", try_tgkill_other),
		ENDS("mmap of executable memory", try_mmap_exec),
		ENDS("mprotect to executable", try_mprotect_exec),
		ENDS("ioctl to fake terminal input", try_terminal_input),
		ENDS("making a shared descriptor non-blocking",
		     try_nonblocking),
		ENDS("raising a limit", try_raise_limit),
		ENDS("outliving the parent", try_forget_parent),
		ENDS("io_uring", try_io_uring),
#ifdef __x86_64__
		ENDS("a call by the 32-bit table", try_32_bit_call),
		ENDS("a call by the x32 table", try_x32_call),
#endif
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
