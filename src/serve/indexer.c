/* SPDX-License-Identifier: Apache-2.0 */
/*
 * indexer.c: questions are datagrams of struct indexer_ask; what the socket
 * does not hold is not queued. Like the zygote it is forked before the server
 * opens anything.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "serve/indexer.h"
#include "serve/serve.h"

#define LINK_MAX 256u
/* Of what could not be made, so many are remembered. */
#define FAILED_MAX 64u
#define NICE 19

struct indexer_ask {
	char project[STORE_NAME_MAX + 1];
	uint8_t kind;           /* SUPPLY_INDEX, SUPPLY_SPOILT */
	struct module_id id;
	char path[PATH_MAX], link[LINK_MAX];    /* "" = none */
};

struct indexing {
	int fd;
	const struct supply_indexes *indexes;
	const char *store;
	uint64_t failed[FAILED_MAX];    /* hashes of questions */
	unsigned n_failed;
};

struct supply_places
indexer_places(void)
{
	struct supply_places places = supply_default_places;

	/* Who asks may have been taken over: a path alone opens nothing. */
	places.by_id = true;
	return places;
}

/* ---- the process -------------------------------------------------------------- */
static struct err *
make_one(const struct indexing *x, const struct indexer_ask *q)
{
	struct stored stored = { .url = x->store, .project = q->project };
	struct supply_indexes indexes = {
		.dir = x->indexes->dir, .size_max = x->indexes->size_max,
		.make = true,
	};
	const struct supply_ask ask = {
		.kind = q->kind, .id = q->id,
		.path = *q->path ? q->path : NULL,
		.link = *q->link ? q->link : NULL,
	};
	struct supply_places places = indexer_places();
	struct supply_more more;
	_close_ int fd = -1;

	stored_more(&stored, &more);
	places.more = *q->project ? &more : NULL;
	places.indexes = &indexes;
	return supply_index(&places, &ask, &fd);
}

/* FNV-1a */
static uint64_t
ask_hash(const struct indexer_ask *q)
{
	const uint8_t *bytes = (const uint8_t *)q;
	uint64_t hash = 0xcbf29ce484222325u;

	for (size_t k = 0; k < sizeof(*q); k++)
		hash = (hash ^ bytes[k]) * 0x100000001b3u;
	return hash;
}

static void
answer_one(struct indexing *x, const struct indexer_ask *q)
{
	const uint64_t hash = ask_hash(q);

	for (size_t k = 0; k < FAILED_MAX; k++)
		if (x->failed[k] == hash)
			return;
	_err_ struct err *err = make_one(x, q);
	if (err)
		x->failed[x->n_failed++ % FAILED_MAX] = hash;
}

/* Of what the server has, it keeps two descriptors. */
static void
close_others(int a, int b)
{
	const unsigned low = (unsigned)(a < b ? a : b);
	const unsigned high = (unsigned)(a < b ? b : a);
	const unsigned first = STDERR_FILENO + 1;

	if (low > first)
		close_range(first, low - 1, 0);
	if (high > low + 1)
		close_range(low + 1, high - 1, 0);
	close_range(high + 1, ~0u, 0);
}

static _Noreturn void
indexer_main(struct indexing *x)
{
	struct indexer_ask q;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	ssize_t n;

	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)setpriority(PRIO_PROCESS, 0, NICE);
	for (int k = STDIN_FILENO; k <= STDERR_FILENO && null >= 0; k++)
		dup2(null, k);
	close_others(x->fd, x->indexes->dir);
	while ((n = recv(x->fd, &q, sizeof(q), 0)) != 0) {
		if (n < 0 && errno != EINTR)
			break;
		if (n == sizeof(q))
			answer_one(x, &q);
	}
	_exit(0);
}

/* ---- the server ---------------------------------------------------------------- */
struct err *
indexer_start(const struct supply_indexes *indexes, const char *store,
	      struct indexer *out)
{
	int pair[2];

	out->fd = -1;
	if (!indexes || indexes->dir < 0)
		return NULL;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_errno("cannot make a socket");
	_close_ int ours = pair[0];
	_close_ int theirs = pair[1];
	struct indexing x = { .fd = theirs, .indexes = indexes,
			      .store = store };
	fflush(NULL);
	pid_t pid = fork();
	if (pid < 0)
		return err_errno("cannot start a process");
	if (pid == 0)
		indexer_main(&x);
	*out = (struct indexer){ .fd = ours, .pid = pid };
	ours = -1;
	return NULL;
}

void
indexer_ask(struct indexer *x, const char *project,
	    const struct supply_ask *ask)
{
	struct indexer_ask q;
	const char *path = ask->path ? ask->path : "";
	const char *link = ask->link ? ask->link : "";

	if (x->fd < 0 || strlen(path) >= sizeof(q.path)
	    || strlen(link) >= sizeof(q.link))
		return;
	/* All of it is compared. */
	memset(&q, 0, sizeof(q));
	snprintf(q.project, sizeof(q.project), "%s", project);
	snprintf(q.path, sizeof(q.path), "%s", path);
	snprintf(q.link, sizeof(q.link), "%s", link);
	q.kind = ask->kind;
	q.id.kind = ask->id.kind;
	q.id.len = ask->id.len;
	memcpy(q.id.bytes, ask->id.bytes, ask->id.len);
	(void)!send(x->fd, &q, sizeof(q), MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* What it is making ends with it. */
void
indexer_end(struct indexer *x)
{
	if (x->fd < 0)
		return;
	base_close(&x->fd);
	x->fd = -1;
	kill(x->pid, SIGKILL);
	while (waitpid(x->pid, NULL, 0) < 0 && errno == EINTR)
		continue;
}
