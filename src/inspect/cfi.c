/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One step of unwinding by call frame information: finds the row in .eh_frame,
 * else .debug_frame, and evaluates its rules over the address space.
 *
 * The tables are read here and not by libdw: that one allocates by the highest
 * register number that a table names (gigabytes for a few hostile bytes), and
 * its x86-64 defaults take %rax for %rbx.
 */
#include <dwarf.h>

#include "inspect/arch.h"
#include "inspect/bounds.h"
#include "inspect/impl.h"
#include "inspect/unwind.h"

typedef Elf *holder_fn(struct insp *i, size_t module, uint64_t *bias);
static holder_fn own_file;

/* Where tables are looked for, in this order. */
static const struct {
	holder_fn *holder;
	bool eh_frame;
} SOURCES[] = {
	{ own_file, true }, { own_file, false }, { debug_frames, false },
};
#define TABLES countof(SOURCES)

/** The tables of one module, indexed when first asked for. */
struct cfi {
	struct cfi_table table[TABLES];
	bool asked[TABLES];
};

struct known {
	struct space *space;
	const struct frame_regs *regs;
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

/* ---- finding the row ---------------------------------------------------- */
static Elf *
own_file(struct insp *i, size_t module, uint64_t *bias)
{
	*bias = i->modules[module].bias;
	return files_elf(i, module);
}

static void
load_table(struct insp *i, size_t module, size_t which)
{
	struct cfi *c = &i->cfi[module];
	struct cfi_section section;
	uint64_t bias;

	if (c->asked[which])
		return;
	c->asked[which] = true;
	Elf *elf = SOURCES[which].holder(i, module, &bias);
	if (elf && cfi_table_section(elf, SOURCES[which].eh_frame, &section))
		cfi_table_begin(&section, bias, i->arena, &c->table[which]);
}

/** How many tables there are to look into: none outside of modules. */
static struct err *
tables_of(struct insp *i, size_t module, size_t *n)
{
	*n = module == INSP_NONE ? 0 : TABLES;
	if (*n && !i->cfi)
		i->cfi = arena_array(i->arena, i->n_modules, sizeof(*i->cfi));
	return *n && !i->cfi ? err_nomem() : NULL;
}

struct err *
cfi_find(struct insp *i, uint64_t lookup, struct cfi_entry *out, uint64_t *bias)
{
	size_t module = insp_module_at(i, lookup), n;
	struct err *err = tables_of(i, module, &n);

	if (err)
		return err;
	for (size_t which = 0; which < n; which++) {
		struct cfi_table *t = &i->cfi[module].table[which];

		load_table(i, module, which);
		err = cfi_table_find(t, lookup, out);
		*bias = t->bias;
		if (err_kind(err) != ERR_NOTFOUND)
			return err;
		err_free(err);
	}
	return err_new(ERR_NOTFOUND, "no unwind information for 0x%llx",
		       (unsigned long long)lookup);
}

struct err *
insp_code_bounds(struct insp *i, uint64_t addr, uint64_t *start, uint64_t *end)
{
	struct cfi_entry entry;
	uint64_t bias;
	struct err *err = cfi_find(i, addr, &entry, &bias);

	if (err)
		return err;
	*start = entry.start + bias;
	*end = entry.end + bias;
	return NULL;
}

struct err *
cfi_find_brief(struct insp *i, uint64_t lookup, struct cfi_brief *out)
{
	size_t module = insp_module_at(i, lookup), n;
	struct err *err = tables_of(i, module, &n);

	*out = (struct cfi_brief){ .kind = BRIEF_NONE };
	for (size_t which = 0; which < n && !err; which++) {
		load_table(i, module, which);
		err = cfi_brief_at(&i->cfi[module].table[which], i->arch,
				   lookup, out);
		if (out->kind != BRIEF_NONE)
			break;
	}
	return err;
}

/* ---- evaluating its rules ----------------------------------------------- */
/* The rules of registers find the CFA on the stack (6.4.2.3), that of the CFA
 * finds nothing; so the former get an operation in front, of offset -1. */
static struct err *
eval_expression(const struct expr_env *env, struct span bytes,
		struct expr_result *out)
{
	Dwarf_Op ops[EXPR_OPS_MAX + 1] = {
		{ .atom = DW_OP_call_frame_cfa, .offset = UINT64_MAX } };
	size_t n;
	struct err *err = expr_decode(bytes, ops + 1, EXPR_OPS_MAX, &n);

	if (err)
		return err;
	return env->has_cfa ? expr_eval(env, ops, n + 1, out)
			    : expr_eval(env, ops + 1, n, out);
}

static struct err *
eval_cfa(const struct expr_env *env, const struct cfi_row *row, uint64_t *out)
{
	struct expr_result r = { EXPR_REGISTER, row->cfa_reg };
	uint64_t value = 0;
	struct err *err = NULL;

	if (row->cfa.kind == CFI_VAL_EXPRESSION)
		err = eval_expression(env, row->cfa.expression, &r);
	if (!err && r.kind == EXPR_REGISTER)
		err = env->reg(env->arg, r.value, &r.value);
	if (err)
		return err;
	if (row->cfa.kind == CFI_VAL_OFFSET)
		value = row->cfa.value;
	*out = r.value + value;
	return NULL;
}

static struct err *
eval_saved(const struct expr_env *env, const struct cfi_rule *rule,
	   uint64_t *out)
{
	const struct known *k = env->arg;
	struct expr_result r;
	struct err *err = eval_expression(env, rule->expression, &r);

	if (err)
		return err;
	if (r.kind == EXPR_REGISTER)
		return env->reg(env->arg, r.value, out);
	if (rule->kind == CFI_EXPRESSION && r.kind == EXPR_MEMORY)
		return space_u64(k->space, r.value, out);
	*out = r.value;
	return NULL;
}

/** *@known false: the rule says that the caller's value is gone. */
static struct err *
eval_rule(const struct expr_env *env, const struct cfi_rule *rule,
	  uint64_t number, uint64_t *out, bool *known)
{
	const struct known *k = env->arg;

	*known = true;
	switch (rule->kind) {
	case CFI_SAME:
		return env->reg(env->arg, number, out);
	case CFI_OFFSET:
		return space_u64(k->space, env->cfa + rule->value, out);
	case CFI_VAL_OFFSET:
		*out = env->cfa + rule->value;
		return NULL;
	case CFI_REGISTER:
		return env->reg(env->arg, rule->value, out);
	case CFI_EXPRESSION:
	case CFI_VAL_EXPRESSION:
		return eval_saved(env, rule, out);
	default:
		*known = false;
		return NULL;
	}
}

/* What the ABI says where the table says nothing: preserved registers are
 * kept, the stack pointer becomes the CFA. */
static void
fill_defaults(const struct arch_table *arch, struct cfi_row *row)
{
	for (unsigned n = 0; n < arch->arch.frame_regs; n++) {
		if (row->reg[n].kind != CFI_NONE)
			continue;
		if (n == arch->arch.sp)
			row->reg[n].kind = CFI_VAL_OFFSET;
		else if (arch->preserved >> n & 1)
			row->reg[n].kind = CFI_SAME;
	}
}

/*
 * Without return address or stack pointer there is no caller, so their errors
 * are the step's; any other register is then merely not known.
 */
static struct err *
eval_caller(const struct expr_env *env, const struct cfi_row *row,
	    const struct arch_table *arch, struct frame_regs *out)
{
	for (unsigned n = 0; n < arch->arch.frame_regs; n++) {
		bool known;
		struct err *err = eval_rule(env, &row->reg[n], n,
					    &out->value[n], &known);

		if (err && (n == arch->ra || n == arch->arch.sp))
			return err;
		if (!err && known)
			out->known |= 1ull << n;
		err_free(err);
	}
	return NULL;
}

/*
 * Where calls leave the return address in a register, a function that calls
 * nothing needs no rule for it. In one that has called somebody the register
 * holds the pc itself.
 */
static bool
tells_return(const struct arch_table *arch, const struct frame_regs *regs,
	     struct cfi_row *row)
{
	struct cfi_rule *rule = &row->reg[arch->ra];

	if (arch->ra == arch->arch.pc || rule->kind > CFI_SAME)
		return rule->kind != CFI_NONE;
	if (rule->kind == CFI_UNDEFINED)
		return true;
	rule->kind = CFI_SAME;
	return !(regs->known >> arch->ra & 1)
	       || regs->value[arch->ra] != regs->value[arch->arch.pc];
}

/* The register of the return address becomes the pc. */
static void
return_to(struct insp *i, const struct arch_table *arch, bool is_signed,
	  struct frame_regs *caller)
{
	uint64_t ra = caller->value[arch->ra];

	if (is_signed)
		ra = regs_plain_code(i, ra);
	caller->value[arch->ra] = ra;
	caller->value[arch->arch.pc] = ra;
	if (caller->known >> arch->ra & 1)
		caller->known |= 1ull << arch->arch.pc;
}

struct err *
cfi_unwind(struct insp *i, uint64_t lookup, const struct frame_regs *regs,
	   struct cfi_step *out)
{
	struct known known = { i->space, regs };
	struct expr_env env = { .read = read_known, .reg = reg_known,
				.arg = &known };
	const struct arch_table *arch = arch_table_of(i->arch);
	struct cfi_step step = { 0 };
	struct cfi_entry entry;
	struct cfi_row row;

	struct err *err = cfi_find(i, lookup, &entry, &env.bias);
	if (!err)
		err = cfi_row_at(&entry, lookup - env.bias, &row);
	if (!err)
		err = eval_cfa(&env, &row, &env.cfa);
	if (err)
		return err;
	if (entry.ra != arch->ra || !tells_return(arch, regs, &row))
		return err_new(ERR_DAMAGED, "no rule tells the return address");
	env.has_cfa = true;
	fill_defaults(arch, &row);
	err = eval_caller(&env, &row, arch, &step.caller);
	if (err) {
		out->cfa = env.cfa;
		return err;
	}
	if (arch->ra != arch->arch.pc)
		return_to(i, arch, row.ra_signed, &step.caller);
	step.cfa = env.cfa;
	step.signal = entry.signal;
	step.outermost = row.reg[arch->ra].kind == CFI_UNDEFINED;
	*out = step;
	return NULL;
}
