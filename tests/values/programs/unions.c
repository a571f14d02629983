/* SPDX-License-Identifier: Apache-2.0 */
/* unions: named, anonymous, nested, of arrays; packed and aligned structs. */
#include <stdint.h>

#include "stop.h"

union number {
	int i;
	float f;
	unsigned char bytes[8];
	struct {
		short low, high;
	} halves;
	void *pointer;
};

struct tagged {
	enum { AS_INT, AS_TEXT } tag;
	union {
		int i;
		char text[12];
	};
	union {
		double d;
		uint64_t u;
	} named;
};

struct __attribute__((packed)) tight {
	char c;
	int i;
	double d;
};

struct roomy {
	char c;
	_Alignas(32) int i;
};

struct empty {
};

struct holder {
	struct empty nothing;
	struct tight tight;
	struct roomy roomy;
	union number numbers[2];
};

static NOINLINE int
unions(union number n, struct tagged t, struct tagged *p, struct empty e)
{
	struct holder holder = { { }, { 'c', 1, 2.5 }, { 'r', 3 },
		{ { .f = 1.0f }, { .i = -1 } } };
	union number same = n;
	struct tagged array[3] = { t, *p, { .tag = AS_TEXT } };

	stop(1);
	keep(&holder);
	keep(&same);
	keep(array);
	keep(&e);
	return n.i + t.i;
}

int
main(void)
{
	union number n = { .f = 3.5f };
	struct tagged t = { AS_INT, { 42 }, { 1.5 } };
	struct tagged u = { AS_TEXT, { .text = "text" }, { 2.5 } };
	struct empty e;

	n.bytes[7] = 0x7f;
	return unions(n, t, &u, e) == some(1);
}
