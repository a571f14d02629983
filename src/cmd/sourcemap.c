/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sourcemap.c: where sources are that were recorded elsewhere.
 */
#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/sourcemap.h"

static struct err *
sourcemap_one(const char *word, struct arena *a, struct supply_map *out)
{
	const char *equals = strchr(word, '=');

	if (!equals || equals == word || !equals[1])
		return err_new(ERR_USAGE, "--source-map %s: give it FROM=TO, "
			       "the directory in the debug information and "
			       "the one here", word);
	_free_ char *to = realpath(equals + 1, NULL);
	if (!to)
		return err_errno("--source-map: cannot find %s", equals + 1);
	out->from = arena_strndup(a, word, (size_t)(equals - word));
	out->to = arena_strdup(a, to);
	return out->from && out->to ? NULL : err_nomem();
}

struct err *
sourcemap_read(const struct opt_list *words, struct arena *a,
	       const struct supply_map **out)
{
	struct supply_map *maps = arena_array(a, words->n, sizeof(*maps));
	struct err *err = maps || !words->n ? NULL : err_nomem();

	for (size_t k = 0; k < words->n && !err; k++)
		err = sourcemap_one(words->item[k], a, &maps[k]);
	if (!err)
		*out = maps;
	return err;
}

static void
put_quoted(struct buf *b, const char *word)
{
	buf_puts(b, " \"");
	for (; *word; word++) {
		if (*word == '"' || *word == '\\')
			buf_putc(b, '\\');
		buf_putc(b, *word);
	}
	buf_putc(b, '"');
}

struct err *
sourcemap_commands(const struct opt_list *words, const char *verb,
		   struct arena *a, struct vec *out)
{
	const struct supply_map *maps;
	struct err *err = sourcemap_read(words, a, &maps);

	for (size_t k = 0; k < words->n && !err; k++) {
		const char **slot = vec_add(out, a, sizeof(*slot));
		_buf_ struct buf b = { 0 };

		if (!slot)
			return err_nomem();
		buf_puts(&b, verb);
		put_quoted(&b, maps[k].from);
		put_quoted(&b, maps[k].to);
		*slot = b.failed ? NULL : arena_strdup(a, b.data);
		err = *slot ? NULL : err_nomem();
	}
	return err;
}
