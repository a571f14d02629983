/* SPDX-License-Identifier: Apache-2.0 */
/*
 * symidx: makes an index and shows what is in one, for tests and hands.
 *
 *   symidx make FILE OUT [DEBUG [ALT]] [--dwp FILE]
 *   symidx store INDEX OUT
 *   symidx about|walk|speed INDEX
 *   symidx speed INDEX -
 *   symidx frames|body INDEX ADDRESS...
 *   symidx named INDEX NAME...
 *   symidx functions|variables|symbols INDEX
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "symbols/blocks.h"
#include "tests/symbols/walk.h"

static int
fail(struct err *err)
{
	fprintf(stderr, "symidx: %s\n", err_text(err));
	err_free(err);
	return 1;
}

static double
now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct err *
open_path(const char *path, struct source **out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? err_errno("%s", path) : source_fd(fd, path, out);
}

/* ---- make ------------------------------------------------------------------------ */
static struct err *
sink(void *arg, const void *data, size_t n)
{
	return fwrite(data, 1, n, arg) == n ? NULL : err_errno("write");
}

/* A .dwo lies where it was compiled to, or here. */
static struct err *
split(void *arg, const char *dir, const char *name, uint64_t id, int *fd)
{
	char path[4096];

	(void)arg, (void)id;
	snprintf(path, sizeof(path), "%s/%s", name[0] == '/' ? "" : dir, name);
	*fd = open(path, O_RDONLY | O_CLOEXEC);
	return *fd < 0 ? err_new(ERR_NOTFOUND, "%s", path) : NULL;
}

static void
say_cost(FILE *out, double wall, uint64_t dwarf)
{
	struct rusage use;
	long size = ftell(out);

	getrusage(RUSAGE_SELF, &use);
	printf("%.2f s wall, %.2f s processor, %ld MiB, %ld bytes", wall,
	       now(CLOCK_PROCESS_CPUTIME_ID), use.ru_maxrss / 1024, size);
	if (dwarf)
		printf(" (%.1f %% of %" PRIu64 ")", 100.0 * (double)size
		       / (double)dwarf, dwarf);
	printf("\n");
}

static uint64_t
dwarf_size(const char *path)
{
	_source_ struct source *src = NULL;
	_symidx_ struct symidx *ix = NULL;
	struct err *err = open_path(path, &src);

	if (!err)
		err = symidx_open(src, &ix);
	if (err)
		return fail(err), 0;
	return symidx_about(ix)->dwarf_size;
}

static int
do_make(int argc, char **argv)
{
	struct source **to[] = { NULL, NULL, NULL };
	struct symbols_input in = { .split = split };
	FILE *out = argc > 3 ? fopen(argv[3], "w") : NULL;
	double start = now(CLOCK_MONOTONIC);
	struct err *err = out ? open_path(argv[2], &in.file)
			  : err_new(ERR_USAGE, "make FILE OUT [DEBUG [ALT]]");

	to[0] = &in.debug;
	to[1] = &in.alt;
	for (int k = 4, at = 0; k < argc && !err; k++) {
		if (strcmp(argv[k], "--dwp") == 0 && k + 1 < argc)
			err = open_path(argv[++k], &in.package);
		else if (at < 2)
			err = open_path(argv[k], to[at++]);
	}
	if (!err)
		err = symbols_make(&in, sink, out);
	double wall = now(CLOCK_MONOTONIC) - start;
	source_free(in.file);
	source_free(in.debug);
	source_free(in.alt);
	source_free(in.package);
	if (err)
		return fail(err);
	fflush(out);
	say_cost(out, wall, dwarf_size(argv[3]));
	fclose(out);
	return 0;
}

/* ---- shown ------------------------------------------------------------------------ */
static const char *
text(struct symidx *ix, uint32_t string)
{
	const char *s = symidx_string(ix, string);

	return s ? s : "-";
}

static int
do_about(struct symidx *ix, int argc, char **argv)
{
	const struct symidx_about *a = symidx_about(ix);
	char id[2 * ID_MAX + 1];

	(void)argc, (void)argv;
	id_text(&a->id, id);
	printf("id %s\ndwarf %" PRIu64 "\nunits %u\nlost %u\nfunctions %u\n"
	       "variables %u\ntypes %u\nsymbols %u\nsources %u\n", id,
	       a->dwarf_size, a->n_units, a->units_lost, a->n_functions,
	       a->n_variables, a->n_types, a->n_symbols, a->n_sources);
	return 0;
}

#define FRAMES 64
/* As addr2line -f -i: a function and a place, innermost first. */
static void
show_frames(struct symidx *ix, uint64_t addr)
{
	struct sym_frame f[FRAMES];
	size_t n = symidx_frames(ix, addr, f, FRAMES);
	struct sym_line line;

	printf("0x%" PRIx64 "\n", addr);
	for (size_t k = 0; k < n && k < FRAMES; k++)
		printf("%s\n%s:%u:%u\n", text(ix, f[k].linkage != SYM_NONE
					      ? f[k].linkage : f[k].name),
		       text(ix, f[k].file), f[k].line, f[k].column);
	if (!n && symidx_line(ix, addr, &line))
		printf("??\n%s:%u:%u\n", text(ix, line.file), line.line,
		       line.column);
}

static int
do_frames(struct symidx *ix, int argc, char **argv)
{
	char line[64];

	for (int k = 3; k < argc; k++)
		if (strcmp(argv[k], "-") != 0)
			show_frames(ix, strtoull(argv[k], NULL, 16));
		else
			while (fgets(line, sizeof(line), stdin))
				show_frames(ix, strtoull(line, NULL, 16));
	return 0;
}

static void
show_expr(struct span expr)
{
	const uint8_t *p = expr.data;

	for (size_t k = 0; k < expr.n; k++)
		printf("%02x", p[k]);
}

static void
show_type_name(struct symidx *ix, uint32_t type)
{
	_arena_ struct arena *a = arena_new(0);
	const struct sym_type *t;

	for (unsigned hops = 0; type != SYM_NONE && hops < 16; hops++) {
		if (symidx_type(ix, type, a, &t))
			return;
		if (t->prefix != SYM_NONE)
			printf("%s::", text(ix, t->prefix));
		if (t->name != SYM_NONE) {
			printf("%s", text(ix, t->name));
			return;
		}
		printf("(%u)", t->kind);
		if (t->kind >= SYM_TYPE_STRUCT && t->kind <= SYM_TYPE_ENUM)
			return;
		type = t->target;
	}
	if (type == SYM_NONE)
		printf("void");
}

static void
show_variable(struct symidx *ix, const struct sym_variable *v, int indent)
{
	printf("%*s%s ", indent, "", text(ix, v->name));
	show_type_name(ix, v->type);
	printf(" flags %x %s:%u", v->flags, text(ix, v->file), v->line);
	if (v->flags & SYM_CONSTANT)
		printf(" = %" PRIu64, v->value);
	for (size_t k = 0; k < v->n_locations; k++) {
		printf(" [%" PRIx64 ",%" PRIx64 ") ", v->locations[k].start,
		       v->locations[k].end);
		show_expr(v->locations[k].expr);
	}
	printf("\n");
}

static void
show_block(struct symidx *ix, const struct sym_body *b, uint32_t k,
	   int indent)
{
	const struct sym_block *block = &b->blocks[k];

	printf("%*s%u %s", indent, "", block->kind, text(ix, block->name));
	for (size_t r = 0; r < block->n_ranges; r++)
		printf(" [%" PRIx64 ",%" PRIx64 ")", block->ranges[r].start,
		       block->ranges[r].end);
	printf("\n");
	for (uint32_t v = 0; v < block->n_variables; v++)
		show_variable(ix, &b->variables[block->first_variable + v],
			      indent + 2);
	for (uint32_t c = k + 1; c < block->next; c = b->blocks[c].next)
		show_block(ix, b, c, indent + 2);
}

static struct err *
show_body(struct symidx *ix, uint32_t function)
{
	_arena_ struct arena *a = arena_new(0);
	const struct sym_body *b;
	struct err *err = symidx_body(ix, function, a, &b);

	if (err)
		return err;
	show_block(ix, b, 0, 0);
	for (size_t k = 0; k < b->n_calls; k++) {
		printf("call %" PRIx64 " %s%s, %zu values ", b->calls[k].pc,
		       text(ix, b->calls[k].target), b->calls[k].tail
		       ? " (tail)" : "", b->calls[k].n_values);
		show_expr(b->calls[k].target_expr);
		printf("\n");
	}
	return NULL;
}

static int
do_body(struct symidx *ix, int argc, char **argv)
{
	for (int k = 3; k < argc; k++) {
		uint64_t addr = strtoull(argv[k], NULL, 16);
		uint32_t function = symidx_function_at(ix, addr);
		struct err *err = show_body(ix, function);

		if (err)
			return fail(err);
	}
	return 0;
}

static void
show_bound(struct symidx *ix, const struct sym_bound *b)
{
	if (b->kind == SYM_BOUND_CONSTANT)
		printf("%" PRId64, b->constant);
	else if (b->kind == SYM_BOUND_VARIABLE)
		printf("%s", text(ix, b->variable));
	else if (b->kind == SYM_BOUND_EXPR)
		show_expr(b->expr);
	printf(";");
}

static struct err *
show_type(struct symidx *ix, uint32_t type)
{
	_arena_ struct arena *a = arena_new(0);
	const struct sym_type *t;
	struct err *err = symidx_type(ix, type, a, &t);

	if (err)
		return err;
	printf("type kind %u %s::%s size %" PRIu64 " flags %x encoding %u "
	       "target ", t->kind, text(ix, t->prefix), text(ix, t->name),
	       t->size, t->flags, t->encoding);
	show_type_name(ix, t->target);
	printf("\n");
	for (size_t k = 0; k < t->n_members; k++) {
		const struct sym_member *m = &t->members[k];

		printf("  %s at %" PRIu64 " bits %u flags %x variant %d: ",
		       text(ix, m->name), m->offset, m->bits, m->flags,
		       (int)m->variant);
		show_type_name(ix, m->type);
		printf("\n");
	}
	for (size_t k = 0; k < t->n_enumerators; k++)
		printf("  %s = %" PRId64 "\n", text(ix,
						    t->enumerators[k].name),
		       (int64_t)t->enumerators[k].value);
	for (size_t k = 0; k < t->n_dimensions; k++) {
		printf("  dimension ");
		show_bound(ix, &t->dimensions[k].lower);
		show_bound(ix, &t->dimensions[k].upper);
		printf("%s\n", t->dimensions[k].is_count ? "count" : "");
	}
	for (size_t k = 0; k < t->n_arguments; k++) {
		printf("  argument %s ", text(ix, t->arguments[k].name));
		show_type_name(ix, t->arguments[k].type);
		printf("\n");
	}
	return NULL;
}

static struct err *
show_named(void *arg, enum sym_what what, uint32_t reference)
{
	_arena_ struct arena *a = arena_new(0);
	const struct sym_variable *v;

	if (what == SYM_A_FUNCTION)
		return show_body(arg, reference);
	if (what == SYM_A_TYPE || what == SYM_AN_ENUMERATOR)
		return show_type(arg, reference);
	struct err *err = symidx_variable(arg, reference, a, &v);
	if (!err)
		show_variable(arg, v, 0);
	return err;
}

static int
do_named(struct symidx *ix, int argc, char **argv)
{
	struct err *err = NULL;

	for (int k = 3; k < argc && !err; k++)
		err = symidx_named(ix, argv[k], 15, show_named, ix);
	return err ? fail(err) : 0;
}

/* ---- all -------------------------------------------------------------------------- */
static int
do_functions(struct symidx *ix, int argc, char **argv)
{
	(void)argc, (void)argv;
	for (uint32_t k = 0; k < symidx_about(ix)->n_functions; k++) {
		_arena_ struct arena *a = arena_new(0);
		const struct sym_body *b;
		struct err *err = symidx_body(ix, k, a, &b);

		if (err)
			return fail(err);
		printf("%" PRIx64 " %s\n", b->blocks[0].n_ranges
		       ? b->blocks[0].ranges[0].start : 0,
		       text(ix, b->blocks[0].name));
	}
	return 0;
}

static int
do_symbols(struct symidx *ix, int argc, char **argv)
{
	struct sym_symbol s;

	(void)argc, (void)argv;
	for (uint32_t k = 0; symidx_symbol(ix, k, &s); k++)
		printf("%" PRIx64 " %s\n", s.address, s.linkage);
	return 0;
}

static int
do_variables(struct symidx *ix, int argc, char **argv)
{
	(void)argc, (void)argv;
	for (uint32_t k = 0; k < symidx_about(ix)->n_variables; k++) {
		struct err *err = show_named(ix, SYM_A_VARIABLE, k);

		if (err)
			return fail(err);
	}
	return 0;
}

static int
do_walk(struct symidx *ix, int argc, char **argv)
{
	struct walked w = { 0 };
	double start = now(CLOCK_PROCESS_CPUTIME_ID);
	struct err *err = walk_index(ix, &w);

	(void)argc, (void)argv;
	if (err)
		return fail(err);
	printf("blocks %zu\nvariables %zu\nuntyped %zu\nlocated %zu\n"
	       "locations %zu\nunknown %zu\ncalls %zu\nvalues %zu\n"
	       "members %zu\nseconds %.2f\n", w.blocks, w.variables,
	       w.untyped, w.located, w.locations, w.unknown, w.calls,
	       w.values, w.members, now(CLOCK_PROCESS_CPUTIME_ID) - start);
	return 0;
}

/* ---- unpacked ------------------------------------------------------------------------ */
/* The same index with its blocks as they are: what a fuzzer can change. */
static bool
store_blocks(char *in, size_t n, struct buf *out)
{
	struct format_header h;
	struct unpacker unpacker = { 0 };
	_buf_ struct buf blocks = { 0 };

	memcpy(&h, in, sizeof(h));
	for (unsigned s = 0; s < N_STREAMS; s++) {
		struct format_block *b = (struct format_block *)(void *)
					 (in + h.sections[s].offset);

		for (uint64_t k = 0; k < h.sections[s].n; k++) {
			_free_ uint8_t *raw = NULL;
			_err_ struct err *err =
				block_unpack(&unpacker, (struct span){
					in + h.blocks + b[k].offset,
					b[k].packed }, b[k].raw, &raw);

			if (err)
				return false;
			b[k].offset = blocks.len;
			b[k].packed = b[k].raw;
			b[k].hash = format_hash(raw, b[k].raw);
			buf_put(&blocks, raw, b[k].raw);
		}
	}
	(void)n;
	unpacker_fini(&unpacker);
	h.hash = format_hash(in + sizeof(h), h.blocks - sizeof(h));
	h.file_size = h.blocks + blocks.len;
	buf_put(out, &h, sizeof(h));
	buf_put(out, in + sizeof(h), h.blocks - sizeof(h));
	buf_put(out, blocks.data, blocks.len);
	return !out->failed;
}

static int
do_store(int argc, char **argv)
{
	_buf_ struct buf in = { 0 };
	_buf_ struct buf out = { 0 };
	struct err *err = argc > 3 ? io_read_file(argv[2], 0, &in)
			  : err_new(ERR_USAGE, "store INDEX OUT");

	if (err)
		return fail(err);
	FILE *f = fopen(argv[3], "w");
	if (!f || !store_blocks(in.data, in.len, &out)
	    || fwrite(out.data, 1, out.len, f) != out.len)
		return 1;
	return fclose(f) != 0;
}

/* ---- how fast ------------------------------------------------------------------------ */
#define TIMES 1000000u
static double
ask(struct symidx *ix, const uint64_t *addresses, size_t n, size_t *frames)
{
	struct sym_frame f[FRAMES];
	double start = now(CLOCK_PROCESS_CPUTIME_ID);

	for (size_t k = 0; k < n; k++)
		*frames += symidx_frames(ix, addresses[k], f, FRAMES);
	return now(CLOCK_PROCESS_CPUTIME_ID) - start;
}

/* At random between the first function and the end of the last. */
static size_t
chosen_addresses(struct symidx *ix, uint64_t *addresses)
{
	struct sym_symbol s;
	uint64_t low = UINT64_MAX, high = 0;

	for (uint32_t k = 0; symidx_symbol(ix, k, &s); k++) {
		if (s.type != 2 || !s.size)
			continue;
		low = s.address < low ? s.address : low;
		high = s.address > high ? s.address : high;
	}
	if (low >= high)
		return 0;
	srandom(1);
	for (size_t k = 0; k < TIMES; k++)
		addresses[k] = low + ((uint64_t)random() << 20
				      ^ (uint64_t)random()) % (high - low);
	return TIMES;
}

static size_t
given_addresses(uint64_t *addresses)
{
	char line[64];
	size_t n = 0;

	while (n < TIMES && fgets(line, sizeof(line), stdin))
		addresses[n++] = strtoull(line, NULL, 16);
	return n;
}

static int
do_speed(struct symidx *ix, int argc, char **argv)
{
	_free_ uint64_t *addresses = malloc(TIMES * sizeof(*addresses));
	size_t frames = 0, none = 0, n;
	struct rusage use;

	if (!addresses)
		return 1;
	n = argc > 3 && strcmp(argv[3], "-") == 0
	    ? given_addresses(addresses) : chosen_addresses(ix, addresses);
	if (!n)
		return 1;
	double first = ask(ix, addresses, 1, &frames);
	double cold = ask(ix, addresses, n, &frames);
	frames = 0;
	double warm = ask(ix, addresses, n, &frames);
	for (size_t k = 0; k < n; k++)
		none += symidx_function_at(ix, addresses[k]) == SYM_NONE;
	getrusage(RUSAGE_SELF, &use);
	printf("first %.6f s\ncold %.0f a second\nwarm %.0f a second\n"
	       "frames %.2f\nwithout %.1f %%\nmemory %ld MiB\n", first,
	       (double)n / cold, (double)n / warm, (double)frames / (double)n,
	       100.0 * (double)none / (double)n, use.ru_maxrss / 1024);
	return 0;
}

static const struct {
	const char *verb;
	int (*run)(struct symidx *ix, int argc, char **argv);
} verbs[] = {
	{ "about", do_about }, { "frames", do_frames }, { "body", do_body },
	{ "named", do_named }, { "functions", do_functions },
	{ "variables", do_variables }, { "symbols", do_symbols }, { "walk", do_walk },
	{ "speed", do_speed },
};

int
main(int argc, char **argv)
{
	_source_ struct source *src = NULL;
	_symidx_ struct symidx *ix = NULL;

	if (argc > 2 && strcmp(argv[1], "make") == 0)
		return do_make(argc, argv);
	if (argc > 2 && strcmp(argv[1], "store") == 0)
		return do_store(argc, argv);
	if (argc < 3)
		return 2;
	struct err *err = open_path(argv[2], &src);
	if (!err)
		err = symidx_open(src, &ix);
	if (err)
		return fail(err);
	for (size_t k = 0; k < countof(verbs); k++)
		if (strcmp(argv[1], verbs[k].verb) == 0)
			return verbs[k].run(ix, argc, argv);
	return 2;
}
