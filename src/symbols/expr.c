/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Expressions of DWARF, written so that nothing in them leads out of the index:
 * addresses for indices, types and variables of the index for offsets, and
 * what is called in place of calls. symbols.h says how they look then.
 */
#include <stdlib.h>

#include "symbols/make.h"

#define CALLS_MAX 8u
#define OPS_MAX 4096u
#define BYTES_MAX (64u << 10)

/** Operands of an operation. */
enum operands {
	NO = 0, NONE, U1, U2, U4, U8, ADDR, ULEB, SLEB, ULEB_SLEB, ULEB_ULEB,
	BLOCK, BRANCH, ADDRX, CONSTX, TYPE, REGISTER_TYPE, SIZE_TYPE,
	TYPE_BLOCK, INNER, CALL2, CALL4, CALL_REF, VARIABLE, VARIABLE_SLEB,
	PARAMETER,
};
static const uint8_t operands_of[256] = {
	[DW_OP_addr] = ADDR, [DW_OP_deref] = NONE, [DW_OP_const1u] = U1,
	[DW_OP_const1s] = U1, [DW_OP_const2u] = U2, [DW_OP_const2s] = U2,
	[DW_OP_const4u] = U4, [DW_OP_const4s] = U4, [DW_OP_const8u] = U8,
	[DW_OP_const8s] = U8, [DW_OP_constu] = ULEB, [DW_OP_consts] = SLEB,
	[DW_OP_dup ... DW_OP_over] = NONE, [DW_OP_pick] = U1,
	[DW_OP_swap ... DW_OP_plus] = NONE, [DW_OP_plus_uconst] = ULEB,
	[DW_OP_shl ... DW_OP_xor] = NONE, [DW_OP_bra] = BRANCH,
	[DW_OP_eq ... DW_OP_ne] = NONE, [DW_OP_skip] = BRANCH,
	[DW_OP_lit0 ... DW_OP_reg31] = NONE,
	[DW_OP_breg0 ... DW_OP_breg31] = SLEB, [DW_OP_regx] = ULEB,
	[DW_OP_fbreg] = SLEB, [DW_OP_bregx] = ULEB_SLEB,
	[DW_OP_piece] = ULEB, [DW_OP_deref_size] = U1,
	[DW_OP_xderef_size] = U1, [DW_OP_nop] = NONE,
	[DW_OP_push_object_address] = NONE, [DW_OP_call2] = CALL2,
	[DW_OP_call4] = CALL4, [DW_OP_call_ref] = CALL_REF,
	[DW_OP_form_tls_address] = NONE, [DW_OP_call_frame_cfa] = NONE,
	[DW_OP_bit_piece] = ULEB_ULEB, [DW_OP_implicit_value] = BLOCK,
	[DW_OP_stack_value] = NONE, [DW_OP_implicit_pointer] = VARIABLE_SLEB,
	[DW_OP_addrx] = ADDRX, [DW_OP_constx] = CONSTX,
	[DW_OP_entry_value] = INNER, [DW_OP_const_type] = TYPE_BLOCK,
	[DW_OP_regval_type] = REGISTER_TYPE, [DW_OP_deref_type] = SIZE_TYPE,
	[DW_OP_xderef_type] = SIZE_TYPE, [DW_OP_convert] = TYPE,
	[DW_OP_reinterpret] = TYPE, [DW_OP_GNU_push_tls_address] = NONE,
	[DW_OP_GNU_uninit] = NONE, [DW_OP_GNU_implicit_pointer]
		= VARIABLE_SLEB, [DW_OP_GNU_entry_value] = INNER,
	[DW_OP_GNU_const_type] = TYPE_BLOCK,
	[DW_OP_GNU_regval_type] = REGISTER_TYPE,
	[DW_OP_GNU_deref_type] = SIZE_TYPE, [DW_OP_GNU_convert] = TYPE,
	[DW_OP_GNU_reinterpret] = TYPE, [DW_OP_GNU_parameter_ref] = PARAMETER,
	[DW_OP_GNU_addr_index] = ADDRX, [DW_OP_GNU_const_index] = CONSTX,
	[DW_OP_GNU_variable_value] = VARIABLE,
};

/** Where an operation was, and where it is. */
struct moved {
	uint32_t from, to;
	uint16_t branch;                /* it is one: where its operand goes… */
	bool is_branch;
};
struct writing {
	const struct expr_place *at;
	struct dw_unit *unit;
	struct cur c;
	const uint8_t *start;
	struct buf out, moves;
	unsigned calls;
};

static bool write_all(struct writing *w);

/* ---- operands -------------------------------------------------------------- */
static bool
write_address(struct writing *w, uint8_t op, uint64_t v)
{
	buf_putc(&w->out, (char)op);
	buf_u64(&w->out, v);
	return true;
}

static bool
write_indexed(struct writing *w, uint8_t op)
{
	uint64_t v;

	return dw_indexed_address(w->unit, cur_uleb(&w->c), &v)
	       && write_address(w, op, v);
}

/* 0 is the generic type in DWARF, too (2.5.1). */
static bool
write_type(struct writing *w, uint64_t offset)
{
	if (!offset) {
		put_uleb(&w->out, 0);
		return true;
	}
	uint32_t type = offset < w->unit->size
			? types_at(w->at->m, w->unit, (uint32_t)offset)
			: SYM_NONE;
	put_uleb(&w->out, (uint64_t)type + 1);
	return type != SYM_NONE;
}

static void
write_block(struct writing *w, uint64_t n)
{
	const uint8_t *at = cur_bytes(&w->c, n);

	put_uleb(&w->out, n);
	if (at)
		buf_put(&w->out, at, (size_t)n);
}

/* What another file tells has no place in this body. */
static bool
find_entry(struct writing *w, uint64_t place, struct dw_unit **u,
	   uint32_t *offset)
{
	*u = dw_unit_at(w->unit->file, place);
	if (*u)
		*offset = (uint32_t)(place - (*u)->start);
	return *u != NULL;
}

static uint64_t
read_ref(struct writing *w)
{
	return cur_uint(&w->c, w->unit->version <= 2 ? w->unit->address_size
			: w->unit->offset_size);
}

static bool
write_variable(struct writing *w)
{
	struct dw_unit *u;
	uint32_t offset;

	if (!w->at->variable || !find_entry(w, read_ref(w), &u, &offset))
		return false;
	put_uleb(&w->out, w->at->variable(w->at->arg, u, offset));
	return true;
}

/* DWARF tells the parameter of the function that is called (GNU). */
static bool
write_parameter(struct writing *w)
{
	uint32_t offset = cur_u32(&w->c);

	if (!w->at->variable)
		return false;
	put_uleb(&w->out, w->at->variable(w->at->arg, w->unit, offset));
	return true;
}

/* An expression in an expression: its length stands before it. */
static bool
write_inner(struct writing *w)
{
	uint64_t n = cur_uleb(&w->c);
	const uint8_t *at = cur_bytes(&w->c, n);
	struct writing inner = *w;
	bool fine;

	if (!at || w->calls == CALLS_MAX)
		return false;
	inner.calls++;
	inner.c = cur_of(at, (size_t)n);
	inner.c.big = w->c.big;
	inner.start = at;
	inner.out = inner.moves = (struct buf){ 0 };
	fine = write_all(&inner);
	put_uleb(&w->out, inner.out.len);
	buf_put(&w->out, inner.out.data, inner.out.len);
	buf_fini(&inner.out);
	buf_fini(&inner.moves);
	return fine;
}

/* What has no location calls nothing (2.5.1.5). */
static bool
write_called(struct writing *w, struct dw_unit *u, uint32_t offset)
{
	struct dw_die die;
	const struct dw_value *v = &die.at[AT_LOCATION];

	if (!dw_read(u, offset, &die) || !die.tag)
		return false;
	if (!dw_has(&die, AT_LOCATION))
		return true;
	if (!dw_is_block(v) || w->calls == CALLS_MAX)
		return false;
	struct writing called = *w;
	called.calls++;
	called.unit = u;
	called.c = cur_of(v->at, (size_t)v->u);
	called.c.big = w->c.big;
	called.start = v->at;
	called.out = called.moves = (struct buf){ 0 };
	bool fine = write_all(&called);
	buf_put(&w->out, called.out.data, called.out.len);
	buf_fini(&called.out);
	buf_fini(&called.moves);
	return fine;
}

/* ---- operations ----------------------------------------------------------------- */
static bool
write_odd(struct writing *w, uint8_t op, enum operands kind)
{
	struct dw_unit *u;
	uint32_t offset;

	switch (kind) {
	case ADDRX:
		return write_indexed(w, DW_OP_addr);
	case CONSTX:
		return write_indexed(w, DW_OP_const8u);
	case CALL2:
		return write_called(w, w->unit, cur_u16(&w->c));
	case CALL4:
		return write_called(w, w->unit, cur_u32(&w->c));
	case CALL_REF:
		return find_entry(w, read_ref(w), &u, &offset)
		       && write_called(w, u, offset);
	default:
		break;
	}
	buf_putc(&w->out, (char)op);
	switch (kind) {
	case TYPE:
		return write_type(w, cur_uleb(&w->c));
	case REGISTER_TYPE:
		put_uleb(&w->out, cur_uleb(&w->c));
		return write_type(w, cur_uleb(&w->c));
	case SIZE_TYPE:
		buf_putc(&w->out, (char)cur_u8(&w->c));
		return write_type(w, cur_uleb(&w->c));
	case TYPE_BLOCK:
		if (!write_type(w, cur_uleb(&w->c)))
			return false;
		uint8_t n = cur_u8(&w->c);
		const uint8_t *at = cur_bytes(&w->c, n);
		buf_putc(&w->out, (char)n);
		if (at)
			buf_put(&w->out, at, n);
		return at != NULL;
	case INNER:
		return write_inner(w);
	case VARIABLE:
		return write_variable(w);
	case VARIABLE_SLEB:
		if (!write_variable(w))
			return false;
		put_sleb(&w->out, cur_sleb(&w->c));
		return true;
	case PARAMETER:
		return write_parameter(w);
	default:
		return false;
	}
}

static void
write_number(struct writing *w, uint8_t op, unsigned size)
{
	uint64_t v = cur_uint(&w->c, size);

	buf_putc(&w->out, (char)op);
	for (unsigned k = 0; k < size; k++)
		buf_putc(&w->out, (char)(v >> 8 * k));
}

static bool
write_op(struct writing *w)
{
	uint8_t op = cur_u8(&w->c);
	enum operands kind = operands_of[op];
	struct moved *m;

	switch (kind) {
	case NO:
		return false;
	case NONE:
		buf_putc(&w->out, (char)op);
		return true;
	case U1:
	case U2:
	case U4:
	case U8:
		write_number(w, op, 1u << (kind - U1));
		return true;
	case ADDR:
		return write_address(w, op, cur_uint(&w->c,
						     w->unit->address_size));
	case ULEB:
	case ULEB_ULEB:
	case ULEB_SLEB:
	case SLEB:
		buf_putc(&w->out, (char)op);
		if (kind != SLEB)
			put_uleb(&w->out, cur_uleb(&w->c));
		if (kind == ULEB_ULEB)
			put_uleb(&w->out, cur_uleb(&w->c));
		if (kind == ULEB_SLEB || kind == SLEB)
			put_sleb(&w->out, cur_sleb(&w->c));
		return true;
	case BLOCK:
		buf_putc(&w->out, (char)op);
		write_block(w, cur_uleb(&w->c));
		return true;
	case BRANCH:
		m = (struct moved *)(void *)(w->moves.data + w->moves.len) - 1;
		m->is_branch = true;
		m->branch = cur_u16(&w->c);
		buf_putc(&w->out, (char)op);
		buf_u16(&w->out, 0);
		return true;
	default:
		return write_odd(w, op, kind);
	}
}

/* ---- branches --------------------------------------------------------------------- */
static bool
find_move(const struct moved *all, size_t n, int64_t from, uint32_t *to)
{
	for (size_t k = 0; k < n; k++)
		if (all[k].from == from) {
			*to = all[k].to;
			return true;
		}
	return false;
}

static bool
turn_branches(struct writing *w)
{
	struct moved *all = (struct moved *)(void *)w->moves.data;
	size_t n = w->moves.len / sizeof(*all);
	uint32_t to;

	for (size_t k = 0; k + 1 < n; k++) {
		if (!all[k].is_branch)
			continue;
		int64_t distance, target = (int64_t)all[k].from + 3
					   + (int16_t)all[k].branch;
		if (!find_move(all, n, target, &to))
			return false;
		distance = (int64_t)to - (all[k].to + 3);
		if (distance != (int16_t)distance)
			return false;
		w->out.data[all[k].to + 1] = (char)(distance & 0xff);
		w->out.data[all[k].to + 2] = (char)(distance >> 8 & 0xff);
	}
	return true;
}

static void
note_move(struct writing *w)
{
	struct moved m = {
		.from = (uint32_t)(w->c.p - w->start),
		.to = (uint32_t)w->out.len,
	};

	buf_put(&w->moves, &m, sizeof(m));
}

static bool
write_all(struct writing *w)
{
	for (unsigned n = 0; cur_left(&w->c); n++) {
		note_move(w);
		if (n == OPS_MAX || w->out.len > BYTES_MAX || w->moves.failed
		    || !write_op(w) || w->c.failed)
			return false;
	}
	note_move(w);
	return !w->moves.failed && !w->out.failed && turn_branches(w);
}

/* ---- short ones ---------------------------------------------------------------------- */
/* Most are a register or a place in the frame, and stay as they are. */
static bool
is_plain(struct span expr)
{
	const uint8_t *p = expr.data;

	if (!expr.n)
		return true;
	if (p[0] >= DW_OP_reg0 && p[0] <= DW_OP_reg31)
		return expr.n == 1;
	if ((p[0] < DW_OP_breg0 || p[0] > DW_OP_breg31)
	    && p[0] != DW_OP_fbreg)
		return false;
	struct cur c = cur_of(p + 1, expr.n - 1);
	cur_sleb(&c);
	return !c.failed && !cur_left(&c);
}

void
expr_put(const struct expr_place *at, struct dw_unit *u, struct span expr,
	 struct buf *out)
{
	struct writing w = {
		.at = at, .unit = u, .c = cur_of(expr.data, expr.n),
		.start = expr.data,
	};

	w.c.big = u->file->big;
	if (is_plain(expr)) {
		put_uleb(out, expr.n);
		if (expr.n)
			buf_put(out, expr.data, expr.n);
		return;
	}
	if (write_all(&w)) {
		put_uleb(out, w.out.len);
		buf_put(out, w.out.data, w.out.len);
	} else {
		put_uleb(out, 1);
		buf_putc(out, (char)0xff);
	}
	buf_fini(&w.out);
	buf_fini(&w.moves);
}

bool
expr_is_thread_local(struct span expr)
{
	const uint8_t *p = expr.data;

	return expr.n > 1 && (p[expr.n - 1] == DW_OP_form_tls_address
			      || p[expr.n - 1] == DW_OP_GNU_push_tls_address);
}

bool
expr_is_variable(struct dw_unit *u, struct span expr, struct dw_unit **unit,
		 uint32_t *offset)
{
	struct cur c = cur_of(expr.data, expr.n);

	c.big = u->file->big;
	if (cur_u8(&c) != DW_OP_GNU_variable_value)
		return false;
	uint64_t place = cur_uint(&c, u->version <= 2 ? u->address_size
				  : u->offset_size);
	*unit = c.failed || cur_left(&c) ? NULL : dw_unit_at(u->file, place);
	if (*unit)
		*offset = (uint32_t)(place - (*unit)->start);
	return *unit != NULL;
}
