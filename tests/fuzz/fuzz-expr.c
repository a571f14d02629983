/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hostile bytes as a DWARF expression: three bytes an operation, the atom and
 * a signed operand; offsets as libdw would count them.
 */
#include "fuzz.h"

#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

#include "inspect/unwind.h"

#define OPS_MAX 1024
#define RECORD 3

static struct err *
read_memory(void *arg, uint64_t addr, size_t n, void *out)
{
	(void)arg;
	if (addr % 7 == 0)
		return err_new(ERR_ABSENT, "not captured");
	memset(out, (int)(addr & 0xff), n);
	return NULL;
}

static struct err *
read_reg(void *arg, uint64_t number, uint64_t *out)
{
	(void)arg;
	if (number >= FRAME_REGS)
		return err_new(ERR_ABSENT, "unknown");
	*out = number << (number % 64);
	return NULL;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct expr_env env = { .read = read_memory, .reg = read_reg,
				.has_cfa = n % 2, .cfa = 0x7000 };
	size_t n_ops = n / RECORD < OPS_MAX ? n / RECORD : OPS_MAX;
	struct expr_result result = { 0 };
	uint64_t offset = 0;

	/* Exactly as large as it is said to be, for the sanitizer. */
	Dwarf_Op *ops = calloc(n_ops ? n_ops : 1, sizeof(*ops));
	if (!ops)
		return 0;
	for (size_t k = 0; k < n_ops; k++) {
		const uint8_t *at = data + RECORD * k;
		int16_t operand = (int16_t)(at[1] | at[2] << 8);

		ops[k] = (Dwarf_Op){ .atom = at[0], .offset = offset,
				     .number = (Dwarf_Word)operand,
				     .number2 = at[1] };
		offset += at[0] == DW_OP_bra || at[0] == DW_OP_skip ? 3 : 1;
	}
	struct err *err = expr_eval(&env, ops, n_ops, &result);
	if (!err && result.kind > EXPR_REGISTER)
		abort();
	err_free(err);
	free(ops);
	return 0;
}
