/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stacks whose frames come again, for a client that asks for it with "folds" in
 * the "format" of "stackTrace": what repeats is one row, a label, which has an
 * id and empty scopes. Numbers of frames do not count labels.
 */
#include "dap/impl.h"

/* Above the ids of frames and below those of scopes: this, and the id of the
 * first frame that the label stands for. */
#define LABELS (INT64_C(1) << 28)

bool
folded_is_asked(const struct json *arguments)
{
	return json_is_true(json_get(json_get(arguments, "format"), "folds"),
			    false);
}

bool
folded_is_label(struct dap *d, int64_t id)
{
	struct place at;
	_err_ struct err *none = id > LABELS
				 ? stack_place(d, id - LABELS, &at)
				 : err_new(ERR_NOTFOUND, "no label");

	return !none;
}

static struct json *
label_json(struct dap *d, size_t thread, const struct fold *f)
{
	struct place at = { thread, f->first + f->period };
	struct json *j = json_object();
	_buf_ struct buf name = { 0 };

	buf_printf(&name, "#%zu to #%zu: the same ", at.frame,
		   f->first + f->n - 1);
	if (f->period == 1)
		buf_printf(&name, "frame %zu more times", f->n - 1);
	else
		buf_printf(&name, "%zu frames %zu more times", f->period,
			   f->n / f->period - 1);
	json_set(j, "id", json_i64(LABELS + stack_frame_id(d, at)));
	json_set(j, "name", json_string(name.failed ? NULL : name.data));
	json_set(j, "line", json_i64(0));
	json_set(j, "column", json_i64(0));
	json_set(j, "presentationHint", json_string("label"));
	return j;
}

/** Rows, of which some are asked for. */
struct rows {
	struct dap *d;
	size_t thread;
	uint64_t row, first, end;       /* wanted: [first, end) */
	struct json *list;
};

static bool
row_is_wanted(struct rows *r)
{
	uint64_t row = r->row++;

	return row >= r->first && row < r->end;
}

static struct err *
add_frames(struct rows *r, size_t from, size_t n)
{
	struct err *err = NULL;

	for (size_t k = from; k < from + n && !err; k++) {
		struct json *frame = NULL;

		if (!row_is_wanted(r))
			continue;
		err = stack_frame(r->d, (struct place){ r->thread, k },
				  &frame);
		if (!err)
			json_add(r->list, frame);
	}
	return err;
}

struct err *
folded_rows(struct dap *d, size_t thread, const struct rows_asked *q,
	    struct json *body)
{
	const struct view *v = &d->stacks[thread].view;
	struct rows r = {
		.d = d, .thread = thread, .first = q->first,
		.end = q->first + q->count, .list = json_array(),
	};
	struct err *err = NULL;
	struct fold f;

	for (size_t at = 0; at < v->n && !err;) {
		bool folded = fold_at(v, at, &f);

		err = add_frames(&r, at, folded ? f.period : 1);
		if (folded && row_is_wanted(&r))
			json_add(r.list, label_json(d, thread, &f));
		at += folded ? f.n : 1;
	}
	json_set(body, "stackFrames", r.list);
	json_set(body, "totalFrames", json_u64(r.row));
	return err;
}
