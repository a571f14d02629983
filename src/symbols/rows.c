/* SPDX-License-Identifier: Apache-2.0 */
/* Line number programs: DWARF 5, 6.2, and the older ones. */
#include <stdlib.h>

#include "symbols/dw.h"

#define FILES_MAX UINT16_MAX
#define DIRS_MAX 65536u
#define ROWS_MAX (1u << 26)

struct header {
	struct dw_unit *unit;
	struct cur c, program;
	uint16_t version;
	uint8_t min_length, line_range, opcode_base, offset_size;
	int8_t line_base;
	bool default_statement;
	uint8_t lengths[256];           /* operands of standard opcodes */
	struct buf dirs;                /* const char * */
	dw_name_fn *name;
	void *arg;
};

/* ---- names of files --------------------------------------------------------- */
static const char *
dir_at(const struct header *h, uint64_t n)
{
	const char **all = (const char **)(void *)h->dirs.data;

	return n < h->dirs.len / sizeof(*all) ? all[n] : NULL;
}

static bool
add_file(struct header *h, const char *name, uint64_t dir)
{
	struct dw_unit *u = h->unit;

	if (u->n_files == FILES_MAX)
		return true;
	if ((u->n_files & (u->n_files - 1)) == 0) {
		uint64_t *more = realloc(u->files, (2 * u->n_files + 1)
					 * sizeof(*more));
		if (!more)
			return false;
		u->files = more;
	}
	u->files[u->n_files++] = h->name(h->arg, u, dir_at(h, dir), name);
	return true;
}

static bool
add_dir(struct header *h, const char *name)
{
	if (h->dirs.len < DIRS_MAX * sizeof(name))
		buf_put(&h->dirs, &name, sizeof(name));
	return !h->dirs.failed;
}

static bool
old_tables(struct header *h)
{
	const char *name = "";

	add_dir(h, NULL);               /* 0: the unit's own */
	while ((name = cur_str(&h->c)) != NULL && name[0])
		if (!add_dir(h, name))
			return false;
	if (!add_file(h, NULL, 0))
		return false;
	while ((name = cur_str(&h->c)) != NULL && name[0]) {
		uint64_t dir = cur_uleb(&h->c);

		cur_uleb(&h->c);
		cur_uleb(&h->c);
		if (h->c.failed || !add_file(h, name, dir))
			return false;
	}
	return !h->c.failed;
}

/* One field of an entry; only what names a file is of interest. */
static bool
new_field(struct header *h, uint64_t what, uint64_t form, const char **name,
	  uint64_t *dir)
{
	struct dw_unit *u = h->unit;
	struct dw_value v = { .unit = u, .form = (uint16_t)form };
	struct dw_file *file;
	uint64_t place;

	switch (form) {
	case DW_FORM_string:
		v.at = h->c.p;
		cur_str(&h->c);
		break;
	case DW_FORM_line_strp:
	case DW_FORM_strp:
		v.u = cur_uint(&h->c, h->offset_size);
		break;
	case DW_FORM_udata:
	case DW_FORM_strx:
		v.u = cur_uleb(&h->c);
		break;
	case DW_FORM_data1:
		v.u = cur_u8(&h->c);
		break;
	case DW_FORM_data2:
		v.u = cur_u16(&h->c);
		break;
	case DW_FORM_data4:
		v.u = cur_u32(&h->c);
		break;
	case DW_FORM_data8:
		v.u = cur_uint(&h->c, 8);
		break;
	case DW_FORM_data16:
		cur_bytes(&h->c, 16);
		break;
	case DW_FORM_block:
		cur_bytes(&h->c, cur_uleb(&h->c));
		break;
	default:
		return false;
	}
	if (h->c.failed)
		return false;
	if (what == DW_LNCT_path)
		*name = dw_text(&v, &file, &place);
	else if (what == DW_LNCT_directory_index)
		*dir = v.u;
	return true;
}

#define FIELDS_MAX 16u
static bool
new_table(struct header *h, bool of_files)
{
	uint64_t what[FIELDS_MAX], form[FIELDS_MAX];
	unsigned n_fields = cur_u8(&h->c);

	if (n_fields > FIELDS_MAX)
		return false;
	for (unsigned k = 0; k < n_fields; k++) {
		what[k] = cur_uleb(&h->c);
		form[k] = cur_uleb(&h->c);
	}
	uint64_t n = cur_uleb(&h->c);
	if (n > cur_left(&h->c))
		return false;
	for (uint64_t k = 0; k < n && n_fields; k++) {
		const char *name = NULL;
		uint64_t dir = 0;

		for (unsigned f = 0; f < n_fields; f++)
			if (!new_field(h, what[f], form[f], &name, &dir))
				return false;
		if (!(of_files ? add_file(h, name, dir) : add_dir(h, name)))
			return false;
	}
	return !h->c.failed;
}

static bool
read_header(struct header *h, uint64_t at)
{
	struct dw_unit *u = h->unit;
	struct span all = dw_section(u, DW_LINE);

	if (at >= all.n)
		return false;
	h->c = cur_of((const uint8_t *)all.data + at, all.n - at);
	h->c.big = u->file->big;
	uint64_t length = cur_u32(&h->c);
	h->offset_size = length == UINT32_MAX ? 8 : 4;
	if (length == UINT32_MAX)
		length = cur_uint(&h->c, 8);
	if (length > cur_left(&h->c))
		return false;
	h->c.end = h->c.p + length;
	h->version = cur_u16(&h->c);
	if (h->version < 2 || h->version > 5)
		return false;
	if (h->version >= 5)
		cur_u16(&h->c);         /* sizes of address and selector */
	uint64_t head = cur_uint(&h->c, h->offset_size);
	if (head > cur_left(&h->c))
		return false;
	h->program = h->c;
	cur_bytes(&h->program, head);
	h->c.end = h->program.p;
	h->min_length = cur_u8(&h->c);
	if (h->version >= 4)
		cur_u8(&h->c);          /* operations of one instruction */
	h->default_statement = cur_u8(&h->c);
	h->line_base = (int8_t)cur_u8(&h->c);
	h->line_range = cur_u8(&h->c);
	h->opcode_base = cur_u8(&h->c);
	for (unsigned k = 1; k < h->opcode_base; k++)
		h->lengths[k] = cur_u8(&h->c);
	if (h->c.failed || !h->line_range)
		return false;
	return h->version >= 5 ? new_table(h, false) && new_table(h, true)
	       : old_tables(h);
}

/* ---- the program --------------------------------------------------------------- */
struct machine {
	struct header *h;
	uint64_t address, line, file, column;
	bool statement;
	uint32_t first;                 /* row of the sequence */
	bool begun, sorted;
	uint64_t last;
};

static void
begin(struct machine *m)
{
	m->address = 0;
	m->line = m->file = 1;
	m->column = 0;
	m->statement = m->h->default_statement;
	m->begun = false;
	m->sorted = true;
}

static uint32_t
n_rows(const struct machine *m)
{
	return (uint32_t)(m->h->unit->rows.len / sizeof(struct dw_row));
}

static bool
put_row(struct machine *m, bool end)
{
	struct dw_row row = {
		.address = m->address,
		.line = m->line <= UINT32_MAX ? (uint32_t)m->line : 0,
		.file = m->file <= UINT16_MAX ? (uint16_t)m->file : 0,
		.column = m->column < 1u << 14 ? m->column & 0x3fff : 0,
		.statement = m->statement, .end = end,
	};

	if (!m->begun) {
		m->begun = true;
		m->first = n_rows(m);
		m->last = m->address;
	}
	if (m->address < m->last)
		m->sorted = false;
	m->last = m->address;
	buf_put(&m->h->unit->rows, &row, sizeof(row));
	return !m->h->unit->rows.failed && n_rows(m) < ROWS_MAX;
}

static int
row_order(const void *a, const void *b)
{
	const struct dw_row *x = a, *y = b;

	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	return x->end - y->end;
}

static bool
end_sequence(struct machine *m)
{
	struct dw_unit *u = m->h->unit;

	if (!put_row(m, true))
		return false;
	struct dw_row *rows = (struct dw_row *)(void *)u->rows.data
			      + m->first;
	struct dw_sequence s = {
		.first = m->first, .n = n_rows(m) - m->first, .unit = u,
	};
	if (!m->sorted)
		qsort(rows, s.n, sizeof(*rows), row_order);
	s.start = rows[0].address;
	s.end = rows[s.n - 1].address;
	buf_put(&u->sequences, &s, sizeof(s));
	begin(m);
	return !u->sequences.failed;
}

static bool
extended(struct machine *m, struct cur *c)
{
	uint64_t n = cur_uleb(c);
	const uint8_t *at = cur_bytes(c, n);

	if (!at || !n)
		return !c->failed;
	struct cur op = cur_of(at, (size_t)n);
	op.big = c->big;
	switch (cur_u8(&op)) {
	case DW_LNE_end_sequence:
		return end_sequence(m);
	case DW_LNE_set_address:
		m->address = cur_uint(&op, n > 8 ? 8 : (unsigned)n - 1);
		break;
	default:
		break;
	}
	return true;
}

static void
advance(struct machine *m, uint64_t n)
{
	m->address += n * m->h->min_length;
}

static bool
standard(struct machine *m, struct cur *c, uint8_t op)
{
	switch (op) {
	case DW_LNS_copy:
		return put_row(m, false);
	case DW_LNS_advance_pc:
		advance(m, cur_uleb(c));
		break;
	case DW_LNS_advance_line:
		m->line += (uint64_t)cur_sleb(c);
		break;
	case DW_LNS_set_file:
		m->file = cur_uleb(c);
		break;
	case DW_LNS_set_column:
		m->column = cur_uleb(c);
		break;
	case DW_LNS_negate_stmt:
		m->statement = !m->statement;
		break;
	case DW_LNS_const_add_pc:
		advance(m, (255u - m->h->opcode_base) / m->h->line_range);
		break;
	case DW_LNS_fixed_advance_pc:
		m->address += cur_u16(c);
		break;
	default:
		for (unsigned k = 0; k < m->h->lengths[op]; k++)
			cur_uleb(c);
	}
	return true;
}

static bool
special(struct machine *m, uint8_t op)
{
	unsigned n = (unsigned)op - m->h->opcode_base;

	advance(m, n / m->h->line_range);
	m->line += (uint64_t)(int64_t)m->h->line_base
		   + n % m->h->line_range;
	return put_row(m, false);
}

static bool
run(struct header *h)
{
	struct machine m = { .h = h };
	struct cur c = h->program;

	begin(&m);
	while (cur_left(&c)) {
		uint8_t op = cur_u8(&c);
		bool fine = op >= h->opcode_base ? special(&m, op)
			    : op ? standard(&m, &c, op) : extended(&m, &c);

		if (!fine || c.failed)
			return false;
	}
	return true;
}

bool
dw_rows(struct dw_unit *u, bool rows, dw_name_fn *name, void *arg)
{
	struct header h = { .unit = u, .name = name, .arg = arg };
	bool fine;

	if (!u->root.stmt_list.form)
		return true;
	fine = read_header(&h, u->root.stmt_list.u);
	if (fine && rows)
		fine = run(&h);
	buf_fini(&h.dirs);
	return fine;
}
