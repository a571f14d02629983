/* SPDX-License-Identifier: Apache-2.0 */
/* bitfields: signed, unsigned, bool, enum, over edges, of zero width. */
#include <stdbool.h>
#include <stdint.h>

#include "stop.h"

enum shade { LIGHT, DARK = 5, DARKEST = 7 };

struct bits {
	int s3 : 3;
	unsigned u5 : 5;
	bool b1 : 1;
	enum shade shade : 4;
	unsigned : 0;
	uint64_t u40 : 40;
	int64_t s20 : 20;
	unsigned char c7 : 7;
	signed char sc1 : 1;
	unsigned : 3;
	unsigned last : 31;
};

struct __attribute__((packed)) packed {
	unsigned a : 3;
	unsigned b : 30;
	uint64_t c : 63;
	char d;
	int e;
};

struct outer {
	int before;
	struct {
		unsigned x : 4, y : 4;
	};
	struct bits in[2];
	union {
		unsigned whole;
		struct {
			unsigned low : 16, high : 16;
		};
	};
};

static NOINLINE int
bitfields(struct bits bits, struct packed packed, struct outer *outer)
{
	struct outer copy = *outer;
	struct bits none = { 0 };

	stop(1);
	keep(&copy);
	keep(&none);
	return bits.s3 + packed.e + outer->before;
}

int
main(void)
{
	struct bits bits = { -4, 31, true, DARK, 0xffffffffff, -524288, 127,
		-1, 0x7fffffff };
	struct packed packed = { 5, 0x3fffffff, 0x7fffffffffffffff, 'd', -2 };
	struct outer outer = { 1, { 10, 11 }, { bits, bits }, { 0xdeadbeef } };

	return bitfields(bits, packed, &outer) == some(1);
}
