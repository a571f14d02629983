/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one function of a fuzz target, as libFuzzer and replay.c call it.
 */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/** Feed @n hostile bytes to a parser. Always 0; a fault ends the process. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#endif
