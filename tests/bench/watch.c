/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watch: runs a command and says what it cost, itself and the process that it
 * looks at.
 *
 *	watch PID SHARED SECONDS BYTES OUT COMMAND [ARG...]
 *
 * PID is the process whose main thread is looked at every 0.3 ms, or 0; SHARED
 * is the file in which its ticker keeps its largest gap, or "-". The command
 * gets OUT.out and OUT.err for its output, writes no file of more than BYTES
 * and is killed with its group after SECONDS. Prints one line of JSON.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "shared.h"

#define PERIOD_NS 300000

/* What was seen of the main thread; nanoseconds. */
struct pause {
	int fd;                 /* its stat; -1: there is no process */
	uint64_t before;        /* the last look */
	uint64_t run, longest, sum;
	bool stopped, gone;
};

static uint64_t
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void
die(const char *what)
{
	fprintf(stderr, "watch: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* ---- the process that is looked at ---- */

static int
stat_open(const char *pid)
{
	char path[64];

	if (strcmp(pid, "0") == 0)
		return -1;
	/* The thread's own: the process's adds up all of its threads. */
	snprintf(path, sizeof(path), "/proc/%s/task/%s/stat", pid, pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		die(path);
	return fd;
}

/* The letter behind the name, which may itself hold parentheses. */
static char
state_of(int fd)
{
	char text[512];
	ssize_t n = pread(fd, text, sizeof(text), 0);

	while (n > 2 && text[n - 1] != ')')
		n--;
	return n > 2 ? text[n + 1] : 'X';
}

static void
pause_look(struct pause *p)
{
	if (p->fd < 0)
		return;
	uint64_t now = now_ns();
	char state = state_of(p->fd);
	bool stopped = state == 't' || state == 'T';
	/* Of a time with a change in it, half is as good as can be said. */
	uint64_t part = (now - p->before) *
			((uint64_t)stopped + (uint64_t)p->stopped) / 2;

	p->sum += part;
	p->run += part;
	if (p->run > p->longest)
		p->longest = p->run;
	if (!stopped)
		p->run = 0;
	p->before = now;
	p->stopped = stopped;
	p->gone = state == 'X' || state == 'Z';
}

static struct shared *
shared_map(const char *path)
{
	if (strcmp(path, "-") == 0)
		return NULL;
	int fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		die(path);
	void *at = mmap(NULL, sizeof(struct shared), PROT_READ | PROT_WRITE,
			MAP_SHARED, fd, 0);
	if (at == MAP_FAILED)
		die(path);
	close(fd);
	return at;
}

/* ---- the command ---- */

static void
output_to(const char *stem, const char *suffix, int to)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s%s", stem, suffix);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || dup2(fd, to) < 0)
		die(path);
	close(fd);
}

static void
command_run(char **argv, const char *out, rlim_t bytes)
{
	struct rlimit files = { bytes, bytes }, cores = { 0, 0 };

	setsid();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_TIMERSLACK, 50000UL);      /* as at boot */
	setrlimit(RLIMIT_FSIZE, &files);
	setrlimit(RLIMIT_CORE, &cores);
	int nothing = open("/dev/null", O_RDONLY);
	if (nothing < 0 || dup2(nothing, 0) < 0)
		die("/dev/null");
	close(nothing);
	output_to(out, ".out", 1);
	output_to(out, ".err", 2);
	execvp(argv[0], argv);
	die(argv[0]);
}

static pid_t
command_start(char **argv, const char *out, rlim_t bytes)
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (pid == 0)
		command_run(argv, out, bytes);
	return pid;
}

/* Look until it ends; whether it had to be killed. */
static bool
command_wait(pid_t pid, uint64_t until, struct pause *pause, int *status,
	     struct rusage *usage)
{
	struct timespec period = { .tv_nsec = PERIOD_NS };
	bool expired = false;

	while (wait4(pid, status, WNOHANG, usage) == 0) {
		pause_look(pause);
		if (!expired && now_ns() > until) {
			expired = true;
			kill(-pid, SIGKILL);
		}
		nanosleep(&period, NULL);
	}
	pause_look(pause);
	kill(-pid, SIGKILL);    /* what it left behind */
	return expired;
}

static double
seconds_of(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static double
ms_of(uint64_t ns)
{
	return (double)ns / 1e6;
}

/* A look that comes late makes a short pause long. The command is as others. */
static void
be_punctual(void)
{
	struct sched_param first = { .sched_priority = 1 };

	prctl(PR_SET_TIMERSLACK, 1000UL);
	sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &first);
}

int
main(int argc, char **argv)
{
	if (argc < 7) {
		fprintf(stderr, "watch: PID SHARED SECONDS BYTES OUT COMMAND\n");
		return 2;
	}
	be_punctual();
	struct pause pause = { .fd = stat_open(argv[1]) };
	struct shared *shared = shared_map(argv[2]);
	uint64_t limit = strtoull(argv[3], NULL, 10) * 1000000000;
	int status = 0;
	struct rusage usage;

	if (shared)
		__atomic_store_n(&shared->gap_ns, 0, __ATOMIC_RELAXED);
	uint64_t began = now_ns();
	pause.before = began;
	pid_t pid = command_start(argv + 6, argv[5],
				  strtoull(argv[4], NULL, 10));
	bool expired = command_wait(pid, began + limit, &pause, &status,
				    &usage);
	uint64_t wall = now_ns() - began;
	uint64_t gap = shared ? __atomic_load_n(&shared->gap_ns,
						__ATOMIC_RELAXED) : 0;

	printf("{\"wall\": %.6f, \"cpu\": %.6f, \"rss\": %ld, "
	       "\"status\": %d, \"timed_out\": %s, \"target_gone\": %s, "
	       "\"pause_sum_ms\": %.3f, \"pause_longest_ms\": %.3f, "
	       "\"tick_gap_ms\": %.3f}\n",
	       (double)wall / 1e9,
	       seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime),
	       usage.ru_maxrss * 1024,
	       WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status),
	       expired ? "true" : "false", pause.gone ? "true" : "false",
	       ms_of(pause.sum), ms_of(pause.longest), ms_of(gap));
	return 0;
}
