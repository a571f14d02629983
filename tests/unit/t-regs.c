/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contract of registers: which there are, where their bytes are, when
 * they are not known, and a session's writes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "assert-err.h"
#include "inspect/inspect.h"
#include "make-core.h"

#define X87 0x1u
#define SSE 0x2u
#define AVX 0x4u
#define AVX512 0xe0u
#define PKRU 0x200u
#define NOTE_XSAVE_LAYOUT 0x205

enum { INTEL_SIZE = 2696, AMD_SIZE = 2432 };

struct fixture {
	struct buf file;
	struct source *source;
	struct insp *insp;
};

/** An XSAVE area: byte n is n % 251, then features and XSTATE_BV. */
struct area {
	uint8_t bytes[3072];
	size_t n;
};

static void
put_u64(uint8_t *at, uint64_t v)
{
	for (unsigned n = 0; n < 8; n++)
		at[n] = (uint8_t)(v >> 8 * n);
}

static struct area
area_of(size_t n, uint64_t features, uint64_t active)
{
	struct area a = { .n = n };

	for (size_t k = 0; k < n; k++)
		a.bytes[k] = (uint8_t)(k % 251);
	put_u64(a.bytes + 464, features);
	put_u64(a.bytes + 512, active);
	return a;
}

static void
open_core(struct fixture *f, struct make_core *m)
{
	struct insp_options options = { 0 };
	struct target *target;

	make_core(m, &f->file);
	assert_ok(source_mem(f->file.data, f->file.len, "core", &f->source));
	assert_ok(target_open(f->source, &target));
	assert_ok(insp_open(target, &options, &f->insp));
}

static void
open_areas(struct fixture *f, const struct area *areas, size_t n)
{
	struct make_core m = { 0 };

	for (size_t k = 0; k < n; k++) {
		make_thread(&m, 100 + (uint32_t)k, 11, 0x401000 + k, 0x7000);
		if (areas[k].n)
			make_note(&m, "LINUX", NT_X86_XSTATE, areas[k].bytes,
				  areas[k].n);
	}
	open_core(f, &m);
}

static void
fixture_fini(struct fixture *f)
{
	insp_free(f->insp);
	source_free(f->source);
	buf_fini(&f->file);
}

static size_t
index_of(const struct fixture *f, const char *name)
{
	size_t n;
	const struct reg *regs = insp_regs(f->insp, &n);

	for (size_t k = 0; k < n; k++)
		if (strcmp(regs[k].name, name) == 0)
			return k;
	fail_msg("no register %s", name);
	return 0;
}

static bool
read_reg(struct fixture *f, size_t thread, const char *name,
	 uint8_t out[REG_BYTES_MAX])
{
	bool known;

	memset(out, 0xcc, REG_BYTES_MAX);
	assert_ok(insp_reg_read(f->insp, thread, index_of(f, name), out,
				&known));
	return known;
}

/* The register holds the @n bytes of an area from @at on. */
static void
assert_from(struct fixture *f, const char *name, size_t at, size_t n)
{
	uint8_t value[REG_BYTES_MAX];

	if (!read_reg(f, 0, name, value))
		fail_msg("%s is not known", name);
	for (size_t k = 0; k < n; k++)
		if (value[k] != (at + k) % 251)
			fail_msg("%s: byte %zu is %u, not that at %zu", name,
				 k, value[k], at + k);
}

static void
assert_u32(struct fixture *f, const char *name, uint32_t want)
{
	uint8_t value[REG_BYTES_MAX];

	assert_true(read_reg(f, 0, name, value));
	struct rd r = rd_of(value, 4);
	assert_int_equal(rd_u32(&r), want);
}

static void
assert_unknown(struct fixture *f, size_t thread, const char *name)
{
	uint8_t value[REG_BYTES_MAX];

	assert_false(read_reg(f, thread, name, value));
	for (size_t k = 0; k < sizeof(value); k++)
		assert_int_equal(value[k], 0xcc);
}

/* ---- which there are ---------------------------------------------------- */
static void
expect(struct fixture *f, size_t *at, const char *name)
{
	size_t n;
	const struct reg *regs = insp_regs(f->insp, &n);

	assert_true(*at < n);
	assert_string_equal(regs[(*at)++].name, name);
}

static void
expect_range(struct fixture *f, size_t *at, const char *prefix, int first,
	     int last, const char *suffix)
{
	for (int k = first; k <= last; k++) {
		char name[16];

		snprintf(name, sizeof(name), "%s%d%s", prefix, k, suffix);
		expect(f, at, name);
	}
}

static size_t
packet_size(struct fixture *f)
{
	size_t n, bits = 0;
	const struct reg *regs = insp_regs(f->insp, &n);

	for (size_t k = 0; k < n; k++)
		bits += regs[k].bits;
	return bits / 8;
}

static void
all_registers_are_in_gdbs_order(void **state)
{
	(void)state;
	struct fixture f = { 0 };
	struct area a = area_of(AMD_SIZE, X87 | SSE | AVX | AVX512, 0);
	static const char *const fixed[] = {
		"rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp",
	}, *const middle[] = {
		"rip", "eflags", "cs", "ss", "ds", "es", "fs", "gs",
	}, *const control[] = {
		"fctrl", "fstat", "ftag", "fiseg", "fioff", "foseg", "fooff",
		"fop",
	}, *const base[] = { "mxcsr", "orig_rax", "fs_base", "gs_base" };
	size_t at = 0;

	open_areas(&f, &a, 1);
	for (size_t k = 0; k < countof(fixed); k++)
		expect(&f, &at, fixed[k]);
	expect_range(&f, &at, "r", 8, 15, "");
	for (size_t k = 0; k < countof(middle); k++)
		expect(&f, &at, middle[k]);
	expect_range(&f, &at, "st", 0, 7, "");
	for (size_t k = 0; k < countof(control); k++)
		expect(&f, &at, control[k]);
	expect_range(&f, &at, "xmm", 0, 15, "");
	for (size_t k = 0; k < countof(base); k++)
		expect(&f, &at, base[k]);
	expect_range(&f, &at, "ymm", 0, 15, "h");
	expect_range(&f, &at, "xmm", 16, 31, "");
	expect_range(&f, &at, "ymm", 16, 31, "h");
	expect_range(&f, &at, "k", 0, 7, "");
	expect_range(&f, &at, "zmm", 0, 31, "h");
	assert_int_equal(at, 148);
	assert_int_equal(packet_size(&f), 2416);
	fixture_fini(&f);
}

static void
features_are_those_of_the_recorded_machine(void **state)
{
	(void)state;
	static const struct { uint64_t features; size_t n, size; } cases[] = {
		{ 0, 60, 560 },
		{ X87 | SSE, 60, 560 },
		{ X87 | SSE | AVX, 76, 816 },
		{ X87 | SSE | AVX | PKRU, 77, 820 },
		/* All three parts of AVX-512, or it is not there. */
		{ X87 | SSE | AVX | 0x60, 76, 816 },
		{ X87 | SSE | AVX | AVX512, 148, 2416 },
		{ X87 | SSE | AVX | AVX512 | PKRU, 149, 2420 },
	};

	for (size_t k = 0; k < countof(cases); k++) {
		struct fixture f = { 0 };
		struct area a = area_of(INTEL_SIZE, cases[k].features, 0);
		size_t n;

		open_areas(&f, &a, 1);
		insp_regs(f.insp, &n);
		assert_int_equal(n, cases[k].n);
		assert_int_equal(packet_size(&f), cases[k].size);
		fixture_fini(&f);
	}
}

static void
a_core_without_vector_state_has_sse_registers(void **state)
{
	(void)state;
	struct fixture f = { 0 };
	struct area none = { .n = 0 };
	size_t n;

	open_areas(&f, &none, 1);
	insp_regs(f.insp, &n);
	assert_int_equal(n, 60);
	assert_unknown(&f, 0, "xmm0");
	assert_unknown(&f, 0, "st0");
	assert_unknown(&f, 0, "mxcsr");
	fixture_fini(&f);
}

/* ---- where their bytes are ---------------------------------------------- */
static void
general_registers_come_from_the_status_note(void **state)
{
	(void)state;
	struct fixture f = { 0 };
	struct make_core m = { 0 };
	uint8_t status[336] = { 0 }, value[REG_BYTES_MAX];

	for (size_t k = 0; k < 27; k++)         /* struct user_regs_struct */
		put_u64(status + 112 + 8 * k, 0x1111111100000000u + k);
	make_note(&m, "CORE", NT_PRSTATUS, status, sizeof(status));
	open_core(&f, &m);
	static const struct { const char *name; uint8_t at; } regs[] = {
		{ "r15", 0 }, { "r14", 1 }, { "r13", 2 }, { "r12", 3 },
		{ "rbp", 4 }, { "rbx", 5 }, { "r11", 6 }, { "r10", 7 },
		{ "r9", 8 }, { "r8", 9 }, { "rax", 10 }, { "rcx", 11 },
		{ "rdx", 12 }, { "rsi", 13 }, { "rdi", 14 },
		{ "orig_rax", 15 }, { "rip", 16 }, { "cs", 17 },
		{ "eflags", 18 }, { "rsp", 19 }, { "ss", 20 },
		{ "fs_base", 21 }, { "gs_base", 22 }, { "ds", 23 },
		{ "es", 24 }, { "fs", 25 }, { "gs", 26 },
	};
	for (size_t k = 0; k < countof(regs); k++) {
		size_t reg = index_of(&f, regs[k].name), n;
		bool wide = insp_regs(f.insp, &n)[reg].bits == 64;

		assert_true(read_reg(&f, 0, regs[k].name, value));
		assert_int_equal(value[0], regs[k].at);
		assert_int_equal(value[4], wide ? 0x11 : 0xcc);
	}
	fixture_fini(&f);
}

static void
frame_registers_have_dwarf_numbers(void **state)
{
	(void)state;
	struct fixture f = { 0 };
	struct make_core m = { 0 };
	uint8_t status[336] = { 0 };
	/* DWARF numbers 0…16 as indices into user_regs_struct. */
	static const uint8_t at[X86_REGS] = {
		10, 12, 11, 5, 13, 14, 4, 19, 9, 8, 7, 6, 3, 2, 1, 0, 16,
	};
	struct frame_regs regs;

	for (size_t k = 0; k < 27; k++)
		put_u64(status + 112 + 8 * k, 1000 + k);
	make_note(&m, "CORE", NT_PRSTATUS, status, sizeof(status));
	open_core(&f, &m);
	assert_ok(insp_frame_regs(f.insp, 0, &regs));
	assert_int_equal(regs.known, (1ull << X86_REGS) - 1);
	for (size_t k = 0; k < X86_REGS; k++)
		assert_int_equal(regs.value[k], 1000 + at[k]);
	fixture_fini(&f);
}

static void
vector_registers_come_from_intels_layout(void **state)
{
	(void)state;
	struct fixture f = { 0 };
	uint64_t all = X87 | SSE | AVX | AVX512 | PKRU;
	struct area a = area_of(INTEL_SIZE, all, all);

	open_areas(&f, &a, 1);
	assert_from(&f, "xmm0", 160, 16);
	assert_from(&f, "xmm15", 400, 16);
	assert_from(&f, "ymm0h", 576, 16);
	assert_from(&f, "ymm15h", 576 + 240, 16);
	assert_from(&f, "k7", 1088 + 56, 8);
	assert_from(&f, "zmm15h", 1152 + 480, 32);
	assert_from(&f, "xmm16", 1664, 16);
	assert_from(&f, "ymm16h", 1664 + 16, 16);
	assert_from(&f, "zmm31h", 1664 + 960 + 32, 32);
	assert_from(&f, "pkru", 2688, 4);
	fixture_fini(&f);
}

static void
vector_registers_come_from_amds_layout(void **state)
{
	(void)state;
	struct fixture f = { 0 };
	uint64_t all = X87 | SSE | AVX | AVX512;
	struct area a = area_of(AMD_SIZE, all, all);

	open_areas(&f, &a, 1);
	assert_from(&f, "ymm15h", 576 + 240, 16);
	assert_from(&f, "k0", 832, 8);
	assert_from(&f, "zmm0h", 896, 32);
	assert_from(&f, "xmm31", 1408 + 960, 16);
	assert_from(&f, "zmm16h", 1408 + 32, 32);
	fixture_fini(&f);
}

static void
amd_without_avx512_keeps_the_place_of_protection_keys(void **state)
{
	(void)state;
	struct fixture f = { 0 };
	uint64_t all = X87 | SSE | AVX | PKRU;
	struct area a = area_of(2440, all, all);

	open_areas(&f, &a, 1);
	assert_from(&f, "ymm0h", 576, 16);
	assert_from(&f, "pkru", 2432, 4);
	fixture_fini(&f);
}

static void
a_recorded_layout_wins(void **state)
{
	(void)state;
	struct fixture f = { 0 };
	struct make_core m = { 0 };
	uint64_t all = X87 | SSE | AVX | AVX512;
	struct area a = area_of(2600, all, all);
	struct buf note = { 0 };
	static const uint32_t entries[][4] = {  /* type, size, offset, flags */
		{ 2, 256, 640, 0 }, { 5, 64, 896, 0 }, { 6, 512, 1000, 0 },
		{ 7, 1024, 1520, 0 },
	};

	for (size_t k = 0; k < countof(entries); k++)
		for (size_t n = 0; n < 4; n++)
			buf_u32(&note, entries[k][n]);
	make_thread(&m, 1, 11, 0x401000, 0x7000);
	make_note(&m, "LINUX", NT_X86_XSTATE, a.bytes, a.n);
	make_note(&m, "LINUX", NOTE_XSAVE_LAYOUT, note.data, note.len);
	open_core(&f, &m);
	assert_from(&f, "ymm1h", 656, 16);
	assert_from(&f, "k1", 904, 8);
	assert_from(&f, "zmm1h", 1032, 32);
	assert_from(&f, "zmm31h", 1520 + 960 + 32, 32);
	buf_fini(&note);
	fixture_fini(&f);
}

static void
a_layout_that_points_outside_leaves_registers_unknown(void **state)
{
	(void)state;
	struct fixture f = { 0 };
	struct make_core m = { 0 };
	uint64_t all = X87 | SSE | AVX | AVX512;
	struct area a = area_of(AMD_SIZE, all, all);
	struct buf note = { 0 };
	static const uint32_t entries[][4] = {
		{ 2, 256, 0, 0 },               /* in the header */
		{ 5, 64, 0xffffffff, 0 }, { 6, 512, AMD_SIZE - 16, 0 },
		{ 7, 0xffffffff, 600, 0 }, { 0xffffffff, 1, 600, 0 },
		{ 7, 32, 600, 0 },              /* shorter than it is */
	};

	for (size_t k = 0; k < countof(entries); k++)
		for (size_t n = 0; n < 4; n++)
			buf_u32(&note, entries[k][n]);
	make_thread(&m, 1, 11, 0x401000, 0x7000);
	make_note(&m, "LINUX", NT_X86_XSTATE, a.bytes, a.n);
	make_note(&m, "LINUX", NOTE_XSAVE_LAYOUT, note.data, note.len);
	open_core(&f, &m);
	assert_unknown(&f, 0, "ymm0h");
	assert_unknown(&f, 0, "k0");
	assert_unknown(&f, 0, "zmm0h");
	assert_from(&f, "xmm16", 600, 16);
	assert_unknown(&f, 0, "zmm16h");
	assert_unknown(&f, 0, "xmm17");
	buf_fini(&note);
	fixture_fini(&f);
}

/* ---- initial and unknown values ----------------------------------------- */
static void
a_component_in_its_initial_state_is_truly_zero(void **state)
{
	(void)state;
	struct fixture f = { 0 };
	struct area a = area_of(AMD_SIZE, X87 | SSE | AVX | AVX512, SSE);
	uint8_t value[REG_BYTES_MAX], zero[32] = { 0 };
	static const char *const names[] = { "zmm0h", "zmm31h" };

	open_areas(&f, &a, 1);
	assert_from(&f, "xmm3", 160 + 48, 16);
	for (size_t k = 0; k < countof(names); k++) {
		assert_true(read_reg(&f, 0, names[k], value));
		assert_memory_equal(value, zero, 32);
	}
	assert_true(read_reg(&f, 0, "ymm2h", value));
	assert_memory_equal(value, zero, 16);
	assert_int_equal(value[16], 0xcc);
	fixture_fini(&f);
}

static void
initial_control_words_are_the_processors(void **state)
{
	(void)state;
	struct fixture f = { 0 };
	struct area a = area_of(AMD_SIZE, X87 | SSE | AVX | AVX512, 0);
	uint8_t value[REG_BYTES_MAX], zero[16] = { 0 };

	open_areas(&f, &a, 1);
	assert_u32(&f, "fctrl", 0x37f);
	assert_u32(&f, "fstat", 0);
	assert_u32(&f, "ftag", 0xffff);
	assert_u32(&f, "fop", 0);
	assert_u32(&f, "mxcsr", 0x1f80);
	assert_true(read_reg(&f, 0, "st3", value));
	assert_memory_equal(value, zero, 10);
	assert_true(read_reg(&f, 0, "xmm0", value));
	assert_memory_equal(value, zero, 16);
	fixture_fini(&f);
}

static void
mxcsr_is_recorded_when_only_avx_is_active(void **state)
{
	(void)state;
	struct fixture f = { 0 };
	struct area a = area_of(AMD_SIZE, X87 | SSE | AVX | AVX512, AVX);

	open_areas(&f, &a, 1);
	assert_from(&f, "mxcsr", 24, 4);
	fixture_fini(&f);
}

static void
an_area_of_no_known_layout_tells_no_more_than_avx(void **state)
{
	(void)state;
	struct fixture f = { 0 };
	uint64_t all = X87 | SSE | AVX | AVX512;
	struct area a = area_of(2500, all, all);

	open_areas(&f, &a, 1);
	assert_from(&f, "ymm0h", 576, 16);
	assert_unknown(&f, 0, "k0");
	assert_unknown(&f, 0, "zmm0h");
	assert_unknown(&f, 0, "xmm16");
	fixture_fini(&f);
}

static void
a_thread_with_a_short_area_knows_what_is_in_it(void **state)
{
	(void)state;
	struct fixture f = { 0 };
	uint64_t all = X87 | SSE | AVX | AVX512;
	struct area areas[] = {
		area_of(AMD_SIZE, all, all),
		area_of(900, all, all),         /* ends within ZMM_Hi256 */
		area_of(300, 0, 0),             /* no header even */
		{ .n = 0 },
	};

	open_areas(&f, areas, countof(areas));
	uint8_t value[REG_BYTES_MAX];
	assert_true(read_reg(&f, 1, "ymm15h", value));
	assert_true(read_reg(&f, 1, "k7", value));
	assert_unknown(&f, 1, "zmm0h");
	assert_unknown(&f, 2, "ymm0h");
	assert_unknown(&f, 2, "xmm0");
	assert_unknown(&f, 3, "ymm0h");
	assert_true(read_reg(&f, 3, "rip", value));
	fixture_fini(&f);
}

static void
without_an_area_the_fxsave_image_counts(void **state)
{
	(void)state;
	struct fixture f = { 0 };
	struct make_core m = { 0 };
	struct area a = area_of(512, 0, 0);

	make_thread(&m, 1, 11, 0x401000, 0x7000);
	make_note(&m, "CORE", NT_FPREGSET, a.bytes, 512);
	open_core(&f, &m);
	assert_from(&f, "xmm0", 160, 16);
	assert_from(&f, "st1", 48, 10);
	assert_from(&f, "mxcsr", 24, 4);
	assert_from(&f, "fioff", 8, 4);
	assert_from(&f, "fooff", 16, 4);
	assert_u32(&f, "fctrl", 0x0100);
	assert_u32(&f, "fiseg", 0x0d0c);
	assert_u32(&f, "fop", 0x0706);
	fixture_fini(&f);
}

static void
tags_are_told_from_the_registers(void **state)
{
	(void)state;
	struct fixture f = { 0 };
	struct make_core m = { 0 };
	uint8_t fx[512] = { 0 };

	fx[3] = 6 << 3;                         /* top = 6: st0 is slot 6 */
	fx[4] = 1 << 6 | 1 << 7 | 1 << 0;       /* three are in use */
	fx[32 + 7] = 0x80;                      /* st0 = 1.0: valid */
	fx[32 + 8] = 0xff, fx[32 + 9] = 0x3f;
	/* st1 = 0: zero; st2 = infinity: special */
	fx[64 + 7] = 0x80, fx[64 + 8] = 0xff, fx[64 + 9] = 0x7f;
	make_thread(&m, 1, 11, 0x401000, 0x7000);
	make_note(&m, "CORE", NT_FPREGSET, fx, sizeof(fx));
	open_core(&f, &m);
	/* slot 7: zero 1, slot 6: valid 0, slots 5…1: empty 3, slot 0: 2 */
	assert_u32(&f, "ftag", 1u << 14 | 0u << 12 | 0xffcu | 2u);
	fixture_fini(&f);
}

/* ---- writes ------------------------------------------------------------- */
static void
a_write_stays_in_the_session_and_in_its_thread(void **state)
{
	(void)state;
	struct fixture f = { 0 };
	struct area areas[] = { { .n = 0 }, { .n = 0 } };
	uint8_t value[REG_BYTES_MAX], mine[16];
	struct frame_regs regs;

	memset(mine, 0x5a, sizeof(mine));
	open_areas(&f, areas, 2);
	assert_ok(insp_reg_write(f.insp, 1, index_of(&f, "rip"), mine));
	assert_ok(insp_reg_write(f.insp, 1, index_of(&f, "xmm7"), mine));
	assert_true(read_reg(&f, 1, "rip", value));
	assert_memory_equal(value, mine, 8);
	assert_int_equal(value[8], 0xcc);
	assert_true(read_reg(&f, 1, "xmm7", value));
	assert_memory_equal(value, mine, 16);
	assert_unknown(&f, 1, "xmm8");
	assert_unknown(&f, 0, "xmm7");
	assert_ok(insp_frame_regs(f.insp, 1, &regs));
	assert_int_equal(regs.value[16], 0x5a5a5a5a5a5a5a5au);
	assert_ok(insp_frame_regs(f.insp, 0, &regs));
	assert_int_equal(regs.value[16], 0x401000);
	fixture_fini(&f);
}

static void
what_is_not_there_is_refused(void **state)
{
	(void)state;
	struct fixture f = { 0 };
	struct area none = { .n = 0 };
	uint8_t value[REG_BYTES_MAX] = { 0 };
	struct frame_regs regs;
	bool known;

	open_areas(&f, &none, 1);
	assert_err(insp_reg_read(f.insp, 1, 0, value, &known), ERR_NOTFOUND,
		   "thread 1");
	assert_err(insp_reg_read(f.insp, 0, 60, value, &known), ERR_NOTFOUND,
		   "register 60");
	assert_err(insp_reg_write(f.insp, 0, INSP_NONE, value), ERR_NOTFOUND,
		   "no register");
	assert_err(insp_frame_regs(f.insp, INSP_NONE, &regs), ERR_NOTFOUND,
		   "no thread");
	fixture_fini(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_registers_are_in_gdbs_order),
		cmocka_unit_test(features_are_those_of_the_recorded_machine),
		cmocka_unit_test(
			a_core_without_vector_state_has_sse_registers),
		cmocka_unit_test(general_registers_come_from_the_status_note),
		cmocka_unit_test(frame_registers_have_dwarf_numbers),
		cmocka_unit_test(vector_registers_come_from_intels_layout),
		cmocka_unit_test(vector_registers_come_from_amds_layout),
		cmocka_unit_test(
			amd_without_avx512_keeps_the_place_of_protection_keys),
		cmocka_unit_test(a_recorded_layout_wins),
		cmocka_unit_test(
			a_layout_that_points_outside_leaves_registers_unknown),
		cmocka_unit_test(
			a_component_in_its_initial_state_is_truly_zero),
		cmocka_unit_test(initial_control_words_are_the_processors),
		cmocka_unit_test(mxcsr_is_recorded_when_only_avx_is_active),
		cmocka_unit_test(
			an_area_of_no_known_layout_tells_no_more_than_avx),
		cmocka_unit_test(
			a_thread_with_a_short_area_knows_what_is_in_it),
		cmocka_unit_test(without_an_area_the_fxsave_image_counts),
		cmocka_unit_test(tags_are_told_from_the_registers),
		cmocka_unit_test(
			a_write_stays_in_the_session_and_in_its_thread),
		cmocka_unit_test(what_is_not_there_is_refused),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
