/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stacks: call frame information where there is some, else what the code at
 * the pc or a plausible frame pointer tells, else an honest end.
 *
 * The stack address of frames must grow. It may jump elsewhere a few times
 * (a signal handler on an alternate stack, a function that switches stacks),
 * so no memory contents can keep the walk going in a circle.
 */
#include <elf.h>
#include <string.h>

#include "inspect/arch.h"
#include "inspect/impl.h"
#include "inspect/unwind.h"
#include "inspect/walk.h"

#define SWITCHES_MAX 16u
#define ENTRY_SIZE 64u          /* the C library's _start is not longer */
#define CALL_BYTES 7u           /* the longest call instruction */
#define TRAMPOLINE_MAX 16u
#define LEAF_SIZE 256u          /* of a leaf without a name, at most */
#define FRAME_CODE_MAX 1024u    /* where a function sets its frame pointer */
#define LINK_CODE_MAX 1024u     /* of a function that keeps no frame */

/* ---- the walk's end: these return false, for "no further" --------------- */
static bool
ended(struct walk *w)
{
	w->end = STACK_COMPLETE;
	w->why = NULL;
	return false;
}

_printf_(2, 3) static bool
stuck(struct walk *w, const char *fmt, ...)
{
	_buf_ struct buf b = { 0 };
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&b, fmt, ap);
	va_end(ap);
	w->end = STACK_TRUNCATED;
	w->why = arena_strdup(w->arena, b.data ? b.data : "");
	return false;
}

/* ---- what is plausible -------------------------------------------------- */
static uint64_t
value_of(const struct frame_regs *r, unsigned number)
{
	return r->value[number];
}

static bool
knows(const struct frame_regs *r, unsigned number)
{
	return r->known >> number & 1;
}

static void
set_reg(struct frame_regs *r, unsigned number, uint64_t value)
{
	r->value[number] = value;
	r->known |= 1ull << number;
}

bool
walk_is_executable(const struct walk *w, uint64_t addr)
{
	const struct snap_map *map = space_map(w->insp->space, addr);

	if (map)
		return map->perm & SNAP_PERM_X;
	return insp_module_at(w->insp, addr) != INSP_NONE;
}

static bool
same_mapping(const struct walk *w, uint64_t a, uint64_t b)
{
	const struct snap_map *map = space_map(w->insp->space, a);

	return map && map == space_map(w->insp->space, b);
}

bool
walk_is_trampoline(const struct walk *w, uint64_t pc)
{
	struct span t = w->arch->trampoline;
	uint8_t code[TRAMPOLINE_MAX];

	_err_ struct err *err = space_read(w->insp->space, pc, t.n, code);
	return !err && memcmp(code, t.data, t.n) == 0;
}

enum verdict { NO, UNKNOWN, YES };
/* Did a call put this return address on the stack - as far as its text is
 * here to be read? A handler's was put there by the kernel. */
static enum verdict
follows_call(const struct walk *w, uint64_t pc, uint64_t *target)
{
	uint8_t code[CALL_BYTES];

	*target = 0;
	if (!walk_is_executable(w, pc) || pc < CALL_BYTES)
		return NO;
	_err_ struct err *err = space_read(w->insp->space, pc - CALL_BYTES,
					   CALL_BYTES, code);
	if (err)
		return UNKNOWN;
	return w->arch->is_call(code, CALL_BYTES, pc, target)
	       || walk_is_trampoline(w, pc) ? YES : NO;
}

bool
walk_may_return(const struct walk *w, uint64_t ra)
{
	uint64_t target;

	return follows_call(w, ra, &target) != NO;
}

/* ---- ways to step, best first; false = this way leads nowhere ----------- */
static bool
step_cfi(struct walk *w, const struct frame *f, uint64_t lookup,
	 struct step *out, struct err **err)
{
	struct cfi_step cfi = { 0 };

	*err = cfi_unwind(w->insp, lookup, &f->regs, &cfi);
	w->lost_cfa = *err ? cfi.cfa : 0;
	if (*err)
		return false;
	out->caller = cfi.caller;
	out->cfa = cfi.cfa;
	out->signal = cfi.signal;
	out->how = SNAP_FRAME_CFI;
	if (cfi.outermost)
		out->caller.known = 0;
	return true;
}

static bool
step_trampoline(struct walk *w, const struct frame *f, struct step *out)
{
	unsigned sp = w->arch->arch.sp;

	if (!knows(&f->regs, sp) || !walk_is_trampoline(w, f->pc))
		return false;
	_err_ struct err *err = w->arch->signal_regs(
		w->insp->space, value_of(&f->regs, sp), &out->caller);
	if (err)
		return false;
	out->cfa = value_of(&out->caller, sp);
	out->signal = true;
	out->how = SNAP_FRAME_CFI;
	return true;
}

/* The return address is @slot bytes above the stack pointer; what the callee
 * has to preserve it has not touched yet, or has put back. */
static bool
step_slot(struct walk *w, const struct frame *f, unsigned slot,
	  struct step *out)
{
	const struct arch *arch = &w->arch->arch;
	uint64_t sp = value_of(&f->regs, arch->sp), ra, fp, target;

	if (!knows(&f->regs, arch->sp))
		return false;
	_err_ struct err *no_ra = space_u64(w->insp->space, sp + slot, &ra);
	if (no_ra || follows_call(w, ra, &target) == NO)
		return false;
	out->caller = f->regs;
	out->caller.known &= w->arch->preserved;
	if (slot) {
		_err_ struct err *no_fp = space_u64(w->insp->space, sp, &fp);
		if (no_fp)
			return false;
		set_reg(&out->caller, arch->fp, fp);
	}
	out->cfa = sp + slot + 8;
	set_reg(&out->caller, arch->pc, ra);
	set_reg(&out->caller, arch->sp, out->cfa);
	out->how = SNAP_FRAME_FP;
	return true;
}

/* A prologue or epilogue, where the frame pointer is not this frame's. */
static bool
step_prologue(struct walk *w, const struct frame *f, struct step *out)
{
	uint8_t code[8];

	if (f->pc < 4)
		return false;
	_err_ struct err *err = space_read(w->insp->space, f->pc - 4,
					   sizeof(code), code);
	int slot = err ? -1 : w->arch->return_slot(code, code + 4);
	return slot >= 0 && step_slot(w, f, (unsigned)slot, out);
}

/* ---- return addresses in a register --------------------------------------- */
static bool
has_link(const struct walk *w)
{
	return w->arch->ra != w->arch->arch.pc;
}

static bool
same_function(const struct walk *w, uint64_t a, uint64_t b)
{
	struct symbol x, y;

	_err_ struct err *no_x = insp_symbol(w->insp, a - 1, &x);
	_err_ struct err *no_y = insp_symbol(w->insp, b, &y);
	return !no_x && !no_y && x.address == y.address;
}

/* The caller is where the register says, @slot bytes further up the stack. */
static bool
follow_link(struct walk *w, const struct frame *f, unsigned slot,
	    struct step *out)
{
	const struct arch *arch = &w->arch->arch;
	uint64_t ra = regs_plain_code(w->insp, value_of(&f->regs, w->arch->ra));
	uint64_t target;

	if (!knows(&f->regs, w->arch->ra) || !knows(&f->regs, arch->sp)
	    || follows_call(w, ra, &target) == NO)
		return false;
	out->caller = f->regs;
	out->caller.known &= w->arch->preserved;
	out->cfa = value_of(&f->regs, arch->sp) + slot;
	set_reg(&out->caller, arch->pc, ra);
	set_reg(&out->caller, arch->sp, out->cfa);
	out->how = SNAP_FRAME_FP;
	return true;
}

/*
 * Where the function around the pc begins, and its size, by its name; else
 * what the call before the link register has called, if that is shortly
 * before: then it is this function, or the one that it called last.
 */
static bool
link_function(struct walk *w, const struct frame *f, uint64_t *start,
	      size_t *size)
{
	struct symbol symbol;

	_err_ struct err *none = insp_symbol(w->insp, f->pc, &symbol);
	*size = LINK_CODE_MAX;
	if (none) {
		uint64_t link = value_of(&f->regs, w->arch->ra);
		follows_call(w, regs_plain_code(w->insp, link), start);
	} else {
		*start = symbol.address;
		*size = symbol.size;
	}
	return *start && *size <= LINK_CODE_MAX && f->pc - *start < *size;
}

static bool
step_link(struct walk *w, const struct frame *f, struct step *out)
{
	uint8_t code[LINK_CODE_MAX];
	uint64_t start;
	size_t n, size;

	if (!knows(&f->regs, w->arch->ra) || !link_function(w, f, &start, &size))
		return false;
	_err_ struct err *err = space_read_some(w->insp->space, start, size,
						code, &n);
	int slot = err ? -1 : w->arch->link_slot(code, n, f->pc - start);
	return slot >= 0 && follow_link(w, f, (unsigned)slot, out);
}

/*
 * The innermost frame by its frame pointer, while the link register names
 * another caller: that is one between the two, or of a call that is over. The
 * latter is so if the function itself has called - but for its own self. Where
 * both name one caller there are two frames of it if it called itself, and
 * that one then went on to this function.
 */
static void
doubt_link(struct walk *w, const struct frame *f, struct step *s)
{
	uint64_t link = regs_plain_code(w->insp,
					value_of(&f->regs, w->arch->ra));
	bool agrees = link == value_of(&s->caller, w->arch->arch.pc), doubt;
	uint64_t target;

	if (!has_link(w) || !knows(&f->regs, w->arch->ra)
	    || follows_call(w, link, &target) == NO)
		return;
	bool inside = same_function(w, link, f->pc);
	if (agrees)
		doubt = target && !inside
			&& same_function(w, target + 1, link - 1);
	else
		doubt = !inside
			|| (target && same_function(w, target + 1, f->pc));
	if (doubt)
		s->flags = SNAP_FRAME_SUSPECT;
}

/* ---- return addresses on the stack ---------------------------------------- */
/* Where the function around the pc begins, by its name, else by the @target of
 * the call that seems to have led here: that has to lie shortly before. */
static bool
leaf_start(struct walk *w, uint64_t pc, uint64_t target, uint64_t *start)
{
	struct symbol symbol;

	_err_ struct err *no_name = insp_symbol(w->insp, pc, &symbol);
	if (no_name) {
		*start = target;
		return target && pc - target < LEAF_SIZE;
	}
	*start = symbol.address;
	return !target || target == symbol.address;
}

/*
 * A function that sets up no frame, such as one that calls nothing: the frame
 * pointer is its caller's, and to follow it would skip a frame. The stack
 * begins with the return address, unless the function pushed something. So the
 * call there must be one of this function, as far as it tells.
 */
static bool
step_leaf(struct walk *w, const struct frame *f, struct step *out)
{
	uint64_t sp = value_of(&f->regs, w->arch->arch.sp), ra, target, start;
	uint8_t code[8];

	_err_ struct err *no_ra = space_u64(w->insp->space, sp, &ra);
	if (no_ra || follows_call(w, ra, &target) != YES
	    || !leaf_start(w, f->pc, target, &start))
		return false;
	_err_ struct err *no_code = space_read(w->insp->space, start,
					       sizeof(code), code);
	return !no_code && !w->arch->makes_frame(code)
	       && step_slot(w, f, 0, out);
}

/*
 * A call through a bad pointer: the stack begins with the return address. gdb
 * believes any such word; here it must lead to where code can be, and it is
 * suspect unless a call is seen there.
 */
static bool
step_from_nowhere(struct walk *w, const struct frame *f, struct step *out)
{
	const struct arch *arch = &w->arch->arch;
	uint64_t sp = value_of(&f->regs, arch->sp), ra, target;

	if (!knows(&f->regs, arch->sp))
		return false;
	if (has_link(w))
		return follow_link(w, f, 0, out);
	_err_ struct err *err = space_u64(w->insp->space, sp, &ra);
	if (err || !walk_is_executable(w, ra))
		return false;
	out->caller = f->regs;
	out->caller.known &= w->arch->preserved;
	out->cfa = sp + 8;
	set_reg(&out->caller, arch->pc, ra);
	set_reg(&out->caller, arch->sp, out->cfa);
	out->how = SNAP_FRAME_SCAN;
	if (follows_call(w, ra, &target) != YES)
		out->flags = SNAP_FRAME_SUSPECT;
	return true;
}

/* ---- frame pointers ------------------------------------------------------- */
/* Where a frame pointer can be: in the stack, not below its end. */
static bool
is_in_stack(const struct walk *w, const struct frame *f)
{
	const struct arch *arch = &w->arch->arch;
	uint64_t fp = value_of(&f->regs, arch->fp);
	bool exact = knows(&f->regs, arch->sp);
	uint64_t sp = exact ? value_of(&f->regs, arch->sp) : w->cfa;

	return knows(&f->regs, arch->fp) && (exact || sp) && fp >= sp
	       && fp % 8 == 0 && same_mapping(w, sp, fp);
}

/*
 * Where the function has not set the frame pointer, it is of somebody further
 * out, and who called in between is not told. What has no name is believed.
 */
bool
walk_owns_fp(const struct walk *w, uint64_t pc)
{
	uint8_t code[FRAME_CODE_MAX];
	struct symbol symbol;
	size_t n;

	_err_ struct err *no_name = insp_symbol(w->insp, pc, &symbol);
	if (no_name)
		return true;
	n = pc - symbol.address < sizeof(code) ? pc - symbol.address
					       : sizeof(code);
	_err_ struct err *no_code = space_read(w->insp->space, symbol.address,
					       n, code);
	return no_code || w->arch->sets_frame(code, n);
}

/*
 * System V ABI AMD64 supplement, 3.2.2, and "Procedure Call Standard for the
 * Arm 64-bit Architecture", 6.4.6: (fp) = the caller's, 8(fp) = return address.
 * What else the callee saved is not known; nor, where a register brings the
 * return address, in which part of its frame it has put the two.
 */
static bool
step_frame_pointer(struct walk *w, const struct frame *f, struct step *out)
{
	const struct arch *arch = &w->arch->arch;
	uint64_t fp = value_of(&f->regs, arch->fp), saved, ra, target;

	if (!is_in_stack(w, f))
		return false;
	_err_ struct err *no_fp = space_u64(w->insp->space, fp, &saved);
	_err_ struct err *no_ra = space_u64(w->insp->space, fp + 8, &ra);
	if (no_fp || no_ra)
		return false;
	ra = regs_plain_code(w->insp, ra);
	if (follows_call(w, ra, &target) == NO)
		return false;
	if (!walk_owns_fp(w, f->pc))
		out->flags = SNAP_FRAME_SUSPECT;
	out->caller = (struct frame_regs){ 0 };
	out->cfa = fp + 16;
	out->low = has_link(w);
	set_reg(&out->caller, arch->pc, ra);
	if (!out->low)
		set_reg(&out->caller, arch->sp, out->cfa);
	set_reg(&out->caller, arch->fp, saved);
	out->how = SNAP_FRAME_FP;
	return true;
}

/* ---- choosing a way ----------------------------------------------------- */
static bool
is_absent(const struct err *err)
{
	return err_kind(err) == ERR_ABSENT || err_kind(err) == ERR_UNMAPPED;
}

/* The program's entry has no caller, whether its table says so or not. */
bool
walk_is_entry(const struct walk *w, uint64_t pc)
{
	uint64_t entry;

	return insp_auxv(w->insp, AT_ENTRY, &entry)
	       && pc - entry < ENTRY_SIZE;
}

/** Nothing led further: what was wrong with the best way, or what is missing. */
static bool
nothing_left(struct walk *w, const struct frame *f, const struct err *no_cfi)
{
	uint64_t fp = value_of(&f->regs, w->arch->arch.fp), ra;
	unsigned long long pc = f->pc;

	if (is_absent(no_cfi))
		return stuck(w, "%s", err_text(no_cfi));
	if (err_kind(no_cfi) != ERR_NOTFOUND)
		return stuck(w, "the unwind information for 0x%llx is not "
				"sound (%s)", pc, err_text(no_cfi));
	_err_ struct err *absent = is_in_stack(w, f)
				   ? space_u64(w->insp->space, fp + 8, &ra)
				   : NULL;
	if (absent)
		return stuck(w, "%s", err_text(absent));
	if (f->how == SNAP_FRAME_FP && fp == 0)
		return stuck(w, "no unwind information for 0x%llx, where the "
				"chain of frame pointers ends", pc);
	return stuck(w, "no unwind information for 0x%llx and no plausible "
			"frame pointer", pc);
}

/* For the innermost frame only: no call has changed anything since. */
static bool
step_exact(struct walk *w, const struct frame *f, struct step *out)
{
	if (has_link(w))
		return step_link(w, f, out);
	return step_prologue(w, f, out) || step_leaf(w, f, out);
}

static bool
step_without_cfi(struct walk *w, const struct frame *f, bool exact,
		 struct step *out)
{
	if (step_trampoline(w, f, out) || (exact && step_exact(w, f, out)))
		return true;
	if (!step_frame_pointer(w, f, out))
		return false;
	if (exact)
		doubt_link(w, f, out);
	return true;
}

/**
 * @exact: the pc is where the thread was, not a return address. Where a table
 * tells where the caller is, but that was not captured, no other way is tried:
 * it would have to guess what is known to be unknown.
 */
static bool
choose_step(struct walk *w, const struct frame *f, bool exact,
	    struct step *out)
{
	_err_ struct err *err = NULL;

	if (!walk_is_executable(w, f->pc)) {
		if (exact && step_from_nowhere(w, f, out))
			return true;
		return stuck(w, "0x%llx is not executable memory%s",
			     (unsigned long long)f->pc, exact ? ", and the "
			     "stack does not begin with a return address" : "");
	}
	if (w->arch->trampoline_first && step_trampoline(w, f, out))
		return true;
	if (step_cfi(w, f, exact ? f->pc : f->pc - 1, out, &err))
		return true;
	if (is_absent(err) && knows(&f->regs, w->arch->arch.sp)) {
		w->again = w->brief;
		return stuck(w, "%s", err_text(err));
	}
	if (walk_is_entry(w, f->pc))
		return ended(w);
	return step_without_cfi(w, f, exact, out) || nothing_left(w, f, err);
}

/** Is the caller further out than all that was seen? */
static bool
check_progress(struct walk *w, const struct step *s, bool exact)
{
	uint64_t before = w->cfa;

	w->cfa = s->cfa;
	if (s->cfa > before)
		return true;
	/* A signal hit a leaf that keeps nothing on the stack. */
	if (s->cfa == before && exact && !s->signal && has_link(w))
		return true;
	if (s->cfa == before)
		return stuck(w, "same frame again at stack address 0x%llx",
			     (unsigned long long)s->cfa);
	if (!s->signal && same_mapping(w, s->cfa, before))
		return stuck(w, "the stack address goes back from 0x%llx to "
				"0x%llx", (unsigned long long)before,
			     (unsigned long long)s->cfa);
	if (++w->switches > SWITCHES_MAX)
		return stuck(w, "the stack changes more than %u times",
			     SWITCHES_MAX);
	return true;
}

/* Before C libraries said "undefined", a return address of 0 was the end, and
 * then the frame pointer is 0 too (ABI, 3.4.1). */
static bool
check_return(struct walk *w, const struct frame *f, const struct step *s)
{
	const struct arch *arch = &w->arch->arch;
	uint64_t ra = value_of(&s->caller, arch->pc);

	if (walk_is_entry(w, f->pc) && !walk_is_executable(w, ra))
		return ended(w);
	if (ra != 0 || s->signal)
		return true;
	if (!knows(&s->caller, arch->fp)
	    || value_of(&s->caller, arch->fp) == 0)
		return ended(w);
	return stuck(w, "the return address is 0");
}

static bool
check_step(struct walk *w, const struct frame *f, const struct step *s,
	   bool exact)
{
	if (!knows(&s->caller, w->arch->arch.pc))
		return ended(w);
	return check_progress(w, s, exact) && check_return(w, f, s);
}

static struct trace_frame
brief_of(const struct frame *f)
{
	return (struct trace_frame){
		.pc = f->pc, .cfa = f->cfa, .how = f->how, .flags = f->flags,
		.module = f->module == INSP_NONE ? UINT32_MAX
						 : (uint32_t)f->module,
	};
}

/* ---- the walk ----------------------------------------------------------- */
static struct frame *
add_frame(struct walk *w, const struct step *s, bool exact)
{
	struct frame *f = &w->now;
	struct trace_frame *brief = NULL;

	if (w->brief)
		brief = vec_add(&w->frames, w->arena, sizeof(*brief));
	else
		f = vec_add(&w->frames, w->arena, sizeof(*f));
	if (!f || (w->brief && !brief))
		return NULL;
	f->regs = s->caller;
	f->pc = value_of(&s->caller, w->arch->arch.pc);
	f->cfa = 0;
	f->how = s->how;
	f->flags = s->flags;
	f->module = insp_module_at(w->insp, exact ? f->pc : f->pc - 1);
	if (!exact && !walk_is_executable(w, f->pc))
		f->flags |= SNAP_FRAME_SUSPECT;
	if (brief)
		*brief = brief_of(f);
	return f;
}

static void
finish_frame(struct walk *w, struct frame *f, const struct step *s)
{
	f->cfa = s->low ? 0 : s->cfa;
	if (s->signal)
		f->flags |= SNAP_FRAME_SIGNAL;
	if (w->brief)
		((struct trace_frame *)w->frames.data)[w->frames.n - 1] = brief_of(f);
}

/** @s holds the innermost frame as if it were somebody's caller. */
static struct err *
walk_stack(struct walk *w, struct step *s, size_t max_frames)
{
	bool exact = true;

	for (;;) {
		struct frame *f;
		struct err *err = w->brief ? quick_walk(w, s, max_frames,
							&exact) : NULL;

		if (err || w->done)
			return err;
		if (w->frames.n >= max_frames) {
			w->end = STACK_LIMIT;
			w->why = arena_printf(w->arena, "more than %zu frames",
					      max_frames);
			return NULL;
		}
		f = add_frame(w, s, exact);
		if (!f)
			return err_nomem();
		*s = (struct step){ 0 };
		w->lost_cfa = 0;
		if (!choose_step(w, f, exact, s)) {
			*s = (struct step){ .cfa = w->lost_cfa };
			finish_frame(w, f, s);
			return NULL;
		}
		finish_frame(w, f, s);
		if (!check_step(w, f, s, exact))
			return NULL;
		exact = s->signal;
	}
}

/** All of @thread, into @w->frames. */
static struct err *
walk_thread(struct walk *w, size_t thread, size_t max_frames)
{
	struct step top = { .how = SNAP_FRAME_TOP };
	struct err *err = insp_frame_regs(w->insp, thread, &top.caller);

	if (err)
		return err;
	if (knows(&top.caller, w->insp->arch->pc))
		return walk_stack(w, &top, max_frames);
	stuck(w, "the thread's registers were not captured");
	return NULL;
}

static struct err *
mark_suspect(struct insp *i, struct frame *frames, size_t n)
{
	size_t agreed;
	struct err *err = second_agrees(i, frames, n, &agreed);

	if (err)
		return err;
	for (size_t k = agreed; k < n; k++)
		frames[k].flags |= SNAP_FRAME_SUSPECT;
	return NULL;
}

struct err *
insp_stack(struct insp *i, size_t thread, size_t max_frames,
	   bool second_opinion, struct arena *a, struct stack *out)
{
	struct walk w = { .insp = i, .arena = a,
			  .arch = arch_table_of(i->arch) };
	struct err *err = walk_thread(&w, thread, max_frames);

	if (!err && second_opinion)
		err = mark_suspect(i, w.frames.data, w.frames.n);
	if (err)
		return err;
	*out = (struct stack){ w.frames.data, w.frames.n, w.end, w.why };
	return NULL;
}

/* ---- addresses only ------------------------------------------------------ */
static struct err *
trace_whole(struct insp *i, size_t thread, size_t max_frames,
	    bool second_opinion, struct arena *a, struct trace *out)
{
	struct stack s;
	struct err *err = insp_stack(i, thread, max_frames, second_opinion, a,
				     &s);
	if (err)
		return err;
	struct trace_frame *frames = arena_array(a, s.n, sizeof(*frames));
	if (s.n && !frames)
		return err_nomem();
	for (size_t k = 0; k < s.n; k++)
		frames[k] = brief_of(&s.frames[k]);
	*out = (struct trace){ frames, s.n, s.end, s.why };
	return NULL;
}

/* All registers where a table asks for one that was not followed. */
struct err *
insp_trace(struct insp *i, size_t thread, size_t max_frames,
	   bool second_opinion, struct arena *a, struct trace *out)
{
	struct walk w = { .insp = i, .arena = a, .brief = true,
			  .arch = arch_table_of(i->arch) };
	struct err *err = quick_begin(i);

	if (!err && !second_opinion)
		err = walk_thread(&w, thread, max_frames);
	if (!err && (second_opinion || w.again))
		return trace_whole(i, thread, max_frames, second_opinion, a,
				   out);
	if (err)
		return err;
	*out = (struct trace){ w.frames.data, w.frames.n, w.end, w.why };
	return NULL;
}

static uint64_t
lookup_pc(size_t n, uint64_t pc, uint8_t flags, uint8_t flags_before)
{
	return n == 0 || ((flags | flags_before) & SNAP_FRAME_SIGNAL) ? pc
								      : pc - 1;
}

uint64_t
stack_lookup_pc(const struct stack *s, size_t n)
{
	const struct frame *f = &s->frames[n];

	return lookup_pc(n, f->pc, f->flags, n ? f[-1].flags : 0);
}

uint64_t
trace_lookup_pc(const struct trace *t, size_t n)
{
	const struct trace_frame *p = &t->frames[n];

	return lookup_pc(n, p->pc, p->flags, n ? p[-1].flags : 0);
}
