/* SPDX-License-Identifier: Apache-2.0 */
/* Printers: who is asked for a value, and how what they say is shown. */
#include "values/show.h"

const struct printer *
display_of(const struct value *v, const struct value_style *style,
	   struct arena *a, struct display *out)
{
	(void)v, (void)style, (void)a, (void)out;
	return NULL;
}

void
display_put(struct shower *s, const struct value *v, const struct printer *p,
	    const struct display *d)
{
	(void)s, (void)v, (void)p, (void)d;
}
