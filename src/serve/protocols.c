/* SPDX-License-Identifier: Apache-2.0 */
/*
 * protocols.c: the protocols that a worker speaks.
 */
#include <stdlib.h>
#include <string.h>

#include "dap/dap.h"
#include "serve/overlays.h"
#include "serve/protocol.h"

/* ---- the GDB remote protocol ---- */

static struct err *
rsp_begin(const struct sight *see, void **out)
{
	const struct stub_options options = {
		.title = see->title, .host = see->insp ? NULL
						       : &see->host->stub,
		.attached = see->attached, .n_attached = see->n_attached,
	};
	struct stub *s;

	struct err *err = stub_new(see->insp, &options, &s);
	if (!err)
		*out = s;
	return err;
}

static void
rsp_end(void *client)
{
	stub_free(client);
}

static struct err *
rsp_feed(void *client, const void *data, size_t n, struct buf *out)
{
	return stub_feed(client, data, n, out);
}

static bool
rsp_done(const void *client)
{
	return stub_done(client);
}

static bool
rsp_foresees(const void *client)
{
	return stub_reads_on(client);
}

static void
rsp_prepare(void *client)
{
	stub_ahead(client);
}

static void
rsp_rest(void *client)
{
	stub_rest(client);
}

/* ---- the Debug Adapter Protocol ---- */

/** A client of it, and what it may open. */
struct adapter {
	struct dap *dap;
	struct dap_stream stream;
	struct dap_host host;
	struct host *from;
	uint64_t given;         /* what "attach" opens by itself; 0 = nothing */
	struct overlays written;
};

static struct err *
dap_host_find(void *arg, const char *snapshot, uint64_t *number)
{
	struct adapter *a = arg;

	if (snapshot)
		return a->from->stub.find(a->from, snapshot, number);
	if (!a->given)
		return err_new(ERR_USAGE, "\"snapshot\" says what to open");
	*number = a->given;
	return NULL;
}

static struct err *
dap_host_open(void *arg, uint64_t number, struct dap_shown *out)
{
	struct adapter *a = arg;
	struct dap_shown shown = { .number = number };

	struct err *err = a->from->stub.open(a->from, number, &shown.insp,
					     &shown.id);
	if (err)
		return err;
	err = host_values(a->from, number, &shown.values);
	if (!err)
		err = overlays_of(&a->written, number, &shown.overlay);
	if (err)
		a->from->stub.close(a->from, number);
	else
		*out = shown;
	return err;
}

static void
dap_host_close(void *arg, uint64_t number)
{
	struct adapter *a = arg;

	overlays_drop_empty(&a->written, number);
	a->from->stub.close(a->from, number);
}

static struct err *
dap_host_series(void *arg, uint64_t number, const char *id, struct arena *arena,
		const struct dap_offer **out, size_t *n)
{
	struct adapter *a = arg;
	const struct stub_offer *from;
	size_t count;

	struct err *err = a->from->stub.series(a->from, number, id, arena,
					       &from, &count);
	if (err)
		return err;
	struct dap_offer *to = arena_array(arena, count, sizeof(*to));
	if (!to && count)
		return err_nomem();
	for (size_t k = 0; k < count; k++)
		to[k] = (struct dap_offer){
			.number = from[k].number, .id = from[k].id,
			.program = from[k].program, .signal = from[k].signal,
			.captured = from[k].captured, .index = from[k].index,
		};
	*out = to;
	*n = count;
	return NULL;
}

static void
adapter_end(void *client)
{
	struct adapter *a = client;

	dap_free(a->dap);
	dap_stream_fini(&a->stream);
	overlays_fini(&a->written);
	free(a);
}

static struct err *
adapter_begin(const struct sight *see, void **out)
{
	struct adapter *a = calloc(1, sizeof(*a));

	if (!a)
		return err_nomem();
	a->from = see->host;
	a->given = see->n_attached ? see->attached[0] : 0;
	a->host = (struct dap_host){
		.find = dap_host_find, .open = dap_host_open,
		.close = dap_host_close, .series = dap_host_series, .arg = a,
	};
	const struct dap_options options = {
		.host = &a->host, .local = see->local,
	};
	struct err *err = dap_new(&options, &a->dap);
	if (err)
		adapter_end(a);
	else
		*out = a;
	return err;
}

static struct err *
adapter_feed(void *client, const void *data, size_t n, struct buf *out)
{
	struct adapter *a = client;

	return dap_stream_feed(&a->stream, a->dap, data, n, out);
}

static bool
adapter_done(const void *client)
{
	const struct adapter *a = client;

	return a->stream.over || dap_done(a->dap);
}

static bool
adapter_busy(const void *client)
{
	return dap_busy(((const struct adapter *)client)->dap);
}

static struct err *
adapter_work(void *client, struct buf *out)
{
	const struct dap_sink sink = dap_stream_sink(out);

	return dap_work(((struct adapter *)client)->dap, &sink);
}

static uint64_t
adapter_told(const void *client)
{
	return dap_told(((const struct adapter *)client)->dap);
}

static void
adapter_rest(void *client)
{
	dap_rest(((struct adapter *)client)->dap);
}

/* ---- the table ---- */

const struct protocol protocols[WORKER_PROTOCOLS] = {
	[WORKER_RSP] = {
		.name = "rsp", .begin = rsp_begin, .end = rsp_end,
		.feed = rsp_feed, .done = rsp_done, .foresees = rsp_foresees,
		.prepare = rsp_prepare, .rest = rsp_rest,
	},
	[WORKER_DAP] = {
		.name = "dap", .begin = adapter_begin, .end = adapter_end,
		.feed = adapter_feed, .done = adapter_done,
		.busy = adapter_busy, .work = adapter_work,
		.told = adapter_told, .rest = adapter_rest,
	},
};
