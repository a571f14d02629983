/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A process as the client sees it: its ids on the wire, its registers by
 * their generic names.
 */
#include "gdbstub/impl.h"

#include <stdlib.h>
#include <string.h>

#define PID_MADE_UP 1000u
/* gdb keeps a pid in an int and a tid in a long. Half of that leaves room for
 * ids that are made up. */
#define PID_LIMIT INT32_MAX
#define TID_LIMIT (INT64_MAX / 2)

static int
tid_order(const void *a, const void *b)
{
	const struct wire_tid *x = a, *y = b;

	return x->tid != y->tid ? (x->tid < y->tid ? -1 : 1)
	       : (x->thread > y->thread) - (x->thread < y->thread);
}

static void
sort_tids(struct inferior *f)
{
	qsort(f->by_tid, f->n_threads, sizeof(*f->by_tid), tid_order);
}

static bool
tid_usable(const struct wire_tid *w, const struct wire_tid *before)
{
	return w->tid != ID_ANY && w->tid <= TID_LIMIT
	       && (!before || before->tid != w->tid);
}

/* Ids that cannot be used are replaced by ones above all others. */
static void
name_threads(struct inferior *f)
{
	uint64_t next = 1, last = ID_ANY;

	sort_tids(f);
	for (size_t k = 0; k < f->n_threads; k++)
		if (f->by_tid[k].tid <= TID_LIMIT)
			next = f->by_tid[k].tid + 1;
	for (size_t k = 0; k < f->n_threads; k++) {
		struct wire_tid *w = &f->by_tid[k];
		const struct wire_tid before = { .tid = last };

		last = w->tid;
		if (!tid_usable(w, &before))
			w->tid = next++;
	}
	sort_tids(f);
	for (size_t k = 0; k < f->n_threads; k++)
		f->tids[f->by_tid[k].thread] = f->by_tid[k].tid;
}

static uint64_t
usable_pid(uint64_t pid)
{
	return pid != ID_ANY && pid <= PID_LIMIT ? pid : PID_MADE_UP;
}

static const char *
exe_path(const struct inferior *f)
{
	size_t n;
	const struct snap_module *m = insp_modules(f->insp, &n);

	for (size_t k = 0; k < n; k++)
		if ((m[k].flags & SNAP_MODULE_MAIN) && m[k].path)
			return m[k].path;
	return insp_target(f->insp)->process.exe;
}

static struct err *
name_exe(struct inferior *f)
{
	const char *path = exe_path(f);

	if (path)
		buf_escape(&f->exe, path, strlen(path));
	return buf_err(&f->exe);
}

struct err *
inferior_init(struct inferior *f, struct shown *shown, uint64_t pid)
{
	const struct target *t = insp_target(shown->insp);

	f->shown = shown;
	f->insp = shown->insp;
	f->title = shown->title;
	f->own_pid = usable_pid(t->process.pid);
	f->pid = pid != ID_ANY ? pid : f->own_pid;
	f->n_threads = t->n_threads;
	f->tids = calloc(t->n_threads ? t->n_threads : 1, sizeof(*f->tids));
	f->by_tid = calloc(t->n_threads ? t->n_threads : 1,
			   sizeof(*f->by_tid));
	if (!f->tids || !f->by_tid)
		return err_nomem();
	for (size_t k = 0; k < t->n_threads; k++)
		f->by_tid[k] = (struct wire_tid){ t->threads[k].tid, k };
	name_threads(f);
	return name_exe(f);
}

void
inferior_fini(struct inferior *f)
{
	buf_fini(&f->features.text);
	buf_fini(&f->libraries.text);
	buf_fini(&f->auxv.text);
	buf_fini(&f->exe);
	free(f->by_tid);
	free(f->tids);
}

size_t
inferior_find_thread(const struct inferior *f, uint64_t tid)
{
	size_t low = 0, high = f->n_threads;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (f->by_tid[mid].tid < tid)
			low = mid + 1;
		else
			high = mid;
	}
	return low < f->n_threads && f->by_tid[low].tid == tid
	       ? f->by_tid[low].thread : INSP_NONE;
}

size_t
inferior_generic_reg(const struct inferior *f, const char *name)
{
	size_t n;
	const struct reg *regs = insp_regs(f->insp, &n);

	for (size_t k = 0; k < n; k++)
		if (regs[k].generic && strcmp(regs[k].generic, name) == 0)
			return k;
	return INSP_NONE;
}

bool
inferior_reg(const struct inferior *f, size_t thread, const char *generic,
	     uint64_t *value)
{
	size_t n, reg = inferior_generic_reg(f, generic);
	uint8_t bytes[REG_BYTES_MAX] = { 0 };
	bool known = false;

	if (reg == INSP_NONE || insp_regs(f->insp, &n)[reg].bits != 64)
		return false;
	_err_ struct err *err = insp_reg_read(f->insp, thread, reg, bytes,
					      &known);
	if (err || !known)
		return false;
	struct rd r = rd_of(bytes, sizeof(bytes));
	*value = rd_u64(&r);
	return true;
}
