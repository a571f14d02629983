/* SPDX-License-Identifier: Apache-2.0 */
/* bases: every base type, typedefs and qualifiers, as arguments and locals. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <uchar.h>
#include <wchar.h>

#include "stop.h"

typedef unsigned int count;
typedef count counts;

static NOINLINE long
integers(char c, signed char sc, unsigned char uc, short s, unsigned short us,
	 int i, unsigned int u, long l, unsigned long ul, long long ll,
	 unsigned long long ull)
{
	char cs[] = { 'a', 'b', '\n', '\'', '"', '\\', 0, 127, -128, -1 };
	const int ci = i + 1;
	volatile int vi = i + 2;
	const volatile unsigned char cvu = uc;
	_Atomic int at = i;

	stop(1);
	keep(cs);
	keep(&ci);
	keep((const void *)&cvu);
	keep((const void *)&at);
	return c + sc + uc + s + us + i + u + l + ul + ll + ull + ci + vi;
}

static NOINLINE int
names(bool yes, bool no, count n, counts m, size_t size, ssize_t ssize,
      ptrdiff_t distance, uint8_t u8, int8_t i8, uint64_t u64, uintptr_t up)
{
	wchar_t w = L'w';
	char16_t c16 = u'\u20ac';
	char32_t c32 = U'\U0001f600';
	bool odd = true;
	off_t at = -1;
	time_t never = 0;

	*(char *)&odd = (char)some(5);
	stop(2);
	keep(&w);
	keep(&c16);
	keep(&c32);
	keep(&at);
	keep(&never);
	return yes + no + n + m + size + ssize + distance + u8 + i8 + u64 + up +
		odd;
}

static NOINLINE int
none(void)
{
	stop(3);
	return some(1);
}

int
main(void)
{
	integers('x', -1, 255, -32768, 65535, -2147483647 - 1, 4294967295u,
		 -9223372036854775807L - 1, 18446744073709551615ul, 0,
		 1ull << 63);
	names(true, false, 3, 4, 5, -6, -7, 'A', 'B', UINT64_MAX, 16);
	return none() + some(0);
}
