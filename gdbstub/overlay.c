/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "monitor overlay": what this session wrote, over memory and registers. Each
 * session has its own, within one quota, and no other session sees it.
 */
#include "gdbstub/impl.h"
#include "inspect/overlay.h"

#include <inttypes.h>
#include <string.h>

#define ROWS_MAX 100u
#define BYTES_SHOWN 16u

void
overlay_lay(const struct stub *s)
{
	for (size_t k = 0; k < s->n_shown; k++)
		if (s->shown[k]->insp)
			insp_lay_over(s->shown[k]->insp, s->shown[k]->overlay);
}

void
overlay_lift(const struct stub *s)
{
	for (size_t k = 0; k < s->n_shown; k++)
		if (s->shown[k]->insp)
			insp_lay_over(s->shown[k]->insp, NULL);
}

/* ---- what a refused call wrote ------------------------------------------- */
void
overlay_before(struct stub *s, uint64_t addr, size_t n, const void *data,
	       struct replaced *out)
{
	struct inferior *f = stub_inferior(s);
	const struct overlay_piece *p = overlay_above(f->shown->overlay, addr);
	uint8_t value[sizeof(out->under)] = { 0 };

	memcpy(value, data, n);
	struct rd r = rd_of(value, sizeof(value));
	*out = (struct replaced){ .addr = addr, .value = rd_u64(&r),
				  .n = (uint8_t)n };
	_err_ struct err *err = space_read(insp_space(f->insp), addr, n,
					   out->under);
	out->fresh = err || !p || p->start >= addr + n;
}

void
overlay_undo(struct stub *s, const struct replaced *r)
{
	struct inferior *f = stub_inferior(s);

	/* Without memory for it the bytes stay, below the end of the stack. */
	err_free(r->fresh
		 ? overlay_forget(f->shown->overlay, r->addr, r->n)
		 : space_write(insp_space(f->insp), r->addr, r->n, r->under));
}

bool
overlay_shared(const struct stub *s)
{
	return s->options.overlay && !s->options.aside;
}

/* ---- what there is ------------------------------------------------------ */
static uint64_t
piece_bytes(const struct overlay *o)
{
	size_t n;
	const struct overlay_piece *p = overlay_pieces(o, &n);
	uint64_t sum = 0;

	for (size_t k = 0; k < n; k++)
		sum += p[k].n;
	return sum;
}

static struct err *
show_sum(struct stub *s, struct buf *out)
{
	const struct overlay *o = stub_inferior(s)->shown->overlay;
	size_t pieces, regs;

	overlay_pieces(o, &pieces);
	overlay_regs(o, &regs);
	if (!pieces && !regs)
		buf_puts(out, "nothing was written in this session\n");
	else
		buf_printf(out, "written in this session, and nowhere else: "
			   "%" PRIu64 " bytes of memory in %zu places, %zu "
			   "registers; see monitor overlay list\n",
			   piece_bytes(o), pieces, regs);
	if (!s->options.overlay)
		buf_printf(out, "%" PRIu64 " KiB of %u MiB are used\n",
			   (s->written + 1023) >> 10, OVERLAY_BYTES_MAX >> 20);
	if (overlay_shared(s))
		buf_puts(out, "others share it. What they write gdb shows "
			 "once it has read anew: say stepi, which moves "
			 "nothing, or first of all set stack-cache off and set "
			 "code-cache off, and for registers maintenance flush "
			 "register-cache\n");
	return NULL;
}

static void
put_bytes(const uint8_t *bytes, size_t n, struct buf *out)
{
	buf_hex(out, bytes, n < BYTES_SHOWN ? n : BYTES_SHOWN);
	buf_puts(out, n > BYTES_SHOWN ? "..." : "");
}

/* What is known of an address: "x+0x4", or the mapping it is in. */
static void
put_whereabouts(struct insp *i, uint64_t addr, struct buf *out)
{
	struct symbol symbol;
	struct region r;
	_err_ struct err *err = insp_symbol(i, addr, &symbol);

	if (!err && symbol.name) {
		buf_puts(out, " (");
		buf_escape(out, symbol.name, strlen(symbol.name));
		buf_printf(out, "+0x%" PRIx64 ")", addr - symbol.address);
		return;
	}
	space_region(insp_space(i), addr, &r);
	if (!r.map || !r.map->path)
		return;
	buf_puts(out, " (");
	buf_escape(out, r.map->path, strlen(r.map->path));
	buf_putc(out, ')');
}

/* What was written, and what is below; the session's overlay is lifted. */
static void
put_piece(struct insp *i, const struct overlay_piece *p, struct buf *out)
{
	size_t n = p->n < BYTES_SHOWN ? p->n : BYTES_SHOWN;
	uint8_t below[BYTES_SHOWN];

	buf_printf(out, "0x%" PRIx64, p->start);
	put_whereabouts(i, p->start, out);
	buf_printf(out, " %zu bytes: ", p->n);
	put_bytes(p->bytes, p->n, out);
	_err_ struct err *err = space_read(insp_space(i), p->start, n, below);
	buf_puts(out, err ? ", not captured\n" : ", captured as ");
	if (err)
		return;
	put_bytes(below, n, out);
	buf_puts(out, p->n > n ? "...\n" : "\n");
}

static void
put_reg(const struct inferior *f, const struct overlay_reg *r, struct buf *out)
{
	size_t n;
	const struct reg *reg = &insp_regs(f->insp, &n)[r->reg];
	uint8_t below[REG_BYTES_MAX];
	bool known = false;

	buf_printf(out, "thread %" PRIu64 " %s: ", f->tids[r->thread],
		   reg->name);
	buf_hex(out, r->bytes, reg->bits / 8);
	_err_ struct err *err = insp_reg_read(f->insp, r->thread, r->reg,
					      below, &known);
	buf_puts(out, known && !err ? ", captured as " : ", not captured");
	if (known && !err)
		buf_hex(out, below, reg->bits / 8);
	buf_putc(out, '\n');
}

static struct err *
show_list(struct stub *s, struct buf *out)
{
	struct inferior *f = stub_inferior(s);
	size_t n_pieces, n_regs, left = ROWS_MAX;
	const struct overlay_piece *p = overlay_pieces(f->shown->overlay, &n_pieces);
	const struct overlay_reg *r = overlay_regs(f->shown->overlay, &n_regs);

	overlay_lift(s);
	for (size_t k = 0; k < n_pieces && left; k++, left--)
		put_piece(f->insp, &p[k], out);
	for (size_t k = 0; k < n_regs && left; k++, left--)
		put_reg(f, &r[k], out);
	overlay_lay(s);
	if (n_pieces + n_regs > ROWS_MAX)
		buf_printf(out, "and %zu more\n", n_pieces + n_regs - ROWS_MAX);
	if (n_pieces + n_regs == 0)
		buf_puts(out, "nothing was written in this session\n");
	return NULL;
}

/* ---- giving it up --------------------------------------------------------- */
/* A client does not ask again for what it has read: it has to be told. */
static struct err *
discard(struct stub *s, struct buf *out)
{
	overlay_discard(stub_inferior(s)->shown->overlay);
	s->pushed_by = 0;
	buf_puts(out, "all is as captured again. A debugger may still show "
		 "what it has read before: in gdb say stepi, which moves "
		 "nothing, or maintenance flush register-cache and "
		 "maintenance flush dcache\n");
	return NULL;
}

struct err *
overlay_verb(struct stub *s, const char *argument, struct buf *out)
{
	static const struct {
		const char *name;
		struct err *(*run)(struct stub *s, struct buf *out);
	} kinds[] = {
		{ "", show_sum }, { "list", show_list }, { "discard", discard },
	};

	for (size_t k = 0; k < countof(kinds); k++)
		if (strcmp(argument, kinds[k].name) == 0)
			return kinds[k].run(s, out);
	return err_new(ERR_USAGE, "monitor overlay takes list, discard or "
		       "nothing");
}
