/* SPDX-License-Identifier: Apache-2.0 */
/* strings: not UTF-8, long, with NULs, with repeats, escaped, wide, unended. */
#include <stdlib.h>
#include <string.h>
#include <uchar.h>
#include <wchar.h>

#include "stop.h"

static NOINLINE int
narrow(const char *plain, char *heap, const char *longest)
{
	char empty[] = "", one[] = "x";
	char zeros[16] = "";
	char padded[64] = "padded";
	char inside[] = "a\0b\0\0c";
	char full[4] = { 'f', 'u', 'l', 'l' };
	char latin[] = "caf\xe9 \xff\xfe";
	char utf8[] = "caf\303\251 \342\202\254 \360\237\230\200";
	char escapes[] = "\a\b\f\n\r\t\v\033\\\"\'\1\0019\x7f";
	char runs[] = "aaaaaaaaaaaaaaabbbbbbbbbbbbbbbbcdddddddddddddddddd";
	char mixed[40] = "xxxxxxxxxxxxxxxxxxxxxxxx\0after";
	char lists[3][8] = { "first", "second", "" };
	unsigned char bytes[] = { 'b', 'y', 0, 255 };
	signed char minus[] = { -1, 'm', 0 };
	char digits[] = "\0" "123";
	const char *end = plain + strlen(plain);
	const char *cut = "an \xc3";

	stop(1);
	keep(empty);
	keep(one);
	keep(zeros);
	keep(padded);
	keep(inside);
	keep(full);
	keep(latin);
	keep(utf8);
	keep(escapes);
	keep(runs);
	keep(mixed);
	keep(lists);
	keep(bytes);
	keep(minus);
	keep(digits);
	keep(&end);
	keep(&cut);
	return heap[0] + longest[0];
}

static NOINLINE int
wide(const wchar_t *w, const char16_t *u, const char32_t *U)
{
	wchar_t array[8] = L"wide";
	char16_t sixteen[] = u"caf\u00e9 \U0001f600";
	char32_t thirty_two[] = U"\u20ac\U0001f600";
	wchar_t repeated[] = L"wwwwwwwwwwwwwwwwwwwwww\x1\x12345";
	wchar_t odd[] = { 0x110000, -1, 'x', 0 };
	char16_t half[] = { 0xd800, 'x', 0 };

	stop(2);
	keep(array);
	keep(sixteen);
	keep(thirty_two);
	keep(repeated);
	keep(odd);
	keep(half);
	return (int)(w[0] + u[0] + U[0]);
}

int
main(void)
{
	char *heap = strdup("on the heap"), *longest = malloc(1000);

	memset(longest, '.', 999);
	for (int i = 0; i < 999; i++)
		longest[i] = (char)('a' + i % 26);
	longest[999] = 0;
	narrow("plain", heap, longest);
	wide(L"wide \x263a", u"sixteen", U"thirty-two");
	free(heap);
	free(longest);
	return some(0);
}
