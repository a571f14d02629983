/* SPDX-License-Identifier: Apache-2.0 */
/*
 * optimized: what optimizers leave of variables - nothing, constants, parts of
 * structs in registers, values that only the caller knows, pointers to what is
 * not in memory.
 */
#include <string.h>

#include "stop.h"

struct pair {
	long a, b;
};

struct triple {
	int x, y, z;
	char tag;
};

/* Its arguments are gone when it stops: only the call site knows them. */
static NOINLINE int
entries(int known, int unknown, struct pair p, const char *text)
{
	int result = some(known) + some(unknown);

	stop(1);
	return result + (int)(p.a + text[0] - text[0]);
}

static NOINLINE long
pieces(int n)
{
	struct pair p = { some(n), some(n + 1) };
	struct triple t = { some(1), 2, some(3), 't' };
	struct triple half;

	half.x = some(4);
	half.z = 6;
	stop(2);
	p.a += t.x;
	return p.a + p.b + t.z + half.x + half.z;
}

static INLINE long
through(const struct pair *p, const int *number)
{
	stop(3);
	return p->a + *number;
}

static NOINLINE long
implicit(int n)
{
	struct pair p = { n, n + 1 };
	int number = n * 7;

	return through(&p, &number) + some(n);
}

static NOINLINE int
unused(int a, int b, int c)
{
	int dead = a * b, constant = 42, folded = constant * 2;
	const char *literal = "literal";
	int loop = 0;

	for (int i = 0; i < 4; i++)
		loop += c;
	stop(4);
	return some(a) + loop;
}

/* The compiler makes a copy of this for the one number it is called with. */
static NOINLINE int
cloned(int always, int n)
{
	int scaled = n * always;

	stop(5);
	return some(scaled) + n;
}

static NOINLINE int
split(struct triple t, int rare)
{
	int sum = t.x + t.y;

	if (__builtin_expect(rare != 0, 0)) {
		int cold = some(rare) + t.z;

		stop(6);
		return cold + sum;
	}
	return sum;
}

static NOINLINE long
saved(long a, long b, long c, long d, long e, long f, long g, long h)
{
	long i = a * b, j = c * d, k = e * f, l = g * h, m = a ^ h, n = b ^ g;

	stop(7);
	return i + j + k + l + m + n + some(1);
}

int
main(void)
{
	struct pair p = { some(1), 2 };
	struct triple t = { 1, some(2), 3, 't' };
	int n = some(11);
	long sum = entries(5, n, p, "entry");

	sum += pieces(n);
	sum += implicit(n);
	sum += unused(n, 2, some(3));
	sum += cloned(8, n) + cloned(8, some(2));
	sum += split(t, some(9));
	sum += saved(n, 2, 3, 4, 5, 6, 7, some(8));
	return sum == 5;
}
