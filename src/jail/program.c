/* SPDX-License-Identifier: Apache-2.0 */
/*
 * program: another program in a jail. It is somebody else's and large, so the
 * list of what it may not call is closed, not that of what it may: Landlock
 * keeps files from it, the filter all that reaches beyond itself.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "jail/impl.h"

#define LOADER_MAX 256u

/* ---- calls ---- */

/* Who is reached, or started, or looked into. */
static const int refused[] = {
	SCMP_SYS(socket), SCMP_SYS(connect), SCMP_SYS(bind), SCMP_SYS(listen),
	SCMP_SYS(accept), SCMP_SYS(accept4),
	/* Nor threads: no limit counts those of a jail. gdb goes without. */
	SCMP_SYS(fork), SCMP_SYS(vfork), SCMP_SYS(clone), SCMP_SYS(execveat),
	SCMP_SYS(kill), SCMP_SYS(tkill), SCMP_SYS(tgkill),
	SCMP_SYS(rt_sigqueueinfo), SCMP_SYS(rt_tgsigqueueinfo),
	SCMP_SYS(pidfd_open), SCMP_SYS(pidfd_getfd),
	SCMP_SYS(pidfd_send_signal), SCMP_SYS(kcmp),
	SCMP_SYS(ptrace), SCMP_SYS(process_vm_readv),
	SCMP_SYS(process_vm_writev), SCMP_SYS(process_madvise),
	SCMP_SYS(migrate_pages),
	SCMP_SYS(move_pages), SCMP_SYS(ioprio_set),
	SCMP_SYS(setpriority), SCMP_SYS(sched_setscheduler),
	SCMP_SYS(sched_setparam), SCMP_SYS(sched_setattr),
	SCMP_SYS(unshare), SCMP_SYS(setns), SCMP_SYS(chroot),
	SCMP_SYS(mount), SCMP_SYS(umount2), SCMP_SYS(pivot_root),
	SCMP_SYS(open_tree), SCMP_SYS(move_mount), SCMP_SYS(fsopen),
	SCMP_SYS(mount_setattr), SCMP_SYS(open_by_handle_at),
	SCMP_SYS(chmod), SCMP_SYS(fchmod), SCMP_SYS(fchmodat),
	SCMP_SYS(chown), SCMP_SYS(fchown), SCMP_SYS(lchown),
	SCMP_SYS(fchownat), SCMP_SYS(utime), SCMP_SYS(utimes),
	SCMP_SYS(utimensat), SCMP_SYS(futimesat),
	/* Landlock knows it from ABI 3 on. */
	SCMP_SYS(truncate), SCMP_SYS(ftruncate),
	SCMP_SYS(setxattr), SCMP_SYS(lsetxattr), SCMP_SYS(fsetxattr),
	SCMP_SYS(removexattr), SCMP_SYS(lremovexattr),
	SCMP_SYS(fremovexattr),
	SCMP_SYS(memfd_create), SCMP_SYS(userfaultfd), SCMP_SYS(bpf),
	SCMP_SYS(perf_event_open), SCMP_SYS(io_uring_setup),
	SCMP_SYS(io_uring_enter), SCMP_SYS(io_uring_register),
	SCMP_SYS(keyctl), SCMP_SYS(add_key), SCMP_SYS(request_key),
	SCMP_SYS(mq_open), SCMP_SYS(msgget), SCMP_SYS(semget),
	SCMP_SYS(shmget), SCMP_SYS(inotify_init), SCMP_SYS(inotify_init1),
	SCMP_SYS(fanotify_init), SCMP_SYS(syslog), SCMP_SYS(reboot),
	SCMP_SYS(init_module), SCMP_SYS(finit_module),
	SCMP_SYS(delete_module), SCMP_SYS(kexec_load),
	SCMP_SYS(kexec_file_load), SCMP_SYS(iopl), SCMP_SYS(ioperm),
	SCMP_SYS(settimeofday), SCMP_SYS(clock_settime),
	SCMP_SYS(adjtimex), SCMP_SYS(clock_adjtime), SCMP_SYS(vhangup),
	SCMP_SYS(sethostname), SCMP_SYS(setdomainname), SCMP_SYS(swapon),
	SCMP_SYS(swapoff), SCMP_SYS(acct), SCMP_SYS(quotactl),
	SCMP_SYS(personality), SCMP_SYS(socketpair),
	/* gdb would wait 15 s for a process that it may not start: libiberty's
	 * pex_unix_exec_child() tries again and again. */
	SCMP_SYS(nanosleep), SCMP_SYS(clock_nanosleep),
};

/* Calls that reach others by one of their arguments. */
#define IS(n, value) SCMP_CMP(n, SCMP_CMP_MASKED_EQ, UINT32_MAX, value)
static const struct {
	int call;
	struct scmp_arg_cmp arg;
} refused_ways[] = {
	/* Of others; its own cannot be raised. */
	{ SCMP_SYS(prlimit64), SCMP_CMP(0, SCMP_CMP_NE, 0) },
	{ SCMP_SYS(sched_setaffinity), SCMP_CMP(0, SCMP_CMP_NE, 0) },
	/* Any signal to anybody, as news of a descriptor: Landlock knows of
	 * that from ABI 6 on. */
	{ SCMP_SYS(fcntl), IS(1, F_SETOWN) },
	{ SCMP_SYS(fcntl), IS(1, F_SETOWN_EX) },
	{ SCMP_SYS(fcntl), IS(1, F_SETSIG) },
	{ SCMP_SYS(ioctl), IS(1, FIOSETOWN) },
	{ SCMP_SYS(ioctl), IS(1, SIOCSPGRP) },
	/* It ends with who started it. */
	{ SCMP_SYS(prctl), IS(0, PR_SET_PDEATHSIG) },
};

/*
 * Who made this list could not know of later calls, and some of them do what is
 * refused above by a new number: fchmodat2(), setxattrat(). From 424 on numbers
 * are the same on all machines. The C library goes without them.
 */
#define CALL_NEW_FIRST 448
#define CALL_NEW_END 512

static int
program_new_calls(scmp_filter_ctx filter)
{
	int rc = 0;

	for (int call = CALL_NEW_FIRST; call < CALL_NEW_END && rc == 0; call++)
		rc = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), call, 0);
	return rc;
}

static int
program_rules(scmp_filter_ctx filter)
{
	int rc = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH,
				  SCMP_ACT_KILL_PROCESS);

	for (size_t k = 0; k < countof(refused) && rc == 0; k++)
		rc = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM),
				      refused[k], 0);
	for (size_t k = 0; k < countof(refused_ways) && rc == 0; k++)
		rc = seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(EPERM),
					    refused_ways[k].call, 1,
					    &refused_ways[k].arg);
	if (rc == 0)
		rc = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS),
				      SCMP_SYS(clone3), 0);
	return rc ? rc : program_new_calls(filter);
}

static struct err *
program_filter(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int rc;

	if (!filter)
		return err_nomem();
	rc = program_rules(filter);
	if (rc == 0)
		rc = seccomp_load(filter);
	seccomp_release(filter);
	if (rc == 0)
		return NULL;
	errno = -rc;
	return err_errno("cannot install a seccomp filter");
}

/* ---- files ---- */

/* The loader that an executable names (gABI, PT_INTERP); "" = none. */
static struct err *
program_loader(const char *path, char out[LOADER_MAX])
{
	_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	Elf64_Ehdr h;
	Elf64_Phdr p;

	*out = '\0';
	if (fd < 0)
		return err_errno("%s", path);
	if (pread(fd, &h, sizeof(h), 0) != sizeof(h)
	    || memcmp(h.e_ident, ELFMAG, SELFMAG) != 0
	    || h.e_ident[EI_CLASS] != ELFCLASS64)
		return err_new(ERR_UNSUPPORTED, "%s is no program of this "
			       "machine", path);
	for (unsigned k = 0; k < h.e_phnum; k++) {
		off_t at = (off_t)(h.e_phoff + k * sizeof(p));
		if (pread(fd, &p, sizeof(p), at) != sizeof(p))
			break;
		if (p.p_type != PT_INTERP || p.p_filesz >= LOADER_MAX)
			continue;
		if (pread(fd, out, p.p_filesz, (off_t)p.p_offset) < 0)
			return err_errno("%s", path);
		out[p.p_filesz] = '\0';
		break;
	}
	return NULL;
}

static struct err *
program_files(const struct jail_program *p)
{
	struct landlock_path paths[JAIL_PATHS_MAX];
	char loader[LOADER_MAX];
	size_t n = 0;

	struct err *err = program_loader(p->path, loader);
	if (err)
		return err;
	paths[n++] = (struct landlock_path){ p->path, LANDLOCK_RUN };
	if (*loader)
		paths[n++] = (struct landlock_path){ loader, LANDLOCK_RUN };
	if (p->terminal)
		paths[n++] = (struct landlock_path){ p->terminal,
						     LANDLOCK_TALK };
	paths[n++] = (struct landlock_path){ "/dev/null", LANDLOCK_TALK };
	for (size_t k = 0; p->reads[k]; k++) {
		if (n == countof(paths))
			return err_new(ERR_LIMIT, "a jailed program reads "
				       "%u places at most", JAIL_PATHS_MAX);
		paths[n++] = (struct landlock_path){ p->reads[k],
						     LANDLOCK_READ };
	}
	return landlock_allow(paths, n);
}

/* ---- the way in ---- */

static struct err *
program_stdio(const struct jail_program *p)
{
	_close_ int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0 || dup2(p->io, STDIN_FILENO) < 0
	    || dup2(p->io, STDOUT_FILENO) < 0
	    || dup2(null, STDERR_FILENO) < 0)
		return err_errno("cannot connect a program");
	return NULL;
}

struct err *
program_enter(const struct confine *c)
{
	static const char *const environment[] = {
		"HOME=/nonexistent", "LANG=C.UTF-8", "PATH=/nonexistent",
		"TERM=dumb", NULL,
	};
	const struct jail_program *p = c->program;
	sigset_t none;

	struct err *err = program_stdio(p);
	if (!err)
		err = confine_before_files(c);
	if (!err)
		err = program_files(p);
	if (!err)
		err = program_filter();
	if (err)
		return err;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (chdir("/") < 0)
		return err_errno("cannot leave the directory");
	setsid();
	execve(p->path, (char *const *)p->argv, (char *const *)environment);
	return err_errno("cannot run %s", p->path);
}
