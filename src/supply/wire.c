/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wire: requests and answers to bytes and back. A request comes from a
 * process that may have been taken over: wire_get_ask() believes nothing.
 */
#include <string.h>

#include "supply/wire.h"

#define TEXT_MAX 512

static size_t
name_length(const char *name)
{
	return name ? strnlen(name, WIRE_NAME_MAX) : 0;
}

struct err *
wire_put_ask(const struct supply_ask *ask, struct buf *out)
{
	size_t path = name_length(ask->path), link = name_length(ask->link);

	if (path >= WIRE_NAME_MAX || link >= WIRE_NAME_MAX)
		return err_new(ERR_NOTFOUND, "no file has so long a name");
	buf_u16(out, WIRE_VERSION);
	buf_putc(out, (char)ask->kind);
	buf_putc(out, (char)ask->id.kind);
	buf_u32(out, ask->nth);
	buf_u16(out, ask->id.len);
	buf_u16(out, (uint16_t)path);
	buf_u16(out, (uint16_t)link);
	buf_u16(out, 0);
	buf_put(out, ask->id.bytes, ask->id.len);
	buf_put(out, ask->path, path);
	buf_put(out, ask->link, link);
	return buf_err(out);
}

struct lengths {
	size_t id, path, link;
};

/* The fixed part; false if it is not of this version. */
static bool
get_head(struct rd *r, struct supply_ask *ask, struct lengths *n)
{
	uint16_t version = rd_u16(r);

	ask->kind = rd_u8(r);
	ask->id.kind = rd_u8(r);
	ask->nth = rd_u32(r);
	n->id = rd_u16(r);
	n->path = rd_u16(r);
	n->link = rd_u16(r);
	uint16_t reserved = rd_u16(r);
	return !rd_failed(r) && version == WIRE_VERSION && reserved == 0 &&
	       ask->kind >= SUPPLY_EXE && ask->kind <= SUPPLY_TEXT &&
	       ask->id.kind <= ID_CONTENT &&
	       (ask->id.kind == ID_NONE) == (n->id == 0) && n->id <= ID_MAX &&
	       n->path < WIRE_NAME_MAX && n->link < WIRE_NAME_MAX;
}

/* @n bytes as a string in @name; NULL stays NULL. False if there is a NUL. */
static bool
get_name(const void *bytes, size_t n, char *name, const char **out)
{
	if (n == 0)
		return true;
	memcpy(name, bytes, n);
	name[n] = '\0';
	*out = name;
	return memchr(bytes, '\0', n) == NULL;
}

struct err *
wire_get_ask(struct span bytes, struct wire_ask *out)
{
	struct rd r = rd_of(bytes.data, bytes.n);
	struct lengths n;

	memset(&out->ask, 0, sizeof(out->ask));
	if (!get_head(&r, &out->ask, &n))
		return err_new(ERR_DAMAGED, "not a request for a module");
	const void *id = rd_bytes(&r, n.id);
	const void *path = rd_bytes(&r, n.path);
	const void *link = rd_bytes(&r, n.link);
	if (rd_failed(&r) || rd_left(&r) != 0)
		return err_new(ERR_DAMAGED,
			       "a request for a module of the wrong length");
	if (n.id)
		memcpy(out->ask.id.bytes, id, n.id);
	out->ask.id.len = (uint8_t)n.id;
	if (!get_name(path, n.path, out->path, &out->ask.path) ||
	    !get_name(link, n.link, out->link, &out->ask.link))
		return err_new(ERR_NOTFOUND, "no file has a NUL in its name");
	return NULL;
}

struct err *
wire_put_answer(const struct err *err, struct buf *out)
{
	size_t n = err ? strnlen(err_text(err), TEXT_MAX) : 0;

	buf_u16(out, WIRE_VERSION);
	buf_u16(out, err ? (uint16_t)err_kind(err) : 0);
	buf_u32(out, (uint32_t)n);
	if (err)
		buf_put(out, err_text(err), n);
	return buf_err(out);
}

struct err *
wire_get_answer(struct span bytes)
{
	struct rd r = rd_of(bytes.data, bytes.n);
	uint16_t version = rd_u16(&r);
	uint16_t kind = rd_u16(&r);
	uint32_t n = rd_u32(&r);
	const char *text = rd_bytes(&r, n);

	if (rd_failed(&r) || rd_left(&r) != 0 || version != WIRE_VERSION ||
	    kind >= ERR_KINDS || n > TEXT_MAX)
		return err_new(ERR_DAMAGED, "the supplier's answer is none");
	if (kind == 0)
		return NULL;
	return err_new((enum err_kind)kind, "%.*s", (int)n, n ? text : "");
}
