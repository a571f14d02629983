/* SPDX-License-Identifier: Apache-2.0 */
/* overflow.c: recursion until the stack's guard, in few and large frames. */
#include <alloca.h>
#include <string.h>

#include "victim.h"

static int
descend(int depth, const char *from)
{
	char *room = alloca(20000);
	int below;

	if (depth < 0)
		return 0;
	strcpy(room, from);
	room[depth % 10] ^= 1;
	below = descend(depth + 1, room);
	return below + room[depth % 7];
}

int
main(void)
{
	return descend(0, "the bottom of the stack");
}
