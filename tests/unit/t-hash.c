/* SPDX-License-Identifier: Apache-2.0 */
/* The contract of hashes, module ids and hex digits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "assert-err.h"

#define assert_hex(bytes, n, expected) check_hex(bytes, n, expected)

static void
check_hex(const void *bytes, size_t n, const char *expected)
{
	_buf_ struct buf text = { 0 };

	buf_hex(&text, bytes, n);
	assert_string_equal(text.data, expected);
}

static void
sha256_gives_the_published_digests(void **state)
{
	uint8_t out[SHA256_SIZE];

	(void)state;
	/* FIPS 180-4, examples */
	assert_ok(hash_sha256("abc", 3, out));
	assert_hex(out, sizeof(out), "ba7816bf8f01cfea414140de5dae2223"
		   "b00361a396177a9cb410ff61f20015ad");
	assert_ok(hash_sha256(NULL, 0, out));
	assert_hex(out, sizeof(out), "e3b0c44298fc1c149afbf4c8996fb924"
		   "27ae41e4649b934ca495991b7852b855");
}

static void
xxh128_gives_the_published_digest_in_canonical_order(void **state)
{
	uint8_t out[XXH128_SIZE];

	(void)state;
	/* xxHash specification: XXH3-128 of nothing with seed 0 */
	hash_xxh128(NULL, 0, out);
	assert_hex(out, sizeof(out), "99aa06d3014798d86001c324468d497f");
	/* As `xxhsum -H2` prints it */
	hash_xxh128("abc", 3, out);
	assert_hex(out, sizeof(out), "06b05ab6733a618578af5f94892f3950");
}

static void
running_xxh128_is_the_same_however_it_is_cut(void **state)
{
	uint8_t whole[XXH128_SIZE], running[XXH128_SIZE], data[5000];
	struct hash_xxh *h;

	(void)state;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 31);
	hash_xxh128(data, sizeof(data), whole);
	for (size_t step = 1; step < 3000; step = step * 3 + 1) {
		h = hash_xxh_new();
		assert_non_null(h);
		for (size_t i = 0; i < sizeof(data); i += step)
			hash_xxh_add(h, data + i, step < sizeof(data) - i ?
				     step : sizeof(data) - i);
		hash_xxh_add(h, NULL, 0);
		hash_xxh_end(h, running);
		hash_xxh_free(h);
		assert_memory_equal(running, whole, sizeof(whole));
	}
}

static void
running_sha256_is_the_same_however_it_is_cut(void **state)
{
	uint8_t data[300], whole[SHA256_SIZE], running[SHA256_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7);
	assert_ok(hash_sha256(data, sizeof(data), whole));
	for (size_t cut = 0; cut <= sizeof(data); cut += 50) {
		_hash_sha_ struct hash_sha *h = hash_sha_new();

		assert_non_null(h);
		assert_ok(hash_sha_add(h, data, cut));
		assert_ok(hash_sha_add(h, data + cut, sizeof(data) - cut));
		assert_ok(hash_sha_end(h, running));
		assert_memory_equal(running, whole, sizeof(whole));
	}
}

static void
ids_are_equal_by_kind_and_bytes(void **state)
{
	const struct module_id a = { ID_GNU_BUILD_ID, 2, { 1, 2, 3 } };
	const struct module_id same = { ID_GNU_BUILD_ID, 2, { 1, 2, 9 } };
	const struct module_id longer = { ID_GNU_BUILD_ID, 3, { 1, 2, 3 } };
	const struct module_id other = { ID_PDB, 2, { 1, 2, 3 } };
	const struct module_id none = { 0 };

	(void)state;
	assert_true(id_equal(&a, &same));
	assert_false(id_equal(&a, &longer));
	assert_false(id_equal(&a, &other));
	assert_false(id_equal(&a, &none));
	assert_true(id_equal(&none, &none));
}

static void
an_id_is_written_in_hex(void **state)
{
	const struct module_id id = { ID_GNU_BUILD_ID, 3, { 0xab, 0, 0x1f } };
	const struct module_id none = { .len = 3 };
	char out[2 * ID_MAX + 1];

	(void)state;
	id_text(&id, out);
	assert_string_equal(out, "ab001f");
	id_text(&none, out);
	assert_string_equal(out, "");
}

static void
an_id_with_an_impossible_length_stays_in_bounds(void **state)
{
	const struct module_id id = { ID_CONTENT, 255, { 0 } };
	char out[2 * ID_MAX + 1];

	(void)state;
	id_text(&id, out);
	assert_int_equal(strlen(out), 2 * ID_MAX);
	assert_false(id_equal(&id, &id));
}

static void
hex_numbers_fill_their_text(void **state)
{
	uint64_t v = 7;

	(void)state;
	assert_true(hex_u64("0", 1, &v));
	assert_int_equal(v, 0);
	assert_true(hex_u64("fFfffffffffffffe", 16, &v));
	assert_true(v == UINT64_MAX - 1);
	assert_true(hex_u64("1g", 1, &v));
	assert_int_equal(v, 1);
}

static void
other_hex_numbers_are_refused(void **state)
{
	static const char *const bad[] = {
		"", "g", "0x1", "-1", "+1", " 1", "1 ", "00000000000000001",
	};
	uint64_t v = 7;

	(void)state;
	for (size_t i = 0; i < countof(bad); i++)
		assert_false(hex_u64(bad[i], strlen(bad[i]), &v));
	assert_int_equal(v, 7);
}

static void
hex_bytes_are_pairs_of_digits(void **state)
{
	uint8_t out[2] = { 0 };

	(void)state;
	assert_true(hex_bytes("0aFf", 2, out));
	assert_memory_equal(out, "\x0a\xff", 2);
	assert_true(hex_bytes("", 0, out));
	assert_false(hex_bytes("0a0", 2, out));
	assert_false(hex_bytes("0a", 2, out));
	assert_false(hex_bytes("0x12", 2, out));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sha256_gives_the_published_digests),
		cmocka_unit_test(
			xxh128_gives_the_published_digest_in_canonical_order),
		cmocka_unit_test(running_xxh128_is_the_same_however_it_is_cut),
		cmocka_unit_test(running_sha256_is_the_same_however_it_is_cut),
		cmocka_unit_test(ids_are_equal_by_kind_and_bytes),
		cmocka_unit_test(an_id_is_written_in_hex),
		cmocka_unit_test(
			an_id_with_an_impossible_length_stays_in_bounds),
		cmocka_unit_test(hex_numbers_fill_their_text),
		cmocka_unit_test(other_hex_numbers_are_refused),
		cmocka_unit_test(hex_bytes_are_pairs_of_digits),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
