/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hostile bytes from a debugger's side: a session over a small process, or one
 * that may open two, fed in pieces. The first byte says how: bit 0 no-ack mode
 * (checksums say nothing), bit 1 small packets, bit 2 lldb's dialect, bits 3-6
 * the size of a piece, bit 7 a host that wants a token.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/make-hosted.h"

#define REPLY_MAX (64u << 20)

static void
must(struct err *err)
{
	if (err)
		abort();
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
		    || s->reply.len > packet_size)
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
	options.packet_size = data[0] & 2 ? 8192 : 16384;
	if (data[0] & 0x80)
		play_hosted(data, n, options);
	else
		play_served(data, n, options);
	return 0;
}

/* ---- mutations that keep packets packets ------------------------------- */
size_t LLVMFuzzerMutate(uint8_t *data, size_t n, size_t max)
	__attribute__((weak));
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t n, size_t max,
			       unsigned seed);

static const char *const WORDS[] = {
	"m1000,40", "m2ff0,20", "M2000,4:deadbeef", "X2000,3:}\x03", "x0,0",
	"x1000,800", "g", "G", "p10", "P10=0010000000000000",
	"P7=f02f000000000000", "Hgp1092.1094", "Hc-1", "Tp1092.1092", "?", "!",
	"qC", "qfThreadInfo", "qsThreadInfo", "qThreadExtraInfo,1093",
	"qGetTLSAddr:p1092.1093,10,1800",
	"Z0,1000,1", "z0,1000,1", "vCont;c:p1092.-1", "vCont;s:p1092.1093;c",
	"bc", "bs", "vCont?", "c", "s", "D;1092", "k", "vKill;1092",
	"vAttach;1092", "vRun;", "qAttached:1092", "qSymbol::",
	"qRcmd,6d697373696e67", "qRcmd,6d656d6f72792031303030",
	"qRcmd,6d6f64756c6573", "qXfer:features:read:target.xml:0,1000",
	"qXfer:threads:read::0,1000", "qXfer:auxv:read::0,1000",
	"qXfer:siginfo:read::0,80", "qXfer:osdata:read:threads:0,1000",
	"qXfer:libraries-svr4:read::0,1000", "qXfer:exec-file:read::0,100",
	"vFile:setfs:1092", "vFile:open:2f6c69622f6c6962782e736f2e31,0,0",
	"vFile:open:2f70726f632f343234322f7461736b2f343234332f6d617073,0,0",
	"vFile:open:2f6c69622f2e6275696c642d69642f62622f6262,0,0",
	"vFile:pread:0,4000,0", "vFile:fstat:0", "vFile:close:0",
	"vFile:readlink:2f70726f632f343234322f657865", "vFile:unlink:61",
	"QStartNoAckMode", "qSupported:vContSupported+;error-message+",
	"\x03", "-", "+",
	/* Of a host: monitor auth sesame, open aaaa1111, attach 101, … */
	"qRcmd,6175746820736573616d65", "qRcmd,6175746820", "vAttach;65",
	"qRcmd,6f70656e206161616131313131", "vAttach;66", "vAttach;67",
	"qXfer:osdata:read:snapshots:0,1000", "D;65", "vKill;66",
	"Hgp65.1093", "Hgp66.1092", "Tp66.1094", "vFile:setfs:66",
	"vFile:open:2f70726f632f3130322f6d617073,0,0",
};

/** Start of the @k-th packet's payload and its length; 0 behind the last. */
static size_t
find_packet(const uint8_t *data, size_t n, size_t k, size_t *length)
{
	for (size_t i = 1; i < n; i++) {
		const uint8_t *end;

		if (data[i] != '$')
			continue;
		end = memchr(data + i, '#', n - i);
		if (!end)
			return 0;
		if (k-- == 0) {
			*length = (size_t)(end - (data + i)) - 1;
			return i + 1;
		}
		i = (size_t)(end - data);
	}
	return 0;
}

/** Put "$payload#sum" over [at, at+old) of @data. */
static size_t
splice(uint8_t *data, size_t n, size_t max, size_t at, size_t old,
       const struct buf *payload)
{
	_buf_ struct buf framed = { 0 };

	served_frame(&framed, payload->data, payload->len);
	if (framed.failed || n - old + framed.len > max)
		return n;
	memmove(data + at + framed.len, data + at + old, n - at - old);
	memcpy(data + at, framed.data, framed.len);
	return n - old + framed.len;
}

static size_t
mutate_payload(uint8_t *data, size_t n, size_t max, unsigned seed)
{
	uint8_t work[512];
	size_t length = 0, at = find_packet(data, n, seed % 7, &length);
	_buf_ struct buf payload = { 0 };

	if (at == 0 || length > sizeof(work) / 2)
		return LLVMFuzzerMutate(data, n, max);
	memcpy(work, data + at, length);
	buf_put(&payload, work, LLVMFuzzerMutate(work, length, sizeof(work)));
	size_t old = length + 4 <= n - at + 1 ? length + 4 : n - at + 1;
	return splice(data, n, max, at - 1, old, &payload);
}

static size_t
add_packet(uint8_t *data, size_t n, size_t max, unsigned seed)
{
	const char *word = WORDS[seed % countof(WORDS)];
	_buf_ struct buf payload = { 0 };

	buf_puts(&payload, word);
	return splice(data, n, max, n, 0, &payload);
}

size_t
LLVMFuzzerCustomMutator(uint8_t *data, size_t n, size_t max, unsigned seed)
{
	unsigned choice = seed % 10;

	if (n == 0 || choice < 3)
		return LLVMFuzzerMutate(data, n, max);
	return choice < 7 ? mutate_payload(data, n, max, seed / 10)
			  : add_packet(data, n, max, seed / 10);
}
