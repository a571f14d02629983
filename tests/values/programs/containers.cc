// SPDX-License-Identifier: Apache-2.0
// containers: every container of the library, empty and filled.
#include <array>
#include <bitset>
#include <deque>
#include <forward_list>
#include <list>
#include <map>
#include <queue>
#include <set>
#include <span>
#include <stack>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "stop.h"

struct Point {
	int x, y;
	bool operator<(const Point &o) const { return x < o.x; }
};

static NOINLINE std::size_t
sequences(const std::vector<int> &by_reference, std::vector<Point> by_value,
	  const std::list<int> *pointer)
{
	std::vector<int> empty, reserved;
	std::vector<bool> bits(70, true), no_bits;
	std::vector<std::string> strings{"one", "", std::string(40, 'l')};
	std::vector<std::vector<int>> nested{{1, 2}, {}, {3}};
	std::vector<int> many(300, 7);
	std::vector<char> chars{'a', 'b', 0};
	std::vector<const char *> texts{"x", nullptr};
	std::deque<int> deque, no_deque;
	std::deque<Point> large(200, Point{1, 2});
	std::list<int> list{1, 2, 3}, no_list;
	std::list<std::string> words{"a", "b"};
	std::forward_list<int> forward{4, 5}, no_forward;
	std::array<int, 4> array{1, 2, 3, 4};
	std::array<Point, 2> points{{{1, 2}, {3, 4}}};
	std::array<int, 0> no_array;
	std::bitset<10> few(0x155);
	std::bitset<100> lots;
	std::span<int> span(many.data(), 5);
	std::span<int, 4> fixed(array);
	int plain[3] = {7, 8, 9};

	reserved.reserve(10);
	bits[3] = bits[65] = false;
	for (int i = 0; i < 150; i++)
		i % 2 ? deque.push_back(i) : deque.push_front(i);
	lots.set(3).set(64).set(99);
	auto middle = many.begin() + 3;
	auto in_list = list.begin();
	auto at_end = list.end();
	auto in_deque = deque.begin() + 5;
	auto reversed = many.rbegin();
	auto ref = bits[3];

	stop(1);
	keep(&empty);
	keep(&no_bits);
	keep(&strings);
	keep(&nested);
	keep(&chars);
	keep(&texts);
	keep(&no_deque);
	keep(&large);
	keep(&no_list);
	keep(&words);
	keep(&forward);
	keep(&no_forward);
	keep(&points);
	keep(&no_array);
	keep(&few);
	keep(&span);
	keep(&fixed);
	keep(plain);
	keep(&middle);
	keep(&in_list);
	keep(&at_end);
	keep(&in_deque);
	keep(&reversed);
	bits[4] = ref;
	return by_reference.size() + by_value.size() + pointer->size();
}

static NOINLINE std::size_t
associative(std::map<int, std::string> &map, std::set<int> set)
{
	std::map<std::string, std::vector<int>> deep{{"a", {1}}, {"b", {}}};
	std::map<int, int> no_map;
	std::map<Point, int> by_point{{{1, 2}, 3}};
	std::multimap<int, char> multimap{{1, 'a'}, {1, 'b'}, {2, 'c'}};
	std::multiset<int> multiset{3, 1, 3};
	std::set<std::string> words{"x", "y"};
	std::set<int> no_set;
	std::unordered_map<int, double> hash{{1, 0.5}};
	std::unordered_map<std::string, int> by_name{{"name", 1}};
	std::unordered_map<int, int> no_hash, more;
	std::unordered_set<int> hash_set{5};
	std::unordered_multimap<int, int> multi_hash{{1, 2}, {1, 3}};
	std::unordered_multiset<int> multi_set{4, 4};
	std::map<int, int> large;

	for (int i = 0; i < 250; i++)
		large[i] = more[i] = i * i;
	auto in_map = map.find(2);
	auto map_end = map.end();
	auto in_set = set.begin();
	auto in_hash = hash.begin();
	auto hash_end = hash.end();

	stop(2);
	keep(&deep);
	keep(&no_map);
	keep(&by_point);
	keep(&multimap);
	keep(&multiset);
	keep(&words);
	keep(&no_set);
	keep(&by_name);
	keep(&no_hash);
	keep(&more);
	keep(&hash_set);
	keep(&multi_hash);
	keep(&multi_set);
	keep(&large);
	keep(&in_map);
	keep(&map_end);
	keep(&in_set);
	keep(&in_hash);
	keep(&hash_end);
	return map.size() + set.size();
}

static NOINLINE std::size_t
adaptors(std::stack<int> stack, const std::queue<std::string> &queue)
{
	std::priority_queue<int> priority;
	std::stack<int, std::vector<int>> on_vector;
	std::stack<int> empty;

	for (int i : {3, 1, 4, 1, 5})
		priority.push(i), on_vector.push(i);
	stop(3);
	keep(&priority);
	keep(&empty);
	return stack.size() + queue.size();
}

int
main()
{
	std::vector<int> v{1, 2, 3};
	std::list<int> l{4, 5};
	std::map<int, std::string> map{{1, "one"}, {2, "two"}, {3, "three"}};
	std::stack<int> stack;
	std::queue<std::string> queue;

	v.reserve(8);
	stack.push(some(1));
	stack.push(2);
	queue.push("q");
	return sequences(v, {{1, 2}, {3, 4}}, &l) +
		associative(map, {5, 6, 7}) + adaptors(stack, queue) ==
		unsigned(some(0));
}
