/* SPDX-License-Identifier: Apache-2.0 */
/* shadowed: blocks in blocks, whose variables have the names of outer ones. */
#include "stop.h"

int n = 1000;

static NOINLINE int
blocks(int n, int m)
{
	int sum = n + m;
	{
		int n = 20;
		double m = 0.5;
		{
			const char *n = "inner";

			stop(1);
			keep(n);
			for (int m = some(0); m < 3; m++) {
				int n = m * 10;

				if (m == 2)
					stop(2);
				sum += n;
			}
		}
		{
			int unreached = some(3);
			sum += unreached;
		}
		keep(&m);
		sum += n;
	}
	if (some(1)) {
		int late = some(4), sum = late;

		stop(3);
		keep(&sum);
	}
	switch (some(2)) {
		int skipped;
	case 2:
		skipped = some(6);
		stop(4);
		sum += skipped;
	}
	return sum;
}

/* Two blocks of one function that have the same variable in turn. */
static NOINLINE int
in_turn(int n)
{
	int sum = 0;

	for (int i = 0; i < n; i++) {
		int each = i * i;
		sum += each;
	}
	for (int i = n; i > 0; i--) {
		int each = -i;
		if (i == 2)
			stop(5);
		sum += each;
	}
	return some(sum);
}

int
main(void)
{
	return blocks(some(1), some(2)) + in_turn(some(4));
}
