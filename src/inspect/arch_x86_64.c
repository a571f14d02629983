/* SPDX-License-Identifier: Apache-2.0 */
/*
 * x86-64 Linux: the register table, in gdb 13's order (features of
 * gdb/features/i386/64bit-*.xml), and what unwinding must know of its code.
 *
 * DWARF numbers: System V ABI AMD64 supplement, figure 3.36. FXSAVE and XSAVE
 * places: Intel SDM volume 1, tables 10-2 and 13.5. General registers: struct
 * user_regs_struct of sys/user.h, 27 words.
 */
#include "inspect/arch.h"

#include <elf.h>
#include <string.h>

enum { SET_GENERAL, SET_FXSAVE, SET_XSAVE, SET_LAYOUT };
enum { DECODE_NONE, DECODE_TAGS, DECODE_OPCODE };
enum { X87 = 1u << 0, SSE = 1u << 1, AVX = 1u << 2 };
enum { COMP_AVX = 2, COMP_OPMASK = 5, COMP_ZMM_HI256 = 6,
       COMP_HI16_ZMM = 7, COMP_PKRU = 9 };
enum { FX_STATUS = 2, FX_ST0 = 32, FX_XMM0 = 160, FX_SIZE = 416 };

/* Groups are chosen so that gdb's own membership does not change: it adds a
 * register to the group named here, and "info registers" shows "general". */
#define CORE "org.gnu.gdb.i386.core"
#define AVX512 "org.gnu.gdb.i386.avx512"

/* clang-format off */
#define WORD(name_, type_, group_, generic_, dwarf_, index_, feature_) \
	{ { .name = name_, .feature = feature_, .type = type_, \
	    .group = group_, .generic = generic_, .encoding = "uint", \
	    .format = "hex", .bits = 64, .dwarf = dwarf_ }, \
	  { .set = SET_GENERAL, .size = 8, .offset = 8 * (index_) } }
#define GENERAL(name_, type_, generic_, dwarf_, index_) \
	WORD(name_, type_, "general", generic_, dwarf_, index_, CORE)
#define HALF(name_, type_, generic_, dwarf_, index_) \
	{ { .name = name_, .feature = CORE, .type = type_, \
	    .group = "general", .generic = generic_, .encoding = "uint", \
	    .format = "hex", .bits = 32, .dwarf = dwarf_ }, \
	  { .set = SET_GENERAL, .size = 4, .offset = 8 * (index_) } }
#define ST(n) \
	{ { .name = "st" #n, .feature = CORE, .type = "i387_ext", \
	    .group = "float", .encoding = "vector", \
	    .format = "vector-uint8", .bits = 80, .dwarf = 33 + (n) }, \
	  { .set = SET_FXSAVE, .size = 10, .offset = FX_ST0 + 16 * (n), \
	    .active = X87 } }
#define CONTROL(name_, dwarf_, offset_, size_, decode_, initial_) \
	{ { .name = name_, .feature = CORE, .type = "int", \
	    .group = "float", .encoding = "uint", .format = "hex", \
	    .bits = 32, .dwarf = dwarf_ }, \
	  { .set = SET_FXSAVE, .size = size_, .offset = offset_, \
	    .decode = decode_, .active = X87, .initial = initial_ } }
#define XMM(n) \
	{ { .name = "xmm" #n, .feature = "org.gnu.gdb.i386.sse", \
	    .type = "vec128", .group = "sse", .encoding = "vector", \
	    .format = "vector-uint8", .bits = 128, .dwarf = 17 + (n) }, \
	  { .set = SET_FXSAVE, .size = 16, .offset = FX_XMM0 + 16 * (n), \
	    .active = SSE } }
/* A part of a vector register that is in an extended component. */
#define PART(name_, feature_, type_, group_, bits_, dwarf_, comp_, offset_) \
	{ { .name = name_, .feature = feature_, .type = type_, \
	    .group = group_, .encoding = "vector", \
	    .format = "vector-uint8", .bits = bits_, .dwarf = dwarf_ }, \
	  { .set = SET_XSAVE, .component = comp_, .size = (bits_) / 8, \
	    .offset = offset_, .active = 1u << (comp_) } }
#define YMMH(n) PART("ymm" #n "h", "org.gnu.gdb.i386.avx", "uint128", \
		     "vector", 128, -1, COMP_AVX, 16 * (n))
#define XMM16(n) PART("xmm" #n, AVX512, "vec128", "sse", 128, \
		      67 + (n) - 16, COMP_HI16_ZMM, 64 * ((n) - 16))
#define YMM16H(n) PART("ymm" #n "h", AVX512, "uint128", "vector", 128, -1, \
		       COMP_HI16_ZMM, 64 * ((n) - 16) + 16)
#define ZMMH(n) PART("zmm" #n "h", AVX512, "v2ui128", "vector", 256, -1, \
		     COMP_ZMM_HI256, 32 * (n))
#define ZMM16H(n) PART("zmm" #n "h", AVX512, "v2ui128", "vector", 256, -1, \
		       COMP_HI16_ZMM, 64 * ((n) - 16) + 32)
#define MASK(n) \
	{ { .name = "k" #n, .feature = AVX512, .type = "uint64", \
	    .group = "general", .encoding = "uint", .format = "hex", \
	    .bits = 64, .dwarf = 118 + (n) }, \
	  { .set = SET_XSAVE, .component = COMP_OPMASK, .size = 8, \
	    .offset = 8 * (n), .active = 1u << COMP_OPMASK } }

static const struct arch_reg REGS[] = {
	GENERAL("rax", "int64", NULL, 0, 10),
	GENERAL("rbx", "int64", NULL, 3, 5),
	GENERAL("rcx", "int64", "arg4", 2, 11),
	GENERAL("rdx", "int64", "arg3", 1, 12),
	GENERAL("rsi", "int64", "arg2", 4, 13),
	GENERAL("rdi", "int64", "arg1", 5, 14),
	GENERAL("rbp", "data_ptr", "fp", 6, 4),
	GENERAL("rsp", "data_ptr", "sp", 7, 19),
	GENERAL("r8", "int64", "arg5", 8, 9),
	GENERAL("r9", "int64", "arg6", 9, 8),
	GENERAL("r10", "int64", NULL, 10, 7),
	GENERAL("r11", "int64", NULL, 11, 6),
	GENERAL("r12", "int64", NULL, 12, 3),
	GENERAL("r13", "int64", NULL, 13, 2),
	GENERAL("r14", "int64", NULL, 14, 1),
	GENERAL("r15", "int64", NULL, 15, 0),
	GENERAL("rip", "code_ptr", "pc", 16, 16),
	HALF("eflags", "i386_eflags", "flags", 49, 18),
	HALF("cs", "int32", NULL, 51, 17),
	HALF("ss", "int32", NULL, 52, 20),
	HALF("ds", "int32", NULL, 53, 23),
	HALF("es", "int32", NULL, 50, 24),
	HALF("fs", "int32", NULL, 54, 25),
	HALF("gs", "int32", NULL, 55, 26),
	ST(0), ST(1), ST(2), ST(3), ST(4), ST(5), ST(6), ST(7),
	CONTROL("fctrl", 65, 0, 2, DECODE_NONE, 0x37f),
	CONTROL("fstat", 66, 2, 2, DECODE_NONE, 0),
	CONTROL("ftag", -1, 4, 2, DECODE_TAGS, 0xffff),
	CONTROL("fiseg", -1, 12, 2, DECODE_NONE, 0),
	CONTROL("fioff", -1, 8, 4, DECODE_NONE, 0),
	CONTROL("foseg", -1, 20, 2, DECODE_NONE, 0),
	CONTROL("fooff", -1, 16, 4, DECODE_NONE, 0),
	CONTROL("fop", -1, 6, 2, DECODE_OPCODE, 0),
	XMM(0), XMM(1), XMM(2), XMM(3), XMM(4), XMM(5), XMM(6), XMM(7),
	XMM(8), XMM(9), XMM(10), XMM(11), XMM(12), XMM(13), XMM(14), XMM(15),
	{ { .name = "mxcsr", .feature = "org.gnu.gdb.i386.sse",
	    .type = "i386_mxcsr", .group = "vector", .encoding = "uint",
	    .format = "hex", .bits = 32, .dwarf = 64 },
	  { .set = SET_FXSAVE, .size = 4, .offset = 24, .active = SSE | AVX,
	    .initial = 0x1f80 } },
	WORD("orig_rax", "int", "system", NULL, -1, 15,
	     "org.gnu.gdb.i386.linux"),
	WORD("fs_base", "int", "system", "tp", 58, 21,
	     "org.gnu.gdb.i386.segments"),
	WORD("gs_base", "int", "system", NULL, 59, 22,
	     "org.gnu.gdb.i386.segments"),
	YMMH(0), YMMH(1), YMMH(2), YMMH(3), YMMH(4), YMMH(5), YMMH(6),
	YMMH(7), YMMH(8), YMMH(9), YMMH(10), YMMH(11), YMMH(12), YMMH(13),
	YMMH(14), YMMH(15),
	XMM16(16), XMM16(17), XMM16(18), XMM16(19), XMM16(20), XMM16(21),
	XMM16(22), XMM16(23), XMM16(24), XMM16(25), XMM16(26), XMM16(27),
	XMM16(28), XMM16(29), XMM16(30), XMM16(31),
	YMM16H(16), YMM16H(17), YMM16H(18), YMM16H(19), YMM16H(20),
	YMM16H(21), YMM16H(22), YMM16H(23), YMM16H(24), YMM16H(25),
	YMM16H(26), YMM16H(27), YMM16H(28), YMM16H(29), YMM16H(30),
	YMM16H(31),
	MASK(0), MASK(1), MASK(2), MASK(3), MASK(4), MASK(5), MASK(6), MASK(7),
	ZMMH(0), ZMMH(1), ZMMH(2), ZMMH(3), ZMMH(4), ZMMH(5), ZMMH(6),
	ZMMH(7), ZMMH(8), ZMMH(9), ZMMH(10), ZMMH(11), ZMMH(12), ZMMH(13),
	ZMMH(14), ZMMH(15),
	ZMM16H(16), ZMM16H(17), ZMM16H(18), ZMM16H(19), ZMM16H(20),
	ZMM16H(21), ZMM16H(22), ZMM16H(23), ZMM16H(24), ZMM16H(25),
	ZMM16H(26), ZMM16H(27), ZMM16H(28), ZMM16H(29), ZMM16H(30),
	ZMM16H(31),
	{ { .name = "pkru", .feature = "org.gnu.gdb.i386.pkeys",
	    .type = "uint32", .encoding = "uint", .format = "hex",
	    .bits = 32, .dwarf = -1 },
	  { .set = SET_XSAVE, .component = COMP_PKRU, .size = 4,
	    .active = 1u << COMP_PKRU } },
};
/* clang-format on */

/* ---- registers ---------------------------------------------------------- */
static void
x86_layout(const struct reg_sets *threads, size_t n, struct arch_layout *out)
{
	struct span area = { 0 }, note = { 0 };

	for (size_t k = 0; k < n && !(area.n && note.n); k++) {
		if (!area.n && xsave_features(threads[k].set[SET_XSAVE]))
			area = threads[k].set[SET_XSAVE];
		if (!note.n)
			note = threads[k].set[SET_LAYOUT];
	}
	xsave_layout(area, note, out);
}

/* gdb shows a feature whenever XCR0 has its component, so the features are
 * those of gdb 13's i386_target_description; AVX-512 needs all three. */
static bool
x86_has(const struct arch_layout *l, const struct arch_reg *r)
{
	const uint64_t avx512 = 7u << COMP_OPMASK;

	if (r->place.set != SET_XSAVE)
		return true;
	if (r->place.component >= COMP_OPMASK
	    && r->place.component <= COMP_HI16_ZMM)
		return (l->features & avx512) == avx512;
	return l->features >> r->place.component & 1;
}

/* i387 tag of one register: valid 0, zero 1, special 2 (SDM 8.1.7). */
static unsigned
tag_of(const uint8_t *st)
{
	unsigned exponent = (st[8] | st[9] << 8) & 0x7fff;
	static const uint8_t zero[8];
	bool integer = st[7] & 0x80;

	if (exponent == 0x7fff)
		return 2;
	if (exponent == 0)
		return memcmp(st, zero, sizeof(zero)) == 0 ? 1 : 2;
	return integer ? 0 : 2;
}

/* FXSAVE keeps one bit a register: empty or not (SDM 10.5.1.1). */
static uint32_t
full_tags(const uint8_t *fx)
{
	unsigned top = fx[FX_STATUS + 1] >> 3 & 7;
	uint32_t tags = 0;

	for (unsigned n = 0; n < 8; n++) {
		unsigned st = (n + 8 - top) % 8, tag = 3;

		if (fx[4] >> n & 1)
			tag = tag_of(fx + FX_ST0 + 16 * st);
		tags |= tag << 2 * n;
	}
	return tags;
}

static void
put_u32(uint8_t *out, uint32_t v)
{
	for (unsigned n = 0; n < 4; n++)
		out[n] = (uint8_t)(v >> 8 * n);
}

static bool
is_active(const struct reg_place *p, struct span xsave)
{
	return !p->active || (xsave_active(xsave) & p->active);
}

static bool
read_fxsave(const struct reg_sets *s, const struct reg_place *p, uint8_t *out)
{
	struct span xsave = s->set[SET_XSAVE];
	struct span fx = xsave.n >= XSAVE_HEADER_END ? xsave
						     : s->set[SET_FXSAVE];
	const uint8_t *bytes = fx.data;

	if (fx.n < FX_SIZE)
		return false;
	if (fx.data == xsave.data && !is_active(p, xsave))
		put_u32(out, p->initial);
	else if (p->decode == DECODE_TAGS)
		put_u32(out, full_tags(bytes));
	else
		memcpy(out, bytes + p->offset, p->size);
	if (p->decode == DECODE_OPCODE)
		out[1] &= 7;                            /* 11 bits */
	return true;
}

static bool
read_xsave(const struct arch_layout *l, const struct reg_sets *s,
	   const struct reg_place *p, uint8_t *out)
{
	struct span area = s->set[SET_XSAVE];
	size_t at = l->component[p->component].offset;

	if (area.n < XSAVE_HEADER_END)
		return false;
	if (!is_active(p, area))
		return true;                            /* zeros are true */
	if (p->offset + p->size > (size_t)l->component[p->component].size
	    || at + p->offset + p->size > area.n)
		return false;
	memcpy(out, (const uint8_t *)area.data + at + p->offset, p->size);
	return true;
}

/* They fill their registers; most are words, and every stack begins here. */
static bool
read_general(const struct reg_sets *s, const struct reg_place *p, void *out)
{
	struct span area = s->set[SET_GENERAL];

	if ((size_t)p->offset + p->size > area.n)
		return false;
	const uint8_t *from = (const uint8_t *)area.data + p->offset;
	if (p->size == sizeof(uint64_t))
		memcpy(out, from, sizeof(uint64_t));
	else
		memcpy(out, from, p->size);
	return true;
}

static bool
x86_read(const struct arch_layout *l, const struct reg_sets *s,
	 const struct arch_reg *r, void *out)
{
	const struct reg_place *p = &r->place;
	uint8_t value[REG_BYTES_MAX] = { 0 };

	if (p->set == SET_GENERAL)
		return read_general(s, p, out);
	bool known = p->set == SET_XSAVE ? read_xsave(l, s, p, value)
					 : read_fxsave(s, p, value);
	if (known)
		memcpy(out, value, r->reg.bits / 8);
	return known;
}

/* ---- code --------------------------------------------------------------- */
/* Length of ff /2 with this ModRM and SIB; 0 = not a near indirect call. */
static size_t
indirect_call_length(uint8_t modrm, uint8_t sib)
{
	static const uint8_t displacement[4] = { 0, 1, 4, 0 };
	unsigned mod = modrm >> 6, rm = modrm & 7;
	size_t n = 2 + displacement[mod];

	if ((modrm >> 3 & 7) != 2)
		return 0;
	if (mod == 3)
		return n;
	if (rm == 4)
		n += 1 + (mod == 0 && (sib & 7) == 5 ? 4 : 0);
	else if (mod == 0 && rm == 5)
		n += 4;                                 /* RIP-relative */
	return n;
}

static bool
x86_is_call(const uint8_t *code, size_t n, uint64_t ra, uint64_t *target)
{
	*target = 0;
	if (n >= 5 && code[n - 5] == 0xe8) {
		struct rd r = rd_of(code + n - 4, 4);
		*target = ra + (uint64_t)(int32_t)rd_u32(&r);
		return true;
	}
	for (size_t length = 2; length <= 7 && length <= n; length++) {
		const uint8_t *c = code + n - length;

		if (c[0] == 0xff
		    && indirect_call_length(c[1], length > 2 ? c[2] : 0)
			       == length)
			return true;
	}
	return false;
}

static const uint8_t ENDBR64[] = { 0xf3, 0x0f, 0x1e, 0xfa };
static const uint8_t PUSH_MOV[] = { 0x55, 0x48, 0x89, 0xe5 };

static bool
x86_makes_frame(const uint8_t *start)
{
	bool marked = memcmp(start, ENDBR64, sizeof(ENDBR64)) == 0;

	return memcmp(start + (marked ? 4 : 0), PUSH_MOV, 4) == 0;
}

static bool
x86_sets_frame(const uint8_t *code, size_t n)
{
	static const uint8_t forms[][3] = {
		{ 0x48, 0x89, 0xe5 }, { 0x48, 0x8b, 0xec },     /* mov */
		{ 0x48, 0x8d, 0x6c }, { 0x48, 0x8d, 0xac },     /* lea */
	};

	for (size_t k = 0; k + 3 <= n; k++)
		for (size_t form = 0; form < countof(forms); form++)
			if (memcmp(code + k, forms[form], 3) == 0)
				return true;
	return false;
}

static int
x86_return_slot(const uint8_t *before, const uint8_t *at)
{
	if (!memcmp(at, ENDBR64, 4) || !memcmp(at, PUSH_MOV, 4))
		return 0;                               /* function entry */
	if (before[3] == 0x55 && !memcmp(at, PUSH_MOV + 1, 3))
		return 8;                               /* %rbp is pushed */
	if (at[0] == 0xc3 || at[0] == 0xc2)
		return 0;                               /* ret */
	if (at[0] == 0x5d && at[1] == 0xc3)
		return 8;                               /* pop %rbp; ret */
	return -1;
}

/* mov $__NR_rt_sigreturn,%rax; syscall */
static const uint8_t TRAMPOLINE[] = { 0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0,
				      0x0f, 0x05 };

/*
 * The handler's return popped the trampoline's address, so the stack pointer
 * is at struct ucontext; its uc_mcontext is at 40 (asm/sigcontext.h, 64-bit).
 */
static struct err *
x86_signal_regs(struct space *sp, uint64_t at, struct frame_regs *out)
{
	enum { MCONTEXT = 40 };
	static const uint8_t order[] = { 8, 9, 10, 11, 12, 13, 14, 15, 5, 4,
					 6, 3, 1, 0, 2, 7, 16 };
	uint8_t saved[sizeof(order) * 8];

	if (!u64_add(at, MCONTEXT, &at))
		return err_new(ERR_UNMAPPED, "the signal frame is beyond the "
			       "address space");
	struct err *err = space_read(sp, at, sizeof(saved), saved);
	if (err)
		return err;
	struct rd r = rd_of(saved, sizeof(saved));
	for (size_t n = 0; n < sizeof(order); n++)
		out->value[order[n]] = rd_u64(&r);
	out->known = (1ull << sizeof(order)) - 1;
	return NULL;
}

const struct arch_table arch_x86_64 = {
	.arch = { .name = "x86_64", .gdb_name = "i386:x86-64",
		  .machine = EM_X86_64, .pc = 16, .sp = 7, .fp = 6, .tp = 58,
		  .frame_regs = 17 },
	.sets = { NT_PRSTATUS, NT_FPREGSET, NT_X86_XSTATE,
		  0x205 /* NT_X86_XSAVE_LAYOUT */ },
	.general_size = 27 * 8,
	.regs = REGS,
	.n_regs = countof(REGS),
	.layout = x86_layout,
	.has = x86_has,
	.read = x86_read,
	.dtv_at = 8,                            /* struct tcbhead_t */
	.ra = 16,
	.preserved = 1u << 3 | 1u << 6 | 0xfu << 12,    /* rbx rbp r12-r15 */
	.is_call = x86_is_call,
	.makes_frame = x86_makes_frame,
	.return_slot = x86_return_slot,
	.sets_frame = x86_sets_frame,
	.trampoline = { TRAMPOLINE, sizeof(TRAMPOLINE) },
	.signal_regs = x86_signal_regs,
};
