/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hostile bytes from a debugger's side: a session over a small process, or one
 * that may open two, fed in pieces. The first byte says how: bit 0 no-ack mode
 * (checksums say nothing), bit 1 small packets, bit 2 lldb's dialect, bits 3-6
 * the size of a piece, bit 7 a host that wants a token, whose
 * snapshots are one series where packets are small. rsp-mutate.c keeps
 * packets packets.
 *
 * What counts is packets: their number is said at the end, and FUZZ_PACKETS of
 * the environment is how many are enough.
 */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/make-hosted.h"

/* What lldb is told of all threads at once has no other bound. */
#define LARGE_MAX (4u << 20)

/* ---- counting ---------------------------------------------------------- */
static struct {
	unsigned long long packets, inputs, enough;
	bool told;
} count;

static void
count_tell(void)
{
	if (!count.told)
		fprintf(stderr, "\nstat::number_of_packets: %llu\n",
			count.packets);
	count.told = true;
}

static void
count_start(void)
{
	const char *enough = getenv("FUZZ_PACKETS");

	count.enough = enough ? strtoull(enough, NULL, 10) : 0;
	atexit(count_tell);
}

/* libFuzzer knows no end but by inputs, or by time. */
static void
count_input(const uint8_t *data, size_t n)
{
	if (!count.inputs++)
		count_start();
	for (size_t k = 1; k < n; k++)
		count.packets += data[k] == '#';
	if (!count.enough || count.packets < count.enough)
		return;
	fprintf(stderr, "stat::number_of_executed_units: %llu\n",
		count.inputs);
	count_tell();
	_exit(0);
}

/* ---- one session ------------------------------------------------------- */

static void
must(struct err *err)
{
	if (err)
		abort();
}

static size_t
reply_max(const struct buf *reply, size_t packet_size)
{
	return reply->len && strchr("T[{", reply->data[0]) ? LARGE_MAX
							     : packet_size;
}

/* What went out must be packets, each of at most the size told. */
static void
check_output(struct served *s, size_t packet_size)
{
	struct span out = { s->out.data, s->out.len };

	while (out.n) {
		const char *p = out.data;

		if (*p == '+' || *p == '-') {
			out = (struct span){ p + 1, out.n - 1 };
			continue;
		}
		if (!served_decode(&out, &s->reply)
		    || s->reply.len > reply_max(&s->reply, packet_size))
			abort();
	}
}

static void
feed(struct served *s, const uint8_t *data, size_t n, size_t piece,
     size_t packet_size)
{
	for (size_t at = 0; at < n; at += piece) {
		must(served_send(s, data + at,
				 n - at < piece ? n - at : piece));
		check_output(s, packet_size);
		stub_ahead(s->stub);
	}
}

static void
ask(struct served *s, const char *packet)
{
	if (!served_ask(s, packet))
		abort();
}

/* Whatever came, the next question is answered. */
static void
check_alive(struct served *s)
{
	must(served_send(s, "#00", 3));         /* ends what was begun */
	do
		must(served_send(s, "+", 1));   /* takes what still waits */
	while (s->out.len);
	if (!stub_done(s->stub))
		ask(s, "qC");
}

static void
play(struct served *s, const uint8_t *data, size_t n, size_t packet_size)
{
	uint8_t how = data[0], piece = how >> 3 & 15;

	ask(s, how & 4 ? "qSupported:multiprocess+"
		       : "qSupported:multiprocess+;vContSupported+");
	if (how & 1)
		ask(s, "QStartNoAckMode");
	feed(s, data + 1, n - 1, piece ? 16u * piece : 4096, packet_size);
	check_alive(s);
}

static void
play_served(const uint8_t *data, size_t n, struct stub_options options)
{
	struct served s;

	served_init(&s);
	options.title = "fuzzed";
	must(served_open(&s, &options));
	play(&s, data, n, options.packet_size);
	served_close(&s);
}

static void
play_hosted(const uint8_t *data, size_t n, struct stub_options options)
{
	struct hosted h;

	hosted_init(&h);
	if (data[0] & 2)
		hosted_make_series(&h);
	options.host = &h.host;
	must(stub_new(NULL, &options, &h.session.stub));
	play(&h.session, data, n, options.packet_size);
	hosted_close(&h);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct stub_options options = { 0 };

	if (n == 0)
		return 0;
	count_input(data, n);
	options.packet_size = data[0] & 2 ? 8192 : 16384;
	if (data[0] & 0x80)
		play_hosted(data, n, options);
	else
		play_served(data, n, options);
	return 0;
}
