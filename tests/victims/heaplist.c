/* SPDX-License-Identifier: Apache-2.0 */
/* heaplist.c: a list on the heap whose last link is not even an address. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "victim.h"

struct item {
	struct item *next;
	size_t size;
	char text[];
};

static struct item *head;

static void
push(const char *text)
{
	size_t size = strlen(text) + 1;
	struct item *item = malloc(sizeof(*item) + size);

	item->next = head;
	item->size = size;
	memcpy(item->text, text, size);
	head = item;
}

static size_t
total(const struct item *item)
{
	size_t sum = 0;

	for (; item; item = item->next)
		sum += item->size;
	return sum;
}

int
main(void)
{
	char text[32];

	push("the first");
	head->next = (struct item *)0x5a5a5a5a5a5a5a5a;
	for (int i = 0; i < 100; i++) {
		snprintf(text, sizeof(text), "item %d of the list", i);
		push(text);
	}
	return (int)total(head);
}
