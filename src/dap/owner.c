/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The variable that an address is in, and the part of it: "n.list[3].next".
 */
#include "dap/describe.h"

#include <string.h>

#define DEPTH_MAX 16
#define MEMBERS_MAX 1000u       /* of a structure that are looked at */
#define PATH_MAX_ 1024u         /* bytes of a path; longer ones end early */

/* As they stand in memory: without what printers make of them. */
static const struct value_style plain = { .raw = true };

static bool
value_holds(const struct value *v, uint64_t address)
{
	uint64_t start, size = value_size(v);

	return value_address(v, &start) && start <= address
	       && address - start < size;
}

/* ---- the part ---------------------------------------------------------------------- */
static bool
is_compound(const struct value *v, bool *array)
{
	uint8_t kind = type_kind(type_plain(value_type(v)));

	*array = kind == SYM_TYPE_ARRAY;
	return *array || kind == SYM_TYPE_STRUCT || kind == SYM_TYPE_CLASS
	       || kind == SYM_TYPE_UNION;
}

/* Elements are of one size: which one it is, is computed. */
static struct err *
owner_range(const struct value *v, uint64_t address, bool array,
	    struct arena *a, struct children *out)
{
	uint64_t start, first = 0;
	size_t n = MEMBERS_MAX;

	*out = (struct children){ 0 };
	if (array && value_address(v, &start)) {
		struct err *err = value_children(v, &plain, 0, 1, a, out);
		if (err || !out->n)
			return err;
		uint64_t size = value_size(out->list[0].value);
		if (!size || size == UINT64_MAX)
			return NULL;
		first = (address - start) / size;
		n = 1;
	}
	return value_children(v, &plain, first, n, a, out);
}

static void
owner_put_name(struct buf *path, const struct child *c)
{
	bool named = (c->name[0] >= 'a' && c->name[0] <= 'z')
		     || (c->name[0] >= 'A' && c->name[0] <= 'Z')
		     || c->name[0] == '_';

	if (c->kind == CHILD_ELEMENT)
		buf_puts(path, c->name);
	else if (c->kind == CHILD_MEMBER && named)
		buf_printf(path, ".%s", c->name);
}

/* The innermost one that holds the address, and the way to it. */
static struct err *
owner_descend(const struct description *x, const struct value **v,
	      struct buf *path)
{
	bool array;

	for (int depth = 0; depth < DEPTH_MAX && path->len < PATH_MAX_; depth++) {
		struct children parts;
		const struct child *found = NULL;

		if (!is_compound(*v, &array))
			break;
		struct err *err = owner_range(*v, x->address, array, x->arena,
					      &parts);
		if (err)
			return err;
		for (size_t k = 0; k < parts.n && !found; k++)
			if (parts.list[k].kind != CHILD_STATIC
			    && parts.list[k].kind != CHILD_TARGET
			    && value_holds(parts.list[k].value, x->address))
				found = &parts.list[k];
		if (!found)
			break;
		owner_put_name(path, found);
		*v = found->value;
	}
	return NULL;
}

/* ---- the variable --------------------------------------------------------------------- */
static struct err *
owner_tell(struct description *x, const struct var *var, const struct value *v,
	   size_t row)
{
	struct json *j = json_object();
	_buf_ struct buf type = { 0 };
	uint64_t start = x->address;

	if (var->prefix && *var->prefix)
		buf_printf(&x->owner, "%s::", var->prefix);
	buf_puts(&x->owner, var->name);
	struct err *err = owner_descend(x, &v, &x->owner);
	if (!err)
		err = type_name(value_type(v), &type);
	json_set(x->body, "variable", j);
	if (err)
		return err;
	(void)value_address(v, &start);
	json_set(j, "name", json_string(var->name));
	json_set(j, "path", json_string(x->owner.data));
	json_set(j, "type", json_string(type.data));
	json_set(j, "offset", json_addr(x->address - start));
	if (row != INSP_NONE)
		json_set(j, "frameId", json_i64(stack_frame_id(
				x->d, (struct place){ x->at.thread, row })));
	return NULL;
}

static struct err *
owner_among(struct description *x, const struct var *vars, size_t n,
	    size_t row, bool *found)
{
	for (size_t k = 0; k < n && !*found; k++) {
		const struct value *v;
		struct err *err = var_value(&vars[k], x->arena, &v);

		if (err)
			return err;
		if ((vars[k].flags & VAR_ENTRY) || !value_holds(v, x->address))
			continue;
		*found = true;
		return owner_tell(x, &vars[k], v, row);
	}
	return NULL;
}

/* Of the frame, and of the functions that were inlined into it. */
static struct err *
owner_in_frame(struct description *x, bool *found)
{
	struct err *err = NULL;

	for (size_t row = x->first_row; row <= x->at.frame && !err && !*found;
	     row++) {
		const struct scope *s = stack_scope(
			x->d, (struct place){ x->at.thread, row });
		const struct var *vars;
		size_t n;

		if (!s)
			continue;
		err = scope_vars(s, x->arena, &vars, &n);
		if (!err)
			err = owner_among(x, vars, n, row, found);
	}
	return err;
}

struct err *
owner_put(struct description *x)
{
	const struct global_place place = {
		.name = x->symbol.name, .address = x->symbol.address,
		.module = x->symbol.module,
	};
	const struct var *var;
	bool found = false;

	if (x->has_frame)
		return owner_in_frame(x, &found);
	if (!x->has_symbol)
		return NULL;
	_err_ struct err *none = values_global(x->d->shown.values, &place,
					       x->arena, &var);
	return none ? NULL : owner_among(x, var, 1, INSP_NONE, &found);
}
