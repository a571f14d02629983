/* SPDX-License-Identifier: Apache-2.0 */
/* Module ids: compared and written out. */
#include <stdio.h>
#include <string.h>

#include "base/base.h"

bool
id_equal(const struct module_id *a, const struct module_id *b)
{
	return a->kind == b->kind && a->len == b->len && a->len <= ID_MAX &&
	       memcmp(a->bytes, b->bytes, a->len) == 0;
}

void
id_text(const struct module_id *id, char out[2 * ID_MAX + 1])
{
	size_t n = id->kind == ID_NONE ? 0 : id->len;

	out[0] = '\0';
	for (size_t i = 0; i < n && i < ID_MAX; i++)
		snprintf(out + 2 * i, 3, "%02x", id->bytes[i]);
}
