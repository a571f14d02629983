/* SPDX-License-Identifier: Apache-2.0 */
/* floats: NaN, infinities, denormals, long double, complex and wide ones. */
#include <complex.h>
#include <float.h>
#include <math.h>

#include "stop.h"

struct mixed {
	float f;
	double d;
	long double l;
	float _Complex fc;
	double _Complex dc;
};

static NOINLINE double
floats(float f, double d, long double l, struct mixed m)
{
	float fs[] = { 0.0f, -0.0f, 1.0f, 0.1f, FLT_MAX, FLT_MIN, FLT_MIN / 2,
		INFINITY, -INFINITY, NAN, 16777216.0f, 1e10f, 1e-10f };
	double ds[] = { 0.0, -0.0, 1.0, 0.1, 1.0 / 3, DBL_MAX, DBL_MIN,
		DBL_MIN / 2, 5e-324, INFINITY, -INFINITY, NAN, -NAN, 1e15,
		1e16, 1e17, 123456789012345678.0, 1e-5, 1e-4, 100000.0 };
	long double ls[] = { 0.0L, 1.0L, 0.1L, LDBL_MAX, LDBL_MIN,
		LDBL_MIN / 2, INFINITY, NAN, 1e4000L };
	float _Complex fc = 1.5f + 2.5f * I;
	double _Complex dc = -1.0 - 0.5 * I;
	long double _Complex lc = 3.0L + 4.0L * I;
#if defined(__GNUC__) && !defined(__clang__)
	__float128 q = 1.25Q;
	__float128 qs[] = { 0.1Q, -1e4000Q };
	_Float32 f32 = 0.5f32;
	_Float64x f64x = 0.1f64x;
	_Decimal32 d32 = 1.5DF;
	_Decimal64 d64 = -0.1DD;
	_Decimal128 d128 = 12345678901234567890.5DL;
#ifdef __SSE2__
	_Float16 f16 = 0.5f16;

	keep(&f16);
#endif
	keep(&q);
	keep(qs);
	keep(&f32);
	keep(&f64x);
	keep(&d32);
	keep(&d64);
	keep(&d128);
#endif
	stop(1);
	keep(fs);
	keep(ds);
	keep(ls);
	keep(&fc);
	keep(&dc);
	keep(&lc);
	return f + d + (double)l + m.d;
}

/* In registers, and in registers that the caller still has. */
static NOINLINE double
registers(float f, double d, float _Complex fc)
{
	double sum = f * d;
	float part = (float)d + f;

	stop(2);
	return sum + part + crealf(fc);
}

int
main(void)
{
	struct mixed m = { 1.0f, 2.0, 3.0L, 4.0f + 5.0f * I, 6.0 + 7.0 * I };

	floats(1.1f, 2.2, 3.3L, m);
	return (int)registers((float)some(3), some(4), 1.0f + 2.0f * I);
}
