/* SPDX-License-Identifier: Apache-2.0 */
/*
 * limits: how much a jailed child may use (rlimits).
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "jail/impl.h"

#define DEFAULT_MEMORY (UINT64_C(1) << 30)
#define DEFAULT_CPU 10
#define DEFAULT_WALL 60

struct jail_limits
limits_of(const struct jail_limits *l)
{
	struct jail_limits all = { 0 };

	if (l)
		all = *l;
	if (!all.memory)
		all.memory = DEFAULT_MEMORY;
	if (!all.cpu_seconds)
		all.cpu_seconds = DEFAULT_CPU;
	if (!all.wall_seconds)
		all.wall_seconds = DEFAULT_WALL;
	return all;
}

/* Address space in use, by /proc/self/statm (proc(5)); 0 if there is none. */
static uint64_t
mapped_bytes(void)
{
	char text[64];
	unsigned long pages;
	_close_ int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return 0;
	ssize_t n = read(fd, text, sizeof(text) - 1);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	if (sscanf(text, "%lu", &pages) != 1)
		return 0;
	return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static rlim_t
memory_limit(const struct jail_limits *l)
{
	uint64_t sum;

	if (JAIL_SANITIZED || !u64_add(l->memory, mapped_bytes(), &sum))
		return RLIM_INFINITY;
	return (rlim_t)sum;
}

/* The harder limit wins, so that no jail is wider than what is around it. */
static rlim_t
tighter(rlim_t a, rlim_t b)
{
	return a < b ? a : b;   /* RLIM_INFINITY is the largest value */
}

static struct err *
limit_set(int resource, rlim_t soft, rlim_t hard)
{
	struct rlimit now;

	if (getrlimit(resource, &now) < 0)
		return err_errno("cannot read resource limit %d", resource);
	now.rlim_cur = tighter(now.rlim_cur, soft);
	now.rlim_max = tighter(now.rlim_max, hard);
	if (setrlimit(resource, &now) < 0)
		return err_errno("cannot set resource limit %d", resource);
	return NULL;
}

struct err *
limits_set(const struct jail_limits *l)
{
	bool timed = l->cpu_seconds != JAIL_NO_LIMIT;
	rlim_t cpu = timed ? l->cpu_seconds : RLIM_INFINITY;
	rlim_t memory = memory_limit(l);
	/* A second after SIGXCPU, which a child could ignore, comes SIGKILL. */
	const struct {
		int resource;
		rlim_t soft, hard;
	} table[] = {
		{ RLIMIT_AS, memory, memory },
		{ RLIMIT_CPU, cpu, timed ? cpu + 1 : cpu },
		{ RLIMIT_FSIZE, l->file_size, l->file_size },
		{ RLIMIT_CORE, 0, 0 },
	};

	for (size_t i = 0; i < countof(table); i++) {
		struct err *err = limit_set(table[i].resource, table[i].soft,
					    table[i].hard);
		if (err)
			return err;
	}
	/* Too long a file is then an error of write(), which can be told,
	   and a message that a redirected stderr cannot take ends nobody. */
	signal(SIGXFSZ, SIG_IGN);
	signal(SIGXCPU, SIG_DFL);
	return NULL;
}
