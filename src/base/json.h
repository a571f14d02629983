/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json: JSON (RFC 8259) written and read, over json-c.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/base.h"

/* ---- writing --------------------------------------------------------- */
/**
 * A JSON value being built. Adding to an object or array takes the value.
 * Strings and keys are repaired as by buf_escape(), but a backslash stays.
 * Addresses are strings: JavaScript's numbers end at 2^53.
 */
struct json;
struct json *json_object(void), *json_array(void), *json_null(void);
struct json *json_string(const char *s);        /* NULL gives null */
struct json *json_lines(const char *s);         /* the same; tabs and newlines
						   stay */
struct json *json_u64(uint64_t v), *json_i64(int64_t v);
struct json *json_f64(double v);                /* null if not finite */
struct json *json_bool(bool v), *json_addr(uint64_t v);         /* "0x1f" */
void json_set(struct json *object, const char *key, struct json *value);
void json_add(struct json *array, struct json *value);
/** JSON that is already text: for long lists of small objects, at a tenth of
 * what a tree of them costs. Takes what is in @text, which is whole values. */
struct json *json_raw(struct buf *text);
/** @n bytes of a string, repaired, with its quotes: for json_raw(). */
void json_put_string(struct buf *out, const char *s, size_t n);
/** Its text, indented by two when @pretty, and a newline. Tells no memory. */
struct err *json_write(const struct json *j, bool pretty, struct buf *out)
	_must_check_;
void json_free(struct json *j);

/* ---- reading --------------------------------------------------------- */
#define JSON_DEPTH_MAX 32
#define JSON_VALUES_MAX (1u << 18)      /* of one text: each costs 100 bytes */
#define JSON_MEMBERS_MAX 1024u  /* of one object: names may be chosen to collide */
/**
 * One value and nothing but white space around it. Texts are hostile: what RFC
 * 8259 does not allow is refused, at the byte that the error names; so are
 * deeper nesting, larger objects, more values, a name that comes twice, a lone
 * surrogate, and text that is not UTF-8. The caller bounds @text. Owned by the caller: json_free().
 */
struct err *json_read(struct span text, struct json **out) _must_check_;
enum json_kind { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY,
		 JSON_OBJECT };
/** Of NULL: JSON_NULL, as all below take a member that is not there. */
enum json_kind json_kind(const struct json *j);
/** A member of an object, borrowed; NULL where there is none. */
const struct json *json_get(const struct json *object, const char *key);
/** Elements of an array; 0 for all else. */
size_t json_length(const struct json *array);
const struct json *json_at(const struct json *array, size_t n);
/** The bytes of a string, which may hold NUL; { NULL, 0 } for all else. */
struct span json_span(const struct json *j);
/** The string where it holds no NUL, else NULL. */
const char *json_str(const struct json *j);
/** False unless it is a whole number in that range, however written. */
bool json_to_i64(const struct json *j, int64_t *out) _must_check_;
bool json_to_u64(const struct json *j, uint64_t *out) _must_check_;
/** @otherwise where it is no boolean. */
bool json_is_true(const struct json *j, bool otherwise);

#endif
