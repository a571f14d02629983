/* SPDX-License-Identifier: Apache-2.0 */
/* arrays: many dimensions, variable, flexible, empty, of structs, long. */
#include <stdlib.h>
#include <string.h>

#include "stop.h"

struct point {
	int x, y;
};

struct flexible {
	int count;
	struct point points[];
};

struct zero {
	int count;
	int none[0];
};

struct nested {
	int grid[2][3];
	struct point rows[2][2];
	char names[3][5];
};

static NOINLINE int
fixed(int first[4], int (*rows)[3], struct nested n)
{
	int cube[2][3][4];
	int same[50] = { 0 };
	int runs[] = { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 3, 3, 3, 3, 3,
		3, 3, 3, 3, 3, 3, 3, 4 };
	int many[300];
	struct point points[12] = { { 1, 2 } };
	struct point alike[15];
	double ds[3] = { 0.5, 1.5, 2.5 };
	const char *texts[] = { "one", NULL, "three" };
	int (*pointers[2])[3] = { rows, NULL };

	for (int i = 0; i < 24; i++)
		cube[i / 12][i / 4 % 3][i % 4] = i;
	for (int i = 0; i < 300; i++)
		many[i] = i * i;
	for (int i = 0; i < 15; i++)
		alike[i] = (struct point){ 7, 8 };
	stop(1);
	keep(cube);
	keep(same);
	keep(runs);
	keep(many);
	keep(points);
	keep(alike);
	keep(ds);
	keep(texts);
	keep(pointers);
	return first[0] + rows[0][0] + n.grid[0][0];
}

static NOINLINE int
variable(int n, int m, int given[n], int square[n][m])
{
	int vla[n];
	char text[n + 1];
	struct point grid[m][n];

	for (int i = 0; i < n; i++)
		vla[i] = i + given[i];
	memset(text, 'v', n);
	text[n] = 0;
	for (int i = 0; i < n * m; i++)
		grid[i / n][i % n] = (struct point){ i, -i };
	stop(2);
	keep(vla);
	keep(text);
	keep(grid);
	return square[0][0];
}

static NOINLINE int
odd(struct flexible *f, struct zero z)
{
	struct flexible *same = f;
	int none[0];
	struct point one[1] = { f->points[0] };

	stop(3);
	keep(&same);
	keep(none);
	keep(one);
	keep(&z);
	return f->count;
}

int
main(void)
{
	int rows[2][3] = { { 1, 2, 3 }, { 4, 5, 6 } };
	struct nested n = { { { 1, 2, 3 }, { 4, 5, 6 } },
		{ { { 1, 2 }, { 3, 4 } }, { { 5, 6 }, { 7, 8 } } },
		{ "one", "two", "three" } };
	struct flexible *f = malloc(sizeof(*f) + 2 * sizeof(f->points[0]));
	struct zero z = { 3 };

	f->count = 2;
	f->points[0] = (struct point){ 1, 2 };
	f->points[1] = (struct point){ 3, 4 };
	fixed(rows[0], rows, n);
	variable(some(3), some(2), rows[0], (int (*)[2])rows);
	odd(f, z);
	free(f);
	return some(0);
}
