/* SPDX-License-Identifier: Apache-2.0 */
/*
 * machine.c: the register sets of the machine that this runs on.
 */
#include "capture/machine.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <string.h>

/* The legacy region of XSAVE's area is that of FXSAVE, except for its last
 * bytes, which are the system's (Intel SDM 1, 13.4.1 and 10.5.1). */
#define FXSAVE_OWN 464

/* XSAVE's area as far as the system uses it (Intel SDM 1, CPUID leaf 0DH). */
static uint32_t
xstate_size(void)
{
	unsigned a, b, c, d;

	return __get_cpuid_count(0xd, 0, &a, &b, &c, &d) && b > 512 ? b : 832;
}

size_t
machine_sets(struct machine_set out[MACHINE_SETS])
{
	out[0] = (struct machine_set){ NT_PRFPREG,
				       sizeof(struct user_fpregs_struct),
				       .begins_next = true };
	out[1] = (struct machine_set){ NT_X86_XSTATE, xstate_size(), false };
	return 2;
}

void
machine_set_begin(const struct machine_set *set, const uint8_t *next,
		  uint8_t *out)
{
	memcpy(out, next, FXSAVE_OWN);
	memset(out + FXSAVE_OWN, 0, set->size - FXSAVE_OWN);
}

#elif defined(__aarch64__)
/* Not in every elf.h: two words that tell signed addresses from plain ones. */
#define NOTE_ARM_PAC_MASK 0x406

/* The vector registers of SVE are in NT_PRFPREG as far as they are V0 to V31.
 * A second word in NT_ARM_TLS is TPIDR2_EL0's. */
size_t
machine_sets(struct machine_set out[MACHINE_SETS])
{
	out[0] = (struct machine_set){ NT_PRFPREG,
				       sizeof(struct user_fpsimd_struct),
				       false };
	out[1] = (struct machine_set){ NT_ARM_TLS, 2 * sizeof(uint64_t),
				       false };
	out[2] = (struct machine_set){ NOTE_ARM_PAC_MASK,
				       2 * sizeof(uint64_t), false };
	return 3;
}

void
machine_set_begin(const struct machine_set *set, const uint8_t *next,
		  uint8_t *out)
{
	/* There is none here. */
	(void)set;
	(void)next;
	(void)out;
}
#endif
