/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dies HOW [WORD]: the ways in which a command ends, or does not.
 */
#include <err.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void
wound(volatile int *where)
{
	*where = 1;
}

static void *
wound_in_thread(void *arg)
{
	wound(arg);
	return NULL;
}

static void
handled(int signal)
{
	(void)signal;
	_exit(42);
}

static int
die_here(const char *word)
{
	(void)word;
	wound(NULL);
	return 0;
}

static int
die_by_abort(const char *word)
{
	(void)word;
	abort();
}

static int
die_in_thread(const char *word)
{
	pthread_t thread;

	(void)word;
	if (pthread_create(&thread, NULL, wound_in_thread, NULL))
		return 1;
	pthread_join(thread, NULL);
	return 0;
}

/* Ends with the number of the signal that its child died of. */
static int
die_in_child(const char *word)
{
	int status;
	pid_t child = fork();

	(void)word;
	if (child == 0)
		wound(NULL);
	waitpid(child, &status, 0);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 99;
}

static int
die_as_another(const char *word)
{
	(void)word;
	execl("/proc/self/exe", "another", "here", NULL);
	return 1;
}

static void *
exec_in_thread(void *arg)
{
	execl("/proc/self/exe", "another", "here", NULL);
	return arg;
}

static int
die_as_another_of_a_thread(const char *word)
{
	pthread_t thread;

	(void)word;
	if (pthread_create(&thread, NULL, exec_in_thread, NULL))
		return 1;
	pthread_join(thread, NULL);
	return 1;
}

static int
handle_it(const char *word)
{
	signal(SIGSEGV, handled);
	return die_here(word);
}

static int
ignore_it(const char *word)
{
	(void)word;
	signal(SIGQUIT, SIG_IGN);
	raise(SIGQUIT);
	return 7;
}

/* A fault that is blocked cannot wait: it kills. */
static int
block_it(const char *word)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	return die_here(word);
}

static int
raise_word(const char *word)
{
	raise(atoi(word));
	return 0;
}

static int
exit_word(const char *word)
{
	return atoi(word);
}

/* A pause, so that somebody can send a signal. */
static int
wait_for_it(const char *word)
{
	puts(word);
	fflush(stdout);
	while (1)
		pause();
	return 0;
}

static const struct {
	const char *how;
	int (*die)(const char *word);
} ways[] = {
	{ "here", die_here }, { "abort", die_by_abort },
	{ "thread", die_in_thread }, { "child", die_in_child },
	{ "exec", die_as_another }, { "threadexec", die_as_another_of_a_thread },
	{ "handled", handle_it }, { "ignored", ignore_it },
	{ "blocked", block_it }, { "raise", raise_word },
	{ "exit", exit_word }, { "wait", wait_for_it },
};

int
main(int argc, char **argv)
{
	for (size_t k = 0; argc > 1 && k < sizeof(ways) / sizeof(ways[0]); k++)
		if (strcmp(argv[1], ways[k].how) == 0)
			return ways[k].die(argc > 2 ? argv[2] : "");
	errx(2, "HOW [WORD]");
}
