/* SPDX-License-Identifier: Apache-2.0 */
/*
 * frozen.c: is the process held by the freezer of its cgroup? Where cgroups are
 * mounted as everywhere; elsewhere nothing is said.
 */
#include "capture/around.h"

#include <stdio.h>
#include <string.h>

/* Documentation/admin-guide/cgroup-v2.rst (cgroup.events) and cgroup-v1/
 * freezer-subsystem.rst of the kernel. */
static const struct {
	const char *controller;         /* "": version 2's only hierarchy */
	const char *root, *file, *says;
} freezers[] = {
	{ "", "/sys/fs/cgroup", "cgroup.events", "frozen 1" },
	{ "", "/sys/fs/cgroup/unified", "cgroup.events", "frozen 1" },
	{ "freezer", "/sys/fs/cgroup/freezer", "freezer.state", "FROZEN" },
};

/* "6:freezer:/path", or "0::/path": proc(5), cgroups(7). */
static bool
cgroup_of(struct span text, const char *controller, struct span *path)
{
	size_t n = strlen(controller);
	const char *at = text.data, *end = at + text.n;

	while (at < end) {
		const char *eol = memchr(at, '\n', (size_t)(end - at));
		const char *next = eol ? eol + 1 : end;
		const char *name = memchr(at, ':', (size_t)(next - at));

		eol = eol ? eol : end;
		at = next;
		if (!name || (size_t)(eol - name) < n + 3
		    || memcmp(name + 1, controller, n) != 0
		    || name[n + 1] != ':' || name[n + 2] != '/')
			continue;
		path->data = name + n + 2;
		path->n = (size_t)(eol - (name + n + 2));
		return true;
	}
	return false;
}

static bool
file_says(const char *root, struct span path, const char *file,
	  const char *says)
{
	_buf_ struct buf name = { .max = 8192 }, text = { 0 };

	buf_printf(&name, "%s%.*s/%s", root, (int)path.n,
		   (const char *)path.data, file);
	/* A cgroup that is not below what we see. */
	if (name.failed || strstr(name.data, "/../"))
		return false;
	_err_ struct err *none = io_read_file(name.data, 4096, &text);
	return !none && text.data && strstr(text.data, says);
}

bool
around_frozen(const struct shot *s, struct span *path)
{
	struct span text = around_find(s, "cgroup");

	for (size_t k = 0; text.n && k < countof(freezers); k++)
		if (cgroup_of(text, freezers[k].controller, path)
		    && file_says(freezers[k].root, *path, freezers[k].file,
				 freezers[k].says))
			return true;
	return false;
}
