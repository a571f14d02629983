/* SPDX-License-Identifier: Apache-2.0 */
/*
 * random.c: how long it takes to read 4 KiB at a random address of a stored
 * snapshot, in this process.
 *
 *   random STORE OBJECT [READS]
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "snapfmt/snapfmt.h"
#include "store/store.h"

#define READ 4096u
#define READS 20000u

struct place {
	const struct snap_memory *range;
	uint64_t pages;         /* of this one and those before */
};
struct reading {
	struct snap *snap;
	struct place *places;
	size_t n;
	uint64_t pages;
};

static void
die(struct err *err)
{
	if (!err)
		return;
	fprintf(stderr, "random: %s\n", err_text(err));
	exit(err_exit_status(err));
}

/* Ranges with bytes, whole pages of them. */
static void
find_places(struct reading *r)
{
	size_t n;
	const struct snap_memory *m = snap_memory(r->snap, &n);

	r->places = calloc(n + 1, sizeof(*r->places));
	if (!r->places)
		die(err_nomem());
	for (size_t k = 0; k < n; k++) {
		uint64_t pages = m[k].length / READ;
		if (m[k].kind != SNAP_MEM_DATA || !pages)
			continue;
		r->pages += pages;
		r->places[r->n++] = (struct place){ &m[k], r->pages };
	}
}

static uint64_t
random_number(uint64_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return *x;
}

static uint64_t
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint64_t
read_page(const struct reading *r, uint64_t page)
{
	uint8_t bytes[READ];
	size_t low = 0, high = r->n - 1;

	while (low < high) {
		size_t mid = (low + high) / 2;
		if (r->places[mid].pages <= page)
			low = mid + 1;
		else
			high = mid;
	}
	uint64_t first = low ? r->places[low - 1].pages : 0;
	uint64_t began = now_ns();
	die(snap_read(r->snap, r->places[low].range, (page - first) * READ,
		      READ, bytes));
	return now_ns() - began;
}

static int
by_time(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

int
main(int argc, char **argv)
{
	unsigned long reads = argc > 3 ? strtoul(argv[3], NULL, 10) : READS;
	struct reading r = { .n = 0 };
	struct store *store;
	struct store_ref ref;
	struct source *src;
	uint64_t seed = 88172645463325252u;

	if (argc < 3 || !reads) {
		fprintf(stderr, "usage: random STORE OBJECT [READS]\n");
		return 2;
	}
	die(store_open(argv[1], NULL, &store));
	die(store_find(store, argv[2], NULL, &ref));
	die(store_source(store, &ref, &src));
	die(snap_open(src, &r.snap));
	find_places(&r);
	uint64_t *ns = calloc(reads, sizeof(*ns));
	if (!ns || !r.pages)
		die(err_new(ERR_FAILED, "there is nothing to read"));
	for (unsigned long k = 0; k < reads; k++)
		ns[k] = read_page(&r, random_number(&seed) % r.pages);
	qsort(ns, reads, sizeof(*ns), by_time);
	printf("%lu reads of 4 KiB out of %llu MiB: median %.1f us, p99 %.1f "
	       "us, longest %.1f us\n", reads,
	       (unsigned long long)(r.pages * READ >> 20),
	       (double)ns[reads / 2] / 1e3, (double)ns[reads / 100 * 99] / 1e3,
	       (double)ns[reads - 1] / 1e3);
	snap_free(r.snap);
	source_free(src);
	store_free(store);
	free(r.places);
	free(ns);
	return 0;
}
