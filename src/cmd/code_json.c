/* SPDX-License-Identifier: Apache-2.0 */
/*
 * code_json.c: instructions as JSON; the shape is described in the manual page
 * of disasm and has the version that say_json() puts first.
 */
#include "base/json.h"
#include "cmd/cmd.h"
#include "cmd/code.h"

static const char *const KINDS[] = {
	[DISASM_CODE] = "code", [DISASM_BAD] = "bad",
	[DISASM_ABSENT] = "not-captured", [DISASM_UNMAPPED] = "not-mapped",
	[DISASM_UNKNOWN] = "unknown", [DISASM_OUTSIDE] = "outside",
};
static const char *const FLOWS[] = {
	[DISASM_NEXT] = "next", [DISASM_JUMP] = "jump",
	[DISASM_BRANCH] = "branch", [DISASM_CALL] = "call",
	[DISASM_RETURN] = "return",
};
static const char *const ANSWERS[] = {
	[DISASM_NOT_ASKED] = NULL, [DISASM_VALUE] = "value",
	[DISASM_NOT_CAPTURED] = "not-captured",
	[DISASM_NOT_MAPPED] = "not-mapped",
};

static struct json *
json_bytes(const uint8_t *bytes, size_t n)
{
	_buf_ struct buf b = { 0 };

	buf_hex(&b, bytes, n);
	return n ? json_string(b.data) : json_null();
}

static void
set_place(struct json *j, const struct disasm_place *p, bool known)
{
	json_set(j, "address", known ? json_addr(p->address) : json_null());
	json_set(j, "symbol", json_string(p->name));
	json_set(j, "offset", p->name ? json_u64(p->offset) : json_null());
}

static struct json *
json_regs(const struct disasm_reg *regs, size_t n)
{
	struct json *j = json_object();

	for (size_t k = 0; k < n; k++)
		json_set(j, regs[k].name, regs[k].known
			 ? json_addr(regs[k].value) : json_null());
	return j;
}

static struct json *
json_memory(const struct disasm_memory *m)
{
	struct json *j = json_object();

	set_place(j, &m->place, m->known);
	json_set(j, "size", m->size ? json_u64(m->size) : json_null());
	json_set(j, "reads", json_bool(m->reads));
	json_set(j, "writes", json_bool(m->writes));
	json_set(j, "registers", json_regs(m->regs, m->n_regs));
	json_set(j, "answer", json_string(ANSWERS[m->answer]));
	json_set(j, "value", json_bytes(m->value, m->n_value));
	return j;
}

static struct json *
json_target(const struct disasm_entry *e)
{
	struct json *j;

	if (!e->has_target)
		return json_null();
	j = json_object();
	set_place(j, &e->target, true);
	json_set(j, "indirect", json_bool(e->indirect));
	return j;
}

struct json *
code_json_entry(const struct disasm_entry *e, bool current,
		const struct line *line)
{
	struct json *j = json_object(), *memory = json_array();
	bool code = e->kind == DISASM_CODE;

	json_set(j, "address", json_addr(e->address));
	json_set(j, "length", json_u64(e->length));
	json_set(j, "kind", json_string(KINDS[e->kind]));
	json_set(j, "why", json_string(e->why));
	json_set(j, "bytes", json_bytes(e->bytes, e->n_bytes));
	json_set(j, "text", json_string(e->text));
	json_set(j, "symbol", json_string(e->place.name));
	json_set(j, "offset", e->place.name ? json_u64(e->place.offset)
					    : json_null());
	json_set(j, "file", json_string(line ? line->file : NULL));
	json_set(j, "line", line && line->file ? json_u64(line->line)
					       : json_null());
	json_set(j, "current", json_bool(current));
	json_set(j, "flow", json_string(code ? FLOWS[e->flow] : NULL));
	json_set(j, "target", json_target(e));
	for (size_t k = 0; k < e->n_memory; k++)
		json_add(memory, json_memory(&e->memory[k]));
	json_set(j, "memory", memory);
	json_set(j, "registers", json_regs(e->regs, e->n_regs));
	return j;
}

struct err *
code_json(const struct code *c, struct buf *out)
{
	struct json *top = say_json("disasm"), *snap = json_object();
	struct json *all = json_array();
	const struct target *t = insp_target(c->insp);
	struct err *err;

	json_set(snap, "path", json_string(c->path));
	json_set(top, "snapshot", snap);
	json_set(top, "architecture",
		 json_string(insp_arch(c->insp)->name));
	json_set(top, "syntax", json_string(c->options->intel ? "intel"
							       : "att"));
	json_set(top, "thread", c->has_frame
		 ? json_u64(t->threads[c->thread].tid) : json_null());
	json_set(top, "frame", c->has_frame ? json_u64(c->frame)
					    : json_null());
	json_set(top, "pc", c->has_frame ? json_addr(c->frame_regs.pc)
					 : json_null());
	for (size_t k = 0; k < c->list.n; k++) {
		const struct disasm_entry *e = &c->list.entries[k];
		json_add(all, code_json_entry(e, c->has_frame && e->length
				&& e->address == c->frame_regs.pc,
				&c->lines[k]));
	}
	json_set(top, "instructions", all);
	err = json_write(top, true, out);
	json_free(top);
	return err;
}
