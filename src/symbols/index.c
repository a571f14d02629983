/* SPDX-License-Identifier: Apache-2.0 */
/* An index, opened: its arrays in place, its blocks unpacked when asked. */
#include <stdlib.h>
#include <sys/mman.h>

#include "base/search.h"
#include "symbols/index.h"

#define INDEX_MAX (2ull << 30)

struct err *
index_damaged(void)
{
	return err_new(ERR_DAMAGED, "symbol index: damaged; make it anew");
}

/* ---- opening ------------------------------------------------------------------ */
static struct err *
map_file(struct symidx *ix, struct source *src)
{
	int fd = source_descriptor(src);
	uint64_t size = source_size(src);

	if (size > INDEX_MAX)
		return err_new(ERR_LIMIT, "%s: too large for a symbol index",
			       source_name(src));
	if (fd < 0)
		return source_load(src, 0, size, INDEX_MAX, ix->arena,
				   &ix->file);
	void *at = size ? mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0)
		   : MAP_FAILED;
	if (at == MAP_FAILED)
		return err_new(ERR_FORMAT, "%s: not a symbol index",
			       source_name(src));
	ix->mapped = at;
	ix->file = (struct span){ at, (size_t)size };
	return NULL;
}

static struct err *
read_head(struct symidx *ix, const char *name)
{
	const struct format_header *h = &ix->head;

	if (ix->file.n < sizeof(*h))
		return err_new(ERR_FORMAT, "%s: not a symbol index", name);
	memcpy(&ix->head, ix->file.data, sizeof(*h));
	if (memcmp(h->magic, FORMAT_MAGIC, sizeof(h->magic)) != 0)
		return err_new(ERR_FORMAT, "%s: not a symbol index", name);
	if (h->version != SYMIDX_VERSION || h->size != sizeof(*h))
		return err_new(ERR_FORMAT, "%s: a symbol index of version %u, "
			       "not %u: make it anew", name, h->version,
			       SYMIDX_VERSION);
	if (h->file_size != ix->file.n || h->blocks > ix->file.n
	    || h->blocks < sizeof(*h) || h->id_len > ID_MAX
	    || h->n_functions > FORMAT_REFERENCE_MAX
	    || h->n_variables > FORMAT_REFERENCE_MAX
	    || h->n_types > FORMAT_REFERENCE_MAX
	    || h->strings_end >= SYM_NONE
	    || !format_intact((const char *)ix->file.data + sizeof(*h),
			      h->blocks - sizeof(*h),
			      h->hash ^ format_hash_header(h)))
		return err_wrap(index_damaged(), "%s", name);
	return NULL;
}

static const void *
section(struct symidx *ix, unsigned k, size_t size, uint32_t *n)
{
	const struct format_section_at *at = &ix->head.sections[k];

	*n = 0;
	if (at->offset > ix->head.blocks || at->offset % 8
	    || at->n > (ix->head.blocks - at->offset) / size
	    || at->n > UINT32_MAX - 1)
		return NULL;
	*n = (uint32_t)at->n;
	return (const char *)ix->file.data + at->offset;
}

static bool
find_sections(struct symidx *ix)
{
	bool all = true;

	for (unsigned k = 0; k < N_STREAMS; k++) {
		ix->blocks[k] = section(ix, k, sizeof(struct format_block),
					&ix->n_blocks[k]);
		all &= ix->blocks[k] != NULL;
	}
	ix->spans = section(ix, SECTION_SPANS, sizeof(*ix->spans),
			    &ix->n_spans);
	ix->symbols = section(ix, SECTION_SYMBOLS, sizeof(*ix->symbols),
			      &ix->n_symbols);
	ix->units = section(ix, SECTION_UNITS, sizeof(*ix->units),
			    &ix->n_units);
	ix->names = section(ix, SECTION_NAMES, sizeof(*ix->names),
			    &ix->n_names);
	ix->sources = section(ix, SECTION_SOURCES, sizeof(*ix->sources),
			      &ix->n_sources);
	return all && ix->spans && ix->symbols && ix->units && ix->names
	       && ix->sources && ix->head.n_tls <= ix->n_symbols;
}

/* Blocks lie in the file, one behind the other in what they have. */
static bool
check_blocks(const struct symidx *ix, unsigned stream)
{
	const struct format_block *b = ix->blocks[stream];
	uint64_t raw = 0;

	for (uint32_t k = 0; k < ix->n_blocks[stream]; k++) {
		uint64_t room = ix->file.n - ix->head.blocks;

		if (b[k].offset > room || b[k].packed > room - b[k].offset
		    || b[k].raw > FORMAT_BLOCK_MAX
		    || (k && b[k].first <= b[k - 1].first))
			return false;
		raw += b[k].raw;
	}
	return stream != STREAM_STRINGS || raw <= INDEX_TEXT_MAX;
}

static void
fill_about(struct symidx *ix)
{
	const struct format_header *h = &ix->head;

	ix->about = (struct symidx_about){
		.dwarf_size = h->dwarf_size, .n_units = ix->n_units,
		.n_functions = h->n_functions, .n_variables = h->n_variables,
		.n_symbols = ix->n_symbols, .n_types = h->n_types,
		.n_sources = ix->n_sources, .units_lost = h->units_lost,
	};
	ix->about.id.kind = h->id_kind;
	ix->about.id.len = h->id_len;
	memcpy(ix->about.id.bytes, h->id, h->id_len);
}

static bool
make_room(struct symidx *ix)
{
	size_t pages = ix->head.n_functions / 1024 + 1;

	for (unsigned k = 0; k < N_STREAMS; k++) {
		ix->unpacked[k] = calloc(ix->n_blocks[k] + 1,
					 sizeof(uint8_t *));
		if (!ix->unpacked[k])
			return false;
	}
	ix->trees = calloc(pages, sizeof(struct index_tree **));
	ix->rows = calloc(ix->n_blocks[STREAM_LINES] + 1,
			  sizeof(struct index_rows *));
	ix->texts = calloc(ix->n_blocks[STREAM_STRINGS] + 1,
			   sizeof(struct index_texts *));
	return ix->trees && ix->rows && ix->texts;
}

static struct err *
set_up(struct symidx *ix, struct source *src)
{
	struct err *err = map_file(ix, src);

	if (!err)
		err = read_head(ix, source_name(src));
	if (err)
		return err;
	if (!find_sections(ix))
		return err_wrap(index_damaged(), "%s", source_name(src));
	for (unsigned k = 0; k < N_STREAMS; k++)
		if (!check_blocks(ix, k))
			return err_wrap(index_damaged(), "%s",
					source_name(src));
	fill_about(ix);
	return make_room(ix) ? NULL : err_nomem();
}

struct err *
symidx_open(struct source *src, struct symidx **out)
{
	_symidx_ struct symidx *ix = calloc(1, sizeof(*ix));

	if (!ix)
		return err_nomem();
	ix->arena = arena_new(0);
	if (!ix->arena)
		return err_nomem();
	struct err *err = set_up(ix, src);
	if (err)
		return err;
	*out = take(ix);
	return NULL;
}

static void
forget_blocks(struct symidx *ix, unsigned stream)
{
	for (uint32_t k = 0; ix->unpacked[stream]
			     && k < ix->n_blocks[stream]; k++) {
		free(ix->unpacked[stream][k]);
		ix->unpacked[stream][k] = NULL;
	}
}

void
symidx_free(struct symidx *ix)
{
	if (!ix)
		return;
	trees_forget(ix);
	rows_forget(ix);
	texts_forget(ix);
	bodies_forget(ix);
	for (unsigned k = 0; k < N_STREAMS; k++) {
		forget_blocks(ix, k);
		free(ix->unpacked[k]);
	}
	unpacker_fini(&ix->unpacker);
	free(ix->trees);
	free(ix->rows);
	free(ix->texts);
	if (ix->mapped)
		munmap(ix->mapped, ix->file.n);
	arena_free(ix->arena);
	free(ix);
}

void
symidx_freep(struct symidx **ix)
{
	symidx_free(*ix);
}

struct err *
symidx_verify(struct symidx *ix)
{
	const char *packed = (const char *)ix->file.data + ix->head.blocks;

	for (unsigned s = 0; s < N_STREAMS; s++)
		for (uint32_t k = 0; k < ix->n_blocks[s]; k++) {
			const struct format_block *b = &ix->blocks[s][k];

			if (!format_intact(packed + b->offset, b->packed,
					   b->hash))
				return index_damaged();
		}
	return NULL;
}

bool
symidx_spoilt(const struct symidx *ix)
{
	return ix->spoilt;
}

const struct symidx_about *
symidx_about(const struct symidx *ix)
{
	return &ix->about;
}

/* ---- blocks --------------------------------------------------------------------- */
void
index_trim(struct symidx *ix)
{
	if (ix->raw > INDEX_RAW_MAX) {
		for (unsigned k = 0; k < N_STREAMS; k++)
			if (k != STREAM_STRINGS)
				forget_blocks(ix, k);
		ix->raw = 0;
	}
	if (ix->kept > INDEX_KEEP_MAX) {
		trees_forget(ix);
		rows_forget(ix);
		ix->kept = 0;
	}
}

uint32_t
index_block(const struct symidx *ix, enum format_stream stream, uint64_t first)
{
	size_t k = search_above(ix->blocks[stream], ix->n_blocks[stream],
				sizeof(struct format_block),
				offsetof(struct format_block, first), first);

	return k ? (uint32_t)k - 1 : UINT32_MAX;
}

struct err *
index_unpack(struct symidx *ix, enum format_stream stream, uint32_t block,
	     const uint8_t **out)
{
	const struct format_block *b = &ix->blocks[stream][block];
	const uint8_t *packed = (const uint8_t *)ix->file.data
				+ ix->head.blocks + b->offset;
	uint8_t **slot = &ix->unpacked[stream][block];
	struct err *err = NULL;

	if (!*slot && !format_intact(packed, b->packed, b->hash)) {
		ix->spoilt = true;
		return index_damaged();
	}
	if (!*slot) {
		err = block_unpack(&ix->unpacker,
				   (struct span){ packed, b->packed }, b->raw,
				   slot);
		if (!err && stream != STREAM_STRINGS)
			ix->raw += b->raw;
	}
	if (!err)
		*out = *slot;
	return err;
}

struct err *
index_record(struct symidx *ix, enum format_stream stream, uint64_t number,
	     struct cur *out)
{
	uint32_t block = index_block(ix, stream, number);
	const uint8_t *raw;

	if (block == UINT32_MAX)
		return index_damaged();
	struct err *err = index_unpack(ix, stream, block, &raw);
	if (err)
		return err;
	size_t size = ix->blocks[stream][block].raw;
	uint64_t n = number - ix->blocks[stream][block].first;
	struct cur c = cur_of(raw, size);
	uint32_t count = cur_u32(&c);
	if (n >= count || count > size / 4)
		return index_damaged();
	cur_bytes(&c, 4 * n);
	uint32_t from = cur_u32(&c);
	uint32_t to = n + 1 < count ? cur_u32(&c) : (uint32_t)size;
	if (c.failed || from > to || to > size)
		return index_damaged();
	*out = cur_of(raw + from, to - from);
	return NULL;
}

struct err *
index_copy(struct symidx *ix, enum format_stream stream, uint64_t number,
	   struct arena *a, struct cur *out)
{
	struct err *err = index_record(ix, stream, number, out);

	if (err)
		return err;
	size_t n = cur_left(out);
	void *copy = n ? arena_dup(a, out->p, n) : NULL;
	if (n && !copy)
		return err_nomem();
	*out = cur_of(copy, n);
	return NULL;
}

/* ---- references -------------------------------------------------------------------- */
static uint32_t
read_below(struct cur *c, uint64_t end)
{
	uint64_t v = cur_uleb(c);

	return v && v - 1 < end ? (uint32_t)(v - 1) : SYM_NONE;
}

uint32_t
read_string(struct symidx *ix, struct cur *c)
{
	return read_below(c, ix->head.strings_end);
}

uint32_t
read_type(struct symidx *ix, struct cur *c)
{
	return read_below(c, ix->head.n_types);
}

uint32_t
read_unit(struct symidx *ix, struct cur *c)
{
	uint64_t v = cur_uleb(c);

	return v < ix->n_units ? (uint32_t)v : SYM_NONE;
}

struct span
read_span(struct cur *c)
{
	uint64_t n = cur_uleb(c);
	const uint8_t *at = cur_bytes(c, n);

	return at ? (struct span){ at, (size_t)n } : (struct span){ 0 };
}

/* ---- units ------------------------------------------------------------------------ */
struct err *
symidx_unit(struct symidx *ix, uint32_t unit, struct sym_unit *out)
{
	if (unit >= ix->n_units)
		return err_new(ERR_NOTFOUND, "no unit %u", unit);
	const struct format_unit *u = &ix->units[unit];
	*out = (struct sym_unit){ u->name, u->dir, u->producer, u->language };
	return NULL;
}

uint32_t
symidx_source(struct symidx *ix, uint32_t n)
{
	return n < ix->n_sources ? ix->sources[n] : SYM_NONE;
}

/* ---- symbols ------------------------------------------------------------------------- */
static void
tell_symbol(struct symidx *ix, const struct format_symbol *s,
	    struct sym_symbol *out)
{
	const char *name = symidx_string(ix, s->name);

	*out = (struct sym_symbol){
		.linkage = name ? name : "", .address = s->address,
		.size = s->size, .type = s->type, .binding = s->binding,
	};
}

bool
symidx_symbol(struct symidx *ix, uint32_t n, struct sym_symbol *out)
{
	if (n >= ix->n_symbols)
		return false;
	tell_symbol(ix, &ix->symbols[n], out);
	return true;
}

bool
symidx_symbol_named(struct symidx *ix, const char *name, uint32_t *n,
		    struct sym_symbol *out)
{
	const uint16_t hash = format_symbol_hash(name);
	const size_t length = strlen(name);

	for (; *n < ix->n_symbols; ++*n) {
		if (ix->symbols[*n].hash != hash)
			continue;
		tell_symbol(ix, &ix->symbols[*n], out);
		if (strncmp(out->linkage, name, length) == 0
		    && (!out->linkage[length] || out->linkage[length] == '@')) {
			++*n;
			return true;
		}
	}
	return false;
}

/* How far back one that covers an address is looked for. */
#define BACK_MAX 64u

bool
symidx_symbol_at(struct symidx *ix, uint64_t addr, struct sym_symbol *out)
{
	const struct format_symbol *all = ix->symbols, *nearest = NULL;
	size_t k = search_above(all, ix->n_symbols - ix->head.n_tls,
				sizeof(*all),
				offsetof(struct format_symbol, address), addr);

	for (unsigned back = 0; k-- > 0 && back < BACK_MAX; back++) {
		/* The first of those at one address is the best of them. */
		while (k && all[k - 1].address == all[k].address)
			k--;
		if (addr - all[k].address < all[k].size
		    || (!nearest && !all[k].size)) {
			tell_symbol(ix, &all[k], out);
			return true;
		}
		if (!nearest)
			nearest = &all[k];
	}
	if (nearest)
		tell_symbol(ix, nearest, out);
	return nearest != NULL;
}
