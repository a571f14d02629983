/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What capture has to know of the machine that it runs on, and of nobody
 * else's: which register sets the kernel has, and where a thread's stack is.
 */
#ifndef CAPTURE_MACHINE_H
#define CAPTURE_MACHINE_H

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/user.h>

#if defined(__x86_64__)
#define MACHINE_ELF EM_X86_64
/** The ABI lets a leaf use so much below its stack pointer. */
static const unsigned RED_ZONE = 128;
static inline uint64_t
machine_sp(const struct user_regs_struct *regs)
{
	return regs->rsp;
}
static inline uint64_t
machine_pc(const struct user_regs_struct *regs)
{
	return regs->rip;
}
#elif defined(__aarch64__)
#define MACHINE_ELF EM_AARCH64
static const unsigned RED_ZONE;
static inline uint64_t
machine_sp(const struct user_regs_struct *regs)
{
	return regs->sp;
}
static inline uint64_t
machine_pc(const struct user_regs_struct *regs)
{
	return regs->pc;
}
#else
#error "processes of this architecture cannot be captured: see machine.h"
#endif

#define MACHINE_SETS 4
/** A register set besides the general ones: NT_*, and its greatest size. */
struct machine_set {
	uint32_t kind, size;
	bool begins_next;       /* the next set begins with all of it */
};
/** How many of @out there are. */
size_t machine_sets(struct machine_set out[MACHINE_SETS]);
/** Takes a set that begins_next out of the first bytes of that one. */
void machine_set_begin(const struct machine_set *set, const uint8_t *next,
		       uint8_t *out);

#endif
