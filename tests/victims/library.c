/* SPDX-License-Identifier: Apache-2.0 */
/* library.c: the linked library of threads.c, with a variable per thread. */
#include "library.h"

__thread int library_tls = 1;
int library_calls;

void
library_set(int number)
{
	library_tls = number;
}

int
library_call(plugin_call_fn *call, dereference_fn *fn, void *where)
{
	int result;

	library_calls++;
	result = call(fn, where, 0);
	library_calls--;
	return result;
}
