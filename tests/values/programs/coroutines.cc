// SPDX-License-Identifier: Apache-2.0
// coroutines: one that stops, resumed; exceptions while they are handled.
#include <coroutine>
#include <exception>
#include <stdexcept>
#include <string>

#include "stop.h"

struct Task {
	struct promise_type {
		int yielded = 0;
		Task get_return_object()
		{
			return {std::coroutine_handle<promise_type>::
				from_promise(*this)};
		}
		std::suspend_always initial_suspend() { return {}; }
		std::suspend_always final_suspend() noexcept { return {}; }
		std::suspend_always yield_value(int n)
		{
			yielded = n;
			return {};
		}
		void return_void() { }
		void unhandled_exception() { }
	};
	std::coroutine_handle<promise_type> handle;
};

static Task
counts(int from, std::string name)
{
	for (int i = from; i < from + 3; i++) {
		double half = i / 2.0;

		if (i == from + 1)
			stop(1);
		keep(&half);
		co_yield i;
	}
	keep(&name);
}

static NOINLINE int
thrown(int n)
{
	try {
		if (n > 0)
			throw std::runtime_error("thrown " + std::to_string(n));
	} catch (const std::exception &e) {
		const char *what = e.what();

		stop(2);
		keep(what);
	}
	return n;
}

struct Cleanup {
	int number;
	~Cleanup() { stop(3); }
};

static NOINLINE int
unwinds(int n)
{
	Cleanup cleanup{n + 1};

	if (some(n))
		throw n;
	return cleanup.number;
}

int
main()
{
	Task task = counts(some(5), "a name that is long enough for the heap");

	task.handle.resume();
	task.handle.resume();
	thrown(some(2));
	try {
		unwinds(some(4));
	} catch (int caught) {
		return caught;
	}
	return 0;
}
