// SPDX-License-Identifier: Apache-2.0
// classes: inheritance, multiple and virtual; references; static members.
#include <string>

#include "stop.h"

namespace zoo {

struct Named {
	const char *name;
	explicit Named(const char *n) : name(n) { }
};

class Animal : public Named {
public:
	Animal(const char *n, int l) : Named(n), legs(l) { count++; }
	virtual ~Animal() = default;
	virtual int speak(int volume) const { return volume + legs; }
	static int count;
	static constexpr int most = 100;

protected:
	int legs;
};

int Animal::count;

class Dog : public Animal {
public:
	explicit Dog(const char *n) : Animal(n, 4), loud(true) { }
	int speak(int volume) const override;

private:
	bool loud;
	mutable int barks = 0;
};

int
Dog::speak(int volume) const
{
	auto twice = volume * 2;

	barks++;
	stop(1);
	return twice + legs;
}

} // namespace zoo

struct Left {
	int left = 1;
	virtual ~Left() = default;
};

struct Right {
	int right = 2;
	virtual ~Right() = default;
	virtual int at() const { return right; }
};

struct Both : Left, Right {
	int both = 3;
	int at() const override;
};

int
Both::at() const
{
	const Right *base = this;

	stop(2);
	keep(base);
	return left + right + both;
}

struct Top {
	int top = 10;
	virtual ~Top() = default;
};

struct A : virtual Top {
	int a = 11;
};

struct B : virtual Top {
	int b = 12;
};

struct Diamond : A, B {
	int diamond = 13;
};

struct Empty { };
struct WithEmpty : Empty {
	[[no_unique_address]] Empty none;
	int after = 4;
};

struct Reference {
	int &number;
	const std::string &text;
	int &&moved;
};

union Either {
	int i;
	float f;
	explicit Either(int n) : i(n) { }
};

namespace {

struct Hidden {
	int secret = 5;
	int Hidden::*none = nullptr;
};

NOINLINE int
references(int &r, const int &c, int &&rr, zoo::Dog &dog, const Top &top,
	   int *&p, int (&array)[3], int (&function)(int))
{
	int &same = r;
	const auto &element = array[1];
	Reference holds{r, *new std::string("held"), std::move(rr)};
	Hidden hidden;
	WithEmpty with;
	Either either(6);

	stop(3);
	keep(&same);
	keep(&element);
	keep(&holds);
	keep(&hidden);
	keep(&with);
	keep(&either);
	keep(&dog);
	return r + c + rr + *p + array[0] + function(top.top);
}

NOINLINE int
inherited(zoo::Animal *animal, Diamond d, const Both *both, B *b)
{
	zoo::Animal *array[2] = {animal, nullptr};
	Top *top = &d;
	Diamond *whole = &d;
	Both copy = *both;
	const Right *right = both;

	stop(4);
	keep(array);
	keep(top);
	keep(whole);
	keep(&copy);
	keep(right);
	return animal->speak(b->b);
}

} // namespace

static int
increment(int n)
{
	return n + 1;
}

int
main()
{
	zoo::Dog dog("Rex");
	Diamond d;
	Both both;
	int n = some(1), m = some(2), array[3] = {3, 4, 5}, *p = &n;

	references(n, m, some(3), dog, d, p, array, increment);
	inherited(&dog, d, &both, &d);
	dog.speak(n);
	return both.at() + zoo::Animal::count == some(0);
}
