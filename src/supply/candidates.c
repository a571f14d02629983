/* SPDX-License-Identifier: Apache-2.0 */
/*
 * candidates: the paths at which a module that was asked for may stand.
 *
 * The names in a request come from a hostile file: a recorded path must be
 * absolute, a link must stay where links point, and nothing climbs by "..".
 */
#include <string.h>

#include "supply/candidates.h"

#define DELETED " (deleted)"    /* the kernel's mark in maps, proc(5) */

/*
 * In the order in which they are tried. A capital stands for a name (table
 * below), all else for itself; a shape with a name that the request does not
 * have is passed over, one with D goes through all debug directories.
 */
static const struct {
	uint8_t kind;
	const char *shape;
} shapes[] = {
	{ SUPPLY_EXE, "SP" },
	{ SUPPLY_EXE, "P" },
	{ SUPPLY_EXE, "D/.build-id/I" },
	{ SUPPLY_EXE, "SU" },
	{ SUPPLY_EXE, "U" },
	{ SUPPLY_DEBUG, "D/.build-id/I.debug" },
	{ SUPPLY_DEBUG, "SM/L" },
	{ SUPPLY_DEBUG, "M/L" },
	{ SUPPLY_DEBUG, "SM/.debug/L" },
	{ SUPPLY_DEBUG, "M/.debug/L" },
	{ SUPPLY_DEBUG, "DM/L" },
	{ SUPPLY_DEBUG, "DP.debug" },
	{ SUPPLY_DEBUG, "DU.debug" },
	{ SUPPLY_ALT, "D/.build-id/I.debug" },
	{ SUPPLY_ALT, "A" },
	{ SUPPLY_ALT, "SM/R" },
	{ SUPPLY_ALT, "M/R" },
	{ SUPPLY_ALT, "DM/R" },
	{ SUPPLY_ALT, "D/.dwz/B" },
	{ SUPPLY_SOURCE, "SP" },
	{ SUPPLY_SOURCE, "P" },
	{ SUPPLY_TEXT, "SP" },
	{ SUPPLY_TEXT, "P" },
	{ SUPPLY_SPLIT, "SP" },
	{ SUPPLY_SPLIT, "P" },
	{ SUPPLY_PACKAGE, "SP.dwp" },
	{ SUPPLY_PACKAGE, "P.dwp" },
	{ SUPPLY_PACKAGE, "DP.dwp" },
};

/* ---- what a name may be ------------------------------------------- */

/* True if a component of @name is "..". */
static bool
climbs(const char *name)
{
	for (const char *p = name; (p = strstr(p, "..")); p += 2) {
		bool starts = p == name || p[-1] == '/';
		if (starts && (p[2] == '\0' || p[2] == '/'))
			return true;
	}
	return false;
}

static bool
is_absolute(const char *name)
{
	return name && name[0] == '/' && !climbs(name);
}

static bool
is_relative(const char *name)
{
	return name && name[0] != '/' && name[0] != '\0' && !climbs(name);
}

/* Length of the directory part of an absolute @path, without the slash. */
static size_t
dir_length(const char *path)
{
	return (size_t)(strrchr(path, '/') - path);
}

static bool
is_beside(const char *path, const char *other)
{
	size_t n = dir_length(path);

	return n == dir_length(other) && memcmp(path, other, n) == 0;
}

static bool
is_within(const char *path, const char *const *dirs)
{
	for (size_t i = 0; dirs && dirs[i]; i++) {
		size_t n = strlen(dirs[i]);
		if (n && strncmp(path, dirs[i], n) == 0 && path[n] == '/')
			return true;
	}
	return false;
}

/* ---- names, in the order of their table --------------------------- */

static bool
put_absolute_link(const struct candidates *c, struct buf *out)
{
	const char *link = c->ask->link, *path = c->ask->path;

	if (!is_absolute(link))
		return false;
	if (!is_within(link, c->places->debug_dirs) &&
	    !(is_absolute(path) && is_beside(link, path)))
		return false;
	buf_puts(out, link);
	return true;
}

static bool
put_link_base(const struct candidates *c, struct buf *out)
{
	const char *link = c->ask->link;

	if (!link)
		return false;
	const char *slash = strrchr(link, '/');
	const char *base = slash ? slash + 1 : link;
	if (!is_relative(base))
		return false;
	buf_puts(out, base);
	return true;
}

static bool
put_debug_dir(const struct candidates *c, struct buf *out)
{
	const char *const *dirs = c->places->debug_dirs;

	if (!dirs || !dirs[c->dir])
		return false;
	buf_puts(out, dirs[c->dir]);
	return true;
}

/* xx/yyyy…: gdb manual, "Separate Debug Files". */
static bool
put_build_id(const struct candidates *c, struct buf *out)
{
	const struct module_id *id = &c->ask->id;

	if (id->kind != ID_GNU_BUILD_ID || id->len < 2 || id->len > ID_MAX)
		return false;
	buf_hex(out, id->bytes, 1);
	buf_putc(out, '/');
	buf_hex(out, id->bytes + 1, id->len - 1u);
	return true;
}

static bool
put_plain_link(const struct candidates *c, struct buf *out)
{
	const char *link = c->ask->link;

	if (!is_relative(link) || strchr(link, '/'))
		return false;
	buf_puts(out, link);
	return true;
}

static bool
put_module_dir(const struct candidates *c, struct buf *out)
{
	const char *path = c->ask->path;

	if (!is_absolute(path))
		return false;
	buf_put(out, path, dir_length(path));
	return true;
}

static bool
put_path(const struct candidates *c, struct buf *out)
{
	if (!is_absolute(c->ask->path))
		return false;
	buf_puts(out, c->ask->path);
	return true;
}

static bool
put_relative_link(const struct candidates *c, struct buf *out)
{
	if (!is_relative(c->ask->link))
		return false;
	buf_puts(out, c->ask->link);
	return true;
}

static bool
put_sysroot(const struct candidates *c, struct buf *out)
{
	const char *root = c->places->sysroot;

	if (!root || !root[0])
		return false;
	buf_puts(out, root);
	return true;
}

static bool
put_undeleted_path(const struct candidates *c, struct buf *out)
{
	const char *path = c->ask->path;
	const size_t mark = sizeof(DELETED) - 1;

	if (!is_absolute(path))
		return false;
	size_t n = strlen(path);
	if (n <= mark || strcmp(path + n - mark, DELETED) != 0)
		return false;
	buf_put(out, path, n - mark);
	return true;
}

static const struct name {
	char letter;
	/* Append it; false if the request has no such name. */
	bool (*put)(const struct candidates *c, struct buf *out);
} names[] = {
	{ 'A', put_absolute_link },     /* in a debug dir or beside the module */
	{ 'B', put_link_base },
	{ 'D', put_debug_dir },
	{ 'I', put_build_id },
	{ 'L', put_plain_link },        /* a link without a directory */
	{ 'M', put_module_dir },
	{ 'P', put_path },
	{ 'R', put_relative_link },
	{ 'S', put_sysroot },
	{ 'U', put_undeleted_path },
};

/* ---- the walk ----------------------------------------------------- */

static bool
put_letter(const struct candidates *c, char letter, struct buf *out)
{
	for (size_t i = 0; i < countof(names); i++)
		if (names[i].letter == letter)
			return names[i].put(c, out);
	buf_putc(out, letter);
	return true;
}

/* The path where the walk stands; false if the request has none there. */
static bool
put_shape(const struct candidates *c, struct buf *path)
{
	buf_reset(path);
	for (const char *s = shapes[c->shape].shape; *s; s++)
		if (!put_letter(c, *s, path))
			return false;
	return !path->failed;
}

static void
step(struct candidates *c)
{
	const char *const *dirs = c->places->debug_dirs;

	if (strchr(shapes[c->shape].shape, 'D') && dirs && dirs[c->dir] &&
	    dirs[c->dir + 1]) {
		c->dir++;
		return;
	}
	c->shape++;
	c->dir = 0;
}

void
candidates_init(struct candidates *c, const struct supply_places *places,
		const struct supply_ask *ask)
{
	*c = (struct candidates){ .places = places, .ask = ask };
}

bool
candidates_next(struct candidates *c, struct buf *path)
{
	bool found = false;

	while (!found && !path->failed && c->shape < countof(shapes)) {
		found = shapes[c->shape].kind == c->ask->kind &&
			put_shape(c, path);
		step(c);
	}
	return found;
}
