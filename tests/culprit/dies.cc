// SPDX-License-Identifier: Apache-2.0
//
// The same in C++; see dies.c.
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#ifdef __clang__
#define NOIPA noinline
#else
#define NOIPA noipa     // else nothing is left of it
#endif
#define ALONE __attribute__((noinline, NOIPA))

namespace shop {

struct item {
	long price = 0;
	long weight = 0;
	item *next = nullptr;
	virtual ~item() = default;
	ALONE virtual long cost(long n) { return price * n; }
	ALONE long plain(long n) { return n + 1; }
	ALONE long own() { return weight + 1; } // = 1 weight
	ALONE long own_this() { return this->weight + 1; } // = 2 this->weight
	ALONE long deep() { return next->weight; } // = 3 next->weight
	ALONE long calls_own(long n) { return cost(n) + 1; } // = 4 cost(n)
};

struct holder {
	item &ref;
	std::vector<item *> items;
	std::unique_ptr<item> single;
	ALONE long first() { return items[0]->price; } // = 5 -
};

item *volatile lost;
static item *none_of(int) { return lost; }

ALONE long reference(item &r)
{
	return r.weight; // = 6 r.weight
}

ALONE long member_reference(holder *h)
{
	return h->ref.weight; // = 7 h->ref.weight
}

ALONE long of_reference(const item &r)
{
	return r.next->price; // = 8 r.next->price
}

ALONE long virtual_call(item *p)
{
	return p->cost(3) + 1; // = 9 p->cost(3)
}

ALONE long virtual_of_member(item *p)
{
	return p->next->cost(3) + 1; // = 10 p->next->cost(3)
}

ALONE long smart(holder &h)
{
	return h.single->price; // = 11 -
}

ALONE long two_smart(holder &h, item *p)
{
	return h.single->price + p->price; // = 12 -
}

template <typename T>
ALONE T add(const T *a, const T *b)
{
	return *a + *b; // = 13 *b
}

ALONE long qualified()
{
	return shop::lost->weight; // = 14 shop::lost->weight
}

ALONE long cast(void *p)
{
	return static_cast<item *>(p)->price; // = 15 -
}

ALONE void destroyed(item *p)
{
	delete p; // = 16 -
}

ALONE long returned(item *p)
{
	return none_of(1)->price + p->price; // = 17 -
}

ALONE long automatic(item *p)
{
	auto *q = p->next;
	const auto &r = *q;
	return r.weight; // = 18 r.weight
}

ALONE long in_lambda(item *p)
{
	auto get = [](item *of) ALONE {
		return of->next->weight; // = 19 of->next->weight
	};
	return get(p);
}

class sum {
	long *total;
public:
	explicit sum(long *t) : total(t) {}
	ALONE void add(item *p)
	{
		*total += p->weight; // = 20 *total
	}
	ALONE void add_bad(item *p)
	{
		*total += p->weight; // = 21 p->weight
	}
};

ALONE long text(const std::string *s)
{
	return s->size() + 1; // = 22 -
}

ALONE long in_loop(const std::vector<item *> &list)
{
	long n = 0;
	for (const item *one : list)
		n += one->weight; // = 23 one->weight
	return n;
}

struct derived : item {
	long extra = 0;
};

ALONE long of_base(derived *d)
{
	return d->weight + 1; // = 24 d->weight
}

ALONE void new_beside(item *p)
{
	p->next = new item(); // = 25 p->next
}

} // namespace shop

using namespace shop;

int main(int argc, char **argv)
{
	item *volatile nothing = nullptr;
	item a, b;
	derived whole;
	holder h{*nothing, {nullptr}, nullptr};
	a.next = &b;
	lost = &whole;
	lost = nullptr;
	long one = 1;

	switch (argc > 1 ? atoi(argv[1]) : 0) {
	case 1: return (int)nothing->own();
	case 2: return (int)nothing->own_this();
	case 3: return (int)b.deep();
	case 4: return (int)nothing->calls_own(argc);
	case 5: return (int)h.first();
	case 6: return (int)reference(*nothing);
	case 7: return (int)member_reference(&h);
	case 8: return (int)of_reference(b);
	case 9: return (int)virtual_call(nothing);
	case 10: return (int)virtual_of_member(&b);
	case 11: return (int)smart(h);
	case 12: return (int)two_smart(h, nothing);
	case 13: return (int)add<long>(&one, nullptr);
	case 14: return (int)qualified();
	case 15: return (int)cast(nothing);
	case 16: destroyed((item *)8); break;
	case 17: return (int)returned(nothing);
	case 18: return (int)automatic(&b);
	case 19: return (int)in_lambda(&b);
	case 20: sum(nullptr).add(&a); break;
	case 21: sum(&one).add_bad(nothing); break;
	case 22: return (int)text(nullptr);
	case 23: return (int)in_loop({nothing});
	case 24: return (int)of_base(nullptr);
	case 25: new_beside(nothing); break;
	}
	return 0;
}
