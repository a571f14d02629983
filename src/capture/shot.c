/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shot.c: the steps of taking a picture, one function for each.
 */
#include "capture/shot.h"

#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "capture/follow_heap.h"
#include "capture/impl.h"

#define COPY_LIMIT (150ull << 20)
#define STACK_LIMIT (1ull << 20)
#define STOP_MS 2000u
#define MAPS_TEXT_MAX (256u << 20)
#define AUXV_MAX 4096u
/* Of a thread, where stacks are all that is copied. */
#define STACK_GUESS (32u << 10)
/* How often maps are read anew while a process goes on mapping. */
#define LOOKS_MAX 3u
/* What it takes to let one thread go. */
#define DETACH_NS 8000u
/* PF_KTHREAD of the kernel's include/linux/sched.h, in field 9 of stat. */
#define FLAG_KERNEL_THREAD 0x00200000u
/* PF_EXITING of the same. */
#define FLAG_EXITING 0x00000004u

struct err *
shot_gap(struct shot *s, const char *fmt, ...)
{
	_buf_ struct buf b = { 0 };
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&b, fmt, ap);
	va_end(ap);
	const char **slot = vec_add(&s->gaps, s->arena, sizeof(*slot));
	if (slot)
		*slot = arena_strdup(s->arena, b.data ? b.data : "");
	return slot && *slot ? NULL : err_nomem();
}

/* ---- the process ------------------------------------------------------- */
/* Half of what there is, so that nobody else is driven out by it. */
static uint64_t
copy_all(void)
{
	_buf_ struct buf text = { .max = 64u << 10 };
	uint64_t kib;

	_err_ struct err *err = io_read_file("/proc/meminfo", 64u << 10, &text);
	const struct span s = { text.data, text.len };
	if (err || !text_status_number(s, "MemAvailable", 10, &kib)
	    || kib / 2 < COPY_LIMIT >> 10)
		return COPY_LIMIT;
	return kib / 2 << 10;
}

static struct capture_limits
limits_of(const struct capture_limits *given)
{
	struct capture_limits l = given ? *given : (struct capture_limits){ 0 };

	if (!l.copy)
		l.copy = l.memory == CAPTURE_FULL ? copy_all() : COPY_LIMIT;
	l.stack = l.stack ? l.stack : STACK_LIMIT;
	l.stop_ms = l.stop_ms ? l.stop_ms : STOP_MS;
	return l;
}

static struct err *
ended(const struct shot *s)
{
	return err_new(ERR_NOTFOUND, "process %d has ended",
		       (int)s->proc.pid);
}

/* A thread has a directory of its own in /proc, but is no process. */
static struct err *
refuse_thread(const struct shot *s)
{
	_buf_ struct buf status = { 0 };
	uint64_t leader;

	struct err *err = proc_read(&s->proc, "status", PAGE, &status);
	if (err) {
		err_free(err);
		return ended(s);
	}
	const struct span text = { status.data, status.len };
	if (!text_status_number(text, "Tgid", 10, &leader)
	    || leader == (uint64_t)s->proc.pid)
		return NULL;
	return err_new(ERR_NOTFOUND, "%d is a thread of process %llu: give the "
		       "number of the process", (int)s->proc.pid,
		       (unsigned long long)leader);
}

static struct err *
refuse_kind(struct shot *s)
{
	char room[1024];

	if (s->proc.pid == getpid())
		return err_new(ERR_USAGE, "process %d is this program itself, "
			       "which cannot stop itself and look",
			       (int)s->proc.pid);
	if (!proc_stat(&s->proc, 0, &s->before, room))
		return ended(s);
	s->before.name.data = arena_strndup(s->arena, s->before.name.data,
					    s->before.name.n);
	if (!s->before.name.data)
		return err_nomem();
	if (s->before.flags & FLAG_KERNEL_THREAD)
		return err_new(ERR_UNSUPPORTED, "process %d is a thread of the "
			       "kernel: it has no memory of its own",
			       (int)s->proc.pid);
	if (s->before.state == 'Z' && s->before.threads <= 1)
		return err_new(ERR_NOTFOUND, "process %d has ended and only "
			       "waits for its parent (a zombie)",
			       (int)s->proc.pid);
	return refuse_thread(s);
}

/* Its first thread may have ended while others run. */
static struct err *
pass_leader(struct shot *s)
{
	struct text_stat now;
	char room[1024];

	s->start_time = s->before.start_time;
	if (s->before.state != 'Z')
		return NULL;
	if (!proc_look_through(&s->proc)
	    || !proc_stat(&s->proc, 0, &now, room))
		return ended(s);
	s->start_time = now.start_time;
	base_close(&s->mem);
	s->mem = openat(s->proc.dir, "mem", O_RDONLY | O_CLOEXEC);
	return shot_gap(s, "the first thread of process %d had ended: of it "
			"nothing is left", (int)s->proc.pid);
}

static struct err *
read_auxv(const struct shot *s, struct span *out)
{
	_buf_ struct buf b = { 0 };

	/* Not allowed to: PTRACE_SEIZE will say why, and better. */
	_err_ struct err *none = proc_read(&s->proc, "auxv", AUXV_MAX, &b);
	if (none && err_kind(none) == ERR_NOMEM)
		return take(none);
	out->n = b.len;
	out->data = b.len ? arena_dup(s->arena, b.data, b.len) : NULL;
	return b.len && !out->data ? err_nomem() : NULL;
}

static struct extent
read_extent(const struct shot *s)
{
	char text[256] = "";
	unsigned long long size = 0, code = 0, data = 0;

	proc_read_some(&s->proc, "statm", text, sizeof(text) - 1);
	/* size resident shared text lib data dt (proc(5)), in pages */
	if (sscanf(text, "%llu %*u %*u %llu %*u %llu", &size, &code, &data)
	    != 3)
		size = code = data = 0;
	return (struct extent){ size, code, data };
}

static struct beside
flags_of(const struct shot *s)
{
	return (struct beside){ .proc = &s->proc, .name = "smaps",
				.max = MAPS_TEXT_MAX };
}

struct err *
shot_open(struct shot *s, pid_t pid, const struct capture_limits *limits)
{
	*s = (struct shot){ .limits = limits_of(limits),
			    .proc = { .dir = -1 }, .mem = -1,
			    .tracees = { .task = -1 } };
	s->arena = arena_new(0);
	s->pages = calloc(1, sizeof(*s->pages));
	if (!s->arena || !s->pages)
		return err_nomem();
	s->pages->fd = -1;
	struct err *err = picture_new(s);
	if (!err)
		err = proc_open(pid, &s->proc);
	/* Before the first text: it keeps the address space of this moment. */
	if (!err)
		s->mem = openat(s->proc.dir, "mem", O_RDONLY | O_CLOEXEC);
	if (!err)
		err = refuse_kind(s);
	if (!err)
		err = pass_leader(s);
	if (!err)
		err = tracees_init(&s->tracees, &s->proc);
	if (!err)
		err = read_auxv(s, &s->auxv);
	if (err)
		return err;
	/* The dearest text is read while all others are. */
	s->extent = read_extent(s);
	s->flags = flags_of(s);
	beside_begin(&s->flags);
	return shot_read_texts(s);
}

void
shot_fini(struct shot *s)
{
	beside_fini(&s->flags);
	if (s->picture)
		target_free(&s->picture->target);
	else
		arena_free(s->arena);
	tracees_fini(&s->tracees);
	proc_fini(&s->proc);
	if (s->pages)
		pages_fini(s->pages);
	free(s->pages);
	copier_fini(&s->copier);
	base_close(&s->mem);
	buf_fini(&s->maps_text);
}

/* ---- while it runs ----------------------------------------------------- */
static bool
extent_changed(const struct extent *a, const struct extent *b)
{
	return a->total != b->total || a->text != b->text
	       || a->data != b->data;
}

/* Flags of what was mapped since are looked at when it runs again. */
static bool
maps_changed(struct shot *s)
{
	struct extent now = read_extent(s);

	if (!extent_changed(&now, &s->extent))
		return false;
	s->extent = now;
	s->maps_late = true;
	return true;
}

static struct err *
read_maps(struct shot *s)
{
	buf_reset(&s->maps_text);
	struct err *err = proc_read(&s->proc, "maps", MAPS_TEXT_MAX,
				    &s->maps_text);
	if (err)
		return err;
	s->plan.maps.n = 0;
	return text_maps((struct span){ s->maps_text.data, s->maps_text.len },
			 s->arena, &s->plan.maps);
}

/* What must not be copied; without the text nothing is known to be so. */
static struct err *
take_flags(struct shot *s, struct beside *b)
{
	_err_ struct err *none = beside_end(b);

	s->plan.flags.n = 0;
	if (none)
		return err_kind(none) == ERR_NOMEM ? take(none) : NULL;
	return text_smaps((struct span){ b->text.data, b->text.len },
			  s->arena, &s->plan.flags);
}

static struct err *
read_flags(struct shot *s)
{
	struct beside flags = flags_of(s);

	beside_begin(&flags);
	struct err *err = take_flags(s, &flags);
	beside_fini(&flags);
	return err;
}

/* Without one no page of its own comes to be where there was none. */
static uint64_t
faults_of(const struct text_stat *stat)
{
	return stat->minor_faults + stat->major_faults;
}

static struct err *
look_begin(struct shot *s)
{
	struct text_stat now;
	char room[1024];

	if (!proc_stat(&s->proc, 0, &now, room))
		return ended(s);
	s->faults = faults_of(&now);
	return NULL;
}

static struct err *
room_reserve(struct shot *s)
{
	/* Threads that are not yet known have stacks too. */
	uint64_t stacks = s->limits.memory == CAPTURE_STACKS
			  ? (s->tracees.n + 16) * STACK_GUESS : 0;

	return copier_reserve(&s->copier, s->arena, stacks);
}

/* What is mapped, and what of it is to be copied. */
static struct err *
look(struct shot *s)
{
	struct err *err = look_begin(s);

	if (!err)
		err = read_maps(s);
	if (!err)
		err = plan_make(&s->plan);
	return err ? err : room_reserve(s);
}

/* Pairs of words (getauxval(3)); 0 if there is no such one. */
static uint64_t
auxv_value(const struct shot *s, uint64_t type)
{
	uint64_t pair[2];

	for (size_t at = 0; at + sizeof(pair) <= s->auxv.n;
	     at += sizeof(pair)) {
		memcpy(pair, (const char *)s->auxv.data + at, sizeof(pair));
		if (pair[0] == type)
			return pair[1];
	}
	return 0;
}

static struct err *
look_first(struct shot *s)
{
	struct err *err = look(s);

	if (!err)
		err = take_flags(s, &s->flags);
	if (!err)
		plan_forbid(&s->plan);
	return err;
}

/* A copy: where they change, they are read again to the same place. */
static void
tell_maps(struct shot *s)
{
	if (!s->meanwhile)
		return;
	s->maps = arena_dup(s->arena, s->plan.maps.data,
			    s->plan.maps.n * sizeof(*s->maps));
	s->n_maps = s->maps ? s->plan.maps.n : 0;
	sem_post(&s->looked);
}

static struct err *
copy_early(struct shot *s)
{
	const struct tracee *any = tracees_alive(&s->tracees);

	s->copier.tid = any ? any->tid : s->proc.pid;
	struct err *err = still_early(&s->copier) ? NULL : room_reserve(s);
	return err ? err : follow_heap_find(&s->copier, s->arena);
}

struct err *
shot_prepare(struct shot *s)
{
	s->plan.linker = auxv_value(s, AT_BASE);
	s->plan.limits = &s->limits;
	s->plan.arena = s->arena;
	s->plan.pages = s->pages;
	s->copier.plan = &s->plan;
	s->plan.files_reachable = proc_same_file(&s->proc, "ns/mnt",
						 "/proc/self/ns/mnt")
				  && proc_same_file(&s->proc, "root", "/");
	pages_open(s->pages, &s->proc);
	struct err *err = look_first(s);
	if (err)
		return err;
	tell_maps(s);
	copy_touch_modules(&s->plan, s->proc.through);
	for (unsigned k = 0; k < LOOKS_MAX && !err; k++) {
		if (!maps_changed(s))
			break;
		err = look(s);
	}
	return err ? err : copy_early(s);
}

/* ---- while it stands still --------------------------------------------- */
/* Page 0 cannot be read, but there is an end of file where nobody lives. */
static bool
space_is_left(const struct shot *s)
{
	char byte;

	return s->mem >= 0 && pread(s->mem, &byte, 1, 0) == 0;
}

/* Killed meanwhile: what it had goes away bit by bit. */
static bool
is_ending(const struct shot *s)
{
	struct text_stat now;
	char room[1024];

	return !proc_stat(&s->proc, 0, &now, room) || now.state == 'Z'
	       || now.state == 'X' || now.flags & FLAG_EXITING;
}

/*
 * Its start time is that of the process whose directory we hold; another
 * program has another address space, and mostly another auxv (AT_RANDOM,
 * AT_ENTRY and AT_BASE vary).
 */
static struct err *
check_same(struct shot *s)
{
	struct text_stat now;
	char auxv[AUXV_MAX], room[1024];

	if (!proc_stat(&s->proc, 0, &now, room))
		return ended(s);
	s->doubt = faults_of(&now) != s->faults;
	size_t n = proc_read_some(&s->proc, "auxv", auxv, sizeof(auxv));
	if (now.start_time != s->start_time || n != s->auxv.n
	    || (n && memcmp(auxv, s->auxv.data, n) != 0) || space_is_left(s))
		return is_ending(s) ? ended(s)
		       : err_new(ERR_FAILED, "process %d has begun another "
				 "program in the meantime: try again",
				 (int)s->proc.pid);
	return NULL;
}

static struct err *
check_bits(const struct shot *s, const struct tracee *any)
{
	if (any->has_regs)
		return NULL;
	if (is_ending(s))
		return ended(s);
	return err_new(ERR_UNSUPPORTED, "process %d does not have the registers "
		       "of x86-64: pictures of other programs cannot be taken",
		       (int)s->proc.pid);
}

/* Letting go takes its time too, and is part of the pause. Where there are so
 * many threads that nothing is left of it, copying has a part nevertheless. */
static uint64_t
copy_deadline(const struct shot *s, uint64_t began)
{
	uint64_t leave = s->tracees.n * DETACH_NS, most = s->limits.pause_ns;
	uint64_t least = tracees_now() + most / 4;
	uint64_t end = began + (most > leave ? most - leave : 0);

	if (!most)
		return 0;
	return end > least ? end : least;
}

struct err *
shot_take(struct shot *s, uint64_t began)
{
	struct target *t = &s->picture->target;
	struct timespec now = { 0, 0 };

	s->stages.stop_ns = tracees_now() - began;
	clock_gettime(CLOCK_REALTIME, &now);
	t->process.captured_ns = (uint64_t)now.tv_sec * 1000000000u
				 + (uint64_t)now.tv_nsec;
	struct err *err = check_same(s);
	if (err)
		return err;
	tracees_read_regs(&s->tracees);
	if (!tracees_alive(&s->tracees))
		return ended(s);
	const struct tracee *any = tracees_any(&s->tracees);
	err = any ? check_bits(s, any) : NULL;
	if (!err && maps_changed(s))
		err = look(s);
	if (err)
		return err;
	uint64_t copying = tracees_now();
	s->stages.registers_ns = copying - began - s->stages.stop_ns;
	s->copier.tid = any ? any->tid : s->proc.pid;
	s->copier.deadline = copy_deadline(s, began);
	still_copy(&s->copier, &s->tracees,
		   tracees_find(&s->tracees, s->faulting));
	/* What code was changed must be seen before it can be taken back. */
	if (s->doubt)
		still_doubt(&s->copier);
	s->stages.memory_ns = tracees_now() - copying;
	/* One that hangs in the kernel may do so in execve(2). */
	return tracees_all(&s->tracees) ? NULL : check_same(s);
}

/* ---- while it runs again ----------------------------------------------- */
static struct err *
add_attr(struct shot *s, const char *key, uint8_t type, uint64_t number)
{
	struct snap_attr *a = vec_add(&s->attrs, s->arena, sizeof(*a));

	if (!a)
		return err_nomem();
	*a = (struct snap_attr){ .key = key, .type = type, .number = number };
	return NULL;
}

static struct err *
tell_left_out(struct shot *s)
{
	const struct plan *p = &s->plan;
	const uint64_t *left = s->left_out;
	struct err *err = NULL;

	if (left[SNAP_ABSENT_BUDGET])
		err = shot_gap(s, "%llu bytes of private memory were left out: "
			       "not more than %llu were to be copied",
			       (unsigned long long)left[SNAP_ABSENT_BUDGET],
			       (unsigned long long)s->limits.copy);
	if (!err && left[SNAP_ABSENT_TIME])
		err = shot_gap(s, "%llu bytes of private memory were left out: "
			       "the process was not to stand still for longer "
			       "than %llu us",
			       (unsigned long long)left[SNAP_ABSENT_TIME],
			       (unsigned long long)s->limits.pause_ns / 1000u);
	if (!err && p->shared)
		err = shot_gap(s, "%llu bytes of memory that is shared with "
			       "other processes were left out",
			       (unsigned long long)p->shared);
	if (!err && s->limits.memory == CAPTURE_STACKS)
		err = shot_gap(s, "memory other than stacks and modules was "
			       "left out, as was asked for");
	return err;
}

static struct err *
publish(struct shot *s)
{
	struct target *t = &s->picture->target;
	const struct { const char *key; uint64_t ns; } times[] = {
		{ CAPTURE_PAUSE, s->pause_ns },
		{ CAPTURE_PAUSE_STOP, s->stages.stop_ns },
		{ CAPTURE_PAUSE_REGISTERS, s->stages.registers_ns },
		{ CAPTURE_PAUSE_MEMORY, s->stages.memory_ns },
	};
	struct err *err = tell_left_out(s);

	for (size_t k = 0; k < countof(times) && !err; k++)
		err = add_attr(s, times[k].key, SNAP_ATTR_U64, times[k].ns);
	if (!err && s->incomplete)
		err = add_attr(s, CAPTURE_INCOMPLETE, SNAP_ATTR_BOOL, 1);
	if (err)
		return err;
	t->auxv = s->auxv;
	t->maps = s->plan.maps.data;
	t->n_maps = s->plan.maps.n;
	t->texts = s->texts.data;
	t->n_texts = s->texts.n;
	t->gaps = s->gaps.data;
	t->n_gaps = s->gaps.n;
	t->attrs = s->attrs.data;
	t->n_attrs = s->attrs.n;
	return NULL;
}

static struct err *
add_maps_text(struct shot *s)
{
	struct snap_blob *b = vec_add(&s->texts, s->arena, sizeof(*b));

	if (!b)
		return err_nomem();
	b->name = "maps";
	b->bytes.n = s->maps_text.len;
	b->bytes.data = arena_dup(s->arena, s->maps_text.data,
				  s->maps_text.len);
	return b->bytes.data ? NULL : err_nomem();
}

struct err *
shot_finish(struct shot *s, struct target **out)
{
	struct err *err = s->maps_late ? read_flags(s) : NULL;

	if (!err && s->maps_late)
		plan_forbid(&s->plan);
	still_verify(&s->copier, s->mem);
	if (!err)
		err = picture_threads(s);
	if (!err)
		err = shot_read_after(s);
	if (!err)
		err = picture_memory(s);
	if (!err)
		err = add_maps_text(s);
	if (!err)
		err = publish(s);
	if (err)
		return err;
	*out = &take(s->picture)->target;
	s->arena = NULL;
	return NULL;
}

uint64_t
capture_pause_ns(const struct target *picture)
{
	const struct snap_attr *a = picture->attrs;

	for (size_t k = 0; k < picture->n_attrs; k++)
		if (a[k].type == SNAP_ATTR_U64
		    && strcmp(a[k].key, CAPTURE_PAUSE) == 0)
			return a[k].number;
	return 0;
}
