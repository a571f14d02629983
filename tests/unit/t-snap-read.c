/* SPDX-License-Identifier: Apache-2.0 */
/* What a snapshot's writer was given, its reader shows again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <elf.h>
#include <string.h>

#include "tests/unit/assert-err.h"
#include "snapfmt/resolved.h"
#include "tests/unit/snap-sample.h"

/* The sample of each size, opened. */
struct fixture {
	struct buf bytes;
	struct source *src;
	struct snap *snap;
};
static struct fixture samples[2];

static int
open_samples(void **state)
{
	*state = samples;
	for (size_t i = 0; i < 2; i++) {
		struct fixture *f = &samples[i];

		assert_ok(sample_make(i ? SAMPLE_LARGE : SAMPLE_SMALL,
				      &f->bytes));
		assert_ok(source_mem(f->bytes.data, f->bytes.len, "sample",
				     &f->src));
		assert_ok(snap_open(f->src, &f->snap));
	}
	return 0;
}

static int
close_samples(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		snap_free(samples[i].snap);
		source_free(samples[i].src);
		buf_fini(&samples[i].bytes);
	}
	return 0;
}

static struct snap *
small(void **state)
{
	return ((struct fixture *)*state)[0].snap;
}

static struct snap *
large(void **state)
{
	return ((struct fixture *)*state)[1].snap;
}

static void
assert_span(struct span got, const void *data, size_t n)
{
	assert_int_equal(got.n, n);
	if (n)
		assert_memory_equal(got.data, data, n);
}

/* ---- records ---- */
static void
the_process_comes_back(void **state)
{
	const struct snap_process *p = snap_process(small(state));

	assert_int_equal(p->machine, EM_X86_64);
	assert_int_equal(p->os, SNAP_OS_LINUX);
	assert_int_equal(p->bits, 64);
	assert_int_equal(p->pid, 4711);
	assert_int_equal(p->ppid, 1);
	assert_int_equal(p->uid, 1000);
	assert_int_equal(p->gid, 100);
	assert_int_equal(p->faulting_tid, 0x100000001);
	assert_int_equal(p->signal, 11);
	assert_int_equal(p->signal_code, -6);
	assert_true(p->has_fault_address);
	assert_int_equal(p->fault_address, 0xdeadbeef000);
	assert_int_equal(p->captured_ns, 1700000000123456789);
	assert_string_equal(p->name, "say \"hi\"\n");
	assert_string_equal(p->arguments, "say --loud \xc3\xa4\xff");
	assert_string_equal(p->exe, "/usr/bin/say");
	assert_null(p->cwd);
}

static void
threads_come_back_with_their_registers(void **state)
{
	size_t n;
	const struct snap_thread *t = snap_threads(small(state), &n);

	assert_int_equal(n, 2);
	assert_int_equal(t[0].tid, 0x100000001);
	assert_int_equal(t[0].state, SNAP_STATE_STOPPED);
	assert_true(t[0].faulting);
	assert_int_equal(t[0].signal, 11);
	assert_string_equal(t[0].name, "main");
	assert_string_equal(t[0].kernel_stack, "do_wait\nx64_sys_call\n");
	assert_int_equal(t[0].siginfo.n, 128);
	assert_int_equal(t[0].n_regsets, 2);
	assert_int_equal(t[0].regsets[1].kind, NT_X86_XSTATE);
	assert_int_equal(t[0].regsets[1].bytes.n, 832);
	assert_int_equal(t[1].tid, 7);
	assert_int_equal(t[1].state, 77);
	assert_false(t[1].faulting);
	assert_null(t[1].name);
	assert_null(t[1].kernel_stack);
	assert_span(t[1].siginfo, NULL, 0);
	assert_int_equal(t[1].n_regsets, 1);
	assert_span(t[1].regsets[0].bytes, t[0].regsets[0].bytes.data, 216);
	assert_int_equal(((const uint8_t *)t[1].regsets[0].bytes.data)[2],
			 14);
}

static void
register_sets_are_aligned_for_structs(void **state)
{
	size_t n;
	const struct snap_thread *t = snap_threads(small(state), &n);

	for (size_t i = 0; i < t[0].n_regsets; i++)
		assert_int_equal((uintptr_t)t[0].regsets[i].bytes.data % 16,
				 0);
}

static void
maps_come_back(void **state)
{
	size_t n;
	const struct snap_map *m = snap_maps(large(state), &n);

	assert_int_equal(n, 100);
	assert_null(m[0].path);
	assert_int_equal(m[99].start, 0x400000 + 99 * 0x1000);
	assert_int_equal(m[99].end, 0x400000 + 100 * 0x1000);
	assert_int_equal(m[99].perm, SNAP_PERM_R | SNAP_PERM_X);
	assert_int_equal(m[99].offset, 99 * 0x1000);
	assert_int_equal(m[99].device, 0xfd01);
	assert_int_equal(m[99].inode, 99);
	assert_string_equal(m[99].path, "/usr/bin/say");
}

static void
equal_strings_are_stored_once(void **state)
{
	size_t n;
	const struct snap_map *m = snap_maps(large(state), &n);

	assert_ptr_equal(m[1].path, m[99].path);
	assert_ptr_equal(m[1].path, snap_process(large(state))->exe);
}

static void
modules_come_back_with_their_names(void **state)
{
	size_t n;
	const struct snap_module *m = snap_modules(small(state), &n);
	char id[2 * ID_MAX + 1];

	assert_int_equal(n, 2);
	id_text(&m[0].id, id);
	assert_string_equal(id, "dead0001");
	assert_int_equal(m[0].id.kind, ID_GNU_BUILD_ID);
	assert_int_equal(m[0].flags, SNAP_MODULE_MAIN);
	assert_int_equal(m[0].start, 0x400000);
	assert_int_equal(m[0].end, 0x403000);
	assert_int_equal(m[0].bias, 0x400000);
	assert_int_equal(m[0].dynamic, 0x402000);
	assert_int_equal(m[0].link_map, 0x7f0000001000);
	assert_int_equal(m[0].file_size, 0x3000);
	assert_string_equal(m[0].path, "/usr/bin/say");
	assert_int_equal(m[0].n_names, 2);
	assert_string_equal(m[0].names[0], "./say");
	assert_string_equal(m[0].names[1], "/proc/self/exe");
	assert_int_equal(m[0].skeleton, 0);
	assert_int_equal(m[1].id.kind, ID_NONE);
	assert_int_equal(m[1].id.len, 0);
	assert_int_equal(m[1].flags, SNAP_MODULE_VDSO);
	assert_string_equal(m[1].path, "");
	assert_int_equal(m[1].n_names, 0);
	assert_int_equal(m[1].skeleton, SNAP_NO_SKELETON);
}

static void
variables_come_back(void **state)
{
	size_t n;
	const struct snap_variable *v = snap_variables(small(state), &n);

	assert_int_equal(n, 2);
	assert_int_equal(v[0].tid, 7);
	assert_int_equal(v[0].depth, 0);
	assert_int_equal(v[0].kind, SNAP_VAR_ARGUMENT);
	assert_int_equal(v[0].state, SNAP_VALUE_KNOWN);
	assert_int_equal(v[0].address, 0x7ffe0000);
	assert_string_equal(v[0].name, "argc");
	assert_string_equal(v[0].type, "int");
	assert_string_equal(v[0].value, "1");
	assert_null(v[0].why);
	assert_string_equal(v[0].file, "say.c");
	assert_int_equal(v[0].line, 40);
	assert_int_equal(v[1].depth, UINT32_MAX);
	assert_int_equal(v[1].state, SNAP_VALUE_NOT_CAPTURED);
	assert_string_equal(v[1].name, "");
	assert_null(v[1].value);
}

static void
frames_come_back(void **state)
{
	size_t n;
	const struct snap_frame *f = snap_frames(small(state), &n);

	assert_int_equal(n, 2);
	assert_int_equal(f[0].tid, 7);
	assert_int_equal(f[0].depth, 0);
	assert_int_equal(f[0].how, SNAP_FRAME_TOP);
	assert_int_equal(f[0].flags, 0);
	assert_int_equal(f[0].module, 0);
	assert_int_equal(f[0].pc, 0x401234);
	assert_int_equal(f[0].cfa, 0x7ffe0010);
	assert_int_equal(f[0].function_offset, 0x34);
	assert_string_equal(f[0].function, "main");
	assert_string_equal(f[0].file, "say.c");
	assert_int_equal(f[0].line, 42);
	assert_int_equal(f[1].module, UINT32_MAX);
	assert_int_equal(f[1].flags, SNAP_FRAME_SIGNAL | SNAP_FRAME_SUSPECT);
	assert_null(f[1].function);
	assert_null(f[1].file);
}

static void
attributes_and_notes_come_back(void **state)
{
	size_t n;
	const struct snap_attr *a = snap_attrs(small(state), &n);

	assert_int_equal(n, 2);
	assert_string_equal(a[0].key, "host");
	assert_int_equal(a[0].type, SNAP_ATTR_STRING);
	assert_string_equal(a[0].string, "");
	assert_int_equal(a[1].type, SNAP_ATTR_I64);
	assert_int_equal(a[1].number, (uint64_t)-3);
	assert_null(a[1].string);

	const struct snap_note *o = snap_notes(small(state), &n);
	assert_int_equal(n, 1);
	assert_string_equal(o->key, "null");
	assert_string_equal(o->text, "reads through NULL");
	assert_int_equal(o->severity, SNAP_CRITICAL);
	assert_int_equal(o->tid, 7);
	assert_int_equal(o->depth, UINT32_MAX);
	assert_int_equal(o->address, 0x10);
}

static void
provenance_and_auxv_come_back(void **state)
{
	const struct snap_provenance *p = snap_provenance(small(state));

	assert_string_equal(p->producer, "inquest 0.1.0");
	assert_string_equal(p->source, "elf-core");
	assert_string_equal(p->source_name, "core.4711");
	assert_int_equal(p->created_ns, 1700000001000000000);
	assert_int_equal(p->pause_ns, 1500000);
	assert_int_equal(p->series, 0x77);
	assert_int_equal(p->series_index, 3);
	assert_span(snap_auxv(small(state)),
		    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", 32);
}

static void
texts_come_back(void **state)
{
	size_t n;
	const struct snap_blob *t = snap_texts(large(state), &n);

	assert_int_equal(n, 2);
	assert_string_equal(t[0].name, "status");
	assert_int_equal(t[0].bytes.n, 20000);
	assert_int_equal(((const char *)t[0].bytes.data)[19999], 'x');
	assert_string_equal(t[1].name, "empty");
	assert_span(t[1].bytes, NULL, 0);
}

static void
attached_files_come_on_demand(void **state)
{
	size_t n;
	const struct snap_blob *f = snap_files(large(state), &n);
	struct span bytes, again;

	assert_int_equal(n, 2);
	assert_string_equal(f[0].name, "log/today");
	assert_int_equal(f[0].bytes.n, 20000);
	assert_null(f[0].bytes.data);
	assert_ok(snap_file(large(state), 0, &bytes));
	assert_int_equal(bytes.n, 20000);
	assert_int_equal(((const char *)bytes.data)[19999], 'x');
	assert_ok(snap_file(large(state), 0, &again));
	assert_ptr_equal(bytes.data, again.data);
	assert_ok(snap_file(large(state), 1, &bytes));
	assert_int_equal(bytes.n, 0);
	assert_err(snap_file(large(state), 2, &bytes), ERR_NOTFOUND,
		   "no file 2");
}

static void
skeletons_come_on_demand(void **state)
{
	const struct snap_extent *e, *again;
	size_t n;

	assert_ok(snap_skeleton(large(state), 0, &e, &n));
	assert_int_equal(n, 2);
	assert_span(e[0].bytes, "\177ELF", 4);
	assert_int_equal(e[1].offset, 0x1000);
	assert_int_equal(e[1].bytes.n, 3 * SNAP_CHUNK);
	assert_int_equal(((const uint8_t *)e[1].bytes.data)[1600], 100);
	assert_ok(snap_skeleton(large(state), 0, &again, &n));
	assert_ptr_equal(e, again);
	assert_err(snap_skeleton(large(state), 1, &e, &n), ERR_NOTFOUND,
		   "no skeleton 1");
}

static void
a_snapshot_of_nothing_reads_as_nothing(void **state)
{
	_buf_ struct buf bytes = { 0 };
	_snap_writer_ struct snap_writer *w = NULL;
	_source_ struct source *src = NULL;
	_snap_ struct snap *s = NULL;
	size_t n = 1;

	(void)state;
	assert_ok(snap_writer_new(sample_sink, &bytes, 0, &w));
	assert_ok(snap_writer_close(w));
	assert_ok(source_mem(bytes.data, bytes.len, "empty", &src));
	assert_ok(snap_open(src, &s));
	snap_threads(s, &n);
	assert_int_equal(n, 0);
	snap_memory(s, &n);
	assert_int_equal(n, 0);
	assert_int_equal(snap_process(s)->pid, 0);
	assert_string_equal(snap_process(s)->name, "");
	assert_string_equal(snap_provenance(s)->producer, "");
	assert_int_equal(snap_auxv(s).n, 0);
}

/* ---- memory ---- */
static const struct snap_memory *
range_at(struct snap *s, uint64_t start)
{
	size_t n;
	const struct snap_memory *m = snap_memory(s, &n);

	for (size_t i = 0; i < n; i++)
		if (m[i].start == start)
			return &m[i];
	fail_msg("no range at 0x%llx", (unsigned long long)start);
	return NULL;
}

static void
assert_bytes(struct snap *s, const struct snap_memory *m, uint64_t off,
	     size_t n)
{
	uint8_t bytes[SAMPLE_LARGE_SIZE];

	assert_ok(snap_read(s, m, off, n, bytes));
	for (size_t i = 0; i < n; i++)
		assert_int_equal(bytes[i], sample_byte(m->start + off + i));
}

static void
memory_reads_at_any_offset_and_length(void **state)
{
	static const size_t lengths[] = {
		0, 1, 7, 4096, SNAP_CHUNK, SNAP_CHUNK + 1, 3 * SNAP_CHUNK,
	};
	struct snap *s = large(state);
	const struct snap_memory *m = range_at(s, SAMPLE_LARGE_DATA);

	assert_int_equal(m->length, SAMPLE_LARGE_SIZE);
	assert_int_equal(m->flags, SNAP_MEM_FROM_FILE);
	for (size_t i = 0; i < countof(lengths); i++)
		for (uint64_t off = 0; off + lengths[i] <= m->length;
		     off += 4093)
			assert_bytes(s, m, off, lengths[i]);
	assert_bytes(s, m, 0, m->length);
	assert_bytes(s, m, m->length - 1, 1);
}

static void
memory_reads_on_after_a_rest(void **state)
{
	struct snap *s = large(state);
	const struct snap_memory *m = range_at(s, SAMPLE_LARGE_DATA);
	const struct snap_extent *extents;
	size_t n;

	assert_bytes(s, m, 0, SNAP_CHUNK);
	snap_rest(s);
	snap_rest(s);
	assert_bytes(s, m, 7, m->length - 7);
	snap_rest(s);
	assert_ok(snap_skeleton(s, 0, &extents, &n));
}

static void
a_zero_range_reads_as_zeros(void **state)
{
	uint8_t bytes[16], zero[16] = { 0 };
	const struct snap_memory *m = range_at(small(state), SAMPLE_ZERO);

	memset(bytes, 1, sizeof(bytes));
	assert_int_equal(m->kind, SNAP_MEM_ZERO);
	assert_ok(snap_read(small(state), m, 8, sizeof(bytes), bytes));
	assert_memory_equal(bytes, zero, sizeof(zero));
}

static void
absent_and_file_ranges_do_not_read(void **state)
{
	struct snap *s = small(state);
	uint8_t byte = 0x5a;

	assert_err(snap_read(s, range_at(s, SAMPLE_ABSENT), 0, 1, &byte),
		   ERR_ABSENT, "0x500000 is not in the snapshot (budget)");
	assert_err(snap_read(s, range_at(s, SAMPLE_FILE), 0, 1, &byte),
		   ERR_ABSENT, "0x400000 is not in the snapshot");
	assert_int_equal(byte, 0x5a);
}

static void
a_read_beyond_its_range_is_refused(void **state)
{
	struct snap *s = small(state);
	const struct snap_memory *m = range_at(s, SAMPLE_DATA);
	uint8_t bytes[0x101];

	assert_err(snap_read(s, m, 0, 0x101, bytes), ERR_FAILED, "beyond");
	assert_err(snap_read(s, m, 0x101, 0, bytes), ERR_FAILED, "beyond");
	assert_err(snap_read(s, m, UINT64_MAX, 2, bytes), ERR_FAILED,
		   "beyond");
	assert_ok(snap_read(s, m, 0x100, 0, bytes));
}

/* ---- sources ---- */
struct counting {
	const struct buf *bytes;
	size_t reads;
};

static struct err *
count_fetch(void *arg, uint64_t off, size_t n, void *out)
{
	struct counting *c = arg;

	memcpy(out, c->bytes->data + off, n);
	c->reads++;
	return NULL;
}

static void
a_chunk_is_fetched_once_while_it_is_read_on(void **state)
{
	struct counting c = { .bytes = &((struct fixture *)*state)[1].bytes };
	_source_ struct source *src = NULL;
	_snap_ struct snap *s = NULL;

	assert_ok(source_fetch(count_fetch, NULL, &c, c.bytes->len, "fetched",
			       &src));
	assert_ok(snap_open(src, &s));
	c.reads = 0;
	const struct snap_memory *m = range_at(s, SAMPLE_LARGE_DATA);
	for (uint64_t off = 0; off + 8 <= m->length; off += 8)
		assert_bytes(s, m, off, 8);
	assert_int_equal(c.reads, 6);
}

static void
other_files_are_not_taken_for_snapshots(void **state)
{
	_source_ struct source *elf = NULL, *empty = NULL;

	assert_ok(source_mem("\177ELF, and more of it", 20, "elf", &elf));
	assert_ok(source_mem("", 0, "empty", &empty));
	assert_false(snap_is(elf));
	assert_false(snap_is(empty));
	assert_true(snap_is(((struct fixture *)*state)->src));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_process_comes_back),
		cmocka_unit_test(threads_come_back_with_their_registers),
		cmocka_unit_test(register_sets_are_aligned_for_structs),
		cmocka_unit_test(maps_come_back),
		cmocka_unit_test(equal_strings_are_stored_once),
		cmocka_unit_test(modules_come_back_with_their_names),
		cmocka_unit_test(frames_come_back),
		cmocka_unit_test(variables_come_back),
		cmocka_unit_test(attributes_and_notes_come_back),
		cmocka_unit_test(provenance_and_auxv_come_back),
		cmocka_unit_test(texts_come_back),
		cmocka_unit_test(attached_files_come_on_demand),
		cmocka_unit_test(skeletons_come_on_demand),
		cmocka_unit_test(a_snapshot_of_nothing_reads_as_nothing),
		cmocka_unit_test(memory_reads_at_any_offset_and_length),
		cmocka_unit_test(memory_reads_on_after_a_rest),
		cmocka_unit_test(a_zero_range_reads_as_zeros),
		cmocka_unit_test(absent_and_file_ranges_do_not_read),
		cmocka_unit_test(a_read_beyond_its_range_is_refused),
		cmocka_unit_test(a_chunk_is_fetched_once_while_it_is_read_on),
		cmocka_unit_test(other_files_are_not_taken_for_snapshots),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, open_samples, close_samples);
}
