/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hostile bytes as a DWARF expression: decoded and evaluated.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "inspect/unwind.h"

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
	*out = number << number;
	return NULL;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct expr_env env = { .read = read_memory, .reg = read_reg,
				.has_cfa = n % 2, .cfa = 0x7000 };
	struct expr_result result = { 0 };
	Dwarf_Op ops[EXPR_OPS_MAX];
	size_t n_ops = 0;

	struct err *err = expr_decode((struct span){ data, n }, ops,
				      EXPR_OPS_MAX, &n_ops);
	if (n_ops > EXPR_OPS_MAX)
		abort();
	if (!err)
		err = expr_eval(&env, ops, n_ops, &result);
	if (!err && result.kind > EXPR_REGISTER)
		abort();
	err_free(err);
	return 0;
}
