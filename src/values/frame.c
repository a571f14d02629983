/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a frame tells the machine that finds variables: its registers, its
 * frame base, what its caller passed, its thread's storage.
 */
#include "values/impl.h"

#include <string.h>

/* ---- registers ------------------------------------------------------------ */
static const struct reg *
reg_of(struct insp *i, uint64_t number, size_t *at)
{
	size_t n;
	const struct reg *regs = insp_regs(i, &n);

	for (size_t k = 0; k < n; k++)
		if (regs[k].dwarf >= 0 && (uint64_t)regs[k].dwarf == number) {
			*at = k;
			return &regs[k];
		}
	return NULL;
}

/* Of the innermost frame all registers are known that were captured. */
static struct err *
innermost_reg(const struct context *c, uint64_t number, size_t n, void *out)
{
	uint8_t bytes[REG_BYTES_MAX] = { 0 };
	size_t at;
	bool known = false;
	const struct reg *r = reg_of(c->vs->insp, number, &at);

	if (!r)
		return err_new(ERR_NOTFOUND, "register %llu is not one of "
			       "this machine", (unsigned long long)number);
	struct err *err = insp_reg_read(c->vs->insp, c->thread, at, bytes,
					&known);
	if (err)
		return err;
	if (!known || n > r->bits / 8u)
		return err_new(ERR_NOTFOUND, "%zu bytes of register %s are "
			       "not known", n, r->name);
	memcpy(out, bytes, n);
	return NULL;
}

static struct err *
unknown_reg(const struct context *c, uint64_t number)
{
	size_t at;
	const struct reg *r = reg_of(c->vs->insp, number, &at);

	if (!r)
		return err_new(ERR_NOTFOUND, "register %llu is not known in "
			       "this frame", (unsigned long long)number);
	return err_new(ERR_NOTFOUND, "register %s is not known in this frame%s",
		       r->name, c->scope.frame && !c->tails
		       ? ": a call may have changed it" : "");
}

/** Does a handler's trampoline lie between the frame and the innermost one? */
static bool
below_signal(const struct context *c, size_t from)
{
	for (size_t n = from; n < c->scope.frame; n++)
		if (c->stack->frames[n].flags & SNAP_FRAME_SIGNAL)
			return true;
	return false;
}

/** The frame's own registers, or those of the one that has this one still. */
static const struct frame_regs *
regs_with(const struct context *c, uint64_t number)
{
	size_t n = c->scope.frame;

	while (c->held && n && !(c->stack->frames[n].regs.known >> number & 1)
	       && !below_signal(c, n - 1))
		n--;
	return &c->stack->frames[n].regs;
}

struct err *
frame_reg(const struct context *c, uint64_t number, size_t n, void *out)
{
	unsigned count = insp_arch(c->vs->insp)->frame_regs;

	if (number < count && n <= 8) {
		const struct frame_regs *regs = regs_with(c, number);

		if (!(regs->known >> number & 1)
		    || (c->tails && number == insp_arch(c->vs->insp)->sp))
			return unknown_reg(c, number);
		memcpy(out, &regs->value[number], n);
		return NULL;
	}
	if (number < count && n <= 16 && c->scope.frame == 0
	    && number + 1 < count)
		return unknown_reg(c, number);
	return c->scope.frame == 0 || (c->held && !below_signal(c, 0))
	       ? innermost_reg(c, number, n, out) : unknown_reg(c, number);
}

/* ---- the operations of the machine ---------------------------------------- */
static struct err *
op_read(void *arg, uint64_t addr, size_t n, void *out)
{
	const struct frame_eval *f = arg;

	return space_read(f->vs->space, addr, n, out);
}

static struct err *
no_frame(void)
{
	return err_new(ERR_NOTFOUND, "it is in a frame, and none is chosen");
}

static struct err *
op_reg(void *arg, uint64_t number, size_t n, void *out)
{
	const struct frame_eval *f = arg;

	return f->c ? frame_reg(f->c, number, n, out) : no_frame();
}

static struct err *
op_cfa(void *arg, uint64_t *out)
{
	const struct frame_eval *f = arg;

	if (!f->c)
		return no_frame();
	/* What was jumped to has the place that who jumped had. */
	*out = f->c->stack->frames[f->c->scope.frame
				   - (f->c->tails ? 1 : 0)].cfa;
	if (*out == 0)
		return err_new(ERR_NOTFOUND, "the frame's address is not "
			       "known");
	return NULL;
}

static struct err *
place_address(const struct frame_eval *f, const struct loc *l, uint64_t *out)
{
	if (l->n != 1)
		return err_new(ERR_DAMAGED, "the frame base is in pieces");
	if (l->pieces[0].kind == LOC_REGISTER)
		return op_reg((void *)f, l->pieces[0].value, 8, out);
	if (l->pieces[0].kind == LOC_MEMORY) {
		*out = l->pieces[0].value;
		return NULL;
	}
	if (l->pieces[0].kind == LOC_VALUE) {
		*out = cell_u64(&l->pieces[0].cell);
		return NULL;
	}
	return err_new(ERR_NOTFOUND, "the frame base is not known at this pc");
}

static struct err *
op_frame_base(void *arg, uint64_t *out)
{
	struct frame_eval f = *(const struct frame_eval *)arg;
	struct context plain;
	struct loc l = { 0 };
	_arena_ struct arena *a = arena_new(0);

	if (!f.c || !f.c->body)
		return no_frame();
	if (!a)
		return err_nomem();
	/* A frame base that is told by a frame base has no end. */
	if (f.c->depth > ENTRY_DEPTH_MAX)
		return err_new(ERR_DAMAGED, "the frame base leads to itself");
	plain = *f.c;
	plain.depth++;
	f.c = &plain;
	struct err *err = frame_locate(&f, plain.body->frame_base,
				       plain.body->n_frame_base, a, &l);
	return err ? err : place_address(&f, &l, out);
}

struct err *
frame_tls(const struct frame_eval *f, uint64_t offset, uint64_t *out)
{
	struct module *m = values_module(f->vs, f->module);

	if (!m || !f->is_thread)
		return err_new(ERR_NOTFOUND, "it is thread-local, and no "
			       "thread is chosen");
	return insp_tls(f->vs->insp, f->thread, m->link_map, offset, out);
}

static struct err *
op_tls(void *arg, uint64_t offset, uint64_t *out)
{
	return frame_tls(arg, offset, out);
}

static struct err *
op_entry(void *arg, struct span expr, struct cell *out)
{
	const struct frame_eval *f = arg;

	return f->c ? frame_entry_value(f->c, expr, out) : no_frame();
}

static struct err *
op_type(void *arg, uint32_t ref, struct cell_type *out)
{
	const struct frame_eval *f = arg;
	const struct type *t;
	struct err *err = type_by_ref(f->vs, f->module, ref, &t);

	if (err)
		return err;
	t = type_plain(t);
	if (type_kind(t) != SYM_TYPE_BASE
	    || !cell_type_of(t->sym->encoding, t->size, ref + 1, out))
		return err_new(ERR_DAMAGED, "a value of the expression has a "
			       "type that does not count");
	return NULL;
}

static struct err *
op_variable(void *arg, uint64_t nth, struct cell *out)
{
	const struct frame_eval *f = arg;
	_arena_ struct arena *a = arena_new(0);
	const struct value *v;
	uint64_t number;

	if (!f->c)
		return no_frame();
	if (!a)
		return err_nomem();
	if (f->c->depth > ENTRY_DEPTH_MAX)
		return err_new(ERR_DAMAGED, "a variable leads to itself");
	struct context inner = *f->c;
	inner.depth++;
	struct err *err = context_variable(&inner, nth, a, &v);
	if (!err)
		err = value_u64(v, &number);
	if (err)
		return err;
	*out = cell_generic(number);
	return NULL;
}

/* ---- what the caller passed ----------------------------------------------- */
static const struct sym_call *
call_of(const struct context *caller)
{
	const struct sym_body *b = caller->body;
	uint64_t pc = caller->ret - caller->bias;

	for (size_t n = 0; b && n < b->n_calls; n++)
		if (b->calls[n].pc == pc)
			return &b->calls[n];
	return NULL;
}

/* A call through a pointer: where it led is worth what its place still has. */
static bool
leads_to(const struct context *caller, const struct sym_call *call,
	 const struct context *callee)
{
	struct context c = *caller;
	struct frame_eval f = { .vs = c.vs, .c = &c,
				.module = c.scope.module, .is_thread = true,
				.thread = c.thread };
	const struct sym_location all = { 0, UINT64_MAX, call->target_expr };
	_arena_ struct arena *a = arena_new(0);
	struct loc l = { 0 };
	uint64_t addr = 0;

	if (!call->target_expr.n || !a || !callee->entry_pc)
		return false;
	_err_ struct err *err = frame_locate(&f, &all, 1, a, &l);
	_err_ struct err *lost = err ? NULL : place_address(&f, &l, &addr);
	return !err && !lost && addr == callee->entry_pc + callee->bias;
}

/* What is called may have called on by a jump: then nobody tells what its
 * registers were. Nor is it known where the call is through a pointer. */
static bool
calls_this(const struct context *caller, const struct sym_call *call,
	   const struct context *callee)
{
	const struct sym_block *f = &callee->body->blocks[0];
	const char *want = symidx_string(caller->ix, call->target);
	const char *linkage = symidx_string(callee->ix, f->linkage);
	const char *name = symidx_string(callee->ix, f->name);

	/* Methods of many classes have one plain name. */
	if (want && strcmp(want, linkage ? linkage : name ? name : "") == 0)
		return true;
	if (!want)
		return leads_to(caller, call, callee);
	return callee->entry_pc
	       && insp_calls(callee->vs->insp, caller->ret,
			     callee->bias + callee->entry_pc);
}

static struct err *
not_passed(void)
{
	return err_new(ERR_NOTFOUND, "what it was when the function was "
		       "entered is not known: its caller does not tell");
}

static struct err *
call_site(const struct context *c, const struct context **caller,
	  const struct sym_call **call)
{
	if (c->depth > ENTRY_DEPTH_MAX || !c->body)
		return not_passed();
	*caller = context_caller(c);
	*call = *caller ? call_of(*caller) : NULL;
	if (!*call || !calls_this(*caller, *call, c)
	    || insp_reenters(c->vs->insp, c->scope.pc))
		return not_passed();
	return NULL;
}

static struct err *
passed(const struct context *caller, struct span value, struct cell *out)
{
	struct context c = *caller;
	struct frame_eval f = { .vs = c.vs, .c = &c,
				.module = c.scope.module, .is_thread = true,
				.thread = c.thread };

	return frame_number(&f, value, NULL, out);
}

static bool
same_bytes(struct span a, struct span b)
{
	return a.n == b.n && a.n && memcmp(a.data, b.data, a.n) == 0;
}

/* "breg7 0, deref": what the register pointed to, @data_value of its row. */
static bool
is_deref_of(struct span expr, struct span reg)
{
	const uint8_t *e = expr.data, *r = reg.data;

	return reg.n == 1 && expr.n == 3 && e[1] == 0 && e[2] == OP_DEREF
	       && r[0] >= OP_REG0 && r[0] <= OP_REG31
	       && e[0] == r[0] - OP_REG0 + OP_BREG0;
}

/* "regval_type 18 double": register 18, and how its bits are read. */
static bool
reads_reg(const struct context *c, struct span expr, struct span reg,
	  struct cell_type *type)
{
	struct frame_eval f = { .vs = c->vs, .c = c,
				.module = c->scope.module };
	struct rd e = rd_of(expr.data, expr.n), r = rd_of(reg.data, reg.n);
	uint8_t op = rd_u8(&e), place = rd_u8(&r);
	uint64_t number = leb_u(&e), ref = leb_u(&e);

	if ((op != OP_REGVAL_TYPE && op != OP_GNU_REGVAL_TYPE)
	    || number != (place == OP_REGX ? leb_u(&r)
			  : (uint64_t)place - OP_REG0)
	    || (place != OP_REGX && (place < OP_REG0 || place > OP_REG31))
	    || rd_failed(&e) || rd_left(&e) || rd_failed(&r)
	    || rd_left(&r) || ref == 0 || ref > UINT32_MAX)
		return false;
	_err_ struct err *err = op_type(&f, (uint32_t)(ref - 1), type);
	return !err;
}

/* What was passed as one type is not read as another one. */
static struct err *
passed_as(const struct context *caller, struct span value,
	  const struct cell_type *type, struct cell *out)
{
	struct err *err = passed(caller, value, out);

	if (!err && (out->type.kind != type->kind
		     || out->type.size != type->size))
		return not_passed();
	return err;
}

struct err *
frame_entry_value(const struct context *c, struct span expr, struct cell *out)
{
	const struct context *caller;
	const struct sym_call *call;
	struct err *err = call_site(c, &caller, &call);

	if (err)
		return err;
	for (size_t n = 0; n < call->n_values; n++) {
		const struct sym_call_value *v = &call->values[n];
		struct cell_type type;

		if (same_bytes(v->location, expr) && v->value.n)
			return passed(caller, v->value, out);
		if (reads_reg(c, expr, v->location, &type) && v->value.n)
			return passed_as(caller, v->value, &type, out);
		if (is_deref_of(expr, v->location) && v->data_value.n)
			return passed(caller, v->data_value, out);
	}
	return not_passed();
}

static struct err *
op_parameter(void *arg, uint64_t nth, struct cell *out)
{
	const struct frame_eval *f = arg;
	const struct context *caller;
	const struct sym_call *call;

	if (!f->c || !f->c->body || nth >= f->c->body->n_variables)
		return no_frame();
	const char *name = symidx_string(f->c->ix,
					 f->c->body->variables[nth].name);
	struct err *err = call_site(f->c, &caller, &call);
	if (err)
		return err;
	for (size_t n = 0; name && n < call->n_values; n++) {
		const struct sym_call_value *v = &call->values[n];
		const char *of = symidx_string(caller->ix, v->name);

		if (of && v->value.n && strcmp(of, name) == 0)
			return passed(caller, v->value, out);
	}
	return not_passed();
}

static const struct loc_ops OPS = {
	.read = op_read, .reg = op_reg, .frame_base = op_frame_base,
	.cfa = op_cfa, .tls = op_tls, .entry = op_entry,
	.parameter = op_parameter, .variable = op_variable, .type = op_type,
};

/* ---- evaluation ----------------------------------------------------------- */
static struct loc_env
env_of(const struct frame_eval *f)
{
	struct module *m = values_module(f->vs, f->module);

	return (struct loc_env){ .ops = &OPS, .arg = (void *)f,
				 .bias = m ? m->bias : 0 };
}

static const struct sym_location *
location_at(const struct frame_eval *f, const struct sym_location *l, size_t n)
{
	for (size_t k = 0; k < n; k++) {
		if (l[k].start == 0 && l[k].end == UINT64_MAX)
			return &l[k];
		if (f->c && f->c->pc >= l[k].start && f->c->pc < l[k].end)
			return &l[k];
	}
	return NULL;
}

struct err *
frame_locate(const struct frame_eval *f, const struct sym_location *locations,
	     size_t n, struct arena *a, struct loc *out)
{
	const struct sym_location *l = location_at(f, locations, n);
	struct loc_env env = env_of(f);

	if (!n)
		return err_new(ERR_NOTFOUND, "the compiler gave it no place");
	if (!l && !f->c)
		return no_frame();
	if (!l || !l->expr.n)
		return err_new(ERR_NOTFOUND, "it has no place at this pc");
	return loc_eval(&env, l->expr, a, out);
}

struct err *
frame_number(const struct frame_eval *f, struct span expr,
	     const uint64_t *object, struct cell *out)
{
	struct loc_env env = env_of(f);

	env.has_object = object;
	env.object = object ? *object : 0;
	return loc_number(&env, expr, out);
}

struct err *
frame_member(const struct frame_eval *f, struct span expr, uint64_t object,
	     struct cell *out)
{
	struct loc_env env = env_of(f);

	env.has_object = env.has_start = true;
	env.object = env.start = object;
	return loc_number(&env, expr, out);
}
