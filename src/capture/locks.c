/* SPDX-License-Identifier: Apache-2.0 */
/*
 * locks.c: which thread waits for a mutex that which other one holds.
 *
 * Told only where it is certain: the registers show the thread in futex(2),
 * and the word it waits at names a thread of the process. Of a plain futex
 * nobody knows what it is part of, so that its thread must be in a function
 * of the C library that locks a mutex, and the fields of that must make sense.
 */
#include "capture/locks.h"

#include <elf.h>
#include <linux/futex.h>
#include <string.h>

#define FUTEX_CALL 202u         /* x86-64 */
#define LOCK_PI2 13u            /* FUTEX_LOCK_PI2, of Linux 5.14 */
#define FRAMES_SEEN 6u          /* in which the function may be */

struct wait {
	uint64_t tid, address;
	uint32_t operation, expected;
	const struct snap_frame *frames;        /* of the thread */
	size_t n_frames;
};
/* How glibc's pthread_mutex_t begins (its struct_mutex.h, x86-64): words. */
enum { MUTEX_LOCK = 0, MUTEX_OWNER = 2, MUTEX_USERS = 3, MUTEX_KIND = 4,
       MUTEX_WORDS = 5 };

/* ---- waiting ----------------------------------------------------------- */
enum { CALL, RESULT, ADDRESS, OPERATION, EXPECTED, REGS };
static const char *const names[REGS] = {
	"orig_rax", "rax", "rdi", "rsi", "rdx",
};

static bool
find_regs(struct saver *s, size_t index[REGS])
{
	const struct reg *all;
	size_t n, found = 0;

	all = insp_regs(s->insp, &n);
	for (size_t k = 0; k < n; k++)
		for (size_t r = 0; r < REGS; r++)
			if (strcmp(all[k].name, names[r]) == 0) {
				index[r] = k;
				found++;
			}
	return found == REGS;
}

static bool
read_reg(struct saver *s, size_t thread, size_t reg, uint64_t *out)
{
	uint8_t bytes[REG_BYTES_MAX] = { 0 };
	bool known = false;

	_err_ struct err *none = insp_reg_read(s->insp, thread, reg, bytes,
					       &known);
	memcpy(out, bytes, sizeof(*out));
	return !none && known;
}

/* ERESTARTSYS to ERESTART_RESTARTBLOCK: what it returns while it waits. */
static bool
waits_on(uint64_t result)
{
	return (int64_t)result <= -512 && (int64_t)result >= -516;
}

static bool
wait_of(struct saver *s, size_t thread, const size_t index[REGS],
	struct wait *out)
{
	uint64_t value[REGS];

	for (size_t r = 0; r < REGS; r++) {
		if (!read_reg(s, thread, index[r], &value[r])
		    || value[CALL] != FUTEX_CALL)
			return false;
	}
	out->address = value[ADDRESS];
	out->operation = (uint32_t)value[OPERATION] & FUTEX_CMD_MASK;
	out->expected = (uint32_t)value[EXPECTED];
	return waits_on(value[RESULT]);
}

/* Frames are in the order of the threads. */
static void
frames_of(const struct saver *s, size_t *at, struct wait *out)
{
	const struct snap_frame *f = s->frames.data;
	size_t from = *at;

	while (*at < s->frames.n && f[*at].tid == out->tid)
		++*at;
	out->frames = f + from;
	out->n_frames = *at - from;
}

/* ---- holding ----------------------------------------------------------- */
static bool
is_other_thread(const struct saver *s, const struct wait *w, uint64_t owner)
{
	return owner && owner != w->tid
	       && insp_find_thread(s->insp, owner) != INSP_NONE;
}

static bool
locks_mutex(const struct wait *w)
{
	for (size_t k = 0; k < w->n_frames && k < FRAMES_SEEN; k++) {
		const char *function = w->frames[k].function;
		if (function && strstr(function, "pthread_mutex_"))
			return true;
	}
	return false;
}

static bool
owner_inherits(struct saver *s, const struct wait *w, uint64_t *owner)
{
	uint32_t word;

	_err_ struct err *none = space_read(insp_space(s->insp), w->address,
					    sizeof(word), &word);
	if (none)
		return false;
	*owner = word & FUTEX_TID_MASK;
	return is_other_thread(s, w, *owner);
}

/* Bits of @kind are at most those of PTHREAD_MUTEX_… and of elision. */
static bool
owner_plain(struct saver *s, const struct wait *w, uint64_t *owner)
{
	uint32_t m[MUTEX_WORDS];

	if (w->expected != 2 || !locks_mutex(w))
		return false;
	_err_ struct err *none = space_read(insp_space(s->insp), w->address,
					    sizeof(m), m);
	if (none || m[MUTEX_LOCK] != 2 || m[MUTEX_USERS] == 0
	    || m[MUTEX_KIND] >= 1024)
		return false;
	*owner = m[MUTEX_OWNER];
	return is_other_thread(s, w, *owner);
}

static const struct {
	uint32_t operation;
	bool (*owner)(struct saver *s, const struct wait *w, uint64_t *owner);
} operations[] = {
	{ FUTEX_WAIT, owner_plain },
	{ FUTEX_WAIT_BITSET, owner_plain },
	{ FUTEX_LOCK_PI, owner_inherits },
	{ LOCK_PI2, owner_inherits },
};

static bool
owner_of(struct saver *s, const struct wait *w, uint64_t *owner)
{
	for (size_t k = 0; k < countof(operations); k++)
		if (operations[k].operation == w->operation)
			return operations[k].owner(s, w, owner);
	return false;
}

/* ---- telling ----------------------------------------------------------- */
/* In another namespace words hold other numbers of threads than ours. */
static bool
numbers_are_ours(const struct target *t)
{
	for (size_t k = 0; k < t->n_texts; k++) {
		struct span value;

		if (strcmp(t->texts[k].name, "status") == 0
		    && text_status(t->texts[k].bytes, "NSpid", &value))
			return !memchr(value.data, '\t', value.n);
	}
	return true;
}

static struct err *
note_wait(struct saver *s, const struct wait *w, uint64_t owner)
{
	struct snap_note note = {
		.key = "lock", .severity = SNAP_INFO, .tid = w->tid,
		.depth = UINT32_MAX, .address = w->address,
	};

	note.text = arena_printf(s->arena, "waits for the mutex at 0x%llx, "
				 "which thread %llu holds",
				 (unsigned long long)w->address,
				 (unsigned long long)owner);
	return note.text ? snap_put_note(s->writer, &note) : err_nomem();
}

struct err *
locks_note(struct saver *s)
{
	const struct target *t = s->target;
	struct err *err = NULL;
	size_t index[REGS], at = 0;
	uint64_t owner;

	if (t->process.machine != EM_X86_64 || t->process.bits != 64
	    || t->process.os != SNAP_OS_LINUX || !numbers_are_ours(t)
	    || !find_regs(s, index))
		return NULL;
	for (size_t k = 0; k < t->n_threads && !err; k++) {
		struct wait w = { .tid = t->threads[k].tid };
		frames_of(s, &at, &w);
		if (wait_of(s, k, index, &w) && owner_of(s, &w, &owner))
			err = note_wait(s, &w, owner);
	}
	return err;
}
