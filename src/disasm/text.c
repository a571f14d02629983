/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text.c: entries for a person.
 */
#include <string.h>

#include "disasm/disasm.h"

/* Names of templates have no end. */
#define NAME_MAX_SHOWN 120u

static void
put_name(struct buf *out, const struct disasm_place *p)
{
	size_t n = strlen(p->name);

	buf_escape(out, p->name, n < NAME_MAX_SHOWN ? n : NAME_MAX_SHOWN);
	if (n > NAME_MAX_SHOWN)
		buf_puts(out, "...");
	if (p->offset)
		buf_printf(out, "+%llu", (unsigned long long)p->offset);
}

void
disasm_put_place(const struct disasm_place *p, struct buf *out)
{
	buf_printf(out, "0x%llx", (unsigned long long)p->address);
	if (!p->name)
		return;
	buf_puts(out, " <");
	put_name(out, p);
	buf_putc(out, '>');
}

static const char *const KINDS[] = {
	[DISASM_BAD] = "(bad", [DISASM_ABSENT] = "(not captured",
	[DISASM_UNMAPPED] = "(not mapped", [DISASM_UNKNOWN] = "(unknown",
	[DISASM_OUTSIDE] = "(no address",
};

void
disasm_put(const struct disasm_entry *e, struct buf *out)
{
	if (e->kind != DISASM_CODE) {
		buf_puts(out, KINDS[e->kind]);
		buf_printf(out, ": %s)", e->why);
		return;
	}
	buf_puts(out, e->text);
	if (!e->has_target || e->indirect || !e->target.name)
		return;
	buf_puts(out, " <");
	put_name(out, &e->target);
	buf_putc(out, '>');
}

/* Little-endian, as both machines are: the last byte first. */
static void
put_value(const struct disasm_memory *m, struct buf *out)
{
	size_t n = m->n_value;

	if (!n)
		return;
	buf_puts(out, " = 0x");
	while (n > 1 && !m->value[n - 1])
		n--;
	buf_printf(out, "%x", m->value[--n]);
	while (n)
		buf_printf(out, "%02x", m->value[--n]);
}

void
disasm_put_memory(const struct disasm_memory *m, struct buf *out)
{
	if (!m->known) {
		buf_putc(out, '?');
		return;
	}
	disasm_put_place(&m->place, out);
	if (m->answer == DISASM_VALUE)
		put_value(m, out);
	else if (m->answer == DISASM_NOT_MAPPED)
		buf_puts(out, " (not mapped)");
	else if (m->answer == DISASM_NOT_CAPTURED)
		buf_puts(out, " (not captured)");
}
