/* SPDX-License-Identifier: Apache-2.0 */
/*
 * registers.c: every register that has a name holds a known value when an
 * illegal instruction ends the program.
 */
#include <stdint.h>
#include <stdlib.h>

#include "victim.h"

static const double real[2] = { 3.25, -1e10 };
static uint8_t pattern[32][64];

static void
fill_pattern(void)
{
	for (size_t i = 0; i < sizeof(pattern); i++)
		pattern[i / 64][i % 64] = (uint8_t)(i / 64 * 7 + i % 64);
}

__attribute__((noinline)) static void
die_plain(void)
{
	__asm__ volatile("fldl (%1)\n\t"
			 "fldl 8(%1)\n\t"
			 "movdqu (%0), %%xmm0\n\t"
			 "movdqu 64(%0), %%xmm7\n\t"
			 "movdqu 128(%0), %%xmm15\n\t"
			 "mov $0x1111111111111111, %%rbx\n\t"
			 "mov $0x2222222222222222, %%r12\n\t"
			 "mov $0x3333333333333333, %%r15\n\t"
			 "ud2"
			 : : "r"(pattern), "r"(real) : "rbx", "r12", "r15");
}

__attribute__((noinline, target("avx2"))) static void
die_avx(void)
{
	__asm__ volatile("fldl (%1)\n\t"
			 "vmovdqu (%0), %%ymm0\n\t"
			 "vmovdqu 64(%0), %%ymm7\n\t"
			 "vmovdqu 128(%0), %%ymm15\n\t"
			 "mov $0x1111111111111111, %%rbx\n\t"
			 "mov $0x3333333333333333, %%r15\n\t"
			 "ud2"
			 : : "r"(pattern), "r"(real) : "rbx", "r15");
}

__attribute__((noinline, target("avx512f,avx512bw"))) static void
die_avx512(void)
{
	__asm__ volatile("fldl (%1)\n\t"
			 "vmovdqu64 (%0), %%zmm0\n\t"
			 "vmovdqu64 64(%0), %%zmm1\n\t"
			 "vmovdqu64 448(%0), %%zmm7\n\t"
			 "vmovdqu64 960(%0), %%zmm15\n\t"
			 "vmovdqu64 1024(%0), %%zmm16\n\t"
			 "vmovdqu64 1984(%0), %%zmm31\n\t"
			 "mov $0x123456789abcdef0, %%rbx\n\t"
			 "kmovq %%rbx, %%k1\n\t"
			 "kmovq %%rbx, %%k7\n\t"
			 "mov $0x3333333333333333, %%r15\n\t"
			 "ud2"
			 : : "r"(pattern), "r"(real) : "rbx", "r15");
}

int
main(void)
{
	fill_pattern();
	if (__builtin_cpu_supports("avx512bw"))
		die_avx512();
	if (__builtin_cpu_supports("avx2"))
		die_avx();
	die_plain();
	return 0;
}
