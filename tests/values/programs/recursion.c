/* SPDX-License-Identifier: Apache-2.0 */
/* recursion: 40 frames deep, mutual, over a tree, and tail calls. */
#include <stdlib.h>

#include "stop.h"

struct tree {
	struct tree *left, *right;
	int key;
	char name[4];
};

static NOINLINE struct tree *
grow(int depth, int key)
{
	struct tree *t = calloc(1, sizeof(*t));

	t->key = key;
	t->name[0] = (char)('a' + depth % 26);
	if (depth > 0) {
		t->left = grow(depth - 1, key * 2);
		t->right = grow(depth / 2, key * 2 + 1);
	}
	return t;
}

static NOINLINE int
walk(const struct tree *t, int depth, int *visited)
{
	int below = 0;
	struct tree here;

	if (!t)
		return 0;
	here = *t;
	++*visited;
	if (depth == 40)
		stop(1);
	below += walk(t->left, depth + 1, visited);
	below += walk(t->right, depth + 1, visited);
	keep(&here);
	return below + 1;
}

static NOINLINE int odd(unsigned n, int path);

static NOINLINE int
even(unsigned n, int path)
{
	if (n == 0)
		stop(2);
	return n == 0 ? path : odd(n - 1, path * 2) + some(1);
}

static NOINLINE int
odd(unsigned n, int path)
{
	return n == 0 ? path : even(n - 1, path * 2 + 1) + some(1);
}

static NOINLINE int
end(int n, int m)
{
	int both = n + m;

	stop(3);
	return some(both);
}

/* Ends by jumping: gdb shows frames that are no longer there. */
static NOINLINE int
middle(int n)
{
	some(n);
	return end(n + 1, 2);
}

static NOINLINE int
begin(int n)
{
	int here = some(n);

	return middle(here) + here;
}

int
main(void)
{
	struct tree *t = grow(some(41), 1);
	int visited = 0;
	int sum = walk(t, 0, &visited);

	return sum + even((unsigned)some(12), 1) + begin(some(5)) == some(-1);
}
