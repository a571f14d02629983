/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rows of osdata tables for one inferior, out of captured texts; each
 * says so where its text was not captured.
 */
#ifndef GDBSTUB_TABLES_H
#define GDBSTUB_TABLES_H

#include "gdbstub/impl.h"

typedef void tables_fn(const struct inferior *f, struct buf *out);
tables_fn tables_cpus, tables_files, tables_modules, tables_msg,
	tables_procgroups, tables_semaphores, tables_shm, tables_sockets;

/** A thread's processor, and where in the kernel it was; false: nobody knows. */
bool tables_thread(const struct inferior *f, uint64_t tid, uint64_t *cpu,
		   struct span *wchan);

#endif
