/* SPDX-License-Identifier: Apache-2.0 */
/*
 * living.cc: a program that lives: three threads of C++ wait, full of
 * containers, virtual calls, templates, references and thread-local objects;
 * one of them while it handles an exception.
 */
#include <array>
#include <condition_variable>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

#include "victim.h"

namespace zoo {

struct animal {
	virtual ~animal() = default;
	virtual std::string name() const = 0;
	int legs = 4;
};

struct bird : animal {
	std::string name() const override { return "bird"; }
	double wingspan = 1.25;
};

template <typename T, int N> struct cage {
	std::unique_ptr<T> inside;
	std::array<int, N> visits = {};
};

enum class mood : short { calm = 1, wild = 7 };

} /* namespace zoo */

static std::string zoo_title = "a zoo of containers";
static std::vector<double> zoo_weights = { 0.5, 1.5, 2.5 };
static thread_local std::string keeper = "nobody";
static std::mutex mutex;
static std::condition_variable never;

static void
wait_for_ever()
{
	std::unique_lock<std::mutex> lock(mutex);

	never.wait(lock, [] { return false; });
}

static int
visit(int visitors, const std::string &who, std::function<void()> stay)
{
	std::vector<int> numbers = { 1, 2, 3, 5, 8, 13 };
	std::map<std::string, int> prices = { { "bird", 7 }, { "fish", 2 } };
	std::map<int, std::string> cages = { { 4, "four" } };
	std::vector<std::string> list = { "a",
					  "long enough to leave the object" };
	std::shared_ptr<int> either = std::make_shared<int>(visitors);
	zoo::cage<zoo::animal, 3> cage = { std::make_unique<zoo::bird>(),
					   { 1, 2, 3 } };
	zoo::mood mood = zoo::mood::wild;
	int &first = numbers.front();

	keeper = who;
	stay();
	return (int)(numbers.size() + prices.size() + cages.size() +
		     list.size() + (size_t)*either + cage.visits.size() +
		     (size_t)mood + (size_t)first);
}

static void
catching()
{
	try {
		throw std::runtime_error("the bird has flown");
	} catch (const std::exception &flown) {
		visit(5, flown.what(), wait_for_ever);
	}
}

static void
until_the_end()
{
	char byte;

	victim_wait_asleep(2);
	std::cout << "ready" << std::endl;
	if (read(STDIN_FILENO, &byte, 1) < 0)
		perror("read");
}

int
main()
{
	std::thread one([] { visit(3, "one", wait_for_ever); });
	std::thread two(catching);

	visit(4, "main", until_the_end);
	_exit((int)(zoo_title.size() + zoo_weights.size()));
}
