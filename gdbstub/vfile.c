/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vFile: operations on files ("Host I/O Packets" and "File-I/O Remote Protocol
 * Extension" in the GDB manual). What files there are is vfs.c's matter.
 */
#include "gdbstub/impl.h"

#include <stdlib.h>
#include <string.h>

#define PATH_LIMIT 4096u
#define READ_FIRST 2048u
#define READ_LIMIT 32768u

/* "Errno Values" in the manual. */
enum { FILE_ENOENT = 2, FILE_EBADF = 9, FILE_ENODEV = 19, FILE_EINVAL = 22,
       FILE_EMFILE = 24, FILE_EROFS = 30, FILE_ENAMETOOLONG = 91,
       FILE_EUNKNOWN = 9999 };
/* "Open Flags", those that would change anything. */
enum { OPEN_WRITING = 0x1 | 0x2 | 0x8 | 0x200 | 0x400 };

static void
fail(struct stub *s, int errno_value)
{
	buf_printf(&s->reply, "F-1,%x", errno_value);
}

/* A client keeps files of a snapshot open that is not shown any more. */
static void
drop_file(struct stub *s, struct open_file *file)
{
	shown_close(s, file->shown);
	vfs_close(file);
}

void
vfile_fini(struct stub *s)
{
	for (size_t k = 0; k < s->n_files; k++)
		drop_file(s, &s->files[k]);
	free(s->files);
}

/* A free slot, or OPEN_FILES_MAX. */
static size_t
free_slot(struct stub *s)
{
	size_t fd = 0, n = s->n_files ? 2 * s->n_files : 16;

	while (fd < s->n_files && s->files[fd].source)
		fd++;
	if (fd < s->n_files || fd == OPEN_FILES_MAX)
		return fd;
	struct open_file *more = realloc(s->files, n * sizeof(*more));
	if (!more)
		return OPEN_FILES_MAX;
	memset(more + fd, 0, (n - fd) * sizeof(*more));
	s->files = more;
	s->n_files = n;
	return fd;
}

static struct open_file *
find_file(struct stub *s, uint64_t fd)
{
	return fd < s->n_files && s->files[fd].source ? &s->files[fd]
							  : NULL;
}

/** A path argument; false, and the client was told, if it is none. */
static bool
take_path(struct stub *s, const struct span *bytes, char path[PATH_LIMIT])
{
	if (bytes->n >= PATH_LIMIT) {
		fail(s, FILE_ENAMETOOLONG);
		return false;
	}
	if (bytes->n == 0 || memchr(bytes->data, '\0', bytes->n)) {
		fail(s, FILE_ENOENT);
		return false;
	}
	memcpy(path, bytes->data, bytes->n);
	path[bytes->n] = '\0';
	return true;
}

static void
file_open(struct stub *s, const struct args *a)
{
	char path[PATH_LIMIT];

	if (!take_path(s, &a->v[0].bytes, path))
		return;
	if (a->v[1].number & OPEN_WRITING) {
		fail(s, FILE_EROFS);
		return;
	}
	size_t fd = free_slot(s);
	if (fd == OPEN_FILES_MAX) {
		fail(s, FILE_EMFILE);
		return;
	}
	struct open_file file = { 0 };
	_err_ struct err *err = vfs_open(s, path, &file);
	if (err) {
		fail(s, FILE_ENOENT);
		return;
	}
	if (!file.owned)
		file.shown = shown_again(s->inferiors[s->files_inferior].shown);
	s->files[fd] = file;
	buf_printf(&s->reply, "F%zx", fd);
}

static void
file_close(struct stub *s, const struct args *a)
{
	struct open_file *file = find_file(s, a->v[0].number);

	if (!file) {
		fail(s, FILE_EBADF);
		return;
	}
	drop_file(s, file);
	buf_puts(&s->reply, "F0");
}

static size_t
smallest(uint64_t a, uint64_t b)
{
	return (size_t)(a < b ? a : b);
}

/** Reply "Flength;data", as much of @data as fits; yields how much. */
static size_t
put_data(struct stub *s, const void *data, size_t n)
{
	const size_t head = sizeof("F7fffffff;");
	_buf_ struct buf escaped = { 0 };

	size_t put = framing_put_binary(&escaped, data, n,
				      s->options.packet_size - head);
	buf_printf(&s->reply, "F%zx;", put);
	buf_put(&s->reply, escaped.data, escaped.len);
	s->reply.failed |= escaped.failed;
	return put;
}

/*
 * gdb asks for a whole packet wherever it needs a few bytes, keeps the answer
 * as its only cache, and takes a short one; over a pipe gdb 13 makes a system
 * call for each byte that comes. So a read is short, and grows as long as the
 * next one begins where it ended.
 */
static size_t
read_window(struct open_file *file, uint64_t off)
{
	/* A small file at once: gdb then reads here and there in all of it. */
	if (off == 0 && source_size(file->source) <= READ_LIMIT)
		return READ_LIMIT;
	if (off != file->next || file->window == 0)
		file->window = READ_FIRST;
	else if (file->window < READ_LIMIT)
		file->window *= 4;
	return file->window;
}

static void
file_pread(struct stub *s, const struct args *a)
{
	struct open_file *file = find_file(s, a->v[0].number);
	uint8_t data[READ_LIMIT];

	if (!file) {
		fail(s, FILE_EBADF);
		return;
	}
	uint64_t size = source_size(file->source), off = a->v[2].number;
	size_t n = smallest(smallest(a->v[1].number, s->options.packet_size),
			    READ_LIMIT);
	n = smallest(n, read_window(file, off));
	n = off < size ? smallest(n, size - off) : 0;
	_err_ struct err *err = n ? source_read(file->source, off, n, data)
				  : NULL;
	if (err)
		fail(s, FILE_EUNKNOWN);
	else
		file->next = off + put_data(s, data, n);
}

static void
put_big(struct buf *b, uint64_t v, size_t n)
{
	while (n--)
		buf_putc(b, (char)(v >> 8 * n));
}

/* "struct stat" of the protocol: 64 bytes, big-endian. */
static void
put_stat(struct stub *s, const struct open_file *file)
{
	const uint32_t regular_readable = 0100444, links = 1, block = 4096;
	uint64_t size = source_size(file->source);
	_buf_ struct buf b = { 0 };

	put_big(&b, file->device, 4);
	put_big(&b, file->inode, 4);
	put_big(&b, regular_readable, 4);
	put_big(&b, links, 4);
	buf_zero(&b, 12);              /* uid, gid, rdev */
	put_big(&b, size, 8);
	put_big(&b, block, 8);
	put_big(&b, size / 512 + (size % 512 != 0), 8);
	buf_zero(&b, 12);              /* times */
	put_data(s, b.data, b.len);
	s->reply.failed |= b.failed;
}

static void
file_fstat(struct stub *s, const struct args *a)
{
	struct open_file *file = find_file(s, a->v[0].number);

	if (file)
		put_stat(s, file);
	else
		fail(s, FILE_EBADF);
}

static void
file_stat(struct stub *s, const struct args *a)
{
	struct open_file file = { 0 };
	char path[PATH_LIMIT];

	if (!take_path(s, &a->v[0].bytes, path))
		return;
	_err_ struct err *err = vfs_open(s, path, &file);
	if (err) {
		fail(s, FILE_ENOENT);
		return;
	}
	put_stat(s, &file);
	vfs_close(&file);
}

static void
file_readlink(struct stub *s, const struct args *a)
{
	_buf_ struct buf to = { 0 };
	char path[PATH_LIMIT];

	if (!take_path(s, &a->v[0].bytes, path))
		return;
	_err_ struct err *err = vfs_readlink(s, path, &to);
	if (err)
		fail(s, FILE_ENOENT);
	else
		put_data(s, to.data, to.len);
}

static void
file_setfs(struct stub *s, const struct args *a)
{
	uint64_t pid = a->v[0].number;
	size_t k = pid == ID_ANY ? s->inferior : stub_find_pid(s, pid);

	if (k == INSP_NONE) {
		fail(s, FILE_ENODEV);
		return;
	}
	s->files_inferior = k;
	buf_puts(&s->reply, "F0");
}

static void
file_refuse(struct stub *s, const struct args *a)
{
	(void)a;
	fail(s, FILE_EROFS);
}

static const struct file_row {
	const char *name, *args;
	void (*run)(struct stub *s, const struct args *a);
	int odd;                /* the answer where arguments do not fit */
} ROWS[] = {
	{ "pread:", "L,L,L", file_pread, FILE_EBADF },
	{ "open:", "H,L,L", file_open, FILE_ENOENT },
	{ "fstat:", "L", file_fstat, FILE_EBADF },
	{ "close:", "L", file_close, FILE_EBADF },
	{ "readlink:", "H", file_readlink, FILE_ENOENT },
	{ "setfs:", "L", file_setfs, FILE_EINVAL },
	{ "stat:", "H", file_stat, FILE_ENOENT },
	{ "lstat:", "H", file_stat, FILE_ENOENT },
	{ "pwrite:", "L,L,B", file_refuse, FILE_EROFS },
	{ "unlink:", "H", file_refuse, FILE_EROFS },
};

struct err *
vfile_run(struct stub *s, const struct args *a)
{
	char *text = (char *)a->v[0].bytes.data;
	size_t n = a->v[0].bytes.n;
	struct args args;

	for (size_t k = 0; k < countof(ROWS); k++) {
		size_t name = strlen(ROWS[k].name);

		if (n < name || memcmp(text, ROWS[k].name, name) != 0)
			continue;
		if (args_parse(ROWS[k].args, text + name, n - name, &args))
			ROWS[k].run(s, &args);
		else
			fail(s, ROWS[k].odd);
		return NULL;
	}
	return NULL;
}
