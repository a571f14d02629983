/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine: puts space, modules, registers and symbols over one target.
 */
#include "inspect/impl.h"
#include "inspect/overlay.h"

#include <stdlib.h>
#include <string.h>

#define INSP_ARENA_MAX (700u << 20)

void
insp_add_gap(struct insp *i, const char *fmt, ...)
{
	_buf_ struct buf b = { 0 };
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&b, fmt, ap);
	va_end(ap);
	if (!b.data)
		return;
	const char **gaps = i->gaps.data;
	for (size_t k = 0; k < i->gaps.n; k++)
		if (strcmp(gaps[k], b.data) == 0)
			return;
	/* Out of memory here loses a remark, not a result. */
	char *text = arena_strdup(i->arena, b.data);
	const char **slot = text ? vec_add(&i->gaps, i->arena, sizeof(*slot))
				 : NULL;
	if (slot)
		*slot = text;
}

bool
insp_auxv(const struct insp *i, uint64_t type, uint64_t *value)
{
	struct rd r = rd_of(i->target->auxv.data, i->target->auxv.n);

	while (rd_left(&r) >= 16) {
		uint64_t t = rd_u64(&r);
		uint64_t v = rd_u64(&r);

		if (t == type) {
			*value = v;
			return true;
		}
		if (t == 0)             /* AT_NULL */
			return false;
	}
	return false;
}

/*
 * Twice where the program's headers are not in the target: the first round
 * finds its file by the mapping, the second reads the headers through it.
 */
static struct err *
find_modules(struct insp *i)
{
	struct err *err = modules_find(i);

	if (!err)
		err = files_init(i);
	if (err || !i->main_headers_absent)
		return err;
	err = modules_find(i);
	if (!err && i->main_headers_absent)
		insp_add_gap(i, "the program's headers were not captured and "
			     "its file was not found: its libraries are known "
			     "by their mappings only");
	return err ? err : files_again(i);
}

static struct err *
insp_fill(struct insp *i)
{
	struct target *t = i->target;

	i->arch = arch_find(t->process.machine);
	if (!i->arch)
		return err_new(ERR_UNSUPPORTED, "ELF machine %u is not handled",
			       t->process.machine);
	for (size_t k = 0; k < t->n_gaps; k++)
		insp_add_gap(i, "%s", t->gaps[k]);
	struct err *err = space_new(t, &i->space);
	if (!err)
		err = find_modules(i);
	if (!err)
		err = regs_init(i);
	if (!err)
		err = symbols_init(i);
	if (!err)
		err = lines_init(i);
	if (!err)
		err = indexed_init(i);
	return err;
}

struct err *
insp_open(struct target *t, const struct insp_options *options,
	  struct insp **out)
{
	_insp_ struct insp *i = calloc(1, sizeof(*i));

	if (!i) {
		target_free(t);
		return err_nomem();
	}
	i->target = t;
	i->lines_max = UINT64_MAX;
	i->supply = options->supply;
	i->exe = options->exe;
	i->arena = arena_new(INSP_ARENA_MAX);
	if (!i->arena)
		return err_nomem();
	struct err *err = insp_fill(i);
	if (err)
		return err;
	*out = take(i);
	return NULL;
}

void
insp_free(struct insp *i)
{
	if (!i)
		return;
	second_free(i->second);
	symbols_fini(i);
	lines_fini(i);
	indexed_fini(i);
	debug_fini(i);
	files_fini(i);
	sources_fini(i);
	space_free(i->space);
	arena_free(i->arena);
	target_free(i->target);
	free(i);
}

void
insp_rest(struct insp *i)
{
	if (i->target->ops->rest)
		i->target->ops->rest(i->target);
}

void
insp_freep(struct insp **i)
{
	insp_free(*i);
}

const struct target *
insp_target(const struct insp *i)
{
	return i->target;
}

struct space *
insp_space(struct insp *i)
{
	return i->space;
}

const struct overlay *
insp_overlay(const struct insp *i)
{
	return space_overlay(i->space);
}

void
insp_lay_over(struct insp *i, struct overlay *o)
{
	space_lay_over(i->space, o);
}

const struct arch *
insp_arch(const struct insp *i)
{
	return i->arch;
}

const char *const *
insp_gaps(struct insp *i, size_t *n)
{
	*n = i->gaps.n;
	return i->gaps.data;
}

size_t
insp_find_thread(const struct insp *i, uint64_t tid)
{
	for (size_t k = 0; k < i->target->n_threads; k++)
		if (i->target->threads[k].tid == tid)
			return k;
	return INSP_NONE;
}
