/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "inquest/describeAddress": what is at an address: mapping, module, symbol,
 * line, whose stack it is and in which frame, and which variable it is in.
 */
#include "base/cut.h"
#include "dap/describe.h"
#include "inspect/indexed.h"

#include <string.h>

#define RED_ZONE 128u           /* bytes below sp that are in use: ABI, 3.2.2 */

/* ---- in short --------------------------------------------------------------------- */
static void
put_offset(struct buf *out, uint64_t offset)
{
	if (offset)
		buf_printf(out, "+0x%llx", (unsigned long long)offset);
}

static const char *
mapping_name(struct insp *i, const struct map_names *names, uint64_t address)
{
	struct region r;

	space_region(insp_space(i), address, &r);
	return r.map ? map_name(names, r.map) : "";
}

void
describe_put_place(struct dap *d, const struct map_names *names,
		   uint64_t address, struct buf *out)
{
	struct insp *i = d->shown.insp;
	size_t n, module = insp_module_at(i, address);
	const struct snap_module *m = insp_modules(i, &n);
	struct symbol symbol;
	bool asked;

	if (module >= n || !m[module].path) {
		buf_puts(out, cut_base(mapping_name(i, names, address)));
		return;
	}
	buf_puts(out, cut_base(m[module].path));
	put_offset(out, address - m[module].start);
	/* No index is made, or fetched, for the sake of a row in a list. */
	(void)insp_index_known(i, module, &asked);
	if (!asked)
		return;
	_err_ struct err *none = insp_symbol(i, address, &symbol);
	if (none)
		return;
	buf_printf(out, " <%s", symbol.name);
	put_offset(out, address - symbol.address);
	buf_putc(out, '>');
}

/* ---- mapping, module, symbol, line ---------------------------------------------------- */
static void
put_mapping(struct description *x)
{
	struct map_piece p;

	insp_map_names(x->insp, &x->names);
	if (!insp_piece_above(x->insp, x->address, &p) || p.start > x->address)
		return;
	/* Its state is that of the address. */
	x->map = p.map;
	if (p.map) {
		p.start = p.map->start;
		p.end = p.map->end;
	}
	json_set(x->body, "region", maps_range(&x->names, &p));
}

static void
put_module(struct description *x)
{
	size_t n;
	const struct snap_module *m = insp_modules(x->insp, &n);
	struct json *j;

	x->module = insp_module_at(x->insp, x->address);
	if (x->module >= n)
		return;
	m += x->module;
	j = json_object();
	json_set(j, "id", modules_id(x->d, x->module));
	if (m->path)
		json_set(j, "name", json_string(cut_base(m->path)));
	json_set(j, "offset", json_addr(x->address - m->start));
	json_set(x->body, "module", j);
}

static void
put_symbol(struct description *x)
{
	struct json *j;

	_err_ struct err *none = insp_symbol(x->insp, x->address, &x->symbol);
	if (none)
		return;
	x->has_symbol = true;
	j = json_object();
	json_set(j, "name", json_string(x->symbol.name));
	json_set(j, "address", json_addr(x->symbol.address));
	json_set(j, "offset", json_addr(x->address - x->symbol.address));
	if (x->symbol.size)
		json_set(j, "size", json_integer(x->symbol.size, false));
	json_set(x->body, "symbol", j);
}

static void
put_line(struct description *x)
{
	struct line line = { 0 };

	_err_ struct err *none = insp_line(x->insp, x->address, &line);
	if (none || !line.file || !line.line)
		return;
	json_set(x->body, "source", sources_source(x->d, x->module, line.file));
	json_set(x->body, "line", json_i64(sources_line(x->d, line.line)));
}

/* ---- whose stack ----------------------------------------------------------------------- */
static bool
in_mapping(const struct description *x, uint64_t address)
{
	return x->map && x->map->start <= address && address < x->map->end;
}

/* Stacks grow downwards: of those that have theirs in the same mapping, the
 * thread whose sp is nearest. */
static bool
find_thread(struct description *x)
{
	const struct target *t = insp_target(x->insp);
	const unsigned sp = insp_arch(x->insp)->sp;
	uint64_t nearest = UINT64_MAX;

	for (size_t k = 0; k < t->n_threads && x->map; k++) {
		struct frame_regs regs;
		_err_ struct err *none = insp_frame_regs(x->insp, k, &regs);

		if (none || !(regs.known >> sp & 1)
		    || !in_mapping(x, regs.value[sp]))
			continue;
		uint64_t distance = x->address + RED_ZONE - regs.value[sp];
		if (distance >= nearest)
			continue;
		nearest = distance;
		x->at.thread = k;
		x->sp = regs.value[sp];
	}
	return nearest <= x->map->end - x->map->start + RED_ZONE;
}

/* A frame reaches up to its CFA; what is in it was inlined, or is its own. */
static void
find_frame(struct description *x, const struct view *v)
{
	uint64_t low = x->sp - RED_ZONE;
	size_t first = 0;

	for (size_t k = 0; k < v->n; k++) {
		const struct snap_frame *f = &v->frames[k];

		if (!snap_frame_has_stack(f))
			continue;
		if (f->cfa && in_mapping(x, f->cfa - 1)
		    && low <= x->address && x->address < f->cfa) {
			x->has_frame = true;
			x->first_row = first;
			x->at.frame = k;
			return;
		}
		if (!f->cfa)
			return;
		low = f->cfa;
		first = k + 1;
	}
}

static struct err *
put_stack(struct description *x)
{
	struct stack_shown *s;
	struct json *j;

	if (!x->map || !find_thread(x))
		return NULL;
	struct err *err = stack_of(x->d, x->at.thread, &s);
	if (err)
		return err;
	find_frame(x, &s->view);
	/* Of what has no frame only the kernel says that it is a stack: others
	 * may be in one mapping with the heap. */
	x->has_thread = x->has_frame
			|| strcmp(map_name(&x->names, x->map), "[stack]") == 0;
	if (!x->has_thread)
		return NULL;
	j = json_object();
	json_set(j, "threadId", json_i64(stack_thread_id(x->d, x->at.thread)));
	if (x->has_frame) {
		const struct snap_frame *f = &s->view.frames[x->at.frame];

		x->function = f->function;
		json_set(j, "frameId", json_i64(stack_frame_id(x->d, x->at)));
		json_set(j, "frame", json_u64(x->at.frame));
		if (f->function)
			json_set(j, "function", json_string(f->function));
	}
	json_set(x->body, "stack", j);
	return NULL;
}

/* ---- a sentence --------------------------------------------------------------------------- */
static void
put_sentence_stack(const struct description *x, struct buf *out)
{
	buf_printf(out, "stack of thread %lld",
		   (long long)stack_thread_id(x->d, x->at.thread));
	if (x->has_frame)
		buf_printf(out, ", #%zu %s", x->at.frame,
			   x->function ? x->function : "?");
}

static void
put_sentence(struct description *x)
{
	_buf_ struct buf text = { 0 };

	if (x->has_thread)
		put_sentence_stack(x, &text);
	else
		describe_put_place(x->d, &x->names, x->address, &text);
	if (x->owner.len)
		buf_printf(&text, "%s`%s`", text.len ? " " : "",
			   x->owner.data);
	if (!text.len)
		buf_puts(&text, json_get(x->body, "region") ? "mapped"
			 : "not mapped");
	json_set(x->body, "text", json_string(text.failed ? NULL : text.data));
}

/* ---- the request ------------------------------------------------------------------- */
struct err *
describe_address(struct dap *d, uint64_t address, struct json **body)
{
	_arena_ struct arena *a = arena_new(0);
	struct description x = { .d = d, .insp = d->shown.insp, .arena = a,
				 .address = address };

	if (!a)
		return err_nomem();
	x.body = *body = json_object();
	json_set(x.body, "address", json_addr(x.address));
	put_mapping(&x);
	put_module(&x);
	put_symbol(&x);
	put_line(&x);
	struct err *err = put_stack(&x);
	if (!err)
		err = owner_put(&x);
	put_sentence(&x);
	buf_fini(&x.owner);
	return err;
}

struct err *
describe_answer(struct dap *d, const struct json *arguments,
		struct json **body)
{
	uint64_t address;

	struct err *err = arg_address(arguments, "address", &address);
	return err ? err : describe_address(d, address, body);
}
