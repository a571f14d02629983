/* SPDX-License-Identifier: Apache-2.0 */
/*
 * facts.c: attributes of a process and its machine, out of the texts.
 *
 * The names are those that error reports of other tools have, so that one
 * query fits all; sizes are bytes, ages seconds.
 */
#include "capture/around.h"

#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

/* ---- one line each ----------------------------------------------------- */
enum { KIB = 1024 };

static const struct number {
	const char *key, *text, *field;
	unsigned unit;                  /* of the text, in the attribute's */
} numbers[] = {
	{ "vm.rss.size", "status", "VmRSS", KIB },
	{ "vm.rss.peak", "status", "VmHWM", KIB },
	{ "vm.vma.size", "status", "VmSize", KIB },
	{ "vm.vma.peak", "status", "VmPeak", KIB },
	{ "vm.data.size", "status", "VmData", KIB },
	{ "vm.stack.size", "status", "VmStk", KIB },
	{ "vm.locked.size", "status", "VmLck", KIB },
	{ "vm.pte.size", "status", "VmPTE", KIB },
	{ "vm.swap.size", "status", "VmSwap", KIB },
	{ "sched.cs.voluntary", "status", "voluntary_ctxt_switches", 1 },
	{ "sched.cs.involuntary", "status", "nonvoluntary_ctxt_switches", 1 },
	{ "cpu.frequency", "system/cpuinfo", "cpu MHz", 1 },
	{ "system.memory.total", "system/meminfo", "MemTotal", KIB },
	{ "system.memory.free", "system/meminfo", "MemFree", KIB },
	{ "system.memory.available", "system/meminfo", "MemAvailable", KIB },
	{ "system.memory.buffers", "system/meminfo", "Buffers", KIB },
	{ "system.memory.cached", "system/meminfo", "Cached", KIB },
	{ "system.memory.active", "system/meminfo", "Active", KIB },
	{ "system.memory.inactive", "system/meminfo", "Inactive", KIB },
	{ "system.memory.dirty", "system/meminfo", "Dirty", KIB },
	{ "system.memory.writeback", "system/meminfo", "Writeback", KIB },
	{ "system.memory.slab", "system/meminfo", "Slab", KIB },
	{ "system.memory.swap.cached", "system/meminfo", "SwapCached", KIB },
	{ "system.memory.swap.total", "system/meminfo", "SwapTotal", KIB },
	{ "system.memory.swap.free", "system/meminfo", "SwapFree", KIB },
	{ "system.memory.vmalloc.total", "system/meminfo", "VmallocTotal",
	  KIB },
	{ "system.memory.vmalloc.used", "system/meminfo", "VmallocUsed", KIB },
	{ "system.memory.vmalloc.chunk", "system/meminfo", "VmallocChunk",
	  KIB },
};

/* @field NULL: the first line of the text. */
static const struct word {
	const char *key, *text, *field;
} words[] = {
	{ "hostname", "system/hostname", NULL },
	{ "uname.sysname", "system/ostype", NULL },
	{ "uname.release", "system/osrelease", NULL },
	{ "uname.version", "system/osrelease", NULL },
	{ "cpu.brand", "system/cpuinfo", "model name" },
};

/* ---- adding ------------------------------------------------------------ */
static struct err *
add(struct shot *s, const struct snap_attr *a)
{
	struct snap_attr *slot = vec_add(&s->attrs, s->arena, sizeof(*slot));

	if (!slot)
		return err_nomem();
	*slot = *a;
	return NULL;
}

static struct err *
add_number(struct shot *s, const char *key, uint64_t number)
{
	return add(s, &(struct snap_attr){ .key = key, .type = SNAP_ATTR_U64,
					   .number = number });
}

static struct err *
add_string(struct shot *s, const char *key, const char *string, size_t n)
{
	struct snap_attr a = { .key = key, .type = SNAP_ATTR_STRING };

	if (!n)
		return NULL;
	a.string = arena_strndup(s->arena, string, n);
	return a.string ? add(s, &a) : err_nomem();
}

/* ---- tables ------------------------------------------------------------ */
static struct err *
add_numbers(struct shot *s)
{
	struct err *err = NULL;
	uint64_t v;

	for (size_t k = 0; k < countof(numbers) && !err; k++) {
		const struct number *n = &numbers[k];

		if (text_status_number(around_find(s, n->text), n->field, 10,
				       &v)
		    && !__builtin_mul_overflow(v, (uint64_t)n->unit, &v))
			err = add_number(s, n->key, v);
	}
	return err;
}

static struct err *
add_words(struct shot *s)
{
	struct err *err = NULL;

	for (size_t k = 0; k < countof(words) && !err; k++) {
		struct span text = around_find(s, words[k].text), value;
		bool there = words[k].field
			     ? text_status(text, words[k].field, &value)
			     : text_line(&text, &value);
		if (there)
			err = add_string(s, words[k].key, value.data, value.n);
	}
	return err;
}

/* ---- what takes a sum -------------------------------------------------- */
static struct err *
add_shared(struct shot *s)
{
	struct span status = around_find(s, "status");
	uint64_t file, shmem;

	if (!text_status_number(status, "RssFile", 10, &file)
	    || !text_status_number(status, "RssShmem", 10, &shmem))
		return NULL;
	return add_number(s, "vm.shared.size", (file + shmem) * KIB);
}

/* The start is told in ticks since the machine began. */
static struct err *
add_times(struct shot *s)
{
	const long ticks = sysconf(_SC_CLK_TCK);
	struct timespec now = { 0, 0 };
	struct err *err = NULL;
	uint64_t boot;

	if (ticks <= 0 || clock_gettime(CLOCK_BOOTTIME, &now) < 0)
		return NULL;
	uint64_t began = s->before.start_time / (uint64_t)ticks;
	if (began <= (uint64_t)now.tv_sec)
		err = add_number(s, "process.age",
				 (uint64_t)now.tv_sec - began);
	if (err || !text_number_after(around_find(s, "system/stat"), "btime",
				      &boot))
		return err;
	err = add_number(s, "cpu.boottime", boot);
	return err ? err : add_number(s, "process.start", boot + began);
}

static struct err *
add_machine(struct shot *s)
{
	struct utsname u;
	const long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	struct err *err = NULL;

	if (uname(&u) == 0) {
		err = add_string(s, "uname.machine", u.machine,
				 strlen(u.machine));
		if (!err)
			err = add_string(s, "cpu.arch", u.machine,
					 strlen(u.machine));
	}
	if (!err && cpus > 0)
		err = add_number(s, "cpu.count", (uint64_t)cpus);
	return err;
}

static struct err *
add_process(struct shot *s)
{
	const char *cwd = s->picture->target.process.cwd;
	struct err *err = NULL;
	struct span cgroup;

	if (cwd)
		err = add_string(s, "process.cwd", cwd, strlen(cwd));
	if (!err && around_frozen(s, &cgroup))
		err = add_string(s, "process.frozen", cgroup.data, cgroup.n);
	if (!err && s->descriptors)
		err = add_number(s, "descriptor.count", s->descriptors);
	return err;
}

struct err *
around_facts(struct shot *s)
{
	static struct err *(*const parts[])(struct shot *) = {
		add_numbers, add_words, add_shared, add_times, add_machine,
		add_process,
	};
	struct err *err = NULL;

	for (size_t k = 0; k < countof(parts) && !err; k++)
		err = parts[k](s);
	return err;
}
