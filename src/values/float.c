/* SPDX-License-Identifier: Apache-2.0 */
/* Floating point numbers with as many digits as tell each one apart. */
#include "values/show.h"

#include <math.h>
#include <string.h>

/** How the bits of a format lie. */
struct float_format {
	uint8_t size;           /* bytes that count */
	uint8_t mantissa;       /* bits of it that are stored */
	uint8_t digits;         /* 2 + mantissa * log10(2) */
};

static const struct float_format FORMATS[] = {
	{ 2, 10, 5 }, { 4, 23, 9 }, { 8, 52, 17 }, { 10, 64, 21 },
};

static const struct float_format *
format_of(uint64_t size)
{
	for (size_t n = 0; n < countof(FORMATS); n++)
		if (FORMATS[n].size == size
		    || (size >= 12 && FORMATS[n].size == 10))
			return &FORMATS[n];
	return NULL;
}

/* A half: 1 sign, 5 exponent, 10 mantissa. */
static long double
half_of(uint16_t bits)
{
	int exponent = bits >> 10 & 31;
	long double m = bits & 1023;
	long double v = exponent == 0 ? ldexpl(m, -24)
			: exponent == 31 ? (m != 0 ? (long double)NAN
					    : (long double)INFINITY)
			: ldexpl(m + 1024, exponent - 25);

	return bits >> 15 ? -v : v;
}

static long double
load(const void *bytes, const struct float_format *f)
{
	uint16_t h;
	float s;
	double d;
	long double l = 0;

	switch (f->size) {
	case 2: return memcpy(&h, bytes, 2), half_of(h);
	case 4: return memcpy(&s, bytes, 4), s;
	case 8: return memcpy(&d, bytes, 8), d;
	default: return memcpy(&l, bytes, 10), l;
	}
}

static void
put_nan(struct buf *out, const uint8_t *bytes, const struct float_format *f)
{
	uint64_t mantissa = 0;

	memcpy(&mantissa, bytes, f->size < 8 ? f->size : 8);
	if (f->mantissa < 64)
		mantissa &= (1ull << f->mantissa) - 1;
	buf_printf(out, "%snan(0x%llx)", bytes[f->size - 1] & 0x80 ? "-" : "",
		   (unsigned long long)mantissa);
}

void
float_put(struct buf *out, const void *bytes, uint64_t size)
{
	const struct float_format *f = format_of(size);

	if (!f) {
		buf_puts(out, "<invalid float value>");
		return;
	}
	long double v = load(bytes, f);
	if (isnan(v)) {
		put_nan(out, bytes, f);
		return;
	}
	buf_printf(out, "%.*Lg", f->digits, v);
}
