/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arm64_atomics.c: atomic instructions of Armv8.1 and ldapr of 8.3, which are
 * newer than capstone 4 and in every program's calls of libgcc's atomics.
 * Encodings: Arm Architecture Reference Manual, C4.1.94 and C4.1.96.
 */
#include <stdio.h>

#include "disasm/impl.h"

#define ZERO_REGISTER 31u
#define SP 31u

struct atomic {
	uint32_t mask, bits;
	const char *name;
	uint8_t shown;          /* registers before the address */
	bool reads, writes;
	uint8_t acquire, release;       /* bits that add "a" and "l" */
};

#define MEMORY_OP(opcode, word) \
	{ 0x3f20fc00, 0x38200000 | (opcode) << 12, word, 2, true, true, 23, 22 }

static const struct atomic ATOMICS[] = {
	MEMORY_OP(0u, "ldadd"), MEMORY_OP(1u, "ldclr"),
	MEMORY_OP(2u, "ldeor"), MEMORY_OP(3u, "ldset"),
	MEMORY_OP(4u, "ldsmax"), MEMORY_OP(5u, "ldsmin"),
	MEMORY_OP(6u, "ldumax"), MEMORY_OP(7u, "ldumin"),
	MEMORY_OP(8u, "swp"),
	{ 0x3ffffc00, 0x38bfc000, "ldapr", 1, true, false, 0, 0 },
	{ 0x3fa07c00, 0x08a07c00, "cas", 2, true, true, 22, 15 },
};

static const struct atomic *
atomic_find(uint32_t word)
{
	for (size_t k = 0; k < countof(ATOMICS); k++)
		if ((word & ATOMICS[k].mask) == ATOMICS[k].bits)
			return &ATOMICS[k];
	return NULL;
}

bool
arm64_is_atomic(uint32_t word)
{
	return atomic_find(word);
}

/* "w3", "xzr", or as a base "sp". */
static void
put_reg(struct buf *out, unsigned reg, bool wide)
{
	if (reg == ZERO_REGISTER)
		buf_puts(out, wide ? "xzr" : "wzr");
	else
		buf_printf(out, "%c%u", wide ? 'x' : 'w', reg);
}

static void
put_name(struct buf *out, const struct atomic *a, uint32_t word)
{
	static const char *const sizes[] = { "b", "h", "", "" };

	buf_puts(out, a->name);
	buf_puts(out, a->acquire && word >> a->acquire & 1 ? "a" : "");
	buf_puts(out, a->release && word >> a->release & 1 ? "l" : "");
	buf_puts(out, sizes[word >> 30]);
	buf_putc(out, ' ');
}

static void
read_reg(struct decoded *out, unsigned reg)
{
	const struct term t = { .kind = BASE_FRAME, .reg = (uint8_t)reg,
				.scale = 1, .bits = 64 };

	if (reg != ZERO_REGISTER)
		decoded_read(out, &t);
}

void
arm64_atomic(uint32_t word, struct decoded *out)
{
	const struct atomic *a = atomic_find(word);
	unsigned value = word >> 16 & 31, target = word & 31;
	unsigned base = word >> 5 & 31;
	bool wide = word >> 30 == 3;
	_buf_ struct buf text = { .max = DISASM_TEXT_MAX - 1 };

	put_name(&text, a, word);
	if (a->shown == 2) {
		put_reg(&text, value, wide);
		buf_puts(&text, ", ");
		read_reg(out, value);
	}
	put_reg(&text, target, wide);
	if (base == SP)
		buf_puts(&text, ", [sp]");
	else
		buf_printf(&text, ", [x%u]", base);
	snprintf(out->text, sizeof(out->text), "%s", text.data);
	out->memory[out->n_memory++] = (struct operand){
		.terms = { { .kind = BASE_FRAME, .reg = (uint8_t)base,
			     .scale = 1, .bits = 64 } },
		.n_terms = 1, .bits = 56, .size = (uint16_t)(1u << (word >> 30)),
		.reads = a->reads, .writes = a->writes,
	};
}
