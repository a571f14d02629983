/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scopes: which functions stand at the pc of a frame, and which variables
 * each of them has there.
 */
#include "values/impl.h"
#include "values/shown.h"

#include <stdlib.h>
#include <string.h>

#define CHAIN_MAX 256u          /* blocks within blocks */

/* ---- which blocks cover the pc -------------------------------------------- */
static bool
covers(const struct sym_block *b, uint64_t pc)
{
	for (size_t n = 0; n < b->n_ranges; n++)
		if (pc >= b->ranges[n].start && pc < b->ranges[n].end)
			return true;
	return false;
}

/** Indices of the blocks at @pc, outermost first; the function always is. */
static size_t
chain_at(const struct sym_body *body, uint64_t pc, uint32_t chain[CHAIN_MAX])
{
	size_t n = 1;
	size_t end = body->n_blocks;

	chain[0] = 0;
	for (size_t k = 1; k < end && n < CHAIN_MAX;) {
		const struct sym_block *b = &body->blocks[k];
		size_t next = b->next > k && b->next <= end ? b->next : k + 1;

		if (covers(b, pc)) {
			chain[n++] = (uint32_t)k;
			end = next;
			next = k + 1;
		}
		k = next;
	}
	return n;
}

static bool
is_function(const struct sym_block *b)
{
	return b->kind != SYM_BLOCK_LEXICAL;
}

/* ---- contexts ------------------------------------------------------------- */
static const char *
string_at(const struct context *c, uint32_t string)
{
	return symidx_string(c->ix, string);
}

static void
name_context(struct context *c, const struct sym_block *b)
{
	struct sym_unit u;
	_err_ struct err *err = symidx_unit(c->ix, c->body->unit, &u);

	if (!err)
		c->scope.language = u.language;
	c->scope.function = values_qualified(c->vs, string_at(c, b->prefix),
					     string_at(c, b->name));
	c->scope.inlined = b->kind == SYM_BLOCK_INLINED;
}

/** Where the frame is: at the pc, or where @inner was called. */
static void
place_context(struct context *c, const struct sym_block *inner)
{
	struct sym_line line;

	if (inner && inner->call_line) {
		c->scope.file = string_at(c, inner->call_file);
		c->scope.line = inner->call_line;
		c->scope.column = inner->call_column;
	} else if (!inner && symidx_line(c->ix, c->pc, &line)) {
		c->scope.file = string_at(c, line.file);
		c->scope.line = line.line;
		c->scope.column = line.column;
	}
}

/** What does not depend on the function: module, index, pc. */
static void
context_at(struct context *c, uint64_t pc)
{
	struct module *m;

	c->scope.pc = pc;
	c->scope.module = insp_module_at(c->vs->insp, pc);
	m = values_module(c->vs, c->scope.module);
	c->ix = m ? m->ix : NULL;
	c->bias = m ? m->bias : 0;
	c->pc = pc - c->bias;
}

static struct context
context_begin(struct values *vs, size_t thread, const struct stack *s,
	      size_t frame)
{
	struct context c = { .vs = vs, .thread = thread, .stack = s };

	c.scope.frame = frame;
	c.ret = s->frames[frame].pc;
	context_at(&c, stack_lookup_pc(s, frame));
	return c;
}

/** Of a function that jumped to the next one, called from @frame. */
static struct context
context_begin_tail(struct values *vs, size_t thread, const struct stack *s,
		   size_t frame, const struct tail_calls *tails, size_t tail)
{
	struct context c = { .vs = vs, .thread = thread, .stack = s,
			     .tails = tails, .tail = tail };

	c.scope.frame = frame;
	c.scope.tail = true;
	c.ret = tails->pc[tail];
	context_at(&c, c.ret - 1);
	return c;
}

/** The functions that jumped on and were called from @frame; NULL: none. */
static const struct tail_calls *
tails_of(struct values *vs, const struct stack *s, size_t frame,
	 struct arena *a)
{
	struct tail_calls calls = { .n = 0 };

	if (frame && !((s->frames[frame].flags | s->frames[frame - 1].flags)
		       & SNAP_FRAME_SIGNAL))
		insp_tail_calls(vs->insp, s->frames[frame].pc,
				stack_lookup_pc(s, frame - 1), &calls);
	return calls.n ? arena_dup(a, &calls, sizeof(calls)) : NULL;
}

static struct err *
context_body(struct context *c, struct arena *a)
{
	uint32_t function = c->ix ? symidx_function_at(c->ix, c->pc)
			    : SYM_NONE;

	c->arena = a;
	if (function == SYM_NONE)
		return NULL;
	struct err *err = symidx_body(c->ix, function, a, &c->body);
	if (err)
		return err;
	/* The first range has the entry, others what is seldom run. */
	const struct sym_block *f = c->body->blocks;
	c->entry_pc = c->body->n_blocks && f->n_ranges ? f->ranges[0].start
		      : 0;
	return NULL;
}

static struct context *
add_context(const struct context *c, struct arena *a, struct vec *list)
{
	struct context *one = arena_dup(a, c, sizeof(*c));
	const struct scope **slot = vec_add(list, a, sizeof(*slot));

	if (!one || !slot)
		return NULL;
	*slot = &one->scope;
	return one;
}

/* A function of which no index knows anything has a name all the same. */
static struct err *
add_unknown(const struct context *c, struct arena *a, struct vec *list)
{
	struct context *one = add_context(c, a, list);

	if (!one)
		return err_nomem();
	struct symbol symbol;
	_err_ struct err *none = insp_symbol(c->vs->insp, c->scope.pc,
					     &symbol);
	if (!none)
		one->scope.function = symbol.name;
	return NULL;
}

/* The functions that stand at the pc of @c, innermost first. */
static struct err *
add_functions(struct context *c, struct arena *a, struct vec *list)
{
	uint32_t chain[CHAIN_MAX];
	const struct sym_block *inner = NULL;

	struct err *err = context_body(c, a);
	if (err)
		return err;
	if (!c->body || !c->body->n_blocks)
		return add_unknown(c, a, list);
	size_t depth = chain_at(c->body, c->pc, chain);
	c->inner = chain[depth - 1];
	for (size_t k = depth; k-- > 0;) {
		const struct sym_block *b = &c->body->blocks[chain[k]];

		if (!is_function(b))
			continue;
		struct context *one = add_context(c, a, list);
		if (!one)
			return err_nomem();
		one->block = chain[k];
		name_context(one, b);
		place_context(one, inner);
		inner = b;
		c->inner = k ? chain[k - 1] : 0;
	}
	return NULL;
}

struct err *
values_scopes(struct values *vs, size_t thread, const struct stack *s,
	      size_t frame, struct arena *a, struct scopes *out)
{
	const struct tail_calls *tails = tails_of(vs, s, frame, a);
	struct context c;
	struct vec list = { 0 };
	struct err *err = NULL;

	for (size_t k = 0; tails && k < tails->n && !err; k++) {
		c = context_begin_tail(vs, thread, s, frame, tails, k);
		err = add_functions(&c, a, &list);
	}
	c = context_begin(vs, thread, s, frame);
	if (!err)
		err = add_functions(&c, a, &list);
	*out = (struct scopes){ list.data, list.n };
	return err;
}

/* Who called: a function that jumped on, or one that has a frame. */
static bool
caller_begin(const struct context *c, struct context *out)
{
	const struct tail_calls *tails = c->tails;
	size_t frame = c->scope.frame, next = c->tail + 1;

	if (!tails) {
		if (++frame >= c->stack->n)
			return false;
		tails = tails_of(c->vs, c->stack, frame, c->arena);
		next = 0;
	}
	*out = tails && next < tails->n
	       ? context_begin_tail(c->vs, c->thread, c->stack, frame, tails,
				    next)
	       : context_begin(c->vs, c->thread, c->stack, frame);
	return true;
}

const struct context *
context_caller(const struct context *c)
{
	struct context *known = (struct context *)c;
	struct context *caller;

	if (c->caller || c->alone)
		return c->caller;
	/* Its arena outlives who asks: not again and again. */
	known->alone = true;
	caller = arena_alloc(c->arena, sizeof(*caller));
	if (!caller || !caller_begin(c, caller))
		return NULL;
	_err_ struct err *err = context_body(caller, c->arena);
	if (err || !caller->body)
		return NULL;
	caller->depth = c->depth + 1;
	known->caller = caller;
	known->alone = false;
	return caller;
}

/* ---- the order within a block --------------------------------------------- */
/*
 * gdb keeps the variables of a block that is no function in a hash table and
 * lists them as they stand there: by their name's hash, those of one slot in
 * the order of the source.
 */
static uint32_t
hash_of(const char *name)
{
	uint32_t hash = 0;

	for (; *name; name++) {
		int c = (unsigned char)*name;

		if (c >= 'A' && c <= 'Z')
			c += 'a' - 'A';
		hash = hash * 67 + (uint32_t)c - 113;
	}
	return hash;
}

struct placed {
	uint32_t slot, nth;
};

static int
by_slot(const void *a, const void *b)
{
	const struct placed *p = a, *q = b;

	if (p->slot != q->slot)
		return p->slot < q->slot ? -1 : 1;
	return p->nth < q->nth ? -1 : 1;
}

/** The variables of @b as they are to be listed; NULL without memory. */
static struct placed *
order_of(const struct context *c, const struct sym_block *b, struct arena *a)
{
	struct placed *order = arena_array(a, b->n_variables + 1,
					   sizeof(*order));
	uint32_t slots = b->n_variables / 5 + 1;

	if (!order)
		return NULL;
	for (uint32_t n = 0; n < b->n_variables; n++) {
		uint32_t nth = b->first_variable + n;
		const char *name = string_at(c, c->body->variables[nth].name);

		order[n] = (struct placed){
			.nth = nth,
			.slot = is_function(b) || !name ? 0
				: hash_of(name) % slots,
		};
	}
	qsort(order, b->n_variables, sizeof(*order), by_slot);
	return order;
}

/* ---- variables ------------------------------------------------------------ */
struct listing {
	const struct context *c;
	struct arena *arena;
	struct vec vars;        /* of struct var */
};

static bool
is_single_address(const struct sym_variable *v)
{
	if (v->n_locations != 1 || v->locations[0].expr.n < 9)
		return false;
	const uint8_t *expr = v->locations[0].expr.data;
	return expr[0] == OP_ADDR;
}

static bool
is_thread_local(const struct sym_variable *v)
{
	return v->flags & SYM_THREAD_LOCAL;
}

static uint8_t
kind_of(const struct sym_variable *v)
{
	if (v->flags & SYM_PARAMETER)
		return VAR_ARGUMENT;
	return is_single_address(v) || is_thread_local(v) ? VAR_STATIC
	       : VAR_LOCAL;
}

static uint8_t
flags_of(const struct sym_variable *v)
{
	uint8_t flags = 0;

	if (v->flags & SYM_ARTIFICIAL)
		flags |= VAR_ARTIFICIAL;
	if (v->flags & SYM_THREAD_LOCAL)
		flags |= VAR_THREAD_LOCAL;
	if (v->flags & SYM_CONSTANT)
		flags |= VAR_CONSTANT;
	else if (!v->n_locations)
		flags |= VAR_NOWHERE;
	return flags;
}

static bool
is_known_name(const struct vec *vars, const char *name)
{
	const struct var *list = vars->data;

	for (size_t n = 0; n < vars->n; n++)
		if (strcmp(list[n].name, name) == 0)
			return true;
	return false;
}

static struct err *
add_var(struct listing *l, const struct sym_variable *v, bool at_entry)
{
	const struct context *c = l->c;
	const char *name = string_at(c, v->name);
	struct var_ref *ref = arena_alloc(l->arena, sizeof(*ref));

	if (!ref)
		return err_nomem();
	bool shadowed = is_known_name(&l->vars, name);
	struct var *var = vec_add(&l->vars, l->arena, sizeof(*var));
	if (!var)
		return err_nomem();
	*ref = (struct var_ref){ .vs = c->vs, .c = c, .sym = v,
				 .module = c->scope.module,
				 .thread = c->thread, .is_thread = true,
				 .at_entry = at_entry };
	*var = (struct var){
		.name = at_entry ? arena_printf(l->arena, "%s@entry", name)
			: name,
		.file = string_at(c, v->file), .line = v->line,
		.kind = kind_of(v), .flags = flags_of(v), .ref = ref,
	};
	if (shadowed)
		var->flags |= VAR_SHADOWED;
	if (at_entry)
		var->flags |= VAR_ENTRY;
	return var->name ? NULL : err_nomem();
}

/* Was it in a register at the entry, and does the caller tell what was? */
static bool
has_entry_value(const struct context *c, const struct sym_variable *v)
{
	struct cell cell;

	if (!(v->flags & SYM_PARAMETER)
	    || c->body->blocks[c->block].kind != SYM_BLOCK_FUNCTION)
		return false;
	for (size_t n = 0; n < v->n_locations; n++) {
		const struct sym_location *l = &v->locations[n];

		if (c->entry_pc < l->start || c->entry_pc >= l->end)
			continue;
		const uint8_t *e = l->expr.data;
		if (l->expr.n != 1 || e[0] < OP_REG0 || e[0] > OP_REG31)
			return false;
		_err_ struct err *err = frame_entry_value(c, l->expr, &cell);
		return !err;
	}
	return false;
}

/* Bounds that the compiler computes have no name, and get one with a dot. */
static bool
is_nameless(const struct context *c, const struct sym_variable *v)
{
	const char *name = string_at(c, v->name);

	return !name || !name[0]
	       || (v->flags & SYM_ARTIFICIAL && name[0] == '.');
}

static struct err *
list_block(struct listing *l, const struct sym_block *b)
{
	const struct context *c = l->c;
	if (b->first_variable > c->body->n_variables
	    || b->n_variables > c->body->n_variables - b->first_variable)
		return err_new(ERR_DAMAGED, "a block has variables that are "
			       "not there");
	struct placed *order = order_of(c, b, l->arena);
	struct err *err = order ? NULL : err_nomem();
	for (uint32_t n = 0; n < b->n_variables && !err; n++) {
		const struct sym_variable *v =
			&c->body->variables[order[n].nth];

		if (v->flags & SYM_DECLARATION || is_nameless(c, v))
			continue;
		err = add_var(l, v, false);
		if (!err && has_entry_value(c, v))
			err = add_var(l, v, true);
	}
	return err;
}

static const struct context *
context_of(const struct scope *s)
{
	return (const struct context *)s;
}

struct err *
scope_vars(const struct scope *s, struct arena *a, const struct var **out,
	   size_t *n)
{
	const struct context *c = context_of(s);
	struct listing l = { .c = c, .arena = a };
	struct err *err = NULL;
	uint32_t k = c->body ? c->inner : SYM_NONE;

	for (unsigned depth = 0; k != SYM_NONE && depth < CHAIN_MAX
	     && k < c->body->n_blocks && !err; depth++) {
		err = list_block(&l, &c->body->blocks[k]);
		k = k == c->block ? SYM_NONE : c->body->blocks[k].parent;
	}
	if (err)
		return err;
	*out = l.vars.data;
	*n = l.vars.n;
	return NULL;
}

/* ---- variables outside of functions --------------------------------------- */
static struct err *
add_global(struct values *vs, size_t module, const struct sym_variable *v,
	   const struct context *c, struct listing *l)
{
	struct symidx *ix = values_index(vs, module);
	const char *name = symidx_string(ix, v->name);
	struct var_ref *ref = arena_alloc(l->arena, sizeof(*ref));
	struct var *var = name ? vec_add(&l->vars, l->arena, sizeof(*var))
			  : NULL;

	if (!name)
		return NULL;
	if (!ref || !var)
		return err_nomem();
	*ref = (struct var_ref){ .vs = vs, .module = module, .sym = v,
				 .thread = c ? c->thread : 0,
				 .is_thread = c };
	*var = (struct var){
		.name = name, .prefix = symidx_string(ix, v->prefix),
		.file = symidx_string(ix, v->file), .line = v->line,
		.kind = v->flags & SYM_EXTERNAL ? VAR_GLOBAL : VAR_FILE,
		.flags = flags_of(v), .ref = ref,
	};
	return NULL;
}

/** The first variable of a unit: they stand in the order of units. */
static struct err *
first_of_unit(struct symidx *ix, uint32_t unit, uint32_t *out)
{
	uint32_t low = 0, high = symidx_about(ix)->n_variables;
	_arena_ struct arena *a = arena_new(0);
	const struct sym_variable *v;
	struct err *err = a ? NULL : err_nomem();

	while (low < high && !err) {
		uint32_t mid = low + (high - low) / 2;

		err = symidx_variable(ix, mid, a, &v);
		if (!err && v->unit < unit)
			low = mid + 1;
		else
			high = mid;
	}
	*out = low;
	return err;
}

/* All of the module, or those of the file of @c. */
static struct err *
list_globals(struct values *vs, size_t module, const struct context *c,
	     struct listing *l)
{
	struct symidx *ix = values_index(vs, module);
	uint32_t n = ix ? symidx_about(ix)->n_variables : 0, k = 0;
	struct err *err = c && n ? first_of_unit(ix, c->body->unit, &k) : NULL;

	for (; k < n && !err; k++) {
		const struct sym_variable *v;

		if (l->vars.max && l->vars.n == l->vars.max)
			break;
		err = symidx_variable(ix, k, l->arena, &v);
		if (!err && c && v->unit != c->body->unit)
			break;
		if (!err && !(v->flags & SYM_DECLARATION))
			err = add_global(vs, module, v, c, l);
	}
	return err;
}

struct err *
scope_file_vars(const struct scope *s, struct arena *a,
		const struct var **out, size_t *n)
{
	const struct context *c = context_of(s);
	struct listing l = { .c = c, .arena = a };
	struct err *err = c->body ? list_globals(c->vs, s->module, c, &l)
			  : NULL;

	if (err)
		return err;
	*out = l.vars.data;
	*n = l.vars.n;
	return NULL;
}

struct err *
values_module_vars(struct values *vs, size_t module, size_t max,
		   struct arena *a, const struct var **out, size_t *n)
{
	struct listing l = { .arena = a, .vars.max = max };
	struct err *err = list_globals(vs, module, NULL, &l);

	if (err)
		return err;
	*out = l.vars.data;
	*n = l.vars.n;
	return NULL;
}

struct err *
var_value(const struct var *v, struct arena *a, const struct value **out)
{
	return var_ref_value(v->ref, a, out);
}

struct err *
var_value_in(const struct var *v, const struct scope *s, struct arena *a,
	     const struct value **out)
{
	struct var_ref *r = arena_dup(a, v->ref, sizeof(*r));

	if (!r)
		return err_nomem();
	r->thread = context_of(s)->thread;
	r->is_thread = true;
	return var_ref_value(r, a, out);
}

/* ---- by name and by number ------------------------------------------------ */
struct err *
context_variable(const struct context *c, uint64_t nth, struct arena *a,
		 const struct value **out)
{
	if (!c->body || nth >= c->body->n_variables)
		return err_new(ERR_NOTFOUND, "what it leads to has no place "
			       "and no value");
	struct var_ref ref = { .vs = c->vs, .c = c,
			       .module = c->scope.module,
			       .thread = c->thread, .is_thread = true,
			       .sym = &c->body->variables[nth] };
	return var_ref_value(&ref, a, out);
}

struct err *
context_find(const struct context *c, const char *name, struct arena *a,
	     const struct value **out)
{
	const struct var *vars;
	size_t n;
	struct err *err = scope_vars(&c->scope, a, &vars, &n);

	if (err)
		return err;
	for (size_t k = 0; k < n; k++)
		if (strcmp(vars[k].name, name) == 0)
			return var_value(&vars[k], a, out);
	return err_new(ERR_NOTFOUND, "no variable %s in this frame", name);
}
