/* SPDX-License-Identifier: Apache-2.0 */
/* wide: values with many children, and one with a thousand million; dies. */
#include <stdlib.h>

struct point {
	int x, y;
	const char *name;
};

static char start[1 << 16];
static struct point points[1000];
static struct point *chain[1000];

static int
stop(char (*big)[1000000000], struct point *point)
{
	(*big)[5] = 'x';
	if (point->x >= 0)
		abort();
	return point->y;
}

int
main(void)
{
	for (int k = 0; k < 1000; k++) {
		points[k] = (struct point){ k, -k, "a point" };
		chain[k] = &points[999 - k];
	}
	return stop((char (*)[1000000000])(void *)start, chain[0]);
}
