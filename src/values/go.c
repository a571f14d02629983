/* SPDX-License-Identifier: Apache-2.0 */
/* Go: strings, which are structures of an address and a length. */
#include "values/show.h"

#include <string.h>

bool
go_put(struct shower *s, const struct value *v)
{
	const struct type *p = type_plain(v->type);
	const char *name = type_is_class(p) ? type_plain_name(p) : NULL;
	const struct value *text, *length, *first;
	uint64_t addr, n;

	if (!name || p->lang != LANG_IS_GO || strcmp(name, "string") != 0)
		return false;
	_err_ struct err *one = value_member(v, "str", s->arena, &text);
	_err_ struct err *two = value_member(v, "len", s->arena, &length);
	_err_ struct err *lost = one ? NULL : value_u64(text, &addr);
	_err_ struct err *gone = two ? NULL : value_u64(length, &n);
	_err_ struct err *none = one ? NULL : value_target(text, 0, s->arena,
							   &first);

	if (one || two || lost || gone || none)
		return false;
	buf_printf(s->out, "0x%llx ", (unsigned long long)addr);
	if (n)
		chars_put_counted(s->out, first, n, s->style);
	else
		buf_puts(s->out, "\"\"");
	return true;
}
