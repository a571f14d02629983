/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A session over records, and what comes back.
 */
#include "make-spoken.h"

#include <stdlib.h>
#include <string.h>

static void
put_output(struct spoken *s, const struct json *event)
{
	const char *text = json_str(json_get(json_get(event, "body"),
					     "output"));

	if (text)
		buf_puts(&s->outputs, text);
}

static struct err *
hear(void *arg, struct span json)
{
	struct spoken *s = arg;
	struct json *message = NULL;

	struct err *err = json_read(json, &message);
	if (err)
		return err;
	if (strcmp(json_str(json_get(message, "type")), "event") == 0) {
		buf_puts(&s->events, json_str(json_get(message, "event")));
		buf_putc(&s->events, ' ');
		put_output(s, message);
		json_free(message);
		return NULL;
	}
	json_free(s->answer);
	s->answer = message;
	s->responses++;
	return NULL;
}

static const struct dap_sink *
sink_of(struct spoken *s, struct dap_sink *sink)
{
	*sink = (struct dap_sink){ hear, s };
	return sink;
}

/* A mistake of a test's own ends it. */
static void
must(struct err *err)
{
	if (err)
		abort();
}

static const char *
word_of(const struct spoken *s)
{
	return s->answer ? json_str(json_get(s->answer, "message")) : "nothing";
}

const char *
spoken_work(struct spoken *s)
{
	struct dap_sink sink;

	while (dap_busy(s->dap))
		must(dap_work(s->dap, sink_of(s, &sink)));
	return word_of(s);
}

const char *
spoken_ask(struct spoken *s, const char *command, const char *arguments)
{
	_buf_ struct buf text = { 0 };
	struct dap_sink sink;

	json_free(take(s->answer));
	buf_printf(&text, "{\"seq\":%lld,\"type\":\"request\",\"command\":"
		   "\"%s\",\"arguments\":{%s}}", ++s->seq, command, arguments);
	must(dap_message(s->dap, (struct span){ text.data, text.len },
			 sink_of(s, &sink)));
	return s->slow ? word_of(s) : spoken_work(s);
}

const char *
spoken_body(struct spoken *s)
{
	const struct json *body = json_get(s->answer, "body");

	buf_reset(&s->text);
	if (!body)
		return "";
	must(json_write(body, false, &s->text));
	s->text.data[s->text.len - 1] = '\0';   /* for the newline */
	return s->text.data;
}

static struct err *
begin(struct spoken *s, const char *hello, const char *attach)
{
	const struct { const char *command, *arguments; } first[] = {
		{ "initialize", hello }, { "attach", attach },
		{ "configurationDone", "" },
	};

	for (size_t k = 0; k < countof(first); k++)
		if (spoken_ask(s, first[k].command, first[k].arguments))
			return err_new(ERR_FAILED, "%s: %s", first[k].command,
				       spoken_body(s));
	return NULL;
}

struct err *
spoken_open(struct spoken *s, const char *hello, const char *attach)
{
	struct dap_options o = { .shown = { .number = 0, .id = "9d33" } };

	if (!s->served.insp) {
		if (!s->served.target.ops)
			served_init(&s->served);
		struct err *err = served_open(&s->served, NULL);
		if (!err)
			err = values_new(s->served.insp, NULL, &s->values);
		if (err)
			return err;
	}
	o.shown.insp = s->served.insp;
	o.shown.values = s->values;
	o.host = s->host.link ? &s->host : NULL;
	s->seq = 0;
	struct err *err = dap_new(&o, &s->dap);
	return err ? err : begin(s, hello, attach);
}

void
spoken_close(struct spoken *s)
{
	dap_free(s->dap);
	values_free(s->values);
	served_close(&s->served);
	json_free(s->answer);
	buf_fini(&s->text);
	buf_fini(&s->events);
	buf_fini(&s->outputs);
}
