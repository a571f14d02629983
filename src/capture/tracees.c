/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tracees.c: all threads of a process, stopped at once (ptrace(2)).
 */
#include "capture/tracees.h"

#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "capture/impl.h"

#define LIST_PIECE 32768
/* A thread that still runs after this long is asked whether it has ended. */
#define PATIENCE_NS 20000000u
#define NAP_MAX_NS 200000u
#define SPELL_FACTOR 10u

static uint64_t
read_clock(clockid_t clock)
{
	struct timespec t = { 0, 0 };

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t
tracees_now(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

struct spell
spell_begin(uint64_t ns)
{
	return (struct spell){ read_clock(CLOCK_THREAD_CPUTIME_ID) + ns,
			       tracees_now() + SPELL_FACTOR * ns };
}

bool
spell_is_over(const struct spell *s)
{
	return read_clock(CLOCK_THREAD_CPUTIME_ID) >= s->work
	       || tracees_now() >= s->clock;
}

/* ---- the set ----------------------------------------------------------- */
struct err *
tracees_init(struct tracees *s, const struct proc *p)
{
	long page = sysconf(_SC_PAGESIZE);

	*s = (struct tracees){ .proc = p, .task = -1 };
	if (page != PAGE)
		return err_new(ERR_UNSUPPORTED, "pages of this kernel have %ld "
			       "bytes: only processes with pages of %u bytes "
			       "can be captured", page, PAGE);
	s->n_sets = machine_sets(s->sets);
	for (size_t k = 0; k < s->n_sets; k++)
		s->bytes_max += s->sets[k].size;
	s->task = openat(p->dir, "task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->task < 0)
		return err_new(ERR_NOTFOUND, "process %d has ended",
			       (int)p->pid);
	return NULL;
}

void
tracees_fini(struct tracees *s)
{
	base_close(&s->task);
	free(s->all);
	free(s->bytes);
}

static uint8_t *
set_bytes(const struct tracees *s, const struct tracee *t, size_t n)
{
	uint8_t *at = s->bytes + (size_t)(t - s->all) * s->bytes_max;

	for (size_t k = 0; k < n; k++)
		at += s->sets[k].size;
	return at;
}

struct span
tracees_set(const struct tracees *s, const struct tracee *t, size_t n)
{
	return (struct span){ set_bytes(s, t, n), t->set_size[n] };
}

struct tracee *
tracees_find(struct tracees *s, pid_t tid)
{
	for (size_t k = 0; k < s->n; k++)
		if (s->all[k].tid == tid)
			return &s->all[k];
	return NULL;
}

/* Room for twice as many as there are: nothing grows while they stand still,
 * unless they double in that moment. */
static struct err *
tracees_reserve(struct tracees *s, size_t n)
{
	size_t cap = 2 * n + 64;

	if (n <= s->cap)
		return NULL;
	if (n > TRACEES_MAX)
		return err_new(ERR_LIMIT, "process %d has more than %u threads",
			       (int)s->proc->pid, TRACEES_MAX);
	void *all = realloc(s->all, cap * sizeof(*s->all));
	if (!all)
		return err_nomem();
	s->all = all;
	void *bytes = realloc(s->bytes, cap * s->bytes_max);
	if (!bytes)
		return err_nomem();
	s->bytes = bytes;
	s->cap = cap;
	return NULL;
}

const struct tracee *
tracees_any(const struct tracees *s)
{
	for (size_t k = 0; k < s->n; k++)
		if (s->all[k].at == TRACEE_STOPPED)
			return &s->all[k];
	return NULL;
}

const struct tracee *
tracees_alive(const struct tracees *s)
{
	for (size_t k = 0; k < s->n; k++)
		if (s->all[k].at == TRACEE_RUNNING
		    || s->all[k].at == TRACEE_STOPPED)
			return &s->all[k];
	return NULL;
}

bool
tracees_all(const struct tracees *s)
{
	for (size_t k = 0; k < s->n; k++)
		if (s->all[k].at == TRACEE_RUNNING
		    || s->all[k].at == TRACEE_NEW)
			return false;
	return true;
}

/* ---- listing ----------------------------------------------------------- */
/* The kernel lists threads in one order: @hint is where the next should be. */
static struct err *
list_thread(struct tracees *s, pid_t tid, size_t *hint)
{
	struct tracee *t = *hint < s->n && s->all[*hint].tid == tid
			   ? &s->all[*hint] : tracees_find(s, tid);

	if (!t) {
		struct err *err = tracees_reserve(s, s->n + 1);
		if (err)
			return err;
		t = &s->all[s->n++];
		*t = (struct tracee){ .tid = tid };
	}
	t->listed = true;
	*hint = (size_t)(t - s->all) + 1;
	return NULL;
}

static struct err *
list_entries(struct tracees *s, const char *bytes, size_t n, size_t *hint)
{
	struct err *err = NULL;

	for (size_t at = 0; at < n && !err;) {
		const struct dirent64 *e = (const void *)(bytes + at);

		if (e->d_name[0] >= '1' && e->d_name[0] <= '9')
			err = list_thread(s, atoi(e->d_name), hint);
		at += e->d_reclen;
	}
	return err;
}

static struct err *
tracees_list(struct tracees *s)
{
	_Alignas(struct dirent64) char bytes[LIST_PIECE];
	size_t hint = 0;
	long got;

	for (size_t k = 0; k < s->n; k++)
		s->all[k].listed = false;
	lseek(s->task, 0, SEEK_SET);
	while ((got = syscall(SYS_getdents64, s->task, bytes, sizeof(bytes)))
	       > 0) {
		struct err *err = list_entries(s, bytes, (size_t)got, &hint);
		if (err)
			return err;
	}
	if (got < 0 || hint == 0)
		return err_new(ERR_NOTFOUND, "process %d has ended",
			       (int)s->proc->pid);
	return NULL;
}

/* ---- seizing ----------------------------------------------------------- */
static void
tracee_describe(struct tracees *s, struct tracee *t)
{
	struct text_stat stat;
	char room[1024];

	if (!proc_stat(s->proc, t->tid, &stat, room))
		return;
	size_t n = stat.name.n < sizeof(t->name) - 1 ? stat.name.n
						     : sizeof(t->name) - 1;
	memcpy(t->name, stat.name.data, n);
	t->before = stat.state;
}

static bool
tracee_has_ended(struct tracees *s, const struct tracee *t)
{
	struct text_stat stat;
	char room[1024];

	return !proc_stat(s->proc, t->tid, &stat, room) || stat.state == 'Z'
	       || stat.state == 'X';
}

static struct err *
tracee_seize(struct tracees *s, struct tracee *t)
{
	tracee_describe(s, t);
	t->at = TRACEE_RUNNING;
	if (s->auto_attached || ptrace(PTRACE_SEIZE, t->tid, 0, 0) == 0)
		return NULL;
	int error = errno;
	t->at = TRACEE_ENDED;
	/* EPERM is the answer for a zombie too (kernel/ptrace.c). */
	if (error == ESRCH || tracee_has_ended(s, t))
		return NULL;
	if (error == EPERM)
		return proc_why_denied(s->proc);
	errno = error;
	return err_errno("thread %d of process %d cannot be traced",
			 (int)t->tid, (int)s->proc->pid);
}

/* Those that a list has found; *@some says whether there were any. */
static struct err *
seize_new(struct tracees *s, bool *some)
{
	struct err *err = tracees_list(s);

	*some = false;
	for (size_t k = 0; k < s->n && !err; k++) {
		if (s->all[k].at != TRACEE_NEW)
			continue;
		*some = true;
		err = tracee_seize(s, &s->all[k]);
	}
	return err;
}

/* Its pages are there before it is written to, some more than are needed. */
static void
touch_room(struct tracees *s)
{
	size_t n = s->n + s->n / 8 + 32;

	n = n < s->cap ? n : s->cap;
	memset(&s->all[s->n], 0, (n - s->n) * sizeof(*s->all));
	memset(s->bytes, 0, n * s->bytes_max);
}

struct err *
tracees_seize(struct tracees *s)
{
	bool some = true;
	struct err *err = NULL;

	while (some && !err)
		err = seize_new(s, &some);
	if (err)
		return err;
	touch_room(s);
	for (size_t k = 0; k < s->n; k++)
		if (s->all[k].at == TRACEE_RUNNING)
			return NULL;
	return err_new(ERR_NOTFOUND, "process %d has ended",
				   (int)s->proc->pid);
}

/* ---- stopping ---------------------------------------------------------- */
/* What the kernel told by waitpid(2): a stop or the end. */
static void
tracee_take_status(struct tracee *t, int status)
{
	int event = status >> 16, signal = WSTOPSIG(status);

	if (!WIFSTOPPED(status)) {
		t->at = TRACEE_ENDED;
		return;
	}
	t->at = TRACEE_STOPPED;
	if (event == 0)
		t->signal = signal;
	else if (event == PTRACE_EVENT_STOP && signal != SIGTRAP)
		t->group_stop = signal;
}

/* Whoever waits for all of a command has to see the end of each by itself. */
static bool
tracee_end_is_waiting(const struct tracee *t)
{
	siginfo_t info = { .si_pid = 0 };

	/* A stop under ptrace(2) is told to whoever waits, asked for or not. */
	return waitid(P_PID, (id_t)t->tid, &info,
		      WEXITED | WNOHANG | WNOWAIT | __WALL) == 0
	       && info.si_pid == t->tid && info.si_code != CLD_TRAPPED
	       && info.si_code != CLD_STOPPED;
}

static bool
tracee_poll(const struct tracees *s, struct tracee *t)
{
	int status;

	if (s->auto_attached && tracee_end_is_waiting(t)) {
		t->at = TRACEE_ENDED;
		return true;
	}
	pid_t got = waitpid(t->tid, &status, __WALL | WNOHANG);
	if (got == t->tid)
		tracee_take_status(t, status);
	else if (got < 0 && errno != EINTR)
		t->at = TRACEE_ENDED;
	return t->at != TRACEE_RUNNING;
}

/* A leader whose other threads live on never reports its end. */
static bool
poll_all(struct tracees *s, bool patient)
{
	bool done = true;

	for (size_t k = 0; k < s->n; k++) {
		struct tracee *t = &s->all[k];

		if (t->at != TRACEE_RUNNING || tracee_poll(s, t))
			continue;
		if (!patient && tracee_has_ended(s, t))
			t->at = TRACEE_ENDED;
		else
			done = false;
	}
	return done;
}

static void
nap(uint64_t ns)
{
	const struct timespec t = { 0, (long)ns };

	nanosleep(&t, NULL);
}

static bool
wait_all(struct tracees *s, uint64_t deadline)
{
	uint64_t began = tracees_now(), now = began, doze = 20000;

	while (!poll_all(s, now - began < PATIENCE_NS)) {
		if (now >= deadline)
			return false;
		nap(doze);
		doze = 2 * doze < NAP_MAX_NS ? 2 * doze : NAP_MAX_NS;
		now = tracees_now();
	}
	return true;
}

static void
interrupt_all(struct tracees *s)
{
	for (size_t k = 0; k < s->n; k++)
		if (s->all[k].at == TRACEE_RUNNING)
			ptrace(PTRACE_INTERRUPT, s->all[k].tid, 0, 0);
}

struct err *
tracees_stop(struct tracees *s, uint64_t deadline)
{
	bool some = true;
	struct err *err = NULL;

	while (some && !err) {
		interrupt_all(s);
		if (!wait_all(s, deadline))
			return tracees_list(s);
		err = seize_new(s, &some);
	}
	return err;
}

/* ---- looking ----------------------------------------------------------- */
/* How many bytes of the register set there are; 0 = it is not to be had. */
static size_t
get_regset(pid_t tid, unsigned kind, void *out, size_t size)
{
	struct iovec io = { out, size };

	errno = 0;
	return ptrace(PTRACE_GETREGSET, tid, kind, &io) == 0 ? io.iov_len : 0;
}

/* From the last to the first: one that begins the next is not asked for. */
static void
read_sets(struct tracees *s, struct tracee *t)
{
	for (size_t k = s->n_sets; k-- > 0;) {
		const struct machine_set *set = &s->sets[k];
		uint8_t *bytes = set_bytes(s, t, k);

		if (set->begins_next && t->set_size[k + 1] >= set->size) {
			machine_set_begin(set, set_bytes(s, t, k + 1), bytes);
			t->set_size[k] = set->size;
			continue;
		}
		t->set_size[k] = (uint32_t)get_regset(t->tid, set->kind, bytes,
						      set->size);
	}
}

static void
read_regs(struct tracees *s, struct tracee *t)
{
	t->has_regs = get_regset(t->tid, NT_PRSTATUS, &t->regs,
				 sizeof(t->regs)) == sizeof(t->regs);
	/* Killed in its stop: the one thing that can still happen to it. */
	if (!t->has_regs && errno == ESRCH) {
		t->at = TRACEE_ENDED;
		return;
	}
	read_sets(s, t);
	t->has_siginfo = t->signal && ptrace(PTRACE_GETSIGINFO, t->tid, 0,
					     &t->siginfo) == 0;
}

void
tracees_read_regs(struct tracees *s)
{
	for (size_t k = 0; k < s->n; k++)
		if (s->all[k].at == TRACEE_STOPPED)
			read_regs(s, &s->all[k]);
}

void
tracees_detach(struct tracees *s)
{
	for (size_t k = 0; k < s->n; k++) {
		struct tracee *t = &s->all[k];

		if (t->at == TRACEE_STOPPED)
			ptrace(PTRACE_DETACH, t->tid, 0, t->signal);
	}
}
