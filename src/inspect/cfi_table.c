/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds a function's entry in .eh_frame or .debug_frame: Linux Standard Base
 * Core 10.6.1, DWARF 5 6.4.1. The search table of .eh_frame_hdr (10.6.2) is
 * believed where it leads to an entry that covers the address; that it leads
 * to none proves nothing: then an index is made of the entries themselves.
 */
#include <dwarf.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>

#include "inspect/unwind.h"

#define CIE_VERSION_MAX 4u

/** Length and kind of an entry. */
struct head {
	size_t end;             /* of the entry in the section */
	size_t cie;             /* where its CIE is; the entry itself if it is one */
	size_t body;            /* what follows length and CIE pointer */
};

static struct err *
damaged(size_t at, const char *what)
{
	return err_new(ERR_DAMAGED, "unwind entry at offset 0x%zx: %s", at,
		       what);
}

/* ---- one entry ---------------------------------------------------------- */
static struct err *
read_head(const struct cfi_section *s, size_t at, struct head *out)
{
	struct rd r = rd_of(s->bytes.data, s->bytes.n);

	rd_seek(&r, at);
	uint64_t length = rd_u32(&r);
	bool wide = length == UINT32_MAX;
	if (wide)
		length = rd_u64(&r);
	size_t id_at = r.pos;
	if (rd_failed(&r) || length == 0 || length > rd_left(&r))
		return damaged(at, "its length is beyond the section");
	/* The pointer of .eh_frame is 4 bytes wide whatever the length. */
	uint64_t id = wide && !s->eh_frame ? rd_u64(&r) : rd_u32(&r);
	uint64_t none = s->eh_frame ? 0 : wide ? UINT64_MAX : UINT32_MAX;
	out->end = id_at + (size_t)length;
	out->body = r.pos;
	out->cie = at;
	if (id != none)
		out->cie = (size_t)(s->eh_frame ? id_at - id : id);
	if (rd_failed(&r) || out->body > out->end || out->cie >= s->bytes.n)
		return damaged(at, "it points outside of the section");
	return NULL;
}

static struct rd
body_of(const struct cfi_section *s, const struct head *h)
{
	return rd_of((const uint8_t *)s->bytes.data + h->body,
		     h->end - h->body);
}

static struct span
rest_of(struct rd *r)
{
	size_t n = rd_left(r);

	return (struct span){ rd_bytes(r, n), n };
}

/* An address, or with @encoding & 0x0f alone a length (LSB Core 10.5.1). */
static bool
read_encoded(struct rd *r, uint8_t encoding, uint64_t here, uint64_t *out)
{
	switch (encoding & 0x0f) {
	case DW_EH_PE_absptr:
	case DW_EH_PE_udata8:
	case DW_EH_PE_sdata8:
		*out = rd_u64(r);
		break;
	case DW_EH_PE_udata4:
		*out = rd_u32(r);
		break;
	case DW_EH_PE_sdata4:
		*out = (uint64_t)(int32_t)rd_u32(r);
		break;
	case DW_EH_PE_udata2:
		*out = rd_u16(r);
		break;
	case DW_EH_PE_sdata2:
		*out = (uint64_t)(int16_t)rd_u16(r);
		break;
	default:
		return false;
	}
	if ((encoding & 0xf0) == DW_EH_PE_pcrel)
		*out += here;
	return (encoding & 0xf0) == 0 || (encoding & 0xf0) == DW_EH_PE_pcrel;
}

/* What a letter of "z…" says; an unknown one ends it, the length is known. */
static void
read_augmentation(const char *letters, struct rd *r, struct cfi_entry *e)
{
	for (; *letters; letters++) {
		uint64_t ignored;

		switch (*letters) {
		case 'R':
			e->encoding = rd_u8(r);
			break;
		case 'P':
			if (!read_encoded(r, rd_u8(r) & 0x0f, 0, &ignored))
				return;
			break;
		case 'L':
			rd_u8(r);
			break;
		case 'S':
			e->signal = true;
			break;
		default:
			return;
		}
	}
}

static struct err *
read_cie(const struct cfi_section *s, size_t at, struct cfi_entry *e,
	 bool *sized)
{
	struct head h;
	struct err *err = read_head(s, at, &h);

	if (err)
		return err;
	struct rd r = body_of(s, &h);
	uint8_t version = rd_u8(&r);
	const char *augmentation = rd_str(&r);
	if (h.cie != at || !augmentation || version > CIE_VERSION_MAX)
		return damaged(at, "it is no common information entry");
	if (augmentation[0] && augmentation[0] != 'z')
		return err_new(ERR_UNSUPPORTED, "augmentation of unwind entry "
			       "at offset 0x%zx is not known", at);
	if (version == 4)
		rd_skip(&r, 2);         /* sizes of address and segment */
	e->code_align = expr_uleb(&r);
	e->data_align = expr_sleb(&r);
	e->ra = version == 1 ? rd_u8(&r) : expr_uleb(&r);
	*sized = augmentation[0] == 'z';
	if (*sized) {
		size_t n = expr_uleb(&r);
		struct rd data = rd_of(rd_bytes(&r, n), 0);

		data.len = rd_failed(&r) ? 0 : n;
		read_augmentation(augmentation + 1, &data, e);
	}
	e->initial = rest_of(&r);
	return rd_failed(&r) ? damaged(at, "it is cut short") : NULL;
}

/** The CIE that was read last: neighbours share one. */
struct common {
	size_t at;              /* SIZE_MAX = none */
	struct cfi_entry entry;
	bool sized;
};

static struct err *
read_common(const struct cfi_section *s, size_t at, struct common *c)
{
	if (c->at == at)
		return NULL;
	c->at = SIZE_MAX;
	c->entry = (struct cfi_entry){ .encoding = DW_EH_PE_absptr,
				       .eh_frame = s->eh_frame };
	struct err *err = read_cie(s, at, &c->entry, &c->sized);
	if (!err)
		c->at = at;
	return err;
}

static struct err *
read_fde(const struct cfi_section *s, size_t at, const struct head *h,
	 struct common *c, struct cfi_entry *out)
{
	uint64_t size = 0;
	struct err *err = read_common(s, h->cie, c);

	if (err)
		return err;
	struct cfi_entry e = c->entry;
	struct rd r = body_of(s, h);
	if (!read_encoded(&r, e.encoding, s->address + h->body, &e.start)
	    || !read_encoded(&r, e.encoding & 0x0f, 0, &size))
		return err_new(ERR_UNSUPPORTED, "addresses of unwind entry at "
			       "offset 0x%zx are encoded as 0x%x", at,
			       e.encoding);
	if (c->sized)
		rd_skip(&r, expr_uleb(&r));
	e.program = rest_of(&r);
	if (rd_failed(&r) || !u64_add(e.start, size, &e.end))
		return damaged(at, "it is cut short");
	*out = e;
	return NULL;
}

/* ---- the index ---------------------------------------------------------- */
static int
compare_places(const void *a, const void *b)
{
	const struct cfi_place *p = a, *q = b;

	return p->start < q->start ? -1 : p->start > q->start;
}

/** An index in the making. */
struct indexer {
	struct cfi_table *table;
	struct common common;
	size_t room;
	bool sorted;
};

static struct err *
add_place(struct indexer *x, size_t at, const struct head *h, struct arena *a)
{
	struct cfi_table *t = x->table;
	struct cfi_entry e = { 0 };
	_err_ struct err *err = read_fde(&t->section, at, h, &x->common, &e);

	/* A linker leaves dropped functions at 0 with their old size. */
	if (err || e.end <= e.start || !e.start)
		return NULL;
	if (!t->places || t->n == x->room) {
		size_t room = x->room ? 2 * x->room : 256;
		void *more = arena_array(a, room, sizeof(*t->places));
		if (!more)
			return err_nomem();
		if (t->places)
			memcpy(more, t->places, t->n * sizeof(*t->places));
		t->places = more;
		x->room = room;
	}
	if (t->n && e.start < t->places[t->n - 1].start)
		x->sorted = false;
	t->places[t->n++] = (struct cfi_place){ e.start, (uint32_t)at };
	return NULL;
}

/* A length of 0 is an end, but one object file's may stand in the middle. */
static struct err *
walk_entries(struct indexer *x, struct arena *a)
{
	static const uint8_t zero[4];
	const struct cfi_section *s = &x->table->section;
	const uint8_t *bytes = s->bytes.data;
	struct err *err = NULL;
	size_t at = 0;

	while (!err && s->bytes.n - at >= sizeof(zero)) {
		struct head h;

		if (s->ends && memcmp(bytes + at, zero, sizeof(zero)) == 0) {
			at += sizeof(zero);
			continue;
		}
		_err_ struct err *end = read_head(s, at, &h);
		if (end)
			break;
		if (h.cie != at)
			err = add_place(x, at, &h, a);
		at = h.end;
	}
	return err;
}

static struct err *
index_all(struct cfi_table *t)
{
	struct indexer x = { .table = t, .common.at = SIZE_MAX,
			     .sorted = true };

	if (t->indexed)
		return NULL;
	if (t->section.bytes.n > UINT32_MAX)
		return err_new(ERR_LIMIT, "unwind tables of %zu bytes",
			       t->section.bytes.n);
	t->indexed = true;
	struct err *err = walk_entries(&x, t->arena);
	if (!x.sorted && t->places)
		qsort(t->places, t->n, sizeof(*t->places), compare_places);
	return err;
}

static struct err *
entry_at(const struct cfi_table *t, size_t at, struct cfi_entry *out)
{
	struct common c = { .at = SIZE_MAX };
	struct head h;
	struct err *err = read_head(&t->section, at, &h);

	if (!err && h.cie == at)
		err = damaged(at, "it is of no function");
	return err ? err : read_fde(&t->section, at, &h, &c, out);
}

/* ---- finding ------------------------------------------------------------ */
/** Where something starts that is the @k-th in order of address. */
typedef uint64_t start_fn(const struct cfi_table *t, size_t k);

static uint64_t
place_start(const struct cfi_table *t, size_t k)
{
	return t->places[k].start;
}

/* One half of a row of the search table, as an address. */
static uint64_t
sorted_address(const struct cfi_table *t, size_t half)
{
	const struct cfi_section *s = &t->section;
	struct rd r = rd_of(s->sorted.data, s->sorted.n);

	rd_seek(&r, half * 4);
	return s->sorted_from + (uint64_t)(int64_t)(int32_t)rd_u32(&r);
}

static uint64_t
sorted_start(const struct cfi_table *t, size_t k)
{
	return sorted_address(t, 2 * k);
}

/** The last of @n that starts at or below @want, or SIZE_MAX. */
static size_t
last_at(const struct cfi_table *t, start_fn *start, size_t n, uint64_t want)
{
	size_t low = 0, high = n;

	while (low < high) {            /* the first that starts above */
		size_t mid = low + (high - low) / 2;

		if (start(t, mid) <= want)
			low = mid + 1;
		else
			high = mid;
	}
	return low ? low - 1 : SIZE_MAX;
}

static bool
covers(const struct cfi_entry *e, uint64_t want)
{
	return e->start && want >= e->start && want < e->end;
}

/** By the search table. False: that does not mean that there is none. */
static bool
find_sorted(const struct cfi_table *t, uint64_t want, struct cfi_entry *out)
{
	size_t row = last_at(t, sorted_start, t->section.sorted.n / 8, want);

	if (row == SIZE_MAX)
		return false;
	uint64_t at = sorted_address(t, 2 * row + 1) - t->section.address;
	if (at >= t->section.bytes.n)
		return false;
	_err_ struct err *err = entry_at(t, at, out);
	return !err && covers(out, want);
}

void
cfi_table_begin(const struct cfi_section *s, uint64_t bias, struct arena *a,
		struct cfi_table *out)
{
	*out = (struct cfi_table){ .section = *s, .bias = bias, .arena = a };
}

struct err *
cfi_table_find(struct cfi_table *t, uint64_t pc, struct cfi_entry *out)
{
	const uint64_t want = pc - t->bias;
	struct cfi_entry e;

	if (find_sorted(t, want, out))
		return NULL;
	struct err *err = index_all(t);
	if (err)
		return err;
	size_t place = last_at(t, place_start, t->n, want);
	if (place == SIZE_MAX)
		return err_new(ERR_NOTFOUND, "no unwind entry");
	err = entry_at(t, t->places[place].at, &e);
	if (err)
		return err;
	if (!covers(&e, want))
		return err_new(ERR_NOTFOUND, "no unwind entry");
	*out = e;
	return NULL;
}

/* ---- the section -------------------------------------------------------- */
static bool
named_section(Elf *elf, const char *name, struct cfi_section *out)
{
	Elf_Scn *scn = NULL;
	size_t names;

	if (elf_getshdrstrndx(elf, &names) != 0)
		return false;
	while ((scn = elf_nextscn(elf, scn)) != NULL) {
		GElf_Shdr sh;
		const char *its = gelf_getshdr(scn, &sh)
				  ? elf_strptr(elf, names, sh.sh_name) : NULL;

		if (!its || strcmp(its, name) != 0 || sh.sh_type == SHT_NOBITS
		    || (sh.sh_flags & SHF_COMPRESSED))
			continue;
		Elf_Data *data = elf_rawdata(scn, NULL);
		if (!data || !data->d_buf)
			return false;
		out->bytes = (struct span){ data->d_buf, data->d_size };
		out->address = sh.sh_addr;
		out->ends = true;
		return true;
	}
	return false;
}

/* Without section headers: .eh_frame begins where .eh_frame_hdr says, and ends
 * with an entry of length 0, or with its segment. */
static bool
section_at(Elf *elf, uint64_t address, struct cfi_section *out)
{
	size_t n = 0;
	GElf_Phdr ph;

	elf_getphdrnum(elf, &n);
	for (size_t k = 0; k < n; k++) {
		if (!gelf_getphdr(elf, (int)k, &ph) || ph.p_type != PT_LOAD
		    || address - ph.p_vaddr >= ph.p_filesz)
			continue;
		uint64_t skip = address - ph.p_vaddr;
		Elf_Data *data = elf_getdata_rawchunk(
			elf, (int64_t)(ph.p_offset + skip),
			ph.p_filesz - skip, ELF_T_BYTE);
		if (!data)
			return false;
		out->bytes = (struct span){ data->d_buf, data->d_size };
		out->address = address;
		return true;
	}
	return false;
}

/** The bytes of .eh_frame_hdr, and their address as linked. */
static bool
header_bytes(Elf *elf, struct span *out, uint64_t *address)
{
	size_t n = 0;
	GElf_Phdr ph;

	elf_getphdrnum(elf, &n);
	for (size_t k = 0; k < n; k++) {
		if (!gelf_getphdr(elf, (int)k, &ph)
		    || ph.p_type != PT_GNU_EH_FRAME || ph.p_filesz < 12)
			continue;
		Elf_Data *data = elf_getdata_rawchunk(
			elf, (int64_t)ph.p_offset, ph.p_filesz, ELF_T_BYTE);
		if (!data)
			return false;
		*out = (struct span){ data->d_buf, data->d_size };
		*address = ph.p_vaddr;
		return true;
	}
	return false;
}

/** What .eh_frame_hdr says: where .eh_frame is, and its search table if it is
 * one of the only kind that linkers write. */
static bool
read_header(Elf *elf, uint64_t *frames, struct cfi_section *out)
{
	struct span bytes;
	uint64_t address, count;

	if (!header_bytes(elf, &bytes, &address))
		return false;
	struct rd r = rd_of(bytes.data, bytes.n);
	rd_skip(&r, 1);                         /* version */
	uint8_t to_frames = rd_u8(&r), of_count = rd_u8(&r);
	uint8_t of_rows = rd_u8(&r);
	if (!read_encoded(&r, to_frames, address + r.pos, frames)
	    || rd_failed(&r))
		return false;
	if (of_rows != (DW_EH_PE_datarel | DW_EH_PE_sdata4)
	    || !read_encoded(&r, of_count, 0, &count) || rd_failed(&r)
	    || count > rd_left(&r) / 8)
		return true;
	out->sorted = (struct span){ rd_bytes(&r, 8 * count), 8 * count };
	out->sorted_from = address;
	return true;
}

bool
cfi_table_section(Elf *elf, bool eh_frame, struct cfi_section *out)
{
	uint64_t frames;

	*out = (struct cfi_section){ .eh_frame = eh_frame };
	if (!eh_frame)
		return named_section(elf, ".debug_frame", out);
	bool header = read_header(elf, &frames, out);
	if (!named_section(elf, ".eh_frame", out))
		return header && section_at(elf, frames, out);
	if (header && frames != out->address)
		out->sorted.n = 0;
	return true;
}
