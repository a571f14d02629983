/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Programs that die, one a function: argv[1] says which. On the line where it
 * dies "= NUMBER EXPRESSION" says what the access is of, as gdb reads it; "-":
 * more than the line says is needed to know.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#ifdef __clang__
#define NOIPA noinline
#else
#define NOIPA noipa     /* else nothing is left of it */
#endif
#define ALONE __attribute__((noinline, NOIPA))
#define FIRST(n) ((n)->next->id)
#define LIMIT 3

struct pair {
	long first, second;
};
struct ops {
	int (*open)(int);
	int (*close)(int);
};
struct node {
	int id;
	struct node *next;
	struct pair pair;
	struct pair list[4];
	const struct ops *ops;
	const char *name;
	unsigned low : 3, high : 5;
	union {
		int number;
		float real;
	} as;
	char large[100000];
	long last;
};

static struct node *volatile kept;
static struct node *table[4];
volatile long sink;

ALONE long
chain(struct node *n)
{
	return n->next->next->id; /* = 1 n->next->next->id */
}

ALONE long
chain_broken_early(struct node *n)
{
	return n->next->next->id; /* = 2 n->next->next */
}

ALONE long
two_read_one_bad(struct node *a, struct node *b)
{
	return a->id + b->id; /* = 3 b->id */
}

ALONE long
two_read_both_bad(struct node *a, struct node *b)
{
	return a->id + b->id; /* = 4 - */
}

ALONE void
copy_from_bad(struct node *a, struct node *b)
{
	a->pair.second = b->pair.second; /* = 5 b->pair.second */
}

ALONE void
copy_both_bad(struct node *a, struct node *b)
{
	a->pair.second = b->pair.second; /* = 6 b->pair.second */
}

ALONE long
array_in_struct(struct node *n, int i)
{
	return n->list[i + 1].second; /* = 7 n->list[i+1].second */
}

ALONE void
large_offset(struct node *n)
{
	n->last = 4; /* = 8 n->last */
}

ALONE long
dangling(struct node *n)
{
	return n->next->pair.first; /* = 9 n->next->pair.first */
}

ALONE long
not_canonical(struct node *n)
{
	return n->next->pair.first; /* = 10 n->next->pair.first */
}

ALONE long
index_too_large(struct pair *p, long i)
{
	return p[i].second; /* = 11 p[i].second */
}

ALONE long
star(long **p)
{
	return **p; /* = 12 **p */
}

ALONE void
star_written(int *p)
{
	*p = 3; /* = 13 *p */
}

ALONE long
called_pointer(struct node *n)
{
	return n->ops->close(3) + 1; /* = 14 n->ops->close */
}

ALONE long
called_through_star(const struct ops *ops)
{
	return (*ops->open)(3) + 1; /* = 15 ops->open */
}

ALONE long
table_of_calls_bad(struct node *n)
{
	return n->ops->close(3) + 1; /* = 16 n->ops->close */
}

ALONE long
global_pointer(void)
{
	return kept->id; /* = 17 kept->id */
}

ALONE long
global_table(int i)
{
	return table[i]->pair.second; /* = 18 table[i]->pair.second */
}

ALONE void
macro(struct node *n)
{
	sink = FIRST(n); /* = 19 - */
}

ALONE void
macro_beside(struct node *n, struct node *m)
{
	sink = FIRST(n) + m->id; /* = 20 - */
}

ALONE void
read_only(char *text)
{
	text[1] = 'x'; /* = 21 text[1] */
}

ALONE void
argument_of_call(struct node *n)
{
	printf("%s %d\n", n->name, n->next->id); /* = 22 n->next->id */
}

ALONE long
several_lines(struct node *a, struct node *b, struct node *c)
{
	return a->id
	       + b->pair.second
	       + c->id; /* = 23 c->id */
}

static inline long
second_of(const struct node *of)
{
	return of->pair.second; /* = 24 of->pair.second */
}

ALONE long
inlined(struct node *n)
{
	return second_of(n->next) + 1;
}

ALONE long
callee(const long *p)
{
	return *p; /* = 25 *p */
}

ALONE long
bit_field(struct node *n)
{
	return n->high; /* = 26 - */
}

ALONE long
of_a_union(struct node *n)
{
	return n->as.number; /* = 27 n->as.number */
}

ALONE void
incremented(struct node *n)
{
	n->pair.second++; /* = 28 n->pair.second */
}

ALONE void
cast(void *p)
{
	sink = ((struct node *)p)->pair.second; /* = 29 ((struct node*)p)->pair.second */
}

ALONE long
stepped(const long *p)
{
	return *p++ + (long)p; /* = 30 - */
}

ALONE long
result_followed(struct node *n)
{
	return abs((int)n->id) ? n->next->id : 0; /* = 31 n->next->id */
}

ALONE struct node *
none(void)
{
	return kept;
}

ALONE long
what_a_call_returns(struct node *n)
{
	return none()->id + n->id; /* = 32 - */
}

ALONE void
address_alone(struct node *n, struct node *m)
{
	sink = (long)&n->next->id + m->id; /* = 33 m->id */
}

ALONE void
size_alone(struct node *n, struct node *m)
{
	sink = (long)sizeof(n->id) + (long)sizeof n->id + m->id; /* = 34 m->id */
}

ALONE long
in_a_condition(struct node *n, struct node *m)
{
	if (n && n->next == m && m->pair.first) /* = 35 m->pair.first */
		return 1;
	return 0;
}

ALONE long
in_a_loop(struct node *n)
{
	long sum = 0;

	for (; n->id < 10; n = n->next) /* = 36 n->id */
		sum += n->id;
	return sum;
}

ALONE long
starred_in_brackets(struct node **n)
{
	return (*n)->pair.second; /* = 37 (*n)->pair.second */
}

ALONE void
whole_struct(struct pair *to, const struct pair *from)
{
	*to = *from; /* = 38 ~*from */
}

ALONE long
out_of_an_array(long i)
{
	static volatile long numbers[4];

	return numbers[i]; /* = 39 numbers[i] */
}

ALONE long
macro_as_index(struct node *n)
{
	return n->list[LIMIT].first; /* = 40 - */
}

ALONE long
same_twice(struct node *n)
{
	return n->pair.first * n->pair.first; /* = 41 n->pair.first */
}

ALONE long
declared_here(struct node *n)
{
	const struct node *other = n->next; /* = 42 n->next */

	return other->id;
}

ALONE long
branch_not_taken(struct node *a, struct node *b, int which)
{
	return which ? a->id : b->id; /* = 43 - */
}

ALONE long
text_of_name(struct node *n)
{
	return n->name[2]; /* = 44 n->name[2] */
}

ALONE void
unsequenced(struct node *n, long i)
{
	n->list[i++].first = i; /* = 45 - */
}

ALONE void
done_in_its_place(const void *a, const struct pair *b)
{
	long copy;

	sink = *(long *)memcpy(&copy, a, sizeof(copy)) + b->first; /* = 46 - */
}

ALONE void
copied_beside(const void *a, const struct pair *b)
{
	long copy;

	if (memcpy(&copy, a, sizeof(copy)) && b->first) /* = 47 - */
		sink = copy;
}

ALONE void
called_beside(struct node *n, const struct pair *b)
{
	sink = abs((int)n->id) + b->first; /* = 48 b->first */
}

ALONE long
shadowed(const struct node *p, const struct node *q)
{
	{
		sink = p->id + q->id; /* = 49 - */
		const struct node *p = kept;

		return p ? p->id : 0;
	}
}

enum { FIRST_ONE, SECOND_ONE };

ALONE long
enumerator(struct node *n)
{
	return n->list[SECOND_ONE].first; /* = 50 n->list[SECOND_ONE].first */
}

ALONE long
bit_field_elsewhere(struct node *n, struct node *m)
{
	return n->high + m->id; /* = 51 m->id */
}

ALONE long
one_line(struct node *n) { return n->next->id; } /* = 52 n->next->id */

int
main(int argc, char **argv)
{
	struct node *n = calloc(1, sizeof(*n)), *m = calloc(1, sizeof(*m));
	static const struct ops no_ops;
	const long *nowhere = NULL;
	int which = argc > 1 ? atoi(argv[1]) : 0;

	n->next = m;
	n->ops = &no_ops;
	switch (which) {
	case 1: return (int)chain(n);
	case 2: return (int)chain_broken_early(m);
	case 3: return (int)two_read_one_bad(n, NULL);
	case 4: return (int)two_read_both_bad(NULL, NULL);
	case 5: copy_from_bad(n, NULL); break;
	case 6: copy_both_bad(NULL, NULL); break;
	case 7: return (int)array_in_struct(NULL, argc);
	case 8: large_offset(NULL); break;
	case 9: n->next = (void *)0x414141410000; return (int)dangling(n);
	case 10: n->next = (void *)0x4141414141414141;
		return (int)not_canonical(n);
	case 11: return (int)index_too_large(&n->pair, 0x1000000000);
	case 12: return (int)star((long **)&nowhere);
	case 13: star_written(NULL); break;
	case 14: return (int)called_pointer(n);
	case 15: return (int)called_through_star(n->ops);
	case 16: return (int)table_of_calls_bad(m);
	case 17: return (int)global_pointer();
	case 18: return (int)global_table(argc);
	case 19: macro(m); break;
	case 20: macro_beside(m, NULL); break;
	case 21: read_only((char *)"text"); break;
	case 22: argument_of_call(m); break;
	case 23: return (int)several_lines(n, m, NULL);
	case 24: return (int)inlined(m);
	case 25: return (int)callee(nowhere);
	case 26: return (int)bit_field(NULL);
	case 27: return (int)of_a_union(NULL);
	case 28: incremented(NULL); break;
	case 29: cast(NULL); break;
	case 30: return (int)stepped(NULL);
	case 31: n->id = 1; n->next = NULL; return (int)result_followed(n);
	case 32: return (int)what_a_call_returns(n);
	case 33: address_alone(n, NULL); break;
	case 34: size_alone(NULL, NULL); break;
	case 35: n->next = NULL; return (int)in_a_condition(n, NULL);
	case 36: return (int)in_a_loop(n);
	case 37: m->next = NULL; return (int)starred_in_brackets(&m->next);
	case 38: whole_struct(&n->pair, NULL); break;
	case 39: return (int)out_of_an_array(0x1000000000);
	case 40: return (int)macro_as_index(NULL);
	case 41: return (int)same_twice(NULL);
	case 42: return (int)declared_here(NULL);
	case 43: return (int)branch_not_taken(NULL, NULL, argc);
	case 44: return (int)text_of_name(n);
	case 45: unsequenced(NULL, argc); break;
	case 46: done_in_its_place(NULL, NULL); break;
	case 47: copied_beside(NULL, NULL); break;
	case 48: called_beside(n, NULL); break;
	case 49: return (int)shadowed(NULL, NULL);
	case 50: return (int)enumerator(NULL);
	case 51: return (int)bit_field_elsewhere(n, NULL);
	case 52: return (int)one_line(m);
	}
	return 0;
}
