/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jemalloc.c: an array of 2^18 pointers, one for each GiB of addresses, leads
 * to arrays of 2^18 words, one for each page. Such a word is made of a size
 * class (its high 16 bits), flags (the low ones) and the address of a
 * descriptor, which says where the extent begins that the page belongs to, and
 * how large it is. A slab has a word for each page; any other extent for the
 * first and last alone. See rtree.h, and edata.h or extent_structs.h, of
 * jemalloc's include/jemalloc/internal.
 */
#include "capture/jemalloc.h"

#include <string.h>

#include "base/search.h"

enum { PAGE_SHIFT = 12, LEAF_SHIFT = 30, BLOCK_SHIFT = 21 };
#define PAGE_SIZE (1ull << PAGE_SHIFT)
#define BLOCK_SIZE (1ull << BLOCK_SHIFT)
#define ARRAY_LENGTH (1ull << 18)
#define ARRAY_SIZE (8 * ARRAY_LENGTH)
#define WORDS_PER_PAGE (PAGE_SIZE / 8)
#define ADDRESS_MAX (1ull << 48)
/* Descriptors and arrays lie at multiples of it; below are flags. */
#define ALIGN 64u
#define SLAB 1u                         /* of a word's flags */
#define CLASS_SHIFT 48

/* Where its size class is among a descriptor's first bits: 5.3; 5.1 and 5.2;
 * 5.0. The flag of a slab never moved. */
static const unsigned class_shifts[] = { 20, 18, 17 };
#define SLAB_BIT 12
#define CLASS_MASK 0xffu
/* Up to 64 TiB; what is behind is said of memory that is free. */
#define CLASSES 164u

/* Pages of words looked through in all, and for one extent: 4 GiB. */
#define STEPS_MAX (4ull << 20)
#define BLOCKS_BACK 2048u
/* How far before an address its books may begin: 64 MiB. */
#define BOOKS_BACK 32u

/* ---- reading ---- */

static bool
word_at(const struct jemalloc *j, uint64_t addr, uint64_t *out)
{
	const uint8_t *page = j->page(j->arg, addr & ~(PAGE_SIZE - 1));

	if (!page || addr % 8)
		return false;
	memcpy(out, page + addr % PAGE_SIZE, 8);
	return true;
}

/* @n words that lie on one page. */
static bool
words_at(const struct jemalloc *j, uint64_t addr, uint64_t *out, size_t n)
{
	const uint8_t *page = j->page(j->arg, addr & ~(PAGE_SIZE - 1));

	if (!page || addr % PAGE_SIZE + 8 * n > PAGE_SIZE)
		return false;
	memcpy(out, page + addr % PAGE_SIZE, 8 * n);
	return true;
}

static bool
step(struct jemalloc *j)
{
	if (!j->steps)
		return false;
	j->steps--;
	return true;
}

/* ---- descriptors ---- */

/* Four classes for each power of two, from 16 on; class 0 is 8 bytes. */
static uint64_t
class_size(unsigned class)
{
	unsigned group = (class - 1) / 4, part = (class - 1) % 4 + 1;

	if (class == 0)
		return 8;
	return group == 0 ? 16u * part
	       : (64ull << (group - 1)) + ((uint64_t)part << (group + 3));
}

/** A page's word, and what it leads to. */
struct said {
	unsigned class;
	bool slab;
	bool there;                     /* the descriptor can be read */
	uint64_t bits, addr, start, end;        /* of the extent */
};

/* Of the descriptor; 0: nothing is said, though the class may be that of memory
 * that is free. */
static uint64_t
said_where(uint64_t word)
{
	return word & (ADDRESS_MAX - 1) & ~(uint64_t)(ALIGN - 1);
}

/* What @word says of the page at @page; false: that cannot be. */
static bool
said_read(const struct jemalloc *j, uint64_t word, uint64_t page,
	  struct said *out)
{
	uint64_t at = said_where(word), raw[3];

	out->there = at && words_at(j, at, raw, countof(raw));
	if (!out->there)
		return false;
	out->class = (unsigned)(word >> CLASS_SHIFT);
	out->slab = word & SLAB;
	out->bits = raw[0];
	out->addr = raw[1];
	out->start = raw[1] & ~(PAGE_SIZE - 1);
	uint64_t size = raw[2] & ~(PAGE_SIZE - 1);
	if (out->start >= ADDRESS_MAX || size > ADDRESS_MAX - out->start)
		return false;
	out->end = out->start + size;
	return out->start <= page && page < out->end;
}

/* Does the descriptor say of itself what the page's word says? */
static bool
said_agrees(const struct said *s, unsigned class_shift)
{
	uint64_t size, most = s->end - s->addr;

	if (s->class >= CLASSES
	    || (s->bits >> class_shift & CLASS_MASK) != s->class
	    || (s->bits >> SLAB_BIT & 1) != s->slab)
		return false;
	size = class_size(s->class);
	if (s->slab)
		return s->addr == s->start && (s->end - s->start) % size == 0;
	/* 5.3.1 gives large ones the size that was asked for. */
	return size <= most
	       || (s->class && class_size(s->class - 1) < most);
}

/* ---- pages ---- */

static struct jemalloc_block *
before_slot(struct jemalloc *j, uint64_t block)
{
	return &j->before[block >> BLOCK_SHIFT & (JEMALLOC_BLOCKS - 1)];
}

static uint64_t
leaf_of(const struct jemalloc *j, uint64_t addr)
{
	uint64_t leaf;

	if (addr >= ADDRESS_MAX
	    || !word_at(j, j->root + 8 * (addr >> LEAF_SHIFT), &leaf)
	    || leaf % ALIGN || leaf >= ADDRESS_MAX - ARRAY_SIZE)
		return 0;
	return leaf;
}

/* The last page of 2 MiB at @block, up to @last, that something is said of. */
static uint64_t
last_said(struct jemalloc *j, uint64_t leaf, uint64_t block, uint64_t last)
{
	uint64_t index = block >> PAGE_SHIFT & (ARRAY_LENGTH - 1), word;
	const uint8_t *bytes = NULL;
	uint64_t at = (leaf + 8 * index) & ~(PAGE_SIZE - 1);

	/* The array need not begin where a page does. */
	for (uint64_t page = last; step(j); page -= PAGE_SIZE) {
		uint64_t addr = leaf + 8 * (page >> PAGE_SHIFT
					    & (ARRAY_LENGTH - 1));
		if (!bytes || (addr & ~(PAGE_SIZE - 1)) != at) {
			at = addr & ~(PAGE_SIZE - 1);
			bytes = j->page(j->arg, at);
		}
		if (bytes) {
			memcpy(&word, bytes + addr % PAGE_SIZE, 8);
			if (said_where(word))
				return page;
		}
		if (page == block)
			break;
	}
	return 0;
}

/* As last_said(), of all before @block: extents may be large, and what was
 * never said is mostly not there. */
static uint64_t
said_before(struct jemalloc *j, uint64_t block)
{
	uint64_t found = 0, at = block;

	for (unsigned k = 0; k < BLOCKS_BACK && at; k++, at -= BLOCK_SIZE) {
		const struct jemalloc_block *b = before_slot(j, at);
		if (b->at == (at | 1)) {
			found = b->found;
			break;
		}
		uint64_t leaf = leaf_of(j, at - BLOCK_SIZE);
		if (!leaf)
			break;
		found = last_said(j, leaf, at - BLOCK_SIZE, at - PAGE_SIZE);
		if (found)
			break;
	}
	for (; at <= block; at += BLOCK_SIZE)
		*before_slot(j, at) = (struct jemalloc_block){ at | 1, found };
	return found;
}

/* The page at or before @page whose word tells of it, if one does. */
static uint64_t
said_at(struct jemalloc *j, uint64_t page)
{
	uint64_t leaf = leaf_of(j, page), block = page & ~(BLOCK_SIZE - 1);
	uint64_t found;

	if (!leaf)
		return 0;
	found = last_said(j, leaf, block, page);
	return found ? found : said_before(j, block);
}

static void
extent_learn(struct jemalloc *j, uint64_t page, struct jemalloc_extent *x)
{
	uint64_t at = said_at(j, page), word;
	struct said s;

	x->start = x->end = x->size = 0;
	if (!at || !word_at(j, leaf_of(j, at)
			       + 8 * (at >> PAGE_SHIFT & (ARRAY_LENGTH - 1)),
			    &word)
	    || !said_read(j, word, page, &s)
	    || !said_agrees(&s, j->class_shift) || (s.slab && at != page))
		return;
	x->start = s.addr;
	x->size = class_size(s.class);
	if (!s.slab && x->size > s.end - s.addr)
		x->size = s.end - s.addr;
	x->end = s.slab ? s.end : s.addr + x->size;
}

static const struct jemalloc_extent *
extent_at(struct jemalloc *j, uint64_t addr)
{
	uint64_t page = addr & ~(PAGE_SIZE - 1);
	struct jemalloc_extent *x = &j->pages[addr >> PAGE_SHIFT
					      & (JEMALLOC_SLOTS - 1)];

	if (x->page != (page | 1)) {
		x->page = page | 1;
		extent_learn(j, page, x);
	}
	return x;
}

/* ---- books ---- */

/*
 * Blocks of whole 2 MiB begin with their size, the next one's address and a
 * descriptor (three words are known of it) of what is not used yet: the end.
 */
static uint64_t
block_end(const struct jemalloc *j, uint64_t at)
{
	uint64_t raw[5], end, left_end;

	if (!words_at(j, at, raw, countof(raw)))
		return 0;
	if (!raw[0] || raw[0] % BLOCK_SIZE || raw[1] % BLOCK_SIZE
	    || !u64_add(at, raw[0], &end) || end > ADDRESS_MAX
	    || raw[3] <= at || raw[3] > end
	    || !u64_add(raw[3], raw[4], &left_end))
		return 0;
	return left_end == end ? end : 0;
}

static bool
is_books(struct jemalloc *j, uint64_t addr)
{
	uint64_t first = addr & ~(BLOCK_SIZE - 1), at = first;
	struct jemalloc_block *b = &j->books[addr >> BLOCK_SHIFT
					     & (JEMALLOC_BLOCKS - 1)];

	if (b->at == (first | 1))
		return addr < b->found;
	*b = (struct jemalloc_block){ first | 1, 0 };
	for (unsigned k = 0; k < BOOKS_BACK && at && step(j); k++) {
		b->found = block_end(j, at);
		if (b->found)
			break;
		at -= BLOCK_SIZE;
	}
	return addr < b->found;
}

/* ---- questions ---- */

enum jemalloc_kind
jemalloc_object(struct jemalloc *j, uint64_t addr, uint64_t *start,
		uint64_t *end)
{
	const struct jemalloc_extent *x;

	if (!j->root)
		return JEMALLOC_UNKNOWN;
	x = extent_at(j, addr);
	if (!x->end)
		return is_books(j, addr) ? JEMALLOC_BOOKS : JEMALLOC_UNKNOWN;
	if (addr < x->start || addr >= x->end)
		return JEMALLOC_UNKNOWN;
	*start = addr - (addr - x->start) % x->size;
	*end = *start + x->size;
	return JEMALLOC_OBJECT;
}

void
jemalloc_forget(struct jemalloc *j)
{
	memset(j->pages, 0, sizeof(j->pages));
	memset(j->before, 0, sizeof(j->before));
	memset(j->books, 0, sizeof(j->books));
	j->steps = STEPS_MAX;
}

/* ---- recognised ---- */

/* GiBs of addresses that are looked at, those with most memory. */
enum { KEYS = 4, SAMPLES = 64, WORDS_OF_SAMPLE = 8 };
/* So many pages must agree, and many more than do not: it still runs. */
#define AGREE_MIN 4u
#define AGREE_PART 8u
#define ABSENT_MAX 64u
#define FIND_STEPS (16ull << 20)

enum { BLOCKS = 1 << (LEAF_SHIFT - BLOCK_SHIFT) };

struct key {
	uint64_t number, bytes;         /* of the GiB; how much is there */
	uint64_t there[BLOCKS / 64];    /* a bit for each 2 MiB */
	unsigned n_there;
};
struct finder {
	struct jemalloc *j;
	const struct jemalloc_area *areas;
	size_t n;
	struct key keys[KEYS];
	uint64_t root, leaf;
	unsigned best, shift;
};
struct votes {
	unsigned agree[countof(class_shifts)], against;
	unsigned absent;                /* not all was copied, perhaps */
};

static void
key_add(struct finder *f, const struct key *key)
{
	struct key *least = &f->keys[0];

	for (size_t k = 1; k < KEYS; k++)
		if (f->keys[k].bytes < least->bytes)
			least = &f->keys[k];
	if (key->bytes > least->bytes)
		*least = *key;
}

/* [at, end) lies in one GiB. */
static void
key_count(struct key *key, uint64_t at, uint64_t end)
{
	uint64_t b = at >> BLOCK_SHIFT;

	key->bytes += end - at;
	for (; b <= (end - 1) >> BLOCK_SHIFT; b++) {
		uint64_t bit = 1ull << b % 64;
		uint64_t *word = &key->there[b % BLOCKS / 64];
		key->n_there += !(*word & bit);
		*word |= bit;
	}
}

static void
find_keys(struct finder *f)
{
	struct key now = { .bytes = 0 };

	for (size_t k = 0; k < f->n; k++) {
		uint64_t at = f->areas[k].start, end = f->areas[k].end, next;

		for (; at < end; at = next) {
			next = at | ((1ull << LEAF_SHIFT) - 1);
			next = next < end - 1 ? next + 1 : end;
			if (at >> LEAF_SHIFT != now.number) {
				key_add(f, &now);
				now = (struct key){
					.number = at >> LEAF_SHIFT };
			}
			key_count(&now, at, next);
		}
	}
	key_add(f, &now);
}

/* The first area that ends behind @addr. */
static size_t
area_from(const struct finder *f, uint64_t addr)
{
	return search_above(f->areas, f->n, sizeof(*f->areas),
			    offsetof(struct jemalloc_area, end), addr);
}

static bool
is_there(const struct finder *f, uint64_t addr)
{
	size_t k = area_from(f, addr);

	return k < f->n && f->areas[k].start <= addr;
}

/* What words next to that of the page at @page say of their pages. */
static void
votes_add(struct finder *f, uint64_t leaf, uint64_t page, struct votes *v)
{
	uint64_t index = page >> PAGE_SHIFT & (ARRAY_LENGTH - 1), word;
	unsigned heard = 0;
	struct said s;

	for (size_t k = 0; k < WORDS_PER_PAGE && heard < WORDS_OF_SAMPLE
			   && index < ARRAY_LENGTH && step(f->j); k++, index++,
	     page += PAGE_SIZE) {
		if (!word_at(f->j, leaf + 8 * index, &word))
			return;
		if (!said_where(word))
			continue;
		heard++;
		if (!said_read(f->j, word, page, &s)) {
			v->against += s.there;
			v->absent += !s.there;
			continue;
		}
		/* Of memory that is free nothing more is known. */
		for (size_t i = 0; i < countof(class_shifts); i++)
			v->agree[i] += said_agrees(&s, class_shifts[i]);
	}
}

/* How many agree on one version; at 0, none. */
static unsigned
votes_best(const struct votes *v, unsigned *shift)
{
	size_t best = 0;

	for (size_t i = 1; i < countof(class_shifts); i++)
		if (v->agree[i] > v->agree[best])
			best = i;
	if (shift)
		*shift = class_shifts[best];
	return v->agree[best];
}

/* What the array at @leaf says of the GiB, if it is that one's. */
static struct votes
votes_count(struct finder *f, uint64_t leaf, const struct key *key)
{
	struct votes v = { .against = 0 };
	unsigned next = 0, blocks = 0;

	for (uint64_t b = 0; b < BLOCKS; b++) {
		uint64_t page = (key->number << LEAF_SHIFT)
				+ (b << BLOCK_SHIFT);

		if (!(key->there[b / 64] >> b % 64 & 1) || blocks++ < next)
			continue;
		next = blocks + key->n_there / SAMPLES;
		if (is_there(f, leaf + 8 * (b << (BLOCK_SHIFT - PAGE_SHIFT))))
			votes_add(f, leaf, page, &v);
		if ((v.against >= AGREE_MIN || v.absent >= ABSENT_MAX)
		    && !votes_best(&v, NULL))
			break;
	}
	return v;
}

/* All GiBs that the array at @root leads to must not speak against it. */
static void
try_root(struct finder *f, uint64_t root)
{
	struct votes all = { .against = 0 };
	unsigned shift, best;
	uint64_t leaf = 0;

	f->j->root = root;
	for (size_t k = 0; k < KEYS; k++) {
		uint64_t this = f->keys[k].bytes
				? leaf_of(f->j, f->keys[k].number << LEAF_SHIFT)
				: 0;
		if (!this)
			continue;
		leaf = this;
		struct votes v = votes_count(f, leaf, &f->keys[k]);
		for (size_t i = 0; i < countof(class_shifts); i++)
			all.agree[i] += v.agree[i];
		all.against += v.against;
	}
	best = votes_best(&all, &shift);
	if (best <= f->best || best < AGREE_MIN
	    || best < AGREE_PART * all.against)
		return;
	f->root = root;
	f->best = best;
	f->shift = shift;
	f->leaf = leaf;
}

/* An array lies in jemalloc's books: few other words point there. */
static void
try_word(struct finder *f, uint64_t at, uint64_t word, const struct key *key)
{
	struct votes v;

	if (!word || word % ALIGN || word >= ADDRESS_MAX - ARRAY_SIZE
	    || !is_books(f->j, word))
		return;
	v = votes_count(f, word, key);
	if (votes_best(&v, NULL))
		try_root(f, at - 8 * key->number);
}

/* The array's pointer for one GiB may be in any word of @a that leaves room
 * for the others. */
static void
find_in(struct finder *f, const struct jemalloc_area *a, const struct key *key)
{
	uint64_t before = 8 * key->number, words[WORDS_PER_PAGE];
	uint64_t at = a->start, end = a->end, to;

	if (a->high - a->low < ARRAY_SIZE)
		return;
	at = at < a->low + before ? a->low + before : at;
	to = a->high - (ARRAY_SIZE - before) + 8;
	end = end < to ? end : to;
	for (; at < end && step(f->j); at = (at | (PAGE_SIZE - 1)) + 1) {
		uint64_t page = at & ~(PAGE_SIZE - 1);

		if (!words_at(f->j, page, words, WORDS_PER_PAGE))
			continue;
		for (uint64_t k = (at - page) / 8; k < WORDS_PER_PAGE
						   && page + 8 * k < end; k++)
			try_word(f, page + 8 * k, words[k], key);
	}
}

bool
jemalloc_find(struct jemalloc *j, jemalloc_page_fn *page, void *arg,
	      const struct jemalloc_area *areas, size_t n)
{
	struct finder f = { .j = j, .areas = areas, .n = n };

	j->page = page;
	j->arg = arg;
	jemalloc_forget(j);
	j->steps = FIND_STEPS;
	find_keys(&f);
	for (size_t k = 0; k < KEYS; k++)
		for (size_t i = 0; i < n && f.keys[k].bytes; i++)
			if (areas[i].high)
				find_in(&f, &areas[i], &f.keys[k]);
	j->root = f.root;
	j->leaf = f.leaf;
	j->class_shift = f.shift;
	jemalloc_forget(j);
	return j->root != 0;
}
