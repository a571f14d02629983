/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON input, over json-c. Its strict mode still takes single quotes, NaN and
 * Infinity, "1.", control characters in strings, halves of surrogate pairs,
 * UTF-8 of odd forms, and a name twice: the text is looked through for these
 * first.
 */
/* See json.c. */
#define json_object json_c_value
#define json_bool json_c_bool
#include <json-c/json.h>
#undef json_object
#undef json_bool
#include <math.h>
#include <string.h>

#include "base/escape.h"
#include "base/json.h"

/* Doubles are whole numbers without gaps up to here. */
#define WHOLE_MAX 9007199254740992.0

/* ---- what json-c lets through --------------------------------------------- */
struct scan {
	const char *s;
	size_t n, at;
	const char *wrong;      /* what stands at @at; NULL = nothing */
	size_t values;          /* but for the first of each that is opened */
	size_t members;         /* of all objects, */
	unsigned of[JSON_DEPTH_MAX + 1];        /* and of those that are open */
	size_t depth;
};

/* The four digits of \uXXXX behind @at; -1 where there are none. */
static int
scan_unit(const struct scan *c, size_t at)
{
	uint64_t unit;

	if (at > c->n || c->n - at < 6 || c->s[at] != '\\'
	    || c->s[at + 1] != 'u' || !hex_u64(c->s + at + 2, 4, &unit))
		return -1;
	return (int)unit;
}

static bool
is_half(int unit, int first)
{
	return unit >= first && unit < first + 0x400;
}

/* Length of an escape sequence; what it means json-c checks. */
static size_t
scan_escape(struct scan *c)
{
	int unit = scan_unit(c, c->at);

	if (is_half(unit, 0xd800) && is_half(scan_unit(c, c->at + 6), 0xdc00))
		return 12;
	if (is_half(unit, 0xd800) || is_half(unit, 0xdc00))
		c->wrong = "half of a surrogate pair";
	return 2;
}

static size_t
scan_character(struct scan *c)
{
	if (c->s[c->at] == '\\')
		return scan_escape(c);
	if ((uint8_t)c->s[c->at] < 0x20)
		c->wrong = "a control character in a string";
	size_t len = escape_char_len(c->s + c->at, c->n - c->at);
	if (!len)
		c->wrong = "a byte that is not UTF-8";
	return len;
}

static void
scan_string(struct scan *c)
{
	for (c->at++; c->at < c->n && c->s[c->at] != '"';) {
		size_t len = scan_character(c);

		if (c->wrong)
			return;
		c->at += len;
	}
}

static bool
scan_digit(const struct scan *c, size_t at)
{
	return at < c->n && c->s[at] >= '0' && c->s[at] <= '9';
}

/* json-c refuses what is too deep. */
static void
scan_member(struct scan *c)
{
	c->members++;
	if (c->depth < countof(c->of) && ++c->of[c->depth] > JSON_MEMBERS_MAX)
		c->wrong = "an object with too many members";
}

static void
scan_value(struct scan *c)
{
	if (++c->values > JSON_VALUES_MAX)
		c->wrong = "more values than are read at once";
}

static void
scan_open(struct scan *c)
{
	scan_value(c);
	if (++c->depth < countof(c->of))
		c->of[c->depth] = 0;
}

static void
scan_text(struct scan *c)
{
	for (; c->at < c->n; c->at++) {
		char at = c->s[c->at];

		if (at == '"')
			scan_string(c);
		else if (at == ':')
			scan_member(c);
		else if (at == ',')
			scan_value(c);
		else if (at == '{' || at == '[')
			scan_open(c);
		else if (at == '}' || at == ']')
			c->depth -= c->depth > 0;
		else if (at == '.' && !scan_digit(c, c->at + 1))
			c->wrong = "a number that ends in a point";
		/* Of what is left "true", "false", "null" and "1e5" alone are
		 * right; json-c knows but Infinity and NaN besides. */
		else if (!at || !strchr(" \t\r\n{}[]-+.0123456789truefalsnE",
					at))
			c->wrong = "a character that JSON does not have";
		if (c->wrong)
			return;
	}
}

/* As many members must be in the tree, or one took another one's place. */
static size_t
members_of(struct json_c_value *v)
{
	size_t sum = 0;

	if (json_object_is_type(v, json_type_object)) {
		struct json_object_iterator at = json_object_iter_begin(v);
		struct json_object_iterator end = json_object_iter_end(v);

		for (; !json_object_iter_equal(&at, &end);
		     json_object_iter_next(&at))
			sum += 1 + members_of(json_object_iter_peek_value(&at));
	} else if (json_object_is_type(v, json_type_array)) {
		for (size_t k = 0; k < json_object_array_length(v); k++)
			sum += members_of(json_object_array_get_idx(v, k));
	}
	return sum;
}

/* ---- reading --------------------------------------------------------------- */
static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void
tokener_freep(struct json_tokener **t)
{
	if (*t)
		json_tokener_free(*t);
}

static struct err *
read_with(struct json_tokener *t, struct span text, struct json **out)
{
	const char *s = (const char *)text.data;
	size_t n = text.n;

	while (n && is_space(s[n - 1]))
		n--;
	struct json_c_value *v = json_tokener_parse_ex(t, s, (int)n);
	/* A number may go on until something else comes. */
	if (json_tokener_get_error(t) == json_tokener_continue)
		v = json_tokener_parse_ex(t, "", 1);
	enum json_tokener_error e = json_tokener_get_error(t);
	*out = (struct json *)v;
	if (e == json_tokener_continue || (e == json_tokener_success && !n))
		return err_new(ERR_FORMAT, "no JSON: the text ends too early");
	if (e != json_tokener_success)
		return err_new(ERR_FORMAT, "no JSON: %s, at byte %zu",
			       json_tokener_error_desc(e),
			       json_tokener_get_parse_end(t));
	return NULL;
}

struct err *
json_read(struct span text, struct json **out)
{
	struct scan scan = { .s = (const char *)text.data, .n = text.n };
	_cleanup_(tokener_freep) struct json_tokener *t = NULL;

	*out = NULL;
	if (text.n >= INT32_MAX)
		return err_new(ERR_LIMIT, "too much JSON: %zu bytes", text.n);
	scan_text(&scan);
	if (scan.wrong)
		return err_new(ERR_FORMAT, "no JSON: %s, at byte %zu",
			       scan.wrong, scan.at);
	json_global_set_string_hash(JSON_C_STR_HASH_PERLLIKE);
	t = json_tokener_new_ex(JSON_DEPTH_MAX);
	if (!t)
		return err_nomem();
	json_tokener_set_flags(t, JSON_TOKENER_STRICT
			       | JSON_TOKENER_VALIDATE_UTF8);
	struct err *err = read_with(t, text, out);
	if (!err && members_of((struct json_c_value *)*out) != scan.members)
		err = err_new(ERR_FORMAT, "no JSON: a name comes twice in one "
			      "object");
	if (err) {
		json_free(*out);
		*out = NULL;
	}
	return err;
}

/* ---- what it says ------------------------------------------------------------- */
static struct json_c_value *
inside(const struct json *j)
{
	return (struct json_c_value *)j;
}

enum json_kind
json_kind(const struct json *j)
{
	static const enum json_kind kinds[] = {
		[json_type_null] = JSON_NULL,
		[json_type_boolean] = JSON_BOOL,
		[json_type_double] = JSON_NUMBER,
		[json_type_int] = JSON_NUMBER,
		[json_type_object] = JSON_OBJECT,
		[json_type_array] = JSON_ARRAY,
		[json_type_string] = JSON_STRING,
	};

	return kinds[json_object_get_type(inside(j))];
}

const struct json *
json_get(const struct json *object, const char *key)
{
	struct json_c_value *v = NULL;

	if (json_kind(object) == JSON_OBJECT)
		json_object_object_get_ex(inside(object), key, &v);
	return (const struct json *)v;
}

size_t
json_length(const struct json *array)
{
	return json_kind(array) == JSON_ARRAY
	       ? json_object_array_length(inside(array)) : 0;
}

const struct json *
json_at(const struct json *array, size_t n)
{
	return n < json_length(array) ? (const struct json *)
		json_object_array_get_idx(inside(array), n) : NULL;
}

struct span
json_span(const struct json *j)
{
	if (json_kind(j) != JSON_STRING)
		return (struct span){ NULL, 0 };
	return (struct span){
		(const uint8_t *)json_object_get_string(inside(j)),
		(size_t)json_object_get_string_len(inside(j)),
	};
}

const char *
json_str(const struct json *j)
{
	struct span text = json_span(j);

	return text.data && !memchr(text.data, 0, text.n)
	       ? (const char *)text.data : NULL;
}

/* A double that is a whole number. */
static bool
json_whole(const struct json *j, double *out)
{
	*out = json_object_get_double(inside(j));
	return fabs(*out) <= WHOLE_MAX && *out == trunc(*out);
}

/* What is too large json-c makes the largest there is. */
bool
json_to_i64(const struct json *j, int64_t *out)
{
	double d;

	if (json_object_is_type(inside(j), json_type_int)) {
		*out = json_object_get_int64(inside(j));
		return *out != INT64_MAX && *out != INT64_MIN;
	}
	if (json_kind(j) != JSON_NUMBER || !json_whole(j, &d))
		return false;
	*out = (int64_t)d;
	return true;
}

bool
json_to_u64(const struct json *j, uint64_t *out)
{
	double d;

	if (json_object_is_type(inside(j), json_type_int)) {
		*out = json_object_get_uint64(inside(j));
		return *out != UINT64_MAX
		       && json_object_get_int64(inside(j)) >= 0;
	}
	if (json_kind(j) != JSON_NUMBER || !json_whole(j, &d) || d < 0)
		return false;
	*out = (uint64_t)d;
	return true;
}

bool
json_is_true(const struct json *j, bool otherwise)
{
	return json_kind(j) == JSON_BOOL ? json_object_get_boolean(inside(j))
					 : otherwise;
}
