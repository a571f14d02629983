/* SPDX-License-Identifier: Apache-2.0 */
/*
 * victim.h: data of every shape that each victim carries, so that one script
 * of debugger commands fits all of them.
 */
#ifndef VICTIMS_VICTIM_H
#define VICTIMS_VICTIM_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum victim_colour { VICTIM_RED = 1, VICTIM_GREEN = 2, VICTIM_BLUE = 4 };

struct victim_node {
	int id;
	enum victim_colour colour;
	const char *name;
	double weight;
	struct victim_node *next;
};

struct victim_packed {
	unsigned low : 3;
	unsigned middle : 7;
	int sign : 2;
	union {
		float real;
		uint32_t bits;
	} number;
};

extern struct victim_node victim_list[3];
extern struct victim_packed victim_packed;
extern int victim_numbers[16];
extern int victim_unset[16];
extern char victim_text[64];
extern const char *const victim_names[3];
extern double victim_real;
extern int (*victim_function)(int, int);
extern __thread int victim_tls;
extern __thread char victim_tls_text[16];

int victim_add(int a, int b);

/** Wait until @n threads of this process sleep in the kernel, at most 20 s. */
void victim_wait_asleep(int n);

#ifdef __cplusplus
}
#endif
#endif
