/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pages.c: runs of populated pages. The kernel's words are those of its
 * include/uapi/linux/fs.h and Documentation/admin-guide/mm/pagemap.rst, under
 * names of our own, because headers older than Linux 6.7 lack them.
 */
#include "capture/pages.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define PAGE 4096u
/* 2^23 entries tell of 32 GiB: what is larger is taken as it is. */
#define ENTRIES_MAX (1u << 23)

enum {
	SCAN_FILE = 1 << 2, SCAN_PRESENT = 1 << 3, SCAN_SWAPPED = 1 << 4,
	SCAN_ZERO_PAGE = 1 << 5,
};
struct scan_run {
	uint64_t start, end, categories;
};
struct scan_arg {
	uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages,
		 category_inverted, category_mask, category_anyof_mask,
		 return_mask;
};
#define SCAN_IOCTL _IOWR('f', 16, struct scan_arg)

#define ENTRY_PRESENT (1ull << 63)
#define ENTRY_SWAPPED (1ull << 62)
#define ENTRY_FILE (1ull << 61)

void
pages_open(struct pages *p, const struct proc *proc)
{
	p->fd = openat(proc->dir, "pagemap", O_RDONLY | O_CLOEXEC);
	p->scan = true;
	pages_again(p);
}

void
pages_fini(struct pages *p)
{
	base_close(&p->fd);
	p->fd = -1;
}

void
pages_again(struct pages *p)
{
	p->from = p->to = 0;
	p->n = p->next = 0;
	p->entries = ENTRIES_MAX;
}

static void
add_run(struct pages *p, uint64_t start, uint64_t end, bool file)
{
	struct page_run *last = p->n ? &p->runs[p->n - 1] : NULL;

	if (last && last->end == start && last->file == file)
		last->end = end;
	else
		p->runs[p->n++] = (struct page_run){ start, end, file, false };
}

/* All of [at, end) in one run: nothing better is known. */
static void
fill_whole(struct pages *p, uint64_t at, uint64_t end)
{
	add_run(p, at, end, false);
	p->runs[p->n - 1].guess = true;
	p->to = end;
}

/* Present or swapped out, and not the page of zeros that is everybody's. */
static bool
fill_by_scan(struct pages *p, uint64_t at, uint64_t end)
{
	const struct scan_run *runs = (const void *)p->raw;
	struct scan_arg arg = {
		.size = sizeof(arg), .start = at, .end = end,
		.vec = (uint64_t)(uintptr_t)p->raw, .vec_len = PAGES_BATCH,
		.category_inverted = SCAN_ZERO_PAGE,
		.category_mask = SCAN_ZERO_PAGE,
		.category_anyof_mask = SCAN_PRESENT | SCAN_SWAPPED,
		.return_mask = SCAN_FILE,
	};
	int n = ioctl(p->fd, SCAN_IOCTL, &arg);

	if (n < 0 || arg.walk_end <= at)
		return false;
	for (int k = 0; k < n; k++)
		add_run(p, runs[k].start, runs[k].end,
			runs[k].categories & SCAN_FILE);
	p->to = arg.walk_end < end ? arg.walk_end : end;
	return true;
}

static bool
fill_by_entries(struct pages *p, uint64_t at, uint64_t end)
{
	uint64_t want = (end - at) / PAGE;

	if (want > PAGES_BATCH)
		want = PAGES_BATCH;
	if (want > p->entries)
		return false;
	ssize_t got = pread(p->fd, p->raw, want * 8, (off_t)(at / PAGE * 8));
	if (got < 8)
		return false;
	p->entries -= want;
	size_t n = (size_t)got / 8;
	for (size_t k = 0; k < n; k++)
		if (p->raw[k] & (ENTRY_PRESENT | ENTRY_SWAPPED))
			add_run(p, at + k * PAGE, at + (k + 1) * PAGE,
				(p->raw[k] & ENTRY_FILE)
				&& (p->raw[k] & ENTRY_PRESENT));
	p->to = at + n * PAGE;
	return true;
}

static void
fill(struct pages *p, uint64_t at, uint64_t end)
{
	p->n = p->next = 0;
	p->from = p->to = at;
	if (p->fd >= 0 && p->scan && fill_by_scan(p, at, end))
		return;
	p->scan = false;
	if (p->fd < 0 || !fill_by_entries(p, at, end))
		fill_whole(p, at, end);
}

bool
pages_next(struct pages *p, uint64_t at, uint64_t end, struct page_run *out)
{
	while (at < end) {
		if (at < p->from || at >= p->to)
			fill(p, at, end);
		while (p->next < p->n && p->runs[p->next].end <= at)
			p->next++;
		if (p->next < p->n) {
			*out = p->runs[p->next];
			if (out->start < at)
				out->start = at;
			if (out->end > end)
				out->end = end;
			return out->start < end;
		}
		at = p->to;
	}
	return false;
}

bool
pages_tell(const struct pages *p, uint64_t start, uint64_t end)
{
	return p->fd >= 0 && (p->scan || (end - start) / PAGE <= p->entries);
}
