/* SPDX-License-Identifier: Apache-2.0 */
/*
 * main.c: finds the verb, runs it, and ends whatever error comes back.
 */
#include <malloc.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "cmd/cmd.h"
#include "cmd/page.h"

static struct err *
main_show(void (*screen)(struct buf *))
{
	_buf_ struct buf b = { 0 };

	screen(&b);
	return say_result(&b);
}

static struct err *
main_show_verb(const struct verb *v)
{
	_buf_ struct buf b = { 0 };

	page_screen(&b, v);
	return say_result(&b);
}

static bool
main_asks_help(const struct verb *v, int argc, char **argv)
{
	int head = verb_head(v, argc, argv);

	for (int i = 1; i < head && strcmp(argv[i], "--") != 0; i++) {
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			return true;
	}
	return false;
}

static struct err *
main_no_verb(const char *word)
{
	const struct verb *near = verb_near(word);

	if (word[0] == '-')
		return err_new(ERR_USAGE, "\"%s\" is no option; see `" PROGRAM
			       " --help`", word);
	if (near)
		return err_new(ERR_USAGE, "\"%s\" is no verb; did you mean "
			       "`" PROGRAM " %s`?", word, near->name);
	return err_new(ERR_USAGE, "\"%s\" is no verb; see `" PROGRAM
		       " --help`", word);
}

static struct err *
main_run(int argc, char **argv, const struct verb **v, int *status)
{
	const char *word = argc > 1 ? argv[1] : NULL;

	if (!word)
		return err_new(ERR_USAGE, "a verb is missing; see `" PROGRAM
			       " --help`");
	if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
		return main_show(page_verbs);
	if (strcmp(word, "--version") == 0)
		return main_show(page_version);
	*v = verb_find(word);
	if (!*v)
		return main_no_verb(word);
	if (main_asks_help(*v, argc - 1, argv + 1))
		return main_show_verb(*v);
	return (*v)->run(*v, argc - 1, argv + 1, status);
}

int
main(int argc, char **argv)
{
	const struct verb *v = NULL;
	int status = 0;

	/* A reader that goes away must be EPIPE: say_result() knows it. */
	signal(SIGPIPE, SIG_IGN);
	/* The C library reads the time zone once; in the jail it could not. */
	tzset();
	/*
	 * A thread's own heap that shrinks makes malloc() look into /proc, for
	 * which the jail ends the process: so there is one heap for all.
	 */
	mallopt(M_ARENA_MAX, 1);
	_err_ struct err *err = main_run(argc, argv, &v, &status);
	if (!err)
		return status;
	if (v)
		say("%s: %s", v->name, err_text(err));
	else
		say("%s", err_text(err));
	return err_exit_status(err);
}
