/* SPDX-License-Identifier: Apache-2.0 */
/* Arenas: memory that dies together; and the arrays that grow in one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"

#define ARENA_ALIGN 16
#define BLOCK_FIRST ((size_t)4 << 10)   /* many arenas stay small */
#define BLOCK_LAST ((size_t)4 << 20)
#define VEC_FIRST 8

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_APART true
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define ARENA_APART true
#endif
#ifndef ARENA_APART
#define ARENA_APART false
#endif

/*
 * Under AddressSanitizer each allocation is a block of its own: packed ones
 * would hide a read beyond an allocation from it.
 */
static const bool allocations_apart = ARENA_APART;

struct block {
	struct block *next;
	size_t size;            /* of data[] */
	_Alignas(ARENA_ALIGN) uint8_t data[];
};

struct arena {
	struct block *blocks;   /* all of them, for arena_free() */
	uint8_t *at;            /* free part of the newest shared block */
	size_t left;
	size_t block_size;      /* of the next shared block */
	size_t used, limit;
};

struct arena *
arena_new(size_t limit)
{
	struct arena *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	a->block_size = BLOCK_FIRST;
	a->limit = limit;
	return a;
}

void
arena_free(struct arena *a)
{
	struct block *next;

	if (!a)
		return;
	for (struct block *b = a->blocks; b; b = next) {
		next = b->next;
		free(b);
	}
	free(a);
}

void
arena_freep(struct arena **a)
{
	arena_free(*a);
}

/** A zeroed block of @n bytes, owned by @a. */
static struct block *
block_new(struct arena *a, size_t n)
{
	struct block *b;
	size_t whole;

	if (__builtin_add_overflow(n, sizeof(*b), &whole))
		return NULL;
	b = calloc(1, whole);
	if (!b)
		return NULL;
	b->size = n;
	b->next = a->blocks;
	a->blocks = b;
	return b;
}

/** Large ones get a block of their own: little is left over in the others. */
static bool
deserves_own_block(const struct arena *a, size_t n)
{
	return allocations_apart || n > a->block_size / 4;
}

static bool
shared_block_add(struct arena *a)
{
	struct block *b = block_new(a, a->block_size);

	if (!b)
		return false;
	a->at = b->data;
	a->left = b->size;
	if (a->block_size < BLOCK_LAST)
		a->block_size *= 2;
	return true;
}

static void *
shared_block_take(struct arena *a, size_t n)
{
	void *p;

	if (n > a->left && !shared_block_add(a))
		return NULL;
	p = a->at;
	a->at += n;
	a->left -= n;
	return p;
}

static void *
own_block_take(struct arena *a, size_t n)
{
	struct block *b = block_new(a, n);

	return b ? b->data : NULL;
}

void *
arena_alloc(struct arena *a, size_t n)
{
	size_t rounded, used;
	void *p;

	n = n ? n : 1;
	if (__builtin_add_overflow(n, ARENA_ALIGN - 1, &rounded))
		return NULL;
	rounded &= ~(size_t)(ARENA_ALIGN - 1);
	if (__builtin_add_overflow(a->used, rounded, &used))
		return NULL;
	if (a->limit && used > a->limit)
		return NULL;
	p = deserves_own_block(a, n) ? own_block_take(a, n) :
				       shared_block_take(a, rounded);
	if (p)
		a->used = used;
	return p;
}

void *
arena_array(struct arena *a, size_t n, size_t size)
{
	size_t whole;

	if (__builtin_mul_overflow(n, size, &whole))
		return NULL;
	return arena_alloc(a, whole);
}

void *
arena_dup(struct arena *a, const void *data, size_t n)
{
	void *p = arena_alloc(a, n);

	if (p && n)
		memcpy(p, data, n);
	return p;
}

char *
arena_strdup(struct arena *a, const char *s)
{
	return arena_dup(a, s, strlen(s) + 1);
}

char *
arena_strndup(struct arena *a, const char *s, size_t n)
{
	size_t len = strnlen(s, n);
	char *p = len < SIZE_MAX ? arena_alloc(a, len + 1) : NULL;

	if (p)
		memcpy(p, s, len);
	return p;
}

char *
arena_printf(struct arena *a, const char *fmt, ...)
{
	_buf_ struct buf text = { 0 };
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&text, fmt, ap);
	va_end(ap);
	return text.failed ? NULL : arena_dup(a, text.data, text.len + 1);
}

size_t
arena_used(const struct arena *a)
{
	return a->used;
}

struct arena_mark
arena_mark(const struct arena *a)
{
	return (struct arena_mark){
		.block = a->blocks, .at = a->at, .left = a->left,
		.next = a->block_size, .used = a->used,
	};
}

void
arena_rewind(struct arena *a, const struct arena_mark *to)
{
	while (a->blocks != to->block) {
		struct block *b = a->blocks;

		a->blocks = b->next;
		free(b);
	}
	a->at = to->at;
	a->left = to->left;
	a->block_size = to->next;
	a->used = to->used;
	/* What is allocated is zeroed: that was, once. */
	if (a->left)
		memset(a->at, 0, a->left);
}

static bool
vec_grow(struct vec *v, struct arena *a, size_t size)
{
	size_t cap = VEC_FIRST;
	void *data;

	if (v->cap && __builtin_mul_overflow(v->cap, 2, &cap))
		return false;
	data = arena_array(a, cap, size);
	if (!data)
		return false;
	if (v->n)
		memcpy(data, v->data, v->n * size);
	v->data = data;
	v->cap = cap;
	return true;
}

void *
vec_add(struct vec *v, struct arena *a, size_t size)
{
	uint8_t *element;

	if (v->max && v->n >= v->max)
		return NULL;
	if (v->n == v->cap && !vec_grow(v, a, size))
		return NULL;
	element = (uint8_t *)v->data + v->n++ * size;
	/* Its place may have been used before: callers may lower @n. */
	memset(element, 0, size);
	return element;
}
