/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How far a long request is, for clients that announced that they show it. One
 * that is over at once is not told of.
 */
#include "dap/impl.h"

#define SOON 16u                /* pieces: over before anybody looks */
#define STEP 5u                 /* per cent */

static unsigned
work_percent(const struct work *w)
{
	uint64_t done = w->done < w->all ? w->done : w->all;

	return w->all ? (unsigned)((double)done * 100 / (double)w->all) : 0;
}

static void
work_tell_begin(struct dap *d, struct work *w)
{
	struct json *body;

	w->progress = arena_printf(w->arena, "%llu",
				   (unsigned long long)++d->progresses);
	if (!w->progress)
		return;
	body = json_object();
	json_set(body, "progressId", json_string(w->progress));
	json_set(body, "title", json_string(w->title ? w->title : w->command));
	json_set(body, "requestId", json_i64(w->request_seq));
	json_set(body, "cancellable", json_bool(true));
	json_set(body, "percentage", json_u64(work_percent(w)));
	dap_event(d, "progressStart", body);
}

void
work_tell(struct dap *d, struct work *w)
{
	unsigned percent = work_percent(w);
	struct json *body;

	if (!d->hears_progress || ++w->pieces < SOON)
		return;
	if (!w->progress) {
		w->told = percent;
		work_tell_begin(d, w);
		return;
	}
	if (percent < w->told + STEP)
		return;
	w->told = percent;
	body = json_object();
	json_set(body, "progressId", json_string(w->progress));
	json_set(body, "percentage", json_u64(percent));
	dap_event(d, "progressUpdate", body);
}

void
work_tell_end(struct dap *d, const struct work *w)
{
	struct json *body;

	if (!w->progress)
		return;
	body = json_object();
	json_set(body, "progressId", json_string(w->progress));
	dap_event(d, "progressEnd", body);
}
