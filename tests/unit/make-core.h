/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Builds small ELF cores byte by byte, for tests.
 */
#ifndef TESTS_UNIT_MAKE_CORE_H
#define TESTS_UNIT_MAKE_CORE_H

#include <elf.h>

#include "base/base.h"

#define MAKE_SEGMENTS_MAX 64
#define X86_REGS 17             /* frame registers of x86-64 */

struct make_segment {
	uint64_t addr, memsz;
	uint32_t flags;         /* PF_* */
	const void *bytes;      /* NULL = none in the file */
	size_t n;
};

struct make_core {
	struct buf notes;
	struct make_segment segments[MAKE_SEGMENTS_MAX];
	size_t n_segments;
	uint16_t machine, type;         /* 0 = EM_X86_64, ET_CORE */
	uint8_t class, data, osabi;     /* 0 = 64-bit, little-endian, none */
};

void make_note(struct make_core *m, const char *owner, uint32_t type,
	       const void *desc, size_t n);
/** NT_PRSTATUS: rip and rsp set, all other registers zero. */
void make_thread(struct make_core *m, uint32_t tid, uint16_t signal,
		 uint64_t rip, uint64_t rsp);
void make_siginfo(struct make_core *m, int32_t signo, int32_t code,
		  uint64_t addr);
void make_process(struct make_core *m, uint32_t pid, const char *name,
		  const char *args);
struct make_mapped {
	uint64_t start, end, page;      /* page = offset in the file / 4096 */
	const char *path;
};
/** NT_FILE with @n entries. */
void make_files(struct make_core *m, const struct make_mapped *f, size_t n);
void make_segment(struct make_core *m, uint64_t addr, uint64_t memsz,
		  uint32_t flags, const void *bytes, size_t n);
/** The whole file; frees what @m holds. */
void make_core(struct make_core *m, struct buf *out);

/**
 * A linked process (make-linked.c): /bin/linked with build-id aa…, opened
 * /lib/libx.so.1 = /usr/lib/libx.so.1.2 with build-id bb…. @last_next is what
 * the last link map's l_next says (0 = a sound chain).
 */
void make_linked_core(uint64_t last_next, struct buf *out);

#endif
