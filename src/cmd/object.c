/* SPDX-License-Identifier: Apache-2.0 */
/*
 * object.c: ids, times and attributes of objects, for people and programs.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "cmd/object.h"

void
object_digits(const uint8_t hash[SHA256_SIZE], char out[STORE_DIGITS + 1])
{
	for (size_t k = 0; k < STORE_DIGITS / 2; k++)
		snprintf(out + 2 * k, 3, "%02x", hash[k]);
}

void
object_ref(struct buf *b, const struct store_ref *ref)
{
	buf_printf(b, "%s/%" PRIx64, ref->project, ref->number);
}

void
object_json(struct json *j, const struct store_ref *ref,
	    const uint8_t hash[SHA256_SIZE])
{
	_buf_ struct buf whole = { 0 }, number = { 0 };
	char digits[STORE_DIGITS + 1];

	object_digits(hash, digits);
	buf_hex(&whole, hash, SHA256_SIZE);
	buf_printf(&number, "%" PRIx64, ref->number);
	json_set(j, "id", json_string(digits));
	json_set(j, "hash", json_string(whole.data));
	json_set(j, "project", json_string(ref->project));
	json_set(j, "number", json_string(number.data));
}

void
object_time(struct buf *b, uint64_t ns)
{
	time_t seconds = (time_t)(ns / 1000000000u);
	char text[32] = "-";
	struct tm tm;

	if (ns && localtime_r(&seconds, &tm))
		strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm);
	buf_puts(b, text);
}

struct json *
object_utc(uint64_t ns)
{
	time_t seconds = (time_t)(ns / 1000000000u);
	char text[32];
	struct tm tm;

	if (!ns || !gmtime_r(&seconds, &tm)
	    || !strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm))
		return json_null();
	return json_string(text);
}

static char *
object_attr_text(const struct snap_attr *attr, struct arena *a)
{
	double real;

	switch (attr->type) {
	case SNAP_ATTR_STRING:
		return arena_strdup(a, attr->string);
	case SNAP_ATTR_I64:
		return arena_printf(a, "%" PRId64, (int64_t)attr->number);
	case SNAP_ATTR_F64:
		memcpy(&real, &attr->number, sizeof(real));
		return arena_printf(a, "%g", real);
	case SNAP_ATTR_BOOL:
		return arena_strdup(a, attr->number ? "true" : "false");
	default:
		return arena_printf(a, "%" PRIu64, attr->number);
	}
}

const char *
object_attr(const struct store_object *o, const char *key, struct arena *a)
{
	for (size_t k = 0; k < o->n_attrs; k++) {
		if (strcmp(o->attrs[k].key, key) == 0)
			return object_attr_text(&o->attrs[k], a);
	}
	return NULL;
}

void
object_tags(struct buf *b, const struct store_object *o)
{
	for (size_t k = 0; k < o->n_tags; k++) {
		if (k)
			buf_putc(b, ',');
		buf_escape(b, o->tags[k], strlen(o->tags[k]));
	}
}
