/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/shot.h"
struct err *
capture_run(const struct capture_command *c, struct captured *out)
{
	(void)c; (void)out;
	return err_new(ERR_UNSUPPORTED, "stub");
}
