/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes snapshots that hold every kind of record.
 */
#include <elf.h>
#include <string.h>

#include "snapfmt/resolved.h"
#include "snapfmt/soon.h"
#include "tests/unit/snap-sample.h"

#define LARGE_ROWS 100     /* enough to be packed */

struct err *
sample_sink(void *buf, const void *data, size_t n)
{
	buf_put(buf, data, n);
	return buf_err(buf);
}

/** A mixer (splitmix64), so that pages look like neither text nor zeros. */
static uint64_t
scramble(uint64_t v)
{
	v += 0x9e3779b97f4a7c15;
	v = (v ^ v >> 30) * 0xbf58476d1ce4e5b9;
	v = (v ^ v >> 27) * 0x94d049bb133111eb;
	return v ^ v >> 31;
}

uint8_t
sample_byte(uint64_t addr)
{
	/* Of the whole windows, 1…4, all but the first are equal. */
	uint64_t window = addr / SNAP_CHUNK - SAMPLE_LARGE_DATA / SNAP_CHUNK;

	if (addr < SAMPLE_LARGE_DATA)
		return (uint8_t)(addr ^ addr >> 8) | 1;
	if (window > 4)
		return (uint8_t)scramble(addr);
	return (uint8_t)(addr % SNAP_CHUNK / 64 * (window == 1 ? 3 : 1));
}

static struct err *
put_bytes(struct snap_writer *w, uint64_t addr, size_t n, uint16_t flags)
{
	uint8_t bytes[SAMPLE_LARGE_SIZE];

	for (size_t i = 0; i < n; i++)
		bytes[i] = sample_byte(addr + i);
	return snap_put_memory(w, addr, bytes, n, flags);
}

/* Pointers into the module, up to the last byte that counts; beside it, and
 * numbers, which are the same wherever it is. */
uint64_t
sample_word(uint64_t base, size_t off)
{
	const uint64_t words[] = {
		base + off, off, base + 0xffffffff, SAMPLE_BASE + 0x100000000,
		SAMPLE_BASE - 1, 0, base, UINT64_MAX,
	};

	return words[off / 8 % countof(words)];
}

static struct err *
put_moved(struct snap_writer *w)
{
	_buf_ struct buf bytes = { 0 }, packed = { 0 };
	struct snap_moved m;
	bool done = true;

	for (size_t off = 0; off < SAMPLE_MOVED_SIZE; off += 8)
		buf_u64(&bytes, sample_word(SNAP_MOVED_TO, off));
	struct err *err = snap_pack_moved(SAMPLE_MOVED_FIRST,
					  (struct span){ bytes.data, bytes.len },
					  &packed);
	if (!err && !snap_moved_open((struct span){ packed.data, packed.len },
				     &m))
		err = err_new(ERR_FAILED, "is not what was packed");
	for (size_t k = 0; !err && k < m.n && done; k++)
		err = snap_put_moved(w, &m, k, SAMPLE_BASE, &done);
	return err || done ? err : err_new(ERR_FAILED, "was not put");
}

static struct err *
put_memory(struct snap_writer *w, enum sample_size size)
{
	static const uint8_t zero[SNAP_CHUNK];
	struct snap_memory file = {
		.start = SAMPLE_FILE, .length = 0x1000, .kind = SNAP_MEM_FILE,
		.flags = SNAP_MEM_FROM_FILE, .ref = 0, .offset = 0x2000,
	};
	struct snap_memory absent = {
		.start = SAMPLE_ABSENT, .length = 0x1000,
		.kind = SNAP_MEM_ABSENT, .reason = SNAP_ABSENT_BUDGET,
	};
	struct err *err = put_bytes(w, SAMPLE_DATA, 0x100, 0);

	if (!err)
		err = snap_put_memory(w, SAMPLE_ZERO, zero, sizeof(zero), 0);
	if (!err)
		err = snap_put_range(w, &file);
	if (!err)
		err = snap_put_range(w, &absent);
	if (!err && size == SAMPLE_LARGE)
		err = put_bytes(w, SAMPLE_LARGE_DATA, SAMPLE_LARGE_SIZE,
				SNAP_MEM_FROM_FILE);
	if (!err && size == SAMPLE_MOVED)
		err = put_moved(w);
	return err;
}

static struct err *
put_process(struct snap_writer *w)
{
	return snap_put_process(w, &(struct snap_process){
		.machine = EM_X86_64, .os = SNAP_OS_LINUX, .bits = 64,
		.pid = 4711, .ppid = 1, .uid = 1000, .gid = 100,
		.faulting_tid = 0x100000001, .signal = 11, .signal_code = -6,
		.has_fault_address = true, .fault_address = 0xdeadbeef000,
		.captured_ns = 1700000000123456789, .name = "say \"hi\"\n",
		.arguments = "say --loud \xc3\xa4\xff", .exe = "/usr/bin/say",
	});
}

static struct err *
put_threads(struct snap_writer *w)
{
	uint8_t gpr[216], wide[832];

	for (size_t i = 0; i < sizeof(wide); i++)
		wide[i] = (uint8_t)(i * 7);
	memcpy(gpr, wide, sizeof(gpr));
	struct snap_regset sets[] = {
		{ .kind = NT_PRSTATUS, .bytes = { gpr, sizeof(gpr) } },
		{ .kind = NT_X86_XSTATE, .bytes = { wide, sizeof(wide) } },
	};
	struct err *err = snap_put_thread(w, &(struct snap_thread){
		.tid = 0x100000001, .state = SNAP_STATE_STOPPED,
		.faulting = true, .signal = 11, .name = "main",
		.kernel_stack = "do_wait\nx64_sys_call\n",
		.siginfo = { wide, 128 }, .regsets = sets, .n_regsets = 2,
	});
	return err ? err : snap_put_thread(w, &(struct snap_thread){
		.tid = 7, .state = 77, .regsets = sets, .n_regsets = 1,
	});
}

static struct err *
put_modules(struct snap_writer *w, enum sample_size size)
{
	static const char *const names[] = { "./say", "/proc/self/exe" };
	uint8_t bytes[3 * SNAP_CHUNK];
	uint32_t skeleton = 0;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i / 16);
	size_t n = size == SAMPLE_LARGE ? sizeof(bytes) : 100;
	struct snap_extent extents[] = {
		{ .offset = 0, .bytes = { "\177ELF", 4 } },
		{ .offset = 0x1000, .bytes = { bytes, n } },
	};
	struct err *err = snap_put_skeleton(w, extents, 2, &skeleton);
	if (!err)
		err = snap_put_module(w, &(struct snap_module){
			.id = { ID_GNU_BUILD_ID, 4, { 0xde, 0xad, 0, 1 } },
			.flags = SNAP_MODULE_MAIN, .start = 0x400000,
			.end = 0x403000, .bias = 0x400000, .dynamic = 0x402000,
			.link_map = 0x7f0000001000, .file_size = 0x3000,
			.path = "/usr/bin/say", .names = names, .n_names = 2,
			.skeleton = skeleton,
		});
	return err ? err : snap_put_module(w, &(struct snap_module){
		.flags = SNAP_MODULE_VDSO, .start = 0x7fff0000,
		.end = 0x7fff2000, .bias = 0x7fff0000,
		.skeleton = SNAP_NO_SKELETON,
	});
}

static struct err *
put_maps(struct snap_writer *w, enum sample_size size)
{
	size_t n = size == SAMPLE_LARGE ? LARGE_ROWS : 2;
	struct err *err = NULL;

	for (size_t i = 0; i < n && !err; i++)
		err = snap_put_map(w, &(struct snap_map){
			.start = 0x400000 + i * 0x1000,
			.end = 0x401000 + i * 0x1000,
			.perm = SNAP_PERM_R | (i % 2 ? SNAP_PERM_X : 0),
			.offset = i * 0x1000, .device = 0xfd01, .inode = 99,
			.path = i ? "/usr/bin/say" : NULL,
		});
	return err;
}

static struct err *
put_frames(struct snap_writer *w)
{
	struct err *err = snap_put_frame(w, &(struct snap_frame){
		.tid = 7, .depth = 0, .how = SNAP_FRAME_TOP,
		.module = 0, .pc = 0x401234, .cfa = 0x7ffe0010,
		.function_offset = 0x34, .function = "main",
		.file = "say.c", .line = 42,
	});

	return err ? err : snap_put_frame(w, &(struct snap_frame){
		.tid = 7, .depth = 1, .how = SNAP_FRAME_SCAN,
		.flags = SNAP_FRAME_SIGNAL | SNAP_FRAME_SUSPECT,
		.module = UINT32_MAX, .pc = 0x1, .cfa = 0x7ffe0020,
	});
}

static struct err *
put_variables(struct snap_writer *w)
{
	struct err *err = snap_put_variable(w, &(struct snap_variable){
		.tid = 7, .depth = 0, .kind = SNAP_VAR_ARGUMENT,
		.state = SNAP_VALUE_KNOWN, .name = "argc", .type = "int",
		.value = "1", .address = 0x7ffe0000, .file = "say.c",
		.line = 40,
	});

	return err ? err : snap_put_variable(w, &(struct snap_variable){
		.depth = UINT32_MAX, .kind = SNAP_VAR_GLOBAL,
		.state = SNAP_VALUE_NOT_CAPTURED, .name = "",
		.why = "left out \"\x1b",
	});
}

static struct err *
put_said(struct snap_writer *w)
{
	struct err *err = snap_put_attr(w, &(struct snap_attr){
		.key = "host", .type = SNAP_ATTR_STRING, .string = "",
	});

	if (!err)
		err = snap_put_attr(w, &(struct snap_attr){
			.key = "depth", .type = SNAP_ATTR_I64,
			.number = (uint64_t)-3,
		});
	return err ? err : snap_put_note(w, &(struct snap_note){
		.key = "null", .text = "reads through NULL",
		.severity = SNAP_CRITICAL, .tid = 7, .depth = UINT32_MAX,
		.address = 0x10,
	});
}

static struct err *
put_blobs(struct snap_writer *w, enum sample_size size)
{
	char text[20000];

	memset(text, 'x', sizeof(text));
	size_t n = size == SAMPLE_LARGE ? sizeof(text) : 30;
	struct err *err = snap_put_text(w, &(struct snap_blob){
		"status", { text, n } });
	if (!err)
		err = snap_put_text(w, &(struct snap_blob){ "empty", { 0 } });
	if (!err)
		err = snap_put_file(w, &(struct snap_blob){
			"log/today", { text, n } });
	if (!err)
		err = snap_put_file(w, &(struct snap_blob){ "", { 0 } });
	return err ? err : snap_put_auxv(w, (struct span){ text, 32 });
}

static struct err *
put_records(struct snap_writer *w, enum sample_size size)
{
	struct err *err = put_process(w);

	if (!err)
		err = put_threads(w);
	if (!err)
		err = put_modules(w, size);
	if (!err)
		err = put_maps(w, size);
	if (!err)
		err = put_frames(w);
	if (!err)
		err = put_variables(w);
	if (!err)
		err = put_said(w);
	if (!err)
		err = put_blobs(w, size);
	return err ? err : snap_put_provenance(w, &(struct snap_provenance){
		.producer = "inquest 0.1.0", .source = "elf-core",
		.source_name = "core.4711", .created_ns = 1700000001000000000,
		.pause_ns = 1500000, .series = 0x77, .series_index = 3,
	});
}

struct err *
sample_make(enum sample_size size, struct buf *out)
{
	_snap_writer_ struct snap_writer *w = NULL;
	struct err *err = snap_writer_new(sample_sink, out, 0, &w);

	if (!err)
		err = put_memory(w, size);
	if (!err)
		err = put_records(w, size);
	return err ? err : snap_writer_close(w);
}
