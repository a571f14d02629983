/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Registers of a frame, by groups.
 */
#include "dap/refs.h"

#include <inttypes.h>
#include <string.h>

/* Those in no group of their own come last. */
static const char *const groups[] = {
	"general", "float", "vector", "sse", "system", NULL,
};

static const char *
group_name(size_t group)
{
	static const char *const names[countof(groups)] = {
		"General", "Floating point", "Vector", "SSE", "System",
		"Others",
	};

	return names[group];
}

static size_t
group_of(const struct reg *r)
{
	for (size_t k = 0; r->group && k + 1 < countof(groups); k++)
		if (strcmp(r->group, groups[k]) == 0)
			return k;
	return countof(groups) - 1;
}

struct err *
registers_list_groups(struct container *c)
{
	size_t n, members[countof(groups)] = { 0 };
	const struct reg *regs = insp_regs(c->d->shown.insp, &n);
	struct err *err = items_reserve(c, countof(groups));

	for (size_t k = 0; k < n; k++)
		members[group_of(&regs[k])]++;
	for (size_t k = 0; k < countof(groups) && !err; k++) {
		if (!members[k])
			continue;
		struct item *item = items_add(c);

		item->name = group_name(k);
		item->nth = k;
		item->opens = REF_REGISTERS;
		item->text = "";
	}
	return err;
}

/* Unwinding keeps those that a call has to restore. */
const char *
registers_lost(size_t frame)
{
	return frame ? "<not known: a call may have changed it>"
	       : "<not captured>";
}

/* Without a scope there is what unwinding knows of them. */
static struct err *
from_frame(const struct container *c, const struct reg *r, struct item *out)
{
	struct frame_regs regs = { 0 };
	_err_ struct err *none = stack_regs(c->d, c->ref.at, &regs);

	out->text = registers_lost(c->ref.at.frame);
	if (none || r->dwarf < 0 || r->dwarf >= FRAME_REGS
	    || !(regs.known >> r->dwarf & 1))
		return NULL;
	out->text = arena_printf(c->arena, "0x%" PRIx64,
				 regs.value[r->dwarf]);
	return out->text ? NULL : err_nomem();
}

/* Numbers are told as addresses are, flags too; all else as its type says. */
static bool
is_told_in_hex(const struct reg *r)
{
	return r->bits <= 64 && r->encoding && strcmp(r->encoding, "uint") == 0
	       && strstr(r->type, "_ptr") == NULL;
}

static struct err *
register_value(const struct container *c, const struct reg *r,
	       struct item *out)
{
	const struct scope *scope = container_scope(c);
	struct value_style style = c->style;

	if (!scope)
		return from_frame(c, r, out);
	out->format = is_told_in_hex(r) ? 'x' : 0;
	out->can_be_written = scope->frame == 0;
	out->expr = arena_printf(c->arena, "%s$%s", out->format ? "/x " : "",
				 r->name);
	if (!out->expr)
		return err_nomem();
	out->lost = registers_lost(scope->frame);
	return values_eval(c->d->shown.values, scope, out->expr, &style,
			   c->arena, &out->value);
}

size_t
registers_named(const struct dap *d, const char *text)
{
	size_t n;
	const struct reg *regs = insp_regs(d->shown.insp, &n);

	text = evaluate_without_format(text);
	for (size_t k = 0; *text == '$' && k < n; k++)
		if (strcmp(regs[k].name, text + 1) == 0)
			return k;
	return INSP_NONE;
}

struct err *
registers_list(struct container *c)
{
	size_t n;
	const struct reg *regs = insp_regs(c->d->shown.insp, &n);
	struct err *err = items_reserve(c, n);

	for (size_t k = 0; k < n && !err; k++) {
		if (group_of(&regs[k]) != c->ref.nth)
			continue;
		struct item *item = items_add(c);

		item->name = regs[k].name;
		item->nth = k;
		err = register_value(c, &regs[k], item);
	}
	return err;
}
