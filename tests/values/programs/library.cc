// SPDX-License-Identifier: Apache-2.0
// library: strings, pointers, sum types, times and the rest of the library.
#include <any>
#include <atomic>
#include <chrono>
#include <complex>
#include <condition_variable>
#include <functional>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "stop.h"

struct Base {
	int base = 1;
	virtual ~Base() = default;
};

struct Derived : Base {
	std::string name = "derived";
};

static NOINLINE std::size_t
strings(const std::string &by_reference, std::string by_value,
	std::string_view view, const std::string *pointer)
{
	std::string empty, small = "exactly 15 char", large(16, 'l');
	std::string zeros("a\0b", 3), latin = "\xe9\xff", huge(500, 'h');
	std::string escaped = "tab\t quote\" back\\";
	std::wstring wide = L"wide \u20ac";
	std::u16string sixteen = u"sixteen \U0001f600";
	std::u32string thirty_two = U"thirty-two \U0001f600";
	std::u8string eight = u8"eight \u20ac";
	std::string_view part = view.substr(1, 3), none;
	std::wstring_view wide_view = wide;
	std::string array[2] = {"first", "second"};
	auto at = by_value.begin();

	stop(1);
	keep(&empty);
	keep(&small);
	keep(&large);
	keep(&zeros);
	keep(&latin);
	keep(&huge);
	keep(&escaped);
	keep(&sixteen);
	keep(&thirty_two);
	keep(&eight);
	keep(&part);
	keep(&none);
	keep(&wide_view);
	keep(array);
	keep(&at);
	return by_reference.size() + pointer->size();
}

static NOINLINE long
owners(std::unique_ptr<int> unique, std::shared_ptr<Base> shared,
       const std::weak_ptr<Base> &weak)
{
	std::unique_ptr<int> no_unique;
	std::unique_ptr<int[]> array(new int[3]{1, 2, 3});
	std::unique_ptr<Base> polymorphic = std::make_unique<Derived>();
	std::unique_ptr<int, void (*)(int *)> deleter(new int(3),
		[](int *p) { delete p; });
	std::shared_ptr<int> no_shared, made = std::make_shared<int>(6);
	std::shared_ptr<int> second = made;
	std::shared_ptr<const char> aliased(made, "alias");
	std::weak_ptr<int> expired;
	std::enable_shared_from_this<int> *none = nullptr;
	{
		auto gone = std::make_shared<int>(7);
		expired = gone;
	}
	stop(2);
	keep(&no_unique);
	keep(&array);
	keep(&polymorphic);
	keep(&deleter);
	keep(&no_shared);
	keep(&second);
	keep(&aliased);
	keep(&expired);
	keep(&none);
	return *unique + shared.use_count() + weak.use_count();
}

static NOINLINE int
sums(std::optional<int> o, std::variant<int, std::string, double> v,
     const std::tuple<int, std::string, char> &t, std::pair<int, float> p)
{
	std::optional<std::string> text = "text", no_text;
	std::optional<std::vector<int>> list{{1, 2}};
	std::variant<std::monostate, int> mono;
	std::variant<int, std::string> string = "in variant";
	std::any no_any, any_int = 5, any_string = std::string("any");
	std::tuple<> no_tuple;
	std::tuple<int> one{1};
	std::pair<std::string, std::pair<int, int>> pairs{"p", {1, 2}};
	std::tuple<int &, const char *> refs{std::get<0>(one), "ref"};
	auto [first, second] = p;

	stop(3);
	keep(&text);
	keep(&no_text);
	keep(&list);
	keep(&mono);
	keep(&string);
	keep(&no_any);
	keep(&any_int);
	keep(&any_string);
	keep(&no_tuple);
	keep(&pairs);
	keep(&refs);
	return o.value_or(0) + int(v.index()) + std::get<0>(t) + first +
		int(second);
}

static int
added(int a, int b)
{
	return a + b;
}

static NOINLINE int
others(std::initializer_list<int> il, std::function<int(int)> f,
       std::chrono::milliseconds ms, std::complex<double> c)
{
	std::function<int()> no_function;
	std::function<int(int, int)> plain = added;
	std::atomic<int> atomic = 5;
	std::atomic<bool> flag = true;
	std::atomic<Base *> pointer = nullptr;
	std::chrono::seconds s(90);
	std::chrono::nanoseconds ns(-5);
	std::chrono::duration<double> real(1.5);
	std::chrono::system_clock::time_point never;
	std::chrono::steady_clock::time_point some_time(s);
	std::complex<float> cf(1.5f, -2.0f);
	std::mutex mutex;
	std::unique_lock<std::mutex> lock(mutex);
	std::condition_variable changed;
	std::thread::id id;
	std::reference_wrapper<int(int, int)> wrapper = added;
	std::error_code error = std::make_error_code(std::errc::timed_out);
	std::allocator<int> allocator;
	std::hash<int> hash;
	std::less<> less;
	auto bound = std::bind(added, 1, std::placeholders::_1);

	stop(4);
	keep(&no_function);
	keep(&plain);
	keep(&atomic);
	keep(&flag);
	keep(&pointer);
	keep(&ns);
	keep(&real);
	keep(&never);
	keep(&some_time);
	keep(&cf);
	keep(&changed);
	keep(&id);
	keep(&wrapper);
	keep(&error);
	keep(&allocator);
	keep(&hash);
	keep(&less);
	keep(&bound);
	return int(il.size()) + f(1) + int(ms.count()) + int(c.real());
}

int
main()
{
	std::string text = "by reference";
	auto shared = std::shared_ptr<Base>(std::make_shared<Derived>());
	int n = some(4);

	strings(text, std::string(100, 'v'), "viewed", &text);
	owners(std::make_unique<int>(5), shared, shared);
	sums(3, 2.5, {1, "tuple", 'c'}, {1, 0.5f});
	return others({1, 2, 3}, [n](int m) { return n + m; },
		      std::chrono::milliseconds(1500), {1, 2}) == some(0);
}
