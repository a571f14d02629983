/* SPDX-License-Identifier: Apache-2.0 */
/* Expressions: the tree becomes a value. */
#include "values/ast.h"

#include <string.h>

static struct err *eval(struct parser *p, const struct node *n,
			const struct value **out);

/** Takes @err; says where, unless it does. */
static struct err *
placed(const struct node *n, struct err *err)
{
	if (!err || err_kind(err) != ERR_USAGE
	    || strncmp(err_text(err), "column ", 7) == 0)
		return err;
	return err_wrap(err, "column %zu", n->at + 1);
}

static struct err *
eval_logic(struct parser *p, const struct node *n, const struct value **out)
{
	const struct value *v;
	bool truth = false;
	struct err *err = eval(p, n->a, &v);

	if (!err)
		err = arith_truth(p, v, &truth);
	if (err)
		return err;
	if (truth == (n->kind == N_OR))
		return arith_bool(p, truth, out);
	err = eval(p, n->b, &v);
	if (!err)
		err = arith_truth(p, v, &truth);
	return err ? err : arith_bool(p, truth, out);
}

static struct err *
eval_choice(struct parser *p, const struct node *n, const struct value **out)
{
	const struct value *v;
	bool truth = false;
	struct err *err = eval(p, n->a, &v);

	if (!err)
		err = arith_truth(p, v, &truth);
	return err ? err : eval(p, truth ? n->b : n->c, out);
}

/* gdb takes "." for "->" and the other way round. */
static struct err *
eval_member(struct parser *p, const struct node *n, const struct value **out)
{
	const struct value *v;
	struct err *err = eval(p, n->a, &v);

	if (!err)
		err = value_plain(v, p->arena, &v);
	if (!err && type_is_pointer(type_plain(v->type)))
		err = value_target(v, 0, p->arena, &v);
	if (err)
		return err;
	if (!type_is_class(type_plain(v->type)))
		return err_new(ERR_USAGE, "member %s is wanted of what is no "
			       "structure", n->name);
	return value_member(v, n->name, p->arena, out);
}

static struct err *
eval_index(struct parser *p, const struct node *n, const struct value **out)
{
	const struct value *v, *index;
	int64_t k = 0;
	struct err *err = eval(p, n->a, &v);

	if (!err)
		err = value_plain(v, p->arena, &v);
	if (!err)
		err = eval(p, n->b, &index);
	if (!err)
		err = arith_i64(p, index, &k);
	if (err)
		return err;
	if (type_is_pointer(type_plain(v->type)))
		return value_target(v, k, p->arena, out);
	if (type_kind(type_plain(v->type)) != SYM_TYPE_ARRAY)
		return err_new(ERR_USAGE, "an element is wanted of what is no "
			       "array");
	return value_element(v, (uint64_t)k - (uint64_t)value_lower(v),
			     p->arena, out);
}

static struct err *
eval_at(struct parser *p, const struct node *n, const struct value **out)
{
	const struct value *v, *count;
	int64_t k = 0;
	uint64_t addr;
	struct err *err = eval(p, n->a, &v);

	if (!err)
		err = value_plain(v, p->arena, &v);
	if (!err)
		err = eval(p, n->b, &count);
	if (!err)
		err = arith_i64(p, count, &k);
	if (err)
		return err;
	if (k <= 0)
		return err_new(ERR_USAGE, "%lld elements are wanted",
			       (long long)k);
	if (!value_address(v, &addr))
		return err_new(ERR_USAGE, "only of what is in memory can more "
			       "be shown");
	const struct type *t = type_array_of(p->vs, v->type, (uint64_t)k);
	return t ? value_in_memory(p->vs, t, addr, v->c, p->arena, out)
	       : types_spent(p->vs);
}

static struct err *
eval_size(struct parser *p, const struct node *n, const struct value **out)
{
	const struct type *t = arith_int(p->vs, true, true);
	uint64_t size = type_size(n->type);
	struct err *err = NULL;

	if (n->kind == N_SIZE) {
		const struct value *v;

		err = eval(p, n->a, &v);
		if (!err)
			err = value_plain(v, p->arena, &v);
		if (!err)
			size = value_size(v);
	}
	if (err)
		return err;
	return t ? value_of_u64(p->vs, t, size, p->arena, out) : err_nomem();
}

static struct err *
eval_binary(struct parser *p, const struct node *n, const struct value **out)
{
	const struct value *a, *b;
	struct err *err = eval(p, n->a, &a);

	if (!err)
		err = eval(p, n->b, &b);
	return err ? err : arith_binary(p, n->op, a, b, out);
}

static struct err *
eval_unary(struct parser *p, const struct node *n, const struct value **out)
{
	const struct value *a;
	struct err *err = eval(p, n->a, &a);

	return err ? err : arith_unary(p, n->op, a, out);
}

static struct err *
eval_cast(struct parser *p, const struct node *n, const struct value **out)
{
	const struct value *a;
	struct err *err = eval(p, n->a, &a);

	return err ? err : arith_cast(p, a, n->type, out);
}

static struct err *
eval_value(struct parser *p, const struct node *n, const struct value **out)
{
	(void)p;
	*out = n->value;
	return NULL;
}

typedef struct err *eval_fn(struct parser *p, const struct node *n,
			    const struct value **out);

static eval_fn *const EVALS[] = {
	[N_VALUE] = eval_value, [N_TYPE_SIZE] = eval_size,
	[N_SIZE] = eval_size, [N_UNARY] = eval_unary,
	[N_BINARY] = eval_binary, [N_AND] = eval_logic, [N_OR] = eval_logic,
	[N_CHOICE] = eval_choice, [N_MEMBER] = eval_member,
	[N_ARROW] = eval_member, [N_INDEX] = eval_index,
	[N_CAST] = eval_cast, [N_AT] = eval_at,
};

static struct err *
eval(struct parser *p, const struct node *n, const struct value **out)
{
	if (++p->steps > EXPR_STEPS_MAX)
		return err_new(ERR_LIMIT, "the expression takes more than %u "
			       "steps", EXPR_STEPS_MAX);
	return placed(n, EVALS[n->kind](p, n, out));
}

/** "/x " before the expression. */
static struct err *
take_format(const char *text, struct value_style *style, size_t *end)
{
	const char *at = text + strspn(text, " \t");

	*end = 0;
	if (*at != '/')
		return NULL;
	for (at++; *at && *at != ' ' && *at != '\t'; at++) {
		if (*at == 'r')
			style->raw = true;
		else if (strchr("xduotcafsz", *at))
			style->format = *at;
		else
			return lex_error((size_t)(at - text),
					 "the format letters are x d u o t c "
					 "a f s z r");
	}
	*end = (size_t)(at - text);
	return NULL;
}

struct err *
values_eval(struct values *vs, const struct scope *s, const char *text,
	    struct value_style *style, struct arena *a,
	    const struct value **out)
{
	struct parser p = { .vs = vs, .arena = a,
			    .c = (const struct context *)s };
	const struct node *tree;
	size_t at;
	struct err *err = take_format(text, style, &at);

	if (!err)
		err = lex_begin(&p.lex, text, at, a);
	if (!err)
		err = parse_expression(&p, &tree);
	return err ? err : eval(&p, tree, out);
}
