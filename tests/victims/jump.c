/* SPDX-License-Identifier: Apache-2.0 */
/* jump.c: a call through a null function pointer. */
#include "victim.h"

static int
call(int (*function)(int, int), int a)
{
	int result = function(a, a + 1);

	return result + 1;
}

int
main(void)
{
	victim_function = 0;
	return call(victim_function, victim_numbers[4]);
}
