/* SPDX-License-Identifier: Apache-2.0 */
/*
 * racer HOW US [MORE] LETTER: what becomes another program, or another
 * process, while somebody looks. The last word is the letter that its memory
 * is filled with; nothing else of this program has it.
 *
 *   exec   after at most US microseconds begins itself anew, with the other of
 *          the letters a and b
 *   suid   as exec, MORE is the program to begin; where that is
 *          set-user-ID, it lays the privilege down before it begins the next
 *   reuse  one process after the other that lives for at most US, with letters
 *          a and b in turn; all have the number MORE
 */
#include <err.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WORD 16

static char memory[64u << 10];

static void
fill(char letter)
{
	char word[WORD + 1];

	snprintf(word, sizeof(word), "racer-memory-%c..", letter);
	for (size_t k = 0; k < sizeof(memory); k += WORD)
		memcpy(memory + k, word, WORD);
	memset(word, 0, sizeof(word));
}

static void
nap_at_most(long us)
{
	struct timespec t = { 0, 0 };

	clock_gettime(CLOCK_MONOTONIC, &t);
	srandom((unsigned)t.tv_nsec ^ (unsigned)getpid());
	t.tv_sec = 0;
	t.tv_nsec = random() % us * 1000;
	nanosleep(&t, NULL);
}

/* @last is the letter in the words of the command line. */
static void
begin_again(const char *program, char **words, char *last, long us)
{
	nap_at_most(us);
	/* Of a set-user-ID program; all others have none to lay down. */
	if (setresgid(getgid(), getgid(), getgid())
	    || setresuid(getuid(), getuid(), getuid()))
		err(1, "privileges");
	*last = *last == 'a' ? 'b' : 'a';
	execv(program, words);
	err(1, "%s", program);
}

static void
be_suid(char **words, long us)
{
	char *other = words[3];

	/* One that is begun while it is traced has no privilege, and no
	 * secret. */
	if (words[4][0] == 'a' || geteuid() == 0)
		fill(words[4][0]);
	/* What is begun next begins this one. */
	words[3] = words[0];
	words[0] = other;
	begin_again(other, words, words[4], us);
}

static pid_t
fork_as(pid_t number, int last_pid)
{
	char text[16];
	int n = snprintf(text, sizeof(text), "%d", (int)number - 1);

	if (pwrite(last_pid, text, (size_t)n, 0) != n)
		err(1, "ns_last_pid");
	return fork();
}

static void
be_many(pid_t number, char *last, long us)
{
	int last_pid = open("/proc/sys/kernel/ns_last_pid", O_RDWR | O_CLOEXEC);
	char letter = 'a';

	if (last_pid < 0)
		err(1, "ns_last_pid");
	while (1) {
		pid_t pid = fork_as(number, last_pid);
		if (pid == 0) {
			*last = letter;
			if (getpid() == number)
				fill(letter);
			while (1)
				pause();
		}
		if (pid == number)
			nap_at_most(us);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		if (pid == number)
			letter = letter == 'a' ? 'b' : 'a';
	}
}

int
main(int argc, char **argv)
{
	if (argc < 4)
		errx(2, "HOW US [MORE] LETTER");
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (strcmp(argv[1], "exec") == 0) {
		fill(argv[3][0]);
		begin_again("/proc/self/exe", argv, argv[3], atol(argv[2]));
	}
	if (strcmp(argv[1], "suid") == 0 && argc == 5)
		be_suid(argv, atol(argv[2]));
	if (strcmp(argv[1], "reuse") == 0 && argc == 5)
		be_many(atoi(argv[3]), argv[4], atol(argv[2]));
	return 2;
}
