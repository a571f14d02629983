/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contract of capture_core(): what was captured is in the core, what was
 * not is nowhere, and what is read back is what was written.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <elf.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "assert-err.h"
#include "capture/capture.h"
#include "make-served.h"

#define PAGE 0x1000u

struct written {
	struct served from;
	struct target_ops ops;          /* that a test may change */
	int fd;
	struct source *source;
	struct target *back;            /* the core, read again */
	Elf64_Ehdr header;
	Elf64_Phdr *segments;
	size_t n;
};

static int
setup(void **state)
{
	struct written *w = calloc(1, sizeof(*w));

	served_init(&w->from);
	w->ops = *w->from.target.ops;
	w->from.target.ops = &w->ops;
	w->fd = memfd_create("core", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	assert_true(w->fd >= 0);
	*state = w;
	return 0;
}

static int
teardown(void **state)
{
	struct written *w = *state;

	target_free(w->back);
	source_free(w->source);
	served_close(&w->from);
	free(w->segments);
	close(w->fd);
	free(w);
	return 0;
}

static struct err *
write_core(struct written *w)
{
	const struct insp_options options = { .supply = &w->from.supply };

	assert_ok(insp_open(&w->from.target, &options, &w->from.insp));
	return capture_core(w->from.insp, w->fd);
}

static void
read_segments(struct written *w)
{
	Elf64_Shdr first;

	assert_ok(source_read(w->source, 0, sizeof(w->header), &w->header));
	w->n = w->header.e_phnum;
	if (w->n == PN_XNUM) {
		assert_ok(source_read(w->source, w->header.e_shoff,
				      sizeof(first), &first));
		w->n = first.sh_info;
	}
	w->segments = calloc(w->n, sizeof(*w->segments));
	assert_ok(source_read(w->source, w->header.e_phoff,
			      w->n * sizeof(*w->segments), w->segments));
}

/* Write, and read back what was written. */
static void
round_trip(struct written *w)
{
	assert_ok(write_core(w));
	assert_ok(source_fd(dup(w->fd), "core", &w->source));
	read_segments(w);
	assert_ok(target_open(w->source, &w->back));
}

static const Elf64_Phdr *
segment_at(const struct written *w, uint64_t addr)
{
	for (size_t k = 0; k < w->n; k++) {
		const Elf64_Phdr *ph = &w->segments[k];

		if (ph->p_type == PT_LOAD && addr >= ph->p_vaddr
		    && addr - ph->p_vaddr < ph->p_memsz)
			return ph;
	}
	return NULL;
}

static uint8_t
byte_at(const struct written *w, uint64_t addr)
{
	const Elf64_Phdr *ph = segment_at(w, addr);
	uint8_t byte;

	assert_non_null(ph);
	assert_true(addr - ph->p_vaddr < ph->p_filesz);
	assert_ok(source_read(w->source, ph->p_offset + (addr - ph->p_vaddr), 1,
			      &byte));
	return byte;
}

/* ---- memory --------------------------------------------------------------- */
static void
captured_bytes_are_in_the_core(void **state)
{
	static const uint64_t addrs[] = { 0x1000, 0x1fff, 0x2000, 0x2abc,
					  0x8000, 0x8fff };
	struct written *w = *state;

	round_trip(w);
	for (size_t k = 0; k < countof(addrs); k++)
		assert_int_equal(byte_at(w, addrs[k]), served_byte(addrs[k]));
	assert_int_equal(byte_at(w, 0x5000), 0);
	assert_int_equal(byte_at(w, 0x5fff), 0);
}

static void
segments_have_the_permissions_of_their_mappings(void **state)
{
	struct written *w = *state;

	round_trip(w);
	assert_int_equal(segment_at(w, 0x1000)->p_flags, PF_R | PF_X);
	assert_int_equal(segment_at(w, 0x2000)->p_flags, PF_R | PF_W);
	assert_int_equal(segment_at(w, 0x5000)->p_flags, PF_R | PF_W);
	for (size_t k = 1; k < w->n; k++)
		assert_int_equal(w->segments[k].p_offset % PAGE,
				 w->segments[k].p_vaddr % PAGE);
}

static void
zeros_are_holes(void **state)
{
	struct written *w = *state;

	round_trip(w);
	off_t at = (off_t)segment_at(w, 0x5000)->p_offset;
	assert_int_equal(lseek(w->fd, at, SEEK_HOLE), at);
}

static void
what_was_not_captured_has_no_segment(void **state)
{
	struct written *w = *state;

	round_trip(w);
	assert_null(segment_at(w, 0x3000));
	for (size_t k = 1; k < w->n; k++)
		assert_int_equal(w->segments[k].p_filesz,
				 w->segments[k].p_memsz);
}

/* A debugger looks for it in the file, which it finds by NT_FILE. */
static void
constants_of_a_file_have_a_segment_without_bytes(void **state)
{
	static const struct snap_map maps[] = {
		{ .start = 0x1000, .end = 0x6000, .perm = SNAP_PERM_R,
		  .path = "/bin/served" },
	};
	struct written *w = *state;

	w->from.target.maps = maps;
	w->from.target.n_maps = 1;
	round_trip(w);
	/* Bytes, then none: one segment that is longer in memory. */
	assert_int_equal(segment_at(w, 0x3000)->p_filesz, 0x2000);
	assert_int_equal(segment_at(w, 0x3000)->p_memsz, 0x3000);
	assert_int_equal(w->back->n_maps > 0, true);
	assert_string_equal(w->back->maps[0].path, "/bin/served");
	for (size_t k = 0; k < w->back->n_memory; k++)
		if (w->back->memory[k].start == 0x3000)
			assert_int_equal(w->back->memory[k].kind,
					 SNAP_MEM_ABSENT);
}

/* Else a debugger would show the file's bytes for the process's. */
static void
variables_that_were_not_captured_are_in_no_file(void **state)
{
	static const struct snap_map maps[] = {
		{ .start = 0x2000, .end = 0x4000, .offset = 0x7000,
		  .perm = SNAP_PERM_R | SNAP_PERM_W, .path = "/bin/served" },
	};
	struct written *w = *state;

	w->from.target.maps = maps;
	w->from.target.n_maps = 1;
	round_trip(w);
	assert_null(segment_at(w, 0x3000));
	for (size_t k = 0; k < w->back->n_maps; k++) {
		const struct snap_map *m = &w->back->maps[k];

		assert_false(m->start <= 0x3000 && 0x3000 < m->end);
		if (m->start == 0x2000)
			assert_int_equal(m->offset, 0x7000);
	}
}

static struct err *
read_first_page_only(struct target *t, size_t range, uint64_t off, size_t n,
		     void *out)
{
	(void)out;
	if (t->memory[range].start + off + n > 0x2000)
		return err_new(ERR_DAMAGED, "a chunk is damaged");
	memset(out, 0x5a, n);
	return NULL;
}

static void
memory_that_cannot_be_read_is_left_out(void **state)
{
	static const struct snap_memory memory[] = {
		{ .start = 0x1000, .length = 0x1000, .kind = SNAP_MEM_DATA },
		{ .start = 0x2000, .length = 0x1000, .kind = SNAP_MEM_DATA },
	};
	struct written *w = *state;

	w->from.target.memory = memory;
	w->from.target.n_memory = countof(memory);
	w->ops.read = read_first_page_only;
	round_trip(w);
	assert_int_equal(byte_at(w, 0x1234), 0x5a);
	assert_null(segment_at(w, 0x2000));
}

static void
more_segments_than_a_header_can_count_are_read_back(void **state)
{
	enum { N = 70000 };
	struct snap_memory *memory = calloc(N, sizeof(*memory));
	struct written *w = *state;

	for (size_t k = 0; k < N; k++)
		memory[k] = (struct snap_memory){
			.start = 0x10000 + 0x2000 * k, .length = PAGE,
			.kind = SNAP_MEM_ZERO };
	w->from.target.memory = memory;
	w->from.target.n_memory = N;
	w->from.target.n_maps = 0;
	round_trip(w);
	assert_int_equal(w->header.e_phnum, PN_XNUM);
	assert_int_equal(w->n, N + 1);
	assert_int_equal(w->back->n_memory, N);
	free(memory);
}

/* ---- notes ------------------------------------------------------------------ */
static void
the_process_is_read_back(void **state)
{
	struct written *w = *state;

	round_trip(w);
	const struct snap_process *p = &w->back->process;
	assert_int_equal(p->pid, 4242);
	assert_int_equal(p->ppid, 1);
	assert_int_equal(p->uid, 33);
	assert_int_equal(p->gid, 34);
	assert_int_equal(p->signal, 11);
	assert_int_equal(p->faulting_tid, 4243);
	assert_string_equal(p->name, "served");
	assert_string_equal(p->arguments, "served one two ");
	assert_int_equal(w->back->auxv.n, w->from.target.auxv.n);
	assert_int_equal(w->header.e_machine, EM_X86_64);
}

static void
a_long_name_is_cut(void **state)
{
	struct written *w = *state;

	w->from.target.process.name = "a-name-of-more-than-15";
	w->from.target.process.arguments = NULL;
	round_trip(w);
	assert_string_equal(w->back->process.name, "a-name-of-more-");
	assert_string_equal(w->back->process.arguments, "");
}

static void
threads_are_read_back_with_their_registers(void **state)
{
	struct written *w = *state;

	round_trip(w);
	assert_int_equal(w->back->n_threads, SERVED_THREADS);
	for (size_t k = 0; k < SERVED_THREADS; k++) {
		const struct snap_thread *one = &w->from.threads[k];
		const struct snap_thread *other = &w->back->threads[k];

		assert_int_equal(other->tid, one->tid);
		assert_int_equal(other->faulting, one->faulting);
		assert_int_equal(other->siginfo.n, one->siginfo.n);
		assert_int_equal(other->n_regsets, one->n_regsets);
		for (size_t r = 0; r < one->n_regsets; r++) {
			struct span a = one->regsets[r].bytes;
			struct span b = other->regsets[r].bytes;

			assert_int_equal(other->regsets[r].kind,
					 one->regsets[r].kind);
			assert_int_equal(a.n, b.n);
			assert_memory_equal(a.data, b.data, a.n);
		}
	}
}

static void
a_thread_without_registers_is_left_out(void **state)
{
	struct written *w = *state;

	w->from.threads[1].n_regsets = 0;
	round_trip(w);
	assert_int_equal(w->back->n_threads, SERVED_THREADS - 1);
	assert_int_equal(w->back->threads[1].tid, 4244);
}

/* ---- refusals ----------------------------------------------------------------- */
static void
other_systems_have_no_such_core(void **state)
{
	struct written *w = *state;

	w->from.target.process.os = SNAP_OS_FREEBSD;
	assert_err(write_core(w), ERR_UNSUPPORTED, "Linux");
	assert_int_equal(lseek(w->fd, 0, SEEK_END), 0);
}

static void
a_file_that_cannot_be_written_is_said(void **state)
{
	struct written *w = *state;

	assert_int_equal(fcntl(w->fd, F_ADD_SEALS, F_SEAL_WRITE), 0);
	assert_err(write_core(w), ERR_DENIED, "");
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(captured_bytes_are_in_the_core),
		TEST(segments_have_the_permissions_of_their_mappings),
		TEST(zeros_are_holes),
		TEST(what_was_not_captured_has_no_segment),
		TEST(constants_of_a_file_have_a_segment_without_bytes),
		TEST(variables_that_were_not_captured_are_in_no_file),
		TEST(memory_that_cannot_be_read_is_left_out),
		TEST(more_segments_than_a_header_can_count_are_read_back),
		TEST(the_process_is_read_back),
		TEST(a_long_name_is_cut),
		TEST(threads_are_read_back_with_their_registers),
		TEST(a_thread_without_registers_is_left_out),
		TEST(other_systems_have_no_such_core),
		TEST(a_file_that_cannot_be_written_is_said),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
