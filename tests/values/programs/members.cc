// SPDX-License-Identifier: Apache-2.0
// members: pointers to members, lambdas, templates, scoped enums, nullptr.
#include <cstddef>
#include <cstdint>

#include "stop.h"

struct Machine {
	int a = 1, b = 2;
	static int made;
	virtual ~Machine() = default;
	int plain(int n) { return a + n; }
	virtual int changed(int n) { return b + n; }
	virtual int second(int n) const { return n; }
};

int Machine::made = 3;

struct Better : Machine {
	int c = 3;
	int changed(int n) override { return c + n; }
};

enum class Scope { First, Second = 7 };
enum class Byte : unsigned char { Low = 1, High = 0x80 };
enum Old : std::int64_t { OldMinus = -1, OldLarge = 0x100000000 };

template <typename T, int N> struct Box {
	T things[N];
	static constexpr int size = N;
	T first(T more) const;
	template <typename U> struct Inner {
		T t;
		U u;
	};
};

template <typename T, int N>
NOINLINE T
Box<T, N>::first(T more) const
{
	Inner<char> inner{more, 'i'};
	T sum = things[0] + more;

	stop(1);
	keep(&inner);
	return sum;
}

template <typename... Ts>
NOINLINE int
packed(int first, Ts... rest)
{
	int count = sizeof...(rest);

	stop(2);
	return first + count + (int(rest) + ... + 0);
}

template <auto Value, typename T, template <typename, int> class C>
NOINLINE T
odd(C<T, 2> box)
{
	auto value = Value;

	stop(3);
	return box.things[0] + T(value);
}

static NOINLINE int
pointers(Machine &m, int Machine::*data, int (Machine::*f)(int),
	 int (Machine::*v)(int), int (Machine::*c)(int) const)
{
	int Better::*in_better = &Better::c;
	int Machine::*none = nullptr;
	int (Machine::*no_function)(int) = nullptr;
	Scope scope = Scope::Second, unnamed = Scope(some(3));
	Byte byte = Byte(some(0x81));
	Old old = OldLarge;
	std::nullptr_t null = nullptr;
	std::byte raw{0x5a};
	bool truth = true;
	char8_t c8 = u8'x';
	auto made = &Machine::made;

	stop(4);
	keep(&in_better);
	keep(&none);
	keep(&no_function);
	keep(&scope);
	keep(&unnamed);
	keep(&byte);
	keep(&old);
	keep(&null);
	keep(&raw);
	keep(&truth);
	keep(&c8);
	keep(&made);
	return m.*data + (m.*f)(1) + (m.*v)(2) + (m.*c)(3);
}

static NOINLINE int
lambdas(int n)
{
	int by_reference = n * 2;
	auto nothing = [](int m) { return m + 1; };
	auto captures = [n, &by_reference, more = 1.5](int m) {
		int inside = n + m;
		stop(5);
		by_reference += inside;
		return inside + int(more);
	};
	auto nested = [&](auto m) {
		auto deeper = [&] { return captures(int(m)); };
		return deeper() + n;
	};
	int (*pointer)(int) = nothing;

	keep(&pointer);
	return nested(2.5) + nothing(by_reference);
}

int
main()
{
	Better better;
	Box<int, 3> box{{1, 2, 3}};
	Box<double, 2> doubles{{0.5, 1.5}};

	box.first(some(4));
	packed(some(1), 'c', 2.5, &box != nullptr);
	odd<3, double, Box>(doubles);
	pointers(better, &Machine::b, &Machine::plain, &Machine::changed,
		 &Machine::second);
	return lambdas(some(6)) == some(0);
}
