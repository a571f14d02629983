/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "inquest/export": the report of what is shown, as a text to keep or to send.
 */
#include "dap/impl.h"

#include <string.h>

/* Bytes of one; JSON doubles some of them. */
#define EXPORT_MAX (8u << 20)

struct err *
export_answer(struct dap *d, const struct json *arguments, struct json **body)
{
	static const char *const formats[] = { "markdown", "json", "text" };
	const struct dap_host *host = d->options.host;
	const char *format = NULL;
	_buf_ struct buf text = { .max = EXPORT_MAX };
	size_t n = 0;

	struct err *err = arg_string(arguments, "format", false, &format);
	while (!err && format && n < countof(formats)
	       && strcmp(formats[n], format) != 0)
		n++;
	if (!err && n == countof(formats))
		err = err_new(ERR_USAGE, "\"format\" is \"markdown\", \"json\" "
			      "or \"text\"");
	if (!err && (!host || !host->report))
		err = err_new(ERR_UNSUPPORTED, "nobody writes reports here: "
			      "\"inquest report\" does");
	if (!err)
		err = host->report(host->arg, &d->shown, formats[n], &text);
	if (!err && text.failed)
		err = err_new(ERR_LIMIT, "the report has more than %u MiB: "
			      "\"inquest report\" writes it",
			      EXPORT_MAX >> 20);
	if (err)
		return err;
	*body = json_object();
	json_set(*body, "format", json_string(formats[n]));
	json_set(*body, "text", json_lines(text.data ? text.data : ""));
	return NULL;
}
