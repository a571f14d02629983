/* SPDX-License-Identifier: Apache-2.0 */
/* pointers: to functions, in cycles, NULL, void, into nothing, restrict. */
#include <stddef.h>
#include <stdlib.h>

#include "stop.h"

struct node {
	struct node *next, *self;
	int value;
	int (*act)(int);
	void *any;
	const char *name;
};

struct opaque;
typedef int (*action)(int);
typedef void (*handler)(int, void *);

int table[4] = { 1, 2, 3, 4 };
static struct node last = { .value = 9, .name = "last" };

int
twice(int n)
{
	return 2 * n;
}

static void
handle(int n, void *what)
{
	keep(what);
	some(n);
}

static NOINLINE int
pointers(struct node *cycle, action act, handler h, void *any, int **pp,
	 int *restrict quiet, struct opaque *opaque)
{
	int *null = NULL, *global = &table[2], *past = table + 4;
	int (*acts[2])(int) = { twice, NULL };
	action *to_act = &acts[0];
	void *wild = (void *)0x1234, *minus = (void *)-1L;
	struct node *in_data = &last, copy = *cycle;
	const char *text = "a text", *none = NULL, *bad = (const char *)0x10;
	char *const fixed = NULL;
	const volatile int *cv = global;
	int (*array)[4] = &table;
	void (*in_library)(void *) = free;
	char letter = 'x', *to_letter = &letter;
	unsigned char raw[] = "raw";
	unsigned char *to_raw = raw;
	signed char *to_signed = (signed char *)raw;

	stop(1);
	keep(&null);
	keep(&global);
	keep(&past);
	keep(acts);
	keep(&to_act);
	keep(&wild);
	keep(&minus);
	keep(&in_data);
	keep(&copy);
	keep(&text);
	keep(&none);
	keep(&bad);
	keep(&fixed);
	keep(&cv);
	keep(&array);
	keep(&in_library);
	keep(&to_letter);
	keep(&to_raw);
	keep(&to_signed);
	keep(opaque);
	h(act(1), any);
	return **pp + *quiet;
}

int
main(void)
{
	struct node a = { NULL, NULL, 1, twice, &table, "a" }, b = a;
	int n = some(5), *p = &n;

	a.next = &b;
	b.next = &a;
	a.self = &a;
	return pointers(&a, twice, handle, &b, &p, p, (struct opaque *)&n) ==
		some(1);
}
