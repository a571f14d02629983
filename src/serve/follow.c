/* SPDX-License-Identifier: Apache-2.0 */
/*
 * follow.c: a worker runs on the processor that its client runs on.
 *
 * A debugger and its stub never work at the same time: one waits for the
 * other. On two processors each question and each answer wakes one that has
 * fallen asleep, which takes several times as long as an answer (48 us a
 * question were measured, and 8 on one processor), and the scheduler spreads
 * them by itself.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "serve/impl.h"

#define STAT_SIZE 1024u
/* "processor" of proc(5) is the 39th field; the name before the third ends
   with the last ')'. */
#define FIELDS_AFTER_NAME 37u

int
worker_peer(int socket)
{
	struct ucred peer;
	socklen_t n = sizeof(peer);
	char path[32];

	if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &n) < 0
	    || peer.pid <= 0)
		return -1;
	snprintf(path, sizeof(path), "/proc/%d/stat", peer.pid);
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* The processor that the process last ran on; -1: it has ended. */
static int
follow_where(int stat)
{
	char text[STAT_SIZE];
	ssize_t n = pread(stat, text, sizeof(text) - 1, 0);

	if (n <= 0)
		return -1;
	text[n] = '\0';
	char *at = strrchr(text, ')');
	for (unsigned k = 0; at && k < FIELDS_AFTER_NAME; k++)
		at = strchr(at + 1, ' ');
	return at ? atoi(at) : -1;
}

void
follow(int stat, int *at)
{
	int processor = follow_where(stat);
	cpu_set_t set;

	if (processor < 0 || processor >= CPU_SETSIZE || processor == *at)
		return;
	CPU_ZERO(&set);
	CPU_SET(processor, &set);
	/* Where it may not run there, it runs wherever it may. */
	if (sched_setaffinity(0, sizeof(set), &set) == 0)
		*at = processor;
}
