// SPDX-License-Identifier: Apache-2.0
// What tests/dap/variables.py looks at: it waits, and is pictured.
#include <cstdio>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>
#include <unistd.h>

struct Point { int x, y; };
struct Shape {
	virtual ~Shape() {}
	int id = 1;
};
struct Named { std::string name = "named"; int id = 5; };
struct Circle : Shape, Named {
	int radius = 9;
	static int made;
	union { int u; float f; };
	struct { int deep; };
	Circle() : u(7), deep(8) {}
	int area(int id);
};
int Circle::made = 3;

namespace space {
int counter = 41;
struct Node { int value; Node *next; unsigned low : 3, high : 5; bool on; };
}
enum Color { RED, GREEN = 5 };
static int hidden = 17;
int table[10000];
thread_local int own = 23;

int __attribute__((noinline)) Circle::area(int id)
{
	int hidden = 2;

	if (std::puts("ready") < 0 || std::fflush(stdout))
		return 1;
	pause();
	return id + hidden;
}

int main()
{
	Circle circle;
	Shape *shape = &circle;
	Shape &alias = circle;
	space::Node last = { 2, nullptr, 1, 2, true };
	space::Node first = { 1, &last, 5, 30, false };
	space::Node *wild = (space::Node *)0x10;
	std::vector<int> numbers(1200);
	std::vector<Point> points = { { 1, 2 }, { 3, 4 } };
	std::map<std::string, int> ages = { { "ann", 30 }, { "bob", 40 } };
	std::multimap<int, int> several = { { 1, 10 }, { 1, 11 }, { 1, 12 },
		{ 2, 20 } };
	std::map<int, Point> places = { { 7, { 1, 2 } }, { 8, { 3, 4 } } };
	std::set<int> set = { 3, 1, 2 };
	std::string text = "h\xc3\xa9llo \"w\\orld\"\x1b[2J\xff";
	std::unique_ptr<Point> owner(new Point{ 5, 6 });
	int (*huge)[1000000000] = (int (*)[1000000000])table;
	int grid[3][4] = {};
	double half = 0.5, none = 0.0 / half;
	Color color = GREEN;
	const char *words = "words";
	Point corner = { 11, 12 };
	long double wide = 1.25L;
	int value = 1;

	for (int k = 0; k < 10000; k++)
		table[k] = k;
	for (int k = 0; k < 1200; k++)
		numbers[k] = k * k;
	grid[2][3] = 23;
	own++;
	for (int value = 100; value < 101; value++) {
		circle.area(value + (int)half + (int)none + color + corner.x
			    + (int)wide + words[0] + grid[0][0] + hidden
			    + shape->id + alias.id + first.value + (*huge)[0]
			    + (wild != nullptr) + (int)points.size()
			    + (int)ages.size() + (int)places.size()
			    + (int)set.size() + (int)text.size() + owner->x
			    + space::counter + Circle::made);
	}
	return value;
}
