/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AArch64 Linux: the register table, in gdb 13's order (features of
 * gdb/features/aarch64-*.xml), and what unwinding must know of its code.
 *
 * DWARF numbers: "DWARF for the Arm 64-bit Architecture", 4.1. Register sets:
 * struct user_pt_regs, user_fpsimd_state, user_sve_header and user_pac_mask
 * of asm/ptrace.h. Instructions: "Arm Architecture Reference Manual", C4.
 */
#include "inspect/arch.h"

#include <elf.h>
#include <string.h>

/* Not in every elf.h. */
#define NOTE_ARM_SVE 0x405
#define NOTE_ARM_PAC_MASK 0x406
#define NOTE_ARM_TAGGED_ADDR_CTRL 0x409

enum { SET_GENERAL, SET_FPSIMD, SET_TLS, SET_PAC, SET_TAGS, SET_SVE };
enum { DWARF_FP = 29, DWARF_LR = 30, DWARF_SP = 31, DWARF_PC = 32,
       DWARF_TPIDR = 36, DWARF_V0 = 64 };
enum { FPSIMD_SIZE = 520, FPSIMD_FPSR = 512 };
enum { SVE_HEADER = 16, SVE_VL = 8, SVE_FLAGS = 12, SVE_FULL = 1,
       SVE_VL_MAX = 256 };
enum { PAC_INSN_MASK = 8, PAC_SIZE = 16 };

#define CORE "org.gnu.gdb.aarch64.core"
#define FPU "org.gnu.gdb.aarch64.fpu"

/* clang-format off */
#define WORD(name_, feature_, type_, group_, generic_, dwarf_, set_, off_) \
	{ { .name = name_, .feature = feature_, .type = type_, \
	    .group = group_, .generic = generic_, .encoding = "uint", \
	    .format = "hex", .bits = 64, .dwarf = dwarf_ }, \
	  { .set = set_, .size = 8, .offset = off_ } }
#define X(n, generic_) \
	WORD("x" #n, CORE, "int", "general", generic_, n, SET_GENERAL, 8 * (n))
#define HALF(name_, feature_, type_, group_, generic_, set_, off_) \
	{ { .name = name_, .feature = feature_, .type = type_, \
	    .group = group_, .generic = generic_, .encoding = "uint", \
	    .format = "hex", .bits = 32, .dwarf = -1 }, \
	  { .set = set_, .size = 4, .offset = off_ } }
#define V(n) \
	{ { .name = "v" #n, .feature = FPU, .type = "aarch64v", \
	    .encoding = "vector", .format = "vector-uint8", .bits = 128, \
	    .dwarf = DWARF_V0 + (n) }, \
	  { .set = SET_FPSIMD, .component = n, .size = 16, \
	    .offset = 16 * (n) } }

static const struct arch_reg REGS[] = {
	X(0, "arg1"), X(1, "arg2"), X(2, "arg3"), X(3, "arg4"), X(4, "arg5"),
	X(5, "arg6"), X(6, "arg7"), X(7, "arg8"), X(8, NULL), X(9, NULL),
	X(10, NULL), X(11, NULL), X(12, NULL), X(13, NULL), X(14, NULL),
	X(15, NULL), X(16, NULL), X(17, NULL), X(18, NULL), X(19, NULL),
	X(20, NULL), X(21, NULL), X(22, NULL), X(23, NULL), X(24, NULL),
	X(25, NULL), X(26, NULL), X(27, NULL), X(28, NULL), X(29, "fp"),
	X(30, "ra"),
	WORD("sp", CORE, "data_ptr", "general", "sp", DWARF_SP, SET_GENERAL,
	     8 * 31),
	WORD("pc", CORE, "code_ptr", "general", "pc", DWARF_PC, SET_GENERAL,
	     8 * 32),
	HALF("cpsr", CORE, "cpsr_flags", "general", "flags", SET_GENERAL,
	     8 * 33),
	V(0), V(1), V(2), V(3), V(4), V(5), V(6), V(7), V(8), V(9), V(10),
	V(11), V(12), V(13), V(14), V(15), V(16), V(17), V(18), V(19), V(20),
	V(21), V(22), V(23), V(24), V(25), V(26), V(27), V(28), V(29), V(30),
	V(31),
	HALF("fpsr", FPU, "fpsr_flags", NULL, NULL, SET_FPSIMD, FPSIMD_FPSR),
	HALF("fpcr", FPU, "fpcr_flags", NULL, NULL, SET_FPSIMD, FPSIMD_FPSR + 4),
	WORD("pauth_dmask", "org.gnu.gdb.aarch64.pauth", "int", NULL, NULL, -1,
	     SET_PAC, 0),
	WORD("pauth_cmask", "org.gnu.gdb.aarch64.pauth", "int", NULL, NULL, -1,
	     SET_PAC, PAC_INSN_MASK),
	WORD("tag_ctl", "org.gnu.gdb.aarch64.mte", "uint64", "system", NULL,
	     -1, SET_TAGS, 0),
	WORD("tpidr", "org.gnu.gdb.aarch64.tls", "data_ptr", NULL, "tp",
	     DWARF_TPIDR, SET_TLS, 0),
};
/* clang-format on */

/* ---- registers ---------------------------------------------------------- */
static void
arm_layout(const struct reg_sets *threads, size_t n, struct arch_layout *out)
{
	memset(out, 0, sizeof(*out));
	for (size_t k = 0; k < n; k++) {
		const struct span *sets = threads[k].set;

		for (unsigned n_set = 0; n_set < ARCH_SETS; n_set++)
			if (sets[n_set].n)
				out->features |= 1u << n_set;
		if (sets[SET_PAC].n < PAC_SIZE || out->signing)
			continue;
		struct rd r = rd_of(sets[SET_PAC].data, PAC_SIZE);
		rd_seek(&r, PAC_INSN_MASK);
		out->signing = rd_u64(&r);
	}
}

/* gdb always has the core and the FPU, the rest where a core tells of it. */
static bool
arm_has(const struct arch_layout *l, const struct arch_reg *r)
{
	return r->place.set == SET_GENERAL || r->place.set == SET_FPSIMD
	       || l->features >> r->place.set & 1;
}

/*
 * The SVE set holds the state in one of two forms; the kernel then writes the
 * other set as well, so this is for cores that have been written by others.
 */
static struct span
sve_place(struct span sve, const struct reg_place *p)
{
	struct rd r = rd_of(sve.data, sve.n);

	rd_seek(&r, SVE_VL);
	size_t vl = rd_u16(&r);
	rd_seek(&r, SVE_FLAGS);
	bool full = rd_u16(&r) & SVE_FULL;
	if (full && (p->size != 16 || vl > SVE_VL_MAX))
		return (struct span){ 0 };      /* not fpsr and fpcr */
	rd_seek(&r, SVE_HEADER + (full ? vl * p->component : p->offset));
	return (struct span){ rd_bytes(&r, p->size), p->size };
}

static struct span
set_place(struct span set, const struct reg_place *p)
{
	struct rd r = rd_of(set.data, set.n);

	rd_seek(&r, p->offset);
	return (struct span){ rd_bytes(&r, p->size), p->size };
}

static bool
arm_read(const struct arch_layout *l, const struct reg_sets *s,
	 const struct arch_reg *r, void *out)
{
	const struct reg_place *p = &r->place;
	struct span at = set_place(s->set[p->set], p);

	(void)l;
	if (!at.data && p->set == SET_FPSIMD)
		at = sve_place(s->set[SET_SVE], p);
	if (!at.data)
		return false;
	memcpy(out, at.data, at.n);
	return true;
}

/* ---- code --------------------------------------------------------------- */
/** An instruction: those bits of it that are the same in all its forms. */
struct pattern {
	uint32_t mask, bits;
};
static const struct pattern CALLS[] = {
	{ 0xfc000000, 0x94000000 },     /* bl */
	{ 0xfffffc1f, 0xd63f0000 },     /* blr */
	{ 0xfefff800, 0xd63f0800 },     /* blraa, blrab and with zero */
};
/* What begins the frame of a function that calls others. */
static const struct pattern SAVES_LINK[] = {
	{ 0xffc07fff, 0xa9807bfd },     /* stp x29, x30, [sp, #n]! */
	{ 0xffc07fff, 0xa9007bfd },     /* stp x29, x30, [sp, #n] */
	{ 0xffe00fff, 0xf8000ffe },     /* str x30, [sp, #n]! */
	{ 0xffc003ff, 0xf90003fe },     /* str x30, [sp, #n] */
};
/* Loads of the register with the return address. */
static const struct pattern TAKES_LINK[] = {
	{ 0xfe407c00, 0xa8407800 },     /* ldp x?, x30, … */
	{ 0xfe40001f, 0xa840001e },     /* ldp x30, x?, … */
	{ 0xffc0001f, 0xf940001e },     /* ldr x30, [x?, #n] */
	{ 0xffe0001f, 0xf840001e },     /* ldr x30, … with write-back */
	{ 0xff20001f, 0xaa00001e },     /* mov x30, … */
};
static const struct pattern SETS_FRAME[] = {
	{ 0xff8003ff, 0x910003fd },     /* add x29, sp, #n; mov x29, sp */
};
static const struct pattern JUMPS[] = {
	{ 0xfc000000, 0x14000000 },     /* b */
	{ 0xfffffc1f, 0xd61f0000 },     /* br */
};
/* Branches by a distance, and where that stands in them, in words. */
static const struct branch {
	struct pattern pattern;
	uint8_t bit, bits;
} BRANCHES[] = {
	{ { 0xfc000000, 0x14000000 }, 0, 26 },  /* b */
	{ { 0xff000000, 0x54000000 }, 5, 19 },  /* b.cond */
	{ { 0x7e000000, 0x34000000 }, 5, 19 },  /* cbz, cbnz */
	{ { 0x7e000000, 0x36000000 }, 5, 14 },  /* tbz, tbnz */
};
static const struct pattern RETURNS[] = {
	{ 0xffffffff, 0xd65f03c0 },     /* ret */
	{ 0xfffffbff, 0xd65f0bff },     /* retaa, retab */
};
/* Anything that computes a stack pointer, or loads or stores with one. */
static const struct pattern MOVES_STACK[] = {
	{ 0x7f80001f, 0x1100001f },     /* add to sp */
	{ 0x7f80001f, 0x5100001f },     /* sub to sp */
	{ 0xffe0001f, 0x8b20001f },     /* add a register to sp */
	{ 0xffe0001f, 0xcb20001f },     /* sub a register to sp */
	{ 0xff80001f, 0x9200001f },     /* and to sp */
	{ 0x3b2007e0, 0x380007e0 },     /* load or store, then move sp */
	{ 0x3a8003e0, 0x288003e0 },     /* a pair, moving sp */
};

static bool
matches(const struct pattern *p, size_t n, uint32_t code)
{
	for (size_t k = 0; k < n; k++)
		if ((code & p[k].mask) == p[k].bits)
			return true;
	return false;
}
#define IS(patterns, code) matches(patterns, countof(patterns), code)

static uint32_t
code_at(const uint8_t *code)
{
	struct rd r = rd_of(code, 4);

	return rd_u32(&r);
}

static bool
arm_is_call(const uint8_t *code, size_t n, uint64_t ra, uint64_t *target)
{
	uint32_t call = n < 4 ? 0 : code_at(code + n - 4);

	*target = 0;
	if (ra % 4 || !IS(CALLS, call))
		return false;
	if (call >> 26 == CALLS[0].bits >> 26) {
		int32_t words = (int32_t)(call << 6) >> 6;
		*target = ra - 4 + (uint64_t)(int64_t)words * 4;
	}
	return true;
}

/* sub sp, sp, #n, and what makes room for the two registers: their size. */
static size_t
room_made(uint32_t code)
{
	if ((code & 0xff8003ff) == 0xd10003ff)
		return (code >> 10 & 0xfff) << (code >> 22 & 1 ? 12 : 0);
	if ((code & 0xffe07fff) == 0xa9a07bfd)          /* stp, downwards */
		return (128 - (code >> 15 & 0x7f)) * 8;
	return 0;
}

/* Where an instruction at offset @at branches to; -1 = it does not. */
static int64_t
branch_target(uint32_t insn, size_t at)
{
	for (size_t k = 0; k < countof(BRANCHES); k++) {
		const struct branch *b = &BRANCHES[k];
		int32_t distance;

		if (!matches(&b->pattern, 1, insn))
			continue;
		distance = (int32_t)(insn << (32 - b->bit - b->bits));
		return (int64_t)at + 4 * (distance >> (32 - b->bits));
	}
	return -1;
}

/* Can @at, or what leads there from the start, be reached from elsewhere? */
static bool
jumped_into(const uint8_t *code, size_t n, size_t at)
{
	for (size_t k = 0; k + 4 <= n; k += 4) {
		uint32_t insn = code_at(code + k);
		int64_t target = branch_target(insn, k);

		if (matches(&JUMPS[1], 1, insn)
		    || (target > 0 && target <= (int64_t)at))
			return true;
	}
	return false;
}

/* In straight line from the start, before the frame pointer is set; branches
 * out of there have not been taken. */
static int
prologue_slot(const uint8_t *code, size_t n, size_t at)
{
	bool branches = false;
	size_t slot = 0;

	for (size_t k = 0; k < at; k += 4) {
		uint32_t insn = code_at(code + k);
		size_t room = room_made(insn);

		if (IS(JUMPS, insn) || IS(CALLS, insn) || IS(SETS_FRAME, insn)
		    || IS(TAKES_LINK, insn)
		    || (!room && IS(MOVES_STACK, insn)))
			return -1;
		branches |= branch_target(insn, k) >= 0;
		slot += room;
	}
	if (slot > INT32_MAX || (branches && jumped_into(code, n, at)))
		return -1;
	return (int)slot;
}

/* Room that the first instruction makes, given back before each return? */
static bool
gives_back(uint32_t first, const uint8_t *code, size_t left)
{
	const uint32_t add_for_sub = 0x40000000;

	return left >= 8 && code_at(code) == (first ^ add_for_sub)
	       && IS(RETURNS, code_at(code + 4));
}

/*
 * A function that calls nothing and never touches either register. Where its
 * end is not known, what follows may say no, which is safe.
 */
static int
leaf_slot(const uint8_t *code, size_t n, size_t at)
{
	uint32_t first = code_at(code);
	size_t room = IS(SAVES_LINK, first) ? 0 : room_made(first);

	for (size_t k = room ? 4 : 0; k + 4 <= n; k += 4) {
		uint32_t insn = code_at(code + k);

		if (room && gives_back(first, code + k, n - k))
			continue;
		if (IS(CALLS, insn) || IS(SAVES_LINK, insn)
		    || IS(SETS_FRAME, insn) || IS(TAKES_LINK, insn)
		    || IS(MOVES_STACK, insn))
			return -1;
	}
	return at ? (int)room : 0;
}

static int
arm_link_slot(const uint8_t *code, size_t n, size_t at)
{
	if (at % 4 || at + 4 > n)
		return -1;
	if (IS(RETURNS, code_at(code + at)))
		return 0;
	int slot = prologue_slot(code, n, at);
	return slot >= 0 ? slot : leaf_slot(code, n, at);
}

static bool
arm_sets_frame(const uint8_t *code, size_t n)
{
	for (size_t k = 0; k + 4 <= n; k += 4)
		if (IS(SETS_FRAME, code_at(code + k)))
			return true;
	return false;
}

/* mov $__NR_rt_sigreturn,%x8; svc #0 */
static const uint8_t TRAMPOLINE[] = { 0x68, 0x11, 0x80, 0xd2,
				      0x01, 0x00, 0x00, 0xd4 };

/*
 * At the stack pointer is struct rt_sigframe: siginfo (128 bytes), ucontext;
 * 176 in it sigcontext, and 8 in that the registers (asm/sigcontext.h).
 */
static struct err *
arm_signal_regs(struct space *sp, uint64_t at, struct frame_regs *out)
{
	enum { REGS_AT = 128 + 176 + 8, COUNT = 33 };
	uint8_t saved[COUNT * 8];

	if (!u64_add(at, REGS_AT, &at))
		return err_new(ERR_UNMAPPED, "the signal frame is beyond the "
			       "address space");
	struct err *err = space_read(sp, at, sizeof(saved), saved);
	if (err)
		return err;
	struct rd r = rd_of(saved, sizeof(saved));
	for (size_t n = 0; n < COUNT; n++)
		out->value[n] = rd_u64(&r);
	out->known = (1ull << COUNT) - 1;
	return NULL;
}

const struct arch_table arch_aarch64 = {
	.arch = { .name = "aarch64", .gdb_name = "aarch64",
		  .machine = EM_AARCH64, .pc = DWARF_PC, .sp = DWARF_SP,
		  .fp = DWARF_FP, .tp = DWARF_TPIDR,
		  .frame_regs = DWARF_PC + 1 },
	.sets = { NT_PRSTATUS, NT_FPREGSET, NT_ARM_TLS, NOTE_ARM_PAC_MASK,
		  NOTE_ARM_TAGGED_ADDR_CTRL, NOTE_ARM_SVE },
	.general_size = 34 * 8,
	.regs = REGS,
	.n_regs = countof(REGS),
	.layout = arm_layout,
	.has = arm_has,
	.read = arm_read,
	.tls_above = true,
	.tls_skip = 16,                         /* struct tcbhead_t */
	.dtv_at = 0,
	.ra = DWARF_LR,
	.signing = (1ull << 55) - 1,            /* 55 tells the half */
	.preserved = 0x7ffull << 19,            /* x19 to x29 */
	.is_call = arm_is_call,
	.link_slot = arm_link_slot,
	.sets_frame = arm_sets_frame,
	.trampoline = { TRAMPOLINE, sizeof(TRAMPOLINE) },
	.trampoline_first = true,
	.signal_regs = arm_signal_regs,
};
