/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hostile bytes as an ELF file with DWARF, of which an index is made. What
 * comes out has to be whole: it is opened, and all of it read.
 */
#include <elf.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "tests/symbols/walk.h"

static struct err *
sink(void *arg, const void *data, size_t n)
{
	buf_put(arg, data, n);
	return buf_err(arg);
}

static struct err *
read_back(struct source *index)
{
	_symidx_ struct symidx *ix = NULL;
	struct walked w = { 0 };
	struct err *err = symidx_open(index, &ix);

	return err ? err : walk_index(ix, &w);
}

/* The file is also its own alternate, so that there is one. */
static void
make(struct source *file, bool alternate)
{
	const struct symbols_input in = {
		.file = file, .alt = alternate ? file : NULL,
	};
	_buf_ struct buf out = { 0 };
	_source_ struct source *index = NULL;
	_err_ struct err *err = symbols_make(&in, sink, &out);

	if (err)
		return;
	_err_ struct err *none = source_mem(out.data, out.len, "made", &index);
	if (none)
		return;
	_err_ struct err *damaged = read_back(index);
	if (damaged && err_kind(damaged) != ERR_NOMEM)
		abort();
}

/* On one processor the maker starts no threads, which would cost more than all
 * the rest. */
static void
stay_on_one(void)
{
	static bool done;
	cpu_set_t one;
	int now = done ? -1 : sched_getcpu();

	done = true;
	if (now < 0)
		return;
	CPU_ZERO(&one);
	CPU_SET((size_t)now, &one);
	(void)sched_setaffinity(0, sizeof(one), &one);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	_source_ struct source *file = NULL;
	_err_ struct err *err = source_mem(data, n, "fuzz", &file);

	stay_on_one();
	if (!err)
		make(file, n & 1);
	return 0;
}

/* ---- changes ------------------------------------------------------------- */
size_t LLVMFuzzerMutate(uint8_t *data, size_t n, size_t max)
	__attribute__((weak));
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t n, size_t max,
			       unsigned seed);

/** The @nth section that has bytes in the file; empty if there is none. */
static struct span
section(const uint8_t *data, size_t n, unsigned nth)
{
	Elf64_Ehdr eh;
	Elf64_Shdr sh;

	if (n < sizeof(eh))
		return (struct span){ 0 };
	memcpy(&eh, data, sizeof(eh));
	if (!eh.e_shnum || eh.e_shoff > n
	    || (n - eh.e_shoff) / sizeof(sh) < eh.e_shnum)
		return (struct span){ 0 };
	memcpy(&sh, data + eh.e_shoff + nth % eh.e_shnum * sizeof(sh),
	       sizeof(sh));
	if (sh.sh_type == SHT_NOBITS || sh.sh_offset > n
	    || sh.sh_size > n - sh.sh_offset)
		return (struct span){ 0 };
	return (struct span){ data + sh.sh_offset, (size_t)sh.sh_size };
}

/* A file whose sections move is none any more: mostly a stretch of one section
 * is changed where it stands. */
size_t
LLVMFuzzerCustomMutator(uint8_t *data, size_t n, size_t max, unsigned seed)
{
	static uint8_t work[4096];
	const struct span s = section(data, n, seed >> 4);

	if (s.n == 0 || seed % 16 == 0)
		return LLVMFuzzerMutate(data, n, max);
	size_t at = (seed >> 10) * 2654435761u % s.n;
	size_t room = s.n - at < sizeof(work) ? s.n - at : sizeof(work);
	size_t part = seed % 4 == 1 && room > 16 ? 16 : room;
	uint8_t *to = data + ((const uint8_t *)s.data - data) + at;

	memcpy(work, to, part);
	memcpy(to, work, LLVMFuzzerMutate(work, part, part));
	return n;
}
