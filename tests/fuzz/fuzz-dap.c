/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hostile messages from a client of the Debug Adapter Protocol: a session over
 * a process with variables. The first byte says how: bits 0-1 which index of
 * symbols, bit 2 a host, whose snapshots are a series, bit 3 another machine's
 * client, bit 4 the session has not begun, bit 5 a stream of bytes instead of a
 * message a line, bit 6 long requests go on only between messages. A line
 * "!PLACE BYTE" changes the index. dap-mutate.c keeps messages messages.
 *
 * Each message is answered once, by JSON, under the next number. What counts is
 * messages: their number is said at the end, and FUZZ_PACKETS of the
 * environment is how many are enough.
 */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "dap-world.h"

enum { HOW_INDEX = 3, HOW_HOST = 4, HOW_FAR = 8, HOW_FRESH = 16,
       HOW_STREAM = 32, HOW_SLOW = 64 };
#define PIECES_MAX 100000u      /* of one long request */
#define REPLY_MAX (24u << 20)

/* ---- counting ---------------------------------------------------------- */
static struct {
	unsigned long long messages, inputs, enough;
	bool told;
} count;

static void
count_tell(void)
{
	if (!count.told)
		fprintf(stderr, "\nstat::number_of_packets: %llu\n",
			count.messages);
	count.told = true;
}

/* libFuzzer knows no end but by inputs, or by time. */
static void
count_input(void)
{
	const char *enough = getenv("FUZZ_PACKETS");

	if (!count.inputs++) {
		count.enough = enough ? strtoull(enough, NULL, 10) : 0;
		atexit(count_tell);
	}
	if (!count.enough || count.messages < count.enough)
		return;
	fprintf(stderr, "stat::number_of_executed_units: %llu\n",
		count.inputs);
	count_tell();
	_exit(0);
}

/* ---- what comes back ------------------------------------------------------ */
struct client {
	struct dap *d;
	struct world *world;
	int64_t seq;
	uint64_t wanted, answered;
};

static void
must(struct err *err)
{
	if (!err)
		return;
	fprintf(stderr, "%s\n", err_text(err));
	abort();
}

static void
wrong(const char *what, struct span json)
{
	fprintf(stderr, "%s: %.*s\n", what, (int)json.n,
		(const char *)json.data);
	abort();
}

static void
check_response(struct client *c, const struct json *message, struct span json)
{
	const struct json *success = json_get(message, "success");

	c->answered++;
	if (json_kind(success) != JSON_BOOL
	    || !json_str(json_get(message, "command")))
		wrong("a response without its members", json);
	if (json_is_true(success, false))
		return;
	const struct json *error = json_get(json_get(message, "body"), "error");
	if (!json_str(json_get(message, "message"))
	    || !json_str(json_get(error, "format")))
		wrong("an error without words", json);
}

static struct err *
hear(void *arg, struct span json)
{
	struct client *c = arg;
	struct json *message = NULL;
	int64_t seq;

	if (json.n > REPLY_MAX)
		wrong("too long", (struct span){ json.data, 400 });
	must(json_read(json, &message));
	if (!json_to_i64(json_get(message, "seq"), &seq) || seq != ++c->seq)
		wrong("not the next number", json);
	const char *type = json_str(json_get(message, "type"));
	if (type && strcmp(type, "response") == 0)
		check_response(c, message, json);
	else if (!type || strcmp(type, "event") != 0
		 || !json_str(json_get(message, "event")))
		wrong("neither a response nor an event", json);
	json_free(message);
	return NULL;
}

/* ---- what is said ------------------------------------------------------------ */
static void
finish_work(struct client *c, const struct dap_sink *sink)
{
	for (size_t k = 0; dap_busy(c->d); k++) {
		must(dap_work(c->d, sink));
		if (k == PIECES_MAX)
			wrong("a request without an end", (struct span){ "",
									 0 });
	}
}

/* Responses and events of a client are to nothing. */
static bool
wants_answer(struct span text)
{
	struct json *message = NULL;
	_err_ struct err *err = json_read(text, &message);
	const char *type = json_str(json_get(message, "type"));
	bool none = type && (strcmp(type, "response") == 0
			     || strcmp(type, "event") == 0);

	json_free(message);
	return err || !none;
}

/* Whoever a console asks answers with anything, or not at all. */
static void
answer_console(struct client *c, const struct dap_sink *sink)
{
	static const char *const texts[] = {
		"#0  main () at a.c:1\n#1  0x0\n", "\x1b[2J\xff\"{text}\"", "",
	};
	size_t k = count.messages % 4;

	if (!c->world->asked)
		return;
	c->world->asked = false;
	must(dap_answer(c->d, k < countof(texts) ? NULL
			: err_new(ERR_NETWORK, "it went away"),
			k < countof(texts) ? texts[k] : NULL, sink));
}

static void
say(struct client *c, const void *text, size_t n, uint8_t how)
{
	const struct dap_sink sink = { hear, c };
	const struct span json = { text, n };

	if (dap_done(c->d))
		return;
	count.messages++;
	c->wanted += wants_answer(json);
	must(dap_message(c->d, json, &sink));
	if (how & HOW_SLOW)
		must(dap_work(c->d, &sink));
	else
		finish_work(c, &sink);
	if (!(how & HOW_SLOW) || count.messages % 3 == 0)
		answer_console(c, &sink);
}

static void
say_text(struct client *c, const char *text)
{
	say(c, text, strlen(text), 0);
}

static void
begin(struct client *c, uint8_t how)
{
	say_text(c, how & HOW_SLOW
		 ? "{\"seq\":1,\"type\":\"request\",\"command\":\"initialize\","
		   "\"arguments\":{\"adapterID\":\"a\",\"linesStartAt1\":false,"
		   "\"columnsStartAt1\":false,\"pathFormat\":\"uri\"}}"
		 : "{\"seq\":1,\"type\":\"request\",\"command\":\"initialize\","
		   "\"arguments\":{\"adapterID\":\"a\","
		   "\"supportsProgressReporting\":true,"
		   "\"supportsInvalidatedEvent\":true,"
		   "\"supportsMemoryEvent\":true}}");
	say_text(c, "{\"seq\":2,\"type\":\"request\",\"command\":\"attach\","
		 "\"arguments\":{\"snapshot\":\"aaaa\"}}");
	say_text(c, "{\"seq\":3,\"type\":\"request\",\"command\":"
		 "\"configurationDone\"}");
}

static void
say_lines(struct client *c, const char *text, size_t n, uint8_t how)
{
	while (n) {
		const char *end = memchr(text, '\n', n);
		size_t line = end ? (size_t)(end - text) : n;

		if (line && *text != '!')
			say(c, text, line, how);
		line += end ? 1 : 0;
		text += line;
		n -= line;
	}
}

/* Frames of what is sent are those of hear(), for they are read back. */
static void
say_stream(struct client *c, const char *text, size_t n)
{
	struct dap_stream s = { 0 };
	_buf_ struct buf out = { 0 };
	const struct dap_sink sink = dap_stream_sink(&out);

	for (size_t at = 0; at < n && !s.over; at += 61) {
		must(dap_stream_feed(&s, c->d, text + at,
				     n - at < 61 ? n - at : 61, &out));
		for (size_t k = 0; k < 8; k++)
			must(dap_work(c->d, &sink));
		count.messages++;
	}
	if (s.over && !s.why)
		abort();
	dap_stream_fini(&s);
}

/* Whatever came, the next question is answered. */
static void
check_alive(struct client *c)
{
	const struct dap_sink sink = { hear, c };

	finish_work(c, &sink);
	answer_console(c, &sink);
	if (dap_done(c->d))
		return;
	say_text(c, "{\"seq\":9,\"type\":\"request\",\"command\":\"threads\"}");
	must(dap_written(c->d, 0x7ff000, 8, &sink));
	if (c->answered != c->wanted)
		wrong("not one answer a message", (struct span){ "", 0 });
}

/* Those of lines that are no messages. */
static size_t
read_patches(const char *text, size_t n, struct world_patch *out)
{
	size_t found = 0;

	while (n && found < WORLD_PATCHES) {
		const char *end = memchr(text, '\n', n);
		size_t line = end ? (size_t)(end - text) : n;
		char words[32] = "", *rest;

		memcpy(words, text, line < sizeof(words) ? line
		       : sizeof(words) - 1);
		if (words[0] == '!') {
			out[found].at = (uint32_t)strtoul(words + 1, &rest, 10);
			out[found++].byte = (uint8_t)strtoul(rest, NULL, 10);
		}
		line += end ? 1 : 0;
		text += line;
		n -= line;
	}
	return found;
}

static void
play(struct world *w, const uint8_t *data, size_t n)
{
	struct client c = { .world = w };
	struct dap_options options = { .local = !(data[0] & HOW_FAR) };

	if (data[0] & HOW_HOST)
		options.host = &w->host;
	else
		must(world_show(w, &options.shown));
	must(dap_new(&options, &c.d));
	if (!(data[0] & HOW_FRESH))
		begin(&c, data[0]);
	if (data[0] & HOW_STREAM) {
		say_stream(&c, (const char *)data + 1, n - 1);
	} else {
		say_lines(&c, (const char *)data + 1, n - 1, data[0]);
		check_alive(&c);
	}
	dap_rest(c.d);
	dap_free(c.d);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct world_patch patches[WORLD_PATCHES];
	struct world w;

	if (n == 0)
		return 0;
	count_input();
	size_t n_patches = read_patches((const char *)data + 1, n - 1,
					patches);
	must(world_init(&w, data[0] & HOW_INDEX, patches, n_patches));
	play(&w, data, n);
	world_fini(&w);
	return 0;
}
