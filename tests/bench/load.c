/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load: many clients of the remote protocol in one process, as quick as gdb is
 * slow. Each attaches to one of the ids on standard input, says when all are
 * there, then reads 8 bytes of its stack RATE times a second.
 *
 *	load PORT TOKEN SESSIONS SECONDS RATE
 *
 * Prints "ready", waits for a line, prints figures, waits for a line, ends.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define IDS_MAX 1000
#define SAMPLES_MAX (1u << 22)

struct client {
	int fd;
	char data[65536];
	size_t n;
	unsigned long long sp;
	double next, asked;     /* seconds; asked 0 = nothing is under way */
};

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
die(const char *why)
{
	fprintf(stderr, "load: %s: %s\n", why, strerror(errno));
	exit(1);
}

/* ---- packets ---- */

static void
put(struct client *c, const char *text)
{
	char packet[1024];
	unsigned char sum = 0;

	for (const char *p = text; *p; p++)
		sum = (unsigned char)(sum + (unsigned char)*p);
	int n = snprintf(packet, sizeof(packet), "$%s#%02x", text, sum);
	if (write(c->fd, packet, (size_t)n) != n)
		die("cannot write");
}

/* "0*," is a 0 and as many more as the last byte says, less 29. */
static void
unfold(const char *from, size_t n, char *out, size_t size)
{
	size_t k = 0;

	for (size_t i = 0; i < n && k + 1 < size; i++) {
		if (from[i] != '*' || i + 1 == n || k == 0) {
			out[k++] = from[i];
			continue;
		}
		for (int more = from[++i] - 29; more > 0 && k + 1 < size; more--) {
			out[k] = out[k - 1];
			k++;
		}
	}
	out[k] = '\0';
}

/* The packet that is in @c->data, cut out of it; NULL if it is not whole. */
static char *
cut(struct client *c, char *out, size_t size)
{
	char *start = memchr(c->data, '$', c->n);
	char *end = start ? memchr(start, '#', c->n - (size_t)(start - c->data))
			  : NULL;

	if (!end || end + 3 > c->data + c->n)
		return NULL;
	unfold(start + 1, (size_t)(end - start) - 1, out, size);
	c->n -= (size_t)(end + 3 - c->data);
	memmove(c->data, end + 3, c->n);
	return out;
}

static bool
fill(struct client *c)
{
	ssize_t n = read(c->fd, c->data + c->n, sizeof(c->data) - c->n);

	if (n <= 0)
		return false;
	c->n += (size_t)n;
	return true;
}

static char *
get(struct client *c, char *out, size_t size)
{
	while (!cut(c, out, size)) {
		if (!fill(c))
			die("the server hung up");
	}
	return out;
}

static void
monitor(struct client *c, const char *verb, const char *word)
{
	char text[512], packet[1024] = "qRcmd,", answer[65536];
	int n = snprintf(text, sizeof(text), "%s %s", verb, word);

	for (int k = 0; k < n; k++)
		snprintf(packet + 6 + 2 * k, 3, "%02x", (unsigned char)text[k]);
	put(c, packet);
	/* What it says comes as O…, or as the answer itself. */
	do
		get(c, answer, sizeof(answer));
	while (answer[0] == 'O' && answer[1] != 'K');
}

/* ---- sessions ---- */

static unsigned long long
stack_pointer(const char *stop)
{
	const char *at = strstr(stop, ";07:");
	unsigned long long sp = 0;
	unsigned byte;

	at = at ? at + 4 : strstr(stop, "07:") ? strstr(stop, "07:") + 3 : NULL;
	for (int k = 0; at && k < 8; k++) {
		if (sscanf(at + 2 * k, "%2x", &byte) != 1)
			return 0;
		sp |= (unsigned long long)byte << (8 * k);
	}
	return sp;
}

static void
attach(struct client *c, int port, const char *token, const char *id)
{
	struct sockaddr_in a = {
		.sin_family = AF_INET, .sin_port = htons((unsigned short)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	char answer[65536];
	int on = 1;

	c->fd = socket(AF_INET, SOCK_STREAM, 0);
	if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		die("cannot connect");
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	put(c, "qSupported:multiprocess+;swbreak+;hwbreak+;vContSupported+");
	get(c, answer, sizeof(answer));
	put(c, "QStartNoAckMode");
	get(c, answer, sizeof(answer));
	monitor(c, "auth", token);
	monitor(c, "open", id);
	put(c, "vAttach;1");
	get(c, answer, sizeof(answer));
	c->sp = stack_pointer(answer);
	if (!c->sp) {
		fprintf(stderr, "load: attached to %s: %s\n", id, answer);
		exit(1);
	}
}

/* ---- the measurement ---- */

struct run {
	struct client *clients;
	int n, epoll;
	double every;
	double *samples;
	size_t n_samples, errors;
};

static void
ask_due(struct run *r)
{
	for (int k = 0; k < r->n; k++) {
		struct client *c = &r->clients[k];
		char text[64];
		double t = now();
		if (c->asked != 0 || t < c->next)
			continue;
		snprintf(text, sizeof(text), "m%llx,8",
			 c->sp + 8 * (unsigned)(rand() % 32));
		c->asked = t;
		c->next += r->every;
		put(c, text);
	}
}

static void
take_answer(struct run *r, struct client *c)
{
	char answer[4096];

	if (!fill(c))
		die("the server hung up");
	if (!cut(c, answer, sizeof(answer)))
		return;
	r->errors += strlen(answer) != 16;
	if (r->n_samples < SAMPLES_MAX)
		r->samples[r->n_samples++] = now() - c->asked;
	c->asked = 0;
}

static void
measure(struct run *r, double seconds)
{
	double end = now() + seconds;
	struct epoll_event events[256];

	for (int k = 0; k < r->n; k++)
		r->clients[k].next = now() + r->every * rand() / RAND_MAX;
	while (now() < end) {
		ask_due(r);
		int got = epoll_wait(r->epoll, events, 256, 1);
		for (int k = 0; k < got; k++)
			take_answer(r, events[k].data.ptr);
	}
}

static int
by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void
tell(struct run *r)
{
	size_t n = r->n_samples;

	qsort(r->samples, n, sizeof(*r->samples), by_size);
	printf("%zu %zu %.3f %.3f %.3f\n", n, r->errors,
	       n ? r->samples[n / 2] * 1e3 : 0,
	       n ? r->samples[n * 99 / 100] * 1e3 : 0,
	       n ? r->samples[n - 1] * 1e3 : 0);
}

static void
wait_line(const char *said)
{
	char line[16];

	printf("%s", said);
	fflush(stdout);
	if (!fgets(line, sizeof(line), stdin))
		exit(0);
}

int
main(int argc, char **argv)
{
	static char ids[IDS_MAX][80];
	int n_ids = 0;

	if (argc != 6)
		return 2;
	while (n_ids < IDS_MAX && fgets(ids[n_ids], sizeof(ids[0]), stdin)) {
		ids[n_ids][strcspn(ids[n_ids], "\n")] = '\0';
		if (!*ids[n_ids])
			break;
		n_ids++;
	}
	struct run r = {
		.n = atoi(argv[3]), .every = 1 / atof(argv[5]),
		.epoll = epoll_create1(0),
		.samples = calloc(SAMPLES_MAX, sizeof(double)),
	};
	r.clients = calloc((size_t)r.n, sizeof(*r.clients));
	if (!r.clients || !r.samples || !n_ids)
		return 1;
	for (int k = 0; k < r.n; k++) {
		struct client *c = &r.clients[k];
		struct epoll_event e = { .events = EPOLLIN, .data.ptr = c };
		attach(c, atoi(argv[1]), argv[2], ids[k % n_ids]);
		epoll_ctl(r.epoll, EPOLL_CTL_ADD, c->fd, &e);
	}
	wait_line("ready\n");
	measure(&r, atof(argv[4]));
	tell(&r);
	wait_line("");
	return 0;
}
