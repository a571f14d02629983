/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hostile bytes as code, with hostile registers: lists in both directions have
 * the right number of entries, in order, of which each can be written.
 *
 * Input: a byte of which bit 0 is the machine and bit 1 the syntax, one that
 * says where in the code to look, 32 bytes of registers, then the code, which
 * ends where nothing is captured.
 */
#include "fuzz.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "disasm/disasm.h"

#define CODE 0x401000u
#define PAGE 4096u
#define BEFORE 24u
#define COUNT 40u
#define HEAD 34u

/** A target with one page of code, and one that was not captured. */
struct made {
	struct target target;
	struct snap_memory memory[2];
	struct snap_thread thread;
};

/* One engine a machine lives on: nothing is kept of what it has read. */
static uint8_t page[PAGE];
static struct insp *engines[2];

static struct err *
made_read(struct target *t, size_t range, uint64_t off, size_t n, void *out)
{
	(void)t, (void)range;
	memcpy(out, page + off, n);
	return NULL;
}

static void
made_close(struct target *t)
{
	free(t);
}

static const struct target_ops made_ops = {
	.kind = "made", .read = made_read, .close = made_close,
};

static struct err *
engine(uint16_t machine, struct insp **out)
{
	const struct insp_options options = { 0 };
	struct made *m = *out ? NULL : calloc(1, sizeof(*m));

	if (!m)
		return *out ? NULL : err_nomem();
	m->memory[0] = (struct snap_memory){
		.start = CODE, .length = PAGE, .kind = SNAP_MEM_DATA };
	m->memory[1] = (struct snap_memory){
		.start = CODE + PAGE, .length = PAGE,
		.kind = SNAP_MEM_ABSENT };
	m->thread = (struct snap_thread){ .tid = 7 };
	m->target = (struct target){
		.ops = &made_ops, .threads = &m->thread, .n_threads = 1,
		.memory = m->memory, .n_memory = 2,
		.process = { .machine = machine, .os = SNAP_OS_LINUX,
			     .bits = 64, .pid = 7 },
	};
	return insp_open(&m->target, &options, out);
}

static void
put_code(const uint8_t *code, size_t n)
{
	n = n < PAGE ? n : PAGE;
	memset(page, 0, PAGE - n);
	memcpy(page + PAGE - n, code, n);
}

static void
check_text(const char *text)
{
	size_t n = strnlen(text, DISASM_TEXT_MAX);

	if (n == DISASM_TEXT_MAX)
		abort();
	for (size_t k = 0; k < n; k++)
		if (text[k] < ' ' || text[k] > '~')
			abort();
}

static void
check_entry(const struct disasm_entry *e, struct buf *out)
{
	bool code = e->kind == DISASM_CODE;

	if (code != !!e->text || code != !e->why
	    || !e->length != (e->kind == DISASM_OUTSIDE))
		abort();
	if (code && (e->length > DISASM_BYTES_MAX || e->n_bytes != e->length))
		abort();
	if (code)
		check_text(e->text);
	buf_reset(out);
	disasm_put(e, out);
	for (size_t k = 0; k < e->n_memory; k++)
		disasm_put_memory(&e->memory[k], out);
	disasm_put_place(&e->place, out);
}

static void
check_list(const struct disasm_list *l)
{
	_buf_ struct buf out = { 0 };

	if (l->n != BEFORE + COUNT)
		abort();
	for (size_t k = 0; k < l->n; k++) {
		const struct disasm_entry *e = &l->entries[k];

		check_entry(e, &out);
		if (k && e->address < l->entries[k - 1].address
				      + l->entries[k - 1].length
		    && e->kind != DISASM_OUTSIDE)
			abort();
	}
}

static struct err *
look(struct insp *i, uint16_t machine, const uint8_t *head)
{
	_arena_ struct arena *a = arena_new(8 << 20);
	_disasm_ struct disasm *d = NULL;
	struct frame_regs regs = { .known = UINT64_MAX };
	struct disasm_list list;
	struct disasm_ask ask = {
		.address = CODE + PAGE - (uint64_t)head[1] * 4,
		.before = BEFORE, .count = COUNT, .regs = &regs,
	};

	for (unsigned k = 0; k < FRAME_REGS; k++)
		memcpy(&regs.value[k], head + 2 + 8 * (k % 4), 8);
	ask.pc = ask.address;
	struct err *err = a ? disasm_new(machine, head[0] & 2 ? DISASM_INTEL
						  : DISASM_ATT, &d)
			    : err_nomem();
	if (!err)
		err = disasm_list(d, i, &ask, a, &list);
	if (!err)
		check_list(&list);
	return err;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	if (n < HEAD)
		return 0;
	uint16_t machine = data[0] & 1 ? EM_AARCH64 : EM_X86_64;
	struct insp **i = &engines[data[0] & 1];

	put_code(data + HEAD, n - HEAD);
	struct err *err = engine(machine, i);
	if (!err)
		err = look(*i, machine, data);
	err_free(err);
	return 0;
}
