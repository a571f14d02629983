/* SPDX-License-Identifier: Apache-2.0 */
/* enums: plain, negative, with gaps, as flags, of values nobody named. */
#include "stop.h"

enum color { RED, GREEN, BLUE };
enum signs { BELOW = -5, ZERO = 0, ABOVE = 5 };
enum flags { A = 1, B = 2, C = 4, D = 8, HIGH = 0x80 };
enum mixed { NONE = 0, ONE = 1, THREE = 3, FOUR = 4 };
enum wide { SMALL = 1, LARGE = 0x7fffffffffffffffL };
enum twice { FIRST = 1, AGAIN = 1, SECOND = 2 };
enum __attribute__((packed)) tiny { TINY_A, TINY_B = 200 };
typedef enum { ANONYMOUS_X, ANONYMOUS_Y } anonymous;

struct has {
	enum color color;
	enum flags flags[4];
	enum tiny tiny;
	anonymous a;
};

static NOINLINE int
enums(enum color c, enum signs s, enum flags f, enum mixed m, enum wide w,
      enum twice t)
{
	enum color odd = (enum color)some(17);
	enum flags both = (enum flags)(A | C), none = (enum flags)some(0);
	enum flags unknown = (enum flags)(A | some(0x40));
	enum flags only_unknown = (enum flags)some(0x40);
	enum mixed sum = (enum mixed)some(5), more = (enum mixed)some(7);
	enum signs minus = (enum signs)some(-5), between = (enum signs)some(3);
	enum tiny tiny = TINY_B;
	anonymous y = ANONYMOUS_Y;
	struct has has = { BLUE, { A, B, (enum flags)(A | B), HIGH }, TINY_A,
		ANONYMOUS_X };

	stop(1);
	keep(&odd);
	keep(&both);
	keep(&none);
	keep(&unknown);
	keep(&only_unknown);
	keep(&sum);
	keep(&more);
	keep(&minus);
	keep(&between);
	keep(&tiny);
	keep(&y);
	keep(&has);
	return c + s + f + m + (int)w + t;
}

int
main(void)
{
	return enums(GREEN, BELOW, (enum flags)(B | D), THREE, LARGE, AGAIN);
}
