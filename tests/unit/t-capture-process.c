/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pictures of a child that is a copy of this program, so that it is known
 * what should stand where.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <elf.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "assert-err.h"
#include "await.h"
#include "capture/capture.h"
#include "capture/machine.h"
#include "capture/tracees.h"

#define PAGE 4096u
enum { PAGES = 8 };

struct subject {
	uint8_t *data;          /* pages 0, 1 and 5 written to */
	uint8_t *secret;        /* MADV_DONTDUMP */
	uint8_t *closed;        /* PROT_NONE, written to before */
	uint8_t *shared;
	uint8_t *large;         /* 8 MiB, all written to */
	pid_t pid;
};
#define LARGE (8u << 20)
#define SECRET (1u << 20)
enum { NEAR_PAGE = 1234, FAR_PAGE = 2001 };

static uint8_t *
pages(size_t n, int flags)
{
	uint8_t *p = mmap(NULL, n, PROT_READ | PROT_WRITE,
			  flags | MAP_ANONYMOUS, -1, 0);

	assert_ptr_not_equal(p, MAP_FAILED);
	return p;
}

/* A child that has come to rest. */
static pid_t
child(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		prctl(PR_SET_NAME, "sub) R 1 (ject");
		while (true)
			pause();
	}
	await_sleep(pid);
	return pid;
}

/* From one page of the large memory to another, which nothing else does. */
static void
point(struct subject *s, size_t from, size_t to)
{
	const uint8_t *there = s->large + to * PAGE + 64;

	memcpy(s->large + from * PAGE + 128, &there, sizeof(there));
}

static int
subject_setup(void **state)
{
	struct subject *s = test_calloc(1, sizeof(*s));

	s->data = pages(PAGES * PAGE, MAP_PRIVATE);
	s->secret = pages(SECRET, MAP_PRIVATE);
	s->closed = pages(PAGE, MAP_PRIVATE);
	s->shared = pages(PAGE, MAP_SHARED);
	s->large = pages(LARGE, MAP_PRIVATE);
	for (size_t k = 0; k < LARGE; k += 8)
		memcpy(s->large + k, &k, 8);
	point(s, 0, NEAR_PAGE);
	point(s, NEAR_PAGE, FAR_PAGE);
	memset(s->data, 'a', PAGE);
	memset(s->data + PAGE, 'b', PAGE);
	memset(s->data + 5 * PAGE, 'f', PAGE);
	memset(s->secret, 's', PAGE);
	memset(s->closed, 'c', PAGE);
	memset(s->shared, 'm', PAGE);
	madvise(s->secret, SECRET, MADV_DONTDUMP);
	mprotect(s->closed, PAGE, PROT_NONE);
	s->pid = child();
	*state = s;
	return 0;
}

static int
subject_teardown(void **state)
{
	struct subject *s = *state;

	kill(s->pid, SIGKILL);
	waitpid(s->pid, NULL, 0);
	munmap(s->data, PAGES * PAGE);
	munmap(s->secret, SECRET);
	munmap(s->closed, PAGE);
	munmap(s->shared, PAGE);
	munmap(s->large, LARGE);
	test_free(s);
	return 0;
}

/* The range that holds @p; the picture covers all that is mapped. */
static size_t
range_of(const struct target *t, const void *p)
{
	uint64_t addr = (uint64_t)(uintptr_t)p;

	for (size_t k = 0; k < t->n_memory; k++)
		if (t->memory[k].start <= addr
		    && addr - t->memory[k].start < t->memory[k].length)
			return k;
	fail_msg("%p is in no range", p);
	return 0;
}

/* The child's bytes at @p are ours, since it is our copy; a range may end where
 * the next part of it was copied to somewhere else. */
static void
assert_same(struct target *t, const uint8_t *p, size_t n)
{
	for (size_t part; n; p += part, n -= part) {
		const struct snap_memory *m = &t->memory[range_of(t, p)];
		uint64_t off = (uint64_t)(uintptr_t)p - m->start;

		part = n < m->length - off ? n : m->length - off;
		uint8_t *got = test_malloc(part);
		assert_ok(t->ops->read(t, (size_t)(m - t->memory), off, part,
				       got));
		assert_memory_equal(got, p, part);
		test_free(got);
	}
}

static bool
is_absent(const struct target *t, const void *p, uint8_t reason)
{
	const struct snap_memory *m = &t->memory[range_of(t, p)];

	return m->kind == SNAP_MEM_ABSENT && m->reason == reason;
}

static void
assert_absent(const struct target *t, const void *p, uint8_t reason)
{
	const struct snap_memory *m = &t->memory[range_of(t, p)];

	assert_int_equal(m->kind, SNAP_MEM_ABSENT);
	assert_int_equal(m->reason, reason);
}

static void
assert_has_stack(const struct target *t)
{
	const struct user_regs_struct *regs = t->threads[0].regsets[0].bytes.data;
	size_t k = range_of(t, (const void *)(uintptr_t)machine_sp(regs));

	assert_int_equal(t->memory[k].kind, SNAP_MEM_DATA);
}

static void
what_was_written_is_in_the_picture(void **state)
{
	struct subject *s = *state;
	_target_ struct target *t = NULL;

	assert_ok(capture_process(s->pid, NULL, NULL, &t));
	assert_same(t, s->data, PAGE);
	assert_same(t, s->data + PAGE, PAGE);
	assert_same(t, s->data + 5 * PAGE, PAGE);
	assert_same(t, s->large, LARGE);
}

static void
what_was_never_touched_is_zero_and_takes_no_room(void **state)
{
	struct subject *s = *state;
	_target_ struct target *t = NULL;

	assert_ok(capture_process(s->pid, NULL, NULL, &t));
	assert_int_equal(t->memory[range_of(t, s->data + 3 * PAGE)].kind,
			 SNAP_MEM_ZERO);
	assert_same(t, s->data + 3 * PAGE, PAGE);
}

static void
what_is_left_out_says_why(void **state)
{
	struct subject *s = *state;
	_target_ struct target *t = NULL;

	assert_ok(capture_process(s->pid, NULL, NULL, &t));
	assert_absent(t, s->secret, SNAP_ABSENT_DONTDUMP);
	assert_absent(t, s->closed, SNAP_ABSENT_UNREADABLE);
	assert_absent(t, s->shared, SNAP_ABSENT_FILTER);
}

/* A guard of Linux 6.13 and later: mapped, readable by its mapping's word. */
#define GUARD_INSTALL 102

static void
a_page_that_cannot_be_read_is_told_of(void **state)
{
	struct subject *s = *state;
	_target_ struct target *t = NULL;

	kill(s->pid, SIGKILL);
	waitpid(s->pid, NULL, 0);
	memset(s->data + 2 * PAGE, 'c', PAGE);
	bool guarded = madvise(s->data + PAGE, PAGE, GUARD_INSTALL) == 0;
	s->pid = child();
	if (!guarded)
		skip();
	assert_ok(capture_process(s->pid, NULL, NULL, &t));
	assert_same(t, s->data, PAGE);
	assert_absent(t, s->data + PAGE, SNAP_ABSENT_UNREADABLE);
	assert_same(t, s->data + 2 * PAGE, PAGE);
}

static void
memory_covers_the_mappings_and_nothing_twice(void **state)
{
	struct subject *s = *state;
	_target_ struct target *t = NULL;
	uint64_t mapped = 0, known = 0, end = 0;

	assert_ok(capture_process(s->pid, NULL, NULL, &t));
	for (size_t k = 0; k < t->n_maps; k++)
		mapped += t->maps[k].end - t->maps[k].start;
	for (size_t k = 0; k < t->n_memory; k++) {
		assert_true(t->memory[k].start >= end);
		end = t->memory[k].start + t->memory[k].length;
		known += t->memory[k].length;
	}
	assert_int_equal(known, mapped);
}

static void
the_stack_comes_first_where_not_all_fits(void **state)
{
	struct subject *s = *state;
	const struct capture_limits limits = { .copy = 1u << 20 };
	_target_ struct target *t = NULL;
	uint64_t copied = 0, over = 0;

	assert_ok(capture_process(s->pid, &limits, NULL, &t));
	for (size_t k = 0; k < t->n_memory; k++) {
		if (t->memory[k].kind == SNAP_MEM_DATA)
			copied += t->memory[k].length;
		if (t->memory[k].reason == SNAP_ABSENT_BUDGET)
			over += t->memory[k].length;
	}
	assert_true(copied <= limits.copy);
	assert_true(over >= LARGE - limits.copy);
	assert_true(t->n_gaps > 0);
	assert_has_stack(t);
}

static void
what_is_pointed_to_comes_before_the_rest(void **state)
{
	struct subject *s = *state;
	const struct capture_limits limits = { .copy = LARGE - (1u << 20) };
	_target_ struct target *t = NULL;
	size_t left_out = 0;

	assert_ok(capture_process(s->pid, &limits, NULL, &t));
	assert_same(t, s->large, PAGE);
	assert_same(t, s->large + NEAR_PAGE * PAGE, PAGE);
	assert_same(t, s->large + FAR_PAGE * PAGE, PAGE);
	for (size_t k = 0; k < LARGE / PAGE; k++)
		left_out += is_absent(t, s->large + k * PAGE,
				      SNAP_ABSENT_BUDGET);
	assert_true(left_out >= (LARGE - limits.copy) / PAGE);
}

static bool
has_gap(const struct target *t, const char *words)
{
	for (size_t k = 0; k < t->n_gaps; k++)
		if (strstr(t->gaps[k], words))
			return true;
	return false;
}

/* Stacks are never too late; emptiness that nobody looked at is not told. */
static void
what_there_was_no_time_for_is_absent(void **state)
{
	struct subject *s = *state;
	const struct capture_limits limits = { .pause_ns = 1 };
	_target_ struct target *t = NULL;

	assert_ok(capture_process(s->pid, &limits, NULL, &t));
	assert_absent(t, s->large, SNAP_ABSENT_TIME);
	assert_absent(t, s->data + 3 * PAGE, SNAP_ABSENT_TIME);
	assert_true(has_gap(t, "not to stand still for longer than 0 us"));
	assert_has_stack(t);
}

static void
stacks_alone_leave_the_rest_out(void **state)
{
	struct subject *s = *state;
	const struct capture_limits limits = { .memory = CAPTURE_STACKS };
	_target_ struct target *t = NULL;

	assert_ok(capture_process(s->pid, &limits, NULL, &t));
	assert_absent(t, s->large, SNAP_ABSENT_FILTER);
	assert_absent(t, s->secret, SNAP_ABSENT_DONTDUMP);
	assert_has_stack(t);
}

static const struct snap_blob *
text_named(const struct target *t, const char *name)
{
	for (size_t k = 0; k < t->n_texts; k++)
		if (strcmp(t->texts[k].name, name) == 0)
			return &t->texts[k];
	fail_msg("no text %s", name);
	return NULL;
}

static void
the_process_and_its_texts_are_told(void **state)
{
	struct subject *s = *state;
	_target_ struct target *t = NULL;

	assert_ok(capture_process(s->pid, NULL, NULL, &t));
	assert_string_equal(t->ops->kind, "live");
	assert_int_equal(t->process.pid, s->pid);
	assert_int_equal(t->process.ppid, getpid());
	assert_int_equal(t->process.uid, getuid());
	assert_string_equal(t->process.name, "sub) R 1 (ject");
	assert_string_equal(t->threads[0].name, "sub) R 1 (ject");
	assert_int_equal(t->threads[0].state, SNAP_STATE_SLEEPING);
	assert_int_equal(t->threads[0].n_regsets, 3);
	assert_int_equal(t->threads[0].regsets[0].kind, NT_PRSTATUS);
	assert_true(text_named(t, "maps")->bytes.n > 0);
	assert_true(text_named(t, "status")->bytes.n > 0);
	assert_true(text_named(t, "cmdline")->bytes.n > 0);
	assert_true(t->auxv.n > 0);
	assert_true(t->process.captured_ns > 0);
	assert_true(capture_pause_ns(t) > 0);
}

static void
a_picture_is_shared_with_a_child_forked_later(void **state)
{
	struct subject *s = *state;
	_target_ struct target *t = NULL;
	int status;

	assert_ok(capture_process(s->pid, NULL, NULL, &t));
	pid_t pid = fork();
	if (pid == 0) {
		uint8_t got[PAGE];
		size_t k = range_of(t, s->large);
		struct err *err = t->ops->read(t, k,
			(uint64_t)(uintptr_t)s->large - t->memory[k].start,
			PAGE, got);
		_exit(err || memcmp(got, s->large, PAGE) != 0 ? 1 : 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void
it_runs_on_untraced(void **state)
{
	struct subject *s = *state;
	_target_ struct target *t = NULL;
	int status;

	assert_ok(capture_process(s->pid, NULL, NULL, &t));
	assert_int_equal(kill(s->pid, SIGTERM), 0);
	assert_int_equal(waitpid(s->pid, &status, 0), s->pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
	s->pid = child();
}

/* Waits in vfork() for a child that never goes on. */
static pid_t
child_in_the_kernel(pid_t *grandchild)
{
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	pid_t pid = fork();
	if (pid == 0) {
		/* As vfork() does, whose child may do nothing by its rules. */
		if (syscall(SYS_clone, CLONE_VFORK | SIGCHLD, 0, 0, 0, 0) == 0) {
			pid_t self = (pid_t)syscall(SYS_getpid);
			(void)!write(ends[1], &self, sizeof(self));
			while (true)
				pause();
		}
		_exit(0);
	}
	assert_int_equal(read(ends[0], grandchild, sizeof(pid_t)),
			 sizeof(pid_t));
	close(ends[0]);
	close(ends[1]);
	await_status(pid, "State:\tD");
	return pid;
}

static void
one_that_does_not_stop_is_let_go_of_too(void **state)
{
	const struct capture_limits limits = { .stop_ms = 50 };
	_target_ struct target *t = NULL;
	pid_t grandchild;
	int status;

	(void)state;
	pid_t pid = child_in_the_kernel(&grandchild);
	assert_ok(capture_process(pid, &limits, NULL, &t));
	assert_int_equal(t->n_threads, 1);
	assert_int_equal(t->threads[0].n_regsets, 0);
	assert_int_equal(t->threads[0].state, SNAP_STATE_BLOCKED);
	assert_true(t->n_gaps > 0);
	/* The thread that traced ends a moment after it was waited for. */
	await_status(pid, "TracerPid:\t0\n");
	kill(grandchild, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void
what_is_no_process_of_ours_is_refused_with_a_reason(void **state)
{
	struct target *t = NULL;

	(void)state;
	assert_err(capture_process(-1, NULL, NULL, &t), ERR_USAGE, "-1 is not");
	assert_err(capture_process(0, NULL, NULL, &t), ERR_USAGE, "0 is not");
	assert_err(capture_process(getpid(), NULL, NULL, &t), ERR_USAGE, "itself");
	/* Above the largest that Linux gives (PID_MAX_LIMIT). */
	assert_err(capture_process(1 << 23, NULL, NULL, &t), ERR_NOTFOUND,
		   "there is no process");
}

static void
a_zombie_is_not_found(void **state)
{
	struct target *t = NULL;
	siginfo_t info;
	pid_t pid = fork();

	(void)state;
	if (pid == 0)
		_exit(0);
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	assert_err(capture_process(pid, NULL, NULL, &t), ERR_NOTFOUND, "zombie");
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

enum { GROWTH = 2048 };

/* Touches one page after another for ever, each after the count of them. */
static pid_t
child_that_grows(volatile uint64_t *count, volatile uint8_t *grown)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (true) {
		for (*count = 0; *count < GROWTH; (*count)++)
			grown[*count * PAGE] = 'g';
		*count = 0;
		madvise((void *)(uintptr_t)grown, GROWTH * PAGE,
			MADV_DONTNEED);
	}
}

static uint8_t
byte_at(struct target *t, const void *p)
{
	size_t k = range_of(t, p);
	uint8_t byte = 0;

	if (t->memory[k].kind == SNAP_MEM_DATA)
		assert_ok(t->ops->read(t, k, (uint64_t)(uintptr_t)p
				       - t->memory[k].start, 1, &byte));
	return byte;
}

/* Whatever was looked at before it stood still: nothing is older. */
static void
pages_that_came_in_the_last_moment_are_there(void **state)
{
	uint64_t *count = (void *)pages(PAGE, MAP_PRIVATE);
	uint8_t *grown = pages(GROWTH * PAGE, MAP_PRIVATE);
	pid_t pid = child_that_grows(count, grown);

	(void)state;
	for (unsigned k = 0; k < 40; k++) {
		_target_ struct target *t = NULL;
		uint64_t n;

		assert_ok(capture_process(pid, NULL, NULL, &t));
		size_t r = range_of(t, count);
		if (t->memory[r].kind != SNAP_MEM_DATA)
			continue;       /* it has not yet begun */
		assert_ok(t->ops->read(t, r, (uint64_t)(uintptr_t)count
				       - t->memory[r].start, sizeof(n), &n));
		for (uint64_t page = 0; page < n; page++)
			assert_int_equal(byte_at(t, grown + page * PAGE), 'g');
	}
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	munmap(count, PAGE);
	munmap(grown, GROWTH * PAGE);
}

/* Changes a page of a file that it maps read-only, and takes that back. */
static pid_t
child_that_patches(volatile uint64_t *patched, uint8_t *code)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (uint8_t value = 1; true; value = value < 200 ? value + 1 : 1) {
		mprotect(code, PAGE, PROT_READ | PROT_WRITE);
		code[0] = value;
		mprotect(code, PAGE, PROT_READ);
		*patched = value;
		for (unsigned k = 0; k < 100; k++)
			sched_yield();
		*patched = 0;
		if (value % 2)
			madvise(code, PAGE, MADV_DONTNEED);
	}
}

/* It would be read in the file otherwise, or be older than all else. */
static void
assert_code_is_as_patched(struct target *t, enum capture_memory memory,
			  const uint64_t *patched, const uint8_t *code)
{
	size_t r = range_of(t, patched);
	uint64_t now;

	/* A sanitizer's mappings join with it: too much to go with stacks. */
	if (memory == CAPTURE_STACKS && t->memory[r].kind != SNAP_MEM_DATA)
		return;
	assert_int_equal(t->memory[r].kind, SNAP_MEM_DATA);
	assert_ok(t->ops->read(t, r, (uint64_t)(uintptr_t)patched
			       - t->memory[r].start, sizeof(now), &now));
	if (!now)
		return;
	if (t->memory[range_of(t, code)].kind == SNAP_MEM_DATA)
		assert_int_equal(byte_at(t, code), now);
	else
		assert_absent(t, code, SNAP_ABSENT_UNKNOWN);
}

static void
code_that_was_changed_is_not_the_files(void **state)
{
	uint64_t *patched = (void *)pages(PAGE, MAP_PRIVATE);
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	uint8_t *code = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, PAGE);

	(void)state;
	close(fd);
	*patched = 0;
	assert_ptr_not_equal(code, MAP_FAILED);
	pid_t pid = child_that_patches(patched, code);
	for (unsigned k = 0; k < 80; k++) {
		const struct capture_limits limits = {
			.memory = k % 2 ? CAPTURE_STACKS : CAPTURE_REACHABLE,
		};
		_target_ struct target *t = NULL;

		assert_ok(capture_process(pid, &limits, NULL, &t));
		assert_code_is_as_patched(t, limits.memory, patched, code);
	}
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	munmap(patched, PAGE);
	munmap(code, PAGE);
}

/* One that others keep from the processor does not run out of time by it. */
static void
a_spell_is_of_the_processor(void **state)
{
	const uint64_t ms = 1000000;
	struct spell s = spell_begin(100 * ms);
	uint64_t began = tracees_now();

	(void)state;
	poll(NULL, 0, 150);
	/* A machine that is busier yet is no reason to wait for ever. */
	assert_true(!spell_is_over(&s) || tracees_now() - began >= 1000 * ms);
	while (!spell_is_over(&s))
		;
	assert_true(tracees_now() - began >= 100 * ms);
}

#define subjected(test) \
	cmocka_unit_test_setup_teardown(test, subject_setup, subject_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		subjected(what_was_written_is_in_the_picture),
		subjected(what_was_never_touched_is_zero_and_takes_no_room),
		subjected(what_is_left_out_says_why),
		subjected(a_page_that_cannot_be_read_is_told_of),
		subjected(memory_covers_the_mappings_and_nothing_twice),
		subjected(the_stack_comes_first_where_not_all_fits),
		subjected(what_is_pointed_to_comes_before_the_rest),
		subjected(what_there_was_no_time_for_is_absent),
		subjected(stacks_alone_leave_the_rest_out),
		subjected(the_process_and_its_texts_are_told),
		subjected(a_picture_is_shared_with_a_child_forked_later),
		subjected(it_runs_on_untraced),
		cmocka_unit_test(pages_that_came_in_the_last_moment_are_there),
		cmocka_unit_test(code_that_was_changed_is_not_the_files),
		cmocka_unit_test(one_that_does_not_stop_is_let_go_of_too),
		cmocka_unit_test(
			what_is_no_process_of_ours_is_refused_with_a_reason),
		cmocka_unit_test(a_zombie_is_not_found),
		cmocka_unit_test(a_spell_is_of_the_processor),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
