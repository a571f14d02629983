/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kv.c: both spellings of attributes.
 */
#include <string.h>

#include "cmd/kv.h"

static const char kv_plain[] = "abcdefghijklmnopqrstuvwxyz"
	"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

static struct err *
kv_add(struct vec *out, struct arena *a, struct span key, struct span value)
{
	const char **slot = vec_add(out, a, sizeof(*slot));

	if (!slot)
		return err_nomem();
	*slot = arena_printf(a, "%.*s=%.*s", (int)key.n,
			     (const char *)key.data, (int)value.n,
			     (const char *)value.data);
	return *slot ? NULL : err_nomem();
}

/* The end of the value at @text: a comma that "KEY:" follows, or the end. */
static size_t
kv_value_length(const char *text)
{
	size_t n = 0;

	for (;;) {
		n += strcspn(text + n, ",");
		if (!text[n])
			return n;
		size_t key = strspn(text + n + 1, kv_plain);
		if (key && text[n + 1 + key] == ':')
			return n;
		n++;
	}
}

static struct err *
kv_read_pairs(const char *word, struct arena *a, struct vec *out)
{
	for (const char *at = word;;) {
		size_t key = strspn(at, kv_plain);
		if (!key || at[key] != ':')
			return err_new(ERR_USAGE, "--kv \"%.200s\" is not "
				       "KEY=VALUE or KEY:VALUE", word);
		const char *value = at + key + 1;
		size_t n = kv_value_length(value);
		struct err *err = kv_add(out, a, (struct span){ at, key },
					 (struct span){ value, n });
		if (err || !value[n])
			return err;
		at = value + n + 1;
	}
}

struct err *
kv_read(const struct opt_list *words, struct arena *a, struct vec *out)
{
	struct err *err = NULL;

	for (size_t k = 0; k < words->n && !err; k++) {
		const char *word = words->item[k];
		size_t key = strcspn(word, "=:");
		if (key && word[key] == '=')
			err = kv_add(out, a, (struct span){ word, key },
				     (struct span){ word + key + 1,
						    strlen(word + key + 1) });
		else
			err = kv_read_pairs(word, a, out);
	}
	return err;
}
