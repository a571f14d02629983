/* SPDX-License-Identifier: Apache-2.0 */
/* inlined: a deep chain of inlined calls with arguments and locals. */
#include "stop.h"

struct pair {
	int a, b;
};

static INLINE int
fifth(int e, const struct pair *pair)
{
	int in_fifth = e * 5 + pair->b;

	stop(1);
	return in_fifth + some(e);
}

static INLINE int
fourth(int d, struct pair by_value)
{
	struct pair local = { by_value.b, by_value.a };
	int result = fifth(d + 1, &local);

	return result + local.a;
}

static INLINE int
third(int c, int unused)
{
	struct pair made = { c, c + 1 };
	const int constant = 12;

	return fourth(c + constant, made);
}

static inline int
second(int b, const char *word)
{
	int twice = b * 2;

	keep(word);
	return third(twice, b) + twice;
}

static inline int
first(int a)
{
	return second(a + 1, "word") + some(a);
}

/* Called twice, so that there are two copies of it. */
static INLINE int
leaf(int n, int place)
{
	int square = n * n;

	stop(place);
	return square;
}

static NOINLINE int
copies(int n)
{
	int one = leaf(n, 2);
	int two = leaf(one, 3);

	return one + two;
}

static INLINE int
descend(int n, int depth)
{
	int here = n + depth;

	if (depth == 0) {
		stop(4);
		return here;
	}
	return here * some(depth);
}

static NOINLINE int
loops(int n)
{
	int sum = 0;

	for (int i = 0; i < n; i++)
		sum += descend(i, n - i - 1);
	return sum;
}

int
main(void)
{
	int n = some(3);

	return first(n) + copies(n) + loops(n);
}
