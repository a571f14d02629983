/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a note refers to: the frame that it is about, and an address. A client
 * that is told of the note looks at its reference at once, or never: there is
 * one row in it, and stacks are made for who opens that.
 */
#include "base/cut.h"
#include "dap/describe.h"
#include "dap/refs.h"

#include <inttypes.h>
#include <string.h>

#define TEXT_MAX 2000u

static const struct snap_note *
note_of(const struct container *c)
{
	return &insp_target(c->d->shown.insp)->notes[c->ref.nth];
}

static size_t
thread_of(const struct dap *d, const struct snap_note *n)
{
	return n->tid ? insp_find_thread(d->shown.insp, n->tid) : INSP_NONE;
}

int32_t
noted_reference(struct dap *d, size_t nth)
{
	const struct snap_note *n = &insp_target(d->shown.insp)->notes[nth];
	const struct ref ref = { .nth = nth, .kind = REF_NOTE };
	int32_t id = 0;

	if (!n->address && thread_of(d, n) == INSP_NONE)
		return 0;
	_err_ struct err *none = refs_add(d, &ref, &id);
	return none ? 0 : id;
}

struct err *
noted_list(struct container *c)
{
	const struct snap_note *n = note_of(c);
	_buf_ struct buf text = { 0 };
	struct err *err = items_reserve(c, 1);

	if (err)
		return err;
	struct item *item = items_add(c);
	cut_put(&text, n->text ? n->text : "", TEXT_MAX);
	item->name = n->key && *n->key ? n->key : "note";
	item->nth = c->ref.nth;
	item->opens = REF_NOTED;
	item->text = arena_strdup(c->arena, text.data ? text.data : "");
	return item->text ? NULL : err_nomem();
}

/* ---- inside ------------------------------------------------------------- */
static void
add_scope(struct container *c, const char *name, enum scope_kind kind)
{
	struct item *item = items_add(c);

	item->name = name;
	item->nth = kind;
	item->opens = REF_SCOPE;
	item->text = "";
}

/* "frame": "#3 worker"; and what is in it. */
static struct err *
add_frame(struct container *c, const struct snap_note *n, size_t thread)
{
	const size_t frame = n->depth == UINT32_MAX ? 0 : n->depth;
	struct stack_shown *s;

	struct err *err = stack_of(c->d, thread, &s);
	if (err || frame >= s->view.n)
		return err;
	const char *function = s->view.frames[frame].function;
	struct item *item = items_add(c);
	item->name = "frame";
	item->text = arena_printf(c->arena, "#%zu %s", frame,
				  function ? function : "?");
	c->ref.at = (struct place){ thread, frame };
	c->ref.has_place = true;
	add_scope(c, "Arguments", SCOPE_ARGUMENTS);
	add_scope(c, "Locals", SCOPE_LOCALS);
	return item->text ? NULL : err_nomem();
}

static struct err *
add_address(struct container *c, uint64_t address)
{
	struct item *item = items_add(c);
	struct json *body = NULL;
	_err_ struct err *none = describe_address(c->d, address, &body);
	const char *text = none ? NULL : json_str(json_get(body, "text"));

	item->name = "address";
	item->address = address;
	item->text = arena_printf(c->arena, "0x%" PRIx64 "%s%s", address,
				  text ? " → " : "",
				  text ? text : "");
	json_free(body);
	return item->text ? NULL : err_nomem();
}

struct err *
noted_list_inside(struct container *c)
{
	const struct snap_note *n = note_of(c);
	size_t thread = thread_of(c->d, n);
	struct err *err = items_reserve(c, 4);

	if (!err && thread != INSP_NONE)
		err = add_frame(c, n, thread);
	if (!err && n->address)
		err = add_address(c, n->address);
	return err;
}
