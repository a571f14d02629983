/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hostile bytes as each of the texts of /proc. Mappings that are accepted are
 * sorted and disjoint; a name lies within the text, as does a socket's path.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

#include "capture/texts.h"

static void
check_maps(struct span text)
{
	_arena_ struct arena *a = arena_new(256u << 20);
	struct vec maps = { 0 }, flags = { 0 };

	if (!a)
		return;
	err_free(text_maps(text, a, &maps));
	const struct snap_map *m = maps.data;
	for (size_t k = 0; k < maps.n; k++)
		if (m[k].start >= m[k].end
		    || (k && m[k].start < m[k - 1].end))
			abort();
	err_free(text_smaps(text, a, &flags));
}

static void
check_stat(struct span text)
{
	const char *from = text.data;
	struct text_stat s;

	if (text_stat(text, &s)
	    && ((const char *)s.name.data < from
		|| (const char *)s.name.data + s.name.n >= from + text.n))
		abort();
}

static void
check_socket(const struct text_socket *x, struct span line)
{
	const char *from = line.data, *path = x->path.data;

	if (!memchr(x->local, '\0', sizeof(x->local))
	    || !memchr(x->remote, '\0', sizeof(x->remote))
	    || (x->path.n && (path < from
			      || path + x->path.n > from + line.n)))
		abort();
}

static void
check_lines(struct span text)
{
	struct text_socket x;
	struct span line;

	while (text_line(&text, &line)) {
		if (text_inet(line, &x))
			check_socket(&x, line);
		if (text_unix(line, &x))
			check_socket(&x, line);
	}
}

static void
check_link(struct span text)
{
	char target[64];
	size_t n = text.n < sizeof(target) - 1 ? text.n : sizeof(target) - 1;
	uint64_t inode;

	if (n)
		memcpy(target, text.data, n);
	target[n] = '\0';
	(void)!text_socket_link(target, &inode);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const struct span text = { data, n };
	uint64_t value;

	check_maps(text);
	check_stat(text);
	check_lines(text);
	check_link(text);
	(void)!text_number_after(text, "btime", &value);
	(void)!text_status_number(text, "model name", 10, &value);
	(void)!text_status_number(text, "TracerPid", 10, &value);
	(void)!text_status_number(text, "SigCgt", 16, &value);
	return 0;
}
