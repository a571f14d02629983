/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mutations of a client's side of the Debug Adapter Protocol that keep messages
 * messages: lines are repeated, dropped, moved and spliced whole, values inside
 * of them become others of the session or such as hurt, and numbers of frames,
 * threads and variables those that a session gives out. Two sessions are
 * crossed at messages.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

#include "base/base.h"

#define LINES_MAX 512u
#define LINE_MAX 65536u
#define STEPS_MAX 4u
#define BEFORE_MAX 65536u
#define INDEX_MAX 16384u        /* bytes */

size_t LLVMFuzzerMutate(uint8_t *data, size_t n, size_t max)
	__attribute__((weak));
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t n, size_t max,
			       unsigned seed);

#define ASK(command, arguments) \
	"{\"seq\":5,\"type\":\"request\",\"command\":\"" command \
	"\",\"arguments\":{" arguments "}}"
static const char *const MESSAGES[] = {
	ASK("initialize", "\"adapterID\":\"x\""), ASK("attach", ""),
	ASK("attach", "\"snapshot\":\"bbbb\",\"thread\":4242,"
	    "\"sourceMap\":[[\"/a\",\"/b\"]]"),
	ASK("configurationDone", ""), ASK("disconnect", ""),
	ASK("cancel", "\"requestId\":5"), ASK("launch", ""),
	ASK("setBreakpoints", "\"source\":{\"path\":\"a\"},"
	    "\"breakpoints\":[{\"line\":1}]"),
	ASK("setExceptionBreakpoints", "\"filters\":[\"a\"]"),
	ASK("threads", ""), ASK("stackTrace", "\"threadId\":4243"),
	ASK("stackTrace", "\"threadId\":4242,\"startFrame\":1,\"levels\":2"),
	ASK("scopes", "\"frameId\":1"), ASK("scopes", "\"frameId\":2"),
	ASK("variables", "\"variablesReference\":1073741824"),
	ASK("variables", "\"variablesReference\":1073741825,\"start\":1,\"count\":3"),
	ASK("variables", "\"variablesReference\":1073741826,\"filter\":\"indexed\","
	    "\"format\":{\"hex\":true}"),
	ASK("exceptionInfo", "\"threadId\":4243"),
	ASK("evaluate", "\"expression\":\"$rip\",\"frameId\":1,"
	    "\"context\":\"watch\""),
	ASK("evaluate", "\"expression\":\"*(char(*)[300])$sp\","
	    "\"frameId\":1,\"context\":\"clipboard\""),
	ASK("evaluate", "\"expression\":\"list[2].u\",\"frameId\":1,"
	    "\"context\":\"hover\",\"format\":{\"hex\":true}"),
	ASK("evaluate", "\"expression\":\"info threads\","
	    "\"context\":\"repl\""),
	ASK("setVariable", "\"variablesReference\":1073741824,\"name\":\"a\","
	    "\"value\":\"7\""),
	ASK("setExpression", "\"expression\":\"$rax\",\"value\":\"1\","
	    "\"frameId\":1"),
	ASK("setExpression", "\"expression\":\"*(int*)$sp\","
	    "\"value\":\"-1\",\"frameId\":1"),
	ASK("readMemory", "\"memoryReference\":\"0x7ff000\",\"count\":64"),
	ASK("readMemory", "\"memoryReference\":\"0x2ff0\",\"offset\":-8,"
	    "\"count\":4096"),
	ASK("writeMemory", "\"memoryReference\":\"0x7ff000\","
	    "\"data\":\"AAECAw==\",\"allowPartial\":true"),
	ASK("disassemble", "\"memoryReference\":\"0x400010\","
	    "\"instructionOffset\":-4,\"instructionCount\":12,"
	    "\"resolveSymbols\":true"),
	ASK("modules", "\"startModule\":1,\"moduleCount\":2"),
	ASK("loadedSources", ""), ASK("source", "\"sourceReference\":1"),
	ASK("source", "\"source\":{\"path\":\"/etc/passwd\"},"
	    "\"sourceReference\":0"),
	ASK("locations", "\"locationReference\":1"),
	ASK("completions", "\"text\":\"li\",\"column\":3,\"frameId\":1"),
	ASK("next", "\"threadId\":4243"), ASK("continue", "\"threadId\":4243"),
	ASK("stepBack", "\"threadId\":4243"),
	ASK("reverseContinue", "\"threadId\":4242"),
	ASK("pause", "\"threadId\":4243"),
	ASK("inquest/overview", ""), ASK("inquest/notes", ""),
	ASK("inquest/annotations", ""), ASK("inquest/attributes", ""),
	ASK("inquest/threadGroups", ""), ASK("inquest/maps", "\"count\":3"),
	ASK("inquest/describeAddress", "\"address\":\"0x7ff010\""),
	ASK("inquest/search", "\"text\":\"na\""),
	ASK("inquest/search", "\"bytes\":\"e800\",\"start\":\"0x400000\","
	    "\"count\":5"),
	ASK("inquest/kernelStack", "\"threadId\":4243"),
	ASK("inquest/fds", ""), ASK("inquest/environment", ""),
	ASK("inquest/series", ""), ASK("inquest/diff", "\"snapshot\":\"bbbb\""),
	ASK("inquest/link", "\"threadId\":4243,\"frame\":0,\"path\":\"a.b\""),
	ASK("inquest/export", "\"format\":\"markdown\""),
	"{\"seq\":0,\"type\":\"request\",\"command\":\"threads\"}",
	"{\"seq\":1,\"type\":\"event\",\"event\":\"x\"}",
	"{\"seq\":1,\"type\":\"response\",\"request_seq\":1}",
	"{", "[]", "null", "\"\"", "{\"seq\":1e400}", "{\"seq\":1,\"seq\":2}",
	"{\"seq\":\"1\",\"type\":\"request\",\"command\":\"threads\"}",
};

/* Values that are an end of something, or of the wrong kind. */
static const char *const VALUES[] = {
	"0", "1", "2", "3", "4", "5", "7", "10", "100", "499", "500", "501",
	"1000", "4095", "4096", "4097", "10000", "10001", "-1", "-4", "-4096",
	"65536", "1048576", "1048577", "2147483647", "2147483648",
	"4294967296", "9007199254740993", "9223372036854775807",
	"1073741824", "1073741825", "1073741826", "1073741827", "1073741828",
	"1073741832", "1073741833", "1073741840",
	"-9223372036854775808", "18446744073709551615", "1e3", "1.5", "1e308",
	"-0", "4242", "4243", "4244", "true", "false", "null", "[]", "{}",
	"\"\"", "\"a\"", "\"0\"", "\"0x0\"", "\"0x7ff000\"", "\"0x7fffff\"",
	"\"0x400000\"", "\"0x40fff8\"", "\"0x2ff8\"", "\"0x3000\"",
	"\"0x5000\"", "\"0xffffffffffffffff\"", "\"0xfffffffffffff000\"",
	"\"0x10000000000000000\"", "\"-1\"", "\"0x\"", "\"\\u0000\"",
	"\"\\ud800\"", "\"\\ud83d\\ude00 x\"", "\"\\u001b[2J\"", "\"{text}\"",
	"\"../../etc/passwd\"", "\"aaaa\"", "\"bbbb\"", "\"cccc\"",
	"\"$rip\"", "\"$sp\"", "\"*argv\"", "\"list\"", "\"list[2]\"",
	"\"&list[1000000]\"", "\"a\"", "\"b\"", "\"s\"", "\"vs\"", "\"m\"",
	"\"/x $rax\"", "\"1/0\"", "\"((((((((1))))))))\"",
	"\"sizeof(struct node)\"", "\"indexed\"", "\"named\"", "\"hover\"",
	"\"watch\"", "\"clipboard\"", "\"variables\"", "\"repl\"",
	"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]",
	"{\"a\":{\"a\":{\"a\":1}}}", "[1,2,3]", "[[\"/\",\"/x\"]]",
	"{\"hex\":true}", "{\"path\":\"/etc/passwd\",\"sourceReference\":1}",
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

/* ---- a session as lines -------------------------------------------------- */
struct line {
	const char *text;
	size_t n;
};
struct script {
	uint8_t how;
	struct line line[LINES_MAX];
	size_t n;
	struct arena *arena;    /* of lines that were made */
};

static void
script_read(struct script *s, const uint8_t *data, size_t n)
{
	const char *text = (const char *)data + 1, *all = text + n - 1;

	s->how = data[0];
	s->n = 0;
	while (text < all && s->n < LINES_MAX) {
		const char *end = memchr(text, '\n', (size_t)(all - text));

		end = end ? end : all;
		if (end > text)
			s->line[s->n++] = (struct line){
				text, (size_t)(end - text) };
		text = end + 1;
	}
}

/* Whole lines, as many as fit. */
static size_t
script_write(const struct script *s, uint8_t *out, size_t max)
{
	_buf_ struct buf all = { 0 };
	size_t fits = 1;

	buf_putc(&all, (char)s->how);
	for (size_t k = 0; k < s->n && all.len <= max; k++) {
		buf_put(&all, s->line[k].text, s->line[k].n);
		buf_putc(&all, '\n');
		if (all.len <= max)
			fits = all.len;
	}
	memcpy(out, all.data, fits);
	return fits;
}

static struct line *
script_line(struct script *s, struct chance *c)
{
	struct line *l = s->n ? &s->line[chance(c, s->n)] : NULL;

	return l && l->n <= LINE_MAX ? l : NULL;
}

static void
line_set(struct script *s, struct line *l, const struct buf *text)
{
	const char *made = arena_dup(s->arena, text->data, text->len);

	if (made)
		*l = (struct line){ made, text->len };
}

static void
script_insert(struct script *s, size_t at, struct line line)
{
	if (s->n == LINES_MAX)
		return;
	memmove(s->line + at + 1, s->line + at,
		(s->n - at) * sizeof(*s->line));
	s->line[at] = line;
	s->n++;
}

/* ---- steps: whole messages ----------------------------------------------- */
static void
step_add(struct script *s, struct chance *c)
{
	const char *text = MESSAGES[chance(c, countof(MESSAGES))];

	script_insert(s, chance(c, s->n + 1),
		      (struct line){ text, strlen(text) });
}

/* A byte of the index: see fuzz-dap.c. */
static void
step_patch(struct script *s, struct chance *c)
{
	_buf_ struct buf text = { 0 };
	struct line l = { NULL, 0 };

	buf_printf(&text, "!%zu %zu", chance(c, INDEX_MAX), chance(c, 256));
	line_set(s, &l, &text);
	if (l.text)
		script_insert(s, 0, l);
}

static void
step_repeat(struct script *s, struct chance *c)
{
	if (s->n)
		script_insert(s, chance(c, s->n + 1),
			      s->line[chance(c, s->n)]);
}

static void
step_drop(struct script *s, struct chance *c)
{
	size_t from = chance(c, s->n), left = s->n - from;
	size_t k = 1 + chance(c, left < 4 ? left : 4);

	if (!s->n)
		return;
	k = k < left ? k : left;
	memmove(s->line + from, s->line + from + k,
		(left - k) * sizeof(*s->line));
	s->n -= k;
}

static void
step_swap(struct script *s, struct chance *c)
{
	struct line *a = script_line(s, c), *b = script_line(s, c);

	if (!a || !b)
		return;
	struct line held = *a;
	*a = *b;
	*b = held;
}

/* The input before this one, for its last messages. */
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
		script_insert(s, s->n, other.line[k]);
}

static void
step_how(struct script *s, struct chance *c)
{
	s->how ^= (uint8_t)(1u << chance(c, 7));
}

/* ---- steps: inside of a message ------------------------------------------- */
/* Behind the value that starts at @at: a string, a group, or a word. */
static size_t
value_end(const struct line *l, size_t at)
{
	size_t depth = 0;
	bool quoted = false;

	for (size_t k = at; k < l->n; k++) {
		char ch = l->text[k];

		if (quoted) {
			k += ch == '\\';
			quoted = ch != '"';
			if (!quoted && !depth)
				return k + 1;
			continue;
		}
		if (!depth && k > at && strchr(",}] ", ch))
			return k;
		quoted = ch == '"';
		depth += ch == '{' || ch == '[';
		if ((ch == '}' || ch == ']') && depth && --depth == 0)
			return k + 1;
	}
	return l->n;
}

/* A value that stands behind a colon; false: there is none. */
static bool
value_find(const struct line *l, struct chance *c, struct span *out)
{
	size_t colons = 0, at;

	for (size_t k = 0; k < l->n; k++)
		colons += l->text[k] == ':';
	if (!colons)
		return false;
	/* The first three are those of a request itself. */
	size_t skip = colons > 3 && chance(c, 8) ? 3 : 0;
	size_t wanted = skip + chance(c, colons - skip);
	for (at = 0; at < l->n; at++)
		if (l->text[at] == ':' && wanted-- == 0)
			break;
	if (++at >= l->n)
		return false;
	*out = (struct span){ l->text + at, value_end(l, at) - at };
	return true;
}

static void
put_beside(struct span value, struct chance *c, struct buf *out)
{
	static const int64_t steps[] = { 1, -1, 2, 8, -8, 500, -500 };
	char digits[24] = "";

	memcpy(digits, value.data,
	       value.n < sizeof(digits) ? value.n : sizeof(digits) - 1);
	buf_printf(out, "%" PRId64, (int64_t)(strtoull(digits, NULL, 10)
		   + (uint64_t)steps[chance(c, countof(steps))]));
}

static void
put_other(struct script *s, struct span value, struct chance *c,
	  struct buf *out)
{
	const struct line *other = script_line(s, c);
	const char *text = VALUES[chance(c, countof(VALUES))];
	uint8_t work[512];
	struct span found;

	switch (chance(c, 5)) {
	case 0:
		if (other && value_find(other, c, &found))
			buf_put(out, found.data, found.n);
		break;
	case 1:
		put_beside(value, c, out);
		break;
	case 2:
		if (value.n > sizeof(work))
			break;
		memcpy(work, value.data, value.n);
		buf_put(out, work, LLVMFuzzerMutate(work, value.n,
						    sizeof(work)));
		break;
	default:
		buf_puts(out, text);
	}
}

static void
step_value(struct script *s, struct chance *c)
{
	struct line *l = script_line(s, c);
	_buf_ struct buf text = { 0 };
	struct span value;

	if (!l || !value_find(l, c, &value))
		return;
	size_t at = (size_t)((const char *)value.data - l->text);
	buf_put(&text, l->text, at);
	put_other(s, value, c, &text);
	buf_put(&text, l->text + at + value.n, l->n - at - value.n);
	line_set(s, l, &text);
}

/* A value many times, in a list or one in the other. */
static void
step_grow(struct script *s, struct chance *c)
{
	struct line *l = script_line(s, c);
	_buf_ struct buf text = { 0 };
	size_t times = (size_t)1 << chance(c, 12);
	struct span value;

	if (!l || !value_find(l, c, &value) || value.n * times > LINE_MAX)
		return;
	size_t at = (size_t)((const char *)value.data - l->text);
	bool deep = chance(c, 2);
	buf_put(&text, l->text, at);
	for (size_t k = 0; k < times; k++) {
		buf_putc(&text, deep || !k ? '[' : ',');
		if (!deep)
			buf_put(&text, value.data, value.n);
	}
	for (size_t k = 0; k < (deep ? times : 1); k++)
		buf_putc(&text, ']');
	buf_put(&text, l->text + at + value.n, l->n - at - value.n);
	line_set(s, l, &text);
}

static void
step_cut(struct script *s, struct chance *c)
{
	struct line *l = script_line(s, c);

	if (l)
		l->n = chance(c, l->n + 1);
}

static void
step_bytes(struct script *s, struct chance *c)
{
	struct line *l = script_line(s, c);
	uint8_t work[4096];
	_buf_ struct buf text = { 0 };

	if (!l || l->n > sizeof(work) / 2)
		return;
	memcpy(work, l->text, l->n);
	buf_put(&text, work, LLVMFuzzerMutate(work, l->n, sizeof(work)));
	line_set(s, l, &text);
}

static void (*const STEPS[])(struct script *s, struct chance *c) = {
	step_value, step_value, step_value, step_value, step_value, step_value,
	step_add, step_add, step_add, step_repeat, step_drop, step_swap,
	step_cross, step_grow, step_cut, step_bytes, step_how, step_patch,
	step_patch,
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
