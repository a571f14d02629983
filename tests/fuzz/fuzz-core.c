/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hostile bytes as an ELF core: opened, inspected and asked everything that a
 * report asks.
 */
#include "fuzz.h"

#include "inspect/inspect.h"

#define THREADS 4
#define FRAMES 32

static void
ask_frame(struct insp *i, const struct stack *s, size_t n)
{
	uint64_t pc = stack_lookup_pc(s, n);
	struct symbol sym;
	struct line line;

	err_free(insp_symbol(i, pc, &sym));
	err_free(insp_line(i, pc, &line));
}

static void
ask_thread(struct insp *i, size_t thread)
{
	_arena_ struct arena *a = arena_new(16 << 20);
	uint8_t value[REG_BYTES_MAX];
	struct stack s;
	uint64_t addr;
	bool known;
	size_t n;

	insp_regs(i, &n);
	for (size_t k = 0; k < n; k++)
		err_free(insp_reg_read(i, thread, k, value, &known));
	_err_ struct err *err = insp_stack(i, thread, FRAMES, thread == 0, a,
					   &s);
	for (size_t k = 0; !err && k < s.n; k++)
		ask_frame(i, &s, k);
	err_free(insp_tls(i, thread, insp_target(i)->process.fault_address, 8,
			  &addr));
}

static void
ask_memory(struct insp *i)
{
	const struct target *t = insp_target(i);

	for (size_t k = 0; k < t->n_memory && k < 64; k++) {
		struct region r;
		uint8_t bytes[128];
		size_t got;

		space_region(insp_space(i), t->memory[k].start, &r);
		err_free(space_read_some(insp_space(i), t->memory[k].start,
					 sizeof(bytes), bytes, &got));
	}
}

static void
ask_modules(struct insp *i)
{
	size_t n;

	insp_modules(i, &n);
	for (size_t k = 0; k < n && k < 16; k++) {
		const struct snap_extent *extents;
		size_t count;
		uint64_t size;

		err_free(insp_module_skeleton(i, k, &extents, &count, &size));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct insp_options options = { 0 };
	_source_ struct source *src = NULL;
	_insp_ struct insp *i = NULL;
	struct target *t;

	err_free(source_mem(data, n, "input", &src));
	_err_ struct err *bad = src ? target_open(src, &t) : err_nomem();
	if (bad)
		return 0;
	_err_ struct err *refused = insp_open(t, &options, &i);
	if (refused)
		return 0;
	for (size_t k = 0; k < THREADS && k < insp_target(i)->n_threads; k++)
		ask_thread(i, k);
	ask_memory(i);
	ask_modules(i);
	return 0;
}
