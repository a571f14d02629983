/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reads: a plain client of the remote protocol that reads memory as quickly as
 * the other end answers; for rsp.py.
 *
 *	reads PORT x|m|small|burst SECONDS START LENGTH
 *
 * x and m read [START, START+LENGTH) once, in pieces as large as the other end
 * says that it takes. small reads 8 bytes, again and again for SECONDS, here and
 * there in what is as large as a stack, then in the next; burst does so with 16
 * requests under way at once, the others with one.
 * Run lengths, escapes and digits are undone. Prints a line: bytes, packets,
 * seconds, and a sum over the bytes that tells whether two saw the same.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define ROOM (4u << 20)
#define SMALL 8u
#define BURST 16u
/* So many small reads within so many bytes. */
#define NEAR 4096u
#define NEAR_BYTES (32u << 10)

struct client {
	int fd;
	bool no_ack;
	unsigned char wire[ROOM];       /* what came */
	size_t n;
	unsigned char reply[ROOM];      /* the last one, run lengths undone */
	size_t length, packet_size;
	unsigned long long packets;
};

static void
die(const char *why)
{
	fprintf(stderr, "reads: %s: %s\n", why, strerror(errno));
	exit(1);
}

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- packets ---- */

static void
put(struct client *c, const char *text)
{
	char packet[256];
	unsigned char sum = 0;

	for (const char *p = text; *p; p++)
		sum = (unsigned char)(sum + (unsigned char)*p);
	int n = snprintf(packet, sizeof(packet), "$%s#%02x", text, sum);
	if (send(c->fd, packet, (size_t)n, MSG_NOSIGNAL) != n)
		die("cannot send");
}

/** Position behind the first whole packet in @c->wire; 0: not there yet. */
static size_t
whole(const struct client *c)
{
	const unsigned char *end = memchr(c->wire, '#', c->n);

	return end && c->n >= (size_t)(end - c->wire) + 3
	       ? (size_t)(end - c->wire) + 3 : 0;
}

static void
undo_runs(struct client *c, const unsigned char *p, const unsigned char *end)
{
	size_t n = 0;

	while (p < end) {
		const unsigned char *star = memchr(p, '*', (size_t)(end - p));
		size_t plain = (size_t)((star ? star : end) - p);

		if (plain > ROOM - 200 - n)
			die("an answer is too long");
		memcpy(c->reply + n, p, plain);
		n += plain;
		p += plain;
		if (!star)
			break;
		size_t run = (size_t)(star[1] - 29);
		memset(c->reply + n, c->reply[n - 1], run);
		n += run;
		p += 2;
	}
	c->length = n;
}

static void
get(struct client *c)
{
	size_t end;

	c->n = 0;
	while ((end = whole(c)) == 0) {
		ssize_t n = recv(c->fd, c->wire + c->n, ROOM - c->n, 0);

		if (n <= 0)
			die("the other end has gone");
		c->n += (size_t)n;
	}
	const unsigned char *start = memchr(c->wire, '$', end);
	if (!start)
		die("no packet came");
	undo_runs(c, start + 1, c->wire + end - 3);
	if (!c->no_ack && send(c->fd, "+", 1, MSG_NOSIGNAL) != 1)
		die("cannot acknowledge");
	c->packets++;
}

static void
ask(struct client *c, const char *text)
{
	put(c, text);
	get(c);
	c->reply[c->length] = '\0';
}

/* ---- what an answer holds ---- */

static size_t
unescape(unsigned char *data, size_t n)
{
	unsigned char *out = data, *p = data, *end = data + n;

	while (p < end) {
		unsigned char *at = memchr(p, '}', (size_t)(end - p));
		size_t plain = (size_t)((at ? at : end) - p);

		memmove(out, p, plain);
		out += plain;
		p += plain;
		if (!at || at + 1 == end)
			break;
		*out++ = (unsigned char)(p[1] ^ 0x20);
		p += 2;
	}
	return (size_t)(out - data);
}

static size_t
undo_digits(unsigned char *data, size_t n)
{
	static unsigned char value[1u << 16];   /* by two digits */
	uint16_t pair;

	for (unsigned k = value[0x6666] ? 256 : 0; k < 256; k++) {
		char text[3];

		snprintf(text, sizeof(text), "%02x", k);
		memcpy(&pair, text, sizeof(pair));
		value[pair] = (unsigned char)k;
	}
	for (size_t k = 0; k < n / 2; k++) {
		memcpy(&pair, data + 2 * k, sizeof(pair));
		data[k] = value[pair];
	}
	return n / 2;
}

static uint64_t
sum_of(const unsigned char *data, size_t n, uint64_t sum)
{
	for (size_t k = 0; k + 8 <= n; k += 8) {
		uint64_t word;

		memcpy(&word, data + k, sizeof(word));
		sum = (sum ^ word) * 0x9e3779b97f4a7c15u;
		sum ^= sum >> 29;
	}
	return sum;
}

/* ---- the three ways ---- */

struct reading {
	char how;               /* x or m */
	unsigned long long start, length;
	size_t piece;
	unsigned long long got;
	uint64_t sum;
};

static size_t
read_piece(struct client *c, struct reading *r, unsigned long long at,
	   size_t n)
{
	char text[64];
	unsigned char *data = c->reply;

	snprintf(text, sizeof(text), "%c%llx,%zx", r->how, at, n);
	put(c, text);
	get(c);
	if (c->length < 4 && c->reply[0] == 'E') {
		c->reply[c->length] = '\0';
		fprintf(stderr, "reads: %s: %s\n", text, (char *)c->reply);
		exit(1);
	}
	size_t got = r->how == 'x' ? unescape(data, c->length)
				   : undo_digits(data, c->length);
	if (got == 0 || got > n)
		die("an answer has another length than was asked for");
	return got;
}

static void
read_all(struct client *c, struct reading *r)
{
	unsigned long long end = r->start + r->length;

	for (unsigned long long at = r->start; at < end;) {
		size_t n = end - at < r->piece ? (size_t)(end - at) : r->piece;

		/* Whole words, so that all sum up in the same steps. */
		size_t got = read_piece(c, r, at, n);
		if (got > 8)
			got &= ~(size_t)7;
		r->sum = sum_of(c->reply, got, r->sum);
		r->got += got;
		at += got;
	}
}

/** The next place of a small read; @n were before it. */
static unsigned long long
near(const struct reading *r, unsigned long long n)
{
	static uint64_t at = 1;
	unsigned long long base = n / NEAR * NEAR_BYTES % r->length;

	at = at * 6364136223846793005u + 1442695040888963407u;
	base += (at >> 33) % (NEAR_BYTES / SMALL) * SMALL;
	return r->start + base % (r->length - SMALL);
}

static void
read_small(struct client *c, struct reading *r, double seconds)
{
	double until = now() + seconds;

	do {
		for (unsigned k = 0; k < 100; k++)
			r->got += read_piece(c, r, near(r, c->packets), SMALL);
	} while (now() < until);
}

/** Read until @n answers have come whole; those of 8 bytes have no runs of '#'. */
static void
get_many(struct client *c, unsigned n)
{
	unsigned whole_ones = 0;
	size_t looked = 0;

	c->n = 0;
	while (whole_ones < n || c->n < looked + 2) {
		ssize_t k = recv(c->fd, c->wire + c->n, ROOM - c->n, 0);

		if (k <= 0)
			die("the other end has gone");
		c->n += (size_t)k;
		for (unsigned char *p; (p = memchr(c->wire + looked, '#',
						   c->n - looked));) {
			looked = (size_t)(p - c->wire) + 1;
			whole_ones++;
		}
	}
	c->packets += n;
}

static void
read_bursts(struct client *c, struct reading *r, double seconds)
{
	double until = now() + seconds;
	char packets[BURST * 40];

	while (now() < until) {
		size_t n = 0;

		for (unsigned k = 0; k < BURST; k++) {
			unsigned char sum = 0;
			size_t from = n;

			n += (size_t)snprintf(packets + n, 40, "$m%llx,8",
					      near(r, c->packets + k));
			while (++from < n)
				sum = (unsigned char)(sum + (unsigned char)
						      packets[from]);
			n += (size_t)snprintf(packets + n, 40, "#%02x", sum);
		}
		if (send(c->fd, packets, n, MSG_NOSIGNAL) != (ssize_t)n)
			die("cannot send");
		get_many(c, BURST);
		r->got += (size_t)BURST * SMALL;
	}
}

static void
begin(struct client *c, unsigned port)
{
	struct sockaddr_in a = {
		.sin_family = AF_INET, .sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int on = 1;

	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		die("cannot connect");
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	/* As lldb: the mode first, what is supported then. */
	put(c, "QStartNoAckMode");
	get(c);
	c->no_ack = true;
	ask(c, "qSupported:xmlRegisters=i386;multiprocess+");
	const char *size = strstr((char *)c->reply, "PacketSize=");
	c->packet_size = size ? strtoul(size + 11, NULL, 16) : 4096;
	if (c->packet_size > ROOM / 4)
		c->packet_size = ROOM / 4;
	ask(c, "?");
}

int
main(int argc, char **argv)
{
	static struct client c;
	struct reading r = { .how = 'm' };

	if (argc != 6)
		return 2;
	bool small = strcmp(argv[2], "small") == 0;
	bool burst = strcmp(argv[2], "burst") == 0;
	r.start = strtoull(argv[4], NULL, 16);
	r.length = strtoull(argv[5], NULL, 16);
	begin(&c, (unsigned)atoi(argv[1]));
	if (!small && !burst)
		r.how = argv[2][0];
	ask(&c, "x0,0");
	/* lldb-server takes its own answer's room for more than it is. */
	r.piece = r.how == 'x' ? c.packet_size - 1 : (c.packet_size - 5) / 2;
	c.packets = 0;
	double began = now();
	if (small)
		read_small(&c, &r, atof(argv[3]));
	else if (burst)
		read_bursts(&c, &r, atof(argv[3]));
	else
		read_all(&c, &r);
	double took = now() - began;
	printf("%llu %llu %.6f %016llx\n", r.got, c.packets, took,
	       (unsigned long long)r.sum);
	return 0;
}
