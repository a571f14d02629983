/* SPDX-License-Identifier: Apache-2.0 */
/*
 * follow.c: a worker runs on the processor that its client runs on, while that
 * asks for little and at once.
 *
 * A debugger and its stub do not work at the same time then: one waits for the
 * other. On two processors each question and each answer wakes one that has
 * fallen asleep, which takes several times as long as an answer, and the
 * scheduler spreads them by itself: 55 us a question were measured over TCP, 21
 * where the worker waits awake, and 15 on one processor. But where another
 * processor has nothing to do, the scheduler may wake the client there, every
 * time; so both ways are tried now and then, and the quicker one is taken. While
 * much is read both do work at the same time, and the worker runs where it likes.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "serve/follow.h"
#include "serve/impl.h"

#define STAT_SIZE 1024u
/* "processor" of proc(5) is the 39th field; the name before the third ends
   with the last ')'. */
#define FIELDS_AFTER_NAME 37u
/* Questions by which a way is measured; so many measures, and the other way is
 * tried. */
#define MEASURE 32u
#define TRY_EVERY 512u
/* What a question counts at most: one during which something else ran says
 * nothing of the way, and would outweigh all others. */
#define TOOK_MAX 100000u
/* So many questions that came late, one after the other, and all is forgotten
 * but the measures: its client may have gone to another processor. */
#define LATE_MAX 4u

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

/*
 * A local client's packets come in on its own processor, whatever the network;
 * of a Unix socket nobody can tell, which is -1 as well.
 */
static int
follow_incoming(int socket)
{
	int processor = -1;
	socklen_t n = sizeof(processor);

	if (getsockopt(socket, SOL_SOCKET, SO_INCOMING_CPU, &processor, &n) < 0)
		return -1;
	return processor;
}

static int
follow_client(const struct follow *f, int socket)
{
	int processor = f->stat >= 0 ? follow_where(f->stat)
				     : follow_incoming(socket);

	return processor < CPU_SETSIZE ? processor : -1;
}

/* To wait awake on the only processor would be in its client's way. */
static enum follow_way
follow_first(const struct follow *f)
{
	return f->may ? FOLLOW_AWAKE : FOLLOW_BESIDE;
}

void
follow_init(struct follow *f, int stat)
{
	memset(f, 0, sizeof(*f));
	f->stat = stat;
	if (sched_getaffinity(0, sizeof(f->anywhere), &f->anywhere) < 0)
		return;
	f->may = CPU_COUNT(&f->anywhere) > 1;
	f->way = follow_first(f);
}

/* To the processor of the client, or to any other than that. */
static void
follow_go(struct follow *f, enum follow_way way, int processor)
{
	cpu_set_t set, client;

	CPU_ZERO(&client);
	CPU_SET((unsigned)processor, &client);
	CPU_AND(&set, &f->anywhere, &client);
	if (way == FOLLOW_AWAKE)
		CPU_XOR(&set, &f->anywhere, &set);
	if ((f->bound && CPU_EQUAL(&set, &f->set)) || !CPU_COUNT(&set)
	    || sched_setaffinity(0, sizeof(set), &set) < 0)
		return;
	f->bound = true;
	f->set = set;
}

/* The quicker way as far as is known; now and then the other one. */
static enum follow_way
follow_choose(const struct follow *f)
{
	enum follow_way other = f->way == FOLLOW_AWAKE ? FOLLOW_BESIDE
						       : FOLLOW_AWAKE;

	if (!f->took[other] || f->measures % TRY_EVERY == 0
	    || f->took[other] + f->took[other] / 8 < f->took[f->way])
		return other;
	return f->way;
}

static void
follow_measured(struct follow *f, int socket)
{
	int processor = follow_client(f, socket);

	f->took[f->way] = f->sum;
	f->measures++;
	f->sum = f->questions = 0;
	if (!f->may || processor < 0)
		return;
	f->way = follow_choose(f);
	follow_go(f, f->way, processor);
}

bool
follow_question(struct follow *f, int socket, uint64_t took)
{
	if (f->socket != socket) {
		follow_stop(f);
		f->socket = socket;
	}
	f->late = 0;
	f->sum += took < TOOK_MAX ? took : TOOK_MAX;
	if (++f->questions == MEASURE)
		follow_measured(f, socket);
	return f->way == FOLLOW_AWAKE;
}

void
follow_late(struct follow *f)
{
	if (++f->late == LATE_MAX)
		follow_stop(f);
}

void
follow_stop(struct follow *f)
{
	f->sum = f->questions = 0;
	f->way = follow_first(f);
	if (f->bound)
		sched_setaffinity(0, sizeof(f->anywhere), &f->anywhere);
	f->bound = false;
}
