/* SPDX-License-Identifier: Apache-2.0 */
/*
 * victim.c: the data of victim.h, and the wait that makes a crash happen at
 * the same place of every thread each time.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "victim.h"

struct victim_node victim_list[3] = {
	{ 1, VICTIM_RED, "one", 1.5, &victim_list[1] },
	{ 2, VICTIM_GREEN, "two", -2.25, &victim_list[2] },
	{ 3, VICTIM_BLUE, "three", 1e300, NULL },
};
struct victim_packed victim_packed = { 5, 77, -1, { 3.25f } };
int victim_numbers[16] = {
	2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53
};
int victim_unset[16];
char victim_text[64] = "the quick brown fox\n\tjumps over \001 dogs";
const char *const victim_names[3] = { "zero", "one", "two" };
double victim_real = 3.25;
int (*victim_function)(int, int) = victim_add;
__thread int victim_tls = 100;
__thread char victim_tls_text[16] = "thread-local";

int
victim_add(int a, int b)
{
	return a + b;
}

static int
asleep(const char *tid)
{
	char path[64], line[512];
	const char *state = NULL;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/task/%s/stat", tid);
	f = fopen(path, "r");
	if (!f)
		return 0;
	if (fgets(line, sizeof(line), f))
		state = strrchr(line, ')');
	fclose(f);
	return state && state[1] == ' ' && state[2] == 'S';
}

static int
count_asleep(void)
{
	DIR *dir = opendir("/proc/self/task");
	struct dirent *entry;
	int n = 0;

	if (!dir)
		return 0;
	while ((entry = readdir(dir)))
		n += entry->d_name[0] != '.' && asleep(entry->d_name);
	closedir(dir);
	return n;
}

void
victim_wait_asleep(int n)
{
	const struct timespec tick = { 0, 5 * 1000 * 1000 };

	for (int i = 0; i < 4000 && count_asleep() < n; i++)
		nanosleep(&tick, NULL);
}
