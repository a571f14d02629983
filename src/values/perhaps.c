/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a value would be, had no call changed the register that holds it: what
 * gdb shows as the value. It is a guess, and is only told as one.
 */
#include "values/impl.h"

/** The frame, with what the frames further in have in registers it lost. */
static const struct context *
holding(const struct context *c, struct arena *a)
{
	struct context *held = arena_dup(a, c, sizeof(*c));

	if (held)
		held->held = true;
	return held;
}

static struct err *
once_more(const struct value *v, const struct context *held, struct arena *a,
	  const struct value **out)
{
	if (v->place == PLACE_NOWHERE) {
		struct var_ref ref = *v->ref;

		ref.c = held;
		return var_ref_value(&ref, a, out);
	}
	struct value *copy = arena_dup(a, v, sizeof(*v));
	if (!copy)
		return err_nomem();
	copy->c = held;
	copy->arena = a;
	*out = copy;
	return NULL;
}

struct err *
value_perhaps(const struct value *v, struct arena *a, const struct value **out)
{
	const struct context *c = v->ref ? v->ref->c : v->c;
	const char *why;

	*out = NULL;
	if (value_state(v, &why) != VALUE_OPTIMISED_OUT || !c || c->held
	    || (v->place == PLACE_NOWHERE && !v->ref))
		return NULL;
	const struct context *held = holding(c, a);
	struct err *err = held ? once_more(v, held, a, out) : err_nomem();
	if (!err && value_state(*out, &why) != VALUE_KNOWN)
		*out = NULL;
	return err;
}
