/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contract of the documents a client reads in pieces, and of the ids in
 * them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "assert-err.h"
#include "make-served.h"

static int
setup(void **state)
{
	struct served *s = malloc(sizeof(*s));

	served_init(s);
	*state = s;
	return 0;
}

static int
teardown(void **state)
{
	served_close(*state);
	free(*state);
	return 0;
}

static void
pieces_of_any_size_make_the_same_document(void **state)
{
	static const char *const objects[] = {
		"features:read:target.xml", "threads:read:", "auxv:read:",
		"libraries-svr4:read:", "exec-file:read:1092",
		"osdata:read:", "osdata:read:threads", "siginfo:read:",
	};
	static const size_t sizes[] = { 7, 255, 0x1000 };
	struct served *s = *state;

	assert_ok(served_open(s, NULL));
	for (size_t k = 0; k < countof(objects); k++) {
		assert_non_null(served_object(s, objects[k], 0x3f00));
		_buf_ struct buf whole = { 0 };
		buf_put(&whole, s->reply.data, s->reply.len);
		for (size_t n = 0; n < countof(sizes); n++) {
			stub_rest(s->stub);
			assert_non_null(served_object(s, objects[k],
						      sizes[n]));
			assert_int_equal(s->reply.len, whole.len);
			assert_memory_equal(s->reply.data, whole.data,
					    whole.len);
		}
	}
}

static uint64_t
attribute(const char *element, const char *name)
{
	const char *at = strstr(element, name);

	return at && at < strchr(element, '>')
	       ? strtoull(at + strlen(name), NULL, 10) : UINT64_MAX;
}

/* Bytes of all registers of the description, which must stand in the order
 * and at the places of g; @places = it tells them. */
static size_t
described_bytes(const char *xml, bool places)
{
	size_t bytes = 0, n = 0;

	for (; (xml = strstr(xml, "<reg ")); xml++, n++) {
		if (places) {
			assert_int_equal(attribute(xml, "offset=\""), bytes);
			assert_int_equal(attribute(xml, "regnum=\""), n);
		}
		bytes += attribute(xml, "bitsize=\"") / 8;
	}
	return bytes;
}

static void
the_description_fits_the_register_packet(void **state)
{
	const char *const features = "features:read:target.xml";
	struct served *s = *state;

	assert_ok(served_open(s, NULL));
	assert_non_null(served_ask(s, "g"));
	size_t bytes = s->reply.len / 2;
	assert_int_equal(described_bytes(served_object(s, features, 4096),
					 false), bytes);
	assert_null(strstr(s->reply.data, "offset="));
	assert_non_null(strstr(s->reply.data, "<osabi>GNU/Linux</osabi>"));
}

static void
lldb_is_told_the_places_of_registers(void **state)
{
	struct served *s = *state;
	const char *xml;

	assert_ok(served_open(s, NULL));
	assert_non_null(served_ask(s, "qSupported:multiprocess+"));
	assert_non_null(served_ask(s, "g"));
	size_t bytes = s->reply.len / 2;
	xml = served_object(s, "features:read:target.xml", 4096);
	assert_int_equal(described_bytes(xml, true), bytes);
	assert_non_null(strstr(xml, "generic=\"pc\""));
	assert_non_null(strstr(xml, "ehframe_regnum=\"16\""));
}

static void
registers_that_were_not_captured_are_unavailable(void **state)
{
	struct served *s = *state;

	s->threads[0].n_regsets = 1;            /* no floating point */
	assert_ok(served_open(s, NULL));
	assert_string_equal(served_ask(s, "p20"), "xxxxxxxx");
	assert_string_equal(served_ask(s, "p10"), "0010000000000000");
	assert_non_null(strstr(served_ask(s, "g"), "xxxx"));
}

static void
a_whole_set_of_registers_is_written_and_read_back(void **state)
{
	struct served *s = *state;
	_buf_ struct buf packet = { 0 };

	assert_ok(served_open(s, NULL));
	assert_non_null(served_ask(s, "g"));
	buf_putc(&packet, 'G');
	buf_put(&packet, s->reply.data, s->reply.len);
	memcpy(packet.data + 1, "8877665544332211", 16);        /* rax */
	assert_string_equal(served_ask(s, packet.data), "OK");
	assert_string_equal(served_ask(s, "g"), packet.data + 1);
	assert_string_equal(served_ask(s, "p0"), "8877665544332211");
	/* One byte less writes nothing. */
	memcpy(packet.data + 1, "0000000000000000", 16);
	packet.data[packet.len - 2] = '\0';
	assert_string_equal(served_ask(s, packet.data), "E01");
	assert_string_equal(served_ask(s, "p0"), "8877665544332211");
}

/* ---- ids --------------------------------------------------------------- */
static void
ids_that_cannot_be_used_are_replaced(void **state)
{
	struct served *s = *state;

	s->target.process.pid = 0;
	s->threads[0].tid = 7;
	s->threads[1].tid = 7;
	s->threads[2].tid = 0;
	assert_ok(served_open(s, NULL));
	assert_non_null(served_ask(s, "qSupported:multiprocess+;"
				   "vContSupported+"));
	assert_string_equal(served_ask(s, "qfThreadInfo"),
			    "mp3e8.7,p3e8.9,p3e8.8");
	assert_string_equal(served_ask(s, "Hgp3e8.9"), "OK");
	assert_string_equal(served_ask(s, "p10"), "1010000000000000");
}

static void
ids_beyond_the_clients_numbers_are_replaced(void **state)
{
	struct served *s = *state;

	s->target.process.pid = UINT64_C(1) << 40;
	s->threads[0].tid = UINT64_MAX;
	s->threads[1].tid = UINT64_C(1) << 63;
	assert_ok(served_open(s, NULL));
	assert_non_null(served_ask(s, "qSupported:multiprocess+;"
				   "vContSupported+"));
	assert_string_equal(served_ask(s, "qfThreadInfo"),
			    "mp3e8.1096,p3e8.1095,p3e8.1094");
	assert_string_equal(served_ask(s, "Tp3e8.1096"), "OK");
}

static void
the_stop_is_told_by_gdbs_number_of_the_signal(void **state)
{
	static const struct {
		uint8_t os;
		int host;
		const char *told;
	} rows[] = {
		{ SNAP_OS_LINUX, 7, "T0a" },    /* SIGBUS */
		{ SNAP_OS_LINUX, 10, "T1e" },   /* SIGUSR1 */
		{ SNAP_OS_LINUX, 31, "T0c" },   /* SIGSYS */
		{ SNAP_OS_LINUX, 32, "T4d" },   /* SIG32 */
		{ SNAP_OS_LINUX, 34, "T2e" },   /* SIG34 */
		{ SNAP_OS_LINUX, 64, "T4e" },   /* SIG64 */
		{ SNAP_OS_LINUX, 99, "T8f" },   /* unknown */
		{ SNAP_OS_LINUX, 0, "T00" },
		{ SNAP_OS_FREEBSD, 10, "T0a" }, /* SIGBUS */
		{ SNAP_OS_FREEBSD, 34, "T8f" },
	};

	for (size_t k = 0; k < countof(rows); k++) {
		struct served *s = *state;

		served_close(s);
		served_init(s);
		s->target.process.os = rows[k].os;
		s->target.process.signal = rows[k].host;
		s->threads[0].signal = rows[k].host;
		assert_ok(served_open(s, NULL));
		assert_non_null(served_ask(s, "?"));
		assert_memory_equal(s->reply.data, rows[k].told, 3);
	}
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(pieces_of_any_size_make_the_same_document),
		TEST(the_description_fits_the_register_packet),
		TEST(lldb_is_told_the_places_of_registers),
		TEST(registers_that_were_not_captured_are_unavailable),
		TEST(a_whole_set_of_registers_is_written_and_read_back),
		TEST(ids_that_cannot_be_used_are_replaced),
		TEST(ids_beyond_the_clients_numbers_are_replaced),
		TEST(the_stop_is_told_by_gdbs_number_of_the_signal),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
