/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mutations of a debugger's side that keep packets packets: they are repeated,
 * dropped, moved and spliced whole, their numbers become those that hurt, and
 * their checksums stay right but where a wrong one is meant. Two sessions are
 * crossed at packets.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

#include "tests/unit/make-hosted.h"

#define ITEMS_MAX 1024u
#define PAYLOAD_MAX 4096u
#define STEPS_MAX 4u
#define BEFORE_MAX 65536u

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
	/* Of lldb; then verbs of monitor. */
	"QThreadSuffixSupported", "QListThreadsInStopReply",
	"QEnableErrorStrings", "qHostInfo", "qProcessInfo",
	"qProcessInfoPID:1092", "qfProcessInfo", "qsProcessInfo",
	"qGetWorkingDir", "jThreadsInfo", "qThreadStopInfo1093",
	"qMemoryRegionInfo:1000", "qMemoryRegionInfo:ffffffffffffffff",
	"g;thread:1094;", "p10;thread:1093;",
	"P0=0100000000000000;thread:1092;", "QSaveRegisterState;thread:1093;",
	"QRestoreRegisterState:1;thread:1093;", "_M1000,rx", "_m1000",
	"qFileLoadAddress:2f6c69622f6c6962782e736f2e31",
	"qModuleInfo:2f6c69622f6c6962782e736f2e31;78",
	"jModulesInfo:[{\"file\":\"/lib/libx.so.1\",\"triple\":\"x\"}]]",
	"vCont;s:1093", "vCont;C0b:1093;c", "x1000,20000", "m1000,ffff",
	"qRcmd,68656c70", "qRcmd,696e666f", "qRcmd,776879",
	"qRcmd,7661726961626c6573", "qRcmd,696e6974", "qRcmd,6e6f746573",
	"qRcmd,61747472696275746573", "qRcmd,6f7665726c6179",
	"qRcmd,6f7665726c6179206c697374",
	"qRcmd,6f7665726c61792064697363617264", "qRcmd,64696666",
	"qRcmd,646966662031303120313032", "qRcmd,736e617073686f74",
	"qRcmd,736e617073686f742031", "qRcmd,736e617073686f742032",
	"qRcmd,74687265616473", "qRcmd,6d656d6f72792033303030", "Z2,2000,8",
	"z2,2000,8", "Z4,2000,4", "qSearch:memory:1000;1000;abc",
	"qXfer:osdata:read::0,1000",
	"qXfer:features:read:target.xml:fff,20000",
	/* Of a host: monitor auth sesame, open aaaa1111, attach 101, … */
	"qRcmd,6175746820736573616d65", "qRcmd,6175746820", "vAttach;65",
	"qRcmd,6f70656e206161616131313131", "vAttach;66", "vAttach;67",
	"qXfer:osdata:read:snapshots:0,1000", "D;65", "vKill;66",
	"Hgp65.1093", "Hgp66.1092", "Tp66.1094", "vFile:setfs:66",
	"vFile:open:2f70726f632f3130322f6d617073,0,0",
};

/* Numbers that are an end of something, or one beside it. */
static const char *const NUMBERS[] = {
	"", "0", "1", "-1", "7", "8", "3f", "40", "ff", "fff", "1000", "1001",
	"2ff8", "2fff", "3000", "4000", "5000", "7fff", "8000", "ffff",
	"1fffc", "1ffff", "20000", "20001", "100000", "7fffffff", "80000000",
	"ffffffff", "100000000", "7fffffffffffffff", "8000000000000000",
	"fffffffffffff000", "fffffffffffffff8", "ffffffffffffffff",
	"00000000000000001", "10000000000000000", "p0.0", "p-1.-1", "p1092.-1",
	"1092", "1093", "1094", "65", "66", "67", "zz", " ", "0x10",
};

/* ---- chance: the same for the same seed -------------------------------- */
struct chance {
	uint64_t state;
};

static size_t
chance(struct chance *c, size_t n)
{
	c->state ^= c->state << 13;
	c->state ^= c->state >> 7;
	c->state ^= c->state << 17;
	return n ? (size_t)((c->state >> 11) % n) : 0;
}

/* ---- a session as items: packets, and what is between them ------------- */
struct item {
	const uint8_t *data;    /* of a packet the payload alone */
	size_t n;
	bool packet;
};
struct script {
	uint8_t how;
	struct item item[ITEMS_MAX];
	size_t n;
	struct arena *arena;    /* of payloads that were made */
};

static void
script_add(struct script *s, const uint8_t *data, size_t n, bool packet)
{
	if (s->n < ITEMS_MAX && (n || packet))
		s->item[s->n++] = (struct item){ data, n, packet };
}

static void
script_read(struct script *s, const uint8_t *data, size_t n)
{
	size_t at = 1;

	s->how = data[0];
	s->n = 0;
	while (at < n && s->n + 2 < ITEMS_MAX) {
		const uint8_t *start = memchr(data + at, '$', n - at);
		const uint8_t *end = start ? memchr(start, '#',
					n - (size_t)(start - data)) : NULL;

		if (!end)
			break;
		script_add(s, data + at, (size_t)(start - data) - at, false);
		script_add(s, start + 1, (size_t)(end - start) - 1, true);
		at = (size_t)(end - data) + 1;
		at += n - at < 2 ? n - at : 2;
	}
	script_add(s, data + at, n - at, false);
}

/* Whole items, as many as fit. */
static size_t
script_write(const struct script *s, uint8_t *out, size_t max)
{
	_buf_ struct buf all = { 0 };
	size_t fits = 1;

	buf_putc(&all, (char)s->how);
	for (size_t k = 0; k < s->n && all.len <= max; k++) {
		if (s->item[k].packet)
			served_frame(&all, s->item[k].data, s->item[k].n);
		else
			buf_put(&all, s->item[k].data, s->item[k].n);
		if (all.len <= max)
			fits = all.len;
	}
	memcpy(out, all.data, fits);
	return fits;
}

/* A packet of it, or NULL. */
static struct item *
script_packet(struct script *s, struct chance *c)
{
	for (unsigned tries = 0; s->n && tries < 8; tries++) {
		struct item *i = &s->item[chance(c, s->n)];

		if (i->packet && i->n <= PAYLOAD_MAX)
			return i;
	}
	return NULL;
}

static void
item_set(struct script *s, struct item *i, const struct buf *payload)
{
	const uint8_t *made = arena_dup(s->arena, payload->data, payload->len);

	if (made)
		*i = (struct item){ made, payload->len, true };
}

/* ---- steps: whole items ------------------------------------------------ */
static void
script_insert(struct script *s, size_t at, struct item item)
{
	if (s->n == ITEMS_MAX)
		return;
	memmove(s->item + at + 1, s->item + at,
		(s->n - at) * sizeof(*s->item));
	s->item[at] = item;
	s->n++;
}

static void
step_add(struct script *s, struct chance *c)
{
	const char *word = WORDS[chance(c, countof(WORDS))];

	script_insert(s, chance(c, s->n + 1), (struct item){
		(const uint8_t *)word, strlen(word), true });
}

static void
step_repeat(struct script *s, struct chance *c)
{
	if (s->n)
		script_insert(s, chance(c, s->n + 1),
			      s->item[chance(c, s->n)]);
}

static void
step_drop(struct script *s, struct chance *c)
{
	size_t from = chance(c, s->n), left = s->n - from;
	size_t k = 1 + chance(c, left < 8 ? left : 8);

	if (!s->n)
		return;
	k = k < left ? k : left;
	memmove(s->item + from, s->item + from + k,
		(left - k) * sizeof(*s->item));
	s->n -= k;
}

static void
step_swap(struct script *s, struct chance *c)
{
	struct item *a = script_packet(s, c), *b = script_packet(s, c);

	if (!a || !b)
		return;
	struct item held = *a;
	*a = *b;
	*b = held;
}

/* The first part of one packet, the last of another. */
static void
step_splice(struct script *s, struct chance *c)
{
	struct item *a = script_packet(s, c), *b = script_packet(s, c);
	_buf_ struct buf payload = { 0 };

	if (!a || !b)
		return;
	size_t from = chance(c, b->n + 1);
	buf_put(&payload, a->data, chance(c, a->n + 1));
	buf_put(&payload, b->data + from, b->n - from);
	item_set(s, a, &payload);
}

/* ---- steps: inside of a packet ----------------------------------------- */
static bool
is_digit(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

/* Start of the @k-th run of hex digits, which is *@n long; @i->n: no more. */
static size_t
number_at(const struct item *i, size_t k, size_t *n)
{
	size_t at = 0;

	for (;;) {
		while (at < i->n && !is_digit(i->data[at]))
			at++;
		for (*n = 0; at + *n < i->n && is_digit(i->data[at + *n]);)
			++*n;
		if (at == i->n || k-- == 0)
			return at;
		at += *n;
	}
}

/* One beside the number that is there, twice it, half of it. */
static void
put_beside(const char *text, size_t n, struct chance *c, struct buf *out)
{
	static const int64_t steps[] = { 1, -1, 8, -8, 0x1000, -0x1000 };
	uint64_t value = 0;

	if (!hex_u64(text, n, &value)) {
		buf_put(out, text, n);
		return;
	}
	switch (chance(c, 4)) {
	case 0:
		value *= 2;
		break;
	case 1:
		value /= 2;
		break;
	default:
		value += (uint64_t)steps[chance(c, countof(steps))];
	}
	buf_printf(out, "%" PRIx64, value);
}

static void
step_number(struct script *s, struct chance *c)
{
	struct item *i = script_packet(s, c), *other = script_packet(s, c);
	_buf_ struct buf payload = { 0 };
	size_t n, m;

	if (!i || !other)
		return;
	size_t at = number_at(i, chance(c, 4), &n);
	if (at == i->n)
		at = number_at(i, 0, &n);
	buf_put(&payload, i->data, at);
	switch (chance(c, 3)) {
	case 0:
		buf_puts(&payload, NUMBERS[chance(c, countof(NUMBERS))]);
		break;
	case 1: {
		size_t from = number_at(other, chance(c, 4), &m);
		buf_put(&payload, other->data + from, m);
		break;
	}
	default:
		put_beside((const char *)i->data + at, n, c, &payload);
	}
	buf_put(&payload, i->data + at + n, i->n - at - n);
	item_set(s, i, &payload);
}

static void
step_cut(struct script *s, struct chance *c)
{
	struct item *i = script_packet(s, c);

	if (i)
		i->n = chance(c, i->n + 1);
}

static void
step_bytes(struct script *s, struct chance *c)
{
	struct item *i = script_packet(s, c);
	uint8_t work[PAYLOAD_MAX + 64];
	_buf_ struct buf payload = { 0 };

	if (!i)
		return;
	memcpy(work, i->data, i->n);
	buf_put(&payload, work, LLVMFuzzerMutate(work, i->n, sizeof(work)));
	item_set(s, i, &payload);
}

/* Characters that mean something to the framing. */
static void
step_special(struct script *s, struct chance *c)
{
	static const char special[] = "}*#$:;,.-+\x03";
	struct item *i = script_packet(s, c);
	_buf_ struct buf payload = { 0 };

	if (!i)
		return;
	size_t at = chance(c, i->n + 1);
	buf_put(&payload, i->data, at);
	buf_putc(&payload, special[chance(c, sizeof(special) - 1)]);
	buf_put(&payload, i->data + at, i->n - at);
	item_set(s, i, &payload);
}

/* What comes between packets, or ends one wrongly. */
static void
step_noise(struct script *s, struct chance *c)
{
	static const char *const noise[] = {
		"+", "-", "--", "---", "----", "\x03", "$", "#00", "$#00", "$m",
		"$qC#00", "+++", "$m0,1#", "\xff", "$X0,4:}#",
	};
	const char *text = noise[chance(c, countof(noise))];

	script_insert(s, chance(c, s->n + 1), (struct item){
		(const uint8_t *)text, strlen(text), false });
}

static void
step_how(struct script *s, struct chance *c)
{
	s->how ^= (uint8_t)(1u << chance(c, 8));
}

/* The input before this one, for its last packets. */
static struct {
	uint8_t data[BEFORE_MAX];
	size_t n;
} before;

static void
step_cross(struct script *s, struct chance *c)
{
	static struct script other;

	if (!before.n)
		return;
	script_read(&other, before.data, before.n);
	s->n = chance(c, s->n + 1);
	for (size_t k = chance(c, other.n + 1); k < other.n; k++)
		script_add(s, other.item[k].data, other.item[k].n,
			   other.item[k].packet);
}

static void (*const STEPS[])(struct script *s, struct chance *c) = {
	step_number, step_number, step_number, step_number, step_add, step_add,
	step_repeat, step_drop, step_swap, step_splice, step_bytes, step_bytes,
	step_cut, step_special, step_noise, step_how, step_cross,
};

/* ---- what libFuzzer calls ---------------------------------------------- */
size_t
LLVMFuzzerCustomMutator(uint8_t *data, size_t n, size_t max, unsigned seed)
{
	static struct script s;
	struct chance c = { seed * 0x9e3779b97f4a7c15u + 1 };
	_arena_ struct arena *a = arena_new(0);

	if (n == 0 || !a || chance(&c, 20) == 0)
		return LLVMFuzzerMutate(data, n, max);
	script_read(&s, data, n);
	s.arena = a;
	for (size_t k = 1 + chance(&c, STEPS_MAX); k; k--)
		STEPS[chance(&c, countof(STEPS))](&s, &c);
	_buf_ struct buf own = { 0 };
	buf_put(&own, data, n);
	n = script_write(&s, data, max);
	before.n = own.len < BEFORE_MAX ? own.len : 0;
	memcpy(before.data, own.data, before.n);
	return n;
}
