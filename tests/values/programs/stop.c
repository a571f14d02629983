/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "stop.h"

static int asked = 1;
static const void *volatile kept;

__attribute__((constructor)) static void
stop_read_arguments(int argc, char **argv)
{
	if (argc > 1)
		asked = atoi(argv[1]);
}

void
stop(int place)
{
	if (place == asked)
		__builtin_trap();
}

void
keep(const void *thing)
{
	kept = thing;
}

int
some(int number)
{
	keep(&number);
	return number;
}
