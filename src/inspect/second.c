/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The second opinion: libunwind steps from each frame that we found, and says
 * whether it comes out where we did.
 *
 * It reads its tables through the address space, never from a file. Tables
 * are hostile: reads are counted, and after the last one allowed all fail.
 */
#include <elf.h>
#include <gelf.h>
#include <libunwind.h>
#include <string.h>

#include "inspect/arch.h"
#include "inspect/impl.h"
#include "inspect/unwind.h"

#define READS_MAX 1000000u      /* about 0.2 s; a step takes some 200 */
#define HEADER_SIZE 12u         /* .eh_frame_hdr before its table */
#define ENTRY_SIZE 8u

/* Exported for accessors like these, but in no header of libunwind. */
#define search_table UNW_OBJ(dwarf_search_unwind_table)
extern int search_table(unw_addr_space_t space, unw_word_t ip,
			unw_dyn_info_t *table, unw_proc_info_t *info, int need,
			void *arg);

/** A module's .eh_frame_hdr, with a sorted table of a kind that is known. */
struct table {
	bool asked;
	uint64_t header, count; /* count 0 = there is none */
};

struct second {
	struct insp *insp;
	unw_addr_space_t space; /* owned */
	struct table *tables;   /* one per module */
	uint32_t reads;
	const struct frame *frame;      /* that is stepped from */
	uint64_t pc;            /* that its row is looked up with */
	bool blind;             /* something it wanted was not there */
};

/* ---- .eh_frame_hdr (Linux Standard Base Core, 10.6.2) --------------------------- */
static bool
find_header(struct insp *i, size_t module, GElf_Phdr *out)
{
	Elf *elf = files_elf(i, module);
	size_t n;

	if (!elf || elf_getphdrnum(elf, &n) != 0)
		return false;
	for (size_t k = 0; k < n && k < INT32_MAX; k++)
		if (gelf_getphdr(elf, (int)k, out)
		    && out->p_type == PT_GNU_EH_FRAME)
			return true;
	return false;
}

static void
read_table(struct insp *i, size_t module, struct table *out)
{
	static const uint8_t known[] = { 1,     /* version */
		0x1b,                           /* pcrel sdata4 */
		0x03,                           /* udata4 */
		0x3b };                         /* datarel sdata4 */
	uint8_t bytes[HEADER_SIZE];
	GElf_Phdr ph;

	out->asked = true;
	if (!find_header(i, module, &ph) || ph.p_memsz < HEADER_SIZE)
		return;
	uint64_t header = i->modules[module].bias + ph.p_vaddr;
	_err_ struct err *err = space_read(i->space, header, sizeof(bytes),
					   bytes);
	if (err || memcmp(bytes, known, sizeof(known)) != 0)
		return;
	struct rd r = rd_of(bytes, sizeof(bytes));
	rd_seek(&r, 8);
	uint32_t count = rd_u32(&r);
	if (count > (ph.p_memsz - HEADER_SIZE) / ENTRY_SIZE)
		return;
	out->header = header;
	out->count = count;
}

/* ---- what libunwind asks -------------------------------------------------------------- */
static int
find_proc_info(unw_addr_space_t space, unw_word_t ip, unw_proc_info_t *info,
	       int need, void *arg)
{
	struct second *s = arg;
	size_t module = insp_module_at(s->insp, ip);
	struct table *t = module == INSP_NONE ? NULL : &s->tables[module];

	if (t && !t->asked)
		read_table(s->insp, module, t);
	if (!t || !t->count) {
		s->blind = true;
		return -UNW_ENOINFO;
	}
	unw_dyn_info_t table = {
		.start_ip = s->insp->modules[module].start,
		.end_ip = s->insp->modules[module].end,
		.format = UNW_INFO_FORMAT_REMOTE_TABLE,
		.u.rti = { .segbase = t->header,
			   .table_data = t->header + HEADER_SIZE,
			   .table_len = t->count * ENTRY_SIZE
					/ sizeof(unw_word_t) },
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

static int
access_mem(unw_addr_space_t space, unw_word_t addr, unw_word_t *value,
	   int write, void *arg)
{
	(void)space;
	struct second *s = arg;
	uint64_t v;

	if (write || s->reads == READS_MAX) {
		s->blind = true;
		return -UNW_EINVAL;
	}
	s->reads++;
	_err_ struct err *err = space_u64(s->insp->space, addr, &v);
	if (err) {
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

/* ---- life -------------------------------------------------------------------------------- */
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
	s->tables = arena_array(i->arena, i->n_modules, sizeof(*s->tables));
	s->space = unw_create_addr_space(&accessors, 0);
	if (!s->space)
		return err_nomem();
	*out = s;
	if (i->n_modules && !s->tables)
		return err_nomem();
	unw_set_caching_policy(s->space, UNW_CACHE_NONE);
	return NULL;
}

void
second_free(struct second *s)
{
	if (s)
		unw_destroy_addr_space(s->space);
}

/* ---- comparing -------------------------------------------------------------------------------- */
/* What both know must be the same: pc, stack pointer, preserved registers. */
static bool
agrees(struct second *s, unw_cursor_t *cursor, const struct frame *caller)
{
	uint32_t check = arch_table_of(s->insp->arch)->preserved
			 | 1u << s->insp->arch->sp | 1u << s->insp->arch->pc;

	for (int n = 0; n < FRAME_REGS; n++) {
		unw_word_t v;

		if (check & caller->regs.known & 1u << n
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
	if (i->arch->machine != EM_X86_64)
		return NULL;
	if (!i->second) {
		struct err *err = second_new(i, &i->second);
		if (err)
			return err;
	}
	i->second->reads = 0;
	for (size_t k = 0; k + 1 < n; k++) {
		if (!step_agrees(i->second, &frames[k], exact)) {
			*out = k + 1;
			return NULL;
		}
		exact = frames[k].flags & SNAP_FRAME_SIGNAL;
	}
	return NULL;
}
