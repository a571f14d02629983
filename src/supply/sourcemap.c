/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sourcemap.c: prefixes of recorded names.
 */
#include <string.h>

#include "supply/sourcemap.h"

#define PARTS_MAX 256u

/* Does @path begin with @from, up to the end of a component? *@n bytes are it.
 * "." begins all that is relative, written so or not.
 */
static bool
has_prefix(const char *path, const char *from, size_t *n)
{
	size_t length = strlen(from);

	if (strcmp(from, ".") == 0) {
		*n = strncmp(path, "./", 2) == 0 ? 2 : 0;
		return path[0] != '/';
	}
	while (length > 1 && from[length - 1] == '/')
		length--;
	*n = length;
	return strncmp(path, from, length) == 0
	       && (path[length] == '/' || from[length - 1] == '/');
}

static const struct supply_map *
map_of(const struct supply_places *places, const char *path, size_t *n)
{
	const struct supply_map *best = NULL;

	for (size_t k = 0; k < places->n_maps; k++) {
		const struct supply_map *m = &places->maps[k];
		size_t length;

		if (!has_prefix(path, m->from, &length))
			continue;
		if (!best || length > *n) {
			best = m;
			*n = length;
		}
	}
	return best;
}

/* Components of @rest behind what is in @out; false: it climbs out. */
static bool
put_parts(const char *rest, struct buf *out)
{
	size_t at[PARTS_MAX], depth = 0;

	while (*rest && !out->failed) {
		const size_t n = strcspn(rest, "/");

		if (n == 2 && memcmp(rest, "..", 2) == 0) {
			if (!depth)
				return false;
			out->len = at[--depth];
			out->data[out->len] = '\0';
		} else if (n && !(n == 1 && *rest == '.')) {
			if (depth == PARTS_MAX)
				return false;
			at[depth++] = out->len;
			buf_putc(out, '/');
			buf_put(out, rest, n);
		}
		rest += n + (rest[n] == '/');
	}
	return depth && !out->failed;
}

bool
sourcemap_put(const struct supply_places *places, const char *path,
	      struct buf *out)
{
	size_t n = 0;
	const struct supply_map *m = map_of(places, path, &n);

	buf_reset(out);
	if (!m)
		return false;
	buf_puts(out, strcmp(m->to, "/") == 0 ? "" : m->to);
	if (put_parts(path + n, out))
		return true;
	buf_reset(out);
	return false;
}
