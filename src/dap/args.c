/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arguments of requests, which may be of any kind, and say anything.
 */
#include "dap/impl.h"

#include <inttypes.h>
#include <string.h>

struct err *
arg_number(const struct json *arguments, const char *name,
	   const struct arg_bounds *bounds, int64_t *out)
{
	const struct json *j = json_get(arguments, name);

	*out = bounds->otherwise;
	if (!j)
		return NULL;
	if (!json_to_i64(j, out))
		return err_new(ERR_USAGE, "\"%s\" is no whole number", name);
	if (*out < bounds->min || *out > bounds->max)
		return err_new(ERR_USAGE, "\"%s\" is %" PRId64 ", not within %"
			       PRId64 " and %" PRId64, name, *out, bounds->min,
			       bounds->max);
	return NULL;
}

struct err *
arg_string(const struct json *arguments, const char *name, bool needed,
	   const char **out)
{
	const struct json *j = json_get(arguments, name);

	*out = json_str(j);
	if (j && !*out)
		return err_new(ERR_USAGE, "\"%s\" is no text", name);
	if (!j && needed)
		return err_new(ERR_USAGE, "\"%s\" is needed", name);
	return NULL;
}

/* "0x1f" or "31"; false for all else. */
static bool
arg_parse_address(const char *s, uint64_t *out)
{
	if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X'))
		return hex_u64(s + 2, strlen(s + 2), out);
	uint64_t v = 0;
	for (const char *c = s; *c; c++) {
		if (*c < '0' || *c > '9' || v > (UINT64_MAX - 9) / 10)
			return false;
		v = v * 10 + (uint64_t)(*c - '0');
	}
	*out = v;
	return *s;
}

struct err *
arg_address(const struct json *arguments, const char *name, uint64_t *out)
{
	const char *s;

	struct err *err = arg_string(arguments, name, true, &s);
	if (!err && !arg_parse_address(s, out))
		err = err_new(ERR_USAGE, "\"%s\" is no address: \"%.32s\"",
			      name, s);
	return err;
}
