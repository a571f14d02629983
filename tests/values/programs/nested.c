/* SPDX-License-Identifier: Apache-2.0 */
/* nested: gcc's functions in functions, alloca, variable arguments. */
#include <alloca.h>
#include <stdarg.h>
#include <string.h>

#include "stop.h"

static NOINLINE int
apply(int (*f)(int, void *), int n, void *more)
{
	int result = f(n, more);

	keep(&result);
	return result;
}

static NOINLINE int
outer(int n, const char *name)
{
	int captured = n * 3;
	struct {
		int a[3];
	} list = { { n, n + 1, n + 2 } };

	int inner(int m, void *more)
	{
		int mine = m + captured;

		list.a[1] = mine;
		stop(1);
		keep(more);
		return mine + n;
	}
	int result = apply(inner, 5, &list);

	keep(name);
	return result + list.a[1];
}

static NOINLINE int
room(int n)
{
	char *space = alloca((size_t)n);
	int *numbers = alloca(sizeof(int) * 4);

	memset(space, 's', (size_t)n);
	for (int i = 0; i < 4; i++)
		numbers[i] = i + n;
	space[n - 1] = 0;
	stop(2);
	keep(space);
	keep(numbers);
	return n;
}

static NOINLINE int
sum(int count, ...)
{
	va_list all;
	int total = 0;

	va_start(all, count);
	for (int i = 0; i < count; i++)
		total += va_arg(all, int);
	stop(3);
	va_end(all);
	return total;
}

int
main(void)
{
	return outer(some(2), "outer") + room(some(20)) +
		sum(some(3), 1, 2, 3) == some(-1);
}
