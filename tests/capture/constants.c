/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Has many constants that are addresses, one of which is a secret's
 * neighbour, and waits.
 */
#include <unistd.h>

static char target[1 << 16];

#define P1(n) target + (n)
#define P8(n) P1(n), P1((n) + 1), P1((n) + 2), P1((n) + 3), \
	      P1((n) + 4), P1((n) + 5), P1((n) + 6), P1((n) + 7)
#define P64(n) P8(n), P8((n) + 8), P8((n) + 16), P8((n) + 24), \
	       P8((n) + 32), P8((n) + 40), P8((n) + 48), P8((n) + 56)
#define P512(n) P64(n), P64((n) + 64), P64((n) + 128), P64((n) + 192), \
		P64((n) + 256), P64((n) + 320), P64((n) + 384), P64((n) + 448)
#define P4K(n) P512(n), P512((n) + 512), P512((n) + 1024), P512((n) + 1536), \
	       P512((n) + 2048), P512((n) + 2560), P512((n) + 3072), \
	       P512((n) + 3584)
#define P20K(n) P4K(n), P4K((n) + 4096), P4K((n) + 8192), P4K((n) + 12288), \
		P4K((n) + 16384)

struct constants {
	char *const first[20480];
	char *const pointer;
	const char secret[24];
	const unsigned long number;
	char *const last[20480];
};
extern const struct constants constants;
const struct constants constants = {
	{ P20K(0) }, target + 7, "KEY-constant-canary-77", 42,
	{ P20K(20480) },
};

int
main(void)
{
	while (constants.number)
		pause();
	return 0;
}
