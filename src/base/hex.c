/* SPDX-License-Identifier: Apache-2.0 */
/* Hex digits to numbers and bytes, strictly. */
#include "base/base.h"

/** The digit's value, or -1. */
static int
digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool
hex_u64(const char *s, size_t n, uint64_t *out)
{
	uint64_t v = 0;

	if (n == 0 || n > 16)
		return false;
	for (size_t i = 0; i < n; i++) {
		int digit = digit_of(s[i]);

		if (digit < 0)
			return false;
		v = v << 4 | digit;
	}
	*out = v;
	return true;
}

bool
hex_bytes(const char *s, size_t n_bytes, void *out)
{
	uint8_t *bytes = out;

	for (size_t i = 0; i < n_bytes; i++) {
		int high = digit_of(s[2 * i]);
		/* Not past a string that ends with the first digit. */
		int low = high < 0 ? -1 : digit_of(s[2 * i + 1]);

		if (low < 0)
			return false;
		bytes[i] = high << 4 | low;
	}
	return true;
}
