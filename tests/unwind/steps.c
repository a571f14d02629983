/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Functions of many shapes, which are gone through instruction by instruction:
 * leaves, frames that are made late or not at all, tail calls, a large frame,
 * one of variable size, recursion.
 */
#include <string.h>

struct big {
	int a[40];
};

static volatile int sink;

__attribute__((noinline)) static int
leaf(int a)
{
	return a * 3 + sink;
}

__attribute__((noinline)) static int
leaf_with_room(int a)
{
	volatile int b[4];

	b[a & 3] = a;
	if (a > 2)
		return b[1];
	sink = b[2];
	return b[3];
}

__attribute__((noinline)) static int
return_early(int a)
{
	if (a < 0)
		return 7;
	sink = leaf(a);
	return sink + leaf_with_room(a);
}

__attribute__((noinline)) static int
large_frame(const struct big *b)
{
	struct big c = *b;

	c.a[3] = return_early(c.a[1]);
	sink = c.a[2];
	return return_early(c.a[3]) + c.a[sink & 7];
}

__attribute__((noinline)) static int
variable_frame(int n)
{
	char *v = __builtin_alloca((size_t)n * 16);

	memset(v, n, (size_t)n * 16);
	return v[return_early(n) & 7] + leaf_with_room(n);
}

__attribute__((noinline)) static int
recursion(int n)
{
	return n ? recursion(n - 1) + leaf(n) : return_early(-1);
}

__attribute__((noinline)) static double
with_doubles(double x)
{
	return leaf((int)x) * x + return_early(3) * x;
}

__attribute__((noinline)) static int
tail_call(int n)
{
	sink++;
	return recursion(n);
}

static int (*volatile through)(int) = leaf;

__attribute__((noinline)) int
all_of_them(void)
{
	struct big b;

	memset(&b, 1, sizeof(b));
	return return_early(1) + large_frame(&b) + variable_frame(3)
	       + recursion(2) + (int)with_doubles(2.5) + tail_call(1)
	       + through(4);
}

int
main(void)
{
	return all_of_them() & 1;
}
