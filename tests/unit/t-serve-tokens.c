/* SPDX-License-Identifier: Apache-2.0 */
/* A token opens its project until it is revoked, and nothing else does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "assert-err.h"
#include "serve/tokens.h"
#include "temp-tree.h"

struct seen {
	size_t n;
	struct token last;
	char label[256];
};

static void
see(void *arg, const struct token *t)
{
	struct seen *s = arg;

	s->n++;
	s->last = *t;
	snprintf(s->label, sizeof(s->label), "%s", t->label);
}

static void
read_file(const char *dir, const char *name, struct buf *out)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_ok(io_read_file(path, 1 << 20, out));
}

static void
a_token_opens_its_project_only(void **state)
{
	char web[TOKEN_DIGITS + 1], all[TOKEN_DIGITS + 1];

	assert_ok(token_create(*state, "web", NULL, web));
	assert_ok(token_create(*state, "", "for me", all));
	assert_int_equal(strlen(web), TOKEN_DIGITS);
	assert_ok(token_check(*state, web, "web"));
	assert_ok(token_check(*state, web, NULL));
	assert_err(token_check(*state, web, "we"), ERR_DENIED, "another");
	assert_err(token_check(*state, web, "webs"), ERR_DENIED, "another");
	assert_ok(token_check(*state, all, "web"));
	assert_ok(token_check(*state, all, "x"));
}

static void
nothing_but_a_token_opens_anything(void **state)
{
	char token[TOKEN_DIGITS + 1], longer[TOKEN_DIGITS + 2];

	assert_err(token_check(*state, "", NULL), ERR_DENIED, "no token");
	assert_ok(token_create(*state, "web", NULL, token));
	snprintf(longer, sizeof(longer), "%s0", token);
	assert_err(token_check(*state, longer, NULL), ERR_DENIED, "no token");
	assert_err(token_check(*state, "", NULL), ERR_DENIED, "no token");
	for (size_t k = 0; k < TOKEN_DIGITS; k += 21) {
		char wrong[TOKEN_DIGITS + 1];
		memcpy(wrong, token, sizeof(wrong));
		wrong[k] = wrong[k] == '0' ? '1' : '0';
		assert_err(token_check(*state, wrong, NULL), ERR_DENIED,
			   "no token");
	}
	token[TOKEN_DIGITS - 1] = '\0';
	assert_err(token_check(*state, token, NULL), ERR_DENIED, "no token");
}

static void
what_is_kept_of_a_token_does_not_open_anything(void **state)
{
	char token[TOKEN_DIGITS + 1], kept[TOKEN_DIGITS + 1];
	_buf_ struct buf text = { 0 };

	assert_ok(token_create(*state, "web", NULL, token));
	read_file(*state, "tokens", &text);
	assert_null(strstr(text.data, token));
	snprintf(kept, sizeof(kept), "%.*s", TOKEN_DIGITS, text.data);
	assert_err(token_check(*state, kept, NULL), ERR_DENIED, "no token");
}

static void
a_revoked_token_opens_nothing(void **state)
{
	char first[TOKEN_DIGITS + 1], second[TOKEN_DIGITS + 1];
	struct seen seen = { 0 };

	assert_ok(token_create(*state, "web", "first", first));
	assert_ok(token_list(*state, see, &seen));
	assert_ok(token_create(*state, "web", "second", second));
	assert_err(token_revoke(*state, "zz"), ERR_NOTFOUND, "\"zz\"");
	assert_err(token_revoke(*state, ""), ERR_NOTFOUND, "no token");
	seen.last.id[6] = '\0';
	assert_ok(token_revoke(*state, seen.last.id));
	assert_err(token_check(*state, first, "web"), ERR_DENIED, "no token");
	assert_ok(token_check(*state, second, "web"));
}

static void
tokens_are_listed_with_what_they_open(void **state)
{
	char token[TOKEN_DIGITS + 1];
	struct seen seen = { 0 };

	assert_ok(token_list(*state, see, &seen));
	assert_int_equal(seen.n, 0);
	assert_ok(token_create(*state, "web", "of\na phone", token));
	assert_ok(token_list(*state, see, &seen));
	assert_int_equal(seen.n, 1);
	assert_string_equal(seen.last.project, "web");
	assert_string_equal(seen.label, "of\\x0aa phone");
	assert_true(seen.last.created_ns > 1600000000ull * 1000000000u);
	assert_int_equal(strlen(seen.last.id), TOKEN_ID_DIGITS);
	assert_null(strstr(token, seen.last.id));
}

static void
ones_own_token_is_made_once_and_opens_all(void **state)
{
	char first[TOKEN_DIGITS + 1], again[TOKEN_DIGITS + 1];
	char path[PATH_MAX];
	struct stat st;

	assert_ok(token_own(*state, first));
	assert_ok(token_own(*state, again));
	assert_string_equal(first, again);
	assert_ok(token_check(*state, first, "anything"));
	snprintf(path, sizeof(path), "%s/token", (char *)*state);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

static void
a_file_that_others_can_read_is_not_believed(void **state)
{
	char token[TOKEN_DIGITS + 1], path[PATH_MAX];

	assert_ok(token_create(*state, "web", NULL, token));
	snprintf(path, sizeof(path), "%s/tokens", (char *)*state);
	assert_int_equal(chmod(path, 0640), 0);
	assert_err(token_check(*state, token, "web"), ERR_DENIED, "chmod 600");
}

static void
a_damaged_file_is_named(void **state)
{
	char path[PATH_MAX], token[TOKEN_DIGITS + 1];

	temp_tree_put(*state, "/tokens", "rubbish\n");
	snprintf(path, sizeof(path), "%s/tokens", (char *)*state);
	chmod(path, 0600);
	assert_err(token_check(*state, "x", NULL), ERR_DAMAGED, "line 1");
	assert_err(token_create(*state, "web", NULL, token), ERR_DAMAGED,
		   "/tokens");
	temp_tree_put(*state, "/token", "short\n");
	snprintf(path, sizeof(path), "%s/token", (char *)*state);
	chmod(path, 0600);
	assert_err(token_own(*state, token), ERR_DAMAGED, "/token");
}

static void
a_name_that_is_none_of_a_project_is_refused(void **state)
{
	char token[TOKEN_DIGITS + 1];

	assert_err(token_create(*state, "../x", NULL, token), ERR_USAGE,
		   "project");
	assert_err(token_create(*state, "*", NULL, token), ERR_USAGE,
		   "project");
}

/* Each of them makes some; none may be lost. */
static void
several_processes_may_make_tokens_at_once(void **state)
{
	enum { PROCESSES = 4, EACH = 10 };
	struct seen seen = { 0 };
	int how;

	for (int k = 0; k < PROCESSES; k++) {
		if (fork() != 0)
			continue;
		char token[TOKEN_DIGITS + 1];
		for (int i = 0; i < EACH; i++) {
			if (token_create(*state, "web", NULL, token))
				_exit(1);
		}
		_exit(0);
	}
	for (int k = 0; k < PROCESSES; k++) {
		assert_true(wait(&how) > 0);
		assert_int_equal(how, 0);
	}
	assert_ok(token_list(*state, see, &seen));
	assert_int_equal(seen.n, PROCESSES * EACH);
}

#define in_a_tree(test) \
	cmocka_unit_test_setup_teardown(test, temp_tree_setup, \
					temp_tree_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		in_a_tree(a_token_opens_its_project_only),
		in_a_tree(nothing_but_a_token_opens_anything),
		in_a_tree(what_is_kept_of_a_token_does_not_open_anything),
		in_a_tree(a_revoked_token_opens_nothing),
		in_a_tree(tokens_are_listed_with_what_they_open),
		in_a_tree(ones_own_token_is_made_once_and_opens_all),
		in_a_tree(a_file_that_others_can_read_is_not_believed),
		in_a_tree(a_damaged_file_is_named),
		in_a_tree(a_name_that_is_none_of_a_project_is_refused),
		in_a_tree(several_processes_may_make_tokens_at_once),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
