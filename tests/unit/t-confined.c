/* SPDX-License-Identifier: Apache-2.0 */
/* base works where only memory and descriptors may be used. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "assert-err.h"
#include "base/json.h"

/* What a worker that reads hostile bytes is left with; no open, no random. */
static const int allowed[] = {
	SCMP_SYS(brk), SCMP_SYS(mmap), SCMP_SYS(munmap), SCMP_SYS(mremap),
	SCMP_SYS(madvise), SCMP_SYS(futex), SCMP_SYS(read), SCMP_SYS(pread64),
	SCMP_SYS(write), SCMP_SYS(fstat), SCMP_SYS(newfstatat),
	SCMP_SYS(lseek), SCMP_SYS(close), SCMP_SYS(exit_group),
	SCMP_SYS(sigaltstack), /* AddressSanitizer, on its way to _exit() */
};

static bool
confine(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int rc = filter ? 0 : -1;

	for (size_t i = 0; rc == 0 && i < countof(allowed); i++)
		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
	return rc == 0 && seccomp_load(filter) == 0;
}

/** Run @job(@fd) confined in a child; its wait status. */
static int
run_confined(bool (*job)(int fd))
{
	int status = -1, fd = memfd_create("confined", MFD_CLOEXEC);
	pid_t child = fork();

	assert_true(child >= 0 && fd >= 0);
	if (child == 0) {
		bool confined = confine();

		_exit(confined && job(fd) ? 0 : 1);
	}
	close(fd);
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

static bool
hash_job(int fd)
{
	uint8_t digest[SHA256_SIZE];
	struct hash_xxh *h = hash_xxh_new();

	(void)fd;
	hash_xxh_add(h, "abc", 3);
	hash_xxh_end(h, digest);
	hash_xxh_free(h);
	return !hash_sha256("abc", 3, digest) && digest[0] == 0xba;
}

static bool
json_job(int fd)
{
	_buf_ struct buf out = { 0 };
	struct json *o = json_object();
	bool written;

	json_set(o, "k", json_string("v"));
	written = !json_write(o, true, &out) && !io_write(fd, out.data, out.len);
	json_free(o);
	return written;
}

static bool
err_job(int fd)
{
	_err_ struct err *err = NULL;

	(void)fd;
	errno = ENOENT;
	err = err_wrap(err_errno("file %d", 1), "context");
	return strstr(err_text(err), "No such file") != NULL;
}

static bool
source_job(int fd)
{
	_source_ struct source *s = NULL;
	_arena_ struct arena *a = arena_new(0);
	struct span span = { 0 };

	if (!a || io_write(fd, "0123", 4) || source_fd(fd, "memory", &s))
		return false;
	return !source_load(s, 1, 2, 2, a, &span) &&
	       memcmp(span.data, "12", 2) == 0;
}

static bool
opt_job(int fd)
{
	static const struct opt table[] = {
		{ "flag", 'f', NULL, "", OPT_FLAG, 0 }, { 0 },
	};
	const char *argv[] = { "verb", "-f", NULL };
	bool flag = false;
	int first;

	(void)fd;
	return !opt_parse(table, 2, (char **)argv, &flag, &first) && flag;
}

static bool
open_job(int fd)
{
	_buf_ struct buf out = { 0 };

	(void)fd;
	return io_read_file("/proc/self/status", 1 << 20, &out) != NULL;
}

static void
hashing_needs_no_file(void **state)
{
	(void)state;
	assert_int_equal(run_confined(hash_job), 0);
}

static void
json_needs_no_file_and_no_random_numbers(void **state)
{
	(void)state;
	assert_int_equal(run_confined(json_job), 0);
}

static void
error_texts_need_no_locale(void **state)
{
	(void)state;
	assert_int_equal(run_confined(err_job), 0);
}

static void
a_source_needs_its_descriptor_only(void **state)
{
	(void)state;
	assert_int_equal(run_confined(source_job), 0);
}

static void
option_tables_need_no_file(void **state)
{
	(void)state;
	assert_int_equal(run_confined(opt_job), 0);
}

static void
the_confinement_of_this_test_is_real(void **state)
{
	int status = run_confined(open_job);

	(void)state;
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSYS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hashing_needs_no_file),
		cmocka_unit_test(json_needs_no_file_and_no_random_numbers),
		cmocka_unit_test(error_texts_need_no_locale),
		cmocka_unit_test(a_source_needs_its_descriptor_only),
		cmocka_unit_test(option_tables_need_no_file),
		cmocka_unit_test(the_confinement_of_this_test_is_real),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
