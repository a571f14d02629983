/* SPDX-License-Identifier: Apache-2.0 */
/* Symbols of a module by name. */
#include <string.h>

#include "inspect/impl.h"
#include "inspect/indexed.h"
#include "inspect/tailsites.h"

#define NAMESAKES_MAX 64u       /* of a name that many have nothing is known */

bool
tail_is_named(const char *symbol, const char *name)
{
	size_t n = strlen(name);

	return symbol && strncmp(symbol, name, n) == 0
	       && (symbol[n] == '\0'
		   || (symbol[n] == '@' && symbol[n + 1] == '@'));
}

uint64_t
tail_symbol(struct insp *i, size_t module, const char *name, bool local)
{
	struct symidx *ix = insp_index(i, module);
	uint64_t found = 0;
	uint32_t at = 0;
	struct sym_symbol s;

	for (unsigned k = 0; ix && symidx_symbol_named(ix, name, &at, &s); k++) {
		if (k == NAMESAKES_MAX)
			return 0;
		if (!s.size || s.type == STT_TLS
		    || (!local && s.binding == STB_LOCAL)
		    || !tail_is_named(s.linkage, name))
			continue;
		if (found && found != s.address)
			return 0;
		found = s.address;
	}
	return found;
}
