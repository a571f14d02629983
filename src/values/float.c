/* SPDX-License-Identifier: Apache-2.0 */
/* Floating point numbers with as many digits as tell each one apart. */
#define __STDC_WANT_IEC_60559_TYPES_EXT__ 1
#include <stdlib.h>

#include "values/show.h"

#include <float.h>
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

/* Quadruple precision, which is no type of standard C: the C library's own
 * functions know it (ISO/IEC TS 18661-3), but tell gcc alone. */
#if LDBL_MANT_DIG == 113
#define QUAD long double
#define QUAD_TEXT strfroml
#else
#define QUAD __float128
#define QUAD_TEXT strfromf128
#ifdef __clang__
int strfromf128(char *restrict text, size_t n, const char *restrict format,
		QUAD f);
#endif
#endif

static void
put_quad(struct buf *out, const uint8_t *bytes)
{
	QUAD f;
	char text[64];
	uint64_t low, high;

	memcpy(&f, bytes, 16);
	memcpy(&low, bytes, 8);
	memcpy(&high, bytes + 8, 8);
	if ((high >> 48 & 0x7fff) == 0x7fff && (low || high << 16))
		buf_printf(out, "%snan(0x%llx%016llx)", high >> 63 ? "-" : "",
			   (unsigned long long)(high & 0xffffffffffff),
			   (unsigned long long)low);
	else if (QUAD_TEXT(text, sizeof(text), "%.36g", f) > 0)
		buf_puts(out, text);
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
float_put(struct buf *out, const void *bytes, uint64_t size, bool quad)
{
	const struct float_format *f = format_of(size);

	if (quad && size == 16) {
		put_quad(out, bytes);
		return;
	}
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

/* ---- decimal floating point ------------------------------------------------ */
/** Bits of the coefficient where the exponent stands first, the bias. */
struct decimal_format {
	uint8_t size, short_bits, exponent_bits;
	int bias;
};

static const struct decimal_format DECIMALS[] = {
	{ 4, 23, 8, 101 }, { 8, 53, 10, 398 }, { 16, 113, 14, 6176 },
};

static void
put_digits(struct buf *out, const char *digits, size_t n, int exponent)
{
	int point = (int)n + exponent;          /* before which digit */
	int adjusted = point - 1;

	if (exponent > 0 || adjusted < -6) {
		buf_put(out, digits, 1);
		if (n > 1) {
			buf_putc(out, '.');
			buf_put(out, digits + 1, n - 1);
		}
		buf_printf(out, "E%+d", adjusted);
	} else if (exponent == 0) {
		buf_put(out, digits, n);
	} else if (point > 0) {
		buf_put(out, digits, (size_t)point);
		buf_putc(out, '.');
		buf_put(out, digits + point, n - (size_t)point);
	} else {
		buf_puts(out, "0.");
		for (; point < 0; point++)
			buf_putc(out, '0');
		buf_put(out, digits, n);
	}
}

/* IEEE 754-2008, 3.5.2, with the coefficient as a binary number. */
static void
put_decimal(struct buf *out, unsigned __int128 v,
	    const struct decimal_format *f)
{
	unsigned bits = 8u * f->size;
	unsigned __int128 one = 1;
	bool large = (v >> (bits - 3) & 3) == 3;
	unsigned shift = large ? f->short_bits - 2u : f->short_bits;
	int exponent = (int)(v >> shift & ((one << f->exponent_bits) - 1))
		       - f->bias;
	unsigned __int128 c = v & ((one << shift) - 1);
	_buf_ struct buf digits = { 0 };

	if (v >> (bits - 1) & 1)
		buf_putc(out, '-');
	if ((v >> (bits - 5) & 15) == 15) {
		buf_puts(out, v >> (bits - 6) & 1 ? "NaN" : "Infinity");
		return;
	}
	if (large)
		c |= one << (f->short_bits);
	scalar_put_wide(&digits, c, false);
	if (!digits.failed)
		put_digits(out, digits.data, digits.len, exponent);
}

bool
float_put_decimal(struct buf *out, const void *bytes, uint64_t size)
{
	unsigned __int128 v = 0;

	for (size_t n = 0; n < countof(DECIMALS); n++)
		if (DECIMALS[n].size == size) {
			memcpy(&v, bytes, size);
			put_decimal(out, v, &DECIMALS[n]);
			return true;
		}
	return false;
}
