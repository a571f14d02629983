/* SPDX-License-Identifier: Apache-2.0 */
/* shared.h: the page that workload and the bench share. */
#ifndef TESTS_BENCH_SHARED_H
#define TESTS_BENCH_SHARED_H

#include <stdint.h>

struct shared {
	uint64_t ready;         /* 1: every worker waits in its leaf */
	uint64_t gap_ns;        /* largest between two ticks; reset to 0 */
	uint64_t ticks;
	uint64_t ticker;        /* tid: its stack is not the same twice */
	uint64_t bytes;         /* of nodes and blobs */
};

#endif
