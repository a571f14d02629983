/* SPDX-License-Identifier: Apache-2.0 */
/*
 * picture.c: the target "live", made of what was copied.
 */
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "capture/around.h"
#include "capture/impl.h"
#include "capture/shot.h"

/* ---- the target -------------------------------------------------------- */
static struct err *
picture_read(struct target *t, size_t range, uint64_t off, size_t n, void *out)
{
	const struct picture *p = (const struct picture *)t;

	switch (t->memory[range].kind) {
	case SNAP_MEM_ZERO:
		memset(out, 0, n);
		return NULL;
	case SNAP_MEM_DATA:
		memcpy(out, p->bytes + p->offsets[range] + off, n);
		return NULL;
	default:
		return err_new(ERR_ABSENT, "memory at 0x%llx was not copied",
			       (unsigned long long)t->memory[range].start);
	}
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

const void *
picture_at(const struct target *t, size_t range, uint64_t off)
{
	const struct picture *p = (const struct picture *)t;

	return t->ops == &picture_ops ? p->bytes + p->offsets[range] + off
				      : NULL;
}

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
	struct span cgroup;
	char name[48];

	snprintf(name, sizeof(name), "task/%d/stack", (int)t->tid);
	_err_ struct err *none = proc_read(&s->proc, name, 65536, &stack);
	if (!none && stack.len)
		out->kernel_stack = arena_strndup(s->arena, stack.data,
						  stack.len);
	s->incomplete = true;
	if (around_frozen(s, &cgroup))
		return shot_gap(s, "thread %d (%s) is frozen by its cgroup "
				"%.*s: its registers are missing", (int)t->tid,
				t->name, (int)cgroup.n,
				(const char *)cgroup.data);
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
	if (t->at == TRACEE_RUNNING || t->at == TRACEE_NEW)
		return thread_missed(s, t, out);
	return thread_regs(s, t, out);
}

/* Those of the last list: the first one is listed there for as long as another
 * one lives, but has nothing left. */
static bool
thread_counts(const struct tracee *t)
{
	return t->listed && t->at != TRACEE_ENDED;
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
		if (all[k].tid != s->faulting && thread_counts(&all[k]))
			err = thread_record(s, &all[k], &to[n++]);
	target->threads = to;
	target->n_threads = n;
	return err;
}

/* ---- memory ------------------------------------------------------------ */
struct publisher {
	struct shot *s;
	struct vec memory, offsets;     /* struct snap_memory, uint64_t */
	const struct taken *taken;      /* sorted */
	size_t n_taken, next;
	size_t first;                   /* range of the piece at hand */
	uint64_t unreadable, doubtful;
};

/* A piece that was copied in slices is one range nevertheless. */
static bool
publish_longer(const struct publisher *p, const struct snap_memory *like,
	       uint64_t start, uint64_t end, uint64_t at)
{
	struct snap_memory *m = p->memory.data;
	const uint64_t *offset = p->offsets.data;
	size_t n = p->memory.n;

	if (n <= p->first || like->kind != SNAP_MEM_DATA
	    || m[n - 1].kind != SNAP_MEM_DATA
	    || m[n - 1].start + m[n - 1].length != start
	    || offset[n - 1] + m[n - 1].length != at)
		return false;
	m[n - 1].length += end - start;
	return true;
}

/* [start, end) is like @like; @at is where the first byte is. */
static struct err *
publish_range(struct publisher *p, const struct snap_memory *like,
	      uint64_t start, uint64_t end, uint64_t at)
{
	struct arena *a = p->s->arena;

	if (start >= end || publish_longer(p, like, start, end, at))
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

/* [start, end) as it was copied, or could not be. */
static struct err *
publish_taken(struct publisher *p, const struct taken *t, uint64_t start,
	      uint64_t end)
{
	const struct snap_memory data = { .kind = SNAP_MEM_DATA };
	const struct snap_memory lost = {
		.kind = SNAP_MEM_ABSENT, .reason = t->at == TAKEN_UNKNOWN
				? SNAP_ABSENT_UNKNOWN : SNAP_ABSENT_UNREADABLE,
	};

	if (t->at < TAKEN_UNKNOWN)
		return publish_range(p, &data, start, end,
				     t->at + (start - t->start));
	if (t->at == TAKEN_UNKNOWN)
		p->doubtful += end - start;
	else
		p->unreadable += end - start;
	return publish_range(p, &lost, start, end, 0);
}

/* What is to be said of the parts of @x that were not copied. */
static struct snap_memory
piece_else(const struct shot *s, const struct piece *x)
{
	struct snap_memory m = { .kind = x->kind, .reason = x->reason };

	if (x->class == CLASS_LEFT) {
		m.kind = SNAP_MEM_ABSENT;
		m.reason = SNAP_ABSENT_FILTER;
	} else if (x->kind == SNAP_MEM_DATA) {
		m.kind = SNAP_MEM_ABSENT;
		m.reason = s->copier.ended;
	}
	m.ref = m.kind == SNAP_MEM_FILE ? UINT32_MAX : 0;
	return m;
}

static struct err *
publish_else(struct publisher *p, const struct piece *x, uint64_t start,
	     uint64_t end)
{
	const struct snap_memory m = piece_else(p->s, x);

	if (start < end && x->kind == SNAP_MEM_DATA)
		p->s->left_out[m.reason] += end - start;
	return publish_range(p, &m, start, end, x->at + (start - x->start));
}

/*
 * What was taken of it, some of it maybe twice. Where mappings changed after
 * it was, it may go on in the next piece.
 */
static struct err *
publish_piece(struct publisher *p, const struct piece *x)
{
	bool forbidden = piece_is_forbidden(x);
	uint64_t at = x->start;
	struct err *err = NULL;

	p->first = p->memory.n;
	for (; p->next < p->n_taken && !err; p->next++) {
		const struct taken *t = &p->taken[p->next];
		uint64_t end = t->end < x->end ? t->end : x->end;

		if (t->start >= x->end)
			break;
		if (forbidden || t->end <= at)
			continue;
		if (at < t->start) {
			err = publish_else(p, x, at, t->start);
			at = t->start;
		}
		if (!err)
			err = publish_taken(p, t, at, end);
		at = end;
		if (t->end > end)
			break;
	}
	return err ? err : publish_else(p, x, at, x->end);
}

/* Bytes that no range speaks of are not kept: they were forbidden later. */
static void
wipe_forbidden(struct shot *s)
{
	const struct copier *c = &s->copier;

	for (size_t k = 0; k < c->n; k++) {
		const struct taken *t = &c->taken[k];
		const struct piece *x = plan_find(&s->plan, t->start);

		if (x && piece_is_forbidden(x) && t->at < TAKEN_UNKNOWN)
			memset(c->buffer + t->at, 0, t->end - t->start);
	}
}

/* The buffer becomes the picture's, without what was not used of it. */
static void
take_buffer(struct shot *s)
{
	struct copier *c = &s->copier;
	struct picture *p = s->picture;

	p->size = (c->used + PAGE - 1) & ~(size_t)(PAGE - 1);
	p->bytes = c->buffer;
	if (p->size < c->size)
		munmap(c->buffer + p->size, c->size - p->size);
	if (p->size)
		mprotect(p->bytes, p->size, PROT_READ);
	else
		p->bytes = NULL;
	c->buffer = NULL;
}

struct err *
picture_memory(struct shot *s)
{
	struct copier *c = &s->copier;
	struct publisher p = { .s = s, .taken = c->taken, .n_taken = c->n };
	const struct piece *all = s->plan.pieces.data;
	struct target *t = &s->picture->target;
	struct err *err = NULL;

	copier_sort(c);
	if (s->maps_late)
		wipe_forbidden(s);
	for (size_t k = 0; k < s->plan.pieces.n && !err; k++)
		err = publish_piece(&p, &all[k]);
	take_buffer(s);
	if (!err && p.unreadable)
		err = shot_gap(s, "%llu bytes of memory could not be read",
			       (unsigned long long)p.unreadable);
	if (!err && p.doubtful)
		err = shot_gap(s, "%llu bytes of code and constants may have "
			       "changed while the picture was taken, and were "
			       "left out",
			       (unsigned long long)p.doubtful);
	t->memory = p.memory.data;
	t->n_memory = p.memory.n;
	s->picture->offsets = p.offsets.data;
	return err;
}
