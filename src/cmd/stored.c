/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stored.c: looks into the default store for a symbol file, each time anew: a
 * process holds a store once, and others may be asking for an object.
 */
#include "cmd/home.h"
#include "cmd/pick.h"
#include "cmd/stored.h"

static struct err *
stored_find(struct store *s, const char *project, const struct supply_ask *ask,
	    uint32_t nth, struct store_ref *out)
{
	const struct store_symbols asked = {
		.id = { ask->id.bytes, ask->id.len }, .nth = nth,
		.kind = ask->kind == SUPPLY_EXE ? STORE_SYMBOLS_CODE
						: STORE_SYMBOLS_DEBUG,
	};

	return store_symbols(s, project, &asked, out);
}

struct err *
stored_more(void *arg, const struct supply_ask *ask, uint32_t nth,
	    uint32_t *seen, int *out)
{
	_store_ struct store *s = NULL;
	_pick_ struct pick pick = PICK_NONE;
	struct store_ref ref;

	*seen = 0;
	if (ask->kind == SUPPLY_SOURCE || ask->id.kind != ID_GNU_BUILD_ID)
		return err_new(ERR_NOTFOUND, "no file of that build-id");
	struct err *err = home_open(NULL, false, &s);
	if (!err)
		err = stored_find(s, arg, ask, nth, &ref);
	if (!err)
		err = pick_copy(s, &ref, &pick);
	if (!err) {
		*out = pick.fd;
		pick.fd = -1;
		return NULL;
	}
	for (bool more = s; more; *seen += more) {
		_err_ struct err *none = stored_find(s, arg, ask, *seen, &ref);
		more = !none;
	}
	return err;
}
