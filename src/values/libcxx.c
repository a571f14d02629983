/* SPDX-License-Identifier: Apache-2.0 */
/* Containers of libc++, by the names of its members. */
#include "values/printers.h"
const struct printer LIBCXX[] = {
	{ NULL, NULL, NULL },
};
