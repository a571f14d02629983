/* SPDX-License-Identifier: Apache-2.0 */
/* JSON output, over json-c. */
/* Two of json-c's types have the names of functions of ours: rename them. */
#define json_object json_c_value
#define json_bool json_c_bool
#include <json-c/json.h>
#undef json_object
#undef json_bool
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/json.h"

/* struct json is json-c's value under a name of ours. */
static struct json_c_value *
inner(const struct json *j)
{
	return (struct json_c_value *)j;
}

static struct json *
outer(struct json_c_value *value)
{
	return (struct json *)value;
}

/** A serialiser that makes the writing of the whole tree fail. */
static int
text_of_failure(struct json_c_value *value, struct printbuf *out, int level,
		int flags)
{
	(void)value, (void)out, (void)level, (void)flags;
	return -1;
}

/** Something is missing in @container: remembered until json_write(). */
static void
container_fail(struct json_c_value *container)
{
	json_object_set_serializer(container, text_of_failure, NULL, NULL);
}

static int
text_of_null(struct json_c_value *value, struct printbuf *out, int level,
	     int flags)
{
	(void)value, (void)level, (void)flags;
	return printbuf_memappend(out, "null", 4);
}

struct json *
json_object(void)
{
	/*
	 * json-c's default hash is seeded, on some machines by a system call
	 * or a file that a jail forbids. Our keys are names of ours.
	 */
	json_global_set_string_hash(JSON_C_STR_HASH_PERLLIKE);
	return outer(json_object_new_object());
}

struct json *
json_array(void)
{
	return outer(json_object_new_array());
}

static const char *
name_as_is(char c)
{
	(void)c;
	return NULL;
}

struct json *
json_string(const char *s)
{
	_buf_ struct buf text = { .max = INT32_MAX };

	if (!s)
		return json_null();
	escape_put(&text, s, strlen(s), name_as_is);
	if (text.failed)
		return NULL;
	return outer(json_object_new_string_len(text.data, text.len));
}

struct json *
json_lines(const char *s)
{
	_buf_ struct buf text = { .max = INT32_MAX };

	if (!s)
		return json_null();
	for (;;) {
		size_t n = strcspn(s, "\t\n");

		escape_put(&text, s, n, name_as_is);
		s += n;
		if (!*s)
			break;
		buf_putc(&text, *s++);
	}
	if (text.failed)
		return NULL;
	return outer(json_object_new_string_len(text.data, text.len));
}

/* ---- text that is made by hand ---- */

static int
text_of_raw(struct json_c_value *value, struct printbuf *out, int level,
	    int flags)
{
	const struct buf *text = json_object_get_userdata(value);

	(void)level, (void)flags;
	if (text->len > INT32_MAX)
		return -1;
	return printbuf_memappend(out, text->data, (int)text->len);
}

static void
raw_free(struct json_c_value *value, void *text)
{
	(void)value;
	buf_fini(text);
	free(text);
}

struct json *
json_raw(struct buf *text)
{
	struct buf *kept = malloc(sizeof(*kept));
	struct json_c_value *value = json_object_new_boolean(false);

	if (!kept || !value || text->failed || !text->len) {
		free(kept);
		json_object_put(value);
		buf_fini(text);
		return NULL;
	}
	*kept = *text;
	*text = (struct buf){ 0 };
	json_object_set_serializer(value, text_of_raw, kept, raw_free);
	return outer(value);
}

static size_t
plain_run(const char *s, size_t n)
{
	size_t k = 0;

	while (k < n && s[k] >= ' ' && s[k] < 0x7f && s[k] != '"'
	       && s[k] != '\\')
		k++;
	return k;
}

/* What escape_put() leaves to do: RFC 8259, 7. */
static const char *
name_in_quotes(char c)
{
	return c == '"' ? "\\\"" : c == '\\' ? "\\\\" : NULL;
}

void
json_put_string(struct buf *out, const char *s, size_t n)
{
	_buf_ struct buf text = { 0 };

	buf_putc(out, '"');
	if (plain_run(s, n) == n) {
		buf_put(out, s, n);
	} else {
		escape_put(&text, s, n, name_as_is);
		escape_put(out, text.data, text.len, name_in_quotes);
		out->failed = out->failed || text.failed;
	}
	buf_putc(out, '"');
}

struct json *
json_u64(uint64_t v)
{
	return outer(json_object_new_uint64(v));
}

struct json *
json_i64(int64_t v)
{
	return outer(json_object_new_int64(v));
}

struct json *
json_f64(double v)
{
	/* RFC 8259, 6: JSON has no number for these. */
	return isfinite(v) ? outer(json_object_new_double(v)) : json_null();
}

struct json *
json_bool(bool v)
{
	return outer(json_object_new_boolean(v));
}

struct json *
json_null(void)
{
	/* json-c's null is NULL, which here says that memory was spent. */
	struct json_c_value *value = json_object_new_boolean(false);

	if (value)
		json_object_set_serializer(value, text_of_null, NULL, NULL);
	return outer(value);
}

struct json *
json_addr(uint64_t v)
{
	char text[2 + 16 + 1];

	snprintf(text, sizeof(text), "0x%" PRIx64, v);
	return outer(json_object_new_string(text));
}

void
json_set(struct json *object, const char *key, struct json *value)
{
	_buf_ struct buf text = { 0 };

	escape_put(&text, key, strlen(key), name_as_is);
	if (object && value && !text.failed &&
	    json_object_object_add(inner(object), text.data,
				   inner(value)) == 0)
		return;
	json_free(value);
	if (object)
		container_fail(inner(object));
}

void
json_add(struct json *array, struct json *value)
{
	if (array && value &&
	    json_object_array_add(inner(array), inner(value)) == 0)
		return;
	json_free(value);
	if (array)
		container_fail(inner(array));
}

struct err *
json_write(const struct json *j, bool pretty, struct buf *out)
{
	int flags = JSON_C_TO_STRING_NOSLASHESCAPE;
	const char *text = NULL;
	size_t n = 0;

	if (pretty)
		flags |= JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED;
	/* json-c goes on after an append that found no memory; malloc tells. */
	errno = 0;
	if (j)
		text = json_object_to_json_string_length(inner(j), flags, &n);
	if (!text || errno == ENOMEM)
		return err_nomem();
	buf_put(out, text, n);
	buf_putc(out, '\n');
	return buf_err(out);
}

void
json_free(struct json *j)
{
	json_object_put(inner(j));
}
