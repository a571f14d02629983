/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unwind PID: frames a second over one picture of a process, for unwind.py.
 *
 * Ours without registers and with all of them, libdw with callbacks of ours,
 * libunwind with accessors of ours and its global cache: all over the same
 * copied stacks and registers. "first" is a pass with nothing prepared but the
 * modules' files open, "warm" one of many later passes. One line a tool: name,
 * threads, frames, frames that ours has too, first and warm frames a second.
 */
#include <elf.h>
#include <elfutils/libdwfl.h>
#include <libunwind.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "capture/capture.h"
#include "inspect/unwind.h"
#include "supply/supply.h"

#define FRAMES_MAX 100000u
#define STACK_MAX (1u << 20)
#define RED_ZONE 128u
#define WARM_NS 300000000u
#define REGS 17u

/* Exported for accessors like these, but in no header of libunwind. */
#define search_table UNW_OBJ(dwarf_search_unwind_table)
extern int search_table(unw_addr_space_t space, unw_word_t ip,
			unw_dyn_info_t *table, unw_proc_info_t *info, int need,
			void *arg);

/** A thread's registers and the copy of its stack. */
struct thread {
	uint64_t tid, regs[REGS];
	uint64_t at;
	size_t n;
	uint8_t *bytes;
};
/** A module's file in memory. */
struct file {
	const struct snap_module *module;
	const uint8_t *bytes;
	size_t n;
	uint64_t hdr;           /* address of .eh_frame_hdr, as linked */
	uint32_t entries;       /* in its table; 0 = none that can be used */
};
struct bench {
	struct insp *insp;
	struct thread *threads;
	size_t n_threads;
	const struct thread *now;
	struct file *files;     /* by address */
	size_t n_files;
	Dwfl *dwfl;
	unw_addr_space_t space;
};
/** Where a pass puts the pcs that it finds; NULL = nowhere. */
struct pcs {
	uint64_t *pc;
	size_t n, max;
};
typedef size_t pass_fn(struct bench *b, struct pcs *out);

static uint64_t
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void
put_pc(struct pcs *out, uint64_t pc)
{
	if (out && out->n < out->max)
		out->pc[out->n++] = pc;
}

/* ---- ours ----------------------------------------------------------------- */
static size_t
pass_quick(struct bench *b, struct pcs *out)
{
	size_t sum = 0;

	for (size_t k = 0; k < b->n_threads; k++) {
		_arena_ struct arena *a = arena_new(0);
		struct trace t;
		_err_ struct err *err = insp_trace(b->insp, k, FRAMES_MAX,
						   false, a, &t);
		for (size_t n = 0; !err && n < t.n; n++)
			put_pc(out, t.frames[n].pc);
		sum += err ? 0 : t.n;
	}
	return sum;
}

static size_t
pass_whole(struct bench *b, struct pcs *out)
{
	size_t sum = 0;

	for (size_t k = 0; k < b->n_threads; k++) {
		_arena_ struct arena *a = arena_new(0);
		struct stack s;
		_err_ struct err *err = insp_stack(b->insp, k, FRAMES_MAX,
						   false, a, &s);
		for (size_t n = 0; !err && n < s.n; n++)
			put_pc(out, s.frames[n].pc);
		sum += err ? 0 : s.n;
	}
	return sum;
}

/* ---- memory for the others ------------------------------------------------- */
static bool
stack_word(const struct bench *b, uint64_t addr, uint64_t *out)
{
	const struct thread *t = b->now;

	if (addr - t->at >= t->n || t->n - (addr - t->at) < 8)
		return false;
	memcpy(out, t->bytes + (addr - t->at), 8);
	return true;
}

static const struct file *
file_at(const struct bench *b, uint64_t addr)
{
	size_t low = 0, high = b->n_files;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (b->files[mid].module->start <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	return low && addr < b->files[low - 1].module->end
	       ? &b->files[low - 1] : NULL;
}

static const Elf64_Phdr *
phdrs_of(const struct file *f, size_t *n)
{
	const Elf64_Ehdr *eh = (const void *)f->bytes;

	*n = eh->e_phnum;
	return (const void *)(f->bytes + eh->e_phoff);
}

/* Tables are read out of the files. */
static bool
file_word(const struct bench *b, uint64_t addr, uint64_t *out)
{
	const struct file *f = file_at(b, addr);
	size_t n = 0;
	const Elf64_Phdr *ph = f ? phdrs_of(f, &n) : NULL;

	for (size_t k = 0; k < n; k++) {
		uint64_t off = addr - f->module->bias - ph[k].p_vaddr;

		if (ph[k].p_type != PT_LOAD || off >= ph[k].p_filesz
		    || ph[k].p_offset + off + 8 > f->n)
			continue;
		memcpy(out, f->bytes + ph[k].p_offset + off, 8);
		return true;
	}
	return false;
}

static bool
any_word(const struct bench *b, uint64_t addr, uint64_t *out)
{
	if (stack_word(b, addr, out) || file_word(b, addr, out))
		return true;
	_err_ struct err *err = space_u64(insp_space(b->insp), addr, out);
	return !err;
}

/* ---- libdw ------------------------------------------------------------------- */
static pid_t
dw_next_thread(Dwfl *dwfl, void *arg, void **thread)
{
	(void)dwfl;
	struct bench *b = arg;
	size_t next = *thread ? (size_t)((struct thread *)*thread
					 - b->threads) + 1 : 0;

	if (next >= b->n_threads)
		return 0;
	*thread = &b->threads[next];
	return (pid_t)b->threads[next].tid;
}

static bool
dw_memory(Dwfl *dwfl, Dwarf_Addr addr, Dwarf_Word *out, void *arg)
{
	(void)dwfl;
	uint64_t word;

	if (!any_word(arg, addr, &word))
		return false;
	*out = word;
	return true;
}

static bool
dw_registers(Dwfl_Thread *thread, void *arg)
{
	struct thread *t = arg;
	Dwarf_Word regs[REGS];

	for (size_t k = 0; k < REGS; k++)
		regs[k] = t->regs[k];
	return dwfl_thread_state_registers(thread, 0, REGS, regs);
}

struct dw_pass {
	struct bench *bench;
	struct pcs *out;
	size_t frames;
};

static int
dw_frame(Dwfl_Frame *frame, void *arg)
{
	struct dw_pass *p = arg;
	Dwarf_Addr pc;

	if (!dwfl_frame_pc(frame, &pc, NULL))
		return DWARF_CB_ABORT;
	put_pc(p->out, pc);
	p->frames++;
	return p->frames < FRAMES_MAX * 100u ? DWARF_CB_OK : DWARF_CB_ABORT;
}

static int
dw_thread(Dwfl_Thread *thread, void *arg)
{
	struct dw_pass *p = arg;

	for (size_t k = 0; k < p->bench->n_threads; k++)
		if ((pid_t)p->bench->threads[k].tid
		    == dwfl_thread_tid(thread))
			p->bench->now = &p->bench->threads[k];
	dwfl_thread_getframes(thread, dw_frame, p);
	return DWARF_CB_OK;
}

static const Dwfl_Thread_Callbacks dw_threads = {
	.next_thread = dw_next_thread,
	.memory_read = dw_memory,
	.set_initial_registers = dw_registers,
};

static int
dw_no_debuginfo(Dwfl_Module *mod, void **data, const char *name,
		Dwarf_Addr base, const char *file, const char *link,
		GElf_Word crc, char **out)
{
	(void)mod, (void)data, (void)name, (void)base, (void)file, (void)link;
	(void)crc, (void)out;
	return -1;
}

static bool
dw_open(struct bench *b)
{
	static const Dwfl_Callbacks callbacks = {
		.find_elf = dwfl_build_id_find_elf,
		.find_debuginfo = dw_no_debuginfo,
	};

	b->dwfl = dwfl_begin(&callbacks);
	if (!b->dwfl)
		return false;
	dwfl_report_begin(b->dwfl);
	for (size_t k = 0; k < b->n_files; k++) {
		const struct snap_module *m = b->files[k].module;
		dwfl_report_elf(b->dwfl, m->path, m->path, -1, m->bias, false);
	}
	dwfl_report_end(b->dwfl, NULL, NULL);
	return dwfl_attach_state(b->dwfl, NULL, getpid(), &dw_threads, b);
}

static size_t
pass_libdw(struct bench *b, struct pcs *out)
{
	struct dw_pass p = { b, out, 0 };

	if (b->dwfl || dw_open(b))
		dwfl_getthreads(b->dwfl, dw_thread, &p);
	return p.frames;
}

/* ---- libunwind ----------------------------------------------------------------- */
static int
un_find(unw_addr_space_t space, unw_word_t ip, unw_proc_info_t *info, int need,
	void *arg)
{
	const struct file *f = file_at(arg, ip);

	if (!f || !f->entries)
		return -UNW_ENOINFO;
	uint64_t hdr = f->hdr + f->module->bias;
	unw_dyn_info_t table = {
		.start_ip = f->module->start,
		.end_ip = f->module->end,
		.format = UNW_INFO_FORMAT_REMOTE_TABLE,
		.u.rti = { .segbase = hdr, .table_data = hdr + 12,
			   .table_len = f->entries * 8u / sizeof(unw_word_t) },
	};
	return search_table(space, ip, &table, info, need, arg);
}

static void
un_put(unw_addr_space_t space, unw_proc_info_t *info, void *arg)
{
	(void)space, (void)info, (void)arg;
}

static int
un_list(unw_addr_space_t space, unw_word_t *addr, void *arg)
{
	(void)space, (void)addr, (void)arg;
	return -UNW_ENOINFO;
}

static int
un_memory(unw_addr_space_t space, unw_word_t addr, unw_word_t *value,
	  int write, void *arg)
{
	(void)space;
	uint64_t word;

	if (write || !any_word(arg, addr & -8ull, &word))
		return -UNW_EINVAL;
	*value = word;
	return 0;
}

static int
un_register(unw_addr_space_t space, unw_regnum_t number, unw_word_t *value,
	    int write, void *arg)
{
	(void)space;
	struct bench *b = arg;

	if (write || number < 0 || (unsigned)number >= REGS)
		return -UNW_EBADREG;
	*value = b->now->regs[number];
	return 0;
}

static size_t
pass_libunwind(struct bench *b, struct pcs *out)
{
	static unw_accessors_t accessors = {
		.find_proc_info = un_find, .put_unwind_info = un_put,
		.get_dyn_info_list_addr = un_list, .access_mem = un_memory,
		.access_reg = un_register,
	};
	size_t sum = 0;

	if (!b->space) {
		b->space = unw_create_addr_space(&accessors, 0);
		unw_set_caching_policy(b->space, UNW_CACHE_GLOBAL);
	}
	for (size_t k = 0; k < b->n_threads; k++) {
		unw_cursor_t cursor;
		unw_word_t ip;

		b->now = &b->threads[k];
		if (unw_init_remote(&cursor, b->space, b) < 0)
			continue;
		do {
			unw_get_reg(&cursor, UNW_REG_IP, &ip);
			put_pc(out, ip);
			sum += ip != 0;
		} while (ip && unw_step(&cursor) > 0);
	}
	return sum;
}

/* ---- what is measured ------------------------------------------------------------ */
static struct err *
copy_thread(struct bench *b, size_t k)
{
	struct thread *t = &b->threads[k];
	struct frame_regs regs;
	struct err *err = insp_frame_regs(b->insp, k, &regs);

	if (err)
		return err;
	t->tid = insp_target(b->insp)->threads[k].tid;
	memcpy(t->regs, regs.value, sizeof(t->regs));
	t->at = (regs.value[insp_arch(b->insp)->sp] - RED_ZONE) & -16ull;
	t->bytes = malloc(STACK_MAX);
	if (!t->bytes)
		return err_nomem();
	_err_ struct err *none = space_read_some(insp_space(b->insp), t->at,
						 STACK_MAX, t->bytes, &t->n);
	return NULL;
}

static void
find_table(struct file *f)
{
	size_t n;
	const Elf64_Phdr *ph = phdrs_of(f, &n);

	for (size_t k = 0; k < n; k++) {
		static const uint8_t plain[] = { 1, 0x1b, 3, 0x3b };
		const uint8_t *hdr = f->bytes + ph[k].p_offset;

		if (ph[k].p_type != PT_GNU_EH_FRAME || ph[k].p_filesz < 12
		    || memcmp(hdr, plain, sizeof(plain)) != 0)
			continue;
		f->hdr = ph[k].p_vaddr;
		memcpy(&f->entries, hdr + 8, 4);
	}
}

static int
by_start(const void *a, const void *b)
{
	const struct file *x = a, *y = b;

	return (x->module->start > y->module->start)
	       - (x->module->start < y->module->start);
}

static void
open_files(struct bench *b)
{
	size_t n;
	const struct snap_module *m = insp_modules(b->insp, &n);

	b->files = calloc(n, sizeof(*b->files));
	for (size_t k = 0; b->files && k < n; k++) {
		struct file *f = &b->files[b->n_files];
		struct source *file;
		_err_ struct err *none = insp_module_file(b->insp, k, &file);

		if (none || source_descriptor(file) < 0)
			continue;
		f->module = &m[k];
		f->n = source_size(file);
		f->bytes = mmap(NULL, f->n, PROT_READ, MAP_PRIVATE,
				source_descriptor(file), 0);
		if (f->bytes == MAP_FAILED)
			continue;
		find_table(f);
		b->n_files++;
	}
	qsort(b->files, b->n_files, sizeof(*b->files), by_start);
}

static size_t
same_pcs(const struct pcs *a, const struct pcs *b)
{
	size_t same = 0, at = 0;

	for (size_t k = 0; k < b->n; k++) {
		size_t n = at;

		while (n < a->n && n < at + 64 && a->pc[n] != b->pc[k])
			n++;
		if (n < a->n && a->pc[n] == b->pc[k]) {
			same++;
			at = n + 1;
		}
	}
	return same;
}

static void
measure(struct bench *b, const char *name, pass_fn *pass,
	const struct pcs *ours)
{
	static uint64_t room[1u << 20];
	struct pcs theirs = { room, 0, countof(room) };
	size_t passes = 0;

	uint64_t began = now_ns();
	size_t frames = pass(b, NULL);
	uint64_t first = now_ns() - began, warm = 0;
	pass(b, &theirs);
	for (began = now_ns(); warm < WARM_NS; passes++) {
		pass(b, NULL);
		warm = now_ns() - began;
	}
	printf("%s %zu %zu %zu %.0f %.0f\n", name, b->n_threads, frames,
	       ours ? same_pcs(ours, &theirs) : theirs.n,
	       (double)frames * 1e9 / (double)first,
	       (double)frames * (double)passes * 1e9 / (double)warm);
	fflush(stdout);
}

static struct err *
on_disk(void *arg, const struct supply_ask *ask, int *fd)
{
	return supply_disk(arg, ask, fd);
}

static struct err *
bench_open(pid_t pid, struct bench *b)
{
	static const struct supply supply = {
		on_disk, (void *)&supply_default_places };
	const struct insp_options options = { .supply = &supply };
	const struct capture_limits limits = { .memory = CAPTURE_STACKS };
	struct target *picture;
	struct err *err = capture_process(pid, &limits, NULL, &picture);

	if (!err)
		err = insp_open(picture, &options, &b->insp);
	if (err)
		return err;
	b->n_threads = insp_target(b->insp)->n_threads;
	b->threads = calloc(b->n_threads, sizeof(*b->threads));
	if (!b->threads)
		return err_nomem();
	for (size_t k = 0; k < b->n_threads && !err; k++)
		err = copy_thread(b, k);
	open_files(b);
	return err;
}

int
main(int argc, char **argv)
{
	static uint64_t room[1u << 20];
	struct pcs ours = { room, 0, countof(room) };
	struct bench b = { .insp = NULL };

	if (argc != 2)
		return 2;
	_err_ struct err *err = bench_open(atoi(argv[1]), &b);
	if (err) {
		fprintf(stderr, "%s\n", err_text(err));
		return err_exit_status(err);
	}
	measure(&b, "ours", pass_quick, NULL);
	pass_quick(&b, &ours);
	measure(&b, "ours-registers", pass_whole, &ours);
	measure(&b, "libdw", pass_libdw, &ours);
	measure(&b, "libunwind", pass_libunwind, &ours);
	return 0;
}
