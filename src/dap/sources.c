/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sources: paths as this client writes them, and what a sourceReference means.
 */
#include "dap/impl.h"

#include <string.h>

void
sources_free(struct sources *s)
{
	(void)s;
}

int64_t
sources_line(const struct dap *d, uint32_t line)
{
	return line && d->lines_from_0 ? (int64_t)line - 1 : line;
}

int64_t
sources_column(const struct dap *d, uint32_t column)
{
	return column && d->columns_from_0 ? (int64_t)column - 1 : column;
}

struct json *
sources_source(struct dap *d, size_t module, const char *file)
{
	const char *slash = strrchr(file, '/');
	struct json *j = json_object();

	(void)d, (void)module;
	json_set(j, "name", json_string(slash ? slash + 1 : file));
	json_set(j, "path", json_string(file));
	return j;
}
