/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <poll.h>

#include "assert-err.h"
#include "await.h"

enum { TIMES = 60000 };         /* of a millisecond each, or longer */

void
await_status(pid_t pid, const char *line)
{
	_buf_ struct buf path = { 0 }, wanted = { 0 };

	buf_printf(&path, "/proc/%d/status", (int)pid);
	buf_printf(&wanted, "\n%s", line);
	for (unsigned k = 0; k < TIMES; k++) {
		_buf_ struct buf text = { 0 };

		assert_ok(io_read_file(path.data, 1u << 16, &text));
		if (strstr(text.data, wanted.data))
			return;
		poll(NULL, 0, 1);
	}
	fail_msg("process %d does not come to \"%s\"", (int)pid, line);
}

void
await_sleep(pid_t pid)
{
	await_status(pid, "State:\tS");
}
