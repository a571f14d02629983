/* SPDX-License-Identifier: Apache-2.0 */
/*
 * system.c: the machine around a process.
 */
#include "capture/around.h"

#include <fcntl.h>
#include <string.h>

#define CPU_LINES 65u           /* of /proc/stat: the sum, and one each */

/* ---- cutting ----------------------------------------------------------- */
/* All lines but those of interrupts, and of very many processors. */
static void
cut_stat(struct span text, struct buf *out)
{
	struct span line;
	size_t cpus = 0;

	while (text_line(&text, &line)) {
		bool is_cpu = line.n > 3 && memcmp(line.data, "cpu", 3) == 0;

		cpus += is_cpu;
		if (line.n >= 4 && memcmp(line.data, "intr", 4) == 0)
			continue;
		if (line.n >= 7 && memcmp(line.data, "softirq", 7) == 0)
			continue;
		if (is_cpu && cpus > CPU_LINES)
			continue;
		buf_put(out, line.data, line.n);
		buf_putc(out, '\n');
	}
}

/* One processor stands for all. */
static void
cut_cpuinfo(struct span text, struct buf *out)
{
	struct span line;

	while (text_line(&text, &line) && line.n) {
		buf_put(out, line.data, line.n);
		buf_putc(out, '\n');
	}
}

/* ---- reading ----------------------------------------------------------- */
static const struct row {
	const char *name, *file;        /* below /proc */
	size_t max;
	void (*cut)(struct span text, struct buf *out);
	bool of_ipc;                    /* only of our own name space of IPC,
					   which need not be the process's */
} rows[] = {
	{ "system/meminfo", "meminfo", 16u << 10, NULL, false },
	{ "system/loadavg", "loadavg", 256, NULL, false },
	{ "system/uptime", "uptime", 256, NULL, false },
	{ "system/version", "version", 4u << 10, NULL, false },
	{ "system/stat", "stat", 256u << 10, cut_stat, false },
	{ "system/cpuinfo", "cpuinfo", 4u << 10, cut_cpuinfo, false },
	{ "system/hostname", "sys/kernel/hostname", 256, NULL, false },
	{ "system/ostype", "sys/kernel/ostype", 256, NULL, false },
	{ "system/osrelease", "sys/kernel/osrelease", 256, NULL, false },
	{ "system/core_pattern", "sys/kernel/core_pattern", 512, NULL, false },
	{ "system/overcommit_memory", "sys/vm/overcommit_memory", 64, NULL,
	  false },
	{ "system/pressure/cpu", "pressure/cpu", 1u << 10, NULL, false },
	{ "system/pressure/io", "pressure/io", 1u << 10, NULL, false },
	{ "system/pressure/memory", "pressure/memory", 1u << 10, NULL, false },
	{ "system/modules", "modules", 64u << 10, NULL, false },
	{ "system/sysvipc/shm", "sysvipc/shm", 64u << 10, NULL, true },
	{ "system/sysvipc/sem", "sysvipc/sem", 64u << 10, NULL, true },
	{ "system/sysvipc/msg", "sysvipc/msg", 64u << 10, NULL, true },
};

static struct err *
read_row(struct shot *s, const struct proc *machine, const struct row *row)
{
	_buf_ struct buf all = { 0 }, cut = { 0 };

	if (row->of_ipc && !proc_same_file(&s->proc, "ns/ipc",
					   "/proc/self/ns/ipc"))
		return NULL;
	_err_ struct err *none = proc_read(machine, row->file, row->max, &all);
	if (none || !all.len)
		return NULL;
	if (!row->cut)
		return around_text(s, row->name, all.data, all.len);
	row->cut((struct span){ all.data, all.len }, &cut);
	struct err *err = buf_err(&cut);
	return err ? err : around_text(s, row->name, cut.data, cut.len);
}

static struct err *
read_distribution(struct shot *s)
{
	_buf_ struct buf text = { 0 };

	_err_ struct err *none = io_read_file("/etc/os-release", 16u << 10,
					      &text);
	return none || !text.len ? NULL
	       : around_text(s, "system/os-release", text.data, text.len);
}

struct err *
around_system(struct shot *s)
{
	struct proc machine = {
		.dir = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC),
	};
	struct err *err = NULL;

	for (size_t k = 0; k < countof(rows) && !err && machine.dir >= 0; k++)
		err = read_row(s, &machine, &rows[k]);
	proc_fini(&machine);
	return err ? err : read_distribution(s);
}
