/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A session of the Debug Adapter Protocol over the records of make-served.h.
 */
#ifndef TESTS_UNIT_MAKE_SPOKEN_H
#define TESTS_UNIT_MAKE_SPOKEN_H

#include "base/json.h"
#include "dap/dap.h"
#include "make-served.h"

struct spoken {
	struct served served;
	struct values *values;
	struct dap *dap;
	struct dap_host host;   /* only link(), where a test wants it */
	long long seq;          /* of our last request */
	struct json *answer;    /* the last response */
	unsigned responses;     /* that came in all */
	struct buf text;        /* of its body; "" where it has none */
	struct buf events;      /* their names, each with a blank behind it */
	struct buf outputs;     /* texts of those events */
	bool slow;              /* long requests go on by spoken_work() */
};

/** Up to "stopped"; of @s->served's records, if a test made them already.
 * @hello and @attach: members of the arguments, or "". */
struct err *spoken_open(struct spoken *s, const char *hello,
			const char *attach) _must_check_;
void spoken_close(struct spoken *s);
/** Sends a request; what "message" says of its failure, or NULL. */
const char *spoken_ask(struct spoken *s, const char *command,
		       const char *arguments);
/** All pieces of a long request; as spoken_ask(). */
const char *spoken_work(struct spoken *s);
/** The body of the last response, as text. */
const char *spoken_body(struct spoken *s);

#endif
