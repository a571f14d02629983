/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hostile bytes as a message between server and worker, and as a list. What is
 * accepted is within its bytes.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

#include "serve/control.h"

static void
check_list(const struct control_message *m)
{
	struct rd r = rd_of(m->text, m->n);
	_buf_ struct buf again = { 0 };

	while (rd_left(&r)) {
		struct control_offer o;
		_err_ struct err *err = control_get_offer(&r, &o);
		if (err)
			return;
		control_put_offer(&again, &o);
	}
	if (again.len != m->n || (m->n && memcmp(again.data, m->text, m->n)))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct control_message m;
	_free_ char *bytes = malloc(n + 1);

	if (!bytes)
		return 0;
	memcpy(bytes, data, n);
	_err_ struct err *err = control_parse(bytes, n, &m);
	if (err)
		return 0;
	if (m.n != n - CONTROL_HEAD || m.text[m.n] != '\0' || !m.type
	    || m.type >= CONTROL_TYPES)
		abort();
	if (m.type == CONTROL_ANSWER)
		check_list(&m);
	else if (strlen(m.text) != m.n)
		abort();
	return 0;
}
