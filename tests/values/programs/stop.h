/* SPDX-License-Identifier: Apache-2.0 */
/* stop.h: how a program of this corpus ends at a chosen place. */
#ifndef VALUES_STOP_H
#define VALUES_STOP_H

#ifdef __cplusplus
extern "C" {
#endif

/* Dies here if this is the place that the first argument names, else 1. */
void stop(int place);
/* Something the compiler knows nothing about happens to it. */
void keep(const void *thing);
/* The same number, which the compiler does not know. */
int some(int number);

#ifdef __cplusplus
}
#endif

#define NOINLINE __attribute__((noinline))
#define INLINE __attribute__((always_inline)) inline
#endif
