/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random operations on the store on disk and on the one in memory, which is
 * the model: both say the same of each, and hold the same at the end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "assert-err.h"
#include "make-object.h"
#include "temp-tree.h"

enum { FILES = 24, STEPS = 600, SIZE = 30000 };

struct pair {
	const char *dir;
	struct store *disk, *memory;
	uint64_t random;
	uint64_t object[FILES]; /* number of each file's object, 0 = none */
};

static uint64_t
draw(struct pair *p, uint64_t below)
{
	p->random = p->random * 6364136223846793005 + 1442695040888963407;
	return (p->random >> 33) % below;
}

/* A map so small that it grows many times. */
static const struct store_options options = {
	.create = true, .map_size = 1 << 16, .partition_size = 200000,
};

static void
disk_open(struct pair *p)
{
	assert_ok(store_open(p->dir, &options, &p->disk));
}

static struct store_ref
ref_of(const struct pair *p, uint64_t file)
{
	struct store_ref ref = { .project = "p", .number = p->object[file] };

	return ref;
}

/** The same kind of error, if any; true for success. Takes both. */
static bool
same(struct err *disk, struct err *memory)
{
	bool good = !disk;

	assert_int_equal(err_kind(disk), err_kind(memory));
	err_free(disk);
	err_free(memory);
	return good;
}

/* ---- operations ---- */
static void
do_put(struct pair *p, uint64_t file)
{
	struct store_added disk = { 0 }, memory = { 0 };

	assert_true(same(make_and_put(p->disk, "p", file, SIZE, &disk),
			 make_and_put(p->memory, "p", file, SIZE, &memory)));
	assert_int_equal(disk.ref.number, memory.ref.number);
	assert_int_equal(disk.known, memory.known);
	assert_int_equal(disk.added, memory.added);
	p->object[file] = disk.ref.number;
}

static void
do_rm(struct pair *p, uint64_t file)
{
	struct store_ref ref = ref_of(p, file);

	if (same(store_rm(p->disk, &ref), store_rm(p->memory, &ref)))
		p->object[file] = 0;
}

static void
do_get(struct pair *p, uint64_t file)
{
	struct store_ref ref = ref_of(p, file);

	same(make_and_check(p->disk, &ref, file, SIZE),
	     make_and_check(p->memory, &ref, file, SIZE));
}

static void
do_tag(struct pair *p, uint64_t file)
{
	struct store_ref ref = ref_of(p, file);
	char name[16];
	const char *tag = name;

	snprintf(name, sizeof(name), "t%d", (int)draw(p, 5));
	if (draw(p, 2))
		same(store_tag(p->disk, &ref, &tag, 1, NULL, 0),
		     store_tag(p->memory, &ref, &tag, 1, NULL, 0));
	else
		same(store_tag(p->disk, &ref, NULL, 0, &tag, 1),
		     store_tag(p->memory, &ref, NULL, 0, &tag, 1));
}

static void
do_sidecar(struct pair *p, uint64_t file)
{
	_made_ struct made m = { .n = 0 };
	struct store_ref ref = ref_of(p, file);
	struct store_sidecar c = { "k", "p", draw(p, 2), { 0 } };

	assert_ok(make_object(draw(p, FILES), draw(p, 2) * 20000 + 100, &m));
	c.bytes = (struct span){ m.bytes.data, m.bytes.len };
	same(store_put_sidecar(p->disk, &ref, &c),
	     store_put_sidecar(p->memory, &ref, &c));
}

static void
do_collect(struct pair *p, uint64_t file)
{
	struct store_gc disk = { 0 }, memory = { 0 };

	(void)file;
	same(store_collect(p->disk, NULL, NULL, NULL, &disk),
	     store_collect(p->memory, NULL, NULL, NULL, &memory));
	assert_int_equal(disk.freed, memory.freed);
	assert_int_equal(disk.moved, memory.moved);
}

static void
do_reopen(struct pair *p, uint64_t file)
{
	(void)file;
	store_free(p->disk);
	disk_open(p);
}

/** How often each is drawn. */
static const struct {
	unsigned weight;
	void (*run)(struct pair *p, uint64_t file);
} operations[] = {
	{ 8, do_put }, { 6, do_rm }, { 4, do_get }, { 3, do_tag },
	{ 3, do_sidecar }, { 1, do_collect }, { 1, do_reopen },
};

/* ---- what is there ---- */
static bool
tell_sidecar(void *arg, const struct store_sidecar *c)
{
	uint8_t hash[XXH128_SIZE];

	hash_xxh128(c->bytes.data, c->bytes.n, hash);
	buf_printf(arg, " %s/%u/%zu/%02x%02x", c->kind, c->version,
		   c->bytes.n, hash[0], hash[1]);
	return true;
}

struct teller {
	struct store *store;
	struct buf text;
};

static bool
tell_object(void *arg, const struct store_object *o)
{
	struct teller *t = arg;

	buf_printf(&t->text, "%llu", (unsigned long long)o->ref.number);
	for (size_t i = 0; i < o->n_tags; i++)
		buf_printf(&t->text, " %s", o->tags[i]);
	assert_ok(store_sidecars(t->store, &o->ref, tell_sidecar, &t->text));
	buf_puts(&t->text, "\n");
	return true;
}

static void
say_fault(void *arg, const char *sentence)
{
	(void)arg;
	print_error("%s\n", sentence);
}

static void
assert_same(struct pair *p)
{
	struct teller disk = { p->disk, { 0 } }, memory = { p->memory, { 0 } };
	struct store_verified v;

	assert_ok(store_list(p->disk, NULL, tell_object, &disk));
	assert_ok(store_list(p->memory, NULL, tell_object, &memory));
	buf_puts(&disk.text, ".");
	buf_puts(&memory.text, ".");
	assert_string_equal(disk.text.data, memory.text.data);
	buf_fini(&disk.text);
	buf_fini(&memory.text);
	assert_ok(store_verify(p->disk, NULL, say_fault, NULL, &v));
	assert_int_equal(v.faults, 0);
	assert_ok(store_verify(p->memory, NULL, say_fault, NULL, &v));
	assert_int_equal(v.faults, 0);
}

static void
step(struct pair *p)
{
	unsigned total = 0;
	uint64_t at, file = draw(p, FILES);

	for (size_t i = 0; i < countof(operations); i++)
		total += operations[i].weight;
	at = draw(p, total);
	for (size_t i = 0; i < countof(operations); i++) {
		if (at < operations[i].weight) {
			operations[i].run(p, file);
			return;
		}
		at -= operations[i].weight;
	}
}

static void
random_operations_have_the_same_end(void **state)
{
	struct pair p = { .dir = *state, .random = 20250101 };

	disk_open(&p);
	assert_ok(store_open("mem:", &options, &p.memory));
	do_put(&p, 0);
	for (unsigned i = 0; i < STEPS; i++) {
		step(&p);
		if (i % 100 == 99)
			assert_same(&p);
	}
	for (uint64_t file = 0; file < FILES; file++)
		if (p.object[file])
			do_get(&p, file);
	store_free(p.disk);
	store_free(p.memory);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			random_operations_have_the_same_end, temp_tree_setup,
			temp_tree_teardown),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
