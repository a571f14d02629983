/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Modules, as clients know them.
 */
#include "dap/impl.h"

struct json *
modules_id(struct dap *d, size_t module)
{
	char text[2 * ID_MAX + 1];
	size_t n;
	const struct snap_module *m = insp_modules(d->shown.insp, &n);

	if (module >= n)
		return json_null();
	id_text(&m[module].id, text);
	return *text ? json_string(text) : json_u64(module + 1);
}
