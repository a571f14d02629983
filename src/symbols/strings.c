/* SPDX-License-Identifier: Apache-2.0 */
/* Strings that are not in a .debug_str which is taken over whole. */
#include <pthread.h>
#include <stdlib.h>

#include "symbols/make.h"

#define SHARDS 64u
#define ADDED (1ull << 63)      /* a handle that is the address of an entry */

struct entry {
	struct entry *next;
	uint64_t hash;
	uint32_t ref;
	uint32_t n;
	char text[];
};
struct shard {
	pthread_mutex_t lock;
	struct arena *arena;
	struct entry **buckets;
	size_t n, n_buckets;            /* a power of two */
};
struct strings {
	struct shard shards[SHARDS];
	uint64_t *used;                 /* a bit for each byte of all */
	struct entry **sorted;
	size_t n;
};

struct strings *
strings_new(void)
{
	struct strings *s = calloc(1, sizeof(*s));

	for (size_t k = 0; s && k < SHARDS; k++)
		pthread_mutex_init(&s->shards[k].lock, NULL);
	return s;
}

void
strings_free(struct strings *s)
{
	if (!s)
		return;
	for (size_t k = 0; k < SHARDS; k++) {
		arena_free(s->shards[k].arena);
		free(s->shards[k].buckets);
		pthread_mutex_destroy(&s->shards[k].lock);
	}
	free(s->sorted);
	free(s->used);
	free(s);
}

static bool
grow(struct shard *d)
{
	size_t n = d->n_buckets ? 2 * d->n_buckets : 256;
	struct entry **more = calloc(n, sizeof(struct entry *));

	if (!more)
		return false;
	for (size_t k = 0; k < d->n_buckets; k++)
		for (struct entry *e = d->buckets[k], *next; e; e = next) {
			struct entry **to = &more[e->hash & (n - 1)];

			next = e->next;
			e->next = *to;
			*to = e;
		}
	free(d->buckets);
	d->buckets = more;
	d->n_buckets = n;
	return true;
}

static struct entry *
add(struct shard *d, uint64_t hash, const char *text, size_t n)
{
	if (!d->arena)
		d->arena = arena_new(0);
	if (!d->arena || (d->n >= d->n_buckets && !grow(d)))
		return NULL;
	struct entry *e = arena_alloc(d->arena, sizeof(*e) + n + 1);
	if (!e)
		return NULL;
	struct entry **bucket = &d->buckets[hash & (d->n_buckets - 1)];
	*e = (struct entry){ .next = *bucket, .hash = hash,
			     .ref = SYM_NONE, .n = (uint32_t)n };
	memcpy(e->text, text, n);
	*bucket = e;
	d->n++;
	return e;
}

static struct entry *
find(const struct shard *d, uint64_t hash, const char *text, size_t n)
{
	struct entry *e = d->n_buckets ? d->buckets[hash & (d->n_buckets - 1)]
			  : NULL;

	while (e && (e->hash != hash || e->n != n
		     || memcmp(e->text, text, n) != 0))
		e = e->next;
	return e;
}

uint64_t
strings_add(struct strings *s, const char *text, size_t n)
{
	uint64_t hash = format_hash(text, n);
	struct shard *d = &s->shards[hash >> 58];

	if (n > INT32_MAX)
		return STR_NONE;
	pthread_mutex_lock(&d->lock);
	struct entry *e = find(d, hash, text, n);
	if (!e)
		e = add(d, hash, text, n);
	pthread_mutex_unlock(&d->lock);
	return e ? (uint64_t)(uintptr_t)e | ADDED : STR_NONE;
}

static int
text_order(const void *a, const void *b)
{
	const struct entry *const *x = a, *const *y = b;

	return strcmp((*x)->text, (*y)->text);
}

struct err *
strings_number(struct strings *s, uint32_t first)
{
	uint64_t at = first;

	for (size_t k = 0; k < SHARDS; k++)
		s->n += s->shards[k].n;
	s->sorted = calloc(s->n + 1, sizeof(struct entry *));
	if (!s->sorted)
		return err_nomem();
	struct entry **to = s->sorted;
	for (size_t k = 0; k < SHARDS; k++)
		for (size_t b = 0; b < s->shards[k].n_buckets; b++)
			for (struct entry *e = s->shards[k].buckets[b]; e;
			     e = e->next)
				*to++ = e;
	qsort(s->sorted, s->n, sizeof(struct entry *), text_order);
	for (size_t k = 0; k < s->n; k++) {
		if (at + s->sorted[k]->n + 1 >= UINT32_MAX)
			return err_new(ERR_LIMIT, "more than 4 GiB of names");
		s->sorted[k]->ref = (uint32_t)at;
		at += s->sorted[k]->n + 1;
	}
	s->used = calloc(at / 64 + 1, sizeof(*s->used));
	return s->used ? NULL : err_nomem();
}

static struct entry *
entry_of(uint64_t handle)
{
	return (struct entry *)(uintptr_t)(handle & ~ADDED);
}

uint32_t
strings_use(struct strings *s, uint64_t handle)
{
	uint32_t ref = handle & ADDED && handle != STR_NONE
		       ? entry_of(handle)->ref : (uint32_t)handle;
	uint64_t bit = 1ull << ref % 64;

	if (handle == STR_NONE || ref == SYM_NONE)
		return SYM_NONE;
	uint64_t *word = &s->used[ref / 64];
	/* Mostly it is: threads do not take the line from one another then. */
	if (!(__atomic_load_n(word, __ATOMIC_RELAXED) & bit))
		__atomic_fetch_or(word, bit, __ATOMIC_RELAXED);
	return ref;
}

uint64_t
strings_next_used(const struct strings *s, uint64_t from, uint64_t to)
{
	while (from < to) {
		uint64_t word = s->used[from / 64] >> from % 64;

		if (word) {
			from += (uint64_t)__builtin_ctzll(word);
			return from < to ? from : to;
		}
		from = (from / 64 + 1) * 64;
	}
	return to;
}

uint64_t
strings_hash(uint64_t handle)
{
	return handle != STR_NONE && (handle & ADDED) ? entry_of(handle)->hash
	       : handle;
}

const char *
strings_peek(uint64_t handle)
{
	return entry_of(handle)->text;
}

struct err *
strings_text(const struct strings *s, struct buf *out)
{
	for (size_t k = 0; k < s->n; k++)
		buf_put(out, s->sorted[k]->text, s->sorted[k]->n + 1);
	return buf_err(out);
}
