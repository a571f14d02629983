/* SPDX-License-Identifier: Apache-2.0 */
/*
 * help.c: inquest help - manual pages and completion from the verb table.
 */
#include <errno.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd/page.h"

struct help_options {
	bool man;
	const char *completion;
};

extern char **environ;

/*
 * Show a page through man(1), which fills it to the terminal and pages it.
 * False where there is no man(1) that could.
 */
static bool
help_through_man(const struct buf *roff)
{
	static char name[] = "man", local[] = "-l", stdin_[] = "-";
	char *const argv[] = { name, local, stdin_, NULL };
	posix_spawn_file_actions_t actions;
	int pipe_fds[2], status;
	pid_t pid;

	if (pipe(pipe_fds) < 0)
		return false;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, pipe_fds[0], STDIN_FILENO);
	posix_spawn_file_actions_addclose(&actions, pipe_fds[1]);
	int failed = posix_spawnp(&pid, "man", &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(pipe_fds[0]);
	if (!failed)
		err_free(io_write(pipe_fds[1], roff->data, roff->len));
	close(pipe_fds[1]);
	if (failed)
		return false;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void
help_page(struct buf *b, const struct page_style *style, const struct verb *v)
{
	if (v)
		page_verb(b, style, v);
	else
		page_program(b, style);
}

/* The manual page of @v, or of the program when it is NULL. */
static struct err *
help_show(const struct verb *v)
{
	_buf_ struct buf roff = { 0 }, plain = { 0 };

	if (isatty(STDOUT_FILENO)) {
		help_page(&roff, &page_roff, v);
		if (!roff.failed && help_through_man(&roff))
			return NULL;
	}
	help_page(&plain, &page_plain, v);
	return say_result(&plain);
}

static struct err *
help_run(const struct verb *v, int argc, char **argv, int *status)
{
	struct help_options o = { 0 };
	_buf_ struct buf out = { 0 };
	const struct verb *about = NULL;
	struct operands operands;

	(void)status;
	struct err *err = verb_parse(v, argc, argv, &o, &operands);
	if (err)
		return err;
	if (operands.n) {
		about = verb_find(operands.item[0]);
		if (!about)
			return err_new(ERR_USAGE, "\"%s\" is no verb; see `"
				       PROGRAM " --help`", operands.item[0]);
	}
	if (o.completion && !complete_shell(&out, o.completion))
		return err_new(ERR_USAGE, "no completion for \"%s\": bash, "
			       "zsh and fish are known", o.completion);
	if (o.man)
		help_page(&out, &page_roff, about);
	return out.len ? say_result(&out) : help_show(about);
}

static const struct opt help_opts[] = {
	{ "man", 0, NULL, "write the manual page's source (roff)",
	  OPT_FLAG, offsetof(struct help_options, man) },
	{ "completion", 0, "SHELL", "write completion for bash, zsh or fish",
	  OPT_STRING, offsetof(struct help_options, completion) },
	{ .name = NULL }
};

static const struct example help_examples[] = {
	{ PROGRAM " help report", "read about report" },
	{ PROGRAM " help --man | man -l -", "all verbs on one page" },
	{ "eval \"$(" PROGRAM " help --completion bash)\"",
	  "complete in this shell" },
	{ NULL, NULL }
};

static const struct exit_row help_exits[] = {
	{ 0, "shown" },
	{ 2, "no such verb or shell" },
	{ 0, NULL }
};

const struct verb verb_help = {
	.name = "help",
	.operands = "[VERB]",
	.max = 1,
	.summary = "Show the manual page of a verb, or of the program",
	.text = "Shows the manual page of VERB, or of the whole program, "
		"through man(1) on a terminal and as text elsewhere. Help "
		"screens, manual pages and completion are generated from one "
		"table, so they say the same.",
	.options = help_opts,
	.examples = help_examples,
	.exits = help_exits,
	.run = help_run,
};
