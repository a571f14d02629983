/* SPDX-License-Identifier: Apache-2.0 */
/* containers.cc: an uncaught exception while standard containers are full. */
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <variant>
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

template <typename T> struct cage {
	std::unique_ptr<T> inside;
	std::vector<std::pair<int, std::string>> visits;

	void open(const std::map<std::string, int> &prices) const
	{
		if (prices.at("bird") > 3)
			throw std::runtime_error("the " + inside->name() +
						 " has flown");
	}
};

} /* namespace zoo */

static std::string zoo_title = "a zoo of containers";
static std::vector<double> zoo_weights = { 0.5, 1.5, 2.5 };

static int
visit(int visitors)
{
	std::vector<int> numbers = { 1, 2, 3, 5, 8, 13 };
	std::vector<bool> bits = { true, false, true, true };
	std::map<std::string, int> prices = { { "bird", 7 }, { "fish", 2 } };
	std::unordered_map<int, std::string> cages = { { 4, "four" } };
	std::set<char> letters = { 'z', 'o', 'x' };
	std::deque<long> queue = { -1, 0, 1 };
	std::list<std::string> list = { "a", "long enough to leave the object" };
	std::shared_ptr<int> shared = std::make_shared<int>(visitors);
	std::optional<int> nothing;
	std::optional<std::string> something = "something";
	std::variant<int, double> either = 2.75;
	std::tuple<int, char, std::string> triple = { 1, 't', "triple" };
	zoo::cage<zoo::animal> cage = { std::make_unique<zoo::bird>(), {} };

	cage.visits.emplace_back(visitors, "first");
	cage.open(prices);
	return (int)(numbers.size() + bits.size() + cages.size() +
		     letters.size() + queue.size() + list.size() +
		     (size_t)*shared + nothing.has_value() +
		     something->size() + either.index() + std::get<0>(triple));
}

int
main()
{
	std::thread thread([] { victim_wait_asleep(1), visit(3); });

	thread.join();
	return (int)(zoo_title.size() + zoo_weights.size());
}
