/* SPDX-License-Identifier: Apache-2.0 */
/* A report for who asks for one over a protocol. */
#include "cmd/cmd.h"
#include "cmd/report.h"

static struct err *
export_write(struct report *r, const char *format, struct buf *out)
{
	struct err *err = report_begin(r);

	if (!err)
		err = report_finish(r);
	if (err)
		return err;
	if (*format == 'j')
		return report_json(r, out);
	if (*format == 'm') {
		report_markdown(r, out);
	} else {
		report_text_begin(r, out);
		report_text_rest(r, out);
	}
	return NULL;
}

struct err *
report_export(struct insp *i, const char *title, const char *format,
	      struct buf *out)
{
	_arena_ struct arena *a = arena_new(0);
	struct report r = { .insp = i, .arena = a, .path = title };

	if (!a)
		return err_nomem();
	struct err *err = export_write(&r, format, out);
	report_fini(&r);
	return err;
}
