/* SPDX-License-Identifier: Apache-2.0 */
/*
 * picture.c: the target "live", made of what was copied.
 */
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "capture/shot.h"

/* ---- the target -------------------------------------------------------- */
static struct err *
picture_read(struct target *t, size_t range, uint64_t off, size_t n, void *out)
{
	const struct picture *p = (const struct picture *)t;

	if (t->memory[range].kind == SNAP_MEM_ZERO)
		memset(out, 0, n);
	else
		memcpy(out, p->bytes + p->offsets[range] + off, n);
	return NULL;
}

static void
picture_close(struct target *t)
{
	struct picture *p = (struct picture *)t;

	if (p->bytes)
		munmap(p->bytes, p->size);
	arena_free(t->arena);           /* the picture itself lives in it */
}

static const struct target_ops picture_ops = {
	.kind = "live",
	.read = picture_read,
	.close = picture_close,
};

struct err *
picture_new(struct shot *s)
{
	struct picture *p = arena_alloc(s->arena, sizeof(*p));

	if (!p)
		return err_nomem();
	p->target.ops = &picture_ops;
	p->target.arena = s->arena;
	p->target.process.machine = MACHINE_ELF;
	p->target.process.os = SNAP_OS_LINUX;
	p->target.process.bits = 64;
	s->picture = p;
	return NULL;
}

/* ---- threads ----------------------------------------------------------- */
static uint8_t
state_of(const struct tracee *t)
{
	static const struct { char letter; uint8_t state; } states[] = {
		{ 'R', SNAP_STATE_RUNNING }, { 'S', SNAP_STATE_SLEEPING },
		{ 'D', SNAP_STATE_BLOCKED }, { 'T', SNAP_STATE_STOPPED },
		{ 't', SNAP_STATE_STOPPED }, { 'Z', SNAP_STATE_ZOMBIE },
		{ 'X', SNAP_STATE_ZOMBIE }, { 'I', SNAP_STATE_IDLE },
	};

	if (t->at == TRACEE_ENDED)
		return SNAP_STATE_ZOMBIE;
	for (size_t k = 0; k < countof(states); k++)
		if (states[k].letter == t->before)
			return states[k].state;
	return SNAP_STATE_UNKNOWN;
}

static struct err *
add_regset(struct shot *s, struct snap_regset *sets, struct snap_thread *out,
	   uint32_t kind, struct span bytes)
{
	void *copy = arena_dup(s->arena, bytes.data, bytes.n);

	if (!copy)
		return err_nomem();
	sets[out->n_regsets++] = (struct snap_regset){ kind,
						       { copy, bytes.n } };
	return NULL;
}

static struct err *
thread_regs(struct shot *s, const struct tracee *t, struct snap_thread *out)
{
	const struct tracees *all = &s->tracees;
	const struct span general = { &t->regs, sizeof(t->regs) };
	struct snap_regset *sets = arena_array(s->arena, 1 + MACHINE_SETS,
					       sizeof(*sets));
	struct err *err = sets ? NULL : err_nomem();

	out->regsets = sets;
	if (!err && t->has_regs)
		err = add_regset(s, sets, out, NT_PRSTATUS, general);
	for (size_t k = 0; k < all->n_sets && !err; k++)
		if (t->set_size[k])
			err = add_regset(s, sets, out, all->sets[k].kind,
					 tracees_set(all, t, k));
	return err;
}

/* Where in the kernel it hangs: what is left to say of one without registers. */
static struct err *
thread_missed(struct shot *s, const struct tracee *t, struct snap_thread *out)
{
	_buf_ struct buf stack = { 0 };
	char name[48];

	snprintf(name, sizeof(name), "task/%d/stack", (int)t->tid);
	_err_ struct err *none = proc_read(&s->proc, name, 65536, &stack);
	if (!none && stack.len)
		out->kernel_stack = arena_strndup(s->arena, stack.data,
						  stack.len);
	s->incomplete = true;
	return shot_gap(s, "thread %d (%s) did not stop within %u ms (its state "
			"was %c): its registers are missing", (int)t->tid,
			t->name, s->limits.stop_ms, t->before ? t->before : '?');
}

static struct err *
thread_record(struct shot *s, const struct tracee *t, struct snap_thread *out)
{
	*out = (struct snap_thread){
		.tid = (uint64_t)t->tid, .state = state_of(t),
		.faulting = t->tid == s->faulting,
		.signal = t->signal ? t->signal : t->group_stop,
		.name = t->name[0] ? arena_strdup(s->arena, t->name) : NULL,
	};
	if (t->name[0] && !out->name)
		return err_nomem();
	if (t->has_siginfo) {
		out->siginfo.n = sizeof(t->siginfo);
		out->siginfo.data = arena_dup(s->arena, &t->siginfo,
					      sizeof(t->siginfo));
		if (!out->siginfo.data)
			return err_nomem();
	}
	if (t->at == TRACEE_RUNNING)
		return thread_missed(s, t, out);
	return thread_regs(s, t, out);
}

/* Those of the last list, and of them one that has ended only if it is the
 * leader, which is listed for as long as another thread lives. */
static bool
thread_counts(const struct shot *s, const struct tracee *t)
{
	return t->listed && (t->at != TRACEE_ENDED || t->tid == s->proc.pid);
}

/* The faulting thread comes first. */
struct err *
picture_threads(struct shot *s)
{
	struct target *target = &s->picture->target;
	const struct tracee *all = s->tracees.all;
	struct snap_thread *to = arena_array(s->arena, s->tracees.n,
					     sizeof(*to));
	struct err *err = to ? NULL : err_nomem();
	size_t n = 0;

	for (size_t k = 0; k < s->tracees.n && !err; k++)
		if (all[k].tid == s->faulting)
			err = thread_record(s, &all[k], &to[n++]);
	for (size_t k = 0; k < s->tracees.n && !err; k++)
		if (all[k].tid != s->faulting && thread_counts(s, &all[k]))
			err = thread_record(s, &all[k], &to[n++]);
	target->threads = to;
	target->n_threads = n;
	return err;
}

/* ---- memory ------------------------------------------------------------ */
struct publisher {
	struct shot *s;
	struct vec memory, offsets;     /* struct snap_memory, uint64_t */
	const struct range *bad;        /* sorted */
	size_t n_bad, next_bad;
	uint64_t unreadable;
};

/* [start, end) of @x; @at is where the first byte is. */
static struct err *
publish_range(struct publisher *p, const struct snap_memory *like,
	      uint64_t start, uint64_t end, uint64_t at)
{
	struct arena *a = p->s->arena;

	if (start >= end)
		return NULL;
	struct snap_memory *m = vec_add(&p->memory, a, sizeof(*m));
	uint64_t *offset = vec_add(&p->offsets, a, sizeof(*offset));
	if (!m || !offset)
		return err_nomem();
	*m = *like;
	m->start = start;
	m->length = end - start;
	if (m->kind == SNAP_MEM_FILE)
		m->offset = at;
	*offset = at;
	return NULL;
}

/* What of [start, end) was read, and what could not be. */
static struct err *
publish_data(struct publisher *p, const struct piece *x)
{
	const struct snap_memory data = { .kind = SNAP_MEM_DATA };
	const struct snap_memory lost = {
		.kind = SNAP_MEM_ABSENT, .reason = SNAP_ABSENT_UNREADABLE,
	};
	uint64_t at = x->start, end = x->start + x->copied;
	struct err *err = NULL;

	while (at < end && !err) {
		while (p->next_bad < p->n_bad
		       && p->bad[p->next_bad].end <= at)
			p->next_bad++;
		const struct range *bad = p->next_bad < p->n_bad
					  ? &p->bad[p->next_bad] : NULL;
		uint64_t from = bad && bad->start < end ? bad->start : end;
		uint64_t to = from < end && bad->end < end ? bad->end : end;

		if (from < at)
			from = at;
		err = publish_range(p, &data, at, from, x->at + (at - x->start));
		if (!err)
			err = publish_range(p, &lost, from, to, 0);
		p->unreadable += to - from;
		at = to;
	}
	return err;
}

static struct err *
publish_piece(struct publisher *p, const struct piece *x)
{
	struct snap_memory m = { .kind = x->kind, .reason = x->reason };
	const struct snap_memory over = {
		.kind = SNAP_MEM_ABSENT, .reason = SNAP_ABSENT_BUDGET,
	};

	if (x->kind != SNAP_MEM_DATA) {
		m.ref = x->kind == SNAP_MEM_FILE ? UINT32_MAX : 0;
		return publish_range(p, &m, x->start, x->end, x->at);
	}
	struct err *err = publish_data(p, x);
	return err ? err : publish_range(p, &over, x->start + x->copied,
					 x->end, 0);
}

static int
range_order(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	return (x->start > y->start) - (x->start < y->start);
}

struct err *
picture_memory(struct shot *s)
{
	struct vec *bad = &s->copied.bad;
	struct publisher p = { .s = s, .bad = bad->data, .n_bad = bad->n };
	const struct piece *all = s->plan.pieces.data;
	struct target *t = &s->picture->target;
	struct err *err = NULL;

	if (bad->n)
		qsort(bad->data, bad->n, sizeof(struct range), range_order);
	for (size_t k = 0; k < s->plan.pieces.n && !err; k++)
		err = publish_piece(&p, &all[k]);
	if (!err && p.unreadable)
		err = shot_gap(s, "%llu bytes of memory could not be read",
			       (unsigned long long)p.unreadable);
	t->memory = p.memory.data;
	t->n_memory = p.memory.n;
	s->picture->offsets = p.offsets.data;
	return err;
}
