/* SPDX-License-Identifier: Apache-2.0 */
/* wides: __int128 and vectors of SSE and of the compiler. */
#include <emmintrin.h>

#include "stop.h"

typedef float four __attribute__((vector_size(16)));
typedef short eight __attribute__((vector_size(16)));
typedef char sixteen __attribute__((vector_size(16)));
typedef double two __attribute__((vector_size(16)));
typedef int half __attribute__((vector_size(8)));

struct has {
	__int128 wide;
	four v;
	char end;
};

static NOINLINE int
wides(__int128 s, unsigned __int128 u, struct has has)
{
	__int128 least = (__int128)1 << 127, small = some(-3);
	unsigned __int128 most = ~(unsigned __int128)0;
	__int128 array[3] = { 1, -1, (__int128)1 << 100 };

	stop(1);
	keep(&least);
	keep(&small);
	keep(&most);
	keep(array);
	return (int)(s + (__int128)u + has.wide);
}

static NOINLINE int
vectors(__m128 m, __m128d d, __m128i i, four f)
{
	eight e = { 1, -2, 3, -4, 5, -6, 7, -8 };
	sixteen s = { 'v', 'e', 'c', 't', 'o', 'r', 0, 1, -1 };
	two t = { 0.5, -1.5 };
	half h = { 3, 4 };
	four moved = f + f;
	four array[2] = { f, moved };

	stop(2);
	keep(&e);
	keep(&s);
	keep(&t);
	keep(&h);
	keep(&moved);
	keep(array);
	return (int)(m[0] + d[0] + (double)i[0]);
}

int
main(void)
{
	struct has has = { 7, { 1, 2, 3, 4 }, 'e' };
	four f = { 1, 2, 3, (float)some(4) };

	wides(some(-7), (unsigned __int128)some(8) << 70, has);
	return vectors(_mm_set_ps(4, 3, 2, 1), _mm_set_pd(2, 1),
		       _mm_set_epi32(4, 3, 2, 1), f) == some(1);
}
