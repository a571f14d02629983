/* SPDX-License-Identifier: Apache-2.0 */
/*
 * blocks MIB: that many MiB of blocks that nothing leads to, and among them a
 * few of each size that a global leads to: from block to block, by a pointer
 * in the last word of the one before, to the beginning of the next or into it.
 * Prints address and malloc_usable_size() of all, "held" or "lost". Then it
 * waits for input. With jemalloc: link with it.
 */
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { HELD = 3, LOST_MAX = 1 << 20 };
static const size_t sizes[] = {
	8, 24, 100, 320, 1000, 3000, 5000, 7000, 10000, 14000,
	20 << 10, 64 << 10, 200 << 10, 1 << 20,
};
enum { SIZES = sizeof(sizes) / sizeof(sizes[0]) };

uint64_t *held;
/* Not as pointers: nothing is to lead there. */
static uint64_t lost[LOST_MAX];
static size_t n_lost;

/* No word is an address, and each tells where it belongs. */
static void *
block(size_t bytes)
{
	uint64_t *words = malloc(bytes);
	size_t n = words ? malloc_usable_size(words) / 8 : 0;

	if (!words)
		exit(1);
	for (size_t k = 0; k < n; k++)
		words[k] = (uint64_t)(uintptr_t)(words + k) << 16 | 1;
	return words;
}

static void
lose(size_t bytes)
{
	if (n_lost < LOST_MAX)
		lost[n_lost++] = ~(uint64_t)(uintptr_t)block(bytes);
}

/* @where of 4: how far into the block the pointer to it points. */
static void
hold(uint64_t **last, size_t bytes, size_t where)
{
	uint64_t *words = block(bytes);
	size_t n = malloc_usable_size(words);

	printf("held %p %zu\n", (void *)words, n);
	**last = (uint64_t)(uintptr_t)((char *)words + n * where / 4);
	*last = words + n / 8 - 1;
	**last = 0;
}

__attribute__((noinline)) static void
make(size_t mib)
{
	uint64_t *last = (uint64_t *)&held;
	size_t each = (mib << 20) / SIZES / HELD, total;

	for (size_t k = 0; k < HELD * SIZES; k++) {
		size_t bytes = sizes[k % SIZES];
		size_t most = bytes < 1000 ? 1 << 15 : each;

		for (total = 0; total < most / 2; total += bytes)
			lose(bytes);
		hold(&last, bytes, k / SIZES);
		for (total = 0; total < most / 2; total += bytes)
			lose(bytes);
	}
	for (size_t k = 0; k < n_lost; k++) {
		void *at = (void *)(uintptr_t)~lost[k];
		printf("lost %p %zu\n", at, malloc_usable_size(at));
	}
}

int
main(int argc, char **argv)
{
	char byte;

	if (argc != 2)
		return 2;
	make((size_t)atoi(argv[1]));
	printf("ready\n");
	fflush(stdout);
	return read(STDIN_FILENO, &byte, 1) < 0;
}
