/* SPDX-License-Identifier: Apache-2.0 */
/* statics2: the second file of statics. */
#include "stop.h"

static double shared_name = 2.5;

static int
shared_function(int n)
{
	static char calls = 'c';

	shared_name += n;
	calls++;
	stop(3);
	return calls + (int)shared_name;
}

int
other_file(int n)
{
	return shared_function(n + 1);
}
