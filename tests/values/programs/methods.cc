// SPDX-License-Identifier: Apache-2.0
// methods: pointers to virtual functions that are pure, of a second base, of a
// class with virtual bases. Without any library: it runs on other machines.
#include "stop.h"

struct Shape {
	int s = 1;
	virtual int area(int n) = 0;
	virtual int edges(int n) { return n + s; }
};

struct Named {
	int t = 2;
	virtual int name(int n) { return n + t; }
	virtual int rename(int n) { return n - t; }
};

struct Square : Shape, Named {
	int area(int n) override { return n; }
	virtual int corner(int n) { return 4 * n; }
};

struct Shared : virtual Named {
	int u = 3;
	virtual int shared(int n) { return n * u; }
	virtual int second(int n) { return n / u; }
};

typedef int (Square::*of_square)(int);

static NOINLINE int
tables(Shape &shape, int (Shape::*pure)(int), of_square other,
       of_square inherited, of_square own, int (Shared::*behind)(int))
{
	Square square;
	Shared shared;

	stop(1);
	return (shape.*pure)(1) + (square.*other)(2) + (square.*inherited)(3)
	       + (square.*own)(4) + (shared.*behind)(5);
}

extern "C" void
__cxa_pure_virtual()
{
	__builtin_trap();
}

int
main()
{
	Square square;

	return tables(square, &Shape::area, of_square(&Named::rename),
		      &Shape::edges, &Square::corner, &Shared::second);
}
