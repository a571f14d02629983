/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A signal, in whose handler a leaf reads through a bad pointer; and a second
 * signal for that, in whose handler the program calls through another.
 */
#include <signal.h>
#include <string.h>

static void (*volatile nowhere)(void) = (void (*)(void))0x20;

__attribute__((noinline)) static int
leaf(int *volatile *where)
{
	return **where;
}

static void
on_user(int number)
{
	int *volatile where = (int *)0x18;

	raise(leaf(&where) + number);
}

static void
on_fault(int number)
{
	signal(number, SIG_DFL);
	nowhere();
}

int
main(void)
{
	signal(SIGUSR1, on_user);
	signal(SIGSEGV, on_fault);
	return raise(SIGUSR1);
}
