/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The quick way up a stack. What a return address means - which row leads on
 * from it, or that a frame pointer has to - is found out once and kept; the
 * stack is read through a window. Whatever is not plain is left to unwind.c,
 * whose answer this one's has to be.
 */
#include <endian.h>
#include <string.h>

#include "inspect/unwind.h"
#include "inspect/walk.h"

#define SLOTS 2048u             /* a power of two */
#define WINDOW_SIZE 4096u

enum quick_kind {
	QUICK_EMPTY,
	QUICK_SLOW,             /* for unwind.c */
	QUICK_SP, QUICK_FP, QUICK_PLT,
	QUICK_CHAIN,            /* no table: by frame pointer */
};
enum answer { NOT_ASKED, YES, NO };
/** A return address, and how its frame is left. */
struct quick_slot {
	uint64_t pc;
	uint32_t module;
	int16_t cfa;
	int8_t fp;
	uint8_t kind;
	uint8_t returns;        /* can a call have put it there: enum answer */
	bool exact;             /* it is none, but where a frame is */
};
struct quick {
	struct quick_slot slots[SLOTS];
	uint64_t at;            /* of the window */
	size_t n;               /* bytes in it */
	struct snap_map stack;  /* the mapping that was asked for last */
	uint8_t window[WINDOW_SIZE];
};
/** The frame at hand. */
struct quick_frame {
	uint64_t pc, sp, fp;
	uint8_t how;
	bool exact;
};

struct err *
quick_begin(struct insp *i)
{
	if (!i->quick)
		i->quick = arena_alloc(i->arena, sizeof(*i->quick));
	if (!i->quick)
		return err_nomem();
	/* Somebody may have written to memory since. */
	i->quick->n = 0;
	return NULL;
}

/* ---- return addresses ---------------------------------------------------- */
static uint8_t
kind_of(const struct walk *w, uint64_t pc, const struct cfi_brief *row)
{
	static const uint8_t kinds[] = {
		[BRIEF_NONE] = QUICK_CHAIN, [BRIEF_SP] = QUICK_SP,
		[BRIEF_FP] = QUICK_FP, [BRIEF_PLT] = QUICK_PLT,
		[BRIEF_EXPRESSION] = QUICK_SLOW,
	};

	if (!walk_is_executable(w, pc) || walk_is_entry(w, pc)
	    || (row->kind == BRIEF_NONE && walk_is_trampoline(w, pc)))
		return QUICK_SLOW;
	return kinds[row->kind];
}

static void
fill_slot(const struct walk *w, uint64_t pc, bool exact,
	  struct quick_slot *out)
{
	struct cfi_brief row;
	uint64_t lookup = exact ? pc : pc - 1;
	size_t module = insp_module_at(w->insp, lookup);
	_err_ struct err *err = cfi_find_brief(w->insp, lookup, &row);

	*out = (struct quick_slot){
		.pc = pc, .module = (uint32_t)module,
		.kind = err ? QUICK_SLOW : kind_of(w, pc, &row),
		.cfa = row.cfa, .fp = row.fp, .exact = exact,
	};
	/* Before any call there are better ways, and doubts are for unwind.c. */
	if (out->kind == QUICK_CHAIN && (exact || !walk_owns_fp(w, pc)))
		out->kind = QUICK_SLOW;
}

static struct quick_slot *
slot_of(const struct walk *w, uint64_t pc, bool exact)
{
	uint64_t hash = (pc * 0x9e3779b97f4a7c15u) >> 32;
	struct quick_slot *s = &w->insp->quick->slots[hash & (SLOTS - 1)];

	if (s->pc != pc || s->exact != exact || s->kind == QUICK_EMPTY)
		fill_slot(w, pc, exact, s);
	return s;
}

/* Only those that a frame pointer leads to need to be asked. */
static bool
may_return(const struct walk *w, uint64_t pc)
{
	struct quick_slot *s = slot_of(w, pc, false);

	if (s->returns == NOT_ASKED)
		s->returns = walk_may_return(w, pc) ? YES : NO;
	return s->returns == YES;
}

/* ---- memory --------------------------------------------------------------- */
static bool
in_window(const struct quick *q, uint64_t addr)
{
	return addr - q->at < q->n && q->n - (addr - q->at) >= 8;
}

static bool
read_word(const struct walk *w, uint64_t addr, uint64_t *out)
{
	struct quick *q = w->insp->quick;

	if (!in_window(q, addr)) {
		q->at = addr;
		_err_ struct err *err = space_read_some(
			w->insp->space, addr, WINDOW_SIZE, q->window, &q->n);
		if (err)
			q->n = 0;
		if (!in_window(q, addr))
			return false;
	}
	memcpy(out, q->window + (addr - q->at), sizeof(*out));
	*out = le64toh(*out);
	return true;
}

static bool
in_stack(const struct walk *w, uint64_t sp, uint64_t fp)
{
	struct quick *q = w->insp->quick;

	if (sp - q->stack.start >= q->stack.end - q->stack.start) {
		const struct snap_map *map = space_map(w->insp->space, sp);
		if (!map)
			return false;
		q->stack = *map;
	}
	return fp >= sp && fp < q->stack.end && fp % 8 == 0;
}

/* ---- steps ---------------------------------------------------------------- */
/* By frame pointer: as step_frame_pointer() of unwind.c. */
static bool
step_chain(const struct walk *w, const struct quick_frame *f,
	   struct quick_frame *out)
{
	if (!in_stack(w, f->sp, f->fp) || !read_word(w, f->fp, &out->fp)
	    || !read_word(w, f->fp + 8, &out->pc))
		return false;
	out->sp = f->fp + 16;
	out->how = SNAP_FRAME_FP;
	return out->pc && may_return(w, out->pc);
}

static bool
step_row(const struct walk *w, const struct quick_frame *f,
	 const struct quick_slot *s, struct quick_frame *out)
{
	uint64_t cfa = (s->kind == QUICK_FP ? f->fp : f->sp)
		       + (uint64_t)(int64_t)s->cfa;

	if (s->kind == QUICK_PLT)
		cfa = f->sp + 8 + ((f->pc & 15) >= (uint64_t)s->cfa ? 8 : 0);
	out->sp = cfa;
	if (s->fp == BRIEF_LAST)
		return true;
	if (!read_word(w, cfa - 8, &out->pc))
		return false;
	out->fp = f->fp;
	if (s->fp != BRIEF_FP_SAME
	    && !read_word(w, cfa + (uint64_t)(8 * (int64_t)s->fp), &out->fp))
		return false;
	out->how = SNAP_FRAME_CFI;
	return out->pc != 0;
}

static bool
quick_step(const struct walk *w, const struct quick_frame *f,
	   struct quick_slot *s, struct quick_frame *out)
{
	*s = *slot_of(w, f->pc, f->exact);
	switch (s->kind) {
	case QUICK_SP:
	case QUICK_FP:
	case QUICK_PLT:
		return step_row(w, f, s, out)
		       && (s->fp == BRIEF_LAST || out->sp > w->cfa);
	case QUICK_CHAIN:
		return step_chain(w, f, out) && out->sp > w->cfa;
	default:
		return false;
	}
}

/* ---- the walk --------------------------------------------------------------- */
static bool
frame_of_step(const struct walk *w, const struct step *s,
	      struct quick_frame *out)
{
	const struct arch *arch = &w->arch->arch;
	const struct frame_regs *r = &s->caller;
	uint64_t wanted = 1ull << arch->pc | 1ull << arch->sp | 1ull << arch->fp;

	*out = (struct quick_frame){ r->value[arch->pc], r->value[arch->sp],
				     r->value[arch->fp], s->how, false };
	/* Where a register brings return addresses there is more to look at. */
	return (r->known & wanted) == wanted && s->flags == 0
	       && w->arch->ra == arch->pc;
}

static void
frame_to_step(const struct walk *w, const struct quick_frame *f,
	      struct step *s)
{
	const struct arch *arch = &w->arch->arch;

	*s = (struct step){ .how = f->how };
	s->caller.value[arch->pc] = f->pc;
	s->caller.value[arch->sp] = f->sp;
	s->caller.value[arch->fp] = f->fp;
	s->caller.known = 1ull << arch->pc | 1ull << arch->sp
			  | 1ull << arch->fp;
}

struct err *
quick_walk(struct walk *w, struct step *s, size_t max_frames, bool *exact)
{
	struct quick_frame f, next = { 0 };
	struct quick_slot slot;
	bool moved = false;

	if (!frame_of_step(w, s, &f))
		return NULL;
	f.exact = *exact;
	while (!w->done && w->frames.n < max_frames && quick_step(w, &f, &slot, &next)) {
		struct trace_frame *p = vec_add(&w->frames, w->arena, sizeof(*p));
		if (!p)
			return err_nomem();
		*p = (struct trace_frame){ .pc = f.pc, .cfa = next.sp, .how = f.how,
				     .module = slot.module };
		w->cfa = next.sp;
		w->done = slot.fp == BRIEF_LAST && slot.kind != QUICK_CHAIN;
		f = next;
		moved = true;
	}
	if (w->done)
		w->end = STACK_COMPLETE;
	/* Registers that nothing has changed stay known to the others. */
	if (moved) {
		frame_to_step(w, &f, s);
		*exact = false;
	}
	return NULL;
}
