/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The records of a snapshot, described once: encoding, decoding and the dump
 * walk these tables, which stand in the order of the dump. Offsets are those
 * of FORMAT.md, "Records"; a field never moves, new ones are added at the end
 * of the record under a new minor version.
 */
#include <string.h>

#include "snapfmt/layout.h"
#include "snapfmt/resolved.h"

#define WIDTH(rec, m) sizeof(((struct rec *)0)->m)
#define NUMBER(rec, m, at_, ...) \
	{ .name = #m, .kind = FIELD_NUMBER, .at = offsetof(struct rec, m), \
	  .width = WIDTH(rec, m), .disk = (at_), __VA_ARGS__ }
#define BYTES(rec, m, at_) \
	{ .name = #m, .kind = FIELD_BYTES, .at = offsetof(struct rec, m), \
	  .width = WIDTH(rec, m), .disk = (at_) }
#define OTHER(rec, m, kind_, at_) \
	{ .name = #m, .kind = (kind_), .at = offsetof(struct rec, m), \
	  .disk = (at_) }
#define LIST(rec, m, child_, at_) \
	{ .name = #m, .kind = FIELD_LIST, .at = offsetof(struct rec, m), \
	  .count_at = offsetof(struct rec, n_##m), .disk = (at_), \
	  .child = (child_) }
#define HEX .show = SHOW_HEX
#define SIGNED .show = SHOW_SIGNED
#define WORD(w) .words = &text_##w

#define SCHEMA(rec, word_, disk_, ...) { \
	.word = (word_), .size = sizeof(struct rec), .disk = (disk_), \
	.field = rec##_fields, .n_fields = countof(rec##_fields), \
	__VA_ARGS__ }

/* A module's names are a list of plain strings. */
struct module_name {
	const char *name;
};
struct auxv {
	struct span bytes;
};

static const struct field snap_process_fields[] = {
	OTHER(snap_process, name, FIELD_TEXT, 72),
	NUMBER(snap_process, pid, 8),
	NUMBER(snap_process, ppid, 16),
	NUMBER(snap_process, uid, 24),
	NUMBER(snap_process, gid, 32),
	NUMBER(snap_process, machine, 0),
	NUMBER(snap_process, os, 2, WORD(os)),
	NUMBER(snap_process, bits, 3),
	NUMBER(snap_process, signal, 4, SIGNED),
	NUMBER(snap_process, signal_code, 64, SIGNED),
	NUMBER(snap_process, faulting_tid, 40),
	OTHER(snap_process, has_fault_address, FIELD_BOOL, 68),
	NUMBER(snap_process, fault_address, 48, HEX),
	NUMBER(snap_process, captured_ns, 56),
	OTHER(snap_process, exe, FIELD_STRING, 80),
	OTHER(snap_process, cwd, FIELD_STRING, 84),
	OTHER(snap_process, arguments, FIELD_TEXT, 76),
};

static const struct field snap_thread_fields[] = {
	NUMBER(snap_thread, tid, 0),
	OTHER(snap_thread, name, FIELD_STRING, 16),
	NUMBER(snap_thread, state, 12, WORD(state)),
	OTHER(snap_thread, faulting, FIELD_BOOL, 13),
	NUMBER(snap_thread, signal, 8, SIGNED),
	OTHER(snap_thread, kernel_stack, FIELD_STRING, 20),
	OTHER(snap_thread, siginfo, FIELD_BLOB, 24),
	LIST(snap_thread, regsets, SECTION_REGSETS, 40),
};

static const struct field snap_regset_fields[] = {
	NUMBER(snap_regset, kind, 0, HEX),
	OTHER(snap_regset, bytes, FIELD_BLOB, 8),
};

static const struct field snap_map_fields[] = {
	NUMBER(snap_map, start, 0, HEX),
	NUMBER(snap_map, end, 8, HEX),
	NUMBER(snap_map, perm, 44, HEX),
	NUMBER(snap_map, offset, 16, HEX),
	NUMBER(snap_map, device, 24, HEX),
	NUMBER(snap_map, inode, 32),
	OTHER(snap_map, path, FIELD_STRING, 40),
};

static const struct field snap_module_fields[] = {
	NUMBER(snap_module, start, 0, HEX),
	NUMBER(snap_module, end, 8, HEX),
	NUMBER(snap_module, bias, 16, HEX),
	OTHER(snap_module, id, FIELD_ID, 68),
	OTHER(snap_module, path, FIELD_TEXT, 56),
	NUMBER(snap_module, flags, 48, HEX),
	NUMBER(snap_module, file_size, 40),
	NUMBER(snap_module, dynamic, 24, HEX),
	NUMBER(snap_module, link_map, 32, HEX),
	NUMBER(snap_module, skeleton, 52, SIGNED),
	LIST(snap_module, names, SECTION_MODULE_NAMES, 60),
};

static const struct field module_name_fields[] = {
	OTHER(module_name, name, FIELD_TEXT, 0),
};

static const struct field snap_memory_fields[] = {
	NUMBER(snap_memory, start, 0, HEX),
	NUMBER(snap_memory, length, 8, HEX),
	NUMBER(snap_memory, kind, 30, WORD(memory)),
	NUMBER(snap_memory, flags, 28, HEX),
	NUMBER(snap_memory, reason, 31, WORD(reason)),
	NUMBER(snap_memory, ref, 24),
	NUMBER(snap_memory, offset, 16, HEX),
};

static const struct field chunk_fields[] = {
	NUMBER(chunk, offset, 0),
	NUMBER(chunk, stored, 8),
	NUMBER(chunk, raw, 12),
	BYTES(chunk, xxh, 16),
	BYTES(chunk, key, 32),
};

static const struct field snap_frame_fields[] = {
	NUMBER(snap_frame, tid, 0),
	NUMBER(snap_frame, depth, 32),
	NUMBER(snap_frame, how, 52, WORD(how)),
	NUMBER(snap_frame, flags, 53, HEX),
	NUMBER(snap_frame, pc, 8, HEX),
	NUMBER(snap_frame, cfa, 16, HEX),
	NUMBER(snap_frame, module, 36, SIGNED),
	OTHER(snap_frame, function, FIELD_STRING, 40),
	NUMBER(snap_frame, function_offset, 24, HEX),
	OTHER(snap_frame, file, FIELD_STRING, 44),
	NUMBER(snap_frame, line, 48),
};

static const struct field snap_variable_fields[] = {
	NUMBER(snap_variable, tid, 0),
	NUMBER(snap_variable, depth, 16, SIGNED),
	NUMBER(snap_variable, kind, 44, WORD(variable)),
	OTHER(snap_variable, name, FIELD_TEXT, 20),
	OTHER(snap_variable, type, FIELD_STRING, 24),
	NUMBER(snap_variable, state, 45, WORD(value)),
	OTHER(snap_variable, value, FIELD_STRING, 28),
	OTHER(snap_variable, why, FIELD_STRING, 32),
	NUMBER(snap_variable, address, 8, HEX),
	OTHER(snap_variable, file, FIELD_STRING, 36),
	NUMBER(snap_variable, line, 40),
};

static const struct field snap_attr_fields[] = {
	OTHER(snap_attr, key, FIELD_TEXT, 8),
	NUMBER(snap_attr, type, 16, WORD(attr)),
	OTHER(snap_attr, string, FIELD_STRING, 12),
	NUMBER(snap_attr, number, 0, HEX),
};

static const struct field snap_note_fields[] = {
	NUMBER(snap_note, severity, 28, WORD(severity)),
	OTHER(snap_note, key, FIELD_TEXT, 20),
	OTHER(snap_note, text, FIELD_TEXT, 24),
	NUMBER(snap_note, tid, 0),
	NUMBER(snap_note, depth, 16, SIGNED),
	NUMBER(snap_note, address, 8, HEX),
};

static const struct field snap_blob_fields[] = {
	OTHER(snap_blob, name, FIELD_TEXT, 16),
	OTHER(snap_blob, bytes, FIELD_BLOB, 0),
};

/* The bytes of an attached file are a section of their own. */
static const struct field file_name_fields[] = {
	OTHER(snap_blob, name, FIELD_TEXT, 0),
};

static const struct field snap_provenance_fields[] = {
	OTHER(snap_provenance, producer, FIELD_TEXT, 32),
	OTHER(snap_provenance, source, FIELD_TEXT, 36),
	OTHER(snap_provenance, source_name, FIELD_TEXT, 40),
	NUMBER(snap_provenance, created_ns, 0),
	NUMBER(snap_provenance, pause_ns, 8),
	NUMBER(snap_provenance, series, 16, HEX),
	NUMBER(snap_provenance, series_index, 24),
};

static const struct field auxv_fields[] = {
	OTHER(auxv, bytes, FIELD_BLOB, 0),
};

static const struct field snap_extent_fields[] = {
	NUMBER(snap_extent, offset, 0, HEX),
	OTHER(snap_extent, bytes, FIELD_BLOB, 8),
};

static const struct field section_fields[] = {
	NUMBER(section, type, 0),
	NUMBER(section, instance, 4),
	NUMBER(section, version, 8),
	NUMBER(section, flags, 10),
	NUMBER(section, offset, 16),
	NUMBER(section, stored, 24),
	NUMBER(section, raw, 32),
	BYTES(section, xxh, 40),
};

/* ---- what makes a record unacceptable ---- */
static const char *
fault_thread(const void *record, const void *before)
{
	const struct snap_thread *t = record;

	(void)before;
	return t->n_regsets > SNAP_REGSETS_MAX ? "has too many register sets" :
	       NULL;
}

static const char *
fault_map(const void *record, const void *before)
{
	const struct snap_map *m = record;

	(void)before;
	return m->start >= m->end ? "ends before it starts" : NULL;
}

static const char *
fault_module(const void *record, const void *before)
{
	const struct snap_module *m = record;

	(void)before;
	if (m->start > m->end)
		return "ends before it starts";
	if (m->id.len > ID_MAX)
		return "has an id that is too long";
	if ((m->id.kind == ID_NONE) != (m->id.len == 0))
		return "has an id without kind, or a kind without id";
	return NULL;
}

static const char *
fault_memory(const void *record, const void *before)
{
	const struct snap_memory *m = record, *last = before;
	uint64_t end;

	if (!m->length)
		return "is empty";
	if (!u64_add(m->start, m->length, &end))
		return "runs over the end of the address space";
	if (last && m->start < last->start + last->length)
		return "begins below the end of the one before it";
	if (m->kind == SNAP_MEM_FILE && !u64_add(m->offset, m->length, &end))
		return "runs over the end of any file";
	return m->kind == SNAP_MEM_MOVED ? moved_fault(m) : NULL;
}

static const char *
fault_extent(const void *record, const void *before)
{
	const struct snap_extent *e = record, *last = before;
	uint64_t end;

	if (!u64_add(e->offset, e->bytes.n, &end))
		return "runs over the end of any file";
	if (last && e->offset < last->offset + last->bytes.n)
		return "begins below the end of the one before it";
	return NULL;
}

static const char *
fault_attr(const void *record, const void *before)
{
	const struct snap_attr *a = record;

	(void)before;
	return a->type == SNAP_ATTR_STRING && !a->string ?
	       "is a string without text" : NULL;
}

/* ---- what a record of its kind does not have ---- */
static bool
idle_memory(const struct field *f, const void *record)
{
	const struct snap_memory *m = record;

	if (f->at == offsetof(struct snap_memory, reason))
		return m->kind != SNAP_MEM_ABSENT;
	/* Where DATA lies in the file is packing, not content. */
	return (f->at == offsetof(struct snap_memory, ref) ||
		f->at == offsetof(struct snap_memory, offset)) &&
	       m->kind != SNAP_MEM_FILE;
}

static bool
idle_attr(const struct field *f, const void *record)
{
	const struct snap_attr *a = record;
	bool is_string = a->type == SNAP_ATTR_STRING;

	return f->at == offsetof(struct snap_attr, number) ? is_string :
	       f->at == offsetof(struct snap_attr, string) && !is_string;
}

/* ---- sections ---- */
static const struct schema schemas[SECTION_TYPES] = {
	[SECTION_PROCESS] = SCHEMA(snap_process, "process", 88,
				   .single = true),
	[SECTION_THREADS] = SCHEMA(snap_thread, "thread", 48,
				   .fault = fault_thread),
	[SECTION_REGSETS] = SCHEMA(snap_regset, "regset", 24),
	[SECTION_MAPS] = SCHEMA(snap_map, "map", 48, .fault = fault_map),
	[SECTION_MODULES] = SCHEMA(snap_module, "module", 136,
				   .fault = fault_module),
	[SECTION_MODULE_NAMES] = SCHEMA(module_name, "name", 4),
	[SECTION_MEMORY] = SCHEMA(snap_memory, "memory", 32,
				  .fault = fault_memory, .idle = idle_memory),
	[SECTION_CHUNKS] = SCHEMA(chunk, "chunk", 64),
	[SECTION_FRAMES] = SCHEMA(snap_frame, "frame", 56),
	[SECTION_VARIABLES] = SCHEMA(snap_variable, "variable", 48),
	[SECTION_ATTRIBUTES] = SCHEMA(snap_attr, "attribute", 24,
				      .fault = fault_attr, .idle = idle_attr),
	[SECTION_NOTES] = SCHEMA(snap_note, "note", 32),
	[SECTION_TEXTS] = SCHEMA(snap_blob, "text", 24),
	[SECTION_FILES] = {
		.word = "file", .size = sizeof(struct snap_blob), .disk = 8,
		.field = file_name_fields,
		.n_fields = countof(file_name_fields),
	},
	[SECTION_PROVENANCE] = SCHEMA(snap_provenance, "provenance", 48,
				      .single = true),
	[SECTION_AUXV] = SCHEMA(auxv, "auxv", 16, .single = true),
};

const struct schema schema_section = SCHEMA(section, "section", ENTRY_SIZE);
const struct schema schema_extent = SCHEMA(snap_extent, "extent", 24,
					   .fault = fault_extent);

static const char *const section_names[SECTION_TYPES] = {
	[SECTION_PROCESS] = "PROCESS", [SECTION_THREADS] = "THREADS",
	[SECTION_REGSETS] = "REGSETS", [SECTION_MAPS] = "MAPS",
	[SECTION_MODULES] = "MODULES",
	[SECTION_MODULE_NAMES] = "MODULE_NAMES",
	[SECTION_SKELETON] = "SKELETON", [SECTION_MEMORY] = "MEMORY",
	[SECTION_CHUNKS] = "CHUNKS", [SECTION_CHUNK_DATA] = "CHUNK_DATA",
	[SECTION_FRAMES] = "FRAMES", [SECTION_VARIABLES] = "VARIABLES",
	[SECTION_ATTRIBUTES] = "ATTRIBUTES", [SECTION_NOTES] = "NOTES",
	[SECTION_TEXTS] = "TEXTS", [SECTION_FILES] = "FILES",
	[SECTION_FILE_DATA] = "FILE_DATA",
	[SECTION_PROVENANCE] = "PROVENANCE", [SECTION_AUXV] = "AUXV",
	[SECTION_STRINGS] = "STRINGS", [SECTION_BLOBS] = "BLOBS",
};

const struct schema *
schema_of(uint32_t type)
{
	return type < SECTION_TYPES && schemas[type].word ? &schemas[type] :
	       NULL;
}

const char *
schema_section_name(uint32_t type)
{
	return type < SECTION_TYPES ? section_names[type] : NULL;
}

bool
schema_is_many(uint32_t type)
{
	return type == SECTION_SKELETON || type == SECTION_FILE_DATA;
}

size_t
schema_width(const struct field *f)
{
	static const uint8_t width[FIELD_KINDS] = {
		[FIELD_BOOL] = 1, [FIELD_STRING] = 4, [FIELD_TEXT] = 4,
		[FIELD_BLOB] = 16,
		[FIELD_ID] = 2 + ID_MAX, [FIELD_LIST] = 8,
	};

	return width[f->kind] ? width[f->kind] : f->width;
}
