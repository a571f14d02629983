/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contract of capture_save(), on a target made by hand: what is written
 * is read back the same, pages of files are references where they may be, and
 * what is missing stays missing, with its reason.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <elf.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "assert-err.h"
#include "capture/capture.h"
#include "inspect/impl.h"

#define PAGE 4096u

/* Where things are in the process that never was. */
enum {
	SAME = 0x400000,        /* 3 pages of code, one byte changed */
	RODATA = 0x500000,      /* a page of the file, no code */
	TEXT = 0x600000,        /* 2 pages, not captured; the pc is here */
	STACK = 0x700000,       /* 16 KiB */
	DONTDUMP = 0x800000,    /* a page */
	BROKEN = 0x900000,      /* 32 KiB, of which the second half fails */
};
enum { TEXT_OFFSET = 0x1000, CHANGED = SAME + PAGE + 100 };

static const struct snap_memory memory[] = {
	{ .start = SAME, .length = 3 * PAGE, .kind = SNAP_MEM_DATA },
	{ .start = RODATA, .length = PAGE, .kind = SNAP_MEM_DATA },
	{ .start = TEXT, .length = 2 * PAGE, .kind = SNAP_MEM_ABSENT,
	  .reason = SNAP_ABSENT_FILTER },
	{ .start = STACK, .length = 4 * PAGE, .kind = SNAP_MEM_DATA },
	{ .start = DONTDUMP, .length = PAGE, .kind = SNAP_MEM_ABSENT,
	  .reason = SNAP_ABSENT_DONTDUMP },
	{ .start = BROKEN, .length = 8 * PAGE, .kind = SNAP_MEM_DATA },
};

static const char exe[] = "/proc/self/exe";
static const struct snap_map maps[] = {
	{ .start = SAME, .end = SAME + 3 * PAGE,
	  .perm = SNAP_PERM_R | SNAP_PERM_X, .path = exe },
	{ .start = RODATA, .end = RODATA + PAGE, .perm = SNAP_PERM_R,
	  .path = exe },
	{ .start = TEXT, .end = TEXT + 2 * PAGE,
	  .perm = SNAP_PERM_R | SNAP_PERM_X, .offset = TEXT_OFFSET,
	  .path = exe },
	{ .start = STACK, .end = STACK + 4 * PAGE,
	  .perm = SNAP_PERM_R | SNAP_PERM_W },
	{ .start = DONTDUMP, .end = DONTDUMP + PAGE, .perm = SNAP_PERM_R },
	{ .start = BROKEN, .end = BROKEN + 8 * PAGE, .perm = SNAP_PERM_R },
};

struct made {
	struct target target;   /* first: its operations get here */
	struct source *file;    /* this very program */
	struct snap_module module;
	struct snap_thread thread;
	struct snap_regset set;
	uint64_t regs[27];      /* as in a prstatus: struct user_regs_struct */
};

static struct err *
made_read(struct target *t, size_t range, uint64_t off, size_t n, void *out)
{
	struct made *m = (struct made *)t;
	uint64_t addr = memory[range].start + off;

	if (addr >= BROKEN + 4 * PAGE)
		return err_new(ERR_DAMAGED, "a checksum is wrong");
	if (addr >= STACK) {
		for (size_t k = 0; k < n; k++)
			((uint8_t *)out)[k] = (uint8_t)((addr + k) * 7 + 1);
		return NULL;
	}
	assert_ok(source_read(m->file, off, n, out));
	if (addr <= CHANGED && CHANGED < addr + n)
		((uint8_t *)out)[CHANGED - addr] ^= 0xff;
	return NULL;
}

static void
made_close(struct target *t)
{
	source_free(((struct made *)t)->file);
	free(t);
}

static const struct target_ops made_ops = {
	.kind = "made", .read = made_read, .close = made_close,
};

static void
made_module(struct made *m)
{
	Elf *elf = elf_begin(source_descriptor(m->file), ELF_C_READ_MMAP, NULL);

	m->module.path = exe;
	m->module.start = SAME;
	m->module.end = TEXT + 2 * PAGE;
	m->module.skeleton = SNAP_NO_SKELETON;
	files_id(elf, &m->module.id);
	assert_int_equal(m->module.id.kind, ID_GNU_BUILD_ID);
	elf_end(elf);
}

static void
made_thread(struct made *m)
{
	m->regs[16] = TEXT + PAGE + 0x800;      /* rip */
	m->regs[19] = STACK + 0x100;            /* rsp */
	m->set = (struct snap_regset){
		.kind = NT_PRSTATUS,
		.bytes = { m->regs, sizeof(m->regs) },
	};
	m->thread = (struct snap_thread){
		.tid = 42, .faulting = true, .signal = 11, .name = "worker",
		.regsets = &m->set, .n_regsets = 1,
	};
}

static struct err *
find_file(void *arg, const struct supply_ask *ask, int *fd)
{
	(void)arg;
	if (ask->kind != SUPPLY_EXE || ask->nth)
		return err_new(ERR_NOTFOUND, "no more");
	*fd = open(exe, O_RDONLY | O_CLOEXEC);
	return NULL;
}

static const struct supply with_files = { .module = find_file };
static const char *const gaps[] = { "the end of the world" };
static const struct snap_attr attrs[] = {
	{ .key = "colour", .type = SNAP_ATTR_STRING, .string = "red" },
};
static const struct snap_note notes[] = {
	{ .key = "hint", .text = "look left", .severity = SNAP_INFO,
	  .depth = UINT32_MAX },
	{ .key = "missing", .text = "the end of the world",
	  .severity = SNAP_WARNING, .depth = UINT32_MAX },
};

static struct insp *
made_open(void)
{
	struct made *m = calloc(1, sizeof(*m));
	const struct insp_options options = { .supply = &with_files };
	struct insp *i;

	elf_version(EV_CURRENT);
	assert_ok(source_fd(open(exe, O_RDONLY | O_CLOEXEC), exe, &m->file));
	made_module(m);
	made_thread(m);
	m->target = (struct target){
		.ops = &made_ops, .memory = memory,
		.n_memory = countof(memory), .maps = maps,
		.n_maps = countof(maps), .modules = &m->module,
		.n_modules = 1, .threads = &m->thread, .n_threads = 1,
		.gaps = gaps, .n_gaps = countof(gaps), .attrs = attrs,
		.n_attrs = countof(attrs), .notes = notes,
		.n_notes = countof(notes),
		.process = { .machine = EM_X86_64, .os = SNAP_OS_LINUX,
			     .bits = 64, .pid = 42, .signal = 11,
			     .faulting_tid = 42, .name = "made" },
	};
	assert_ok(insp_open(&m->target, &options, &i));
	return i;
}

/* ---- saved, and opened again ---- */

struct fixture {
	struct insp *before, *after;
	struct buf file;
	struct source *source;
	struct capture_counts counts;
	uint64_t progress;
};

static struct err *
sink(void *arg, const void *data, size_t n)
{
	buf_put(arg, data, n);
	return NULL;
}

static void
progress(void *arg, uint64_t done, uint64_t total)
{
	struct fixture *f = arg;

	assert_true(done > f->progress);
	assert_true(done <= total);
	f->progress = done;
}

static void
save(struct fixture *f, struct insp *i, struct buf *out)
{
	static const char *const given[] = { "colour=blue", "shape=round=ish" };
	const struct capture_options options = {
		.source = "made", .source_name = "by hand",
		.attributes = given, .n_attributes = countof(given),
		.progress = progress, .progress_arg = f,
	};

	f->progress = 0;
	assert_ok(capture_save(i, &options, sink, out, &f->counts));
}

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	/* Without supply: what the snapshot holds, and nothing else. */
	const struct insp_options options = { 0 };
	struct target *t;

	f->before = made_open();
	save(f, f->before, &f->file);
	assert_ok(source_mem(f->file.data, f->file.len, "saved", &f->source));
	assert_ok(target_open(f->source, &t));
	assert_ok(insp_open(t, &options, &f->after));
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	insp_free(f->after);
	insp_free(f->before);
	source_free(f->source);
	buf_fini(&f->file);
	free(f);
	return 0;
}

/* The stored range that covers @addr. */
static const struct snap_memory *
range_at(const struct fixture *f, uint64_t addr)
{
	const struct target *t = insp_target(f->after);

	for (size_t k = 0; k < t->n_memory; k++) {
		const struct snap_memory *m = &t->memory[k];
		if (m->start <= addr && addr - m->start < m->length)
			return m;
	}
	fail_msg("no range at 0x%llx", (unsigned long long)addr);
	return NULL;
}

static void
assert_same_bytes(struct fixture *f, uint64_t addr, size_t n)
{
	uint8_t *a = malloc(n), *b = malloc(n);

	assert_ok(space_read(insp_space(f->before), addr, n, a));
	assert_ok(space_read(insp_space(f->after), addr, n, b));
	assert_memory_equal(a, b, n);
	free(a);
	free(b);
}

/* ---- the contract ---- */

static void
threads_and_process_are_read_back_the_same(void **state)
{
	struct fixture *f = *state;
	const struct target *t = insp_target(f->after);

	assert_int_equal(t->n_threads, 1);
	assert_int_equal(t->threads[0].tid, 42);
	assert_true(t->threads[0].faulting);
	assert_string_equal(t->threads[0].name, "worker");
	assert_int_equal(t->threads[0].n_regsets, 1);
	assert_memory_equal(t->threads[0].regsets[0].bytes.data,
			    insp_target(f->before)->threads[0]
				    .regsets[0].bytes.data, 27 * 8);
	assert_int_equal(t->process.signal, 11);
	assert_string_equal(t->process.name, "made");
	assert_int_equal(t->n_maps, countof(maps));
}

static void
written_memory_reads_the_same(void **state)
{
	struct fixture *f = *state;

	assert_same_bytes(f, STACK, 4 * PAGE);
	assert_same_bytes(f, BROKEN, 4 * PAGE);
	assert_int_equal(range_at(f, STACK)->kind, SNAP_MEM_DATA);
}

static void
a_page_of_code_that_equals_its_file_is_a_reference(void **state)
{
	struct fixture *f = *state;
	const struct snap_memory *m = range_at(f, SAME + 2 * PAGE);

	assert_int_equal(range_at(f, SAME)->kind, SNAP_MEM_FILE);
	assert_int_equal(m->kind, SNAP_MEM_FILE);
	assert_int_equal(m->offset + (SAME + 2 * PAGE - m->start), 2 * PAGE);
	assert_int_equal(m->ref, 0);
}

static void
a_page_that_differs_from_its_file_is_data(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(range_at(f, CHANGED)->kind, SNAP_MEM_DATA);
	assert_same_bytes(f, SAME + PAGE, PAGE);
}

static void
a_page_without_code_is_data_even_where_it_equals_its_file(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(range_at(f, RODATA)->kind, SNAP_MEM_DATA);
	assert_same_bytes(f, RODATA, PAGE);
}

static void
text_around_a_frame_is_kept_and_marked_as_the_files(void **state)
{
	struct fixture *f = *state;
	const struct snap_memory *m = range_at(f, TEXT + PAGE + 0x800);

	assert_int_equal(m->kind, SNAP_MEM_DATA);
	assert_int_equal(m->flags, SNAP_MEM_FROM_FILE);
	assert_same_bytes(f, TEXT + PAGE, PAGE);
}

static void
other_absent_memory_keeps_its_reason(void **state)
{
	struct fixture *f = *state;
	uint8_t byte;

	assert_int_equal(range_at(f, TEXT)->kind, SNAP_MEM_ABSENT);
	assert_int_equal(range_at(f, TEXT)->reason, SNAP_ABSENT_FILTER);
	assert_int_equal(range_at(f, DONTDUMP)->reason, SNAP_ABSENT_DONTDUMP);
	assert_err(space_read(insp_space(f->after), DONTDUMP, 1, &byte),
		   ERR_ABSENT, "");
}

static bool
is_noted(const struct fixture *f, const char *words)
{
	const struct target *t = insp_target(f->after);

	for (size_t k = 0; k < t->n_gaps; k++) {
		if (strstr(t->gaps[k], words))
			return true;
	}
	return false;
}

static void
memory_that_cannot_be_read_is_absent_and_noted(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(range_at(f, BROKEN)->kind, SNAP_MEM_DATA);
	assert_int_equal(range_at(f, BROKEN + 4 * PAGE)->kind,
			 SNAP_MEM_ABSENT);
	assert_int_equal(range_at(f, BROKEN + 4 * PAGE)->reason,
			 SNAP_ABSENT_UNREADABLE);
	assert_true(is_noted(f, "a checksum is wrong"));
}

static void
gaps_become_notes_once_and_other_notes_stay(void **state)
{
	struct fixture *f = *state;
	const struct target *t = insp_target(f->after);
	size_t gaps_seen = 0, hints = 0;

	for (size_t k = 0; k < t->n_notes; k++) {
		gaps_seen += strcmp(t->notes[k].text, gaps[0]) == 0;
		hints += strcmp(t->notes[k].key, "hint") == 0;
	}
	assert_int_equal(gaps_seen, 1);
	assert_int_equal(hints, 1);
}

static const struct snap_attr *
attr_named(const struct fixture *f, const char *key)
{
	const struct target *t = insp_target(f->after);
	const struct snap_attr *found = NULL;

	for (size_t k = 0; k < t->n_attrs; k++) {
		if (strcmp(t->attrs[k].key, key) == 0) {
			assert_null(found);
			found = &t->attrs[k];
		}
	}
	assert_non_null(found);
	return found;
}

static void
given_attributes_replace_the_targets(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(attr_named(f, "colour")->string, "blue");
	assert_string_equal(attr_named(f, "shape")->string, "round=ish");
	assert_string_equal(attr_named(f, "application")->string, "made");
	assert_int_equal(attr_named(f, "process.thread.count")->number, 1);
}

static void
the_skeleton_of_a_module_is_stored_with_it(void **state)
{
	struct fixture *f = *state;
	const struct target *t = insp_target(f->after);
	struct symbol symbol;

	assert_int_equal(t->n_modules, 1);
	assert_int_not_equal(t->modules[0].skeleton, SNAP_NO_SKELETON);
	assert_int_equal(insp_module_file_kind(f->after, 0),
			 MODULE_FILE_COMPOSED);
	/* The process that never was has its text where ours has data: any
	   symbol will do, as long as both know the same one. */
	struct err *before = insp_symbol(f->before, TEXT + PAGE, &symbol);
	struct err *after = insp_symbol(f->after, TEXT + PAGE, &symbol);
	assert_int_equal(!before, !after);
	err_free(before);
	err_free(after);
}

static void
frames_are_stored_with_their_pc(void **state)
{
	struct fixture *f = *state;
	const struct target *t = insp_target(f->after);

	assert_true(t->n_frames >= 1);
	assert_int_equal(t->frames[0].tid, 42);
	assert_int_equal(t->frames[0].pc, TEXT + PAGE + 0x800);
	assert_int_equal(f->counts.frames, t->n_frames);
}

static void
what_was_counted_is_what_is_there(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(f->counts.threads, 1);
	assert_int_equal(f->counts.modules, 1);
	/* 3 of code, 1 without, 1 text, 4 stack, 4 of the broken. */
	assert_int_equal(f->counts.memory, 13 * PAGE);
	assert_int_equal(f->counts.absent, 6 * PAGE);
	assert_int_equal(f->progress, 16 * PAGE);
}

static void
a_saved_snapshot_has_no_fault(void **state)
{
	struct fixture *f = *state;
	size_t faults;

	assert_ok(snap_check(f->source, NULL, NULL, &faults));
	assert_int_equal(faults, 0);
}

static char *
dump_without_provenance(struct source *src)
{
	struct buf text = { 0 };
	struct snap *s;

	assert_ok(snap_open(src, &s));
	assert_ok(snap_dump(s, &text));
	snap_free(s);
	char *line = strstr(text.data, "provenance ");
	if (line)
		memset(line, '-', strcspn(line, "\n"));
	/* Its length differs too. */
	char *rest = line ? strdup(line + strcspn(line, "\n")) : NULL;
	buf_fini(&text);
	return rest;
}

static void
a_snapshot_saved_again_says_the_same(void **state)
{
	struct fixture *f = *state;
	struct buf again = { 0 };
	struct source *source;

	save(f, f->after, &again);
	assert_ok(source_mem(again.data, again.len, "again", &source));
	char *a = dump_without_provenance(f->source);
	char *b = dump_without_provenance(source);
	assert_non_null(a);
	assert_string_equal(a, b);
	free(a);
	free(b);
	source_free(source);
	buf_fini(&again);
}

static struct err *
full(void *arg, const void *data, size_t n)
{
	size_t *room = arg;

	(void)data;
	if (n > *room)
		return err_new(ERR_IO, "no space left");
	*room -= n;
	return NULL;
}

static void
an_error_of_the_sink_is_the_errors_end(void **state)
{
	struct fixture *f = *state;
	const struct capture_options options = { .source = "made" };
	struct capture_counts counts;
	size_t left = SIZE_MAX;

	assert_ok(capture_save(f->before, &options, full, &left, &counts));
	for (size_t room = 0; room < SIZE_MAX - left; room += 997) {
		size_t room_left = room;
		assert_err(capture_save(f->before, &options, full, &room_left,
					&counts), ERR_IO, "no space left");
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(threads_and_process_are_read_back_the_same),
		TEST(written_memory_reads_the_same),
		TEST(a_page_of_code_that_equals_its_file_is_a_reference),
		TEST(a_page_that_differs_from_its_file_is_data),
		TEST(a_page_without_code_is_data_even_where_it_equals_its_file),
		TEST(text_around_a_frame_is_kept_and_marked_as_the_files),
		TEST(other_absent_memory_keeps_its_reason),
		TEST(memory_that_cannot_be_read_is_absent_and_noted),
		TEST(gaps_become_notes_once_and_other_notes_stay),
		TEST(given_attributes_replace_the_targets),
		TEST(the_skeleton_of_a_module_is_stored_with_it),
		TEST(frames_are_stored_with_their_pc),
		TEST(what_was_counted_is_what_is_there),
		TEST(a_saved_snapshot_has_no_fault),
		TEST(a_snapshot_saved_again_says_the_same),
		TEST(an_error_of_the_sink_is_the_errors_end),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
