/* SPDX-License-Identifier: Apache-2.0 */
/*
 * filter: the system calls that a jailed child may make (seccomp).
 *
 * The kernel compares numbers: an argument that is a pointer says nothing.
 * So newfstatat, which the C library makes of fstat(fd), still tells the
 * metadata of a path to a child that was taken over; its bytes it never sees.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "jail/impl.h"

/* An int argument's upper half is not the kernel's business, so not ours. */
#define INT(n, value) SCMP_CMP(n, SCMP_CMP_MASKED_EQ, UINT32_MAX, value)
#define LACKS(n, bits) SCMP_CMP(n, SCMP_CMP_MASKED_EQ, bits, 0)
#define HAS(n, bits) SCMP_CMP(n, SCMP_CMP_MASKED_EQ, bits, bits)

static const struct rule {
	int call;
	unsigned n_args;        /* 0: whatever its arguments */
	struct scmp_arg_cmp arg;
} rules[] = {
	/* descriptors that are there */
	{ SCMP_SYS(read), 0, { 0 } },
	{ SCMP_SYS(readv), 0, { 0 } },
	{ SCMP_SYS(pread64), 0, { 0 } },
	{ SCMP_SYS(write), 0, { 0 } },
	{ SCMP_SYS(writev), 0, { 0 } },
	{ SCMP_SYS(lseek), 0, { 0 } },
	{ SCMP_SYS(sync_file_range), 0, { 0 } },        /* of its own file */
	{ SCMP_SYS(close), 0, { 0 } },
	{ SCMP_SYS(dup), 0, { 0 } },
	{ SCMP_SYS(fstat), 0, { 0 } },
	{ SCMP_SYS(fstatfs), 0, { 0 } },
	{ SCMP_SYS(newfstatat), 1, INT(3, AT_EMPTY_PATH) },
	{ SCMP_SYS(fcntl), 1, INT(1, F_GETFD) },        /* elf_begin() */
	{ SCMP_SYS(fcntl), 1, INT(1, F_GETFL) },
	{ SCMP_SYS(fcntl), 1, INT(1, F_DUPFD_CLOEXEC) },
	{ SCMP_SYS(ioctl), 1, INT(1, TCGETS) }, /* stdio's isatty() */

	/* sockets that are there: supply, control, connections handed over */
	{ SCMP_SYS(recvmsg), 0, { 0 } },
	{ SCMP_SYS(sendmsg), 0, { 0 } },
	{ SCMP_SYS(shutdown), 0, { 0 } },
	{ SCMP_SYS(poll), 0, { 0 } },
	{ SCMP_SYS(ppoll), 0, { 0 } },

	/* memory, never executable */
	{ SCMP_SYS(brk), 0, { 0 } },
	{ SCMP_SYS(mmap), 1, LACKS(2, PROT_EXEC) },
	{ SCMP_SYS(mprotect), 1, LACKS(2, PROT_EXEC) },
	{ SCMP_SYS(mremap), 0, { 0 } },
	{ SCMP_SYS(munmap), 0, { 0 } },
	{ SCMP_SYS(madvise), 0, { 0 } },
	{ SCMP_SYS(sysinfo), 0, { 0 } },        /* qsort() of over 1 KiB */

	/* oneself */
	{ SCMP_SYS(exit), 0, { 0 } },
	{ SCMP_SYS(exit_group), 0, { 0 } },
	{ SCMP_SYS(getpid), 0, { 0 } },
	{ SCMP_SYS(gettid), 0, { 0 } },
	{ SCMP_SYS(futex), 0, { 0 } },
	{ SCMP_SYS(sched_setaffinity), 1, INT(0, 0) },
	{ SCMP_SYS(getrandom), 0, { 0 } },

	/* threads, which have this filter too; never a process */
	{ SCMP_SYS(clone), 1, HAS(0, CLONE_THREAD | CLONE_VM) },
	{ SCMP_SYS(set_robust_list), 0, { 0 } },
	{ SCMP_SYS(rseq), 0, { 0 } },
	{ SCMP_SYS(sched_getaffinity), 1, INT(0, 0) },
	{ SCMP_SYS(clock_gettime), 0, { 0 } },
	{ SCMP_SYS(rt_sigaction), 0, { 0 } },
	{ SCMP_SYS(rt_sigprocmask), 0, { 0 } }, /* libunwind */
	{ SCMP_SYS(rt_sigreturn), 0, { 0 } },
	/* The kernel makes this one itself, for poll() after SIGCONT. */
	{ SCMP_SYS(restart_syscall), 0, { 0 } },
};

/*
 * What libraries call by the way and can do without: it fails with EACCES.
 * Everything that is asked for on purpose ends the process instead.
 */
static const struct rule refusals[] = {
	/* libdw: /proc/self/fd/N, for a directory that it then never opens */
	{ SCMP_SYS(readlink), 0, { 0 } },
	{ SCMP_SYS(readlinkat), 0, { 0 } },
	{ SCMP_SYS(pipe2), 0, { 0 } },  /* libunwind, for its own process */
	{ SCMP_SYS(mincore), 0, { 0 } },
};

/*
 * Its arguments are behind a pointer, so no filter can see whether a thread is
 * meant; told that there is no such call, the C library makes it clone().
 */
static const struct rule unknown[] = {
	{ SCMP_SYS(clone3), 0, { 0 } },
};

/* What the runtimes of the sanitizers call besides. */
static const struct rule sanitizer_rules[] = {
	{ SCMP_SYS(sched_yield), 0, { 0 } },
	{ SCMP_SYS(sched_getaffinity), 0, { 0 } },      /* of a thread */
	{ SCMP_SYS(sigaltstack), 0, { 0 } },
};

static int
add_rules(scmp_filter_ctx filter, uint32_t action, const struct rule *rule,
	  size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int rc = seccomp_rule_add_array(filter, action, rule[i].call,
						rule[i].n_args, &rule[i].arg);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* abort() sends its signal by tgkill(): to oneself, this one, is allowed. */
static int
add_abort(scmp_filter_ctx filter)
{
	const struct scmp_arg_cmp args[] = {
		INT(0, (uint32_t)getpid()),
		INT(1, (uint32_t)gettid()),
		INT(2, SIGABRT),
	};

	return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill),
				      countof(args), args);
}

/* Where packets of a connection come in: a worker runs there. */
static int
add_incoming(scmp_filter_ctx filter)
{
	const struct scmp_arg_cmp args[] = {
		INT(1, SOL_SOCKET),
		INT(2, SO_INCOMING_CPU),
	};

	return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW,
				      SCMP_SYS(getsockopt), countof(args),
				      args);
}

static int
fill(scmp_filter_ctx filter)
{
	/* A call by another architecture's table (int $0x80, x32) as well. */
	int rc = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH,
				  SCMP_ACT_KILL_PROCESS);

	if (rc == 0)
		rc = add_rules(filter, SCMP_ACT_ALLOW, rules, countof(rules));
	if (rc == 0)
		rc = add_rules(filter, SCMP_ACT_ERRNO(EACCES), refusals,
			       countof(refusals));
	if (rc == 0)
		rc = add_rules(filter, SCMP_ACT_ERRNO(ENOSYS), unknown,
			       countof(unknown));
	if (rc == 0 && JAIL_SANITIZED)
		rc = add_rules(filter, SCMP_ACT_ALLOW, sanitizer_rules,
			       countof(sanitizer_rules));
	if (rc == 0)
		rc = add_abort(filter);
	if (rc == 0)
		rc = add_incoming(filter);
	return rc;
}

struct err *
filter_load(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int rc;

	if (!filter)
		return err_nomem();
	rc = fill(filter);
	if (rc == 0)
		rc = seccomp_load(filter);
	seccomp_release(filter);
	if (rc == 0)
		return NULL;
	errno = -rc;
	return err_errno("cannot install a seccomp filter");
}
