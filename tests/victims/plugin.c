/* SPDX-License-Identifier: Apache-2.0 */
/* plugin.c: the library that threads.c opens by a relative name. */
#include "library.h"

__thread int plugin_tls = 2;
__thread char plugin_tls_text[4096] = "large, hence allocated late";
plugin_call_fn plugin_call;

int
plugin_call(dereference_fn *fn, void *where, int number)
{
	int before = plugin_tls;

	if (number) {
		plugin_tls = number;
		return before;
	}
	return fn(where) + before;
}
