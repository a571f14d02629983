/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A process with variables, made of records: see dap-world.h.
 */
#include "dap-world.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "inspect/overlay.h"
#include "symbols/format.h"

#define LOW 0x400000u           /* statics, code */
#define STACK 0x7ff000u
#define RANGE 0x10000u
#define FRAME_SIZE 0x80u
#define THREAD_SIZE 0x1000u     /* of stacks: but the last ends long before */
#define FRAMES_SHORT 12u        /* more cost more than all that is asked */
#define FIRST 101u
#define COUNT_MAX 4096u         /* of records in an index: more are only slow */
#define SERIES "00112233445566ff"

/* ---- indexes: seeds, whose blocks all pass for intact ------------------------ */
#define SEED(name, file)						\
	extern const uint8_t seed_##name[], seed_##name##_end[];	\
	__asm__(".pushsection .rodata\n"				\
		"seed_" #name ": .incbin \"" SEEDS file "\"\n"		\
		"seed_" #name "_end: .byte 0\n"				\
		".popsection\n")
SEED(langs, "langs-0");
SEED(stdlike, "stdlike-0");
SEED(arrays, "arrays-0");
SEED(go, "go");

static const struct {
	const uint8_t *start, *end;
} seeds[WORLD_INDEXES] = {
	{ seed_langs, seed_langs_end }, { seed_stdlike, seed_stdlike_end },
	{ seed_arrays, seed_arrays_end }, { seed_go, seed_go_end },
};

bool
format_intact(const void *data, size_t n, uint64_t hash)
{
	(void)data, (void)n, (void)hash;
	return true;
}

static const struct module_id made_id = { ID_GNU_BUILD_ID, 20, { 0xaa, 0x55 } };

/* Of the version that is read, and of the module that asks for it. */
static void
mend_header(uint8_t *file)
{
	struct format_header h;

	memcpy(&h, file, sizeof(h));
	memcpy(h.magic, FORMAT_MAGIC, sizeof(h.magic));
	h.version = SYMIDX_VERSION;
	h.size = sizeof(h);
	h.n_functions %= COUNT_MAX;
	h.n_variables %= COUNT_MAX;
	h.n_types %= COUNT_MAX;
	h.id_kind = made_id.kind;
	h.id_len = made_id.len;
	memcpy(h.id, made_id.bytes, sizeof(h.id));
	memcpy(file, &h, sizeof(h));
}

/* Behind the memory and the text of a seed. */
static struct err *
world_index(struct world *w, unsigned which,
	    const struct world_patch *patches, size_t n_patches)
{
	const uint8_t *start = seeds[which].start;
	uint16_t skipped[2];

	memcpy(skipped, start, sizeof(skipped));
	start += 8 + skipped[0] + skipped[1];
	size_t n = (size_t)(seeds[which].end - start);
	uint8_t *bytes = w->bytes = malloc(n);
	if (!bytes)
		return err_nomem();
	memcpy(bytes, start, n);
	for (size_t k = 0; k < n_patches; k++)
		bytes[patches[k].at % n] = patches[k].byte;
	mend_header(bytes);
	w->n_bytes = n;
	struct err *err = source_mem(w->bytes, n, "seed", &w->source);
	if (err)
		return err;
	_err_ struct err *damaged = symidx_open(w->source, &w->index);
	return NULL;
}

/* ---- memory -------------------------------------------------------------------- */
static uint8_t code[RANGE], stack[RANGE];
static const struct target_ops *below;

/* Wherever it returns to, there was a call before. */
static void
fill_code(void)
{
	static const uint8_t call[] = { 0xe8, 0, 0, 0, 0 };

	if (code[0])
		return;
	for (size_t k = 0; k + sizeof(call) <= RANGE; k += sizeof(call))
		memcpy(code + k, call, sizeof(call));
}

static void
put_word(size_t at, uint64_t word)
{
	memcpy(stack + at, &word, sizeof(word));
}

/* The outermost frame of a thread, but of the last. */
static bool
is_last(size_t at)
{
	return at % THREAD_SIZE / FRAME_SIZE == FRAMES_SHORT
	       && at / THREAD_SIZE + 1 < SERVED_THREADS;
}

/* Frames by frame pointers; between them pointers, text and small numbers. */
static void
fill_stack(uint64_t where)
{
	static const char text[] = "na\xefve \x1b[2J\xc2\x85 \"quoted\"\n";

	for (size_t k = 0; k + FRAME_SIZE <= RANGE; k += FRAME_SIZE) {
		for (size_t w = 0; w < 8; w++)
			put_word(k + 8 * w, w & 1 ? STACK + (k * 7 + w * 72)
						    % RANGE : k / 8 + w);
		memcpy(stack + k + 0x40, text, sizeof(text));
		put_word(k + FRAME_SIZE - 16, is_last(k) ? 0
			 : STACK + k + 2 * FRAME_SIZE - 16);
		put_word(k + FRAME_SIZE - 8, is_last(k) ? 0
			 : where + k / FRAME_SIZE % 3 * 5);
	}
}

static struct err *
world_read(struct target *t, size_t range, uint64_t off, size_t n, void *out)
{
	const struct snap_memory *m = &t->memory[range];

	if (m->start != LOW && m->start != STACK)
		return below->read(t, range, off, n, out);
	memcpy(out, (m->start == LOW ? code : stack) + off, n);
	return NULL;
}

/* ---- records ------------------------------------------------------------------- */
/* What x86-64 has in NT_PRSTATUS. */
enum { RBP = 4, RIP = 16, RSP = 19, N_REGISTERS = 27 };

static uint64_t
world_code(const struct world *w)
{
	_arena_ struct arena *a = arena_new(0);
	const struct sym_body *b = NULL;
	uint32_t n = w->index ? symidx_about(w->index)->n_functions : 0;

	for (uint32_t k = 0; k < n; k++) {
		_err_ struct err *err = symidx_body(w->index, k, a, &b);
		if (!err && b->n_blocks && b->blocks[0].n_ranges
		    && b->n_variables > 1)
			return LOW + b->blocks[0].ranges[0].start % RANGE / 5
				     * 5 + 10;
	}
	return LOW;
}

static const struct snap_regset *
world_registers(struct world *w, size_t thread)
{
	static uint64_t general[SERVED_THREADS][N_REGISTERS];
	static struct snap_regset sets[SERVED_THREADS];

	for (size_t k = 0; k < N_REGISTERS; k++)
		general[thread][k] = STACK + 0x100 * k;
	general[thread][RSP] = STACK + THREAD_SIZE * thread;
	general[thread][RBP] = STACK + THREAD_SIZE * thread + FRAME_SIZE - 16;
	general[thread][RIP] = world_code(w);
	sets[thread] = (struct snap_regset){
		NT_PRSTATUS, { general[thread], sizeof(general[thread]) } };
	return &sets[thread];
}

/* Memory, maps and a module more, at the places of their addresses. */
static void
world_add(struct world_snapshot *s)
{
	struct target *t = &s->served.target;
	const uint64_t starts[] = { LOW, STACK };

	memcpy(s->memory, t->memory, t->n_memory * sizeof(*s->memory));
	memcpy(s->maps, t->maps, t->n_maps * sizeof(*s->maps));
	memcpy(s->modules, t->modules, t->n_modules * sizeof(*s->modules));
	for (size_t k = 0; k < countof(starts); k++) {
		s->memory[t->n_memory++] = (struct snap_memory){
			.start = starts[k], .length = RANGE,
			.kind = SNAP_MEM_DATA };
		s->maps[t->n_maps++] = (struct snap_map){
			.start = starts[k], .end = starts[k] + RANGE,
			.perm = SNAP_PERM_R | SNAP_PERM_W | SNAP_PERM_X,
			.path = "/made" };
	}
	s->modules[t->n_modules++] = (struct snap_module){
		.start = LOW, .end = LOW + RANGE, .bias = LOW,
		.path = "/made", .id = made_id, .skeleton = SNAP_NO_SKELETON };
	t->memory = s->memory;
	t->maps = s->maps;
	t->modules = s->modules;
}

static void
world_fill(struct world *w, struct world_snapshot *s, size_t nth)
{
	static const struct snap_attr attrs[] = {
		{ .key = "series.id", .type = SNAP_ATTR_STRING,
		  .string = SERIES },
		{ .key = "host", .type = SNAP_ATTR_STRING, .string = "\033[b" },
	};
	static struct target_ops ops;

	served_init(&s->served);
	below = s->served.target.ops;
	ops = *below;
	ops.kind = "snapshot";
	ops.read = world_read;
	s->served.target.ops = &ops;
	s->served.target.attrs = attrs;
	s->served.target.n_attrs = countof(attrs);
	s->served.target.n_threads = SERVED_THREADS - nth;
	s->served.target.process.captured_ns += nth * 500000000;
	for (size_t k = 0; k < SERVED_THREADS; k++) {
		s->served.threads[k].regsets = world_registers(w, k);
		s->served.threads[k].n_regsets = 1;
	}
	world_add(s);
}

static struct err *
world_supply(void *arg, const struct supply_ask *ask, int *fd)
{
	struct world *w = arg;
	const struct supply *others = &w->snapshots[0].served.supply;

	if (ask->kind != SUPPLY_INDEX || !id_equal(&ask->id, &made_id))
		return others->module(others->arg, ask, fd);
	_close_ int file = memfd_create("index", MFD_CLOEXEC);
	if (file < 0)
		return err_errno("memfd_create");
	struct err *err = io_write(file, w->bytes, w->n_bytes);
	if (!err) {
		*fd = file;
		file = -1;
	}
	return err;
}

/* ---- opening -------------------------------------------------------------------- */
static void
snapshot_close(struct world_snapshot *s)
{
	values_free(s->values);
	insp_free(s->insp);
	overlay_free(s->overlay);
	s->values = NULL;
	s->insp = NULL;
	s->overlay = NULL;
}

static struct err *
snapshot_open(struct world *w, struct world_snapshot *s)
{
	const struct insp_options inspect = { .supply = &w->supply };

	struct err *err = insp_open(&s->served.target, &inspect, &s->insp);
	if (!err)
		err = values_new(s->insp, NULL, &s->values);
	if (!err)
		err = overlay_new(NULL, &s->overlay);
	return err;
}

static struct err *
fake_find(void *arg, const char *snapshot, uint64_t *number)
{
	(void)arg;
	*number = snapshot && strcmp(snapshot, "bbbb") == 0 ? FIRST + 1 : FIRST;
	return snapshot && strlen(snapshot) != 4
	       ? err_new(ERR_NOTFOUND, "there is no %s", snapshot) : NULL;
}

static struct err *
fake_open(void *arg, uint64_t number, struct dap_shown *out)
{
	struct world *w = arg;

	w->opened++;
	if (number < FIRST || number - FIRST >= WORLD_SNAPSHOTS)
		return err_new(ERR_DAMAGED, "this one cannot be opened");
	struct world_snapshot *s = &w->snapshots[number - FIRST];
	struct err *err = s->insp ? NULL : snapshot_open(w, s);
	if (err) {
		snapshot_close(s);
		return err;
	}
	s->users++;
	*out = (struct dap_shown){
		.number = number, .id = number == FIRST ? "aaaa" : "bbbb",
		.insp = s->insp, .values = s->values, .overlay = s->overlay };
	return NULL;
}

static void
fake_close(void *arg, uint64_t number)
{
	struct world_snapshot *s = &((struct world *)arg)->snapshots[number
								    - FIRST];

	if (--s->users == 0)
		snapshot_close(s);
}

/* The one between them is listed, and cannot be opened. */
static struct err *
fake_series(void *arg, uint64_t number, const char *id, struct arena *a,
	    const struct dap_offer **out, size_t *n)
{
	static const struct dap_offer offers[] = {
		{ FIRST, "aaaa", "served", "SIGSEGV", "1970-01-01T00:00:01Z",
		  1 },
		{ FIRST + 2, "cccc", NULL, NULL, NULL, 2 },
		{ FIRST + 1, "bbbb", "<\033evil>", NULL, NULL, 3 },
	};

	(void)arg, (void)number;
	if (strcmp(id, SERIES) != 0)
		return err_new(ERR_NOTFOUND, "no such series");
	*out = arena_dup(a, offers, sizeof(offers));
	*n = countof(offers);
	return *out ? NULL : err_nomem();
}

static struct err *
fake_link(void *arg, uint64_t number, struct buf *out)
{
	(void)arg;
	buf_printf(out, "http://host/p/demo/%llu", (unsigned long long)number);
	return buf_err(out);
}

/* "!": nobody is there. */
static struct err *
fake_ask(void *arg, const struct dap_question *q)
{
	struct world *w = arg;

	if (w->asked || strpbrk(q->text, "\r\n"))
		abort();
	if (*q->text == '!')
		return err_new(ERR_NETWORK, "nobody {text} is there");
	w->asked = true;
	return NULL;
}

static void
fake_forget(void *arg)
{
	((struct world *)arg)->asked = false;
}

struct err *
world_init(struct world *w, unsigned which, const struct world_patch *patches,
	   size_t n)
{
	*w = (struct world){ .supply = { world_supply, w }, .host = {
		.find = fake_find, .open = fake_open, .close = fake_close,
		.series = fake_series, .ask = fake_ask,
		.forget = fake_forget, .link = fake_link, .arg = w } };
	struct err *err = world_index(w, which % WORLD_INDEXES, patches, n);
	if (err)
		return err;
	fill_code();
	fill_stack(world_code(w));
	for (size_t k = 0; k < WORLD_SNAPSHOTS; k++)
		world_fill(w, &w->snapshots[k], k);
	return NULL;
}

struct err *
world_show(struct world *w, struct dap_shown *out)
{
	return fake_open(w, FIRST, out);
}

void
world_fini(struct world *w)
{
	for (size_t k = 0; k < WORLD_SNAPSHOTS; k++)
		snapshot_close(&w->snapshots[k]);
	symidx_free(w->index);
	source_free(w->source);
	free(w->bytes);
}
