/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The second opinion: libunwind steps from each frame that we found, and says
 * whether it comes out where we did. It runs the programs of the tables and
 * their expressions with its own machine.
 *
 * It trusts what it reads, so it reads no hostile header: it is shown a window
 * at an address where no process has memory, with a table of one entry, a CIE
 * and an FDE that are written here, and the programs of the entry that was
 * found and checked (cfi_row_check). Reads are counted: after the last one
 * allowed all fail.
 */
#include <elf.h>
#include <libunwind.h>
#include <string.h>

#include "inspect/arch.h"
#include "inspect/impl.h"
#include "inspect/unwind.h"

/* libunwind.h is the host's: elsewhere it knows other registers. */
#ifdef __x86_64__
#define TARGET EM_X86_64
#else
#define TARGET EM_NONE
#endif
#define READS_MAX 1000000u      /* a step takes some 200 */
#define PIECES 4u               /* of the stack */
#define PIECE_SIZE 256u
#define WINDOW 0xffff900000000000u      /* in the kernel's half */
#define WINDOW_SIZE 16384u
#define TABLE_SIZE 8u

/* Exported for accessors like these, but in no header of libunwind. */
#define search_table UNW_OBJ(dwarf_search_unwind_table)
extern int search_table(unw_addr_space_t space, unw_word_t ip,
			unw_dyn_info_t *table, unw_proc_info_t *info, int need,
			void *arg);

/** Memory that was read: libunwind asks for each byte anew. */
struct piece {
	uint64_t at;
	size_t n;
	uint8_t bytes[PIECE_SIZE];
};

struct second {
	struct insp *insp;
	unw_addr_space_t space; /* owned */
	uint32_t reads;
	struct piece pieces[PIECES];
	unsigned oldest;
	struct buf window;      /* empty = no entry for this frame */
	uint64_t start, end;    /* of the code that the window is about */
	const struct frame *frame;      /* that is stepped from */
	uint64_t pc;            /* that its row is looked up with */
	bool blind;             /* something it wanted was not there */
};

/* ---- the window (Linux Standard Base Core, 10.6) ------------------------ */
static void
put_uleb(struct buf *b, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		buf_putc(b, (char)(v | 0x80));
	buf_putc(b, (char)v);
}

static void
put_sleb(struct buf *b, int64_t v)
{
	for (; v < -0x40 || v >= 0x40; v >>= 7)
		buf_putc(b, (char)(v | 0x80));
	buf_putc(b, (char)(v & 0x7f));
}

/* An entry's length, which counts what follows it. */
static void
set_length(struct buf *b, size_t at)
{
	uint32_t n = (uint32_t)(b->len - at - 4);

	for (unsigned k = 0; k < 4 && !b->failed; k++)
		b->data[at + k] = (char)(n >> 8 * k);
}

static void
put_cie(struct buf *b, const struct cfi_entry *e)
{
	size_t at = b->len;

	buf_zero(b, 8);                         /* length, CIE id */
	buf_putc(b, 1);                         /* version */
	buf_put(b, e->signal ? "zRS" : "zR", e->signal ? 4 : 3);
	put_uleb(b, e->code_align);
	put_sleb(b, e->data_align);
	buf_putc(b, (char)e->ra);
	put_uleb(b, 1);
	buf_putc(b, 0);                         /* DW_EH_PE_absptr */
	buf_put(b, e->initial.data, e->initial.n);
	set_length(b, at);
}

static void
put_fde(struct buf *b, const struct cfi_entry *e, size_t cie, uint64_t bias)
{
	size_t at = b->len;

	buf_zero(b, 4);
	buf_u32(b, (uint32_t)(b->len - cie));
	buf_u64(b, e->start + bias);
	buf_u64(b, e->end - e->start);
	put_uleb(b, 0);
	buf_put(b, e->program.data, e->program.n);
	set_length(b, at);
}

/* Table: offsets of code from @start, of the FDE from the window. */
static struct err *
fill_window(struct second *s, uint64_t lookup)
{
	struct cfi_entry e;
	uint64_t bias;
	struct err *err = cfi_find(s->insp, lookup, &e, &bias);

	if (!err)
		err = cfi_row_check(&e);
	if (err)
		return err;
	if (e.ra != s->insp->arch->pc)
		return err_new(ERR_UNSUPPORTED, "the return address is in "
			       "register %llu", (unsigned long long)e.ra);
	struct buf cie = { .max = WINDOW_SIZE };
	put_cie(&cie, &e);
	buf_u32(&s->window, 0);
	buf_u32(&s->window, (uint32_t)(TABLE_SIZE + cie.len));
	buf_put(&s->window, cie.data, cie.len);
	bool failed = cie.failed;
	buf_fini(&cie);
	put_fde(&s->window, &e, TABLE_SIZE, bias);
	s->start = e.start + bias;
	s->end = e.end + bias;
	return failed ? err_nomem() : buf_err(&s->window);
}

/* ---- what libunwind asks ------------------------------------------------ */
static int
find_proc_info(unw_addr_space_t space, unw_word_t ip, unw_proc_info_t *info,
	       int need, void *arg)
{
	struct second *s = arg;

	buf_reset(&s->window);
	_err_ struct err *err = fill_window(s, ip);
	if (err) {
		s->blind = true;
		return -UNW_ENOINFO;
	}
	unw_dyn_info_t table = {
		.start_ip = s->start,
		.end_ip = s->end,
		.format = UNW_INFO_FORMAT_IP_OFFSET,
		.u.rti = { .segbase = WINDOW, .table_data = WINDOW,
			   .table_len = TABLE_SIZE / sizeof(unw_word_t) },
	};
	int r = search_table(space, ip, &table, info, need, arg);
	if (r < 0)
		s->blind = true;
	return r;
}

static void
put_unwind_info(unw_addr_space_t space, unw_proc_info_t *info, void *arg)
{
	(void)space, (void)info, (void)arg;
}

static int
get_dyn_info_list(unw_addr_space_t space, unw_word_t *addr, void *arg)
{
	(void)space, (void)addr, (void)arg;
	return -UNW_ENOINFO;
}

/* The window ends within a word: what is behind it is not read. */
static bool
read_window(const struct second *s, uint64_t at, uint64_t *out)
{
	uint8_t word[8] = { 0 };

	if (at >= s->window.len)
		return false;
	size_t n = s->window.len - at;
	memcpy(word, s->window.data + at, n < 8 ? n : 8);
	struct rd r = rd_of(word, sizeof(word));
	*out = rd_u64(&r);
	return true;
}

static bool
read_word(struct second *s, uint64_t addr, uint64_t *out)
{
	if (addr - WINDOW < WINDOW_SIZE)
		return read_window(s, addr - WINDOW, out);
	for (unsigned n = 0; n < PIECES; n++) {
		const struct piece *p = &s->pieces[n];

		if (addr - p->at < p->n && p->n - (addr - p->at) >= 8) {
			struct rd r = rd_of(p->bytes + (addr - p->at), 8);
			*out = rd_u64(&r);
			return true;
		}
	}
	struct piece *p = &s->pieces[s->oldest++ % PIECES];
	p->at = addr;
	_err_ struct err *err = space_read_some(s->insp->space, addr,
						PIECE_SIZE, p->bytes, &p->n);
	if (err)
		p->n = 0;
	struct rd r = rd_of(p->bytes, p->n);
	*out = rd_u64(&r);
	return !rd_failed(&r);
}

static int
access_mem(unw_addr_space_t space, unw_word_t addr, unw_word_t *value,
	   int write, void *arg)
{
	(void)space;
	struct second *s = arg;
	uint64_t v;

	if (write || s->reads++ >= READS_MAX || !read_word(s, addr, &v)) {
		s->blind = true;
		return -UNW_EINVAL;
	}
	*value = v;
	return 0;
}

/* libunwind's numbers for x86-64 are DWARF's. */
static int
access_reg(unw_addr_space_t space, unw_regnum_t number, unw_word_t *value,
	   int write, void *arg)
{
	(void)space;
	struct second *s = arg;

	if (write || number < 0 || number >= FRAME_REGS
	    || !(s->frame->regs.known >> number & 1)) {
		s->blind = true;
		return -UNW_EBADREG;
	}
	*value = number == s->insp->arch->pc ? s->pc
					     : s->frame->regs.value[number];
	return 0;
}

static int
access_fpreg(unw_addr_space_t space, unw_regnum_t number, unw_fpreg_t *value,
	     int write, void *arg)
{
	(void)space, (void)number, (void)value, (void)write, (void)arg;
	return -UNW_EBADREG;
}

static int
resume(unw_addr_space_t space, unw_cursor_t *cursor, void *arg)
{
	(void)space, (void)cursor, (void)arg;
	return -UNW_EINVAL;
}

static int
get_proc_name(unw_addr_space_t space, unw_word_t addr, char *name, size_t n,
	      unw_word_t *offset, void *arg)
{
	(void)space, (void)addr, (void)name, (void)n, (void)offset, (void)arg;
	return -UNW_ENOINFO;
}

/* ---- life --------------------------------------------------------------- */
static struct err *
second_new(struct insp *i, struct second **out)
{
	unw_accessors_t accessors = {
		.find_proc_info = find_proc_info,
		.put_unwind_info = put_unwind_info,
		.get_dyn_info_list_addr = get_dyn_info_list,
		.access_mem = access_mem,
		.access_reg = access_reg,
		.access_fpreg = access_fpreg,
		.resume = resume,
		.get_proc_name = get_proc_name,
	};
	struct second *s = arena_alloc(i->arena, sizeof(*s));

	if (!s)
		return err_nomem();
	s->insp = i;
	s->window.max = WINDOW_SIZE;
	s->space = unw_create_addr_space(&accessors, 0);
	if (!s->space)
		return err_nomem();
	unw_set_caching_policy(s->space, UNW_CACHE_NONE);
	*out = s;
	return NULL;
}

void
second_free(struct second *s)
{
	if (!s)
		return;
	unw_destroy_addr_space(s->space);
	buf_fini(&s->window);
}

/* ---- comparing ---------------------------------------------------------- */
/* What both know must be the same: pc, stack pointer, preserved registers. */
static bool
agrees(struct second *s, unw_cursor_t *cursor, const struct frame *caller)
{
	uint64_t check = arch_table_of(s->insp->arch)->preserved
			 | 1u << s->insp->arch->sp | 1u << s->insp->arch->pc;

	for (int n = 0; n < s->insp->arch->frame_regs; n++) {
		unw_word_t v;

		if (check & caller->regs.known & 1ull << n
		    && unw_get_reg(cursor, n, &v) == 0
		    && v != caller->regs.value[n])
			return false;
	}
	return true;
}

/*
 * Where libunwind is blind it guesses by frame pointer: not an opinion. Where
 * it ends, we merely got further.
 */
static bool
step_agrees(struct second *s, const struct frame *f, bool exact)
{
	unw_cursor_t cursor;

	s->frame = f;
	s->pc = exact ? f->pc : f->pc - 1;
	s->blind = false;
	if (unw_init_remote(&cursor, s->space, s) < 0
	    || unw_step(&cursor) <= 0 || s->blind)
		return true;
	return agrees(s, &cursor, f + 1);
}

struct err *
second_agrees(struct insp *i, const struct frame *frames, size_t n,
	      size_t *out)
{
	bool exact = true;

	*out = n;
	if (i->arch->machine != TARGET)
		return NULL;
	struct err *err = i->second ? NULL : second_new(i, &i->second);
	if (err)
		return err;
	i->second->reads = 0;
	memset(i->second->pieces, 0, sizeof(i->second->pieces));
	for (size_t k = 0; k + 1 < n; k++) {
		if (!step_agrees(i->second, &frames[k], exact)) {
			*out = k + 1;
			return NULL;
		}
		exact = frames[k].flags & SNAP_FRAME_SIGNAL;
	}
	return NULL;
}
