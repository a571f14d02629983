/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One step of unwinding by call frame information: the row from libdw
 * (.eh_frame, else .debug_frame), its rules evaluated over the address space.
 * DWARF 5, section 6.4; System V ABI AMD64 supplement for register defaults.
 */
#include <elfutils/libdwfl.h>
#include <stdlib.h>

#include "inspect/arch.h"
#include "inspect/impl.h"
#include "inspect/unwind.h"

/* Freed by free(): so says dwarf_cfi_addrframe(). */
#define _frame_ _cleanup_(base_free)

struct known {
	struct space *space;
	const struct frame_regs *regs;
	const struct arch_table *arch;
};

static struct err *
read_known(void *arg, uint64_t addr, size_t n, void *out)
{
	const struct known *k = arg;

	return space_read(k->space, addr, n, out);
}

static struct err *
reg_known(void *arg, uint64_t number, uint64_t *out)
{
	const struct known *k = arg;

	if (number >= FRAME_REGS || !(k->regs->known >> number & 1))
		return err_new(ERR_ABSENT, "register %llu is not known",
			       (unsigned long long)number);
	*out = k->regs->value[number];
	return NULL;
}

/* ---- finding the row ---------------------------------------------------------- */
typedef Dwarf_CFI *table_fn(Dwfl_Module *mod, Dwarf_Addr *bias);

static struct err *
find_frame(struct insp *i, uint64_t lookup, Dwarf_Frame **out,
	   Dwarf_Addr *bias)
{
	static table_fn *const tables[] = { dwfl_module_eh_cfi,
					    dwfl_module_dwarf_cfi };
	size_t module = insp_module_at(i, lookup);
	Dwfl_Module *mod = NULL;

	if (module != INSP_NONE)
		mod = symbols_module(i, module);
	for (size_t n = 0; mod && n < countof(tables); n++) {
		Dwarf_CFI *cfi = tables[n](mod, bias);

		if (cfi && dwarf_cfi_addrframe(cfi, lookup - *bias, out) == 0)
			return NULL;
	}
	return err_new(ERR_NOTFOUND, "no unwind information for 0x%llx",
		       (unsigned long long)lookup);
}

/* ---- evaluating its rules ------------------------------------------------------- */
static struct err *
eval_cfa(const struct expr_env *env, Dwarf_Frame *frame, uint64_t *out)
{
	struct expr_result r;
	Dwarf_Op *ops;
	size_t n;

	if (dwarf_frame_cfa(frame, &ops, &n) != 0 || n == 0)
		return err_new(ERR_DAMAGED, "the unwind information does not "
			       "tell the frame's address");
	struct err *err = expr_eval(env, ops, n, &r);
	if (!err && r.kind == EXPR_REGISTER)
		err = env->reg(env->arg, r.value, &r.value);
	if (err)
		return err;
	*out = r.value;
	return NULL;
}

static struct err *
eval_rule(const struct expr_env *env, const Dwarf_Op *ops, size_t n,
	  uint64_t *out)
{
	const struct known *k = env->arg;
	struct expr_result r;
	struct err *err = expr_eval(env, ops, n, &r);

	if (err)
		return err;
	switch (r.kind) {
	case EXPR_MEMORY:
		return space_u64(k->space, r.value, out);
	case EXPR_REGISTER:
		return env->reg(env->arg, r.value, out);
	default:
		*out = r.value;
		return NULL;
	}
}

/* No rule, or "same value": true of registers that a callee must preserve.
 * libdw's defaults are not believed, they are off by one register. */
static bool
is_kept(const struct arch_table *arch, const Dwarf_Op *ops, int number)
{
	bool same = !ops || arch->misjudged >> number & 1;

	return same && arch->preserved >> number & 1;
}

/** *@known false: the rule says that the caller's value is gone. */
static struct err *
eval_register(const struct expr_env *env, Dwarf_Frame *frame, int number,
	      uint64_t *out, bool *known)
{
	const struct known *k = env->arg;
	Dwarf_Op mem[3], *ops;
	size_t n;

	if (dwarf_frame_register(frame, number, mem, &ops, &n) != 0)
		return err_new(ERR_DAMAGED, "the rule for register %d: %s",
			       number, dwarf_errmsg(-1));
	*known = n || is_kept(k->arch, ops, number);
	if (n)
		return eval_rule(env, ops, n, out);
	return *known ? env->reg(env->arg, (uint64_t)number, out) : NULL;
}

/*
 * Without return address or stack pointer there is no caller, so their errors
 * are the step's; any other register is then merely not known.
 */
static struct err *
eval_caller(const struct expr_env *env, Dwarf_Frame *frame, int ra, int sp,
	    struct frame_regs *out)
{
	for (int n = 0; n < FRAME_REGS; n++) {
		bool known = false;
		struct err *err = eval_register(env, frame, n, &out->value[n],
						&known);
		if (err && (n == ra || n == sp))
			return err;
		if (!err && known)
			out->known |= 1u << n;
		err_free(err);
	}
	return NULL;
}

struct err *
cfi_unwind(struct insp *i, uint64_t lookup, const struct frame_regs *regs,
	   struct cfi_step *out)
{
	struct known known = { i->space, regs, arch_table_of(i->arch) };
	struct expr_env env = { .read = read_known, .reg = reg_known,
				.arg = &known };
	struct cfi_step step = { 0 };
	_frame_ Dwarf_Frame *frame = NULL;

	struct err *err = find_frame(i, lookup, &frame, &env.bias);
	if (err)
		return err;
	int ra = dwarf_frame_info(frame, NULL, NULL, &step.signal);
	if (ra < 0 || ra >= FRAME_REGS)
		return err_new(ERR_UNSUPPORTED, "unwind information has its "
			       "return address in register %d", ra);
	err = eval_cfa(&env, frame, &step.cfa);
	if (err)
		return err;
	env.cfa = step.cfa;
	env.has_cfa = true;
	err = eval_caller(&env, frame, ra, i->arch->sp, &step.caller);
	if (err)
		return err;
	step.outermost = !(step.caller.known >> ra & 1);
	*out = step;
	return NULL;
}
