/* SPDX-License-Identifier: Apache-2.0 */
/*
 * metrics.c: what a running server counts, as OpenMetrics 1.0 text.
 */
#include <inttypes.h>

#include "serve/server.h"

static const char *const refusal_names[REFUSALS] = {
	[REFUSED_HOST] = "host",
	[REFUSED_ORIGIN] = "origin",
	[REFUSED_TOKEN] = "token",
	[REFUSED_NO_TOKEN] = "no_token",
	[REFUSED_NOT_FOUND] = "not_found",
	[REFUSED_METHOD] = "method",
	[REFUSED_SESSIONS] = "sessions",
	[REFUSED_CONNECTIONS] = "connections",
	[REFUSED_SILENT] = "silent",
};

/* A counter's sample has "_total" behind the name of its family. */
static void
metric_put(struct buf *b, const char *name, const char *type, const char *help,
	   uint64_t value)
{
	buf_printf(b, "# TYPE inquest_%s %s\n# HELP inquest_%s %s\n"
		   "inquest_%s%s %" PRIu64 "\n", name, type, name, help, name,
		   *type == 'c' ? "_total" : "", value);
}

static void
metrics_refusals(const struct server *sv, struct buf *b)
{
	buf_puts(b, "# TYPE inquest_refused counter\n"
		    "# HELP inquest_refused Turned away, by reason.\n");
	for (size_t k = 0; k < REFUSALS; k++)
		buf_printf(b, "inquest_refused_total{reason=\"%s\"} %" PRIu64
			   "\n", refusal_names[k], sv->refused[k]);
}

void
metrics_write(const struct server *sv, struct buf *b)
{
	struct net_counts n;

	net_counts(sv->net, &n);
	const struct {
		const char *name, *type, *help;
		uint64_t value;
	} rows[] = {
		{ "sessions", "gauge", "Workers that are there.",
		  sv->n_sessions },
		{ "connections", "gauge", "Connections of HTTP.", n.clients },
		{ "websockets", "gauge", "Websockets among them.",
		  n.websockets },
		{ "silent", "gauge", "RSP connections before their first "
		  "byte.", sv->n_silents },
		{ "accepted", "counter", "Connections ever.",
		  n.accepted + sv->accepted },
		{ "workers", "counter", "Workers ever started.", sv->started },
		{ "workers_crashed", "counter", "Workers that crashed or were "
		  "killed.", sv->crashed },
		{ "received_bytes", "counter", "Payload of websockets.", n.in },
		{ "sent_bytes", "counter", "Payload of websockets, and of "
		  "files.", n.out },
		{ "floods", "counter", "Clients hung up on for what they "
		  "sent.", n.floods },
		{ "copies", "counter", "Objects copied out of the store.",
		  sv->shelf.copies },
		{ "copies_used_again", "counter", "Objects that were there "
		  "already.", sv->shelf.hits },
		{ "copies_memory_bytes", "gauge", "Copies kept in memory.",
		  sv->shelf.in_memory },
	};

	for (size_t k = 0; k < countof(rows); k++)
		metric_put(b, rows[k].name, rows[k].type, rows[k].help,
			   rows[k].value);
	metrics_refusals(sv, b);
	buf_puts(b, "# EOF\n");
}
