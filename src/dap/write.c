/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a client writes: into the session's overlay, never into the snapshot.
 */
#include "dap/refs.h"

void
write_note(struct dap *d, uint64_t addr, uint64_t n)
{
	d->written.addr = addr;
	d->written.n = n;
}

void
write_tell(struct dap *d)
{
	if (d->written.n)
		session_tell_written(d, d->written.addr, d->written.n);
	d->written.n = 0;
}
