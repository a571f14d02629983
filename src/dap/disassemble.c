/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "disassemble": exactly as many instructions as were asked for. What is no
 * instruction is an entry that says why.
 */
#include "dap/impl.h"
#include "disasm/disasm.h"

#include <string.h>

#define OFFSET_MAX 16384        /* instructions that are passed over */

struct listing {
	struct dap *d;
	struct arena *arena;
	struct disasm *decoder;
	bool names;
	struct disasm_list list;
	size_t skip, n;         /* which of it were asked for */
};

/* ---- where ------------------------------------------------------------------- */
static struct err *
listing_read(struct listing *l, uint64_t address, size_t before, size_t count)
{
	const struct disasm_ask ask = {
		.address = address, .before = before, .count = count,
		.thread = INSP_NONE,
	};

	return disasm_list(l->decoder, l->d->shown.insp, &ask, l->arena,
			   &l->list);
}

/* Pass over @n entries, towards lower addresses where it is negative. */
static struct err *
listing_pass(const struct listing *l, int64_t n, uint64_t *address)
{
	_arena_ struct arena *a = arena_new(0);
	struct listing passed = { .d = l->d, .arena = a,
				  .decoder = l->decoder };

	struct err *err = !a ? err_nomem() : n < 0
		? listing_read(&passed, *address, (size_t)-n, 0)
		: listing_read(&passed, *address, 0, (size_t)n);
	if (err || !passed.list.n)
		return err;
	const struct disasm_entry *e = passed.list.entries;
	if (n < 0)
		*address = e->address;
	else if (!u64_add(e[n - 1].address, e[n - 1].length, address))
		*address = UINT64_MAX;
	return NULL;
}

/* What lies too far away for one list is reached by several. */
static struct err *
listing_approach(const struct listing *l, uint64_t *address, int64_t *offset)
{
	const int64_t most = DISASM_ENTRIES_MAX;
	struct err *err = NULL;

	while (!err && (*offset < -most
			|| (*offset > 0
			    && *offset + (int64_t)l->n > most))) {
		int64_t step = *offset < 0 ? -most
			       : *offset < most ? *offset : most;

		err = listing_pass(l, step, address);
		*offset -= step;
	}
	return err;
}

static struct err *
listing_make(struct listing *l, uint64_t address, int64_t offset)
{
	struct err *err = listing_approach(l, &address, &offset);

	if (err)
		return err;
	if (offset >= 0) {
		l->skip = (size_t)offset;
		return listing_read(l, address, 0, l->skip + l->n);
	}
	size_t before = (size_t)-offset;
	return listing_read(l, address, before,
			    l->n > before ? l->n - before : 0);
}

/* ---- an entry ----------------------------------------------------------------- */
static struct json *
entry_bytes(const struct disasm_entry *e)
{
	_buf_ struct buf text = { 0 };

	for (size_t k = 0; k < e->n_bytes; k++)
		buf_printf(&text, "%s%02x", k ? " " : "", e->bytes[k]);
	return json_string(text.failed ? NULL : text.data);
}

static struct json *
entry_text(const struct listing *l, const struct disasm_entry *e)
{
	_buf_ struct buf text = { 0 };

	if (e->kind != DISASM_CODE)
		buf_printf(&text, "(%s%s)", e->kind == DISASM_ABSENT
			   ? "not captured: " : "", e->why);
	else if (l->names)
		disasm_put(e, &text);
	else
		buf_puts(&text, e->text);
	return json_string(text.failed ? NULL : text.data);
}

/* Told where it changes, as clients expect. */
static void
entry_put_symbol(const struct disasm_entry *e, const struct disasm_entry *last,
		 struct json *j)
{
	if (!e->place.name)
		return;
	if (last && last->place.name && e->place.offset
	    && strcmp(last->place.name, e->place.name) == 0)
		return;
	json_set(j, "symbol", json_string(e->place.name));
}

static void
entry_put_line(struct dap *d, const struct disasm_entry *e, struct line *last,
	       struct json *j)
{
	struct line line = { 0 };

	if (e->kind != DISASM_CODE)
		return;
	_err_ struct err *none = insp_line(d->shown.insp, e->address, &line);
	if (none || !line.file) {
		*last = (struct line){ 0 };
		return;
	}
	bool same = last->file && strcmp(line.file, last->file) == 0;
	if (same && line.line == last->line)
		return;
	const struct source_place place = {
		.module = insp_module_at(d->shown.insp, e->address),
		.file = line.file, .line = line.line, .column = line.column,
	};
	if (!same)
		json_set(j, "location", sources_source(d, place.module,
						       line.file));
	if (line.line)
		json_set(j, "line", json_i64(sources_line(d, line.line)));
	if (line.line && line.column)
		json_set(j, "column",
			 json_i64(sources_column(d, &place)));
	*last = line;
}

static struct json *
listing_json(const struct listing *l)
{
	struct json *list = json_array();
	struct line line = { 0 };

	for (size_t k = 0; k < l->n; k++) {
		const struct disasm_entry *e = &l->list.entries[l->skip + k];
		struct json *j = json_object();

		json_set(j, "address", json_addr(e->address));
		if (e->n_bytes)
			json_set(j, "instructionBytes", entry_bytes(e));
		json_set(j, "instruction", entry_text(l, e));
		if (l->names)
			entry_put_symbol(e, k ? e - 1 : NULL, j);
		entry_put_line(l->d, e, &line, j);
		if (e->kind != DISASM_CODE)
			json_set(j, "presentationHint",
				 json_string("invalid"));
		json_add(list, j);
	}
	return list;
}

/* ---- the request --------------------------------------------------------------- */
static struct err *
disassemble_where(const struct json *arguments, uint64_t *address,
		  int64_t *offset)
{
	static const struct arg_bounds bytes = { INT64_MIN, INT64_MAX, 0 };
	static const struct arg_bounds entries = { -OFFSET_MAX, OFFSET_MAX, 0 };
	int64_t n;

	struct err *err = arg_address(arguments, "memoryReference", address);
	if (!err)
		err = arg_number(arguments, "offset", &bytes, &n);
	if (!err)
		err = arg_number(arguments, "instructionOffset", &entries,
				 offset);
	if (err)
		return err;
	uint64_t sum = *address + (uint64_t)n;
	if (n < 0 ? sum > *address : sum < *address)
		return err_new(ERR_USAGE, "\"memoryReference\" and \"offset\" "
			       "lead out of the address space");
	*address = sum;
	return NULL;
}

struct err *
disassemble_answer(struct dap *d, const struct json *arguments,
		   struct json **body)
{
	static const struct arg_bounds counts = { 0, DISASM_ENTRIES_MAX, -1 };
	_arena_ struct arena *a = arena_new(0);
	_disasm_ struct disasm *decoder = NULL;
	struct listing l = { .d = d, .arena = a };
	uint64_t address = 0;
	int64_t n = 0, offset = 0;

	struct err *err = a ? disassemble_where(arguments, &address, &offset)
			    : err_nomem();
	if (!err)
		err = arg_number(arguments, "instructionCount", &counts, &n);
	if (!err && n < 0)
		err = err_new(ERR_USAGE, "\"instructionCount\" is needed");
	if (!err)
		err = disasm_new(insp_target(d->shown.insp)->process.machine,
				 DISASM_ATT, &decoder);
	if (err)
		return err;
	l.decoder = decoder;
	l.n = (size_t)n;
	l.names = json_is_true(json_get(arguments, "resolveSymbols"), false);
	err = listing_make(&l, address, offset);
	if (err)
		return err;
	*body = json_object();
	json_set(*body, "instructions", listing_json(&l));
	return NULL;
}
