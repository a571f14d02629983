/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes as base64 and back (RFC 4648, 4), strictly. */
#include "base/base.h"

static const char digits[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void
buf_base64(struct buf *b, const void *data, size_t n)
{
	const uint8_t *in = data;
	char *out = n <= SIZE_MAX / 2 ? buf_extend(b, (n + 2) / 3 * 4) : NULL;

	for (size_t k = 0; out && k < n; k += 3, out += 4) {
		size_t left = n - k;
		uint32_t v = (uint32_t)in[k] << 16;

		if (left > 1)
			v |= (uint32_t)in[k + 1] << 8;
		if (left > 2)
			v |= in[k + 2];
		out[0] = digits[v >> 18];
		out[1] = digits[v >> 12 & 63];
		out[2] = left > 1 ? digits[v >> 6 & 63] : '=';
		out[3] = left > 2 ? digits[v & 63] : '=';
	}
}

static int
digit_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/** Of up to four digits; the bits that are left over are zero. */
static bool
group_read(struct buf *b, const char *s, size_t n)
{
	uint32_t v = 0;

	for (size_t k = 0; k < n; k++) {
		int digit = digit_of(s[k]);

		if (digit < 0)
			return false;
		v |= (uint32_t)digit << (18 - 6 * k);
	}
	if (n < 2 || (n == 2 && v & 0xffff) || (n == 3 && v & 0xff))
		return false;
	for (size_t k = 0; k + 1 < n; k++)
		buf_putc(b, (char)(v >> (16 - 8 * k)));
	return true;
}

bool
base64_bytes(const char *s, size_t n, struct buf *out)
{
	if (n % 4)
		return false;
	for (size_t k = 0; k < n; k += 4) {
		size_t left = 4;

		if (k + 4 == n)
			left -= (s[k + 3] == '=') + (s[k + 3] == '='
						     && s[k + 2] == '=');
		if (!group_read(out, s + k, left))
			return false;
	}
	return true;
}
